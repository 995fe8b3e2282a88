//! The numbers behind the pictures of a landscape.

use valleys_sim::record::{
    ControlCheck, Controls, DirectionGroup, InterRand, InterRandLine, LineJudgement, Neighbourhood, Plane, Prevalence,
    Rays, SignConsistency, Trajectory,
};

use super::{CERTIFICATE, Cell, Table, certificate_cells, of_judgement, quantities};
use crate::words;

pub(super) fn of_prevalence(name: &str, it: &Prevalence) -> Vec<Table> {
    vec![of_groups(name.to_owned(), &it.groups), of_directions(format!("{name}-directions"), &it.groups)]
}

pub(super) fn of_signs(name: &str, it: &SignConsistency) -> Vec<Table> {
    let mut shares = of_groups(name.to_owned(), &it.groups);
    shares.columns.insert(0, "match_fraction".to_owned());
    shares.rows.iter_mut().zip(&it.fractions).for_each(|(row, &fraction)| row.insert(0, fraction.into()));
    vec![shares, of_directions(format!("{name}-directions"), &it.groups)]
}

/// One row a group.
fn of_groups(name: String, groups: &[DirectionGroup]) -> Table {
    use valleys_sim::asymmetry::Verdict::{Asymmetric, NotAValley, Symmetric, Undecided};
    let rows = groups.iter().map(|group| {
        let best = group.best();
        let mut row = vec![Cell::text(&group.name), Cell::Count(group.directions.len() as u64)];
        row.extend([Asymmetric, Symmetric, NotAValley, Undecided].map(|it| Cell::Count(group.count(it) as u64)));
        row.extend([
            group.share.map(|share| share.estimate).into(),
            group.share.map(|share| share.low).into(),
            group.share.map(|share| share.high).into(),
            Cell::Flag(group.until_asymmetric),
            group.draws_to_first().map_or(Cell::Missing, |draws| Cell::Count(draws as u64)),
            group.mean_cosine.into(),
            best.map_or(Cell::Missing, |row| Cell::Count(row.index)),
        ]);
        row.extend(certificate_cells(best.and_then(|row| row.certificate.as_ref())));
        row
    });
    let columns = [
        "group",
        "directions",
        "asymmetric",
        "symmetric",
        "not_a_valley",
        "undecided",
        "share",
        "share_low_95",
        "share_high_95",
        "until_asymmetric",
        "draws_to_first",
        "mean_cosine",
        "best_index",
    ];
    Table::new(name, &[&columns[..], &CERTIFICATE].concat(), rows)
}

/// One row a direction.
fn of_directions(name: String, groups: &[DirectionGroup]) -> Table {
    let rows = groups.iter().flat_map(|group| group.directions.iter().map(move |row| (group, row)));
    let rows = rows.map(|(group, row)| {
        let mut cells = vec![
            Cell::text(&group.name),
            Cell::Count(row.index),
            Cell::text(words::verdict(row.verdict)),
            Cell::Flag(row.mirrored),
            row.half_line.into(),
            row.rise_along.into(),
            row.rise_against.into(),
            row.imbalance().into(),
        ];
        cells.extend(certificate_cells(row.certificate.as_ref()));
        cells
    });
    let columns = ["group", "index", "verdict", "mirrored", "half_line", "rise_along", "rise_against", "imbalance"];
    Table::new(name, &[&columns[..], &CERTIFICATE].concat(), rows)
}

pub(super) fn of_neighbourhood(name: &str, it: &Neighbourhood) -> Vec<Table> {
    let mut columns = ["offset", "mean", "deviation", "own"].map(str::to_owned).to_vec();
    columns.extend((0..it.curves.len()).map(|number| format!("centre_{number}")));
    let row = |i: usize| {
        let head = [it.mean.offsets()[i], it.mean.losses()[i], it.deviation[i], it.own.losses()[i]];
        head.into_iter().chain(it.curves.iter().map(|curve| curve[i])).map(Cell::from).collect()
    };
    let curves = Table { name: name.to_owned(), columns, rows: (0..it.mean.len()).map(row).collect() };
    let summary =
        [("radius", it.radius), ("centres", it.curves.len() as f64), ("asymmetric_centres", it.asymmetric as f64)];
    [curves, quantities(format!("{name}-summary"), &summary)]
        .into_iter()
        .chain(of_judgement(name, &it.judgement))
        .chain(of_judgement(&format!("{name}-own"), &it.own_judgement))
        .collect()
}

pub(super) fn of_trajectory(name: &str, it: &Trajectory) -> Vec<Table> {
    let mut columns = vec!["offset".to_owned()];
    columns.extend(it.rows.iter().map(|row| format!("loss_epoch_{}", row.epoch)));
    let losses = |i: usize| it.rows.iter().map(move |row| Cell::Number(row.losses[i]));
    let rows = (0..it.offsets.len()).map(|i| std::iter::once(it.offsets[i].into()).chain(losses(i)).collect());
    let curves = Table { name: name.to_owned(), columns, rows: rows.collect() };
    let epochs = it.rows.iter().map(|row| {
        let mut cells =
            vec![Cell::Count(row.epoch.into()), row.position.into(), row.distance.into(), row.departure.into()];
        cells.extend(judged(&row.judgement));
        cells
    });
    let columns = ["epoch", "position_along_u", "distance_from_last", "departure_from_last", "verdict", "mirrored"];
    let mut summary = quantities(format!("{name}-summary"), &[("tolerance", it.tolerance)]);
    let stable = it.stable_from.map_or(Cell::Missing, |epoch| Cell::Count(epoch.into()));
    summary.rows.push(vec![Cell::text("stable_from_epoch"), stable]);
    vec![curves, Table::new(format!("{name}-epochs"), &[&columns[..], &CERTIFICATE].concat(), epochs), summary]
}

