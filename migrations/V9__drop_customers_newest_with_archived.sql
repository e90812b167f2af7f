-- Outside a transaction: made while others write.
-- customers_newest and customers_archived have all of it, and only one of them is written.
drop index concurrently if exists customers_newest_with_archived;
