//! What stands in the cells of a spreadsheet.

/// Characters with which a cell begins that a spreadsheet takes for a formula.
/// See <https://owasp.org/www-community/attacks/CSV_Injection>.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text as a cell that no spreadsheet takes for a formula: with an apostrophe before it, which a
/// spreadsheet takes for the sign of a text.
#[must_use]
pub fn guarded(text: &str) -> String {
    if looks_like_formula(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The text of a cell that may have been [guarded].
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if looks_like_formula(text) => text,
        _ => cell,
    }
}

/// Whether it is a formula, or one guarded already: so that guarding can always be undone.
fn looks_like_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

/// Tags in one cell: a separator within a tag has a backslash before it.
#[must_use]
pub fn join_tags<'a>(tags: impl Iterator<Item = &'a str>, separator: char) -> String {
    let escaped: Vec<String> = tags
        .map(|tag| {
            tag.replace('\\', "\\\\")
                .replace(separator, &format!("\\{separator}"))
        })
        .collect();
    escaped.join(&separator.to_string())
}

/// The tags of such a cell. A backslash before anything but a separator or another one is only that.
#[must_use]
pub fn split_tags(cell: &str, separator: char) -> Vec<String> {
    let mut tags = vec![String::new()];
    let mut chars = cell.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = (c == '\\')
            .then(|| chars.next_if(|next| *next == separator || *next == '\\'))
            .flatten();
        match (escaped, tags.last_mut()) {
            (Some(escaped), Some(tag)) => tag.push(escaped),
            (None, Some(tag)) if c != separator => tag.push(c),
            _ => tags.push(String::new()),
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_guarded_and_nothing_else() {
        for text in ["=1+1", "+1 763", "-1", "@SUM(A1)", "'=1", "\t=1", "''-2"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["", "Ada", "'s Brewery", "a=b", "1-2", "O'Neil"] {
            assert_eq!(guarded(text), text);
            assert_eq!(unguarded(text), text);
        }
    }

    #[test]
    fn tags_of_other_tools_are_split_as_they_stand() {
        assert_eq!(split_tags("a, b,c", ','), ["a", " b", "c"]);
        assert_eq!(split_tags("C:\\x;y", ';'), ["C:\\x", "y"]);
    }

    proptest! {
        #[test]
        fn guarding_can_be_undone(text in "[-'=+@a\t]{0,6}") {
            let cell = guarded(&text);
            prop_assert_eq!(unguarded(&cell), text.as_str());
            prop_assert!(!cell.starts_with(FORMULA));
        }

        #[test]
        fn joined_tags_are_split_again(tags in prop::collection::vec(r"[a;,\\]{1,5}", 1..5)) {
            let cell = join_tags(tags.iter().map(String::as_str), ';');
            prop_assert_eq!(split_tags(&cell, ';'), tags);
        }
    }
}
