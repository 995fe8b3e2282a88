//! What the CUDA engine starts for every step of a plan, and around it: line by line as `exec/cuda/pass.rs` and
//! `exec/cuda/engine.rs` do.

use super::{By, Direction, Work};
use crate::data::IMAGE;
use crate::exec::Mode;
use crate::exec::backend::{BatchNorm, Convolution, Linear, Pool, Slot, Target};
use crate::exec::plan::{Backward, Forward, Plan};
use crate::model::Graph;

/// Bytes of numbers in single precision; moments have twice as many each.
const SINGLE: u64 = 4;

/// Bytes a channel that a batch norm reads: mean and variance, weight and bias.
const NORM: u64 = 24;
/// Bytes a channel of the slopes on its way back.
const SLOPES: u64 = 12;

/// Bytes of an image's loss.
const LOSS: u64 = 8;
/// Bytes that say whether it is known.
const HIT: u64 = 1;

/// A batch on its way through a plan.
pub(super) struct Walk {
    images: u64,
    /// Numbers an image has in every slot.
    lengths: Vec<usize>,
    /// Bytes of all parameters.
    parameters: u64,
    /// Channels of all batch norms.
    channels: u64,
    classes: u64,
    pub(super) works: Vec<Work>,
}

impl Walk {
    pub(super) fn new(graph: &Graph, plan: &Plan, images: usize) -> Self {
        Self {
            images: images as u64,
            lengths: plan.slots.clone(),
            parameters: SINGLE * graph.layout().trainable() as u64,
            channels: graph.layout().channels() as u64,
            classes: graph.classes() as u64,
            works: Vec::new(),
        }
    }

    fn push(&mut self, step: &'static str, by: By, [read, written, operations]: [u64; 3]) {
        self.works.push(Work { step, by, read, written, operations });
    }

    fn kernel(&mut self, step: &'static str, name: &'static str, read: u64, written: u64) {
        self.push(step, By::Kernel(name), [read, written, 0]);
    }

    /// Bytes of a slot.
    fn value(&self, slot: Slot) -> u64 {
        SINGLE * self.lengths[slot.0] as u64 * self.images
    }

