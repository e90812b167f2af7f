-- Customers, and the indexes that match, list and search them. Every key and index leads with the
-- company, so that no company pays for another's rows.

create extension if not exists pg_trgm;
create extension if not exists btree_gin;

create table customers (
    company_id uuid not null references companies (id),
    id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    archived_at timestamptz,
    has_payment_method boolean not null default false,

    first_name text,
    last_name text,
    company_name text,
    email text,
    phone text,
    notes text,
    source text,
    status text check (status in ('active', 'inactive')),
    tags text[] not null default '{}',
    service_type text,
    service_frequency text,
    billing_street1 text,
    billing_street2 text,
    billing_city text,
    billing_state text,
    billing_zip text,
    billing_country text,
    billing_same_as_property boolean,
    property_street1 text,
    property_street2 text,
    property_city text,
    property_state text,
    property_zip text,
    property_country text,
    latitude double precision check (latitude between -90 and 90),
    longitude double precision check (longitude between -180 and 180),

    -- Made by the service from the columns above; rules_version says by which version of its rules.
    phone_key text,
    email_key text,
    search_text text not null,
    rules_version smallint not null,

    primary key (company_id, id),
    check ((latitude is null) = (longitude is null))
) with (fillfactor = 85); -- Room for an update to stay on its page.

-- Two indexes that are not unique: families share a phone. Of several, the one created first wins.
create index customers_by_phone on customers (company_id, phone_key, created_at, id)
    where phone_key is not null and archived_at is null;
create index customers_by_email on customers (company_id, email_key, created_at, id)
    where email_key is not null and archived_at is null;

-- Newest first: once for the live customers, which is what nearly every list asks for, and once
-- for all of them.
create index customers_newest on customers (company_id, created_at desc, id desc)
    where archived_at is null;
create index customers_newest_with_archived on customers (company_id, created_at desc, id desc);

create index customers_search on customers using gin (company_id, search_text gin_trgm_ops);
create index customers_tags on customers using gin (company_id, tags);
