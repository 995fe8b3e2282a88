//! Which slot every value holds, and the steps that follow from it.

use super::fused::{self, Fused, fuse, readers};
use super::slots::Slots;
use super::{Backward, Forward, Kind, Kinds, Plan};
use crate::exec::backend::{Part, Pool, Slot, Target};
use crate::model::graph::{Graph, Layer, Value};

pub(super) struct Planner<'a> {
    graph: &'a Graph,
    kinds: &'a Kinds,
    layers: Vec<Fused<'a>>,
    /// Whether the way back reads a value.
    kept: Vec<bool>,
    /// Layers that have still to read a value on the way there.
    readers: Vec<usize>,
    slots: Slots,
    values: Vec<Option<Slot>>,
    gradients: Vec<Option<Slot>>,
    training: bool,
    /// The name of every dropout, and where its factors go in.
    masks: Vec<(String, Slot)>,
}

impl<'a> Planner<'a> {
    /// A planner of a graph, of whose values some are kept for the way back; dropout acts in training alone.
    pub(super) fn new(graph: &'a Graph, kinds: &'a Kinds, kept: Vec<bool>, training: bool) -> Self {
        let readers = readers(graph);
        // An engine that keeps feature maps apart reads on its way back beside the steps that follow.
        let mut slots = Slots::new(training && kinds.are_apart());
        let mut values = vec![None; kept.len()];
        values[0] = Some(slots.take(graph.input().len(), kinds.of(Value(0))));
        let gradients = vec![None; kept.len()];
        let layers = fuse(graph, &readers);
        let masks = Vec::new();
        let mut planner = Self { graph, kinds, layers, kept, readers, slots, values, gradients, training, masks };
        if training {
            planner.take_masks();
        }
        planner
    }

    /// Slots for the factors of dropout, which are written before the first step.
    fn take_masks(&mut self) {
        for layer in self.graph.layers() {
            if let Layer::Dropout { x, name, .. } = layer {
                let factors = self.slots.take(self.length(*x), Kind::Vector);
                self.masks.push((name.clone(), factors));
            }
        }
    }

    /// Where the factors of a dropout go in.
    fn mask(&self, name: &str) -> Slot {
        let mask = self.masks.iter().find(|(mask, _)| mask == name);
        mask.expect("every dropout has its slot from the beginning").1
    }

    /// The plan with these steps.
    pub(super) fn finish(self, forward: Vec<Forward>) -> Plan {
        let logits = self.slot(self.graph.output());
        Plan {
            images: Slot(0),
            logits,
            slots: self.slots.lengths,
            kinds: self.slots.kinds,
            masks: self.masks.into_iter().map(|(_, slot)| slot).collect(),
            forward,
        }
    }

    /// The slot of a value that is alive.
    fn slot(&self, value: Value) -> Slot {
        self.values[value.0].expect("a value lives from its layer to its last reader")
    }

    fn length(&self, value: Value) -> usize {
        self.graph.shape(value).len()
    }

    /// A slot for a value or its gradient.
    fn take(&mut self, value: Value) -> Slot {
        self.slots.take(self.length(value), self.kinds.of(value))
    }

    /// Whether nothing changes where a value is flattened.
    fn is_flat(&self, x: Value, y: Value) -> bool {
        self.kinds.of(x) == self.kinds.of(y)
    }

