//! What an update changes, and what it leaves alone.

use serde_json::{Value, json};

use crate::create::{everything, flat, without_identity};
use crate::support::{App, Reply, bodies};

async fn update(app: &App, id: &str, mut change: Value) -> Reply {
    change["id"] = json!(id);
    let reply = app.post(change).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply
}

/// Every field that a null can clear, which is every one but the tags.
fn clearable() -> Vec<String> {
    let Value::Object(fields) = everything() else {
        unreachable!("everything is an object");
    };
    fields
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name != "tags")
        .collect()
}

fn each_as(value: &Value) -> Value {
    clearable()
        .into_iter()
        .map(|field| (field, value.clone()))
        .collect()
}

#[tokio::test]
async fn an_update_by_id_changes_what_it_names_and_nothing_else() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    let reply = update(&app, &id, json!({"last_name": "Roe"})).await;
    let mut expected = everything();
    expected["last_name"] = json!("Roe");
    assert_eq!(
        without_identity(&reply),
        flat("Customer updated successfully", expected)
    );
    assert_eq!(reply.id(), id);
    assert_eq!(reply.header("clientele-outcome"), Some("updated"));
    assert_eq!(reply.header("clientele-matched-by"), Some("id"));
    assert_eq!(reply.header("clientele-also-matches"), None);
}

#[tokio::test]
async fn an_update_that_changes_nothing_says_so_in_the_outcome() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    for change in [json!({}), everything(), json!({"first_name": " Jane "})] {
        let reply = update(&app, &id, change).await;
        assert_eq!(reply.header("clientele-outcome"), Some("unchanged"));
        assert_eq!(
            without_identity(&reply),
            flat("Customer updated successfully", everything())
        );
    }
}

#[tokio::test]
async fn null_clears_every_field() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    let reply = update(&app, &id, each_as(&Value::Null)).await;
    assert_eq!(
        without_identity(&reply),
        flat(
            "Customer updated successfully",
            json!({"tags": ["vip", "lead"]})
        )
    );
    let again = update(&app, &id, json!({})).await;
    assert_eq!(without_identity(&again), without_identity(&reply));
}

#[tokio::test]
async fn null_clears_one_field_alone() {
    let app = App::start().await;
    for field in clearable() {
        let created = app.post(everything()).await;
        let reply = update(&app, &created.id(), json!({&field: null})).await;
        let mut expected = everything();
        expected[&field] = Value::Null;
        assert_eq!(
            without_identity(&reply),
            flat("Customer updated successfully", expected),
            "{field}"
        );
        app.archive(&created.id()).await;
    }
}

#[tokio::test]
async fn a_blank_string_never_wipes_a_field() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    for blank in ["", "   ", "\t\r\n"] {
        let Value::Object(mut fields) = each_as(&json!(blank)) else {
            unreachable!("an object");
        };
        // These two are no strings.
        fields.remove("billing_same_as_property");
        fields.remove("location");
        let reply = update(&app, &id, Value::Object(fields)).await;
        assert_eq!(
            reply.header("clientele-outcome"),
            Some("unchanged"),
            "{blank:?}"
        );
        assert_eq!(
            without_identity(&reply),
            flat("Customer updated successfully", everything())
        );
    }
}

#[tokio::test]
async fn a_blank_string_never_wipes_an_email() {
    let app = App::start().await;
    app.create(json!({"phone": "763-555-0101", "email": "jane@example.com"}))
        .await;
    let reply = app
        .post(json!({"phone": "763-555-0101", "email": ""}))
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["email"], "jane@example.com");
}

#[tokio::test]
async fn a_blank_or_null_id_is_no_id() {
    let app = App::start().await;
    for id in [json!(""), json!("  "), json!(null)] {
        let reply = app.post(json!({"id": id, "first_name": "Jane"})).await;
        assert_eq!(reply.status, 201, "{id}");
    }
}

#[tokio::test]
async fn strings_are_trimmed() {
    let app = App::start().await;
    let reply = app
        .post(json!({
            "first_name": "  Mary  Ann\t", "email": " mary@example.com ", "phone": " 763-555-0101\n",
            "notes": "\n one\n two \n", "status": " active ", "tags": [" vip "], "property_city": " Edina ",
        }))
        .await;
    assert_eq!(
        without_identity(&reply),
        flat(
            "Customer created successfully",
            json!({
                "first_name": "Mary  Ann", "email": "mary@example.com", "phone": "763-555-0101",
                "notes": "one\n two", "status": "active", "tags": ["vip"], "property_city": "Edina",
            })
        )
    );
}

#[tokio::test]
async fn an_unknown_id_is_not_found_and_creates_nothing() {
    let app = App::start().await;
    let reply = app
        .post(json!({"id": uuid::Uuid::now_v7(), "first_name": "Jane", "phone": "763-555-0101"}))
        .await;
    assert_eq!((reply.status, reply.body), (404, bodies::not_found()));
    assert_eq!(
        app.list("archived=true").await.body["pagination"]["total"],
        0
    );
}

#[tokio::test]
async fn an_id_wins_over_the_phone_and_the_email_of_others() {
    let app = App::start().await;
    let jane = app
        .create(json!({"phone": "763-555-0101", "email": "jane@example.com"}))
        .await;
    let joe = app.create(json!({"first_name": "Joe"})).await;
    let reply = update(
        &app,
        &joe,
        json!({"phone": "763-555-0101", "email": "jane@example.com"}),
    )
    .await;
    assert_eq!(reply.id(), joe);
    assert_eq!(reply.body["first_name"], "Joe");
    assert_eq!(reply.header("clientele-matched-by"), Some("id"));
    assert_eq!(reply.header("clientele-also-matches"), None);
    assert_eq!(app.get(&jane).await.body["data"].get("first_name"), None);
}

#[tokio::test]
async fn an_archived_customer_updated_by_id_stays_archived() {
    let app = App::start().await;
    let id = app.create(json!({"first_name": "Jane"})).await;
    app.archive(&id).await;
    let reply = update(&app, &id, json!({"last_name": "Doe"})).await;
    assert_eq!(reply.body["last_name"], "Doe");
    assert_eq!(app.list("").await.ids(), [""; 0]);
    assert_eq!(app.list("archived=true").await.ids(), [id]);
}

#[tokio::test]
async fn an_update_keeps_the_place_in_the_list() {
    let app = App::start().await;
    let first = app.create(json!({"first_name": "First"})).await;
    let second = app.create(json!({"first_name": "Second"})).await;
    update(&app, &first, json!({"first_name": "Still first"})).await;
    assert_eq!(app.list("").await.ids(), [second, first]);
}
