//! A tensor as it lies in a file: a view of a storage.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};

use super::element::Element;
use crate::Result;
use crate::data::cursor::Malformed;

/// Dimensions of a tensor; a convolution's kernel has 4.
const DIMENSIONS: usize = 16;

/// A tensor in a file: every number of it is known to lie in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTensor {
    name: String,
    element: Element,
    view: View,
    /// Bytes of the file.
    storage: Range<usize>,
}

/// How the numbers of a tensor lie in its storage, counted in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
    pub(super) offset: usize,
}

impl View {
    /// One row after the other, from the beginning.
    pub(super) fn contiguous(shape: &[usize]) -> Self {
        let mut strides = vec![1_usize; shape.len()];
        for dimension in (1..shape.len()).rev() {
            strides[dimension - 1] = strides[dimension].saturating_mul(shape[dimension]);
        }
        Self { shape: shape.to_vec(), strides, offset: 0 }
    }

    /// Numbers in all, and how many the storage must have; `None` if that is beyond all bounds.
    fn extent(&self) -> Option<(usize, usize)> {
        let numbers = self.shape.iter().try_fold(1_usize, |numbers, &side| numbers.checked_mul(side))?;
        if numbers == 0 {
            return Some((0, 0));
        }
        let last = self
            .shape
            .iter()
            .zip(&self.strides)
            .try_fold(self.offset, |at, (&side, &stride)| at.checked_add((side - 1).checked_mul(stride)?))?;
        Some((numbers, last.checked_add(1)?))
    }
}

impl StoredTensor {
    /// The view of a storage that lies in these bytes of a file.
    ///
    /// Fails if the view leaves the storage. The product of the shape may exceed the storage, if a stride is 0.
    pub(super) fn new(
        name: String,
        element: Element,
        view: View,
        storage: Range<usize>,
    ) -> std::result::Result<Self, Malformed> {
        let length = storage.len() / element.size();
        let refused = || {
            let View { shape, strides, offset } = &view;
            let problem = format!("tensor {name} has shape {shape:?}, strides {strides:?} and offset {offset}");
            Malformed::new(
                problem,
                format!("up to {DIMENSIONS} dimensions, within the {length} numbers of its storage"),
            )
        };
        let fits = view.extent().is_some_and(|(_, wanted)| wanted <= length);
        if !fits || view.shape.len() > DIMENSIONS || view.strides.len() != view.shape.len() {
            return Err(refused());
        }
        Ok(Self { name, element, view, storage })
    }

    /// Its name in the file, less the prefix of a wrapper.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number type.
    pub fn element(&self) -> Element {
        self.element
    }

    /// Its shape.
    pub fn shape(&self) -> &[usize] {
        &self.view.shape
    }

    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        self.view.extent().map_or(0, |(numbers, _)| numbers)
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of its numbers, each counted as often as it is seen.
    pub(super) fn bytes(&self) -> usize {
        self.len().saturating_mul(self.element.size())
    }

    /// Takes a prefix off the name.
    pub(super) fn strip(&mut self, prefix: &str) {
        if let Some(rest) = self.name.strip_prefix(prefix) {
            self.name = rest.to_owned();
        }
    }

    /// Its numbers, one row after the other, in their own type.
    pub(super) fn numbers(&self, file: &[u8]) -> Vec<u8> {
        if self.is_empty() {
            return Vec::new();
        }
        let (size, storage) = (self.element.size(), &file[self.storage.clone()]);
        let View { shape, strides, offset } = &self.view;
        if *self.view.strides == View::contiguous(shape).strides {
            return storage[offset * size..][..self.bytes()].to_vec();
        }
        let mut out = Vec::with_capacity(self.bytes());
        let mut index = vec![0; shape.len()];
        let mut at = *offset;
        for _ in 0..self.len() {
            out.extend_from_slice(&storage[at * size..][..size]);
            // The next index, the last dimension fastest.
            for dimension in (0..shape.len()).rev() {
                index[dimension] += 1;
                at += strides[dimension];
                if index[dimension] < shape[dimension] {
                    break;
                }
                at -= index[dimension] * strides[dimension];
                index[dimension] = 0;
            }
        }
        out
    }

