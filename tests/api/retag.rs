//! Tags put on and taken away by themselves.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::create::{everything, flat, without_identity};
use crate::support::app::send;
use crate::support::{App, Reply, Tenant, bodies};

async fn retag(tenant: &Tenant, id: &str, body: Value) -> Reply {
    tenant.post_to(&format!("/customers/{id}/tags"), body).await
}

#[tokio::test]
async fn tags_are_removed_first_and_then_added() {
    let app = App::start().await;
    let id = app.create(json!({"tags": ["a", "b", "c"]})).await;
    for (body, tags, outcome) in [
        (
            json!({"add": ["d", "a"]}),
            json!(["a", "b", "c", "d"]),
            "updated",
        ),
        (
            json!({"remove": ["b", "x"]}),
            json!(["a", "c", "d"]),
            "updated",
        ),
        (
            json!({"remove": ["a"], "add": ["e", "a"]}),
            json!(["c", "d", "e", "a"]),
            "updated",
        ),
        (
            json!({"add": [" e ", "", "a"]}),
            json!(["c", "d", "e", "a"]),
            "unchanged",
        ),
        (
            json!({"remove": ["E", "none"]}),
            json!(["c", "d", "e", "a"]),
            "unchanged",
        ),
        (
            json!({"remove": [" c ", "d", "e", "a"]}),
            json!(null),
            "updated",
        ),
        (json!({"remove": ["a"]}), json!(null), "unchanged"),
    ] {
        let reply = retag(&app, &id, body.clone()).await;
        assert_eq!((reply.status, &reply.body["tags"]), (200, &tags), "{body}");
        assert_eq!(reply.header("clientele-outcome"), Some(outcome), "{body}");
        assert_eq!(reply.header("clientele-matched-by"), None);
        assert_eq!(app.get(&id).await.body["data"]["tags"], tags);
    }
}

#[tokio::test]
async fn the_reply_is_the_whole_customer() {
    let app = App::start().await;
    let created = app.post(everything()).await;
    let path = format!("/open-api/customers/{}/tags", created.id());
    let reply = app
        .post_to(&path, json!({"add": ["new"], "remove": ["vip"]}))
        .await;
    assert_eq!(reply.status, 200);
    let mut expected = everything();
    expected["tags"] = json!(["lead", "new"]);
    assert_eq!(
        without_identity(&reply),
        flat("Customer updated successfully", expected)
    );
    assert_eq!(reply.body["id"], created.body["id"]);
    assert_eq!(reply.body["created_at"], created.body["created_at"]);
    // All else is as it was, and the filter finds what is there now.
    let item = app.get(&created.id()).await.body;
    assert_eq!(item["data"]["location"], everything()["location"]);
    assert_eq!(app.list("tags=new").await.ids(), [created.id()]);
    assert!(app.list("tags=vip").await.ids().is_empty());
}

#[tokio::test]
async fn nothing_to_do_changes_nothing() {
    let app = App::start().await;
    let id = app.create(json!({"tags": ["a"]})).await;
    let updated = "select updated_at::text from customers";
    let before: Vec<String> = app.column(updated).await;
    for body in [
        json!({}),
        json!({"add": null, "remove": null}),
        json!({"add": [], "remove": [" "]}),
        json!({"add": "", "tags": ["x"]}),
    ] {
        let reply = retag(&app, &id, body).await;
        assert_eq!((reply.status, &reply.body["tags"]), (200, &json!(["a"])));
        assert_eq!(reply.header("clientele-outcome"), Some("unchanged"));
    }
    assert_eq!(app.column::<String>(updated).await, before);
}

