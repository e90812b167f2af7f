//! Customers put away, and brought back.

use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::JoinSet;

use crate::create::everything;
use crate::support::app::send;
use crate::support::{App, Reply, Tenant, bodies};

async fn archive(tenant: &Tenant, id: &str) -> Reply {
    tenant.order(&format!("/customers/{id}/archive")).await
}

async fn restore(tenant: &Tenant, id: &str) -> Reply {
    tenant.order(&format!("/customers/{id}/restore")).await
}

/// When the only customer was archived and last changed, by the database.
async fn times(app: &App) -> Vec<String> {
    app.column("select format('%s %s', archived_at, updated_at) from customers")
        .await
}

fn also_matches(reply: &Reply) -> Option<&str> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.header("clientele-also-matches")
}

#[tokio::test]
async fn an_archived_customer_leaves_the_list_and_keeps_its_id() {
    let app = App::start().await;
    let other = app.create(json!({})).await;
    for prefix in ["", "/open-api"] {
        let id = app.create(everything()).await;
        let item = app.get(&id).await.body;
        let reply = app.order(&format!("{prefix}/customers/{id}/archive")).await;
        assert_eq!((reply.status, &reply.body), (200, &item));
        assert_eq!(reply.header("content-type"), Some("application/json"));

        assert_eq!(app.get(&id).await.body, item);
        assert_eq!(app.list("").await.ids(), [other.as_str()]);
        assert_eq!(app.list("").await.body["pagination"]["total"], 1);
        assert!(app.search("jane").await.is_empty());
        assert!(app.list("archived=true").await.ids().contains(&id));
    }
}

#[tokio::test]
async fn archiving_again_changes_nothing() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    let first = archive(&app, &id).await;
    let before = times(&app).await;
    let again = archive(&app, &id).await;
    assert_eq!((again.status, again.body), (200, first.body));
    assert_eq!(times(&app).await, before);
}

#[tokio::test]
async fn restoring_again_changes_nothing() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    let created = times(&app).await;
    // One that never was archived, too.
    assert_eq!(restore(&app, &id).await.status, 200);
    assert_eq!(times(&app).await, created);

    archive(&app, &id).await;
    let first = restore(&app, &id).await;
    let before = times(&app).await;
    assert_ne!(before, created);
    let again = restore(&app, &id).await;
    assert_eq!((again.status, again.body), (200, first.body));
    assert_eq!(times(&app).await, before);
}

#[tokio::test]
async fn a_body_is_ignored_whatever_it_is() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    let item = app.get(&id).await.body;
    for call in ["archive", "restore"] {
        for (content_type, body) in [
            ("application/json", "{".to_owned()),
            ("application/json", "{}".to_owned()),
            ("text/plain", "please".to_owned()),
            ("application/x-www-form-urlencoded", "a=b".to_owned()),
            ("nonsense", "x".repeat(300_000)),
        ] {
            let request = app.request(Method::POST, &format!("/customers/{id}/{call}"));
            let reply = send(request.header("content-type", content_type).body(body)).await;
            assert_eq!((reply.status, &reply.body), (200, &item), "{content_type}");
        }
    }
}

#[tokio::test]
async fn a_post_about_an_archived_customers_phone_creates_another() {
    let app = App::start().await;
    let jane = json!({"phone": "763-555-0101", "email": "jane@example.com"});
    let first = app.create(jane.clone()).await;
    archive(&app, &first).await;
    let second = app.create(jane.clone()).await;
    assert_ne!(second, first);

    // Both are live now, and the one created first is matched.
    restore(&app, &first).await;
    assert_eq!(app.post(jane).await.id(), first);
    assert_eq!(app.list("").await.body["pagination"]["total"], 2);
}

#[tokio::test]
async fn an_update_by_id_leaves_a_customer_archived() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    archive(&app, &id).await;
    assert_eq!(app.post(json!({"id": id, "notes": "x"})).await.status, 200);
    assert!(app.list("").await.ids().is_empty());
}

#[tokio::test]
async fn a_restored_customer_whose_phone_nobody_has_is_told_of_nobody() {
    let app = App::start().await;
    app.create(json!({})).await;
    app.create(json!({"phone": "763-555-0199", "email": "joe@example.com"}))
        .await;
    for body in [everything(), json!({}), json!({"phone": "12"})] {
        let id = app.create(body).await;
        archive(&app, &id).await;
        assert_eq!(also_matches(&restore(&app, &id).await), None);
    }
}

