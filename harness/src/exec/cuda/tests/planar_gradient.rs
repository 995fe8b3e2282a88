use super::*;
use crate::exec::backend::Convolution;
use crate::exec::cuda::launch::PlanarGradient;
use crate::model::graph::{Shape, Window};

fn op(channels: usize, [height, width]: [usize; 2], outputs: usize, window: Window) -> Convolution {
    let extent = |length: usize| (length + 2 * window.padding - window.size) / window.stride + 1;
    let input = Shape { channels, height, width };
    let output = Shape { channels: outputs, height: extent(height), width: extent(width) };
    Convolution { input, output, window, weight: 0..outputs * channels * window.size * window.size, bias: None }
}

/// Shapes of ResNets, of VGG and of DenseNet; channels and outputs that are no whole tiles, in one slice and in several;
/// rows that are no whole packs of four, and pixels that are no whole steps; more strips than blocks; windows without
/// padding and wider ones.
fn cases() -> Vec<(usize, Convolution)> {
    vec![
        (2, op(3, [32, 32], 16, Window::same(3, 1))),
        (2, op(16, [32, 32], 16, Window::same(3, 1))),
        (1, op(64, [32, 32], 16, Window::same(1, 1))),
        (1, op(16, [32, 32], 64, Window::same(1, 1))),
        (1, op(32, [32, 32], 32, Window::same(3, 2))),
        (1, op(64, [32, 32], 128, Window::same(1, 2))),
        (3, op(64, [8, 8], 64, Window::same(3, 1))),
        (2, op(256, [8, 8], 64, Window::same(1, 1))),
        (1, op(128, [4, 4], 256, Window::same(3, 1))),
        (5, op(136, [2, 2], 40, Window::same(3, 1))),
        (2, op(48, [16, 16], 12, Window::same(3, 1))),
        (2, op(132, [16, 16], 48, Window::same(1, 1))),
        (300, op(5, [3, 6], 7, Window::same(3, 1))),
        (3, op(20, [7, 9], 33, Window::same(3, 2))),
        (2, op(16, [13, 11], 80, Window { size: 3, stride: 1, padding: 0 })),
        (2, op(16, [12, 20], 16, Window { size: 5, stride: 1, padding: 2 })),
        (2, op(8, [9, 12], 8, Window { size: 3, stride: 3, padding: 2 })),
        (1, op(1, [1, 1], 1, Window::same(1, 1))),
        (1, op(2, [2, 301], 3, Window::same(3, 1))),
    ]
}

/// The gradient on both sides, from numbers up to 1: the kernel's, which is added to what is there, and the reference's.
fn gradients((images, op): &(usize, Convolution), tf32: bool) -> [Vec<f32>; 2] {
    let [x, dy] = [("x", op.input), ("dy", op.output)].map(|(name, shape)| numbers(name, images * shape.len()));
    let form = PlanarGradient::of(*images, op.input, op.output, op.window).unwrap_or_else(|| panic!("{op:?} has it"));
    let before = numbers("gradient", op.weight.len());
    let (on_x, on_dy, gradient) = (single(&x), single(&dy), single(&before));
    let parts = single(&vec![f32::NAN; form.parts()]);
    let launches = form.launches(tf32, on_x.view(), on_dy.view(), parts.out(), gradient.out());
    run_all(&launches.expect("lengths fit"));
    drop((on_x.read(), on_dy.read(), parts.read()));
    let mut backend = reference(*images, &vec![0.0; op.weight.len()], &[&x, &dy]);
    backend.convolution_backward(op, Slot(0), Slot(1), None);
    let seen = gradient.read().iter().zip(before).map(|(seen, before)| seen - before).collect();
    [seen, super::gradient(&backend, op.weight.len())]
}

fn pixels((images, op): &(usize, Convolution)) -> f32 {
    (images * op.output.plane()) as f32
}

#[test]
fn gradients_agree_with_the_reference_in_single_precision() {
    for case in cases() {
        let [seen, right] = gradients(&case, false);
        assert_close(&seen, &right, 1e-6 * pixels(&case).sqrt());
    }
}

#[test]
fn in_tf32_they_agree_but_for_the_rounding_of_what_is_multiplied() {
    for case in cases() {
        let [seen, right] = gradients(&case, true);
        // A number moves by 2^-11 of its size at most, and a product of two by twice that; of many, few move alike.
        assert_close(&seen, &right, 2.0f32.powi(-10) * pixels(&case).sqrt());
        // The kernel does round: single precision would be a hundred times as close.
        let farthest = seen.iter().zip(&right).map(|(seen, right)| (seen - right).abs()).fold(0.0, f32::max);
        assert!(farthest > 2e-5 || pixels(&case) < 2.0, "{case:?}: {farthest}");
    }
}

#[test]
fn what_does_not_fit_a_gpu_has_no_kernel_and_wrong_lengths_are_refused() {
    let shape = Shape { channels: 16, height: 16, width: 16 };
    let of = |images, window| PlanarGradient::of(images, shape, shape, window);
    assert!(of(0, Window::same(3, 1)).is_none());
    assert!(of(1, Window { size: 7, stride: 1, padding: 3 }).is_none(), "more places of the window than tiles");
    let wide = Shape { channels: 16, height: 3, width: 4096 };
    assert!(PlanarGradient::of(1, wide, wide, Window::same(3, 1)).is_none(), "a row does not fit");
    let form = of(1, Window::same(1, 1)).expect("a kernel");
    let (x, gradient) = (single(&[0.0; 16 * 256]), single(&[0.0; 256]));
    let parts = single(&vec![0.0; form.parts()]);
    let launches = |x, dy, parts, gradient| form.launches(false, x, dy, parts, gradient).is_ok();
    assert!(launches(x.view(), x.view(), parts.out(), gradient.out()));
    let [short, less] = [x.view().part(1..16 * 256), gradient.view().part(1..256)].map(|part| part.expect("a part"));
    assert!(!launches(short, x.view(), parts.out(), gradient.out()));
    assert!(!launches(x.view(), short, parts.out(), gradient.out()));
    assert!(!launches(x.view(), x.view(), gradient.out(), gradient.out()));
    assert!(!launches(less, less, parts.out(), gradient.out()));
}
