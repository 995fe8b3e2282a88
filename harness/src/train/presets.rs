//! The settings of the paper, for every network, and of the experiments beside it.

use serde::{Deserialize, Serialize};
use valleys_sim::Seed;

use super::config::{Checkpoints, Config, PhaseConfig};
use crate::exec::{BackendKind, Weighting};
use crate::model::{Architecture, Family, NormWeights};
use crate::optim::SgdParams;
use crate::{Error, Result};

/// What is trained, one phase after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// SGD with averaging, then SGD from the average (Section 6.1).
    Swa,
    /// Plain SGD, the baseline of the same budget.
    Sgd,
    /// Both: the three solutions of Table 1.
    Table1,
    /// SGD with large batches, then with small ones from there (Appendix G).
    LargeBatch,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::Swa, Self::Sgd, Self::Table1, Self::LargeBatch];

    /// The name to [`parse`](Self::parse).
    pub fn name(self) -> &'static str {
        match self {
            Self::Swa => "swa",
            Self::Sgd => "sgd",
            Self::Table1 => "table1",
            Self::LargeBatch => "large-batch",
        }
    }

    /// The method of a name.
    ///
    /// # Errors
    /// [`Error::Domain`] naming all of them, if the name is none of theirs.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|method| method.name() == name);
        known.ok_or_else(|| Error::domain("method", name, Self::ALL.map(Self::name).join(", ")))
    }
}

/// The numbers that depend on the network (Section 6.1 and the paper's code).
///
/// | | ResNets, DenseNets | VGG-16 | ResNets without batch norm | MLP |
/// |---|---|---|---|---|
/// | η₀ / SWA η | 0.1 / 0.05 | 0.05 / 0.01 | 0.01 / 0.005 | 0.05 / 0.01 |
/// | weight decay | 3e-4 | 5e-4 | 3e-4 | 3e-4 |
/// | epochs / SWA start | 225 / 126 | 300 / 161 | 225 / 126 | 225 / 126 |
///
/// DenseNet's numbers are not published; those of the last two columns are ours: without batch norm, 0.1 diverges.
struct Budget {
    rate: f64,
    swa_rate: f64,
    weight_decay: f64,
    epochs: u32,
    swa_start: u32,
}

impl Budget {
    fn of(network: Architecture) -> Self {
        let paper = Self { rate: 0.1, swa_rate: 0.05, weight_decay: 3e-4, epochs: 225, swa_start: 126 };
        match network.family() {
            Family::ResNet | Family::DenseNet => paper,
            Family::Vgg => Self { rate: 0.05, swa_rate: 0.01, weight_decay: 5e-4, epochs: 300, swa_start: 161 },
            Family::ResNetNoBn => Self { rate: 0.01, swa_rate: 0.005, ..paper },
            Family::Mlp => Self { rate: 0.05, swa_rate: 0.01, ..paper },
        }
    }
}

/// Epochs and rate of SGD from a solution (Section 6.1).
const AFTER: (u32, f64) = (50, 0.001);
/// Images in a large batch: our choice, the paper does not say.
const LARGE: usize = 2048;

impl Config {
    /// The paper's settings for a network. [`Preset::small`](crate::preset::Preset::small) shortens them for a laptop.
    pub fn paper(network: Architecture, method: Method, seed: Seed) -> Self {
        let Budget { rate, swa_rate, weight_decay, epochs, swa_start } = Budget::of(network);
        let swa = PhaseConfig {
            last_learning_rate: Some(swa_rate),
            decay_epochs: Some(swa_start),
            average_from: Some(swa_start),
            ..PhaseConfig::new("swa", epochs, rate)
        };
        let sgd = PhaseConfig { last_learning_rate: Some(0.01 * rate), ..PhaseConfig::new("sgd", epochs, rate) };
        let after = |name: &str, start: &PhaseConfig| PhaseConfig {
            start: start.name.clone(),
            ..PhaseConfig::new(name, AFTER.0, AFTER.1)
        };
        let phases = match method {
            Method::Swa => vec![swa.clone(), after("sgd-after-swa", &swa)],
            Method::Sgd => vec![sgd],
            Method::Table1 => vec![swa.clone(), after("sgd-after-swa", &swa), sgd],
            Method::LargeBatch => {
                let large = PhaseConfig { name: "large-batch".to_owned(), batch_size: LARGE, ..sgd };
                vec![large.clone(), after("small-batch", &large)]
            }
        };
        Self {
            network,
            backend: BackendKind::default(),
            norm_weights: NormWeights::default(),
            momentum: SgdParams::default().momentum,
            weight_decay,
            augment: true,
            statistics: Weighting::BySize,
            evaluate_every: 5,
            evaluate_average: true,
            seed,
            checkpoints: Checkpoints::default(),
            phases,
        }
    }

    /// The same with fewer epochs: `epochs` of every phase that starts at random, averaging from `swa_start` on where it
    /// averages, and `after` at the rate `after_rate` of every phase that goes on from a solution.
    pub fn shortened(mut self, epochs: u32, swa_start: u32, after: u32, after_rate: f64) -> Self {
        for phase in &mut self.phases {
            if phase.start == super::config::RANDOM {
                phase.epochs = epochs;
                phase.decay_epochs = phase.decay_epochs.map(|_| swa_start);
                phase.average_from = phase.average_from.map(|_| swa_start);
            } else {
                (phase.epochs, phase.learning_rate) = (after, after_rate);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_and_method_has_valid_settings() {
        for &network in Architecture::ALL {
            for method in Method::ALL {
                let recipe = Config::paper(network, method, Seed(1)).check().expect("valid");
                assert_eq!(Method::parse(method.name()).expect("known"), method);
                assert!(recipe.epochs() >= 225, "{network}");
                let short = Config::paper(network, method, Seed(1)).shortened(6, 4, 2, 0.005).check().expect("valid");
                assert!(short.phases().iter().all(|phase| phase.epochs() <= 6), "{network}");
            }
        }
    }

    #[test]
    fn the_papers_numbers() {
        let swa = |network| Config::paper(network, Method::Table1, Seed(1)).check().expect("valid");
        let resnet = swa(Architecture::ResNet110);
        let [averaged, after, plain] = resnet.phases() else { panic!("three phases") };
        assert_eq!((averaged.rate(63), averaged.rate(114), averaged.rate(224)), (0.1, 0.05, 0.05));
        let averages = |phase: &super::super::Phase| (0..phase.epochs()).filter(|&done| phase.averages(done)).count();
        assert_eq!((averages(averaged), averages(after), averages(plain)), (100, 0, 0));
        assert_eq!((after.rate(0), after.rate(49), after.epochs()), (0.001, 0.001, 50));
        assert_eq!((plain.rate(0), plain.rate(224)), (0.1, 0.001));
        let vgg = swa(Architecture::Vgg16);
        assert_eq!((averages(&vgg.phases()[0]), vgg.phases()[0].rate(160)), (140, 0.01));
        assert_eq!(vgg.sgd().weight_decay, 5e-4);
    }
}
