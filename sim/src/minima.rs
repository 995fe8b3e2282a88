//! Figure 1: sharp, flat and asymmetric minima under a shift, and the biased solution.

use crate::error::{finite, positive};
use crate::loss::{PiecewiseLinear, Univariate};
use crate::profile::grid;
use crate::record::{Minima, MinimumCurve};
use crate::{Error, Result};

/// What [`minima`] draws.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `sharp` | 4 | size of both slopes of the sharp minimum, and of the asymmetric one's left | > `flat` |
/// | `flat` | 0.5 | size of both slopes of the flat minimum, and of the asymmetric one's right | > 0 |
/// | `shift` | 0.5 | δ, the population loss is L̂(w − δ) or L̂(w + δ) | > 0 |
/// | `biased` | 0.5 | l, the biased solution of the asymmetric valley | finite |
/// | `half_width` | 2 | the curves cover \[−`half_width`, `half_width`\] | > 0 |
/// | `points` | 401 | number of samples | ≥ 2 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinimaConfig {
    /// Size of the sharp slopes.
    pub sharp: f64,
    /// Size of the flat slopes.
    pub flat: f64,
    /// δ.
    pub shift: f64,
    /// l.
    pub biased: f64,
    /// The end of the curves.
    pub half_width: f64,
    /// The number of samples.
    pub points: usize,
}

impl Default for MinimaConfig {
    fn default() -> Self {
        Self { sharp: 4.0, flat: 0.5, shift: 0.5, biased: 0.5, half_width: 2.0, points: 401 }
    }
}

/// Samples the three minima and their population losses L(w) = L̂(w ∓ δ), and computes what the bias gains on average.
pub fn minima(config: &MinimaConfig) -> Result<Minima> {
    let &MinimaConfig { sharp, flat, shift, biased, half_width, points } = config;
    positive("flat slope", flat)?;
    positive("sharp slope", sharp)?;
    if sharp <= flat {
        return Err(Error::domain("sharp slope", sharp, format!("more than the flat slope, {flat}")));
    }
    positive("shift δ", shift)?;
    finite("biased solution l", biased)?;
    positive("half-width", half_width)?;
    let offsets = grid(-half_width, half_width, points)?;
    let with_slopes = |left: f64, right: f64| PiecewiseLinear::new(vec![0.0], vec![-left, right], (0.0, 0.0));
    let curve = |name: &str, loss: &PiecewiseLinear| {
        let shifted = |shift: f64| offsets.iter().map(|w| loss.value(w - shift)).collect();
        MinimumCurve {
            name: name.into(),
            training: shifted(0.0),
            population_plus: shifted(shift),
            population_minus: shifted(-shift),
        }
    };
    let asymmetric = with_slopes(sharp, flat)?;
    let expected_at = |w: f64| (asymmetric.value(w - shift) + asymmetric.value(w + shift)) / 2.0;
    Ok(Minima {
        curves: vec![
            curve("sharp", &with_slopes(sharp, sharp)?),
            curve("flat", &with_slopes(flat, flat)?),
            curve("asymmetric", &asymmetric),
        ],
        shift,
        biased,
        expected_at_minimiser: expected_at(0.0),
        expected_at_biased: expected_at(biased),
        offsets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bias_gains_what_theorem_1_promises() {
        let config = MinimaConfig::default();
        let minima = minima(&config).expect("valid");
        // (c − 1)·p·l/2 with p = 0.5, c = 8, l = δ = 0.5.
        assert_eq!(minima.expected_at_minimiser - minima.expected_at_biased, 7.0 * 0.5 * 0.5 / 2.0);
    }

    #[test]
    fn curves_have_their_slopes_and_their_shifts() {
        let minima = minima(&MinimaConfig { points: 5, ..MinimaConfig::default() }).expect("valid");
        assert_eq!(minima.offsets, [-2.0, -1.0, 0.0, 1.0, 2.0]);
        let asymmetric = &minima.curves[2];
        assert_eq!(asymmetric.training, [8.0, 4.0, 0.0, 0.5, 1.0]);
        assert_eq!(asymmetric.population_plus, [10.0, 6.0, 2.0, 0.25, 0.75]);
        assert_eq!(asymmetric.population_minus, [6.0, 2.0, 0.25, 0.75, 1.25]);
        assert_eq!(minima.curves[0].training, [8.0, 4.0, 0.0, 4.0, 8.0]);
        assert_eq!(minima.curves[1].training, [1.0, 0.5, 0.0, 0.5, 1.0]);
    }

    #[test]
    fn bad_parameters_are_named() {
        let config = MinimaConfig::default();
        assert!(minima(&MinimaConfig { flat: 4.0, ..config }).is_err());
        assert!(minima(&MinimaConfig { shift: 0.0, ..config }).is_err());
        assert!(minima(&MinimaConfig { points: 1, ..config }).is_err());
        assert!(minima(&MinimaConfig { biased: f64::NAN, ..config }).is_err());
    }
}
