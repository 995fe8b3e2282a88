//! Points of a line.

use super::{Launch, check_apart, check_length};
use crate::Result;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};

/// y ← w + l·u, each rounded once
pub(crate) fn along<'a>(
    centre: View<'a, f32>,
    direction: View<'a, f64>,
    offset: f64,
    y: Out<'a, f32>,
) -> Result<Launch<'a>> {
    check_length("the direction", direction.len(), centre.len())?;
    check_length("the point", y.len(), centre.len())?;
    check_apart(Kernel::Along, y, centre)?;
    Launch::each(Kernel::Along, centre.len())?.view(centre).view(direction).out(y).f64(offset).index(centre.len())
}
