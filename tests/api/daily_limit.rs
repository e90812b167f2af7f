//! The daily limit of a key.

use std::num::NonZeroU32;

use chrono::{Timelike, Utc};
use clientele::domain::key::{NewKey, Scope};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::app::{send, with_scopes};
use crate::support::program::Serve;
use crate::support::{App, Reply, Tenant, bodies};

async fn limited(app: &App, limit: u32, scopes: &[Scope]) -> Tenant {
    let key = app
        .key(NewKey {
            daily_limit: NonZeroU32::new(limit),
            ..with_scopes(scopes)
        })
        .await;
    app.with_key(&key)
}

fn number(reply: &Reply, header: &str) -> u32 {
    let value = reply
        .header(header)
        .unwrap_or_else(|| panic!("no {header}"));
    value
        .parse()
        .unwrap_or_else(|_| panic!("{header}: {value}"))
}

fn assert_remaining(reply: &Reply, limit: u32, remaining: u32) {
    assert_eq!(number(reply, "ratelimit-limit"), limit);
    assert_eq!(number(reply, "ratelimit-remaining"), remaining);
    assert!((1..=86_400).contains(&number(reply, "ratelimit-reset")));
}

#[tokio::test]
async fn a_key_has_as_many_requests_a_day_as_its_limit() {
    let app = App::start().await;
    let tenant = limited(&app, 3, &Scope::ALL).await;
    let replies = [
        tenant.list("").await,
        tenant.post(json!({"first_name": "Jane"})).await,
        tenant.auth_test().await,
    ];
    for (reply, (status, remaining)) in replies.iter().zip([(200, 2), (201, 1), (200, 0)]) {
        assert_eq!(reply.status, status);
        assert_remaining(reply, 3, remaining);
    }
    for _ in 0..2 {
        let reply = tenant.post(json!({"first_name": "Joe"})).await;
        assert_eq!((reply.status, &reply.body), (429, &bodies::over_limit(3)));
        assert_remaining(&reply, 3, 0);
    }
    assert_eq!(app.list("").await.body["pagination"]["total"], 1);
}

#[tokio::test]
async fn a_refused_request_is_told_to_come_back_at_the_next_utc_midnight() {
    let app = App::start().await;
    let tenant = limited(&app, 1, &Scope::ALL).await;
    tenant.auth_test().await;
    let before = 86_400 - Utc::now().num_seconds_from_midnight();
    let reply = tenant.auth_test().await;
    let after = 86_400 - Utc::now().num_seconds_from_midnight();
    assert_eq!(reply.status, 429);
    for header in ["retry-after", "ratelimit-reset"] {
        let seconds = number(&reply, header);
        assert!(
            (after - 1..=before).contains(&seconds),
            "{seconds} in {after}..={before}"
        );
    }
}

#[tokio::test]
async fn a_key_without_a_limit_is_told_of_none() {
    let app = App::start().await;
    let reply = app.list("").await;
    for header in [
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "retry-after",
    ] {
        assert_eq!(reply.header(header), None);
    }
}

#[tokio::test]
async fn what_a_key_may_not_do_and_what_is_wrong_counts_too() {
    let app = App::start().await;
    let tenant = limited(&app, 4, &[Scope::CustomersWrite]).await;
    for (reply, (status, remaining)) in [
        (tenant.list("").await, (403, 3)),
        (tenant.post(json!({"email": "x"})).await, (400, 2)),
        (
            tenant.post(json!({"id": uuid::Uuid::nil()})).await,
            (404, 1),
        ),
        (tenant.post_raw("text/plain", "x").await, (415, 0)),
    ] {
        assert_eq!(reply.status, status);
        assert_remaining(&reply, 4, remaining);
    }
    assert_eq!(tenant.auth_test().await.status, 429);
}

#[tokio::test]
async fn a_request_refused_for_its_version_costs_nothing() {
    let app = App::start().await;
    let tenant = limited(&app, 1, &Scope::ALL).await;
    for _ in 0..3 {
        let request = tenant
            .bare(Method::GET, "/customers")
            .header("x-api-key", &tenant.key);
        let reply = send(request).await;
        assert_eq!(reply.status, 400);
        assert_remaining(&reply, 1, 1);
    }
    assert_eq!(tenant.list("").await.status, 200);
}

