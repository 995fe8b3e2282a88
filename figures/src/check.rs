//! What a record must hold before it is tabulated or drawn: columns of equal length, finite numbers.
//!
//! Records are plain data with public fields, so nothing else guarantees it. After [`record`] has passed, the rest of
//! this crate indexes freely.

mod evidence;
mod landscape;

use valleys_sim::Profile;
use valleys_sim::asymmetry::Certificate;
use valleys_sim::record::{
    AppendixA, BiasMap, Claims, Comparison, ExactLaw, Interpolation, Line, LineJudgement, Minima, PhaseMap, Record,
    SgdPath, Shift, Solutions, Table1, Threshold, Thresholds, Tightness, Training,
};

use crate::{Error, Result};

/// Checks a record of any kind.
pub(crate) fn record(record: &Record) -> Result<()> {
    match record {
        Record::Minima(minima) => check_minima(minima),
        Record::SgdPath(path) => check_path(path),
        Record::Tightness(tightness) => check_tightness(tightness),
        Record::BiasMap(map) => check_map(map),
        Record::PhaseMap(map) => check_phase_map(map),
        Record::Thresholds(thresholds) => check_thresholds(thresholds),
        Record::ExactLaw(law) => check_law(law),
        Record::Claims(claims) => check_claims(claims),
        Record::AppendixA(appendix) => check_appendix(appendix),
        Record::Training(training) => check_training(training),
        Record::Line(line) => check_line(line),
        Record::Shift(shift) => check_shift(shift),
        Record::Interpolation(interpolation) => check_interpolation(interpolation),
        Record::Solutions(solutions) => check_solutions(solutions),
        Record::Table1(table) => check_table1(table),
        Record::Comparison(comparison) => check_comparison(comparison),
        Record::Prevalence(prevalence) => landscape::check_prevalence(prevalence),
        Record::SignConsistency(signs) => landscape::check_signs(signs),
        Record::Neighbourhood(neighbourhood) => landscape::check_neighbourhood(neighbourhood),
        Record::Trajectory(trajectory) => landscape::check_trajectory(trajectory),
        Record::InterRand(lines) => landscape::check_inter_rand(lines),
        Record::Rays(rays) => landscape::check_rays(rays),
        Record::Plane(plane) => landscape::check_plane(plane),
        Record::Controls(controls) => landscape::check_controls(controls),
        Record::ShiftLaw(law) => evidence::check_shift_law(law),
        Record::Intervention(intervention) => evidence::check_intervention(intervention),
        Record::Theory(theory) => evidence::check_theory(theory),
        Record::Curvature(curvature) => evidence::check_curvature(curvature),
        Record::GradientNoise(noise) => evidence::check_noise(noise),
    }
}

fn check_comparison(comparison: &Comparison) -> Result<()> {
    some("rows", comparison.rows.len())?;
    let predictors = comparison.predictors.len();
    if !(1..=6).contains(&predictors) {
        return Err(Error::record("number of predictors", predictors, "1 to 6"));
    }
    for row in &comparison.rows {
        finite(&format!("gain of {}", row.name), row.gain)?;
        finite(&format!("accuracy_gain of {}", row.name), row.accuracy_gain)?;
        if row.values.len() != predictors {
            let name = format!("number of values of {}", row.name);
            return Err(Error::record(name, row.values.len(), format!("{predictors}, one a predictor")));
        }
        row.values.iter().flatten().try_for_each(|&value| finite(&format!("value of {}", row.name), value))?;
    }
    Ok(())
}

fn check_minima(minima: &Minima) -> Result<()> {
    increasing("offsets", &minima.offsets)?;
    if !(1..=4).contains(&minima.curves.len()) {
        return Err(Error::record("number of curves", minima.curves.len(), "1 to 4"));
    }
    for curve in &minima.curves {
        column(&format!("training of {}", curve.name), &curve.training, minima.offsets.len())?;
        column(&format!("population_plus of {}", curve.name), &curve.population_plus, minima.offsets.len())?;
        column(&format!("population_minus of {}", curve.name), &curve.population_minus, minima.offsets.len())?;
    }
    finite("shift", minima.shift)?;
    finite("biased", minima.biased)?;
    finite("expected_at_minimiser", minima.expected_at_minimiser)?;
    finite("expected_at_biased", minima.expected_at_biased)
}

