//! Worlds of Theorem 1 in exact numbers.

use nalgebra::DVector;
use valleys_sim::Result;
use valleys_sim::loss::Loss;
use valleys_sim::theorem1::{self, Reading, Shifts, Terms};

use super::departure::Places;
use super::{Departure, Landscape, Rational, add, dot, is_zero, ratio, subtract, to_f64, vector, whole};

/// One direction uⁱ with its numbers. Nothing is assumed of them: an instance may break hypotheses on purpose.
#[derive(Debug, Clone, PartialEq)]
pub struct Direction {
    /// uⁱ.
    pub u: Vec<Rational>,
    /// p_i.
    pub p: Rational,
    /// c_i.
    pub c: Rational,
    /// l_i.
    pub l: Rational,
}

/// One outcome of the shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its probability; all together make 1.
    pub probability: Rational,
    /// δ.
    pub shift: Vec<Rational>,
}

/// A world: the losses, the shift and the numbers of Theorem 1.
///
/// One training loss L̂, one population loss P = L̂ + departure, and ŵ give both [readings](Reading), as in
/// [`theorem1::Instance`]. The random one of the two losses has the vertical constant κ·δ₁ besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// (r̲, r̄).
    pub window: (Rational, Rational),
    /// ξ.
    pub gap: Rational,
    /// u¹ … uᵏ.
    pub directions: Vec<Direction>,
    /// ŵ.
    pub solution: Vec<Rational>,
    /// x ↦ L̂(ŵ + x).
    pub training: Landscape,
    /// P − L̂.
    pub departure: Departure,
    /// κ.
    pub vertical: Rational,
    /// The law of the shift, at least one outcome.
    pub outcomes: Vec<Outcome>,
}

impl Instance {
    /// Σ l_i uⁱ.
    pub fn step(&self) -> Vec<Rational> {
        let origin = vec![whole(0); self.solution.len()];
        self.directions.iter().fold(origin, |sum, direction| add(&sum, &direction.l, &direction.u))
    }

    /// E L(ŵ) − E L(ŵ + Σ l_i uⁱ), outcome by outcome from the losses of a reading.
    pub fn gain(&self, reading: Reading) -> Rational {
        let (step, places) = (self.step(), self.places());
        let outcome = |outcome: &Outcome| {
            let solution = match reading {
                Reading::RandomPopulation => self.solution.clone(),
                Reading::RandomTraining => subtract(&self.solution, &outcome.shift),
            };
            let biased = add(&solution, &whole(1), &step);
            let population = |w: &[Rational]| match reading {
                Reading::RandomPopulation => {
                    self.fixed_population(&subtract(w, &outcome.shift), &places) + &self.vertical * &outcome.shift[0]
                }
                Reading::RandomTraining => self.fixed_population(w, &places),
            };
            &outcome.probability * (population(&solution) - population(&biased))
        };
        self.outcomes.iter().map(outcome).sum()
    }

    /// The smaller gain of both readings.
    pub fn least_gain(&self) -> Rational {
        self.gain(Reading::RandomPopulation).min(self.gain(Reading::RandomTraining))
    }

    /// s_i = ⟨δ, uⁱ⟩ in every outcome, with its probability.
    pub fn projections(&self, direction: usize) -> impl Iterator<Item = (&Rational, Rational)> {
        let u = &self.directions[direction].u;
        self.outcomes.iter().map(move |outcome| (&outcome.probability, dot(&outcome.shift, u)))
    }

    /// q_i = P(s_i > 0).
    pub fn positive_shares(&self) -> Vec<Rational> {
        let share = |i| self.projections(i).filter(|(_, s)| *s > whole(0)).map(|(probability, _)| probability).sum();
        (0..self.directions.len()).map(share).collect()
    }

    /// Σ (c_i − 1) p_i l_i.
    pub fn rise(&self) -> Rational {
        self.directions.iter().map(|u| (&u.c - whole(1)) * &u.p * &u.l).sum()
    }

    /// Σ (c_i − 1) p_i l_i / 2 − 2ξ.
    pub fn corrected_bound(&self) -> Rational {
        self.rise() / whole(2) - whole(2) * &self.gap
    }

    /// Σ l_i p_i ((c_i + 1) q_i − 1) − 2ξ.
    pub fn unbalanced_bound(&self) -> Rational {
        let terms = self.directions.iter().zip(self.positive_shares());
        let sum: Rational = terms.map(|(u, q)| &u.l * &u.p * ((&u.c + whole(1)) * q - whole(1))).sum();
        sum - whole(2) * &self.gap
    }

