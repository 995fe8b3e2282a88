//! The buffers as one image sees them.

use super::convolution::at_least;
use super::kernels::{Extent, Rows, RowsMut, copy};
use super::step::Place;
use crate::Scalar;

impl Place {
    /// Its pixels and channels.
    pub(super) fn extent(self) -> Extent {
        Extent { pixels: self.shape.plane(), channels: self.shape.channels }
    }
}

/// The buffers of a group of images and those of a thread, at one image of the group.
pub(super) struct Frame<'a, T> {
    /// First the group's, then the thread's.
    buffers: Vec<&'a mut [T]>,
    /// Numbers an image needs in the group's buffers.
    lengths: &'a [usize],
    /// Which of the group's images it is.
    image: usize,
    /// For numbers that are read from the buffer that is written.
    spare: &'a mut Vec<T>,
}

impl<'a, T: Scalar> Frame<'a, T> {
    pub(super) fn new(buffers: Vec<&'a mut [T]>, lengths: &'a [usize], spare: &'a mut Vec<T>) -> Self {
        Self { buffers, lengths, image: 0, spare }
    }

    /// Goes on to an image of the group.
    pub(super) fn go_to(&mut self, image: usize) {
        self.image = image;
    }

    /// Where a place begins in its buffer.
    fn start(&self, place: Place) -> usize {
        place.offset + self.lengths.get(place.buffer).map_or(0, |length| length * self.image)
    }

    /// The numbers of a place.
    pub(super) fn rows(&self, place: Place) -> Rows<'_, T> {
        Rows { numbers: &self.buffers[place.buffer][self.start(place)..], pitch: place.pitch }
    }

    /// Writes a place while the others are read.
    pub(super) fn write(&mut self, place: Place, write: impl FnOnce(&Self, RowsMut<'_, T>)) {
        let buffer = std::mem::take(&mut self.buffers[place.buffer]);
        write(self, RowsMut { numbers: &mut buffer[self.start(place)..], pitch: place.pitch });
        self.buffers[place.buffer] = buffer;
    }

    /// Writes y while x is read, which may lie in the same buffer.
    pub(super) fn update(&mut self, x: Place, y: Place, update: impl FnOnce(&Self, Rows<'_, T>, RowsMut<'_, T>)) {
        if x.buffer != y.buffer {
            self.write(y, |frame, y| update(frame, frame.rows(x), y));
            return;
        }
        let mut spare = std::mem::take(self.spare);
        let copied = at_least(&mut spare, x.shape.len());
        copy(x.extent(), self.rows(x), RowsMut { numbers: copied, pitch: x.shape.channels });
        let copied = Rows { numbers: copied, pitch: x.shape.channels };
        self.write(y, |frame, y| update(frame, copied, y));
        *self.spare = spare;
    }
}