    /// The steps towards the logits.
    pub(super) fn forward(&mut self) -> Vec<Forward> {
        let mut steps = Vec::new();
        for index in 0..self.layers.len() {
            let Fused { layer, activation, y: value } = self.layers[index];
            let y = match *layer {
                Layer::Flatten { x } if self.is_flat(x, value) => self.slots.share(self.slot(x)),
                Layer::Dropout { x, .. } if !self.training => self.slots.share(self.slot(x)),
                Layer::Add { terms: [a, _] } if self.is_spent_by_next_reader(a) => self.slots.share(self.slot(a)),
                _ => self.take(value),
            };
            match *layer {
                Layer::Convolution { x, window, weight, bias } => {
                    let op = fused::convolution(self.graph, [x, value], window, weight, bias);
                    steps.push(Forward::Convolution { op, x: self.slot(x), y });
                }
                Layer::BatchNorm { x, norm, weight, bias } => {
                    let op = fused::batch_norm(self.graph, x, norm, [weight, bias], activation);
                    steps.push(Forward::BatchNorm { op, x: self.slot(x), y });
                }
                Layer::Activation { x, function } => {
                    steps.push(Forward::Activation { f: function, x: self.slot(x), y });
                }
                Layer::Add { terms: [a, b] } => {
                    if self.slot(a) != y {
                        steps.push(Forward::Copy { x: self.slot(a), y });
                    }
                    steps.push(Forward::Add { x: self.slot(b), y });
                }
                Layer::Concatenate { ref parts } => {
                    let parts = self.parts(parts).map(|(op, part)| Forward::Insert { op, x: self.slot(part), y });
                    steps.extend(parts);
                }
                Layer::AveragePool { x, size } => {
                    let op = Pool { input: self.graph.shape(x), size };
                    steps.push(Forward::AveragePool { op, x: self.slot(x), y });
                }
                Layer::MaxPool { x, size } => {
                    let op = Pool { input: self.graph.shape(x), size };
                    steps.push(Forward::MaxPool { op, x: self.slot(x), y });
                }
                Layer::Dropout { x, ref name, .. } => {
                    if self.training {
                        let (shape, factors) = (self.graph.shape(x), self.mask(name));
                        steps.push(Forward::Dropout { shape, factors, x: self.slot(x), y });
                    }
                }
                Layer::Flatten { x } => {
                    if !self.is_flat(x, value) {
                        steps.push(Forward::Flatten { shape: self.graph.shape(x), x: self.slot(x), y });
                    }
                }
                Layer::Linear { x, weight, bias } => {
                    let op = fused::linear(self.graph, weight, bias);
                    steps.push(Forward::Linear { op, x: self.slot(x), y });
                }
            }
            self.values[value.0] = Some(y);
            for &x in layer.inputs() {
                self.readers[x.0] -= 1;
                if self.readers[x.0] == 0 && !self.kept[x.0] {
                    self.slots.release(self.slot(x));
                    self.values[x.0] = None;
                }
            }
        }
        steps
    }

    /// Whether nothing needs a value, or its slot, after the layer that now reads it.
    fn is_spent_by_next_reader(&self, value: Value) -> bool {
        self.readers[value.0] == 1 && !self.kept[value.0] && !self.slots.is_shared(self.slot(value))
    }

