//! What the CUDA engine starts for every step on its ways there and back, and around them: line by line as
//! `exec/cuda/pass.rs` and `exec/cuda/engine.rs` do.

use super::{By, Direction, Precision, Work};
use crate::data::IMAGE;
use crate::exec::Mode;
use crate::exec::backend::{BatchNorm, Convolution, Linear, Pool, Slot, Target};
use crate::exec::gpu::form::Form;
use crate::exec::gpu::fusion::{Back, Joined, There, Ways};
use crate::exec::plan::{Backward, Forward, Kind, Plan};
use crate::model::Graph;

/// Bytes of numbers in single precision; moments have twice as many each.
const SINGLE: u64 = 4;
/// Bytes of numbers in bfloat16.
const BF16: u64 = 2;

/// Bytes a channel that a batch norm reads: mean and variance, weight and bias.
const NORM: u64 = 24;
/// Bytes a channel of the slopes on its way back.
const SLOPES: u64 = 12;
/// Bytes a channel of its moments.
const MOMENTS: u64 = 16;

/// Bytes of an image's loss.
const LOSS: u64 = 8;
/// Bytes that say whether it is known.
const HIT: u64 = 1;

/// Bytes that tell where a weight is and where it goes as it is rounded.
const WEIGHT: u64 = 20;

/// The names of a kernel of feature maps, in single precision and in bfloat16.
macro_rules! maps {
    ($name:literal) => {
        [$name, concat!($name, "_bf16")]
    };
}

/// A batch on its way through a plan.
pub(super) struct Walk {
    images: u64,
    precision: Precision,
    mode: Mode,
    /// Numbers an image has in every slot.
    lengths: Vec<usize>,
    /// What every slot holds.
    kinds: Vec<Kind>,
    /// Bytes of all parameters.
    parameters: u64,
    /// Channels of all batch norms.
    channels: u64,
    classes: u64,
    pub(super) works: Vec<Work>,
}

impl Walk {
    pub(super) fn new(graph: &Graph, plan: &Plan, images: usize, precision: Precision, mode: Mode) -> Self {
        Self {
            images: images as u64,
            precision,
            mode,
            lengths: plan.slots.clone(),
            kinds: plan.kinds.clone(),
            parameters: SINGLE * graph.layout().trainable() as u64,
            channels: graph.layout().channels() as u64,
            classes: graph.classes() as u64,
            works: Vec::new(),
        }
    }

    fn push(&mut self, step: &'static str, by: By, [read, written, operations]: [u64; 3]) {
        self.works.push(Work { step, by, read, written, parts: 0, operations });
    }

    fn kernel(&mut self, step: &'static str, name: &'static str, read: u64, written: u64) {
        self.push(step, By::Kernel(name), [read, written, 0]);
    }

