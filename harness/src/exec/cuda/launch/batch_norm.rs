//! Batch norm with the activation after it.

use super::elementwise::code;
use super::{Launch, check_apart, check_in_place, check_length};
use crate::exec::Mode;
use crate::exec::cuda::kernels::{Kernel, THREADS};
use crate::exec::cuda::memory::{Out, View};
use crate::exec::cuda::number::{Number, Storage};
use crate::exec::gpu::form::scaled_bytes;
use crate::model::graph::Activation;
use crate::{Error, Result};

/// The extents of a value of which kernels work channel by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planes {
    pub(crate) images: usize,
    pub(crate) channels: usize,
    /// Pixels of a plane.
    pub(crate) plane: usize,
}

/// Blocks of a kernel that works channel by channel, unless there are more channels: enough for the largest GPUs.
const BLOCKS: usize = 1024;

impl Planes {
    pub(super) fn len(self) -> usize {
        self.images * self.channels * self.plane
    }

    /// Numbers a channel.
    fn count(self) -> f64 {
        (self.images * self.plane) as f64
    }

    /// Blocks that share the channels among them.
    fn groups(self, storage: Storage) -> usize {
        self.channels.div_ceil(storage.group())
    }

    /// Into how many splits the numbers of a channel are cut: by the shape alone, so that sums have the same bits on
    /// every GPU. A split is some of the images, or, where channels are last, of their pixels, at least one a thread.
    pub(super) fn splits(self, storage: Storage) -> usize {
        let most = match storage {
            Storage::F32 => self.images,
            Storage::Bf16 => (self.images * self.plane).div_ceil(THREADS / storage.group()),
        };
        (BLOCKS / self.groups(storage).max(1)).clamp(1, most.max(1))
    }

    /// Numbers of working memory that sums over channels need, however the value is kept.
    pub(crate) fn partial_sums(self) -> usize {
        Storage::ALL.map(|storage| self.sums(storage)).into_iter().fold(0, usize::max)
    }

    /// Partial sums of a value that is kept like this.
    fn sums(self, storage: Storage) -> usize {
        2 * self.splits(storage) * self.channels
    }

    /// The place of the partial sums in working memory.
    pub(super) fn partial<'a, E: Number>(self, memory: Out<'a, f64>) -> Result<Out<'a, f64>> {
        memory.part(0..self.sums(E::STORAGE))
    }

    /// The shape as kernels take it.
    pub(super) fn extents<E: Number>(self) -> [usize; 4] {
        [self.channels, self.plane, self.images, self.splits(E::STORAGE)]
    }

    /// A block a group of channels and split.
    pub(super) fn launch<'a, E: Number>(self, kernel: Kernel) -> Result<Launch<'a>> {
        super::index(self.len())?;
        // The kernels multiply splits with images.
        super::index(self.splits(E::STORAGE) * self.images)?;
        let [groups, splits] = [self.groups(E::STORAGE), self.splits(E::STORAGE)].map(super::index);
        Launch::grid(kernel.of::<E>(), [groups?, splits?])
    }

    /// The kernel that goes through all numbers knowing their channels, with its shape behind the arguments that `push`
    /// gives it: planar, a block a channel and split; or, where channels are last, a block a stretch of the pixels, whose
    /// channels, some 8,000 at most, fit in shared memory.
    fn through<'a, E: Number>(self, kernel: Kernel, push: impl FnOnce(Launch<'a>) -> Launch<'a>) -> Result<Launch<'a>> {
        match E::STORAGE {
            Storage::F32 => push(self.launch::<E>(kernel)?).indices(self.extents::<E>()),
            Storage::Bf16 => {
                super::index(self.len())?;
                let pixels = self.images * self.plane;
                // Two packs a thread, until the largest GPUs are full.
                let blocks = (self.len() / 8).div_ceil(2 * THREADS).clamp(1, pixels.clamp(1, 528));
                let launch = Launch::grid(kernel.of::<E>(), [super::index(blocks)?, 1])?;
                push(launch.sharing(scaled_bytes(self.channels))?).indices([self.channels, pixels])
            }
        }
    }

    /// A block a channel.
    pub(super) fn finish<'a>(self, kernel: Kernel) -> Result<Launch<'a>> {
        Launch::grid(kernel, [super::index(self.channels)?, 1])
    }

    pub(super) fn check<E: Number>(self, name: &str, view: View<'_, E>) -> Result<()> {
        check_length(name, view.len(), self.len())
    }
}

/// One batch norm: the moments it normalises by, its parameters, and the activation after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    pub(crate) mean: View<'a, f64>,
    /// Biased variance.
    pub(crate) var: View<'a, f64>,
    pub(crate) weight: View<'a, f32>,
    pub(crate) bias: View<'a, f32>,
    pub(crate) activation: Option<Activation>,
}

impl<'a> Norm<'a> {
    pub(super) fn check(&self, planes: Planes) -> Result<()> {
        check_length("the means", self.mean.len(), planes.channels)?;
        check_length("the variances", self.var.len(), planes.channels)?;
        check_length("a batch norm's weight", self.weight.len(), planes.channels)?;
        check_length("a batch norm's bias", self.bias.len(), planes.channels)
    }

