//! A graph as an ordered schedule of steps over reused buffers, worked out once.
//!
//! A buffer, or *slot*, holds one value of every image of a batch. A value holds its slot from the step that makes it
//! to the last that reads it, forward or backward; then the slot serves the next value of the same length. Batch norm
//! and the ReLU after it become one step. Gradients that several layers send to one value are added up in its slot.

use super::backend::{AveragePool, BatchNorm, Convolution, Linear, Slot, Target};
use crate::model::graph::{Graph, Layer, Value, Window};

/// One step towards the logits.
#[derive(Debug, Clone)]
pub(crate) enum Forward {
    Convolution {
        op: Convolution,
        x: Slot,
        y: Slot,
    },
    BatchNorm {
        op: BatchNorm,
        x: Slot,
        y: Slot,
    },
    Relu {
        x: Slot,
        y: Slot,
    },
    Copy {
        x: Slot,
        y: Slot,
    },
    /// y ← y + x
    Add {
        x: Slot,
        y: Slot,
    },
    AveragePool {
        op: AveragePool,
        x: Slot,
        y: Slot,
    },
    Linear {
        op: Linear,
        x: Slot,
        y: Slot,
    },
}

/// One step back from the logits; no `dx` where x is the image.
#[derive(Debug, Clone)]
pub(crate) enum Backward {
    Convolution {
        op: Convolution,
        x: Slot,
        dy: Slot,
        dx: Option<Target>,
    },
    BatchNorm {
        op: BatchNorm,
        x: Slot,
        dy: Slot,
        dx: Option<Target>,
    },
    Relu {
        y: Slot,
        dy: Slot,
        dx: Target,
    },
    Copy {
        x: Slot,
        y: Slot,
    },
    /// y ← y + x
    Add {
        x: Slot,
        y: Slot,
    },
    AveragePool {
        op: AveragePool,
        dy: Slot,
        dx: Target,
    },
    Linear {
        op: Linear,
        x: Slot,
        dy: Slot,
        dx: Option<Target>,
    },
}

/// The way from the images to the logits.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Numbers an image needs in every slot.
    pub(crate) slots: Vec<usize>,
    /// Where the images go in.
    pub(crate) images: Slot,
    /// Where the logits come out.
    pub(crate) logits: Slot,
    /// The steps.
    pub(crate) forward: Vec<Forward>,
}

/// A [`Plan`] that keeps what the way back needs, and the way back.
#[derive(Debug)]
pub(crate) struct TrainingPlan {
    /// The way there.
    pub(crate) plan: Plan,
    /// Where the gradient of the logits goes in.
    pub(crate) logits_gradient: Slot,
    /// The steps.
    pub(crate) backward: Vec<Backward>,
}

impl Plan {
    /// The schedule for the logits alone.
    pub(crate) fn inference(graph: &Graph) -> Self {
        let mut planner = Planner::new(graph, vec![false; graph.layers().len() + 1]);
        let forward = planner.forward();
        planner.finish(forward)
    }
}

impl TrainingPlan {
    /// The schedule for the logits and the gradient.
    pub(crate) fn new(graph: &Graph) -> Self {
        let mut kept = vec![false; graph.layers().len() + 1];
        for (index, layer) in graph.layers().iter().enumerate() {
            match *layer {
                Layer::Convolution { x, .. } | Layer::BatchNorm { x, .. } | Layer::Linear { x, .. } => kept[x.0] = true,
                Layer::Relu { .. } => kept[index + 1] = true,
                Layer::Add { .. } | Layer::AveragePool { .. } | Layer::Flatten { .. } => {}
            }
        }
        let mut planner = Planner::new(graph, kept);
        let forward = planner.forward();
        let (logits_gradient, backward) = planner.backward();
        Self { plan: planner.finish(forward), logits_gradient, backward }
    }
}

/// Slots and how many values hold each.
#[derive(Default)]
struct Slots {
    lengths: Vec<usize>,
    holders: Vec<usize>,
}

impl Slots {
    fn take(&mut self, length: usize) -> Slot {
        let free = (0..self.lengths.len()).find(|&slot| self.holders[slot] == 0 && self.lengths[slot] == length);
        let slot = free.unwrap_or_else(|| {
            self.lengths.push(length);
            self.holders.push(0);
            self.lengths.len() - 1
        });
        self.holders[slot] = 1;
        Slot(slot)
    }

    fn share(&mut self, slot: Slot) -> Slot {
        self.holders[slot.0] += 1;
        slot
    }

