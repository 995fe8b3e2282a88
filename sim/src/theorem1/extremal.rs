//! The family of losses that shows both constants of the corrected Theorem 1, ½ and 2ξ, to be best possible.

use nalgebra::DVector;

use super::counterexample::axes;
use super::{Instance, Reading, Shifts, Terms};
use crate::error::finite;
use crate::loss::{Loss, PiecewiseLinear, Separable};
use crate::{Error, Result};

/// An instance whose gain is Σ ((c_i − 1) + ε(c_i + 1)) l_i p_i / 2 − 2ξ: the corrected bound, approached from above.
///
/// d = k, along the axes, ŵ = 0, fair independent signs. L̂ = Σ G_i(w_i) with slopes −c_i p_i(1 + ε) and p_i(1 − ε), and the
/// population loss is L̂ with dents of depth ξ at all −δ and bumps of height ξ at all l − δ, so narrow that they do not
/// overlap. With ε > 0 the asymmetry is strict; ε = 0 attains the bound.
///
/// # Errors
/// Not one positive magnitude δ̄_i a direction, a step l_i outside (0, 2δ̄_i), and ε outside [0, 1).
pub fn extremal(terms: &Terms, magnitudes: &[f64], epsilon: f64, reading: Reading) -> Result<Instance> {
    if magnitudes.len() != terms.count() {
        return Err(Error::domain("number of magnitudes δ̄", magnitudes.len(), terms.count()));
    }
    if !(0.0..1.0).contains(&epsilon) {
        return Err(Error::domain("ε", epsilon, "at least 0, below 1"));
    }
    for (i, (u, &magnitude)) in terms.directions().iter().zip(magnitudes).enumerate() {
        finite(&format!("magnitude δ̄ of coordinate {i}"), magnitude)?;
        if !(u.l > 0.0 && u.l < 2.0 * magnitude) {
            let allowed = format!("between 0 and twice the magnitude, {}, exclusive", 2.0 * magnitude);
            return Err(Error::domain(format!("step l of direction {i}"), u.l, allowed));
        }
    }
    let valley = |u: &super::Direction| {
        PiecewiseLinear::new(vec![0.0], vec![-u.c * u.p * (1.0 + epsilon), u.p * (1.0 - epsilon)], (0.0, 0.0))
    };
    let valleys = terms.directions().iter().map(valley).collect::<Result<Vec<_>>>()?;
    let dented = Dented {
        valleys: Separable::new(valleys.clone())?,
        magnitudes: magnitudes.to_vec(),
        steps: terms.directions().iter().map(|u| u.l).collect(),
        height: terms.gap(),
    };
    let shifts = Shifts::fair(magnitudes.to_vec())?;
    Instance::piecewise_linear(terms.clone(), axes(terms.count())?, valleys, shifts, reading)?
        .with_population(Box::new(dented))
}

/// Valleys with tents of height ∓ξ at the points −δ and l − δ, over all sign patterns of δ.
struct Dented {
    valleys: Separable<PiecewiseLinear>,
    magnitudes: Vec<f64>,
    steps: Vec<f64>,
    height: f64,
}

impl Dented {
    /// A quarter of the least distance of two tents along an axis, so that they do not overlap.
    fn radius(&self) -> f64 {
        let distance = |(l, magnitude): (&f64, &f64)| l.min(2.0 * magnitude - l);
        self.steps.iter().zip(&self.magnitudes).map(distance).fold(f64::INFINITY, f64::min) / 4.0
    }

    /// The vector to w from the nearest of the points origin ± δ̄.
    fn offset_from_nearest(&self, w: &DVector<f64>, origin: impl Fn(usize) -> f64) -> DVector<f64> {
        DVector::from_fn(w.len(), |i, _| {
            let x = w[i] - origin(i);
            if x >= 0.0 { x - self.magnitudes[i] } else { x + self.magnitudes[i] }
        })
    }

    /// The vectors from the nearest dent and the nearest bump, with the heights of these.
    fn tents(&self, w: &DVector<f64>) -> [(DVector<f64>, f64); 2] {
        let dent = self.offset_from_nearest(w, |_| 0.0);
        let bump = self.offset_from_nearest(w, |i| self.steps[i]);
        [(dent, -self.height), (bump, self.height)]
    }
}

