-- Outside a transaction: made while others write.
-- What customers_newest is for all lists, for those of one status, however rare it is.
create index concurrently if not exists customers_live_by_status
    on customers (company_id, status, created_at desc, id desc)
    where archived_at is null and status is not null;
