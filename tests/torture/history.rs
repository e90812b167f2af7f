//! Random calls about few people, made at once, and what became of them.

use std::fmt::Write;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use tokio::task::JoinSet;

use crate::calls::{made, make, read, sorted, timed};
use crate::checker::{Done, is_sequential};
use crate::model::{Call, Post, Said, State, Wrong};
use crate::support::Tenant;

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
                let one = timed(&clock, &tenant, call).await;
                let made = made(&one.answer);
                known.lock().expect("nobody panicked").extend(made);
                done.push(one);
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
