//! More than the service can do at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::support::program::Serve;
use crate::support::{App, Tenant};

/// A service with few connections, a short queue and short waits.
async fn strained(settings: &[(&str, &str)]) -> (App, Serve, Tenant) {
    let app = App::start().await;
    let mut all = vec![
        ("DATABASE_URL", app.database_url.as_str()),
        ("CLIENTELE_DB_CONNECTIONS", "2"),
        ("CLIENTELE_DB_QUEUE", "3"),
    ];
    all.extend_from_slice(settings);
    let serve = Serve::start(&all);
    let tenant = app.at(&serve.base());
    (app, serve, tenant)
}

fn overloaded() -> Value {
    json!({"status": "error", "message": "Service temporarily unavailable. Please retry."})
}

/// Keeps all writers of customers waiting.
async fn hold(app: &App) -> PgConnection {
    let mut holder = PgConnection::connect(&app.database_url).await.unwrap();
    sqlx::raw_sql("begin; lock table customers in share mode")
        .execute(&mut holder)
        .await
        .unwrap();
    holder
}

#[tokio::test]
async fn beyond_the_queue_requests_are_refused_at_once_and_the_others_served() {
    let waits = [
        ("CLIENTELE_LOCK_TIMEOUT", "60s"),
        ("CLIENTELE_ACQUIRE_TIMEOUT", "60s"),
    ];
    let (app, _serve, tenant) = strained(&waits).await;
    // Known from here on: its look-up needs no connection.
    assert_eq!(tenant.auth_test().await.status, 200);
    let holder = hold(&app).await;
    let mut posts = JoinSet::new();
    for _ in 0..20 {
        let tenant = tenant.clone();
        posts.spawn(async move { tenant.post(json!({})).await });
    }
    // Two write, three wait; the others are told before anything is free again.
    for _ in 0..15 {
        let reply = posts.join_next().await.unwrap().unwrap();
        assert_eq!((reply.status, &reply.body), (503, &overloaded()));
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    assert_eq!(posts.len(), 5);
    drop(holder);
    let statuses: Vec<u16> = posts.join_all().await.iter().map(|r| r.status).collect();
    let served = statuses.iter().filter(|status| **status == 201).count();
    // One place in the queue may have been that of the note that the key was used.
    assert!(served >= 4, "{statuses:?}");
    assert_eq!(app.list("").await.body["pagination"]["total"], served);
}

#[tokio::test]
async fn a_lock_that_somebody_holds_ends_in_503_and_readers_go_on() {
    let (app, _serve, tenant) = strained(&[("CLIENTELE_LOCK_TIMEOUT", "100ms")]).await;
    let id = app.create(json!({"first_name": "Ada"})).await;
    let holder = hold(&app).await;
    let writing = tenant.post(json!({"id": id, "first_name": "Eve"})).await;
    assert_eq!((writing.status, &writing.body), (503, &overloaded()));
    assert_eq!(tenant.get(&id).await.body["data"]["first_name"], "Ada");
    drop(holder);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_ends_in_503() {
    let (app, _serve, tenant) = strained(&[("CLIENTELE_STATEMENT_TIMEOUT", "100ms")]).await;
    app.sql(
        "create function dawdle() returns trigger language plpgsql as
            $$ begin perform pg_sleep(60); return new; end $$;
        create trigger dawdle before insert on customers for each row execute function dawdle()",
    )
    .await;
    let reply = tenant.post(json!({})).await;
    assert_eq!((reply.status, &reply.body), (503, &overloaded()));
    assert_eq!(tenant.list("").await.body["pagination"]["total"], 0);
}

/// Sends the beginning of a request, and reads what comes of it.
fn half(tenant: &Tenant, sent: &str) -> String {
    let address = tenant.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    let sent = sent.replace("{key}", &tenant.key);
    stream.write_all(sent.as_bytes()).expect("what is sent");
    let mut reply = Vec::new();
    // It may be cut off where more was to come.
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

const HALF_A_BODY: &str = "POST /customers HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n\
    rotor-api-version: 1.1.0\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n\
    {\"first_name\": ";

#[tokio::test]
async fn half_a_body_is_waited_for_for_a_while() {
    let (app, _serve, tenant) = strained(&[("CLIENTELE_BODY_TIMEOUT", "100ms")]).await;
    let waiting = tenant.clone();
    let reply = tokio::task::spawn_blocking(move || half(&waiting, HALF_A_BODY));
    let reply = reply.await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
    assert!(
        reply.ends_with(r#"{"status":"error","message":"The request body took too long"}"#),
        "{reply}"
    );
    assert_eq!(app.list("").await.body["pagination"]["total"], 0);
}

#[tokio::test]
async fn half_a_head_is_waited_for_for_a_while() {
    let (_app, _serve, tenant) = strained(&[("CLIENTELE_HEADER_TIMEOUT", "100ms")]).await;
    let reply = tokio::task::spawn_blocking(move || half(&tenant, "GET /customers HTTP/1.1\r\nho"));
    let reply = reply.await.unwrap();
    assert!(
        reply.is_empty() || reply.starts_with("HTTP/1.1 408 "),
        "{reply}"
    );
}

#[tokio::test]
async fn idle_connections_and_half_sent_requests_starve_nobody() {
    let (_app, _serve, tenant) = strained(&[]).await;
    let address = tenant.base.trim_start_matches("http://").to_owned();
    let opened: Vec<TcpStream> = (0..500)
        .map(|n| {
            let mut stream = TcpStream::connect(&address).expect("a connection");
            let sent = match n % 3 {
                0 => String::new(),
                1 => "GET /customers HT".to_owned(),
                _ => HALF_A_BODY.replace("{key}", &tenant.key),
            };
            stream.write_all(sent.as_bytes()).expect("what is sent");
            stream
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(
            tenant.post(json!({"phone": "763-555-0100"})).await.status / 100,
            2
        );
        assert_eq!(tenant.list("search=0100").await.status, 200);
    }
    drop(opened);
}

#[tokio::test]
async fn requests_sent_without_waiting_for_replies_are_answered_in_their_order() {
    const MANY: usize = 200;
    let (_app, _serve, tenant) = strained(&[]).await;
    // Half of them need no database, and could be answered before.
    let heads = (0..MANY).map(|n| {
        let path = if n % 2 == 0 {
            format!("/customers/{}", uuid::Uuid::now_v7())
        } else {
            "/nowhere".to_owned()
        };
        let connection = if n == MANY - 1 { "close" } else { "keep-alive" };
        format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\nrotor-api-version: 1.1.0\r\n\
            x-request-id: request-{n}\r\nconnection: {connection}\r\n\r\n",
            tenant.key
        )
    });
    let all: String = heads.collect();
    let address = tenant.base.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(all.as_bytes()).await.unwrap();
    let mut replies = vec![stream.read_u8().await.unwrap()];
    // Others are served meanwhile.
    assert_eq!(tenant.list("").await.status, 200);
    stream.read_to_end(&mut replies).await.unwrap();
    let replies = String::from_utf8(replies).unwrap();
    let statuses = replies.matches("HTTP/1.1 404 Not Found\r\n").count();
    assert_eq!(statuses, MANY, "{replies}");
    let ids = replies
        .lines()
        .filter_map(|line| line.strip_prefix("x-request-id: "));
    let sent: Vec<String> = (0..MANY).map(|n| format!("request-{n}")).collect();
    assert_eq!(ids.collect::<Vec<_>>(), sent);
}
