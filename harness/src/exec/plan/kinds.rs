//! Feature maps and vectors, where an engine keeps them in different numbers.

use crate::model::graph::{Graph, Layer, Value};
use crate::{Error, Result};

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value before any flatten: image by image channels of pixels, in an order that is the engine's matter.
    Map,
    /// A value behind a flatten, or the factors of a dropout: numbers in the order (image, channel, row, column).
    Vector,
}

/// The kind of every value of a network.
#[derive(Debug)]
pub(crate) struct Kinds {
    of: Vec<Kind>,
    apart: bool,
}

impl Kinds {
    /// All alike, for an engine that keeps all alike: flattening takes no step.
    pub(crate) fn alike(graph: &Graph) -> Self {
        Self { of: vec![Kind::Map; graph.layers().len() + 1], apart: false }
    }

    /// Feature maps up to a flatten, which takes a step, and vectors behind it.
    ///
    /// # Errors
    /// [`Error::Domain`] if a layer takes one for the other, as a linear layer does that follows a pool without a flatten.
    pub(crate) fn apart(graph: &Graph) -> Result<Self> {
        let mut kinds = vec![Kind::Map];
        for layer in graph.layers() {
            let mut given = layer.inputs().iter().map(|x| kinds[x.0]);
            let (name, wanted) = match layer {
                Layer::Convolution { .. } => ("a convolution", Kind::Map),
                Layer::Linear { .. } => ("a linear layer", Kind::Vector),
                Layer::Add { .. } | Layer::Concatenate { .. } => ("a sum or concatenation", kinds[layer.inputs()[0].0]),
                _ => ("a layer", kinds[layer.inputs()[0].0]),
            };
            given.try_for_each(|given| check(name, given, wanted))?;
            kinds.push(if matches!(layer, Layer::Flatten { .. }) { Kind::Vector } else { wanted });
        }
        check("the loss", kinds[graph.output().0], Kind::Vector)?;
        Ok(Self { of: kinds, apart: true })
    }

    pub(super) fn of(&self, value: Value) -> Kind {
        self.of[value.0]
    }

    /// Whether they are told apart.
    pub(super) fn are_apart(&self) -> bool {
        self.apart
    }
}

fn check(name: &str, given: Kind, wanted: Kind) -> Result<()> {
    let words = |kind| match kind {
        Kind::Map => "a feature map, before any flatten",
        Kind::Vector => "a vector, behind a flatten",
    };
    match given == wanted {
        true => Ok(()),
        false => Err(Error::domain(format!("what {name} takes in bfloat16"), words(given), words(wanted))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Architecture, GraphBuilder, Shape, Window};

    #[test]
    fn maps_become_vectors_where_they_are_flattened() {
        for architecture in ["mlp", "resnet8", "densenet40", "vgg16-bn"] {
            let graph = Architecture::parse(architecture).and_then(|a| a.graph(10)).expect("a network");
            let kinds = Kinds::apart(&graph).expect("flattened");
            let is_flatten = |layer: &Layer| matches!(layer, Layer::Flatten { .. });
            let flatten = graph.layers().iter().position(is_flatten).expect("a flatten");
            let maps = kinds.of.iter().filter(|kind| **kind == Kind::Map).count();
            assert_eq!(maps, flatten + 1, "{architecture}");
            assert_eq!(kinds.of[flatten + 1], Kind::Vector);
        }
    }

    #[test]
    fn one_for_the_other_is_refused_in_one_line() {
        let begin = || GraphBuilder::new(Shape { channels: 2, height: 2, width: 2 }).expect("a shape");
        let refused = |it: GraphBuilder, logits| {
            let graph = it.finish(logits).expect("a network");
            Kinds::apart(&graph).expect_err("one for the other").to_string()
        };
        let mut it = begin();
        let mean = it.average_pool(it.input(), 2).expect("a pool");
        let logits = it.linear("fc", mean, 3).expect("a vector by its shape");
        let message = refused(it, logits);
        assert_eq!(
            message,
            "what a linear layer takes in bfloat16 is a feature map, before any flatten; \
             allowed: a vector, behind a flatten"
        );
        let mut it = begin();
        let flat = it.flatten(it.input());
        let logits = it.convolution("op", flat, 3, Window::same(1, 1)).expect("a convolution of one pixel");
        assert!(refused(it, logits).starts_with("what a convolution takes"));
        let mut it = begin();
        let mean = it.average_pool(it.input(), 2).expect("a pool");
        let flat = it.flatten(mean);
        let logits = it.add(mean, flat).expect("equal shapes");
        assert!(refused(it, logits).starts_with("what a sum or concatenation takes"));
        let mut it = begin();
        let mean = it.average_pool(it.input(), 2).expect("a pool");
        assert!(refused(it, mean).starts_with("what the loss takes"));
    }
}
