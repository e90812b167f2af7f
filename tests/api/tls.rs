//! TLS between the service and its database.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;

use crate::support::app::tenant;
use crate::support::cluster::Cluster;
use crate::support::forwarder::Forwarder;
use crate::support::postgres;
use crate::support::program::{self, Serve};
use clientele::store::Store;

/// An authority that nobody knows yet.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(authority, key).expect("a certificate")
}

/// A database that has a certificate of `authority` for `localhost`, and the file that names whom to
/// trust.
async fn database(authority: &CertifiedIssuer<'static, KeyPair>) -> (Cluster, u16, String) {
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = names.signed_by(&key, authority).expect("a certificate");
    let (cluster, port) = Cluster::with_tls(&certificate.pem(), &key.serialize_pem()).await;
    let trusted = keep(&cluster.dir, "trusted.pem", authority);
    (cluster, port, trusted)
}

fn keep(dir: &Path, name: &str, authority: &CertifiedIssuer<'static, KeyPair>) -> String {
    let file = dir.join(name);
    std::fs::write(&file, authority.pem()).expect("a file");
    file.display().to_string()
}

fn url(host: &str, port: u16, trusted: &str) -> String {
    format!(
        "postgres://clientele:Geheim1@{host}:{port}/postgres?sslmode=verify-full&sslrootcert={trusted}"
    )
}

/// What the program says that cannot reach its database; never its password.
fn complaint(url: &str) -> String {
    let said = program::complaint(&[("DATABASE_URL", url)], &["company", "list"]);
    assert!(
        !said.contains("Geheim1") && !said.contains("panicked"),
        "{said}"
    );
    said
}

#[tokio::test]
async fn the_service_speaks_tls_with_a_database_whose_certificate_it_can_verify() {
    let (_cluster, port, trusted) = database(&authority()).await;
    let url = url("localhost", port, &trusted);
    let serve = Serve::start(&[("DATABASE_URL", &url)]);
    let store = Store::connect(&url, 1).expect("a store");
    let company = tenant(&store, &serve.base(), "Acme", "US").await;
    let id = company.create(json!({"first_name": "Jane"})).await;
    assert_eq!(company.get(&id).await.status, 200);
    let sessions = "select ssl from pg_stat_ssl join pg_stat_activity using (pid)
        where application_name = 'clientele'";
    let encrypted: Vec<bool> = postgres::column(&url, sessions).await;
    assert!(!encrypted.is_empty() && encrypted.iter().all(|ssl| *ssl));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (cluster, port, _) = database(&authority()).await;
    let other = keep(&cluster.dir, "other.pem", &authority());
    let said = complaint(&url("localhost", port, &other));
    assert!(said.contains("certificate"), "{said}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (_cluster, port, trusted) = database(&authority()).await;
    let said = complaint(&url("127.0.0.1", port, &trusted));
    assert!(said.contains("certificate"), "{said}");
}

#[tokio::test]
async fn a_database_that_speaks_no_tls_is_refused_where_tls_is_asked_for() {
    let forwarder = Forwarder::to(&postgres::socket_dir().join(".s.PGSQL.5432")).await;
    for mode in ["require", "verify-full"] {
        let url = format!("{}?sslmode={mode}", forwarder.url());
        let said = tokio::task::spawn_blocking(move || complaint(&url)).await;
        let said = said.expect("a complaint");
        assert!(said.to_lowercase().contains("tls"), "{said}");
    }
}
