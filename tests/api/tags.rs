//! Tags are merged, never replaced.

use serde_json::{Value, json};

use crate::support::App;

/// The tags after `first` was created and each of `then` was sent by its id.
async fn merged(app: &App, first: Value, then: &[Value]) -> Value {
    let created = app.post(json!({"tags": first})).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let mut tags = created.body["tags"].clone();
    for more in then {
        let reply = app.post(json!({"id": created.id(), "tags": more})).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        tags = reply.body["tags"].clone();
    }
    assert_eq!(app.get(&created.id()).await.body["data"]["tags"], tags);
    tags
}

#[tokio::test]
async fn new_tags_are_added_behind_the_known_ones() {
    let app = App::start().await;
    let tags = merged(
        &app,
        json!(["b", "a"]),
        &[json!(["c", "a"]), json!(["0", "b"])],
    )
    .await;
    assert_eq!(tags, json!(["b", "a", "c", "0"]));
}

#[tokio::test]
async fn tags_are_trimmed_blanks_dropped_and_repetitions_joined() {
    let app = App::start().await;
    let tags = merged(&app, json!([" vip ", "", "  ", "vip", "new  lead"]), &[]).await;
    assert_eq!(tags, json!(["vip", "new  lead"]));
}

#[tokio::test]
async fn tags_are_compared_exactly() {
    let app = App::start().await;
    let tags = merged(&app, json!(["vip"]), &[json!(["VIP", "víp", "vip"])]).await;
    assert_eq!(tags, json!(["vip", "VIP", "víp"]));
}

#[tokio::test]
async fn null_and_empty_tags_change_nothing() {
    let app = App::start().await;
    let then = [json!(null), json!([]), json!([" "])];
    assert_eq!(merged(&app, json!(["vip"]), &then).await, json!(["vip"]));
}

#[tokio::test]
async fn no_tags_at_all_are_null() {
    let app = App::start().await;
    for none in [json!(null), json!([]), json!(["", " "])] {
        assert_eq!(merged(&app, none, &[]).await, json!(null));
    }
}

#[tokio::test]
async fn tags_are_merged_on_a_match_by_phone_too() {
    let app = App::start().await;
    app.create(json!({"phone": "763-555-0101", "tags": ["a"]}))
        .await;
    let reply = app
        .post(json!({"phone": "7635550101", "tags": ["b"]}))
        .await;
    assert_eq!(reply.body["tags"], json!(["a", "b"]));
    assert_eq!(reply.header("clientele-outcome"), Some("updated"));
}

#[tokio::test]
async fn a_hundred_tags_of_a_hundred_characters_are_kept() {
    let app = App::start().await;
    let tags: Vec<String> = (0..100).map(|n| format!("{n:é>100}")).collect();
    assert_eq!(merged(&app, json!(tags), &[json!(tags)]).await, json!(tags));
}

#[tokio::test]
async fn more_than_a_hundred_tags_are_refused() {
    let app = App::start().await;
    let names: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    assert_eq!(
        app.post(json!({"tags": names})).await.bad_fields(),
        ["tags"]
    );

    let id = app.create(json!({"tags": names[..100]})).await;
    let reply = app
        .post(json!({"id": id, "first_name": "Jane", "tags": ["one more"]}))
        .await;
    assert_eq!(reply.bad_fields(), ["tags"]);
    // Nothing of a refused request is kept.
    let item = app.get(&id).await.body;
    assert_eq!(item["data"]["tags"], json!(names[..100]));
    assert_eq!(item["data"].get("first_name"), None);
}

#[tokio::test]
async fn the_filter_finds_any_of_the_tags_exactly() {
    let app = App::start().await;
    let a = app.create(json!({"tags": ["a", "x"]})).await;
    let b = app.create(json!({"tags": ["b", "x"]})).await;
    let upper = app.create(json!({"tags": ["A"]})).await;
    app.create(json!({"tags": ["ab"]})).await;
    app.create(json!({})).await;
    for (filter, expected) in [
        ("a", vec![&a]),
        ("A", vec![&upper]),
        ("a,b", vec![&b, &a]),
        ("b,a,none", vec![&b, &a]),
        (" x , ,", vec![&b, &a]),
        ("none", vec![]),
        ("a%", vec![]),
    ] {
        let reply = app
            .list(&format!("tags={}", filter.replace('%', "%25")))
            .await;
        assert_eq!(reply.ids().iter().collect::<Vec<_>>(), expected, "{filter}");
        assert_eq!(
            reply.body["pagination"]["total"],
            expected.len(),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn a_filter_of_blanks_filters_nothing() {
    let app = App::start().await;
    app.create(json!({"tags": ["a"]})).await;
    app.create(json!({})).await;
    for filter in ["", ",", "%20,%20"] {
        let reply = app.list(&format!("tags={filter}")).await;
        assert_eq!(reply.body["pagination"]["total"], 2, "{filter:?}");
    }
}
