//! A database that is away, full, or elsewhere: clients are told to come back, what was acknowledged is
//! there when they do, once, and the service goes on by itself.

use std::io::{Write, stderr};
use std::time::{Duration, Instant};

use clientele::store::Store;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{send, tenant};
use crate::support::cluster::Cluster;
use crate::support::forwarder::Forwarder;
use crate::support::program::Serve;
use crate::support::{App, Reply, Tenant, postgres};

/// For what is sure to come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A service on a database.
async fn serve(url: &str) -> (Serve, Tenant) {
    let serve = Serve::start(&[("DATABASE_URL", url), ("RUST_LOG", "error")]);
    let store = Store::connect(url, 1).expect("a store");
    let tenant = tenant(&store, &serve.base(), "Acme", "US").await;
    (serve, tenant)
}

fn assert_told_to_come_back(reply: &Reply) {
    let message = "Service temporarily unavailable. Please retry.";
    let body = json!({"status": "error", "message": message});
    assert_eq!((reply.status, &reply.body), (503, &body));
    assert_eq!(reply.header("retry-after"), Some("1"));
}

/// Posts until it is done, as a client does that is told to come back.
async fn insist(tenant: &Tenant, body: Value) -> Reply {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reply = tenant.post(body.clone()).await;
        if matches!(reply.status, 200 | 201) {
            return reply;
        }
        assert_told_to_come_back(&reply);
        assert!(Instant::now() < deadline, "still away");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn total(tenant: &Tenant) -> Value {
    tenant.list("limit=1").await.body["pagination"]["total"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_to_a_standby_the_service_goes_on_with_all_that_was_acknowledged() {
    let primary = Cluster::start().await;
    let address = Forwarder::to(&primary.socket()).await;
    let standby = primary.standby();
    let (_serve, tenant) = serve(&address.url()).await;
    let id = tenant.create(json!({"phone": "763-555-0100"})).await;
    let tags: Vec<String> = (0..20).map(|n| format!("t{n}")).collect();
    for tag in &tags {
        let reply = tenant.post(json!({"phone": "763-555-0100", "tags": [tag]}));
        assert_eq!(reply.await.status, 200);
    }
    primary.kill();
    // A session may answer once more before it sees that its server is dead.
    let deadline = Instant::now() + PATIENCE;
    let mut away = tenant.post(json!({"phone": "763-555-0100"})).await;
    while away.status == 200 {
        assert!(Instant::now() < deadline, "the dead server goes on");
        away = tenant.post(json!({"phone": "763-555-0100"})).await;
    }
    assert_told_to_come_back(&away);

    // The address may lead to the standby before it may write.
    address.lead_to(&standby.socket());
    let deadline = Instant::now() + PATIENCE;
    while tenant.get(&id).await.status != 200 {
        assert!(Instant::now() < deadline, "the standby cannot be read");
    }
    let batch = json!({"customers": [{"phone": "763-555-0101"}]});
    for refused in [
        tenant.post(json!({"phone": "763-555-0101"})).await,
        tenant.post(json!({"id": id, "notes": "x"})).await,
        tenant.post_to("/customers/batch", batch).await,
        tenant.order(&format!("/customers/{id}/archive")).await,
        tenant.delete(&format!("/customers/{id}")).await,
    ] {
        assert_told_to_come_back(&refused);
    }
    let got = tenant.get(&id).await;
    assert_eq!(got.body["data"]["tags"], json!(tags), "{got:?}");

    standby.promote();
    let reply = insist(&tenant, json!({"phone": "763-555-0100", "notes": "moved"})).await;
    assert_eq!(reply.id(), id);
    assert_eq!(reply.body["tags"], json!(tags));
    assert_eq!(total(&tenant).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_nothing_more_and_loses_nothing() {
    let Some(cluster) = Cluster::with_small_disk().await else {
        // Past the test's captured output: it is to be seen.
        let told = writeln!(
            stderr(),
            "SKIPPED: a full disk needs root, unshare and setpriv"
        );
        told.expect("standard error");
        return;
    };
    let url = cluster.url();
    postgres::execute(
        &url,
        "alter table customers set tablespace small;
        create table filler (line text) tablespace small",
    )
    .await;
    let (_serve, tenant) = serve(&url).await;
    let id = tenant.create(json!({"first_name": "Ada"})).await;
    // Fills it to the last block: what fails takes its lines with it, so each time by fewer.
    postgres::execute(
        &url,
        "do $$
        declare lines int := 100000;
        begin
            while lines > 0 loop
                begin
                    insert into filler select repeat('x', 1000) from generate_series(1, lines);
                exception when disk_full then lines := lines / 2;
                end;
            end loop;
        end $$",
    )
    .await;
    // In the blocks that there are, there is still room for some.
    let words: Vec<String> = (0..900).map(|n| format!("{}", n * 7919)).collect();
    let notes = words.join(" ");
    let mut customers = 1;
    let refused = loop {
        let reply = tenant.post(json!({"notes": notes})).await;
        if reply.status != 201 {
            break reply;
        }
        customers += 1;
        assert!(customers < 1_000, "the disk is never full");
    };
    assert_told_to_come_back(&refused);
    let rows: Vec<Value> = (0..100).map(|_| json!({"notes": notes})).collect();
    let batch = json!({"customers": rows});
    assert_told_to_come_back(&tenant.post_to("/customers/batch", batch.clone()).await);
    assert_eq!(tenant.get(&id).await.body["data"]["first_name"], "Ada");
    assert_eq!(total(&tenant).await, customers);

    postgres::execute(&url, "drop table filler").await;
    let reply = tenant.post_to("/customers/batch", batch).await;
    assert_eq!(reply.body["summary"]["created"], 100, "{}", reply.body);
    let count: Vec<i64> = postgres::column(&url, "select count(*) from customers").await;
    assert_eq!(count, [customers + 100]);
    assert_eq!(total(&tenant).await, customers + 100);
}

/// A transaction of the service that has been committed, and that nobody has been told of yet.
const UNTOLD: &str = "select exists (select from pg_stat_activity
    where application_name = 'clientele' and wait_event = 'SyncRep' and query ilike 'commit%')";

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_again_after_a_commit_that_nobody_was_told_of_makes_no_second_customer() {
    let cluster = Cluster::start().await;
    let url = cluster.url();
    let (mut first, tenant) = serve(&url).await;
    let second = Serve::start(&[("DATABASE_URL", url.as_str())]);
    let elsewhere = tenant.at(&second.base());
    for tenant in [&tenant, &elsewhere] {
        assert_eq!(tenant.auth_test().await.status, 200);
    }
    // What is committed is on disk then, but not acknowledged before a standby has it that is not there.
    cluster.wait_for_standbys("nobody").await;
    // That takes a moment: the first may still be told.
    let mut customers = 0;
    let (body, cut) = 'untold: loop {
        customers += 1;
        let phone = format!("763-555-{customers:04}");
        let body = json!({"phone": phone, "tags": ["a"]});
        let post = tenant.request(Method::POST, "/customers").json(&body);
        let told = tokio::spawn(post.send());
        while !told.is_finished() {
            if postgres::column::<bool>(&url, UNTOLD).await == [true] {
                break 'untold (body, told);
            }
        }
    };
    first.kill();
    assert!(cut.await.unwrap().is_err(), "a reply of who was killed");

    let again = elsewhere.request(Method::POST, "/customers").json(&body);
    let again = tokio::spawn(send(again));
    cluster.wait_for_standbys("").await;
    let reply = again.await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("clientele-outcome"), Some("unchanged"));
    assert_eq!(total(&elsewhere).await, customers);
}

#[tokio::test]
async fn after_the_clock_was_set_back_lists_walks_and_totals_stay_right() {
    let app = App::start().await;
    let early = app
        .create(json!({"phone": "763-555-0100", "first_name": "Ann"}))
        .await;
    // As if these had been written while the clock was an hour fast.
    app.sql(
        "update customers set created_at = created_at + interval '1 hour',
            updated_at = updated_at + interval '1 hour';
        update customer_totals set changed_at = changed_at + interval '1 hour'",
    )
    .await;
    let mut seen = app.list("search=ann").await.ids();
    assert_eq!(seen, [early.as_str()]);
    let mut newest_first = vec![early.clone()];
    for n in 1..6 {
        let id = app.create(json!({"first_name": format!("Ann{n}")})).await;
        newest_first.insert(1, id);
        // The total of a search is counted anew after each write, whatever its time.
        let found = app.list("search=ann&limit=1").await;
        assert_eq!(found.body["pagination"]["total"], newest_first.len());
    }
    assert_eq!(app.list("").await.ids(), newest_first);
    seen.clear();
    let mut cursor = String::new();
    loop {
        let page = app.list(&format!("limit=2&cursor={cursor}")).await;
        seen.extend(page.ids());
        match page.body["pagination"]["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen, newest_first);
    // It is found, and may be written, although it is of the future.
    let reply = app
        .post(json!({"phone": "763-555-0100", "last_name": "Bo"}))
        .await;
    assert_eq!((reply.status, reply.id()), (200, early));
}
