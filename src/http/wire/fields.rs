//! Reading a JSON object field by field, so that every bad field is reported at once.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::domain::{Field, FieldError};

/// The fields of a body that are still to be read, and what was wrong with those that were.
pub struct Fields {
    values: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The fields of `values`.
    pub fn new(values: Map<String, Value>) -> Self {
        Self {
            values,
            errors: Vec::new(),
        }
    }

    /// What was wrong, in the order of reading.
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    /// Reads a field that is a string.
    pub fn text<T: FromStr<Err: ToString>>(&mut self, name: &'static str) -> Field<T> {
        self.read(name, |value| {
            let raw = value.as_str().ok_or("Must be a string")?;
            raw.parse().map_err(|error: T::Err| error.to_string())
        })
    }

    /// Reads a field that is `true` or `false`.
    pub fn boolean(&mut self, name: &'static str) -> Field<bool> {
        self.read(name, |value| {
            value
                .as_bool()
                .ok_or_else(|| "Must be true or false".to_owned())
        })
    }

    /// Reads a field of any shape. Absent and blank (web forms send `""`) keep what is there,
    /// `null` clears it; `parse` sees all other values.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Field<T> {
        match self.values.get(name) {
            None => Field::Keep,
            Some(Value::Null) => Field::Clear,
            Some(Value::String(blank)) if blank.trim().is_empty() => Field::Keep,
            Some(value) => match parse(value) {
                Ok(parsed) => Field::Set(parsed),
                Err(message) => {
                    self.errors.push(FieldError::new(name, &message));
                    Field::Keep
                }
            },
        }
    }
}
