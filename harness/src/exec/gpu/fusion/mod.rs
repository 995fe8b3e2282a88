//! The steps of a plan as a GPU carries them out: what surrounds a convolution is done along with it, where a kernel can.
//!
//! Such a convolution reads a map through a batch norm, which is then not carried out by itself; it adds another map to
//! its result, and makes the moments of the result for the batch norm that reads it next. On the way back it makes the
//! sums of the batch norm behind it while it writes the gradient that this reads. Results are those of the plan's own
//! steps, number by number, but for the order of sums.

mod access;
mod fuse;

use self::access::Access;
use self::fuse::Fusion;
use crate::exec::backend::{BatchNorm, Convolution, Slot, Target};
use crate::exec::plan::{Backward, Forward, Plan, TrainingPlan};

/// A step towards the logits.
#[derive(Debug, Clone)]
pub(in crate::exec) enum There {
    /// As it is planned.
    Step(Forward),
    /// A convolution, with what surrounds it.
    Convolution(Joined),
    /// The moments of x, for a batch norm through which convolutions read it.
    Moments { op: BatchNorm, x: Slot },
    /// A batch norm of which a convolution has made the moments.
    BatchNorm { op: BatchNorm, x: Slot, y: Slot },
}

/// y ← w ∗ x, with what surrounds it.
#[derive(Debug, Clone)]
pub(in crate::exec) struct Joined {
    pub(in crate::exec) op: Convolution,
    pub(in crate::exec) x: Slot,
    /// The batch norm through which x is read.
    pub(in crate::exec) norm: Option<BatchNorm>,
    /// What is added to the result, which may be in its place.
    pub(in crate::exec) add: Option<Slot>,
    pub(in crate::exec) y: Slot,
    /// The batch norm that reads the result next, whose moments are made.
    pub(in crate::exec) moments: Option<BatchNorm>,
}

/// A step back from the logits.
#[derive(Debug, Clone)]
pub(in crate::exec) enum Back {
    /// As it is planned.
    Step(Backward),
    /// A convolution that has read x through a batch norm or as it is; with the sums of a batch norm, of a map of its
    /// own, whose way back reads dx next.
    Convolution {
        op: Convolution,
        x: Slot,
        norm: Option<BatchNorm>,
        dy: Slot,
        dx: Option<Target>,
        sums: Option<(BatchNorm, Slot)>,
    },
    /// What is left of the way back of a batch norm of which a convolution has made the sums.
    BatchNorm { op: BatchNorm, x: Slot, dy: Slot, dx: Target },
}

impl Back {
    /// Where it writes, besides what all steps back add to: the gradient with respect to the parameters.
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "nothing is done beside it"))]
    pub(in crate::exec) fn writes(&self) -> Option<Slot> {
        match self {
            Self::Step(step) => Access::back(step).write,
            Self::Convolution { dx, .. } => dx.map(|dx| dx.slot),
            Self::BatchNorm { dx, .. } => Some(dx.slot),
        }
    }
}

/// A plan's steps there and back.
#[derive(Debug)]
pub(in crate::exec) struct Ways {
    pub(in crate::exec) there: Vec<There>,
    /// None of a plan for the logits alone.
    pub(in crate::exec) back: Vec<Back>,
    /// Where the logits come out.
    #[cfg_attr(not(any(test, feature = "cuda")), expect(dead_code, reason = "nothing takes them from there"))]
    pub(in crate::exec) logits: Slot,
}

impl Ways {
    /// To the logits alone; `fits` says which convolutions our kernels carry out, if they have no bias.
    pub(in crate::exec) fn inference(plan: &Plan, fits: impl Fn(&Convolution) -> bool) -> Self {
        Fusion::new(plan, None, &[], &fits).ways()
    }

    /// The same there and back.
    pub(in crate::exec) fn training(plan: &TrainingPlan, fits: impl Fn(&Convolution) -> bool) -> Self {
        Fusion::new(&plan.plan, Some(plan.logits_gradient), &plan.backward, &fits).ways()
    }
}

#[cfg(test)]
mod symbolic;
#[cfg(test)]
mod tests;