    /// A loss of the instance, to which slacks are relative: ξ + Σ (1 + |c_i|) p_i |l_i|, 1 if that is 0.
    pub fn scale(&self) -> Rational {
        let absolute = |x: &Rational| if *x < whole(0) { -x } else { x.clone() };
        let sum = self.directions.iter().map(|u| (whole(1) + absolute(&u.c)) * &u.p * absolute(&u.l));
        let scale = &self.gap + sum.sum::<Rational>();
        if is_zero(&scale) { whole(1) } else { scale }
    }

    /// The same world in floating point, to be audited.
    ///
    /// # Errors
    /// Numbers that Theorem 1 has no use for: p ≤ 0, c ≤ 1, a window that is none.
    pub fn rounded(&self, reading: Reading) -> Result<theorem1::Instance> {
        let direction = |u: &Direction| theorem1::Direction { p: to_f64(&u.p), c: to_f64(&u.c), l: to_f64(&u.l) };
        let directions = self.directions.iter().map(direction).collect();
        let terms = Terms::new(to_f64(&self.window.0), to_f64(&self.window.1), directions, to_f64(&self.gap))?;
        let training = self.training.rounded(&self.solution)?;
        let instance = self.rounded_with(terms, reading, training.clone())?;
        Ok(instance.with_kinks(Box::new(move |w, u| training.kinks(w, u))))
    }

    /// The same world with another training loss and other numbers.
    pub(crate) fn rounded_with(
        &self,
        terms: Terms,
        reading: Reading,
        training: impl Loss + Clone + 'static,
    ) -> Result<theorem1::Instance> {
        let units = self.directions.iter().map(|direction| vector(&direction.u)).collect();
        let outcome = |outcome: &Outcome| (to_f64(&outcome.probability), vector(&outcome.shift));
        let shifts = Shifts::listed(self.outcomes.iter().map(outcome).collect())?;
        let population = Departed {
            departure: Box::new(self.departure.rounded(&self.places())?),
            solution: vector(&self.solution),
            training: training.clone(),
        };
        let instance =
            theorem1::Instance::new(terms, units, shifts, reading, Box::new(training), vector(&self.solution))?
                .with_population(Box::new(population))?;
        if is_zero(&self.vertical) {
            return Ok(instance);
        }
        let vertical = to_f64(&self.vertical);
        Ok(instance.with_perturbation(Box::new(move |_, shift| vertical * shift[0])))
    }

    /// P(w).
    fn fixed_population(&self, w: &[Rational], places: &Places) -> Rational {
        let x = subtract(w, &self.solution);
        self.training.value(&x) + self.departure.value(&x, places)
    }

    fn places(&self) -> Places {
        let origin = vec![whole(0); self.solution.len()];
        let (step, shifts) = (self.step(), self.outcomes.iter().map(|outcome| &outcome.shift));
        Places {
            solutions: shifts.clone().map(|shift| subtract(&origin, shift)).collect(),
            biased: shifts.map(|shift| subtract(&step, shift)).collect(),
        }
    }
}

/// The same outcomes with equal shifts put together.
pub fn merged(outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let mut merged: Vec<Outcome> = Vec::new();
    for outcome in outcomes {
        match merged.iter_mut().find(|other| other.shift == outcome.shift) {
            Some(other) => other.probability += outcome.probability,
            None => merged.push(outcome),
        }
    }
    merged
}

/// A radius below Δ + ‖l‖ by at least 1/1000 and at most 1/500. These lengths are square roots, seldom fractions.
pub fn radius_too_small(instance: &Instance) -> Rational {
    let square = |x: &[Rational]| dot(x, x);
    let longest = instance.outcomes.iter().map(|outcome| square(&outcome.shift)).max().unwrap_or_else(|| whole(0));
    let steps: Rational = instance.directions.iter().map(|u| &u.l * &u.l).sum();
    root_below(&longest) + root_below(&steps) - ratio(1, 1000)
}

/// The largest multiple of 1/2000 whose square is at most x.
fn root_below(x: &Rational) -> Rational {
    let root = (x * whole(4_000_000)).floor().to_integer().sqrt();
    Rational::from_integer(root) * ratio(1, 2000)
}

/// A function of the place x = w − ŵ.
type OfPlace = Box<dyn Fn(&DVector<f64>) -> f64 + Send + Sync>;

/// The training loss and a departure from it, constant almost everywhere.
struct Departed<L> {
    training: L,
    solution: DVector<f64>,
    departure: OfPlace,
}

impl<L: Loss> Loss for Departed<L> {
    fn dimension(&self) -> usize {
        self.training.dimension()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        self.training.value(w) + (self.departure)(&(w - &self.solution))
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        self.training.gradient(w)
    }
}
