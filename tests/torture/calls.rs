//! The calls of a history over HTTP, and their answers.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::checker::Done;
use crate::model::{Answer, Call, Customer, Outcome, Post, Posted, Said, Wrong};
use crate::support::{Reply, Tenant};

/// Makes a call, with when it began and ended by a clock that all workers share.
pub async fn timed(clock: &AtomicU64, tenant: &Tenant, call: Call) -> Done {
    let began = clock.fetch_add(1, Ordering::SeqCst);
    let answer = make(tenant, &call).await;
    let ended = clock.fetch_add(1, Ordering::SeqCst);
    Done {
        began,
        ended,
        call,
        answer,
    }
}

/// Makes a call. It must be done or refused: a 503 would be a deadlock, as there is time enough.
pub async fn make(tenant: &Tenant, call: &Call) -> Answer {
    let reply = match call {
        Call::Post(post) => tenant.post(body(post)).await,
        Call::Batch(posts) => {
            let rows: Vec<Value> = posts.iter().map(body).collect();
            tenant
                .post_to("/customers/batch", json!({"customers": rows}))
                .await
        }
        Call::Archive(id) => tenant.order(&format!("/customers/{id}/archive")).await,
        Call::Restore(id) => tenant.order(&format!("/customers/{id}/restore")).await,
    };
    match (call, reply.status) {
        (Call::Post(_), 200 | 201) => Answer::Posted(vec![Outcome::Done(posted(&reply))]),
        (Call::Post(_), status @ (400 | 404)) => Answer::Posted(vec![Outcome::Refused(status)]),
        (Call::Batch(_), 200) => {
            let results = reply.body["results"].as_array().expect("results");
            Answer::Posted(results.iter().map(row).collect())
        }
        (Call::Archive(_), 200) => Answer::Archived,
        (Call::Restore(_), 200) => {
            Answer::Restored(reply.header("clientele-also-matches").map(str::to_owned))
        }
        (_, other) => panic!("{call:?}: {other} {}", reply.body),
    }
}

fn body(post: &Post) -> Value {
    let mut body = json!({});
    if let Some(id) = &post.id {
        body["id"] = json!(id);
    }
    match post.phone {
        Said::Nothing => {}
        Said::Null => body["phone"] = Value::Null,
        Said::Value(n) => body["phone"] = json!(phone(n)),
    }
    match post.email {
        Said::Nothing => {}
        Said::Null => body["email"] = Value::Null,
        Said::Value(n) => body["email"] = json!(email(n)),
    }
    if let Some(notes) = &post.notes {
        body["notes"] = json!(notes);
    }
    body["tags"] = json!(post.tags);
    match post.wrong {
        None => {}
        Some(Wrong::Email) => body["email"] = json!("nobody's"),
        Some(Wrong::Id) => body["id"] = json!(Uuid::now_v7()),
    }
    body
}

fn phone(n: u8) -> String {
    format!("(763) 555-{n:04}")
}

fn email(n: u8) -> String {
    format!("person{n}@example.com")
}

fn posted(reply: &Reply) -> Posted {
    Posted {
        outcome: reply
            .header("clientele-outcome")
            .expect("an outcome")
            .to_owned(),
        matched_by: reply.header("clientele-matched-by").map(str::to_owned),
        customer: customer(&reply.body),
    }
}

fn row(result: &Value) -> Outcome {
    let text = |name: &str| result[name].as_str().map(str::to_owned);
    let outcome = text("outcome").expect("an outcome");
    if outcome == "refused" {
        let status = result["status"].as_u64().expect("a status");
        return Outcome::Refused(u16::try_from(status).expect("a status"));
    }
    Outcome::Done(Posted {
        outcome,
        matched_by: text("matched_by"),
        customer: customer(&result["customer"]),
    })
}

fn customer(shown: &Value) -> Customer {
    let numbered = |name: &str, written: fn(u8) -> String| {
        let text = shown[name].as_str()?;
        let number = (0..=u8::MAX).find(|n| written(*n) == text);
        Some(number.unwrap_or_else(|| panic!("nobody wrote {text}")))
    };
    let tags = shown["tags"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    Customer {
        id: shown["id"].as_str().expect("an id").to_owned(),
        phone: numbered("phone", phone),
        email: numbered("email", email),
        notes: shown["notes"].as_str().map(str::to_owned),
        tags: tags
            .iter()
            .map(|tag| tag.as_str().expect("a tag").to_owned())
            .collect(),
        archived: false,
    }
}

/// All customers of the company in the order of their ids, as lists show them; their totals have to fit.
pub async fn read(tenant: &Tenant) -> Vec<Customer> {
    let live = tenant.list("limit=1000").await;
    let all = tenant.list("limit=1000&archived=true").await;
    for list in [&live, &all] {
        assert_eq!(
            list.body["pagination"]["total"],
            list.ids().len(),
            "{}",
            list.body
        );
    }
    let live = live.ids();
    let shown = all.body["data"].as_array().expect("a list");
    let customers = shown.iter().map(|shown| {
        let customer = customer(shown);
        Customer {
            archived: !live.contains(&customer.id),
            ..customer
        }
    });
    sorted(customers.collect())
}

/// In the order of their ids.
pub fn sorted(mut customers: Vec<Customer>) -> Vec<Customer> {
    customers.sort_by(|a, b| a.id.cmp(&b.id));
    customers
}

/// The customers that a call made.
pub fn made(answer: &Answer) -> Vec<String> {
    let Answer::Posted(outcomes) = answer else {
        return Vec::new();
    };
    let made = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Done(posted) if posted.outcome == "created" => Some(posted.customer.id.clone()),
        _ => None,
    });
    made.collect()
}
