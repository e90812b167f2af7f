//! `cursor`: a walk through a whole list, while others write.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sorting::{FILTERS, SORTS, in_sql, sixty};
use crate::support::{App, Tenant};

/// The pages of a walk, each as its ids.
async fn walk(tenant: &Tenant, query: &str) -> Vec<Vec<String>> {
    let (mut cursor, mut pages) = (String::new(), Vec::new());
    loop {
        let reply = tenant.list(&format!("{query}&cursor={cursor}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.body);
        pages.push(reply.ids());
        let pagination = &reply.body["pagination"];
        assert_eq!(pagination["page"], 1);
        let next = pagination.get("next_cursor").expect("a next cursor");
        assert_eq!(pagination["has_more"], next.is_string());
        let Some(next) = next.as_str() else {
            assert_eq!(*next, Value::Null);
            return pages;
        };
        next.clone_into(&mut cursor);
    }
}

#[tokio::test]
async fn every_list_is_walked_from_end_to_end_in_every_order() {
    let app = App::start().await;
    sixty(&app).await;
    for (sort, sort_sql) in SORTS {
        for (filter, filter_sql) in FILTERS {
            let expected = in_sql(&app, filter_sql, sort_sql).await;
            let pages = walk(&app, &format!("{filter}&sort={sort}&limit=7")).await;
            assert_eq!(pages.len(), expected.len().div_ceil(7), "{filter} {sort}");
            assert_eq!(pages.concat(), expected, "{filter} {sort}");
        }
    }
}

#[tokio::test]
async fn the_total_is_that_of_the_whole_list_on_every_page() {
    let app = App::start().await;
    sixty(&app).await;
    for (query, total) in [("", 48), ("search=hanna", 48), ("archived=true", 60)] {
        let first = app.list(&format!("{query}&limit=20&cursor=")).await;
        assert_eq!(first.body["pagination"]["total"], total, "{query}");
        let next = first.body["pagination"]["next_cursor"]
            .as_str()
            .expect("more");
        let second = app.list(&format!("{query}&limit=20&cursor={next}")).await;
        assert_eq!(second.body["pagination"]["total"], total, "{query}");
    }
}

#[tokio::test]
async fn customers_of_one_moment_are_each_seen_once() {
    let app = App::start().await;
    app.sql(&format!(
        "insert into customers (company_id, id, created_at, search_text, rules_version)
        select '{}', gen_random_uuid(), '2024-01-01 00:00:00.123456Z', '', 1
        from generate_series(1, 25)",
        app.company
    ))
    .await;
    for sort in ["created_at", "-created_at"] {
        let mut seen = walk(&app, &format!("sort={sort}&limit=4")).await.concat();
        assert_eq!(seen.len(), 25);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25);
    }
}

#[tokio::test]
async fn an_empty_list_ends_where_it_starts() {
    let app = App::start().await;
    let reply = app.list("cursor=").await;
    assert_eq!(
        reply.body["pagination"],
        json!({"has_more": false, "limit": 50, "next_cursor": null, "page": 1, "total": 0})
    );
}

#[tokio::test]
async fn what_is_no_cursor_of_this_list_is_refused() {
    let app = App::start().await;
    for _ in 0..2 {
        app.create(json!({})).await;
    }
    let first = app.list("limit=1&cursor=").await;
    let cursor = first.body["pagination"]["next_cursor"]
        .as_str()
        .expect("more");
    assert_eq!(app.list(&format!("cursor={cursor}")).await.ids().len(), 1);
    for query in [
        "cursor=2".to_owned(),
        "cursor=%00%ff".to_owned(),
        format!("cursor={cursor}="),
        format!("cursor={}", &cursor[1..]),
        format!("cursor={cursor}&sort=created_at"),
        format!("cursor={cursor}&sort=last_name"),
    ] {
        assert_eq!(app.list(&query).await.bad_fields(), ["cursor"], "{query}");
    }
    for query in [
        "page=2&cursor=".to_owned(),
        format!("page=2&cursor={cursor}"),
    ] {
        assert_eq!(app.list(&query).await.bad_fields(), ["page"], "{query}");
    }
    assert_eq!(app.list("page=1&cursor=").await.status, 200);
}

#[tokio::test]
async fn a_walk_sees_each_customer_that_stays_once_whatever_others_write() {
    let app = App::start().await;
    app.sql(&format!(
        "insert into customers (company_id, id, created_at, last_name, search_text, rules_version)
        select '{}', md5(n::text)::uuid, '2024-01-01Z'::timestamptz + n / 3 * interval '1 minute',
            'Name' || n % 40, 'hanna', 1
        from generate_series(1, 300) as n",
        app.company
    ))
    .await;
    let ids: Vec<String> = app.list("sort=created_at&limit=1000").await.ids();
    // Every tenth will be archived meanwhile.
    let (mut goes, mut stays) = (Vec::new(), Vec::new());
    for (n, id) in ids.into_iter().enumerate() {
        if n % 10 == 0 { &mut goes } else { &mut stays }.push(id);
    }
    let writes = async {
        for (n, id) in goes.iter().enumerate() {
            let new = json!({"last_name": format!("Name{n}"), "first_name": format!("New {n}")});
            app.create(new).await;
            app.post(json!({"id": stays[n * 7], "notes": format!("note {n}")}))
                .await;
            app.archive(id).await;
        }
    };
    let walks = async {
        let queries = [
            "limit=9",
            "limit=9&sort=created_at",
            "limit=9&sort=last_name",
            "limit=9&sort=-last_name",
            "limit=9&archived=true",
        ];
        let mut walks = Vec::new();
        for query in queries {
            walks.push((query, walk(&app, query).await.concat()));
        }
        walks
    };
    let ((), walks) = tokio::join!(writes, walks);
    for (query, seen) in walks {
        let mut times: BTreeMap<&String, usize> = BTreeMap::new();
        for id in &seen {
            *times.entry(id).or_default() += 1;
        }
        assert_eq!(times.len(), seen.len(), "{query}: one was seen twice");
        for id in &stays {
            assert!(times.contains_key(id), "{query}: {id} was not seen");
        }
    }
}
