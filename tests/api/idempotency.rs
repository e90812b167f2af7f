//! Requests sent again under one idempotency key.

use std::time::Duration;

use clientele::store::Store;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::app::send;
use crate::support::{App, Reply, Tenant, bodies};

async fn post_with(tenant: &Tenant, key: &str, path: &str, body: Value) -> Reply {
    let request = tenant.request(Method::POST, path);
    send(request.header("idempotency-key", key).json(&body)).await
}

pub async fn post(tenant: &Tenant, key: &str, body: Value) -> Reply {
    post_with(tenant, key, "/customers", body).await
}

fn is_replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == Some("true")
}

async fn total(tenant: &Tenant) -> Value {
    tenant.list("archived=true").await.body["pagination"]["total"].clone()
}

fn coded(message: &str, code: &str) -> Value {
    json!({"status": "error", "message": message, "error_code": code})
}

/// What tells of an upsert, but for what says that it is told again.
fn told(reply: &Reply) -> (u16, Vec<Option<&str>>, &Value) {
    let names = ["clientele-outcome", "clientele-matched-by", "content-type"];
    let headers = names.iter().map(|name| reply.header(name)).collect();
    (reply.status, headers, &reply.body)
}

#[tokio::test]
async fn the_same_request_sent_again_is_told_the_same_and_not_done_again() {
    let app = App::start().await;
    let body = json!({"first_name": "Zoë", "tags": ["a", "b"]});
    let first = post(&app, "k", body.clone()).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert!(!is_replayed(&first));
    for _ in 0..3 {
        let again = post(&app, "k", body.clone()).await;
        assert!(is_replayed(&again));
        assert_eq!(told(&again), told(&first));
    }
    assert_eq!(total(&app).await, 1);
}

#[tokio::test]
async fn what_happened_meanwhile_is_not_in_the_reply_and_not_undone() {
    let app = App::start().await;
    let body = json!({"phone": "7635550101", "notes": "first"});
    let first = post(&app, "k", body.clone()).await;
    let later = json!({"phone": "7635550101", "notes": "second"});
    assert_eq!(app.post(later).await.status, 200);
    let again = post(&app, "k", body).await;
    assert_eq!(told(&again), told(&first));
    assert_eq!(app.get(&first.id()).await.body["data"]["notes"], "second");
}

#[tokio::test]
async fn the_order_of_fields_white_space_and_the_prefix_make_no_other_request() {
    let app = App::start().await;
    let raw = |path: &str, body: &'static str| {
        let request = app.request(Method::POST, path);
        send(
            request
                .header("idempotency-key", "k")
                .header("content-type", "application/json")
                .body(body),
        )
    };
    let first = raw("/customers", r#"{"first_name":"A","last_name":"B"}"#).await;
    assert_eq!(first.status, 201);
    let again = raw(
        "/open-api/customers",
        r#"{ "last_name": "B", "first_name": "A" }"#,
    )
    .await;
    assert!(is_replayed(&again));
    assert_eq!(told(&again), told(&first));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let app = App::start().await;
    let id = post(&app, "k", json!({"first_name": "A"})).await.id();
    let tags = format!("/customers/{id}/tags");
    for (path, body) in [
        ("/customers", json!({"first_name": "B"})),
        ("/customers", json!({"first_name": "A", "last_name": null})),
        ("/customers/batch", json!({"customers": [{}]})),
        (tags.as_str(), json!({"add": ["x"]})),
    ] {
        let reply = post_with(&app, "k", path, body).await;
        let reused = coded(
            "This idempotency key was used for another request",
            "IDEMPOTENCY_KEY_REUSED",
        );
        assert_eq!((reply.status, reply.body), (422, reused), "{path}");
    }
    assert_eq!(total(&app).await, 1);
    assert_eq!(app.get(&id).await.body["data"]["first_name"], "A");
}

#[tokio::test]
async fn keys_of_two_companies_have_nothing_to_do_with_each_other() {
    let app = App::start().await;
    let other = app.other_company().await;
    let ours = post(&app, "k", json!({"first_name": "A"})).await;
    let theirs = post(&other, "k", json!({"first_name": "B"})).await;
    assert_eq!((ours.status, theirs.status), (201, 201));
    assert_ne!(ours.id(), theirs.id());
    assert_eq!(theirs.body["first_name"], "B");
}