/// Verdict, side and canonical certificate.
fn judged(judgement: &LineJudgement) -> Vec<Cell> {
    let mut cells = vec![Cell::text(words::verdict(judgement.verdict)), Cell::Flag(judgement.mirrored)];
    cells.extend(certificate_cells(judgement.canonical.as_ref()));
    cells
}

pub(super) fn of_inter_rand(name: &str, it: &InterRand) -> Vec<Table> {
    let point = |line: &InterRandLine, i: usize| {
        let profiles = [&line.settled_train, &line.settled_test, &line.biased_train, &line.biased_test];
        let mut cells = vec![Cell::text(&line.family), Cell::Count(line.index), line.settled_train.offsets()[i].into()];
        cells.extend(profiles.map(|profile| Cell::Number(profile.losses()[i])));
        cells
    };
    let rows = it.lines.iter().flat_map(|line| (0..line.settled_train.len()).map(move |i| point(line, i)));
    let columns = [
        "family",
        "index",
        "offset",
        "settled_train_loss",
        "settled_test_loss",
        "biased_train_loss",
        "biased_test_loss",
    ];
    let lines = it.lines.iter().map(|line| {
        let mut cells = vec![Cell::text(&line.family), Cell::Count(line.index), line.biased_offset.into()];
        cells.extend(judged(&line.judgement));
        cells
    });
    let heads = ["family", "index", "biased_offset", "verdict", "mirrored"];
    vec![
        Table::new(name, &columns, rows),
        Table::new(format!("{name}-lines"), &[&heads[..], &CERTIFICATE].concat(), lines),
        quantities(format!("{name}-summary"), &[("distance", it.distance)]),
    ]
}

pub(super) fn of_rays(name: &str, it: &Rays) -> Table {
    let rows = it.solutions.iter().flat_map(|solution| {
        (0..it.distances.len()).map(move |i| {
            let excess = solution.train_excess.get(i);
            vec![
                Cell::text(&solution.name),
                it.distances[i].into(),
                solution.train[i].into(),
                solution.train_deviation[i].into(),
                solution.test[i].into(),
                solution.test_deviation[i].into(),
                excess.map(|it| it.estimate).into(),
                excess.map(|it| it.low).into(),
                excess.map(|it| it.high).into(),
            ]
        })
    });
    let columns = [
        "solution",
        "distance",
        "train_loss",
        "train_loss_sd",
        "test_loss",
        "test_loss_sd",
        "train_excess",
        "train_excess_low_95",
        "train_excess_high_95",
    ];
    Table::new(name, &columns, rows)
}

pub(super) fn of_plane(name: &str, it: &Plane) -> Vec<Table> {
    let cells = (0..it.y.len()).flat_map(|row| (0..it.x.len()).map(move |column| (row, column)));
    let rows = cells.map(|(row, column)| {
        vec![it.x[column].into(), it.y[row].into(), it.train[row][column].into(), it.test[row][column].into()]
    });
    let marks = it.marks.iter().map(|mark| vec![Cell::text(&mark.name), mark.x.into(), mark.y.into()]);
    vec![
        Table::new(name, &["x", "y", "train_loss", "test_loss"], rows),
        Table::new(format!("{name}-marks"), &["solution", "x", "y"], marks),
    ]
}

pub(super) fn of_controls(name: &str, it: &Controls) -> Vec<Table> {
    let variants = it.variants.iter().map(|variant| {
        let mut cells = vec![Cell::text(&variant.control), Cell::text(&variant.variant)];
        cells.extend(judged(&variant.judgement));
        cells
    });
    let heads = ["control", "variant", "verdict", "mirrored"];
    let points = it.variants.iter().flat_map(|variant| {
        let train = &variant.train;
        (0..train.len()).map(move |i| {
            let error = train.standard_errors().map(|errors| errors[i]);
            vec![Cell::text(&variant.variant), train.offsets()[i].into(), train.losses()[i].into(), error.into()]
        })
    });
    let check = |check: &ControlCheck| {
        vec![Cell::text(&check.name), check.value.into(), check.standard_error.into(), Cell::text(&check.reading)]
    };
    vec![
        Table::new(name, &[&heads[..], &CERTIFICATE].concat(), variants),
        Table::new(format!("{name}-lines"), &["variant", "offset", "train_loss", "standard_error"], points),
        Table::new(
            format!("{name}-checks"),
            &["check", "value", "standard_error", "reading"],
            it.checks.iter().map(check),
        ),
    ]
}
