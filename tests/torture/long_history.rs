//! Very many calls upon one company, too many to look for an order of them: afterwards what must hold
//! after any order is looked for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use fastrand::Rng;
use tokio::task::JoinSet;

use crate::calls::{read, timed};
use crate::checker::Done;
use crate::history::Size;
use crate::invariants::broken;
use crate::model::{Answer, Call, Outcome, Post, Posted, Said, Wrong};
use crate::support::Tenant;

const PEOPLE: u8 = 60;
/// Fewer than a customer can have.
const TAGS: u8 = 80;

/// Makes calls through all of `tenants`, the servers of an empty company, and panics when anything is
/// not as promised. The answer is in words.
pub async fn play(tenants: &[Tenant], seed: u64, size: Size) -> String {
    let clock = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for worker in 0..size.workers {
        let here = tenants[worker % tenants.len()].clone();
        let elsewhere = tenants[(worker + 1) % tenants.len()].clone();
        let clock = Arc::clone(&clock);
        let mut random = Rng::with_seed(seed.wrapping_add(worker as u64 * 0x9E37_79B9));
        workers.spawn(async move {
            let mut calls = Vec::with_capacity(size.calls);
            for _ in 0..size.calls {
                let call = any_call(&mut random);
                let done = timed(&clock, &here, call).await;
                if random.u8(..4) == 0 {
                    is_seen(&elsewhere, &done).await;
                }
                calls.push(done);
            }
            calls
        });
    }
    let calls: Vec<Done> = workers.join_all().await.into_iter().flatten().collect();
    let end = read(&tenants[0]).await;
    let broken = broken(&calls, &end);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let ids: BTreeSet<String> = end.iter().map(|customer| customer.id.clone()).collect();
    assert_eq!(walk(&tenants[1]).await, ids, "a walk");
    assert_eq!(export(&tenants[1]).await, ids, "an export");
    format!(
        "{} calls about {} customers by {} workers, no promise broken",
        calls.len(),
        ids.len(),
        size.workers,
    )
}

fn any_call(random: &mut Rng) -> Call {
    match random.u8(..8) {
        0 => Call::Batch((0..random.usize(1..4)).map(|_| any_post(random)).collect()),
        _ => Call::Post(any_post(random)),
    }
}

/// About somebody who is known by an e-mail alone, or always by a phone and sometimes by an e-mail too:
/// of one who is known now by the one and then by the other there would be two customers, as promised.
fn any_post(random: &mut Rng) -> Post {
    let n = random.u8(..PEOPLE);
    let (phone, email) = match (n % 3, random.bool()) {
        (0, _) => (Said::Nothing, Said::Value(n)),
        (_, false) => (Said::Value(n), Said::Nothing),
        (_, true) => (Said::Value(n), Said::Value(n)),
    };
    let wrong = match random.u8(..16) {
        0 => Some(Wrong::Email),
        1 => Some(Wrong::Id),
        _ => None,
    };
    Post {
        id: None,
        phone,
        email,
        notes: (random.u8(..3) == 0).then(|| format!("note {}", random.u64(..))),
        tags: match wrong {
            Some(_) => vec!["of a refused post".to_owned()],
            None => (0..random.usize(..3))
                .map(|_| format!("tag{}", random.u8(..TAGS)))
                .collect(),
        },
        wrong,
    }
}

/// Whether what was acknowledged is there at once, at another server.
async fn is_seen(elsewhere: &Tenant, done: &Done) {
    let Answer::Posted(outcomes) = &done.answer else {
        return;
    };
    for outcome in outcomes {
        let Outcome::Done(Posted { customer, .. }) = outcome else {
            continue;
        };
        let reply = elsewhere.get(&customer.id).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let shown = &reply.body["data"];
        assert_eq!(shown["id"], customer.id);
        let tags = shown["tags"].as_array().map(Vec::as_slice);
        for tag in &customer.tags {
            let is_there = tags.is_some_and(|tags| tags.iter().any(|shown| shown == tag));
            assert!(is_there, "{tag}: {shown}");
        }
    }
}

/// The ids of all, page by page; each page has the total.
async fn walk(tenant: &Tenant) -> BTreeSet<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    let mut totals = Vec::new();
    loop {
        let page = tenant.list(&format!("limit=7&cursor={cursor}")).await;
        ids.extend(page.ids());
        let pagination = &page.body["pagination"];
        totals.push(pagination["total"].clone());
        match pagination["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert!(totals.iter().all(|total| *total == ids.len()), "{totals:?}");
    once(ids)
}

async fn export(tenant: &Tenant) -> BTreeSet<String> {
    let reply = tenant.fetch("/customers/export?format=ndjson").await;
    let lines = reply.body.as_str().expect("lines");
    let ids = lines.lines().map(|line| {
        let customer: serde_json::Value = serde_json::from_str(line).expect("a customer");
        customer["id"].as_str().expect("an id").to_owned()
    });
    once(ids.collect())
}

fn once(ids: Vec<String>) -> BTreeSet<String> {
    let count = ids.len();
    let ids: BTreeSet<String> = ids.into_iter().collect();
    assert_eq!(ids.len(), count, "some twice");
    ids
}
