//! Search: what is kept of a customer to be searched, and what a search asks of it.
//!
//! The text kept has a line for each of the five searchable fields, folded; then the digits of the
//! phone in a row; then its whole E.164 number. Where digits of the phone stand, each line spells
//! them in symbols of its own, which no folded text has: a word never finds itself in the line of a
//! run of digits, nor a run in that of a whole number, and yet one index serves all.
//!
//! Runs and whole numbers are spelled in pairs of digits, overlapping: `763` is `76`, `63`. A piece
//! of the run is still a piece of the spelling, but three symbols, which is what the index keeps,
//! tell four digits: of a thousand times three digits there are too many in a million phones.

use std::ops::RangeInclusive;

use super::customer::Profile;
use super::fold::fold;
use super::matching::MatchKeys;
use super::phone::{DefaultRegion, PhoneKey, digits};
use super::text::{ShortText, TextError};

/// From this many digits on a word is also looked for among the digits of the phone.
const FEWEST_DIGITS: usize = 4;

/// Letters that folding replaces, so that no folded text has them: with accents, of ligatures, and
/// capitals. To an index of trigrams they are letters like others, and they take two bytes each.
/// Not among them is the sigma, whose small letter is another at the end of a word: with ICU's
/// rules an index would not know it again.
const SYMBOLS: [RangeInclusive<char>; 6] = [
    'À'..='Ö',
    'Ø'..='ö',
    'ø'..='ķ',
    'Ĺ'..='ſ',
    'Α'..='Ρ',
    'Τ'..='Ω',
];
/// Of these, the first of the hundred for pairs of digits in a run,
const RUN: u32 = 0;
/// of the hundred for pairs in a whole number,
const WHOLE: u32 = 100;
/// and of the ten for the digits of a phone as it was written.
const WRITTEN: u32 = 200;

/// From this many digits on several words are one phone number; fewer are words of their own.
const FEWEST_DIGITS_JOINED: usize = 7;

/// What a customer must contain to be found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// This text, somewhere.
    Contains(Needle),
    /// Every one of these.
    All(Vec<Condition>),
    /// At least one of these.
    Any(Vec<Condition>),
}

/// A piece of search text, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Needle(String);

/// The text by which a customer is found.
#[must_use]
pub fn search_text(profile: &Profile, keys: &MatchKeys) -> String {
    let names = [
        profile.first_name.as_ref().map(ShortText::as_str),
        profile.last_name.as_ref().map(ShortText::as_str),
        profile.company_name.as_ref().map(ShortText::as_str),
        profile.email.as_ref().map(super::email::Email::as_str),
    ];
    let mut lines: Vec<String> = names.into_iter().flatten().map(fold).collect();
    if let Some(phone) = &profile.phone {
        lines.push(as_in_phone(&fold(phone.as_str())));
        lines.push(in_pairs(&phone.digits(), RUN));
    }
    if let Some(number) = keys.phone.as_ref().and_then(international) {
        lines.push(number);
    }
    lines.join("\n")
}

/// What the search `raw` asks for; none when it asks for nothing.
///
/// Every word must occur in any of the five fields. Words of digits and punctuation that stand
/// together are also read as one phone number, so that `(763) 555-0100` finds `+17635550100`.
///
/// # Errors
/// When it is longer than a field can be, or has a NUL.
pub fn parse(raw: &str, region: DefaultRegion) -> Result<Option<Condition>, TextError> {
    let text = match raw.parse::<ShortText>() {
        Ok(text) => text,
        Err(TextError::Blank) => return Ok(None),
        Err(error) => return Err(error),
    };
    let words: Vec<&str> = text.as_str().split_whitespace().collect();
    let conditions = words
        .chunk_by(|a, b| is_phone_like(a) && is_phone_like(b))
        .map(|group| {
            if is_phone_like(group[0]) {
                number(group, region)
            } else {
                word(group[0])
            }
        })
        .collect();
    Ok(Some(Condition::All(conditions)))
}

impl Condition {
    /// Whether an index of trigrams can find what satisfies this, rather than only recognise it.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        match self {
            Self::Contains(needle) => needle.has_trigram(),
            Self::All(all) => all.iter().any(Self::is_indexed),
            Self::Any(any) => any.iter().all(Self::is_indexed),
        }
    }
}

