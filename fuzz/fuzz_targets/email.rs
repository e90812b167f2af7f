//! E-mails: what is kept reads as itself, and has one key however it is shouted.
#![no_main]

use clientele::domain::email::Email;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &str| {
    let Ok(email) = raw.parse::<Email>() else {
        return;
    };
    assert_eq!(email.as_str().parse(), Ok(email.clone()));
    let key = email.key();
    assert!(!key.as_str().contains('\0'));
    assert_eq!(key.as_str().to_lowercase(), key.as_str());
    let shouted: Email = email
        .as_str()
        .to_ascii_uppercase()
        .parse()
        .expect("an e-mail");
    assert_eq!(shouted.key(), key);
});
