//! Clients that call too often within a short time.

use std::num::NonZeroU32;

use clientele::domain::key::{NewKey, Scope};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::app::{send, with_scopes};
use crate::support::program::Serve;
use crate::support::{App, Reply, Tenant};

fn seconds(reply: &Reply) -> u64 {
    let header = reply.header("retry-after").expect("retry-after");
    header.parse().expect("seconds")
}

fn refused(message: &str) -> serde_json::Value {
    json!({"status": "error", "message": message, "error_code": "RATE_LIMIT_EXCEEDED"})
}

async fn test_all(tenant: &Tenant, count: u32) -> Vec<Reply> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let tenant = tenant.clone();
        calls.spawn(async move { tenant.auth_test().await });
    }
    calls.join_all().await
}

#[tokio::test]
async fn a_key_that_calls_more_often_than_it_may_in_a_second_is_told_to_wait() {
    let app = App::start().await;
    let key = app
        .key(NewKey {
            rate_limit: NonZeroU32::new(2),
            daily_limit: NonZeroU32::new(1_000),
            ..with_scopes(&Scope::ALL)
        })
        .await;
    let replies = test_all(&app.with_key(&key), 100).await;
    let (served, too_fast): (Vec<_>, Vec<_>) =
        replies.iter().partition(|reply| reply.status == 200);
    assert!(served.len() >= 2);
    assert!(!too_fast.is_empty());
    for reply in too_fast {
        let body = refused("API key rate limit of 2 requests per second exceeded");
        assert_eq!((reply.status, &reply.body), (429, &body));
        assert_eq!(seconds(reply), 1);
        assert_eq!(reply.header("ratelimit-limit"), Some("1000"));
    }
    // What was too fast does not count for the day.
    let used: Vec<i64> = app.column("select used from api_key_usage").await;
    assert!(used[0] <= i64::try_from(served.len()).unwrap() * 2);
    assert_eq!(app.auth_test().await.status, 200);
}

#[tokio::test]
async fn an_address_that_tries_many_keys_is_told_to_wait_while_keys_that_worked_go_on() {
    let app = App::start().await;
    let settings = [
        ("DATABASE_URL", app.database_url.as_str()),
        ("CLIENTELE_FAILED_AUTHENTICATIONS_PER_MINUTE", "1"),
        ("CLIENTELE_TRUSTED_PROXIES", "127.0.0.0/8"),
    ];
    let serve = Serve::start(&settings);
    let known = app.at(&serve.base());
    assert_eq!(known.auth_test().await.status, 200);
    let fresh = known.with_key(&app.key(with_scopes(&Scope::ALL)).await);

    let unknown = format!("clientele_{}_{}", "0".repeat(16), "0".repeat(40));
    let unknown = known.with_key(&unknown);
    for _ in 0..2 {
        assert_eq!(unknown.auth_test().await.status, 401);
    }
    let refusal = unknown.auth_test().await;
    assert_eq!(refusal.status, 429);
    let body = refused("Too many failed authentications from this address");
    assert_eq!(refusal.body, body);
    assert!((1..=60).contains(&seconds(&refusal)));
    assert_eq!(fresh.auth_test().await.status, 429);
    assert_eq!(known.auth_test().await.status, 200);

    // An old key is not one that is tried.
    let old = known.with_key(&app.key(with_scopes(&Scope::ALL)).await);
    app.revoke(&old.key).await;
    let from = |tenant: &Tenant| {
        let request = tenant.request(Method::GET, "/auth/test");
        request.header("x-forwarded-for", "203.0.113.8")
    };
    for _ in 0..5 {
        assert_eq!(send(from(&old)).await.status, 401);
    }
    assert_eq!(send(from(&fresh)).await.status, 200);

    // Others come from elsewhere, as the proxy says.
    let elsewhere = fresh.request(Method::GET, "/auth/test");
    let elsewhere = elsewhere.header("x-forwarded-for", "203.0.113.9");
    assert_eq!(send(elsewhere).await.status, 200);
}
