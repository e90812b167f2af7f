//! Billing, property and the place on the map.

use serde_json::{Value, json};

use crate::support::{App, Reply};

const HOME: [f64; 2] = [45.0725, -93.4558];

fn billing(reply: &Reply) -> Value {
    ["street1", "street2", "city", "state", "zip", "country"]
        .iter()
        .map(|line| reply.body[format!("billing_{line}")].clone())
        .collect()
}

/// A customer in Main Street with a location.
async fn at_home(app: &App) -> String {
    app.create(json!({"property_street1": "1 Main St", "property_city": "Edina", "location": HOME}))
        .await
}

async fn location_after(app: &App, mut change: Value) -> Value {
    let id = at_home(app).await;
    change["id"] = json!(id);
    let reply = app.post(change).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    app.get(&id).await.body["data"]["location"].clone()
}

#[tokio::test]
async fn billing_same_as_property_shows_the_property_as_billing() {
    let app = App::start().await;
    let reply = app
        .post(json!({
            "billing_same_as_property": true,
            "property_street1": "1 Main St", "property_city": "Edina", "property_zip": "55424",
        }))
        .await;
    assert_eq!(
        billing(&reply),
        json!(["1 Main St", null, "Edina", null, "55424", null])
    );
    assert_eq!(reply.body["billing_same_as_property"], true);
}

#[tokio::test]
async fn billing_follows_a_property_that_changes() {
    let app = App::start().await;
    let id = app
        .create(json!({"billing_same_as_property": true, "property_street1": "1 Main St"}))
        .await;
    let reply = app
        .post(json!({"id": id, "property_street1": "2 Main St"}))
        .await;
    assert_eq!(
        billing(&reply),
        json!(["2 Main St", null, null, null, null, null])
    );
    let reply = app
        .post(json!({"id": id, "billing_same_as_property": false}))
        .await;
    assert_eq!(billing(&reply), json!([null, null, null, null, null, null]));
}

#[tokio::test]
async fn a_billing_address_of_its_own_is_shown_alone() {
    let app = App::start().await;
    let id = app
        .create(json!({"billing_same_as_property": true, "property_street1": "1 Main St"}))
        .await;
    let reply = app.post(json!({"id": id, "billing_city": "Edina"})).await;
    assert_eq!(
        billing(&reply),
        json!([null, null, "Edina", null, null, null])
    );
    let reply = app.post(json!({"id": id, "billing_city": null})).await;
    assert_eq!(
        billing(&reply),
        json!(["1 Main St", null, null, null, null, null])
    );
}

#[tokio::test]
async fn without_the_flag_billing_is_just_what_was_sent() {
    let app = App::start().await;
    for flag in [json!(false), json!(null)] {
        let reply = app
            .post(json!({"billing_same_as_property": flag, "property_street1": "1 Main St"}))
            .await;
        assert_eq!(billing(&reply), json!([null, null, null, null, null, null]));
        assert_eq!(reply.body["billing_same_as_property"], flag);
    }
}

#[tokio::test]
async fn a_location_is_kept_with_its_six_decimals() {
    let app = App::start().await;
    for place in [
        json!([45.072_512, -93.455_878]),
        json!([90, 180]),
        json!([-90, -180]),
        json!([0, 0]),
    ] {
        let id = app.create(json!({"location": place})).await;
        let kept = app.get(&id).await.body["data"]["location"].clone();
        let numbers = |value: &Value| [value[0].as_f64(), value[1].as_f64()];
        assert_eq!(numbers(&kept), numbers(&place));
        assert_eq!(kept.as_array().map(Vec::len), Some(2));
    }
}

#[tokio::test]
async fn a_location_off_the_map_is_refused() {
    let app = App::start().await;
    for place in [
        json!([90.1, 0]),
        json!([-90.1, 0]),
        json!([0, 180.1]),
        json!([0, -180.1]),
        json!([1]),
        json!([1, 2, 3]),
        json!([]),
        json!("45,-93"),
        json!({"lat": 1, "lng": 2}),
        json!(["1", "2"]),
        json!([null, null]),
        json!(7),
        json!(true),
    ] {
        let reply = app.post(json!({"location": place})).await;
        assert_eq!(reply.bad_fields(), ["location"], "{place}");
    }
}

#[tokio::test]
async fn a_location_stays_while_the_property_does() {
    let app = App::start().await;
    for change in [
        json!({}),
        json!({"first_name": "Jane", "billing_street1": "PO Box 7"}),
        json!({"property_street1": " 1 Main St ", "property_city": "Edina"}),
        json!({"property_street1": "", "property_street2": null}),
    ] {
        assert_eq!(
            location_after(&app, change.clone()).await,
            json!(HOME),
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_property_that_changes_loses_its_location() {
    let app = App::start().await;
    for change in [
        json!({"property_street1": "2 Main St"}),
        json!({"property_street2": "Apt 3"}),
        json!({"property_city": null}),
        json!({"property_state": "MN"}),
        json!({"property_zip": "55424"}),
        json!({"property_country": "US"}),
        json!({"location": null}),
    ] {
        assert_eq!(
            location_after(&app, change.clone()).await,
            json!(null),
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_property_that_changes_together_with_its_location_keeps_the_new_one() {
    let app = App::start().await;
    let change = json!({"property_street1": "2 Main St", "location": [1.5, 2.5]});
    assert_eq!(location_after(&app, change).await, json!([1.5, 2.5]));
    // The same place said again is said, too.
    let change = json!({"property_street1": "2 Main St", "location": HOME});
    assert_eq!(location_after(&app, change).await, json!(HOME));
}
