//! A sheet of two maps: the mean of all iterates and the mean of the round averages.

use super::{Map, Signed, colour_key, curve_key};
use crate::Result;
use crate::canvas;
use crate::chart::Sample;
use crate::figure::headline;
use crate::style::{INK, Stroke, WIDTH};

/// Where the mean changes sign.
const ZERO: Stroke = Stroke::new(INK).width(1.0);

/// Two means over c and ν, in units of ηa₊; one row a value of ν.
pub(in crate::figure) struct Means<'a> {
    pub(in crate::figure) map: Map<'a>,
    pub(in crate::figure) long_run: Vec<&'a [f64]>,
    pub(in crate::figure) round: Vec<&'a [f64]>,
    /// Means smaller than this are white.
    pub(in crate::figure) half_width: f64,
}

impl Means<'_> {
    /// The picture under a headline, with a line of the setting.
    pub(in crate::figure) fn draw(&self, title: &str, setting: &str) -> Result<String> {
        let shades = Signed::of(self.long_run.iter().chain(&self.round).copied().flatten(), self.half_width);
        canvas::draw(WIDTH, super::HEIGHT, |canvas| {
            headline(canvas, title, setting)?;
            let mut signs = self.map.signs();
            signs.push((Sample::Line(ZERO), "measured change of sign"));
            curve_key(canvas, &signs)?;
            let mut panel = |title, span, means: &[&[f64]]| {
                let changes = sign_changes(self.map.c, self.map.nu, means);
                self.map.panel(canvas, title, span, (means, &shades), (&changes, ZERO))
            };
            let numbers = panel("(a) mean of all iterates", (66.0, 352.0), &self.long_run)?;
            panel("(b) mean of the round averages w̄", (396.0, 682.0), &self.round)?;
            numbers.y_name(canvas, 44.0)?;
            colour_key(canvas, 704.0, "mean / ηa₊", &shades)
        })
    }
}

/// The curve on which the mean changes sign, by interpolation in c; rows without a change part it.
fn sign_changes(c: &[f64], nu: &[f64], means: &[&[f64]]) -> Vec<Vec<(f64, f64)>> {
    let crossing = |row: &[f64]| {
        let column = row.windows(2).rposition(|pair| pair[0] <= 0.0 && pair[1] > 0.0)?;
        let t = row[column] / (row[column] - row[column + 1]);
        Some(c[column] + t * (c[column + 1] - c[column]))
    };
    let crossings: Vec<_> = means.iter().zip(nu).map(|(row, &nu)| crossing(row).map(|c| (c, nu))).collect();
    crossings.split(Option::is_none).map(|piece| piece.iter().flatten().copied().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_changes_by_interpolation() {
        let changes = sign_changes(&[1.0, 2.0, 4.0], &[0.0, 1.0], &[&[-1.0, -0.5, 0.5], &[1.0, 2.0, 3.0]]);
        assert_eq!(changes.concat(), [(3.0, 0.0)], "the second row never changes its sign");
    }
}