#[tokio::test]
async fn what_are_no_tags_is_refused_all_at_once() {
    let app = App::start().await;
    let id = app.create(json!({"tags": ["a"]})).await;
    let long = "x".repeat(101);
    let names: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    for bad in [
        json!("a"),
        json!({"a": 1}),
        json!([1]),
        json!(["a", null]),
        json!([long]),
        json!(["a\u{0}b"]),
        json!(names),
    ] {
        // Of an unknown customer too: the request comes before the look-up.
        for id in [&id, "nobody"] {
            let reply = retag(&app, id, json!({"add": bad, "remove": bad})).await;
            assert_eq!(reply.bad_fields(), ["add", "remove"], "{bad}");
        }
        let reply = retag(&app, &id, json!({"add": ["b"], "remove": bad})).await;
        assert_eq!(reply.bad_fields(), ["remove"], "{bad}");
    }
    assert_eq!(app.get(&id).await.body["data"]["tags"], json!(["a"]));
}

#[tokio::test]
async fn the_hundred_and_first_tag_is_refused_unless_one_makes_room() {
    let app = App::start().await;
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let id = app.create(json!({"tags": names})).await;
    let reply = retag(&app, &id, json!({"add": ["new"]})).await;
    assert_eq!(
        (reply.status, reply.body),
        (400, bodies::invalid(&[("add", "Must be at most 100 tags")]))
    );
    assert_eq!(app.get(&id).await.body["data"]["tags"], json!(names));
    let reply = retag(&app, &id, json!({"add": ["new"], "remove": ["0"]})).await;
    assert_eq!(reply.status, 200);
    let reply = retag(&app, &id, json!({"remove": names})).await;
    assert_eq!(reply.body["tags"], json!(["new"]));
}

#[tokio::test]
async fn every_tag_that_could_be_there_can_be_removed() {
    let app = App::start().await;
    let tags = json!([
        "a,b",
        "new  lead",
        "'quoted'",
        "%",
        "{}",
        "null",
        "víp",
        "👩‍👩‍👧",
        "é".repeat(100)
    ]);
    let id = app.create(json!({"tags": tags})).await;
    for tag in tags.as_array().expect("tags") {
        let reply = retag(&app, &id, json!({"remove": [tag]})).await;
        assert_eq!(reply.header("clientele-outcome"), Some("updated"), "{tag}");
    }
    assert_eq!(app.get(&id).await.body["data"]["tags"], json!(null));
}

#[tokio::test]
async fn thirty_two_at_once_lose_no_tag() {
    let app = App::start().await;
    let second = app.second_server();
    let old: Vec<String> = (0..32).map(|n| format!("old{n}")).collect();
    let id = app
        .create(json!({"tags": old, "phone": "763-555-0101"}))
        .await;
    let mut calls = JoinSet::new();
    for n in 0..32 {
        let tenant = if n % 2 == 0 {
            (*app).clone()
        } else {
            app.on(&second)
        };
        let id = id.clone();
        calls.spawn(async move {
            let body = json!({"add": [format!("new{n}")], "remove": [format!("old{n}")]});
            retag(&tenant, &id, body).await.status
        });
        // And posts about the same customer between them.
        let tenant = (*app).clone();
        calls.spawn(async move {
            let body = json!({"phone": "763-555-0101", "tags": [format!("post{n}")]});
            tenant.post(body).await.status
        });
    }
    assert_eq!(calls.join_all().await, [200; 64]);
    let item = app.get(&id).await.body;
    let tags: HashSet<&str> = item["data"]["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let names = (0..32).flat_map(|n| [format!("new{n}"), format!("post{n}")]);
    let expected: Vec<String> = names.collect();
    assert_eq!(tags, expected.iter().map(String::as_str).collect());
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    let path = format!("/customers/{id}/tags");
    for body in ["", "{", "[]", "null", "\"a\""] {
        let request = app.request(Method::POST, &path);
        let reply = send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.body);
    }
    let request = app.request(Method::POST, &path);
    let reply = send(request.header("content-type", "text/plain").body("{}")).await;
    assert_eq!(reply.status, 415);
    assert_eq!(app.order(&path).await.status, 415);
}

#[tokio::test]
async fn an_archived_customer_is_tagged_and_stays_archived() {
    let app = App::start().await;
    let id = app.create(json!({})).await;
    app.archive(&id).await;
    assert_eq!(retag(&app, &id, json!({"add": ["a"]})).await.status, 200);
    assert!(app.list("").await.ids().is_empty());
}
