//! What the records of a landscape must hold.

use valleys_sim::record::{
    Controls, DirectionGroup, InterRand, Neighbourhood, Plane, Prevalence, Rays, SignConsistency, Trajectory,
};

use super::{certificate, column, finite, increasing, judgement, same_offsets, share, some};
use crate::{Error, Result};

pub(super) fn check_prevalence(it: &Prevalence) -> Result<()> {
    some("groups", it.groups.len())?;
    it.groups.iter().try_for_each(check_group)
}

pub(super) fn check_signs(it: &SignConsistency) -> Result<()> {
    increasing("fractions", &it.fractions)?;
    it.fractions.iter().try_for_each(|&fraction| share("a match fraction", fraction))?;
    if it.groups.len() != it.fractions.len() {
        let wanted = format!("{}, one a fraction", it.fractions.len());
        return Err(Error::record("number of groups", it.groups.len(), wanted));
    }
    it.groups.iter().try_for_each(check_group)
}

fn check_group(group: &DirectionGroup) -> Result<()> {
    let of = |field: &str| format!("{field} of {}", group.name);
    some(&of("directions"), group.directions.len())?;
    for row in &group.directions {
        finite(&of("half_line"), row.half_line)?;
        finite(&of("rise_along"), row.rise_along)?;
        finite(&of("rise_against"), row.rise_against)?;
        row.certificate.as_ref().map_or(Ok(()), |it| certificate(&of("certificate"), it))?;
    }
    if let Some(interval) = group.share {
        [interval.low, interval.estimate, interval.high].into_iter().try_for_each(|end| share(&of("share"), end))?;
    }
    group.mean_cosine.map_or(Ok(()), |cosine| finite(&of("mean_cosine"), cosine))
}

pub(super) fn check_neighbourhood(it: &Neighbourhood) -> Result<()> {
    finite("radius", it.radius)?;
    some("curves", it.curves.len())?;
    same_offsets(&it.mean, &it.own)?;
    column("deviation", &it.deviation, it.mean.len())?;
    it.curves.iter().try_for_each(|curve| column("a curve", curve, it.mean.len()))?;
    judgement(&it.own_judgement)?;
    judgement(&it.judgement)
}

pub(super) fn check_trajectory(it: &Trajectory) -> Result<()> {
    increasing("offsets", &it.offsets)?;
    some("rows", it.rows.len())?;
    finite("tolerance", it.tolerance)?;
    let epochs: Vec<f64> = it.rows.iter().map(|row| f64::from(row.epoch)).collect();
    increasing("epochs", &epochs)?;
    for row in &it.rows {
        let of = |field: &str| format!("{field} of epoch {}", row.epoch);
        column(&of("losses"), &row.losses, it.offsets.len())?;
        finite(&of("position"), row.position)?;
        finite(&of("distance"), row.distance)?;
        finite(&of("departure"), row.departure)?;
        judgement(&row.judgement)?;
    }
    Ok(())
}

pub(super) fn check_inter_rand(it: &InterRand) -> Result<()> {
    some("lines", it.lines.len())?;
    finite("distance", it.distance)?;
    for line in &it.lines {
        finite("biased_offset", line.biased_offset)?;
        for profile in [&line.settled_test, &line.biased_train, &line.biased_test] {
            same_offsets(&line.settled_train, profile)?;
        }
        judgement(&line.judgement)?;
    }
    Ok(())
}

pub(super) fn check_rays(it: &Rays) -> Result<()> {
    increasing("distances", &it.distances)?;
    some("solutions", it.solutions.len())?;
    let count = it.distances.len();
    for solution in &it.solutions {
        let of = |field: &str| format!("{field} of {}", solution.name);
        column(&of("train"), &solution.train, count)?;
        column(&of("train_deviation"), &solution.train_deviation, count)?;
        column(&of("test"), &solution.test, count)?;
        column(&of("test_deviation"), &solution.test_deviation, count)?;
        for interval in &solution.train_excess {
            [interval.low, interval.estimate, interval.high]
                .into_iter()
                .try_for_each(|end| finite(&of("train_excess"), end))?;
        }
    }
    Ok(())
}

pub(super) fn check_plane(it: &Plane) -> Result<()> {
    increasing("x", &it.x)?;
    increasing("y", &it.y)?;
    for (name, rows) in [("train", &it.train), ("test", &it.test)] {
        if rows.len() != it.y.len() {
            return Err(Error::record(format!("number of rows of {name}"), rows.len(), it.y.len()));
        }
        rows.iter().try_for_each(|row| column(&format!("a row of {name}"), row, it.x.len()))?;
    }
    it.marks.iter().try_for_each(|mark| {
        let of = |axis: &str| format!("{axis} of {}", mark.name);
        finite(&of("x"), mark.x)?;
        finite(&of("y"), mark.y)
    })
}

pub(super) fn check_controls(it: &Controls) -> Result<()> {
    some("variants", it.variants.len())?;
    it.variants.iter().try_for_each(|variant| judgement(&variant.judgement))?;
    for check in &it.checks {
        finite(&check.name, check.value)?;
        check.standard_error.map_or(Ok(()), |error| finite(&format!("standard error of {}", check.name), error))?;
    }
    Ok(())
}
