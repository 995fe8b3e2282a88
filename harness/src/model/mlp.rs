//! A multilayer perceptron, for work that must be quick rather than accurate.
//!
//! The image's 3072 numbers, two hidden layers of 64 units with ReLU, and the classes.

use super::graph::Graph;
use super::{GraphBuilder, IMAGE};
use crate::Result;

/// Units of a hidden layer.
const HIDDEN: usize = 64;

/// The network.
///
/// # Errors
/// [`Error::Domain`](crate::Error::Domain) if `classes` is below 2.
pub fn mlp(classes: usize) -> Result<Graph> {
    let mut builder = GraphBuilder::new(IMAGE)?;
    let mut x = builder.flatten(builder.input());
    for name in ["fc1", "fc2"] {
        x = builder.linear(name, x, HIDDEN)?;
        x = builder.relu(x);
    }
    x = builder.linear("fc3", x, classes)?;
    builder.finish(x)
}
