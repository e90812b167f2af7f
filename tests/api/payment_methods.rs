//! Saved payment methods, and the `has_payment_method` that they make true.

use clientele::domain::key::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::app::{send, with_scopes};
use crate::support::{App, Reply, Tenant, bodies};

fn path(customer: &str) -> String {
    format!("/customers/{customer}/payment-methods")
}

async fn save(tenant: &Tenant, customer: &str, body: Value) -> Reply {
    tenant.post_to(&path(customer), body).await
}

async fn remove(tenant: &Tenant, customer: &str, method: &str) -> Reply {
    tenant.delete(&format!("{}/{method}", path(customer))).await
}

/// The id in the reply of a save.
fn id(reply: &Reply) -> String {
    let id = reply.body["data"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{}", reply.body)).to_owned()
}

fn visa() -> Value {
    json!({
        "provider": "stripe", "token": "pm_1N3T00LkdIwHu7ix0snN0B5X", "brand": "visa",
        "last4": "4242", "exp_month": 12, "exp_year": 2028,
    })
}

/// Whether the customer has a payment method, as get and list say.
async fn has_one(app: &App, customer: &str) -> bool {
    let item = app.get(customer).await.body["data"].clone();
    assert_eq!(app.list("").await.body["data"][0], item);
    item["has_payment_method"].as_bool().expect("a boolean")
}

async fn updated_at(app: &App) -> Vec<String> {
    app.column("select updated_at::text from customers").await
}

#[tokio::test]
async fn a_saved_payment_method_has_the_documented_fields_and_is_listed() {
    let app = App::start().await;
    for prefix in ["", "/open-api"] {
        let customer = app.create(json!({})).await;
        let path = format!("{prefix}{}", path(&customer));
        let none = app.fetch(&path).await;
        let empty = json!({"data": [], "status": "success"});
        assert_eq!((none.status, none.body), (200, empty));

        let reply = app.post_to(&path, visa()).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let mut saved = reply.body["data"].clone();
        assert_eq!(
            app.fetch(&path).await.body,
            json!({"data": [saved], "status": "success"})
        );
        let fields = saved.as_object_mut().expect("an object");
        let id = fields.remove("id").expect("an id");
        assert!(
            id.as_str()
                .is_some_and(|id| id.parse::<uuid::Uuid>().is_ok())
        );
        let created_at = fields.remove("created_at").expect("a time");
        assert!(created_at.as_str().is_some_and(|time| time.ends_with('Z')));
        assert_eq!(saved, visa());
        assert_eq!(reply.body["status"], "success");
        assert_eq!(reply.body.as_object().map(serde_json::Map::len), Some(2));
    }
}

#[tokio::test]
async fn provider_and_token_are_enough() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    let reply = save(
        &app,
        &customer,
        json!({"provider": " adyen ", "token": "T1", "x": 1}),
    )
    .await;
    assert_eq!(reply.status, 201);
    for (field, value) in [
        ("provider", json!("adyen")),
        ("brand", json!(null)),
        ("last4", json!(null)),
        ("exp_month", json!(null)),
        ("exp_year", json!(null)),
    ] {
        assert_eq!(reply.body["data"].get(field), Some(&value), "{field}");
    }
    // A card that has expired is one all the same.
    let expired = json!({"provider": "adyen", "token": "T2", "exp_month": 1, "exp_year": 2000});
    assert_eq!(save(&app, &customer, expired).await.status, 201);
    // To JSON 8.0 is a whole number like any other.
    let floats = json!({"provider": "adyen", "token": "T2", "exp_month": 8.0, "exp_year": 2030.0});
    let saved = save(&app, &customer, floats).await;
    assert_eq!(
        (saved.status, &saved.body["data"]["exp_month"]),
        (200, &json!(8))
    );
    assert_eq!(saved.body["data"]["exp_year"], 2030);
}

