-- What is new is kept in a list until that is full; then one writer puts it into the index, and waits
-- for that. Four megabytes, which is the default, took it up to nine tenths of a second, one megabyte
-- a tenth, and as much is written in a second. Each search looks through the list, too.
alter index customers_search set (gin_pending_list_limit = 1024);
