//! Errors are JSON, whatever went wrong, and tell the client nothing that is not its business.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Server, send};
use crate::support::postgres::Database;
use crate::support::{App, Reply, bodies};

const BODY_LIMIT: usize = 256 * 1024;

/// An error in the documented shape, with this status and nothing beyond status and message.
fn assert_plain_error(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.header("x-request-id").is_some());
    let message = reply.body["message"].clone();
    assert!(
        message.as_str().is_some_and(|text| !text.is_empty()),
        "{}",
        reply.body
    );
    assert_eq!(reply.body, json!({"status": "error", "message": message}));
}

/// A JSON object of exactly so many bytes.
fn object_of(bytes: usize) -> String {
    let frame = r#"{"ignored":""}"#.len();
    format!(r#"{{"ignored":"{}"}}"#, "x".repeat(bytes - frame))
}

#[tokio::test]
async fn json_that_cannot_be_read_is_a_bad_request() {
    let app = App::start().await;
    for body in [
        "",
        " ",
        "{",
        "{\"first_name\":}",
        "first_name=Jane",
        "{} {}",
        "{'a':1}",
        "{\"a\":NaN}",
    ] {
        assert_plain_error(&app.post_raw("application/json", body).await, 400);
    }
    let not_utf8 = b"{\"first_name\":\"\xff\"}".to_vec();
    assert_plain_error(&app.post_raw("application/json", not_utf8).await, 400);
    let deep = "[".repeat(100_000);
    assert_plain_error(&app.post_raw("application/json", deep).await, 400);
}

#[tokio::test]
async fn json_that_is_no_object_is_a_bad_request() {
    let app = App::start().await;
    for body in ["[]", "[{}]", "null", "7", "true", "\"text\""] {
        assert_plain_error(&app.post_raw("application/json", body).await, 400);
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_by_its_own_word_is_not_read() {
    let app = App::start().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "nonsense",
    ] {
        assert_plain_error(&app.post_raw(content_type, "{}").await, 415);
    }
    let untyped = app.request(Method::POST, "/customers").body("{}");
    assert_plain_error(&send(untyped).await, 415);
}

#[tokio::test]
async fn a_body_of_256_kib_is_read_and_not_a_byte_more() {
    let app = App::start().await;
    let most = app
        .post_raw("application/json", object_of(BODY_LIMIT))
        .await;
    assert_eq!(most.status, 201);
    let more = app
        .post_raw("application/json", object_of(BODY_LIMIT + 1))
        .await;
    assert_plain_error(&more, 413);
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_limited_too() {
    let app = App::start().await;
    let address = app.base.strip_prefix("http://").expect("a base").to_owned();
    let key = app.key.clone();
    let reply = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        write!(
            stream,
            "POST /customers HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\nrotor-api-version: 1.1.0\r\n\
            content-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        .expect("a head sent");
        let body = object_of(BODY_LIMIT + 1);
        // The server may hang up before it has seen all of it.
        let _ = write!(stream, "{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    })
    .await
    .expect("a reply");
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    assert!(reply.contains(r#""status":"error""#), "{reply}");
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let app = App::start().await;
    for path in [
        "/customer",
        "/customers/1/notes",
        "/open-api",
        "/open-api/nothing",
        "/%00",
        "/..%2f",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let reply = send(app.request(method, path)).await;
            assert_eq!(
                (reply.status, reply.body),
                (404, bodies::not_found()),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_is_refused_with_those_that_are() {
    let app = App::start().await;
    let about = |path: &str| format!("/customers/0190b6c2-7b1e-7c50-8000-000000000000{path}");
    for prefix in ["", "/open-api"] {
        for (path, allowed) in [
            ("/customers", vec!["GET", "POST"]),
            (about("").as_str(), vec!["DELETE", "GET"]),
            (&about("/archive"), vec!["POST"]),
            (&about("/restore"), vec!["POST"]),
            (&about("/export"), vec!["GET"]),
            (&about("/tags"), vec!["POST"]),
            (&about("/payment-methods"), vec!["GET", "POST"]),
            (&about("/payment-methods/7"), vec!["DELETE"]),
            ("/auth/test", vec!["GET"]),
        ] {
            let others = [
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
                Method::POST,
                Method::GET,
            ];
            let others = others
                .iter()
                .filter(|method| !allowed.contains(&method.as_str()));
            for method in others.cloned() {
                let reply = send(app.request(method, &format!("{prefix}{path}"))).await;
                assert_plain_error(&reply, 405);
                let allow = reply.header("allow").expect("an allow header");
                let mut methods: Vec<&str> = allow.split(',').map(str::trim).collect();
                // HEAD may be there wherever GET is.
                methods.retain(|method| *method != "HEAD");
                methods.sort_unstable();
                assert_eq!(methods, allowed, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn the_cause_of_an_internal_error_stays_inside() {
    let app = App::start().await;
    let id = app.create(json!({"phone": "763-555-0101"})).await;
    app.sql("alter table customers rename column notes to sabotaged")
        .await;
    for reply in [
        app.post(json!({"first_name": "Jane"})).await,
        app.post(json!({"phone": "763-555-0101"})).await,
        app.post(json!({"id": id})).await,
        app.list("").await,
        app.list("search=jane").await,
        app.get(&id).await,
    ] {
        assert_eq!((reply.status, &reply.body), (500, &bodies::internal()));
        assert!(
            reply
                .header("x-request-id")
                .is_some_and(|id| !id.is_empty())
        );
        let headers = format!("{:?}", reply.headers);
        assert!(
            !headers.contains("notes") && !headers.contains("column"),
            "{headers}"
        );
    }
    // Nothing of it lasts.
    app.sql("alter table customers rename column sabotaged to notes")
        .await;
    assert_eq!(app.get(&id).await.status, 200);
    assert_eq!(app.list("").await.body["pagination"]["total"], 1);
    assert_eq!(
        app.post(json!({"phone": "763-555-0101", "notes": "x"}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_overload_and_not_an_error_of_ours() {
    let app = App::start().await;
    let server = Server::start("postgres://clientele@localhost/x?host=/nowhere&port=5432");
    let reply = app.on(&server).list("").await;
    assert_plain_error(&reply, 503);
    let retry_after: u64 = reply
        .header("retry-after")
        .expect("retry-after")
        .parse()
        .expect("seconds");
    assert!(retry_after > 0);
}

#[tokio::test]
async fn a_database_without_its_tables_is_an_internal_error_without_a_cause() {
    let app = App::start().await;
    let empty = Database::create_empty().await;
    let server = Server::start(empty.url());
    let reply = app.on(&server).list("").await;
    assert_eq!((reply.status, reply.body), (500, bodies::internal()));
}

#[tokio::test]
async fn a_sane_request_id_comes_back() {
    let app = App::start().await;
    for id in ["abc-123", "0190b6c2-7b1e-7c50-8000-000000000000", "A_b.c"] {
        for request in [
            app.request(Method::GET, "/customers"),
            app.request(Method::GET, "/nowhere"),
            app.bare(Method::POST, "/customers"),
        ] {
            let reply = send(request.header("x-request-id", id)).await;
            assert_eq!(reply.header("x-request-id"), Some(id));
        }
    }
}

#[tokio::test]
async fn any_other_request_id_is_replaced() {
    let app = App::start().await;
    for id in [
        "",
        "two words",
        "a\tb",
        "<script>",
        "\"quoted\"",
        &"x".repeat(1000),
    ] {
        let reply = send(
            app.request(Method::GET, "/customers")
                .header("x-request-id", id),
        )
        .await;
        let given = reply.header("x-request-id").expect("an id");
        assert!(given != id && !given.is_empty(), "{given}");
    }
}

#[tokio::test]
async fn every_reply_has_a_request_id_of_its_own() {
    let app = App::start().await;
    let mut ids = HashSet::new();
    let mut note = |reply: Reply| {
        let id = reply.header("x-request-id").expect("an id").to_owned();
        assert!(!id.is_empty() && ids.insert(id), "{:?}", reply.headers);
    };
    note(app.list("").await);
    note(app.post(json!({})).await);
    note(app.post(json!({"email": "x"})).await);
    note(app.post_raw("text/plain", "x").await);
    note(
        app.post_raw("application/json", object_of(BODY_LIMIT + 1))
            .await,
    );
    note(app.get("nobody").await);
    note(app.fetch("/nowhere").await);
    note(send(app.request(Method::DELETE, "/customers")).await);
    note(send(app.bare(Method::GET, "/customers")).await);
    note(app.auth_test().await);
}

#[tokio::test]
async fn errors_are_the_same_under_open_api() {
    let app = App::start().await;
    let bad: Value = json!({"email": "x", "status": "y"});
    let root = app.post_to("/customers", bad.clone()).await;
    let prefixed = app.post_to("/open-api/customers", bad).await;
    assert_eq!((root.status, root.body), (prefixed.status, prefixed.body));
}
