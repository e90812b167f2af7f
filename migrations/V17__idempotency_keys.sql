-- The replies to requests that may be sent again, for a day. Written in the transaction of what the
-- request does, so that neither is there without the other.

create table idempotency_keys (
    company_id uuid not null references companies (id),
    key text not null,
    -- SHA-256 of what was asked; null, with the reply, once one of its customers was erased.
    fingerprint bytea check (octet_length(fingerprint) = 32),
    status smallint not null,
    -- Names and values in turn.
    headers text[] not null,
    body text,
    -- Whom the reply is about.
    customer_ids uuid[] not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (company_id, key)
);

create index idempotency_keys_customers on idempotency_keys using gin (customer_ids);

create index idempotency_keys_created on idempotency_keys (created_at);
