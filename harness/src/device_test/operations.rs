//! A small network around every operation, which meets it on the way there and on the way back.

use crate::Result;
use crate::model::{Activation, Graph, GraphBuilder, Shape, Value, Window};

/// Writes one operation after a value.
type Operation = fn(&mut GraphBuilder, Value) -> Result<Value>;

/// Each operation by its name.
const OPERATIONS: [(&str, Operation); 18] = [
    ("convolution 3x3", |it, x| it.convolution("op", x, 8, Window::same(3, 1))),
    ("convolution 3x3, stride 2", |it, x| it.convolution("op", x, 16, Window::same(3, 2))),
    ("convolution 1x1", |it, x| it.convolution("op", x, 16, Window::same(1, 1))),
    ("convolution 1x1, stride 2", |it, x| it.convolution("op", x, 16, Window::same(1, 2))),
    ("convolution with bias", |it, x| it.convolution_with_bias("op", x, 8, Window::same(3, 1))),
    ("batch norm", |it, x| it.batch_norm("op", x)),
    ("batch norm and ReLU", |it, x| normed(it, x, Activation::Relu)),
    ("batch norm and sigmoid", |it, x| normed(it, x, Activation::Sigmoid)),
    ("batch norm and softplus", |it, x| normed(it, x, Activation::Softplus)),
    ("ReLU", |it, x| Ok(it.activation(x, Activation::Relu))),
    ("sigmoid", |it, x| Ok(it.activation(x, Activation::Sigmoid))),
    ("softplus", |it, x| Ok(it.activation(x, Activation::Softplus))),
    ("sum", |it, x| {
        let y = it.convolution("op", x, 8, Window::same(1, 1))?;
        it.add(x, y)
    }),
    ("concatenation", |it, x| {
        let y = it.activation(x, Activation::Softplus);
        it.concatenate(&[y, x, y])
    }),
    ("average pool", |it, x| it.average_pool(x, 2)),
    ("max pool", |it, x| it.max_pool(x, 2)),
    ("dropout", |it, x| it.dropout("op", x, 0.3)),
    ("linear", |it, x| {
        let flat = it.flatten(x);
        it.linear("op", flat, 24)
    }),
];

fn normed(it: &mut GraphBuilder, x: Value, function: Activation) -> Result<Value> {
    let normed = it.batch_norm("op", x)?;
    Ok(it.activation(normed, function))
}

/// Every operation in a network of its own, by name. A convolution comes before it, so that a gradient goes through it,
/// and a linear layer after it.
///
/// # Errors
/// None: the networks are known to be valid.
pub fn operations() -> Result<Vec<(&'static str, Graph)>> {
    let build = |(name, operation): (&'static str, Operation)| {
        let mut builder = GraphBuilder::new(Shape { channels: 3, height: 12, width: 10 })?;
        let image = builder.input();
        let x = builder.convolution("first", image, 8, Window::same(3, 1))?;
        let y = operation(&mut builder, x)?;
        let flat = builder.flatten(y);
        let logits = builder.linear("last", flat, 5)?;
        Ok((name, builder.finish(logits)?))
    };
    OPERATIONS.into_iter().map(build).collect()
}

/// The convolutions among them.
///
/// # Errors
/// As [`operations`].
pub fn convolutions() -> Result<Vec<(&'static str, Graph)>> {
    operations().map(|all| all.into_iter().filter(|(name, _)| name.starts_with("convolution")).collect())
}
