//! What a run leaves behind: plain, serialisable results, from which every table and picture is made.
//!
//! This module touches no files. A [`Sink`] receives records; the command implements it as a run folder.

mod comparison;
mod controls;
mod curvature;
mod evidence;
mod intervention;
mod landscape;
mod shift_law;
mod theory;

use serde::{Deserialize, Serialize};

use crate::asymmetry::{Certificate, Verdict};
use crate::estimate::PairedTest;
use crate::profile::Profile;

pub use comparison::{Comparison, ComparisonRow, Predictor};
pub use controls::NoiseFloor;
pub use curvature::{Curvature, CurvatureRow};
pub use evidence::{Autocorrelation, GradientNoise, HillTail, HypothesisRow, Standing};
pub use intervention::{Intervention, InterventionRow, MoveKind};
pub use landscape::{
    ControlCheck, ControlVariant, Controls, DirectionGroup, DirectionRow, InterRand, InterRandLine, Neighbourhood,
    Plane, PlaneMark, Prevalence, RaySolution, Rays, SignConsistency, Trajectory, TrajectoryRow,
};
pub use shift_law::{CoveredSplits, Quantiles, ShiftLaw, SplitPromise};
pub use theory::{BoundRow, StatementRow, Theory};

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

/// Figure 1: three kinds of minimum, each with its population loss L(w) = L̂(w − δ).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Minima {
    /// The points w.
    pub offsets: Vec<f64>,
    /// The shift δ between training and population loss.
    pub shift: f64,
    /// One entry a kind of minimum: sharp, flat, asymmetric.
    pub curves: Vec<MinimumCurve>,
    /// The biased solution w̃ = l of the asymmetric valley (the minimiser is 0).
    pub biased: f64,
    /// E L(0), expected population loss of the minimiser under δ = ±shift, of the asymmetric valley.
    pub expected_at_minimiser: f64,
    /// E L(l), the same for the biased solution.
    pub expected_at_biased: f64,
}

/// One curve of [`Minima`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinimumCurve {
    /// `sharp`, `flat` or `asymmetric`.
    pub name: String,
    /// L̂ at the offsets.
    pub training: Vec<f64>,
    /// L at the offsets for δ = +shift.
    pub population_plus: Vec<f64>,
    /// L at the offsets for δ = −shift.
    pub population_minus: Vec<f64>,
}

/// Figure 5: SGD on a one-dimensional asymmetric function, and its running average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SgdPath {
    /// The function sampled for drawing.
    pub loss: Profile,
    /// w_t for t = 0, 1, ….
    pub iterates: Vec<f64>,
    /// The mean of w_0 … w_t.
    pub running_mean: Vec<f64>,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// Theorem 1 on a family of losses: E L(ŵ) − E L(ŵ + Σ l_i u^i) beside the bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tightness {
    /// What varies along the x axis, with its unit, such as `step l`.
    pub variable: String,
    /// One entry a value of the variable.
    pub rows: Vec<TightnessRow>,
    /// The three counterexamples to the printed theorem.
    pub counterexamples: Vec<Counterexample>,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// One row of [`Tightness`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TightnessRow {
    /// The value of the variable.
    pub x: f64,
    /// The exact difference, over all sign patterns, of an extremal instance.
    pub extremal: f64,
    /// The smallest difference among random admissible instances.
    pub random_minimum: f64,
    /// The corrected bound.
    pub corrected: f64,
    /// The printed bound.
    pub printed: f64,
}

/// A counterexample to a printed statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counterexample {
    /// Which fault of the printed statement it shows.
    pub fault: String,
    /// The left side, as evaluated.
    pub left: f64,
    /// The right side, as printed.
    pub right: f64,
}

