//! `POST /customers/batch`.

use std::collections::HashSet;

use clientele::domain::key::Scope;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::app::with_scopes;
use crate::support::{App, Reply, Tenant};

async fn batch(tenant: &Tenant, rows: &[Value]) -> Reply {
    tenant
        .post_to("/customers/batch", json!({"customers": rows}))
        .await
}

/// The field of each result.
fn each(reply: &Reply, field: &str) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let results = reply.body["results"].as_array().expect("results");
    results.iter().map(|result| result[field].clone()).collect()
}

/// A reply without what differs from post to post.
fn timeless(customer: &Value) -> Value {
    let mut customer = customer.clone();
    let fields = customer.as_object_mut().expect("a customer");
    fields.remove("id");
    fields.remove("created_at");
    customer
}

#[tokio::test]
async fn each_row_is_answered_as_the_post_of_it_would_be() {
    let app = App::start().await;
    let other = app.other_company().await;
    let known = json!({"first_name": "Ada", "phone": "763-555-0100", "tags": ["a"]});
    for tenant in [&*app, &other] {
        tenant.create(known.clone()).await;
        tenant.create(json!({"email": "split@example.com"})).await;
    }
    let rows = [
        json!({"first_name": "Bo", "email": "Bo@Example.com", "status": "active",
            "billing_same_as_property": true, "property_city": "Omaha", "location": [41.2, -96.0]}),
        json!({"phone": "(763) 555-0100", "tags": ["b"]}),
        known,
        json!({"email": "bo@example.com", "notes": null, "last_name": "Diddley"}),
        json!({"phone": "+17635550100", "email": "split@example.com"}),
        json!({}),
        json!({"email": "bo@example.com"}),
    ];
    let reply = batch(&app, &rows).await;
    for (index, row) in rows.iter().enumerate() {
        let single = other.post(row.clone()).await;
        let result = &reply.body["results"][index];
        assert_eq!(result["index"], index);
        assert_eq!(result["status"], single.status);
        assert_eq!(
            timeless(&result["customer"]),
            timeless(&single.body),
            "{row}"
        );
        let said = |name: &str| single.header(name).map_or(Value::Null, Value::from);
        assert_eq!(result["outcome"], said("clientele-outcome"));
        assert_eq!(result["matched_by"], said("clientele-matched-by"));
        let split = single.header("clientele-also-matches").is_some();
        assert_eq!(result["also_matches"].is_string(), split, "{row}");
    }
    assert_eq!(
        reply.body["summary"],
        json!({"total": 7, "created": 2, "updated": 4, "unchanged": 1, "refused": 0})
    );
    assert_eq!(reply.body["status"], "success");
    assert_eq!(app.list("").await.body["pagination"]["total"], 4);
}

#[tokio::test]
async fn what_a_batch_answers_is_what_is_kept() {
    let app = App::start().await;
    let tags = [
        "plain",
        "with \"quotes\"",
        "back\\slash",
        "comma,{brace}",
        "null",
        "ünï",
    ];
    let rows = [json!({
        "first_name": "O'Neil; drop table", "tags": tags, "phone": "763-555-0100",
        "notes": "two\nlines\t\"quoted\" \\ {x}", "location": [45.5, -93.25],
        "billing_same_as_property": false, "status": "inactive",
    })];
    let reply = batch(&app, &rows).await;
    let customer = &reply.body["results"][0]["customer"];
    assert_eq!(customer["tags"], json!(tags));
    let id = customer["id"].as_str().expect("an id");
    let item = app.get(id).await.body["data"].clone();
    for field in [
        "first_name",
        "tags",
        "notes",
        "phone",
        "status",
        "created_at",
    ] {
        assert_eq!(item[field], customer[field], "{field}");
    }
    assert_eq!(item["location"], json!([45.5, -93.25]));
    assert_eq!(app.search("neil 5550100").await, [id]);
    assert_eq!(app.list("tags=null").await.ids(), [id]);
}

