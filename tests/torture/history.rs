//! Random calls about few people, made at once, and what became of them.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::checker::{Done, is_sequential};
use crate::model::{Answer, Call, Customer, Outcome, Post, Posted, Said, State, Wrong};
use crate::support::{Reply, Tenant};

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub workers: usize,
    pub calls: usize,
}

const PEOPLE: u8 = 4;
const TAGS: u8 = 6;
/// Customers that are there before, so that calls have ids.
const KNOWN: usize = 3;

/// Makes calls upon an empty company through all of `tenants`, its servers; the answer is the history
/// in words, when it is none that calls one after the other could have made.
pub async fn play(tenants: &[Tenant], seed: u64, size: Size) -> Result<usize, String> {
    let mut before = State::default();
    for n in 0..KNOWN {
        let post = Post {
            id: None,
            phone: Said::Value(u8::try_from(n).expect("few")),
            email: Said::Nothing,
            notes: None,
            tags: Vec::new(),
            wrong: None,
        };
        let call = Call::Post(post);
        let answer = make(&tenants[0], &call).await;
        let after = before.after(&call, &answer);
        before = after.ok_or_else(|| format!("{call:?}: {answer:?}"))?;
    }
    let known: Vec<String> = before.0.iter().map(|c| c.id.clone()).collect();
    // With those made meanwhile, whoever made them.
    let known = Arc::new(Mutex::new(known));
    let clock = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for worker in 0..size.workers {
        let tenant = tenants[worker % tenants.len()].clone();
        let (known, clock) = (Arc::clone(&known), Arc::clone(&clock));
        let mut random = Rng::with_seed(seed.wrapping_add(worker as u64 * 0x9E37_79B9));
        workers.spawn(async move {
            let mut done = Vec::with_capacity(size.calls);
            for _ in 0..size.calls {
                let call = any_call(&mut random, &known.lock().expect("nobody panicked"));
                let began = clock.fetch_add(1, Ordering::SeqCst);
                let answer = make(&tenant, &call).await;
                let ended = clock.fetch_add(1, Ordering::SeqCst);
                let made = made(&answer);
                known.lock().expect("nobody panicked").extend(made);
                done.push(Done {
                    began,
                    ended,
                    call,
                    answer,
                });
            }
            done
        });
    }
    let calls: Vec<Done> = workers.join_all().await.into_iter().flatten().collect();
    let end = read(&tenants[0]).await;
    let is_end = |state: &State| sorted(state.0.clone()) == end;
    if is_sequential(&before, &calls, is_end) {
        return Ok(calls.len());
    }
    let mut words = format!("before:\n{before}");
    for done in &calls {
        let Done { began, ended, .. } = done;
        let _ = writeln!(
            words,
            "{began}..{ended} {:?}\n    {:?}",
            done.call, done.answer
        );
    }
    Err(words + &format!("after:\n{}", State(end)))
}

fn any_call(random: &mut Rng, known: &[String]) -> Call {
    let id = known[random.usize(..known.len())].clone();
    match random.u8(..10) {
        0 => Call::Archive(id),
        1 => Call::Restore(id),
        2 => Call::Batch(
            (0..random.usize(1..4))
                .map(|_| any_post(random, known))
                .collect(),
        ),
        _ => Call::Post(any_post(random, known)),
    }
}

fn made(answer: &Answer) -> Vec<String> {
    let Answer::Posted(outcomes) = answer else {
        return Vec::new();
    };
    let made = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Done(posted) if posted.outcome == "created" => Some(posted.customer.id.clone()),
        _ => None,
    });
    made.collect()
}

fn any_post(random: &mut Rng, known: &[String]) -> Post {
    let wrong = match random.u8(..16) {
        0 => Some(Wrong::Email),
        1 => Some(Wrong::Id),
        _ => None,
    };
    let id = (random.u8(..4) == 0).then(|| known[random.usize(..known.len())].clone());
    let said = |random: &mut Rng| match random.u8(..6) {
        0 | 1 => Said::Nothing,
        2 => Said::Null,
        _ => Said::Value(random.u8(..PEOPLE)),
    };
    let (phone, email) = (said(random), said(random));
    Post {
        id,
        phone,
        email,
        notes: (random.u8(..3) == 0).then(|| format!("note {}", random.u32(..))),
        tags: (0..random.usize(..3))
            .map(|_| format!("tag{}", random.u8(..TAGS)))
            .collect(),
        wrong,
    }
}

async fn make(tenant: &Tenant, call: &Call) -> Answer {
    let reply = loop {
        let reply = ask(tenant, call).await;
        // A machine too busy for it: nothing is killed here, so it was not done.
        if reply.status != 503 {
            break reply;
        }
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

async fn ask(tenant: &Tenant, call: &Call) -> Reply {
    match call {
        Call::Post(post) => tenant.post(body(post)).await,
        Call::Batch(posts) => {
            let rows: Vec<Value> = posts.iter().map(body).collect();
            tenant
                .post_to("/customers/batch", json!({"customers": rows}))
                .await
        }
        Call::Archive(id) => tenant.order(&format!("/customers/{id}/archive")).await,
        Call::Restore(id) => tenant.order(&format!("/customers/{id}/restore")).await,
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
    format!("(763) 555-010{n}")
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
        let number = (0..PEOPLE).find(|n| written(*n) == text);
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

/// All customers of the company, as lists show them; their totals have to fit.
async fn read(tenant: &Tenant) -> Vec<Customer> {
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

fn sorted(mut customers: Vec<Customer>) -> Vec<Customer> {
    customers.sort_by(|a, b| a.id.cmp(&b.id));
    customers
}
