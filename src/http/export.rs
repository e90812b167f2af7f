//! `GET /customers/export`: everyone that a list would show, as a file.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;

use super::auth::Caller;
use super::error::ApiError;
use super::wire::list::export_query;
use crate::files::{Format, writer};
use crate::store::{Export, Store};

/// `GET /customers/export`
pub async fn export(
    store: Data<Store>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (format, filters) = export_query(request.query_string(), caller.company().default_region)?;
    let export = store.customers(caller.company()).export(&filters).await?;
    let (content_type, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        Format::Tsv => ("text/tab-separated-values; charset=utf-8", "tsv"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let name = format!("attachment; filename=\"customers.{extension}\"");
    Ok(HttpResponse::Ok()
        .content_type(content_type)
        .insert_header(("content-disposition", name))
        .streaming(stream::try_unfold(
            (export, Some(writer::header(format))),
            move |(export, header)| part(format, export, header),
        )))
}

/// The next bytes, and what is left. After a failure the connection is cut: what was sent would pass
/// for everything otherwise.
async fn part(
    format: Format,
    mut export: Export,
    header: Option<Vec<u8>>,
) -> Result<Option<(Bytes, (Export, Option<Vec<u8>>))>, ApiError> {
    if let Some(header) = header.filter(|header| !header.is_empty()) {
        return Ok(Some((header.into(), (export, None))));
    }
    let Some(customers) = export.next().await? else {
        return Ok(None);
    };
    let bytes = writer::body(format, &customers);
    Ok(Some((bytes.into(), (export, None))))
}
