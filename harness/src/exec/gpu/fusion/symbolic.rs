//! What steps compute, as expressions: equal steps give equal ones, whatever slots they use on the way.

use std::collections::HashMap;

use super::{Back, Joined, There, Ways};
use crate::exec::Mode;
use crate::exec::backend::{BatchNorm, Convolution, Slot, Target};
use crate::exec::plan::{Backward, Forward};

/// The number of an expression.
type Id = usize;

/// What an operation makes of others, told apart by name and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Expression(&'static str, Vec<usize>, Vec<Id>);

/// Slots, moments, slopes and gradients as expressions.
pub(super) struct Symbolic {
    mode: Mode,
    known: HashMap<Expression, Id>,
    slots: HashMap<usize, Id>,
    /// Of every batch norm, by the place of its statistics.
    moments: HashMap<usize, Id>,
    slopes: Option<Id>,
    /// By the place of the parameters, what was added, in order.
    gradients: HashMap<usize, Vec<Id>>,
}

/// Everything that is left in the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Left {
    logits: Id,
    moments: HashMap<usize, Id>,
    gradients: HashMap<usize, Vec<Id>>,
}

impl Symbolic {
    pub(super) fn new() -> Self {
        let (known, slots, moments, gradients) = Default::default();
        Self { mode: Mode::Training, known, slots, moments, slopes: None, gradients }
    }

