//! Statistics of a series.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::estimate::{Confidence, Moments};
use crate::record::{Autocorrelation, HillTail};

/// m₃/m₂^(3/2) of the central moments; `None` of a constant.
pub(super) fn skewness(series: &[f64]) -> Option<f64> {
    let mean = Moments::of(series).mean();
    let moment = |power: i32| series.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / series.len() as f64;
    let square = moment(2);
    (square > 0.0).then(|| moment(3) / (square * square.sqrt()))
}

/// Hill's estimate from a share of the largest sizes: k over the sum of ln(X_(i)/X_(k+1)), i ≤ k.
///
/// B. M. Hill, "A simple general approach to inference about the tail of a distribution" (1975).
pub(super) fn hill(sizes: &[f64], share: f64) -> Option<HillTail> {
    let mut sizes = sizes.to_vec();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let used = ((share * sizes.len() as f64) as usize).max(1);
    let beyond = *sizes.get(used)?;
    let logs: f64 = sizes[..used].iter().map(|size| libm::log(size / beyond)).sum();
    let index = used as f64 / logs;
    // A tail of equal sizes has no logarithms, one that reaches 0 infinite ones.
    (index.is_finite() && index > 0.0).then(|| HillTail {
        index,
        standard_error: index / (used as f64).sqrt(),
        used: used as u64,
    })
}

/// The autocorrelations at lags 1 … `lags` with Bartlett's bands z·√((1 + 2Σ_{j<k} r_j²)/n); empty of a constant.
///
/// M. S. Bartlett, "On the theoretical specification and sampling properties of autocorrelated time-series" (1946).
pub(super) fn autocorrelations(series: &[f64], lags: usize, confidence: Confidence) -> Vec<Autocorrelation> {
    let z = confidence.normal_quantile();
    let mut sum = 1.0;
    let row = |(i, value): (usize, f64)| {
        let band = z * (sum / series.len() as f64).sqrt();
        sum += 2.0 * value * value;
        Autocorrelation { lag: i as u64 + 1, value, band }
    };
    correlations(series, lags).unwrap_or_default().into_iter().enumerate().map(row).collect()
}

/// The p-value of independence by Ljung and Box's n(n + 2)Σ r_k²/(n − k), which is χ² with `lags` degrees of freedom for
/// independent values of finite variance; `None` of a constant.
///
/// G. M. Ljung and G. E. P. Box, "On a measure of lack of fit in time series models" (1978).
pub(super) fn ljung_box(series: &[f64], lags: usize) -> Option<f64> {
    let n = series.len() as f64;
    let terms = correlations(series, lags)?.into_iter().enumerate().map(|(i, r)| r * r / (n - (i + 1) as f64));
    chi_squared(n * (n + 2.0) * terms.sum::<f64>(), lags)
}

/// The p-value of uncorrelated values of mean zero by Q* = Σ_k (Σ_t x_t x_(t+k))²/Σ_t x_t² x_(t+k)², which is χ² also where
/// the variance changes with the past; `None` where all products are 0.
///
/// I. Lobato, J. C. Nankervis and N. E. Savin, "Testing for autocorrelation using a modified Box–Pierce Q test" (2001),
/// here about the mean zero that is assumed.
pub(super) fn robust_q(series: &[f64], lags: usize) -> Option<f64> {
    let mut q = 0.0;
    for lag in 1..=lags {
        let products = || series.iter().zip(&series[lag..]).map(|(a, b)| a * b);
        let squares: f64 = products().map(|x| x * x).sum();
        if squares > 0.0 {
            let sum: f64 = products().sum();
            q += sum * sum / squares;
        }
    }
    let any = series.iter().any(|x| x != &0.0);
    if any { chi_squared(q, lags) } else { None }
}

/// The biased autocorrelations r_1 … r_lags; `None` of a constant.
fn correlations(series: &[f64], lags: usize) -> Option<Vec<f64>> {
    let mean = Moments::of(series).mean();
    let centred: Vec<f64> = series.iter().map(|x| x - mean).collect();
    let square: f64 = centred.iter().map(|x| x * x).sum();
    let at = |lag: usize| centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum::<f64>() / square;
    (square > 0.0).then(|| (1..=lags).map(at).collect())
}

/// P(χ² > q).
fn chi_squared(q: f64, freedom: usize) -> Option<f64> {
    ChiSquared::new(freedom as f64).ok().map(|law| law.sf(q))
}
