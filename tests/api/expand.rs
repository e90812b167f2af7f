//! `expand`: what is shown beside the item, for those who ask.

use serde_json::{Value, json};

use crate::support::App;

const BILLING: [&str; 7] = [
    "billing_street1",
    "billing_street2",
    "billing_city",
    "billing_state",
    "billing_zip",
    "billing_country",
    "billing_same_as_property",
];
const PROPERTY: [&str; 6] = [
    "property_street1",
    "property_street2",
    "property_city",
    "property_state",
    "property_zip",
    "property_country",
];
const SERVICE: [&str; 2] = ["service_type", "service_frequency"];

fn everything() -> Value {
    json!({
        "first_name": "Ada", "service_type": "Lawn", "service_frequency": "weekly",
        "billing_street1": "PO Box 7", "billing_city": "Elk River",
        "property_street1": "1 Main St", "property_zip": "55330",
    })
}

/// Asserts that `expanded` is `item` and, of the fields of the upsert's reply, these.
fn assert_adds(item: &Value, expanded: &Value, upserted: &Value, fields: &[&str]) {
    let mut expected = item.clone();
    for field in fields {
        expected[field] = upserted[field].clone();
    }
    assert_eq!(expanded, &expected);
}

#[tokio::test]
async fn each_group_adds_its_fields_as_the_upsert_shows_them() {
    let app = App::start().await;
    for body in [everything(), json!({})] {
        let upserted = app.post(body).await;
        let id = upserted.id();
        let item = app.get(&id).await.body["data"].clone();
        let all: Vec<&str> = [&BILLING[..], &PROPERTY, &SERVICE].concat();
        for (expand, fields) in [
            ("", &[][..]),
            ("billing", &BILLING[..]),
            ("property", &PROPERTY[..]),
            ("service", &SERVICE[..]),
            ("service,%20property,billing", &all[..]),
            ("billing,property&expand=service", &all[..]),
        ] {
            let listed = app.list(&format!("limit=1&expand={expand}")).await;
            assert_adds(&item, &listed.body["data"][0], &upserted.body, fields);
            let got = app.get(&format!("{id}?expand={expand}")).await;
            assert_adds(&item, &got.body["data"], &upserted.body, fields);
        }
    }
}

#[tokio::test]
async fn billing_shows_the_property_while_it_is_the_same_and_has_no_value() {
    let app = App::start().await;
    let same = json!({"property_street1": "1 Main St", "billing_same_as_property": true});
    let id = app.create(same).await;
    let shown = app.list("expand=billing").await.body["data"][0].clone();
    assert_eq!(shown["billing_street1"], "1 Main St");
    assert_eq!(shown["billing_same_as_property"], true);
    app.post(json!({"id": id, "billing_city": "Elk River"}))
        .await;
    let shown = app.list("expand=billing").await.body["data"][0].clone();
    assert_eq!(shown["billing_street1"], Value::Null);
    assert_eq!(shown["billing_city"], "Elk River");
}

#[tokio::test]
async fn times_tell_when_a_customer_was_updated_and_archived() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    let shown = app.list("expand=times").await.body["data"][0].clone();
    assert_eq!(shown["updated_at"], shown["created_at"]);
    assert_eq!(shown.as_object().unwrap()["archived_at"], Value::Null);

    app.post(json!({"id": id, "first_name": "Ada"})).await;
    let shown = app.list("expand=times").await.body["data"][0].clone();
    assert!(shown["updated_at"].as_str() > shown["created_at"].as_str());
    app.order(&format!("/customers/{id}/archive")).await;
    let everything = app.fetch(&format!("/customers/{id}/export")).await;
    let shown = app.list("archived=true&expand=times").await.body["data"][0].clone();
    for time in ["created_at", "updated_at", "archived_at"] {
        assert!(shown[time].is_string(), "{shown}");
        assert_eq!(shown[time], everything.body["data"][time]);
    }
    let got = app.get(&format!("{id}?expand=times")).await;
    assert_eq!(got.body["data"], shown);
}

#[tokio::test]
async fn every_kind_of_list_expands() {
    let app = App::start().await;
    let mut body = everything();
    body["tags"] = json!(["vip"]);
    app.create(body).await;
    for query in [
        "",
        "search=ada",
        "tags=vip",
        "archived=true",
        "sort=last_name",
        "cursor=",
        "created_after=2001-01-01",
    ] {
        let reply = app
            .list(&format!("{query}&expand=times,service,billing"))
            .await;
        assert_eq!(reply.body["data"][0]["service_type"], "Lawn", "{query}");
        assert_eq!(
            reply.body["data"][0]["billing_city"], "Elk River",
            "{query}"
        );
        assert!(reply.body["data"][0]["updated_at"].is_string(), "{query}");
    }
}

#[tokio::test]
async fn an_unknown_group_is_refused() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    for expand in ["payments", "billing,Property", "billing;service"] {
        let reply = app.list(&format!("expand={expand}")).await;
        assert_eq!(reply.bad_fields(), ["expand"], "{expand}");
        let reply = app.get(&format!("{id}?expand={expand}")).await;
        assert_eq!(reply.bad_fields(), ["expand"], "{expand}");
    }
}
