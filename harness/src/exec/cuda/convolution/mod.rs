//! Convolutions by cuDNN, forward and backward, and by kernels of ours where these are quicker.

mod measure;

use std::cell::OnceCell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, MutexGuard};

use cudarc::cudnn::result::{self, CudnnError};
use cudarc::cudnn::sys::{
    cudnnConvolutionBwdDataAlgo_t, cudnnConvolutionBwdFilterAlgo_t, cudnnConvolutionFwdAlgo_t, cudnnHandle_t,
};
use cudarc::driver::CudaStream;

use serde::{Deserialize, Serialize};

use super::algorithms::{Algorithm, Choice, Direction, Key, Precision};
use super::cudnn::{Dnn, Filter, Moves, Tensor, failed};
use super::device::Device;
use super::launch::{PlanarConvolution, PlanarGradient, turn};
use super::memory::{Buffer, Element, Out, View};
use super::number::{Number, Storage};
use crate::model::graph::{Shape, Window};
use crate::{Error, Result};

/// Everything that tells convolutions of batches apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Extents {
    images: usize,
    /// Channels, rows and columns.
    input: [usize; 3],
    output: [usize; 3],
    /// Rows and columns of the window.
    size: usize,
    stride: usize,
    padding: usize,
}

/// One convolution, for batches of one size, without its bias.
pub(crate) struct Convolution {
    device: Arc<Device>,
    extents: Extents,
    precision: Precision,
    x: Tensor,
    weight: Filter,
    y: Tensor,
    /// The way back to x as a convolution of dy, where it is one.
    turned: Option<Turned>,
    /// Our kernels.
    planar: Planar,
    /// By direction, once it has been asked for: evaluation asks for one of them.
    ways: [OnceCell<Way>; 3],
}

/// The way back to x as a convolution of dy, with the weight turned round.
struct Turned {
    weight: Filter,
    padding: usize,
    /// Bytes of the weight turned round, at the beginning of working memory.
    bytes: usize,
}

/// Kernels of ours for planar maps in single precision, where there are some.
#[derive(Default)]
struct Planar {
    there: Option<PlanarConvolution>,
    back: Option<PlanarConvolution>,
    gradient: Option<PlanarGradient>,
}

/// How one direction is carried out.
struct Way {
    choice: Choice,
    moves: Moves,
    /// Bytes of working memory: no more than it needs, however much there is for others.
    workspace: usize,
}

/// To how many bytes memory is given out, and what begins in it aligned.
const ALIGNMENT: usize = 256;

impl Extents {
    /// Those of a convolution of `images` images.
    ///
    /// # Errors
    /// [`Error::Domain`] if the output is not what the window makes of the input, or is nothing.
    pub(super) fn new(images: usize, input: Shape, output: Shape, window: Window) -> Result<Self> {
        let Window { size, stride, padding } = window;
        let extent = |length: usize| match (length + 2 * padding).checked_sub(size) {
            Some(rest) if stride > 0 && size > 0 => rest / stride + 1,
            _ => 0,
        };
        let right = Shape { channels: output.channels, height: extent(input.height), width: extent(input.width) };
        if images == 0 || input.is_empty() || right.is_empty() || output != right {
            let seen = format!("{images} images, {input:?} to {output:?} by {window:?}");
            return Err(Error::domain("a convolution on the GPU", seen, format!("at least 1 image, to {right:?}")));
        }
        let list = |shape: Shape| [shape.channels, shape.height, shape.width];
        Ok(Self { images, input: list(input), output: list(output), size, stride, padding })
    }

    fn x(&self) -> [usize; 4] {
        [self.images, self.input[0], self.input[1], self.input[2]]
    }

    fn y(&self) -> [usize; 4] {
        [self.images, self.output[0], self.output[1], self.output[2]]
    }

    fn weight(&self) -> [usize; 4] {
        [self.output[0], self.input[0], self.size, self.size]
    }

    fn turned_weight(&self) -> [usize; 4] {
        [self.input[0], self.output[0], self.size, self.size]
    }
}

