//! Who did what, as the audit log tells it.

use serde_json::json;

use crate::support::{App, program};

/// The columns of each line of the log but its time, newest first.
fn entries(app: &App, arguments: &[&str]) -> Vec<Vec<String>> {
    let settings = [("DATABASE_URL", app.database_url.as_str())];
    let printed = program::answer(&settings, &[&["audit"], arguments].concat());
    let columns = |line: &str| -> Vec<String> {
        let columns = line.split("  ").map(str::trim);
        let columns = columns.filter(|column| !column.is_empty()).skip(1);
        columns.map(str::to_owned).collect()
    };
    printed.lines().skip(1).map(columns).collect()
}

fn key_id(key: &str) -> &str {
    key.split('_').nth(1).expect("the id in a key")
}

#[tokio::test]
async fn whoever_makes_and_revokes_keys_and_companies_is_noted() {
    let app = App::start().await;
    let settings = [("DATABASE_URL", app.database_url.as_str())];
    let company = program::answer(&settings, &["company", "create", "Initech"]);
    let company = company.trim();
    let key = program::answer(&settings, &["key", "create", "--company", company]);
    let id = key_id(key.trim());
    program::answer(&settings, &["key", "revoke", id]);
    // Revoked it is already.
    program::answer(&settings, &["key", "revoke", id]);

    let entries = entries(&app, &["--company", company]);
    let actor = &entries[0][0];
    assert!(actor.starts_with("operator "), "{actor}");
    assert_ne!(actor, "operator tester");
    let expected = [
        [actor, "key.revoked", company, id],
        [actor, "key.created", company, id],
        [actor, "company.created", company, company],
    ];
    assert_eq!(entries, expected);
}

#[tokio::test]
async fn whoever_erases_a_customer_is_noted_with_nothing_of_the_customer_but_its_id() {
    let app = App::start().await;
    let id = app.create(json!({"email": "jane@example.com"})).await;
    let path = format!("/customers/{id}");
    assert_eq!(app.delete(&path).await.status, 204);
    assert_eq!(app.delete(&path).await.status, 404);

    let actor = format!("key {}", key_id(&app.key));
    let company = app.company.to_string();
    let newest = &entries(&app, &["--limit", "2"])[..];
    assert_eq!(newest[0], [&actor, "customer.erased", &company, &id]);
    assert_eq!(newest[1][1], "key.created");
    assert_eq!(newest.len(), 2);
}

#[tokio::test]
async fn the_log_of_a_company_is_of_no_other() {
    let app = App::start().await;
    let other = app.other_company().await;
    let entries = entries(&app, &["--company", &other.company.to_string()]);
    assert_eq!(entries.len(), 2);
    assert!(
        entries
            .iter()
            .all(|entry| entry[2] == other.company.to_string())
    );
}
