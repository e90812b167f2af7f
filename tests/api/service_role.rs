//! The service as a role that owns nothing.

use clientele::store::Store;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::idempotency::post;
use crate::support::app::tenant;
use crate::support::postgres::{Database, execute};
use crate::support::program::Serve;

const ROLE: &str = include_str!("../../deploy/service-role.sql");

/// A database, and where the role has it.
async fn database() -> (Database, String) {
    let database = Database::create().await;
    execute(database.url(), ROLE).await;
    let url = database
        .url()
        .replace("//clientele@", "//clientele_service@");
    assert_ne!(url, database.url());
    (database, url)
}

/// The service as this role, and its store.
fn service(url: &str) -> (Serve, Store) {
    let serve = Serve::start(&[("DATABASE_URL", url), ("CLIENTELE_MIGRATE", "false")]);
    (serve, Store::connect(url, 1).expect("a store"))
}

/// What the database says to `sql`.
async fn refusal(url: &str, sql: &str) -> String {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await;
    match done {
        Ok(_) => format!("{sql} was done"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn every_call_works_for_a_role_that_owns_nothing() {
    let (_database, url) = database().await;
    let (serve, store) = service(&url);
    let company = tenant(&store, &serve.base(), "Acme", "US").await;

    let jane = json!({"first_name": "Jane", "phone": "(763) 555-0100", "tags": ["vip"]});
    let first = post(&company, "once", jane.clone()).await;
    let again = post(&company, "once", jane.clone()).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.id(), first.id());
    let id = first.id();
    assert_eq!(company.list("search=jane").await.ids(), [id.as_str()]);
    assert_eq!(company.list("").await.body["pagination"]["total"], 1);
    let about = |path: &str| format!("/customers/{id}{path}");
    for reply in [
        company.get(&id).await,
        company.fetch("/customers/export").await,
        company.fetch(&about("/export")).await,
        company
            .post_to("/customers/batch", json!({"customers": [jane]}))
            .await,
        company
            .post_to(&about("/tags"), json!({"add": ["new"]}))
            .await,
        company.order(&about("/archive")).await,
        company.order(&about("/restore")).await,
    ] {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let card = json!({"provider": "stripe", "token": "pm_1"});
    let saved = company.post_to(&about("/payment-methods"), card).await;
    let method = saved.body["data"]["id"].as_str().expect("an id");
    let removed = company
        .delete(&about(&format!("/payment-methods/{method}")))
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(company.delete(&about("")).await.status, 204);
    let erased = post(&company, "once", json!({"first_name": "Jane"})).await;
    assert_eq!(erased.status, 404, "{erased:?}");
    assert_eq!(company.list("").await.body["pagination"]["total"], 0);
}

#[tokio::test]
async fn the_role_can_change_neither_the_schema_nor_what_the_audit_log_has() {
    let (_database, url) = database().await;
    for sql in [
        "create table t (x int)",
        "drop table customers",
        "alter table customers add column x int",
        "truncate customers",
        "create index on customers (created_at)",
        "alter table idempotency_keys disable row level security",
        "update audit_log set actor = 'nobody'",
        "delete from audit_log",
        "delete from refinery_schema_history",
        "alter role clientele_service superuser",
    ] {
        let said = refusal(&url, sql).await;
        assert!(
            said.contains("permission denied") || said.contains("must be"),
            "{sql}: {said}"
        );
    }
}

#[tokio::test]
async fn the_database_keeps_the_replies_of_companies_apart_for_the_role() {
    let (database, url) = database().await;
    let (serve, store) = service(&url);
    let acme = tenant(&store, &serve.base(), "Acme", "US").await;
    let globex = tenant(&store, &serve.base(), "Globex", "US").await;
    for company in [&acme, &globex] {
        let reply: Value = post(company, "once", json!({})).await.body;
        assert!(reply["id"].is_string(), "{reply}");
    }
    let seen = async |url: &str, setting: &str| {
        let mut connection = PgConnection::connect(url).await.expect("a connection");
        sqlx::query("select set_config('clientele.company', $1, false)")
            .bind(setting)
            .execute(&mut connection)
            .await
            .expect("a setting");
        sqlx::query_scalar::<_, i64>("select count(*) from idempotency_keys")
            .fetch_one(&mut connection)
            .await
            .expect("a number")
    };
    assert_eq!(seen(database.url(), "").await, 2);
    assert_eq!(seen(&url, "").await, 0);
    assert_eq!(seen(&url, &acme.company.to_string()).await, 1);

    // Replies that were kept long enough are deleted whosever they are.
    let age = "update idempotency_keys set created_at = created_at - interval '25 hours'";
    execute(database.url(), age).await;
    store.delete_old_replies().await.expect("housekeeping");
    assert_eq!(seen(database.url(), "").await, 0);
}
