//! Random halves of the examples behind a profile.

use rand::RngExt;

use super::Examples;
use crate::{Error, Profile, Result, Seed};

/// The examples that splits are drawn from.
pub(super) struct Parts<'a> {
    train: Pool<'a>,
    /// The test examples, where they are not the other half of the pool.
    test: Option<Pool<'a>>,
}

/// A profile with its per-example losses, one row an offset.
struct Pool<'a> {
    profile: &'a Profile,
    rows: &'a [Vec<f64>],
}

impl<'a> Parts<'a> {
    pub(super) fn of(examples: Examples<'a>) -> Result<Self> {
        match examples {
            Examples::Pooled(pool) => Ok(Self { train: Pool::of("pool", pool)?, test: None }),
            Examples::Separate { train, test } => {
                Ok(Self { train: Pool::of("training profile", train)?, test: Some(Pool::of("test profile", test)?) })
            }
        }
    }

    /// The numbers of examples in the training and in the population part.
    pub(super) fn sizes(&self) -> (usize, usize) {
        let all = self.train.count();
        (all / 2, self.test.as_ref().map_or(all - all / 2, |test| test.count() / 2))
    }

    /// R of the training and of the population part.
    pub(super) fn half_lines(&self) -> (f64, f64) {
        let train = self.train.profile.half_line();
        (train, self.test.as_ref().map_or(train, |test| test.profile.half_line()))
    }

    /// How far shifts go either way, see [`shift::shifts`](crate::shift::shifts).
    pub(super) fn room(&self, radius: f64) -> f64 {
        self.half_lines().1 - radius
    }

    /// Split number `index`: the mean losses of its training and of its population part.
    pub(super) fn split(&self, seed: Seed, index: u64) -> Result<(Profile, Profile)> {
        let (half, rest) = halves(self.train.count(), seed, "split", index);
        let train = self.train.mean(&half)?;
        let population = match &self.test {
            None => self.train.mean(&rest)?,
            Some(test) => test.mean(&halves(test.count(), seed, "split test", index).0)?,
        };
        Ok((train, population))
    }
}

impl<'a> Pool<'a> {
    fn of(name: &str, profile: &'a Profile) -> Result<Self> {
        let rows = profile.examples().ok_or_else(|| {
            Error::domain(format!("per-example losses of the {name}"), "none", "a profile that keeps them")
        })?;
        Ok(Self { profile, rows })
    }

    fn count(&self) -> usize {
        self.rows[0].len()
    }

    /// The mean losses of some examples.
    fn mean(&self, chosen: &[usize]) -> Result<Profile> {
        let mean = |row: &Vec<f64>| chosen.iter().map(|&i| row[i]).sum::<f64>() / chosen.len() as f64;
        Profile::new(self.profile.offsets().to_vec(), self.rows.iter().map(mean).collect())
    }
}

/// A random half of `count` ≥ 2 examples (the smaller, if odd) and the other half, both in increasing order, so that sums
/// do not depend on the order of drawing.
pub(super) fn halves(count: usize, seed: Seed, purpose: &str, index: u64) -> (Vec<usize>, Vec<usize>) {
    let mut rng = seed.stream(purpose, index);
    let mut order: Vec<usize> = (0..count).collect();
    for i in 0..count / 2 {
        order.swap(i, rng.random_range(i..count));
    }
    let mut rest = order.split_off(count / 2);
    order.sort_unstable();
    rest.sort_unstable();
    (order, rest)
}
