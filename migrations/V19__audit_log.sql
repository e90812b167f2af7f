-- Who made and revoked keys, made companies and erased customers. Only added to. It names no customer
-- but by an id that nothing else has any longer, and refers to nothing: it outlives what it tells of.

create table audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    -- `operator <user of the machine>` or `key <id>`.
    actor text not null,
    action text not null,
    company_id uuid not null,
    -- The id of what was made, revoked or erased.
    subject text not null
);

create index audit_log_company on audit_log (company_id, id);
