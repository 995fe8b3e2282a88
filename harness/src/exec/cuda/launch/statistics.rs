//! Batch-norm statistics of many batches, from the moments of each.

use super::{Launch, check_apart, check_length};
use crate::Result;
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};

/// The moments of a batch: means and biased variances of all channels, and what makes each of the latter unbiased.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) moments: View<'a, f64>,
    pub(crate) factors: View<'a, f64>,
}

impl Batch<'_> {
    /// That statistics are of as many channels.
    fn check(&self, statistics: usize) -> Result<()> {
        check_length("the moments", self.moments.len(), 2 * self.factors.len())?;
        check_length("the statistics", statistics, self.moments.len())
    }
}

/// kept ← kept + share (new − kept), of means and of unbiased variances
pub(crate) fn collect<'a>(new: Batch<'a>, kept: Out<'a, f64>, share: f64) -> Result<Launch<'a>> {
    new.check(kept.len())?;
    check_apart(Kernel::Collect, kept, new.moments)?;
    check_apart(Kernel::Collect, kept, new.factors)?;
    let launch = Launch::each(Kernel::Collect, kept.len())?.view(new.moments).view(new.factors).out(kept);
    launch.f64(share).index(new.factors.len())
}

/// running ← (1 − share) running + share new, of means and of unbiased variances
pub(crate) fn track<'a>(new: Batch<'a>, running: Out<'a, f32>, share: f64) -> Result<Launch<'a>> {
    new.check(running.len())?;
    check_apart(Kernel::Track, running, new.moments)?;
    check_apart(Kernel::Track, running, new.factors)?;
    let launch = Launch::each(Kernel::Track, running.len())?.out(running).view(new.moments).view(new.factors);
    launch.f64(share).index(new.factors.len())
}
