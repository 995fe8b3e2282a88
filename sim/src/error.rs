//! The one error type of this crate.

use std::fmt::Display;

/// What can be wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A named quantity lies outside its domain.
    #[error("{name} is {value}; allowed: {allowed}")]
    Domain {
        /// The quantity, in the paper's words.
        name: String,
        /// The value seen.
        value: String,
        /// What would have been accepted.
        allowed: String,
    },
    /// The observer asked for the work to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// An [`Error::Domain`] for a name that is none of the known ones, saying which of them is nearest in spelling.
    pub fn unknown(name: impl Display, seen: &str, known: &[&str]) -> Self {
        let seen_lower = seen.to_lowercase();
        let likeness = |known: &str| match known.starts_with(&seen_lower) {
            true => 1.0,
            false => strsim::normalized_damerau_levenshtein(&seen_lower, known),
        };
        let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).copied().unwrap_or_default();
        let nearest = if likeness(nearest) >= 0.5 { format!(" (nearest: {nearest})") } else { String::new() };
        Self::domain(name, format!("`{seen}`"), format!("{}{nearest}", known.join(", ")))
    }

    /// An [`Error::Domain`].
    pub fn domain(name: impl Display, value: impl Display, allowed: impl Display) -> Self {
        Self::Domain { name: name.to_string(), value: value.to_string(), allowed: allowed.to_string() }
    }
}

/// Accepts a finite number, and names it otherwise.
pub(crate) fn finite(name: &str, value: f64) -> crate::Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::domain(name, value, "a finite number")) }
}

/// Accepts a finite number above zero, and names it otherwise.
pub(crate) fn positive(name: &str, value: f64) -> crate::Result<f64> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(Error::domain(name, value, "a finite number > 0")) }
}

/// Accepts a finite number that is not negative, and names it otherwise.
pub(crate) fn non_negative(name: &str, value: f64) -> crate::Result<f64> {
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(Error::domain(name, value, "a finite number >= 0")) }
}
