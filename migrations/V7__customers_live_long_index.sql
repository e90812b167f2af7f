-- Outside a transaction: made while others write.
-- The few whose search text does not fit into customers_live_search.
create index concurrently if not exists customers_live_long
    on customers (company_id, created_at desc, id desc)
    where archived_at is null and octet_length(search_text) > 2000;
