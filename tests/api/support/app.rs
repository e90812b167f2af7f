//! The service as a client sees it: over TCP, with a key.

use std::net::TcpListener;
use std::ops::Deref;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use clientele::domain::CompanyId;
use clientele::domain::audit::Actor;
use clientele::domain::key::{NewKey, Scope};
use clientele::http::{self, Options};
use clientele::metrics::Metrics;
use clientele::store::Store;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use sqlx::{Decode, Postgres, Type};

use super::postgres::{self, Database};

/// The version of the API that every request names.
pub const VERSION: &str = "1.1.0";

/// A running service with a database of its own and one company, whose methods it has too.
pub struct App {
    /// Where the test's database is.
    pub database_url: String,
    store: Store,
    acme: Tenant,
    // Dropped in this order: first the servers, then what they use.
    server: Server,
    _database: Database,
}

/// A company with a key for everything, and a server to talk to.
#[derive(Clone)]
pub struct Tenant {
    /// The company.
    pub company: CompanyId,
    /// Its key, with all scopes.
    pub key: String,
    /// `http://127.0.0.1:<port>`.
    pub base: String,
    client: Client,
}

/// A server in this process; it stops when it is dropped.
pub struct Server {
    /// `http://127.0.0.1:<port>`.
    pub base: String,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null when there is none, a string when it is no JSON.
    pub body: Value,
}

impl App {
    /// A service with an empty directory.
    pub async fn start() -> Self {
        let database = Database::create().await;
        let database_url = database.url().to_owned();
        let store = Store::connect(&database_url, 2).expect("a store");
        let server = Server::start(&database_url);
        let acme = tenant(&store, &server.base, "Acme", "US").await;
        Self {
            database_url,
            store,
            acme,
            server,
            _database: database,
        }
    }

    /// Another company on the same service.
    pub async fn other_company(&self) -> Tenant {
        self.company("Globex", "US").await
    }

    /// Another company, with the country whose rules read its phone numbers.
    pub async fn company(&self, name: &str, region: &str) -> Tenant {
        tenant(&self.store, &self.server.base, name, region).await
    }

    /// A further key of the company.
    pub async fn key(&self, new: NewKey) -> String {
        let key = self
            .store
            .create_key(self.acme.company, new, &tester())
            .await;
        key.expect("a key").expose()
    }

    /// Revokes a key.
    pub async fn revoke(&self, key: &str) {
        let id = key.split('_').nth(1).expect("the id in a key");
        let known = self
            .store
            .revoke_key(&id.parse().expect("a key's id"), &tester())
            .await;
        assert!(known.expect("a revoked key"));
    }

    /// A second server on the same database, with a pool of its own.
    pub fn second_server(&self) -> Server {
        Server::start(&self.database_url)
    }

    /// Runs SQL in the test's database.
    pub async fn sql(&self, sql: &str) {
        postgres::execute(&self.database_url, sql).await;
    }

    /// What a query of one column answers in the test's database.
    pub async fn column<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
    {
        postgres::column(&self.database_url, sql).await
    }

    /// Archives a customer, whosever it is.
    pub async fn archive(&self, id: &str) {
        self.sql(&format!(
            "update customers set archived_at = now() where id = '{id}'"
        ))
        .await;
    }
}

impl Deref for App {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        &self.acme
    }
}

fn tester() -> Actor {
    Actor::Operator("tester".to_owned())
}

/// A company of its own in the database of `store`, with a key for everything, on the server at `base`.
pub async fn tenant(store: &Store, base: &str, name: &str, region: &str) -> Tenant {
    let region = region.parse().expect("a region");
    let company = store
        .create_company(&name.parse().expect("a name"), region, &tester())
        .await
        .expect("a company");
    let key = store
        .create_key(company, with_scopes(&Scope::ALL), &tester())
        .await;
    Tenant {
        company,
        key: key.expect("a key").expose(),
        base: base.to_owned(),
        client: http_client(),
    }
}

/// A request that takes this long is one that hangs.
const PATIENCE: Duration = Duration::from_mins(2);

fn http_client() -> Client {
    // The HTTP library wants a TLS provider named even though no TLS is spoken here; a second
    // naming is refused, and meant to be.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().timeout(PATIENCE);
    client.build().expect("a client")
}

