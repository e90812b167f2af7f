//! Who may call: keys, scopes, and the call that tells about both.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clientele::domain::key::{NewKey, Scope};
use reqwest::Method;
use serde_json::json;

use crate::support::app::{VERSION, send, with_scopes};
use crate::support::{App, Reply, bodies};

/// Every call, about the customer `id`, and the scope that it needs.
fn every_call(id: &str) -> Vec<(Method, String, Option<Scope>)> {
    let read = Some(Scope::CustomersRead);
    let write = Some(Scope::CustomersWrite);
    let pay = Some(Scope::PaymentMethodsWrite);
    let about = |path: &str| format!("/customers/{id}{path}");
    vec![
        (Method::GET, "/customers".to_owned(), read),
        (Method::POST, "/customers".to_owned(), write),
        (Method::GET, about(""), read),
        (Method::DELETE, about(""), Some(Scope::CustomersDelete)),
        (Method::POST, about("/archive"), write),
        (Method::POST, about("/restore"), write),
        (Method::GET, about("/export"), read),
        (Method::POST, about("/tags"), write),
        (Method::GET, about("/payment-methods"), read),
        (Method::POST, about("/payment-methods"), pay),
        (
            Method::DELETE,
            about("/payment-methods/0190b6c2-7b1e-7c50-8000-000000000000"),
            pay,
        ),
        (Method::GET, "/auth/test".to_owned(), None),
    ]
}

async fn call_with(app: &App, key: impl AsRef<[u8]>) -> Reply {
    let request = app.bare(Method::GET, "/customers");
    send(
        request
            .header("x-api-key", key.as_ref())
            .header("rotor-api-version", VERSION),
    )
    .await
}

fn assert_unauthenticated(reply: &Reply) {
    assert_eq!(
        (reply.status, &reply.body),
        (401, &bodies::unauthenticated())
    );
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn the_auth_test_tells_who_the_caller_is() {
    let app = App::start().await;
    let reply = app.auth_test().await;
    assert_eq!(reply.status, 200);
    let mut body = reply.body;
    let fields = body.as_object_mut().expect("an object");
    let timestamp = fields.remove("timestamp").expect("a timestamp");
    let timestamp = timestamp
        .as_str()
        .expect("a string")
        .parse::<DateTime<Utc>>();
    assert!((Utc::now() - timestamp.expect("RFC 3339")).abs() < TimeDelta::minutes(1));
    let message = fields.remove("message").expect("a message");
    assert!(!message.as_str().expect("a string").is_empty());
    assert_eq!(
        body,
        json!({
            "status": "success",
            "authenticated": true,
            "company_id": app.company.to_string(),
            "user_id": null,
            "auth_method": "api_key",
            "scopes": [
                "customers:read", "customers:write", "customers:delete", "payment-methods:write",
            ],
            "rotor_api_version": "1.1.0",
        })
    );
}

#[tokio::test]
async fn the_auth_test_needs_no_scope() {
    let app = App::start().await;
    let key = app.key(with_scopes(&[])).await;
    let reply = app.with_key(&key).auth_test().await;
    assert_eq!((reply.status, &reply.body["scopes"]), (200, &json!([])));
}

#[tokio::test]
async fn each_company_is_told_its_own_id() {
    let app = App::start().await;
    let other = app.other_company().await;
    assert_ne!(app.company, other.company);
    assert_eq!(
        other.auth_test().await.body["company_id"],
        other.company.to_string()
    );
}

#[tokio::test]
async fn a_call_without_a_key_is_refused_everywhere() {
    let app = App::start().await;
    for (method, path, _) in every_call("0190b6c2-7b1e-7c50-8000-000000000000") {
        for prefix in ["", "/open-api"] {
            let request = app.bare(method.clone(), &format!("{prefix}{path}"));
            assert_unauthenticated(&send(request.header("rotor-api-version", VERSION)).await);
        }
    }
}

#[tokio::test]
async fn what_has_not_the_form_of_a_key_is_refused() {
    let app = App::start().await;
    let good = app.key.clone();
    for key in [
        String::new(),
        "clientele".to_owned(),
        "clientele__".to_owned(),
        "clientele_' or 1=1 --_x".to_owned(),
        good.to_uppercase(),
        good[1..].to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}0"),
        format!("Bearer {good}"),
        "x".repeat(4000),
    ] {
        assert_unauthenticated(&call_with(&app, &key).await);
    }
    assert_unauthenticated(&call_with(&app, b"clientele_\xff\xfe").await);
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let app = App::start().await;
    let key = format!("clientele_{}_{}", "0".repeat(16), "0".repeat(40));
    assert_unauthenticated(&call_with(&app, &key).await);
}

