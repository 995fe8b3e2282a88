//! What the landscape of a trained network looks like, beyond single lines.

use serde::{Deserialize, Serialize};

use super::LineJudgement;
use crate::asymmetry::{Certificate, Verdict};
use crate::estimate::Interval;
use crate::profile::Profile;

/// Directions drawn from several laws, or measured in several ways, and how many of each are asymmetric (Section 3.2,
/// Appendix H).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prevalence {
    /// Such as `ResNet-8 on synthetic images, SWA solution`.
    pub title: String,
    /// What was asked, such as `how often a random direction is asymmetric`.
    pub question: String,
    /// One entry a law of directions and way of measuring.
    pub groups: Vec<DirectionGroup>,
    /// Points of every line.
    pub points: usize,
    /// How lines were measured.
    pub setting: String,
}

/// Directions of one law through one solution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionGroup {
    /// What tells it from the other groups, such as `uniform, only bn-weight`.
    pub name: String,
    /// One entry a direction, in the order of the draws.
    pub directions: Vec<DirectionRow>,
    /// Whether drawing ended at the first asymmetric direction; then the share of asymmetric ones estimates nothing.
    pub until_asymmetric: bool,
    /// The share of directions that are asymmetric along u or −u, with the 95 % interval of Clopper and Pearson, in which
    /// the undecided count as not asymmetric at the lower end and as asymmetric at the upper; none if drawing ended at the
    /// first.
    pub share: Option<Interval>,
    /// The mean of ⟨uⁱ, uʲ⟩ over all pairs, if there is one: how much the directions are one and the same.
    pub mean_cosine: Option<f64>,
}

impl DirectionGroup {
    /// Number of directions with a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.directions.iter().filter(|row| row.verdict == verdict).count()
    }

    /// The asymmetric direction with the largest gain, the first of equals.
    pub fn best(&self) -> Option<&DirectionRow> {
        let gain = |row: &DirectionRow| row.certificate.map_or(f64::NEG_INFINITY, |it| it.gain);
        let asymmetric = self.directions.iter().filter(|row| row.verdict == Verdict::Asymmetric);
        asymmetric.reduce(|best, row| if gain(row) > gain(best) { row } else { best })
    }

    /// How many directions were drawn up to the first asymmetric one, itself included.
    pub fn draws_to_first(&self) -> Option<usize> {
        self.directions.iter().position(|row| row.verdict == Verdict::Asymmetric).map(|place| place + 1)
    }
}

/// One direction of a [`DirectionGroup`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DirectionRow {
    /// Its number in its law's stream.
    pub index: u64,
    /// Whether the flat side lies along −u.
    pub mirrored: bool,
    /// The verdict along u or −u, whichever is better.
    pub verdict: Verdict,
    /// The canonical certificate.
    pub certificate: Option<Certificate>,
    /// R, the half-line measured on both sides.
    pub half_line: f64,
    /// L̂(w + R·u) − L̂(w).
    pub rise_along: f64,
    /// L̂(w − R·u) − L̂(w).
    pub rise_against: f64,
}

impl DirectionRow {
    /// (rise along −u − rise along u)/(sum of their sizes), in [−1, 1]: 1 if the loss rises along −u alone, 0 if both
    /// sides are alike. No thresholds enter. None if the loss is the same at both ends and at the centre.
    pub fn imbalance(&self) -> Option<f64> {
        let sum = self.rise_along.abs() + self.rise_against.abs();
        (sum > 0.0).then(|| (self.rise_against - self.rise_along) / sum)
    }
}

/// Asymmetry against the share of coordinates whose sign is that of the weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignConsistency {
    /// Such as `ResNet-8 on synthetic images, SWA solution`.
    pub title: String,
    /// The match fractions, increasing, in [0, 1].
    pub fractions: Vec<f64>,
    /// One group a fraction.
    pub groups: Vec<DirectionGroup>,
    /// How lines were measured.
    pub setting: String,
}

/// The loss along one direction through neighbouring centres (Assumption 2, Figure 4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbourhood {
    /// Such as `ResNet-8 on synthetic images, SWA solution`.
    pub title: String,
    /// The law of the direction u.
    pub family: String,
    /// Its number.
    pub index: u64,
    /// R′, the radius of the ball that centres are drawn from.
    pub radius: f64,
    /// Mean training loss over the centres.
    pub mean: Profile,
    /// Standard deviation between the centres, one an offset.
    pub deviation: Vec<f64>,
    /// Training losses, one row a centre, one column an offset.
    pub curves: Vec<Vec<f64>>,
    /// The training loss along u through the solution itself.
    pub own: Profile,
    /// What the solution's own line says.
    pub own_judgement: LineJudgement,
    /// What holds for all centres at once, along u or −u.
    pub judgement: LineJudgement,
    /// How many centres are asymmetric along the same side, each by itself.
    pub asymmetric: usize,
    /// How lines were measured.
    pub setting: String,
}

/// The loss along one fixed direction through the iterates of a run (Section 5.2, Figure 6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trajectory {
    /// Such as `ResNet-8 on synthetic images, phase swa`.
    pub title: String,
    /// The law of the direction u.
    pub family: String,
    /// Its number.
    pub index: u64,
    /// Offsets l of every line.
    pub offsets: Vec<f64>,
    /// One entry an epoch kept, in order.
    pub rows: Vec<TrajectoryRow>,
    /// The first epoch from which on every profile departs from the last one by less than the tolerance; none if only the
    /// last does.
    pub stable_from: Option<u32>,
    /// The largest departure that counts as stable.
    pub tolerance: f64,
    /// How lines were measured.
    pub setting: String,
}

