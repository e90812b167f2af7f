//! Card numbers, found so that they can be refused: Clientele keeps none.

use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;

use super::phone;

/// How many digits a card number has (ISO/IEC 7812).
const LENGTHS: RangeInclusive<usize> = 13..=19;

/// Groups of digits with nothing but separators between them.
#[derive(Default)]
struct Run {
    digits: Vec<u8>,
    /// Where in `digits` each group starts.
    starts: Vec<usize>,
}

/// Whether a card number stands somewhere in `text`: whole groups of digits with no letter between
/// them, 13 to 19 digits in all, that pass Luhn's check. One number in ten does so
/// by chance.
#[must_use]
pub fn has_card_number(text: &str) -> bool {
    let mut run = Run::default();
    let mut within_group = false;
    // Normalised, since full-width digits are digits to whoever reads them.
    for c in text.nfkc() {
        let digit = decimal_digit(c);
        match digit {
            Some(digit) => run.push(digit, within_group),
            None if is_separator(c) => {}
            None if run.has_card_number() => return true,
            None => run = Run::default(),
        }
        within_group = digit.is_some();
    }
    run.has_card_number()
}

impl Run {
    fn push(&mut self, digit: u8, within_group: bool) {
        if !within_group {
            self.starts.push(self.digits.len());
        }
        self.digits.push(digit);
    }

    fn has_card_number(&self) -> bool {
        self.starts.iter().enumerate().any(|(group, start)| {
            let ends = self.starts[group + 1..].iter().copied();
            ends.chain([self.digits.len()])
                .map(|end| &self.digits[*start..end])
                .take_while(|digits| digits.len() <= *LENGTHS.end())
                .any(|digits| digits.len() >= *LENGTHS.start() && passes_luhn(digits))
        })
    }
}

/// The value of a decimal digit of any script.
fn decimal_digit(c: char) -> Option<u8> {
    let digit = if c.is_ascii() || !c.is_numeric() {
        c
    } else {
        phone::digits(c.encode_utf8(&mut [0; 4])).chars().next()?
    };
    digit
        .to_digit(10)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Whatever stands between digits and is no letter: people write cards with spaces, dashes, slashes,
/// and there are signs of no width.
fn is_separator(c: char) -> bool {
    !c.is_alphanumeric()
}

/// The check of ISO/IEC 7812: every second digit from the right counts double.
fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The numbers that providers give out for tests.
    const CARDS: [&str; 17] = [
        "4242424242424242",
        "4111111111111111",
        "4012888888881881",
        "4222222222222",
        "5555555555554444",
        "5105105105105100",
        "2223003122003222",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "6011000990139424",
        "30569309025904",
        "38520000023237",
        "3530111333300000",
        "6200000000000005",
        "6759649826438453",
        "6205500000000000004",
    ];

    /// `digits` in groups of four, with `separator` between them.
    fn grouped(digits: &str, separator: &str) -> String {
        let digits: Vec<char> = digits.chars().collect();
        let groups: Vec<String> = digits
            .chunks(4)
            .map(|group| group.iter().collect())
            .collect();
        groups.join(separator)
    }

    #[test]
    fn the_cards_of_every_brand_are_found_however_they_are_written() {
        for card in CARDS {
            assert!(has_card_number(card), "{card}");
            for separator in [
                " ", "-", ".", "  ", " - ", "\u{a0}", "\u{2013}", "\t", "\u{200b}",
            ] {
                let written = grouped(card, separator);
                assert!(has_card_number(&written), "{written:?}");
            }
        }
        assert!(has_card_number("3782 822463 10005"));
    }

    #[test]
    fn what_stands_around_a_card_number_hides_it_not() {
        for around in [
            "4242 4242 4242 4242 12/28",
            "4242 4242 4242 4242 12 28",
            "4242424242424242 123",
            "12 4242424242424242",
            "7 4242-4242-4242-4242 7",
            "card:4242424242424242;",
            "pm4242424242424242x",
            "(4242 4242 4242 4242)",
            "1234/4242424242424242",
            "my card is 4242.4242.4242.4242, thanks",
            "378282246310005 12/2028 1234",
        ] {
            assert!(has_card_number(around), "{around}");
        }
    }

    #[test]
    fn digits_of_other_scripts_are_digits() {
        for written in [
            "\u{ff14}\u{ff12}\u{ff14}\u{ff12} 4242 4242 4242",
            "\u{ff14}\u{ff12}\u{ff14}\u{ff12}\u{ff0d}4242\u{ff0e}4242\u{3000}4242",
            "4242/4242/4242/4242",
            "4242_4242|4242,4242",
            "4242\u{2062}4242\u{fe0f}4242\u{180e}4242",
            "\u{664}\u{662}\u{664}\u{662}424242424242",
        ] {
            assert!(has_card_number(written), "{written}");
        }
    }

    #[test]
    fn what_is_nearly_a_card_number_is_none() {
        for other in [
            "",
            "4242",
            "4242424242424241",
            "4242 4242 4242 4243",
            "378282246310006",
            // Twelve digits and twenty, though both pass.
            "424242424242",
            "42424242424242424242",
            // Part of a group is none.
            "00004242424242424242",
            "4242 4242 x 4242 4242",
            "tok_1N3T00LkdIwHu7ix0snN0B5X",
            "0190b6c2-7b1e-7c50-8000-000000000001",
            "2026-11-23T15:07:54.823Z",
            "+1 763-555-0177",
        ] {
            assert!(!has_card_number(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn of_the_last_digits_just_one_makes_a_card_number(digits in "[1-9][0-9]{11,17}") {
            let found = (0..10).filter(|last| has_card_number(&format!("{digits}{last}")));
            prop_assert_eq!(found.count(), 1);
        }

        #[test]
        fn text_around_a_card_number_never_hides_it(
            before in "\\PC{0,20}[a-z]", after in "[a-z]\\PC{0,20}", card in 0..CARDS.len(),
        ) {
            let text = format!("{before}{}{after}", CARDS[card]);
            prop_assert!(has_card_number(&text));
        }
    }
}
