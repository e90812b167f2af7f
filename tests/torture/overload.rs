//! More requests than can be served, and more connections than do anything. What is served and what is
//! refused is held to the documentation; how fast is printed, for a table in docs/reliability.md.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures for people to read, far from the limits of any type"
)]

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::support::Tenant;

/// Clients that together keep the service busy: twice its connections to the database.
const CLIENTS: usize = 8;
/// Between two moments at which requests are sent.
const TICK: Duration = Duration::from_millis(5);

/// What was served, with its customer, and what was refused: after what time.
#[derive(Default)]
struct Replies {
    served: Vec<(Duration, String)>,
    refused: Vec<Duration>,
}

impl Replies {
    /// Posts a customer of its own, and takes a 201, or a 503 as it is documented.
    async fn post(&mut self, tenant: &Tenant, n: usize) {
        let sent = Instant::now();
        let body = json!({"phone": format!("763{n:07}"), "tags": ["new"]});
        let reply = tenant.post(body).await;
        let took = sent.elapsed();
        match reply.status {
            201 => self.served.push((took, reply.id())),
            503 => {
                assert_eq!(reply.header("retry-after"), Some("1"));
                self.refused.push(took);
            }
            other => panic!("{other}: {}", reply.body),
        }
    }

    fn add(&mut self, mut others: Self) {
        self.served.append(&mut others.served);
        self.refused.append(&mut others.refused);
    }

    /// What a row of the table says: sent within one time, and answered within another.
    fn in_words(&self, sent_in: Duration, answered_in: Duration) -> String {
        let each_second = |count: usize| count as f64 / answered_in.as_secs_f64();
        let mut served: Vec<Duration> = self.served.iter().map(|(took, _)| *took).collect();
        let mut refused = self.refused.clone();
        format!(
            "offered {:.0} a second, served {:.0} (p50 {:?}, p99 {:?}), refused {:.0} (p50 {:?}, \
            p99 {:?})",
            (served.len() + refused.len()) as f64 / sent_in.as_secs_f64(),
            each_second(served.len()),
            percentile(&mut served, 50),
            percentile(&mut served, 99),
            each_second(refused.len()),
            percentile(&mut refused, 50),
            percentile(&mut refused, 99),
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

/// What came of it.
pub struct Saturated {
    /// First of as much as can be served, then of more.
    pub served: [usize; 2],
    /// Of more than can be served.
    pub refused: usize,
    pub words: String,
}

/// Offers as much as can be served, then `times` as much. Whoever was told 201 must be there
/// afterwards, and nobody else.
pub async fn saturate(tenant: &Tenant, time: Duration, times: u32) -> Saturated {
    let phones = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (tenant, phones) = (tenant.clone(), Arc::clone(&phones));
        clients.spawn(async move {
            let mut replies = Replies::default();
            while began.elapsed() < time {
                let n = phones.fetch_add(1, Ordering::Relaxed);
                replies.post(&tenant, n).await;
            }
            replies
        });
    }
    let mut busy = Replies::default();
    for replies in clients.join_all().await {
        busy.add(replies);
    }
    let took = began.elapsed();
    let full = busy.in_words(took, took);
    let rate = busy.served.len() as f64 / took.as_secs_f64() * f64::from(times);
    let (over, took) = offer(tenant, time, rate, &phones).await;
    let saturated = Saturated {
        served: [busy.served.len(), over.served.len()],
        refused: over.refused.len(),
        words: format!("full: {full}\n{times} times: {}", over.in_words(time, took)),
    };
    busy.add(over);
    let told: BTreeSet<String> = busy.served.into_iter().map(|(_, id)| id).collect();
    let total = tenant.list("limit=1").await.body["pagination"]["total"].clone();
    assert_eq!(
        total,
        told.len(),
        "all that were acknowledged, and no other"
    );
    saturated
}

/// Sends `rate` requests a second, whether or not the ones before were answered.
async fn offer(
    tenant: &Tenant,
    time: Duration,
    rate: f64,
    phones: &Arc<AtomicUsize>,
) -> (Replies, Duration) {
    let began = Instant::now();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut requests = JoinSet::new();
    while began.elapsed() < time {
        tick.tick().await;
        let due = (began.elapsed().as_secs_f64() * rate) as usize;
        while requests.len() < due {
            let (tenant, phones) = (tenant.clone(), Arc::clone(phones));
            requests.spawn(async move {
                let n = phones.fetch_add(1, Ordering::Relaxed);
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
        .map(|_| TcpStream::connect(address).expect("a connection: mind `ulimit -n`"))
        .collect();
    let mut replies = Replies::default();
    let began = Instant::now();
    for n in 0..500 {
        replies.post(tenant, n).await;
    }
    assert_eq!(replies.served.len(), 500);
    let took = began.elapsed();
    for stream in &opened {
        stream.set_nonblocking(true).expect("a socket");
        let nothing_yet = stream.peek(&mut [0]).expect_err("nothing, not even an end");
        assert_eq!(nothing_yet.kind(), ErrorKind::WouldBlock);
    }
    format!(
        "beside {} idle: {}",
        opened.len(),
        replies.in_words(took, took)
    )
}
