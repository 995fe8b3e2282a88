//! The resolved configuration of a run: what `config.toml` holds, and what makes a run the one it is.

use serde::{Deserialize, Serialize};
use valleys_harness::preset::Landscape;
use valleys_harness::train;
use valleys_sim::Seed;
use valleys_sim::appendix_a::{self, Arithmetic, Parameters};
use valleys_sim::ensemble::Plan;
use valleys_sim::sgd::NoiseLaw;
use valleys_sim::theorem2::{BiasMapConfig, PhaseMapConfig, SlopeFamily, ThresholdsConfig};

use crate::cli;
use crate::command::landscape::Counts;
use crate::error::{Error, Result};

/// A run of one or more steps; the tables of steps that are not part of it are left out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Config {
    /// The command, such as `reproduce` or `train`.
    pub(crate) command: String,
    /// The root seed.
    pub(crate) seed: Seed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) theorem2: Option<Theorem2>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phase_map: Option<PhaseMaps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) claims: Option<Claims>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) appendix_a: Option<AppendixA>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) training: Option<train::Config>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) landscape: Option<Landscape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lines: Option<Lines>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) experiment: Option<Experiment>,
}

impl Config {
    /// A run of a command with a seed and nothing else yet.
    pub(crate) fn of(command: &str, seed: Seed) -> Self {
        Self {
            command: command.to_string(),
            seed,
            data: None,
            theorem2: None,
            phase_map: None,
            claims: None,
            appendix_a: None,
            training: None,
            landscape: None,
            lines: None,
            experiment: None,
        }
    }
}

/// The images, by name and contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Data {
    pub(crate) name: String,
    pub(crate) sha256: String,
    /// Training images, those held out included.
    pub(crate) train_images: usize,
    pub(crate) test_images: usize,
    /// Training images kept aside to choose by.
    #[serde(default)]
    pub(crate) held_out: usize,
}

/// The map and the thresholds of Theorem 2.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Theorem2 {
    pub(crate) b_plus: f64,
    pub(crate) chains: u64,
    pub(crate) burn_in: u64,
    pub(crate) steps: u64,
    pub(crate) cells: u16,
}

impl Default for Theorem2 {
    fn default() -> Self {
        Self { b_plus: 0.5, chains: 64, burn_in: 200, steps: 5_000, cells: 100 }
    }
}

impl Theorem2 {
    pub(crate) fn map(&self) -> Result<BiasMapConfig> {
        if !(self.b_plus > 0.0 && self.b_plus <= 1.0) {
            return Err(Error::Usage(format!("--b-plus is {}; allowed: (0, 1], in units of a₊", self.b_plus)));
        }
        let plan = Plan::new(self.chains, self.burn_in, self.steps).map_err(usage)?;
        Ok(BiasMapConfig { b_plus: self.b_plus, plan, ..BiasMapConfig::default() })
    }

    pub(crate) fn thresholds(&self) -> Result<ThresholdsConfig> {
        ThresholdsConfig::with_cells(self.cells).map_err(usage)
    }
}

/// The phase maps: one for every choice of slopes, b₊ and c′.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PhaseMaps {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    pub(crate) slopes: Vec<SlopeFamily>,
    pub(crate) b_plus: Vec<f64>,
    pub(crate) c_prime: Vec<f64>,
    pub(crate) noise: NoiseLaw,
    pub(crate) half_width: f64,
}

impl Default for PhaseMaps {
    /// Coarse ones, which take seconds: a friendly family of slopes and the adversary's.
    fn default() -> Self {
        Self {
            columns: 50,
            rows: 40,
            slopes: vec![SlopeFamily::Smooth, SlopeFamily::Landing],
            b_plus: vec![0.5],
            c_prime: vec![1.0],
            noise: NoiseLaw::Uniform,
            half_width: 0.01,
        }
    }
}

