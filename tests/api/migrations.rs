//! Migrations: run by whoever starts first, refused where they do not fit.

use clientele::store::migrate;

use crate::support::postgres::{Database, execute};

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
