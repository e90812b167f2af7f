//! The list: pages, filters and totals.

use flate2::read::GzDecoder;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Tenant};

/// So many customers, newest first.
async fn customers(tenant: &Tenant, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.insert(
            0,
            tenant.create(json!({"first_name": format!("C{n}")})).await,
        );
    }
    ids
}

fn pagination(has_more: bool, limit: i64, page: i64, total: i64) -> Value {
    json!({"has_more": has_more, "limit": limit, "page": page, "total": total})
}

#[tokio::test]
async fn an_empty_list_has_the_documented_shape() {
    let app = App::start().await;
    let reply = app.list("").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.body,
        json!({"data": [], "pagination": pagination(false, 50, 1, 0), "status": "success"})
    );
}

#[tokio::test]
async fn the_newest_customer_comes_first() {
    let app = App::start().await;
    let ids = customers(&app, 5).await;
    let reply = app.list("").await;
    assert_eq!(reply.ids(), ids);
    assert_eq!(reply.body["pagination"], pagination(false, 50, 1, 5));
}

#[tokio::test]
async fn the_list_goes_by_age_and_not_by_id() {
    let app = App::start().await;
    let ids = customers(&app, 2).await;
    let oldest = &ids[0];
    app.sql(&format!(
        "update customers set created_at = '2001-02-03 04:05:06.789Z' where id = '{oldest}'"
    ))
    .await;
    let reply = app.list("").await;
    assert_eq!(reply.ids(), [ids[1].clone(), oldest.clone()]);
    assert_eq!(
        reply.body["data"][1]["created_at"],
        "2001-02-03T04:05:06.789Z"
    );
}

#[tokio::test]
async fn customers_of_one_moment_are_each_on_one_page() {
    let app = App::start().await;
    let mut ids = customers(&app, 7).await;
    app.sql("update customers set created_at = '2001-02-03Z'")
        .await;
    let mut seen = Vec::new();
    for page in 1..=4 {
        seen.extend(app.list(&format!("limit=2&page={page}")).await.ids());
    }
    seen.sort();
    ids.sort();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let app = App::start().await;
    let ids = customers(&app, 5).await;
    for (page, items, has_more) in [(1, 0..2, true), (2, 2..4, true), (3, 4..5, false)] {
        let reply = app.list(&format!("limit=2&page={page}")).await;
        assert_eq!(reply.ids(), ids[items]);
        assert_eq!(reply.body["pagination"], pagination(has_more, 2, page, 5));
    }
}

#[tokio::test]
async fn a_last_page_that_is_full_has_no_more() {
    let app = App::start().await;
    customers(&app, 4).await;
    let reply = app.list("limit=2&page=2").await;
    assert_eq!(reply.body["pagination"], pagination(false, 2, 2, 4));
}

#[tokio::test]
async fn a_page_past_the_end_is_empty_and_knows_the_total() {
    let app = App::start().await;
    customers(&app, 3).await;
    for page in [2, 3, 1_000_000_000] {
        let reply = app.list(&format!("page={page}")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body["data"], json!([]));
        assert_eq!(reply.body["pagination"], pagination(false, 50, page, 3));
    }
}

#[tokio::test]
async fn fifty_are_listed_unless_asked_otherwise() {
    let app = App::start().await;
    let company = app.company;
    app.sql(&format!(
        "insert into customers (company_id, id, search_text, rules_version)
        select '{company}', gen_random_uuid(), '', 1 from generate_series(1, 1001)"
    ))
    .await;
    let default = app.list("").await;
    assert_eq!(default.ids().len(), 50);
    assert_eq!(default.body["pagination"], pagination(true, 50, 1, 1001));
    let longest = app.list("limit=1000").await;
    assert_eq!(longest.ids().len(), 1000);
    assert_eq!(longest.body["pagination"], pagination(true, 1000, 1, 1001));
    assert_eq!(app.list("limit=1").await.ids().len(), 1);
}

