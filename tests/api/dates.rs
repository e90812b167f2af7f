//! `created_after` and the like: lists of a part of time.

use serde_json::{Value, json};

use crate::support::App;

/// Customers of these moments, the first the oldest.
async fn created(app: &App, moments: &[&str]) {
    for (n, moment) in moments.iter().enumerate() {
        app.sql(&format!(
            "insert into customers (company_id, id, created_at, updated_at, first_name, search_text,
                rules_version)
            values ('{}', gen_random_uuid(), '{moment}', '{moment}', 'c{n}', 'c{n} hanna', 1)",
            app.company
        ))
        .await;
    }
}

/// The numbers of the customers listed, oldest first.
async fn listed(app: &App, query: &str) -> String {
    let reply = app.list(&format!("sort=created_at&{query}")).await;
    let data = reply.body["data"].as_array().expect("a list").clone();
    assert_eq!(reply.body["pagination"]["total"], data.len(), "{query}");
    let numbers = data
        .iter()
        .map(|item| &item["first_name"].as_str().expect("a name")[1..]);
    numbers.collect()
}

#[tokio::test]
async fn both_bounds_are_exclusive() {
    let app = App::start().await;
    created(
        &app,
        &[
            "2026-01-30 12:00Z",
            "2026-01-31 00:00Z",
            "2026-01-31 12:00Z",
        ],
    )
    .await;
    for field in ["created", "updated"] {
        for (bounds, expected) in [
            ("_after=2026-01-31", "2"),
            ("_before=2026-01-31", "0"),
            ("_after=2026-01-31T01:59:59.999%2B02:00", "12"),
            ("_before=2026-01-31T07:00:00-05:00", "01"),
            ("_after=", "012"),
            ("_after=2027-01-01", ""),
            ("_after=2026-01-01&{}_after=2026-01-31", "2"),
            (
                "_after=2026-01-30T12:00:00Z&{}_before=2026-01-31T12:00:00Z",
                "1",
            ),
            ("_after=2026-01-31T12:00:00Z&{}_before=2026-01-30", ""),
        ] {
            let bounds = bounds.replace("{}", field);
            for other in ["", "&search=hanna", "&search=na", "&archived=true"] {
                let query = format!("{field}{bounds}{other}");
                assert_eq!(listed(&app, &query).await, expected, "{query}");
            }
        }
    }
}

#[tokio::test]
async fn a_time_that_was_shown_is_neither_after_nor_before_itself() {
    let app = App::start().await;
    created(
        &app,
        &[
            "2026-01-31 12:00:00.122999Z",
            "2026-01-31 12:00:00.123Z",
            "2026-01-31 12:00:00.123999Z",
            "2026-01-31 12:00:00.124Z",
        ],
    )
    .await;
    let reply = app.list("sort=created_at").await;
    let shown = |n: usize| {
        reply.body["data"][n]["created_at"]
            .as_str()
            .expect("a time")
    };
    assert_eq!(shown(1), shown(2));
    for n in [1, 2] {
        assert_eq!(
            listed(&app, &format!("created_after={}", shown(n))).await,
            "3"
        );
        assert_eq!(
            listed(&app, &format!("created_before={}", shown(n))).await,
            "0"
        );
    }
}

#[tokio::test]
async fn an_update_is_after_what_came_before_it() {
    let app = App::start().await;
    created(&app, &["2026-01-30Z", "2026-01-31Z"]).await;
    let id = app.list("created_before=2026-01-31").await.ids()[0].clone();
    app.post(json!({"id": id, "notes": "gate code"})).await;
    assert_eq!(listed(&app, "updated_after=2026-01-31").await, "0");
    assert_eq!(listed(&app, "updated_before=2026-02-01").await, "1");
}

#[tokio::test]
async fn totals_of_a_time_are_exact_at_once() {
    let app = App::start().await;
    let total =
        async || app.list("created_after=2026-01-01").await.body["pagination"]["total"].clone();
    for expected in 0..4 {
        assert_eq!(total().await, Value::from(expected));
        app.create(json!({})).await;
    }
}

#[tokio::test]
async fn what_is_no_time_is_refused_by_name() {
    let app = App::start().await;
    let query = "created_after=yesterday&created_before=2026-02-30&updated_after=2026\
        &updated_before=2026-01-31T00:00:00+02:00&sort=size&expand=all";
    assert_eq!(
        app.list(query).await.bad_fields(),
        [
            "created_after",
            "created_before",
            "updated_after",
            "updated_before",
            "sort",
            "expand"
        ]
    );
}
