//! Phone numbers: kept as written, matched by what they dial.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use thiserror::Error;

use super::text::{ShortText, TextError};

/// A number that no library can read is matched by its digits from this many on; fewer are an
/// extension or a typing error, and would join strangers.
const FEWEST_DIGITS_OF_A_KEY: usize = 7;

/// A phone number as it was written: any text with a digit in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(ShortText);

/// What two spellings of one number have in common: E.164 with its extension, else its digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhoneKey(String);

/// The country whose rules read a number written without its country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultRegion(Region);

/// Why a string is not a [`Phone`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PhoneError {
    /// Too long, blank, or with a NUL.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Nothing to dial.
    #[error("Invalid phone number: must contain at least one digit")]
    NoDigit,
}

/// A string that names no country with phone numbers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a two-letter country code with a phone numbering plan, such as US or DE")]
pub struct UnknownRegion(String);

impl Phone {
    /// Takes a number back that was parsed before it was stored.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(ShortText::from_stored(text))
    }

    /// The number as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The digits of the number as it was written, as ASCII, in order.
    #[must_use]
    pub fn digits(&self) -> String {
        digits(self.as_str())
    }

    /// The key under which the number is matched; none for a few digits that dial nothing.
    #[must_use]
    pub fn key(&self, region: DefaultRegion) -> Option<PhoneKey> {
        PhoneKey::of(self.as_str(), region)
    }
}

impl FromStr for Phone {
    type Err = PhoneError;

    fn from_str(raw: &str) -> Result<Self, PhoneError> {
        let text: ShortText = raw.parse()?;
        if digits(text.as_str()).is_empty() {
            return Err(PhoneError::NoDigit);
        }
        Ok(Self(text))
    }
}

impl PhoneKey {
    /// The key of a number written in any way.
    #[must_use]
    pub fn of(raw: &str, region: DefaultRegion) -> Option<Self> {
        if let Some(key) = e164(raw, region) {
            return Some(Self(key));
        }
        let digits = digits(raw);
        (digits.len() >= FEWEST_DIGITS_OF_A_KEY).then_some(Self(digits))
    }

    /// The key as it is stored and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `+17635550100`, with `;ext=12` behind it when there is an extension; none unless the number
/// parses and has a length that its region dials (a local number alone reaches nobody).
fn e164(raw: &str, region: DefaultRegion) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(raw, Some(region.0)).ok()?;
    if PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) != Ok(NumberLengthType::IsPossible)
    {
        return None;
    }
    let mut key = PHONE_NUMBER_UTIL
        .format(&number, PhoneNumberFormat::E164)
        .into_owned();
    if let Some(extension) = number
        .extension
        .as_deref()
        .filter(|digits| !digits.is_empty())
    {
        key.push_str(";ext=");
        key.push_str(extension);
    }
    Some(key)
}

/// The decimal digits of any script in `text`, as ASCII.
#[must_use]
pub fn digits(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().filter(char::is_ascii_digit).collect();
    }
    PHONE_NUMBER_UTIL.normalize_digits_only(text)
}

impl Default for DefaultRegion {
    fn default() -> Self {
        Self(Region::US)
    }
}

impl FromStr for DefaultRegion {
    type Err = UnknownRegion;

    fn from_str(raw: &str) -> Result<Self, UnknownRegion> {
        Region::from_str(raw)
            .ok()
            .filter(|region| {
                PHONE_NUMBER_UTIL
                    .get_supported_regions()
                    .any(|known| known == *region)
            })
            .map(Self)
            .ok_or_else(|| UnknownRegion(raw.to_owned()))
    }
}

impl fmt::Display for DefaultRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(raw: &str) -> Option<String> {
        key_in("US", raw)
    }

    fn key_in(region: &str, raw: &str) -> Option<String> {
        let phone: Phone = raw.parse().unwrap();
        phone.key(region.parse().unwrap()).map(|key| key.0)
    }

    #[test]
    fn every_way_to_write_a_number_has_one_key() {
        for raw in [
            "(763) 555-0100",
            "763.555.0100",
            "763-555-0100",
            "7635550100",
            "763 555 0100",
            "+1 763-555-0100",
            "+1 763 555 0100",
            "+17635550100",
            "1-763-555-0100",
            "763/555-0100",
            " 763 555 0100 ",
            "tel:+1-763-555-0100",
            "+1 (763) 555‑0100",
            "７６３５５５０１００",
        ] {
            assert_eq!(key(raw).as_deref(), Some("+17635550100"), "{raw}");
        }
        assert_eq!(key("310/246-1501").as_deref(), Some("+13102461501"));
    }

    #[test]
    fn foreign_numbers_keep_every_digit() {
        assert_eq!(key("+49 9261 628000").as_deref(), Some("+499261628000"));
        assert_eq!(key("+32 11 23 91 00").as_deref(), Some("+3211239100"));
        assert_eq!(key("+39 06 1234 5678").as_deref(), Some("+390612345678"));
    }

    #[test]
    fn a_national_number_is_read_by_the_default_region() {
        assert_eq!(
            key_in("DE", "09261 628000").as_deref(),
            Some("+499261628000")
        );
        assert_eq!(
            key_in("GB", "020 7183 8750").as_deref(),
            Some("+442071838750")
        );
    }

    #[test]
    fn made_up_numbers_have_a_key_too() {
        assert_eq!(key("(555) 123-4567"), key("5551234567"));
        assert!(key("(555) 123-4567").is_some());
    }

    #[test]
    fn two_desks_of_one_office_stay_apart() {
        let office = key("(763) 555-0100").unwrap();
        let desk = key("(763) 555-0100 ext. 12").unwrap();
        assert_ne!(office, desk);
        assert_eq!(Some(desk), key("+1 763 555 0100 x12"));
        assert_ne!(key("763-555-0100 x12"), key("763-555-0100 x13"));
    }

    #[test]
    fn a_local_number_is_matched_by_its_digits() {
        assert_eq!(key("555-0100").as_deref(), Some("5550100"));
    }

    #[test]
    fn a_few_digits_have_no_key() {
        assert_eq!(key("911"), None);
        assert_eq!(key("ext 12"), None);
    }

    #[test]
    fn a_phone_needs_a_digit() {
        for raw in ["call me", "-", "n/a"] {
            assert_eq!(raw.parse::<Phone>(), Err(PhoneError::NoDigit), "{raw}");
        }
    }

    #[test]
    fn regions_without_a_numbering_plan_are_refused() {
        for raw in ["", "U", "USA", "ZZ", "001", "12"] {
            assert!(raw.parse::<DefaultRegion>().is_err(), "{raw}");
        }
        assert_eq!("de".parse::<DefaultRegion>().unwrap().to_string(), "DE");
    }

    /// Real phones with the E.164 that Google's own rules give; see tests/data/README.md.
    #[test]
    fn real_phones_agree_with_googles_library() {
        let phones = include_str!("../../tests/data/phones.tsv");
        let mut compared = 0;
        for line in phones.lines().filter(|line| !line.starts_with('#')) {
            let (raw, expected) = line.split_once('\t').unwrap();
            let ours = e164(raw, DefaultRegion::default());
            let number = ours.as_deref().and_then(|key| key.split(';').next());
            assert_eq!(number.unwrap_or(""), expected, "{raw}");
            compared += 1;
        }
        assert!(compared > 9_000, "only {compared} phones compared");
    }
}
