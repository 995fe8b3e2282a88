//! Which algorithm carries out a convolution: a deterministic one, chosen by measurement among cuDNN's and ours.
//!
//! A choice is made once a shape, direction and precision, and kept (`choices.rs`). Measured times vary; so among those
//! that are nearly the fastest the one with the lowest number is taken.

use cudarc::cudnn::sys::{
    cudnnConvolutionBwdDataAlgo_t, cudnnConvolutionBwdFilterAlgo_t, cudnnConvolutionFwdAlgo_t, cudnnMathType_t,
};

use serde::{Deserialize, Serialize};

use super::convolution::Extents;
use super::number::Storage;
use crate::{Error, Result};

/// In what convolutions multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Precision {
    /// Single precision.
    F32,
    /// Single precision rounded to TF32, whose products are added up in single precision.
    Tf32,
    /// bfloat16 there and back, whose products are added up in single precision.
    Bf16,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direction {
    Forward,
    BackwardData,
    BackwardFilter,
}

/// What a choice is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) extents: Extents,
    pub(super) precision: Precision,
    pub(super) direction: Direction,
}

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Forward(cudnnConvolutionFwdAlgo_t),
    BackwardData(cudnnConvolutionBwdDataAlgo_t),
    /// The way back to x as cuDNN's convolution of dy with the weight turned round, which is the same where the stride is 1.
    Turned(cudnnConvolutionFwdAlgo_t),
    BackwardFilter(cudnnConvolutionBwdFilterAlgo_t),
    /// Any way by our kernels on tensor cores for planar maps.
    Planar(Direction),
}

/// cuDNN's algorithms of every direction, by their numbers.
const FORWARD: [cudnnConvolutionFwdAlgo_t; 8] = {
    use cudnnConvolutionFwdAlgo_t as Forward;
    [
        Forward::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,
        Forward::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
        Forward::CUDNN_CONVOLUTION_FWD_ALGO_GEMM,
        Forward::CUDNN_CONVOLUTION_FWD_ALGO_DIRECT,
        Forward::CUDNN_CONVOLUTION_FWD_ALGO_FFT,
        Forward::CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING,
        Forward::CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD,
        Forward::CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED,
    ]
};
const BACKWARD_DATA: [cudnnConvolutionBwdDataAlgo_t; 6] = {
    use cudnnConvolutionBwdDataAlgo_t as Data;
    [
        Data::CUDNN_CONVOLUTION_BWD_DATA_ALGO_0,
        Data::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1,
        Data::CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT,
        Data::CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT_TILING,
        Data::CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD,
        Data::CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED,
    ]
};
const BACKWARD_FILTER: [cudnnConvolutionBwdFilterAlgo_t; 7] = {
    use cudnnConvolutionBwdFilterAlgo_t as Filter;
    [
        Filter::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
        Filter::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1,
        Filter::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT,
        Filter::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3,
        Filter::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD,
        Filter::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED,
        Filter::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT_TILING,
    ]
};

impl Algorithm {
    /// The algorithm of this number among those of a direction, of which cuDNN's come first; `None` if there is none.
    pub(super) fn of(direction: Direction, number: u32) -> Option<Self> {
        let number = number as usize;
        let planar = |ours: usize| (number == ours).then_some(Self::Planar(direction));
        match direction {
            Direction::Forward => FORWARD.get(number).copied().map(Self::Forward).or(planar(FORWARD.len())),
            Direction::BackwardData => match number.checked_sub(BACKWARD_DATA.len()) {
                None => BACKWARD_DATA.get(number).copied().map(Self::BackwardData),
                Some(turned) => {
                    let ours = BACKWARD_DATA.len() + FORWARD.len();
                    FORWARD.get(turned).copied().map(Self::Turned).or(planar(ours))
                }
            },
            Direction::BackwardFilter => {
                BACKWARD_FILTER.get(number).copied().map(Self::BackwardFilter).or(planar(BACKWARD_FILTER.len()))
            }
        }
    }

    /// Its number among those of its direction.
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Forward(algorithm) => algorithm as u32,
            Self::BackwardData(algorithm) => algorithm as u32,
            Self::Turned(algorithm) => BACKWARD_DATA.len() as u32 + algorithm as u32,
            Self::BackwardFilter(algorithm) => algorithm as u32,
            Self::Planar(Direction::Forward) => FORWARD.len() as u32,
            Self::Planar(Direction::BackwardData) => (BACKWARD_DATA.len() + FORWARD.len()) as u32,
            Self::Planar(Direction::BackwardFilter) => BACKWARD_FILTER.len() as u32,
        }
    }
}

/// The arithmetic of this number; `None` if there is none.
pub(super) fn math_of(number: u32) -> Option<cudnnMathType_t> {
    let all = [
        cudnnMathType_t::CUDNN_DEFAULT_MATH,
        cudnnMathType_t::CUDNN_TENSOR_OP_MATH,
        cudnnMathType_t::CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION,
        cudnnMathType_t::CUDNN_FMA_MATH,
    ];
    all.get(number as usize).copied()
}

