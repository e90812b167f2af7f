-- Outside a transaction: made while others write.
-- What customers_by_last_name is, for the company's name.
create index concurrently if not exists customers_by_company_name
    on customers (company_id, coalesce(lower(company_name), ''), id)
    where archived_at is null;
