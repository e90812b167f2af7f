//! `sort`: other orders than the newest first.

use serde_json::json;

use crate::support::App;

/// Sixty customers: names in any case, some blank, many the same; every fifth is archived.
pub async fn sixty(app: &App) {
    app.sql(&format!(
        "insert into customers (company_id, id, created_at, updated_at, archived_at, status, tags,
            last_name, company_name, search_text, rules_version)
        select '{}', md5(n::text)::uuid, '2024-01-01Z'::timestamptz + n / 4 * interval '1 ms',
            '2025-01-01Z'::timestamptz + n * 7 % 20 * interval '1 microsecond',
            case when n % 5 = 0 then now() end,
            (array['active', 'inactive', null])[1 + n % 3],
            (array['{{vip}}', '{{gold}}', '{{}}', '{{vip,gold}}'])[1 + n % 4]::text[],
            (array['Smith', 'smith', null, '', 'Ångström', 'Zorn', 'O''Neil'])[1 + n % 7],
            (array['Acme', null, 'acme ltd', 'Über'])[1 + n % 4],
            case when n % 6 = 0 then repeat(md5(n::text), 100) else '' end || ' hanna ' || n, 1
        from generate_series(1, 60) as n",
        app.company
    ))
    .await;
}

/// The sorts, and what they are in SQL.
pub const SORTS: [(&str, &str); 8] = [
    ("created_at", "created_at, id"),
    ("-created_at", "created_at desc, id desc"),
    ("updated_at", "updated_at, id"),
    ("-updated_at", "updated_at desc, id desc"),
    ("last_name", "coalesce(lower(last_name), ''), id"),
    ("-last_name", "coalesce(lower(last_name), '') desc, id desc"),
    ("company_name", "coalesce(lower(company_name), ''), id"),
    (
        "-company_name",
        "coalesce(lower(company_name), '') desc, id desc",
    ),
];

/// Filters, and what they are in SQL.
pub const FILTERS: [(&str, &str); 6] = [
    ("", "archived_at is null"),
    ("archived=true", "true"),
    ("status=active", "archived_at is null and status = 'active'"),
    ("search=hanna", "archived_at is null"),
    ("search=na&archived=true", "true"),
    (
        "tags=vip&created_after=2024-01-01T00:00:00.003Z",
        "archived_at is null and tags && '{vip}' and created_at >= '2024-01-01 00:00:00.004Z'",
    ),
];

/// The ids that SQL gives.
pub async fn in_sql(app: &App, filter: &str, sort: &str) -> Vec<String> {
    app.column(&format!(
        "select id::text from customers where {filter} order by {sort}"
    ))
    .await
}

#[tokio::test]
async fn every_list_goes_by_every_sort_page_by_page() {
    let app = App::start().await;
    sixty(&app).await;
    for (sort, sort_sql) in SORTS {
        for (filter, filter_sql) in FILTERS {
            let expected = in_sql(&app, filter_sql, sort_sql).await;
            let mut seen = Vec::new();
            for page in 1..=9 {
                let query = format!("{filter}&sort={sort}&limit=7&page={page}");
                let reply = app.list(&query).await;
                assert_eq!(reply.body["pagination"]["total"], expected.len(), "{query}");
                assert_eq!(reply.body["pagination"].get("next_cursor"), None);
                seen.extend(reply.ids());
            }
            assert_eq!(seen, expected, "{filter} {sort}");
        }
    }
}

#[tokio::test]
async fn blank_names_come_first_and_case_does_not_count() {
    let app = App::start().await;
    let mut ids = Vec::new();
    for body in [
        json!({"last_name": "bell"}),
        json!({"last_name": "Adams"}),
        json!({"last_name": "BELL"}),
        json!({}),
    ] {
        ids.push(app.create(body).await);
    }
    let ascending = [3, 1, 0, 2].map(|n: usize| ids[n].clone());
    assert_eq!(app.list("sort=last_name").await.ids(), ascending);
    let mut descending = ascending;
    descending.reverse();
    assert_eq!(app.list("sort=-last_name").await.ids(), descending);
}

#[tokio::test]
async fn an_unknown_sort_is_refused_a_blank_one_is_none_and_the_last_counts() {
    let app = App::start().await;
    let ids = [app.create(json!({})).await, app.create(json!({})).await];
    for sort in ["email", "created_at,id", "--created_at", "CREATED_AT"] {
        let reply = app.list(&format!("sort={sort}")).await;
        assert_eq!(reply.bad_fields(), ["sort"], "{sort}");
    }
    assert_eq!(app.list("sort=created_at").await.ids(), ids);
    let newest_first = [ids[1].clone(), ids[0].clone()];
    assert_eq!(app.list("sort=").await.ids(), newest_first);
    assert_eq!(
        app.list("sort=created_at&sort=-created_at").await.ids(),
        newest_first
    );
}
