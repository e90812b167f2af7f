//! Creating customers, and the reply that every upsert gives.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::app::send;
use crate::support::{App, Reply};

/// The reply to an upsert that knows of nothing but `given`, without what each customer has for
/// itself (`id`, `created_at`). A location is taken, but shown by list and get alone.
pub fn flat(message: &str, given: Value) -> Value {
    let mut body = json!({
        "first_name": null, "last_name": null, "company_name": null, "email": null, "phone": null,
        "notes": null, "source": null, "status": null, "tags": null,
        "service_type": null, "service_frequency": null,
        "billing_street1": null, "billing_street2": null, "billing_city": null,
        "billing_state": null, "billing_zip": null, "billing_country": null,
        "billing_same_as_property": null,
        "property_street1": null, "property_street2": null, "property_city": null,
        "property_state": null, "property_zip": null, "property_country": null,
        "message": message,
    });
    let Value::Object(given) = given else {
        panic!("{given} is no object");
    };
    for (field, value) in given.into_iter().filter(|(field, _)| field != "location") {
        assert!(body.get(&field).is_some(), "{field} is no documented field");
        body[&field] = value;
    }
    body
}

/// The body of a reply without `id` and `created_at`, once these have been looked at.
pub fn without_identity(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    let fields = body.as_object_mut().expect("an object");
    let id = fields.remove("id").expect("an id");
    id.as_str()
        .expect("a string")
        .parse::<uuid::Uuid>()
        .expect("a UUID");
    let created_at = fields.remove("created_at").expect("created_at");
    let created_at = created_at.as_str().expect("a string").to_owned();
    let read: DateTime<Utc> = created_at.parse().expect("RFC 3339");
    assert_eq!(
        created_at,
        read.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    );
    body
}

/// A value for every field that is not the id.
pub fn everything() -> Value {
    json!({
        "first_name": "Jane", "last_name": "Doe", "company_name": "Doe & Sons",
        "email": "Jane.Doe@Example.com", "phone": "(763) 555-0101",
        "notes": "Gate code 4711\nBeware of the dog", "source": "website", "status": "active",
        "tags": ["vip", "lead"],
        "service_type": "mowing", "service_frequency": "weekly",
        "billing_street1": "PO Box 7", "billing_street2": "Floor 2", "billing_city": "Edina",
        "billing_state": "MN", "billing_zip": "55424", "billing_country": "US",
        "billing_same_as_property": false,
        "property_street1": "1 Main St", "property_street2": "Apt 3", "property_city": "Maple Grove",
        "property_state": "MN", "property_zip": "55311", "property_country": "US",
        "location": [45.0725, -93.4558],
    })
}

#[tokio::test]
async fn a_customer_is_created_with_every_field() {
    let app = App::start().await;
    let reply = app.post(everything()).await;
    assert_eq!(reply.status, 201);
    assert_eq!(
        without_identity(&reply),
        flat("Customer created successfully", everything())
    );
}

#[tokio::test]
async fn an_empty_object_creates_an_empty_customer() {
    let app = App::start().await;
    let reply = app.post(json!({})).await;
    assert_eq!(reply.status, 201);
    assert_eq!(
        without_identity(&reply),
        flat("Customer created successfully", json!({}))
    );
}

#[tokio::test]
async fn every_empty_object_creates_another_customer() {
    let app = App::start().await;
    assert_ne!(app.create(json!({})).await, app.create(json!({})).await);
}

#[tokio::test]
async fn an_update_replies_with_the_whole_customer() {
    let app = App::start().await;
    let created = app.post(everything()).await;
    let reply = app
        .post(json!({"phone": "763-555-0101", "notes": "None"}))
        .await;
    assert_eq!(reply.status, 200);
    let mut expected = everything();
    expected["phone"] = json!("763-555-0101");
    expected["notes"] = json!("None");
    assert_eq!(
        without_identity(&reply),
        flat("Customer updated successfully", expected)
    );
    assert_eq!(reply.body["id"], created.body["id"]);
    assert_eq!(reply.body["created_at"], created.body["created_at"]);
}