    /// Bytes of a gradient's place, and those that are read there before it is written.
    fn target(&self, target: Target) -> [u64; 2] {
        let bytes = self.value(target.slot);
        [bytes, if target.accumulate { bytes } else { 0 }]
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

    /// Bytes of the pixels in a pool's windows.
    fn windows(&self, op: &Pool) -> u64 {
        let windows = op.input.channels * (op.input.height / op.size) * (op.input.width / op.size);
        SINGLE * self.images * (windows * op.size * op.size) as u64
    }

    /// The batch's images, from bytes, four numbers an image, and a table a channel.
    pub(super) fn images(&mut self) {
        let pixels = self.images * IMAGE as u64;
        self.kernel("images", "augment", pixels + 16 * self.images + 3 * 256 * SINGLE, SINGLE * pixels);
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

    /// A step towards the logits.
    pub(super) fn forward(&mut self, step: &Forward, mode: Mode) {
        match step {
            Forward::Convolution { op, x, y } => {
                let (x, y, weight) = (self.value(*x), self.value(*y), SINGLE * op.weight.len() as u64);
                let operations = self.convolved(op);
                self.push("convolution", By::Convolution(Direction::Forward), [x + weight, y, operations]);
                if let Some(bias) = &op.bias {
                    self.kernel("bias", "add_bias", y + SINGLE * bias.len() as u64, y);
                }
            }
            Forward::BatchNorm { op, x, y } => self.batch_norm(op, self.value(*x), self.value(*y), mode),
            Forward::Activation { x, y, .. } => {
                self.kernel("activation", "activation", self.value(*x), self.value(*y));
            }
            Forward::Copy { x, y } => self.push("copy", By::Memory, [self.value(*x), self.value(*y), 0]),
            Forward::Add { x, y } => self.kernel("sum", "add", self.value(*x) + self.value(*y), self.value(*y)),
            Forward::Dropout { factors, x, y, .. } => {
                self.kernel("dropout", "multiply", self.value(*x) + self.value(*factors), self.value(*y));
            }
            Forward::Insert { x, .. } => self.kernel("concatenation", "insert", self.value(*x), self.value(*x)),
            Forward::AveragePool { op, y, .. } => {
                self.kernel("average pool", "average_pool", self.windows(op), self.value(*y));
            }
            Forward::MaxPool { op, y, .. } => self.kernel("max pool", "max_pool", self.windows(op), self.value(*y)),
            // In single precision maps and vectors are kept alike.
            Forward::Flatten { .. } => {}
            Forward::Linear { op, x, y } => {
                let (x, y) = (self.value(*x), self.value(*y));
                self.product("linear", op, x + SINGLE * op.weight.len() as u64, y);
                self.kernel("linear", "add_bias", y + SINGLE * op.bias.len() as u64, y);
            }
        }
    }

    fn batch_norm(&mut self, op: &BatchNorm, x: u64, y: u64, mode: Mode) {
        let channels = op.channels as u64;
        if mode == Mode::Training {
            self.kernel("batch norm", "moments_sums", x, 0);
            self.kernel("batch norm", "moments_finish", 0, 4 * SINGLE * channels);
        }
        self.kernel("batch norm", "batch_norm", x + NORM * channels, y);
    }

    /// A step back from the logits, which adds to the gradient with respect to the parameters.
    pub(super) fn backward(&mut self, step: &Backward) {
        match step {
            Backward::Convolution { op, x, dy, dx } => {
                let (x, dy, weight) = (self.value(*x), self.value(*dy), SINGLE * op.weight.len() as u64);
                let operations = self.convolved(op);
                let by = By::Convolution(Direction::BackwardFilter);
                self.push("convolution, back to weights", by, [x + dy + weight, weight, operations]);
                if let Some(bias) = &op.bias {
                    self.bias_backward("bias, back", dy, SINGLE * bias.len() as u64);
                }
                if let Some([dx, before]) = dx.map(|dx| self.target(dx)) {
                    let by = By::Convolution(Direction::BackwardData);
                    self.push("convolution, back to x", by, [dy + weight + before, dx, operations]);
                }
            }
            Backward::BatchNorm { op, x, dy, dx } => {
                let (step, both, channels) = ("batch norm, back", self.value(*x) + self.value(*dy), op.channels as u64);
                self.kernel(step, "batch_norm_backward_sums", both + NORM * channels, 0);
                // Moments and weight; both gradients, which are added to; slopes.
                let (norm, gradients) = ((NORM - SINGLE) * channels, 2 * SINGLE * channels);
                self.kernel(step, "batch_norm_backward_finish", norm + gradients, gradients + SLOPES * channels);
                if let Some([dx, before]) = dx.map(|dx| self.target(dx)) {
                    self.kernel(step, "batch_norm_backward", both + (NORM + SLOPES) * channels + before, dx);
                }
            }
            Backward::Activation { y, dy, dx, .. } => {
                let [dx, before] = self.target(*dx);
                self.kernel("activation, back", "activation_backward", self.value(*y) + self.value(*dy) + before, dx);
            }
            Backward::Copy { x, y } => self.push("copy, back", By::Memory, [self.value(*x), self.value(*y), 0]),
            Backward::Add { x, y } => self.kernel("sum, back", "add", self.value(*x) + self.value(*y), self.value(*y)),
            Backward::Dropout { factors, dy, dx, .. } => {
                let [dx, before] = self.target(*dx);
                self.kernel("dropout, back", "multiply", self.value(*dy) + self.value(*factors) + before, dx);
            }
            Backward::Extract { dx, .. } => {
                let [dx, before] = self.target(*dx);
                self.kernel("concatenation, back", "extract", dx + before, dx);
            }
            Backward::AveragePool { dy, dx, .. } => {
                let [dx, before] = self.target(*dx);
                self.kernel("average pool, back", "average_pool_backward", self.value(*dy) + before, dx);
            }
            Backward::MaxPool { op, dy, dx, .. } => {
                let [dx, before] = self.target(*dx);
                self.kernel("max pool, back", "max_pool_backward", self.windows(op) + self.value(*dy) + before, dx);
            }
            Backward::Flatten { .. } => {}
            Backward::Linear { op, x, dy, dx } => {
                let (step, dy, weight) = ("linear, back", self.value(*dy), SINGLE * op.weight.len() as u64);
                self.product(step, op, self.value(*x) + dy + weight, weight);
                self.bias_backward(step, dy, SINGLE * op.bias.len() as u64);
                if let Some([dx, before]) = dx.map(|dx| self.target(dx)) {
                    self.product(step, op, dy + weight + before, dx);
                }
            }
        }
    }

    fn bias_backward(&mut self, step: &'static str, dy: u64, bias: u64) {
        self.kernel(step, "bias_sums", dy, 0);
        self.kernel(step, "bias_finish", bias, bias);
    }
}
