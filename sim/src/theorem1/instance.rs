//! A concrete world in which Theorem 1 says something.

use nalgebra::DVector;

use super::{Shifts, Terms};
use crate::error::finite;
use crate::loss::{Frame, Loss, PiecewiseLinear, Rotated, Separable, check_point};
use crate::{Error, Result};

/// What is random in Theorem 1's expectation.
///
/// Both readings are built from one training loss L̂, one population loss P and one point ŵ. Without a
/// [perturbation](Instance::with_perturbation) they have the same gain, for one is the other seen from a moving frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A: the training loss L̂ and ŵ are fixed, the population loss L_δ(w) = P(w − δ) + h(w, δ) is random.
    RandomPopulation,
    /// B: the population loss P is fixed, the training loss L̂_δ(w) = L̂(w + δ) + h(w, δ) and ŵ_δ = ŵ − δ are random.
    RandomTraining,
}

/// h(w, δ): what is added to the random one of the two losses.
pub type Perturbation = Box<dyn Fn(&DVector<f64>, &DVector<f64>) -> f64 + Send + Sync>;

/// All t at which the training loss has a kink on the line w + t·u, given w and u, in any order.
pub type Kinks = Box<dyn Fn(&DVector<f64>, &DVector<f64>) -> Vec<f64> + Send + Sync>;

/// The losses, the shift and the numbers of Theorem 1.
///
/// Nothing is assumed of it but that dimensions fit: whether the hypotheses hold is [audited](Self::audit), so that an
/// instance may break them on purpose.
pub struct Instance {
    terms: Terms,
    directions: Vec<DVector<f64>>,
    shifts: Shifts,
    reading: Reading,
    training: Box<dyn Loss>,
    population: Option<Box<dyn Loss>>,
    perturbation: Option<Perturbation>,
    minimiser: DVector<f64>,
    minima: Option<(f64, f64)>,
    kinks: Option<Kinks>,
    /// Σ l_i uⁱ.
    step: DVector<f64>,
}

impl Instance {
    /// A world in which the population loss is the training loss but for the shift.
    ///
    /// Directions are vectors of ℝᵈ, one for each direction of the terms; ŵ is any point (the corrected theorem needs no
    /// minimiser).
    ///
    /// # Errors
    /// Numbers of directions or coordinates that do not fit, and coordinates that are not finite.
    pub fn new(
        terms: Terms,
        directions: Vec<DVector<f64>>,
        shifts: Shifts,
        reading: Reading,
        training: Box<dyn Loss>,
        minimiser: DVector<f64>,
    ) -> Result<Self> {
        let dimension = training.dimension();
        if directions.len() != terms.count() {
            return Err(Error::domain("number of direction vectors", directions.len(), terms.count()));
        }
        for (i, u) in directions.iter().enumerate() {
            check_point(&format!("direction {i}"), u, dimension)?;
        }
        check_point("point ŵ", &minimiser, dimension)?;
        if shifts.dimension() != dimension {
            return Err(Error::domain("number of coordinates of the shift", shifts.dimension(), dimension));
        }
        let mut step = DVector::zeros(dimension);
        for (direction, u) in terms.directions().iter().zip(&directions) {
            step += u * direction.l;
        }
        Ok(Self {
            terms,
            directions,
            shifts,
            reading,
            training,
            population: None,
            perturbation: None,
            minimiser,
            minima: None,
            kinks: None,
            step,
        })
    }

    /// A world around ŵ = 0 with the training loss Σ fᵢ(⟨w, uⁱ⟩) over all columns uⁱ of a frame, whose first columns are
    /// the directions of the terms. Its kinks are known, so its asymmetry is audited exactly.
    ///
    /// # Errors
    /// Those of [`Instance::new`], not one function a column, and fewer columns than directions.
    pub fn piecewise_linear(
        terms: Terms,
        frame: Frame,
        axes: Vec<PiecewiseLinear>,
        shifts: Shifts,
        reading: Reading,
    ) -> Result<Self> {
        if frame.len() < terms.count() {
            return Err(Error::domain("number of frame columns", frame.len(), format!("at least {}", terms.count())));
        }
        let directions = (0..terms.count()).map(|i| frame.matrix().column(i).clone_owned()).collect();
        let minimiser = DVector::zeros(frame.dimension());
        let own = (frame.clone(), axes.clone());
        let kinks = move |w: &DVector<f64>, u: &DVector<f64>| {
            let (frame, axes) = &own;
            let (place, speed) = (frame.coordinates(w), frame.coordinates(u));
            let along = |i: usize| axes[i].kinks().map(move |kink| (kink, i));
            let crossings = (0..axes.len()).flat_map(along).map(|(kink, i)| (kink - place[i]) / speed[i]);
            crossings.filter(|t| t.is_finite()).collect()
        };
        let training = Rotated::new(Separable::new(axes)?, frame)?;
        let instance = Self::new(terms, directions, shifts, reading, Box::new(training), minimiser)?;
        Ok(instance.with_kinks(Box::new(kinks)))
    }