#[tokio::test]
async fn the_first_one_and_the_last_one_change_the_customer() {
    let app = App::start().await;
    let customer = app.create(json!({"first_name": "Jane"})).await;
    assert!(!has_one(&app, &customer).await);
    let created = updated_at(&app).await;

    let first = id(&save(&app, &customer, visa()).await);
    assert!(has_one(&app, &customer).await);
    let with_one = updated_at(&app).await;
    assert_ne!(with_one, created);

    let other = json!({"provider": "stripe", "token": "pm_2"});
    let second = id(&save(&app, &customer, other).await);
    assert_eq!(remove(&app, &customer, &first).await.status, 204);
    assert!(has_one(&app, &customer).await);
    assert_eq!(updated_at(&app).await, with_one);

    let reply = remove(&app, &customer, &second).await;
    assert_eq!((reply.status, reply.body), (204, Value::Null));
    assert!(!has_one(&app, &customer).await);
    assert_ne!(updated_at(&app).await, with_one);
    let again = remove(&app, &customer, &second).await;
    assert_eq!((again.status, again.body), (404, bodies::not_found()));
}

#[tokio::test]
async fn they_are_listed_oldest_first() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    let mut ids = Vec::new();
    for token in ["z", "a", "m"] {
        ids.push(id(&save(
            &app,
            &customer,
            json!({"provider": "p", "token": token}),
        )
        .await));
    }
    // One that is saved again keeps its place.
    save(
        &app,
        &customer,
        json!({"provider": "p", "token": "z", "brand": "visa"}),
    )
    .await;
    assert_eq!(app.fetch(&path(&customer)).await.ids(), ids);
}

#[tokio::test]
async fn the_same_token_again_updates_the_one_that_is_there() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    let first = save(&app, &customer, visa()).await;
    let again = save(&app, &customer, visa()).await;
    assert_eq!((again.status, &again.body), (200, &first.body));

    let (provider, token) = (visa()["provider"].clone(), visa()["token"].clone());
    let renewed = json!({
        "provider": provider, "token": token, "last4": "", "brand": null, "exp_year": 2031,
    });
    let renewed = save(&app, &customer, renewed).await;
    let mut expected = first.body.clone();
    expected["data"]["brand"] = json!(null);
    expected["data"]["exp_year"] = json!(2031);
    assert_eq!((renewed.status, &renewed.body), (200, &expected));
    assert_eq!(
        app.fetch(&path(&customer)).await.body["data"],
        json!([expected["data"]])
    );

    // Of another provider, or of another customer, it is another one.
    let elsewhere = json!({"provider": "adyen", "token": token});
    assert_eq!(save(&app, &customer, elsewhere).await.status, 201);
    let other = app.create(json!({})).await;
    assert_eq!(save(&app, &other, visa()).await.status, 201);
}

#[tokio::test]
async fn the_same_token_many_times_at_once_is_saved_once() {
    let app = App::start().await;
    let second = app.second_server();
    let customer = app.create(json!({})).await;
    let mut calls = JoinSet::new();
    for n in 0..16 {
        let tenant = if n % 2 == 0 {
            (*app).clone()
        } else {
            app.on(&second)
        };
        let customer = customer.clone();
        calls.spawn(async move { save(&tenant, &customer, visa()).await.status });
    }
    let mut statuses = calls.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses[15], &statuses[..15]), (201, &[200; 15][..]));
    assert_eq!(app.fetch(&path(&customer)).await.ids().len(), 1);
}

#[tokio::test]
async fn saving_and_removing_at_once_leave_a_customer_that_tells_the_truth() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    for _ in 0..5 {
        let first = id(&save(&app, &customer, visa()).await);
        let other = json!({"provider": "stripe", "token": "pm_2"});
        let (removed, saved) = tokio::join!(
            remove(&app, &customer, &first),
            save(&app, &customer, other)
        );
        assert_eq!((removed.status, saved.status), (204, 201));
        assert!(has_one(&app, &customer).await);
        assert_eq!(remove(&app, &customer, &id(&saved)).await.status, 204);
        assert!(!has_one(&app, &customer).await);
    }
}

