-- Companies and their API keys: small tables, the same on every server and shard.

create table companies (
    id uuid primary key,
    name text not null,
    -- ISO 3166 code of the country whose rules read national phone numbers.
    default_region text not null,
    created_at timestamptz not null default clock_timestamp()
);

create table api_keys (
    id text primary key,
    company_id uuid not null references companies (id),
    name text,
    -- SHA-256 of the secret; the secret itself is kept nowhere.
    secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
    scopes text[] not null,
    -- Requests on one UTC day; null: no limit.
    daily_limit bigint check (daily_limit > 0),
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    revoked_at timestamptz,
    -- Written now and then, not on every request.
    last_used_at timestamptz
);

create index api_keys_company on api_keys (company_id, created_at);

create table api_key_usage (
    key_id text not null references api_keys (id),
    day date not null,
    used bigint not null,
    primary key (key_id, day)
);
