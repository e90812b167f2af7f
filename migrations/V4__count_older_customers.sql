-- The customers that were there before they were counted: all that this one statement sees, less
-- what it sees counted since. It is exact while others write, and locks nothing of theirs.

insert into customer_totals
select coalesce(c.company_id, t.company_id), -1, 1, clock_timestamp(),
    coalesce(c.live_active, 0) - coalesce(t.live_active, 0),
    coalesce(c.live_inactive, 0) - coalesce(t.live_inactive, 0),
    coalesce(c.live_without_status, 0) - coalesce(t.live_without_status, 0),
    coalesce(c.archived_active, 0) - coalesce(t.archived_active, 0),
    coalesce(c.archived_inactive, 0) - coalesce(t.archived_inactive, 0),
    coalesce(c.archived_without_status, 0) - coalesce(t.archived_without_status, 0)
from (
    select company_id,
        count(*) filter (where archived_at is null and status = 'active') as live_active,
        count(*) filter (where archived_at is null and status = 'inactive') as live_inactive,
        count(*) filter (where archived_at is null and status is null) as live_without_status,
        count(*) filter (where archived_at is not null and status = 'active') as archived_active,
        count(*) filter (where archived_at is not null and status = 'inactive')
            as archived_inactive,
        count(*) filter (where archived_at is not null and status is null)
            as archived_without_status
    from customers
    group by company_id
) as c
full join (
    select company_id,
        sum(live_active) as live_active,
        sum(live_inactive) as live_inactive,
        sum(live_without_status) as live_without_status,
        sum(archived_active) as archived_active,
        sum(archived_inactive) as archived_inactive,
        sum(archived_without_status) as archived_without_status
    from customer_totals
    group by company_id
) as t on t.company_id = c.company_id;
