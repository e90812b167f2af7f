//! Bodies of posts, two lines of them: the same again changes nothing, and what is kept reads as
//! itself, from a file too.
#![no_main]

use chrono::DateTime;
use clientele::domain::customer::{Change, Customer, CustomerId, Profile};
use clientele::domain::matching::MatchKeys;
use clientele::domain::phone::DefaultRegion;
use clientele::domain::search::search_text;
use clientele::files::mapping::Mapping;
use clientele::files::reader::Reader;
use clientele::files::{Format, writer};
use clientele::http::UpsertRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bodies: &[u8]| {
    let mut profile = Profile::default();
    for body in bodies.splitn(2, |byte| *byte == b'\n') {
        let Some(change) = change(body) else {
            continue;
        };
        let Ok(merged) = profile.merge(change.clone()) else {
            continue;
        };
        assert_eq!(merged.merge(change), Ok(merged.clone()));
        keys(&merged);
        profile = merged;
    }
    // One of them at a time: reading a header is most of the work.
    let formats = [Format::Csv, Format::Tsv, Format::Ndjson];
    if profile != Profile::default() {
        round_trip(&profile, formats[bodies.len() % formats.len()]);
    }
});

fn change(body: &[u8]) -> Option<Change> {
    let body = serde_json::from_slice(body).ok()?;
    Some(UpsertRequest::from_json(body).ok()?.change)
}

fn keys(profile: &Profile) {
    let keys = MatchKeys::of(profile, DefaultRegion::default());
    assert!(!search_text(profile, &keys).contains('\0'));
}

/// Written to a file and read again, a customer is what it was.
fn round_trip(profile: &Profile, format: Format) {
    let customer = Customer {
        id: CustomerId::generate(),
        created_at: DateTime::UNIX_EPOCH,
        archived_at: None,
        has_payment_method: false,
        profile: profile.clone(),
    };
    let mut file = writer::header(format);
    file.extend(writer::body(format, &[customer]));
    let mapping = Mapping {
        tag_separator: writer::TAG_SEPARATOR,
        ..Mapping::default()
    };
    let text = Box::new(std::io::Cursor::new(file));
    let mut reader = Reader::new(text, Some(format), mapping).expect("our own file");
    let row = reader.next_row().expect("memory").expect("a row");
    let read = UpsertRequest::from_fields(row.fields.expect("fields")).expect("a post");
    assert_eq!(Profile::default().merge(read.change), Ok(profile.clone()));
    assert!(reader.next_row().expect("memory").is_none());
}
