//! The reference at `/docs`: complete, strict, and only at the root.

use reqwest::{Client, Method, redirect::Policy};

use crate::support::App;
use crate::support::app::send;

#[actix_web::test]
async fn the_root_leads_to_the_reference() {
    let app = App::start().await;
    let client = Client::builder().no_proxy().redirect(Policy::none());
    let reply = client
        .build()
        .expect("a client")
        .get(format!("{}/", app.base));
    let reply = reply.send().await.expect("a reply");
    assert_eq!(reply.status(), 307);
    assert_eq!(reply.headers()["location"], "/docs");
}

#[actix_web::test]
async fn every_file_of_the_reference_is_served_with_strict_headers() {
    let app = App::start().await;
    let page = send(app.bare(Method::GET, "/docs")).await;
    let html = page.body.as_str().expect("a page").to_owned();
    let files = html.split('"').filter(|text| text.starts_with("/docs/"));
    let files: Vec<&str> = files.chain(["/docs"]).collect();
    assert_eq!(files.len(), 5);
    for file in files {
        for method in [Method::GET, Method::HEAD] {
            let reply = send(app.bare(method.clone(), file)).await;
            assert_eq!(reply.status, 200, "{method} {file}");
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(reply.header("x-frame-options"), Some("DENY"));
            let policy = reply.header("content-security-policy").expect("a policy");
            assert!(policy.starts_with("default-src 'none';"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
        let packed = app
            .bare(Method::GET, file)
            .header("accept-encoding", "gzip");
        assert_eq!(send(packed).await.status, 200);
    }
}

#[actix_web::test]
async fn other_files_methods_and_places_have_no_reference() {
    let app = App::start().await;
    for path in ["/docs/none.js", "/docs/../Cargo.toml", "/open-api/docs"] {
        assert_eq!(
            send(app.bare(Method::GET, path)).await.status,
            404,
            "{path}"
        );
    }
    let posted = send(app.bare(Method::POST, "/docs")).await;
    assert_eq!(
        (posted.status, posted.header("allow")),
        (405, Some("GET, HEAD"))
    );
}
