//! A graph as stages of steps.
//!
//! Layers run in the graph's order; a stage ends where a batch norm needs moments, or a gradient through moments, that
//! the stage adds up itself. Batch norms and functions are no steps of their own where their readers can compute them
//! on the way; values are put where they will be read (a concatenation copies nothing, a sum overwrites a term).

mod backward;
mod buffers;
mod places;

use std::collections::HashMap;

use self::places::{Held, Places, parts};
use super::algorithm::{Algorithm, Planned, Thresholds};
use super::step::{Destination, Finish, Mask, Place, Schedule, Source, Stage, Step};
use crate::exec::backend::Convolution;
use crate::exec::plan::fused::{self, Fused, fuse};
use crate::model::graph::{Graph, Layer, Value, Window};

/// What a schedule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Logits with given moments: one stage, or several where wide convolutions begin and end.
    Evaluation,
    /// Logits and moments of the batch.
    Statistics,
    /// Logits, moments and gradients.
    Training,
}

/// The schedule of a graph.
pub(super) fn schedule(graph: &Graph, purpose: Purpose, thresholds: Thresholds) -> Schedule {
    let layers = fuse(graph, &fused::readers(graph));
    let mut scheduler = Scheduler::new(graph, &layers, purpose, thresholds);
    scheduler.forward(&layers);
    let turn = scheduler.stages.len();
    let logits_gradient = match purpose {
        Purpose::Training => Some(scheduler.backward(&layers)),
        Purpose::Evaluation | Purpose::Statistics => None,
    };
    scheduler.finish(turn, logits_gradient)
}

struct Scheduler<'a> {
    graph: &'a Graph,
    purpose: Purpose,
    thresholds: Thresholds,
    places: Places,
    /// The number of every convolution and dropout among their like, by the value it makes.
    operations: Vec<usize>,
    convolutions: Vec<Planned>,
    masks: Vec<Mask>,
    stages: Vec<Stage>,
    /// For every channel that a batch norm reads, the first stage that knows its moments.
    known: Vec<usize>,
    /// Batch norms that a stage has named.
    named: Vec<bool>,
    /// Views computed in a stage.
    computed: HashMap<(usize, usize), Place>,
}