/// Theorem 2: averages of SGD over a grid of the asymmetry c and the noise bound ν (in units of a₊).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BiasMap {
    /// The values of c.
    pub c: Vec<f64>,
    /// The values of ν/a₊.
    pub nu: Vec<f64>,
    /// b₊/a₊.
    pub b_plus: f64,
    /// Long-run mean of the iterates in units of η·a₊; one row a value of ν, one column a value of c.
    pub long_run: Vec<Vec<f64>>,
    /// Mean of the round averages w̄, the same units and shape.
    pub round: Vec<Vec<f64>>,
    /// The larger 95 % half-width of the two means over the map, the same units.
    pub half_width: f64,
    /// Curves c(ν) that the theorems name, drawn into the map.
    pub thresholds: Vec<Threshold>,
    /// SGD steps in all.
    pub steps: u64,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// A curve c(ν) above which a statement promises a positive mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Such as `(C) every prepared round`.
    pub name: String,
    /// ν/a₊.
    pub nu: Vec<f64>,
    /// The threshold in c.
    pub c: Vec<f64>,
}

/// Theorem 2's thresholds in c as the worst slopes and noise have them, beside those that suffice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// (L), the mean of all iterates: one curve a b₊.
    pub long_run: Vec<ThresholdCurve>,
    /// (C), the expected average of a prepared round: one curve a b₊.
    pub round: Vec<ThresholdCurve>,
    /// The mean of all iterates with heavy-ball momentum: one curve a μ.
    pub momentum: Vec<ThresholdCurve>,
    /// b₊/a₊ with momentum.
    pub momentum_b_plus: f64,
    /// The largest c that was searched with momentum.
    pub momentum_most: f64,
    /// The thresholds of (L) and of (C), which suffice.
    pub sufficient: Vec<Threshold>,
    /// Parameters in words, for the caption.
    pub setting: String,
}

/// One curve of [`Thresholds`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdCurve {
    /// Such as `b₊ = 0.5 a₊`.
    pub name: String,
    /// What the name says, as a number.
    pub value: f64,
    /// Cells of the lattice to ηa₊.
    pub cells: u16,
    /// One entry a value of ν.
    pub points: Vec<ThresholdPoint>,
}

/// One point of a [`ThresholdCurve`]; nothing is known of a threshold above the range searched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThresholdPoint {
    /// ν/a₊.
    pub nu: f64,
    /// The largest c at which some adversary has a negative mean for certain.
    pub negative: Option<f64>,
    /// The largest c at which the smallest mean on the lattice is not positive.
    pub threshold: Option<f64>,
    /// The smallest c from which all adversaries, on the lattice or not, have a positive mean, if one is known.
    pub certain: Option<f64>,
}

/// The exact law (E): the long-run mean of SGD in a two-slope valley is η(s − b)/2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExactLaw {
    /// One entry a setting.
    pub rows: Vec<ExactLawRow>,
    /// Joint confidence of all intervals, such as 0.999.
    pub confidence: f64,
}

/// One setting of [`ExactLaw`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExactLawRow {
    /// The flat slope b.
    pub flat: f64,
    /// The sharp slope s (the gradient is −s for w < 0).
    pub sharp: f64,
    /// The noise bound ν.
    pub nu: f64,
    /// The step size η.
    pub eta: f64,
    /// The noise's law, such as `uniform`.
    pub noise: String,
    /// η(s − b)/2.
    pub expected: f64,
    /// The simulated long-run mean.
    pub mean: f64,
    /// Half-width of its confidence interval.
    pub half_width: f64,
    /// Whether the law applies: ν ≤ b and ν ≤ s.
    pub applies: bool,
}

impl ExactLawRow {
    /// Whether the law lies within the interval. A chain without noise repeats itself, so that its interval can be
    /// narrower than the rounding of a sum; hence 1e-9 relative.
    pub fn is_met(&self) -> bool {
        (self.mean - self.expected).abs() <= self.half_width.max(1e-9 * self.expected.abs())
    }
}

/// The claims and how they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// One entry a statement.
    pub rows: Vec<ClaimRow>,
}

