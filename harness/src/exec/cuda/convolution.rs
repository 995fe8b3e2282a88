//! Convolutions by cuDNN, forward and backward.

use std::cell::OnceCell;
use std::sync::Arc;

use cudarc::cudnn::result;
use cudarc::cudnn::sys::{self, cudnnDeterminism_t, cudnnStatus_t};
use cudarc::driver::CudaStream;

use serde::{Deserialize, Serialize};

use super::algorithms::{Algorithm, Choice, Direction, Key, Measured, Precision, WORKSPACE_LIMIT, choose};
use super::cudnn::{Dnn, Filter, Moves, Tensor, failed};
use super::device::Device;
use super::memory::{Buffer, Out, View};
use super::number::{Number, Numbers};
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
    /// By direction, once it has been asked for: evaluation asks for one of them.
    ways: [OnceCell<Way>; 3],
}

/// How one direction is carried out.
struct Way {
    choice: Choice,
    moves: Moves,
}

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
        Ok(Self { device: Arc::clone(device), extents, precision, x, weight, y, ways: Default::default() })
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
                None => choices.keep(key, measure(&self.device, dnn, key, (&self.x, &self.weight, &self.y))?),
            }
        };
        reserve(&self.device, dnn, choice.workspace)?;
        let moves = Moves::new(self.extents.stride, self.extents.padding, choice.math)?;
        Ok(way.get_or_init(|| Way { choice, moves }))
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
        self.run(stream, Direction::Forward, [x, weight, y.view()], false)
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
        self.run(stream, Direction::BackwardData, [dx.view(), weight, dy], accumulate)
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
        self.run(stream, Direction::BackwardFilter, [x, weight_gradient.view(), dy], accumulate)
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

    /// Carries out one direction: of x, weight and y, that is written which the direction makes.
    fn run<E: Number>(
        &self,
        stream: &Arc<CudaStream>,
        direction: Direction,
        [x, weight, y]: [View<'_, E>; 3],
        accumulate: bool,
    ) -> Result<()> {
        let mut dnn = self.device.dnn(stream)?;
        if self.ways[direction as usize].get().is_none() && !Arc::ptr_eq(stream, self.device.stream()) {
            return Err(Error::device("a convolution is recorded before its algorithm is chosen"));
        }
        let way = self.way(&mut dnn, direction)?;
        let workspace = dnn.workspace.as_ref().filter(|_| way.choice.workspace > 0);
        let (place, bytes) = workspace.map_or((0, 0), |buffer| (buffer.view().address(), buffer.len()));
        let (alpha, beta) = (1.0_f32, f32::from(u8::from(accumulate)));
        let [alpha, beta] = [&alpha, &beta].map(|number| std::ptr::from_ref(number).cast());
        let (x, weight, y) = (x.address() as *mut _, weight.address() as *mut _, y.address() as *mut _);
        let (place, moves) = (place as *mut _, way.moves.raw());
        let (of_x, of_weight, of_y) = (self.x.raw(), self.weight.raw(), self.y.raw());
        // SAFETY: descriptors and handle are alive; the views lie in living buffers and have the lengths that the
        // descriptors say, which `check` compared; the working memory is as long as it says; the scalars are read
        // before the call returns. What is dropped before the work is done is given back after it.
        unsafe {
            match way.choice.algorithm {
                Algorithm::Forward(algorithm) => result::convolution_forward(
                    dnn.handle, alpha, of_x, x, of_weight, weight, moves, algorithm, place, bytes, beta, of_y, y,
                ),
                Algorithm::BackwardData(algorithm) => result::convolution_backward_data(
                    dnn.handle, alpha, of_weight, weight, of_y, y, moves, algorithm, place, bytes, beta, of_x, x,
                ),
                Algorithm::BackwardFilter(algorithm) => result::convolution_backward_filter(
                    dnn.handle, alpha, of_x, x, of_y, y, moves, algorithm, place, bytes, beta, of_weight, weight,
                ),
            }
        }
        .map_err(|error| failed(format!("{:?} of {:?}", way.choice.algorithm, self.extents), error))
    }
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

/// The most algorithms that cuDNN may report on, several times as many as it has.
const REPORTS: usize = 32;

/// Tries cuDNN's algorithms on zeros, and chooses.
fn measure(device: &Device, dnn: &Dnn, key: Key, shapes: (&Tensor, &Filter, &Tensor)) -> Result<Choice> {
    let Key { extents, precision, direction } = key;
    let zeros = |extents: [usize; 4]| Numbers::zeros(device, precision.storage(), product(extents));
    let (x, weight, y) = (zeros(extents.x())?, zeros(extents.weight())?, zeros(extents.y())?);
    // Where memory is short, with less working memory.
    let sizes = (0..4).map(|halvings| WORKSPACE_LIMIT >> (2 * halvings));
    let workspace = sizes.map(|size| Buffer::<u8>::zeros(device, size)).find_map(Result::ok);
    let (place, bytes) = workspace.as_ref().map_or((0, 0), |buffer| (buffer.view().address(), buffer.len()));
    let moves = Moves::new(extents.stride, extents.padding, precision.math())?;
    let [x, weight, y] = [&x, &weight, &y].map(Numbers::address);
    let (of_x, of_weight, of_y) = (shapes.0.raw(), shapes.1.raw(), shapes.2.raw());
    let (place, moves, handle) = (place as *mut _, moves.raw(), dnn.handle);

    /// Calls one of the three functions that measure and turns its reports into [`Measured`].
    macro_rules! reports {
        ($variant:ident, $report:ty, |$count:ident, $list:ident| $call:expr) => {{
            let mut number = 0;
            // SAFETY: a report of zeros is one of algorithm 0.
            let mut list: [$report; REPORTS] = unsafe { std::mem::zeroed() };
            let ($count, $list) = (&raw mut number, list.as_mut_ptr());
            // SAFETY: descriptors and handle are alive; the buffers have the lengths that the descriptors say, and live
            // until cuDNN, which waits for its measurements, returns; the list has room for as many reports as asked for.
            unsafe { $call }.result().map_err(|error| failed(format!("measuring {key:?}"), error))?;
            let reported = list.iter().take(usize::try_from(number).unwrap_or_default());
            let succeeded = reported.filter(|report| report.status == cudnnStatus_t::CUDNN_STATUS_SUCCESS);
            let measured = succeeded.map(|report| Measured {
                choice: Choice {
                    algorithm: Algorithm::$variant(report.algo),
                    math: report.mathType,
                    workspace: report.memory,
                },
                deterministic: report.determinism == cudnnDeterminism_t::CUDNN_DETERMINISTIC,
                milliseconds: report.time,
            });
            measured.collect::<Vec<_>>()
        }};
    }

    let asked = REPORTS as i32;
    let (x, weight, y) = (x as *mut _, weight as *mut _, y as *mut _);
    let measured = match direction {
        Direction::Forward => reports!(Forward, sys::cudnnConvolutionFwdAlgoPerf_t, |count, list| {
            sys::cudnnFindConvolutionForwardAlgorithmEx(
                handle, of_x, x, of_weight, weight, moves, of_y, y, asked, count, list, place, bytes,
            )
        }),
        Direction::BackwardData => reports!(BackwardData, sys::cudnnConvolutionBwdDataAlgoPerf_t, |count, list| {
            sys::cudnnFindConvolutionBackwardDataAlgorithmEx(
                handle, of_weight, weight, of_y, y, moves, of_x, x, asked, count, list, place, bytes,
            )
        }),
        Direction::BackwardFilter => {
            reports!(BackwardFilter, sys::cudnnConvolutionBwdFilterAlgoPerf_t, |count, list| {
                sys::cudnnFindConvolutionBackwardFilterAlgorithmEx(
                    handle, of_x, x, of_y, y, moves, of_weight, weight, asked, count, list, place, bytes,
                )
            })
        }
    };
    choose(&measured, precision, bytes).ok_or_else(|| {
        let tried = measured.len();
        Error::device(format!("cuDNN has no deterministic algorithm for {key:?} among {tried} that work"))
    })
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
