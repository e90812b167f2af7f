//! Pages: every list, walked from its first page to its last, has what SQL gives in its order,
//! whichever way the service looks for it.

use serde_json::json;

use crate::support::App;

/// Lists that an index finds few customers for: the query, and what it says in SQL.
const OF_FEW: [(&str, &str); 9] = [
    ("search=hanna", "search_text like '%hanna%'"),
    (
        "search=ann+kay",
        "search_text like '%ann%' and search_text like '%kay%'",
    ),
    (
        "search=hanna&status=active",
        "search_text like '%hanna%' and status = 'active'",
    ),
    ("tags=vip", "tags && '{vip}'"),
    ("tags=vip,lead", "tags && '{vip,lead}'"),
    (
        "tags=vip,gold&status=inactive",
        "tags && '{vip,gold}' and status = 'inactive'",
    ),
    (
        "tags=gold&search=an",
        "tags && '{gold}' and search_text like '%an%'",
    ),
    (
        "tags=gold,lead&search=anton",
        "tags && '{gold,lead}' and search_text like '%anton%'",
    ),
    (
        "tags=vip&search=ann&status=active",
        "tags && '{vip}' and search_text like '%ann%' and status = 'active'",
    ),
];

/// The others.
const OF_MANY: [(&str, &str); 5] = [
    ("", "true"),
    ("status=active", "status = 'active'"),
    ("status=inactive", "status = 'inactive'"),
    ("search=an", "search_text like '%an%'"),
    (
        "search=an&status=active",
        "search_text like '%an%' and status = 'active'",
    ),
];

/// Sixty customers, four of each moment, of whom every fifth is archived and every sixth too long
/// for the index of search texts.
async fn sixty(app: &App) {
    app.sql(&format!(
        "insert into customers (company_id, id, created_at, archived_at, status, tags, search_text,
            rules_version)
        select '{}', md5(n::text)::uuid, '2024-01-01Z'::timestamptz + n / 4 * interval '1 second',
            case when n % 5 = 0 then now() end,
            (array['active', 'inactive', null])[1 + n % 3],
            (array['{{vip}}', '{{gold,lead}}', '{{}}', '{{vip,gold}}'])[1 + n % 4]::text[],
            (array['hannah', 'anton', 'joanna kay', 'peter'])[1 + n % 7 % 4]
                || case when n % 6 = 0 then repeat('漢', 700) else '' end,
            1
        from generate_series(1, 60) as n",
        app.company
    ))
    .await;
}

/// Customers that are older than all others, or newer, and yet like each other.
async fn fill(app: &App, count: usize, text: &str, tags: &str) {
    app.sql(&format!(
        "insert into customers (company_id, id, created_at, tags, search_text, rules_version)
        select '{}', md5('f' || n)::uuid,
            '2023-12-31Z'::timestamptz + n / 4 % 100 * interval '1 hour', '{tags}', '{text}', 1
        from generate_series(1, {count}) as n",
        app.company
    ))
    .await;
    app.sql("analyze customers").await;
}

/// Walks all pages of a list, and one more. Two walks: the second knows what the first counted.
async fn assert_walks(app: &App, limit: usize, (query, condition): (&str, &str)) {
    for (archived, which) in [("false", "archived_at is null"), ("true", "true")] {
        let expected: Vec<String> = app
            .column(&format!(
                "select id::text from customers
                where company_id = '{}' and {condition} and {which}
                order by created_at desc, id desc",
                app.company
            ))
            .await;
        assert!(!expected.is_empty(), "{query} tells nothing");
        let pages = expected.len().div_ceil(limit);
        for walk in 1..=2 {
            let mut seen = Vec::new();
            for page in 1..=pages + 1 {
                let query = format!("{query}&archived={archived}&limit={limit}&page={page}");
                let reply = app.list(&query).await;
                assert_eq!(reply.status, 200, "{query}: {}", reply.body);
                let has_more = page < pages;
                assert_eq!(
                    reply.body["pagination"],
                    json!({"has_more": has_more, "limit": limit, "page": page,
                        "total": expected.len()}),
                    "{query}"
                );
                let ids = reply.ids();
                assert!(ids.len() == limit || !has_more, "{query}: {}", ids.len());
                seen.extend(ids);
            }
            assert!(
                seen == expected,
                "{query}, archived={archived}, walk {walk}: {seen:?} for {expected:?}"
            );
        }
        let far = app
            .list(&format!("{query}&archived={archived}&page=1000000"))
            .await;
        assert_eq!(far.ids(), [""; 0], "{query}");
        assert_eq!(far.body["pagination"]["total"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn the_lists_of_a_small_company_have_everybody_once() {
    let app = App::start().await;
    sixty(&app).await;
    for list in OF_MANY.into_iter().chain(OF_FEW) {
        assert_walks(&app, 7, list).await;
    }
}

#[tokio::test]
async fn pages_of_one_customer_each_have_everybody_once() {
    let app = App::start().await;
    sixty(&app).await;
    for list in [OF_MANY[0], OF_MANY[3], OF_FEW[0], OF_FEW[3]] {
        assert_walks(&app, 1, list).await;
    }
}

#[tokio::test]
async fn the_lists_of_few_of_very_many_have_everybody_once() {
    let app = App::start().await;
    sixty(&app).await;
    fill(&app, 6000, "filler", "{}").await;
    for list in OF_FEW.into_iter().chain(OF_MANY[1..].iter().copied()) {
        assert_walks(&app, 7, list).await;
    }
}

#[tokio::test]
async fn long_lists_have_everybody_once() {
    let app = App::start().await;
    sixty(&app).await;
    fill(&app, 10_500, "hannah", "{vip}").await;
    for list in [OF_MANY[0], OF_MANY[3], OF_FEW[0], OF_FEW[3]] {
        assert_walks(&app, 1000, list).await;
    }
}
