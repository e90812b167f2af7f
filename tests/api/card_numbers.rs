//! Card numbers are refused: never kept, never logged, never said again.

use std::fs::{self, File};

use serde_json::{Value, json};

use crate::support::app::{Tenant, send};
use crate::support::program::Serve;
use crate::support::{App, Reply};

/// Nobody's, and sent by no other test: whoever finds its parts has it from here.
const NUMBER: &str = "4539578763621486";
const WRITTEN: [&str; 6] = [
    NUMBER,
    "4539 5787 6362 1486",
    "4539-5787-6362-1486 12/28",
    "4539.5787.6362.1486",
    "４５３９ ５７８７ ６３６２ １４８６",
    "visa 4539578763621486, cvc 123",
];

async fn save(tenant: &Tenant, customer: &str, body: &Value) -> Reply {
    let path = format!("/customers/{customer}/payment-methods");
    tenant.post_to(&path, body.clone()).await
}

fn good() -> Value {
    json!({"provider": "stripe", "token": "pm_1"})
}

/// `good()` with `value` in `field`.
fn with(field: &str, value: Value) -> Value {
    let mut body = good();
    body[field] = value;
    body
}

/// Asserts that neither half of the number is in a text, however it is written there.
fn assert_free_of_it(text: &str) {
    let text = text.replace([' ', '.', '-'], "");
    for half in [
        "45395787",
        "63621486",
        "４５３９５７８７",
        "６３６２１４８６",
    ] {
        assert!(!text.contains(half), "{half} in {text}");
    }
}

#[tokio::test]
async fn a_card_number_is_refused_in_every_field_and_every_form() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    let number: u64 = NUMBER.parse().expect("a number");
    for field in [
        "provider",
        "token",
        "brand",
        "last4",
        "exp_month",
        "exp_year",
        "number",
        "x",
    ] {
        let mut values: Vec<Value> = WRITTEN.iter().map(|text| json!(text)).collect();
        values.extend([
            json!(number),
            json!(4_539_578_763_621_486.0),
            json!([1, [number]]),
            json!({"card": {"number": NUMBER}}),
            json!({"a": [{"b": "4539 5787 6362 1486"}]}),
            json!({NUMBER: 1}),
        ]);
        for value in values {
            let reply = save(&app, &customer, &with(field, value.clone())).await;
            assert_eq!(reply.bad_fields(), [field], "{value}");
            assert_free_of_it(&reply.body.to_string());
            assert_free_of_it(&format!("{:?}", reply.headers));
        }
    }
    // Even where the name of the field is one.
    let reply = save(&app, &customer, &with(NUMBER, json!(NUMBER))).await;
    assert_eq!(reply.status, 400);
    assert_free_of_it(&reply.body.to_string());
    let kept: Vec<i64> = app.column("select count(*) from payment_methods").await;
    assert_eq!(kept, [0]);
}

#[tokio::test]
async fn it_is_named_among_the_other_bad_fields_in_their_order() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    let body = json!({
        "a": NUMBER, "provider": "x".repeat(256), "token": NUMBER, "exp_month": 13, "z": NUMBER,
    });
    assert_eq!(
        save(&app, &customer, &body).await.bad_fields(),
        ["provider", "token", "exp_month", "a", "z"]
    );
}

#[tokio::test]
async fn what_is_no_card_number_is_welcome() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    for body in [
        with("token", json!("4539578763621487")),
        with("token", json!("tok_1N3T00LkdIwHu7ix0snN0B5X")),
        with("phone", json!("+1 763-555-0177")),
        with("amounts", json!([4539, 5787, 6362, 1486])),
        json!({"provider": "p", "token": "t", "last4": "1486", "exp_month": 12, "exp_year": 2028}),
    ] {
        let reply = save(&app, &customer, &body).await;
        assert!(matches!(reply.status, 200 | 201), "{body}: {}", reply.body);
    }
}

#[tokio::test]
async fn it_is_in_neither_the_log_nor_the_database() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("log");
    let settings = [
        ("DATABASE_URL", app.database_url.as_str()),
        ("RUST_LOG", "trace"),
    ];
    let mut serve = Serve::start_logging_to(&settings, File::create(&log).expect("a log"));
    let mut tenant: Tenant = (*app).clone();
    let base = serve
        .curl
        .split_whitespace()
        .find(|word| word.starts_with("http"));
    let base = base.and_then(|url| url.strip_suffix("/health/ready"));
    base.expect("an address").clone_into(&mut tenant.base);

    for written in WRITTEN {
        for field in ["token", "brand", "note"] {
            let reply = save(&tenant, &customer, &with(field, json!(written))).await;
            assert_eq!(reply.bad_fields(), [field]);
        }
    }
    let path = format!("/customers/{customer}/payment-methods");
    let broken = tenant.request(reqwest::Method::POST, &path);
    let broken = broken.header("content-type", "application/json");
    let broken = broken.body(format!("{{\"token\": {NUMBER}x}}"));
    let reply = send(broken).await;
    assert_eq!(reply.status, 400);
    assert_free_of_it(&reply.body.to_string());
    assert_eq!(save(&tenant, &customer, &good()).await.status, 201);
    assert_eq!(serve.stop(), Some(0));

    let log = fs::read_to_string(&log).expect("the log");
    assert!(log.contains(&path), "{log}");
    assert_free_of_it(&log);
    let kept: Vec<String> = app
        .column("select c::text from customers c union all select p::text from payment_methods p")
        .await;
    assert_eq!(kept.len(), 2);
    for row in kept {
        assert_free_of_it(&row);
    }
}
