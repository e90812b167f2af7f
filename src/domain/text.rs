//! Text as people write it: trimmed, never blank, never too long, never with a NUL.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Names, streets, sources: most fields.
pub type ShortText = Text<255>;
/// Free notes about a customer.
pub type Notes = Text<10_000>;

/// Text of 1 to `MAX` characters (Unicode scalar values) without white space at its ends.
///
/// A NUL is refused because `PostgreSQL` cannot store one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

/// Why a string is not a [`Text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("Must not be blank")]
    Blank,
    /// More characters than the field holds.
    #[error("Must be at most {max} characters")]
    TooLong {
        /// The most characters the field holds.
        max: usize,
    },
    /// A U+0000 somewhere in it.
    #[error("Must not contain a NUL character")]
    Nul,
}

impl<const MAX: usize> Text<MAX> {
    /// Takes a value back that was parsed before it was stored.
    #[must_use]
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = TextError;

    fn from_str(raw: &str) -> Result<Self, TextError> {
        let trimmed = raw.trim();
        if trimmed.is_empty() {
            return Err(TextError::Blank);
        }
        if trimmed.contains('\0') {
            return Err(TextError::Nul);
        }
        if trimmed.chars().count() > MAX {
            return Err(TextError::TooLong { max: MAX });
        }
        Ok(Self(trimmed.to_owned()))
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_at_the_ends_is_dropped_and_kept_inside() {
        let text: ShortText = " \t Mary  Ann\u{a0}\n".parse().unwrap();
        assert_eq!(text.as_str(), "Mary  Ann");
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert!("é".repeat(255).parse::<ShortText>().is_ok());
        assert_eq!(
            "é".repeat(256).parse::<ShortText>(),
            Err(TextError::TooLong { max: 255 })
        );
    }

    #[test]
    fn length_is_measured_after_trimming() {
        let padded = format!("  {}  ", "x".repeat(255));
        assert!(padded.parse::<ShortText>().is_ok());
    }

    #[test]
    fn a_nul_is_refused_wherever_it_stands() {
        for raw in ["\0", "a\0b", "\0a", "a\0"] {
            assert_eq!(raw.parse::<ShortText>(), Err(TextError::Nul), "{raw:?}");
        }
    }

    #[test]
    fn nothing_but_white_space_is_blank() {
        for raw in ["", " ", "\t\r\n", "\u{2003}"] {
            assert_eq!(raw.parse::<ShortText>(), Err(TextError::Blank), "{raw:?}");
        }
    }
}
