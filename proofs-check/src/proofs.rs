//! The machine-checked proofs, as the Coq development in `coq/` lists them.
//!
//! `coq/check.sh` builds the development and compares its theorems, their axioms and its table of constants with the two
//! committed lists that are read here; nothing here needs Coq.

/// One line a public theorem: its name `File.theorem`, then the axioms it rests on.
const THEOREMS: &str = include_str!("../coq/theorems.txt");

/// One line a constant or counterexample: its name and its value, a fraction.
const CONSTANTS: &str = include_str!("../coq/constants.txt");

/// The names of all public theorems, `File.theorem`, in the order of the list.
pub fn theorems() -> impl Iterator<Item = &'static str> {
    lines(THEOREMS).filter_map(|line| line.split_whitespace().next())
}

/// The constants, by name, each a numerator and a denominator above 0.
pub fn constants() -> impl Iterator<Item = (&'static str, i64, i64)> {
    lines(CONSTANTS).filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        let (numerator, denominator) = value.split_once('/').unwrap_or((value, "1"));
        Some((name, numerator.trim().parse().ok()?, denominator.trim().parse().ok()?))
    })
}

fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}
