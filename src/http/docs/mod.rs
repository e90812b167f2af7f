//! The reference at `/docs`, with everything that it needs in the program: Swagger UI, which reads
//! `/openapi.json` and sends requests from the browser.

use std::io::Read;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, EntityTag, IfNoneMatch};
use actix_web::web::{Header, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use data_encoding::HEXLOWER;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::openapi;

/// Everything comes from here, and nothing may be written into the page itself. Swagger UI's style
/// sheet has images in it (`data:`); it needs no inline styles and no inline scripts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long a browser may go without asking whether there is a newer one.
const CACHE: &str = "public, max-age=300";

/// A file that the program has in it.
struct File {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    /// Kept packed: it is large, and browsers take it so.
    is_gzip: bool,
}

const PAGE: File = File {
    name: "",
    content_type: "text/html; charset=utf-8",
    bytes: include_bytes!("index.html"),
    is_gzip: false,
};

const FILES: [File; 4] = [
    File {
        name: "start.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("start.js"),
        is_gzip: false,
    },
    File {
        name: "swagger-ui-bundle.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../../assets/swagger-ui/swagger-ui-bundle.js.gz"),
        is_gzip: true,
    },
    File {
        name: "swagger-ui.css",
        content_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../../../assets/swagger-ui/swagger-ui.css.gz"),
        is_gzip: true,
    },
    File {
        name: "favicon-32x32.png",
        content_type: "image/png",
        bytes: include_bytes!("../../../assets/swagger-ui/favicon-32x32.png"),
        is_gzip: false,
    },
];

/// `GET /`
pub async fn root() -> HttpResponse {
    strict(StatusCode::TEMPORARY_REDIRECT)
        .insert_header((header::LOCATION, "/docs"))
        .finish()
}

/// `GET /docs`
pub async fn page(
    request: HttpRequest,
    known: Header<IfNoneMatch>,
) -> Result<HttpResponse, ApiError> {
    serve(&PAGE, &request, &known)
}

/// `GET /docs/{file}`
pub async fn file(
    name: Path<String>,
    request: HttpRequest,
    known: Header<IfNoneMatch>,
) -> Result<HttpResponse, ApiError> {
    let file = FILES.iter().find(|file| file.name == name.as_str());
    serve(file.ok_or(ApiError::NotFound)?, &request, &known)
}

/// `GET /openapi.json`
pub async fn document(known: Header<IfNoneMatch>) -> HttpResponse {
    let json = openapi::json();
    let tag = tag(json.as_bytes());
    if has(&known, &tag) {
        return cached(StatusCode::NOT_MODIFIED, tag).finish();
    }
    cached(StatusCode::OK, tag)
        .content_type("application/json")
        .body(json)
}

fn serve(
    file: &File,
    request: &HttpRequest,
    known: &IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let tag = tag(file.bytes);
    if has(known, &tag) {
        return Ok(cached(StatusCode::NOT_MODIFIED, tag).finish());
    }
    let mut reply = cached(StatusCode::OK, tag);
    reply.content_type(file.content_type);
    if !file.is_gzip {
        return Ok(reply.body(file.bytes));
    }
    reply.insert_header((header::VARY, "accept-encoding"));
    if takes_gzip(request) {
        let reply = reply.insert_header((header::CONTENT_ENCODING, "gzip"));
        return Ok(reply.body(file.bytes));
    }
    let mut plain = Vec::new();
    GzDecoder::new(file.bytes)
        .read_to_end(&mut plain)
        .map_err(|_| ApiError::Internal)?;
    Ok(reply.body(plain))
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT_ENCODING);
    accepted
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value.split(',').any(|coding| {
                let mut parts = coding.split(';').map(str::trim);
                parts.next() == Some("gzip") && parts.all(|part| !part.starts_with("q=0"))
            })
        })
}

/// Weak: the same bytes may be sent packed or not.
fn tag(bytes: &[u8]) -> EntityTag {
    let digest = Sha256::digest(bytes);
    EntityTag::new_weak(HEXLOWER.encode(&digest[..12]))
}

fn has(known: &IfNoneMatch, tag: &EntityTag) -> bool {
    match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|known| known.weak_eq(tag)),
    }
}

fn cached(status: StatusCode, tag: EntityTag) -> HttpResponseBuilder {
    let mut reply = strict(status);
    reply
        .insert_header((header::CACHE_CONTROL, CACHE))
        .insert_header(header::ETag(tag));
    reply
}

/// With what browsers are to be strict about.
fn strict(status: StatusCode) -> HttpResponseBuilder {
    let mut reply = HttpResponse::build(status);
    reply
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"));
    reply
}
