//! SGD processes of which the corrected Theorem 2 speaks.

use proptest::collection::vec;
use proptest::prelude::*;
use rand::Rng;
use valleys_sim::Result;
use valleys_sim::seed::Stream;
use valleys_sim::sgd::{Noise, NoiseLaw, Process, Setting, Slopes, Valley, signed_unit};

use super::share;
use crate::exact::TwoPointNoise;

/// Slopes, step size and noise bound, in units of a₊.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettingCase {
    /// b₊/a₊ in (0, 1].
    pub b_plus: f64,
    /// What c exceeds its threshold by.
    pub excess: f64,
    /// What |b₋|/a₊ exceeds c by.
    pub steeper: f64,
    /// ν/a₊.
    pub nu: f64,
    /// η.
    pub eta: f64,
}

/// A process: a setting, slopes within its bounds and noise of mean zero within ν.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessCase {
    /// The setting.
    pub setting: SettingCase,
    /// The slopes.
    pub slopes: SlopesCase,
    /// The noise, which depends on the point.
    pub noise: CellNoise,
    /// Where a round starts above the smallest start, in units of ηa₊.
    pub start: f64,
}

/// A family of slopes.
#[derive(Debug, Clone, PartialEq)]
pub enum SlopesCase {
    /// [`Slopes::constant`].
    Constant(f64, f64),
    /// [`Slopes::landing`] at this share of ην.
    Landing(f64),
    /// [`Slopes::smooth`], the scale in units of ηa₊.
    Smooth(f64),
    /// [`Slopes::staircase`], the width in units of ηa₊.
    Staircase(f64, Vec<f64>, Vec<f64>),
}

/// Two-point noise of mean zero that depends on the cell ⌊|w|/width⌋: with shares (x, y) of its cell, ω is −xν or yν.
///
/// The laws repeat; there is at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct CellNoise {
    /// The width of a cell, above 0.
    pub width: f64,
    /// One (x, y) a cell, both in [0, 1].
    pub laws: Vec<(f64, f64)>,
}

impl TwoPointNoise for CellNoise {
    fn outcomes(&self, point: f64, nu: f64) -> [(f64, f64); 2] {
        let (low, high) = self.laws[(point.abs() / self.width) as usize % self.laws.len()];
        if low * high == 0.0 {
            return [(1.0, 0.0), (0.0, 0.0)];
        }
        [(high / (low + high), -low * nu), (low / (low + high), high * nu)]
    }
}

impl Noise for CellNoise {
    fn draw(&self, point: f64, nu: f64, stream: &mut Stream) -> f64 {
        let [(probability, first), (_, second)] = self.outcomes(point, nu);
        if signed_unit(stream.next_u32()) < 2.0 * probability - 1.0 { first } else { second }
    }
}

/// Noise of any mean: the higher outcome of each cell of a [`CellNoise`] always comes.
#[derive(Debug, Clone, PartialEq)]
pub struct BiasedNoise(pub CellNoise);

impl Noise for BiasedNoise {
    fn draw(&self, point: f64, nu: f64, _stream: &mut Stream) -> f64 {
        let (low, high) = self.0.laws[(point.abs() / self.0.width) as usize % self.0.laws.len()];
        (high - low) * nu
    }
}

/// Settings, ν up to 2a₊.
pub fn setting_case() -> impl Strategy<Value = SettingCase> + Clone {
    let b_plus = prop_oneof![1 => Just(1.0), 4 => 0.05..=1.0];
    let excess = prop_oneof![1 => 0.001..0.05, 1 => 0.05..3.0];
    let nu = prop_oneof![1 => Just(0.0), 1 => Just(0.5), 3 => 0.0..2.0];
    (b_plus, excess, prop_oneof![Just(0.0), 0.0..3.0], nu, prop_oneof![Just(1.0), 0.01..2.0])
        .prop_map(|(b_plus, excess, steeper, nu, eta)| SettingCase { b_plus, excess, steeper, nu, eta })
}

/// Processes, ν up to 2a₊.
pub fn process_case() -> impl Strategy<Value = ProcessCase> {
    let slopes = prop_oneof![
        (share(), share()).prop_map(|(flat, sharp)| SlopesCase::Constant(flat, sharp)),
        share().prop_map(SlopesCase::Landing),
        (0.01..5.0).prop_map(SlopesCase::Smooth),
        (0.02..2.0, vec(share(), 1..6), vec(share(), 1..4)).prop_map(|(w, f, s)| SlopesCase::Staircase(w, f, s)),
    ];
    let noise = (0.02..2.0, vec((share(), share()), 1..6)).prop_map(|(width, laws)| CellNoise { width, laws });
    (setting_case(), slopes, noise, prop_oneof![Just(0.0), 0.0..3.0])
        .prop_map(|(setting, slopes, noise, start)| ProcessCase { setting, slopes, noise, start })
}

impl SettingCase {
    /// The setting whose c exceeds `threshold`(ν) by the excess.
    pub fn setting(&self, threshold: impl Fn(f64) -> f64) -> Result<Setting> {
        let c = threshold(self.nu) + self.excess;
        Setting::new(Valley::new(1.0, self.b_plus, c, -(c + self.steeper))?, self.eta, self.nu)
    }
}

impl ProcessCase {
    /// The process whose c exceeds `threshold`(ν) by the excess.
    pub fn process(&self, threshold: impl Fn(f64) -> f64) -> Result<Process<Slopes, CellNoise>> {
        let setting = self.setting.setting(threshold)?;
        let unit = setting.eta();
        let gradient = match &self.slopes {
            SlopesCase::Constant(flat, sharp) => Slopes::constant(&setting, *flat, *sharp),
            SlopesCase::Landing(share) => Slopes::landing(&setting, share * unit * setting.nu()),
            SlopesCase::Smooth(scale) => Slopes::smooth(&setting, scale * unit),
            SlopesCase::Staircase(width, flat, sharp) => {
                Slopes::staircase(&setting, width * unit, flat.clone(), sharp.clone())
            }
        }?;
        let noise = CellNoise { width: self.noise.width * unit, laws: self.noise.laws.clone() };
        Ok(Process { setting, gradient, noise })
    }
}

/// A two-slope setting in which (E) applies: (b, s, ν, η, law).
pub fn exact_law_case() -> impl Strategy<Value = (f64, f64, f64, f64, NoiseLaw)> {
    let law = prop_oneof![Just(NoiseLaw::Uniform), Just(NoiseLaw::TwoPoint), Just(NoiseLaw::TruncatedGaussian)];
    (0.1..2.0, 1.05..8.0, share(), 0.01..1.0, law)
        .prop_map(|(flat, c, share, eta, law): (f64, f64, f64, f64, NoiseLaw)| (flat, c * flat, share * flat, eta, law))
}
