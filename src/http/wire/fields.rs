//! Reading a JSON object field by field, so that every bad field is reported at once.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::domain::tags::Tags;
use crate::domain::{Field, FieldError};
use crate::http::error::ApiError;

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

    /// Takes out every field in which `check` finds something wrong.
    pub fn refuse(&mut self, check: impl Fn(&str, &Value) -> Option<FieldError>) {
        let errors = &mut self.errors;
        self.values.retain(|name, value| {
            let error = check(name, value);
            let fine = error.is_none();
            errors.extend(error);
            fine
        });
    }

    /// What was wrong, in the order of reading.
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    /// What was wrong, in the order of `names`, and then with fields of other names.
    pub fn into_errors_by(mut self, names: &[&str]) -> Vec<FieldError> {
        let place = |error: &FieldError| names.iter().position(|name| *name == error.field);
        self.errors
            .sort_by_key(|error| place(error).unwrap_or(names.len()));
        self.errors
    }

    /// Reads a field that must be there, and is a string. None: that is among the errors.
    pub fn required<T: FromStr<Err: ToString>>(&mut self, name: &'static str) -> Option<T> {
        match self.text(name) {
            Field::Set(value) => return Some(value),
            Field::Keep | Field::Clear => {}
        }
        if self.errors.iter().all(|error| error.field != name) {
            self.errors.push(FieldError::new(name, "Is required"));
        }
        None
    }

    /// Reads a field that is an array of tags; absent and `null` are none.
    pub fn tags(&mut self, name: &'static str) -> Tags {
        match self.read(name, tags) {
            Field::Set(tags) => tags,
            Field::Keep | Field::Clear => Tags::default(),
        }
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

/// The fields of a body.
///
/// # Errors
/// When it is no object.
pub fn object(body: Value) -> Result<Map<String, Value>, ApiError> {
    match body {
        Value::Object(values) => Ok(values),
        _ => Err(ApiError::UnreadableJson("expected an object".to_owned())),
    }
}

fn tags(value: &Value) -> Result<Tags, String> {
    let strings: Option<Vec<&str>> = value
        .as_array()
        .and_then(|values| values.iter().map(Value::as_str).collect());
    let strings = strings.ok_or("Must be an array of strings")?;
    Tags::parse(strings).map_err(|error| error.to_string())
}
