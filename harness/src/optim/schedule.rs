//! The learning rate by epoch, as the paper's code sets it.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Piecewise linear in t = epoch/span: `initial` for t ≤ 0.5, linearly down to `last` at t = 0.9, `last` after.
///
/// For weight averaging `span` is the epoch at which averaging starts and `last` the averaging rate; for plain SGD
/// `span` is the number of epochs and `last` a hundredth of `initial`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Schedule {
    initial: f64,
    last: f64,
    span: u32,
}

impl Schedule {
    /// A schedule from `initial` to `last` over `span` epochs.
    ///
    /// # Errors
    /// [`Error::Domain`] if a rate is not a finite number above 0, or `span` is 0.
    pub fn new(initial: f64, last: f64, span: u32) -> Result<Self> {
        for (name, rate) in [("initial learning rate", initial), ("last learning rate", last)] {
            if !(rate.is_finite() && rate > 0.0) {
                return Err(Error::domain(name, rate, "a finite number > 0"));
            }
        }
        if span == 0 {
            return Err(Error::domain("span of the schedule", 0, "at least 1 epoch"));
        }
        Ok(Self { initial, last, span })
    }

    /// One rate for ever.
    ///
    /// # Errors
    /// As [`Schedule::new`].
    pub fn constant(rate: f64) -> Result<Self> {
        Self::new(rate, rate, 1)
    }

    /// The learning rate of an epoch; epochs count from 0.
    pub fn rate(&self, epoch: u32) -> f64 {
        let t = f64::from(epoch) / f64::from(self.span);
        if t <= 0.5 {
            self.initial
        } else if t < 0.9 {
            self.initial + (self.last - self.initial) * ((t - 0.5) / 0.4)
        } else {
            self.last
        }
    }
}

/// What a file says of a schedule.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Schedule", deny_unknown_fields)]
struct Unchecked {
    initial: f64,
    last: f64,
    span: u32,
}

impl TryFrom<Unchecked> for Schedule {
    type Error = Error;

    fn try_from(Unchecked { initial, last, span }: Unchecked) -> Result<Self> {
        Self::new(initial, last, span)
    }
}

impl From<Schedule> for Unchecked {
    fn from(Schedule { initial, last, span }: Schedule) -> Self {
        Self { initial, last, span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_resnet_schedule() {
        // η₀ 0.1 until epoch 63 = 126/2, 0.05 from 0.9·126 = 113.4 on, half-way at t = 0.7, epoch 88.2.
        let schedule = Schedule::new(0.1, 0.05, 126).expect("valid");
        assert_eq!([0, 63, 114, 126, 224].map(|epoch| schedule.rate(epoch)), [0.1, 0.1, 0.05, 0.05, 0.05]);
        assert!((schedule.rate(88) - (0.075 + 0.05 * 0.2 / 0.4 / 126.0)).abs() < 1e-12);
        assert!((63..113).all(|epoch| schedule.rate(epoch + 1) < schedule.rate(epoch)));
        assert_eq!(Schedule::constant(0.001).expect("valid").rate(49), 0.001);
    }

    #[test]
    fn impossible_schedules_are_refused() {
        assert!(Schedule::new(0.0, 0.05, 126).is_err());
        assert!(Schedule::new(0.1, f64::NAN, 126).is_err());
        assert!(Schedule::new(0.1, 0.05, 0).is_err());
        assert!(serde_json::from_str::<Schedule>(r#"{"initial": -1.0, "last": 0.1, "span": 3}"#).is_err());
    }
}
