//! The rules: what a customer is, how two customers are found to be one, how they merge, how a
//! search reads. Pure functions and types that cannot hold a bad value; no I/O anywhere below.

pub mod address;
pub mod audit;
pub mod card_number;
pub mod company;
pub mod customer;
pub mod email;
pub mod expand;
pub mod fold;
pub mod idempotency;
pub mod key;
pub mod location;
pub mod matching;
pub mod order;
pub mod page;
pub mod payment_method;
pub mod period;
pub mod phone;
pub mod search;
pub mod tags;
pub mod text;
pub mod working_set;

use std::borrow::Cow;

pub use company::{Company, CompanyId};
pub use customer::{Change, Customer, CustomerId, Field, Profile, Status};

/// One field of a request that cannot be accepted, and why, in words for the one who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name as it stands in the request.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub message: String,
}

impl FieldError {
    /// An error about `field`, explained by `reason`.
    pub fn new(field: impl Into<Cow<'static, str>>, reason: &(impl ToString + ?Sized)) -> Self {
        Self {
            field: field.into(),
            message: reason.to_string(),
        }
    }
}