    /// The same world with a population loss P of its own.
    ///
    /// # Errors
    /// Another dimension than the training loss's.
    pub fn with_population(mut self, population: Box<dyn Loss>) -> Result<Self> {
        if population.dimension() != self.dimension() {
            let allowed = self.dimension();
            return Err(Error::domain("dimension of the population loss", population.dimension(), allowed));
        }
        self.population = Some(population);
        Ok(self)
    }

    /// The same world with h(w, δ) added to its random loss, see [`Reading`].
    pub fn with_perturbation(mut self, perturbation: Perturbation) -> Self {
        self.perturbation = Some(perturbation);
        self
    }

    /// The same world with min L̂ and min L known. Definition 3 matches the two losses by their minima; where these are
    /// not known the audit lets any vertical constant do.
    ///
    /// # Errors
    /// Minima that are not finite.
    pub fn with_minima(mut self, training: f64, population: f64) -> Result<Self> {
        self.minima = Some((
            finite("minimum of the training loss", training)?,
            finite("minimum of the population loss", population)?,
        ));
        Ok(self)
    }

    /// The same world with the kinks of its training loss L̂ known on every line; between them it must be linear.
    pub fn with_kinks(mut self, kinks: Kinks) -> Self {
        self.kinks = Some(kinks);
        self
    }

    /// The numbers.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// u¹ … uᵏ.
    pub fn directions(&self) -> &[DVector<f64>] {
        &self.directions
    }

    /// The law of the shift.
    pub fn shifts(&self) -> &Shifts {
        &self.shifts
    }

    /// What is random.
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// d.
    pub fn dimension(&self) -> usize {
        self.training.dimension()
    }

    /// Σ l_i uⁱ.
    pub fn step(&self) -> &DVector<f64> {
        &self.step
    }

    /// (min L̂, min L), if known.
    pub fn minima(&self) -> Option<(f64, f64)> {
        self.minima
    }

    /// ŵ in the outcome δ.
    pub fn minimiser(&self, shift: &DVector<f64>) -> DVector<f64> {
        match self.reading {
            Reading::RandomPopulation => self.minimiser.clone(),
            Reading::RandomTraining => &self.minimiser - shift,
        }
    }

    /// L̂(w) in the outcome δ.
    pub fn training_loss(&self, shift: &DVector<f64>, w: &DVector<f64>) -> f64 {
        match self.reading {
            Reading::RandomPopulation => self.training.value(w),
            Reading::RandomTraining => self.training.value(&(w + shift)) + self.perturbed(w, shift),
        }
    }

    /// L(w) in the outcome δ.
    pub fn population_loss(&self, shift: &DVector<f64>, w: &DVector<f64>) -> f64 {
        let population = self.population.as_ref().unwrap_or(&self.training);
        match self.reading {
            Reading::RandomPopulation => population.value(&(w - shift)) + self.perturbed(w, shift),
            Reading::RandomTraining => population.value(w),
        }
    }

    /// The kinks of L̂ on the line w + t·u in the outcome δ, if they are known.
    pub(super) fn training_kinks(&self, shift: &DVector<f64>, w: &DVector<f64>, u: &DVector<f64>) -> Option<Vec<f64>> {
        let kinks = self.kinks.as_ref()?;
        match self.reading {
            Reading::RandomPopulation => Some(kinks(w, u)),
            Reading::RandomTraining if self.perturbation.is_none() => Some(kinks(&(w + shift), u)),
            Reading::RandomTraining => None,
        }
    }

    fn perturbed(&self, w: &DVector<f64>, shift: &DVector<f64>) -> f64 {
        self.perturbation.as_ref().map_or(0.0, |h| h(w, shift))
    }
}
