//! What a run leaves behind: plain, serialisable results, from which every table and picture is made.
//!
//! This module touches no files. A [`Sink`] receives records; the command implements it as a run folder.

mod appendix_a;
mod claims;
mod comparison;
mod controls;
mod curvature;
mod evidence;
mod intervention;
mod landscape;
mod line;
mod minima;
mod shift_law;
mod table1;
mod theorem1;
mod theorem2;
mod theory;
mod training;

use serde::{Deserialize, Serialize};

pub use appendix_a::{AppendixA, AppendixASeed};
pub use claims::{ClaimRow, Claims, TrialRow, WeakeningRow};
pub use comparison::{Comparison, ComparisonRow, Predictor};
pub use controls::NoiseFloor;
pub use curvature::{Curvature, CurvatureRow};
pub use evidence::{Autocorrelation, GradientNoise, HillTail, HypothesisRow, Standing};
pub use intervention::{Intervention, InterventionRow, MoveKind};
pub use landscape::{
    ControlCheck, ControlVariant, Controls, DirectionGroup, DirectionRow, InterRand, InterRandLine, Neighbourhood,
    Plane, PlaneMark, Prevalence, RaySolution, Rays, SignConsistency, Trajectory, TrajectoryRow,
};
pub use line::{FrontPoint, Interpolation, Line, LineJudgement, Shift};
pub use minima::{Minima, MinimumCurve};
pub use shift_law::{CoveredSplits, Quantiles, ShiftLaw, SplitPromise};
pub use table1::{Spread, Table1, Table1Difference, Table1Row};
pub use theorem1::{Counterexample, Tightness, TightnessRow};
pub use theorem2::{
    BiasMap, ExactLaw, ExactLawRow, PhaseMap, PhaseMapRow, SgdPath, Threshold, ThresholdCurve, ThresholdPoint,
    Thresholds,
};
pub use theory::{BoundRow, StatementRow, Theory};
pub use training::{Epoch, Solution, Solutions, Training};

/// Receives the results of a run, one name each.
pub trait Sink {
    /// Why a record could not be kept.
    type Error;
    /// Keeps a record under a name such as `theorem2-map`.
    fn put(&mut self, name: &str, record: &Record) -> Result<(), Self::Error>;
}

/// One result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// Figure 1 of the paper.
    Minima(Minima),
    /// Figure 5 of the paper.
    SgdPath(SgdPath),
    /// Theorem 1's difference beside its bound.
    Tightness(Tightness),
    /// Theorem 2's averages over (c, ν).
    BiasMap(BiasMap),
    /// The means of SGD with given slopes over (c, ν).
    PhaseMap(PhaseMap),
    /// Theorem 2's thresholds, computed.
    Thresholds(Thresholds),
    /// The exact law (E), simulated.
    ExactLaw(ExactLaw),
    /// Every claim with its standing.
    Claims(Claims),
    /// The two-parameter network.
    AppendixA(AppendixA),
    /// Losses and accuracies by epoch.
    Training(Training),
    /// A network's loss along one direction.
    Line(Line),
    /// The shift between a train and a test profile.
    Shift(Shift),
    /// The line through the SWA and the SGD solution.
    Interpolation(Interpolation),
    /// How often random directions are asymmetric.
    Prevalence(Prevalence),
    /// Asymmetry against the signs of a direction.
    SignConsistency(SignConsistency),
    /// One direction through neighbouring centres.
    Neighbourhood(Neighbourhood),
    /// One direction through the iterates of a run.
    Trajectory(Trajectory),
    /// Directions between SWA − SGD and a random one.
    InterRand(InterRand),
    /// Random rays from several solutions.
    Rays(Rays),
    /// The loss on a plane.
    Plane(Plane),
    /// One line under controls.
    Controls(Controls),
    /// The shift over random splits of the examples.
    ShiftLaw(ShiftLaw),
    /// A solution moved.
    Intervention(Intervention),
    /// What a line says of the theorems.
    Theory(Theory),
    /// The ends of the Hessian's spectrum.
    Curvature(Curvature),
    /// The noise of minibatch gradients along a direction.
    GradientNoise(GradientNoise),
    /// A run's solutions.
    Solutions(Solutions),
    /// The solutions of many runs, Table 1 of the paper.
    Table1(Table1),
    /// What is measured around the solutions of many runs, and what averaging gains.
    Comparison(Comparison),
}
