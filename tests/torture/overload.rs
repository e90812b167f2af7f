//! More requests than can be served, and more connections than do anything. What is served and what is
//! refused is held to the documentation; how fast is printed, for a table in docs/reliability.md.

// Figures for people to read, far from the limits of any type.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::support::Tenant;

/// Clients that together keep the service busy: twice its connections to the database.
const CLIENTS: usize = 8;
/// Between two moments at which requests are sent.
const TICK: Duration = Duration::from_millis(5);

/// How long replies took.
#[derive(Default)]
struct Replies {
    served: Vec<(Duration, String)>,
    refused: Vec<Duration>,
    /// Whether these were done nobody was told: a connection that a client opens and does not use for
    /// five seconds is closed with 408, maybe as it is used at last.
    cut: usize,
}

impl Replies {
    /// Posts a customer of its own, and takes a 201, or a 503 as it is documented.
    async fn post(&mut self, tenant: &Tenant, n: usize) {
        let sent = Instant::now();
        let body = json!({"phone": format!("763{n:07}"), "tags": ["new"]});
        let request = tenant.request(Method::POST, "/customers").json(&body);
        let Ok(reply) = request.send().await else {
            self.cut += 1;
            return;
        };
        let (status, retry_after) = (reply.status(), reply.headers().get("retry-after").cloned());
        if status == StatusCode::REQUEST_TIMEOUT {
            self.cut += 1;
            return;
        }
        let body: Value = reply.json().await.expect("a body");
        let took = sent.elapsed();
        match status.as_u16() {
            201 => self.served.push((took, body["id"].to_string())),
            503 => {
                assert_eq!(retry_after.expect("a time to wait"), "1");
                self.refused.push(took);
            }
            other => panic!("{other}: {body}"),
        }
    }

    fn add(&mut self, mut others: Self) {
        self.served.append(&mut others.served);
        self.refused.append(&mut others.refused);
        self.cut += others.cut;
    }

    /// What a row of the table says.
    fn in_words(&self, time: Duration) -> String {
        let each_second = |count: usize| count as f64 / time.as_secs_f64();
        let mut served: Vec<Duration> = self.served.iter().map(|(took, _)| *took).collect();
        let mut refused = self.refused.clone();
        format!(
            "offered {:.0} a second, served {:.0} (p50 {:?}, p99 {:?}), refused {:.0} (p50 {:?}, p99 {:?}), {} cut",
            each_second(served.len() + refused.len()),
            each_second(served.len()),
            percentile(&mut served, 50),
            percentile(&mut served, 99),
            each_second(refused.len()),
            percentile(&mut refused, 50),
            percentile(&mut refused, 99),
            self.cut,
        )
    }
}

fn percentile(times: &mut [Duration], of: usize) -> Duration {
    times.sort_unstable();
    times
        .get(times.len() * of / 100)
        .copied()
        .unwrap_or_default()
}

/// Offers as much as can be served, then `times` as much. Whoever was told 201 must be there
/// afterwards, and nobody else.
pub async fn saturate(tenant: &Tenant, time: Duration, times: f64) -> String {
    let names = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (tenant, names) = (tenant.clone(), Arc::clone(&names));
        clients.spawn(async move {
            let mut replies = Replies::default();
            while began.elapsed() < time {
                let n = names.fetch_add(1, Ordering::Relaxed);
                replies.post(&tenant, n).await;
            }
            replies
        });
    }
    let mut busy = Replies::default();
    for replies in clients.join_all().await {
        busy.add(replies);
    }
    let full = busy.in_words(began.elapsed());
    let rate = busy.served.len() as f64 / began.elapsed().as_secs_f64() * times;
    let (over, took) = offer(tenant, time, rate, &names).await;
    let words = over.in_words(took);
    busy.add(over);
    let told: BTreeSet<String> = busy.served.into_iter().map(|(_, id)| id).collect();
    let total = tenant.list("limit=1").await.body["pagination"]["total"].clone();
    assert_eq!(
        total,
        told.len(),
        "all that were acknowledged, and no other"
    );
    format!("full: {full}\n{times} times: {words}")
}

/// Sends `rate` requests a second, whether or not the ones before were answered.
async fn offer(
    tenant: &Tenant,
    time: Duration,
    rate: f64,
    names: &Arc<AtomicUsize>,
) -> (Replies, Duration) {
    let began = Instant::now();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut requests = JoinSet::new();
    while began.elapsed() < time {
        tick.tick().await;
        let due = (began.elapsed().as_secs_f64() * rate) as usize;
        while requests.len() < due {
            let (tenant, names) = (tenant.clone(), Arc::clone(names));
            requests.spawn(async move {
                let n = names.fetch_add(1, Ordering::Relaxed);
                let mut replies = Replies::default();
                replies.post(&tenant, n).await;
                replies
            });
        }
    }
    let mut all = Replies::default();
    for replies in requests.join_all().await {
        all.add(replies);
    }
    (all, began.elapsed())
}

/// How long a post takes while so many connections are open and send nothing.
pub async fn idle(tenant: &Tenant, connections: usize) -> String {
    let address = tenant.base.trim_start_matches("http://");
    let opened: Vec<TcpStream> = (0..connections)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    let mut replies = Replies::default();
    let began = Instant::now();
    for n in 0..500 {
        replies.post(tenant, n).await;
    }
    assert!(replies.refused.is_empty());
    format!(
        "beside {} idle: {}",
        opened.len(),
        replies.in_words(began.elapsed())
    )
}
