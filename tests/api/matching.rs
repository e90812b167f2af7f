//! How a request without an id finds the customer it speaks of.

use serde_json::json;

use crate::support::{App, Reply, Tenant};

/// Whether a customer with the phone `known` is found by the phone `asked`; each pair by itself.
async fn meet(tenant: &Tenant, known: &str, asked: &str) -> bool {
    let first = tenant.post(json!({"phone": known})).await;
    let second = tenant.post(json!({"phone": asked})).await;
    assert!(second.status < 300, "{asked}: {}", second.body);
    // The phone is kept as it was written last.
    assert_eq!(second.body["phone"], asked);
    first.id() == second.id()
}

fn matched_by(reply: &Reply) -> Option<&str> {
    reply.header("clientele-matched-by")
}

#[tokio::test]
async fn a_phone_meets_itself_however_it_is_written() {
    let app = App::start().await;
    let spellings = [
        "(763) 555-0100",
        "763.555.0100",
        "+1 763-555-0100",
        "763/555-0100",
        "7635550100",
        "1-763-555-0100",
        "+17635550100",
        "763 555 0100",
        "tel:+1-763-555-0100",
    ];
    let id = app.create(json!({"phone": spellings[0]})).await;
    for spelling in spellings {
        let reply = app.post(json!({"phone": spelling})).await;
        assert_eq!((reply.status, reply.id()), (200, id.clone()), "{spelling}");
        assert_eq!(matched_by(&reply), Some("phone"));
        assert_eq!(reply.body["phone"], spelling);
    }
    assert!(meet(&app, "310/246-1501", "+1 (310) 246-1501").await);
}

#[tokio::test]
async fn a_made_up_number_is_matched_too() {
    let app = App::start().await;
    assert!(meet(&app, "(555) 123-4567", "555.123.4567").await);
    assert!(meet(&app, "(555) 123-4568", "+1 555 123 4568").await);
}

#[tokio::test]
async fn two_desks_of_one_office_stay_apart() {
    let app = App::start().await;
    assert!(!meet(&app, "763-555-0101 x12", "763-555-0101 x13").await);
    assert!(!meet(&app, "763-555-0102", "763-555-0102 ext. 4").await);
    assert!(meet(&app, "763-555-0103 x12", "(763) 555-0103 ext. 12").await);
}

#[tokio::test]
async fn a_local_number_is_matched_by_its_digits_alone() {
    let app = App::start().await;
    assert!(meet(&app, "555-0101", "5550101").await);
    assert!(!meet(&app, "(763) 555-0101", "555 0101").await);
}

#[tokio::test]
async fn fewer_than_seven_digits_match_nobody() {
    let app = App::start().await;
    assert!(!meet(&app, "12345", "12345").await);
    assert!(!meet(&app, "desk 4", "desk 4").await);
}

#[tokio::test]
async fn national_numbers_are_read_by_the_rules_of_the_companys_region() {
    let app = App::start().await;
    let german = app.company("Müller GmbH", "DE").await;
    assert!(meet(&german, "09261 628000", "+49 9261 628000").await);
    assert!(meet(&app, "+49 9261 628000", "011 49 9261 628000").await);
    // In the United States these are just ten digits.
    assert!(!meet(&app, "+49 9261 628001", "09261 628001").await);
}

#[tokio::test]
async fn an_email_meets_itself_in_any_case() {
    let app = App::start().await;
    let id = app.create(json!({"email": "Jane.Doe@Example.com"})).await;
    let reply = app.post(json!({"email": " jane.doe@EXAMPLE.com "})).await;
    assert_eq!((reply.status, reply.id()), (200, id));
    assert_eq!(matched_by(&reply), Some("email"));
    assert_eq!(reply.body["email"], "jane.doe@EXAMPLE.com");
}

#[tokio::test]
async fn dots_and_tags_in_an_email_tell_people_apart() {
    let app = App::start().await;
    let id = app.create(json!({"email": "jane.doe@example.com"})).await;
    for other in ["janedoe@example.com", "jane.doe+x@example.com"] {
        assert_ne!(app.create(json!({"email": other})).await, id);
    }
}

#[tokio::test]
async fn a_phone_that_nobody_has_leaves_it_to_the_email() {
    let app = App::start().await;
    let id = app.create(json!({"email": "jane@example.com"})).await;
    let reply = app
        .post(json!({"phone": "763-555-0101", "email": "jane@example.com"}))
        .await;
    assert_eq!((reply.status, reply.id()), (200, id));
    assert_eq!(matched_by(&reply), Some("email"));
    assert_eq!(reply.header("clientele-also-matches"), None);
    assert_eq!(reply.body["phone"], "763-555-0101");
}

