//! How the lists are looked for: each by the index that is there for it, in companies whose
//! customers stand among those of others.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::support::app::{Server, send};
use crate::support::explain::{self, Plan, plans_of};
use crate::support::postgres::column;
use crate::support::{App, Tenant};

const MANY: usize = 20_000;

/// A service that explains what it asks the database.
struct Explained {
    // Dropped in this order: first the server, then what it uses.
    server: Server,
    app: App,
}

/// Customers whose rows stand among each other's: of a thousand, one is called Zebulon and one has
/// the tag `rare`; six of ten are called Hannah.
async fn seed(app: &App, count: usize, other: &Tenant) {
    app.sql(&format!(
        "-- Else no page would be known to be visible to all when it is vacuumed.
            set synchronous_commit = on;
            insert into customers (company_id, id, created_at, last_name, company_name,
                archived_at, status, tags, notes, search_text, rules_version)
            select company, md5(company::text || n)::uuid,
                '2024-01-01Z'::timestamptz + n * interval '1 minute',
                md5('l' || n), md5('c' || n % 1000),
                case when n % 50 = 0 then now() end,
                case when n % 10 = 0 then 'inactive' when n % 10 < 7 then 'active' end,
                case when n % 1000 = 7 then '{{rare}}'
                    when n % 3 = 0 then '{{common,other}}' else '{{}}' end::text[],
                repeat(md5('n' || n) || ' ', 12),
                case when n % 1000 = 3 then 'zebulon' when n % 10 < 6 then 'hannah'
                    else (array['peter', 'joe', 'mary'])[1 + n % 3] end
                    || E'\\n' || md5(n::text) || E'\\n' || md5('e' || n) || '@example.com',
                1
            from generate_series(1, {MANY}) as n,
                (values ('{}'::uuid, {count}), ('{}', {MANY})) as companies (company, size)
            where n <= size",
        app.company, other.company,
    ))
    .await;
    // A session that is only starting, in any database, may look at older rows still: again then.
    for _ in 0..100 {
        app.sql("vacuum analyze customers").await;
        let visible: Vec<bool> = column(
            &app.database_url,
            "select relallvisible > 0.9 * relpages from pg_class where relname = 'customers'",
        )
        .await;
        if visible == [true] {
            return;
        }
    }
    panic!("not all customers could be made visible to all");
}

impl Explained {
    /// With so many customers, beside another company with very many.
    async fn start(count: usize) -> Self {
        let app = App::start().await;
        let other = app.other_company().await;
        seed(&app, count, &other).await;
        explain::start(&app).await;
        Self {
            server: app.second_server(),
            app,
        }
    }

    /// The plans of what is asked of the customers for a list.
    async fn list(&self, query: &str) -> Vec<Plan> {
        let tenant = self.app.on(&self.server);
        let marker = self.app.company.to_string();
        let (reply, mut plans) = plans_of(&marker, tenant.list(query)).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.body);
        plans.retain(|plan| plan.sql.contains("from customers"));
        for plan in &plans {
            let nodes = plan.nodes();
            assert!(
                !nodes.iter().any(|node| node == "Seq Scan customers"),
                "{query}: {nodes:?}"
            );
        }
        plans
    }

    /// The plan of a list that is found in one statement.
    async fn plan(&self, query: &str) -> Plan {
        let mut plans = self.list(query).await;
        assert_eq!(plans.len(), 1, "{query}: {plans:?}");
        plans.remove(0)
    }
}

/// Asserts that a plan reads customers in these ways and no others.
fn assert_scans(query: &str, plan: &Plan, expected: &[&str]) {
    let nodes = plan.nodes();
    let scans: BTreeSet<&str> = nodes
        .iter()
        .map(String::as_str)
        .filter(|node| node.contains(" customers"))
        .collect();
    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    assert_eq!(scans, expected, "{query}: {nodes:?}");
}

/// Asserts that no more than so many rows are read.
fn assert_reads_at_most(query: &str, plan: &Plan, most: u64) {
    let read = plan.rows_read();
    assert!(read <= most, "{query}: {read} rows: {plan:?}");
}

/// Asserts that a page is cut from what comes in the order of the list already.
fn assert_in_order(query: &str, plan: &Plan) {
    let limited = plan.limited();
    assert!(!limited.is_empty(), "{query}: {:?}", plan.nodes());
    let sort = limited.iter().find(|node| node.contains("Sort"));
    assert_eq!(sort, None, "{query}: {limited:?}");
}

#[tokio::test]
async fn lists_without_a_search_are_read_in_their_order() {
    let explained = Explained::start(MANY).await;
    for (query, scan) in [
        ("", "Index Scan customers_newest"),
        ("limit=10&page=3", "Index Scan customers_newest"),
        ("status=active", "Index Scan customers_live_by_status"),
        ("status=inactive", "Index Scan customers_live_by_status"),
    ] {
        let plan = explained.plan(query).await;
        assert_eq!(plan.limited(), [scan], "{query}");
        assert_scans(query, &plan, &[scan]);
    }
    let archived = "Index Only Scan customers_archived";
    for (query, live) in [
        ("archived=true", "Index Only Scan customers_newest"),
        ("archived=true&page=100", "Index Only Scan customers_newest"),
        (
            "archived=true&status=inactive",
            "Index Only Scan customers_live_by_status",
        ),
    ] {
        let plan = explained.plan(query).await;
        assert_in_order(query, &plan);
        assert_scans(query, &plan, &[live, archived, "Index Scan customers_pkey"]);
    }
}