#[tokio::test]
async fn the_right_id_with_the_secret_of_another_key_is_refused() {
    let app = App::start().await;
    let other = app.key(with_scopes(&Scope::ALL)).await;
    let (id, _) = app.key.rsplit_once('_').expect("a key");
    let (_, secret) = other.rsplit_once('_').expect("a key");
    let mixed = format!("{id}_{secret}");
    // Refused before the key is known to the server, and after.
    assert_unauthenticated(&call_with(&app, &mixed).await);
    assert_eq!(app.list("").await.status, 200);
    assert_unauthenticated(&call_with(&app, &mixed).await);
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let app = App::start().await;
    let ending = |expires_at| NewKey {
        expires_at: Some(expires_at),
        ..with_scopes(&Scope::ALL)
    };
    let expired = app.key(ending(Utc::now() - TimeDelta::seconds(1))).await;
    assert_unauthenticated(&call_with(&app, &expired).await);
    let valid = app.key(ending(Utc::now() + TimeDelta::hours(1))).await;
    assert_eq!(call_with(&app, &valid).await.status, 200);
}

#[tokio::test]
async fn a_revoked_key_stops_within_a_second_on_every_server() {
    let app = App::start().await;
    let second = app.second_server();
    let key = app.key(with_scopes(&Scope::ALL)).await;
    let here = app.with_key(&key);
    let there = here.on(&second);
    assert_eq!(
        (here.list("").await.status, there.list("").await.status),
        (200, 200)
    );

    app.revoke(&key).await;
    // The promise is of a second from here on, however often the key is tried meanwhile.
    for _ in 0..10 {
        here.list("").await;
        there.list("").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_unauthenticated(&here.list("").await);
    assert_unauthenticated(&there.list("").await);
    assert_eq!(app.list("").await.status, 200, "other keys go on");
}

#[tokio::test]
async fn a_key_revoked_before_its_first_use_never_works() {
    let app = App::start().await;
    let key = app.key(with_scopes(&Scope::ALL)).await;
    app.revoke(&key).await;
    assert_unauthenticated(&call_with(&app, &key).await);
}

#[tokio::test]
async fn reading_needs_the_scope_to_read() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    let key = app.key(with_scopes(&[Scope::CustomersWrite])).await;
    let writer = app.with_key(&key);
    assert_eq!(writer.post(json!({})).await.status, 201);
    for reply in [
        writer.list("").await,
        writer.get(&id).await,
        writer.get("nobody").await,
    ] {
        assert_eq!(
            (reply.status, reply.body),
            (403, bodies::forbidden("customers:read"))
        );
    }
}

#[tokio::test]
async fn writing_needs_the_scope_to_write() {
    let app = App::start().await;
    let key = app.key(with_scopes(&[Scope::CustomersRead])).await;
    let reader = app.with_key(&key);
    assert_eq!(reader.list("").await.status, 200);
    for path in ["/customers", "/open-api/customers"] {
        let reply = reader.post_to(path, json!({})).await;
        assert_eq!(
            (reply.status, reply.body),
            (403, bodies::forbidden("customers:write"))
        );
    }
    assert_eq!(app.list("").await.body["pagination"]["total"], 0);
}

#[tokio::test]
async fn each_call_needs_its_scope_and_no_other() {
    let app = App::start().await;
    let id = app.create(json!({"first_name": "Jane"})).await;
    for scope in Scope::ALL {
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|s| *s != scope).collect();
        let without = app.with_key(&app.key(with_scopes(&others)).await);
        let with = app.with_key(&app.key(with_scopes(&[scope])).await);
        let needing = every_call(&id)
            .into_iter()
            .filter(|(.., needed)| *needed == Some(scope));
        for (method, path, _) in needing {
            for prefix in ["", "/open-api"] {
                let path = format!("{prefix}{path}");
                // Scopes are checked before anything of the request: no body is needed to tell.
                let reply = send(without.request(method.clone(), &path)).await;
                let forbidden = bodies::forbidden(scope.as_str());
                assert_eq!((reply.status, reply.body), (403, forbidden), "{path}");
            }
            let reply = send(with.request(method.clone(), &path)).await;
            assert!(![401, 403].contains(&reply.status), "{method} {path}");
        }
    }
}
