//! Pre-activation residual networks for 32×32 images (He et al., *Identity Mappings in Deep Residual Networks*, 2016).
//!
//! A 3×3 stem; three stages of n blocks with widths 16, 32, 64, the second and third halving the image; a last batch
//! norm and ReLU, an 8×8 average pool and one linear layer. Below depth 44 the blocks are basic (two 3×3 convolutions,
//! depth 6n + 2), from 44 on bottlenecks (1×1, 3×3, 1×1, output four times as wide, depth 9n + 2). Where a block changes
//! the shape, its shortcut is a 1×1 convolution of the block's input, without batch norm. Parameters bear the names of
//! the paper's public PyTorch code. A variant puts another function in place of every ReLU, or leaves out every batch
//! norm.

use super::graph::{Activation, Graph, Value, Window};
use super::{GraphBuilder, IMAGE};
use crate::{Error, Result};

/// What stands in front of every convolution but the stem, and in front of the classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreActivation {
    /// Whether there is a batch norm.
    pub batch_norm: bool,
    /// The function after it.
    pub function: Activation,
}

/// What a block is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Basic,
    Bottleneck,
}

/// The network of this depth.
///
/// # Errors
/// [`Error::Domain`] if `depth` is neither 6n + 2 below 44 nor 9n + 2 from 44 on (n ≥ 1), or `classes` is below 2.
pub fn preresnet(depth: usize, before: PreActivation, classes: usize) -> Result<Graph> {
    let (block, layers_a_round) = if depth < 44 { (Block::Basic, 6) } else { (Block::Bottleneck, 9) };
    if depth < 8 || !(depth - 2).is_multiple_of(layers_a_round) {
        return Err(Error::domain("depth", depth, "6n + 2 below 44 (8, 14, 20, …), 9n + 2 from 44 on (47, 56, 65, …)"));
    }
    let blocks = (depth - 2) / layers_a_round;
    let mut builder = GraphBuilder::new(IMAGE)?;
    let mut x = builder.convolution("conv1", builder.input(), 16, Window::same(3, 1))?;
    for (stage, width) in [16, 32, 64].into_iter().enumerate() {
        for index in 0..blocks {
            let stride = if stage > 0 && index == 0 { 2 } else { 1 };
            let name = format!("layer{}.{index}", stage + 1);
            x = residual_block(&mut builder, &name, before, block, x, width, stride)?;
        }
    }
    x = before.build(&mut builder, "bn", x)?;
    x = builder.average_pool(x, 8)?;
    x = builder.flatten(x);
    x = builder.linear("fc", x, classes)?;
    builder.finish(x)
}

/// x + F(x), or projection(x) + F(x) where the shape changes.
fn residual_block(
    builder: &mut GraphBuilder,
    name: &str,
    before: PreActivation,
    block: Block,
    x: Value,
    width: usize,
    stride: usize,
) -> Result<Value> {
    let same = Window::same;
    let (convolutions, outputs) = match block {
        Block::Basic => (vec![(width, same(3, stride)), (width, same(3, 1))], width),
        Block::Bottleneck => (vec![(width, same(1, 1)), (width, same(3, stride)), (4 * width, same(1, 1))], 4 * width),
    };
    let mut branch = x;
    for (index, (channels, window)) in convolutions.into_iter().enumerate() {
        branch = before.build(builder, &format!("{name}.bn{}", index + 1), branch)?;
        branch = builder.convolution(&format!("{name}.conv{}", index + 1), branch, channels, window)?;
    }
    let shortcut = if stride != 1 || builder.shape(x).channels != outputs {
        builder.convolution(&format!("{name}.downsample.0"), x, outputs, same(1, stride))?
    } else {
        x
    };
    builder.add(branch, shortcut)
}

impl PreActivation {
    /// The published network's.
    pub const PUBLISHED: Self = Self { batch_norm: true, function: Activation::Relu };

    fn build(self, builder: &mut GraphBuilder, name: &str, x: Value) -> Result<Value> {
        let normalised = if self.batch_norm { builder.batch_norm(name, x)? } else { x };
        Ok(builder.activation(normalised, self.function))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(depth: usize, before: PreActivation) -> Vec<String> {
        let graph = preresnet(depth, before, 10).expect("a depth");
        graph.layout().parameters().iter().map(|entry| entry.name.clone()).collect()
    }

    #[test]
    fn names_are_those_of_the_public_code() {
        let names = names(20, PreActivation::PUBLISHED);
        assert_eq!(names[..4], ["conv1.weight", "layer1.0.bn1.weight", "layer1.0.bn1.bias", "layer1.0.conv1.weight"]);
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        assert!(has("layer2.0.downsample.0.weight") && !has("layer1.0.downsample.0.weight"));
        assert_eq!(names[names.len() - 4..], ["bn.weight", "bn.bias", "fc.weight", "fc.bias"]);
    }

    #[test]
    fn without_batch_norm_convolutions_and_the_classifier_remain() {
        let plain = names(56, PreActivation { batch_norm: false, function: Activation::Relu });
        let remaining = names(56, PreActivation::PUBLISHED);
        assert_eq!(plain, remaining.into_iter().filter(|name| !name.contains("bn")).collect::<Vec<_>>());
    }

    #[test]
    fn impossible_depths_are_refused() {
        for depth in [0, 2, 9, 39, 44, 57] {
            assert!(preresnet(depth, PreActivation::PUBLISHED, 10).is_err(), "{depth}");
        }
        assert!(preresnet(8, PreActivation::PUBLISHED, 1).is_err());
    }
}