#[tokio::test]
async fn the_headers_of_a_create_tell_the_outcome_and_no_match() {
    let app = App::start().await;
    let reply = app.post(everything()).await;
    assert_eq!(reply.header("clientele-outcome"), Some("created"));
    assert_eq!(reply.header("clientele-matched-by"), None);
    assert_eq!(reply.header("clientele-also-matches"), None);
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn the_same_paths_are_served_under_open_api() {
    let app = App::start().await;
    let created = app
        .post_to("/open-api/customers", json!({"first_name": "Jane"}))
        .await;
    assert_eq!(created.status, 201);
    let id = created.id();

    let prefixed = app.fetch(&format!("/open-api/customers/{id}")).await;
    assert_eq!(
        (prefixed.status, prefixed.body),
        (200, app.get(&id).await.body)
    );

    let prefixed = app.fetch("/open-api/customers?limit=5").await;
    assert_eq!(
        (prefixed.status, prefixed.body),
        (200, app.list("limit=5").await.body)
    );

    assert_eq!(app.fetch("/open-api/auth/test").await.status, 200);
}

#[tokio::test]
async fn unicode_is_stored_and_returned_as_it_was_sent() {
    let app = App::start().await;
    // Composed and decomposed, right to left, beyond the basic plane, joined by zero-width joiners.
    let names = [
        "Zoë",
        "Zoe\u{308}",
        "שָׁלוֹם",
        "𝒥𝒶𝓃𝑒",
        "👩‍👩‍👧‍👦",
        "李小龍",
        "a\u{200b}b",
        "O’Brien \\ \"x\"",
    ];
    for name in names {
        let sent =
            json!({"first_name": name, "notes": name, "property_city": name, "tags": [name]});
        let reply = app.post(sent.clone()).await;
        assert_eq!(
            without_identity(&reply),
            flat("Customer created successfully", sent)
        );
        let item = app.get(&reply.id()).await;
        assert_eq!(item.body["data"]["first_name"], name);
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let app = App::start().await;
    let reply = app
        .post(json!({"first_name": "Jane", "shoe_size": 43, "created_at": 7, "message": [], "_x": {"y": null}}))
        .await;
    assert_eq!(reply.status, 201);
    assert_eq!(
        without_identity(&reply),
        flat(
            "Customer created successfully",
            json!({"first_name": "Jane"})
        )
    );
}

#[tokio::test]
async fn a_charset_in_the_content_type_is_welcome() {
    let app = App::start().await;
    let reply = app
        .post_raw("application/json; charset=utf-8", r#"{"first_name":"Zoë"}"#)
        .await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.body["first_name"], "Zoë");
}

#[tokio::test]
async fn a_created_customer_is_there_at_once_for_list_search_and_get() {
    let app = App::start().await;
    for n in 0..20 {
        let name = format!("Customer{n}x");
        let id = app.create(json!({"first_name": name})).await;
        assert_eq!(app.list("limit=1").await.ids(), [id.as_str()]);
        assert_eq!(app.search(&name).await, [id.as_str()]);
        assert_eq!(app.get(&id).await.status, 200);
    }
}

#[tokio::test]
async fn a_customer_without_phone_and_email_is_never_matched() {
    let app = App::start().await;
    let jane = json!({"first_name": "Jane", "last_name": "Doe"});
    let first = app.create(jane.clone()).await;
    assert_ne!(app.create(jane).await, first);
}

#[tokio::test]
async fn header_names_are_read_in_any_case() {
    let app = App::start().await;
    let request = app.bare(reqwest::Method::GET, "/customers");
    let reply = send(
        request
            .header("X-API-KEY", &app.key)
            .header("Rotor-Api-Version", "1.1.0"),
    )
    .await;
    assert_eq!(reply.status, 200);
}
