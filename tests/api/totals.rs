//! Totals: kept or remembered by the service, and at every moment what SQL counts.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::JoinSet;

use crate::support::{App, Tenant};

/// Two companies' customers: of each status and none, some of them archived.
fn many(one: &Tenant, other: &Tenant) -> String {
    format!(
        "insert into customers
            (company_id, id, status, archived_at, search_text, rules_version)
        select
            case when n % 3 = 0 then '{}'::uuid else '{}'::uuid end,
            gen_random_uuid(),
            (array['active', 'inactive', null])[1 + n % 7 % 3],
            case when n % 5 = 0 then now() end,
            'n' || n, 1
        from generate_series(1, 120) as n",
        other.company, one.company,
    )
}

async fn total(tenant: &Tenant, filters: &str) -> Value {
    let reply = tenant.list(&format!("limit=1&{filters}")).await;
    assert_eq!(reply.status, 200, "{filters}: {}", reply.body);
    reply.body["pagination"]["total"].clone()
}

/// Asserts that every list without a search has the total that SQL counts.
async fn assert_exact(app: &App, tenant: &Tenant) {
    for (status, condition) in [
        ("", "true"),
        ("status=active", "status = 'active'"),
        ("status=inactive", "status = 'inactive'"),
    ] {
        for (archived, which) in [("false", "archived_at is null"), ("true", "true")] {
            let sql = format!(
                "select count(*) from customers
                where company_id = '{}' and {condition} and {which}",
                tenant.company
            );
            let counted: Vec<i64> = app.column(&sql).await;
            let filters = format!("{status}&archived={archived}");
            assert_eq!(total(tenant, &filters).await, counted[0], "{filters}");
        }
    }
}

#[tokio::test]
async fn every_write_of_one_customer_is_counted() {
    let app = App::start().await;
    assert_exact(&app, &app).await;
    let mut ids = Vec::new();
    for status in [json!("active"), json!("inactive"), json!(null)] {
        for _ in 0..3 {
            ids.push(app.create(json!({"status": status})).await);
            assert_exact(&app, &app).await;
        }
    }
    for (id, status) in [
        (0, json!("inactive")),
        (1, json!(null)),
        (3, json!("active")),
        (6, json!("inactive")),
    ] {
        let reply = app.post(json!({"id": ids[id], "status": status})).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_exact(&app, &app).await;
    }
    for id in [&ids[0], &ids[4], &ids[8]] {
        app.archive(id).await;
        assert_exact(&app, &app).await;
    }
    let of_archived = format!(
        "update customers set status = 'active' where id = '{}'",
        ids[4]
    );
    app.sql(&of_archived).await;
    assert_exact(&app, &app).await;
    for id in [&ids[4], &ids[5]] {
        app.sql(&format!("delete from customers where id = '{id}'"))
            .await;
        assert_exact(&app, &app).await;
    }
    assert_eq!(total(&app, "archived=true").await, 7);
}

#[tokio::test]
async fn statements_that_write_many_customers_of_several_companies_are_counted() {
    let app = App::start().await;
    let other = app.other_company().await;
    let (one, two) = (app.company, other.company);
    for sql in [
        many(&app, &other),
        many(&other, &app),
        "update customers set notes = 'seen'".into(),
        "update customers set status = 'active' where status is null".into(),
        "update customers set status = null where status = 'inactive' and search_text < 'n5'"
            .into(),
        "update customers set archived_at = now() where search_text like '%7'".into(),
        "update customers set archived_at = null where search_text like '%5'".into(),
        format!("update customers set company_id = '{two}' where search_text like '%3'"),
        "delete from customers where search_text like '%2%'".into(),
        "delete from customers where false".into(),
        format!("delete from customers where company_id = '{one}'"),
        "truncate customers cascade".into(),
        many(&app, &other),
    ] {
        app.sql(&sql).await;
        assert_exact(&app, &app).await;
        assert_exact(&app, &other).await;
    }
    assert_eq!(total(&app, "archived=true").await, 80);
    assert_eq!(total(&other, "archived=true").await, 40);
}

#[tokio::test]
async fn posts_to_two_servers_at_once_are_all_counted() {
    let app = App::start().await;
    let second = app.second_server();
    let tenants = [(*app).clone(), app.on(&second)];
    let mut posts = JoinSet::new();
    for n in 0..32 {
        let tenant = tenants[n % 2].clone();
        let status = [json!("active"), json!("inactive"), json!(null)][n % 3].clone();
        posts.spawn(async move { tenant.create(json!({"status": status})).await });
    }
    posts.join_all().await;
    for tenant in &tenants {
        assert_eq!(total(tenant, "").await, 32);
        assert_exact(&app, tenant).await;
    }
}

#[tokio::test]
async fn a_post_that_changes_nothing_is_not_counted() {
    let app = App::start().await;
    let tags: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let jane = json!({"phone": "763-555-0101", "status": "active", "tags": tags});
    let id = app.create(jane.clone()).await;

    let unchanged = app.post(jane).await;
    assert_eq!(unchanged.header("clientele-outcome"), Some("unchanged"));
    let too_many = app
        .post(json!({"id": id, "status": "inactive", "tags": ["new"]}))
        .await;
    assert_eq!(too_many.bad_fields(), ["tags"]);
    let unknown = app
        .post(json!({"id": "00000000-0000-7000-8000-000000000000", "status": "active"}))
        .await;
    assert_eq!(unknown.status, 404, "{}", unknown.body);

    assert_eq!(total(&app, "").await, 1);
    assert_eq!(total(&app, "status=active").await, 1);
    assert_exact(&app, &app).await;
}

