//! The loss along one line.

use serde::{Deserialize, Serialize};

use crate::asymmetry::{Certificate, Verdict};
use crate::profile::Profile;

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
