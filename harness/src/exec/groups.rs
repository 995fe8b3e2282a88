//! A batch as a fixed number of groups of images: how work is shared among threads without a trace in the result.
//!
//! Groups depend on the size of the batch alone. Within a group, sums run in the order of the images; the groups' sums
//! are added in a fixed tree. So results have the same bits for any number of threads.

use std::ops::Range;

use crate::Scalar;

/// Groups in a batch; also the most threads that one operation can use.
pub(in crate::exec) const GROUPS: usize = 8;

/// The images of every group, as equal as can be; some are empty when there are fewer images than groups.
pub(in crate::exec) fn ranges(images: usize) -> [Range<usize>; GROUPS] {
    std::array::from_fn(|group| group * images / GROUPS..(group + 1) * images / GROUPS)
}

/// A buffer of `images` images, cut into groups.
pub(in crate::exec) fn split<T>(buffer: &[T], images: usize) -> [&[T]; GROUPS] {
    let length = buffer.len() / images;
    ranges(images).map(|range| &buffer[range.start * length..range.end * length])
}

/// A buffer of `images` images, cut into groups.
pub(in crate::exec) fn split_mut<T>(mut buffer: &mut [T], images: usize) -> [&mut [T]; GROUPS] {
    let length = buffer.len() / images;
    ranges(images).map(|range| buffer.split_off_mut(..range.len() * length).unwrap_or_default())
}

/// Adds up the groups' vectors in the tree ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)); the sum ends in the first.
pub(in crate::exec) fn sum_tree<T: Scalar>(parts: &mut [Vec<T>; GROUPS]) -> &[T] {
    let mut distance = 1;
    while distance < GROUPS {
        for pair in parts.chunks_mut(2 * distance) {
            let (left, right) = pair.split_at_mut(distance);
            left[0].iter_mut().zip(&right[0]).for_each(|(left, right)| *left += *right);
        }
        distance *= 2;
    }
    &parts[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_a_batch_in_order() {
        for images in [1, 5, 8, 77, 128] {
            let mut buffer: Vec<usize> = (0..3 * images).collect();
            assert_eq!(split(&buffer, images).concat(), buffer);
            let parts = split_mut(&mut buffer, images).map(|part| part.to_vec());
            assert_eq!(parts.concat(), buffer);
            assert!(parts.iter().all(|part| part.len().abs_diff(3 * images / GROUPS) <= 3));
        }
    }

    #[test]
    fn the_tree_adds_every_group() {
        let mut parts: [Vec<f64>; GROUPS] = std::array::from_fn(|group| vec![(1 << group) as f64, 1.0]);
        assert_eq!(sum_tree(&mut parts), [255.0, 8.0]);
    }
}
