//! Points of a line, and batch-norm statistics over many batches.

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

/// kept ← kept + share (new − kept), of means and of unbiased variances: `new` are the means and biased variances of
/// all channels in a batch, and `factors` makes each of the latter unbiased.
pub(crate) fn collect<'a>(
    new: View<'a, f64>,
    factors: View<'a, f64>,
    kept: Out<'a, f64>,
    share: f64,
) -> Result<Launch<'a>> {
    check_length("the moments", new.len(), 2 * factors.len())?;
    check_length("the statistics", kept.len(), new.len())?;
    check_apart(Kernel::Collect, kept, new)?;
    check_apart(Kernel::Collect, kept, factors)?;
    Launch::each(Kernel::Collect, new.len())?.view(new).view(factors).out(kept).f64(share).index(factors.len())
}
