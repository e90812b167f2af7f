-- Outside a transaction: made while others write.
-- Counts what a search for a common word finds, without a look at the table. An entry of an index
-- has at most 2,704 bytes: longer texts are in an index of their own.
create index concurrently if not exists customers_live_search
    on customers (company_id, created_at desc, id desc) include (status, search_text)
    where archived_at is null and octet_length(search_text) <= 2000;
