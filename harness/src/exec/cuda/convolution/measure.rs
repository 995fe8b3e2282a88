//! Which algorithm is the quickest for a convolution: all are tried on zeros.

use cudarc::cudnn::sys::{self, cudnnDeterminism_t, cudnnStatus_t};

use super::{Convolution, Planar, product};
use crate::exec::cuda::algorithms::{Algorithm, Choice, Direction, Key, Measured, WORKSPACE_LIMIT, choose};
use crate::exec::cuda::cudnn::{Dnn, Moves, failed};
use crate::exec::cuda::launch::turn;
use crate::exec::cuda::memory::{Buffer, View};
use crate::exec::cuda::number::{Number, Numbers};
use crate::{Error, Result};

/// The most algorithms that cuDNN may report on, several times as many as it has.
const REPORTS: usize = 32;

/// How often one of our kernels is timed in a row.
const TIMES: usize = 5;

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
                let done = unsafe { $call }.result().map_err(|error| failed(format!("measuring {key:?}"), error));
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
                done.map(|()| measured.collect::<Vec<_>>())
            }};
        }

        let of_cudnn = match direction {
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
        let mut measured = of_cudnn?;
        if let (Direction::BackwardData, Some(turned), Some(room)) = (direction, &self.turned, &workspace) {
            let moves = Moves::new(1, turned.padding, precision.math())?;
            let (moves, of_weight) = (moves.raw(), turned.weight.raw());
            let forward = reports!(Turned, sys::cudnnConvolutionFwdAlgoPerf_t, turned.bytes, |count, list| {
                sys::cudnnFindConvolutionForwardAlgorithmEx(
                    handle, of_y, at_y, of_weight, at_weight, moves, of_x, at_x, asked, count, list, place, bytes,
                )
            });
            // Where cuDNN knows no such convolution, there is the way back that it knows.
            let before = match &weight {
                Numbers::F32(weight) => self.measure_turn(weight.view(), room),
                Numbers::Bf16(weight) => self.measure_turn(weight.view(), room),
            }?;
            measured.extend(forward.into_iter().flatten().map(|it| Measured {
                milliseconds: if it.milliseconds < 0.0 { it.milliseconds } else { it.milliseconds + before },
                ..it
            }));
        }
        measured.extend(self.measure_planar(direction, [&x, &weight, &y], workspace.as_ref())?);
        let measured = device.candidates().among(measured);
        choose(&measured, precision, bytes).ok_or_else(|| {
            let tried = measured.len();
            Error::device(format!("there is no deterministic algorithm for {key:?} among {tried} that work"))
        })
    }
    /// How long it takes to turn the weight round, in milliseconds.
    fn measure_turn<E: Number>(&self, weight: View<'_, E>, room: &Buffer<u8>) -> Result<f32> {
        let [outputs, channels, rows, columns] = self.extents.weight();
        let round = room.out().numbers::<E>(weight.len())?;
        self.device.time(&[turn([outputs, channels, rows * columns], weight, round)?], TIMES)
    }

    /// Tries our kernel, if there is one, on numbers of x, weight and y.
    fn measure_planar(
        &self,
        direction: Direction,
        [x, weight, y]: [&Numbers; 3],
        workspace: Option<&Buffer<u8>>,
    ) -> Result<Option<Measured>> {
        let rounds = self.rounds();
        let (mut launches, mut workspace_needed) = (Vec::new(), 0);
        match (direction, &self.planar, workspace) {
            (Direction::Forward, Planar { there: Some(there), .. }, _) => {
                launches.push(there.launch(rounds, x.out()?.view(), weight.out()?.view(), (y.out()?, false))?);
            }
            (Direction::BackwardData, Planar { back: Some(back), .. }, _) => {
                launches.push(back.launch(rounds, y.out()?.view(), weight.out()?.view(), (x.out()?, false))?);
            }
            (Direction::BackwardFilter, Planar { gradient: Some(gradient), .. }, Some(room)) => {
                workspace_needed = size_of::<f32>() * gradient.parts();
                if workspace_needed > room.len() {
                    return Ok(None);
                }
                let (parts, x, y) = (room.out().numbers(gradient.parts())?, x.out()?.view(), y.out()?.view());
                launches.extend(gradient.launches(rounds, x, y, parts, weight.out()?)?);
            }
            _ => return Ok(None),
        }
        let choice = Choice {
            algorithm: Algorithm::Planar(direction),
            math: self.precision.math(),
            workspace: workspace_needed,
        };
        let milliseconds = self.device.time(&launches, TIMES)?;
        Ok(Some(Measured { choice, deterministic: true, milliseconds }))
    }
}