#[tokio::test]
async fn a_walk_goes_on_in_the_index_where_it_stands() {
    let explained = Explained::start(MANY).await;
    for (query, scan) in [
        ("", "Index Only Scan customers_newest"),
        ("sort=created_at", "Index Only Scan customers_newest"),
        ("status=active", "Index Only Scan customers_live_by_status"),
        ("sort=last_name", "Index Scan customers_by_last_name"),
        ("sort=-last_name", "Index Scan customers_by_last_name"),
        ("sort=company_name", "Index Scan customers_by_company_name"),
        ("sort=-company_name", "Index Scan customers_by_company_name"),
    ] {
        let deep = explained
            .app
            .list(&format!("{query}&limit=1000&cursor="))
            .await;
        let cursor = deep.body["pagination"]["next_cursor"]
            .as_str()
            .expect("more");
        for cursor in ["", cursor] {
            let plan = explained.plan(&format!("{query}&cursor={cursor}")).await;
            assert_in_order(query, &plan);
            assert_scans(query, &plan, &[scan, "Index Scan customers_pkey"]);
            // Each of the fifty and one, in the index and by its key.
            assert_reads_at_most(query, &plan, 102);
            let index = scan.rsplit(' ').next().expect("its name");
            for condition in plan.index_conditions(index) {
                let begins = condition.contains("ROW(");
                assert_eq!(begins, !cursor.is_empty(), "{query}: {condition}");
            }
        }
    }
}

#[tokio::test]
async fn lists_by_name_are_read_in_their_order() {
    let explained = Explained::start(MANY).await;
    for (query, scan) in [
        ("sort=last_name", "Index Scan customers_by_last_name"),
        (
            "sort=-last_name&page=3",
            "Index Scan customers_by_last_name",
        ),
        ("sort=company_name", "Index Scan customers_by_company_name"),
    ] {
        let plan = explained.plan(query).await;
        assert_in_order(query, &plan);
        assert_scans(query, &plan, &[scan, "Index Scan customers_pkey"]);
        assert_reads_at_most(query, &plan, 200);
    }
}

#[tokio::test]
async fn lists_by_name_with_the_archived_read_those_and_a_page_of_the_others() {
    let explained = Explained::start(MANY).await;
    for (query, live) in [
        (
            "sort=last_name&archived=true",
            "Index Scan customers_by_last_name",
        ),
        (
            "sort=-company_name&archived=true&page=2",
            "Index Scan customers_by_company_name",
        ),
    ] {
        let plan = explained.plan(query).await;
        let nodes = plan.nodes();
        assert!(nodes.iter().any(|node| node == live), "{query}: {nodes:?}");
        // One of fifty is archived, and found in an index and then in the table.
        let archived = u64::try_from(MANY / 50).expect("a number");
        assert_reads_at_most(query, &plan, 2 * archived + 300);
    }
}

#[tokio::test]
async fn a_time_is_found_and_counted_in_the_index() {
    let explained = Explained::start(MANY).await;
    let query = "created_after=2024-01-14";
    let plan = explained.plan(query).await;
    assert_in_order(query, &plan);
    assert_scans(
        query,
        &plan,
        &[
            "Index Only Scan customers_newest",
            "Index Scan customers_pkey",
        ],
    );
}

#[tokio::test]
async fn deep_pages_are_found_in_the_index_alone_and_then_by_id() {
    let explained = Explained::start(MANY).await;
    for (query, live, skipped) in [
        ("page=100", "Index Only Scan customers_newest", 99 * 50),
        ("page=300", "Index Only Scan customers_newest", 299 * 50),
        (
            "page=100&status=active",
            "Index Only Scan customers_live_by_status",
            99 * 50,
        ),
    ] {
        let plan = explained.plan(query).await;
        assert_in_order(query, &plan);
        assert_scans(query, &plan, &[live, "Index Scan customers_pkey"]);
        // What is skipped, in the index, and the page, twice.
        assert_reads_at_most(query, &plan, skipped + 100);
    }
}

#[tokio::test]
async fn what_an_index_finds_few_customers_for_is_found_by_it() {
    let explained = Explained::start(MANY).await;
    for (query, index) in [
        ("search=zebulon", "customers_search"),
        (
            "search=zebulon&status=active&page=2&limit=3",
            "customers_search",
        ),
        ("search=zebulon&archived=true", "customers_search"),
        ("tags=rare", "customers_tags"),
        ("tags=rare&search=an", "customers_tags"),
    ] {
        let plan = explained.plan(query).await;
        let by_index = format!("Bitmap Index Scan {index}");
        assert_scans(
            query,
            &plan,
            &[
                &by_index,
                "Bitmap Heap Scan customers",
                "Index Scan customers_pkey",
            ],
        );
    }
}