impl PhaseMaps {
    pub(crate) fn new(options: &cli::PhaseMap) -> Self {
        let family = |slopes: &cli::Slopes| match slopes {
            cli::Slopes::Smooth => SlopeFamily::Smooth,
            cli::Slopes::Flattest => SlopeFamily::Flattest,
            cli::Slopes::Steepest => SlopeFamily::Steepest,
            cli::Slopes::Landing => SlopeFamily::Landing,
        };
        Self {
            columns: options.columns,
            rows: options.rows,
            slopes: options.slopes.iter().map(family).collect(),
            b_plus: options.b_plus.clone(),
            c_prime: options.c_prime.clone(),
            noise: match options.noise {
                cli::Noise::Uniform => NoiseLaw::Uniform,
                cli::Noise::TwoPoint => NoiseLaw::TwoPoint,
                cli::Noise::TruncatedGaussian => NoiseLaw::TruncatedGaussian,
                cli::Noise::FineUniform => NoiseLaw::FineUniform,
                cli::Noise::None => NoiseLaw::None,
            },
            half_width: options.half_width,
        }
    }

    /// Every map with the name of its record, which tells what sets it apart from the others.
    pub(crate) fn named(&self) -> Result<Vec<(String, PhaseMapConfig)>> {
        for (option, cells) in [("--columns", self.columns), ("--rows", self.rows)] {
            if cells == 0 {
                return Err(Error::Usage(format!("{option} is 0; allowed: at least 1")));
            }
        }
        let mut maps: Vec<(String, PhaseMapConfig)> = Vec::new();
        for &slopes in &self.slopes {
            for &b_plus in &self.b_plus {
                for &c_prime in &self.c_prime {
                    let mut name = "phase-map".to_string();
                    if self.slopes.len() > 1 {
                        name += &format!("-{}", slopes_name(slopes));
                    }
                    if self.b_plus.len() > 1 {
                        name += &format!("-b{b_plus}");
                    }
                    if self.c_prime.len() > 1 {
                        name += &format!("-cprime{c_prime}");
                    }
                    if maps.iter().any(|(other, _)| *other == name) {
                        let problem = "allowed: each value of --slopes, --b-plus and --c-prime once";
                        return Err(Error::Usage(format!("{name} is asked for twice; {problem}")));
                    }
                    let cells = PhaseMapConfig::of_cells(self.columns.into(), self.rows.into());
                    let (noise, half_width) = (self.noise, self.half_width);
                    let map = PhaseMapConfig { slopes, b_plus, c_prime, noise, half_width, ..cells };
                    map.check().map_err(usage)?;
                    maps.push((name, map));
                }
            }
        }
        Ok(maps)
    }

    /// The command line that makes one of the maps again.
    pub(crate) fn command(&self, map: &PhaseMapConfig, seed: Seed) -> String {
        format!(
            "valleys phase-map --seed {} --columns {} --rows {} --slopes {} --b-plus {} --c-prime {} --noise {} \
             --half-width {}",
            seed.0,
            self.columns,
            self.rows,
            slopes_name(map.slopes),
            map.b_plus,
            map.c_prime,
            map.noise.name(),
            map.half_width
        )
    }
}

/// A family of slopes as the command line calls it.
fn slopes_name(slopes: SlopeFamily) -> &'static str {
    match slopes {
        SlopeFamily::Smooth => "smooth",
        SlopeFamily::Flattest => "flattest",
        SlopeFamily::Steepest => "steepest",
        SlopeFamily::Landing => "landing",
    }
}

/// The examination of the claims.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// Ids of claims or their beginnings; all if there is none.
    pub(crate) names: Vec<String>,
    /// Random instances for each part of an examination.
    pub(crate) cases: u32,
}

/// The network with two parameters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AppendixA {
    pub(crate) protocol: String,
    pub(crate) seeds: u64,
    pub(crate) batch_size: usize,
    pub(crate) converge: bool,
    pub(crate) family: String,
}

