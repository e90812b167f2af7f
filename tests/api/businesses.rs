//! Real businesses, as untidy as a customer list is: see `tests/data/README.md`.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::support::App;

type Row = HashMap<String, String>;

#[tokio::test]
async fn each_real_business_becomes_one_customer_and_posting_again_makes_no_other() {
    let (app, rows) = with_all_posted().await;
    let keys: HashSet<String> = rows.iter().filter_map(key).collect();
    let keyless = rows.iter().filter(|row| key(row).is_none()).count();
    let expected = keys.len() + keyless;
    assert!(expected < rows.len(), "some rows share a phone");
    assert_eq!(total(&app, "limit=1").await, json!(expected));

    for row in rows.iter().filter(|row| key(row).is_some()) {
        let again = app.post(customer(row)).await;
        assert_eq!(again.status, 200, "{row:?}");
        assert_eq!(again.header("clientele-matched-by"), Some("phone"));
    }
    assert_eq!(total(&app, "limit=1").await, json!(expected));
}

#[tokio::test]
async fn what_the_rows_of_one_business_say_is_kept_line_by_line() {
    let (app, rows) = with_all_posted().await;
    let mut rows_of: HashMap<String, Vec<&Row>> = HashMap::new();
    for row in &rows {
        if let Some(key) = key(row) {
            rows_of.entry(key).or_default().push(row);
        }
    }
    for (key, rows) in &rows_of {
        let phone = said(rows, "phone").expect("a phone");
        let found = app.list(&format!("search={}", digits(phone))).await;
        let item = found.body["data"]
            .as_array()
            .and_then(|items| items.iter().find(|item| item["phone"] == phone))
            .unwrap_or_else(|| panic!("{key}: {}", found.body));
        let closed = rows.iter().any(|row| row["brewery_type"] == "closed");
        assert_eq!(item["company_name"], json!(said(rows, "name")), "{key}");
        assert_eq!(item["tags"], json!(tags(rows)), "{key}");
        assert_eq!(item["status"], json!(closed.then_some("inactive")), "{key}");
        assert_eq!(item["address"], address(rows), "{key}");
        assert_eq!(item["location"], last_location(rows), "{key}");
        assert_eq!(item["notes"], json!(said(rows, "website_url")), "{key}");
        assert_eq!(item["source"], "openbrewerydb", "{key}");
    }
}

#[tokio::test]
async fn real_names_are_found_without_accents_and_phones_by_their_last_seven_digits() {
    let (app, rows) = with_all_posted().await;
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

/// A service to which every row was posted, in order.
async fn with_all_posted() -> (App, Vec<Row>) {
    let app = App::start().await;
    let rows = rows();
    for row in &rows {
        let reply = app.post(customer(row)).await;
        assert!(reply.status < 300, "{row:?}: {}", reply.body);
    }
    (app, rows)
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

/// The last value of a column that is not blank: a blank one is as good as absent.
fn said<'r>(rows: &[&'r Row], column: &str) -> Option<&'r str> {
    let mut values = rows.iter().rev().map(|row| row[column].trim());
    values.find(|value| !value.is_empty())
}

/// Each tag once, in the order of the rows.
fn tags<'r>(rows: &[&'r Row]) -> Vec<&'r str> {
    let mut seen = HashSet::new();
    let tags = rows.iter().map(|row| row["brewery_type"].as_str());
    tags.filter(|tag| seen.insert(*tag)).collect()
}

/// The address as an item shows it: null when nothing of it is known.
fn address(rows: &[&Row]) -> Value {
    let line = |column| said(rows, column);
    let street2 = line("address_2");
    let lines = [
        "address_1",
        "city",
        "state_province",
        "postal_code",
        "country",
    ]
    .map(line);
    if street2.is_none() && lines.iter().all(Option::is_none) {
        return Value::Null;
    }
    let [street1, city, state, zip, country] = lines.map(Option::unwrap_or_default);
    json!({
        "street1": street1,
        "street2": street2,
        "city": city,
        "state": state,
        "zip": zip,
        "country": country,
    })
}

/// The last location that was said, unless the address changed after it.
fn last_location(rows: &[&Row]) -> Value {
    let mut known = Value::Null;
    for (index, row) in rows.iter().enumerate() {
        if let Some(location) = location(row) {
            known = location;
        } else if address(&rows[..index]) != address(&rows[..=index]) {
            known = Value::Null;
        }
    }
    known
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
