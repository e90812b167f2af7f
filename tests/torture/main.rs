//! Attempts to break what the service promises. The short ones run with all tests, the long ones by
//! `cargo test --release --test torture -- --ignored --nocapture --test-threads 1`.

mod calls;
mod checker;
mod crash;
mod history;
mod invariants;
mod long_history;
mod model;
mod overload;
#[path = "../api/support/mod.rs"]
#[allow(dead_code, unused_imports)]
mod support;

use std::env;
use std::time::Duration;

use history::{Size, play};
use support::program::Serve;
use support::{App, Tenant};

/// Two server processes on one database.
struct Servers {
    app: App,
    serves: [Serve; 2],
}

impl Servers {
    async fn start() -> Self {
        let app = App::start().await;
        // On a busy machine nobody is to be refused for want of time.
        let settings = [
            ("DATABASE_URL", app.database_url.as_str()),
            ("CLIENTELE_ACQUIRE_TIMEOUT", "60s"),
            ("CLIENTELE_LOCK_TIMEOUT", "60s"),
            ("CLIENTELE_STATEMENT_TIMEOUT", "60s"),
        ];
        let serves = [Serve::start(&settings), Serve::start(&settings)];
        Self { app, serves }
    }

    /// A company of its own, on both.
    async fn company(&self) -> [Tenant; 2] {
        let tenant = self.app.company("Torture", "US").await;
        [0, 1].map(|n| tenant.at(&self.serves[n].base()))
    }
}

/// Where the random calls come from.
fn seed() -> u64 {
    let seed = match env::var("TORTURE_SEED") {
        Ok(seed) => seed.parse().expect("TORTURE_SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    println!("TORTURE_SEED={seed}");
    seed
}

/// Plays `rounds` histories; one that is wrong is looked for again in small.
async fn play_all(rounds: u64, size: Size) -> Vec<usize> {
    let seed = seed();
    let servers = Servers::start().await;
    let mut histories = Vec::new();
    for round in 0..rounds {
        let seed = seed.wrapping_add(round);
        match play(&servers.company().await, seed, size).await {
            Ok(calls) => histories.push(calls),
            Err(history) => {
                let smallest = shrink(&servers, seed, size, history).await;
                panic!("no order of these calls explains their answers: {smallest}");
            }
        }
    }
    histories
}

/// The smallest history that is found to be wrong.
async fn shrink(servers: &Servers, seed: u64, size: Size, history: String) -> String {
    const TRIES: u64 = 50;
    let mut smallest = (seed, size, history);
    loop {
        let Size { workers, calls } = smallest.1;
        let smaller = [
            Size {
                workers: workers / 2,
                calls,
            },
            Size {
                workers,
                calls: calls / 2,
            },
            Size {
                workers: workers - 1,
                calls,
            },
            Size {
                workers,
                calls: calls - 1,
            },
        ];
        let mut found = None;
        'sizes: for size in smaller.into_iter().filter(|s| s.workers > 0 && s.calls > 0) {
            for more in 0..TRIES {
                let company = servers.company().await;
                let seed = seed.wrapping_add(more);
                if let Err(history) = play(&company, seed, size).await {
                    found = Some((seed, size, history));
                    break 'sizes;
                }
            }
        }
        let Some(smaller) = found else {
            let (seed, size, history) = smallest;
            return format!("seed {seed}, {size:?}\n{history}");
        };
        smallest = smaller;
    }
}

#[tokio::test]
async fn calls_at_once_do_what_calls_one_after_the_other_could_have_done() {
    let size = Size {
        workers: 5,
        calls: 7,
    };
    assert_eq!(play_all(15, size).await.len(), 15);
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn ten_thousand_calls_at_once_do_what_calls_one_after_the_other_could_have_done() {
    let mut histories = Vec::new();
    for (rounds, workers, calls) in [(220, 4, 10), (100, 6, 5)] {
        histories.extend(play_all(rounds, Size { workers, calls }).await);
    }
    let calls: usize = histories.iter().sum();
    println!(
        "{calls} calls in {} histories, all of them explained",
        histories.len()
    );
    assert!(calls >= 10_000, "{calls}");
}

#[tokio::test]
async fn a_long_history_of_one_company_breaks_no_promise() {
    let size = Size {
        workers: 8,
        calls: 60,
    };
    let servers = Servers::start().await;
    long_history::play(&servers.company().await, seed(), size).await;
}

#[tokio::test]
#[ignore = "takes a minute"]
async fn ten_thousand_calls_on_one_company_break_no_promise() {
    let size = Size {
        workers: 16,
        calls: 625,
    };
    let servers = Servers::start().await;
    let done = long_history::play(&servers.company().await, seed(), size).await;
    println!("{done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_once_whatever_is_killed() {
    println!("{}", crash::survive(0..4).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn what_was_acknowledged_is_there_once_however_often_something_is_killed() {
    println!("{}", crash::survive(0..60).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute"]
async fn four_times_what_can_be_served_is_served_as_far_as_it_can_be() {
    let app = App::start().await;
    // A database that is busy elsewhere: not this machine is to be too slow for the clients.
    app.sql(
        "create function dawdle() returns trigger language plpgsql as
            $$ begin perform pg_sleep(0.01); return new; end $$;
        create trigger dawdle before insert on customers for each row execute function dawdle()",
    )
    .await;
    for queue in ["64", "1000000"] {
        let settings = [
            ("CLIENTELE_DB_CONNECTIONS", "4"),
            ("CLIENTELE_DB_QUEUE", queue),
            ("RUST_LOG", "off"),
        ];
        let (_serve, tenant) = patient(&app, &settings).await;
        let found = overload::saturate(&tenant, Duration::from_secs(15), 4).await;
        println!("a queue of {queue}:\n{}", found.words);
        let [full, over] = found.served;
        assert!(over > full / 2, "no more than {over} of {full} are served");
        assert!(found.refused > 0, "nothing is refused");
    }
}

/// A service that waits long for what its clients send, on connections that they opened ahead.
async fn patient(app: &App, settings: &[(&str, &str)]) -> (Serve, Tenant) {
    let mut all = vec![
        ("DATABASE_URL", app.database_url.as_str()),
        ("CLIENTELE_HEADER_TIMEOUT", "120s"),
        ("CLIENTELE_KEEP_ALIVE", "120s"),
    ];
    all.extend_from_slice(settings);
    let serve = Serve::start(&all);
    let tenant = app.company("Torture", "US").await.at(&serve.base());
    (serve, tenant)
}

#[tokio::test]
#[ignore = "opens ten thousand connections"]
async fn ten_thousand_idle_connections_starve_nobody() {
    let app = App::start().await;
    for connections in [0, 10_000] {
        let (_serve, tenant) = patient(&app, &[]).await;
        println!("{}", overload::idle(&tenant, connections).await);
    }
}
