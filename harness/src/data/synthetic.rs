//! The embedded images: drawn, not stored.
//!
//! A class is a *shape* carrying a *texture*; label = 2·shape + texture.
//!
//! | label | shape | texture | | label | shape | texture |
//! |---|---|---|---|---|---|---|
//! | 0, 1 | disc | striped, checked | | 6, 7 | cross | striped, checked |
//! | 2, 3 | square | striped, checked | | 8, 9 | ring | striped, checked |
//! | 4, 5 | triangle | striped, checked | | | | |
//!
//! What does not tell the class varies from image to image: the object's position, size and rotation; the texture's
//! angle, period and phase; the object's two colours, at a least contrast with each other; the background, a gradient
//! between two muted colours; small blobs and bars, some of them over the object; and noise on every byte. Every class is its own mirror image, so flipping augments. Labels are balanced: image i has label
//! i mod 10.
//!
//! A small network fits some 1,500 of them well before it has learned the classes, so that training and test loss part
//! (numbers: [`Preset::quick`](crate::preset::Preset::quick)).
//!
//! Image i of the training set comes from the stream `"synthetic train"`, number i, and of the test set from
//! `"synthetic test"`: a larger set begins with the smaller one. All arithmetic is + − × ÷ and √, so the bytes are the
//! same on every platform.

use rand::{Rng, RngExt};
use rayon::prelude::*;
use valleys_sim::Seed;
use valleys_sim::seed::Stream;

use super::{Augmentation, CHANNELS, Dataset, IMAGE, ImageSet, Normalisation, PLANE, SIDE};
use crate::{Error, Result};

const SHAPES: [&str; 5] = ["disc", "square", "triangle", "cross", "ring"];
const TEXTURES: [&str; 2] = ["striped", "checked"];
const CLASSES: usize = SHAPES.len() * TEXTURES.len();

/// Blobs and bars in an image.
const CLUTTER: usize = 2;
/// Standard deviation of the noise, of bytes in [0, 1].
const NOISE: f64 = 0.05;

/// The name of the data set.
pub const NAME: &str = "synthetic";

/// The most images of a set that are drawn: 3 GB.
const MOST: usize = 1_000_000;

/// Draws `train` training and `test` test images, at least one and at most a million each.
///
/// # Errors
/// [`Error::Domain`] naming the number that is not.
pub fn draw(train: usize, test: usize, seed: Seed) -> Result<Dataset> {
    Dataset::new(
        NAME,
        "synthetic images",
        set(train, seed, "synthetic train")?,
        set(test, seed, "synthetic test")?,
        Normalisation::HALF,
        Augmentation::CROP_AND_FLIP,
    )
}

fn set(count: usize, seed: Seed, purpose: &str) -> Result<ImageSet> {
    if count > MOST {
        return Err(Error::domain("number of images", count, format!("1 to {MOST}, of images that are drawn")));
    }
    let mut pixels = vec![0; count * IMAGE];
    pixels.par_chunks_exact_mut(IMAGE).enumerate().for_each(|(i, out)| {
        let mut rng = seed.stream(purpose, i as u64);
        Scene::random(i % CLASSES, &mut rng).paint(&mut rng, out);
    });
    let labels = (0..count).map(|i| (i % CLASSES) as u16).collect();
    let classes = SHAPES.iter().flat_map(|shape| TEXTURES.iter().map(move |texture| format!("{texture} {shape}")));
    ImageSet::new(pixels, labels, classes.collect())
}

/// A colour, each plane in [0, 1].
type Colour = [f64; CHANNELS];

/// Everything about an image but its noise.
struct Scene {
    background: [Colour; 2],
    /// The gradient's direction, per pixel from the image's centre.
    gradient: (f64, f64),
    object: Object,
    colours: [Colour; 2],
    clutter: [Clutter; CLUTTER],
}

/// A shape in its place, with its texture.
struct Object {
    shape: usize,
    checked: bool,
    frame: Frame,
    weave: Frame,
}

/// A small blob or bar.
struct Clutter {
    frame: Frame,
    /// Length over width; 1 for a blob.
    aspect: f64,
    colour: Colour,
    in_front: bool,
}

/// A moved, rotated and scaled pair of axes.
struct Frame {
    centre: (f64, f64),
    cos: f64,
    sin: f64,
    /// Pixels a unit.
    scale: f64,
}

