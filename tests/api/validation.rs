//! Values that cannot be accepted.

use serde_json::{Value, json};

use crate::support::{App, bodies};

/// Every documented field, in documented order.
const FIELDS: [&str; 25] = [
    "id",
    "first_name",
    "last_name",
    "company_name",
    "email",
    "phone",
    "notes",
    "source",
    "status",
    "tags",
    "service_type",
    "service_frequency",
    "billing_street1",
    "billing_street2",
    "billing_city",
    "billing_state",
    "billing_zip",
    "billing_country",
    "billing_same_as_property",
    "property_street1",
    "property_street2",
    "property_city",
    "property_state",
    "property_zip",
    "property_country",
];

/// The fields of free text of at most 255 characters.
fn short_texts() -> impl Iterator<Item = &'static str> {
    let others = [
        "id",
        "email",
        "phone",
        "notes",
        "status",
        "tags",
        "billing_same_as_property",
    ];
    FIELDS
        .into_iter()
        .filter(move |field| !others.contains(field))
}

/// The JSON text of an object with its members in this order, which `json!` would not keep.
fn in_order(members: &[(&str, Value)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name)))
        .collect();
    format!("{{{}}}", members.join(","))
}

async fn refused(app: &App, body: Value) -> Vec<String> {
    let reply = app.post(body).await;
    reply.bad_fields()
}

#[tokio::test]
async fn a_bad_email_is_refused_in_the_documented_words() {
    let app = App::start().await;
    for email in [
        "jane",
        "jane@",
        "@example.com",
        "jane@example",
        "a b@example.com",
        "a@b@example.com",
    ] {
        let reply = app.post(json!({"email": email})).await;
        assert_eq!(
            (reply.status, reply.body),
            (400, bodies::invalid(&[("email", "Invalid email format")])),
            "{email}"
        );
    }
    assert_eq!(app.list("").await.body["pagination"]["total"], 0);
}

#[tokio::test]
async fn every_bad_field_is_reported_at_once_in_documented_order() {
    let app = App::start().await;
    // A number is right for none of them.
    let body: Vec<(&str, Value)> = FIELDS.iter().map(|field| (*field, json!(7))).collect();
    let reply = app.post_raw("application/json", in_order(&body)).await;
    assert_eq!(reply.bad_fields(), FIELDS);
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_an_error_of_its_field() {
    let app = App::start().await;
    for field in FIELDS {
        for wrong in [json!(7), json!(1.5), json!({}), json!({"a": "b"})] {
            assert_eq!(
                refused(&app, json!({field: wrong})).await,
                [field],
                "{wrong}"
            );
        }
        if field != "tags" {
            assert_eq!(refused(&app, json!({field: ["x"]})).await, [field]);
        }
        if field != "billing_same_as_property" {
            assert_eq!(refused(&app, json!({field: true})).await, [field]);
        }
    }
    for wrong in [json!("a,b"), json!([1]), json!(["a", null]), json!([["a"]])] {
        assert_eq!(refused(&app, json!({"tags": wrong})).await, ["tags"]);
    }
    assert_eq!(
        refused(&app, json!({"billing_same_as_property": "yes"})).await,
        ["billing_same_as_property"]
    );
}

#[tokio::test]
async fn a_field_is_reported_once() {
    let app = App::start().await;
    let long = "x".repeat(101);
    assert_eq!(
        refused(&app, json!({"tags": [long, long, 7, "\0"]})).await,
        ["tags"]
    );
    assert_eq!(
        refused(&app, json!({"email": "\0".repeat(300)})).await,
        ["email"]
    );
}

#[tokio::test]
async fn texts_hold_255_characters_and_no_more() {
    let app = App::start().await;
    for field in short_texts() {
        // Characters, not bytes; and the spaces around are not counted.
        let most = "é".repeat(255);
        let reply = app.post(json!({field: format!("  {most} ")})).await;
        assert_eq!(
            (reply.status, &reply.body[field]),
            (201, &json!(most)),
            "{field}"
        );
        assert_eq!(
            refused(&app, json!({field: "e".repeat(256)})).await,
            [field]
        );
    }
    assert_eq!(
        refused(&app, json!({"phone": "1".repeat(256)})).await,
        ["phone"]
    );
    let email = format!("jane@{}.com", "example.".repeat(32));
    assert_eq!(refused(&app, json!({"email": email})).await, ["email"]);
}

#[tokio::test]
async fn notes_hold_10000_characters_and_no_more() {
    let app = App::start().await;
    let most = "ñ".repeat(10_000);
    let id = app.create(json!({"notes": most})).await;
    assert_eq!(app.get(&id).await.body["data"]["notes"], json!(most));
    assert_eq!(
        refused(&app, json!({"notes": "n".repeat(10_001)})).await,
        ["notes"]
    );
}

#[tokio::test]
async fn a_tag_holds_100_characters_and_no_more() {
    let app = App::start().await;
    let reply = app.post(json!({"tags": ["t".repeat(100)]})).await;
    assert_eq!(reply.status, 201);
    assert_eq!(
        refused(&app, json!({"tags": ["ok", "t".repeat(101)]})).await,
        ["tags"]
    );
}

#[tokio::test]
async fn a_nul_is_refused_in_every_text() {
    let app = App::start().await;
    let texts = short_texts().chain(["email", "phone", "notes", "status"]);
    for field in texts {
        assert_eq!(
            refused(&app, json!({field: "1a\0b@example.com"})).await,
            [field]
        );
    }
    assert_eq!(refused(&app, json!({"tags": ["a\0b"]})).await, ["tags"]);
    assert_eq!(app.list("search=a%00b").await.bad_fields(), ["search"]);
    assert_eq!(app.list("tags=a%00b").await.bad_fields(), ["tags"]);
}

#[tokio::test]
async fn a_phone_without_a_digit_is_refused() {
    let app = App::start().await;
    for phone in ["none", "-", "call me", "+()"] {
        assert_eq!(
            refused(&app, json!({"phone": phone})).await,
            ["phone"],
            "{phone}"
        );
    }
}

#[tokio::test]
async fn a_status_is_active_or_inactive() {
    let app = App::start().await;
    for status in ["active", "inactive"] {
        let reply = app.post(json!({"status": status})).await;
        assert_eq!((reply.status, &reply.body["status"]), (201, &json!(status)));
    }
    for status in ["Active", "archived", "1"] {
        assert_eq!(
            refused(&app, json!({"status": status})).await,
            ["status"],
            "{status}"
        );
    }
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_refused() {
    let app = App::start().await;
    for id in ["7", "not-a-uuid", "00000000-0000-0000-0000-00000000000g"] {
        assert_eq!(refused(&app, json!({"id": id})).await, ["id"], "{id}");
    }
}

#[tokio::test]
async fn one_bad_field_keeps_the_good_ones_out() {
    let app = App::start().await;
    let id = app
        .create(json!({"first_name": "Jane", "phone": "763-555-0101"}))
        .await;
    for by in [json!({"id": id}), json!({"phone": "763-555-0101"})] {
        let mut change = by;
        change["first_name"] = json!("Joe");
        change["email"] = json!("nonsense");
        assert_eq!(refused(&app, change).await, ["email"]);
    }
    assert_eq!(app.get(&id).await.body["data"]["first_name"], "Jane");
    assert_eq!(app.list("").await.body["pagination"]["total"], 1);
}
