//! Customers erased for good.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::create::everything;
use crate::support::{App, bodies};

#[tokio::test]
async fn an_erased_customer_is_gone_with_everything() {
    let app = App::start().await;
    let other = app.create(json!({"first_name": "Joe"})).await;
    for prefix in ["", "/open-api"] {
        let id = app.create(everything()).await;
        for n in 0..2 {
            let card = json!({"provider": "stripe", "token": format!("pm_{n}"), "brand": "visa"});
            let path = format!("/customers/{id}/payment-methods");
            assert_eq!(app.post_to(&path, card).await.status, 201);
        }
        let reply = app.delete(&format!("{prefix}/customers/{id}")).await;
        assert_eq!((reply.status, reply.body), (204, Value::Null));
        assert!(reply.headers.contains_key("x-request-id"));

        for reply in [
            app.delete(&format!("{prefix}/customers/{id}")).await,
            app.get(&id).await,
            app.fetch(&format!("/customers/{id}/export")).await,
            app.post(json!({"id": id})).await,
        ] {
            assert_eq!((reply.status, reply.body), (404, bodies::not_found()));
        }
        for query in ["", "archived=true"] {
            let list = app.list(query).await;
            assert_eq!(list.ids(), [other.as_str()]);
            assert_eq!(list.body["pagination"]["total"], 1);
        }
        assert!(app.search("jane").await.is_empty());
        let left: Vec<i64> = app.column("select count(*) from payment_methods").await;
        assert_eq!(left, [0]);
    }
}

#[tokio::test]
async fn an_archived_customer_is_erased_too() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    app.archive(&id).await;
    assert_eq!(app.delete(&format!("/customers/{id}")).await.status, 204);
    assert_eq!(
        app.list("archived=true").await.body["pagination"]["total"],
        0
    );
}

#[tokio::test]
async fn a_post_after_it_creates_another() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    app.delete(&format!("/customers/{id}")).await;
    assert_ne!(app.create(everything()).await, id);
}

#[tokio::test]
async fn of_many_who_erase_one_customer_one_does() {
    let app = App::start().await;
    let id = app.create(everything()).await;
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (tenant, path) = ((*app).clone(), format!("/customers/{id}"));
        calls.spawn(async move { tenant.delete(&path).await.status });
    }
    let mut statuses = calls.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204);
    assert_eq!(statuses[1..], [404; 7]);
}

#[tokio::test]
async fn posts_beside_it_find_whoever_else_has_the_phone() {
    let app = App::start().await;
    let second = app.second_server();
    for n in 0..10 {
        let phone = format!("763-555-01{n:02}");
        let mother = app.create(json!({"phone": phone})).await;
        let daughter = app.create(json!({})).await;
        app.post(json!({"id": daughter, "phone": phone})).await;

        let mut posts = JoinSet::new();
        for n in 0..4 {
            let (tenant, phone) = (app.on(&second), phone.clone());
            posts.spawn(async move {
                let body = json!({"phone": phone, "tags": [n.to_string()]});
                tenant.post(body).await
            });
        }
        let erased = app.delete(&format!("/customers/{mother}")).await;
        assert_eq!(erased.status, 204);
        for reply in posts.join_all().await {
            assert_eq!(reply.status, 200, "{}", reply.body);
            assert!([&mother, &daughter].contains(&&reply.id()));
        }
        assert_eq!(app.get(&mother).await.status, 404);
    }
}