impl Frame {
    fn random(centre: (f64, f64), scale: f64, rng: &mut Stream) -> Self {
        let (cos, sin) = heading(rng);
        Self { centre, cos, sin, scale }
    }

    /// A pixel's coordinates in this frame.
    fn of(&self, x: f64, y: f64) -> (f64, f64) {
        let (x, y) = (x - self.centre.0, y - self.centre.1);
        ((self.cos * x + self.sin * y) / self.scale, (self.cos * y - self.sin * x) / self.scale)
    }
}

impl Scene {
    fn random(label: usize, rng: &mut Stream) -> Self {
        let background = [colour(0.3, 0.7, rng), colour(0.3, 0.7, rng)];
        let (cos, sin) = heading(rng);
        let gradient = (cos / SIDE as f64, sin / SIDE as f64);
        let object = Object::random(label, rng);
        let colours = contrasting(rng);
        let clutter = std::array::from_fn(|_| Clutter::random(rng));
        Self { background, gradient, object, colours, clutter }
    }

    fn paint(&self, rng: &mut Stream, out: &mut [u8]) {
        let middle = (SIDE as f64 - 1.0) / 2.0;
        let mut noise = [0; 4 * CHANNELS];
        for at in 0..PLANE {
            let (x, y) = ((at % SIDE) as f64, (at / SIDE) as f64);
            let along = 0.5 + (x - middle) * self.gradient.0 + (y - middle) * self.gradient.1;
            let mut pixel = mix(self.background[0], self.background[1], along);
            for blob in self.clutter.iter().filter(|blob| !blob.in_front) {
                pixel = mix(pixel, blob.colour, blob.coverage(x, y));
            }
            let (coverage, weave) = self.object.at(x, y);
            pixel = mix(pixel, mix(self.colours[0], self.colours[1], weave), coverage);
            for blob in self.clutter.iter().filter(|blob| blob.in_front) {
                pixel = mix(pixel, blob.colour, blob.coverage(x, y));
            }
            rng.fill_bytes(&mut noise);
            for (channel, (value, bytes)) in pixel.iter().zip(noise.chunks_exact(4)).enumerate() {
                // The sum of four uniform bytes has mean 510 and variance 4·65535/12: near enough to normal.
                let sum: u16 = bytes.iter().map(|&byte| u16::from(byte)).sum();
                let noise = (f64::from(sum) - 510.0) / (65_535.0_f64 / 3.0).sqrt();
                out[channel * PLANE + at] = ((value + NOISE * noise) * 255.0).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

impl Object {
    fn random(label: usize, rng: &mut Stream) -> Self {
        let middle = (SIDE as f64 - 1.0) / 2.0;
        let radius = between(9.0, 13.0, rng);
        let room = middle - radius + 2.0;
        let centre = (middle + between(-room, room, rng), middle + between(-room, room, rng));
        let frame = Frame::random(centre, radius, rng);
        // The weave's own centre makes its phase.
        let phase = (between(0.0, SIDE as f64, rng), between(0.0, SIDE as f64, rng));
        let period = between(5.0, 8.0, rng);
        let weave = Frame::random(phase, period, rng);
        Self { shape: label / TEXTURES.len(), checked: label % TEXTURES.len() == 1, frame, weave }
    }

    /// How much of a pixel the object covers, and where its texture stands there between the two colours.
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (u, v) = self.frame.of(x, y);
        let radius = (u * u + v * v).sqrt();
        let (a, b) = (u.abs(), v.abs());
        // Signed distance to the outline, in units of the frame, negative inside.
        let distance = match self.shape {
            0 => radius - 0.95,
            1 => a.max(b) - 0.85,
            2 => (0.5 * v + 0.75_f64.sqrt() * a).max(-v) - 0.6,
            3 => (a - 1.0).max(b - 0.36).min((b - 1.0).max(a - 0.36)),
            _ => (radius - 0.78).abs() - 0.26,
        };
        let (s, t) = self.weave.of(x, y);
        let weave = if self.checked { wave(s) * wave(t) } else { wave(s) };
        (covered(distance * self.frame.scale), 0.5 + 0.5 * weave)
    }
}

impl Clutter {
    fn random(rng: &mut Stream) -> Self {
        let centre = (between(0.0, SIDE as f64, rng), between(0.0, SIDE as f64, rng));
        let frame = Frame::random(centre, between(1.0, 2.2, rng), rng);
        Self { frame, aspect: between(1.0, 4.0, rng), colour: colour(0.1, 0.9, rng), in_front: rng.random() }
    }

    fn coverage(&self, x: f64, y: f64) -> f64 {
        let (u, v) = self.frame.of(x, y);
        covered((u.abs() - self.aspect).max(v.abs() - 1.0) * self.frame.scale)
    }
}

fn between(low: f64, high: f64, rng: &mut Stream) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// A uniformly random unit vector: a point of the disc, carried to its rim.
fn heading(rng: &mut Stream) -> (f64, f64) {
    loop {
        let (x, y) = (between(-1.0, 1.0, rng), between(-1.0, 1.0, rng));
        let squared = x * x + y * y;
        if (1e-4..1.0).contains(&squared) {
            return (x / squared.sqrt(), y / squared.sqrt());
        }
    }
}

fn colour(low: f64, high: f64, rng: &mut Stream) -> Colour {
    std::array::from_fn(|_| between(low, high, rng))
}

/// Two random colours at least 0.6 apart (Euclidean distance).
fn contrasting(rng: &mut Stream) -> [Colour; 2] {
    loop {
        let pair = [colour(0.0, 1.0, rng), colour(0.0, 1.0, rng)];
        let squared: f64 = (0..CHANNELS).map(|i| (pair[0][i] - pair[1][i]) * (pair[0][i] - pair[1][i])).sum();
        if squared >= 0.36 {
            return pair;
        }
    }
}

fn mix(from: Colour, to: Colour, share: f64) -> Colour {
    std::array::from_fn(|i| from[i] + (to[i] - from[i]) * share)
}

/// Anti-aliased coverage of a pixel at this signed distance, in pixels, from an outline.
fn covered(distance: f64) -> f64 {
    (0.5 - distance).clamp(0.0, 1.0)
}

/// A trapezoidal wave of period 1 and height ±1.
fn wave(x: f64) -> f64 {
    let triangle = 4.0 * (x - (x + 0.5).floor()).abs() - 1.0;
    (2.0 * triangle).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_balanced_and_named() {
        let data = draw(25, 10, Seed(1)).expect("valid");
        assert_eq!(data.train().labels()[23], 3);
        assert_eq!(data.train().classes()[3], "checked square");
        assert_eq!(data.test().labels(), (0..10).collect::<Vec<u16>>());
        assert!(draw(0, 10, Seed(1)).is_err());
    }

    #[test]
    fn a_larger_set_begins_with_the_smaller_and_sets_differ_by_seed_and_split() {
        let (small, large, other) = (
            draw(7, 7, Seed(1)).expect("valid"),
            draw(20, 7, Seed(1)).expect("valid"),
            draw(7, 7, Seed(2)).expect("valid"),
        );
        assert!((0..7).all(|i| small.train().image(i) == large.train().image(i)));
        assert!((0..7).all(|i| small.train().image(i) != other.train().image(i)));
        assert!((0..7).all(|i| small.train().image(i) != small.test().image(i)));
    }

    #[test]
    fn every_image_uses_the_range_and_shows_its_object() {
        let data = draw(200, 1, Seed(4)).expect("valid");
        let mean = |set: &ImageSet, i: usize| {
            set.image(i).iter().map(|&byte| f64::from(byte)).sum::<f64>() / IMAGE as f64 / 255.0
        };
        for i in 0..200 {
            assert!((0.1..0.9).contains(&mean(data.train(), i)), "image {i}: {}", mean(data.train(), i));
        }
        for label in 0..CLASSES {
            let object = Object::random(label, &mut Seed(9).stream("object", label as u64));
            let area: f64 = (0..PLANE).map(|at| object.at((at % SIDE) as f64, (at / SIDE) as f64).0).sum();
            assert!((40.0..500.0).contains(&area), "label {label}: {area} pixels");
        }
    }

    #[test]
    fn the_bytes_never_change() {
        let data = draw(100, 50, Seed(0)).expect("valid");
        assert_eq!(data.checksum(), "654130133916582654c13d4857b96e720afc4c2e0f5c3ba48c61ed95875013bb");
    }
}