fn product(extents: [usize; 4]) -> usize {
    extents.iter().product()
}

impl Convolution {
    /// The convolution of `images` images by this window.
    ///
    /// Which algorithm is fastest is measured when a direction is first asked for on the GPU, in any lane.
    ///
    /// # Errors
    /// [`Error::Domain`] if the shapes do not fit, [`Error::Device`] if cuDNN refuses them.
    pub(crate) fn new(
        device: &Arc<Device>,
        images: usize,
        input: Shape,
        output: Shape,
        window: Window,
        precision: Precision,
    ) -> Result<Self> {
        let extents = Extents::new(images, input, output, window)?;
        let storage = precision.storage();
        let (x, y) = (Tensor::new(storage, extents.x())?, Tensor::new(storage, extents.y())?);
        let weight = Filter::new(storage, extents.weight())?;
        let turned = (extents.stride == 1 && extents.padding < extents.size).then(|| -> Result<Turned> {
            let weight = Filter::new(storage, extents.turned_weight())?;
            let bytes = product(extents.weight()) * storage.bytes();
            let padding = extents.size - 1 - extents.padding;
            Ok(Turned { weight, padding, bytes: bytes.next_multiple_of(ALIGNMENT) })
        });
        let planar = match storage {
            Storage::F32 => Planar {
                there: PlanarConvolution::there(images, input, output, window),
                back: PlanarConvolution::back(images, input, output, window),
                gradient: PlanarGradient::of(images, input, output, window),
            },
            Storage::Bf16 => Planar::default(),
        };
        let (device, turned) = (Arc::clone(device), turned.transpose()?);
        Ok(Self { device, extents, precision, x, weight, y, turned, planar, ways: Default::default() })
    }

    /// How a direction is carried out, for which the shared working memory is then large enough.
    fn way(&self, dnn: &mut Dnn, direction: Direction) -> Result<&Way> {
        let way = &self.ways[direction as usize];
        if let Some(way) = way.get() {
            return Ok(way);
        }
        let key = Key { extents: self.extents, precision: self.precision, direction };
        let choice = {
            let mut choices = self.device.choices();
            match choices.get(&key) {
                Some(choice) => choice,
                None => choices.keep(key, self.measure(dnn, key)?),
            }
        };
        // A choice may have been kept when our kernel needed less.
        let parts = match (choice.algorithm, &self.planar.gradient) {
            (Algorithm::Planar(Direction::BackwardFilter), Some(gradient)) => size_of::<f32>() * gradient.parts(),
            _ => 0,
        };
        let workspace = choice.workspace.max(parts);
        reserve(&self.device, dnn, workspace)?;
        let padding = match (choice.algorithm, &self.turned) {
            (Algorithm::Turned(_), Some(turned)) => turned.padding,
            _ => self.extents.padding,
        };
        let moves = Moves::new(self.extents.stride, padding, choice.math)?;
        Ok(way.get_or_init(|| Way { choice, moves, workspace }))
    }

    /// y ← w ∗ x
    ///
    /// # Errors
    /// [`Error::Domain`] if numbers or a length are wrong or y overlaps x or w, [`Error::Device`] if memory is lacking, or cuDNN knows
    /// no way or refuses.
    pub(crate) fn forward<E: Number>(
        &self,
        stream: &Arc<CudaStream>,
        x: View<'_, E>,
        weight: View<'_, E>,
        y: Out<'_, E>,
    ) -> Result<()> {
        self.check(x, weight, y.view())?;
        apart(y.view(), [x, weight])?;
        let (dnn, way) = self.ready(stream, Direction::Forward)?;
        let call = Call { handle: dnn.handle, moves: &way.moves, room: way.room(&dnn)?, accumulate: false };
        match (way.choice.algorithm, self.planar.there) {
            (Algorithm::Forward(algorithm), _) => call
                .forward(algorithm, (&self.x, x), (&self.weight, weight), (&self.y, y))
                .map_err(|error| self.refused(way, error)),
            (Algorithm::Planar(_), Some(planar)) => self.planar(stream, planar, x, weight, (y, false)),
            _ => Err(unknown()),
        }
    }

