//! What a list shows beside the documented item, for those who ask.

use thiserror::Error;

/// The groups of fields that are shown too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a group of its own")]
pub struct Expand {
    /// The billing address.
    pub billing: bool,
    /// The property's address, line by line.
    pub property: bool,
    /// What is done for the customer, and how often.
    pub service: bool,
    /// When the customer was updated and archived last.
    pub times: bool,
}

/// A group that there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Must be of billing, property, service and times, separated by commas")]
pub struct UnknownGroup;

impl Expand {
    /// Reads names of groups; blank ones are none.
    ///
    /// # Errors
    /// When one is unknown.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownGroup> {
        let mut expand = Self::default();
        for name in names {
            match name.trim() {
                "" => {}
                "billing" => expand.billing = true,
                "property" => expand.property = true,
                "service" => expand.service = true,
                "times" => expand.times = true,
                _ => return Err(UnknownGroup),
            }
        }
        Ok(expand)
    }

    /// Whether only the documented item is shown.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_names_are_none_and_unknown_ones_are_refused() {
        let read = Expand::parse([" billing", "", "service "]).unwrap();
        assert!(read.billing && read.service && !read.property);
        assert!(Expand::parse(["", " "]).unwrap().is_nothing());
        assert_eq!(Expand::parse(["billing", "Property"]), Err(UnknownGroup));
    }
}