/// An algorithm, the arithmetic it was measured with, and the working memory it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) algorithm: Algorithm,
    pub(super) math: cudnnMathType_t,
    /// Bytes.
    pub(super) workspace: usize,
}

/// A choice that was tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) choice: Choice,
    pub(super) deterministic: bool,
    pub(super) milliseconds: f32,
}

/// Whose algorithms a choice is made among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Candidates {
    /// cuDNN's and ours.
    All,
    /// Ours where there are some.
    Ours,
    /// cuDNN's for the direction.
    Cudnn,
}

impl Candidates {
    /// As `VALLEYS_CUDA_CONVOLUTIONS` says, `ours` or `cudnn`: to look for a fault, and to measure one beside the other.
    ///
    /// # Errors
    /// [`Error::Domain`] if it is set to anything else.
    pub(super) fn wanted() -> Result<Self> {
        const NAME: &str = "VALLEYS_CUDA_CONVOLUTIONS";
        Self::named(&std::env::var_os(NAME).unwrap_or_default().to_string_lossy())
            .map_err(|seen| Error::domain(NAME, seen, "ours, cudnn, or nothing for the quickest"))
    }

    fn named(name: &str) -> std::result::Result<Self, String> {
        match name {
            "" => Ok(Self::All),
            "ours" => Ok(Self::Ours),
            "cudnn" => Ok(Self::Cudnn),
            other => Err(other.to_owned()),
        }
    }

    /// What of all that was tried may be chosen.
    pub(super) fn among(self, mut measured: Vec<Measured>) -> Vec<Measured> {
        let is_ours = |it: &Measured| matches!(it.choice.algorithm, Algorithm::Planar(_));
        let is_turned = |it: &Measured| matches!(it.choice.algorithm, Algorithm::Turned(_));
        match self {
            Self::Ours if measured.iter().any(is_ours) => measured.retain(is_ours),
            Self::Cudnn => measured.retain(|it| !is_ours(it) && !is_turned(it)),
            Self::All | Self::Ours => {}
        }
        measured
    }
}

/// The most working memory that an algorithm may need, in bytes.
pub(super) const WORKSPACE_LIMIT: usize = 256 << 20;

/// How much slower than the fastest an algorithm may be to be nearly as fast.
const TOLERANCE: f32 = 1.1;

impl Precision {
    /// The arithmetic that cuDNN is asked for.
    pub(super) fn math(self) -> cudnnMathType_t {
        match self {
            Self::F32 => cudnnMathType_t::CUDNN_FMA_MATH,
            // Lets cuDNN take TF32, where the GPU has it.
            Self::Tf32 => cudnnMathType_t::CUDNN_DEFAULT_MATH,
            Self::Bf16 => cudnnMathType_t::CUDNN_TENSOR_OP_MATH,
        }
    }

    /// How what it multiplies is kept.
    pub(super) fn storage(self) -> Storage {
        match self {
            Self::F32 | Self::Tf32 => Storage::F32,
            Self::Bf16 => Storage::Bf16,
        }
    }

    /// With which arithmetic to run an algorithm that was measured with this one; `None` if that breaks the precision.
    fn keeps(self, measured: cudnnMathType_t) -> Option<cudnnMathType_t> {
        match (self, measured) {
            // Would convert to half precision.
            (_, cudnnMathType_t::CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) => None,
            (Self::F32, cudnnMathType_t::CUDNN_TENSOR_OP_MATH) => None,
            // Whatever the report calls it, this was asked for, and is asked for again.
            (Self::F32, _) => Some(cudnnMathType_t::CUDNN_FMA_MATH),
            (Self::Tf32 | Self::Bf16, math) => Some(math),
        }
    }
}

/// The deterministic algorithm of lowest number among the fastest that keep to the precision and the working memory;
/// `None` if there is none.
pub(super) fn choose(measured: &[Measured], precision: Precision, workspace: usize) -> Option<Choice> {
    let fit = |candidate: &&Measured| {
        candidate.deterministic
            && precision.keeps(candidate.choice.math).is_some()
            && candidate.choice.workspace <= workspace
            && candidate.milliseconds >= 0.0
    };
    let fastest = measured.iter().filter(fit).map(|candidate| candidate.milliseconds).fold(f32::INFINITY, f32::min);
    let nearly = measured.iter().filter(fit).filter(|candidate| candidate.milliseconds <= TOLERANCE * fastest);
    let lowest = nearly.min_by_key(|candidate| (candidate.choice.algorithm.number(), candidate.choice.math as u32));
    lowest.and_then(|lowest| Some(Choice { math: precision.keeps(lowest.choice.math)?, ..lowest.choice }))
}

#[cfg(test)]
mod tests {
    use cudnnConvolutionFwdAlgo_t as Forward;
    use cudnnMathType_t as Math;

    use super::*;

