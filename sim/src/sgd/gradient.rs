//! Gradients with slopes inside a valley's bounds.

use super::Setting;
use crate::error::{non_negative, positive};
use crate::loss::Univariate;
use crate::{Error, Result};

/// g(w), the slope that a chain meets at w.
pub trait Gradient: Sync {
    /// The slope at a point.
    fn at(&self, point: f64) -> f64;

    /// A formula for [`at`](Self::at) that whole vectors of points can follow, if there is one. It must give the same
    /// bits.
    fn shape(&self) -> SlopeShape {
        SlopeShape::Other
    }
}

/// Slopes that vectors of points can follow.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SlopeShape {
    /// One slope for w ≥ 0 and one for w < 0.
    TwoSlopes {
        /// g(w) for w ≥ 0.
        flat: f64,
        /// g(w) for w < 0.
        sharp: f64,
    },
    /// min(near + share·(far − near), far) in size, share = |w|/(|w| + scale), on each side; sharp slopes are
    /// negative.
    Smooth {
        /// Sizes for w ≥ 0 and w < 0 at w = 0.
        near: [f64; 2],
        /// Sizes for w ≥ 0 and w < 0 far away.
        far: [f64; 2],
        /// Where the slope is half-way.
        scale: f64,
    },
    /// Anything else.
    Other,
}

/// A loss of one variable is its own gradient; at a kink the slope from the right counts.
impl<U: Univariate> Gradient for U {
    #[inline]
    fn at(&self, point: f64) -> f64 {
        self.slope(point)
    }
}

/// A gradient that lies within a valley's bounds by construction.
///
/// On each side a *share* in [0, 1] picks the slope: 0 is the one of smallest size (b₊, or −c·a₊), 1 the one of
/// largest size (a₊, or b₋).
#[derive(Debug, Clone, PartialEq)]
pub struct Slopes {
    eta: f64,
    flat: Range,
    sharp: Range,
    shape: Shape,
}

/// Sizes of slopes, `small` ≤ `large`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    small: f64,
    large: f64,
}

impl Range {
    fn pick(self, share: f64) -> f64 {
        (self.small + share * (self.large - self.small)).min(self.large)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Constant { flat: f64, sharp: f64 },
    Smooth { scale: f64 },
    Staircase { width: f64, flat: Vec<f64>, sharp: Vec<f64> },
    Landing { height: f64 },
}

impl Slopes {
    fn new(setting: &Setting, shape: Shape) -> Self {
        let valley = setting.valley();
        Self {
            eta: setting.eta(),
            flat: Range { small: valley.b_plus(), large: valley.a_plus() },
            sharp: Range { small: -valley.a_minus(), large: -valley.b_minus() },
            shape,
        }
    }

    /// One slope a side, given by its share.
    pub fn constant(setting: &Setting, flat: f64, sharp: f64) -> Result<Self> {
        Ok(Self::new(setting, Shape::Constant { flat: share(flat)?, sharp: share(sharp)? }))
    }

    /// Slopes that grow with the distance |w| from the minimum, smoothly on each side: the share is |w|/(|w| + scale),
    /// scale > 0. The loss is convex.
    pub fn smooth(setting: &Setting, scale: f64) -> Result<Self> {
        Ok(Self::new(setting, Shape::Smooth { scale: positive("scale", scale)? }))
    }

    /// Slopes constant on cells of a `width` > 0: cell ⌊|w|/width⌋ has the share of that number in the side's list,
    /// which repeats. Neither list may be empty. The loss need not be convex.
    pub fn staircase(setting: &Setting, width: f64, flat: Vec<f64>, sharp: Vec<f64>) -> Result<Self> {
        positive("width of a cell", width)?;
        for (side, shares) in [("flat", &flat), ("sharp", &sharp)] {
            if shares.is_empty() {
                return Err(Error::domain(format!("number of {side} shares"), 0, "at least 1"));
            }
            shares.iter().try_for_each(|&s| share(s).map(drop))?;
        }
        Ok(Self::new(setting, Shape::Staircase { width, flat, sharp }))
    }

    /// The adversary behind Theorem 2's thresholds: on the flat side it lands on a `height` ≥ 0 wherever one step can,
    /// and takes the largest slope elsewhere, so that the height is left with a leap of η·a₊, down to the sharp side if
    /// it is small; there it takes the smallest slope.
    pub fn landing(setting: &Setting, height: f64) -> Result<Self> {
        Ok(Self::new(setting, Shape::Landing { height: non_negative("height to land on", height)? }))
    }

