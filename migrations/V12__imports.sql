-- How far imports of files have come: written with each of their batches, so that one that broke off
-- goes on behind its last. Gone when it is through.

create table imports (
    company_id uuid not null references companies (id),
    -- SHA-256 of the file, and of how it is read.
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    -- Rows that are done, and what became of them.
    done bigint not null,
    created bigint not null,
    updated bigint not null,
    unchanged bigint not null,
    refused bigint not null,
    -- How long the file of refused rows was by then.
    rejects_length bigint not null,
    started_at timestamptz not null default clock_timestamp(),
    primary key (company_id, fingerprint)
);
