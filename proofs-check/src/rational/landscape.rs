//! Piecewise-linear losses on ℝᵈ in exact numbers.

use nalgebra::DVector;
use valleys_sim::Result;
use valleys_sim::loss::{Loss, PiecewiseLinear, Univariate};

use super::{Pieces, Rational, dot, vector, whole};

/// x ↦ f(⟨x, n⟩).
#[derive(Debug, Clone, PartialEq)]
pub struct Along {
    /// n, of any length.
    pub normal: Vec<Rational>,
    /// f.
    pub function: Pieces,
}

/// x ↦ a·min_j f_j(⟨x, n_j⟩): what is no sum of functions along directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Least {
    /// a.
    pub height: Rational,
    /// The f_j along the n_j, at least one.
    pub parts: Vec<Along>,
}

/// A sum of functions along directions and of minima of such functions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Landscape {
    /// The functions along directions.
    pub sums: Vec<Along>,
    /// The minima.
    pub minima: Vec<Least>,
}

impl Along {
    fn value(&self, x: &[Rational]) -> Rational {
        self.function.value(&dot(x, &self.normal))
    }
}

impl Landscape {
    /// The value at x.
    pub fn value(&self, x: &[Rational]) -> Rational {
        let minima = self.minima.iter().map(|least| {
            let lowest = least.parts.iter().map(|part| part.value(x)).min();
            lowest.map_or_else(|| whole(0), |lowest| &least.height * lowest)
        });
        self.sums.iter().map(|along| along.value(x)).chain(minima).sum()
    }

    /// The loss w ↦ value(w − centre) in floating point.
    pub(super) fn rounded(&self, centre: &[Rational]) -> Result<Rounded> {
        let along = |along: &Along| Ok(Slice { normal: vector(&along.normal), function: along.function.rounded()? });
        let sums = self.sums.iter().map(along).collect::<Result<_>>()?;
        let least = |least: &Least| {
            let parts = least.parts.iter().map(along).collect::<Result<Vec<_>>>()?;
            Ok((super::to_f64(&least.height), parts))
        };
        let minima = self.minima.iter().map(least).collect::<Result<_>>()?;
        Ok(Rounded { centre: vector(centre), sums, minima })
    }
}

#[derive(Debug, Clone)]
struct Slice {
    normal: DVector<f64>,
    function: PiecewiseLinear,
}

impl Slice {
    fn value(&self, x: &DVector<f64>) -> f64 {
        self.function.value(x.dot(&self.normal))
    }

    fn gradient(&self, x: &DVector<f64>) -> DVector<f64> {
        &self.normal * self.function.slope(x.dot(&self.normal))
    }

    /// All t where f has a kink at x + t·u.
    fn kinks(&self, x: &DVector<f64>, u: &DVector<f64>) -> Vec<f64> {
        let (place, speed) = (x.dot(&self.normal), u.dot(&self.normal));
        self.function.kinks().map(|kink| (kink - place) / speed).filter(|t| t.is_finite()).collect()
    }
}

/// A [`Landscape`] in floating point.
#[derive(Debug, Clone)]
pub(super) struct Rounded {
    centre: DVector<f64>,
    sums: Vec<Slice>,
    minima: Vec<(f64, Vec<Slice>)>,
}

impl Rounded {
    /// All t near 0 where the loss has a kink at w + t·u.
    pub(super) fn kinks(&self, w: &DVector<f64>, u: &DVector<f64>) -> Vec<f64> {
        /// Farther out than any window.
        const FAR: f64 = 1e4;
        let x = w - &self.centre;
        let mut kinks: Vec<f64> = self.sums.iter().flat_map(|slice| slice.kinks(&x, u)).collect();
        for (_, parts) in &self.minima {
            let mut own: Vec<f64> = parts.iter().flat_map(|part| part.kinks(&x, u)).chain([-FAR, FAR]).collect();
            own.sort_by(f64::total_cmp);
            for ends in own.windows(2) {
                // Between kinks the parts are linear; they may cross there.
                for (i, one) in parts.iter().enumerate() {
                    for other in &parts[..i] {
                        let over = |t: f64| one.value(&(&x + u * t)) - other.value(&(&x + u * t));
                        let (a, b) = (over(ends[0]), over(ends[1]));
                        if a * b < 0.0 {
                            kinks.push(ends[0] + (ends[1] - ends[0]) * a / (a - b));
                        }
                    }
                }
            }
            kinks.extend(own);
        }
        kinks
    }
}

impl Loss for Rounded {
    fn dimension(&self) -> usize {
        self.centre.len()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        let x = w - &self.centre;
        let least = |(height, parts): &(f64, Vec<Slice>)| {
            height * parts.iter().map(|part| part.value(&x)).fold(f64::INFINITY, f64::min)
        };
        self.sums.iter().map(|slice| slice.value(&x)).sum::<f64>() + self.minima.iter().map(least).sum::<f64>()
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        let x = w - &self.centre;
        let mut gradient = DVector::zeros(x.len());
        for slice in &self.sums {
            gradient += slice.gradient(&x);
        }
        for (height, parts) in &self.minima {
            if let Some(lowest) = parts.iter().min_by(|a, b| a.value(&x).total_cmp(&b.value(&x))) {
                gradient += lowest.gradient(&x) * *height;
            }
        }
        gradient
    }
}

#[cfg(test)]
mod tests {
    use super::super::ratio;
    use super::*;

    fn landscape() -> Landscape {
        let along = |normal: [i64; 2], function| Along { normal: normal.map(whole).to_vec(), function };
        Landscape {
            sums: vec![
                along([1, 0], Pieces::valley(whole(-2), whole(1))),
                along([1, -1], Pieces::distance(ratio(1, 2))),
            ],
            minima: vec![Least {
                height: whole(3),
                parts: vec![along([1, 0], Pieces::hat(&whole(1))), along([0, 1], Pieces::rim(&ratio(1, 4)))],
            }],
        }
    }

    #[test]
    fn a_landscape_by_hand() {
        // At (½, 1): ½ + |−½ − ½| − ½ + 3·min(½, ¾).
        assert_eq!(landscape().value(&[ratio(1, 2), whole(1)]), whole(1) + ratio(3, 2));
        let rounded = landscape().rounded(&[whole(1), whole(2)]).expect("valid");
        assert_eq!(rounded.value(&DVector::from_vec(vec![1.5, 3.0])), 2.5);
    }

    #[test]
    fn between_its_kinks_the_loss_is_linear_and_has_its_gradient() {
        let rounded = landscape().rounded(&[whole(0), whole(0)]).expect("valid");
        let (w, u) = (DVector::from_vec(vec![0.3, -0.7]), DVector::from_vec(vec![0.6, 0.8]));
        let mut kinks = rounded.kinks(&w, &u);
        kinks.retain(|t| t.abs() < 5.0);
        kinks.extend([-5.0, 5.0]);
        kinks.sort_by(f64::total_cmp);
        kinks.dedup();
        let at = |t: f64| &w + &u * t;
        for ends in kinks.windows(2).filter(|ends| ends[1] - ends[0] > 1e-9) {
            let run = ends[1] - ends[0];
            let slope = (rounded.value(&at(ends[1])) - rounded.value(&at(ends[0]))) / run;
            for share in [0.25, 0.5, 0.75] {
                let inside = at(ends[0] + share * run);
                assert!((rounded.gradient(&inside).dot(&u) - slope).abs() < 1e-9, "{ends:?}");
                assert!((rounded.value(&inside) - rounded.value(&at(ends[0])) - share * run * slope).abs() < 1e-9);
            }
        }
    }
}
