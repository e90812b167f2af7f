//! Companies share a server, and nothing else.

use serde_json::{Value, json};

use crate::create::everything;
use crate::support::app::send;
use crate::support::{App, Reply, Tenant, bodies};

fn seen(reply: Reply) -> (u16, Value) {
    (reply.status, reply.body)
}

/// Saves a payment method of a customer; the answer is its id.
async fn save(tenant: &Tenant, id: &str, card: &Value) -> String {
    let methods = format!("/customers/{id}/payment-methods");
    let saved = tenant.post_to(&methods, card.clone()).await;
    saved.body["data"]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn another_companys_customer_cannot_be_told_from_an_unknown_one() {
    let app = App::start().await;
    let other = app.other_company().await;
    let id = other.create(everything()).await;
    let unknown = uuid::Uuid::now_v7().to_string();
    let before = other.get(&id).await.body;

    let not_found = (404, bodies::not_found());
    assert_eq!(seen(app.get(&id).await), not_found);
    assert_eq!(seen(app.get(&unknown).await), not_found);
    for change in [
        json!({}),
        json!({"first_name": "Mallory"}),
        json!({"phone": "(763) 555-0101"}),
    ] {
        for id in [&id, &unknown] {
            let mut body = change.clone();
            body["id"] = json!(id);
            let reply = app.post(body).await;
            for header in [
                "clientele-outcome",
                "clientele-matched-by",
                "clientele-also-matches",
            ] {
                assert_eq!(reply.header(header), None);
            }
            assert_eq!(seen(reply), not_found);
        }
    }
    assert_eq!(other.get(&id).await.body, before);
}

#[tokio::test]
async fn no_call_about_one_customer_tells_another_companys_from_an_unknown_one() {
    let app = App::start().await;
    let other = app.other_company().await;
    let id = other.create(everything()).await;
    let card = json!({"provider": "stripe", "token": "pm_1"});
    let method = save(&other, &id, &card).await;
    let export = format!("/customers/{id}/export");
    let before = other.fetch(&export).await.body;

    let unknown = uuid::Uuid::now_v7().to_string();
    for id in [&id, &unknown, "nobody", "%FF"] {
        let about = |path: &str| format!("/customers/{id}{path}");
        for reply in [
            app.order(&about("/archive")).await,
            app.order(&about("/restore")).await,
            app.fetch(&about("/export")).await,
            app.post_to(&about("/tags"), json!({"add": ["x"], "remove": ["vip"]}))
                .await,
            app.fetch(&about("/payment-methods")).await,
            app.post_to(&about("/payment-methods"), card.clone()).await,
            app.delete(&about(&format!("/payment-methods/{method}")))
                .await,
            app.delete(&about("")).await,
        ] {
            assert_eq!(reply.header("clientele-outcome"), None);
            assert_eq!(reply.header("clientele-also-matches"), None);
            assert_eq!(reply.header("content-disposition"), None);
            assert_eq!(seen(reply), (404, bodies::not_found()), "{id}");
        }
    }
    // Nor through a customer of one's own.
    let own = app.create(json!({})).await;
    let path = format!("/customers/{own}/payment-methods/{method}");
    assert_eq!(seen(app.delete(&path).await), (404, bodies::not_found()));
    assert_eq!(other.fetch(&export).await.body, before);
}

#[tokio::test]
async fn a_restored_customer_is_told_of_its_own_company_alone() {
    let app = App::start().await;
    let other = app.other_company().await;
    let id = app.create(everything()).await;
    app.archive(&id).await;
    other.create(everything()).await;
    let reply = app.order(&format!("/customers/{id}/restore")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("clientele-also-matches"), None);
}

#[tokio::test]
async fn an_archived_customer_of_another_company_is_unknown_too() {
    let app = App::start().await;
    let other = app.other_company().await;
    let id = other.create(json!({})).await;
    app.archive(&id).await;
    assert_eq!(seen(app.get(&id).await), (404, bodies::not_found()));
    assert_eq!(
        app.list("archived=true").await.body["pagination"]["total"],
        0
    );
}

#[tokio::test]
async fn phones_and_emails_are_matched_within_a_company() {
    let app = App::start().await;
    let other = app.other_company().await;
    let jane = json!({"phone": "763-555-0101", "email": "jane@example.com"});
    let here = app.create(jane.clone()).await;
    let there = other.create(jane.clone()).await;
    assert_ne!(here, there);
    assert_eq!(app.post(jane.clone()).await.id(), here);
    assert_eq!(other.post(jane).await.id(), there);
}

#[tokio::test]
async fn a_split_never_names_another_companys_customer() {
    let app = App::start().await;
    let other = app.other_company().await;
    other.create(json!({"email": "jane@example.com"})).await;
    app.create(json!({"phone": "763-555-0101"})).await;
    let reply = app
        .post(json!({"phone": "763-555-0101", "email": "jane@example.com"}))
        .await;
    assert_eq!(reply.header("clientele-also-matches"), None);
}

#[tokio::test]
async fn lists_searches_and_totals_are_of_one_company() {
    let app = App::start().await;
    let other = app.other_company().await;
    let here = app.create(everything()).await;
    let there = other.create(everything()).await;
    for query in [
        "",
        "search=jane",
        "search=5550101",
        "status=active",
        "tags=vip",
        "archived=true",
    ] {
        let (ours, theirs) = (app.list(query).await, other.list(query).await);
        assert_eq!(ours.ids(), [here.as_str()], "{query}");
        assert_eq!(theirs.ids(), [there.as_str()], "{query}");
        assert_eq!(ours.body["pagination"]["total"], 1, "{query}");
    }
}

#[tokio::test]
async fn every_documented_call_about_a_customer_answers_another_companys_id_like_an_unknown_one() {
    let app = App::start().await;
    let other = app.other_company().await;
    let id = other.create(everything()).await;
    let card = json!({"provider": "stripe", "token": "pm_1"});
    let method = save(&other, &id, &card).await;
    let unknown = uuid::Uuid::now_v7().to_string();
    // Something that each of the calls takes.
    let body = json!({"add": ["x"], "provider": "stripe", "token": "pm_1"});

    let document: Value = serde_json::from_str(clientele::http::openapi::json()).expect("JSON");
    let mut calls = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        if !path.contains("{id}") {
            continue;
        }
        for verb in ["get", "post", "delete", "put", "patch"] {
            if operations.get(verb).is_none() {
                continue;
            }
            calls += 1;
            let ask = async |id: &str| {
                let path = path
                    .replace("{id}", id)
                    .replace("{payment_method}", &method);
                assert!(!path.contains('{'), "{path}");
                let request = app.request(verb.to_uppercase().parse().expect("a method"), &path);
                let reply = match operations[verb].get("requestBody") {
                    Some(_) => send(request.json(&body)).await,
                    None => send(request).await,
                };
                let mut headers = reply.headers;
                for own in ["x-request-id", "date"] {
                    headers.remove(own);
                }
                (reply.status, reply.body, headers)
            };
            let of_theirs = ask(&id).await;
            assert_eq!(of_theirs.0, 404, "{verb} {path}");
            assert_eq!(of_theirs, ask(&unknown).await, "{verb} {path}");
        }
    }
    assert!(calls >= 9, "{calls} calls");
    assert_eq!(other.get(&id).await.status, 200);
}
