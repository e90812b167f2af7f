//! Tags: short labels, each once, in the order in which they first appeared.

use std::str::FromStr;

use thiserror::Error;

use super::text::{Text, TextError};

/// The most tags one customer may carry.
pub const MAX_TAGS: usize = 100;

/// One label of 1 to 100 characters, compared exactly.
pub type Tag = Text<100>;

/// Up to [`MAX_TAGS`] different tags in order of first appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tags(Vec<Tag>);

/// Why a list of strings is no [`Tags`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TagsError {
    /// One of them is too long or has a NUL.
    #[error("Each tag: {0}")]
    Tag(TextError),
    /// More different tags than a customer may carry.
    #[error("Must be at most {MAX_TAGS} tags")]
    TooMany,
}

impl Tags {
    /// Tags from what was sent: trimmed, blanks and repetitions dropped.
    ///
    /// # Errors
    /// When one tag is too long or has a NUL, or more than [`MAX_TAGS`] are left.
    pub fn parse<'a>(raw: impl IntoIterator<Item = &'a str>) -> Result<Self, TagsError> {
        let mut tags = Self::default();
        for written in raw {
            match Tag::from_str(written) {
                Ok(tag) => tags.insert(tag)?,
                Err(TextError::Blank) => {}
                Err(error) => return Err(TagsError::Tag(error)),
            }
        }
        Ok(tags)
    }

    /// Takes tags back that were parsed before they were stored.
    pub(crate) fn from_stored(tags: Vec<String>) -> Self {
        Self(tags.into_iter().map(Tag::from_stored).collect())
    }

    /// These tags, then those of `added` that are new.
    ///
    /// # Errors
    /// [`TagsError::TooMany`] when the union has more than [`MAX_TAGS`].
    pub fn union(mut self, added: Self) -> Result<Self, TagsError> {
        for tag in added.0 {
            self.insert(tag)?;
        }
        Ok(self)
    }

    /// These tags but for those of `removed`, which need not be among them.
    #[must_use]
    pub fn without(mut self, removed: &Self) -> Self {
        self.0.retain(|tag| !removed.0.contains(tag));
        self
    }

    /// The tags in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(Tag::as_str)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn insert(&mut self, tag: Tag) -> Result<(), TagsError> {
        if self.0.contains(&tag) {
            return Ok(());
        }
        if self.0.len() == MAX_TAGS {
            return Err(TagsError::TooMany);
        }
        self.0.push(tag);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(raw: &[&str]) -> Tags {
        Tags::parse(raw.iter().copied()).unwrap()
    }

    fn words(tags: &Tags) -> Vec<&str> {
        tags.iter().collect()
    }

    #[test]
    fn blanks_and_repetitions_are_dropped() {
        let parsed = tags(&[" vip ", "", "  ", "lead", "vip"]);
        assert_eq!(words(&parsed), ["vip", "lead"]);
    }

    #[test]
    fn tags_are_compared_exactly() {
        assert_eq!(words(&tags(&["VIP", "vip", "víp"])), ["VIP", "vip", "víp"]);
    }

    #[test]
    fn the_hundred_and_first_different_tag_is_refused() {
        let names: Vec<String> = (0..101).map(|n| n.to_string()).collect();
        let hundred = Tags::parse(names[..100].iter().map(String::as_str)).unwrap();
        assert_eq!(hundred.iter().len(), 100);
        assert_eq!(hundred.clone().union(tags(&["7"])), Ok(hundred.clone()));
        assert_eq!(hundred.union(tags(&["new"])), Err(TagsError::TooMany));
        assert_eq!(
            Tags::parse(names.iter().map(String::as_str)),
            Err(TagsError::TooMany)
        );
    }

    #[test]
    fn removing_makes_room_for_what_is_added() {
        let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let hundred = Tags::parse(names.iter().map(String::as_str)).unwrap();
        let changed = hundred.without(&tags(&["7", "none"])).union(tags(&["new"]));
        assert_eq!(changed.unwrap().iter().last(), Some("new"));
    }

    #[test]
    fn a_tag_too_long_is_refused() {
        let long = "x".repeat(101);
        assert_eq!(
            Tags::parse([long.as_str()]),
            Err(TagsError::Tag(TextError::TooLong { max: 100 }))
        );
    }

    fn some_tags() -> impl Strategy<Value = Tags> {
        prop::collection::vec("[a-f]{1,2}", 0..12)
            .prop_map(|raw| Tags::parse(raw.iter().map(String::as_str)).unwrap())
    }

    proptest! {
        #[test]
        fn union_keeps_the_order_of_first_appearance(a in some_tags(), b in some_tags()) {
            let united = a.clone().union(b.clone()).unwrap();
            let mut expected = words(&a);
            expected.extend(b.iter().filter(|tag| !a.iter().any(|known| known == *tag)));
            prop_assert_eq!(words(&united), expected);
        }

        #[test]
        fn what_is_removed_and_then_added_is_there_behind_what_was_kept(
            known in some_tags(), removed in some_tags(), added in some_tags(),
        ) {
            let after = known.clone().without(&removed).union(added.clone()).unwrap();
            let kept = known.iter().filter(|tag| !removed.iter().any(|gone| gone == *tag));
            let mut expected: Vec<&str> = kept.collect();
            for tag in added.iter() {
                if !expected.contains(&tag) {
                    expected.push(tag);
                }
            }
            prop_assert_eq!(words(&after), expected);
        }

        #[test]
        fn removing_the_same_again_changes_nothing(a in some_tags(), b in some_tags()) {
            let once = a.without(&b);
            prop_assert_eq!(once.clone().without(&b), once);
        }

        #[test]
        fn union_with_the_same_again_changes_nothing(a in some_tags(), b in some_tags()) {
            let once = a.union(b.clone()).unwrap();
            prop_assert_eq!(once.clone().union(b).unwrap(), once);
        }
    }
}
