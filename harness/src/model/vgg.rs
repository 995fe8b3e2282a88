//! The VGG-16 networks for 32×32 images (Simonyan & Zisserman 2015, as adapted by Izmailov et al. 2018).
//!
//! Thirteen 3×3 convolutions with bias, each followed by a ReLU, in five stages of widths 64 to 512, each ending in a
//! 2×2 maximum; then dropout, 512 units, ReLU, dropout, 512 units, ReLU and the classes. With batch norm, one stands
//! between every convolution and its ReLU. Parameters bear the names of the public PyTorch code, whose `features` and
//! `classifier` are sequences numbered by layer.

use super::graph::{Graph, Value, Window};
use super::{GraphBuilder, IMAGE};
use crate::Result;

/// Width and number of convolutions of every stage.
const STAGES: [(usize, usize); 5] = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)];

/// Units of the hidden layers of the classifier.
const HIDDEN: usize = 512;

/// The share of the classifier's inputs and hidden units that training drops.
const DROPOUT: f64 = 0.5;

/// The network, with or without batch norm.
///
/// # Errors
/// [`Error::Domain`](crate::Error::Domain) if `classes` is below 2.
pub fn vgg16(batch_norm: bool, classes: usize) -> Result<Graph> {
    let mut builder = GraphBuilder::new(IMAGE)?;
    let mut x = builder.input();
    let mut number = 0;
    for (width, convolutions) in STAGES {
        for _ in 0..convolutions {
            x = builder.convolution_with_bias(&format!("features.{number}"), x, width, Window::same(3, 1))?;
            if batch_norm {
                x = builder.batch_norm(&format!("features.{}", number + 1), x)?;
            }
            x = builder.relu(x);
            number += if batch_norm { 3 } else { 2 };
        }
        x = builder.max_pool(x, 2)?;
        number += 1;
    }
    x = builder.flatten(x);
    for number in [0, 3] {
        x = hidden(&mut builder, number, x)?;
    }
    x = builder.linear("classifier.6", x, classes)?;
    builder.finish(x)
}

/// Dropout, a linear layer and ReLU, the first of them number `number` of the classifier.
fn hidden(builder: &mut GraphBuilder, number: usize, x: Value) -> Result<Value> {
    let kept = builder.dropout(&format!("classifier.{number}"), x, DROPOUT)?;
    let sums = builder.linear(&format!("classifier.{}", number + 1), kept, HIDDEN)?;
    Ok(builder.relu(sums))
}
