//! The console's files. What they do is tested in a browser: tests/browser.

use reqwest::Method;

use crate::support::App;
use crate::support::app::send;

#[tokio::test]
async fn the_console_needs_no_key_and_may_load_nothing_but_its_own_files() {
    let app = App::start().await;
    for (path, kind) in [
        ("/console", "text/html; charset=utf-8"),
        ("/console/console.css", "text/css; charset=utf-8"),
        ("/console/console.js", "text/javascript; charset=utf-8"),
        ("/console/icon.svg", "image/svg+xml"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let reply = app.bare(method, path).send().await.expect("an answer");
            assert_eq!(reply.status(), 200, "{path}");
            let header = |name| reply.headers()[name].to_str().expect("text");
            assert_eq!(header("content-type"), kind);
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("referrer-policy"), "no-referrer");
            let policy = header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; "), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }
}

#[tokio::test]
async fn nothing_else_is_there_below_the_console() {
    let app = App::start().await;
    for path in [
        "/console/",
        "/console/console.rs",
        "/console/../mod.rs",
        "/console/%2e%2e%2fmod.rs",
    ] {
        let reply = send(app.bare(Method::GET, path)).await;
        assert_eq!(reply.status, 404, "{path}");
    }
    let reply = send(app.bare(Method::POST, "/console")).await;
    assert_eq!(reply.status, 405);
    assert_eq!(reply.header("allow"), Some("GET, HEAD"));
}