#[tokio::test]
async fn a_restored_customer_is_told_who_has_its_phone_else_its_email() {
    let app = App::start().await;
    let (phone, email) = ("763-555-0101", "jane@example.com");
    let id = app.create(json!({"phone": phone, "email": email})).await;
    archive(&app, &id).await;
    let by_email = app.create(json!({"email": "JANE@example.com"})).await;
    assert_eq!(
        also_matches(&restore(&app, &id).await),
        Some(by_email.as_str())
    );

    archive(&app, &id).await;
    let by_phone = app.create(json!({"phone": "(763) 555-0101"})).await;
    // Families share phones: a second one of that phone, by its id.
    let third = app.create(json!({})).await;
    app.post(json!({"id": third, "phone": phone})).await;
    let restored = restore(&app, &id).await;
    assert_eq!(also_matches(&restored), Some(by_phone.as_str()));
    // So it says when the reply got lost and the call is made again.
    assert_eq!(
        also_matches(&restore(&app, &id).await),
        Some(by_phone.as_str())
    );

    // Only of those that are live.
    archive(&app, &by_phone).await;
    assert_eq!(
        also_matches(&restore(&app, &id).await),
        Some(third.as_str())
    );
}

#[tokio::test]
async fn what_names_no_customer_is_neither_archived_nor_restored() {
    let app = App::start().await;
    let unknown = uuid::Uuid::now_v7().to_string();
    for id in [unknown.as_str(), "nobody", "%00"] {
        for reply in [archive(&app, id).await, restore(&app, id).await] {
            assert_eq!((reply.status, reply.body), (404, bodies::not_found()));
        }
    }
}

#[tokio::test]
async fn who_is_not_there_is_told_so_whoever_writes() {
    let app = App::start().await;
    let live = app.create(everything()).await;
    let unknown = uuid::Uuid::now_v7().to_string();
    // What a post holds until it is through.
    let mut writer = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(format!(
        "begin; select pg_advisory_xact_lock_shared(
            x'0C11E17E'::int,
            ('x' || encode(substr(sha256(uuid_send('{}') || '\\x636f6d70616e7900'), 1, 4), 'hex'))
                ::bit(32)::int
        )",
        app.company
    )))
    .execute(&mut writer)
    .await
    .expect("the lock");

    assert_eq!(restore(&app, &unknown).await.status, 404);
    let erased = app.delete(&format!("/customers/{unknown}")).await;
    assert_eq!(erased.status, 404);

    // It is the right lock: what does change something waits for it, in vain.
    let erased = app.delete(&format!("/customers/{live}")).await;
    assert_eq!(erased.status, 503);
    assert_eq!(app.get(&live).await.status, 200);
}

#[tokio::test]
async fn many_archive_at_once_and_the_first_one_counts() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    let mut calls = JoinSet::new();
    for n in 0..16 {
        let (tenant, id) = ((*app).clone(), id.clone());
        calls.spawn(async move {
            match n % 2 {
                0 => archive(&tenant, &id).await.status,
                _ => restore(&tenant, &id).await.status,
            }
        });
    }
    assert_eq!(calls.join_all().await, [200; 16]);
    archive(&app, &id).await;
    assert_eq!(app.list("").await.body["pagination"]["total"], 0);
    assert_eq!(
        app.list("archived=true").await.body["pagination"]["total"],
        1
    );
}

#[tokio::test]
async fn a_post_beside_a_restore_finds_the_restored_or_is_named() {
    let app = App::start().await;
    let second = app.second_server();
    for n in 0..10 {
        let jane = json!({"phone": format!("763-555-01{n:02}")});
        let id = app.create(jane.clone()).await;
        archive(&app, &id).await;
        let elsewhere = app.on(&second);
        let (restored, posted) = tokio::join!(restore(&app, &id), elsewhere.post(jane));
        let named = also_matches(&restored).map(str::to_owned);
        match posted.status {
            200 => assert_eq!((posted.id(), named), (id, None)),
            201 => assert_eq!(named, Some(posted.id())),
            other => panic!("{other}: {}", posted.body),
        }
    }
}
