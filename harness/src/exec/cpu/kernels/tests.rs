//! Every kernel, on every instruction set of this processor, against loops that say what it does.

use proptest::prelude::*;
use rand::RngExt;
use valleys_sim::Seed;

use super::*;

mod winograd;

/// So many cases; few under Miri, which takes a thousand times as long.
fn config(cases: u32) -> ProptestConfig {
    let cases = if cfg!(miri) { 2 } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Numbers in (−1, 1), fixed by name.
fn numbers<T: Numbers>(name: &str, count: usize) -> Vec<T> {
    let mut rng = Seed(23).stream(name, 0);
    (0..count).map(|_| T::from_f64(2.0 * rng.random::<f64>() - 1.0)).collect()
}

/// Asserts that numbers agree, up to rounding of sums of about a thousand terms.
fn same<T: Numbers>(what: &str, ours: &[T], right: &[f64]) {
    let allowed = if size_of::<T>() == 4 { 1e-5 } else { 1e-13 };
    assert_eq!(ours.len(), right.len(), "{what}");
    for (index, (ours, right)) in ours.iter().zip(right).enumerate() {
        let apart = (ours.to_f64() - right).abs();
        assert!(apart <= allowed * (10.0 + right.abs()), "{what}, {index}: {} {right}", ours.to_f64());
    }
}

fn doubles<T: Numbers>(numbers: &[T]) -> Vec<f64> {
    numbers.iter().map(|number| number.to_f64()).collect()
}

/// The extents of a convolution: an image of packed pixels, windows that fit it, results in a wider image.
#[derive(Debug, Clone)]
struct Extents {
    height: usize,
    width: usize,
    inputs: usize,
    outputs: usize,
    size: usize,
    stride: usize,
    beside: usize,
    images: usize,
}

impl Extents {
    fn windows(&self) -> Windows {
        Windows {
            rows: (self.height - self.size) / self.stride + 1,
            columns: (self.width - self.size) / self.stride + 1,
            row_step: self.stride * self.width * self.inputs,
            step: self.stride * self.inputs,
            taps: self.size,
            tap_step: self.width * self.inputs,
            span: self.size * self.inputs,
            images: self.images,
            image_step: self.height * self.width * self.inputs + 1,
        }
    }

    /// Calls `visit(pixel of all images, number of the window, place in the images)` for all numbers of all windows.
    fn visit(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Windows { rows, columns, .. } = self.windows();
        for (image, pixel) in (0..self.images).flat_map(|image| (0..rows * columns).map(move |pixel| (image, pixel))) {
            for number in 0..self.size * self.size * self.inputs {
                let (tap, input) = (number / self.inputs, number % self.inputs);
                let y = pixel / columns * self.stride + tap / self.size;
                let x = pixel % columns * self.stride + tap % self.size;
                let place = image * self.windows().image_step + (y * self.width + x) * self.inputs + input;
                visit(image * rows * columns + pixel, number, place);
            }
        }
    }

    fn check<T: Numbers>(&self, set: InstructionSet) {
        let windows = self.windows();
        let (pixels, depth, pitch) =
            (self.images * windows.rows * windows.columns, windows.depth(), self.outputs + self.beside);
        let image_step = windows.rows * windows.columns * pitch;
        let x = numbers::<T>("x", self.images * windows.image_step);
        let weight = numbers::<T>("weight", depth * self.outputs);
        let mut packed = Packed::new(set, depth, self.outputs);
        packed.fill(|index, output| weight[index * self.outputs + output]);
        let row_step = windows.columns * pitch + self.beside;
        let before = numbers::<T>("before", self.images * windows.rows * row_step);
        for add in [false, true] {
            let mut right = doubles(&before);
            for pixel in right.chunks_mut(row_step).flat_map(|row| row.chunks_mut(pitch).take(windows.columns)) {
                pixel[..self.outputs].iter_mut().for_each(|number| *number *= f64::from(u8::from(add)));
            }
            self.visit(|pixel, number, place| {
                let to = pixel / windows.columns * row_step + pixel % windows.columns * pitch;
                for output in 0..self.outputs {
                    right[to + output] += x[place].to_f64() * weight[number * self.outputs + output].to_f64();
                }
            });
            let mut ours = before.clone();
            let image_step = windows.rows * row_step;
            correlate(windows, &x, &packed, Results { numbers: &mut ours, pitch, row_step, image_step, add });
            same(&format!("correlate, {set:?}, {self:?}"), &ours, &right);
        }
        let dy = numbers::<T>("dy", pixels * pitch);
        let mut dw = weight.clone();
        let mut right = doubles(&weight);
        self.visit(|pixel, number, place| {
            for output in 0..self.outputs {
                right[number * self.outputs + output] += x[place].to_f64() * dy[pixel * pitch + output].to_f64();
            }
        });
        add_weight_gradient(
            set,
            windows,
            &x,
            Gradients { numbers: &dy, pitch, image_step, channels: self.outputs },
            &mut dw,
        );
        same(&format!("weight gradient, {set:?}, {self:?}"), &dw, &right);
    }
}

/// Channels around every vector's, or a few under Miri.
fn channels() -> BoxedStrategy<usize> {
    if cfg!(miri) {
        (1..=10usize).boxed()
    } else {
        prop_oneof![1..=20usize, 30..=34usize, 46..=50usize, 62..=66usize].boxed()
    }
}

fn extents() -> impl Strategy<Value = Extents> {
    // Widths around every tile's.
    let image = (1..=3usize, 1..=3usize, 0..=4usize, 0..=if cfg!(miri) { 9 } else { 40usize });
    (image, channels(), channels(), 0..=3usize, 1..=3usize).prop_map(
        |((size, stride, more_rows, more_columns), inputs, outputs, beside, images)| {
            let (height, width) = (size + more_rows, size + more_columns);
            Extents { height, width, inputs, outputs, size, stride, beside, images }
        },
    )
}

/// Pixels, channels, and numbers beside the channels.
fn pixels() -> impl Strategy<Value = (Extent, usize)> {
    (1..=150usize, channels(), 0..=3usize)
        .prop_map(|(pixels, channels, beside)| (Extent { pixels, channels }, channels + beside))
}

/// All kernels that go down the pixels.
fn check_rows<T: Numbers>(set: InstructionSet, extent: Extent, pitch: usize, relu: bool) {
    let Extent { pixels, channels } = extent;
    let what = format!("{set:?}, {extent:?}, {pitch}, {relu}");
    let [x, dy, before] = ["x", "dy", "before"].map(|name| numbers::<T>(name, pixels * pitch));
    let [scale, shift, mean] = ["scale", "shift", "mean"].map(|name| numbers::<T>(name, channels));
    let places = || (0..pixels * pitch).filter(|place| place % pitch < channels).map(|place| (place, place % pitch));
    let centred = |place: usize, channel: usize| x[place].to_f64() - mean[channel].to_f64();
    let z = |place, channel| centred(place, channel) * scale[channel].to_f64() + shift[channel].to_f64();
    let rows = |numbers| Rows { numbers, pitch };
    let f = Affine { mean: &mean, scale: &scale, shift: &shift, relu };

    let (mut ours, mut right) = (before.clone(), doubles(&before));
    places().for_each(|(place, channel)| {
        right[place] = if relu { z(place, channel).max(0.0) } else { z(place, channel) };
    });
    affine(set, extent, f, rows(&x), RowsMut { numbers: &mut ours, pitch });
    same(&format!("affine, {what}"), &ours, &right);

    let (mut ours, mut right) = (vec![0.5; 2 * channels], vec![0.5; 2 * channels]);
    places().for_each(|(place, channel)| {
        right[channel] += x[place].to_f64();
        right[channels + channel] += x[place].to_f64().powi(2);
    });
    add_moments(set, extent, rows(&x), &mut ours);
    let single = size_of::<T>() == 4;
    let close = |ours: &[f64], right: &[f64]| {
        ours.iter().zip(right).all(|(a, b)| (a - b).abs() < if single { 1e-4 } else { 1e-12 })
    };
    assert!(close(&ours, &right), "moments, {what}");

    for add_to in [None, Some(false), Some(true)] {
        let (mut ours, mut right) = (before.clone(), doubles(&before));
        let (mut sums, mut right_sums) = (vec![0.5; 2 * channels], vec![0.5; 2 * channels]);
        // A number within rounding of the kink may fall on either side of it.
        let is_clear = places().all(|(place, channel)| z(place, channel).abs() > 1e-6);
        places().for_each(|(place, channel)| {
            let dz = if !relu || z(place, channel) > 0.0 { dy[place].to_f64() } else { 0.0 };
            right_sums[channel] += dz;
            right_sums[channels + channel] += dz * centred(place, channel);
            if let Some(add) = add_to {
                right[place] = dz * scale[channel].to_f64() + if add { right[place] } else { 0.0 };
            }
        });
        let dx = add_to.map(|add| (RowsMut { numbers: &mut ours, pitch }, add));
        affine_backward(set, extent, f, [rows(&x), rows(&dy)], dx, &mut sums);
        if is_clear || !relu {
            same(&format!("affine backward, {add_to:?}, {what}"), &ours, &right);
            assert!(close(&sums, &right_sums), "sums of affine backward, {what}");
        }
    }

    let (mut ours, mut right) = (before.clone(), doubles(&before));
    places().for_each(|(place, channel)| {
        right[place] += scale[channel].to_f64() * centred(place, channel) + shift[channel].to_f64();
    });
    let trend = Trend { mean: &mean, slope: &scale, offset: &shift };
    add_trend(set, extent, trend, rows(&x), RowsMut { numbers: &mut ours, pitch });
    same(&format!("trend, {what}"), &ours, &right);

    let (mut sum, mut copied) = (before.clone(), before.clone());
    let (mut right_sum, mut right_copy) = (doubles(&before), doubles(&before));
    places().for_each(|(place, _)| {
        right_sum[place] += x[place].to_f64();
        right_copy[place] = x[place].to_f64();
    });
    add(set, extent, rows(&x), RowsMut { numbers: &mut sum, pitch });
    copy(extent, rows(&x), RowsMut { numbers: &mut copied, pitch });
    same(&format!("add, {what}"), &sum, &right_sum);
    same(&format!("copy, {what}"), &copied, &right_copy);
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn convolutions_are_sums_over_windows(extents in extents()) {
        for set in InstructionSet::available() {
            extents.check::<f32>(set);
            extents.check::<f64>(set);
        }
    }

    #[test]
    fn work_on_pixels_is_what_it_says((extent, pitch) in pixels(), relu in any::<bool>()) {
        for set in InstructionSet::available() {
            check_rows::<f32>(set, extent, pitch, relu);
            check_rows::<f64>(set, extent, pitch, relu);
        }
    }
}

/// A convolution's channel may lie anywhere: its deviation must not drown in the rounding of squares of its mean.
#[test]
fn moments_of_channels_far_from_zero_keep_their_digits() {
    // Means and deviations: far from zero, constant, and plain.
    const CHANNELS: [(f64, f64); 5] = [(300.0, 0.1), (-33.0, 0.01), (3.3, 0.0), (0.0, 1.0), (1e-3, 0.0)];
    let (images, pixels) = if cfg!(miri) { (2, 70) } else { (16, 200) };
    let channels = 4 * CHANNELS.len();
    let mut x = numbers::<f32>("far from zero", images * pixels * channels);
    for (index, x) in x.iter_mut().enumerate() {
        let (mean, deviation) = CHANNELS[index % CHANNELS.len()];
        // √3 times numbers spread evenly over (−1, 1) have deviation 1.
        *x = (mean + deviation * 3f64.sqrt() * f64::from(*x)) as f32;
    }
    let count = (images * pixels) as f64;
    for set in InstructionSet::available() {
        let mut sums = vec![0.0; 2 * channels];
        for image in x.chunks(pixels * channels) {
            add_moments(set, Extent { pixels, channels }, Rows { numbers: image, pitch: channels }, &mut sums);
        }
        for channel in 0..channels {
            let all = || x[channel..].iter().step_by(channels).map(|x| f64::from(*x));
            let mean = all().sum::<f64>() / count;
            let var = all().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let our_mean = sums[channel] / count;
            let our_var = (sums[channels + channel] / count - our_mean.powi(2)).max(0.0);
            let (ours, right) = ((our_var + 1e-5).sqrt(), (var + 1e-5).sqrt());
            let what = format!("{set:?}, channel {channel}");
            assert!((our_mean - mean).abs() <= 1e-6 * right, "mean, {what}: {our_mean} {mean}");
            assert!((ours - right).abs() <= 1e-5 * right, "deviation, {what}: {ours} {right}");
        }
    }
}

/// Nor may what is left of it when the mean is subtracted drown in the rounding of scale times mean.
#[test]
fn channels_far_from_zero_are_normalised_to_the_last_digits() {
    let (x, mean, scale, shift) = ([300.0, 300.125, 299.5], [300.0625; 3], [700.1; 3], [0.5; 3]);
    let f = Affine { mean: &mean, scale: &scale, shift: &shift, relu: false };
    for set in InstructionSet::available() {
        let mut y = [0.0_f32; 3];
        let extent = Extent { pixels: 1, channels: 3 };
        affine(set, extent, f, Rows { numbers: &x, pitch: 3 }, RowsMut { numbers: &mut y, pitch: 3 });
        for (x, y) in x.iter().zip(y) {
            let right = (f64::from(*x) - f64::from(mean[0])) * f64::from(scale[0]) + f64::from(shift[0]);
            assert!((f64::from(y) - right).abs() <= 1e-6 * right.abs(), "{set:?}: {y} {right}");
        }
    }
}

#[test]
fn relu_hides_no_nan() {
    for set in InstructionSet::available() {
        let x = [f32::NAN, -1.0, 2.0];
        let mut y = [0.0; 3];
        let extent = Extent { pixels: 1, channels: 3 };
        let f = Affine { mean: &[0.0; 3], scale: &[1.0; 3], shift: &[0.0; 3], relu: true };
        affine(set, extent, f, Rows { numbers: &x, pitch: 3 }, RowsMut { numbers: &mut y, pitch: 3 });
        assert!(y[0].is_nan() && y[1..] == [0.0, 2.0], "{set:?}: {y:?}");
    }
}

#[test]
#[should_panic(expected = "windows lie in the image")]
fn windows_beside_the_image_are_refused() {
    let windows = Windows { span: 3, ..Windows::pixels_of(2, 1) };
    let packed = Packed::<f32>::new(InstructionSet::PORTABLE, 3, 1);
    correlate(
        windows,
        &[0.0; 3],
        &packed,
        Results { numbers: &mut [0.0; 2], pitch: 1, row_step: 0, image_step: 0, add: false },
    );
}
