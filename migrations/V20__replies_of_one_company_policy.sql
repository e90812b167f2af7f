-- A second wall between companies, for roles that do not own the tables: a transaction has the replies
-- of the company that it says it is for, and else those alone that are old enough to be deleted.
-- Tables that lists and searches read have none: their indexes would not be used any longer.

create policy of_one_company on idempotency_keys
    using (company_id = nullif(current_setting('clientele.company', true), '')::uuid);

create policy old_can_be_found on idempotency_keys
    for select using (created_at < clock_timestamp() - interval '24 hours');

create policy old_can_be_deleted on idempotency_keys
    for delete using (created_at < clock_timestamp() - interval '24 hours');

alter table idempotency_keys enable row level security;