fn check_path(path: &SgdPath) -> Result<()> {
    some("iterates", path.iterates.len())?;
    column("iterates", &path.iterates, path.iterates.len())?;
    column("running_mean", &path.running_mean, path.iterates.len())
}

fn check_tightness(tightness: &Tightness) -> Result<()> {
    some("rows", tightness.rows.len())?;
    for (i, row) in tightness.rows.iter().enumerate() {
        finite(&format!("x of row {i}"), row.x)?;
        finite(&format!("extremal of row {i}"), row.extremal)?;
        finite(&format!("random_minimum of row {i}"), row.random_minimum)?;
        finite(&format!("corrected of row {i}"), row.corrected)?;
        finite(&format!("printed of row {i}"), row.printed)?;
    }
    for counterexample in &tightness.counterexamples {
        finite(&format!("left of {}", counterexample.fault), counterexample.left)?;
        finite(&format!("right of {}", counterexample.fault), counterexample.right)?;
    }
    Ok(())
}

fn check_map(map: &BiasMap) -> Result<()> {
    increasing("c", &map.c)?;
    increasing("nu", &map.nu)?;
    finite("b_plus", map.b_plus)?;
    finite("half_width", map.half_width)?;
    for (name, rows) in [("long_run", &map.long_run), ("round", &map.round)] {
        if rows.len() != map.nu.len() {
            return Err(Error::record(
                format!("number of rows of {name}"),
                rows.len(),
                format!("{}, one a value of nu", map.nu.len()),
            ));
        }
        for (i, row) in rows.iter().enumerate() {
            column(&format!("row {i} of {name}"), row, map.c.len())?;
        }
    }
    map.thresholds.iter().try_for_each(threshold)
}

fn check_phase_map(map: &PhaseMap) -> Result<()> {
    increasing("c", &map.c)?;
    increasing("nu", &map.nu)?;
    finite("b_plus", map.b_plus)?;
    finite("c_prime", map.c_prime)?;
    finite("half_width", map.half_width)?;
    if map.rows.len() != map.nu.len() {
        let wanted = format!("{}, one a value of nu", map.nu.len());
        return Err(Error::record("number of rows", map.rows.len(), wanted));
    }
    for (i, row) in map.rows.iter().enumerate() {
        column(&format!("long_run of row {i}"), &row.long_run, map.c.len())?;
        column(&format!("round of row {i}"), &row.round, map.c.len())?;
        shares(&format!("negative of row {i}"), &row.negative, map.c.len())?;
        if row.steps.len() != map.c.len() {
            return Err(Error::record(format!("number of steps of row {i}"), row.steps.len(), map.c.len()));
        }
    }
    map.thresholds.iter().try_for_each(threshold)
}

fn threshold(threshold: &Threshold) -> Result<()> {
    some(&format!("nu of threshold {}", threshold.name), threshold.nu.len())?;
    column(&format!("nu of threshold {}", threshold.name), &threshold.nu, threshold.nu.len())?;
    column(&format!("c of threshold {}", threshold.name), &threshold.c, threshold.nu.len())
}

fn check_thresholds(thresholds: &Thresholds) -> Result<()> {
    finite("momentum_b_plus", thresholds.momentum_b_plus)?;
    finite("momentum_most", thresholds.momentum_most)?;
    thresholds.sufficient.iter().try_for_each(threshold)?;
    for (name, curves) in
        [("long_run", &thresholds.long_run), ("round", &thresholds.round), ("momentum", &thresholds.momentum)]
    {
        some(&format!("curves of {name}"), curves.len())?;
        for curve in curves {
            let of = |field: &str| format!("{field} of {}, {name}", curve.name);
            finite(&of("value"), curve.value)?;
            some(&of("cells"), usize::from(curve.cells))?;
            let nu: Vec<f64> = curve.points.iter().map(|point| point.nu).collect();
            increasing(&of("nu"), &nu)?;
            for point in &curve.points {
                let ends = [point.negative, point.threshold, point.certain];
                ends.into_iter().flatten().try_for_each(|c| finite(&of("c"), c))?;
            }
        }
    }
    Ok(())
}

