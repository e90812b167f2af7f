-- Outside a transaction: made while others write.
-- Lists by last name, and walks through them. A name is at most 255 characters: it fits.
create index concurrently if not exists customers_by_last_name
    on customers (company_id, coalesce(lower(last_name), ''), id)
    where archived_at is null;
