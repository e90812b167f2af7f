//! The API as an `OpenAPI` document, for programs and for the reference at `/docs`.

mod calls;
mod customer_calls;
mod errors;
mod fields;
mod headers;
mod parameters;
mod replies;
mod schema;

use std::sync::LazyLock;

use utoipa::openapi::info::{Contact, Info, License};
use utoipa::openapi::path::Paths;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa::openapi::tag::Tag;
use utoipa::openapi::{Components, OpenApi, OpenApiVersion};

use super::API_VERSION;

/// The name of the scheme that calls name as what they need.
const KEY: &str = "api_key";

const ABOUT: &str = "The customer directory that a business hosts itself: create or update, list and \
search customers. Every call but those about the service's health needs an API key in `x-api-key`, and \
the version in `rotor-api-version`. Paths are served at the root and, identically, under `/open-api`.";

/// The document, as it is served and printed.
static JSON: LazyLock<String> = LazyLock::new(|| {
    // Strings, numbers and maps with strings as keys can always be written as JSON.
    document().to_pretty_json().unwrap_or_default() + "\n"
});

/// The document as JSON.
#[must_use]
pub fn json() -> &'static str {
    &JSON
}

fn document() -> OpenApi {
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    let mut contact = Contact::new();
    contact.name = Some("Whoever runs this service".to_owned());
    let mut info = Info::new("Clientele", API_VERSION);
    info.description = Some(ABOUT.to_owned());
    info.license = Some(license);
    info.contact = Some(contact);

    let mut paths = Paths::new();
    customer_calls::add_to(&mut paths);
    calls::add_to(&mut paths);

    let mut document = OpenApi::new(info, paths);
    document.openapi = OpenApiVersion::Version31;
    document.servers = Some(vec![
        server("/", "This service"),
        server(
            "/open-api",
            "The same, where clients of the hosted API look",
        ),
    ]);
    document.components = Some(components());
    document.tags = Some(vec![
        tag("Customers", "Create or update, list and search"),
        tag("One customer", "Archive, restore, retag"),
        tag(
            "Privacy",
            "What a person has a right to: to be told, and to be forgotten",
        ),
        tag(
            "Payment methods",
            "What a payment provider calls a card; never its number",
        ),
        tag("Keys", "Who the caller is taken for"),
        tag("Service", "Its health, and this document; without a key"),
    ]);
    document
}

fn components() -> Components {
    let mut components = Components::new();
    replies::add_to(&mut components);
    errors::add_to(&mut components);
    headers::add_to(&mut components);
    parameters::add_to(&mut components);
    components.add_security_scheme(
        KEY,
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "x-api-key",
            "An API key, as `clientele key create` prints it.",
        ))),
    );
    components
}

fn server(url: &str, description: &str) -> Server {
    let mut server = Server::new(url);
    server.description = Some(description.to_owned());
    server
}

fn tag(name: &str, description: &str) -> Tag {
    let mut tag = Tag::new(name);
    tag.description = Some(description.to_owned());
    tag
}
