//! Figure 5: SGD's iterates on an asymmetric function of one variable, and their running average.

use crate::loss::{PiecewiseLinear, Univariate};
use crate::profile::grid;
use crate::record::SgdPath;
use crate::sgd::{NoiseLaw, Process, Setting, Valley, running_mean};
use crate::{Error, Profile, Result, Seed};

/// What [`path`] draws.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `flat` | 0.5 | slope b of the flat side | > 0 |
/// | `sharp` | 4 | slope s of the sharp side | > b |
/// | `nu` | 0.5 | noise bound ν | ≥ 0 |
/// | `eta` | 0.2 | step size η | > 0 |
/// | `noise` | uniform | the noise's law | |
/// | `start` | 1.5 | w₀ | finite |
/// | `steps` | 120 | number of iterates | ≥ 1 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathConfig {
    /// b, the flat slope.
    pub flat: f64,
    /// s, the size of the sharp slope.
    pub sharp: f64,
    /// ν, the noise bound.
    pub nu: f64,
    /// η, the step size.
    pub eta: f64,
    /// The noise's law.
    pub noise: NoiseLaw,
    /// w₀.
    pub start: f64,
    /// The number of iterates.
    pub steps: u32,
}

impl Default for PathConfig {
    fn default() -> Self {
        Self { flat: 0.5, sharp: 4.0, nu: 0.5, eta: 0.2, noise: NoiseLaw::Uniform, start: 1.5, steps: 120 }
    }
}

/// Runs chain 0 of the seed in a two-slope valley, and samples the valley over the range visited.
pub fn path(config: &PathConfig, seed: Seed) -> Result<SgdPath> {
    let &PathConfig { flat, sharp, nu, eta, noise, start, steps } = config;
    crate::error::finite("start", start)?;
    if steps == 0 {
        return Err(Error::domain("number of iterates", steps, "at least 1"));
    }
    let setting = Setting::new(Valley::two_slope(flat, sharp)?, eta, nu)?;
    let gradient = PiecewiseLinear::new(vec![0.0], vec![-sharp, flat], (0.0, 0.0))?;
    let process = Process { setting, gradient, noise };
    let iterates = process.chain(start, seed.stream("chain", 0)).iterates(steps as usize);
    let farthest = iterates.iter().fold(eta * sharp, |far, w| far.max(w.abs()));
    let loss = Profile::sample(grid(-farthest, farthest, 201)?, |w| process.gradient.value(w))?;
    Ok(SgdPath {
        loss,
        running_mean: running_mean(&iterates),
        iterates,
        setting: format!("slopes {flat} and −{sharp}, η = {eta}, {} noise with ν = {nu}, w₀ = {start}", noise.name()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theorem2::exact_law;

    #[test]
    fn the_running_mean_settles_on_the_flat_side() {
        let config = PathConfig { steps: 100_000, ..PathConfig::default() };
        let path = path(&config, Seed(0)).expect("runs");
        assert_eq!((path.iterates[0], path.running_mean[0], path.iterates.len()), (1.5, 1.5, 100_000));
        // The iterates have a standard deviation below 0.3 and mix within some ten steps: 0.02 is over six standard errors.
        let settled = path.running_mean[99_999];
        assert!((settled - exact_law::mean(0.5, 4.0, 0.2)).abs() < 0.02, "{settled}");
    }

    #[test]
    fn the_loss_covers_the_path() {
        let path = path(&PathConfig::default(), Seed(3)).expect("runs");
        assert!(path.iterates.iter().all(|&w| path.loss.at(w).is_some()));
        assert_eq!(path.loss.at(0.0), Some(0.0));
        assert_eq!(path.loss.at(1.0).map(f64::to_bits), Some(0.5_f64.to_bits()));
    }

    #[test]
    fn bad_parameters_are_named() {
        let message = |config| path(&config, Seed(0)).expect_err("invalid").to_string();
        let config = PathConfig::default();
        assert_eq!(message(PathConfig { steps: 0, ..config }), "number of iterates is 0; allowed: at least 1");
        assert_eq!(
            message(PathConfig { sharp: 0.2, ..config }),
            "sharp slope s is 0.2; allowed: more than the flat slope b = 0.5"
        );
        assert!(path(&PathConfig { start: f64::NAN, ..config }, Seed(0)).is_err());
    }
}