#[tokio::test]
async fn every_bad_field_is_named_in_order() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    let reply = save(&app, &customer, json!({})).await;
    assert_eq!(
        (reply.status, reply.body),
        (
            400,
            bodies::invalid(&[("provider", "Is required"), ("token", "Is required")])
        )
    );
    let long = "x".repeat(256);
    for (field, values) in [
        (
            "provider",
            vec![
                json!(null),
                json!(" "),
                json!(7),
                json!(long),
                json!("a\u{0}"),
            ],
        ),
        (
            "token",
            vec![json!(null), json!(""), json!([]), json!(long)],
        ),
        ("brand", vec![json!(1), json!(long)]),
        (
            "last4",
            vec![
                json!("424"),
                json!("42424"),
                json!("424x"),
                json!(4242),
                json!("４２４２"),
            ],
        ),
        (
            "exp_month",
            vec![json!(0), json!(13), json!("12"), json!(1.5), json!(-1)],
        ),
        (
            "exp_year",
            vec![
                json!(28),
                json!(1999),
                json!(2101),
                json!("2028"),
                json!(1e30),
            ],
        ),
    ] {
        for value in values {
            let mut body = visa();
            body[field] = value;
            // Of an unknown customer too: the request comes before the look-up.
            for customer in [customer.as_str(), "nobody"] {
                let reply = save(&app, customer, body.clone()).await;
                assert_eq!(reply.bad_fields(), [field], "{body}");
            }
        }
    }
    let all = json!({
        "exp_year": 1, "exp_month": 0, "last4": "x", "brand": 1, "token": 1, "provider": 1,
    });
    assert_eq!(
        save(&app, &customer, all).await.bad_fields(),
        [
            "provider",
            "token",
            "brand",
            "last4",
            "exp_month",
            "exp_year"
        ]
    );
    assert!(!has_one(&app, &customer).await);
}

#[tokio::test]
async fn the_hundred_and_first_one_is_refused_and_a_retry_is_not() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    for n in 0..100 {
        let body = json!({"provider": "p", "token": n.to_string()});
        assert_eq!(save(&app, &customer, body).await.status, 201);
    }
    let one_more = json!({"provider": "p", "token": "one more"});
    let reply = save(&app, &customer, one_more.clone()).await;
    assert_eq!(reply.bad_fields(), ["token"]);
    let known = json!({"provider": "p", "token": "7", "brand": "visa"});
    assert_eq!(save(&app, &customer, known).await.status, 200);
    let ids = app.fetch(&path(&customer)).await.ids();
    assert_eq!(ids.len(), 100);
    assert_eq!(remove(&app, &customer, &ids[0]).await.status, 204);
    assert_eq!(save(&app, &customer, one_more).await.status, 201);
}

#[tokio::test]
async fn what_names_no_customer_or_no_method_of_it_is_not_found() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    let other = app.create(json!({})).await;
    let method = id(&save(&app, &customer, visa()).await);
    let unknown = uuid::Uuid::now_v7().to_string();
    for reply in [
        app.fetch(&path(&unknown)).await,
        app.fetch(&path("nobody")).await,
        save(&app, &unknown, visa()).await,
        save(&app, "nobody", visa()).await,
        remove(&app, &unknown, &method).await,
        remove(&app, "nobody", &method).await,
        remove(&app, &other, &method).await,
        remove(&app, &customer, &unknown).await,
        remove(&app, &customer, "7").await,
    ] {
        assert_eq!((reply.status, reply.body), (404, bodies::not_found()));
    }
    assert_eq!(app.fetch(&path(&customer)).await.ids(), [method]);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let app = App::start().await;
    let customer = app.create(json!({})).await;
    for body in ["", "{", "[]", "null"] {
        let request = app.request(Method::POST, &path(&customer));
        let reply = send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.body);
    }
    let request = app.request(Method::POST, &path(&customer));
    let reply = send(request.header("content-type", "text/plain").body("{}")).await;
    assert_eq!(reply.status, 415);
}

#[tokio::test]
async fn only_keys_that_may_write_payment_methods_see_tokens() {
    let app = App::start().await;
    let id = app.create(json!({"first_name": "Ada"})).await;
    let path = format!("/customers/{id}/payment-methods");
    let body = json!({"provider": "stripe", "token": "pm_secret", "last4": "4242"});
    assert_eq!(app.post_to(&path, body).await.status, 201);
    let reader = app.with_key(&app.key(with_scopes(&[Scope::CustomersRead])).await);
    let seen = reader.fetch(&path).await.body;
    assert_eq!(seen["data"][0]["last4"], "4242");
    assert_eq!(seen["data"][0]["token"], Value::Null);
    let all = reader.fetch(&format!("/customers/{id}/export")).await.body;
    assert_eq!(all["data"]["payment_methods"][0]["token"], Value::Null);
    assert_eq!(app.fetch(&path).await.body["data"][0]["token"], "pm_secret");
}