/// One row of [`Claims`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Short stable name, such as `theorem1-printed-maximum`.
    pub id: String,
    /// Where it stands in the paper, or `corrected`.
    pub source: String,
    /// The statement in words.
    pub words: String,
    /// The statement as a formula.
    pub formula: String,
    /// What it assumes, one entry a hypothesis.
    pub hypotheses: Vec<String>,
    /// `refuted`, `tested`, `proved` or `open`.
    pub standing: String,
    /// What is wrong with a refuted statement.
    pub fault: Option<String>,
    /// The machine-checked theorems behind the standing, `File.theorem`.
    pub proofs: Vec<String>,
    /// What was run.
    pub trials: Vec<TrialRow>,
    /// The simplest instance that breaks the statement, with what it shows.
    pub counterexample: Option<String>,
    /// The statement with its hypotheses dropped or weakened, one at a time.
    pub weakenings: Vec<WeakeningRow>,
    /// Whether the evidence agrees with the standing, and that of every weakening with its effect.
    pub upheld: bool,
}

impl ClaimRow {
    /// The number of instances tried on the statement itself.
    pub fn cases(&self) -> u64 {
        self.trials.iter().map(|trial| trial.cases).sum()
    }

    /// The smallest relative slack of all series on the statement itself, if any was tried.
    pub fn smallest_slack(&self) -> Option<f64> {
        self.trials.iter().filter_map(|trial| trial.smallest_slack).reduce(f64::min)
    }

    /// The probability that a true statement looks broken in any series, on the statement or a weakening, at most.
    pub fn false_alarm(&self) -> f64 {
        let weakened = self.weakenings.iter().flat_map(|weakening| &weakening.trials);
        self.trials.iter().chain(weakened).map(|trial| trial.false_alarm).sum()
    }
}

/// One series of instances on which a statement was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRow {
    /// How the instances were found: `random`, `adversarial` or `named`.
    pub search: String,
    /// What was tried, in words.
    pub method: String,
    /// The number of instances.
    pub cases: u64,
    /// The smallest slack relative to the scale of the instance, negative where the statement broke; none if nothing was
    /// tried.
    pub smallest_slack: Option<f64>,
    /// The probability that a true statement looks broken in this series; 0 where expectations are exact.
    pub false_alarm: f64,
}

/// A statement with one hypothesis dropped or weakened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeakeningRow {
    /// The hypothesis.
    pub hypothesis: String,
    /// What is assumed in its place.
    pub instead: String,
    /// `needed`, `not needed` or `unknown`.
    pub effect: String,
    /// Why the statement holds without, if it does.
    pub because: Option<String>,
    /// The machine-checked theorems behind the effect, `File.theorem`.
    pub proofs: Vec<String>,
    /// What was run.
    pub trials: Vec<TrialRow>,
    /// The simplest instance that breaks the statement, with what it shows.
    pub counterexample: Option<String>,
    /// Whether the evidence agrees with the effect.
    pub upheld: bool,
}

/// Appendix A: one neuron, two parameters, many seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppendixA {
    /// Offsets l along each direction.
    pub offsets: Vec<f64>,
    /// One entry a seed.
    pub seeds: Vec<AppendixASeed>,
    /// The seeds left out because their classes are separable, where the protocol trains to the optimum.
    #[serde(default)]
    pub without_optimum: Vec<u64>,
    /// The protocol in words.
    pub protocol: String,
}

