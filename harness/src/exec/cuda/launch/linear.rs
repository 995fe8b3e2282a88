//! Linear layers, and biases.

use super::batch_norm::Planes;
use super::{Launch, check_apart, check_length};
use crate::Result;
use crate::exec::backend::Linear;
use crate::exec::cuda::kernels::{Kernel, TILE};
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::Number;

/// A matrix on the device: entry (i, j) stands at i·row + j·column.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    data: View<'a, f32>,
    rows: usize,
    columns: usize,
    row: usize,
    column: usize,
}

impl<'a> Matrix<'a> {
    /// Row after row.
    fn new(name: &str, data: View<'a, f32>, rows: usize, columns: usize) -> Result<Self> {
        check_length(name, data.len(), rows * columns)?;
        super::index(data.len())?;
        Ok(Self { data, rows, columns, row: columns, column: 1 })
    }

    fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row: self.column, column: self.row, ..self }
    }
}

/// c ← a·b, or c ← c + a·b.
fn product<'a>(a: Matrix<'a>, b: Matrix<'a>, c: Out<'a, f32>, accumulate: bool) -> Result<Launch<'a>> {
    check_length("the inner extent of a matrix product", b.rows, a.columns)?;
    check_length("a matrix product", c.len(), a.rows * b.columns)?;
    super::index(c.len())?;
    check_apart(Kernel::MatrixProduct, c, a.data)?;
    check_apart(Kernel::MatrixProduct, c, b.data)?;
    let tiles = |extent: usize| super::index(extent.div_ceil(TILE));
    Ok(Launch::grid(Kernel::MatrixProduct, [tiles(b.columns)?, tiles(a.rows)?])?
        .view(a.data)
        .view(b.data)
        .out(c)
        .indices([a.rows, b.columns, a.columns, a.row, a.column, b.row, b.column])?
        .flag(accumulate))
}

/// y ← Wx + b; in order.
pub(crate) fn linear<'a>(
    op: &Linear,
    images: usize,
    weight: View<'a, f32>,
    bias: View<'a, f32>,
    x: View<'a, f32>,
    y: Out<'a, f32>,
) -> Result<[Launch<'a>; 2]> {
    let x = Matrix::new("x", x, images, op.inputs)?;
    let weight = Matrix::new("a linear layer's weight", weight, op.outputs, op.inputs)?;
    let planes = Planes { images, channels: op.outputs, plane: 1 };
    Ok([product(x, weight.transposed(), y, false)?, add_bias(planes, bias, y)?])
}

/// Adds the gradient with respect to W; that with respect to b is [`bias_backward`]'s.
pub(crate) fn linear_backward_weight<'a>(
    op: &Linear,
    images: usize,
    x: View<'a, f32>,
    dy: View<'a, f32>,
    weight_gradient: Out<'a, f32>,
) -> Result<Launch<'a>> {
    let x = Matrix::new("x", x, images, op.inputs)?;
    let dy = Matrix::new("dy", dy, images, op.outputs)?;
    product(dy.transposed(), x, weight_gradient, true)
}

/// dx ← the gradient with respect to x, or dx ← dx + that.
pub(crate) fn linear_backward_data<'a>(
    op: &Linear,
    images: usize,
    weight: View<'a, f32>,
    dy: View<'a, f32>,
    dx: Out<'a, f32>,
    accumulate: bool,
) -> Result<Launch<'a>> {
    let dy = Matrix::new("dy", dy, images, op.outputs)?;
    let weight = Matrix::new("a linear layer's weight", weight, op.outputs, op.inputs)?;
    product(dy, weight, dx, accumulate)
}

/// y ← y + the bias of its channel.
pub(crate) fn add_bias<'a, E: Number>(planes: Planes, bias: View<'a, f32>, y: Out<'a, E>) -> Result<Launch<'a>> {
    let kernel = Kernel::AddBias.of::<E>();
    planes.check("y", y.view())?;
    check_length("a bias", bias.len(), planes.channels)?;
    check_apart(kernel, y, bias)?;
    let launch = Launch::each(kernel, y.len())?.view(bias).out(y);
    launch.indices([planes.channels, planes.plane, y.len()])
}

/// Adds the gradient with respect to a bias, through working memory of [`Planes::partial_sums`] numbers; in order.
pub(crate) fn bias_backward<'a, E: Number>(
    planes: Planes,
    dy: View<'a, E>,
    partial: Out<'a, f64>,
    bias_gradient: Out<'a, f32>,
) -> Result<[Launch<'a>; 2]> {
    planes.check("dy", dy)?;
    let partial = planes.partial::<E>(partial)?;
    check_length("the gradient of a bias", bias_gradient.len(), planes.channels)?;
    let finish = planes.finish(Kernel::BiasFinish)?.out(partial).out(bias_gradient);
    Ok([
        planes.launch::<E>(Kernel::BiasSums)?.view(dy).out(partial).indices(planes.extents::<E>())?,
        finish.indices([planes.channels, planes.splits(E::STORAGE)])?,
    ])
}
