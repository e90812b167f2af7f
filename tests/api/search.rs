//! Search: words, accents, digits.

use serde_json::{Value, json};

use crate::support::{App, Tenant};

/// Asserts that each of the searches finds this customer and no other.
async fn assert_finds(tenant: &Tenant, id: &str, searches: &[&str]) {
    for search in searches {
        assert_eq!(tenant.search(search).await, [id], "{search:?} finds");
    }
}

async fn assert_misses(tenant: &Tenant, searches: &[&str]) {
    for search in searches {
        assert_eq!(tenant.search(search).await, [""; 0], "{search:?} misses");
    }
}

fn john() -> Value {
    json!({
        "first_name": "John", "last_name": "Smith", "company_name": "Blue Café",
        "email": "J.Smith@Example.com", "phone": "(763) 555-0101",
        "notes": "secretnote", "source": "flyer", "tags": ["gold"], "property_city": "Edina",
        "billing_city": "Duluth", "service_type": "mowing", "status": "active",
    })
}

#[tokio::test]
async fn a_piece_of_any_of_the_five_fields_is_enough() {
    let app = App::start().await;
    app.create(json!({"first_name": "Someone", "last_name": "Else"}))
        .await;
    let id = app.create(john()).await;
    assert_finds(
        &app,
        &id,
        &[
            "John",
            "oh",
            "Smith",
            "mit",
            "Blue",
            "lue caf",
            "J.Smith@",
            "example.com",
            "(763)",
            "555-01",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_other_fields_are_not_searched() {
    let app = App::start().await;
    app.create(john()).await;
    assert_misses(
        &app,
        &[
            "secretnote",
            "flyer",
            "gold",
            "Edina",
            "Duluth",
            "mowing",
            "active",
        ],
    )
    .await;
}

#[tokio::test]
async fn every_word_must_occur_in_some_field() {
    let app = App::start().await;
    let id = app.create(john()).await;
    app.create(json!({"first_name": "John", "last_name": "Doe"}))
        .await;
    assert_finds(
        &app,
        &id,
        &[
            "john smi",
            "smith john",
            "  SMITH\t joh ",
            "john blue 763",
            "john example.com cafe",
            "j s m i",
        ],
    )
    .await;
    assert_misses(&app, &["john jones", "johnsmith", "hn sm q", "john 0102"]).await;
}

#[tokio::test]
async fn a_word_does_not_reach_from_one_field_into_the_next() {
    let app = App::start().await;
    app.create(json!({"first_name": "Ann", "last_name": "Abel"}))
        .await;
    assert_misses(&app, &["annabel", "nnab", "nabe"]).await;
}

#[tokio::test]
async fn case_and_accents_make_no_difference_on_either_side() {
    let app = App::start().await;
    for (written, searches) in [
        (
            "Café Zoë",
            vec!["cafe", "CAFÉ", "café", "Zoe", "ZOË", "caf\u{65}\u{301}"],
        ),
        ("Angstrom", vec!["Ångström", "ÅNGSTRÖM", "angström"]),
        ("Straße", vec!["strasse", "STRASSE", "straße", "STRAẞE"]),
        ("Grossmann", vec!["großmann", "GROẞMANN"]),
        ("Nguyễn Thị", vec!["nguyen", "NGUYỄN", "thi"]),
        ("ΟΔΥΣΣΕΥΣ", vec!["οδυσσευς", "Οδυσσεύς"]),
        ("Иванов", vec!["иванов", "ИВАН"]),
        ("Jose\u{301}", vec!["josé", "jose", "JOSÉ"]),
    ] {
        let id = app.create(json!({"last_name": written})).await;
        assert_finds(&app, &id, &searches).await;
    }
}

#[tokio::test]
async fn percent_underscore_and_backslash_are_ordinary_characters() {
    let app = App::start().await;
    let percent = app.create(json!({"company_name": "100% Clean"})).await;
    let under = app.create(json!({"company_name": "snake_case"})).await;
    let back = app.create(json!({"company_name": r"C:\Temp"})).await;
    app.create(json!({"company_name": "1000 snakescase CTemp"}))
        .await;
    assert_finds(&app, &percent, &["%", "100%", "0% clean"]).await;
    assert_finds(&app, &under, &["_", "e_c", "snake_case"]).await;
    assert_finds(&app, &back, &[r"\", r":\t", r"c:\temp"]).await;
    assert_misses(&app, &["%%", "__", r"\\", "s%e", r"\_", r"\%", "'", "\""]).await;
}

#[tokio::test]
async fn punctuation_in_names_is_searched_as_written() {
    let app = App::start().await;
    let id = app
        .create(json!({"last_name": "O'Brien-Smith", "company_name": "A&B \"C\" (Ltd.)"}))
        .await;
    assert_finds(
        &app,
        &id,
        &["o'brien", "n-s", "a&b", "\"c\"", "(ltd.)", "'"],
    )
    .await;
    assert_misses(&app, &["obrien", "briensmith"]).await;
}

#[tokio::test]
async fn four_digits_or_more_find_the_phone_whatever_the_punctuation() {
    let app = App::start().await;
    let id = app
        .create(json!({"first_name": "John", "phone": "(763) 555-0101"}))
        .await;
    app.create(json!({"phone": "(763) 555-0999"})).await;
    assert_finds(
        &app,
        &id,
        &[
            "555-0101",
            "5550101",
            "0101",
            "5.5.5.0.1.0.1",
            "7635550101",
            "763-555-0101",
            "(763)555-0101",
            "(763) 555-0101",
            "763.555.0101",
            "+17635550101",
            "+1 763 555 0101",
            "john 0101",
            "0101 john",
        ],
    )
    .await;
    assert_misses(
        &app,
        &["5550102", "0101555", "+447635550101", "jane 5550101"],
    )
    .await;
}

#[tokio::test]
async fn a_phone_written_with_its_country_is_found_without() {
    let app = App::start().await;
    let id = app.create(json!({"phone": "+17635550101"})).await;
    assert_finds(
        &app,
        &id,
        &[
            "(763) 555-0101",
            "763-555-0101",
            "555-0101",
            "+1 763",
            "+1-763-555-0101",
        ],
    )
    .await;
}

#[tokio::test]
async fn fewer_than_four_digits_are_found_only_as_written() {
    let app = App::start().await;
    let id = app.create(json!({"phone": "(763) 555-0101"})).await;
    assert_finds(&app, &id, &["763", "(763", "5-0", "01", "555"]).await;
    // These stand in the digits, but not in what was written.
    assert_misses(&app, &["635", "3-5", "50", "550"]).await;
}

#[tokio::test]
async fn digits_in_names_are_text() {
    let app = App::start().await;
    let id = app
        .create(json!({"company_name": "Studio 54321", "email": "agent007@example.com"}))
        .await;
    assert_finds(&app, &id, &["54321", "4321", "007", "studio 543"]).await;
    assert_misses(&app, &["5-4-3-2-1", "54-321"]).await;
}

#[tokio::test]
async fn letters_never_find_digits() {
    let app = App::start().await;
    app.create(json!({"phone": "(012) 345-6789"})).await;
    assert_misses(&app, &["abcd", "ABCDEFGHIJ", "bcde", "+b"]).await;
}

#[tokio::test]
async fn a_search_for_nothing_finds_everyone() {
    let app = App::start().await;
    app.create(john()).await;
    app.create(json!({})).await;
    for search in ["", " ", "\t \u{a0}"] {
        assert_eq!(app.search(search).await.len(), 2, "{search:?}");
    }
}

#[tokio::test]
async fn an_update_is_found_by_its_new_words_at_once_and_no_more_by_its_old() {
    let app = App::start().await;
    let id = app.create(john()).await;
    app.post(json!({"id": id, "first_name": "Ivan", "last_name": null, "phone": "763-555-0999", "email": null}))
        .await;
    assert_finds(&app, &id, &["ivan", "5550999", "cafe ivan"]).await;
    assert_misses(&app, &["john", "smith", "5550101"]).await;
}

#[tokio::test]
async fn archived_customers_are_found_only_when_asked_for() {
    let app = App::start().await;
    let id = app.create(john()).await;
    app.archive(&id).await;
    assert_misses(&app, &["john"]).await;
    assert_eq!(app.list("search=john&archived=true").await.ids(), [id]);
}

#[tokio::test]
async fn the_total_of_a_search_is_exact() {
    let app = App::start().await;
    for n in 0..5 {
        app.create(json!({"first_name": format!("Jane{n}")})).await;
        app.create(json!({"first_name": format!("Joe{n}")})).await;
    }
    let reply = app.list("search=jane&limit=2&page=2").await;
    assert_eq!(
        reply.body["pagination"],
        json!({"has_more": true, "limit": 2, "page": 2, "total": 5})
    );
}

#[tokio::test]
async fn a_plus_in_a_query_is_a_space_and_its_escape_a_plus() {
    let app = App::start().await;
    let id = app.create(john()).await;
    assert_eq!(app.list("search=john+smi").await.ids(), [id.as_str()]);
    assert_eq!(app.list("search=%2B17635550101").await.ids(), [id]);
}
