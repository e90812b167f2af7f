-- How many customers a company has, kept by triggers, so that whatever writes customers is counted.
--
-- A company's count is the sum of its slots. A session adds to the slot that its process number
-- gives it: with one row for each company all its writers would wait for each other.

create table customer_totals (
    company_id uuid not null references companies (id),
    slot smallint not null,
    -- How often customers were written, and when last: over all slots, the company's version.
    changes bigint not null,
    changed_at timestamptz not null,
    live_active bigint not null,
    live_inactive bigint not null,
    live_without_status bigint not null,
    archived_active bigint not null,
    archived_inactive bigint not null,
    archived_without_status bigint not null,
    primary key (company_id, slot)
) with (fillfactor = 50); -- Written all the time: room for the next version of a row on its page.

create function add_to_customer_totals(company uuid, live boolean, of_status text, n bigint)
returns void
language plpgsql
as $$
begin
    insert into customer_totals as t values (
        company, pg_backend_pid() % 32, 1, clock_timestamp(),
        case when live and of_status = 'active' then n else 0 end,
        case when live and of_status = 'inactive' then n else 0 end,
        case when live and of_status is null then n else 0 end,
        case when not live and of_status = 'active' then n else 0 end,
        case when not live and of_status = 'inactive' then n else 0 end,
        case when not live and of_status is null then n else 0 end
    )
    on conflict (company_id, slot) do update set
        changes = t.changes + 1,
        changed_at = excluded.changed_at,
        live_active = t.live_active + excluded.live_active,
        live_inactive = t.live_inactive + excluded.live_inactive,
        live_without_status = t.live_without_status + excluded.live_without_status,
        archived_active = t.archived_active + excluded.archived_active,
        archived_inactive = t.archived_inactive + excluded.archived_inactive,
        archived_without_status = t.archived_without_status + excluded.archived_without_status;
end
$$;

create function count_customers() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        perform add_to_customer_totals(company_id, archived_at is null, status, count(*))
        from added
        group by company_id, archived_at is null, status;
    elsif tg_op = 'UPDATE' then
        -- One that stays in its group adds nothing, and yet is a change.
        perform add_to_customer_totals(company_id, archived_at is null, status, sum(n)::bigint)
        from (
            select company_id, archived_at, status, 1 as n from added
            union all
            select company_id, archived_at, status, -1 from taken
        ) as written
        group by company_id, archived_at is null, status;
    elsif tg_op = 'DELETE' then
        perform add_to_customer_totals(company_id, archived_at is null, status, -count(*))
        from taken
        group by company_id, archived_at is null, status;
    else
        truncate customer_totals;
    end if;
    return null;
end
$$;

create trigger count_inserted after insert on customers
    referencing new table as added
    for each statement execute function count_customers();
create trigger count_updated after update on customers
    referencing old table as taken new table as added
    for each statement execute function count_customers();
create trigger count_deleted after delete on customers
    referencing old table as taken
    for each statement execute function count_customers();
create trigger count_truncated after truncate on customers
    for each statement execute function count_customers();