fn check_law(law: &ExactLaw) -> Result<()> {
    some("rows", law.rows.len())?;
    finite("confidence", law.confidence)?;
    for (i, row) in law.rows.iter().enumerate() {
        for (name, value) in [
            ("flat", row.flat),
            ("sharp", row.sharp),
            ("nu", row.nu),
            ("eta", row.eta),
            ("expected", row.expected),
            ("mean", row.mean),
            ("half_width", row.half_width),
        ] {
            finite(&format!("{name} of row {i}"), value)?;
        }
    }
    Ok(())
}

fn check_claims(claims: &Claims) -> Result<()> {
    some("rows", claims.rows.len())
}

fn check_appendix(appendix: &AppendixA) -> Result<()> {
    increasing("offsets", &appendix.offsets)?;
    some("seeds", appendix.seeds.len())?;
    for seed in &appendix.seeds {
        let of = |field: &str| format!("{field} of seed {}", seed.seed);
        column(&of("losses"), &seed.losses, appendix.offsets.len())?;
        column(&of("last"), &seed.last, 2)?;
        column(&of("averaged"), &seed.averaged, 2)?;
        column(&of("direction"), &seed.direction, 2)?;
        seed.optimum.as_ref().map_or(Ok(()), |it| column(&of("optimum"), it, 2))?;
        share(&of("circle_share"), seed.circle_share)?;
        share(&of("circle_valley_share"), seed.circle_valley_share)?;
        seed.certificate.as_ref().map_or(Ok(()), |it| certificate(&of("certificate"), it))?;
    }
    Ok(())
}

fn check_training(training: &Training) -> Result<()> {
    some("epochs", training.epochs.len())?;
    for (i, epoch) in training.epochs.iter().enumerate() {
        if i > 0 && epoch.epoch <= training.epochs[i - 1].epoch {
            let before = training.epochs[i - 1].epoch;
            return Err(Error::record(format!("number of epoch {i}"), epoch.epoch, format!("more than {before}")));
        }
        let of = |field: &str| format!("{field} of epoch {}", epoch.epoch);
        finite(&of("learning_rate"), epoch.learning_rate)?;
        finite(&of("running_loss"), epoch.running_loss)?;
        share(&of("running_accuracy"), epoch.running_accuracy)?;
        for (field, loss) in [
            ("held_out_loss", epoch.held_out_loss),
            ("test_loss", epoch.test_loss),
            ("swa_test_loss", epoch.swa_test_loss),
        ] {
            loss.map_or(Ok(()), |loss| finite(&of(field), loss))?;
        }
        for (field, accuracy) in [
            ("held_out_accuracy", epoch.held_out_accuracy),
            ("test_accuracy", epoch.test_accuracy),
            ("swa_test_accuracy", epoch.swa_test_accuracy),
        ] {
            accuracy.map_or(Ok(()), |accuracy| share(&of(field), accuracy))?;
        }
    }
    Ok(())
}

fn check_line(line: &Line) -> Result<()> {
    if let Some(test) = &line.test {
        same_offsets(&line.train, test)?;
    }
    for (name, accuracy) in [("train_accuracy", &line.train_accuracy), ("test_accuracy", &line.test_accuracy)] {
        if let Some(accuracy) = accuracy {
            shares(name, accuracy, line.train.len())?;
        }
    }
    judgement(&line.judgement)
}

fn check_shift(shift: &Shift) -> Result<()> {
    increasing("delta", &shift.delta)?;
    column("gap", &shift.gap, shift.delta.len())?;
    finite("radius", shift.radius)?;
    finite("best_delta", shift.best_delta)?;
    finite("best_gap", shift.best_gap)?;
    finite("gap_at_zero", shift.gap_at_zero)?;
    same_offsets(&shift.train, &shift.test)
}

fn check_interpolation(interpolation: &Interpolation) -> Result<()> {
    same_offsets(&interpolation.train, &interpolation.test)?;
    shares("train_accuracy", &interpolation.train_accuracy, interpolation.train.len())?;
    shares("test_accuracy", &interpolation.test_accuracy, interpolation.train.len())?;
    finite("distance", interpolation.distance)?;
    finite("bump", interpolation.bump)?;
    judgement(&interpolation.judgement)
}

