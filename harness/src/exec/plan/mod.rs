//! A graph as an ordered schedule of steps over reused buffers, worked out once.
//!
//! A buffer, or *slot*, holds one value of every image of a batch. A value holds its slot from the step that makes it
//! to the last that reads it, forward or backward; then the slot serves the next value of the same length. Batch norm
//! and the activation after it become one step. Gradients that several layers send to one value are added up in its
//! slot. Where an engine keeps feature maps and vectors apart ([`Kinds`]), so do slots, and flattening is a step.

pub(in crate::exec) mod fused;
mod kinds;
mod planner;
mod slots;

pub(crate) use self::kinds::{Kind, Kinds};
use self::planner::Planner;
use super::backend::{BatchNorm, Convolution, Linear, Part, Pool, Slot, Target};
use crate::model::graph::{Activation, Graph, Layer, Shape};

/// One step towards the logits.
#[derive(Debug, Clone)]
#[rustfmt::skip]
#[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "on the processor all values are alike"))]
pub(crate) enum Forward {
    Convolution { op: Convolution, x: Slot, y: Slot },
    BatchNorm { op: BatchNorm, x: Slot, y: Slot },
    Activation { f: Activation, x: Slot, y: Slot },
    Copy { x: Slot, y: Slot },
    /// y ← y + x
    Add { x: Slot, y: Slot },
    Dropout { shape: Shape, factors: Slot, x: Slot, y: Slot },
    Insert { op: Part, x: Slot, y: Slot },
    AveragePool { op: Pool, x: Slot, y: Slot },
    MaxPool { op: Pool, x: Slot, y: Slot },
    /// y ← x, a map of this shape, as vectors
    Flatten { shape: Shape, x: Slot, y: Slot },
    Linear { op: Linear, x: Slot, y: Slot },
}

/// One step back from the logits; no `dx` where x is the image.
#[derive(Debug, Clone)]
#[rustfmt::skip]
#[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "on the processor all values are alike"))]
pub(crate) enum Backward {
    Convolution { op: Convolution, x: Slot, dy: Slot, dx: Option<Target> },
    BatchNorm { op: BatchNorm, x: Slot, dy: Slot, dx: Option<Target> },
    Activation { f: Activation, y: Slot, dy: Slot, dx: Target },
    Copy { x: Slot, y: Slot },
    /// y ← y + x
    Add { x: Slot, y: Slot },
    Dropout { shape: Shape, factors: Slot, dy: Slot, dx: Target },
    Extract { op: Part, dy: Slot, dx: Target },
    AveragePool { op: Pool, dy: Slot, dx: Target },
    MaxPool { op: Pool, x: Slot, dy: Slot, dx: Target },
    /// dx ← dy, vectors, as a map of this shape
    Flatten { shape: Shape, dy: Slot, dx: Target },
    Linear { op: Linear, x: Slot, dy: Slot, dx: Option<Target> },
}

/// The way from the images to the logits.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Numbers an image needs in every slot.
    pub(crate) slots: Vec<usize>,
    /// What every slot holds.
    pub(crate) kinds: Vec<Kind>,
    /// Where the images go in.
    pub(crate) images: Slot,
    /// Where the logits come out.
    pub(crate) logits: Slot,
    /// Where the factors of every dropout go in, in the graph's order; a plan for evaluation drops nothing.
    pub(crate) masks: Vec<Slot>,
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
    /// The schedule for the logits alone, of values that are kept alike.
    pub(crate) fn inference(graph: &Graph) -> Self {
        Self::inference_of(graph, &Kinds::alike(graph))
    }

    /// The same of values of these kinds.
    pub(crate) fn inference_of(graph: &Graph, kinds: &Kinds) -> Self {
        let mut planner = Planner::new(graph, kinds, vec![false; graph.layers().len() + 1], false);
        let forward = planner.forward();
        planner.finish(forward)
    }
}

impl TrainingPlan {
    /// The schedule for the logits and the gradient, of values that are kept alike.
    pub(crate) fn new(graph: &Graph) -> Self {
        Self::of(graph, &Kinds::alike(graph))
    }

    /// The same of values of these kinds.
    pub(crate) fn of(graph: &Graph, kinds: &Kinds) -> Self {
        let mut kept = vec![false; graph.layers().len() + 1];
        for (index, layer) in graph.layers().iter().enumerate() {
            match *layer {
                Layer::Convolution { x, .. }
                | Layer::BatchNorm { x, .. }
                | Layer::MaxPool { x, .. }
                | Layer::Linear { x, .. } => kept[x.0] = true,
                Layer::Activation { .. } => kept[index + 1] = true,
                Layer::Add { .. }
                | Layer::Concatenate { .. }
                | Layer::AveragePool { .. }
                | Layer::Dropout { .. }
                | Layer::Flatten { .. } => {}
            }
        }
        let mut planner = Planner::new(graph, kinds, kept, true);
        let forward = planner.forward();
        let (logits_gradient, backward) = planner.backward();
        Self { plan: planner.finish(forward), logits_gradient, backward }
    }
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
        assert!(!plan.forward.iter().any(|step| matches!(step, Forward::Copy { .. } | Forward::Activation { .. })));
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

    #[test]
    fn activations_after_batch_norm_are_fused_with_it_whatever_they_are() {
        for (name, separate) in
            [("resnet8-sigmoid", 0), ("resnet8-softplus", 0), ("resnet8-nobn", 7), ("vgg16-bn", 2), ("vgg16", 15)]
        {
            let plan = Plan::inference(&Architecture::parse(name).and_then(|a| a.graph(10)).expect("a network"));
            let count = plan.forward.iter().filter(|step| matches!(step, Forward::Activation { .. })).count();
            assert_eq!(count, separate, "{name}");
        }
    }

    #[test]
    fn dropout_takes_no_step_in_evaluation_and_a_mask_in_training() {
        let graph = Architecture::Vgg16.graph(10).expect("a network");
        let plan = Plan::inference(&graph);
        assert!(plan.masks.is_empty() && !plan.forward.iter().any(|step| matches!(step, Forward::Dropout { .. })));
        let TrainingPlan { plan, .. } = TrainingPlan::new(&graph);
        assert_eq!(plan.masks.iter().map(|mask| plan.slots[mask.0]).collect::<Vec<_>>(), [512, 512]);
    }
}
