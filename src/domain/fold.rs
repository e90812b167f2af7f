//! Folding for search: case, accents and compatibility forms disappear, so that `cafe` finds
//! `Café` and `strasse` finds `Straße`. The same function folds what is stored and what is asked.

use unicode_normalization::UnicodeNormalization;

/// `text` without case and accents.
///
/// Compatibility decomposition first (so that `ﬁ`, `Ａ` and `é` fall apart), accents dropped, lower
/// case, the letters that Unicode does not decompose spelled out, then composed again so that
/// scripts whose marks are not accents (Hangul, Kana, Devanagari) keep their syllables.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|c| !is_accent(*c)) {
        for lower in letter.to_lowercase() {
            match spelled_out(lower) {
                Some(plain) => folded.push_str(plain),
                None => folded.push(lower),
            }
        }
    }
    folded.nfc().collect()
}

/// Marks that readers leave out when they type: the diacritics blocks, Hebrew points, Arabic vowels.
fn is_accent(c: char) -> bool {
    matches!(
        c,
        '\u{0300}'..='\u{036F}'
            | '\u{0591}'..='\u{05BD}'
            | '\u{05BF}'
            | '\u{05C1}'..='\u{05C2}'
            | '\u{05C4}'..='\u{05C5}'
            | '\u{05C7}'
            | '\u{064B}'..='\u{065F}'
            | '\u{0670}'
            | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}'
            | '\u{FE20}'..='\u{FE2F}'
    )
}

/// Letters with a stroke or a ligature that Unicode keeps whole.
fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ħ' => "h",
        'ŧ' => "t",
        'ı' => "i",
        'ŋ' => "n",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::fold;
    use proptest::prelude::*;

    #[test]
    fn case_and_accents_disappear() {
        for (written, folded) in [
            ("Café", "cafe"),
            ("CAFE\u{301}", "cafe"),
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("Ærøskøbing", "aeroskobing"),
            ("Łódź", "lodz"),
            ("İstanbul", "istanbul"),
            ("ISTANBUL", "istanbul"),
            ("ılık", "ilik"),
            ("ΌΣΟΣ", "οσοσ"),
            ("όσος", "οσοσ"),
            ("ﬁsh", "fish"),
            ("Ｆｕｌｌ", "full"),
            ("Ångström", "angstrom"),
            ("Ελλάδα", "ελλαδα"),
            ("Йод", "иод"),
        ] {
            assert_eq!(fold(written), folded, "{written}");
        }
    }

    #[test]
    fn marks_that_are_letters_stay() {
        assert_eq!(fold("한국"), "한국");
        assert_eq!(fold("がか"), "がか");
        assert_eq!(fold("किताब"), "किताब");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn no_ascii_capital_is_left(text in "\\PC{0,40}") {
            prop_assert!(!fold(&text).contains(|c: char| c.is_ascii_uppercase()));
        }
    }
}