#[tokio::test]
async fn rows_of_one_batch_match_each_other_as_if_posted_in_order() {
    let app = App::start().await;
    let rows = [
        json!({"phone": "763-555-0100", "tags": ["a"]}),
        json!({"phone": "763.555.0100", "email": "a@example.com", "tags": ["b"]}),
        json!({"email": "A@example.com", "phone": "763-555-0199"}),
        // Its phone was just given up, so this is somebody else.
        json!({"phone": "763-555-0100"}),
    ];
    let reply = batch(&app, &rows).await;
    assert_eq!(each(&reply, "status"), [201, 200, 200, 201]);
    let ids: Vec<Value> = each(&reply, "customer")
        .iter()
        .map(|customer| customer["id"].clone())
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[3]);
    assert_eq!(app.list("").await.body["pagination"]["total"], 2);
    let first = app.get(ids[0].as_str().expect("an id")).await.body;
    assert_eq!(first["data"]["tags"], json!(["a", "b"]));
    assert_eq!(first["data"]["phone"], "763-555-0199");
}

#[tokio::test]
async fn a_phone_that_a_row_takes_from_its_first_holder_leads_to_the_next() {
    let app = App::start().await;
    let phone = "763-555-0100";
    let first = app
        .create(json!({"first_name": "First", "phone": phone}))
        .await;
    let mut family = vec![first];
    for name in ["Second", "Third"] {
        let id = app.create(json!({"first_name": name})).await;
        app.post(json!({"id": id, "phone": phone})).await;
        family.push(id);
    }
    let rows = [
        json!({"id": family[0], "phone": null}),
        json!({"id": family[1], "phone": "763-555-0111"}),
        json!({"phone": phone, "tags": ["third"]}),
    ];
    let reply = batch(&app, &rows).await;
    assert_eq!(reply.body["results"][2]["customer"]["id"], family[2]);
}

#[tokio::test]
async fn a_bad_row_does_not_fail_the_others() {
    let app = App::start().await;
    let other = app.other_company().await;
    let foreign = other.create(json!({"first_name": "Eve"})).await;
    let hundred: Vec<String> = (0..100).map(|n| format!("t{n}")).collect();
    let rows = [
        json!({"first_name": "Ada"}),
        json!({"email": "nonsense", "status": "asleep"}),
        json!("Ada"),
        json!({"id": foreign, "first_name": "Mallory"}),
        json!({"id": "0190b6c2-7b1e-7c50-8000-000000000001"}),
        json!({"phone": "763-555-0100", "tags": hundred}),
        json!({"phone": "763-555-0100", "tags": ["one more"], "notes": "never kept"}),
        json!({"last_name": "Lovelace"}),
    ];
    let reply = batch(&app, &rows).await;
    assert_eq!(
        each(&reply, "status"),
        [201, 400, 400, 404, 404, 201, 400, 201]
    );
    assert_eq!(
        reply.body["summary"],
        json!({"total": 8, "created": 3, "updated": 0, "unchanged": 0, "refused": 5})
    );
    let errors = each(&reply, "errors");
    let fields: Vec<&Value> = [&errors[1][0], &errors[1][1], &errors[3][0], &errors[6][0]]
        .iter()
        .map(|error| &error["field"])
        .collect();
    assert_eq!(fields, ["email", "status", "id", "tags"]);
    assert_eq!(errors[3], errors[4]);
    assert_eq!(errors[0], Value::Null);
    assert_eq!(each(&reply, "outcome")[1], "refused");
    assert!(reply.body["results"][1].get("customer").is_none());

    assert_eq!(app.list("").await.body["pagination"]["total"], 3);
    assert!(app.search("mallory").await.is_empty());
    let eve = other.get(&foreign).await.body;
    assert_eq!(eve["data"]["first_name"], "Eve");
    let tagged = app.list("tags=t0").await.body;
    assert_eq!(tagged["data"][0]["notes"], Value::Null);
}

