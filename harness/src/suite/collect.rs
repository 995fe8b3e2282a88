//! Table 1 from the solutions of many runs.

use valleys_sim::estimate::{Confidence, Moments, paired_test};
use valleys_sim::record::{Solution, Spread, Table1, Table1Difference, Table1Row};

use super::Cell;
use crate::Result;

/// What came of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellResult {
    /// The cell.
    pub cell: Cell,
    /// The data set's title, such as `CIFAR-10`.
    pub data: String,
    /// Its solutions, named by network and phase, such as `ResNet-20 SWA`.
    pub solutions: Vec<Solution>,
}

/// A number of a solution, with its name.
type Quantity = (&'static str, fn(&Solution) -> f64);

const QUANTITIES: [Quantity; 4] = [
    ("train loss", |solution| solution.train_loss),
    ("train accuracy", |solution| solution.train_accuracy),
    ("test loss", |solution| solution.test_loss),
    ("test accuracy", |solution| solution.test_accuracy),
];

/// Means and standard deviations over seeds, and the differences of a network's first solution from each other one, seed
/// by seed. Rows keep the order of the cells, solutions that of their runs.
///
/// # Errors
/// [`Error::Sim`](crate::Error::Sim) if a loss or an accuracy is not finite.
pub fn collect(results: &[CellResult], setting: String) -> Result<Table1> {
    let mut table = Table1 { rows: Vec::new(), differences: Vec::new(), setting };
    let mut groups: Vec<(String, &str, Vec<&CellResult>)> = Vec::new();
    for result in results {
        let network = result.cell.network.title();
        match groups.iter_mut().find(|(name, data, _)| *name == network && *data == result.data) {
            Some((_, _, runs)) => runs.push(result),
            None => groups.push((network, &result.data, vec![result])),
        }
    }
    for (network, data, runs) in groups {
        let mut names: Vec<&str> = Vec::new();
        for solution in runs.iter().flat_map(|run| &run.solutions) {
            if !names.contains(&solution.name.as_str()) {
                names.push(&solution.name);
            }
        }
        let short = |name: &str| name.strip_prefix(&network).map_or(name, str::trim).to_owned();
        let of = |run: &CellResult, name: &str, value: fn(&Solution) -> f64| {
            run.solutions.iter().find(|solution| solution.name == name).map(value)
        };
        for name in &names {
            let spread = |place: usize| {
                let values: Vec<f64> = runs.iter().filter_map(|run| of(run, name, QUANTITIES[place].1)).collect();
                let moments = Moments::of(&values);
                (Spread { mean: moments.mean(), deviation: moments.variance().map(f64::sqrt) }, moments.count())
            };
            table.rows.push(Table1Row {
                network: network.clone(),
                data: data.to_owned(),
                solution: short(name),
                runs: spread(0).1,
                train_loss: spread(0).0,
                train_accuracy: spread(1).0,
                test_loss: spread(2).0,
                test_accuracy: spread(3).0,
            });
        }
        let Some((first, others)) = names.split_first() else { continue };
        for second in others {
            for (quantity, value) in QUANTITIES {
                let both = runs.iter().filter_map(|run| Some(of(run, first, value)? - of(run, second, value)?));
                let differences: Vec<f64> = both.collect();
                if differences.is_empty() {
                    continue;
                }
                let moments = Moments::of(&differences);
                table.differences.push(Table1Difference {
                    network: network.clone(),
                    data: data.to_owned(),
                    first: short(first),
                    second: short(second),
                    quantity: quantity.to_owned(),
                    runs: moments.count(),
                    mean: moments.mean(),
                    half_width: moments.student(Confidence::P95).ok().map(|interval| interval.half_width()),
                    test: paired_test(&differences)?,
                });
            }
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;

    fn result(seed: u64, data: &str, accuracies: &[(&str, f64)]) -> CellResult {
        let solution = |(name, accuracy): &(&str, f64)| Solution {
            name: format!("MLP {name}"),
            chosen: String::new(),
            train_loss: 0.5,
            train_accuracy: 0.75,
            test_loss: 1.0 - accuracy,
            test_accuracy: *accuracy,
        };
        CellResult {
            cell: Cell { network: Architecture::Mlp, data: data.into(), seed },
            data: data.into(),
            solutions: accuracies.iter().map(solution).collect(),
        }
    }

    #[test]
    fn means_deviations_and_paired_differences() {
        let results = [
            result(1, "A", &[("SWA", 0.5), ("SGD after SWA", 0.25)]),
            result(1, "B", &[("SWA", 0.9)]),
            result(2, "A", &[("SWA", 0.75), ("SGD after SWA", 0.375)]),
            result(3, "A", &[("SWA", 1.0)]),
        ];
        let table = collect(&results, "as such".into()).expect("finite");
        let rows: Vec<_> = table.rows.iter().map(|row| (row.data.as_str(), row.solution.as_str(), row.runs)).collect();
        assert_eq!(rows, [("A", "SWA", 3), ("A", "SGD after SWA", 2), ("B", "SWA", 1)]);
        assert_eq!(table.rows[0].test_accuracy, Spread { mean: 0.75, deviation: Some(0.25) });
        assert_eq!(table.rows[2].test_accuracy.deviation, None);
        assert_eq!(table.differences.len(), 4, "one pair of solutions, four quantities");
        let difference = &table.differences[3];
        assert_eq!((difference.quantity.as_str(), difference.runs, difference.mean), ("test accuracy", 2, 0.3125));
        assert_eq!(difference.test.sign_flip, Some(0.5));
        // Of 0.25 and 0.375: standard error 1/16, and Student's quantile with one degree of freedom is 12.706.
        assert!((difference.half_width.expect("two runs") - 12.706_204_736 / 16.0).abs() < 1e-6);
    }
}
