-- Outside a transaction: made while others write.
-- Lists without a search, and deep pages of them from the index alone.
create index concurrently if not exists customers_live
    on customers (company_id, created_at desc, id desc) include (status)
    where archived_at is null;
