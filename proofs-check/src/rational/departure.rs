//! How the population loss departs from the training loss.

use nalgebra::DVector;
use valleys_sim::Result;
use valleys_sim::loss::Loss;

use super::{Landscape, Rational, dot, is_zero, subtract, to_f64, vector, whole};

/// What is added to the training loss to give the population loss, after the shift: a function of the place x = w − ŵ.
///
/// The places that matter are the *solutions* −δ and the *biased* places Σ l_i uⁱ − δ, one of each an outcome. A place
/// belongs to the nearest of them, to a solution if it is as near to both.
#[derive(Debug, Clone, PartialEq)]
pub enum Departure {
    /// 0.
    None,
    /// One height near the solutions and another near the biased places.
    Nearest {
        /// The height near the solutions.
        solution: Rational,
        /// The height near the biased places.
        biased: Rational,
    },
    /// −h and h in turn, on stripes across (1, …, 1).
    Stripes {
        /// The width of a stripe, measured in the sum of coordinates.
        width: Rational,
        /// h.
        height: Rational,
    },
    /// A height near the biased places, beyond a radius.
    Beyond {
        /// The square of the radius.
        radius_squared: Rational,
        /// The height.
        height: Rational,
    },
    /// A height at every place but those that matter.
    Elsewhere(Rational),
    /// Any piecewise-linear function.
    Added(Landscape),
}

/// Where stripes begin. No world has a place on a stripe's edge, since its denominators are small.
const STRIPE_ORIGIN: (i64, i64) = (1, 1_000_003);

/// The places that matter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Places {
    pub(super) solutions: Vec<Vec<Rational>>,
    pub(super) biased: Vec<Vec<Rational>>,
}

impl Departure {
    /// The value at x.
    pub(super) fn value(&self, x: &[Rational], places: &Places) -> Rational {
        let nearest = |places: &[Vec<Rational>]| {
            let squares = places.iter().map(|place| subtract(x, place)).map(|offset| dot(&offset, &offset));
            squares.min().unwrap_or_else(|| whole(0))
        };
        let is_biased = || nearest(&places.biased) < nearest(&places.solutions);
        match self {
            Self::None => whole(0),
            Self::Nearest { solution, biased } => if is_biased() { biased } else { solution }.clone(),
            Self::Stripes { width, height } => {
                let origin = super::ratio(STRIPE_ORIGIN.0, STRIPE_ORIGIN.1);
                let stripe = ((x.iter().sum::<Rational>() - origin) / width).floor().to_integer();
                if stripe.bit(0) { height.clone() } else { -height }
            }
            Self::Beyond { radius_squared, height } if dot(x, x) > *radius_squared && is_biased() => height.clone(),
            Self::Beyond { .. } => whole(0),
            Self::Elsewhere(height) => {
                let matters = is_zero(&nearest(&places.biased)) || is_zero(&nearest(&places.solutions));
                if matters { whole(0) } else { height.clone() }
            }
            Self::Added(landscape) => landscape.value(x),
        }
    }

    /// The same function in floating point, on x = w − ŵ.
    pub(super) fn rounded(&self, places: &Places) -> Result<impl Fn(&DVector<f64>) -> f64 + Send + Sync + 'static> {
        /// Squared distances less than this apart are equal in exact numbers.
        const ROUNDING: f64 = 1e-9;
        let vectors = |places: &[Vec<Rational>]| places.iter().map(|place| vector(place)).collect::<Vec<_>>();
        let (solutions, biased) = (vectors(&places.solutions), vectors(&places.biased));
        let added = match self {
            Self::Added(landscape) => landscape.clone(),
            _ => Landscape::default(),
        };
        let origin = places.solutions.first().map_or(0, Vec::len);
        let added = added.rounded(&vec![whole(0); origin])?;
        let departure = self.clone();
        Ok(move |x: &DVector<f64>| {
            let nearest = |places: &[DVector<f64>]| {
                places.iter().map(|place| (x - place).norm_squared()).fold(f64::INFINITY, f64::min)
            };
            let is_biased = || nearest(&biased) < nearest(&solutions) - ROUNDING;
            match &departure {
                Departure::None => 0.0,
                Departure::Nearest { solution, biased } => to_f64(if is_biased() { biased } else { solution }),
                Departure::Stripes { width, height } => {
                    let origin = STRIPE_ORIGIN.0 as f64 / STRIPE_ORIGIN.1 as f64;
                    let stripe = ((x.sum() - origin) / to_f64(width)).floor();
                    if stripe.rem_euclid(2.0) == 1.0 { to_f64(height) } else { -to_f64(height) }
                }
                Departure::Beyond { radius_squared, height } => {
                    let is_beyond = x.norm_squared() > to_f64(radius_squared) + ROUNDING;
                    if is_beyond && is_biased() { to_f64(height) } else { 0.0 }
                }
                Departure::Elsewhere(height) => {
                    if nearest(&biased).min(nearest(&solutions)) <= ROUNDING {
                        0.0
                    } else {
                        to_f64(height)
                    }
                }
                Departure::Added(_) => added.value(x),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ratio;
    use super::*;

    #[test]
    fn departures_on_a_line() {
        let place = |x: Rational| vec![x];
        let places = Places {
            solutions: vec![place(whole(-2)), place(whole(1))],
            biased: vec![place(whole(-1)), place(whole(2))],
        };
        let check = |departure: Departure, x: Rational, expected: Rational| {
            assert_eq!(departure.value(&place(x.clone()), &places), expected, "{departure:?} at {x}");
            let rounded = departure.rounded(&places).expect("valid");
            assert_eq!(rounded(&vector(&place(x))), to_f64(&expected), "{departure:?}");
        };
        let against = || Departure::Nearest { solution: ratio(-1, 4), biased: ratio(1, 2) };
        check(against(), ratio(-7, 4), ratio(-1, 4));
        check(against(), ratio(-3, 2), ratio(-1, 4));
        check(against(), ratio(9, 4), ratio(1, 2));
        let stripes = || Departure::Stripes { width: ratio(1, 2), height: whole(3) };
        check(stripes(), ratio(1, 4), whole(-3));
        check(stripes(), ratio(3, 4), whole(3));
        check(stripes(), ratio(-1, 4), whole(3));
        let beyond = || Departure::Beyond { radius_squared: whole(4), height: whole(5) };
        check(beyond(), whole(2), whole(0));
        check(beyond(), ratio(17, 8), whole(5));
        check(Departure::Elsewhere(whole(7)), whole(2), whole(0));
        check(Departure::Elsewhere(whole(7)), ratio(15, 8), whole(7));
    }
}
