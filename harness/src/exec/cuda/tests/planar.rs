//! The kernels on tensor cores for planar maps in single precision: convolutions, there and back.

use super::*;
use crate::exec::backend::{Convolution, Target};
use crate::exec::cuda::launch::{PlanarConvolution, PlanarGradient};
use crate::model::graph::{Shape, Window};

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

/// What the way there makes on both sides, and the way back to x where there is a kernel for it, each in the place of other
/// numbers and added to them.
fn products((images, op): &(usize, Convolution), tf32: bool) -> Vec<[Vec<f32>; 2]> {
    let [x, dy] = [("x", op.input), ("dy", op.output)].map(|(name, shape)| numbers(name, images * shape.len()));
    let weight = numbers("weight", op.weight.len());
    let there = PlanarConvolution::there(*images, op.input, op.output, op.window);
    let back = PlanarConvolution::back(*images, op.input, op.output, op.window);
    // Windows of more numbers leave no room for a tile of outputs.
    let fits = |channels: usize| channels * op.window.size * op.window.size < 1200;
    assert_eq!(there.is_some(), fits(op.input.channels), "{op:?}");
    assert_eq!(back.is_some(), op.window.stride == 1 && fits(op.output.channels), "{op:?}");
    let mut all = Vec::new();
    for (form, is_back) in [(there, false), (back, true)] {
        let Some(form) = form else { continue };
        let [read, before] = if is_back { [&dy, &x] } else { [&x, &dy] };
        for accumulate in [false, true] {
            let (on_read, on_weight, written) = (single(read), single(&weight), single(before));
            let launch = form.launch(tf32, on_read.view(), on_weight.view(), (written.out(), accumulate));
            run(&launch.expect("lengths fit"));
            drop((on_read.read(), on_weight.read()));
            let mut backend = reference(*images, &weight, &[&x, &dy, &x, &dy]);
            let right = if is_back {
                let target = Target { slot: Slot(2), accumulate };
                backend.convolution_backward(op, Slot(0), Slot(1), Some(target));
                backend.read(Slot(2))
            } else {
                backend.convolution(op, Slot(0), Slot(3));
                let before = dy.iter().map(|before| if accumulate { *before } else { 0.0 });
                backend.read(Slot(3)).iter().zip(before).map(|(y, before)| y + before).collect()
            };
            all.push([written.read(), right]);
        }
    }
    all
}

/// Products that a number of any result is the sum of, at most.
fn summed((_, op): &(usize, Convolution)) -> f32 {
    (op.input.channels.max(op.output.channels) * op.window.size * op.window.size) as f32
}

#[test]
fn convolutions_agree_with_the_reference_in_single_precision() {
    for case in cases() {
        for [seen, right] in products(&case, false) {
            assert_close(&seen, &right, 1e-6 * summed(&case).sqrt());
        }
    }
}

#[test]
fn in_tf32_convolutions_agree_but_for_the_rounding_of_what_is_multiplied() {
    for case in cases() {
        for [seen, right] in products(&case, true) {
            assert_close(&seen, &right, 2.0f32.powi(-10) * summed(&case).sqrt());
            let farthest = seen.iter().zip(&right).map(|(seen, right)| (seen - right).abs()).fold(0.0, f32::max);
            assert!(farthest > 4e-5 || pixels(&case) < 2.0, "{case:?}: {farthest}");
        }
    }
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

    let there = PlanarConvolution::there(1, shape, shape, Window::same(1, 1)).expect("a kernel");
    let y = single(&[0.0; 16 * 256]);
    let launches = |x, weight, y| there.launch(false, x, weight, (y, false)).is_ok();
    assert!(launches(x.view(), gradient.view(), y.out()));
    assert!(!launches(short, gradient.view(), y.out()));
    assert!(!launches(x.view(), less, y.out()));
    assert!(!launches(x.view(), gradient.view(), gradient.out()));
    assert!(!launches(x.view(), gradient.view(), x.out()), "in its own place");
    assert!(PlanarConvolution::there(1, wide, wide, Window::same(3, 1)).is_none());
    assert!(PlanarConvolution::back(1, shape, shape, Window::same(1, 2)).is_none());
}
