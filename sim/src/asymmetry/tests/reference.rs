//! Definition 1 read off the interpolant itself, one window at a time.

use crate::Profile;

#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) r_lo: f64,
    pub(super) r_hi: f64,
    /// The least p.
    pub(super) p_min: f64,
    pub(super) p: f64,
    pub(super) s: f64,
}

pub(super) fn knots(profile: &Profile) -> Vec<f64> {
    let mut knots: Vec<f64> = profile.offsets().iter().map(|x| x.abs()).filter(|&x| x <= profile.half_line()).collect();
    knots.sort_by(f64::total_cmp);
    knots.dedup_by(|b, a| *b - *a <= 1e-9 * profile.half_line());
    knots
}

/// Every valley window, in the order of ties.
pub(super) fn valleys(profile: &Profile) -> Vec<Window> {
    let knots = knots(profile);
    let at = |x: f64| profile.at(x).expect("inside");
    let lowest_and_highest = |r: f64| {
        let inside = profile.offsets().iter().copied().filter(|x| x.abs() <= r).chain([-r, r]);
        inside.map(at).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)))
    };
    let mut windows = Vec::new();
    for (i, &r_lo) in knots.iter().enumerate() {
        for &r_hi in &knots[i + 1..] {
            let inside: Vec<f64> = knots.iter().copied().filter(|k| (r_lo..=r_hi).contains(k)).collect();
            let slopes = |side: f64| -> Vec<f64> {
                inside.windows(2).map(|k| (at(side * k[1]) - at(side * k[0])) / (k[1] - k[0])).collect()
            };
            let f = slopes(1.0).into_iter().fold(f64::NEG_INFINITY, f64::max);
            let s = slopes(-1.0).into_iter().fold(f64::INFINITY, f64::min);
            let (low, high) = lowest_and_highest(r_hi);
            if lowest_and_highest(r_lo).0 <= low + 1e-9 * (high - low) {
                let p_min = 1e-6 * (high - low) / r_hi;
                windows.push(Window { r_lo, r_hi, p_min, p: f.max(p_min), s });
            }
        }
    }
    windows
}

pub(super) fn best(windows: &[Window], value: impl Fn(&Window) -> Option<f64>) -> Option<(Window, f64)> {
    let top = windows.iter().filter_map(&value).max_by(f64::total_cmp)?;
    windows.iter().find_map(|w| value(w).filter(|&v| v >= top * (1.0 - 1e-9)).map(|v| (*w, v)))
}

impl Window {
    /// c > ratio, beyond rounding.
    pub(super) fn exceeds(&self, ratio: f64) -> bool {
        self.p > 0.0 && self.s > ratio * self.p * (1.0 + 1e-9)
    }

    /// Admissible by the default criteria.
    pub(super) fn is_admissible(&self, profile: &Profile) -> bool {
        self.r_hi - self.r_lo >= 0.2 * profile.half_line() * (1.0 - 1e-9) && self.exceeds(2.0)
    }
}
