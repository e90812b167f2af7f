//! Real businesses, as untidy as a customer list is: see `tests/data/README.md`.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::support::App;

type Row = HashMap<String, String>;

#[tokio::test]
async fn each_real_business_becomes_one_customer_and_posting_again_makes_no_other() {
    let app = App::start().await;
    let rows = rows();
    for row in &rows {
        let reply = app.post(customer(row)).await;
        assert!(reply.status < 300, "{row:?}: {}", reply.body);
    }
    let keys: HashSet<String> = rows.iter().filter_map(key).collect();
    let keyless = rows.iter().filter(|row| key(row).is_none()).count();
    let expected = keys.len() + keyless;
    assert!(keys.len() + keyless < rows.len(), "some rows share a phone");
    assert_eq!(total(&app, "limit=1").await, json!(expected));

    for row in rows.iter().filter(|row| key(row).is_some()) {
        let again = app.post(customer(row)).await;
        assert_eq!(again.status, 200, "{row:?}");
        assert_eq!(again.header("clientele-matched-by"), Some("phone"));
    }
    assert_eq!(total(&app, "limit=1").await, json!(expected));
}

#[tokio::test]
async fn real_businesses_are_found_with_their_tags_and_addresses() {
    let app = App::start().await;
    let rows = rows();
    for row in &rows {
        app.post(customer(row)).await;
    }
    let mut tags_of: HashMap<String, Vec<&str>> = HashMap::new();
    let mut last_of: HashMap<String, &Row> = HashMap::new();
    for row in &rows {
        if let Some(key) = key(row) {
            let tags = tags_of.entry(key.clone()).or_default();
            let tag = row["brewery_type"].as_str();
            if !tags.contains(&tag) {
                tags.push(tag);
            }
            last_of.insert(key, row);
        }
    }
    for (key, row) in &last_of {
        // The last row with a phone wrote the name; the search by its digits finds just this one.
        let found = app.list(&format!("search={}", digits(&row["phone"]))).await;
        let item = found.body["data"]
            .as_array()
            .and_then(|items| {
                items
                    .iter()
                    .find(|item| item["phone"] == row["phone"].trim())
            })
            .unwrap_or_else(|| panic!("{key}: {}", found.body));
        assert_eq!(item["company_name"], row["name"].trim(), "{key}");
        assert_eq!(item["tags"], json!(tags_of[key]), "{key}");
        assert_eq!(item["source"], "openbrewerydb");
        assert_eq!(item["address"]["country"], row["country"].trim(), "{key}");
        if !row["city"].trim().is_empty() {
            assert_eq!(item["address"]["city"], row["city"].trim(), "{key}");
        }
        if let Some(location) = location(row) {
            assert_eq!(item["location"], location, "{key}");
        }
    }
}

#[tokio::test]
async fn real_names_are_found_without_accents_and_phones_by_their_last_seven_digits() {
    let app = App::start().await;
    let rows = rows();
    for row in &rows {
        app.post(customer(row)).await;
    }
    for (search, written) in [("brauerei", "brauerei"), ("cafe", "café")] {
        // By key, or by row where there is none: what the customers are. The last name stays.
        let names: HashMap<String, &str> = rows
            .iter()
            .map(|row| {
                (
                    key(row).unwrap_or_else(|| row["id"].clone()),
                    row["name"].as_str(),
                )
            })
            .collect();
        let expected = names
            .values()
            .filter(|name| name.to_lowercase().contains(written));
        let found = app.list(&format!("search={search}&limit=1000")).await;
        let items = found.body["data"].as_array().expect("items");
        let plain = |item: &Value| {
            let name = item["company_name"]
                .as_str()
                .unwrap_or_default()
                .to_lowercase();
            name.contains(written)
        };
        assert_eq!(
            items.iter().filter(|item| plain(item)).count(),
            expected.count(),
            "{search}"
        );
    }
    let row = rows
        .iter()
        .find(|row| digits(&row["phone"]).len() == 10)
        .expect("a US phone");
    let ending = &digits(&row["phone"])[3..];
    let found = app.list(&format!("search={ending}")).await;
    let phones: Vec<&Value> = found.body["data"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["phone"])
        .collect();
    assert!(
        phones.contains(&&json!(row["phone"].trim())),
        "{ending}: {phones:?}"
    );
}

async fn total(app: &App, query: &str) -> Value {
    app.list(query).await.body["pagination"]["total"].clone()
}

fn rows() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(include_bytes!("../data/businesses.csv").as_slice());
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

fn customer(row: &Row) -> Value {
    let closed = row["brewery_type"] == "closed";
    json!({
        "company_name": row["name"],
        "phone": row["phone"],
        "property_street1": row["address_1"],
        "property_street2": row["address_2"],
        "property_city": row["city"],
        "property_state": row["state_province"],
        "property_zip": row["postal_code"],
        "property_country": row["country"],
        "tags": [row["brewery_type"]],
        "status": if closed { "inactive" } else { "" },
        "location": location(row).unwrap_or_else(|| json!("")),
        "notes": row["website_url"],
        "source": "openbrewerydb",
    })
}

fn location(row: &Row) -> Option<Value> {
    let latitude: f64 = row["latitude"].parse().ok()?;
    let longitude: f64 = row["longitude"].parse().ok()?;
    Some(json!([latitude, longitude]))
}

/// What two rows of one customer have in common: Google's E.164, else the digits from seven on.
fn key(row: &Row) -> Option<String> {
    let phone = row["phone"].trim();
    if phone.is_empty() {
        return None;
    }
    let listed = include_str!("../data/phones.tsv")
        .lines()
        .find_map(|line| line.strip_prefix(phone)?.strip_prefix('\t'))
        .unwrap_or_else(|| panic!("{phone} is in phones.tsv"));
    if !listed.is_empty() {
        return Some(listed.to_owned());
    }
    Some(digits(phone)).filter(|digits| digits.len() >= 7)
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}