impl Needle {
    /// Whether three letters or digits stand in a row.
    fn has_trigram(&self) -> bool {
        self.0
            .split(|c: char| !c.is_alphanumeric())
            .any(|run| run.chars().nth(2).is_some())
    }

    /// The pattern for SQL `like` that finds this piece anywhere: its `\`, `%` and `_` are
    /// ordinary characters.
    #[must_use]
    pub fn like_pattern(&self) -> String {
        let mut pattern = String::with_capacity(self.0.len() + 2);
        pattern.push('%');
        for c in self.0.chars() {
            if matches!(c, '\\' | '%' | '_') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        pattern
    }
}

fn contains(text: String) -> Condition {
    Condition::Contains(Needle(text))
}

/// In any field; digits stand in the phone in symbols of their own.
fn word(word: &str) -> Condition {
    let folded = fold(word);
    let in_phone = as_in_phone(&folded);
    if in_phone == folded {
        return contains(folded);
    }
    Condition::Any(vec![contains(folded), contains(in_phone)])
}

/// Digits with punctuation: each word as it is written, or all their digits in a row in the phone,
/// or the very number they dial.
fn number(words: &[&str], region: DefaultRegion) -> Condition {
    let each = words.iter().map(|written| match digit_run(written) {
        // Where the phone has the word as it is written, it has the run too.
        Some(run) => Condition::Any(vec![contains(fold(written)), run]),
        None => word(written),
    });
    let joined = words.join(" ");
    let mut ways = vec![Condition::All(each.collect())];
    if words.len() > 1 && digits(&joined).len() >= FEWEST_DIGITS_JOINED {
        ways.extend(digit_run(&joined));
    }
    let dialled = PhoneKey::of(&joined, region);
    ways.extend(dialled.as_ref().and_then(international).map(contains));
    Condition::Any(ways)
}

fn digit_run(text: &str) -> Option<Condition> {
    let digits = digits(text);
    (digits.len() >= FEWEST_DIGITS).then(|| contains(in_pairs(&digits, RUN)))
}

/// A word of which no letter would be lost if only its digits were kept.
fn is_phone_like(word: &str) -> bool {
    word.chars().all(|c| c.is_numeric() || !c.is_alphanumeric()) && !digits(word).is_empty()
}

/// The line for a whole number in E.164, without its extension: people search for the office. The
/// capitals around it, which no folded text has either, make it whole.
fn international(key: &PhoneKey) -> Option<String> {
    let number = key.as_str().strip_prefix('+')?;
    let number = number.split(';').next().unwrap_or(number);
    Some(format!("Y{}Z", in_pairs(number, WHOLE)))
}

/// Every two digits that stand together, as one of a hundred symbols.
fn in_pairs(digits: &str, first: u32) -> String {
    let values: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(10)).collect();
    values
        .windows(2)
        .filter_map(|pair| symbol(first + pair[0] * 10 + pair[1]))
        .collect()
}

fn symbol(number: u32) -> Option<char> {
    SYMBOLS.into_iter().flatten().nth(number as usize)
}

