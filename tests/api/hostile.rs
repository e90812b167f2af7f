//! What nobody sends by accident: bytes that are no text, bodies that are not what they say, requests
//! that are two. Each gets one reply, none of them an error of ours, and leaves nothing behind.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::json;

use crate::support::app::send;
use crate::support::postgres::Database;
use crate::support::program::Serve;
use crate::support::{App, Tenant};

const BODY_LIMIT: usize = 256 * 1024;
const PATIENCE: Duration = Duration::from_mins(1);

/// What came back on a connection of its own.
struct Answered {
    statuses: Vec<u16>,
    text: String,
}

/// Sends these bytes, and nothing after them.
async fn send_bytes(base: &str, bytes: Vec<u8>) -> Answered {
    let address = base.strip_prefix("http://").expect("a base").to_owned();
    let reply = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        // The server may hang up before it has seen all of it.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut reply = Vec::new();
        if let Err(error) = stream.read_to_end(&mut reply) {
            let is_cut = error.kind() == std::io::ErrorKind::ConnectionReset;
            assert!(is_cut, "no end of the reply: {error}");
        }
        reply
    });
    let text = String::from_utf8_lossy(&reply.await.expect("a reply")).into_owned();
    let statuses = text.split("HTTP/1.1 ").skip(1);
    let statuses = statuses.map(|reply| reply[..3].parse().expect("a status"));
    Answered {
        statuses: statuses.collect(),
        text,
    }
}

/// A request up to its own headers, with all that the checks ask for.
fn head(tenant: &Tenant, line: &str) -> String {
    let key = &tenant.key;
    format!("{line} HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\nrotor-api-version: 1.1.0\r\n")
}

fn post_head(tenant: &Tenant) -> String {
    head(tenant, "POST /customers") + "content-type: application/json\r\n"
}

/// A request for a path of these bytes.
async fn get_bytes(tenant: &Tenant, target: &[u8], headers: &[u8]) -> Answered {
    let rest = head(tenant, "").into_bytes();
    let end = b"connection: close\r\n\r\n";
    send_bytes(
        &tenant.base,
        [b"GET ", target, &rest, headers, end].concat(),
    )
    .await
}