    /// Carries out ways there and back, from slots that hold what is given; of earlier runs nothing is left but the
    /// numbers of expressions, so that results can be compared.
    pub(super) fn run(&mut self, ways: &Ways, mode: Mode, given: &[(Slot, &'static str)]) -> Left {
        self.mode = mode;
        self.slots.clear();
        self.moments.clear();
        self.gradients.clear();
        self.slopes = None;
        for (slot, name) in given.iter().filter(|(_, name)| *name != GRADIENT) {
            self.give(*slot, name);
        }
        ways.there.iter().for_each(|step| self.there(step));
        let logits = self.read(ways.logits);
        for (slot, name) in given.iter().filter(|(_, name)| *name == GRADIENT) {
            self.give(*slot, name);
        }
        ways.back.iter().for_each(|step| self.back(step));
        Left { logits, moments: self.moments.clone(), gradients: self.gradients.clone() }
    }

    fn make(&mut self, name: &'static str, numbers: &[usize], of: &[Id]) -> Id {
        let next = self.known.len();
        *self.known.entry(Expression(name, numbers.to_vec(), of.to_vec())).or_insert(next)
    }

    fn give(&mut self, slot: Slot, name: &'static str) {
        let value = self.make(name, &[slot.0], &[]);
        self.slots.insert(slot.0, value);
    }

    fn read(&self, slot: Slot) -> Id {
        *self.slots.get(&slot.0).expect("a slot is written before it is read")
    }

    fn write(&mut self, slot: Slot, value: Id) {
        self.slots.insert(slot.0, value);
    }

    fn sum(&mut self, a: Id, b: Id) -> Id {
        self.make("sum", &[], &[a.min(b), a.max(b)])
    }

    fn write_gradient(&mut self, dx: Target, gradient: Id) {
        let value = match dx.accumulate {
            true => {
                let before = self.read(dx.slot);
                self.sum(before, gradient)
            }
            false => gradient,
        };
        self.write(dx.slot, value);
    }

    fn moments(&mut self, op: &BatchNorm, x: Id) {
        if self.mode == Mode::Training {
            let moments = self.make("moments", &[], &[x]);
            self.moments.insert(op.statistics.start, moments);
        }
    }

    fn moments_of(&mut self, op: &BatchNorm) -> Id {
        let given = self.make("given moments", &[op.statistics.start], &[]);
        self.moments.get(&op.statistics.start).copied().unwrap_or(given)
    }

    fn normed(&mut self, op: &BatchNorm, x: Id) -> Id {
        let moments = self.moments_of(op);
        let numbers = [op.statistics.start, op.weight.start, op.bias.start, op.activation.is_some().into()];
        self.make("batch norm", &numbers, &[moments, x])
    }

    /// What a convolution reads.
    fn convolved(&mut self, x: Slot, norm: Option<&BatchNorm>) -> Id {
        let x = self.read(x);
        norm.map_or(x, |op| self.normed(op, x))
    }

    fn joined(&mut self, Joined { op, x, norm, add, y, moments }: &Joined) {
        // A kernel reads while it writes: but for what it adds, from other places.
        assert_ne!(x, y, "a convolution writes over what it reads");
        let x = self.convolved(*x, norm.as_ref());
        let mut value = self.make("convolution", &[op.weight.start], &[x]);
        if let Some(add) = add {
            let other = self.read(*add);
            value = self.sum(value, other);
        }
        self.write(*y, value);
        if let Some(op) = moments {
            self.moments(op, value);
        }
    }

    fn there(&mut self, step: &There) {
        match step {
            There::Step(step) => self.forward(step),
            There::Convolution(joined) => self.joined(joined),
            There::Moments { op, x } => {
                let x = self.read(*x);
                self.moments(op, x);
            }
            There::BatchNorm { op, x, y } => {
                let x = self.read(*x);
                let value = self.normed(op, x);
                self.write(*y, value);
            }
        }
    }

    fn forward(&mut self, step: &Forward) {
        let (name, numbers, x, y) = match step {
            Forward::Convolution { op, x, y } => ("convolution", vec![op.weight.start], x, y),
            Forward::BatchNorm { op, x, y } => {
                let x = self.read(*x);
                self.moments(op, x);
                let value = self.normed(op, x);
                return self.write(*y, value);
            }
            Forward::Activation { f, x, y } => ("activation", vec![*f as usize], x, y),
            Forward::Copy { x, y } => {
                let value = self.read(*x);
                return self.write(*y, value);
            }
            Forward::Add { x, y } => {
                let terms = [*x, *y].map(|slot| self.read(slot));
                let value = self.sum(terms[0], terms[1]);
                return self.write(*y, value);
            }
            Forward::Dropout { factors, x, y, .. } => {
                let terms = [*x, *factors].map(|slot| self.read(slot));
                let value = self.make("dropout", &[], &terms);
                return self.write(*y, value);
            }
            Forward::Insert { op, x, y } => {
                let mut terms = vec![self.read(*x)];
                if op.offset > 0 {
                    terms.push(self.read(*y));
                }
                let value = self.make("part", &[op.offset], &terms);
                return self.write(*y, value);
            }
            Forward::AveragePool { op, x, y } => ("average pool", vec![op.size], x, y),
            Forward::MaxPool { op, x, y } => ("max pool", vec![op.size], x, y),
            Forward::Flatten { x, y, .. } => ("flatten", vec![], x, y),
            Forward::Linear { op, x, y } => ("linear", vec![op.weight.start], x, y),
        };
        let x = self.read(*x);
        let value = self.make(name, &numbers, &[x]);
        self.write(*y, value);
    }

    fn add_gradient(&mut self, place: usize, gradient: Id) {
        self.gradients.entry(place).or_default().push(gradient);
    }

    fn convolution_backward(&mut self, op: &Convolution, x: Id, dy: Slot, dx: Option<Target>) {
        let dy = self.read(dy);
        let gradient = self.make("convolution, back to weights", &[op.weight.start], &[x, dy]);
        self.add_gradient(op.weight.start, gradient);
        if let Some(dx) = dx {
            let gradient = self.make("convolution, back to x", &[op.weight.start], &[dy]);
            self.write_gradient(dx, gradient);
        }
    }

    /// The first half of a batch norm's way back.
    fn sums(&mut self, op: &BatchNorm, x: Slot, dy: Slot) {
        let [x, dy] = [x, dy].map(|slot| self.read(slot));
        let moments = self.moments_of(op);
        let sums = self.make("sums", &[op.statistics.start], &[moments, x, dy]);
        self.add_gradient(op.weight.start, sums);
        self.slopes = Some(sums);
    }

    /// The second one.
    fn apply(&mut self, op: &BatchNorm, x: Slot, dy: Slot, dx: Target) {
        let [x, dy] = [x, dy].map(|slot| self.read(slot));
        let (moments, slopes) = (self.moments_of(op), self.slopes.expect("sums before"));
        let gradient = self.make("batch norm, back", &[op.statistics.start], &[moments, slopes, x, dy]);
        self.write_gradient(dx, gradient);
    }

    fn back(&mut self, step: &Back) {
        match step {
            Back::Step(step) => self.backward(step),
            Back::Convolution { op, x, norm, dy, dx, sums } => {
                let x = self.convolved(*x, norm.as_ref());
                self.convolution_backward(op, x, *dy, *dx);
                if let Some((op, x)) = sums {
                    let Target { slot, accumulate } = dx.expect("sums of it");
                    assert!(*x != slot && !accumulate, "sums are of a gradient that is complete");
                    self.sums(op, *x, slot);
                }
            }
            Back::BatchNorm { op, x, dy, dx } => self.apply(op, *x, *dy, *dx),
        }
    }

    fn backward(&mut self, step: &Backward) {
        let (name, numbers, read, dx) = match step {
            Backward::Convolution { op, x, dy, dx } => {
                let x = self.read(*x);
                return self.convolution_backward(op, x, *dy, *dx);
            }
            Backward::BatchNorm { op, x, dy, dx } => {
                self.sums(op, *x, *dy);
                return dx.iter().for_each(|dx| self.apply(op, *x, *dy, *dx));
            }
            Backward::Activation { f, y, dy, dx } => ("activation, back", vec![*f as usize], vec![*y, *dy], *dx),
            Backward::Copy { x, y } => ("copy", vec![], vec![*x], Target { slot: *y, accumulate: false }),
            Backward::Add { x, y } => ("copy", vec![], vec![*x], Target { slot: *y, accumulate: true }),
            Backward::Dropout { factors, dy, dx, .. } => ("dropout, back", vec![], vec![*dy, *factors], *dx),
            Backward::Extract { op, dy, dx } => ("extract", vec![op.offset], vec![*dy], *dx),
            Backward::AveragePool { op, dy, dx } => ("average pool, back", vec![op.size], vec![*dy], *dx),
            Backward::MaxPool { op, x, dy, dx } => ("max pool, back", vec![op.size], vec![*x, *dy], *dx),
            Backward::Flatten { dy, dx, .. } => ("flatten, back", vec![], vec![*dy], *dx),
            Backward::Linear { op, x, dy, dx } => {
                let of = [*x, *dy].map(|slot| self.read(slot));
                let gradient = self.make("linear, back to weights", &[op.weight.start], &of);
                self.add_gradient(op.weight.start, gradient);
                let Some(dx) = dx else { return };
                ("linear, back to x", vec![op.weight.start], vec![*dy], *dx)
            }
        };
        let of: Vec<Id> = read.into_iter().map(|slot| self.read(slot)).collect();
        let gradient = if name == "copy" { of[0] } else { self.make(name, &numbers, &of) };
        self.write_gradient(dx, gradient);
    }
}

/// The name of what the loss gives after the way there; all else is given before.
pub(super) const GRADIENT: &str = "gradient of the logits";
