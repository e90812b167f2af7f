//! One customer by its id, and the shape of an item.

use serde_json::{Value, json};

use crate::create::everything;
use crate::support::{App, bodies};

/// The item of a customer that was just created with `body`.
async fn item(app: &App, body: Value) -> Value {
    let created = app.post(body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let reply = app.get(&created.id()).await;
    assert_eq!(reply.status, 200);
    let mut body = reply.body;
    assert_eq!(body["status"], "success");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2));
    let mut item = body["data"].take();
    let fields = item.as_object_mut().expect("an object");
    assert_eq!(fields.remove("id").as_ref(), created.body.get("id"));
    assert_eq!(
        fields.remove("created_at").as_ref(),
        created.body.get("created_at")
    );
    item
}

#[tokio::test]
async fn an_item_has_the_documented_fields_and_no_others() {
    let app = App::start().await;
    assert_eq!(
        item(&app, everything()).await,
        json!({
            "address": {
                "city": "Maple Grove", "country": "US", "state": "MN", "street1": "1 Main St",
                "street2": "Apt 3", "zip": "55311",
            },
            "company_name": "Doe & Sons", "email": "Jane.Doe@Example.com", "first_name": "Jane",
            "has_payment_method": false, "last_name": "Doe", "location": [45.0725, -93.4558],
            "notes": "Gate code 4711\nBeware of the dog", "phone": "(763) 555-0101",
            "source": "website", "status": "active", "tags": ["vip", "lead"],
        })
    );
}

#[tokio::test]
async fn an_item_leaves_out_what_it_does_not_know() {
    let app = App::start().await;
    let empty = json!({"has_payment_method": false, "location": null, "notes": null, "tags": null});
    assert_eq!(item(&app, json!({})).await, empty);
    // Neither of these is part of an item.
    let hidden = json!({
        "service_type": "mowing", "service_frequency": "weekly", "billing_city": "Edina",
        "billing_same_as_property": true,
    });
    assert_eq!(item(&app, hidden).await, empty);
}

#[tokio::test]
async fn an_address_known_in_part_has_its_other_lines_blank() {
    let app = App::start().await;
    let blank = json!({
        "city": "", "country": "", "state": "", "street1": "", "street2": null, "zip": "",
    });
    for line in ["street1", "street2", "city", "state", "zip", "country"] {
        let mut expected = blank.clone();
        expected[line] = json!("known");
        let body = json!({format!("property_{line}"): "known"});
        assert_eq!(item(&app, body).await["address"], expected, "{line}");
    }
}

#[tokio::test]
async fn a_saved_payment_method_shows() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    app.sql("update customers set has_payment_method = true")
        .await;
    assert_eq!(app.get(&id).await.body["data"]["has_payment_method"], true);
    assert_eq!(
        app.list("").await.body["data"][0]["has_payment_method"],
        true
    );
    // An update leaves it alone.
    app.post(json!({"id": id, "first_name": "Jane"})).await;
    assert_eq!(app.get(&id).await.body["data"]["has_payment_method"], true);
}

#[tokio::test]
async fn an_archived_customer_is_found_by_its_id() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    let before = app.get(&id).await.body;
    app.archive(&id).await;
    let after = app.get(&id).await;
    assert_eq!((after.status, after.body), (200, before));
}

#[tokio::test]
async fn what_names_no_customer_is_not_found() {
    let app = App::start().await;
    app.create(json!({})).await;
    let unknown = uuid::Uuid::now_v7().to_string();
    for id in [
        unknown.as_str(),
        "7",
        "nobody",
        "%00",
        "%FF",
        "a%20b",
        "' or 1=1",
        "null",
    ] {
        let reply = app.get(id).await;
        assert_eq!(
            (reply.status, reply.body),
            (404, bodies::not_found()),
            "{id}"
        );
    }
}

#[tokio::test]
async fn the_item_of_a_list_is_the_item_of_a_get() {
    let app = App::start().await;
    let full = app.create(everything()).await;
    let empty = app.create(json!({})).await;
    let list = app.list("").await.body;
    assert_eq!(list["data"][0], app.get(&empty).await.body["data"]);
    assert_eq!(list["data"][1], app.get(&full).await.body["data"]);
}
