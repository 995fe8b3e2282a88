//! Arbitrary admissible objects for both theorems, to be generated and shrunk by proptest.
//!
//! A generated value is plain data in which every hypothesis of the corrected statement is built in: shrinking can make it
//! simpler but not inadmissible. Extreme values, where bounds are tight, are drawn often.

pub mod plane;
pub mod theorem1;
pub mod theorem2;

use proptest::prelude::*;

/// A share in [0, 1], each end with probability ⅕.
pub(crate) fn share() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![1 => Just(0.0), 1 => Just(1.0), 3 => 0.0..=1.0]
}