    /// The slope that lands on `height` from `point`, never below it, if it is within bounds.
    fn landing_slope(&self, point: f64, height: f64) -> Option<f64> {
        let mut slope = (point - height) / self.eta;
        if point - self.eta * slope < height {
            slope = slope.next_down();
        }
        (self.flat.small..=self.flat.large).contains(&slope).then_some(slope)
    }
}

impl Gradient for Slopes {
    #[inline]
    fn at(&self, point: f64) -> f64 {
        let is_flat = point >= 0.0;
        let share = match &self.shape {
            Shape::Constant { flat, sharp } => {
                if is_flat {
                    *flat
                } else {
                    *sharp
                }
            }
            Shape::Smooth { scale } => point.abs() / (point.abs() + scale),
            Shape::Staircase { width, flat, sharp } => {
                let shares = if is_flat { flat } else { sharp };
                // The cast saturates, so that even an infinite quotient falls into a cell.
                shares[(point.abs() / width) as usize % shares.len()]
            }
            Shape::Landing { height } if is_flat => {
                return self.landing_slope(point, *height).unwrap_or(self.flat.large);
            }
            Shape::Landing { .. } => 0.0,
        };
        if is_flat { self.flat.pick(share) } else { -self.sharp.pick(share) }
    }

    fn shape(&self) -> SlopeShape {
        match self.shape {
            Shape::Constant { flat, sharp } => {
                SlopeShape::TwoSlopes { flat: self.flat.pick(flat), sharp: -self.sharp.pick(sharp) }
            }
            Shape::Smooth { scale } => SlopeShape::Smooth {
                near: [self.flat.small, self.sharp.small],
                far: [self.flat.large, self.sharp.large],
                scale,
            },
            Shape::Staircase { .. } | Shape::Landing { .. } => SlopeShape::Other,
        }
    }
}

fn share(value: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(Error::domain("share of a slope range", value, "a number in [0, 1]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sgd::Valley;

    fn setting() -> Setting {
        Setting::new(Valley::new(1.0, 0.3, 2.5, -4.1).expect("valid"), 0.7, 0.2).expect("valid")
    }

    #[test]
    fn every_family_stays_within_the_bounds() {
        let setting = setting();
        let families = [
            Slopes::constant(&setting, 0.0, 1.0).expect("valid"),
            Slopes::constant(&setting, 1.0, 0.0).expect("valid"),
            Slopes::smooth(&setting, 0.1).expect("valid"),
            Slopes::staircase(&setting, 0.13, vec![0.0, 1.0, 0.4], vec![1.0, 0.1]).expect("valid"),
            Slopes::landing(&setting, 0.0).expect("valid"),
            Slopes::landing(&setting, 0.2).expect("valid"),
        ];
        for slopes in &families {
            for i in -4000..4000 {
                let w = f64::from(i) * 1e-3;
                let g = slopes.at(w);
                let allowed = if w >= 0.0 { 0.3..=1.0 } else { -4.1..=-2.5 };
                assert!(allowed.contains(&g), "{slopes:?} has slope {g} at {w}");
            }
            assert!(slopes.at(f64::MAX).is_finite());
        }
    }

    #[test]
    fn shares_pick_slopes() {
        let slopes = Slopes::constant(&setting(), 1.0, 0.0).expect("valid");
        assert_eq!((slopes.at(0.0), slopes.at(-0.0), slopes.at(-1e-300)), (1.0, 1.0, -2.5));
        let smooth = Slopes::smooth(&setting(), 2.0).expect("valid");
        assert!((smooth.at(2.0) - 0.65).abs() < 1e-15);
        let stairs = Slopes::staircase(&setting(), 1.0, vec![0.0, 1.0], vec![0.5]).expect("valid");
        assert_eq!([stairs.at(0.5), stairs.at(1.5), stairs.at(2.5)], [0.3, 1.0, 0.3]);
        assert!(Slopes::staircase(&setting(), 1.0, vec![], vec![0.5]).is_err());
        assert!(Slopes::constant(&setting(), 1.1, 0.0).is_err());
        assert!(Slopes::constant(&setting(), f64::NAN, 0.0).is_err());
    }

    #[test]
    fn landing_never_falls_below_zero_by_rounding() {
        let setting = setting();
        let slopes = Slopes::landing(&setting, 0.0).expect("valid");
        for i in 0..10_000 {
            let w = 0.21 + 0.49 * f64::from(i) / 10_000.0;
            let landed = w - setting.eta() * slopes.at(w);
            assert!((0.0..1e-15).contains(&landed), "from {w} to {landed}");
        }
        assert_eq!(slopes.at(0.0), 1.0);
        assert!(Slopes::landing(&setting, -0.1).is_err());
    }

    #[test]
    fn a_loss_is_its_own_gradient() {
        let loss = crate::loss::PiecewiseLinear::valley(0.5, 4.0).expect("valid");
        assert_eq!((Gradient::at(&loss, 0.0), Gradient::at(&loss, -0.1)), (0.5, -2.0));
    }
}