    /// Where the gradient of the logits goes in, and the steps back from there; after [`forward`](Self::forward).
    pub(super) fn backward(&mut self) -> (Slot, Vec<Backward>) {
        let mut steps = Vec::new();
        let output = self.graph.output();
        let seed = self.take(output);
        self.gradients[output.0] = Some(seed);
        for index in (0..self.layers.len()).rev() {
            let Fused { layer, activation, y: value } = self.layers[index];
            let dy = self.gradients[value.0].take().expect("every value leads to the output");
            match *layer {
                Layer::Convolution { x, window, weight, bias } => {
                    let op = fused::convolution(self.graph, [x, value], window, weight, bias);
                    let dx = self.target(x, &mut steps);
                    steps.push(Backward::Convolution { op, x: self.slot(x), dy, dx });
                }
                Layer::BatchNorm { x, norm, weight, bias } => {
                    let op = fused::batch_norm(self.graph, x, norm, [weight, bias], activation);
                    let dx = self.target(x, &mut steps);
                    steps.push(Backward::BatchNorm { op, x: self.slot(x), dy, dx });
                }
                Layer::Activation { x, function } => {
                    if let Some(dx) = self.target(x, &mut steps) {
                        steps.push(Backward::Activation { f: function, y: self.slot(value), dy, dx });
                    }
                }
                Layer::Add { terms: [a, b] } => {
                    self.pass_on(dy, a, &mut steps);
                    self.pass_on(dy, b, &mut steps);
                }
                Layer::Concatenate { ref parts } => {
                    for (op, x) in self.parts(parts).collect::<Vec<_>>() {
                        if let Some(dx) = self.target(x, &mut steps) {
                            steps.push(Backward::Extract { op, dy, dx });
                        }
                    }
                }
                Layer::AveragePool { x, size } => {
                    if let Some(dx) = self.target(x, &mut steps) {
                        let op = Pool { input: self.graph.shape(x), size };
                        steps.push(Backward::AveragePool { op, dy, dx });
                    }
                }
                Layer::MaxPool { x, size } => {
                    if let Some(dx) = self.target(x, &mut steps) {
                        let op = Pool { input: self.graph.shape(x), size };
                        steps.push(Backward::MaxPool { op, x: self.slot(x), dy, dx });
                    }
                }
                Layer::Dropout { x, ref name, .. } => {
                    if let Some(dx) = self.target(x, &mut steps) {
                        let (shape, factors) = (self.graph.shape(x), self.mask(name));
                        steps.push(Backward::Dropout { shape, factors, dy, dx });
                    }
                }
                Layer::Flatten { x } if self.is_flat(x, value) => self.pass_on(dy, x, &mut steps),
                Layer::Flatten { x } => {
                    if let Some(dx) = self.target(x, &mut steps) {
                        steps.push(Backward::Flatten { shape: self.graph.shape(x), dy, dx });
                    }
                }
                Layer::Linear { x, weight, bias } => {
                    let op = fused::linear(self.graph, weight, bias);
                    let dx = self.target(x, &mut steps);
                    steps.push(Backward::Linear { op, x: self.slot(x), dy, dx });
                }
            }
            self.slots.release(dy);
            // The logits are read after the way there; every other value is done with once its layer has gone back.
            if value != output
                && let Some(slot) = self.values[value.0].take()
            {
                self.slots.release(slot);
            }
        }
        (seed, steps)
    }

    /// Where a layer sends the gradient of x, after making sure that nobody else reads that slot.
    fn target(&mut self, x: Value, steps: &mut Vec<Backward>) -> Option<Target> {
        if x == Value(0) {
            return None;
        }
        let (slot, accumulate) = match self.gradients[x.0] {
            None => (self.take(x), false),
            Some(shared) if self.slots.is_shared(shared) => {
                let own = self.take(x);
                steps.push(Backward::Copy { x: shared, y: own });
                self.slots.release(shared);
                (own, true)
            }
            Some(own) => (own, true),
        };
        self.gradients[x.0] = Some(slot);
        Some(Target { slot, accumulate })
    }

    /// Sends dy to x unchanged: x shares its slot if it has no gradient yet.
    fn pass_on(&mut self, dy: Slot, x: Value, steps: &mut Vec<Backward>) {
        if x == Value(0) {
        } else if self.gradients[x.0].is_none() {
            self.gradients[x.0] = Some(self.slots.share(dy));
        } else if let Some(Target { slot, .. }) = self.target(x, steps) {
            steps.push(Backward::Add { x: dy, y: slot });
        }
    }

    /// The parts of a concatenation, and where each comes from.
    fn parts(&self, parts: &[Value]) -> impl Iterator<Item = (Part, Value)> {
        let total = parts.iter().map(|part| self.length(*part)).sum();
        parts.iter().scan(0, move |offset, &part| {
            let (length, plane) = (self.length(part), self.graph.shape(part).plane());
            let op = Part { offset: *offset, length, total, plane };
            *offset += op.length;
            Some((op, part))
        })
    }
}
