//! What a seed decides before training: examples, first iterate and, in the official script, the direction.

use rand::RngExt;

use super::PER_CLASS;
use crate::loss::Neuron;
use crate::seed::standard_normal;
use crate::{Error, Result, Seed};

/// Seeds 0 to 49 as PyTorch draws them for the official script, written by `tests/pytorch/appendix_a.py`.
const OFFICIAL: &str = include_str!("../../../tests/fixtures/appendix_a_draws.csv");

/// Numbers in a row of [`OFFICIAL`] after the seed: the inputs, the first iterate, the direction.
const NUMBERS: usize = 2 * PER_CLASS + 2 + 2;

/// The examples and the first iterate (weight, bias).
pub(super) struct Draw {
    pub(super) neuron: Neuron,
    pub(super) start: [f64; 2],
}

/// Draw number `index` of our own streams: inputs from N(±1, 1), the first iterate from U(−1, 1)², the usual start of a
/// linear layer with one input.
pub(super) fn own(seed: Seed, index: u64) -> Result<Draw> {
    let mut data = seed.stream("appendix-a data", index);
    let mut class = |mean: f64| -> Vec<f64> { (0..PER_CLASS).map(|_| mean + standard_normal(&mut data)).collect() };
    let neuron = Neuron::new(&class(1.0), &class(-1.0))?;
    let mut start = seed.stream("appendix-a start", index);
    let mut uniform = || 2.0 * start.random::<f64>() - 1.0;
    Ok(Draw { neuron, start: [uniform(), uniform()] })
}

/// All official draws, in the order of their seeds 0, 1, …, each with its direction. Every number is a 32-bit float.
pub(super) fn official() -> Result<Vec<(Draw, [f64; 2])>> {
    OFFICIAL.lines().skip(1).enumerate().map(|(seed, row)| parse(seed, row)).collect()
}

fn parse(seed: usize, row: &str) -> Result<(Draw, [f64; 2])> {
    let wrong = || {
        Error::domain(
            "row of appendix_a_draws.csv",
            row,
            format!("seed {seed}, then {NUMBERS} numbers, comma-separated"),
        )
    };
    let mut fields = row.split(',');
    if fields.next() != Some(&seed.to_string()) {
        return Err(wrong());
    }
    let numbers: Vec<f64> = fields
        .map(|field| field.parse::<f32>().map(f64::from))
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| wrong())?;
    let [inputs @ .., w, b, u, v] = numbers.as_slice() else { return Err(wrong()) };
    if inputs.len() != 2 * PER_CLASS {
        return Err(wrong());
    }
    let (class0, class1) = inputs.split_at(PER_CLASS);
    Ok((Draw { neuron: Neuron::new(class0, class1)?, start: [*w, *b] }, [*u, *v]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_draws_are_fifty() {
        let draws = official().expect("well-formed");
        assert_eq!(draws.len(), 50);
        for (draw, direction) in draws {
            assert_eq!(draw.neuron.examples(), 20);
            assert!(draw.start.iter().all(|x| x.abs() <= 1.0));
            assert!(
                (direction[0].hypot(direction[1]) - 1.0).abs() < 1e-6 && direction[0] >= 0.0 && direction[1] >= 0.0
            );
        }
    }

    #[test]
    fn a_spoilt_row_is_named() {
        let good = OFFICIAL.lines().nth(4).expect("a row");
        assert!(parse(3, good).is_ok());
        for bad in [&good[2..], &good[..good.len() - 12], &good.replace('.', "x"), "", &format!("{good},1")] {
            let message = parse(3, bad).err().expect("spoilt").to_string();
            assert!(
                message.starts_with("row of appendix_a_draws.csv is ") && message.contains("24 numbers"),
                "{message}"
            );
        }
    }

    #[test]
    fn own_draws_have_the_means_of_their_classes() {
        // 20,000 inputs a class: their mean leaves ±1 by 6/√20000 with a chance of 2e-9.
        let mut sums = [0.0; 2];
        for index in 0..2000 {
            let draw = own(Seed(0), index).expect("valid");
            sums[0] += draw.neuron.class0().iter().sum::<f64>();
            sums[1] += draw.neuron.class1().iter().sum::<f64>();
            assert!(draw.start.iter().all(|x| x.abs() <= 1.0));
        }
        assert!((sums[0] / 20_000.0 - 1.0).abs() < 0.0425 && (sums[1] / 20_000.0 + 1.0).abs() < 0.0425, "{sums:?}");
    }
}