    fn release(&mut self, slot: Slot) {
        self.holders[slot.0] -= 1;
    }

    fn is_shared(&self, slot: Slot) -> bool {
        self.holders[slot.0] > 1
    }
}

/// A layer as it runs: with the ReLU it has taken in, and the value it makes.
struct Fused<'a> {
    layer: &'a Layer,
    relu: bool,
    y: Value,
}

struct Planner<'a> {
    graph: &'a Graph,
    layers: Vec<Fused<'a>>,
    /// Whether the way back reads a value.
    kept: Vec<bool>,
    /// Layers that have still to read a value on the way there.
    readers: Vec<usize>,
    slots: Slots,
    values: Vec<Option<Slot>>,
    gradients: Vec<Option<Slot>>,
}

impl<'a> Planner<'a> {
    fn new(graph: &'a Graph, kept: Vec<bool>) -> Self {
        let mut readers = vec![0; kept.len()];
        readers[graph.output().0] += 1;
        graph.layers().iter().flat_map(Layer::inputs).for_each(|x| readers[x.0] += 1);
        let mut slots = Slots::default();
        let mut values = vec![None; kept.len()];
        values[0] = Some(slots.take(graph.input().len()));
        let gradients = vec![None; kept.len()];
        let layers = fuse(graph, &readers);
        Self { graph, layers, kept, readers, slots, values, gradients }
    }

    fn finish(self, forward: Vec<Forward>) -> Plan {
        Plan { images: Slot(0), logits: self.slot(self.graph.output()), slots: self.slots.lengths, forward }
    }

    /// The slot of a value that is alive.
    fn slot(&self, value: Value) -> Slot {
        self.values[value.0].expect("a value lives from its layer to its last reader")
    }

    fn length(&self, value: Value) -> usize {
        self.graph.shape(value).len()
    }

