//! What the steps of a plan read and write.

use crate::exec::backend::{Slot, Target};
use crate::exec::plan::{Backward, Forward};

/// The slots of one step.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) reads: Vec<Slot>,
    pub(super) write: Option<Slot>,
}

impl Access {
    /// Whether it changes a slot that it reads, or writes a part of it.
    pub(super) fn changes(&self, slot: Slot) -> bool {
        self.write == Some(slot) && self.reads.contains(&slot)
    }

    pub(super) fn there(step: &Forward) -> Self {
        let (mut reads, write) = match step {
            Forward::Convolution { x, y, .. }
            | Forward::BatchNorm { x, y, .. }
            | Forward::Activation { x, y, .. }
            | Forward::Copy { x, y }
            | Forward::Insert { x, y, .. }
            | Forward::AveragePool { x, y, .. }
            | Forward::MaxPool { x, y, .. }
            | Forward::Flatten { x, y, .. }
            | Forward::Linear { x, y, .. } => (vec![*x], *y),
            Forward::Add { x, y } => (vec![*x, *y], *y),
            Forward::Dropout { factors, x, y, .. } => (vec![*x, *factors], *y),
        };
        // The first part of a concatenation begins a value, which the others complete.
        if matches!(step, Forward::Insert { op, .. } if op.offset > 0) {
            reads.push(write);
        }
        Self { reads, write: Some(write) }
    }

    pub(super) fn back(step: &Backward) -> Self {
        let given = |target: &Target| (Some(target.slot), target.accumulate);
        let optional = |target: &Option<Target>| target.as_ref().map_or((None, false), given);
        let (mut reads, (write, accumulate)) = match step {
            Backward::Convolution { x, dy, dx, .. }
            | Backward::BatchNorm { x, dy, dx, .. }
            | Backward::Linear { x, dy, dx, .. } => (vec![*x, *dy], optional(dx)),
            Backward::Activation { y: x, dy, dx, .. } | Backward::MaxPool { x, dy, dx, .. } => {
                (vec![*x, *dy], given(dx))
            }
            Backward::Dropout { factors, dy, dx, .. } => (vec![*dy, *factors], given(dx)),
            Backward::Extract { dy, dx, .. }
            | Backward::AveragePool { dy, dx, .. }
            | Backward::Flatten { dy, dx, .. } => (vec![*dy], given(dx)),
            Backward::Copy { x, y } => (vec![*x], (Some(*y), false)),
            Backward::Add { x, y } => (vec![*x], (Some(*y), true)),
        };
        reads.extend(write.filter(|_| accumulate));
        Self { reads, write }
    }
}

/// The steps that read what step `at` leaves in a slot, in order.
pub(super) fn readers(accesses: &[Access], at: usize, slot: Slot) -> Vec<usize> {
    let mut readers = Vec::new();
    for (step, access) in accesses.iter().enumerate().skip(at + 1) {
        if access.reads.contains(&slot) {
            readers.push(step);
        }
        if access.write == Some(slot) {
            break;
        }
    }
    readers
}

/// A step with other slots.
pub(super) fn moved(step: &Forward, to: impl Fn(Slot) -> Slot) -> Forward {
    let mut step = step.clone();
    match &mut step {
        Forward::Convolution { x, y, .. }
        | Forward::BatchNorm { x, y, .. }
        | Forward::Activation { x, y, .. }
        | Forward::Copy { x, y }
        | Forward::Add { x, y }
        | Forward::Insert { x, y, .. }
        | Forward::AveragePool { x, y, .. }
        | Forward::MaxPool { x, y, .. }
        | Forward::Flatten { x, y, .. }
        | Forward::Linear { x, y, .. } => [x, y].into_iter().for_each(|slot| *slot = to(*slot)),
        Forward::Dropout { factors, x, y, .. } => {
            [factors, x, y].into_iter().for_each(|slot| *slot = to(*slot));
        }
    }
    step
}