fn check_solutions(solutions: &Solutions) -> Result<()> {
    some("rows", solutions.rows.len())?;
    for row in &solutions.rows {
        finite(&format!("train_loss of {}", row.name), row.train_loss)?;
        finite(&format!("test_loss of {}", row.name), row.test_loss)?;
        share(&format!("train_accuracy of {}", row.name), row.train_accuracy)?;
        share(&format!("test_accuracy of {}", row.name), row.test_accuracy)?;
    }
    Ok(())
}

fn check_table1(table: &Table1) -> Result<()> {
    some("rows", table.rows.len())?;
    for row in &table.rows {
        let name = |field: &str| format!("{field} of {} {} on {}", row.network, row.solution, row.data);
        for (field, value) in [("train_loss", row.train_loss), ("test_loss", row.test_loss)] {
            finite(&name(field), value.mean)?;
        }
        for (field, value) in [("train_accuracy", row.train_accuracy), ("test_accuracy", row.test_accuracy)] {
            share(&name(field), value.mean)?;
        }
        for spread in [row.train_loss, row.train_accuracy, row.test_loss, row.test_accuracy] {
            spread.deviation.map_or(Ok(()), |deviation| finite(&name("a deviation"), deviation))?;
        }
    }
    for it in &table.differences {
        let name = format!("difference in {} of {} on {}", it.quantity, it.network, it.data);
        finite(&name, it.mean)?;
        it.half_width.map_or(Ok(()), |half| finite(&name, half))?;
        for p in [it.test.student, it.test.sign_flip].into_iter().flatten() {
            share(&format!("p-value of the {name}"), p)?;
        }
    }
    Ok(())
}

fn judgement(judgement: &LineJudgement) -> Result<()> {
    finite("half_line", judgement.half_line)?;
    judgement.canonical.as_ref().map_or(Ok(()), |it| certificate("canonical certificate", it))?;
    judgement.matched.as_ref().map_or(Ok(()), |it| certificate("matched certificate", it))?;
    for point in &judgement.front {
        finite("width of a point of the front", point.width)?;
        certificate("certificate of the front", &point.certificate)?;
    }
    Ok(())
}

fn certificate(name: &str, certificate: &Certificate) -> Result<()> {
    for (field, value) in [
        ("r_hi", certificate.r_hi),
        ("r_lo", certificate.r_lo),
        ("p", certificate.p),
        ("c", certificate.c),
        ("gain", certificate.gain),
    ] {
        finite(&format!("{field} of the {name}"), value)?;
    }
    Ok(())
}

fn same_offsets(train: &Profile, test: &Profile) -> Result<()> {
    if train.offsets() == test.offsets() {
        return Ok(());
    }
    let ends = |profile: &Profile| {
        let offsets = profile.offsets();
        format!("{} points from {} to {}", offsets.len(), offsets[0], offsets[offsets.len() - 1])
    };
    Err(Error::record("test profile", ends(test), format!("the offsets of the training profile, {}", ends(train))))
}

fn increasing(name: &str, values: &[f64]) -> Result<()> {
    some(name, values.len())?;
    column(name, values, values.len())?;
    match values.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(Error::record(format!("a value of {name}"), pair[1], format!("more than {}", pair[0]))),
        None => Ok(()),
    }
}

fn shares(name: &str, values: &[f64], wanted: usize) -> Result<()> {
    column(name, values, wanted)?;
    values.iter().try_for_each(|&value| share(name, value))
}

fn column(name: &str, values: &[f64], wanted: usize) -> Result<()> {
    if values.len() != wanted {
        return Err(Error::record(format!("number of values of {name}"), values.len(), wanted));
    }
    values.iter().try_for_each(|&value| finite(name, value))
}

fn some(name: &str, seen: usize) -> Result<()> {
    if seen == 0 { Err(Error::record(format!("number of {name}"), 0, "at least 1")) } else { Ok(()) }
}

fn finite(name: &str, value: f64) -> Result<()> {
    if value.is_finite() { Ok(()) } else { Err(Error::record(name, value, "a finite number")) }
}

fn share(name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(Error::record(name, value, "a share in [0, 1]")) }
}