    /// dx ← the gradient with respect to x, or dx ← dx + that.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub(crate) fn backward_data<E: Number>(
        &self,
        stream: &Arc<CudaStream>,
        weight: View<'_, E>,
        dy: View<'_, E>,
        dx: Out<'_, E>,
        accumulate: bool,
    ) -> Result<()> {
        self.check(dx.view(), weight, dy)?;
        apart(dx.view(), [weight, dy])?;
        let (dnn, way) = self.ready(stream, Direction::BackwardData)?;
        let call = Call { handle: dnn.handle, moves: &way.moves, room: way.room(&dnn)?, accumulate };
        let (of_dy, of_dx) = ((&self.y, dy), (&self.x, dx));
        match (way.choice.algorithm, &self.turned, call.room) {
            (Algorithm::BackwardData(algorithm), ..) => {
                call.backward_data(algorithm, (&self.weight, weight), of_dy, of_dx)
            }
            (Algorithm::Planar(_), ..) => {
                let planar = self.planar.back.ok_or_else(unknown)?;
                return self.planar(stream, planar, dy, weight, (dx, accumulate));
            }
            (Algorithm::Turned(algorithm), Some(turned), Some(room)) => {
                let [outputs, channels, rows, columns] = self.extents.weight();
                let round = room.part(0..turned.bytes)?.numbers::<E>(weight.len())?;
                self.device.run_in(stream, &turn([outputs, channels, rows * columns], weight, round)?)?;
                let call = Call { room: Some(room.part(turned.bytes..room.len())?), ..call };
                call.forward(algorithm, of_dy, (&turned.weight, round.view()), of_dx)
            }
            _ => return Err(unknown()),
        }
        .map_err(|error| self.refused(way, error))
    }

    /// dw ← the gradient with respect to w, or dw ← dw + that.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub(crate) fn backward_filter<E: Number>(
        &self,
        stream: &Arc<CudaStream>,
        x: View<'_, E>,
        dy: View<'_, E>,
        weight_gradient: Out<'_, E>,
        accumulate: bool,
    ) -> Result<()> {
        self.check(x, weight_gradient.view(), dy)?;
        apart(weight_gradient.view(), [x, dy])?;
        let (dnn, way) = self.ready(stream, Direction::BackwardFilter)?;
        let call = Call { handle: dnn.handle, moves: &way.moves, room: way.room(&dnn)?, accumulate };
        match (way.choice.algorithm, &self.planar.gradient, call.room) {
            (Algorithm::BackwardFilter(algorithm), ..) => call
                .backward_filter(algorithm, (&self.x, x), (&self.y, dy), (&self.weight, weight_gradient))
                .map_err(|error| self.refused(way, error)),
            (Algorithm::Planar(_), Some(planar), Some(room)) => {
                let (x, dy) = (x.of_type().ok_or_else(unknown)?, dy.of_type().ok_or_else(unknown)?);
                let gradient = weight_gradient.of_type().ok_or_else(unknown)?;
                if !accumulate {
                    gradient.clear(stream)?;
                }
                let parts = room.numbers(planar.parts())?;
                let launches = planar.launches(self.rounds(), x, dy, parts, gradient)?;
                launches.iter().try_for_each(|launch| self.device.run_in(stream, launch))
            }
            _ => Err(unknown()),
        }
    }

    /// By a kernel of ours, there or back to x.
    fn planar<E: Number>(
        &self,
        stream: &Arc<CudaStream>,
        planar: PlanarConvolution,
        x: View<'_, E>,
        weight: View<'_, E>,
        (y, accumulate): (Out<'_, E>, bool),
    ) -> Result<()> {
        let (x, weight) = (x.of_type().ok_or_else(unknown)?, weight.of_type().ok_or_else(unknown)?);
        let y = y.of_type().ok_or_else(unknown)?;
        self.device.run_in(stream, &planar.launch(self.rounds(), x, weight, (y, accumulate))?)
    }

    /// Whether kernels of ours round what they multiply to TF32.
    fn rounds(&self) -> bool {
        self.precision == Precision::Tf32
    }

    fn check<E: Number>(&self, x: View<'_, E>, weight: View<'_, E>, y: View<'_, E>) -> Result<()> {
        let storage = self.precision.storage();
        if E::STORAGE != storage {
            let seen = format!("{:?}", E::STORAGE);
            return Err(Error::domain("numbers of a convolution on the GPU", seen, format!("{storage:?}")));
        }
        for (name, view, extents) in [
            ("a convolution's input", x, self.extents.x()),
            ("a convolution's weight", weight, self.extents.weight()),
            ("a convolution's output", y, self.extents.y()),
        ] {
            if view.len() != product(extents) {
                return Err(Error::domain(format!("length of {name} on the GPU"), view.len(), product(extents)));
            }
        }
        Ok(())
    }

    /// cuDNN in a stream, and how it carries out a direction.
    fn ready(&self, stream: &Arc<CudaStream>, direction: Direction) -> Result<(MutexGuard<'_, Dnn>, &Way)> {
        let mut dnn = self.device.dnn(stream)?;
        if self.ways[direction as usize].get().is_none() && !Arc::ptr_eq(stream, self.device.stream()) {
            return Err(Error::device("a convolution is recorded before its algorithm is chosen"));
        }
        let way = self.way(&mut dnn, direction)?;
        Ok((dnn, way))
    }

    fn refused(&self, way: &Way, error: CudnnError) -> Error {
        failed(format!("{:?} of {:?}", way.choice.algorithm, self.extents), error)
    }
}

