//! Key, version, daily limit, scope, and only then the request itself: each call below is wrong in
//! several ways, and the first of them is what the caller hears.

use std::num::NonZeroU32;

use clientele::domain::key::{NewKey, Scope};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::app::{VERSION, send, with_scopes};
use crate::support::{App, Reply, bodies};

const PREFIXES: [&str; 2] = ["", "/open-api"];

/// Posts that are wrong by themselves.
fn bad_posts(app: &App, prefix: &str) -> Vec<RequestBuilder> {
    let post = || app.bare(Method::POST, &format!("{prefix}/customers"));
    let json = |body: String| post().header("content-type", "application/json").body(body);
    vec![
        json(r#"{"email":"nonsense"}"#.to_owned()),
        json("{".to_owned()),
        json(String::new()),
        post().header("content-type", "text/plain").body("x"),
        json(format!("{{\"x\":\"{}\"}}", "x".repeat(300_000))),
        json(format!(r#"{{"id":"{}"}}"#, uuid::Uuid::nil())),
    ]
}

/// Every kind of call that needs a key, some of them wrong by themselves.
fn calls(app: &App, prefix: &str) -> Vec<RequestBuilder> {
    let get = |path: &str| app.bare(Method::GET, &format!("{prefix}{path}"));
    let about =
        |method: Method, path: &str| app.bare(method, &format!("{prefix}/customers/nobody{path}"));
    let mut calls = bad_posts(app, prefix);
    calls.extend([
        get("/customers"),
        get("/customers?page=0&limit=x"),
        get("/customers/nobody"),
        about(Method::DELETE, ""),
        about(Method::POST, "/archive"),
        about(Method::POST, "/restore").body("x"),
        about(Method::GET, "/export"),
        about(Method::POST, "/tags").body("{"),
        about(Method::POST, "/tags").json(&json!({"add": 7})),
        about(Method::GET, "/payment-methods"),
        about(Method::POST, "/payment-methods").json(&json!({"token": "4242424242424242"})),
        about(Method::DELETE, "/payment-methods/none"),
        get("/auth/test"),
    ]);
    calls
}

fn unsupported(reply: &Reply) {
    assert_eq!(reply.status, 400, "{}", reply.body);
    let body = reply.body.as_object().expect("an object");
    let mut fields: Vec<&str> = body.keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["error_code", "message", "status"]);
    assert_eq!(body["status"], "error");
    assert_eq!(body["error_code"], "UNSUPPORTED_API_VERSION");
    assert!(
        body["message"]
            .as_str()
            .expect("a message")
            .contains("1.1.0")
    );
}

fn limited(limit: u32, scopes: &[Scope]) -> NewKey {
    NewKey {
        daily_limit: NonZeroU32::new(limit),
        ..with_scopes(scopes)
    }
}

#[tokio::test]
async fn a_missing_key_comes_before_everything_else() {
    let app = App::start().await;
    for prefix in PREFIXES {
        for call in calls(&app, prefix) {
            let reply = send(call).await;
            assert_eq!((reply.status, reply.body), (401, bodies::unauthenticated()));
        }
    }
}

#[tokio::test]
async fn the_version_comes_before_limit_scope_and_request() {
    let app = App::start().await;
    let key = app.key(limited(1, &[])).await;
    // The limit is used up, and no scope is there.
    assert_eq!(app.with_key(&key).auth_test().await.status, 200);
    for prefix in PREFIXES {
        for call in calls(&app, prefix) {
            unsupported(&send(call.header("x-api-key", &key)).await);
        }
    }
}

#[tokio::test]
async fn the_version_must_be_the_one_that_is_spoken_here() {
    let app = App::start().await;
    for version in ["1.0.0", "1.1", "1.1.00", "2.0.0", "", "v1.1.0", "latest"] {
        let call = app
            .bare(Method::GET, "/customers")
            .header("x-api-key", &app.key);
        unsupported(&send(call.header("rotor-api-version", version)).await);
    }
}

#[tokio::test]
async fn the_daily_limit_comes_before_scope_and_request() {
    let app = App::start().await;
    let key = app.key(limited(1, &[])).await;
    assert_eq!(app.with_key(&key).auth_test().await.status, 200);
    for prefix in PREFIXES {
        for call in calls(&app, prefix) {
            let call = call
                .header("x-api-key", &key)
                .header("rotor-api-version", VERSION);
            let reply = send(call).await;
            assert_eq!((reply.status, reply.body), (429, bodies::over_limit(1)));
        }
    }
}

#[tokio::test]
async fn the_scope_comes_before_the_request() {
    let app = App::start().await;
    let key = app.key(with_scopes(&[Scope::CustomersRead])).await;
    for prefix in PREFIXES {
        for call in bad_posts(&app, prefix) {
            let call = call
                .header("x-api-key", &key)
                .header("rotor-api-version", VERSION);
            let reply = send(call).await;
            assert_eq!(
                (reply.status, reply.body),
                (403, bodies::forbidden("customers:write"))
            );
        }
    }
    let key = app.key(with_scopes(&[Scope::CustomersWrite])).await;
    for path in ["/customers?page=0&limit=x", "/customers/nobody"] {
        let reply = app.with_key(&key).fetch(path).await;
        assert_eq!(
            (reply.status, reply.body),
            (403, bodies::forbidden("customers:read"))
        );
    }
}

#[tokio::test]
async fn every_bad_field_is_found_before_the_customer_is_looked_for() {
    let app = App::start().await;
    let body: Value = json!({"id": uuid::Uuid::nil(), "email": "nonsense"});
    assert_eq!(app.post(body).await.bad_fields(), ["email"]);
}