/// One seed of [`AppendixA`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppendixASeed {
    /// The seed.
    pub seed: u64,
    /// Losses at averaged solution + l·u.
    pub losses: Vec<f64>,
    /// Whether a line separates the classes (then logistic regression has no optimum).
    pub separable: bool,
    /// The last iterate (weight, bias).
    pub last: [f64; 2],
    /// The averaged solution (weight, bias).
    pub averaged: [f64; 2],
    /// The minimiser of the loss (weight, bias), if the classes are not separable.
    #[serde(default)]
    pub optimum: Option<[f64; 2]>,
    /// The direction (weight, bias), of unit length; a filter-normalised one has the length of the averaged solution.
    pub direction: [f64; 2],
    /// Whether the opposite of the direction is the better one: then verdict and certificate speak of it.
    #[serde(default)]
    pub mirrored: bool,
    /// The verdict along the direction or its opposite, whichever is better.
    pub verdict: Verdict,
    /// The canonical certificate, if the verdict is asymmetric.
    pub certificate: Option<Certificate>,
    /// Share of the lines through the averaged solution, at equal angles, that are asymmetric one way or the other.
    pub circle_share: f64,
    /// Share of these lines that are valleys, asymmetric or symmetric.
    #[serde(default)]
    pub circle_valley_share: f64,
}

/// Losses and accuracies by epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Such as `ResNet-8 on synthetic images`.
    pub title: String,
    /// One entry an epoch of a phase, in order.
    pub epochs: Vec<Epoch>,
}

/// One epoch of [`Training`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Epoch number, counted from 0 through all phases.
    pub epoch: u32,
    /// The phase of training, such as `swa` (SGD before and during averaging), `sgd-after-swa` or `sgd`.
    pub phase: String,
    /// Learning rate of the epoch.
    pub learning_rate: f64,
    /// Running mean of the training loss, in training mode, on augmented images.
    pub running_loss: f64,
    /// Running training accuracy, the same way, in [0, 1].
    pub running_accuracy: f64,
    /// Loss on held-out training images, in evaluation mode, if measured after this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_loss: Option<f64>,
    /// Accuracy on held-out training images, in [0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_accuracy: Option<f64>,
    /// Test loss in evaluation mode, if measured after this epoch.
    pub test_loss: Option<f64>,
    /// Test accuracy in evaluation mode, in [0, 1].
    pub test_accuracy: Option<f64>,
    /// Test loss of the averaged network with its own batch-norm statistics.
    pub swa_test_loss: Option<f64>,
    /// Its test accuracy, in [0, 1].
    pub swa_test_accuracy: Option<f64>,
}

/// A network's train and test loss along one direction, and what it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Such as `ResNet-8 on synthetic images, SWA solution`.
    pub title: String,
    /// The family the direction was drawn from.
    pub family: String,
    /// The direction's number in its family's stream.
    pub index: u64,
    /// Mean training loss, with standard errors.
    pub train: Profile,
    /// Mean test loss, with standard errors.
    pub test: Option<Profile>,
    /// Training accuracy in [0, 1], one an offset, if measured.
    pub train_accuracy: Option<Vec<f64>>,
    /// Test accuracy in [0, 1], one an offset.
    pub test_accuracy: Option<Vec<f64>>,
    /// What the training profile says, along `u` or `−u`.
    pub judgement: LineJudgement,
    /// How the line was measured: batch-norm treatment, numbers of images.
    pub setting: String,
}

/// The judgement of a profile, of the better of u and −u.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineJudgement {
    /// Whether the flat side lies along −u: then the certificates speak of the mirrored profile.
    pub mirrored: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// R, the half-line measured on both sides.
    pub half_line: f64,
    /// The canonical certificate.
    pub canonical: Option<Certificate>,
    /// The certificate matched to the measured shift, if a test profile is at hand.
    pub matched: Option<Certificate>,
    /// Window width against the largest c at that width.
    pub front: Vec<FrontPoint>,
}

/// One point of the front of c against window width.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FrontPoint {
    /// r̄ − r̲.
    pub width: f64,
    /// The best certificate of that width.
    pub certificate: Certificate,
}

/// The shift between a train and a test profile (Definition 3, Figure 3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Such as the title of the line it was measured on.
    pub title: String,
    /// The shifts δ tried.
    pub delta: Vec<f64>,
    /// The shift gap ξ(δ), one a shift.
    pub gap: Vec<f64>,
    /// The radius of the neighbourhood over which the gap is taken.
    pub radius: f64,
    /// The shift δ* of smallest gap.
    pub best_delta: f64,
    /// ξ(δ*).
    pub best_gap: f64,
    /// ξ(0).
    pub gap_at_zero: f64,
    /// The training profile.
    pub train: Profile,
    /// The test profile, moved vertically so that its minimum is the training minimum (L′).
    pub test: Profile,
}

