//! Files to import: every row is a post or is refused, and lines never go back.
#![no_main]

use std::io::Cursor;

use clientele::files::Format;
use clientele::files::mapping::Mapping;
use clientele::files::reader::Reader;
use clientele::http::UpsertRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    for format in [
        None,
        Some(Format::Csv),
        Some(Format::Tsv),
        Some(Format::Ndjson),
    ] {
        let text = Box::new(Cursor::new(file.to_vec()));
        let Ok(mut reader) = Reader::new(text, format, Mapping::default()) else {
            continue;
        };
        let mut last = 0;
        while let Some(row) = reader.next_row().expect("memory") {
            assert!(row.line >= last, "line {} after {last}", row.line);
            last = row.line;
            if let Ok(fields) = row.fields {
                drop(UpsertRequest::from_fields(fields));
            }
        }
    }
});
