//! Images of a set as a network sees them, before any pixel is made: which, how cut and mirrored, by which tables.

use rayon::prelude::*;

use super::normalisation::Tables;
use super::{CHANNELS, IMAGE, ImageSet, PLANE, SIDE};

/// One image of a set, cut and perhaps mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Which image of the set.
    pub image: usize,
    /// Rows that the crop lies below the image's place; above it if negative.
    pub down: i16,
    /// Columns that the crop lies to the right of the image's place.
    pub right: i16,
    /// Whether the crop is mirrored left to right.
    pub flip: bool,
}

impl View {
    /// The image as it is.
    pub(crate) const fn whole(image: usize) -> Self {
        Self { image, down: 0, right: 0, flip: false }
    }

    /// Writes the view of an image of [`IMAGE`] bytes into as many numbers, every byte through its plane's table. What
    /// lies outside of the image is the byte 0, black before normalisation.
    pub(crate) fn write<T: Copy>(self, image: &[u8], tables: &[[T; 256]; CHANNELS], out: &mut [T]) {
        debug_assert!(image.len() == IMAGE && out.len() == IMAGE);
        let (down, right) = (i64::from(self.down), i64::from(self.right));
        let inside = |at: i64| usize::try_from(at).ok().filter(|&at| at < SIDE);
        for (channel, table) in tables.iter().enumerate() {
            let plane = &image[channel * PLANE..][..PLANE];
            let out = &mut out[channel * PLANE..][..PLANE];
            if self == Self::whole(self.image) {
                out.iter_mut().zip(plane).for_each(|(value, &byte)| *value = table[usize::from(byte)]);
                continue;
            }
            for (y, row) in out.chunks_exact_mut(SIDE).enumerate() {
                let source = inside(y as i64 + down).map(|y| &plane[y * SIDE..][..SIDE]);
                for (x, value) in row.iter_mut().enumerate() {
                    let x = if self.flip { SIDE - 1 - x } else { x };
                    let byte = match (source, inside(x as i64 + right)) {
                        (Some(source), Some(x)) => source[x],
                        _ => 0,
                    };
                    *value = table[usize::from(byte)];
                }
            }
        }
    }
}

/// Some images of a set as a network sees them, with their labels.
#[derive(Debug)]
pub struct Views<'a> {
    set: &'a ImageSet,
    tables: &'a Tables,
    views: Vec<View>,
    labels: Vec<u16>,
}

impl<'a> Views<'a> {
    /// These views of the images of a set.
    pub(super) fn new(set: &'a ImageSet, tables: &'a Tables, views: Vec<View>) -> Self {
        let labels = views.iter().map(|view| set.labels()[view.image]).collect();
        Self { set, tables, views, labels }
    }

    /// The views, in the batch's order.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// The labels, one a view.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// The pixels, normalised, in the order (image, channel, row, column).
    pub fn pixels(&self) -> Vec<f32> {
        let mut pixels = Vec::new();
        self.shown().write(&mut pixels, |value| value);
        pixels
    }

    /// All of them, without the labels.
    pub(crate) fn shown(&self) -> Shown<'_> {
        Shown { set: self.set, tables: self.tables, views: &self.views }
    }
}

/// Views, lent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) set: &'a ImageSet,
    pub(crate) tables: &'a Tables,
    pub(crate) views: &'a [View],
}

impl Shown<'_> {
    /// Makes the pixels, in parallel, as another type of number.
    pub(crate) fn write<T: Copy + Default + Send + Sync>(self, pixels: &mut Vec<T>, convert: impl Fn(f32) -> T) {
        let tables = self.tables.map(|table| table.map(&convert));
        pixels.resize(self.views.len() * IMAGE, T::default());
        let images = pixels.par_chunks_exact_mut(IMAGE).zip(self.views);
        images.for_each(|(out, view)| view.write(self.set.image(view.image), &tables, out));
    }
}
