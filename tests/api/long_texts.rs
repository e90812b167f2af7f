//! Customers whose names fill their fields with letters of many bytes: more text than an entry of
//! an index can have.

use serde_json::{Value, json};

use crate::support::App;

/// The bytes of search text up to which it stands in an index of the list.
const SHORT: i64 = 2000;

/// Letters of four bytes each, no two fields alike, as many as fit.
fn in_letters_of_four_bytes() -> Value {
    json!({
        "first_name": "𠀀𠀁".repeat(127),
        "last_name": "𠀂𠀃𠀂".repeat(85),
        "company_name": "𠀄𠀅𠀄".repeat(85),
        "email": format!("{}@example.com", "𠀆𠀇".repeat(8)),
        "phone": format!("7635550101{}", "𠀈𠀉".repeat(122)),
        "tags": ["long"], "status": "active",
    })
}

/// Letters of three bytes each.
fn in_letters_of_three_bytes() -> Value {
    json!({
        "first_name": "漢字".repeat(127),
        "last_name": "仮名字".repeat(85),
        "company_name": "会社名".repeat(85),
        "email": format!("{}@example.com", "郵便".repeat(8)),
        "phone": format!("7635550102{}", "内線".repeat(122)),
    })
}

fn ordinary(n: usize) -> Value {
    json!({"first_name": format!("Ordinary{n}"), "phone": format!("76355502{n:02}")})
}

/// Asserts that a list has these customers, on one page and on pages of one customer each, most of
/// which are found from the index alone.
async fn assert_lists(app: &App, filters: &str, ids: &[&String]) {
    let whole = app.list(filters).await;
    assert_eq!(whole.ids().iter().collect::<Vec<_>>(), ids, "{filters:?}");
    assert_eq!(whole.body["pagination"]["total"], ids.len(), "{filters:?}");
    for (before, id) in ids.iter().enumerate() {
        let query = format!("{filters}&limit=1&page={}", before + 1);
        let page = app.list(&query).await;
        assert_eq!(page.ids(), [id.as_str()], "{query}");
        assert_eq!(page.body["pagination"]["total"], ids.len(), "{query}");
    }
}

#[tokio::test]
async fn a_long_customer_is_found_by_a_piece_of_every_field() {
    let app = App::start().await;
    app.create(ordinary(1)).await;
    let four = app.create(in_letters_of_four_bytes()).await;
    let three = app.create(in_letters_of_three_bytes()).await;
    let lengths: Vec<i64> = app
        .column("select octet_length(search_text)::bigint from customers order by created_at")
        .await;
    assert!(lengths[1..].iter().all(|length| *length > SHORT));

    for (id, pieces) in [
        (
            &four,
            [
                "𠀀𠀁𠀀",
                "𠀁𠀀",
                "𠀂𠀃𠀂",
                "𠀅𠀄",
                "𠀆𠀇@exam",
                "𠀉𠀈𠀉",
                "5550101",
                "𠀀𠀁 𠀄𠀅𠀄 0101",
            ],
        ),
        (
            &three,
            [
                "漢字漢",
                "字漢",
                "仮名字",
                "社名",
                "便@exam",
                "内線内",
                "5550102",
                "漢字 会社名 0102",
            ],
        ),
    ] {
        for piece in pieces {
            assert_eq!(app.search(piece).await, [id.as_str()], "{piece}");
        }
    }
    assert_eq!(app.search("@example.com").await, [three, four]);
    assert_eq!(app.search("𠀁𠀂").await, [""; 0]);
}

#[tokio::test]
async fn a_whole_field_of_long_letters_is_found() {
    let app = App::start().await;
    let long = in_letters_of_four_bytes();
    let id = app.create(long.clone()).await;
    for field in ["first_name", "last_name", "company_name", "email", "phone"] {
        let whole = long[field].as_str().expect("a string");
        assert_eq!(app.search(whole).await, [id.as_str()], "{field}");
    }
}

#[tokio::test]
async fn long_customers_stand_among_ordinary_ones_in_the_order_of_the_list() {
    let app = App::start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(app.create(ordinary(2 * n)).await);
        ids.push(app.create(ordinary(2 * n + 1)).await);
        let mut long = in_letters_of_four_bytes();
        for field in ["email", "phone"] {
            long[field] = json!(null);
        }
        long["company_name"] = json!(format!("Ordinary{n}"));
        ids.push(app.create(long).await);
    }
    app.archive(&ids[2]).await;
    app.archive(&ids[4]).await;
    let all: Vec<&String> = ids.iter().rev().collect();
    let live: Vec<&String> = all
        .iter()
        .filter(|id| ***id != ids[2] && ***id != ids[4])
        .copied()
        .collect();

    for search in ["", "&search=or", "&search=ordinary"] {
        assert_lists(&app, search, &live).await;
        assert_lists(&app, &format!("{search}&archived=true"), &all).await;
    }
    let long = [&ids[8], &ids[5]];
    for filters in [
        "tags=long",
        "status=active",
        "search=or&status=active",
        "tags=long&search=ordinary",
    ] {
        assert_lists(&app, filters, &long).await;
        let query = format!("{filters}&archived=true");
        assert_lists(&app, &query, &[long[0], long[1], &ids[2]]).await;
    }
}

#[tokio::test]
async fn a_text_on_either_side_of_the_limit_is_listed_once() {
    let app = App::start().await;
    let mut ids = Vec::new();
    for (rest, length) in [("漢".repeat(156), SHORT), ("漢".repeat(155) + "four", 2001)] {
        let name = "漢".repeat(255);
        let body = json!({"first_name": name, "last_name": name, "company_name": rest});
        ids.insert(0, app.create(body).await);
        let lengths: Vec<i64> = app
            .column(
                "select octet_length(search_text)::bigint from customers order by created_at desc",
            )
            .await;
        assert_eq!(lengths[0], length);
    }
    let both: Vec<&String> = ids.iter().collect();
    for filters in ["", "search=%E6%BC%A2", "search=%E6%BC%A2%E6%BC%A2%E6%BC%A2"] {
        assert_lists(&app, filters, &both).await;
    }
}

#[tokio::test]
async fn a_customer_whose_text_grows_and_shrinks_is_always_found() {
    let app = App::start().await;
    let id = app.create(ordinary(1)).await;
    for _ in 0..2 {
        let mut long = in_letters_of_four_bytes();
        long["id"] = json!(id);
        assert_eq!(app.post(long).await.status, 200);
        assert_lists(&app, "search=%F0%A0%80%80%F0%A0%80%81", &[&id]).await;
        assert_lists(&app, "search=or", &[]).await;
        let mut short = ordinary(1);
        for (field, value) in [
            ("id", json!(id)),
            ("last_name", json!(null)),
            ("company_name", json!(null)),
            ("email", json!(null)),
        ] {
            short[field] = value;
        }
        assert_eq!(app.post(short).await.status, 200);
        assert_lists(&app, "search=or", &[&id]).await;
        assert_lists(&app, "search=%F0%A0%80%80%F0%A0%80%81", &[]).await;
    }
}
