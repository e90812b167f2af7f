-- Four times the slots: of the sixteen connections of a server two or three shared one of 32, and
-- waited for each other's commits.

create or replace function add_to_customer_totals(
    company uuid, live boolean, of_status text, n bigint
)
returns void
language plpgsql
as $$
begin
    insert into customer_totals as t values (
        company, pg_backend_pid() % 128, 1, clock_timestamp(),
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
