//! `/console`: the page on which people look customers up and mend them. It is a client of the API
//! like any other; the server only hands out its files, which are compiled in.

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{self, Path, ServiceConfig};

use super::error::ApiError;
use super::{health, open};

/// Nothing but the page's own files, no inline script or style, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: File = File {
    name: "index.html",
    kind: "text/html; charset=utf-8",
    text: include_str!("console/index.html"),
};

/// What the page loads from below its own address.
const FILES: [File; 7] = [
    File {
        name: "console.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("console/console.css"),
    },
    File {
        name: "icon.svg",
        kind: "image/svg+xml",
        text: include_str!("console/icon.svg"),
    },
    script("console.js", include_str!("console/console.js")),
    script("api.js", include_str!("console/api.js")),
    script("dom.js", include_str!("console/dom.js")),
    script("list.js", include_str!("console/list.js")),
    script("editor.js", include_str!("console/editor.js")),
];

#[derive(Clone, Copy)]
struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const fn script(name: &'static str, text: &'static str) -> File {
    File {
        name,
        kind: "text/javascript; charset=utf-8",
        text,
    }
}

/// The page and its files, which need no key.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(open("/console", "GET, HEAD").route(web::route().guard(health::probe()).to(page)))
        .service(
            open("/console/{file}", "GET, HEAD")
                .route(web::route().guard(health::probe()).to(file)),
        );
}

async fn page() -> HttpResponse {
    PAGE.response()
}

async fn file(name: Path<String>) -> Result<HttpResponse, ApiError> {
    let file = FILES.iter().find(|file| file.name == name.as_str());
    file.map(File::response).ok_or(ApiError::NotFound)
}

impl File {
    fn response(&self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, self.kind))
            .insert_header((CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            // Asked for anew each time, so that an upgrade never mixes old files with new ones.
            .insert_header((CACHE_CONTROL, "no-cache"))
            .body(self.text)
    }
}
