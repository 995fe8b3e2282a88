//! What the records that hold the theorems against a network must hold.

use valleys_sim::estimate::Interval;
use valleys_sim::record::{Curvature, GradientNoise, Intervention, ShiftLaw, Theory};

use super::{certificate, column, finite, share, some};
use crate::Result;

pub(super) fn check_shift_law(it: &ShiftLaw) -> Result<()> {
    some("delta", it.delta.len())?;
    for (name, values) in [("delta", &it.delta), ("gap", &it.gap), ("gap_at_zero", &it.gap_at_zero)] {
        column(name, values, it.delta.len())?;
    }
    finite("radius", it.radius)?;
    [it.q.low, it.q.estimate, it.q.high].into_iter().try_for_each(|end| share("q", end))?;
    for quantiles in [&it.delta_quantiles, &it.size_quantiles, &it.gap_quantiles] {
        let values = [quantiles.q05, quantiles.q25, quantiles.q50, quantiles.q75, quantiles.q95];
        column("quantiles", &values, 5)?;
    }
    let Some(promise) = &it.promise else { return Ok(()) };
    certificate("certificate of the promise", &promise.certificate)?;
    finite("step of the promise", promise.step)?;
    interval("gain of the promise", &promise.gain)?;
    promise.on_covered.map_or(Ok(()), |it| {
        let values = [it.largest_gap, it.mean_gap, it.bound, it.mean_bound, it.gain];
        column("covered splits", &values, values.len())
    })
}

pub(super) fn check_intervention(it: &Intervention) -> Result<()> {
    some("rows", it.rows.len())?;
    finite("step", it.step)?;
    share("confidence", it.confidence)?;
    for row in &it.rows {
        interval("gain", &row.gain)?;
        row.flat_is_better_by.map_or(Ok(()), |it| interval("flat_is_better_by", &it))?;
        [row.test.student, row.test.sign_flip].into_iter().flatten().try_for_each(|p| share("p-value", p))?;
    }
    it.predicted.map_or(Ok(()), |bound| finite("predicted", bound))
}

pub(super) fn check_theory(it: &Theory) -> Result<()> {
    some("statements", it.statements.len())?;
    finite("shift", it.shift)?;
    finite("gap", it.gap)?;
    it.canonical.as_ref().map_or(Ok(()), |it| certificate("canonical certificate", it))?;
    it.matched.as_ref().map_or(Ok(()), |it| certificate("matched certificate", it))?;
    for row in it.statements.iter().flat_map(|statement| &statement.bounds) {
        finite(&format!("bound of {}", row.quantity), row.bound)?;
        row.observed.map_or(Ok(()), |seen| finite(&format!("observed of {}", row.quantity), seen))?;
    }
    Ok(())
}

pub(super) fn check_curvature(it: &Curvature) -> Result<()> {
    some("rows", it.rows.len())?;
    share("confidence", it.confidence)?;
    for row in &it.rows {
        let of = |field: &str| format!("{field} at {}", row.name);
        some(&of("eigenvalues"), row.spectrum.largest.len().min(row.spectrum.smallest.len()))?;
        for ritz in row.spectrum.largest.iter().chain(&row.spectrum.smallest) {
            finite(&of("eigenvalue"), ritz.value)?;
            finite(&of("residual"), ritz.residual)?;
        }
        interval(&of("trace"), &row.trace)?;
        column(&of("numbers"), &[row.trace_error, row.step, row.spectrum.asymmetry], 3)?;
    }
    Ok(())
}

pub(super) fn check_noise(it: &GradientNoise) -> Result<()> {
    for (name, value) in [("largest", it.largest), ("variance", it.variance), ("nu", it.nu), ("momentum", it.momentum)]
    {
        finite(name, value)?;
    }
    share("confidence", it.confidence)?;
    interval("mean", &it.mean)?;
    it.skewness.map_or(Ok(()), |skewness| finite("skewness", skewness))?;
    it.tail.map_or(Ok(()), |tail| column("tail", &[tail.index, tail.standard_error], 2))?;
    for row in &it.autocorrelation {
        finite(&format!("autocorrelation at lag {}", row.lag), row.value)?;
        finite(&format!("band at lag {}", row.lag), row.band)?;
    }
    let tests = [it.uncorrelated, it.independent, it.independent_sizes];
    tests.into_iter().flatten().try_for_each(|p| share("p-value", p))
}

fn interval(name: &str, interval: &Interval) -> Result<()> {
    [interval.low, interval.estimate, interval.high].into_iter().try_for_each(|end| finite(name, end))
}
