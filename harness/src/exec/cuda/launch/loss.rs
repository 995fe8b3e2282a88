//! Cross-entropy.

use super::{Launch, check_apart, check_length};
use crate::exec::cuda::kernels::Kernel;
use crate::exec::cuda::memory::{Out, View};
use crate::{Error, Result};

/// The loss of every image, NaN if its label is no class; whether the first of its largest logits is the label (1 or 0);
/// and, if asked for, the gradient of the mean loss with respect to the logits.
pub(crate) fn cross_entropy<'a>(
    logits: View<'a, f32>,
    labels: View<'a, u16>,
    losses: Out<'a, f64>,
    correct: Out<'a, u8>,
    gradient: Option<Out<'a, f32>>,
) -> Result<Launch<'a>> {
    let images = labels.len();
    if images == 0 || !logits.len().is_multiple_of(images) {
        return Err(Error::domain(
            "labels of a batch on the GPU",
            images,
            format!("as many as rows of {}", logits.len()),
        ));
    }
    check_length("the losses", losses.len(), images)?;
    check_length("the images known", correct.len(), images)?;
    super::index(logits.len())?;
    let launch = Launch::each(Kernel::CrossEntropy, images)?.view(logits).view(labels).out(losses).out(correct);
    let launch = match gradient {
        Some(gradient) => {
            check_length("the logits' gradient", gradient.len(), logits.len())?;
            check_apart(Kernel::CrossEntropy, gradient, logits)?;
            launch.out(gradient)
        }
        None => launch.nowhere(),
    };
    launch.indices([logits.len() / images, images])
}
