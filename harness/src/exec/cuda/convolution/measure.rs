//! Which algorithm is the quickest for a convolution: all are tried on zeros.

use cudarc::cudnn::sys::{self, cudnnDeterminism_t, cudnnStatus_t};

use super::{Convolution, product};
use crate::exec::cuda::algorithms::{Algorithm, Choice, Direction, Key, Measured, Precision, WORKSPACE_LIMIT, choose};
use crate::exec::cuda::cudnn::{Dnn, Moves, failed};
use crate::exec::cuda::memory::Buffer;
use crate::exec::cuda::number::Numbers;
use crate::{Error, Result};

/// The most algorithms that cuDNN may report on, several times as many as it has.
const REPORTS: usize = 32;

/// How often one of our kernels is timed in a row.
const TIMES: usize = 3;

impl Convolution {
    /// Tries all algorithms on zeros, and chooses.
    pub(super) fn measure(&self, dnn: &Dnn, key: Key) -> Result<Choice> {
        let Key { extents, precision, direction } = key;
        let device = &self.device;
        let zeros = |extents: [usize; 4]| Numbers::zeros(device, precision.storage(), product(extents));
        let (x, weight, y) = (zeros(extents.x())?, zeros(extents.weight())?, zeros(extents.y())?);
        // Where memory is short, with less working memory.
        let sizes = (0..4).map(|halvings| WORKSPACE_LIMIT >> (2 * halvings));
        let workspace = sizes.map(|size| Buffer::<u8>::zeros(device, size)).find_map(Result::ok);
        let (place, bytes) = workspace.as_ref().map_or((0, 0), |buffer| (buffer.view().address(), buffer.len()));
        let moves = Moves::new(extents.stride, extents.padding, precision.math())?;
        let at = |numbers: &Numbers| numbers.address() as *mut _;
        let (at_x, at_weight, at_y, place) = (at(&x), at(&weight), at(&y), place as *mut _);
        let (of_x, of_weight, of_y) = (self.x.raw(), self.weight.raw(), self.y.raw());
        let (moves, handle, asked) = (moves.raw(), dnn.handle, REPORTS as i32);

        /// Calls one of the three functions that measure and turns its reports into [`Measured`]. Of the working memory
        /// that an algorithm needs, so many bytes come before cuDNN's.
        macro_rules! reports {
            ($variant:ident, $report:ty, $before:expr, |$count:ident, $list:ident| $call:expr) => {{
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
                        workspace: $before + report.memory,
                    },
                    deterministic: report.determinism == cudnnDeterminism_t::CUDNN_DETERMINISTIC,
                    milliseconds: report.time,
                });
                measured.collect::<Vec<_>>()
            }};
        }

        let mut measured = match direction {
            Direction::Forward => reports!(Forward, sys::cudnnConvolutionFwdAlgoPerf_t, 0, |count, list| {
                sys::cudnnFindConvolutionForwardAlgorithmEx(
                    handle, of_x, at_x, of_weight, at_weight, moves, of_y, at_y, asked, count, list, place, bytes,
                )
            }),
            Direction::BackwardData => {
                reports!(BackwardData, sys::cudnnConvolutionBwdDataAlgoPerf_t, 0, |count, list| {
                    sys::cudnnFindConvolutionBackwardDataAlgorithmEx(
                        handle, of_weight, at_weight, of_y, at_y, moves, of_x, at_x, asked, count, list, place, bytes,
                    )
                })
            }
            Direction::BackwardFilter => {
                reports!(BackwardFilter, sys::cudnnConvolutionBwdFilterAlgoPerf_t, 0, |count, list| {
                    sys::cudnnFindConvolutionBackwardFilterAlgorithmEx(
                        handle, of_x, at_x, of_y, at_y, moves, of_weight, at_weight, asked, count, list, place, bytes,
                    )
                })
            }
        };
        match (direction, &self.turned, &self.planar, &workspace) {
            (Direction::BackwardData, Some(turned), ..) => {
                let moves = Moves::new(1, turned.padding, precision.math())?;
                let (moves, of_weight) = (moves.raw(), turned.weight.raw());
                measured.extend(reports!(Turned, sys::cudnnConvolutionFwdAlgoPerf_t, turned.bytes, |count, list| {
                    sys::cudnnFindConvolutionForwardAlgorithmEx(
                        handle, of_y, at_y, of_weight, at_weight, moves, of_x, at_x, asked, count, list, place, bytes,
                    )
                }));
            }
            (Direction::BackwardFilter, _, Some(planar), Some(room)) if size_of::<f32>() * planar.parts() <= bytes => {
                let parts = room.out().numbers(planar.parts())?;
                let (x, y, gradient) = (x.out()?.view(), y.out()?.view(), weight.out()?);
                let launches = planar.launches(precision == Precision::Tf32, x, y, parts, gradient)?;
                measured.push(Measured {
                    choice: Choice {
                        algorithm: Algorithm::Planar,
                        math: precision.math(),
                        workspace: size_of::<f32>() * planar.parts(),
                    },
                    deterministic: true,
                    milliseconds: device.time(&launches, TIMES)?,
                });
            }
            _ => {}
        }
        choose(&measured, precision, bytes).ok_or_else(|| {
            let tried = measured.len();
            Error::device(format!("there is no deterministic algorithm for {key:?} among {tried} that work"))
        })
    }
}
