//! What was acknowledged is there, once, whatever is killed in between.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clientele::store::Store;
use fastrand::Rng;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::Tenant;
use crate::support::app::tenant;
use crate::support::cluster::Cluster;
use crate::support::program::Serve;

const WRITERS: usize = 8;
/// The first three digits of local numbers, one for each writer: of customers that are tagged, and of
/// those found by their phone alone.
const TAGGED: usize = 560;
const FOUND: usize = 570;
/// How many writes there are between two customers that are tagged: a fourth of them are tags, and a
/// customer has no more than a hundred.
const TAGGED_WITH: usize = 320;
/// What a client waits for that was refused: less than it is told to, for more load.
const PAUSE: Duration = Duration::from_millis(5);
/// After this nothing comes back any more.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Database,
    Session,
    Service,
    /// Not killed, but told to stop at once, whoever is connected.
    DatabaseRestarted,
}

/// What writers do until they are told to stop.
struct Load {
    /// At the service, which is at another port each time that it is started.
    tenant: Mutex<Tenant>,
    stop: AtomicBool,
    /// While the service itself is away connections may be refused or cut.
    service_is_away: AtomicBool,
    acknowledged: AtomicUsize,
    unavailable: AtomicUsize,
    cut: AtomicUsize,
}

impl Load {
    fn request(&self, path: &str, key: Option<&str>) -> RequestBuilder {
        let tenant = self.tenant.lock().expect("nobody panicked").clone();
        let request = tenant.request(Method::POST, path);
        match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        }
    }

    fn service_is_at(&self, base: String) {
        self.tenant.lock().expect("nobody panicked").base = base;
    }

    /// Sends a request until it is acknowledged; none when it was told to stop before.
    async fn insist(&self, path: &str, key: Option<&str>, body: &Value) -> Option<Value> {
        while !self.stop.load(Ordering::SeqCst) {
            let away_before = self.service_is_away.load(Ordering::SeqCst);
            let sent = self.request(path, key).json(body).send().await;
            let is_cut = || {
                let away = away_before || self.service_is_away.load(Ordering::SeqCst);
                assert!(away, "cut by a service that runs");
                self.cut.fetch_add(1, Ordering::Relaxed);
            };
            let Ok(reply) = sent else {
                is_cut();
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let status = reply.status().as_u16();
            let retry_after = reply.headers().contains_key("retry-after");
            match status {
                200 | 201 | 503 => {
                    // A reply that is cut off is none.
                    let Ok(body) = reply.json::<Value>().await else {
                        is_cut();
                        continue;
                    };
                    if status != 503 {
                        self.acknowledged.fetch_add(1, Ordering::Relaxed);
                        return Some(body);
                    }
                    let documented = json!({
                        "status": "error", "message": "Service temporarily unavailable. Please retry."
                    });
                    assert_eq!((retry_after, body), (true, documented));
                    self.unavailable.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(PAUSE).await;
                }
                409 if retry_after => tokio::time::sleep(PAUSE).await,
                other => panic!("{other}: {:?}", reply.text().await),
            }
        }
        None
    }
}

/// Writes customers without phone or e-mail, which only their idempotency key keeps from being made
/// twice; customers with a phone, without such a key; and tags upon customers of the writer's own. The
/// answer is what was acknowledged.
async fn write(load: Arc<Load>, writer: usize) -> Written {
    let mut written = Written {
        ids: HashMap::new(),
        tags: HashMap::new(),
    };
    for n in 0.. {
        let mark = format!("w{writer}-{n}");
        let key = Uuid::now_v7().to_string();
        let tagged = format!("763{}{:04}", TAGGED + writer, n / TAGGED_WITH);
        let tag = format!("t{n}");
        let (path, body) = match n % 4 {
            0 => ("/customers", json!({"notes": mark})),
            1 => ("/customers", json!({"phone": tagged, "tags": [tag]})),
            2 => {
                let phone = format!("763{}{n:04}", FOUND + writer);
                ("/customers", json!({"phone": phone, "notes": mark}))
            }
            _ => (
                "/customers/batch",
                json!({"customers": [{"notes": mark}, {"notes": format!("{mark}-too")}]}),
            ),
        };
        // What is found by its phone may be sent again as it is.
        let key = (n % 4 != 2).then_some(key.as_str());
        let Some(reply) = load.insist(path, key, &body).await else {
            break;
        };
        match n % 4 {
            0 | 2 => _ = written.ids.insert(mark, text(&reply["id"])),
            1 => written.tags.entry(tagged).or_default().push(tag),
            _ => {
                for (row, mark) in [mark.clone(), format!("{mark}-too")]
                    .into_iter()
                    .enumerate()
                {
                    let id = text(&reply["results"][row]["customer"]["id"]);
                    written.ids.insert(mark, id);
                }
            }
        }
    }
    written
}

