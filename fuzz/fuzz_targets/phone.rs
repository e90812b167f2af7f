//! Phones: what is kept reads as itself, and its key is the same each time and plain.
#![no_main]

use clientele::domain::phone::{DefaultRegion, Phone, PhoneKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &str| {
    let Ok(phone) = raw.parse::<Phone>() else {
        return;
    };
    assert_eq!(phone.as_str().parse(), Ok(phone.clone()));
    assert!(!phone.digits().is_empty());
    for region in ["US", "DE", "BR"] {
        let region: DefaultRegion = region.parse().expect("a region");
        let key = phone.key(region);
        assert_eq!(key, PhoneKey::of(phone.as_str(), region));
        let plain = |key: &PhoneKey| {
            let mut chars = key.as_str().chars();
            chars.all(|c| c.is_numeric() || "+;ext=".contains(c))
        };
        assert!(key.as_ref().is_none_or(plain), "{key:?}");
    }
});
