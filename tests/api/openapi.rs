//! The `OpenAPI` document: it is what the service does.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::send;
use crate::support::program::answer;
use crate::support::{App, Reply};

const METHODS: [&str; 5] = ["get", "head", "post", "put", "delete"];

fn document() -> Value {
    serde_json::from_str(clientele::http::openapi::json()).expect("a document")
}

/// The methods of a path in the document, as `allow` has them.
fn methods(item: &Value) -> BTreeSet<String> {
    let known = METHODS.iter().filter(|method| item.get(method).is_some());
    known.map(|method| method.to_uppercase()).collect()
}

/// The document's schemas, without fields that it does not name: what a reply has must be in it.
fn strict(document: &Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.values_mut().for_each(close);
                if fields.get("type") == Some(&json!("object")) && fields.contains_key("properties")
                {
                    fields.insert("additionalProperties".to_owned(), json!(false));
                }
            }
            Value::Array(values) => values.iter_mut().for_each(close),
            _ => {}
        }
    }
    let mut components = document["components"].clone();
    close(&mut components["schemas"]);
    components
}

/// Holds a reply against what the document says of it.
fn check(document: &Value, path: &str, method: &str, reply: &Reply) {
    let what = format!("{method} {path}: {} {}", reply.status, reply.body);
    let replies = &document["paths"][path][method]["responses"];
    let mut documented = &replies[reply.status.to_string()];
    if let Some(name) = documented["$ref"].as_str() {
        documented = document.pointer(&name[1..]).expect("a reply");
    }
    assert!(documented.is_object(), "undocumented: {what}");
    for name in reply
        .headers
        .keys()
        .map(reqwest::header::HeaderName::as_str)
    {
        let ours = [
            "clientele-",
            "idempotency-",
            "ratelimit-",
            "x-request-id",
            "retry-after",
            "allow",
        ];
        if ours.iter().any(|prefix| name.starts_with(prefix)) {
            assert!(documented["headers"][name].is_object(), "{name}: {what}");
        }
    }
    let content = &documented["content"]["application/json"]["schema"];
    if content.is_null() {
        return;
    }
    let schema = json!({"allOf": [content], "components": strict(document)});
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(&reply.body)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
}

/// Requests that are served, for every documented call: path, method, real path, body.
fn calls(id: &str) -> Vec<(&'static str, &'static str, String, Value)> {
    let one = "/customers/{id}";
    let of = |path: &str| format!("/customers/{id}{path}");
    let method = json!({"provider": "stripe", "token": "t", "last4": "4242", "exp_month": 8});
    let batch = json!({"customers": [{"first_name": "A"}, {"email": "x"}, {"id": id}, {"id": "00000000-0000-7000-8000-000000000000"}]});
    vec![
        ("/auth/test", "get", "/auth/test".into(), Value::Null),
        ("/health/live", "get", "/health/live".into(), Value::Null),
        ("/health/live", "head", "/health/live".into(), Value::Null),
        ("/health/ready", "get", "/health/ready".into(), Value::Null),
        ("/health/ready", "head", "/health/ready".into(), Value::Null),
        ("/openapi.json", "get", "/openapi.json".into(), Value::Null),
        ("/openapi.json", "head", "/openapi.json".into(), Value::Null),
        (
            "/customers",
            "post",
            "/customers".into(),
            json!({"first_name": "Grace"}),
        ),
        (
            "/customers",
            "post",
            "/customers".into(),
            json!({"id": id, "notes": "x"}),
        ),
        ("/customers", "get", "/customers".into(), Value::Null),
        (
            "/customers",
            "get",
            "/customers?cursor=&limit=1&expand=billing,property,service".into(),
            Value::Null,
        ),
        ("/customers/batch", "post", "/customers/batch".into(), batch),
        (
            "/customers/export",
            "get",
            "/customers/export".into(),
            Value::Null,
        ),
        (one, "get", of(""), Value::Null),
        (
            "/customers/{id}/tags",
            "post",
            of("/tags"),
            json!({"add": ["b"], "remove": ["vip"]}),
        ),
        (
            "/customers/{id}/payment-methods",
            "post",
            of("/payment-methods"),
            method.clone(),
        ),
        (
            "/customers/{id}/payment-methods",
            "post",
            of("/payment-methods"),
            method,
        ),
        (
            "/customers/{id}/payment-methods",
            "get",
            of("/payment-methods"),
            Value::Null,
        ),
        ("/customers/{id}/export", "get", of("/export"), Value::Null),
        (
            "/customers/{id}/archive",
            "post",
            of("/archive"),
            Value::Null,
        ),
        (
            "/customers/{id}/restore",
            "post",
            of("/restore"),
            Value::Null,
        ),
    ]
}

async fn call(app: &App, method: &str, path: &str, body: &Value) -> Reply {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    let request = app.request(method, path);
    send(if body.is_null() {
        request
    } else {
        request.json(body)
    })
    .await
}

async fn customer(app: &App) -> String {
    app.create(json!({
        "first_name": "Ada", "email": "ada@example.com", "phone": "763-555-0100", "tags": ["vip"],
        "status": "active", "property_city": "Minneapolis", "location": [44.9, -93.2],
        "billing_same_as_property": true, "company_name": "Engines", "source": "web"
    }))
    .await
}

