//! What was acknowledged is there, once, whatever is killed in between.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clientele::domain::audit::Actor;
use clientele::domain::key::{NewKey, Scope};
use clientele::store::Store;
use fastrand::Rng;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::support::program::Serve;

const WRITERS: usize = 8;
/// What a client waits for that was refused: less than it is told to, for more load.
const PAUSE: Duration = Duration::from_millis(5);

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
    client: Client,
    key: String,
    /// Where the service is: it is another port each time that it is started.
    base: std::sync::Mutex<String>,
    stop: AtomicBool,
    /// While the service itself is away connections may be refused or cut.
    service_is_away: AtomicBool,
    acknowledged: AtomicUsize,
    unavailable: AtomicUsize,
    cut: AtomicUsize,
}

impl Load {
    fn request(&self, path: &str) -> RequestBuilder {
        let base = self.base.lock().expect("nobody panicked").clone();
        self.client
            .request(Method::POST, format!("{base}{path}"))
            .header("x-api-key", &self.key)
            .header("rotor-api-version", "1.1.0")
    }

    /// Sends a request until it is acknowledged; none when it was told to stop before.
    async fn insist(&self, path: &str, key: &str, body: &Value) -> Option<Value> {
        while !self.stop.load(Ordering::SeqCst) {
            let away_before = self.service_is_away.load(Ordering::SeqCst);
            let request = self.request(path).header("idempotency-key", key);
            let sent = request.json(body).send().await;
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
/// twice, and tags upon a customer of the writer's own. The answer is what was acknowledged.
async fn write(load: Arc<Load>, writer: usize) -> Written {
    let mut written = Written {
        writer,
        ids: HashMap::new(),
        tags: Vec::new(),
    };
    for n in 0.. {
        let mark = format!("w{writer}-{n}");
        let key = Uuid::now_v7().to_string();
        let (path, body) = match n % 3 {
            0 => ("/customers", json!({"notes": mark})),
            1 => (
                "/customers",
                json!({"phone": format!("763555{writer:04}"), "tags": [format!("t{}", n % 90)]}),
            ),
            _ => (
                "/customers/batch",
                json!({"customers": [{"notes": mark}, {"notes": format!("{mark}-too")}]}),
            ),
        };
        let Some(reply) = load.insist(path, &key, &body).await else {
            break;
        };
        match n % 3 {
            0 => _ = written.ids.insert(mark, text(&reply["id"])),
            1 => written.tags.push(format!("t{}", n % 90)),
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
    writer: usize,
    /// Ids by what is in the notes.
    ids: HashMap<String, String>,
    tags: Vec<String>,
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

/// Kills all of `victims`, one after the other, under load. The answer is in words.
pub async fn survive(victims: impl Iterator<Item = u8>) -> String {
    let mut cluster = Cluster::start().await;
    let url = cluster.url().to_owned();
    let settings = [("DATABASE_URL", url.as_str()), ("RUST_LOG", "off")];
    let mut serve = Serve::start(&settings);
    let load = Arc::new(Load {
        client: client(),
        key: key(&url).await,
        base: serve.base().into(),
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
        let back = match [
            Victim::Database,
            Victim::Service,
            Victim::Session,
            Victim::DatabaseRestarted,
        ][usize::from(victim % 4)]
        {
            Victim::Database => restarted(&mut cluster, "KILL").await,
            Victim::DatabaseRestarted => restarted(&mut cluster, "INT").await,
            Victim::Session => {
                let session = cluster.kill_a_session().await;
                // The server takes that for a crash, and ends all others too.
                while cluster.has(session).await {
                    tokio::time::sleep(PAUSE).await;
                }
                Instant::now()
            }
            Victim::Service => {
                load.service_is_away.store(true, Ordering::SeqCst);
                serve.kill();
                serve = Serve::start(&settings);
                *load.base.lock().expect("nobody panicked") = serve.base();
                Instant::now()
            }
        };
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

/// When the server took connections again.
async fn restarted(cluster: &mut Cluster, signal: &str) -> Instant {
    let started = clock(cluster.url()).await;
    cluster.restart(signal);
    // It may still be there for a moment.
    loop {
        cluster.is_there().await;
        if clock(cluster.url())
            .await
            .is_some_and(|now| Some(now) != started)
        {
            return Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// When the server was started, by its own clock.
async fn clock(url: &str) -> Option<String> {
    use sqlx::{Connection, PgConnection};
    let mut connection = PgConnection::connect(url).await.ok()?;
    let started = sqlx::query_scalar("select pg_postmaster_start_time()::text");
    started.fetch_one(&mut connection).await.ok()
}

/// Waits for every kind of request to be acknowledged again.
async fn progress(load: &Load) {
    let patience = Instant::now() + Duration::from_mins(1);
    let before = load.acknowledged.load(Ordering::Relaxed);
    while load.acknowledged.load(Ordering::Relaxed) < before + 3 * WRITERS {
        assert!(Instant::now() < patience, "the service does not come back");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

async fn key(url: &str) -> String {
    let store = Store::connect(url, 1).expect("a store");
    let by = Actor::Operator("tester".to_owned());
    let name = "Torture".parse().expect("a name");
    let company = store.create_company(&name, "US".parse().expect("a region"), &by);
    let new = NewKey {
        scopes: Scope::ALL.to_vec(),
        ..NewKey::default()
    };
    let key = store
        .create_key(company.await.expect("a company"), new, &by)
        .await;
    key.expect("a key").expose()
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
    for written in written {
        let writer = written.writer;
        let sql =
            format!("select unnest(tags) from customers where phone_key = '+1763555{writer:04}'");
        let tags: Vec<String> = column(url, &sql).await;
        for tag in &written.tags {
            assert!(
                tags.contains(tag),
                "writer {writer} lost {tag} of {:?}: {tags:?}",
                written.tags
            );
        }
        let count =
            format!("select count(*) from customers where phone_key = '+1763555{writer:04}'");
        let count: Vec<i64> = column(url, &count).await;
        assert!(count[0] <= 1, "writer {writer} has {count:?} customers");
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
    rows.len() + written.len()
}
