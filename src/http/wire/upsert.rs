//! The body of `POST /customers`.

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use crate::domain::address::AddressChange;
use crate::domain::location::{Location, LocationError};
use crate::domain::{Change, CustomerId, FieldError};
use crate::http::error::ApiError;

/// What a post asks for.
pub struct UpsertRequest {
    /// The customer to update; none: the one that matches, or a new one.
    pub id: Option<CustomerId>,
    /// What to change.
    pub change: Change,
}

impl UpsertRequest {
    /// Reads a body. Unknown fields are ignored.
    ///
    /// # Errors
    /// When it is no object, or fields of it cannot be accepted: all of these, in documented order.
    pub fn from_json(body: Value) -> Result<Self, ApiError> {
        Self::from_fields(fields::object(body)?).map_err(ApiError::Validation)
    }

    /// Reads the fields of a body.
    ///
    /// # Errors
    /// Those that cannot be accepted.
    pub fn from_fields(values: Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::new(values);
        let id = fields.read("id", |value| {
            let id = value.as_str().and_then(|raw| raw.parse().ok());
            id.ok_or_else(|| "Must be a UUID".to_owned())
        });
        let change = read_change(&mut fields);
        let errors = fields.into_errors();
        if errors.is_empty() {
            Ok(Self {
                id: id.apply(&None),
                change,
            })
        } else {
            Err(errors)
        }
    }
}

/// The fields in documented order, which is the order of the errors.
fn read_change(fields: &mut Fields) -> Change {
    Change {
        first_name: fields.text("first_name"),
        last_name: fields.text("last_name"),
        company_name: fields.text("company_name"),
        email: fields.text("email"),
        phone: fields.text("phone"),
        notes: fields.text("notes"),
        source: fields.text("source"),
        status: fields.text("status"),
        tags: fields.tags("tags"),
        service_type: fields.text("service_type"),
        service_frequency: fields.text("service_frequency"),
        billing: AddressChange {
            street1: fields.text("billing_street1"),
            street2: fields.text("billing_street2"),
            city: fields.text("billing_city"),
            state: fields.text("billing_state"),
            zip: fields.text("billing_zip"),
            country: fields.text("billing_country"),
        },
        billing_same_as_property: fields.boolean("billing_same_as_property"),
        property: AddressChange {
            street1: fields.text("property_street1"),
            street2: fields.text("property_street2"),
            city: fields.text("property_city"),
            state: fields.text("property_state"),
            zip: fields.text("property_zip"),
            country: fields.text("property_country"),
        },
        location: fields.read("location", location),
    }
}

fn location(value: &Value) -> Result<Location, String> {
    let numbers: Option<Vec<f64>> = value
        .as_array()
        .and_then(|values| values.iter().map(Value::as_f64).collect());
    match numbers.as_deref() {
        Some([latitude, longitude]) => Location::new(*latitude, *longitude),
        _ => Err(LocationError),
    }
    .map_err(|error| error.to_string())
}