/// One epoch of a [`Trajectory`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryRow {
    /// Epochs trained.
    pub epoch: u32,
    /// Training losses along u, one an offset.
    pub losses: Vec<f64>,
    /// ⟨w_t − w_T, u⟩, with w_T the last iterate kept.
    pub position: f64,
    /// ‖w_t − w_T‖.
    pub distance: f64,
    /// How far the profile's shape is from the last one's, as a share of the last one's range.
    pub departure: f64,
    /// What the profile says.
    pub judgement: LineJudgement,
}

/// Asymmetry along directions between SWA − SGD and a random one (Appendix F, Figure 8).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterRand {
    /// Such as `ResNet-8 on synthetic images`.
    pub title: String,
    /// Names of the two solutions: the biased one, such as `SWA`, and the settled one, such as `SGD after SWA`.
    pub names: [String; 2],
    /// One entry a direction.
    pub lines: Vec<InterRandLine>,
    /// ‖w_swa − w_sgd‖.
    pub distance: f64,
    /// How lines were measured.
    pub setting: String,
}

/// One direction û of an [`InterRand`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterRandLine {
    /// The family of the random part.
    pub family: String,
    /// Its number.
    pub index: u64,
    /// ⟨w_swa − w_sgd, û⟩: where SWA projects to on the line through SGD.
    pub biased_offset: f64,
    /// Training loss at w_sgd + l·û.
    pub settled_train: Profile,
    /// Test loss there.
    pub settled_test: Profile,
    /// Training loss at w_swa + l·û.
    pub biased_train: Profile,
    /// Test loss there.
    pub biased_test: Profile,
    /// What the line through SGD says; not mirrored if the flat side lies towards SWA.
    pub judgement: LineJudgement,
}

/// Mean loss against distance along random rays from several solutions (Section 6.2, Figures 9 and 10).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rays {
    /// Such as `ResNet-8 on synthetic images`.
    pub title: String,
    /// The law the rays were drawn from; all solutions share them.
    pub family: String,
    /// Number of rays.
    pub count: u64,
    /// Distances, increasing, from 0 on.
    pub distances: Vec<f64>,
    /// One entry a solution.
    pub solutions: Vec<RaySolution>,
    /// How losses were measured.
    pub setting: String,
}

/// One solution of [`Rays`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RaySolution {
    /// Such as `SWA`.
    pub name: String,
    /// Training loss: mean over the rays, one a distance.
    pub train: Vec<f64>,
    /// Its standard deviation between the rays.
    pub train_deviation: Vec<f64>,
    /// Test loss: mean over the rays.
    pub test: Vec<f64>,
    /// Its standard deviation between the rays.
    pub test_deviation: Vec<f64>,
    /// The training loss less the first solution's, ray by ray: mean and 95 % interval (Student) at each distance; empty
    /// for the first solution, and for a single ray.
    pub train_excess: Vec<Interval>,
}

/// The loss on a plane (Li et al. 2018, and Figure 3 of Izmailov et al. 2018).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// Such as `ResNet-8 on synthetic images: the plane of three solutions`.
    pub title: String,
    /// What the axes are, with their unit.
    pub axes: [String; 2],
    /// Coordinates along the first axis.
    pub x: Vec<f64>,
    /// Coordinates along the second axis.
    pub y: Vec<f64>,
    /// Training loss, one row a value of y, one column a value of x.
    pub train: Vec<Vec<f64>>,
    /// Test loss, the same way.
    pub test: Vec<Vec<f64>>,
    /// The solutions on the plane.
    pub marks: Vec<PlaneMark>,
    /// How losses were measured.
    pub setting: String,
}

/// A named place on a [`Plane`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaneMark {
    /// Such as `SWA`.
    pub name: String,
    /// Its first coordinate.
    pub x: f64,
    /// Its second coordinate.
    pub y: f64,
}

/// One line under controls: does its certificate depend on what it should not depend on?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controls {
    /// Such as `ResNet-8 on synthetic images, SWA solution`.
    pub title: String,
    /// The law of the direction.
    pub family: String,
    /// Its number.
    pub index: u64,
    /// One entry a variant; the first is the line as it is usually measured.
    pub variants: Vec<ControlVariant>,
    /// Numbers that say how far the line can be trusted.
    pub checks: Vec<ControlCheck>,
    /// How the first variant was measured.
    pub setting: String,
}

/// A line measured in another way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlVariant {
    /// What is varied, such as `step width`.
    pub control: String,
    /// How, such as `every second point`.
    pub variant: String,
    /// The training profile.
    pub train: Profile,
    /// What it says.
    pub judgement: LineJudgement,
}

/// A number of [`Controls`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlCheck {
    /// Such as `slope of the training loss at the centre, along u`.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its standard error, if known.
    pub standard_error: Option<f64>,
    /// What it means, in one clause.
    pub reading: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_imbalance_stays_within_one_also_where_a_side_falls() {
        let imbalance = |rise_along: f64, rise_against: f64| {
            let verdict = Verdict::Symmetric;
            let row = DirectionRow {
                index: 0,
                mirrored: false,
                verdict,
                certificate: None,
                half_line: 1.0,
                rise_along,
                rise_against,
            };
            row.imbalance()
        };
        assert_eq!(imbalance(1.0, 3.0), Some(0.5));
        assert_eq!(imbalance(2.0, 2.0), Some(0.0));
        assert_eq!(imbalance(-0.5, 0.5), Some(1.0));
        assert_eq!(imbalance(0.5, -0.4), Some(-1.0));
        assert_eq!(imbalance(0.0, 0.0), None);
    }
}