#[tokio::test]
async fn both_paths_and_all_servers_count_together() {
    let app = App::start().await;
    let second = app.second_server();
    let tenant = limited(&app, 3, &Scope::ALL).await;
    assert_remaining(&tenant.list("").await, 3, 2);
    assert_remaining(&tenant.on(&second).list("").await, 3, 1);
    assert_remaining(&tenant.fetch("/open-api/customers").await, 3, 0);
    assert_eq!(tenant.on(&second).list("").await.status, 429);
}

#[tokio::test]
async fn each_key_has_its_own_count() {
    let app = App::start().await;
    let (one, two) = (
        limited(&app, 1, &Scope::ALL).await,
        limited(&app, 1, &Scope::ALL).await,
    );
    assert_eq!(
        (one.list("").await.status, one.list("").await.status),
        (200, 429)
    );
    assert_eq!(
        (two.list("").await.status, two.list("").await.status),
        (200, 429)
    );
    assert_eq!(app.list("").await.status, 200);
}

#[tokio::test]
async fn yesterdays_requests_do_not_count() {
    let app = App::start().await;
    let tenant = limited(&app, 1, &Scope::ALL).await;
    assert_eq!(
        (tenant.list("").await.status, tenant.list("").await.status),
        (200, 429)
    );
    app.sql("update api_key_usage set day = day - 1").await;
    // This one has not seen yet that the day was used up.
    let second = app.second_server();
    let tenant = tenant.on(&second);
    assert_eq!(
        (tenant.list("").await.status, tenant.list("").await.status),
        (200, 429)
    );
}

#[tokio::test]
async fn requests_at_once_do_not_get_past_the_limit() {
    let app = App::start().await;
    let second = app.second_server();
    let tenant = limited(&app, 10, &Scope::ALL).await;
    let mut calls = JoinSet::new();
    for n in 0..40 {
        let tenant = if n % 2 == 0 {
            tenant.clone()
        } else {
            tenant.on(&second)
        };
        calls.spawn(async move { tenant.list("").await.status });
    }
    let statuses = calls.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 30);
}

/// A program of its own, and a key with this limit there.
async fn on_a_program(app: &App, limit: u32) -> (Serve, Tenant) {
    let tenant = limited(app, limit, &Scope::ALL).await;
    let serve = Serve::start(&[("DATABASE_URL", app.database_url.as_str())]);
    let tenant = tenant.at(&serve.base());
    (serve, tenant)
}

/// Requests of today, as the database counts them.
async fn counted(app: &App) -> Vec<i64> {
    app.column("select used from api_key_usage").await
}

#[tokio::test]
async fn a_busy_key_is_counted_by_its_server_and_what_it_took_too_much_is_given_back() {
    let app = App::start().await;
    let (mut serve, tenant) = on_a_program(&app, 100_000).await;
    for made in 1..=200 {
        assert_remaining(&tenant.auth_test().await, 100_000, 100_000 - made);
    }
    // 1 + 2 + 4 + … + 64, and 100 at a time from then on: eight writes for two hundred requests.
    assert_eq!(counted(&app).await, [227]);
    assert_eq!(serve.stop(), Some(0));
    assert_eq!(counted(&app).await, [200]);
}

#[tokio::test]
async fn busy_servers_together_serve_no_more_than_the_limit() {
    let app = App::start().await;
    let second = app.second_server();
    let tenant = limited(&app, 1_000, &Scope::ALL).await;
    let mut callers = JoinSet::new();
    for n in 0..8 {
        let tenant = if n % 2 == 0 {
            tenant.clone()
        } else {
            tenant.on(&second)
        };
        callers.spawn(async move {
            let mut served = 0;
            while tenant.auth_test().await.status == 200 {
                served += 1;
            }
            served
        });
    }
    let served: u32 = callers.join_all().await.iter().sum();
    assert_eq!(served, 1_000);
    assert_eq!(counted(&app).await, [1_000]);
}

#[tokio::test]
async fn a_server_that_is_killed_costs_a_key_no_more_than_a_lease() {
    let app = App::start().await;
    let (mut killed, tenant) = on_a_program(&app, 1_000).await;
    for _ in 0..17 {
        assert_eq!(tenant.auth_test().await.status, 200);
    }
    killed.kill();
    // 1 + 2 + 4 + 8, and two of nine: a hundredth of what was left.
    let lost = counted(&app).await[0] - 17;
    assert_eq!(lost, 7);
    let tenant = tenant.at(&app.base);
    let mut served = 17;
    while tenant.auth_test().await.status == 200 {
        served += 1;
    }
    assert_eq!(served, 1_000 - lost);
}
