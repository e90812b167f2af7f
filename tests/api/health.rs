//! Health: for those who watch the service. It needs neither key nor version.

use reqwest::Method;

use crate::support::App;
use crate::support::app::{Server, send};

#[tokio::test]
async fn a_server_with_its_database_is_live_and_ready() {
    let app = App::start().await;
    for path in ["/health/live", "/health/ready"] {
        let reply = send(app.bare(Method::GET, path)).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.header("x-request-id").is_some());
        let reply = send(app.bare(Method::HEAD, path)).await;
        assert_eq!(reply.status, 200, "HEAD {path}");
    }
}

#[tokio::test]
async fn a_server_without_its_database_is_live_but_not_ready() {
    let app = App::start().await;
    let server = Server::start("postgres://clientele@localhost/x?host=/nowhere&port=5432");
    let cut_off = app.on(&server);
    assert_eq!(
        send(cut_off.bare(Method::GET, "/health/live")).await.status,
        200
    );
    let reply = send(cut_off.bare(Method::GET, "/health/ready")).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.body["status"], "error");
}

#[tokio::test]
async fn only_probing_methods_are_answered() {
    let app = App::start().await;
    for path in ["/health/live", "/health/ready"] {
        let reply = send(app.bare(Method::POST, path)).await;
        assert_eq!(reply.status, 405);
        assert_eq!(reply.body["status"], "error");
    }
}
