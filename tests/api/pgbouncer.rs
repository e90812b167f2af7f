//! Behind `PgBouncer` in transaction mode, with fewer connections than the servers ask for.

use std::collections::HashSet;
use std::num::NonZeroU32;

use clientele::domain::key::{NewKey, Scope};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::app::{Server, with_scopes};
use crate::support::pgbouncer::PgBouncer;
use crate::support::postgres::Database;
use crate::support::program::{self, Serve};
use crate::support::{App, Reply, Tenant};

/// Two servers of eight connections each, on four of `PgBouncer`'s.
struct Pooled {
    // Dropped in this order: first the servers, then what they go through.
    servers: [Server; 2],
    _pgbouncer: PgBouncer,
    app: App,
}

impl Pooled {
    async fn start() -> Self {
        let app = App::start().await;
        let pgbouncer = PgBouncer::start(4);
        let url = pgbouncer.url(&app.database_url);
        Self {
            servers: [Server::start(&url), Server::start(&url)],
            _pgbouncer: pgbouncer,
            app,
        }
    }

    /// `tenant` on one of the servers, by turns.
    fn turn(&self, n: usize, tenant: &Tenant) -> Tenant {
        tenant.on(&self.servers[n % 2])
    }

    async fn post_all(&self, phones: usize, posts: usize) -> Vec<Reply> {
        let mut under_way = JoinSet::new();
        for n in 0..posts {
            let tenant = self.turn(n, &self.app);
            let body = json!({
                "phone": format!("763-555-01{:02}", n % phones), "tags": [format!("t{n}")],
                "first_name": "Hannah",
            });
            under_way.spawn(async move { tenant.post(body).await });
        }
        under_way.join_all().await
    }

    /// Asks for all paths at once, each several times.
    async fn fetch_all(&self, paths: &[String]) -> Vec<(String, Reply)> {
        let mut under_way = JoinSet::new();
        for (n, path) in paths.iter().cycle().take(8 * paths.len()).enumerate() {
            let (tenant, path) = (self.turn(n / paths.len(), &self.app), path.clone());
            under_way.spawn(async move {
                let reply = tenant.fetch(&path).await;
                (path, reply)
            });
        }
        under_way.join_all().await
    }
}

/// The body without the time at which it was made.
fn timeless(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("timestamp");
    }
    body
}

#[tokio::test]
async fn sixty_four_posts_of_eight_phones_through_pgbouncer_make_eight_customers() {
    let pooled = Pooled::start().await;
    let replies = pooled.post_all(8, 64).await;
    for reply in &replies {
        assert!(matches!(reply.status, 200 | 201), "{reply:?}");
    }
    let created = replies.iter().filter(|reply| reply.status == 201);
    assert_eq!(created.count(), 8);
    let ids: HashSet<String> = replies.iter().map(Reply::id).collect();
    assert_eq!(ids.len(), 8);

    let list = pooled.app.list("").await;
    assert_eq!(list.body["pagination"]["total"], 8);
    let items = list.body["data"].as_array().expect("a list");
    for item in items {
        assert_eq!(item["tags"].as_array().map(Vec::len), Some(8), "{item}");
    }
}

