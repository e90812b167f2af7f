-- Outside a transaction: made while others write.
-- What a list with the archived customers has beside the live ones.
create index concurrently if not exists customers_archived
    on customers (company_id, created_at desc, id desc) include (status)
    where archived_at is not null;