impl<'a> Scheduler<'a> {
    fn new(graph: &'a Graph, layers: &[Fused<'_>], purpose: Purpose, thresholds: Thresholds) -> Self {
        let places = places::assign(graph, layers, purpose == Purpose::Training);
        Self {
            graph,
            purpose,
            thresholds,
            operations: vec![0; graph.layers().len() + 1],
            convolutions: Vec::new(),
            masks: Vec::new(),
            stages: vec![Stage::default()],
            known: vec![0; places.channels],
            named: vec![false; places.norms.len()],
            computed: HashMap::new(),
            places,
        }
    }

    fn stage(&mut self) -> &mut Stage {
        self.stages.last_mut().expect("there is a stage from the beginning")
    }

    fn push(&mut self, step: Step) {
        self.stage().steps.push(step);
    }

    /// Makes sure that a stage after the given number of stages has begun.
    fn reach(&mut self, stage: usize) {
        if self.stages.len() <= stage {
            self.stages.push(Stage::default());
        }
    }

    /// Begins another stage if this one has convolutions, and is wide where this convolution is not, or the reverse.
    fn turn(&mut self, op: usize) {
        let is_wide = self.convolutions[op].algorithm == Algorithm::Wide;
        if *self.stage().is_wide.get_or_insert(is_wide) != is_wide {
            self.stages.push(Stage { is_wide: Some(is_wide), ..Stage::default() });
        }
    }

    /// Places for sums in the current stage.
    fn sums(&mut self, count: usize) -> usize {
        let stage = self.stage();
        stage.sums += count;
        stage.sums - count
    }

    /// Places for gradients of kernels in the current stage.
    fn partials(&mut self, count: usize) -> usize {
        let stage = self.stage();
        stage.partials += count;
        stage.partials - count
    }

    fn new_buffer(&mut self, length: usize) -> usize {
        self.places.buffers.push(length);
        self.places.buffers.len() - 1
    }

    fn held(&self, value: Value) -> Held {
        self.places.held[value.0].expect("layers read no value that has been fused away")
    }

    /// The place of a value that is stored, or of a view's gradient.
    fn place(&self, value: Value) -> Place {
        match self.held(value) {
            Held::Stored(place) => place,
            Held::View { gradient, .. } => gradient,
        }
    }

    /// How a value is read, in a stage that knows the moments for it.
    fn source(&mut self, x: Value) -> Source {
        match self.held(x) {
            Held::Stored(place) => Source::plain(place),
            Held::View { source, .. } => {
                source.norm.into_iter().for_each(|norm| self.need(norm));
                source
            }
        }
    }

    /// Begins another stage if this one does not know the moments of a batch norm.
    fn need(&mut self, norm: usize) {
        if self.named[norm] {
            return;
        }
        let at = self.places.norms[norm].at;
        let channels = at..at + self.places.norms[norm].op.channels;
        if let Some(&known) = self.known[channels].iter().max() {
            self.reach(known);
        }
        self.named[norm] = true;
        self.stage().norms.push(norm);
    }

    /// The numbers of a value in one place: a view is computed once a stage.
    fn stored(&mut self, x: Value) -> Place {
        let source = self.source(x);
        if source.is_plain() {
            return source.place;
        }
        let key = (self.stages.len(), x.0);
        if let Some(&place) = self.computed.get(&key) {
            return place;
        }
        let shape = self.graph.shape(x);
        let y = Place::whole(self.new_buffer(shape.len()), shape);
        self.push(Step::Map { x: source, y: Destination { place: y, add: false } });
        self.computed.insert(key, y);
        y
    }

    /// Adds up the moments of a place just written, if a batch norm reads it.
    fn moments(&mut self, x: Place) {
        if let Some(first) = self.places.statistics[x.buffer]
            && self.purpose != Purpose::Evaluation
        {
            let at = self.sums(2 * x.shape.channels);
            let channels = first + x.offset..first + x.offset + x.shape.channels;
            self.push(Step::Moments { x, at });
            let next = self.stages.len();
            self.known[channels.clone()].fill(next);
            self.stage().finishes.push(Finish::Moments { at, channels, plane: x.shape.plane() });
        }
    }

    /// The steps towards the logits.
    fn forward(&mut self, layers: &[Fused<'_>]) {
        let image = self.place(Value(0));
        self.push(Step::Load { y: image });
        self.moments(image);
        for fused in layers {
            let Held::Stored(y) = self.held(fused.y) else { continue };
            if let Some(parts) = parts(self.graph, fused.layer, self.purpose == Purpose::Training) {
                self.concatenate(parts, y);
                continue;
            }
            self.layer(fused, y);
            if !self.places.overwritten[fused.y.0] {
                self.moments(y);
            }
        }
    }

    /// Copies the parts that lie elsewhere.
    fn concatenate(&mut self, parts: &[Value], y: Place) {
        let mut offset = 0;
        for &part in parts {
            let x = self.place(part);
            let y = y.part(offset, x.shape.channels);
            if x != y {
                self.push(Step::Map { x: Source::plain(x), y: Destination { place: y, add: false } });
                self.moments(y);
            }
            offset += x.shape.channels;
        }
    }

    fn layer(&mut self, fused: &Fused<'_>, y: Place) {
        let value = fused.y;
        match *fused.layer {
            Layer::Convolution { x, window, weight, bias } => {
                self.convolve([x, value], fused::convolution(self.graph, [x, value], window, weight, bias), y);
            }
            Layer::BatchNorm { x, norm, .. } => {
                self.need(norm);
                let x = Source { place: self.place(x), norm: Some(norm), function: fused.activation };
                self.push(Step::Map { x, y: Destination { place: y, add: false } });
            }
            Layer::Activation { x, function } => {
                let x = Source { place: self.place(x), norm: None, function: Some(function) };
                self.push(Step::Map { x, y: Destination { place: y, add: false } });
            }
            Layer::Add { terms } => self.add(terms, y),
            Layer::AveragePool { x, size } => {
                let x = self.stored(x);
                self.push(Step::AveragePool { size, x, y });
            }
            Layer::MaxPool { x, size } => {
                let x = self.stored(x);
                self.push(Step::MaxPool { size, x, y });
            }
            Layer::Dropout { x, .. } => {
                let x = self.stored(x);
                let factors = Place::whole(self.new_buffer(x.shape.len()), x.shape);
                self.operations[value.0] = self.masks.len();
                self.masks.push(Mask { factors });
                self.push(Step::Dropout { factors, x, y: Destination { place: y, add: false } });
            }
            Layer::Flatten { x } => {
                let x = self.stored(x);
                self.push(Step::Flatten { x, y });
            }
            Layer::Linear { x, weight, bias } => {
                let pixel = Window { size: 1, stride: 1, padding: 0 };
                self.convolve([x, value], fused::convolution(self.graph, [x, value], pixel, weight, Some(bias)), y);
            }
            Layer::Concatenate { .. } => unreachable!("parts are dealt with by `concatenate`"),
        }
    }

    fn convolve(&mut self, [x, value]: [Value; 2], convolution: Convolution, y: Place) {
        let op = self.convolutions.len();
        let algorithm = self.thresholds.algorithm(&convolution);
        self.convolutions.push(Planned { op: convolution, algorithm });
        self.operations[value.0] = op;
        let x = self.source(x);
        self.turn(op);
        self.push(Step::Convolution { op, x, y, term: None });
    }

    /// y ← the sum of the terms, of which one may lie there already.
    fn add(&mut self, terms: [Value; 2], y: Place) {
        let mut add = terms.iter().any(|&term| self.is_at(term, y));
        for term in terms {
            if self.is_at(term, y) {
                continue;
            }
            let x = self.source(term);
            if !self.join(x, y) {
                self.push(Step::Map { x, y: Destination { place: y, add } });
            }
            add = true;
        }
    }

    /// Leaves a term to the convolution that has just made the other, if it can add it.
    fn join(&mut self, x: Source, sum: Place) -> bool {
        let is_narrow = |op: usize| self.convolutions[op].algorithm != Algorithm::Wide;
        match self.stages.last_mut().and_then(|stage| stage.steps.last_mut()) {
            Some(Step::Convolution { op, y, term: term @ None, .. })
                if *y == sum && x.is_plain() && x.place.buffer != y.buffer && is_narrow(*op) =>
            {
                *term = Some(x.place);
                true
            }
            _ => false,
        }
    }

    fn is_at(&self, value: Value, place: Place) -> bool {
        matches!(self.held(value), Held::Stored(at) if at == place)
    }
}