/// Loss and accuracy on the line w_swa + s·(w_sgd − w_swa) (Figure 7), or between two other solutions (Appendix G).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interpolation {
    /// Such as `ResNet-8 on synthetic images`.
    pub title: String,
    /// Names of the solutions at s = 0 and s = 1.
    #[serde(default = "swa_and_sgd")]
    pub names: [String; 2],
    /// Training loss against s; SWA at 0, SGD at 1.
    pub train: Profile,
    /// Test loss against s.
    pub test: Profile,
    /// Training accuracy in [0, 1].
    pub train_accuracy: Vec<f64>,
    /// Test accuracy in [0, 1].
    pub test_accuracy: Vec<f64>,
    /// ‖w_sgd − w_swa‖.
    pub distance: f64,
    /// Whether the training loss rises above both ends between them (0 for none).
    pub bump: f64,
    /// The judgement of the training profile along (w_swa − w_sgd)/‖·‖, centred at SGD, in units of length.
    pub judgement: LineJudgement,
}

fn swa_and_sgd() -> [String; 2] {
    ["SWA", "SGD"].map(str::to_owned)
}

/// Train and test accuracy of a run's solutions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Solutions {
    /// One entry a solution.
    pub rows: Vec<Solution>,
    /// How they were measured.
    pub setting: String,
}

/// One row of [`Solutions`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Solution {
    /// Such as `ResNet-8 SWA`.
    pub name: String,
    /// How it was chosen, such as `average of 100 epochs` or `last epoch`; empty if that is not known.
    #[serde(default)]
    pub chosen: String,
    /// Mean training loss on un-augmented images, in evaluation mode.
    pub train_loss: f64,
    /// Training accuracy in [0, 1].
    pub train_accuracy: f64,
    /// Mean test loss.
    pub test_loss: f64,
    /// Test accuracy in [0, 1].
    pub test_accuracy: f64,
}

/// Table 1 of the paper: solutions of several networks on several data sets, over several seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table1 {
    /// One entry a network, data set and solution.
    pub rows: Vec<Table1Row>,
    /// What the solutions of one network and data set differ by, seed by seed.
    pub differences: Vec<Table1Difference>,
    /// How they were measured.
    pub setting: String,
}

/// One row of [`Table1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table1Row {
    /// Such as `ResNet-110`.
    pub network: String,
    /// Such as `CIFAR-100`.
    pub data: String,
    /// Such as `SWA`.
    pub solution: String,
    /// Number of runs, one a seed.
    pub runs: u64,
    /// Mean training loss of a run, over runs.
    pub train_loss: Spread,
    /// Training accuracy in [0, 1].
    pub train_accuracy: Spread,
    /// Mean test loss of a run.
    pub test_loss: Spread,
    /// Test accuracy in [0, 1].
    pub test_accuracy: Spread,
}

/// Mean and standard deviation over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a run (unbiased variance); none of a single run.
    pub deviation: Option<f64>,
}

/// One difference of [`Table1`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table1Difference {
    /// The network.
    pub network: String,
    /// The data set.
    pub data: String,
    /// The solution whose value comes first, such as `SWA`.
    pub first: String,
    /// The one that is subtracted, such as `SGD after SWA`.
    pub second: String,
    /// `train loss`, `train accuracy`, `test loss` or `test accuracy`.
    pub quantity: String,
    /// Number of seeds with both.
    pub runs: u64,
    /// The mean difference.
    pub mean: f64,
    /// Half the width of its 95 % interval (Student); none of a single run.
    pub half_width: Option<f64>,
    /// Tests of no difference.
    pub test: PairedTest,
}