#[tokio::test]
async fn reads_of_every_kind_at_once_through_pgbouncer_are_each_answered_rightly() {
    let pooled = Pooled::start().await;
    let mut ids = Vec::new();
    for n in 0..8 {
        let body = json!({
            "first_name": format!("Hannah{n}"), "phone": format!("763-555-010{n}"),
            "status": (["active", "inactive"])[n % 2], "tags": [format!("t{n}")],
        });
        ids.insert(0, pooled.app.create(body).await);
    }
    let mut paths: Vec<String> = [
        "",
        "archived=true",
        "status=active",
        "limit=1&page=5",
        "limit=1&page=8&status=inactive",
        "search=an",
        "search=hannah",
        "search=hannah3",
        "search=5550103",
        "search=an&limit=1&page=5",
        "tags=t1,t2",
        "tags=t5&search=hannah5",
        "search=nobody",
    ]
    .map(|query| format!("/customers?{query}"))
    .to_vec();
    paths.extend(ids.iter().map(|id| format!("/customers/{id}")));
    paths.push("/auth/test".to_owned());

    for (path, reply) in pooled.fetch_all(&paths).await {
        let direct = pooled.app.fetch(&path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        assert_eq!(timeless(reply.body), timeless(direct.body), "{path}");
    }
}

#[tokio::test]
async fn reads_and_writes_at_once_through_pgbouncer_do_not_hinder_each_other() {
    let pooled = Pooled::start().await;
    let id = pooled.app.create(json!({"first_name": "Hannah"})).await;
    let paths = [
        "/customers".to_owned(),
        "/customers?search=an".to_owned(),
        "/customers?tags=t1".to_owned(),
        "/customers?limit=1&page=4".to_owned(),
        format!("/customers/{id}"),
        "/auth/test".to_owned(),
        "/health/ready".to_owned(),
    ];
    let (posts, reads) = tokio::join!(pooled.post_all(64, 64), pooled.fetch_all(&paths));
    for reply in &posts {
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    for (path, reply) in &reads {
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
    }
    for n in 0..2 {
        let tenant = pooled.turn(n, &pooled.app);
        for query in ["", "search=an", "search=hannah"] {
            let total = &tenant.list(query).await.body["pagination"]["total"];
            assert_eq!(total, 65, "{query}");
        }
    }
}

#[tokio::test]
async fn the_calls_about_one_customer_at_once_through_pgbouncer_are_all_done() {
    let pooled = Pooled::start().await;
    let mut under_way = JoinSet::new();
    for n in 0..12 {
        let tenant = pooled.turn(n, &pooled.app);
        under_way.spawn(async move {
            let id = tenant
                .create(json!({"phone": format!("763-555-01{n:02}")}))
                .await;
            let about = |path: &str| format!("/customers/{id}{path}");
            let tagged = tenant.post_to(&about("/tags"), json!({"add": ["a"]})).await;
            let card = json!({"provider": "stripe", "token": "pm_1"});
            let saved = tenant.post_to(&about("/payment-methods"), card).await;
            let archived = tenant.order(&about("/archive")).await;
            let restored = tenant.order(&about("/restore")).await;
            let exported = tenant.fetch(&about("/export")).await;
            assert_eq!(exported.body["data"]["tags"], json!(["a"]));
            assert_eq!(exported.body["data"]["has_payment_method"], true);
            let erased = tenant.delete(&about("")).await;
            let gone = tenant.delete(&about("")).await;
            [tagged, saved, archived, restored, exported, erased, gone].map(|reply| reply.status)
        });
    }
    for statuses in under_way.join_all().await {
        assert_eq!(statuses, [200, 201, 200, 200, 200, 204, 404]);
    }
    assert_eq!(pooled.app.list("").await.body["pagination"]["total"], 0);
}

#[tokio::test]
async fn the_daily_limit_through_pgbouncer_is_one_for_all_servers() {
    let pooled = Pooled::start().await;
    let key = NewKey {
        daily_limit: NonZeroU32::new(20),
        ..with_scopes(&Scope::ALL)
    };
    let limited = pooled.app.with_key(&pooled.app.key(key).await);
    let mut under_way = JoinSet::new();
    for n in 0..40 {
        let tenant = pooled.turn(n, &limited);
        under_way.spawn(async move { tenant.auth_test().await.status });
    }
    let mut statuses = under_way.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[200; 20], [429; 20]].concat());
}

#[tokio::test]
async fn the_program_serves_through_pgbouncer_a_schema_that_is_there() {
    let app = App::start().await;
    let pgbouncer = PgBouncer::start(4);
    let url = pgbouncer.url(&app.database_url);
    let served = Serve::start(&[("DATABASE_URL", &url)]);
    assert!(served.curl.contains("/health/ready"), "{}", served.curl);
    let companies = program::answer(&[("DATABASE_URL", &url)], &["company", "list"]);
    assert!(companies.contains("Acme"), "{companies}");
}

#[tokio::test]
async fn an_empty_database_behind_pgbouncer_is_refused_with_what_to_do() {
    let database = Database::create_empty().await;
    let pgbouncer = PgBouncer::start(4);
    let url = pgbouncer.url(database.url());
    for command in ["serve", "migrate"] {
        let complaint = program::complaint(&[("DATABASE_URL", &url)], &[command]);
        assert!(complaint.contains("clientele migrate"), "{complaint}");
        assert!(
            complaint.contains("leads to PostgreSQL itself"),
            "{complaint}"
        );
    }
}

#[tokio::test]
async fn batches_exports_and_calls_about_one_customer_go_through_pgbouncer() {
    let pooled = Pooled::start().await;
    let mut under_way = JoinSet::new();
    for n in 0..8 {
        let tenant = pooled.turn(n, &pooled.app);
        let row = move |k: usize| json!({"phone": format!("763-555-01{k:02}"), "tags": [format!("t{n}")]});
        let body = json!({"customers": (0..50).map(row).collect::<Vec<_>>()});
        under_way.spawn(async move { tenant.post_to("/customers/batch", body).await });
    }
    for reply in under_way.join_all().await {
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let tenant = pooled.turn(0, &pooled.app);
    let listed = tenant.list("limit=1&cursor=&sort=last_name").await;
    assert_eq!(listed.body["pagination"]["total"], 50, "{}", listed.body);
    let id = listed.ids().remove(0);
    for call in ["archive", "restore", "tags"] {
        let path = format!("/customers/{id}/{call}");
        let reply = tenant.post_to(&path, json!({"add": ["x"]})).await;
        assert_eq!(reply.status, 200, "{call}: {}", reply.body);
    }
    let exported = tenant.fetch("/customers/export?format=ndjson").await.body;
    let lines = exported.as_str().expect("lines").lines();
    assert!(lines.clone().all(|line| line.contains("\"t7\"")));
    assert_eq!(lines.count(), 50);
}