#[tokio::test]
async fn what_very_many_customers_have_is_counted_and_found_in_the_index_alone() {
    const SCANS: [&str; 3] = [
        "Index Only Scan customers_live_search",
        "Index Scan customers_live_long",
        "Index Scan customers_pkey",
    ];
    let explained = Explained::start(MANY).await;
    for query in ["search=an", "search=an", "search=an&page=50"] {
        let plan = explained.plan(query).await;
        assert_in_order(query, &plan);
        assert_scans(query, &plan, &SCANS);
    }
    // That there are very many turns out when they are looked for, once.
    let first = explained.list("search=hannah").await;
    assert_eq!(first.len(), 2, "{first:?}");
    for plan in [&first[1], &explained.plan("search=hannah").await] {
        assert_in_order("search=hannah", plan);
        assert_scans("search=hannah", plan, &SCANS);
    }
}

#[tokio::test]
async fn a_customer_is_found_by_its_key() {
    let explained = Explained::start(1000).await;
    let tenant = explained.app.on(&explained.server);
    let id = &tenant.list("limit=1").await.ids()[0];
    let (reply, plans) = plans_of(id, tenant.get(id)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(plans.len(), 1, "{plans:?}");
    assert_eq!(plans[0].nodes(), ["Index Scan customers_pkey"]);
}

#[tokio::test]
async fn the_few_customers_of_a_small_company_are_looked_at_one_by_one() {
    let explained = Explained::start(1000).await;
    for query in [
        "search=zebulon",
        "search=hannah",
        "search=an",
        "search=zebulon&archived=true",
        "tags=rare&search=mary",
    ] {
        let nodes = explained.plan(query).await.nodes();
        let by_text = nodes.iter().find(|node| node.contains("customers_search"));
        assert_eq!(by_text, None, "{query}: {nodes:?}");
    }
}

#[tokio::test]
async fn no_call_about_one_customer_reads_all_of_them() {
    let explained = Explained::start(MANY).await;
    let marker = explained.app.company.to_string();
    let any = format!("select id::text from customers where company_id = '{marker}' limit 1");
    let id = explained.app.column::<String>(&any).await.remove(0);
    let tenant = explained.app.on(&explained.server);
    for (method, path) in [
        (Method::GET, ""),
        (Method::POST, "/archive"),
        (Method::POST, "/restore"),
        (Method::GET, "/payment-methods"),
        (Method::GET, "/export"),
        (Method::DELETE, ""),
    ] {
        let request = tenant.request(method.clone(), &format!("/customers/{id}{path}"));
        let (reply, plans) = plans_of(&marker, send(request)).await;
        assert!(reply.status < 300, "{method} {path}: {}", reply.body);
        assert!(!plans.is_empty(), "{method} {path}");
        for plan in plans {
            let nodes = plan.nodes();
            let walks =
                |node: &String| node == "Seq Scan customers" || node.contains("customers_newest");
            assert!(
                !nodes.iter().any(walks),
                "{method} {path}: {} {nodes:?}",
                plan.sql
            );
        }
    }
}

#[tokio::test]
async fn a_post_finds_its_customer_by_its_key_in_a_table_that_was_never_analysed() {
    const CUSTOMERS: usize = 5_000;
    let app = App::start().await;
    app.sql(&format!(
        "alter table customers set (autovacuum_enabled = false);
        insert into customers (company_id, id, phone, phone_key, email, email_key, search_text,
            rules_version)
        select '{}', gen_random_uuid(), '763-5' || n, '+17635' || n,
            n || '@example.com', n || '@example.com', '', 1
        from generate_series(550000, 550000 + {CUSTOMERS} - 1) as n",
        app.company
    ))
    .await;
    explain::start(&app).await;
    let server = app.second_server();
    let tenant = app.on(&server);
    let marker = app.company.to_string();
    for (body, status) in [
        (json!({"phone": "763-555-0123"}), 200),
        (json!({"email": "550124@example.com"}), 200),
        (
            json!({"phone": "763-444-0100", "email": "nobody@example.com"}),
            201,
        ),
        (json!({"phone": "763-444-0101"}), 201),
    ] {
        let (reply, plans) = plans_of(&marker, tenant.post(body.clone())).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.body);
        let looks: Vec<&Plan> = plans
            .iter()
            .filter(|plan| plan.sql.contains("by_phone"))
            .collect();
        assert_eq!(looks.len(), 1, "{body}: {plans:?}");
        // By phone, by e-mail, and by its id.
        assert_reads_at_most(&body.to_string(), looks[0], 3);
        let nodes = looks[0].nodes();
        assert!(
            !nodes.iter().any(|node| node.contains("customers_newest")),
            "{body}: {nodes:?}"
        );
    }
}
