//! Densely connected networks for 32×32 images, with bottlenecks and compression (DenseNet-BC; Huang et al., *Densely
//! Connected Convolutional Networks*, 2017).
//!
//! A 3×3 stem to 24 channels; three blocks of (depth − 4)/6 layers, each of which makes 12 new channels from all those
//! before it (batch norm, ReLU, 1×1 convolution to 48 channels, batch norm, ReLU, 3×3 convolution) and appends them;
//! between blocks a transition that halves channels (batch norm, ReLU, 1×1 convolution) and extents (2×2 means); a last
//! batch norm and ReLU, an 8×8 average pool and one linear layer. No dropout. Parameters bear the names of the paper's
//! public PyTorch code.

use super::graph::{Graph, Value, Window};
use super::{GraphBuilder, IMAGE};
use crate::{Error, Result};

/// Channels that a layer appends.
const GROWTH: usize = 12;

/// Channels inside a layer, as a multiple of [`GROWTH`].
const BOTTLENECK: usize = 4;

/// The network of this depth.
///
/// # Errors
/// [`Error::Domain`] if `depth` is not 6n + 4 (n ≥ 1), or `classes` is below 2.
pub fn densenet(depth: usize, classes: usize) -> Result<Graph> {
    if depth < 10 || !(depth - 4).is_multiple_of(6) {
        return Err(Error::domain("depth", depth, "6n + 4 (10, 16, 22, …)"));
    }
    let mut builder = GraphBuilder::new(IMAGE)?;
    let mut x = builder.convolution("features.conv0", builder.input(), 2 * GROWTH, Window::same(3, 1))?;
    for block in 1..=3 {
        for layer in 1..=(depth - 4) / 6 {
            x = dense_layer(&mut builder, &format!("features.denseblock{block}.denselayer{layer}"), x)?;
        }
        if block < 3 {
            x = transition(&mut builder, &format!("features.transition{block}"), x)?;
        }
    }
    x = norm_relu(&mut builder, "features.norm_final", x)?;
    x = builder.average_pool(x, 8)?;
    x = builder.flatten(x);
    x = builder.linear_from_zero_bias("classifier", x, classes)?;
    builder.finish(x)
}

/// x with the layer's new channels behind its own.
fn dense_layer(builder: &mut GraphBuilder, name: &str, x: Value) -> Result<Value> {
    let mut new = norm_relu(builder, &format!("{name}.norm1"), x)?;
    new = builder.convolution(&format!("{name}.conv1"), new, BOTTLENECK * GROWTH, Window::same(1, 1))?;
    new = norm_relu(builder, &format!("{name}.norm2"), new)?;
    new = builder.convolution(&format!("{name}.conv2"), new, GROWTH, Window::same(3, 1))?;
    builder.concatenate(&[x, new])
}

/// Half the channels, half the rows and half the columns.
fn transition(builder: &mut GraphBuilder, name: &str, x: Value) -> Result<Value> {
    let half = builder.shape(x).channels / 2;
    let mut y = norm_relu(builder, &format!("{name}.norm"), x)?;
    y = builder.convolution(&format!("{name}.conv"), y, half, Window::same(1, 1))?;
    builder.average_pool(y, 2)
}

fn norm_relu(builder: &mut GraphBuilder, name: &str, x: Value) -> Result<Value> {
    let normalised = builder.batch_norm(name, x)?;
    Ok(builder.relu(normalised))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_depths_are_refused() {
        for depth in [0, 4, 9, 12, 101] {
            assert!(densenet(depth, 10).is_err(), "{depth}");
        }
        assert!(densenet(10, 1).is_err());
        assert!(densenet(10, 2).is_ok());
    }
}
