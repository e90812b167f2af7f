//! Cursors: whatever is taken for one is the very one that is made for its place.
#![no_main]

use clientele::domain::order::Cursor;
use data_encoding::BASE64URL_NOPAD;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        read(text);
    }
    read(&BASE64URL_NOPAD.encode(bytes));
});

fn read(raw: &str) {
    if let Ok(cursor) = raw.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), raw.trim());
    }
}
