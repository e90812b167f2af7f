//! Traces: what a collector is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use reqwest::Method;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::support::App;
use crate::support::app::send;
use crate::support::program::Serve;

/// A span, and the name of the service that sent it.
struct Told {
    span: Span,
    service: Option<Value>,
}

/// A collector; the answer is where it is, and what it is sent.
fn collector() -> (String, Receiver<Told>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            std::thread::spawn(move || while receive(&stream, &tell).is_some() {});
        }
    });
    (format!("http://{address}"), told)
}

/// Reads one request; none at the end of the connection.
fn receive(stream: &TcpStream, tell: &Sender<Told>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    assert!(line.starts_with("POST /v1/traces "), "{line}");
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        match line.trim().to_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().expect("a length"),
            Some(("content-type", value)) => assert_eq!(value, "application/x-protobuf"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let request = ExportTraceServiceRequest::decode(body.as_slice()).expect("protobuf");
    for sent in request.resource_spans {
        let resource = sent.resource.expect("a resource");
        let service = value(&resource.attributes, "service.name");
        for span in sent.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let service = service.clone();
            let _ = tell.send(Told { span, service });
        }
    }
    let mut stream = stream;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .ok()
}

fn value(attributes: &[KeyValue], name: &str) -> Option<Value> {
    let found = attributes.iter().find(|pair| pair.key == name)?;
    found.value.clone()?.value
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

#[tokio::test]
async fn a_request_is_a_span_of_its_callers_trace() {
    let app = App::start().await;
    let (endpoint, told) = collector();
    let mut serve = Serve::start(&[
        ("DATABASE_URL", &app.database_url),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ]);
    let tenant = app.at(&serve.base());
    for path in ["/customers?search=hannah", "/open-api/customers/hannah"] {
        let request = tenant.request(Method::GET, path).header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        );
        send(request).await;
    }
    let unrelated = tenant.post(json!({"first_name": "Hannah"})).await;
    assert_eq!(unrelated.status, 201);
    send(tenant.request(Method::PUT, "/customers")).await;
    let unknown = Method::from_bytes(b"HANNAH").expect("a method");
    send(tenant.request(unknown, "/hannah")).await;
    // What was not sent yet is sent then.
    assert_eq!(serve.stop(), Some(0));

    let told: Vec<Told> = told.try_iter().collect();
    assert!(
        told.iter()
            .all(|told| told.service == Some(text("clientele")))
    );
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
    let parent = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes();
    let unmatched = told.iter().find(|told| told.span.name == "HTTP");
    let unmatched = &unmatched.expect("a span").span;
    assert_eq!(value(&unmatched.attributes, "http.route"), None);
    assert!(told.iter().all(|told| told.span.events.is_empty()));
    for (name, route, status, is_part) in [
        ("GET /customers", "/customers", 200, true),
        (
            "GET /open-api/customers/{id}",
            "/open-api/customers/{id}",
            404,
            true,
        ),
        ("POST /customers", "/customers", 201, false),
        ("PUT /customers", "/customers", 405, false),
    ] {
        let told = told.iter().find(|told| told.span.name == name);
        let span = &told.expect(name).span;
        assert_eq!(span.kind, SpanKind::Server as i32, "{name}");
        assert_eq!(span.trace_id == trace, is_part, "{name}");
        assert_eq!(span.parent_span_id == parent, is_part, "{name}");
        assert_eq!(value(&span.attributes, "http.route"), Some(text(route)));
        assert_eq!(
            value(&span.attributes, "http.response.status_code"),
            Some(Value::IntValue(status))
        );
    }
    for told in told {
        let shown = format!("{:?}", told.span).to_lowercase();
        assert!(!shown.contains("hannah"), "{shown}");
    }
}

#[tokio::test]
async fn without_a_collector_requests_are_served_and_the_log_tells_of_it() {
    let app = App::start().await;
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", closed.local_addr().expect("its address"));
    drop(closed);
    let log = NamedTempFile::new().expect("a file for the log");
    let settings = [
        ("DATABASE_URL", app.database_url.as_str()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_SERVICE_NAME", "directory"),
    ];
    let mut serve = Serve::start_logging_to(&settings, log.reopen().expect("the file"));
    let tenant = app.at(&serve.base());
    assert_eq!(tenant.post(json!({})).await.status, 201);
    assert_eq!(serve.stop(), Some(0));
    let lines = std::fs::read_to_string(log.path()).expect("the log");
    assert!(lines.contains("ExportError"), "{lines}");
}