#[tokio::test]
async fn what_is_not_committed_is_not_counted() {
    let app = App::start().await;
    let other = app.other_company().await;
    app.create(json!({"first_name": "Ann", "status": "active"}))
        .await;
    let mut writer = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    for end in ["rollback", "commit"] {
        let sql = format!(
            "begin; {}; update customers set status = 'inactive', search_text = 'an';
            savepoint here; delete from customers; rollback to here",
            many(&app, &other)
        );
        run(&mut writer, sql).await;
        assert_eq!(total(&app, "").await, 1, "before the {end}");
        assert_eq!(total(&app, "search=an").await, 1, "before the {end}");
        assert_eq!(total(&app, "status=active").await, 1, "before the {end}");
        run(&mut writer, end.to_owned()).await;
        assert_exact(&app, &app).await;
        assert_exact(&app, &other).await;
    }
    assert_eq!(total(&app, "archived=true").await, 81);
    assert_eq!(total(&app, "archived=true&search=an").await, 81);
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .expect("sound SQL");
}

// Searches for two letters are counted once and remembered: an index of three letters in a row
// finds none of them.

#[tokio::test]
async fn the_total_of_a_search_follows_every_write() {
    let app = App::start().await;
    for n in 0..5 {
        app.create(json!({"first_name": format!("Hannah{n}")}))
            .await;
    }
    app.create(json!({"first_name": "Peter"})).await;
    assert_eq!(total(&app, "search=an").await, 5);

    let id = app.create(json!({"first_name": "Joanna"})).await;
    assert_eq!(total(&app, "search=an").await, 6);
    app.post(json!({"id": id, "notes": "still Joanna"})).await;
    assert_eq!(total(&app, "search=an").await, 6);
    app.archive(&id).await;
    assert_eq!(total(&app, "search=an").await, 5);
    assert_eq!(total(&app, "search=an&archived=true").await, 6);

    let id = app.create(json!({"first_name": "Stan"})).await;
    assert_eq!(total(&app, "search=an").await, 6);
    app.post(json!({"id": id, "first_name": "Steve"})).await;
    assert_eq!(total(&app, "search=an").await, 5);
    app.post(json!({"id": id, "last_name": "Land"})).await;
    assert_eq!(total(&app, "search=an").await, 6);
    app.sql(&format!("delete from customers where id = '{id}'"))
        .await;
    assert_eq!(total(&app, "search=an").await, 5);
    assert_eq!(total(&app, "search=an&archived=true").await, 6);
    app.sql("truncate customers cascade").await;
    assert_eq!(total(&app, "search=an").await, 0);
}

#[tokio::test]
async fn the_total_of_a_search_follows_the_writes_of_another_server() {
    let app = App::start().await;
    let second = app.second_server();
    let other = app.on(&second);
    for n in 1..=5 {
        let id = other.create(json!({"first_name": "Anna"})).await;
        assert_eq!(total(&app, "search=an").await, n);
        assert_eq!(total(&other, "search=an").await, n);
        other.post(json!({"id": id, "first_name": "Eve"})).await;
        assert_eq!(total(&app, "search=an").await, n - 1);
        app.post(json!({"id": id, "first_name": "Jan"})).await;
        assert_eq!(total(&other, "search=an").await, n);
    }
}

#[tokio::test]
async fn the_total_of_a_search_with_tags_and_status_follows_them() {
    let app = App::start().await;
    let id = app.create(json!({"first_name": "Hannah"})).await;
    app.create(json!({"first_name": "Dan", "tags": ["vip"], "status": "active"}))
        .await;
    let (tagged, active) = ("search=an&tags=vip", "search=an&tags=vip&status=active");
    assert_eq!(total(&app, tagged).await, 1);
    assert_eq!(total(&app, active).await, 1);
    app.post(json!({"id": id, "tags": ["vip"]})).await;
    assert_eq!(total(&app, tagged).await, 2);
    assert_eq!(total(&app, active).await, 1);
    app.post(json!({"id": id, "status": "active"})).await;
    assert_eq!(total(&app, active).await, 2);
    app.sql("update customers set tags = '{}'").await;
    assert_eq!(total(&app, tagged).await, 0);
    assert_eq!(total(&app, "tags=vip").await, 0);
    assert_eq!(total(&app, "search=an").await, 2);
}

#[tokio::test]
async fn the_totals_of_two_companies_are_each_their_own() {
    let app = App::start().await;
    let other = app.other_company().await;
    app.create(json!({"first_name": "Hannah"})).await;
    assert_eq!(total(&app, "search=an").await, 1);
    assert_eq!(total(&other, "search=an").await, 0);
    other.create(json!({"first_name": "Hannah"})).await;
    other.create(json!({"first_name": "Dan"})).await;
    assert_eq!(total(&app, "search=an").await, 1);
    assert_eq!(total(&other, "search=an").await, 2);
}