#[tokio::test]
async fn every_post_can_be_sent_again() {
    let app = App::start().await;
    let id = app.create(json!({"phone": "7635550101"})).await;
    let method = json!({"provider": "stripe", "token": "pm_1"});
    for (key, path, body, status) in [
        (
            "1",
            "/customers/batch".to_owned(),
            json!({"customers": [{}, {"email": "x"}, {}]}),
            200,
        ),
        (
            "2",
            format!("/customers/{id}/tags"),
            json!({"add": ["x"]}),
            200,
        ),
        ("3", format!("/customers/{id}/payment-methods"), method, 201),
        ("4", format!("/customers/{id}/archive"), Value::Null, 200),
        ("5", format!("/customers/{id}/restore"), Value::Null, 200),
    ] {
        let first = post_with(&app, key, &path, body.clone()).await;
        assert_eq!(first.status, status, "{path}: {}", first.body);
        let again = post_with(&app, key, &path, body).await;
        assert!(is_replayed(&again), "{path}");
        assert_eq!(told(&again), told(&first), "{path}");
    }
    assert_eq!(total(&app).await, 3);
}

#[tokio::test]
async fn many_at_once_on_two_servers_are_one() {
    let app = App::start().await;
    let second = app.second_server();
    let mut posts = tokio::task::JoinSet::new();
    for n in 0..16 {
        let tenant = if n % 2 == 0 {
            app.at(&app.base)
        } else {
            app.on(&second)
        };
        posts.spawn(async move { post(&tenant, "k", json!({})).await });
    }
    let replies = posts.join_all().await;
    let replayed = replies.iter().filter(|reply| is_replayed(reply)).count();
    assert_eq!(replayed, 15);
    assert!(replies.iter().all(|reply| told(reply) == told(&replies[0])));
    assert_eq!(total(&app).await, 1);
}

/// Holds the lock of a key as a request does that is under way.
async fn hold(app: &App, key: &str) -> PgConnection {
    let mut connection = PgConnection::connect(&app.database_url).await.unwrap();
    sqlx::query(
        "select pg_advisory_lock(
            ('x' || encode(substr(sha256(
                uuid_send(id) || convert_to('idempotency key', 'UTF8') || '\\x00'
                    || convert_to($1, 'UTF8')
            ), 1, 8), 'hex'))::bit(64)::bigint
        ) from companies",
    )
    .bind(key)
    .execute(&mut connection)
    .await
    .unwrap();
    connection
}

#[tokio::test]
async fn who_comes_while_the_first_is_under_way_waits_for_it() {
    let app = App::start().await;
    let first = hold(&app, "k").await;
    let tenant = app.at(&app.base);
    let waiting = tokio::spawn(async move { post(&tenant, "k", json!({})).await });
    while app
        .column::<i64>("select count(*) from pg_locks where locktype = 'advisory' and not granted")
        .await
        == [0]
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(total(&app).await, 0);
    first.close().await.unwrap();
    assert_eq!(waiting.await.unwrap().status, 201);
}

#[tokio::test]
async fn who_would_wait_too_long_is_told_to_come_again() {
    let app = App::start().await;
    let _first = hold(&app, "k").await;
    let reply = post(&app, "k", json!({})).await;
    let in_use = coded(
        "The request with this idempotency key is still under way. Please retry.",
        "IDEMPOTENCY_KEY_IN_USE",
    );
    assert_eq!((reply.status, &reply.body), (409, &in_use));
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(total(&app).await, 0);
}