#[tokio::test]
async fn a_batch_has_one_to_a_thousand_rows() {
    let app = App::start().await;
    for body in [
        json!({}),
        json!({"customers": []}),
        json!({"customers": {}}),
        json!({"customers": null}),
        json!({"customers": vec![json!({}); 1_001]}),
    ] {
        let reply = app.post_to("/customers/batch", body).await;
        assert_eq!(reply.bad_fields(), ["customers"]);
    }
    assert_eq!(app.post_to("/customers/batch", json!([])).await.status, 400);
    let rows: Vec<Value> = (0..1_000)
        .map(|n| json!({"first_name": format!("n{n}")}))
        .collect();
    let reply = batch(&app, &rows).await;
    assert_eq!(reply.body["summary"]["created"], 1_000);
    // The list has them newest first: in the order of the rows, from the last one on.
    let listed = app.list("limit=1000").await;
    let names: Vec<&Value> = listed.body["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| &item["first_name"])
        .collect();
    let expected: Vec<Value> = (0..1_000).rev().map(|n| json!(format!("n{n}"))).collect();
    assert_eq!(names, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_of_up_to_eight_mebibytes_is_read() {
    let app = App::start().await;
    let row = json!({"notes": "x".repeat(10_000)});
    let reply = batch(&app, &vec![row.clone(); 800]).await;
    assert_eq!(reply.body["summary"]["created"], 800);
    let reply = batch(&app, &vec![row; 850]).await;
    assert_eq!(reply.status, 413, "{}", reply.body);
    assert_eq!(app.list("").await.body["pagination"]["total"], 800);
}

#[tokio::test]
async fn a_batch_needs_the_scope_to_write() {
    let app = App::start().await;
    let key = app.key(with_scopes(&[Scope::CustomersRead])).await;
    let reply = batch(&app.with_key(&key), &[json!({})]).await;
    assert_eq!(reply.status, 403);
    assert_eq!(reply.body["error_code"], "INSUFFICIENT_SCOPE");
    let reply = app.fetch("/customers/batch").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    let reply = app
        .post_to("/open-api/customers/batch", json!({"customers": [{}]}))
        .await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn the_same_batch_again_changes_nothing() {
    let app = App::start().await;
    let rows: Vec<Value> = (0..50)
        .map(|n| json!({"phone": format!("763-555-01{n:02}"), "tags": ["x"]}))
        .collect();
    batch(&app, &rows).await;
    let written = "select max(updated_at)::text from customers";
    let before: Vec<String> = app.column(written).await;
    let reply = batch(&app, &rows).await;
    assert_eq!(reply.body["summary"]["unchanged"], 50);
    assert_eq!(app.column::<String>(written).await, before);
}

#[tokio::test]
async fn batches_and_posts_that_overlap_in_any_order_neither_deadlock_nor_make_anyone_twice() {
    let app = App::start().await;
    let second = app.second_server();
    let mut under_way = JoinSet::new();
    for n in 0..12_usize {
        let tenant = if n % 2 == 0 {
            (*app).clone()
        } else {
            app.on(&second)
        };
        let row = move |k: usize| {
            json!({"phone": format!("763-555-01{:02}", k % 40),
                "email": format!("e{}@example.com", k % 40), "tags": [format!("t{n}")]})
        };
        under_way.spawn(async move {
            // Forwards, backwards, and one by one.
            let rows: Vec<Value> = match n % 3 {
                0 => (0..40).map(row).collect(),
                1 => (0..40).rev().map(row).collect(),
                _ => {
                    for k in 0..40 {
                        let reply = tenant.post(row(k * 7)).await;
                        assert!(matches!(reply.status, 200 | 201), "{}", reply.body);
                    }
                    return;
                }
            };
            let reply = batch(&tenant, &rows).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
            assert_eq!(reply.body["summary"]["refused"], 0, "{}", reply.body);
        });
    }
    under_way.join_all().await;
    let listed = app.list("limit=1000").await;
    assert_eq!(listed.body["pagination"]["total"], 40);
    for item in listed.body["data"].as_array().expect("a list") {
        let tags: HashSet<&str> = item["tags"]
            .as_array()
            .expect("tags")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(tags.len(), 12, "{item}");
    }
}