#[tokio::test]
async fn when_phone_and_email_match_two_customers_the_phones_is_updated_and_the_other_named() {
    let app = App::start().await;
    let by_phone = app
        .create(json!({"first_name": "A", "phone": "763-555-0101"}))
        .await;
    let by_email = app
        .create(json!({"first_name": "B", "email": "b@example.com"}))
        .await;
    let before = app.get(&by_email).await.body;

    let reply = app
        .post(json!({"phone": "(763) 555-0101", "email": "B@example.com", "last_name": "Doe"}))
        .await;
    assert_eq!((reply.status, reply.id()), (200, by_phone));
    assert_eq!(reply.body["first_name"], "A");
    assert_eq!(reply.body["last_name"], "Doe");
    assert_eq!(reply.body["email"], "B@example.com");
    assert_eq!(matched_by(&reply), Some("phone"));
    assert_eq!(reply.header("clientele-outcome"), Some("updated"));
    assert_eq!(
        reply.header("clientele-also-matches"),
        Some(by_email.as_str())
    );
    assert_eq!(app.get(&by_email).await.body, before);
}

#[tokio::test]
async fn one_customer_matched_by_both_is_no_split() {
    let app = App::start().await;
    let jane = json!({"phone": "763-555-0101", "email": "jane@example.com"});
    app.create(jane.clone()).await;
    let reply = app.post(jane).await;
    assert_eq!(matched_by(&reply), Some("phone"));
    assert_eq!(reply.header("clientele-outcome"), Some("unchanged"));
    assert_eq!(reply.header("clientele-also-matches"), None);
}

#[tokio::test]
async fn of_a_family_that_shares_a_phone_the_one_created_first_is_matched() {
    let app = App::start().await;
    let mother = app
        .create(json!({"first_name": "Mother", "phone": "763-555-0101"}))
        .await;
    let child = app.create(json!({"first_name": "Child"})).await;
    let shared = app
        .post(json!({"id": child, "phone": "(763) 555-0101"}))
        .await;
    assert_eq!(shared.body["phone"], "(763) 555-0101");

    let reply = app.post(json!({"phone": "7635550101"})).await;
    assert_eq!(reply.id(), mother);
    assert_eq!(reply.header("clientele-also-matches"), None);

    app.archive(&mother).await;
    assert_eq!(app.post(json!({"phone": "7635550101"})).await.id(), child);
}

#[tokio::test]
async fn created_first_wins_even_if_it_got_the_phone_last() {
    let app = App::start().await;
    let older = app.create(json!({"first_name": "Older"})).await;
    app.create(json!({"first_name": "Younger", "phone": "763-555-0101"}))
        .await;
    app.post(json!({"id": older, "phone": "763-555-0101"}))
        .await;
    assert_eq!(app.post(json!({"phone": "763-555-0101"})).await.id(), older);
}

#[tokio::test]
async fn an_archived_customer_is_never_matched() {
    let app = App::start().await;
    let jane = json!({"phone": "763-555-0101", "email": "jane@example.com"});
    let archived = app.create(jane.clone()).await;
    app.archive(&archived).await;
    let reply = app.post(jane).await;
    assert_eq!(reply.status, 201);
    assert_ne!(reply.id(), archived);
    assert_eq!(reply.header("clientele-also-matches"), None);
}

#[tokio::test]
async fn an_archived_customer_makes_no_split() {
    let app = App::start().await;
    app.create(json!({"phone": "763-555-0101"})).await;
    let archived = app.create(json!({"email": "b@example.com"})).await;
    app.archive(&archived).await;
    let reply = app
        .post(json!({"phone": "763-555-0101", "email": "b@example.com"}))
        .await;
    assert_eq!(matched_by(&reply), Some("phone"));
    assert_eq!(reply.header("clientele-also-matches"), None);
}

#[tokio::test]
async fn a_phone_that_was_changed_or_cleared_matches_no_more() {
    let app = App::start().await;
    let id = app
        .create(json!({"phone": "763-555-0101", "email": "jane@example.com"}))
        .await;
    app.post(json!({"id": id, "phone": "763-555-0102", "email": null}))
        .await;
    assert_eq!(app.post(json!({"phone": "763-555-0102"})).await.id(), id);
    assert_ne!(app.create(json!({"phone": "763-555-0101"})).await, id);
    assert_ne!(app.create(json!({"email": "jane@example.com"})).await, id);
}