#[tokio::test]
async fn a_client_that_went_away_before_the_reply_gets_it_from_another_server() {
    let app = App::start().await;
    let mut holder = PgConnection::connect(&app.database_url).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    sqlx::query("lock table customers in share mode")
        .execute(&mut *held)
        .await
        .unwrap();
    let tenant = app.at(&app.base);
    let posting = tokio::spawn(async move { post(&tenant, "k", json!({})).await });
    while app
        .column::<i64>("select count(*) from pg_locks where not granted")
        .await
        == [0]
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    posting.abort();
    assert!(posting.await.unwrap_err().is_cancelled());
    held.rollback().await.unwrap();

    let second = app.second_server();
    let again = post(&app.on(&second), "k", json!({})).await;
    assert_eq!(again.status, 201);
    assert!(is_replayed(&again));
    assert_eq!(total(&app).await, 1);
}

#[tokio::test]
async fn a_refused_request_may_be_mended_under_its_key() {
    let app = App::start().await;
    let unknown = json!({"id": "0190b6c2-7b1e-7c50-8000-000000000001"});
    assert_eq!(post(&app, "k", unknown).await.status, 404);
    assert_eq!(post(&app, "k", json!({"email": "x"})).await.status, 400);
    let mended = post(&app, "k", json!({"email": "x@example.com"})).await;
    assert_eq!(mended.status, 201);
    assert!(!is_replayed(&mended));
}

#[tokio::test]
async fn a_reply_is_kept_for_a_day() {
    let app = App::start().await;
    let post = || post(&app, "k", json!({}));
    let age = |hours: &str| {
        format!("update idempotency_keys set created_at = now() - interval '{hours}'")
    };
    let first = post().await.id();
    app.sql(&age("23 hours 59 minutes")).await;
    assert_eq!(post().await.id(), first);
    app.sql(&age("24 hours")).await;
    let second = post().await;
    assert!(!is_replayed(&second));
    assert_ne!(second.id(), first);
    assert_eq!(post().await.id(), second.id());

    let store = Store::connect(&app.database_url, 1).unwrap();
    let count = "select count(*) from idempotency_keys";
    store.delete_old_replies().await.unwrap();
    assert_eq!(app.column::<i64>(count).await, [1]);
    app.sql(&age("24 hours")).await;
    store.delete_old_replies().await.unwrap();
    assert_eq!(app.column::<i64>(count).await, [0]);
}

#[tokio::test]
async fn an_erased_customer_is_in_no_reply_and_does_not_come_back() {
    let app = App::start().await;
    let body = json!({"email": "secret@example.com"});
    let batch = json!({"customers": [body.clone(), {}]});
    let id = post(&app, "one", body.clone()).await.id();
    let reply = post_with(&app, "many", "/customers/batch", batch.clone()).await;
    assert_eq!(reply.status, 200);
    let other = post(&app, "other", json!({})).await;
    assert_eq!(app.delete(&format!("/customers/{id}")).await.status, 204);

    let kept = "select idempotency_keys::text from idempotency_keys where body is not null";
    let kept: Vec<String> = app.column(kept).await;
    assert_eq!(kept.len(), 1);
    assert!(!kept[0].contains("secret"));
    assert!(is_replayed(&post(&app, "other", json!({})).await));
    for (key, path, body) in [
        ("one", "/customers", body),
        ("many", "/customers/batch", batch),
    ] {
        let again = post_with(&app, key, path, body).await;
        assert_eq!((again.status, again.body), (404, bodies::not_found()));
    }
    assert!(app.list("").await.ids().contains(&other.id()));
    assert!(app.search("secret").await.is_empty());
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_is_refused() {
    let app = App::start().await;
    let long = "x".repeat(256);
    for key in ["", " ", long.as_str()] {
        let reply = post(&app, key, json!({})).await;
        let reason = "Must be 1 to 255 visible ASCII characters";
        let refused = bodies::invalid(&[("idempotency-key", reason)]);
        assert_eq!((reply.status, reply.body), (400, refused), "{key:?}");
    }
    let twice = app.request(Method::POST, "/customers");
    let twice = twice.header("idempotency-key", "a");
    let reply = send(twice.header("idempotency-key", "b").json(&json!({}))).await;
    let refused = bodies::invalid(&[("idempotency-key", "Must be sent once")]);
    assert_eq!((reply.status, reply.body), (400, refused));
    assert_eq!(total(&app).await, 0);
    assert_eq!(post(&app, &"x".repeat(255), json!({})).await.status, 201);
}