/// What was acknowledged to a writer.
struct Written {
    /// Ids by what is in the notes.
    ids: HashMap<String, String>,
    /// By the phone.
    tags: HashMap<String, Vec<String>>,
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

/// Kills all of `victims`, one after the other, under load. The answer is in words.
pub async fn survive(victims: impl Iterator<Item = u8>) -> String {
    let cluster = Cluster::start().await;
    let url = cluster.url();
    let settings = [("DATABASE_URL", url.as_str()), ("RUST_LOG", "off")];
    let mut serve = Serve::start(&settings);
    let tenant = {
        // Not kept: its session is not one to be killed.
        let store = Store::connect(&url, 1).expect("a store");
        tenant(&store, &serve.base(), "Torture", "US").await
    };
    let load = Arc::new(Load {
        tenant: Mutex::new(tenant),
        stop: AtomicBool::new(false),
        service_is_away: AtomicBool::new(false),
        acknowledged: AtomicUsize::new(0),
        unavailable: AtomicUsize::new(0),
        cut: AtomicUsize::new(0),
    });
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(Arc::clone(&load), writer));
    }
    let mut kills = 0;
    let mut slowest = Duration::ZERO;
    let mut random = Rng::new();
    for victim in victims {
        progress(&load).await;
        tokio::time::sleep(Duration::from_millis(random.u64(0..100))).await;
        match [
            Victim::Database,
            Victim::Service,
            Victim::Session,
            Victim::DatabaseRestarted,
        ][usize::from(victim % 4)]
        {
            Victim::Database => {
                cluster.kill();
                start_again(&cluster);
            }
            Victim::DatabaseRestarted => assert!(cluster.order("restart"), "no restart"),
            Victim::Session => timeout(PATIENCE, kill_a_session(&url))
                .await
                .expect("a session that is killed, and the end of all others"),
            Victim::Service => {
                load.service_is_away.store(true, Ordering::SeqCst);
                serve.kill();
                serve = Serve::start(&settings);
                load.service_is_at(serve.base());
            }
        }
        let back = Instant::now();
        progress(&load).await;
        load.service_is_away.store(false, Ordering::SeqCst);
        slowest = slowest.max(back.elapsed());
        kills += 1;
    }
    load.stop.store(true, Ordering::SeqCst);
    let written = writers.join_all().await;
    let found = verify(&url, &written).await;
    format!(
        "{kills} kills; {} requests acknowledged, {found} customers there, each once; {} times 503, {} \
        connections cut; served again at most {} ms after what was killed was back",
        load.acknowledged.load(Ordering::Relaxed),
        load.unavailable.load(Ordering::Relaxed),
        load.cut.load(Ordering::Relaxed),
        slowest.as_millis(),
    )
}

/// What is left of a server that was killed ends by itself; until then no other can start.
fn start_again(cluster: &Cluster) {
    let deadline = Instant::now() + PATIENCE;
    while !cluster.order("start") {
        assert!(Instant::now() < deadline, "PostgreSQL does not come back");
        std::thread::sleep(PAUSE);
    }
}

/// Kills one of the service's sessions. The server takes that for a crash and ends all others too;
/// this returns once it has.
async fn kill_a_session(url: &str) {
    let pid = loop {
        // It may have ended by itself in between: another one, then.
        if let Ok(Some(pid)) = session(url, "limit 1").await
            && kill(pid)
        {
            break pid;
        }
        tokio::time::sleep(PAUSE).await;
    };
    let this = format!("and pid = {pid}");
    while !matches!(session(url, &this).await, Ok(None)) {
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether there was such a process to kill.
fn kill(pid: i32) -> bool {
    let kill = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    kill.expect("kill").success()
}

/// One of the service's sessions.
async fn session(url: &str, which: &str) -> sqlx::Result<Option<i32>> {
    let mut connection = PgConnection::connect(url).await?;
    let sql =
        format!("select pid from pg_stat_activity where application_name = 'clientele' {which}");
    let query = sqlx::query_scalar(AssertSqlSafe(sql));
    query.fetch_optional(&mut connection).await
}

/// Waits until requests are acknowledged again: three for each writer.
async fn progress(load: &Load) {
    let deadline = Instant::now() + PATIENCE;
    let before = load.acknowledged.load(Ordering::Relaxed);
    while load.acknowledged.load(Ordering::Relaxed) < before + 3 * WRITERS {
        assert!(Instant::now() < deadline, "the service does not come back");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Looks in the database for what was acknowledged; the answer is how many customers there are.
async fn verify(url: &str, written: &[Written]) -> usize {
    use crate::support::postgres::column;
    let rows: Vec<String> = column(
        url,
        "select notes || ' ' || id from customers where notes is not null",
    )
    .await;
    let mut found: HashMap<&str, &str> = HashMap::new();
    for row in &rows {
        let (mark, id) = row.split_once(' ').expect("a mark and an id");
        let other = found.insert(mark, id);
        assert_eq!(other, None, "{mark} is there twice");
    }
    for (mark, id) in written.iter().flat_map(|written| &written.ids) {
        assert_eq!(found.get(mark.as_str()), Some(&id.as_str()), "{mark}");
    }
    let tagged = written.iter().flat_map(|written| &written.tags);
    for (phone, sent) in tagged.clone() {
        let sql = format!("select id::text from customers where phone_key = '+1{phone}'");
        let ids: Vec<String> = column(url, &sql).await;
        assert_eq!(ids.len(), 1, "{phone}: {ids:?}");
        let sql = format!("select unnest(tags) from customers where id = '{}'", ids[0]);
        let tags: Vec<String> = column(url, &sql).await;
        let lost: Vec<&String> = sent.iter().filter(|tag| !tags.contains(tag)).collect();
        assert!(lost.is_empty(), "{phone} lost {lost:?}: {tags:?}");
    }
    let totals: Vec<i64> = column(
        url,
        "select (select count(*) from customers) - (
            select sum(live_active + live_inactive + live_without_status
                + archived_active + archived_inactive + archived_without_status)::bigint
            from customer_totals
        )",
    )
    .await;
    assert_eq!(
        totals,
        [0],
        "the totals that are kept are not those there are"
    );
    rows.len() + tagged.count()
}
