//! Migrations: run by whoever starts first, refused where they do not fit.

use std::time::Duration;

use clientele::store::migrate;
use sqlx::{Connection, PgConnection};

use crate::support::postgres::{Database, column, execute};

/// Drops what migrations behind the fourth made and cannot make again.
const DROP_LATER: &str = "
    drop statistics customers_search_text_length;
    drop table imports, payment_methods, idempotency_keys, audit_log;
    alter table api_keys drop column rate_limit";

#[tokio::test]
async fn servers_that_start_together_migrate_an_empty_database_once() {
    let database = Database::create_empty().await;
    let (one, other) = tokio::join!(migrate::run(database.url()), migrate::run(database.url()));
    let mut applied = [one.expect("migrated"), other.expect("migrated")];
    applied.sort_unstable();
    assert_eq!(applied[0], 0);
    assert!(applied[1] > 0);
    migrate::check(database.url())
        .await
        .expect("the newest schema");
}

#[tokio::test]
async fn migrating_again_applies_nothing() {
    let database = Database::create().await;
    assert_eq!(
        migrate::run(database.url()).await.expect("nothing to do"),
        0
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused_in_clear_words() {
    let database = Database::create().await;
    execute(
        database.url(),
        "insert into refinery_schema_history (version, name, applied_on, checksum)
        values (999, 'from_the_future', '2030-01-01T00:00:00Z', '1')",
    )
    .await;
    for refusal in [
        migrate::run(database.url()).await.map(drop),
        migrate::check(database.url()).await,
    ] {
        let message = refusal.expect_err("a refusal").to_string();
        assert!(message.contains("version 999"), "{message}");
        assert!(message.contains("newer clientele"), "{message}");
    }
}

#[tokio::test]
async fn an_empty_database_is_too_old_where_migrations_are_left_to_the_operator() {
    let database = Database::create_empty().await;
    let refusal = migrate::check(database.url()).await.expect_err("a refusal");
    assert!(
        refusal.to_string().contains("clientele migrate"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_migration_that_was_changed_after_it_was_applied_is_refused() {
    let database = Database::create().await;
    execute(
        database.url(),
        "update refinery_schema_history set checksum = '1' where version = 1",
    )
    .await;
    let refusal = migrate::run(database.url()).await.expect_err("a refusal");
    assert!(refusal.to_string().contains("V1"), "{refusal}");
}

/// Customers of two companies, of each status and none, some of them archived; `batch` sets them
/// apart from others.
fn customers(batch: &str) -> String {
    format!(
        "insert into companies (id, name, default_region)
        values (md5('one')::uuid, 'One', 'US'), (md5('two')::uuid, 'Two', 'US')
        on conflict do nothing;
        insert into customers (company_id, id, status, archived_at, search_text, rules_version)
        select md5(case when n % 3 = 0 then 'two' else 'one' end)::uuid,
            md5('{batch}' || n)::uuid,
            (array['active', 'inactive', null])[1 + n % 7 % 3],
            case when n % 5 = 0 then now() end,
            '{batch}', 1
        from generate_series(1, 100) as n"
    )
}

/// Asserts that the totals are what there is, for every company.
async fn assert_counted(database: &Database) {
    const GROUPS: [(&str, &str); 6] = [
        ("live_active", "archived_at is null and status = 'active'"),
        (
            "live_inactive",
            "archived_at is null and status = 'inactive'",
        ),
        (
            "live_without_status",
            "archived_at is null and status is null",
        ),
        (
            "archived_active",
            "archived_at is not null and status = 'active'",
        ),
        (
            "archived_inactive",
            "archived_at is not null and status = 'inactive'",
        ),
        (
            "archived_without_status",
            "archived_at is not null and status is null",
        ),
    ];
    for (group, condition) in GROUPS {
        let kept: Vec<i64> = column(
            database.url(),
            &format!(
                "select coalesce(sum({group}), 0)::bigint from companies c
                left join customer_totals t on t.company_id = c.id group by c.id order by c.id"
            ),
        )
        .await;
        let counted: Vec<i64> = column(
            database.url(),
            &format!(
                "select count(t.id) from companies c
                left join customers t on t.company_id = c.id and t.{condition}
                group by c.id order by c.id"
            ),
        )
        .await;
        assert_eq!(kept.len(), 2);
        assert_eq!(kept, counted, "{group}");
    }
}

const COUNT_OLDER: &str = include_str!("../../migrations/V4__count_older_customers.sql");

#[tokio::test]
async fn customers_that_were_there_before_they_were_counted_are_counted() {
    let database = Database::create().await;
    for sql in [&customers("older"), "truncate customer_totals", COUNT_OLDER] {
        execute(database.url(), sql).await;
    }
    assert_counted(&database).await;
    execute(database.url(), &customers("newer")).await;
    assert_counted(&database).await;
}

#[tokio::test]
async fn customers_written_between_the_two_migrations_are_counted_once() {
    let database = Database::create().await;
    for sql in [
        &customers("older"),
        "truncate customer_totals",
        &customers("newer"),
        "delete from customers where search_text = 'older' and status = 'active'",
        "update customers set status = 'active' where status is null",
        "update customers set archived_at = now() where status = 'inactive'",
        COUNT_OLDER,
    ] {
        execute(database.url(), sql).await;
    }
    assert_counted(&database).await;
}

#[tokio::test]
async fn counting_older_customers_of_a_company_that_has_none_any_more_leaves_none() {
    let database = Database::create().await;
    for sql in [
        &customers("older"),
        "truncate customer_totals",
        "delete from customers where company_id = md5('two')::uuid",
        COUNT_OLDER,
    ] {
        execute(database.url(), sql).await;
    }
    assert_counted(&database).await;
}

/// The valid indexes of customers, as they are defined.
async fn indexes(database: &Database) -> Vec<String> {
    column(
        database.url(),
        "select pg_get_indexdef(indexrelid) from pg_index
        where indrelid = 'customers'::regclass and indisvalid
        order by 1",
    )
    .await
}

#[tokio::test]
async fn an_index_whose_making_was_interrupted_is_made_again() {
    let database = Database::create().await;
    let complete = indexes(&database).await;
    execute(database.url(), &customers("some")).await;
    // What goes wrong in the making leaves an index of that name which nothing can use.
    execute(database.url(), "drop index customers_live_by_status").await;
    let making = sqlx::raw_sql(
        "create unique index concurrently customers_live_by_status on customers (company_id)",
    );
    let mut connection = PgConnection::connect(database.url())
        .await
        .expect("a connection");
    making
        .execute(&mut connection)
        .await
        .expect_err("a company with two customers");
    let left: Vec<String> = column(
        database.url(),
        "select indexrelid::regclass::text from pg_index where not indisvalid",
    )
    .await;
    assert_eq!(left, ["customers_live_by_status"]);

    // From that migration on nothing was noted; of those behind it these alone cannot be repeated.
    execute(
        database.url(),
        "delete from refinery_schema_history
        where version >= (
            select version from refinery_schema_history where name = 'customers_live_by_status_index'
        )",
    )
    .await;
    execute(database.url(), DROP_LATER).await;
    assert!(migrate::run(database.url()).await.expect("migrated") > 0);
    assert_eq!(indexes(&database).await, complete);
    migrate::check(database.url())
        .await
        .expect("the newest schema");
    assert_counted(&database).await;
}

#[tokio::test]
async fn another_index_in_the_making_is_left_alone() {
    let database = Database::create().await;
    execute(database.url(), &customers("some")).await;
    let mut connection = PgConnection::connect(database.url())
        .await
        .expect("a connection");
    sqlx::raw_sql("create unique index concurrently of_the_operator on customers (company_id)")
        .execute(&mut connection)
        .await
        .expect_err("a company with two customers");
    execute(
        database.url(),
        "delete from refinery_schema_history where version >= 5",
    )
    .await;
    execute(database.url(), DROP_LATER).await;
    assert!(migrate::run(database.url()).await.expect("migrated") > 0);
    let left: Vec<String> = column(
        database.url(),
        "select indexrelid::regclass::text from pg_index where not indisvalid",
    )
    .await;
    assert_eq!(left, ["of_the_operator"]);
}

#[tokio::test]
async fn a_migration_that_must_wait_for_a_table_lets_writers_go_ahead() {
    let database = Database::create().await;
    execute(database.url(), &customers("some")).await;
    // Back to where the triggers are still to be made, which nobody may write beside.
    execute(
        database.url(),
        "drop function add_to_customer_totals, count_customers cascade;
        drop table customer_totals;
        delete from refinery_schema_history where version >= 3",
    )
    .await;
    execute(database.url(), DROP_LATER).await;
    let mut writer = PgConnection::connect(database.url())
        .await
        .expect("a connection");
    let mut long = writer.begin().await.expect("a transaction");
    let touch = "update customers set notes = 'written' where id = md5('some1')::uuid";
    sqlx::raw_sql(touch)
        .execute(&mut *long)
        .await
        .expect("a row written");
    let url = database.url().to_owned();
    let migrating = tokio::spawn(async move { migrate::run(&url).await });
    until_someone_waits(&database).await;

    // It stands in line behind the migration, until that gives up its turn.
    execute(
        database.url(),
        "set lock_timeout = '20s';
        update customers set notes = 'written' where id = md5('some2')::uuid",
    )
    .await;
    assert!(!migrating.is_finished());
    long.commit().await.expect("written");
    let applied = migrating.await.expect("a result").expect("migrated");
    assert!(applied > 0);
    assert_counted(&database).await;
}

async fn until_someone_waits(database: &Database) {
    let waiting = "select count(*) from pg_locks
        where not granted and relation = 'customers'::regclass";
    while column::<i64>(database.url(), waiting).await == [0] {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn versions_of_migrations_follow_each_other() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut versions: Vec<usize> = std::fs::read_dir(dir)
        .expect("the migrations")
        .map(|entry| {
            let name = entry
                .expect("a file")
                .file_name()
                .into_string()
                .expect("a name");
            let version = name
                .strip_prefix('V')
                .and_then(|rest| rest.split_once("__"));
            version
                .and_then(|(version, _)| version.parse().ok())
                .unwrap_or_else(|| panic!("{name}"))
        })
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=versions.len()).collect::<Vec<_>>());
}
