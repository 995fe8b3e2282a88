//! The one error type of this crate.

use std::fmt::Display;

/// Why a record could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of a record cannot be drawn.
    #[error("{field} is {value}; allowed: {allowed}")]
    Record {
        /// The field, in the record's words.
        field: String,
        /// The value seen.
        value: String,
        /// What would have been accepted.
        allowed: String,
    },
    /// The drawing libraries refused a picture; a fault of this crate, never of a record.
    #[error("the picture could not be drawn: {0}")]
    Drawing(String),
}

impl Error {
    pub(crate) fn record(field: impl Display, value: impl Display, allowed: impl Display) -> Self {
        Self::Record { field: field.to_string(), value: value.to_string(), allowed: allowed.to_string() }
    }

    pub(crate) fn drawing(cause: impl Display) -> Self {
        Self::Drawing(cause.to_string())
    }
}