impl Loss for Dented {
    fn dimension(&self) -> usize {
        self.magnitudes.len()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        let tents = self.tents(w);
        let tent = |(offset, height): &(DVector<f64>, f64)| height * (1.0 - offset.norm() / self.radius()).max(0.0);
        self.valleys.value(w) + tents.iter().map(tent).sum::<f64>()
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        let mut gradient = self.valleys.gradient(w);
        for (offset, height) in self.tents(w) {
            let distance = offset.norm();
            if distance > 0.0 && distance < self.radius() {
                gradient -= offset * (height / (distance * self.radius()));
            }
        }
        gradient
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Checks, Direction, Statement};
    use super::*;
    use crate::loss::tests::assert_gradient;
    use crate::progress::Silent;

    fn terms(l: &[f64], gap: f64) -> Terms {
        let direction = |(i, &l): (usize, &f64)| Direction { p: 1.0 + i as f64, c: 3.0 - 0.5 * i as f64, l };
        Terms::new(1.0, 4.0, l.iter().enumerate().map(direction).collect(), gap).expect("valid")
    }

    #[test]
    fn the_bound_is_attained_with_all_hypotheses_met() {
        for reading in [Reading::RandomPopulation, Reading::RandomTraining] {
            for l in [&[1.0][..], &[0.5, 1.25], &[0.25, 1.0, 1.5]] {
                let terms = terms(l, 0.125);
                let instance = extremal(&terms, &[2.5, 2.25, 2.5][..l.len()], 0.0, reading).expect("valid");
                let gain = instance.gain(&Silent).expect("few").difference;
                assert!((gain - terms.corrected_bound()).abs() < 1e-13, "{gain}");
                let audit = instance.audit(Statement::Corrected, &Checks::default()).expect("few");
                assert!(audit.holds(), "{:?}", audit.violations().collect::<Vec<_>>());
                assert_eq!(instance.positive_shares().expect("few"), vec![0.5; l.len()]);
            }
        }
    }

    #[test]
    fn a_strict_instance_comes_as_close_as_one_likes() {
        let terms = terms(&[0.5, 1.0], 0.25);
        let excess = |epsilon: f64| {
            let instance = extremal(&terms, &[2.5, 2.5], epsilon, Reading::RandomPopulation).expect("valid");
            instance.gain(&Silent).expect("few").difference - terms.corrected_bound()
        };
        let slope: f64 = terms.directions().iter().map(|u| (u.c + 1.0) * u.l * u.p / 2.0).sum();
        for epsilon in [0.5, 0.01, 1e-6] {
            assert!((excess(epsilon) - epsilon * slope).abs() < 1e-12);
        }
    }

    #[test]
    fn one_step_too_far_breaks_a_hypothesis() {
        let instance = extremal(&terms(&[1.75], 0.0), &[2.5], 0.0, Reading::RandomPopulation).expect("valid");
        let audit = instance.audit(Statement::Corrected, &Checks::default()).expect("few");
        assert_eq!(audit.violations().count(), 1);
    }

    #[test]
    fn refuses_tents_that_meet() {
        let message = |l: f64| {
            extremal(&terms(&[l], 0.1), &[1.0], 0.0, Reading::RandomPopulation)
                .map(|_| ())
                .expect_err("too far")
                .to_string()
        };
        assert_eq!(
            message(2.0),
            "step l of direction 0 is 2; allowed: between 0 and twice the magnitude, 2, exclusive"
        );
        assert_eq!(
            message(0.0),
            "step l of direction 0 is 0; allowed: between 0 and twice the magnitude, 2, exclusive"
        );
    }

    proptest! {
        #[test]
        fn the_dented_loss_has_the_gradient_of_its_value(x in -0.2..0.2f64, y in -0.2..0.2f64, near in 0usize..3) {
            let dented = Dented {
                valleys: Separable::new(vec![PiecewiseLinear::valley(1.0, 3.0).expect("valid"); 2]).expect("axes"),
                magnitudes: vec![2.0, 3.0],
                steps: vec![1.0, 1.5],
                height: 0.1,
            };
            let centre = [[-2.0, 3.0], [3.0, -1.5], [0.5, 0.5]][near];
            let distance = (x * x + y * y).sqrt();
            prop_assume!((distance - 0.25).abs() > 1e-3 && distance > 1e-2);
            let w = DVector::from_vec(vec![centre[0] + x, centre[1] + y]);
            // Within a tent the second derivative is at most height/(radius·distance) = 40.
            assert_gradient(&dented, &w, 1e4);
        }
    }
}