/// Folded text as it stands in the line of a phone.
fn as_in_phone(folded: &str) -> String {
    folded
        .chars()
        .map(|c| {
            c.to_digit(10)
                .and_then(|digit| symbol(WRITTEN + digit))
                .unwrap_or(c)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::customer::{Change, Field};
    use super::*;
    use proptest::prelude::*;

    fn customer(change: Change) -> String {
        let profile = Profile::default().merge(change).unwrap();
        let keys = MatchKeys::of(&profile, DefaultRegion::default());
        search_text(&profile, &keys)
    }

    fn john() -> String {
        customer(Change {
            first_name: Field::Set("John".parse().unwrap()),
            last_name: Field::Set("Smith-Ångström".parse().unwrap()),
            company_name: Field::Set("Café 100% \\ Sons_Ltd".parse().unwrap()),
            email: Field::Set("J.Smith@Example.com".parse().unwrap()),
            phone: Field::Set("(763) 555-0101".parse().unwrap()),
            ..Change::default()
        })
    }

    fn holds(condition: &Condition, text: &str) -> bool {
        match condition {
            Condition::Contains(needle) => text.contains(&needle.0),
            Condition::All(all) => all.iter().all(|one| holds(one, text)),
            Condition::Any(any) => any.iter().any(|one| holds(one, text)),
        }
    }

    fn finds(search: &str, text: &str) -> bool {
        let condition = parse(search, DefaultRegion::default()).unwrap();
        condition.is_none_or(|condition| holds(&condition, text))
    }

    #[test]
    fn every_word_must_occur_in_any_field() {
        for search in [
            "john smi",
            "SMITH john",
            "ohn",
            "cafe",
            "CAFÉ",
            "angstrom",
            "example.com john",
            "100%",
            "\\",
            "sons_",
            "h-å",
            "",
            "  ",
        ] {
            assert!(finds(search, &john()), "{search}");
        }
        for search in [
            "john jones",
            "johnsmith",
            "100_",
            "sons%",
            "smith\\",
            "john%smith",
        ] {
            assert!(!finds(search, &john()), "{search}");
        }
    }

    #[test]
    fn a_run_of_digits_is_found_in_the_phone_however_both_are_written() {
        for search in [
            "555-0101",
            "5550101",
            "763555",
            "(763) 555-0101",
            "763.555.0101",
            "763 555 0101",
            "+1 763 555 0101",
            "+17635550101",
            "1-763-555-0101",
            "john 5550101",
            "6355 john",
            "763 5550101",
        ] {
            assert!(finds(search, &john()), "{search}");
        }
        for search in [
            "5550102",
            "635 0101",
            "+4917635550101",
            "0101763555",
            "1763",
            "76 35",
        ] {
            assert!(!finds(search, &john()), "{search}");
        }
    }

    #[test]
    fn fewer_than_four_digits_are_found_only_as_written() {
        assert!(finds("763", &john()));
        assert!(finds("-01", &john()));
        assert!(!finds("635", &john()));
    }

    #[test]
    fn words_do_not_find_the_symbols_that_stand_for_digits() {
        let text = customer(Change {
            phone: Field::Set("763-555-0101".parse().unwrap()),
            ..Change::default()
        });
        for number in [RUN + 76, WHOLE + 17, WRITTEN + 7] {
            let symbol = symbol(number).unwrap().to_string();
            assert!(text.contains(&symbol));
            assert!(!finds(&symbol, &text));
        }
        for search in ["Y", "+", "Z"] {
            assert!(!finds(search, &text), "{search}");
        }
    }

    #[test]
    fn folded_text_has_none_of_the_symbols() {
        for number in RUN..WRITTEN + 10 {
            let symbol = symbol(number).unwrap();
            assert_eq!(symbol.len_utf8(), 2);
            assert!(symbol.is_alphanumeric());
            assert!(!fold(&symbol.to_string()).contains(symbol), "{symbol:?}");
        }
    }

    #[test]
    fn words_of_letters_and_digits_are_found_in_the_phone_and_elsewhere() {
        let text = customer(Change {
            company_name: Field::Set("Route66 Motors".parse().unwrap()),
            phone: Field::Set("763-555-0101 x204".parse().unwrap()),
            ..Change::default()
        });
        for search in ["x204", "0101 x2", "route66", "e66", "66", "204"] {
            assert!(finds(search, &text), "{search}");
        }
        assert!(!finds("x205", &text));
    }

    #[test]
    fn a_foreign_number_is_found_in_its_national_form() {
        let text = customer(Change {
            phone: Field::Set("+49 9261 628000".parse().unwrap()),
            ..Change::default()
        });
        let german = parse("09261 628000", "DE".parse().unwrap())
            .unwrap()
            .unwrap();
        assert!(holds(&german, &text));
    }

    #[test]
    fn wildcards_of_sql_are_escaped() {
        let needle = Needle(r"50%_\".to_owned());
        assert_eq!(needle.like_pattern(), r"%50\%\_\\%");
    }

    #[test]
    fn too_long_a_search_is_refused() {
        let region = DefaultRegion::default();
        assert!(parse(&"x".repeat(256), region).is_err());
        assert!(parse("a\0b", region).is_err());
    }

    proptest! {
        #[test]
        fn any_piece_of_a_name_finds_it(name in "\\PC{1,20}", start in 0usize..20, len in 1usize..20) {
            prop_assume!(name.parse::<ShortText>().is_ok());
            let text = customer(Change {
                first_name: Field::Set(name.parse().unwrap()),
                ..Change::default()
            });
            let folded = fold(name.trim());
            let piece: String = folded.chars().skip(start).take(len).collect();
            prop_assert!(finds(&piece, &text), "{piece:?} in {text:?}");
        }
    }
}