/// A key that may do just this, without an end or a limit.
pub fn with_scopes(scopes: &[Scope]) -> NewKey {
    NewKey {
        scopes: scopes.to_vec(),
        ..NewKey::default()
    }
}

impl Tenant {
    /// The same company through another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// The same company on another server.
    pub fn on(&self, server: &Server) -> Self {
        self.at(&server.base)
    }

    /// The same company on a server elsewhere.
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// `POST /customers`.
    pub async fn post(&self, body: Value) -> Reply {
        self.post_to("/customers", body).await
    }

    /// `POST` to any path.
    pub async fn post_to(&self, path: &str, body: Value) -> Reply {
        send(self.request(Method::POST, path).json(&body)).await
    }

    /// `POST /customers` with a body as it stands.
    pub async fn post_raw(&self, content_type: &str, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.request(Method::POST, "/customers");
        send(request.header("content-type", content_type).body(body)).await
    }

    /// Creates a customer; the answer is its id.
    pub async fn create(&self, body: Value) -> String {
        let reply = self.post(body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.id()
    }

    /// `GET /customers?query`.
    pub async fn list(&self, query: &str) -> Reply {
        self.fetch(&format!("/customers?{query}")).await
    }

    /// The ids that a search finds, newest first.
    pub async fn search(&self, words: &str) -> Vec<String> {
        let request = self.request(Method::GET, "/customers");
        let reply = send(request.query(&[("search", words)])).await;
        assert_eq!(reply.status, 200, "{words}: {}", reply.body);
        reply.ids()
    }

    /// `GET /customers/{id}`.
    pub async fn get(&self, id: &str) -> Reply {
        self.fetch(&format!("/customers/{id}")).await
    }

    /// `GET /auth/test`.
    pub async fn auth_test(&self) -> Reply {
        self.fetch("/auth/test").await
    }

    /// `GET` of any path.
    pub async fn fetch(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    /// `POST` to any path, with nothing in it.
    pub async fn order(&self, path: &str) -> Reply {
        send(self.request(Method::POST, path)).await
    }

    /// `DELETE` of any path.
    pub async fn delete(&self, path: &str) -> Reply {
        send(self.request(Method::DELETE, path)).await
    }

    /// A request with key and version, to be finished and sent by [`send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path)
            .header("x-api-key", &self.key)
            .header("rotor-api-version", VERSION)
    }

    /// A request with neither key nor version.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }
}

/// Sends a request and reads all of the reply.
pub async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("a reply");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.expect("a whole body");
    let body = match bytes.as_ref() {
        [] => Value::Null,
        text => serde_json::from_slice(text)
            .unwrap_or_else(|_| String::from_utf8_lossy(text).into_owned().into()),
    };
    Reply {
        status,
        headers,
        body,
    }
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a readable header"))
    }

    /// The customer's id in the reply to an upsert.
    pub fn id(&self) -> String {
        text(&self.body["id"])
    }

    /// The ids of a list.
    pub fn ids(&self) -> Vec<String> {
        let data = self.body["data"].as_array().expect("a list");
        data.iter().map(|item| text(&item["id"])).collect()
    }

    /// The fields that a validation error names, in its order.
    pub fn bad_fields(&self) -> Vec<String> {
        assert_eq!(self.status, 400, "{}", self.body);
        assert_eq!(self.body["status"], "error", "{}", self.body);
        assert_eq!(self.body["message"], "Validation failed", "{}", self.body);
        let errors = self.body["errors"].as_array().expect("errors");
        for error in errors {
            assert!(!text(&error["message"]).is_empty(), "{error}");
        }
        errors.iter().map(|error| text(&error["field"])).collect()
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no string"))
        .to_owned()
}

impl Server {
    /// A server on a free port.
    pub fn start(database_url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let store = Store::connect(database_url, 8).expect("a store");
        let (started, handle) = std::sync::mpsc::channel();
        // A thread of its own, so that the server can still be stopped in order when the test's
        // runtime has gone.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let options = Options {
                    workers: 1,
                    ..Options::for_connections(1)
                };
                let metrics = Metrics::new(&store).expect("metrics");
                let server = http::serve(listener, store, metrics, options).expect("a server");
                started.send(server.handle()).expect("someone who waits");
                server.await.expect("a server that ends well");
            });
        });
        Self {
            base: format!("http://{address}"),
            handle: handle.recv().expect("a started server"),
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The order is sent by the call itself; the thread ends when it has been obeyed.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