    fn forward(&mut self) -> Vec<Forward> {
        let mut steps = Vec::new();
        for index in 0..self.layers.len() {
            let Fused { layer, relu, y: value } = self.layers[index];
            let y = match *layer {
                Layer::Flatten { x } => self.slots.share(self.slot(x)),
                Layer::Add { a, .. } if self.is_spent_by_next_reader(a) => self.slots.share(self.slot(a)),
                _ => self.slots.take(self.length(value)),
            };
            match *layer {
                Layer::Convolution { x, window, weight } => {
                    let op = self.convolution(x, value, window, weight);
                    steps.push(Forward::Convolution { op, x: self.slot(x), y });
                }
                Layer::BatchNorm { x, norm, weight, bias } => {
                    let op = self.batch_norm(x, norm, weight, bias, relu);
                    steps.push(Forward::BatchNorm { op, x: self.slot(x), y });
                }
                Layer::Relu { x } => steps.push(Forward::Relu { x: self.slot(x), y }),
                Layer::Add { a, b } => {
                    if self.slot(a) != y {
                        steps.push(Forward::Copy { x: self.slot(a), y });
                    }
                    steps.push(Forward::Add { x: self.slot(b), y });
                }
                Layer::AveragePool { x, size } => {
                    let op = AveragePool { input: self.graph.shape(x), size };
                    steps.push(Forward::AveragePool { op, x: self.slot(x), y });
                }
                Layer::Flatten { .. } => {}
                Layer::Linear { x, weight, bias } => {
                    let op = self.linear(weight, bias);
                    steps.push(Forward::Linear { op, x: self.slot(x), y });
                }
            }
            self.values[value.0] = Some(y);
            for x in layer.inputs() {
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

    fn backward(&mut self) -> (Slot, Vec<Backward>) {
        let mut steps = Vec::new();
        let output = self.graph.output();
        let seed = self.slots.take(self.length(output));
        self.gradients[output.0] = Some(seed);
        for index in (0..self.layers.len()).rev() {
            let Fused { layer, relu, y: value } = self.layers[index];
            let dy = self.gradients[value.0].take().expect("every value leads to the output");
            match *layer {
                Layer::Convolution { x, window, weight } => {
                    let op = self.convolution(x, value, window, weight);
                    let dx = self.target(x, &mut steps);
                    steps.push(Backward::Convolution { op, x: self.slot(x), dy, dx });
                }
                Layer::BatchNorm { x, norm, weight, bias } => {
                    let op = self.batch_norm(x, norm, weight, bias, relu);
                    let dx = self.target(x, &mut steps);
                    steps.push(Backward::BatchNorm { op, x: self.slot(x), dy, dx });
                }
                Layer::Relu { x } => {
                    if let Some(dx) = self.target(x, &mut steps) {
                        steps.push(Backward::Relu { y: self.slot(value), dy, dx });
                    }
                }
                Layer::Add { a, b } => {
                    self.pass_on(dy, a, &mut steps);
                    self.pass_on(dy, b, &mut steps);
                }
                Layer::AveragePool { x, size } => {
                    if let Some(dx) = self.target(x, &mut steps) {
                        let op = AveragePool { input: self.graph.shape(x), size };
                        steps.push(Backward::AveragePool { op, dy, dx });
                    }
                }
                Layer::Flatten { x } => self.pass_on(dy, x, &mut steps),
                Layer::Linear { x, weight, bias } => {
                    let op = self.linear(weight, bias);
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
        let length = self.length(x);
        let (slot, accumulate) = match self.gradients[x.0] {
            None => (self.slots.take(length), false),
            Some(shared) if self.slots.is_shared(shared) => {
                let own = self.slots.take(length);
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

    fn convolution(&self, x: Value, y: Value, window: Window, weight: usize) -> Convolution {
        let weight = self.graph.layout().parameters()[weight].range();
        Convolution { input: self.graph.shape(x), output: self.graph.shape(y), window, weight }
    }

    fn batch_norm(&self, x: Value, norm: usize, weight: usize, bias: usize, relu: bool) -> BatchNorm {
        let layout = self.graph.layout();
        let [weight, bias] = [weight, bias].map(|entry| layout.parameters()[entry].range());
        let shape = self.graph.shape(x);
        let statistics = layout.norms()[norm].range();
        BatchNorm { channels: shape.channels, plane: shape.plane(), relu, weight, bias, statistics }
    }

    fn linear(&self, weight: usize, bias: usize) -> Linear {
        let parameters = self.graph.layout().parameters();
        let (outputs, inputs) = (parameters[weight].shape[0], parameters[weight].shape[1]);
        Linear { inputs, outputs, weight: parameters[weight].range(), bias: parameters[bias].range() }
    }
}

/// The layers in order, each batch norm with the ReLU right after it if that alone reads it.
fn fuse<'a>(graph: &'a Graph, readers: &[usize]) -> Vec<Fused<'a>> {
    let mut layers = graph.layers().iter().enumerate().peekable();
    let mut fused = Vec::new();
    while let Some((index, layer)) = layers.next() {
        let y = Value(index + 1);
        let is_norm = matches!(layer, Layer::BatchNorm { .. });
        let relu =
            layers.next_if(|(_, next)| is_norm && readers[y.0] == 1 && matches!(next, Layer::Relu { x } if *x == y));
        fused.push(match relu {
            Some((index, _)) => Fused { layer, relu: true, y: Value(index + 1) },
            None => Fused { layer, relu: false, y },
        });
    }
    fused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;

    /// Slots of every stage's length, the last stage first.
    fn count(plan: &Plan, lengths: [usize; 3]) -> [usize; 3] {
        lengths.map(|length| plan.slots.iter().filter(|slot| **slot == length).count())
    }

    #[test]
    fn a_resnet_is_evaluated_in_few_buffers() {
        // Basic blocks hold their input, and by turns the normalised and the convolved branch; the second convolution
        // and the sum reuse these.
        let plan = Plan::inference(&Architecture::ResNet20.graph(10).expect("a network"));
        assert_eq!(count(&plan, [64 * 64, 32 * 256, 16 * 1024]), [3, 3, 3]);
        assert!(!plan.forward.iter().any(|step| matches!(step, Forward::Copy { .. } | Forward::Relu { .. })));
    }

    #[test]
    fn training_keeps_what_the_way_back_reads_and_reuses_the_rest() {
        // Read on the way back: the inputs of batch norms and convolutions, 11, 12 and 14 of the three lengths (the
        // last pooled value is not). Gradients need two slots more, and the last stage one for the pooled value.
        let graph = Architecture::ResNet20.graph(10).expect("a network");
        let TrainingPlan { plan, backward, .. } = TrainingPlan::new(&graph);
        assert_eq!(count(&plan, [64 * 64, 32 * 256, 16 * 1024]), [14, 14, 16]);
        assert!(!backward.iter().any(|step| matches!(step, Backward::Copy { .. } | Backward::Add { .. })));
    }
}
