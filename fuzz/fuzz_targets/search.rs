//! Searches: every name and phone is found by itself, and patterns have no wildcards but ours.
#![no_main]

use clientele::domain::customer::{Change, Field, Profile};
use clientele::domain::matching::MatchKeys;
use clientele::domain::phone::DefaultRegion;
use clientele::domain::search::{self, Condition, search_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &str| {
    let region = DefaultRegion::default();
    let Ok(condition) = search::parse(raw, region) else {
        return;
    };
    let Some(condition) = condition else {
        return;
    };
    let named = Change {
        first_name: Field::Set(raw.parse().expect("what can be searched can be a name")),
        ..Change::default()
    };
    assert!(holds(&condition, &text(named, region)), "a name");
    if let Ok(phone) = raw.parse() {
        let called = Change {
            phone: Field::Set(phone),
            ..Change::default()
        };
        assert!(holds(&condition, &text(called, region)), "a phone");
    }
});

fn text(change: Change, region: DefaultRegion) -> String {
    let profile = Profile::default().merge(change).expect("a profile");
    let text = search_text(&profile, &MatchKeys::of(&profile, region));
    assert!(!text.contains('\0'));
    text
}

fn holds(condition: &Condition, text: &str) -> bool {
    match condition {
        Condition::Contains(needle) => text.contains(&literal(&needle.like_pattern())),
        Condition::All(all) => all.iter().all(|one| holds(one, text)),
        Condition::Any(any) => any.iter().any(|one| holds(one, text)),
    }
}

/// What a pattern finds, by the rules of SQL.
fn literal(pattern: &str) -> String {
    let inner = pattern
        .strip_prefix('%')
        .and_then(|rest| rest.strip_suffix('%'));
    let mut chars = inner.expect("a piece").chars();
    let mut literal = String::new();
    while let Some(c) = chars.next() {
        assert!(!matches!(c, '%' | '_'), "a wildcard in {pattern:?}");
        literal.push(match c {
            '\\' => chars.next().expect("what is escaped"),
            c => c,
        });
    }
    literal
}
