-- Outside a transaction: made while others write.
-- Lists without a search, newest first, and the deep pages of them from the index alone.
create index concurrently if not exists customers_live
    on customers (company_id, created_at desc, id desc)
    where archived_at is null;