    pub(super) fn push(&self, launch: Launch<'a>) -> Launch<'a> {
        launch.view(self.mean).view(self.var).view(self.weight).view(self.bias)
    }
}

/// Mean and biased variance of x over images and pixels, by channel; in order, through working memory of
/// [`Planes::partial_sums`] numbers.
pub(crate) fn moments<'a, E: Number>(
    planes: Planes,
    x: View<'a, E>,
    partial: Out<'a, f64>,
    mean: Out<'a, f64>,
    var: Out<'a, f64>,
) -> Result<[Launch<'a>; 2]> {
    planes.check("x", x)?;
    let partial = planes.partial::<E>(partial)?;
    check_length("the means", mean.len(), planes.channels)?;
    check_length("the variances", var.len(), planes.channels)?;
    for out in [mean, var] {
        check_apart(Kernel::MomentsFinish, out, partial.view())?;
    }
    Ok([
        planes.launch::<E>(Kernel::MomentsSums)?.view(x).out(partial).indices(planes.extents::<E>())?,
        planes
            .finish(Kernel::MomentsFinish)?
            .out(partial)
            .out(mean)
            .out(var)
            .indices([planes.channels, planes.splits(E::STORAGE)])?
            .f64(planes.count()),
    ])
}

/// y ← γ(x − mean)/√(var + ε) + β, then the activation, if there is one, of that; y may be x.
pub(crate) fn batch_norm<'a, E: Number>(
    planes: Planes,
    norm: Norm<'a>,
    x: View<'a, E>,
    y: Out<'a, E>,
) -> Result<Launch<'a>> {
    norm.check(planes)?;
    planes.check("x", x)?;
    planes.check("y", y.view())?;
    check_in_place(Kernel::BatchNorm.of::<E>(), y, x)?;
    check_packs("x", planes, x)?;
    check_packs("y", planes, y.view())?;
    planes.through::<E>(Kernel::BatchNorm, |launch| norm.push(launch.view(x)).out(y))?.index(code(norm.activation))
}

/// That a map starts where memory moves as many of its channels as one as it can.
fn check_packs<E: Number>(name: &str, planes: Planes, map: View<'_, E>) -> Result<()> {
    let pack = [8, 4].into_iter().find(|pack| planes.channels.is_multiple_of(*pack)).unwrap_or(1);
    let bytes = pack * size_of::<E>();
    if E::STORAGE == Storage::F32 || map.address().is_multiple_of(bytes as u64) {
        return Ok(());
    }
    Err(Error::domain(format!("the start of {name} on the GPU"), map.address(), format!("a multiple of {bytes}")))
}

/// Where the way back of a batch norm leaves what it sums up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reduced<'a> {
    /// Working memory of [`Planes::partial_sums`] numbers or more.
    pub(crate) partial: Out<'a, f64>,
    /// Working memory of three numbers a channel or more.
    pub(crate) slopes: Out<'a, f32>,
    /// The gradient with respect to γ, to which this one is added.
    pub(crate) weight_gradient: Out<'a, f32>,
    /// The gradient with respect to β, to which this one is added.
    pub(crate) bias_gradient: Out<'a, f32>,
}

/// Gradients with respect to γ and β and, if asked for, x: dx ← that, or dx ← dx + that if its flag says so. The moments
/// depend on x in [`Mode::Training`] alone. In order.
pub(crate) fn batch_norm_backward<'a, E: Number>(
    planes: Planes,
    norm: Norm<'a>,
    mode: Mode,
    x: View<'a, E>,
    dy: View<'a, E>,
    reduced: Reduced<'a>,
    dx: Option<(Out<'a, E>, bool)>,
) -> Result<Vec<Launch<'a>>> {
    norm.check(planes)?;
    planes.check("x", x)?;
    planes.check("dy", dy)?;
    let partial = planes.partial::<E>(reduced.partial)?;
    let slopes = reduced.slopes.part(0..3 * planes.channels)?;
    for gradient in [reduced.weight_gradient, reduced.bias_gradient] {
        check_length("the gradient of a batch norm's parameters", gradient.len(), planes.channels)?;
        check_apart(Kernel::BatchNormBackwardFinish, gradient, norm.weight)?;
        check_apart(Kernel::BatchNormBackwardFinish, gradient, norm.bias)?;
    }
    let code = code(norm.activation);
    let mut launches = vec![
        norm.push(planes.launch::<E>(Kernel::BatchNormBackwardSums)?.view(x).view(dy))
            .out(partial)
            .indices(planes.extents::<E>())?
            .index(code)?,
        planes
            .finish(Kernel::BatchNormBackwardFinish)?
            .out(partial)
            .view(norm.mean)
            .view(norm.var)
            .view(norm.weight)
            .out(reduced.weight_gradient)
            .out(reduced.bias_gradient)
            .out(slopes)
            .indices([planes.channels, planes.splits(E::STORAGE)])?
            .f64(planes.count())
            .flag(mode == Mode::Training),
    ];
    if let Some(dx) = dx {
        launches.push(batch_norm_backward_apply(planes, norm, x, dy, slopes.view(), dx)?);
    }
    Ok(launches)
}

/// The second half of that, from the slopes that the first half made: dx ← the gradient with respect to x, or dx ← dx +
/// that if its flag says so; dx may be x or dy.
pub(crate) fn batch_norm_backward_apply<'a, E: Number>(
    planes: Planes,
    norm: Norm<'a>,
    x: View<'a, E>,
    dy: View<'a, E>,
    slopes: View<'a, f32>,
    (dx, accumulate): (Out<'a, E>, bool),
) -> Result<Launch<'a>> {
    norm.check(planes)?;
    for (name, map) in [("x", x), ("dy", dy), ("dx", dx.view())] {
        planes.check(name, map)?;
        check_packs(name, planes, map)?;
    }
    let slopes = slopes.part(0..3 * planes.channels)?;
    check_in_place(Kernel::BatchNormBackward.of::<E>(), dx, x)?;
    check_in_place(Kernel::BatchNormBackward.of::<E>(), dx, dy)?;
    let push = |launch: Launch<'a>| norm.push(launch.view(x).view(dy)).view(slopes).out(dx);
    planes.through::<E>(Kernel::BatchNormBackward, push)?.index(code(norm.activation)).map(|it| it.flag(accumulate))
}
