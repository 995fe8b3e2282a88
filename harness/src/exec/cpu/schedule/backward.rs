//! The steps back from the logits.
//!
//! Gradients lie in buffers laid out like those of the values. What the moments of batch norms pass on to x is known
//! only when the stage is over; it is the same function slope·(x − mean) + offset of every number of a channel, and so
//! is the sum over several batch norms of x. It is added when the gradient is first read.

use std::collections::HashMap;

use super::super::step::{Destination, Finish, Place, Source, Step};
use super::Scheduler;
use super::places::{Held, parts};
use crate::exec::plan::fused::Fused;
use crate::model::graph::{Activation, Layer, Shape, Value};

/// The gradient of all values in one buffer.
#[derive(Clone)]
struct Gradient {
    /// Its buffer, which it may share with another's until one of them is written.
    buffer: Option<usize>,
    /// The channels that have been written.
    written: Vec<bool>,
    /// For channels whose batch norms have still to pass on what goes through their moments, the stage that can.
    trend: Vec<Option<usize>>,
    /// Layers that have still to read it.
    makers: usize,
}

pub(super) struct Gradients {
    /// By the buffers of the values.
    of: Vec<Gradient>,
    /// How many gradients a buffer belongs to.
    owners: HashMap<usize, usize>,
}

impl Scheduler<'_> {
    /// The steps back; returns the place of the gradient of the logits.
    pub(super) fn backward(&mut self, layers: &[Fused<'_>]) -> Place {
        let mut gradients = self.gradients(layers);
        let next = self.stages.len();
        self.reach(next);
        let output = self.graph.output();
        let seed = self.target(&mut gradients, self.place(output)).place;
        for fused in layers.iter().rev() {
            self.layer_backward(&mut gradients, fused);
            gradients.release(self.place(fused.y).buffer);
        }
        seed
    }

    fn gradients(&self, layers: &[Fused<'_>]) -> Gradients {
        let none = Gradient { buffer: None, written: Vec::new(), trend: Vec::new(), makers: 0 };
        let mut of = vec![none; self.places.buffers.len()];
        for fused in layers {
            let place = self.place(fused.y);
            let gradient = &mut of[place.buffer];
            gradient.written = vec![false; place.pitch];
            gradient.trend = vec![None; place.pitch];
            gradient.makers += 1;
        }
        Gradients { of, owners: HashMap::new() }
    }

    fn layer_backward(&mut self, gradients: &mut Gradients, fused: &Fused<'_>) {
        let y = self.place(fused.y);
        if let Some(parts) = parts(self.graph, fused.layer, true) {
            let mut offset = 0;
            for &part in parts {
                let shape = self.graph.shape(part);
                let at = y.part(offset, shape.channels);
                if self.place(part) != at {
                    self.pass_on(gradients, at, part);
                }
                offset += shape.channels;
            }
            return;
        }
        let op = self.operations[fused.y.0];
        match *fused.layer {
            Layer::Convolution { x, .. } | Layer::Linear { x, .. } => {
                let dy = self.read(gradients, y);
                let source = self.source(x);
                let dx = self.target_of(gradients, x);
                self.turn(op);
                let convolution = &self.convolutions[op];
                let (weights, biases) = (convolution.sums(), convolution.op.bias.as_ref().map_or(0, |bias| bias.len()));
                let (at, bias_at) = (self.partials(weights), self.sums(biases));
                self.push(Step::ConvolutionBackward { op, x: source, dy, dx, at, bias_at });
                self.stage().finishes.push(Finish::Convolution { op, at, bias_at });
            }
            Layer::BatchNorm { x, norm, .. } => {
                let dy = self.read(gradients, y);
                let dx = self.target_of(gradients, x);
                let x = self.place(x);
                let at = self.sums(2 * x.shape.channels);
                self.push(Step::NormBackward { norm, x, dy, dx, at });
                self.stage().finishes.push(Finish::Norm { norm, at });
                if dx.is_some() {
                    let next = self.stages.len();
                    gradients.of[x.buffer].trend[x.channels()].fill(Some(next));
                }
            }
            Layer::Activation { x, function: f } => self.function_backward(gradients, f, x, fused.y),
            Layer::Add { terms } => {
                for term in terms {
                    if !self.is_at(term, y) {
                        self.pass_on(gradients, y, term);
                    }
                }
            }
            Layer::AveragePool { x, size } => {
                if let Some(dx) = self.target_of(gradients, x) {
                    let dy = self.read(gradients, y);
                    self.push(Step::AveragePoolBackward { size, dy, dx });
                }
            }
            Layer::MaxPool { x, size } => {
                let dy = self.read(gradients, y);
                if let Some(dx) = self.target_of(gradients, x) {
                    let x = self.stored(x);
                    self.push(Step::MaxPoolBackward { size, x, dy, dx });
                }
            }
            Layer::Dropout { x, .. } => {
                let dy = self.read(gradients, y);
                if let Some(dx) = self.target_of(gradients, x) {
                    let factors = self.masks[op].factors;
                    self.push(Step::Dropout { factors, x: dy, y: dx });
                }
            }
            Layer::Flatten { x } => {
                let dy = self.read(gradients, y);
                if let Some(dx) = self.target_of(gradients, x) {
                    self.push(Step::FlattenBackward { dy, dx });
                }
            }
            Layer::Concatenate { .. } => unreachable!("parts are dealt with above"),
        }
    }

    fn function_backward(&mut self, gradients: &mut Gradients, f: Activation, x: Value, value: Value) {
        let y = self.place(value);
        let dy = self.read(gradients, y);
        if x.0 == 0 {
            return;
        }
        if self.is_at(x, y) {
            let dx = Destination { place: self.exclusive(gradients, y), add: false };
            self.push(Step::FunctionBackwardFromValue { f, y, dy: dx.place, dx });
            return;
        }
        let dx = self.target(gradients, self.place(x));
        let step = match self.held(value) {
            Held::View { source, .. } => Step::FunctionBackward { f, x: source.place, dy, dx },
            Held::Stored(y) => Step::FunctionBackwardFromValue { f, y, dy, dx },
        };
        self.push(step);
    }

    /// The gradient of a place, complete, in a stage that can complete it.
    fn read(&mut self, gradients: &mut Gradients, place: Place) -> Place {
        let pending = gradients.of[place.buffer].trend[place.channels()].to_vec();
        if let Some(stage) = pending.iter().flatten().max() {
            self.reach(*stage);
            let dx = self.exclusive(gradients, place);
            let first = self.places.statistics[place.buffer].expect("a batch norm reads it");
            let mut channel = 0;
            for run in pending.chunk_by(|a, b| a.is_some() == b.is_some()) {
                if run[0].is_some() {
                    let start = first + place.offset + channel;
                    let (x, dx) = (place.part(channel, run.len()), dx.part(channel, run.len()));
                    self.push(Step::Trend { x, channels: start..start + run.len(), dx });
                }
                channel += run.len();
            }
            gradients.of[place.buffer].trend[place.channels()].fill(None);
        }
        let buffer = gradients.of[place.buffer].buffer.expect("every value leads to the output");
        Place { buffer, ..place }
    }

    /// The gradient of a place, in a buffer of its own.
    fn exclusive(&mut self, gradients: &mut Gradients, place: Place) -> Place {
        let length = place.pitch * place.shape.plane();
        let buffer = match gradients.of[place.buffer].buffer {
            None => {
                let new = self.new_buffer(length);
                gradients.own(place.buffer, new);
                new
            }
            Some(shared) if gradients.owners[&shared] > 1 => {
                let new = self.new_buffer(length);
                let all = |buffer| {
                    let shape = Shape { channels: place.pitch, ..place.shape };
                    Place::whole(buffer, shape)
                };
                self.push(Step::Map { x: Source::plain(all(shared)), y: Destination { place: all(new), add: false } });
                gradients.disown(place.buffer);
                gradients.own(place.buffer, new);
                new
            }
            Some(own) => own,
        };
        Place { buffer, ..place }
    }

    /// Where a layer sends the gradient of x; nowhere if x is the image.
    fn target_of(&mut self, gradients: &mut Gradients, x: Value) -> Option<Destination> {
        (x.0 != 0).then(|| self.target(gradients, self.place(x)))
    }

    /// Where a layer sends the gradient of a place.
    fn target(&mut self, gradients: &mut Gradients, place: Place) -> Destination {
        let target = self.exclusive(gradients, place);
        let before = gradients.of[place.buffer].written[place.channels()].to_vec();
        gradients.of[place.buffer].written[place.channels()].fill(true);
        let add = before.contains(&true);
        let mut channel = 0;
        for run in before.chunk_by(|a, b| a == b) {
            if add && !run[0] {
                self.push(Step::Clear { y: target.part(channel, run.len()) });
            }
            channel += run.len();
        }
        Destination { place: target, add }
    }

    /// Sends the gradient of a place to x unchanged.
    fn pass_on(&mut self, gradients: &mut Gradients, from: Place, x: Value) {
        let dy = self.read(gradients, from);
        if x.0 == 0 {
            return;
        }
        let place = self.place(x);
        let fresh = gradients.of[place.buffer].buffer.is_none();
        if fresh && place.is_whole() && from.is_whole() {
            gradients.own(place.buffer, dy.buffer);
            gradients.of[place.buffer].written.fill(true);
        } else {
            let y = self.target(gradients, place);
            self.push(Step::Map { x: Source::plain(dy), y });
        }
    }
}

impl Gradients {
    fn own(&mut self, value: usize, buffer: usize) {
        self.of[value].buffer = Some(buffer);
        *self.owners.entry(buffer).or_default() += 1;
    }

    fn disown(&mut self, value: usize) {
        if let Some(buffer) = self.of[value].buffer.take() {
            *self.owners.entry(buffer).or_default() -= 1;
        }
    }

    /// One of the layers that read a gradient is done.
    fn release(&mut self, value: usize) {
        self.of[value].makers -= 1;
        if self.of[value].makers == 0 {
            self.disown(value);
        }
    }
}
