//! The body of `POST /customers/{id}/tags`.

use serde_json::Value;

use super::fields::{self, Fields};
use crate::domain::tags::Tags;
use crate::http::error::ApiError;

/// Which tags to take away, and which to put on then.
pub struct TagsRequest {
    /// Those to take away.
    pub remove: Tags,
    /// Those to put on.
    pub add: Tags,
}

impl TagsRequest {
    /// Reads a body. Unknown fields are ignored.
    ///
    /// # Errors
    /// When it is no object, or fields of it cannot be accepted: all of these, in documented order.
    pub fn from_json(body: Value) -> Result<Self, ApiError> {
        let mut fields = Fields::new(fields::object(body)?);
        let add = fields.tags("add");
        let remove = fields.tags("remove");
        let errors = fields.into_errors();
        if errors.is_empty() {
            Ok(Self { remove, add })
        } else {
            Err(ApiError::Validation(errors))
        }
    }
}