async fn total(tenant: &Tenant) -> u64 {
    let everyone = tenant.list("limit=1").await;
    everyone.body["pagination"]["total"]
        .as_u64()
        .expect("a total")
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

async fn post_encoded(tenant: &Tenant, path: &str, encoding: &str, body: Vec<u8>) -> u16 {
    let request = tenant
        .request(Method::POST, path)
        .header("content-type", "application/json")
        .header("content-encoding", encoding);
    send(request.body(body)).await.status
}

#[tokio::test]
async fn bytes_that_are_no_utf8_are_no_json() {
    let app = App::start().await;
    for bytes in [
        &b"\xff"[..],
        // Half a character, a slash and a NUL in more bytes than they have, half of a pair, and one
        // behind the last.
        b"\xe2\x82",
        b"\xc0\xaf",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ] {
        let body = [b"{\"first_name\":\"a", bytes, b"\"}"].concat();
        let reply = app.post_raw("application/json", body).await;
        assert_eq!(reply.status, 400, "{bytes:x?}: {}", reply.body);
        assert_eq!(reply.body["status"], "error", "{bytes:x?}");
    }
    let marked = app.post_raw("application/json", "\u{feff}{}").await;
    assert_eq!(marked.status, 400, "{}", marked.body);
    assert_eq!(total(&app).await, 0);
}

#[tokio::test]
async fn bytes_that_are_no_utf8_find_nothing() {
    let app = App::start().await;
    app.create(json!({"first_name": "Jane", "tags": ["vip"]}))
        .await;
    for query in [
        "search=%ff",
        "search=jane%c0%af",
        "tags=%ff",
        "search=%f",
        "search=%zz",
    ] {
        let reply = app.list(query).await;
        assert_eq!((reply.status, reply.ids()), (200, vec![]), "{query}");
    }
    for (target, status) in [
        (&b"/customers/%ff"[..], 404),
        (b"/customers/%00", 404),
        (b"/customers/%c0%af", 404),
        (b"/customers/\xff", 400),
        (b"/customers?search=\xff", 400),
        (b"/customers/\x00", 400),
    ] {
        let reply = get_bytes(&app, target, b"").await;
        assert_eq!(reply.statuses, [status], "{target:x?}: {}", reply.text);
    }
}

#[tokio::test]
async fn headers_of_any_bytes_and_any_length_are_read_or_refused() {
    let app = App::start().await;
    let long = |count| [b"x-more: ", &vec![b'a'; count][..], b"\r\n"].concat();
    let many = |count: usize| -> Vec<u8> {
        (0..count)
            .flat_map(|n| format!("x-{n}: a\r\n").into_bytes())
            .collect()
    };
    for (headers, status) in [
        (b"x-more: \xff\xfe\r\n".to_vec(), 200),
        (b"x-request-id: \xff\xfe\r\n".to_vec(), 200),
        (
            b"cookie: \xff\r\naccept-encoding: \xff\r\nuser-agent: \xff\r\n".to_vec(),
            200,
        ),
        (long(9 * 1024), 200),
        (many(80), 200),
        (b"x-more: a\0b\r\n".to_vec(), 400),
        (b"x-request-id: a\rb: c\r\n".to_vec(), 400),
        (b"x more: a\r\n".to_vec(), 400),
        (b"no colon\r\n".to_vec(), 400),
        (long(BODY_LIMIT), 431),
        (many(1000), 431),
    ] {
        let reply = get_bytes(&app, b"/customers", &headers).await;
        let sent = String::from_utf8_lossy(&headers[..headers.len().min(40)]).into_owned();
        assert_eq!(reply.statuses, [status], "{sent}");
    }
    for key in [
        vec![0xff; 20],
        vec![b'a'; 9 * 1024],
        b"clientele_\xc3\xa9_x".to_vec(),
    ] {
        let request = app.bare(Method::GET, "/customers").header("x-api-key", key);
        assert_eq!(send(request).await.status, 401);
    }
}

#[tokio::test]
async fn numbers_of_any_length_are_read_or_refused() {
    let app = App::start().await;
    let digits = "1".repeat(30);
    for (body, status) in [
        (r#"{"location":[1e-400,-0.0]}"#.to_owned(), 201),
        (
            format!(r#"{{"location":[0.{},0]}}"#, digits.repeat(5_000)),
            201,
        ),
        (format!(r#"{{"location":[0,{digits}]}}"#), 400),
        (r#"{"location":[1e400,0]}"#.to_owned(), 400),
        (r#"{"location":[1e308,-1e308]}"#.to_owned(), 400),
        (format!(r#"{{"notes":{digits}}}"#), 400),
        (format!(r#"{{"id":{digits}}}"#), 400),
        (format!(r#"{{"unknown":{digits}}}"#), 201),
    ] {
        let reply = app.post_raw("application/json", body.clone()).await;
        assert_eq!(reply.status, status, "{body:.60}: {}", reply.body);
    }
}

#[tokio::test]
async fn of_a_key_given_twice_the_last_counts_and_huge_or_deep_ones_are_nothing() {
    let app = App::start().await;
    let twice = r#"{"first_name":"Ann","first_name":"Bea"}"#;
    let reply = app.post_raw("application/json", twice).await;
    assert_eq!(
        (reply.status, &reply.body["first_name"]),
        (201, &json!("Bea"))
    );
    let huge = format!(r#"{{"{}":1,"first_name":"Cat"}}"#, "k".repeat(200_000));
    let reply = app.post_raw("application/json", huge).await;
    assert_eq!(
        (reply.status, &reply.body["first_name"]),
        (201, &json!("Cat"))
    );
    for deep in [
        format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        format!("{}1{}", r#"{"a":"#.repeat(30_000), "}".repeat(30_000)),
    ] {
        assert_eq!(
            app.post_raw("application/json", deep.clone()).await.status,
            400
        );
        let batch = format!(r#"{{"customers":[{deep}]}}"#);
        let batch = app
            .request(Method::POST, "/customers/batch")
            .header("content-type", "application/json")
            .body(batch);
        assert_eq!(send(batch).await.status, 400);
    }
    assert_eq!(total(&app).await, 2);
}

#[tokio::test]
async fn the_limit_of_a_body_is_that_of_what_is_unpacked() {
    let app = App::start().await;
    // Each on a connection of its own: the server hangs up on what it does not read to its end.
    let post = async |path: &str, body: &[u8]| {
        let request = format!(
            "{}content-type: application/json\r\ncontent-encoding: gzip\r\nconnection: close\r\n\
            content-length: {}\r\n\r\n",
            head(&app, &format!("POST {path}")),
            body.len()
        );
        let reply = send_bytes(&app.base, [request.as_bytes(), body].concat()).await;
        reply.statuses
    };
    let object = |bytes: usize| format!(r#"{{"unknown":"{}"}}"#, "x".repeat(bytes)).into_bytes();
    for (body, status) in [
        (br#"{"first_name":"Zip"}"#.to_vec(), 201),
        (object(BODY_LIMIT - 100), 201),
        (object(BODY_LIMIT + 1), 413),
    ] {
        assert_eq!(post("/customers", &gzip(&body)).await, [status]);
    }
    // A hundred kilobytes of it are a hundred megabytes.
    let bomb = gzip(&object(100 * 1024 * 1024));
    assert!(bomb.len() < BODY_LIMIT);
    assert_eq!(post("/customers", &bomb).await, [413]);
    assert_eq!(post("/customers/batch", &bomb).await, [413]);
    assert_eq!(total(&app).await, 2);
}

#[tokio::test]
async fn a_body_that_is_not_packed_as_it_says_is_a_bad_request() {
    let app = App::start().await;
    let packed = gzip(br#"{"first_name":"Zip"}"#);
    for (encoding, body) in [
        ("gzip", br#"{"first_name":"Zip"}"#.to_vec()),
        ("gzip", packed[..packed.len() - 12].to_vec()),
        ("gzip", Vec::new()),
        ("gzip, gzip", gzip(&packed)),
        ("deflate", packed.clone()),
        ("identity", packed.clone()),
        ("br", packed),
    ] {
        let status = post_encoded(&app, "/customers", encoding, body).await;
        assert_eq!(status, 400, "{encoding}");
    }
    assert_eq!(total(&app).await, 0);
}

#[tokio::test]
async fn a_body_of_another_length_than_it_says_is_never_half_a_customer() {
    let app = App::start().await;
    let short = r#"{"first_name":"Half"}"#;
    for rest in [
        format!("content-length: 500\r\n\r\n{short}"),
        format!("transfer-encoding: chunked\r\n\r\n15\r\n{short}"),
        format!("transfer-encoding: chunked\r\n\r\n500\r\n{short}\r\n0\r\n\r\n"),
        format!("transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{short}\r\n0\r\n\r\n"),
        format!("transfer-encoding: chunked\r\n\r\n-15\r\n{short}\r\n0\r\n\r\n"),
        format!("transfer-encoding: chunked\r\n\r\nzz\r\n{short}\r\n0\r\n\r\n"),
    ] {
        let request = post_head(&app) + &rest;
        let reply = send_bytes(&app.base, request.into_bytes()).await;
        assert_eq!(reply.statuses, [400], "{rest}: {}", reply.text);
    }
    assert_eq!(total(&app).await, 0);
}

#[tokio::test]
async fn a_request_that_could_be_read_as_two_is_refused_as_one() {
    let app = App::start().await;
    let second = head(&app, "GET /auth/test") + "connection: close\r\n\r\n";
    let post = post_head(&app);
    // As it should be: two requests, two replies.
    let pair = format!("{post}content-length: 2\r\n\r\n{{}}{second}");
    let reply = send_bytes(&app.base, pair.into_bytes()).await;
    assert_eq!(reply.statuses, [201, 200], "{}", reply.text);
    let chunks = "\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    for (headers, body) in [
        ("content-length: 4\r\ntransfer-encoding: chunked", chunks),
        ("transfer-encoding: chunked\r\ncontent-length: 4", chunks),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
            chunks,
        ),
        ("transfer-encoding: xchunked", chunks),
        ("transfer-encoding: chunked, identity", chunks),
        (
            "transfer-encoding: identity\r\ncontent-length: 2",
            "\r\n\r\n{}",
        ),
        (
            "transfer-encoding : chunked\r\ncontent-length: 2",
            "\r\n\r\n{}",
        ),
        ("content-length: 2\r\ncontent-length: 40", "\r\n\r\n{}"),
        ("content-length: 2\r\ncontent-length: 2", "\r\n\r\n{}"),
        ("content-length: 2, 2", "\r\n\r\n{}"),
        ("content-length: +2", "\r\n\r\n{}"),
        ("content-length: -1", "\r\n\r\n{}"),
        ("content-length: 99999999999999999999", "\r\n\r\n{}"),
        (
            "x-more: a\r\n content-length: 40\r\ncontent-length: 2",
            "\r\n\r\n{}",
        ),
    ] {
        let request = format!("{post}{headers}{body}{second}");
        let reply = send_bytes(&app.base, request.into_bytes()).await;
        assert_eq!(reply.statuses, [400], "{headers}: {}", reply.text);
    }
    assert_eq!(total(&app).await, 1);
}

#[tokio::test]
async fn queries_of_any_length_are_read_or_refused() {
    let app = App::start().await;
    app.create(json!({"first_name": "Jane", "tags": ["t7"]}))
        .await;
    let tags = |count: usize| {
        (0..count)
            .map(|n| format!("t{n}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert_eq!(
        app.list(&format!("tags={}", tags(100))).await.ids().len(),
        1
    );
    assert_eq!(
        app.list(&format!("tags={}", tags(1000))).await.bad_fields(),
        ["tags"]
    );
    // One tag, a thousand times.
    assert_eq!(
        app.list(&format!("tags={}", "t7,".repeat(1000)))
            .await
            .ids()
            .len(),
        1
    );
    let long = format!("search={}", "a".repeat(50_000));
    assert_eq!(app.list(&long).await.bad_fields(), ["search"]);
    let longer = format!("/customers?search={}", "a".repeat(200 * 1024));
    let reply = get_bytes(&app, longer.as_bytes(), b"").await;
    assert_eq!(reply.statuses, [431]);
    assert_eq!(
        app.list("limit=1000&limit=1").await.body["pagination"]["limit"],
        1
    );
    assert_eq!(app.list("limit=1&limit=0").await.bad_fields(), ["limit"]);
    assert_eq!(app.list("limit=1e3").await.bad_fields(), ["limit"]);
    for raw in ["TRUE", "1", "yes", "true%00", "truetrue"] {
        let refused = app.list(&format!("archived={raw}")).await.bad_fields();
        assert_eq!(refused, ["archived"], "{raw}");
    }
}

#[tokio::test]
async fn whoever_speaks_no_http_writes_no_errors_into_the_log() {
    let database = Database::create().await;
    let log = tempfile::NamedTempFile::new().expect("a file");
    let settings = [("DATABASE_URL", database.url()), ("RUST_LOG", "")];
    let file = log.reopen().expect("the file");
    let mut serve = Serve::start_logging_to(&settings, Stdio::from(file));
    let base = serve
        .greeting
        .split_whitespace()
        .find(|word| word.starts_with("http://"));
    let base = base.expect("an address").to_owned();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET / HTTP/1.1\r\nhost: x\r\na\0b: c\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
    ] {
        let reply = send_bytes(&base, bytes.to_vec()).await;
        assert_eq!(reply.statuses, [400], "{bytes:x?}");
    }
    assert_eq!(serve.stop(), Some(0));
    let log = std::fs::read_to_string(log.path()).expect("the log");
    assert!(log.contains("stopped"), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}
