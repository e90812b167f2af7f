//! Everything that is kept about one person.

use serde_json::{Value, json};

use crate::create::everything;
use crate::support::{App, bodies};

/// `data` of an export without the times, once these have been looked at.
fn timeless(mut data: Value) -> Value {
    let fields = data.as_object_mut().expect("an object");
    for name in ["created_at", "updated_at"] {
        let time = fields.remove(name).expect("a time");
        let time = time.as_str().expect("a string").to_owned();
        assert!(time.ends_with('Z') && time.len() == "2026-11-23T15:07:54.823Z".len());
    }
    data
}

#[tokio::test]
async fn an_export_has_every_field_and_no_other() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    for prefix in ["", "/open-api"] {
        let reply = app.fetch(&format!("{prefix}/customers/{id}/export")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(
            reply.header("content-disposition"),
            Some(format!("attachment; filename=\"customer-{id}.json\"").as_str())
        );
        assert_eq!(reply.body["status"], "success");
        assert_eq!(reply.body.as_object().map(serde_json::Map::len), Some(2));
        let mut expected = everything();
        expected["id"] = json!(id);
        expected["archived_at"] = json!(null);
        expected["has_payment_method"] = json!(false);
        expected["payment_methods"] = json!([]);
        assert_eq!(timeless(reply.body["data"].clone()), expected);
    }
}

#[tokio::test]
async fn what_is_not_known_is_null() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    let data = app.fetch(&format!("/customers/{id}/export")).await.body["data"].clone();
    for (field, _) in everything().as_object().expect("fields") {
        assert_eq!(data.get(field), Some(&Value::Null), "{field}");
    }
}

#[tokio::test]
async fn billing_is_what_was_said_and_not_what_is_shown_for_it() {
    let app = App::start().await;
    let body = json!({"billing_same_as_property": true, "property_city": "Edina"});
    let created = app.post(body).await;
    assert_eq!(created.body["billing_city"], "Edina");
    let path = format!("/customers/{}/export", created.id());
    let data = app.fetch(&path).await.body["data"].clone();
    assert_eq!(data["billing_city"], json!(null));
    assert_eq!(data["billing_same_as_property"], true);
}

#[tokio::test]
async fn it_has_the_payment_methods_and_when_the_customer_was_archived() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    let methods = format!("/customers/{id}/payment-methods");
    for token in ["pm_1", "pm_2"] {
        let card = json!({"provider": "stripe", "token": token, "last4": "4242"});
        assert_eq!(app.post_to(&methods, card).await.status, 201);
    }
    let archived = app.order(&format!("/customers/{id}/archive")).await;
    assert_eq!(archived.status, 200);
    let data = app.fetch(&format!("/customers/{id}/export")).await.body["data"].clone();
    assert_eq!(data["has_payment_method"], true);
    assert_eq!(
        data["payment_methods"],
        app.fetch(&methods).await.body["data"]
    );
    assert!(data["archived_at"].is_string(), "{data}");
}

#[tokio::test]
async fn what_names_no_customer_is_not_exported() {
    let app = App::start().await;
    let unknown = uuid::Uuid::now_v7().to_string();
    for id in [unknown.as_str(), "nobody"] {
        let reply = app.fetch(&format!("/customers/{id}/export")).await;
        assert_eq!((reply.status, reply.body), (404, bodies::not_found()));
    }
}
