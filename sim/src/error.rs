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
    /// An [`Error::Domain`] for a name that is none of the known ones, of which there are few: all are listed, and the one
    /// nearest in spelling is named.
    pub fn unknown(name: impl Display, seen: &str, known: &[&str]) -> Self {
        let nearest = nearest(seen, known).first().map_or_else(String::new, |nearest| format!(" (nearest: {nearest})"));
        Self::domain(name, shown(seen), format!("{}{nearest}", known.join(", ")))
    }

    /// The same where there are many: the three nearest are named, or else the first three, and how to `list` all of them.
    pub fn unknown_of_many(name: impl Display, seen: &str, known: &[&str], list: &str) -> Self {
        let nearest = nearest(seen, known);
        let (some, which) = if nearest.is_empty() { (known, "such as") } else { (nearest.as_slice(), "nearest:") };
        let some = some.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        Self::domain(name, shown(seen), format!("{} names ({which} {some}; all: {list})", known.len()))
    }

    /// An [`Error::Domain`].
    pub fn domain(name: impl Display, value: impl Display, allowed: impl Display) -> Self {
        Self::Domain { name: name.to_string(), value: value.to_string(), allowed: allowed.to_string() }
    }
}

/// The known names that resemble a name, the nearest in spelling first; a beginning resembles what it begins.
fn nearest<'a>(seen: &str, known: &[&'a str]) -> Vec<&'a str> {
    let seen: String = seen.chars().take(2 * SHOWN).collect::<String>().to_lowercase();
    let likeness = |known: &str| {
        let begin: String = known.chars().take(seen.chars().count()).collect();
        let [whole, begin] = [known, &begin].map(|known| strsim::normalized_damerau_levenshtein(&seen, known));
        // Of two names with the same beginning, the whole that is nearer comes first.
        if begin == 1.0 { 1.0 + whole } else { whole.max(0.9 * begin) }
    };
    if seen.is_empty() {
        return Vec::new();
    }
    let mut rated: Vec<(f64, &str)> = known.iter().map(|&known| (likeness(known), known)).collect();
    rated.retain(|(likeness, _)| *likeness >= 0.5);
    rated.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    rated.into_iter().map(|(_, known)| known).collect()
}

/// Characters of a wrong name that a message repeats.
const SHOWN: usize = 32;

/// A wrong name as a message repeats it: on one line, whatever it holds, and not at any length.
fn shown(seen: &str) -> String {
    let mut escaped = seen.chars().flat_map(char::escape_debug);
    let begin: String = escaped.by_ref().take(SHOWN).collect();
    let rest = if escaped.next().is_some() { "…" } else { "" };
    format!("`{begin}{rest}`")
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

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORKS: [&str; 6] = ["resnet20", "resnet110", "resnet110-sigmoid", "vgg16", "vgg16-bn", "mlp"];

    fn message(seen: &str) -> String {
        Error::unknown_of_many("network", seen, &NETWORKS, "--list").to_string()
    }

    #[test]
    fn of_many_names_the_nearest_three_are_told_and_how_to_list_all() {
        assert_eq!(message("vgg17"), "network is `vgg17`; allowed: 6 names (nearest: vgg16, vgg16-bn; all: --list)");
        assert_eq!(
            message("res"),
            "network is `res`; allowed: 6 names (nearest: resnet20, resnet110, resnet110-sigmoid; all: --list)"
        );
        assert_eq!(
            message("xyz"),
            "network is `xyz`; allowed: 6 names (such as resnet20, resnet110, resnet110-sigmoid; all: --list)"
        );
        // The whole before what begins like it.
        assert!(message("ResNet110").contains("(nearest: resnet110, resnet110-sigmoid, "), "{}", message("ResNet110"));
        assert!(message("").contains("is ``; allowed: 6 names (such as "), "{}", message(""));
    }

    #[test]
    fn of_few_names_all_are_told_and_the_nearest() {
        let message = |seen: &str| Error::unknown("set", seen, &["cifar10", "svhn"]).to_string();
        assert_eq!(message("svnh"), "set is `svnh`; allowed: cifar10, svhn (nearest: svhn)");
        assert_eq!(message("xyz"), "set is `xyz`; allowed: cifar10, svhn");
    }

    #[test]
    fn a_wrong_name_of_any_kind_makes_one_short_line() {
        for seen in [&"x".repeat(1_000_000), "two\nlines\u{1b}[31m", &"resnet110\u{301}".repeat(20), &"'".repeat(99)] {
            let said = message(seen);
            assert!(!said.contains(char::is_control) && said.chars().count() <= 200, "{said}");
        }
        assert!(message(&"y".repeat(33)).contains(&format!("`{}…`", "y".repeat(32))));
        assert!(message(&"y".repeat(32)).contains(&format!("`{}`", "y".repeat(32))));
    }
}