    /// The tensor itself.
    pub(super) fn tensor(&self, file: &[u8]) -> Result<Tensor> {
        let (numbers, shape) = (self.numbers(file), self.shape());
        let dtype = match self.element {
            Element::F64 => DType::F64,
            Element::F32 => DType::F32,
            Element::F16 => DType::F16,
            Element::BF16 => DType::BF16,
            Element::I64 => DType::I64,
            Element::I32 => DType::I32,
            Element::I16 => DType::I16,
            Element::U8 | Element::Bool => DType::U8,
            Element::I8 => {
                let wide: Vec<i64> = numbers.iter().map(|&byte| byte.cast_signed().into()).collect();
                return Ok(Tensor::from_vec(wide, shape, &Device::Cpu)?);
            }
        };
        Ok(Tensor::from_raw_buffer(&numbers, dtype, shape, &Device::Cpu)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(shape: &[usize], strides: &[usize], offset: usize, length: usize) -> Option<StoredTensor> {
        let view = View { shape: shape.to_vec(), strides: strides.to_vec(), offset };
        StoredTensor::new("x".into(), Element::U8, view, 1..1 + length).ok()
    }

    #[test]
    fn views_are_read_row_by_row() {
        let file: Vec<u8> = (99..110).collect();
        for (shape, strides, offset, seen) in [
            (&[2, 3][..], &[3, 1][..], 0, &[100, 101, 102, 103, 104, 105][..]),
            (&[3, 2], &[1, 3], 0, &[100, 103, 101, 104, 102, 105]),
            (&[2, 2], &[4, 2], 1, &[101, 103, 105, 107]),
            (&[2, 3], &[0, 1], 2, &[102, 103, 104, 102, 103, 104]),
            (&[1, 3], &[77, 1], 7, &[107, 108, 109]),
            (&[], &[], 3, &[103]),
            (&[0, 5], &[5, 1], 0, &[]),
        ] {
            assert_eq!(
                stored(shape, strides, offset, 10).expect("inside").numbers(&file),
                seen,
                "{shape:?} {strides:?}"
            );
        }
    }

    #[test]
    fn views_that_leave_their_storage_are_refused() {
        let most = usize::MAX;
        for (shape, strides, offset) in [
            (&[2, 3][..], &[3, 1][..], 5),
            (&[11], &[1], 0),
            (&[2], &[10], 0),
            (&[], &[], 10),
            (&[1], &[1], most),
            (&[2], &[most], 1),
            (&[most, 2], &[0, 0], 0),
            (&[most, most], &[1, 1], 0),
            (&[3, 3], &[most / 2, most / 2], 3),
            (&[2], &[], 0),
            (&[1; 17], &[1; 17], 0),
        ] {
            assert!(stored(shape, strides, offset, 10).is_none(), "{shape:?} {strides:?} {offset}");
        }
    }

    proptest! {
        /// Against the plain sum over dimensions, for every index.
        #[test]
        fn any_view_is_either_refused_or_read_by_its_strides(
            sides in prop::collection::vec((0_usize..4, 0_usize..9), 0..4), offset in 0_usize..20, length in 0_usize..40,
        ) {
            let (shape, strides): (Vec<_>, Vec<_>) = sides.into_iter().unzip();
            let mut wanted = vec![offset];
            for (&side, &stride) in shape.iter().zip(&strides) {
                wanted = wanted.iter().flat_map(|at| (0..side).map(move |i| at + i * stride)).collect();
            }
            let file: Vec<u8> = (0..=40).collect();
            let seen = stored(&shape, &strides, offset, length).map(|tensor| tensor.numbers(&file));
            let inside = wanted.iter().all(|&at| at < length);
            let wanted = inside.then(|| wanted.iter().map(|&at| at as u8 + 1).collect::<Vec<_>>());
            prop_assert_eq!(seen, wanted);
        }
    }
}
