//! Payment methods as they are sent.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::fields::{self, Fields};
use super::timestamp;
use crate::domain::FieldError;
use crate::domain::card_number::has_card_number;
use crate::domain::payment_method::{
    CardChange, ExpiryMonth, ExpiryYear, Last4, NewPaymentMethod, NotAMonth, NotAYear,
    PaymentMethod,
};
use crate::domain::text::ShortText;
use crate::http::error::ApiError;

/// The documented fields, in the order of the errors.
const FIELDS: [&str; 6] = [
    "provider",
    "token",
    "brand",
    "last4",
    "exp_month",
    "exp_year",
];

const CARD_NUMBER: &str = "Must not contain a card number. Send the payment provider's token.";

/// Reads the body of `POST /customers/{id}/payment-methods`. Unknown fields are ignored, but for
/// card numbers in them.
///
/// # Errors
/// When it is no object, or fields of it cannot be accepted: all of these, in documented order.
pub fn from_json(body: Value) -> Result<NewPaymentMethod, ApiError> {
    let mut fields = Fields::new(fields::object(body)?);
    // Before anything else is looked at: a field with one gets no further, and no other message.
    fields.refuse(card_number);
    let provider: Option<ShortText> = fields.required("provider");
    let token: Option<ShortText> = fields.required("token");
    let card = CardChange {
        brand: fields.text("brand"),
        last4: fields.text("last4"),
        exp_month: fields.read("exp_month", |value| {
            let month = whole(value)
                .ok_or(NotAMonth)
                .and_then(ExpiryMonth::try_from);
            month.map_err(|error| error.to_string())
        }),
        exp_year: fields.read("exp_year", |value| {
            let year = whole(value).ok_or(NotAYear).and_then(ExpiryYear::try_from);
            year.map_err(|error| error.to_string())
        }),
    };
    let errors = fields.into_errors_by(&FIELDS);
    match (provider, token) {
        (Some(provider), Some(token)) if errors.is_empty() => Ok(NewPaymentMethod {
            provider,
            token,
            card,
        }),
        _ => Err(ApiError::Validation(errors)),
    }
}

/// A whole number; to JSON `8.0` is one too.
fn whole(value: &Value) -> Option<i64> {
    let float = || {
        let float = value.as_f64()?;
        let is_whole = float.fract() == 0.0 && float.abs() <= f64::from(i16::MAX);
        // Within sixteen bits nothing is cut off.
        #[allow(clippy::cast_possible_truncation)]
        is_whole.then_some(float as i64)
    };
    value.as_i64().or_else(float)
}

/// The error of a field that has a card number anywhere in it.
fn card_number(name: &str, value: &Value) -> Option<FieldError> {
    // A card number that is a name is not repeated either.
    if has_card_number(name) {
        return Some(FieldError::new("body", CARD_NUMBER));
    }
    holds_card_number(value).then(|| FieldError::new(name.to_owned(), CARD_NUMBER))
}

fn holds_card_number(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        // With an exponent it would have too few digits; floats alone are ever written so.
        Value::Number(number) => has_card_number(&match number.as_f64() {
            Some(float) if number.is_f64() => float.to_string(),
            _ => number.to_string(),
        }),
        Value::String(text) => has_card_number(text),
        Value::Array(values) => values.iter().any(holds_card_number),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| has_card_number(name) || holds_card_number(value)),
    }
}

/// The reply of `GET /customers/{id}/payment-methods`.
#[derive(Serialize)]
pub struct MethodsReply<'a> {
    data: Vec<Method<'a>>,
    status: &'static str,
}

/// The reply of `POST /customers/{id}/payment-methods`.
#[derive(Serialize)]
pub struct MethodReply<'a> {
    data: Method<'a>,
    status: &'static str,
}

/// A payment method; what is not known of it is `null`.
#[derive(Serialize)]
pub struct Method<'a> {
    id: Uuid,
    provider: &'a str,
    /// Only for those who may write payment methods: who has it can charge the card.
    token: Option<&'a str>,
    brand: Option<&'a str>,
    last4: Option<&'a str>,
    exp_month: Option<i16>,
    exp_year: Option<i16>,
    created_at: String,
}

impl<'a> MethodsReply<'a> {
    /// The reply with all payment methods of a customer, with their tokens or without.
    pub fn new(methods: &'a [PaymentMethod], with_tokens: bool) -> Self {
        let shown = |method| Method::new(method, with_tokens);
        Self {
            data: methods.iter().map(shown).collect(),
            status: "success",
        }
    }
}

impl<'a> MethodReply<'a> {
    /// The reply with the payment method that the caller has just saved.
    pub fn new(method: &'a PaymentMethod) -> Self {
        Self {
            data: Method::new(method, true),
            status: "success",
        }
    }
}

impl<'a> Method<'a> {
    /// The payment method as it is shown everywhere, with its token or without.
    pub fn new(method: &'a PaymentMethod, with_token: bool) -> Self {
        let card = &method.card;
        Self {
            id: method.id.as_uuid(),
            provider: method.provider.as_str(),
            token: with_token.then(|| method.token.as_str()),
            brand: card.brand.as_ref().map(ShortText::as_str),
            last4: card.last4.as_ref().map(Last4::as_str),
            exp_month: card.exp_month.map(ExpiryMonth::get),
            exp_year: card.exp_year.map(ExpiryYear::get),
            created_at: timestamp(method.created_at),
        }
    }
}
