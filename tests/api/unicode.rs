//! Texts of every kind are only texts: kept and returned as they were sent, and found by themselves.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::support::App;
use crate::support::app::send;

/// What has broken somebody's software before. Without commas, which separate tags in a filter.
const CORNERS: [&str; 44] = [
    // Statements and patterns,
    "'",
    "''",
    "\"",
    "`",
    "%",
    "_",
    "\\",
    "\\\\",
    "\\'",
    "$1",
    "$$",
    "?",
    ":name",
    "';--",
    "' or '1'='1",
    "'); drop table customers; --",
    "/* */",
    "E'\\047'",
    "||",
    "*&!|():<->",
    // templates, pages and escapes,
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "&lt;",
    "%00",
    "\\u0000",
    "\\x00",
    // control characters,
    "\u{1}",
    "\u{1b}[31m",
    "\u{7f}",
    // invisible ones, and those that turn lines round,
    "\u{ad}",
    "\u{200b}",
    "\u{200f}\u{202e}\u{2067}",
    "\u{feff}",
    "\u{2028}",
    // noncharacters, private ones, and the last of all,
    "\u{fffe}",
    "\u{ffff}",
    "\u{f8ff}",
    "\u{10ffff}",
    // and letters of more than one byte, or more than one character.
    "\u{1f600}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "e\u{301}\u{323}\u{36f}",
    "ßẞİıſǅﬃΣς",
    "ﷺ",
];

/// The fields that take any text.
const TEXTS: [&str; 18] = [
    "first_name",
    "last_name",
    "company_name",
    "notes",
    "source",
    "service_type",
    "service_frequency",
    "billing_street1",
    "billing_street2",
    "billing_city",
    "billing_state",
    "billing_zip",
    "billing_country",
    "property_street1",
    "property_street2",
    "property_city",
    "property_state",
    "property_zip",
];

/// A customer with this text in every field that takes it.
fn of(text: &str) -> Value {
    let mut body: Map<String, Value> = TEXTS
        .into_iter()
        .map(|field| (field.to_owned(), json!(text)))
        .collect();
    body.insert("tags".to_owned(), json!([text]));
    body.insert("phone".to_owned(), json!(format!("7 {text}")));
    body.into()
}

#[tokio::test]
async fn every_text_is_returned_as_it_was_sent() {
    let app = App::start().await;
    for corner in CORNERS {
        let sent = of(&format!("a{corner}b"));
        let reply = app.post(sent.clone()).await;
        assert_eq!(reply.status, 201, "{corner:?}: {}", reply.body);
        let id = reply.id();
        let everything = app.fetch(&format!("/customers/{id}/export")).await;
        let item = app
            .get(&format!("{id}?expand=billing,property,service"))
            .await;
        for (field, value) in sent.as_object().expect("an object") {
            assert_eq!(&reply.body[field], value, "{corner:?}");
            assert_eq!(&everything.body["data"][field], value, "{corner:?}");
            assert_eq!(&item.body["data"][field], value, "{corner:?}");
        }
    }
}

#[tokio::test]
async fn every_text_is_found_by_itself_and_no_other() {
    let app = App::start().await;
    for corner in CORNERS {
        // Letters of its own, so that pieces of one are not pieces of another.
        let own: String = format!("{corner:?}")
            .bytes()
            .map(|byte| char::from(b'a' + byte % 26))
            .collect();
        let text = format!("{own}{corner}{own}");
        let id = app.create(of(&text)).await;
        assert_eq!(app.search(&text).await, [id.as_str()], "{corner:?}");
        let tagged = app.request(Method::GET, "/customers");
        let tagged = send(tagged.query(&[("tags", &text)])).await;
        assert_eq!(tagged.ids(), [id.as_str()], "{corner:?}");
        assert!(app.search(corner).await.contains(&id), "{corner:?}");
    }
    let everyone = app.list("limit=1").await;
    assert_eq!(everyone.body["pagination"]["total"], CORNERS.len());
}

#[tokio::test]
async fn both_ways_to_write_an_accent_are_kept_and_find_each_other() {
    let app = App::start().await;
    let composed = app
        .create(json!({"first_name": "Zo\u{eb}", "tags": ["\u{eb}"]}))
        .await;
    let combined = app
        .create(json!({"first_name": "Zoe\u{308}", "tags": ["e\u{308}"]}))
        .await;
    for search in ["zo\u{eb}", "zoe\u{308}", "ZOE"] {
        assert_eq!(
            app.search(search).await,
            [combined.as_str(), &composed],
            "{search}"
        );
    }
    let name = async |id: &str| app.get(id).await.body["data"]["first_name"].clone();
    assert_eq!(name(&composed).await, "Zo\u{eb}");
    assert_eq!(name(&combined).await, "Zoe\u{308}");
    // Tags are compared exactly.
    assert_eq!(app.list("tags=%C3%AB").await.ids(), [composed]);
    assert_eq!(app.list("tags=e%CC%88").await.ids(), [combined]);
}

#[tokio::test]
async fn letters_without_a_plain_other_case_are_found_in_every_case() {
    let app = App::start().await;
    for (written, searches) in [
        ("Weiß", ["WEISS", "weiß", "WEIẞ"]),
        ("İzmir", ["izmir", "IZMIR", "ızmır"]),
        ("Isparta", ["ısparta", "İSPARTA", "isparta"]),
        ("ﬃ", ["ffi", "FFI", "ﬀi"]),
    ] {
        let id = app.create(json!({"last_name": written})).await;
        for search in searches {
            assert_eq!(
                app.search(search).await,
                [id.as_str()],
                "{search} for {written}"
            );
        }
    }
}

#[tokio::test]
async fn limits_count_characters_of_any_number_of_bytes() {
    let app = App::start().await;
    let most = |count| "\u{1f600}".repeat(count);
    let full = json!({
        "first_name": most(255), "company_name": most(255), "notes": most(10_000),
        "tags": [most(100)],
    });
    let reply = app.post(full.clone()).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    for field in ["first_name", "company_name", "notes", "tags"] {
        assert_eq!(reply.body[field], full[field], "{field}");
    }
    assert_eq!(app.search(&most(255)).await, [reply.id()]);
    let more = json!({
        "first_name": most(256), "company_name": most(256), "notes": most(10_001),
        "tags": [most(101)],
    });
    let refused = app.post(more).await.bad_fields();
    assert_eq!(refused, ["first_name", "company_name", "notes", "tags"]);
    let search = app.request(Method::GET, "/customers");
    let search = send(search.query(&[("search", most(256))])).await;
    assert_eq!(search.bad_fields(), ["search"]);
}

#[tokio::test]
async fn half_a_character_is_a_bad_request_that_says_so() {
    let app = App::start().await;
    for half in [
        "\\ud800",
        "\\udc00",
        "\\udc00\\ud800",
        "\\ud800\\ud800",
        "\\ud83d x",
    ] {
        for body in [
            format!(r#"{{"first_name":"{half}"}}"#),
            format!(r#"{{"{half}":1}}"#),
            format!(r#"{{"tags":["{half}"]}}"#),
        ] {
            let reply = app.post_raw("application/json", body.clone()).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.body);
            let message = reply.body["message"].as_str().expect("a message");
            assert!(message.starts_with("Invalid JSON: "), "{body}: {message}");
        }
    }
    assert_eq!(app.list("").await.body["pagination"]["total"], 0);
}
