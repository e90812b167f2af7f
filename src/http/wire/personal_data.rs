//! The reply of `GET /customers/{id}/export`.

use serde::Serialize;

use super::customer::{FlatFields, coordinates};
use super::payment_method::Method;
use super::timestamp;
use crate::store::PersonalData;

/// Everything that is kept about one customer.
#[derive(Serialize)]
pub struct PersonalDataReply<'a> {
    data: Everything<'a>,
    status: &'static str,
}

#[derive(Serialize)]
struct Everything<'a> {
    #[serde(flatten)]
    fields: FlatFields<'a>,
    location: Option<[f64; 2]>,
    created_at: String,
    updated_at: String,
    archived_at: Option<String>,
    has_payment_method: bool,
    payment_methods: Vec<Method<'a>>,
}

impl<'a> PersonalDataReply<'a> {
    /// The reply with all of `data`, tokens of payment methods among it or not. Billing is what was said, not what else is shown for it.
    pub fn new(data: &'a PersonalData, with_tokens: bool) -> Self {
        let shown = |method| Method::new(method, with_tokens);
        let customer = &data.customer;
        Self {
            data: Everything {
                fields: FlatFields::new(customer, &customer.profile.billing),
                location: customer.profile.location.map(coordinates),
                created_at: timestamp(customer.created_at),
                updated_at: timestamp(data.updated_at),
                archived_at: customer.archived_at.map(timestamp),
                has_payment_method: customer.has_payment_method,
                payment_methods: data.payment_methods.iter().map(shown).collect(),
            },
            status: "success",
        }
    }
}
