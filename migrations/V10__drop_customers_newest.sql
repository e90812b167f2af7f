-- Outside a transaction: made while others write.
-- customers_live has all of it.
drop index concurrently if exists customers_newest;
