//! What the log and errors never tell.

use std::fs::File;

use clientele::domain::key::Scope;
use reqwest::Method;
use serde_json::json;

use crate::support::app::{send, with_scopes};
use crate::support::program::{Serve, complaint};
use crate::support::{App, Reply};

/// In every value that is personal or secret.
const MARK: &str = "hannah";
/// Digits that are in every phone and card.
const DIGITS: &str = "5550199";

fn tells(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains(MARK) || text.contains(DIGITS)
}

#[tokio::test]
async fn the_log_of_all_kinds_of_requests_names_nobody_and_no_secret() {
    let app = App::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    for format in ["pretty", "json"] {
        let path = dir.path().join(format);
        let log = File::create(&path).expect("a file");
        let mut serve = Serve::start_logging_to(
            &[
                ("DATABASE_URL", &app.database_url),
                ("RUST_LOG", "debug,clientele=trace"),
                ("CLIENTELE_LOG_FORMAT", format),
                ("CLIENTELE_LOCK_TIMEOUT", "50ms"),
            ],
            log,
        );
        let tenant = app.at(&serve.base());
        let person = json!({
            "first_name": "Hannah", "email": "hannah@example.com", "phone": "+1 763 5550199",
            "notes": "about Hannah", "tags": ["hannahs"], "property_street1": "1 Hannah Road",
        });
        let id = tenant.post(person.clone()).await.id();
        let about = |path: &str| format!("/customers/{id}{path}");
        let card = json!({"provider": "stripe", "token": "tok_hannah", "last4": "4242"});
        let mut replies: Vec<Reply> = Vec::new();
        for path in [
            "/customers?search=hannah",
            "/customers?tags=hannahs&cursor=hannah",
            "/customers?created_after=hannah",
            "/customers/hannah@example.com",
            "/hannah/7635550199",
        ] {
            replies.push(tenant.fetch(path).await);
        }
        replies.push(
            tenant
                .post_to("/customers/batch", json!({"customers": [person]}))
                .await,
        );
        replies.push(
            tenant
                .post(json!({"email": "hannah", "status": "hannah"}))
                .await,
        );
        replies.push(
            tenant
                .post_raw("application/json", "{\"hannah\": hannah}")
                .await,
        );
        replies.push(tenant.post_to(&about("/payment-methods"), card).await);
        replies.push(
            tenant
                .post_to(
                    &about("/payment-methods"),
                    json!({"provider": "stripe", "token": "4242424242424242", "hannah": 1}),
                )
                .await,
        );
        replies.push(
            tenant
                .post_to(&about("/tags"), json!({"add": ["hannah2"]}))
                .await,
        );
        replies.push(tenant.with_key("clientele_hannah_hannah").auth_test().await);
        let keyed = tenant.request(Method::POST, "/customers");
        let keyed = keyed.header("idempotency-key", format!("hannah {format}"));
        replies.push(send(keyed.json(&json!({"last_name": "Hannah"}))).await);

        // What the database says when it refuses, and when somebody holds what is wanted.
        app.sql("alter table customers add constraint strict check (notes <> 'Hannah!')")
            .await;
        let refused = tenant.post(json!({"notes": "Hannah!"})).await;
        assert_eq!(refused.status, 500);
        assert!(!tells(&refused.body.to_string()), "{}", refused.body);
        app.sql("alter table customers drop constraint strict")
            .await;
        assert_eq!(serve.stop(), Some(0));

        let log = std::fs::read_to_string(&path).expect("the log");
        for reply in &replies {
            let id = reply.header("x-request-id").expect("an id");
            assert!(
                log.contains(id),
                "{format}: {} {}",
                reply.status,
                reply.body
            );
        }
        for line in log.lines() {
            assert!(!tells(line), "{line}");
            assert!(!line.contains(&app.key), "{line}");
        }
        app.sql("delete from customers").await;
    }
}

#[tokio::test]
async fn the_password_of_the_database_is_in_no_complaint() {
    for url in [
        "postgres://clientele:hannah@127.0.0.1:1/clientele",
        "postgres://clientele:hannah@[::bad/clientele",
        "mysql://clientele:hannah@127.0.0.1/clientele",
    ] {
        let complaint = complaint(&[("DATABASE_URL", url)], &["company", "list"]);
        assert!(!tells(&complaint), "{complaint}");
    }
}

#[tokio::test]
async fn a_keys_secret_is_nowhere_in_the_database() {
    let app = App::start().await;
    let key = app.key(with_scopes(&Scope::ALL)).await;
    let secret = key.rsplit('_').next().expect("a secret").to_owned();
    let rows: Vec<String> = app.column("select api_keys::text from api_keys").await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| !row.contains(&secret)));
}
