//! The layers as they run, and what a backend is told of them.

use crate::exec::backend::{BatchNorm, Convolution, Linear};
use crate::model::graph::{Activation, Graph, Layer, Value, Window};

/// A layer as it runs: with the activation it has taken in, and the value it makes.
#[derive(Debug, Clone, Copy)]
pub(in crate::exec) struct Fused<'a> {
    pub(in crate::exec) layer: &'a Layer,
    pub(in crate::exec) activation: Option<Activation>,
    pub(in crate::exec) y: Value,
}

/// How many layers read every value; the output has one reader more.
pub(in crate::exec) fn readers(graph: &Graph) -> Vec<usize> {
    let mut readers = vec![0; graph.layers().len() + 1];
    readers[graph.output().0] += 1;
    graph.layers().iter().flat_map(Layer::inputs).for_each(|x| readers[x.0] += 1);
    readers
}

/// The layers in order, each batch norm with the activation right after it if that alone reads it.
pub(in crate::exec) fn fuse<'a>(graph: &'a Graph, readers: &[usize]) -> Vec<Fused<'a>> {
    let mut layers = graph.layers().iter().enumerate().peekable();
    let mut fused = Vec::new();
    while let Some((index, layer)) = layers.next() {
        let mut step = Fused { layer, activation: None, y: Value(index + 1) };
        let is_read_once = matches!(layer, Layer::BatchNorm { .. }) && readers[step.y.0] == 1;
        if let Some((next, Layer::Activation { x, function })) = layers.peek()
            && is_read_once
            && *x == step.y
        {
            step = Fused { layer, activation: Some(*function), y: Value(next + 1) };
            layers.next();
        }
        fused.push(step);
    }
    fused
}

/// The convolution of x to y with the parameters of these numbers.
pub(in crate::exec) fn convolution(
    graph: &Graph,
    [x, y]: [Value; 2],
    window: Window,
    weight: usize,
    bias: Option<usize>,
) -> Convolution {
    let range = |entry: usize| graph.layout().parameters()[entry].range();
    let (input, output) = (graph.shape(x), graph.shape(y));
    Convolution { input, output, window, weight: range(weight), bias: bias.map(range) }
}

/// The batch norm of x, number `norm` of the layout, with the parameters of these numbers.
pub(in crate::exec) fn batch_norm(
    graph: &Graph,
    x: Value,
    norm: usize,
    parameters: [usize; 2],
    activation: Option<Activation>,
) -> BatchNorm {
    let layout = graph.layout();
    let [weight, bias] = parameters.map(|entry| layout.parameters()[entry].range());
    let shape = graph.shape(x);
    let statistics = layout.norms()[norm].range();
    BatchNorm { channels: shape.channels, plane: shape.plane(), activation, weight, bias, statistics }
}

/// The linear layer with the parameters of these numbers.
pub(in crate::exec) fn linear(graph: &Graph, weight: usize, bias: usize) -> Linear {
    let parameters = graph.layout().parameters();
    let (outputs, inputs) = (parameters[weight].shape[0], parameters[weight].shape[1]);
    Linear { inputs, outputs, weight: parameters[weight].range(), bias: parameters[bias].range() }
}