#[actix_web::test]
async fn every_documented_call_answers_as_documented() {
    let (app, document) = (App::start().await, document());
    let id = customer(&app).await;
    let mut seen = BTreeSet::new();
    for (path, method, real, body) in calls(&id) {
        let reply = call(&app, method, &real, &body).await;
        assert!(
            reply.status < 300,
            "{method} {real}: {} {}",
            reply.status,
            reply.body
        );
        check(&document, path, method, &reply);
        seen.insert((path.to_owned(), method.to_owned()));
    }
    let methods = format!("/customers/{id}/payment-methods");
    let saved = app.fetch(&methods).await.body["data"][0]["id"].clone();
    let saved = format!("{methods}/{}", saved.as_str().expect("an id"));
    let one = format!("/customers/{id}");
    for (path, real) in [
        ("/customers/{id}/payment-methods/{payment_method}", saved),
        ("/customers/{id}", one),
    ] {
        let reply = app.delete(&real).await;
        assert_eq!(reply.status, 204);
        check(&document, path, "delete", &reply);
        seen.insert((path.to_owned(), "delete".to_owned()));
    }
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in methods_of(item) {
            assert!(
                seen.contains(&(path.clone(), method.clone())),
                "untested: {method} {path}"
            );
        }
    }
}

fn methods_of(item: &Value) -> Vec<String> {
    methods(item)
        .iter()
        .map(|method| method.to_lowercase())
        .collect()
}

#[actix_web::test]
async fn refusals_are_as_documented() {
    let (app, document) = (App::start().await, document());
    let id = customer(&app).await;
    let stranger = app.with_key("clientele_0000000000000000_0");
    for (path, method, real, body) in calls(&id) {
        if document["paths"][path][method]["security"] == json!([{}]) {
            continue;
        }
        let name = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        let unknown = send(stranger.request(name.clone(), &real)).await;
        assert_eq!(unknown.status, 401);
        check(&document, path, method, &unknown);
        let versionless = send(app.bare(name.clone(), &real).header("x-api-key", &app.key)).await;
        assert_eq!(versionless.status, 400);
        check(&document, path, method, &versionless);
        if !body.is_null() {
            let raw = app
                .request(name, &real)
                .header("content-type", "text/plain");
            check(&document, path, method, &send(raw.body("x")).await);
            check(
                &document,
                path,
                method,
                &call(&app, method, &real, &json!([])).await,
            );
        }
    }
    let bad = app.post(json!({"email": "x", "tags": 1})).await;
    check(&document, "/customers", "post", &bad);
    let keyed = |body: Value| {
        let request = app.request(Method::POST, "/customers");
        send(request.header("idempotency-key", "k").json(&body))
    };
    for (body, status) in [
        (json!({}), 201),
        (json!({}), 201),
        (json!({"email": null}), 422),
    ] {
        let reply = keyed(body).await;
        assert_eq!(reply.status, status);
        check(&document, "/customers", "post", &reply);
    }
    let missing = app.get("none").await;
    assert_eq!(missing.status, 404);
    check(&document, "/customers/{id}", "get", &missing);
}

#[actix_web::test]
async fn every_path_allows_just_the_documented_methods() {
    let (app, document) = (App::start().await, document());
    for (path, item) in document["paths"].as_object().expect("paths") {
        let refused = call(&app, "patch", path, &Value::Null).await;
        assert_eq!(refused.status, 405, "{path}");
        let allowed = refused.header("allow").expect("allow").split(", ");
        assert_eq!(
            allowed.map(str::to_owned).collect::<BTreeSet<_>>(),
            methods(item),
            "{path}"
        );
    }
}

#[test]
fn every_path_that_is_served_is_documented() {
    let routes = include_str!("../../src/http/mod.rs");
    let served: BTreeSet<&str> = routes
        .split('"')
        .filter(|text| text.starts_with('/') && !text.contains(['\n', ' ']))
        .filter(|text| *text != "/open-api")
        .filter(|text| !text.starts_with("/docs") && *text != "/")
        .collect();
    let document = document();
    let documented = document["paths"].as_object().expect("paths");
    assert_eq!(served, documented.keys().map(String::as_str).collect());
}

#[actix_web::test]
async fn the_document_is_served_without_a_key_and_not_sent_again() {
    let app = App::start().await;
    let reply = send(app.bare(Method::GET, "/openapi.json")).await;
    assert_eq!((reply.status, &reply.body), (200, &document()));
    let tag = reply.header("etag").expect("a tag");
    let again = app
        .bare(Method::GET, "/openapi.json")
        .header("if-none-match", tag);
    assert_eq!(send(again).await.status, 304);
}

#[test]
fn the_committed_document_is_the_one_that_is_printed() {
    let printed = answer(&[], &["openapi"]);
    assert!(
        printed == include_str!("../../docs/openapi.json"),
        "docs/openapi.json is of an older state. Renew it: cargo run -- openapi > docs/openapi.json"
    );
}
