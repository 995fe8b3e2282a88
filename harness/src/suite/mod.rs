//! The paper's suite: every network on every data set with every seed. What it is, what it costs, what came of it.
//!
//! Nothing here trains: a [`Cell`] is an ordinary training run of its own, which any process or machine can make.

mod collect;
mod cost;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

pub use collect::{CellResult, collect};
pub use cost::{Cost, Rates};

use crate::model::Architecture;
use crate::{Error, Result};

/// Networks, data sets and seeds; [`cells`](Self::cells) checks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The networks.
    pub networks: Vec<Architecture>,
    /// The data sets, as a training run is told of them: a name, a folder, or `NAME=DIR`.
    pub data: Vec<String>,
    /// The root seed of each repetition.
    pub seeds: Vec<u64>,
}

/// One run of a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The network.
    pub network: Architecture,
    /// The data set, as in the grid.
    pub data: String,
    /// The root seed.
    pub seed: u64,
}

impl Grid {
    /// The cells, seed by seed, so that a suite cut short has whole repetitions.
    ///
    /// # Errors
    /// [`Error::Domain`] if a list is empty or names something twice, or two data sets would share a name.
    pub fn cells(&self) -> Result<Vec<Cell>> {
        fn distinct<T: std::hash::Hash + Eq + std::fmt::Display>(
            what: &str,
            list: impl ExactSizeIterator<Item = T>,
        ) -> Result<()> {
            if list.len() == 0 {
                return Err(Error::domain(format!("number of {what}"), 0, "at least 1"));
            }
            let mut seen = HashSet::new();
            for item in list {
                if seen.contains(&item) {
                    return Err(Error::domain(format!("list of {what}"), format!("with {item} twice"), "each once"));
                }
                seen.insert(item);
            }
            Ok(())
        }
        distinct("networks", self.networks.iter())?;
        distinct("data sets", self.data.iter().map(|data| slug(data)))?;
        distinct("seeds", self.seeds.iter())?;
        let mut cells = Vec::new();
        for &seed in &self.seeds {
            for &network in &self.networks {
                cells.extend(self.data.iter().map(|data| Cell { network, data: data.clone(), seed }));
            }
        }
        Ok(cells)
    }
}

impl Cell {
    /// Its name, for files: `NETWORK-DATA-SEED`.
    pub fn name(&self) -> String {
        format!("{}-{}-{}", self.network, slug(&self.data), self.seed)
    }
}

/// What a data set is called in names of files: its name, or that of its folder, in small letters, digits and `-`.
fn slug(data: &str) -> String {
    let name = data.split_once('=').map_or(data, |(name, _)| name);
    let name = name.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(name);
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(data: &[&str], seeds: &[u64]) -> Grid {
        Grid {
            networks: vec![Architecture::Mlp, Architecture::ResNet8],
            data: data.iter().map(|&data| data.to_owned()).collect(),
            seeds: seeds.to_vec(),
        }
    }

    #[test]
    fn cells_come_seed_by_seed_under_names_for_files() {
        let cells = grid(&["cifar10", "svhn=/data/my svhn", "/data/My Images/"], &[1, 7]).cells().expect("valid");
        let names: Vec<_> = cells.iter().map(Cell::name).collect();
        assert_eq!(names.len(), 12);
        assert_eq!(names[..4], ["mlp-cifar10-1", "mlp-svhn-1", "mlp-my-images-1", "resnet8-cifar10-1"]);
        assert_eq!(names[6], "mlp-cifar10-7");
    }

    #[test]
    fn what_is_missing_or_there_twice_is_named() {
        let message = |data: &[&str], seeds: &[u64]| grid(data, seeds).cells().expect_err("invalid").to_string();
        assert_eq!(message(&[], &[1]), "number of data sets is 0; allowed: at least 1");
        assert_eq!(message(&["cifar10"], &[]), "number of seeds is 0; allowed: at least 1");
        assert_eq!(message(&["cifar10"], &[3, 3]), "list of seeds is with 3 twice; allowed: each once");
        assert!(message(&["cifar10", "cifar10=/elsewhere"], &[1]).contains("cifar10 twice"));
    }
}