#[tokio::test]
async fn a_page_or_limit_out_of_range_is_refused() {
    let app = App::start().await;
    for page in [
        "0",
        "-1",
        "1.5",
        "abc",
        "9223372036854775807",
        "99999999999999999999999",
    ] {
        assert_eq!(
            app.list(&format!("page={page}")).await.bad_fields(),
            ["page"],
            "{page}"
        );
    }
    for limit in ["0", "-1", "1001", "x", "99999999999999999999999"] {
        assert_eq!(
            app.list(&format!("limit={limit}")).await.bad_fields(),
            ["limit"],
            "{limit}"
        );
    }
}

#[tokio::test]
async fn every_bad_parameter_is_reported_at_once() {
    let app = App::start().await;
    let reply = app.list("archived=maybe&status=gone&limit=0&page=0").await;
    assert_eq!(reply.bad_fields(), ["page", "limit", "status", "archived"]);
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let app = App::start().await;
    let ids = customers(&app, 1).await;
    let reply = app.list("color=red&order=name&page[]=3").await;
    assert_eq!((reply.status, reply.ids()), (200, ids));
}

#[tokio::test]
async fn the_status_filters() {
    let app = App::start().await;
    let active = app.create(json!({"status": "active"})).await;
    let inactive = app.create(json!({"status": "inactive"})).await;
    app.create(json!({})).await;
    for (status, id) in [("active", active), ("inactive", inactive)] {
        let reply = app.list(&format!("status={status}")).await;
        assert_eq!(reply.ids(), [id]);
        assert_eq!(reply.body["pagination"]["total"], 1);
    }
}

#[tokio::test]
async fn archived_customers_are_listed_only_when_asked_for() {
    let app = App::start().await;
    let ids = customers(&app, 3).await;
    app.archive(&ids[1]).await;
    let live = [ids[0].clone(), ids[2].clone()];
    for query in ["", "archived=false"] {
        let reply = app.list(query).await;
        assert_eq!(reply.ids(), live);
        assert_eq!(reply.body["pagination"]["total"], 2);
    }
    let all = app.list("archived=true").await;
    assert_eq!(all.ids(), ids);
    assert_eq!(all.body["pagination"]["total"], 3);
}

#[tokio::test]
async fn filters_narrow_each_other() {
    let app = App::start().await;
    let wanted = json!({"first_name": "Jane", "status": "active", "tags": ["vip"]});
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.insert(0, app.create(wanted.clone()).await);
    }
    for (field, other) in [
        ("first_name", json!("Joe")),
        ("status", json!("inactive")),
        ("tags", json!(["lead"])),
    ] {
        let mut near = wanted.clone();
        near[field] = other;
        app.create(near).await;
    }
    let archived = app.create(wanted).await;
    app.archive(&archived).await;

    let filters = "search=jan&status=active&tags=vip,gold";
    let reply = app.list(&format!("{filters}&limit=2")).await;
    assert_eq!(reply.ids(), expected[..2]);
    assert_eq!(reply.body["pagination"], pagination(true, 2, 1, 3));
    let reply = app.list(&format!("{filters}&limit=2&page=2")).await;
    assert_eq!(reply.ids(), expected[2..]);
    let reply = app.list(&format!("{filters}&archived=true")).await;
    assert_eq!(reply.body["pagination"]["total"], 4);
}

#[tokio::test]
async fn a_client_that_accepts_gzip_gets_the_list_compressed() {
    let app = App::start().await;
    for n in 0..20 {
        app.create(json!({ "first_name": format!("Ann {n}"), "property_city": "Omaha" }))
            .await;
    }
    let plain = app.list("").await;
    assert_eq!(plain.header("content-encoding"), None);
    let request = app
        .request(Method::GET, "/customers")
        .header("accept-encoding", "gzip");
    let response = request.send().await.expect("a reply");
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["vary"], "accept-encoding");
    let compressed = response.bytes().await.expect("a whole body");
    let body: Value =
        serde_json::from_reader(GzDecoder::new(&compressed[..])).expect("JSON inside");
    assert_eq!(body, plain.body);
}
