//! Steps of SGD, and the average of weights.

use super::{Launch, check_apart, check_length};
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::{Error, Result};

/// v ← μv + (g + λw); w ← w − ηv, where `descent` holds η, μ and λ: on the device, so that the same launch serves every
/// learning rate
pub(crate) fn sgd<'a>(
    descent: View<'a, f32>,
    values: Out<'a, f32>,
    velocity: Out<'a, f32>,
    gradient: View<'a, f32>,
) -> Result<Launch<'a>> {
    let n = values.len();
    check_length("the numbers of a step", descent.len(), 3)?;
    check_length("the velocity", velocity.len(), n)?;
    check_length("the gradient", gradient.len(), n)?;
    check_apart(Kernel::Sgd, values, velocity.view())?;
    check_apart(Kernel::Sgd, values, gradient)?;
    check_apart(Kernel::Sgd, velocity, gradient)?;
    Launch::each(Kernel::Sgd, n)?.out(values).out(velocity).view(gradient).view(descent).index(n)
}

/// mean ← mean + (w − mean)/count, w being point number `count` from 1.
pub(crate) fn average<'a>(mean: Out<'a, f64>, values: View<'a, f32>, count: u64) -> Result<Launch<'a>> {
    if count == 0 {
        return Err(Error::domain("number of a point in an average", count, "1 or more"));
    }
    check_length("the mean", mean.len(), values.len())?;
    Launch::each(Kernel::Average, values.len())?.out(mean).view(values).f64(count as f64).index(values.len())
}
