//! The long-run threshold c_L.

use super::Enclosure;
use super::enclosure::{Sign, first, in_cells, sign};
use super::walk::{Kind, Walk};
use crate::progress::Observer;
use crate::theorem2::long_run;
use crate::{Error, Result};

/// The c from which the smallest long-run mean is positive, for ν and b₊ in units of a₊, with `cells` cells to ηa₊.
///
/// Sharp slopes are whatever lies between c·a₊ and a₊ more than (L)'s threshold, so that a larger c leaves fewer choices
/// and the mean changes its sign once.
///
/// # Errors
/// b₊ or ν is no whole number of cells, b₊ lies outside (0, 1], or ν > 1; or an interruption.
pub fn long_run_threshold(nu: f64, b_plus: f64, cells: u16, observer: &dyn Observer) -> Result<Enclosure> {
    let [fall, noise] = in_cells(b_plus, nu, cells)?;
    let one = usize::from(cells);
    if noise > one {
        return Err(Error::domain("ν/a₊", nu, "at most 1"));
    }
    let steep = (long_run::threshold(nu) * f64::from(cells)).ceil() as usize + one;
    let in_c = |rise: usize| rise as f64 / f64::from(cells);
    let mut values = Vec::new();
    let mut turn = |kind, range, least| {
        first(range, least, |rise| {
            sign(&Walk::of_cells(kind, [fall, one], [rise, steep], noise), &mut values, cells, observer)
        })
    };
    let zero = turn(Kind::OnLattice, (one + 1, steep), Sign::Zero)?;
    let positive = turn(Kind::OnLattice, (zero, steep), Sign::Positive)?;
    let certain = turn(Kind::RoundedDown, (positive, steep), Sign::Positive)?;
    Ok(Enclosure {
        negative: in_c(zero - 1),
        threshold: in_c(positive - 1),
        certain: (certain < steep).then(|| in_c(certain)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn threshold(nu: f64, b_plus: f64, cells: u16) -> Enclosure {
        long_run_threshold(nu, b_plus, cells, &Silent).expect("solved")
    }

    #[test]
    fn it_is_the_theorems_where_that_is_exact() {
        for nu in [0.0, 0.25, 0.5, 0.75, 1.0] {
            for b_plus in [0.25, 0.5, 0.75] {
                let Enclosure { negative, threshold, certain } = threshold(nu, b_plus, 40);
                let exact = long_run::threshold(nu);
                assert_eq!(threshold, exact, "ν = {nu}, b₊ = {b_plus}");
                assert_eq!(negative, exact - 1.0 / 40.0);
                // No noise needs no rounding.
                let most = if nu == 0.0 { exact + 1.0 / 40.0 } else { exact + 0.11 };
                assert!(certain.is_some_and(|c| c > exact && c <= most), "ν = {nu}, b₊ = {b_plus}: {certain:?}");
            }
        }
    }

    #[test]
    fn above_half_the_noise_it_falls_with_the_smallest_slope_beyond_the_noise() {
        let at = |b_plus| threshold(0.75, b_plus, 40);
        assert_eq!(at(0.75).threshold, 2.75);
        assert!(at(0.8).certain.is_some_and(|c| c < 2.6));
        assert!(at(0.9).certain.is_some_and(|c| c < 2.45) && at(0.9).negative > 2.25);
        // A finer lattice has more adversaries, and rounds less.
        let fine = threshold(0.75, 0.9, 80);
        assert!(fine.negative >= at(0.9).negative && fine.certain <= at(0.9).certain);
    }

    #[test]
    fn what_is_no_whole_number_of_cells_or_out_of_range_is_refused() {
        let refusal =
            |nu, b_plus, cells| long_run_threshold(nu, b_plus, cells, &Silent).expect_err("refused").to_string();
        assert_eq!(refusal(1.5, 0.5, 8), "ν/a₊ is 1.5; allowed: at most 1");
        assert_eq!(refusal(0.5, 1.5, 8), "b₊/a₊ is 1.5; allowed: in (0, 1]");
        assert_eq!(refusal(0.5, 0.5, 0), "number of cells is 0; allowed: at least 1");
        assert!(refusal(0.3, 0.5, 8).starts_with("ν in cells is [2.4, 2.4]"));
        assert!(refusal(f64::NAN, 0.5, 8).starts_with("ν in cells"));
    }
}