    /// The kernel of these two that works on a slot.
    fn map(&mut self, step: &'static str, names: [&'static str; 2], slot: Slot, read: u64, written: u64) {
        let [single, bf16] = names;
        self.kernel(step, if self.is_bf16(slot) { bf16 } else { single }, read, written);
    }

    /// Whether a slot is kept in bfloat16.
    fn is_bf16(&self, slot: Slot) -> bool {
        self.precision == Precision::Bf16 && self.kinds[slot.0] == Kind::Map
    }

    /// Bytes of a number in a slot.
    fn number(&self, slot: Slot) -> u64 {
        if self.is_bf16(slot) { BF16 } else { SINGLE }
    }

    /// Bytes of a slot.
    fn value(&self, slot: Slot) -> u64 {
        self.number(slot) * self.lengths[slot.0] as u64 * self.images
    }

    /// Bytes of a gradient's place, and those that are read there before it is written.
    fn target(&self, target: Target) -> [u64; 2] {
        let bytes = self.value(target.slot);
        [bytes, if target.accumulate { bytes } else { 0 }]
    }

    /// Bytes of a weight as convolutions multiply by it.
    fn factors(&self, op: &Convolution) -> u64 {
        let number = if self.precision == Precision::Bf16 { BF16 } else { SINGLE };
        number * op.weight.len() as u64
    }

    /// Operations of a convolution of the batch, in any direction.
    fn convolved(&self, op: &Convolution) -> u64 {
        let products = op.output.plane() * op.weight.len();
        2 * self.images * products as u64
    }

    fn product(&mut self, step: &'static str, op: &Linear, read: u64, written: u64) {
        let operations = 2 * self.images * op.weight.len() as u64;
        self.push(step, By::Kernel("matrix_product"), [read, written, operations]);
    }

    /// Bytes of the pixels in a pool's windows, of such numbers as a slot has.
    fn windows(&self, op: &Pool, slot: Slot) -> u64 {
        let windows = op.input.channels * (op.input.height / op.size) * (op.input.width / op.size);
        self.number(slot) * self.images * (windows * op.size * op.size) as u64
    }

    /// The batch's images, from bytes, four numbers an image, and a table a channel.
    pub(super) fn images(&mut self, slot: Slot) {
        let pixels = self.images * IMAGE as u64;
        let read = pixels + 16 * self.images + 3 * 256 * SINGLE;
        self.map("images", maps!("augment"), slot, read, self.number(slot) * pixels);
    }

    /// Losses and hits, from logits and labels.
    pub(super) fn loss(&mut self, with_gradient: bool) {
        let logits = SINGLE * self.images * self.classes;
        let gradient = if with_gradient { logits } else { 0 };
        self.kernel("loss", "cross_entropy", logits + 2 * self.images, (LOSS + HIT) * self.images + gradient);
    }

    /// Losses and hits go where they wait to be read.
    pub(super) fn keep_losses(&mut self) {
        for bytes in [LOSS, HIT] {
            self.push("loss", By::Memory, [bytes * self.images, bytes * self.images, 0]);
        }
    }

    /// The gradient, to which every step back adds.
    pub(super) fn clear_gradient(&mut self) {
        self.push("clearing the gradient", By::Memory, [0, self.parameters, 0]);
    }

    /// Weights and velocity, with the three numbers of the step; then the running statistics, if there are any.
    pub(super) fn descent(&mut self) {
        self.kernel("SGD", "sgd", 3 * self.parameters + 3 * SINGLE, 2 * self.parameters);
        if self.channels > 0 {
            // Mean and variance of the batch and what makes the latter unbiased, and the running ones.
            let (batch, running) = (3 * 2 * SINGLE * self.channels, 2 * SINGLE * self.channels);
            self.kernel("running statistics", "track", batch + running, running);
        }
    }

    /// The way to the logits.
    pub(super) fn there(&mut self, plan: &Plan, ways: &Ways) {
        self.round_weights(plan);
        ways.there.iter().for_each(|step| self.step_there(step));
    }

    /// The way back from them, which adds to the gradient with respect to the parameters.
    pub(super) fn back(&mut self, ways: &Ways) {
        ways.back.iter().for_each(|step| self.step_back(step));
    }

    /// The weights of all convolutions, where these multiply in bfloat16.
    fn round_weights(&mut self, plan: &Plan) {
        let length = |step: &Forward| match step {
            Forward::Convolution { op, .. } => Some(op.weight.len() as u64),
            _ => None,
        };
        let lengths: Vec<u64> = plan.forward.iter().filter_map(length).collect();
        if self.precision == Precision::Bf16 && !lengths.is_empty() {
            let numbers: u64 = lengths.iter().sum();
            let read = SINGLE * numbers + WEIGHT * lengths.len() as u64;
            self.kernel("rounding the weights", "round_weights", read, BF16 * numbers);
        }
    }

    fn step_there(&mut self, step: &There) {
        match step {
            There::Step(step) => self.forward(step),
            There::Convolution(joined) => self.joined(joined),
            There::Moments { op, x } => self.moments(op, *x),
            There::BatchNorm { op, x, y } => self.batch_norm(op, *x, *y),
        }
    }

    /// A convolution with what surrounds it.
    fn joined(&mut self, Joined { op, x, norm, add, y, moments }: &Joined) {
        let add = add.map_or(0, |add| self.value(add));
        let norm = norm.as_ref().map_or(0, |norm| NORM * norm.channels as u64);
        let moments = moments.as_ref().filter(|_| self.mode == Mode::Training);
        let moments = moments.map_or(0, |norm| MOMENTS * norm.channels as u64);
        let (read, written) = (self.value(*x) + norm + self.factors(op) + add, self.value(*y) + moments);
        self.push("joined convolution", By::Kernel("convolution_bf16"), [read, written, self.convolved(op)]);
    }

    fn forward(&mut self, step: &Forward) {
        match step {
            Forward::Convolution { op, x, y } => {
                let work = [self.value(*x) + self.factors(op), self.value(*y), self.convolved(op)];
                self.push("convolution", By::Convolution(Direction::Forward), work);
                if let Some(bias) = &op.bias {
                    let value = self.value(*y);
                    self.map("bias", maps!("add_bias"), *y, value + SINGLE * bias.len() as u64, value);
                }
            }
            Forward::BatchNorm { op, x, y } => {
                self.moments(op, *x);
                self.batch_norm(op, *x, *y);
            }
            Forward::Activation { x, y, .. } => {
                self.map("activation", maps!("activation"), *y, self.value(*x), self.value(*y));
            }
            Forward::Copy { x, y } => self.push("copy", By::Memory, [self.value(*x), self.value(*y), 0]),
            Forward::Add { x, y } => {
                self.map("sum", maps!("add"), *y, self.value(*x) + self.value(*y), self.value(*y));
            }
            Forward::Dropout { factors, x, y, .. } => {
                let read = self.value(*x) + self.value(*factors);
                self.map("dropout", maps!("multiply"), *y, read, self.value(*y));
            }
            Forward::Insert { x, y, .. } => {
                self.map("concatenation", maps!("insert"), *y, self.value(*x), self.value(*x));
            }
            Forward::AveragePool { op, x, y } => {
                self.map("average pool", maps!("average_pool"), *y, self.windows(op, *x), self.value(*y));
            }
            Forward::MaxPool { op, x, y } => {
                self.map("max pool", maps!("max_pool"), *y, self.windows(op, *x), self.value(*y));
            }
            // A step only where maps and vectors are kept apart.
            Forward::Flatten { x, y, .. } => self.kernel("flatten", "from_bf16", self.value(*x), self.value(*y)),
            Forward::Linear { op, x, y } => {
                let (x, y) = (self.value(*x), self.value(*y));
                self.product("linear", op, x + SINGLE * op.weight.len() as u64, y);
                self.kernel("linear", "add_bias", y + SINGLE * op.bias.len() as u64, y);
            }
        }
    }

    fn moments(&mut self, op: &BatchNorm, x: Slot) {
        if self.mode == Mode::Training {
            self.map("batch norm", maps!("moments_sums"), x, self.value(x), 0);
            self.kernel("batch norm", "moments_finish", 0, MOMENTS * op.channels as u64);
        }
    }

    fn batch_norm(&mut self, op: &BatchNorm, x: Slot, y: Slot) {
        let read = self.value(x) + NORM * op.channels as u64;
        self.map("batch norm", maps!("batch_norm"), y, read, self.value(y));
    }

    fn step_back(&mut self, step: &Back) {
        match step {
            Back::Step(step) => self.backward(step),
            Back::Convolution { op, x, norm, dy, dx, sums } => {
                let norm = norm.as_ref().map_or(0, |norm| NORM * norm.channels as u64);
                self.weight_gradient(op, self.value(*x) + norm + self.value(*dy));
                let Some([dx, before]) = dx.map(|dx| self.target(dx)) else { return };
                let (of_norm, gradients) = sums.as_ref().map_or((0, 0), |(norm, x)| {
                    let channels = norm.channels as u64;
                    (self.value(*x) + NORM * channels, 2 * SINGLE * channels)
                });
                let slopes = sums.as_ref().map_or(0, |(norm, _)| SLOPES * norm.channels as u64);
                // Gradients of the batch norm's parameters are added to.
                let read = self.value(*dy) + self.factors(op) + before + of_norm + gradients;
                let by = By::Kernel("convolution_backward_data_bf16");
                let work = [read, dx + gradients + slopes, self.convolved(op)];
                self.push("joined convolution, back to x", by, work);
            }
            Back::BatchNorm { op, x, dy, dx } => self.batch_norm_backward(op, *x, *dy, *dx),
        }
    }

    /// The gradient with respect to a weight: parts by those blocks that share the images, and their sum.
    fn weight_gradient(&mut self, op: &Convolution, read: u64) {
        let step = "joined convolution, back to weights";
        let form = Form::of(op, self.images as usize);
        let parts = SINGLE * form.map_or(0, |form| form.weight_parts() as u64);
        let (operations, weight) = (self.convolved(op), SINGLE * op.weight.len() as u64);
        let by = By::Kernel("convolution_backward_weight_bf16");
        self.works.push(Work { step, by, read, written: 0, parts, operations });
        let by = By::Kernel("convolution_backward_weight_finish");
        self.works.push(Work { step: "sum of parts", by, read: weight, written: weight, parts, operations: 0 });
    }

    fn batch_norm_backward(&mut self, op: &BatchNorm, x: Slot, dy: Slot, dx: Target) {
        let ([written, before], both) = (self.target(dx), self.value(x) + self.value(dy));
        let read = both + (NORM + SLOPES) * op.channels as u64 + before;
        self.map("batch norm, back", maps!("batch_norm_backward"), dy, read, written);
    }

    fn backward(&mut self, step: &Backward) {
        match step {
            Backward::Convolution { op, x, dy, dx } => {
                let (maps, factors) = (self.value(*x) + self.value(*dy), self.factors(op));
                let (step, by) = ("convolution, back to weights", By::Convolution(Direction::BackwardFilter));
                match self.precision {
                    // Added to what is there.
                    Precision::Single | Precision::Tf32 => {
                        self.push(step, by, [maps + factors, factors, self.convolved(op)]);
                    }
                    Precision::Bf16 => {
                        self.push(step, by, [maps, factors, self.convolved(op)]);
                        let gradient = SINGLE * op.weight.len() as u64;
                        self.kernel(step, "from_bf16", factors + gradient, gradient);
                    }
                }
                if let Some(bias) = &op.bias {
                    self.bias_backward("bias, back", *dy, SINGLE * bias.len() as u64);
                }
                if let Some([dx, before]) = dx.map(|dx| self.target(dx)) {
                    let by = By::Convolution(Direction::BackwardData);
                    let read = self.value(*dy) + factors + before;
                    self.push("convolution, back to x", by, [read, dx, self.convolved(op)]);
                }
            }
            Backward::BatchNorm { op, x, dy, dx } => {
                let (step, both, channels) = ("batch norm, back", self.value(*x) + self.value(*dy), op.channels as u64);
                self.map(step, maps!("batch_norm_backward_sums"), *dy, both + NORM * channels, 0);
                // Moments and weight; both gradients, which are added to; slopes.
                let (norm, gradients) = ((NORM - SINGLE) * channels, 2 * SINGLE * channels);
                self.kernel(step, "batch_norm_backward_finish", norm + gradients, gradients + SLOPES * channels);
                if let Some(dx) = dx {
                    self.batch_norm_backward(op, *x, *dy, *dx);
                }
            }
            Backward::Activation { y, dy, dx, .. } => {
                let ([dx, before], both) = (self.target(*dx), self.value(*y) + self.value(*dy));
                self.map("activation, back", maps!("activation_backward"), *dy, both + before, dx);
            }
            Backward::Copy { x, y } => self.push("copy, back", By::Memory, [self.value(*x), self.value(*y), 0]),
            Backward::Add { x, y } => {
                self.map("sum, back", maps!("add"), *x, self.value(*x) + self.value(*y), self.value(*y));
            }
            Backward::Dropout { factors, dy, dx, .. } => {
                let ([dx, before], both) = (self.target(*dx), self.value(*dy) + self.value(*factors));
                self.map("dropout, back", maps!("multiply"), *dy, both + before, dx);
            }
            Backward::Extract { dy, dx, .. } => {
                let [dx, before] = self.target(*dx);
                self.map("concatenation, back", maps!("extract"), *dy, dx + before, dx);
            }
            Backward::AveragePool { dy, dx, .. } => {
                let [dx, before] = self.target(*dx);
                let read = self.value(*dy) + before;
                self.map("average pool, back", maps!("average_pool_backward"), *dy, read, dx);
            }
            Backward::MaxPool { op, x, dy, dx } => {
                let [dx, before] = self.target(*dx);
                let read = self.windows(op, *x) + self.value(*dy) + before;
                self.map("max pool, back", maps!("max_pool_backward"), *dy, read, dx);
            }
            // A step only where maps and vectors are kept apart.
            Backward::Flatten { dy, dx, .. } => {
                let [dx, before] = self.target(*dx);
                self.kernel("flatten, back", "to_bf16", self.value(*dy) + before, dx);
            }
            Backward::Linear { op, x, dy, dx } => {
                let (step, weight) = ("linear, back", SINGLE * op.weight.len() as u64);
                let of_dy = self.value(*dy);
                self.product(step, op, self.value(*x) + of_dy + weight, weight);
                self.bias_backward(step, *dy, SINGLE * op.bias.len() as u64);
                if let Some([dx, before]) = dx.map(|dx| self.target(dx)) {
                    self.product(step, op, of_dy + weight + before, dx);
                }
            }
        }
    }

    fn bias_backward(&mut self, step: &'static str, dy: Slot, bias: u64) {
        self.map(step, maps!("bias_sums"), dy, self.value(dy), 0);
        self.kernel(step, "bias_finish", bias, bias);
    }
}