impl Way {
    /// Working memory, if it needs any.
    fn room<'a>(&self, dnn: &'a Dnn) -> Result<Option<Out<'a, u8>>> {
        let there = dnn.workspace.as_ref().filter(|_| self.workspace > 0);
        there.map(|buffer| buffer.out().part(0..self.workspace)).transpose()
    }
}

/// A call of cuDNN, for numbers whose lengths are those that their descriptors say.
struct Call<'a> {
    handle: cudnnHandle_t,
    moves: &'a Moves,
    room: Option<Out<'a, u8>>,
    accumulate: bool,
}

impl Call<'_> {
    /// Working memory: place and bytes.
    fn workspace(&self) -> (*mut c_void, usize) {
        self.room.map_or((null_mut(), 0), |room| (at(room.view()), room.len()))
    }

    /// Of what is made, and of what is there.
    fn factors(&self) -> [*const c_void; 2] {
        const ZERO_AND_ONE: &[f32; 2] = &[0.0, 1.0];
        [1, usize::from(self.accumulate)].map(|number| std::ptr::from_ref(&ZERO_AND_ONE[number]).cast())
    }

    fn forward<E: Number>(
        &self,
        algorithm: cudnnConvolutionFwdAlgo_t,
        (of_x, x): (&Tensor, View<'_, E>),
        (of_weight, weight): (&Filter, View<'_, E>),
        (of_y, y): (&Tensor, Out<'_, E>),
    ) -> std::result::Result<(), CudnnError> {
        let ([alpha, beta], (place, bytes), moves) = (self.factors(), self.workspace(), self.moves.raw());
        let (of_x, of_weight, of_y) = (of_x.raw(), of_weight.raw(), of_y.raw());
        let (x, weight, y) = (at(x), at(weight), at(y.view()));
        // SAFETY: descriptors and handle are alive; the views lie in living buffers and are as long as the descriptors say,
        // which `Convolution::check` compared; the working memory is as long as it says; the factors are constants.
        // What is dropped before the work is done is given back after it.
        unsafe {
            result::convolution_forward(
                self.handle,
                alpha,
                of_x,
                x,
                of_weight,
                weight,
                moves,
                algorithm,
                place,
                bytes,
                beta,
                of_y,
                y,
            )
        }
    }

    fn backward_data<E: Number>(
        &self,
        algorithm: cudnnConvolutionBwdDataAlgo_t,
        (of_weight, weight): (&Filter, View<'_, E>),
        (of_y, dy): (&Tensor, View<'_, E>),
        (of_x, dx): (&Tensor, Out<'_, E>),
    ) -> std::result::Result<(), CudnnError> {
        let ([alpha, beta], (place, bytes), moves) = (self.factors(), self.workspace(), self.moves.raw());
        let (of_x, of_weight, of_y) = (of_x.raw(), of_weight.raw(), of_y.raw());
        let (dx, weight, dy) = (at(dx.view()), at(weight), at(dy));
        // SAFETY: as in `forward`.
        unsafe {
            result::convolution_backward_data(
                self.handle,
                alpha,
                of_weight,
                weight,
                of_y,
                dy,
                moves,
                algorithm,
                place,
                bytes,
                beta,
                of_x,
                dx,
            )
        }
    }

    fn backward_filter<E: Number>(
        &self,
        algorithm: cudnnConvolutionBwdFilterAlgo_t,
        (of_x, x): (&Tensor, View<'_, E>),
        (of_y, dy): (&Tensor, View<'_, E>),
        (of_weight, gradient): (&Filter, Out<'_, E>),
    ) -> std::result::Result<(), CudnnError> {
        let ([alpha, beta], (place, bytes), moves) = (self.factors(), self.workspace(), self.moves.raw());
        let (of_x, of_weight, of_y) = (of_x.raw(), of_weight.raw(), of_y.raw());
        let (x, gradient, dy) = (at(x), at(gradient.view()), at(dy));
        // SAFETY: as in `forward`.
        unsafe {
            result::convolution_backward_filter(
                self.handle,
                alpha,
                of_x,
                x,
                of_y,
                dy,
                moves,
                algorithm,
                place,
                bytes,
                beta,
                of_weight,
                gradient,
            )
        }
    }
}

fn at<T: Element>(view: View<'_, T>) -> *mut c_void {
    view.address() as *mut c_void
}

fn unknown() -> Error {
    Error::device("a convolution on the GPU has an algorithm that is none for it")
}

/// That an output shares no number with an input.
fn apart<E: Number>(out: View<'_, E>, inputs: [View<'_, E>; 2]) -> Result<()> {
    if inputs.into_iter().any(|input| out.overlaps(input)) {
        return Err(Error::domain("the output of a convolution", "its input, in part", "a place of its own"));
    }
    Ok(())
}

/// Sees to it that the shared working memory has this many bytes.
fn reserve(device: &Device, dnn: &mut Dnn, bytes: usize) -> Result<()> {
    if dnn.workspace.as_ref().is_none_or(|workspace| workspace.len() < bytes) {
        // The old memory goes back first; work that uses it comes before that in the stream.
        dnn.workspace = None;
        dnn.workspace = Some(Arc::new(Buffer::zeros(device, bytes)?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Shape = Shape { channels: 3, height: 32, width: 32 };

    #[test]
    fn extents_are_those_of_the_graph() {
        let stem = Shape { channels: 16, ..IMAGE };
        let extents = Extents::new(128, IMAGE, stem, Window::same(3, 1)).expect("the stem of a ResNet");
        assert_eq!((extents.x(), extents.y(), extents.weight()), ([128, 3, 32, 32], [128, 16, 32, 32], [16, 3, 3, 3]));
        let half = Shape { channels: 32, height: 16, width: 16 };
        assert!(Extents::new(1, stem, half, Window::same(3, 2)).is_ok());
        assert!(Extents::new(1, stem, half, Window::same(1, 2)).is_ok());
    }

    #[test]
    fn wrong_shapes_are_refused() {
        let stem = Shape { channels: 16, ..IMAGE };
        assert!(Extents::new(0, IMAGE, stem, Window::same(3, 1)).is_err());
        assert!(Extents::new(1, IMAGE, stem, Window::same(3, 2)).is_err());
        assert!(Extents::new(1, IMAGE, stem, Window { size: 3, stride: 0, padding: 1 }).is_err());
        assert!(Extents::new(1, IMAGE, stem, Window { size: 64, stride: 1, padding: 0 }).is_err());
    }
}