    fn measured(algorithm: Forward, math: Math, milliseconds: f32) -> Measured {
        let choice = Choice { algorithm: Algorithm::Forward(algorithm), math, workspace: 100 };
        Measured { choice, deterministic: true, milliseconds }
    }

    const GEMM: Forward = Forward::CUDNN_CONVOLUTION_FWD_ALGO_GEMM;
    const PRECOMPUTED: Forward = Forward::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    const WINOGRAD: Forward = Forward::CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD;

    fn algorithm(candidates: &[Measured], precision: Precision) -> Option<Algorithm> {
        choose(candidates, precision, 100).map(|choice| choice.algorithm)
    }

    #[test]
    fn the_fastest_is_taken_and_of_the_nearly_fastest_the_lowest() {
        let (fma, single) = (Math::CUDNN_FMA_MATH, Precision::F32);
        let slow = [measured(WINOGRAD, fma, 1.0), measured(PRECOMPUTED, fma, 1.2)];
        assert_eq!(algorithm(&slow, single), Some(Algorithm::Forward(WINOGRAD)));
        let close = [measured(WINOGRAD, fma, 1.0), measured(GEMM, fma, 1.08), measured(PRECOMPUTED, fma, 1.09)];
        assert_eq!(algorithm(&close, single), Some(Algorithm::Forward(PRECOMPUTED)));
        assert_eq!(algorithm(&[], single), None);
    }

    #[test]
    fn whose_algorithms_are_tried_can_be_said() {
        let own = |algorithm| {
            let choice = Choice { algorithm, ..measured(GEMM, Math::CUDNN_FMA_MATH, 1.0).choice };
            Measured { choice, ..measured(GEMM, Math::CUDNN_FMA_MATH, 1.0) }
        };
        let all = vec![
            measured(GEMM, Math::CUDNN_FMA_MATH, 1.0),
            own(Algorithm::Turned(GEMM)),
            own(Algorithm::Planar(Direction::Forward)),
        ];
        let left = |candidates: Candidates, all: &[Measured]| {
            candidates.among(all.to_vec()).iter().map(|it| it.choice.algorithm).collect::<Vec<_>>()
        };
        let named = ["", "ours", "cudnn", "theirs"].map(Candidates::named);
        let right = [Candidates::All, Candidates::Ours, Candidates::Cudnn].map(Ok);
        assert_eq!((&named[..3], &named[3]), (&right[..], &Err("theirs".to_owned())));
        assert_eq!(left(Candidates::All, &all).len(), 3);
        assert_eq!(left(Candidates::Ours, &all), [Algorithm::Planar(Direction::Forward)]);
        assert_eq!(left(Candidates::Ours, &all[..2]).len(), 2, "there is none of ours");
        assert_eq!(left(Candidates::Cudnn, &all), [Algorithm::Forward(GEMM)]);
    }

    #[test]
    fn algorithms_and_arithmetic_have_their_numbers() {
        for (direction, count) in
            [(Direction::Forward, 9), (Direction::BackwardData, 15), (Direction::BackwardFilter, 8)]
        {
            for number in 0..count {
                assert_eq!(Algorithm::of(direction, number).map(Algorithm::number), Some(number));
            }
            assert_eq!(Algorithm::of(direction, count), None);
        }
        assert_eq!([0, 1, 2, 3].map(|number| math_of(number).map(|math| math as u32)), [0, 1, 2, 3].map(Some));
        assert_eq!(math_of(4), None);
    }

    #[test]
    fn whatever_varies_rounds_or_needs_too_much_is_left_out() {
        let [fma, default, tensor, half] = [
            Math::CUDNN_FMA_MATH,
            Math::CUDNN_DEFAULT_MATH,
            Math::CUDNN_TENSOR_OP_MATH,
            Math::CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION,
        ];
        let varying = Measured { deterministic: false, ..measured(GEMM, fma, 0.1) };
        let mut large = measured(GEMM, fma, 0.1);
        large.choice.workspace = 101;
        let failed = measured(GEMM, fma, -1.0);
        let candidates = [varying, large, failed, measured(GEMM, tensor, 0.1), measured(WINOGRAD, fma, 1.0)];
        assert_eq!(algorithm(&candidates, Precision::F32), Some(Algorithm::Forward(WINOGRAD)));
        let candidates = [measured(GEMM, half, 0.1), measured(WINOGRAD, default, 1.0)];
        assert_eq!(algorithm(&candidates, Precision::Tf32), Some(Algorithm::Forward(WINOGRAD)));
        let candidates =
            [measured(GEMM, half, 0.1), measured(PRECOMPUTED, tensor, 0.5), measured(WINOGRAD, default, 1.0)];
        assert_eq!(algorithm(&candidates, Precision::Bf16), Some(Algorithm::Forward(PRECOMPUTED)));
        let single = choose(&[measured(WINOGRAD, default, 1.0)], Precision::F32, 100).map(|choice| choice.math);
        assert_eq!(single, Some(fma), "single precision is always asked for");
    }
}
