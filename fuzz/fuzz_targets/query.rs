//! The query of a list: any bytes that a URL can have.
#![no_main]

use clientele::domain::phone::DefaultRegion;
use clientele::http::list_query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    let Ok(read) = list_query(query, DefaultRegion::default()) else {
        return;
    };
    assert!((1..=1000).contains(&read.page.limit.get()));
    assert!(read.page.offset() >= 0);
});
