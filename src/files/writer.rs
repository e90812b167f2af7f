//! Customers written to a file.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::cell::{guarded, join_tags};
use super::{COLUMNS, Format};
use crate::domain::customer::{Customer, Status};
use crate::domain::email::Email;
use crate::domain::phone::Phone;
use crate::domain::text::Text;

/// Between the tags in a cell.
pub const TAG_SEPARATOR: char = ';';

/// What a file begins with.
#[must_use]
pub fn header(format: Format) -> Vec<u8> {
    match format {
        Format::Csv => format!("{}\r\n", COLUMNS.join(",")).into_bytes(),
        Format::Tsv => format!("{}\r\n", COLUMNS.join("\t")).into_bytes(),
        Format::Ndjson => Vec::new(),
    }
}

/// Why writing cannot go wrong.
const TO_MEMORY: &str = "memory takes what is written, and all records have one length";

/// Customers as they stand in a file, one after the other.
#[must_use]
pub fn body(format: Format, customers: &[Customer]) -> Vec<u8> {
    match format {
        Format::Csv => separated(b',', customers),
        Format::Tsv => separated(b'\t', customers),
        Format::Ndjson => ndjson(customers),
    }
}

fn separated(delimiter: u8, customers: &[Customer]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for customer in customers {
        writer.write_record(cells(customer)).expect(TO_MEMORY);
    }
    writer.into_inner().expect(TO_MEMORY)
}

fn ndjson(customers: &[Customer]) -> Vec<u8> {
    let mut lines = Vec::new();
    for customer in customers {
        serde_json::to_writer(&mut lines, &Line::new(customer)).expect(TO_MEMORY);
        lines.push(b'\n');
    }
    lines
}

/// A customer in NDJSON: the fields of a post, and what else is in [`COLUMNS`].
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    company_name: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    notes: Option<&'a str>,
    source: Option<&'a str>,
    status: Option<&'a str>,
    tags: Vec<&'a str>,
    service_type: Option<&'a str>,
    service_frequency: Option<&'a str>,
    billing_street1: Option<&'a str>,
    billing_street2: Option<&'a str>,
    billing_city: Option<&'a str>,
    billing_state: Option<&'a str>,
    billing_zip: Option<&'a str>,
    billing_country: Option<&'a str>,
    billing_same_as_property: Option<bool>,
    property_street1: Option<&'a str>,
    property_street2: Option<&'a str>,
    property_city: Option<&'a str>,
    property_state: Option<&'a str>,
    property_zip: Option<&'a str>,
    property_country: Option<&'a str>,
    location: Option<[f64; 2]>,
    created_at: String,
    archived_at: Option<String>,
}

impl<'a> Line<'a> {
    fn new(customer: &'a Customer) -> Self {
        let profile = &customer.profile;
        let [b1, b2, b3, b4, b5, b6] = profile.billing.lines();
        let [p1, p2, p3, p4, p5, p6] = profile.property.lines();
        Self {
            id: customer.id.to_string(),
            first_name: text(profile.first_name.as_ref()),
            last_name: text(profile.last_name.as_ref()),
            company_name: text(profile.company_name.as_ref()),
            email: profile.email.as_ref().map(Email::as_str),
            phone: profile.phone.as_ref().map(Phone::as_str),
            notes: text(profile.notes.as_ref()),
            source: text(profile.source.as_ref()),
            status: profile.status.map(Status::as_str),
            tags: profile.tags.iter().collect(),
            service_type: text(profile.service_type.as_ref()),
            service_frequency: text(profile.service_frequency.as_ref()),
            billing_street1: b1,
            billing_street2: b2,
            billing_city: b3,
            billing_state: b4,
            billing_zip: b5,
            billing_country: b6,
            billing_same_as_property: profile.billing_same_as_property,
            property_street1: p1,
            property_street2: p2,
            property_city: p3,
            property_state: p4,
            property_zip: p5,
            property_country: p6,
            location: profile
                .location
                .map(|place| [place.latitude(), place.longitude()]),
            created_at: timestamp(customer.created_at),
            archived_at: customer.archived_at.map(timestamp),
        }
    }
}

/// In the order of [`COLUMNS`]. Texts are guarded; the rest is ours and no formula.
fn cells(customer: &Customer) -> [String; COLUMNS.len()] {
    let line = Line::new(customer);
    let text = |text: Option<&str>| text.map(guarded).unwrap_or_default();
    let degrees = |index: usize| {
        line.location
            .map_or(String::new(), |l| l[index].to_string())
    };
    [
        line.id,
        text(line.first_name),
        text(line.last_name),
        text(line.company_name),
        text(line.email),
        text(line.phone),
        text(line.notes),
        text(line.source),
        text(line.status),
        guarded(&join_tags(line.tags.into_iter(), TAG_SEPARATOR)),
        text(line.service_type),
        text(line.service_frequency),
        text(line.billing_street1),
        text(line.billing_street2),
        text(line.billing_city),
        text(line.billing_state),
        text(line.billing_zip),
        text(line.billing_country),
        line.billing_same_as_property
            .map_or(String::new(), |same| same.to_string()),
        text(line.property_street1),
        text(line.property_street2),
        text(line.property_city),
        text(line.property_state),
        text(line.property_zip),
        text(line.property_country),
        degrees(0),
        degrees(1),
        line.created_at,
        line.archived_at.unwrap_or_default(),
    ]
}

fn text<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<&str> {
    text.map(Text::as_str)
}

/// To the microsecond, as it is kept: customers made in one batch differ by less than a millisecond.
fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
