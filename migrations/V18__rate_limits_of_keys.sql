-- Requests in one second, on each server; null: no limit.
alter table api_keys add column rate_limit integer check (rate_limit > 0);