impl Default for AppendixA {
    fn default() -> Self {
        Self { protocol: "own".to_string(), seeds: 50, batch_size: 20, converge: false, family: "uniform".to_string() }
    }
}

impl AppendixA {
    pub(crate) fn new(options: &cli::AppendixA) -> Self {
        let protocol = match options.protocol {
            cli::Protocol::Own => "own",
            cli::Protocol::Official => "official",
            cli::Protocol::OfficialDouble => "official-double",
        };
        Self {
            protocol: protocol.to_string(),
            seeds: options.seeds,
            batch_size: options.batch_size.unwrap_or(20),
            converge: options.converge,
            family: options.family.clone(),
        }
    }

    pub(crate) fn experiment(&self) -> Result<appendix_a::Experiment> {
        let default = Self::default();
        let changed = |what: &str| {
            let problem = format!("--protocol {} is the script's own; {what} goes with --protocol own", self.protocol);
            Err(Error::Usage(problem))
        };
        if self.protocol != default.protocol {
            match () {
                () if self.batch_size != default.batch_size => return changed("--batch-size"),
                () if self.converge => return changed("--converge"),
                () if self.family != default.family => return changed("--family"),
                () => {}
            }
        }
        let protocol = match self.protocol.as_str() {
            "official" => appendix_a::Protocol::Official(Arithmetic::Single),
            "official-double" => appendix_a::Protocol::Official(Arithmetic::Double),
            _ => appendix_a::Protocol::Own { training: self.training(), family: self.family.parse().map_err(usage)? },
        };
        Parameters { protocol, seeds: self.seeds, ..Parameters::default() }.check().map_err(usage)
    }

    fn training(&self) -> appendix_a::Training {
        match appendix_a::Training::default() {
            _ if self.converge => appendix_a::Training::Converged,
            appendix_a::Training::Descent { steps, learning_rate, .. } => {
                appendix_a::Training::Descent { steps, batch: self.batch_size, learning_rate }
            }
            converged @ appendix_a::Training::Converged => converged,
        }
    }
}

/// The lines through a solution.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lines {
    /// The solution they go through, `SWA` or `SGD`.
    pub(crate) through: String,
    /// Directions, each a family and a number.
    pub(crate) directions: Vec<(String, u64)>,
}

/// An experiment on the landscape of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Experiment {
    /// Such as `prevalence`.
    pub(crate) name: String,
    /// SHA-256 of all that each solution depends on; of a trajectory, the phase.
    pub(crate) solutions: Vec<String>,
    /// What directions are drawn from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) laws: Vec<String>,
    /// Number of the direction, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u64>,
    /// Directions, centres or rays of each kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) draws: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until_asymmetric: Option<bool>,
    /// Points added where the slope changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refine: Option<usize>,
    /// Points along each axis of a plane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<usize>,
    /// Radius of the ball of neighbouring centres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ball: Option<f64>,
    /// Shares of matching signs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fractions: Vec<f64>,
    /// Random splits of the images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) splits: Option<u32>,
    /// Whether training and test images are split together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pooled: Option<bool>,
    /// How far a solution is moved, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<f64>,
    /// Numbers of permuted and symmetric controls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) controls: Vec<u64>,
    /// Minibatches, or steps of Lanczos' method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<usize>,
    /// Whether the steps of SGD are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moving: Option<bool>,
    /// Eigenvalues at each end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<usize>,
    /// Random vectors for a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) probes: Option<u64>,
    /// Epochs of a trajectory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) epochs: Vec<u32>,
    /// How much of every experiment, where all are run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<Counts>,
}

impl Experiment {
    /// An experiment with a name and nothing else yet.
    pub(crate) fn of(name: &str) -> Self {
        Self { name: name.to_string(), ..Self::default() }
    }
}

/// A value from the command line that the library refuses is a wrong command line.
pub(crate) fn usage(error: impl std::fmt::Display) -> Error {
    Error::Usage(error.to_string())
}
