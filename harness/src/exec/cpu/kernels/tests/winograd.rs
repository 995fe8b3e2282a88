//! Winograd's transforms around sixteen products, against convolutions by their definition.

use proptest::prelude::*;

use super::super::*;
use super::{channels, doubles, numbers, same};

/// A map and its channels, and numbers beside the channels of every pixel.
#[derive(Debug, Clone)]
struct Case {
    height: usize,
    width: usize,
    inputs: usize,
    outputs: usize,
    beside: usize,
    add: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    (1..=7usize, 1..=9usize, channels(), channels(), 0..=3usize, any::<bool>())
        .prop_map(|(height, width, inputs, outputs, beside, add)| Case { height, width, inputs, outputs, beside, add })
}

impl Case {
    fn rows(&self) -> usize {
        self.height.div_ceil(2)
    }

    fn columns(&self) -> usize {
        self.width.div_ceil(2)
    }

    fn tiles(&self, channels: usize) -> Tiles {
        let (rows, columns) = (self.rows(), self.columns());
        Tiles { rows, columns, channels, position_step: rows * columns * channels }
    }

    /// Calls `visit(pixel of y, tap, pixel of x)` for all pixels of a convolution with one pixel of padding.
    fn visit(&self, mut visit: impl FnMut(usize, usize, usize)) {
        for (row, column) in (0..self.height).flat_map(|row| (0..self.width).map(move |column| (row, column))) {
            for tap in 0..9 {
                let (y, x) = ((row + tap / 3).checked_sub(1), (column + tap % 3).checked_sub(1));
                if let (Some(y), Some(x)) = (y, x)
                    && y < self.height
                    && x < self.width
                {
                    visit(row * self.width + column, tap, y * self.width + x);
                }
            }
        }
    }

    /// The packed image with zeros around, as far as tiles reach.
    fn padded<T: Numbers>(&self, x: &[T]) -> Vec<T> {
        let (height, width) = (2 * self.rows() + 2, 2 * self.columns() + 2);
        let mut padded = vec![T::zero(); height * width * self.inputs];
        for (pixel, numbers) in x.chunks(self.inputs).enumerate() {
            let at = (pixel / self.width + 1) * width + pixel % self.width + 1;
            padded[at * self.inputs..][..self.inputs].copy_from_slice(numbers);
        }
        padded
    }

    fn check<T: Numbers>(&self, set: InstructionSet) {
        let Self { height, width, inputs, outputs, beside, add } = *self;
        let (count, pixels, pitch) = (self.rows() * self.columns(), height * width, outputs + beside);
        let (x, weight) = (numbers::<T>("x", pixels * inputs), numbers::<T>("weight", outputs * inputs * 9));
        let mut v = vec![T::zero(); POSITIONS * count * inputs];
        transform_pixels(set, self.tiles(inputs), &self.padded(&x), &mut v);

        for turned in [false, true] {
            let order = KernelOrder { output_step: inputs * 9, input_step: 9, turned };
            let mut packed = std::array::from_fn(|_| Packed::<T>::new(set, inputs, outputs));
            transform_kernels(&weight, order, &mut packed);
            let mut m = vec![T::zero(); POSITIONS * count * outputs];
            let results = Results { numbers: &mut m, pitch: outputs, row_step: 0, image_step: 0, add: false };
            correlate_all(Windows::pixels_of(count, inputs), [count * inputs, count * outputs], &v, &packed, results);
            let mut ours = numbers::<T>("before", pixels * pitch);
            let mut right = doubles(&ours);
            for pixel in right.chunks_mut(pitch).filter(|_| !add) {
                pixel[..outputs].fill(0.0);
            }
            self.visit(|pixel, tap, from| {
                let tap = if turned { 8 - tap } else { tap };
                for (input, output) in (0..inputs).flat_map(|input| (0..outputs).map(move |output| (input, output))) {
                    right[pixel * pitch + output] +=
                        x[from * inputs + input].to_f64() * weight[(output * inputs + input) * 9 + tap].to_f64();
                }
            });
            let y = RowsMut { numbers: &mut ours, pitch };
            transform_sums(set, self.tiles(outputs), &m, Cut { height, width }, y, add);
            same(&format!("convolution, turned {turned}, {set:?}, {self:?}"), &ours, &right);
        }

        let dy = numbers::<T>("dy", pixels * pitch);
        let mut z = vec![T::zero(); POSITIONS * count * outputs];
        let rows = Rows { numbers: &dy, pitch };
        transform_gradients(set, self.tiles(outputs), Cut { height, width }, rows, &mut z);
        let mut sums = vec![T::zero(); POSITIONS * inputs * outputs];
        for (position, sums) in sums.chunks_mut(inputs * outputs).enumerate() {
            let numbers = &z[position * count * outputs..];
            let gradients = Gradients { numbers, pitch: outputs, image_step: 0, channels: outputs };
            let v = &v[position * count * inputs..];
            add_weight_gradient(set, Windows::pixels_of(count, inputs), v, gradients, sums);
        }
        let (mut ours, mut right) = (weight.clone(), doubles(&weight));
        self.visit(|pixel, tap, from| {
            for (input, output) in (0..inputs).flat_map(|input| (0..outputs).map(move |output| (input, output))) {
                right[(output * inputs + input) * 9 + tap] +=
                    x[from * inputs + input].to_f64() * dy[pixel * pitch + output].to_f64();
            }
        });
        // In two parts, as threads share the work.
        let first = outputs / 2;
        let (begin, end) = ours.split_at_mut(first * inputs * 9);
        add_kernel_gradients(set, &sums, [inputs, outputs], 0, begin);
        add_kernel_gradients(set, &sums, [inputs, outputs], first, end);
        same(&format!("kernel gradient, {set:?}, {self:?}"), &ours, &right);
    }
}

proptest! {
    #![proptest_config(super::config(40))]

    #[test]
    fn tiles_convolve(case in cases()) {
        for set in InstructionSet::available() {
            case.check::<f32>(set);
            case.check::<f64>(set);
        }
    }
}

#[test]
#[should_panic(expected = "tiles cover the pixels")]
fn pixels_that_no_tile_covers_are_refused() {
    let tiles = Tiles { rows: 1, columns: 1, channels: 1, position_step: 1 };
    let y = RowsMut { numbers: &mut [0.0; 6], pitch: 1 };
    transform_sums(InstructionSet::PORTABLE, tiles, &[0.0; 16], Cut { height: 2, width: 3 }, y, false);
}
