use super::kept::{Kept, keep, rounded, values};
use super::*;
use crate::exec::backend::{Pool, Target};
use crate::exec::cuda::launch::{average_pool, average_pool_backward, max_pool, max_pool_backward};
use crate::exec::cuda::number::Bf16;
use crate::model::graph::Shape;

fn cases() -> Vec<(usize, Pool)> {
    let shape = |channels, height, width| Shape { channels, height, width };
    vec![
        (1, Pool { input: shape(1, 2, 2), size: 2 }),
        (3, Pool { input: shape(5, 8, 8), size: 2 }),
        (2, Pool { input: shape(64, 8, 8), size: 8 }),
        // What is left over on the right and below belongs to no window.
        (2, Pool { input: shape(3, 7, 5), size: 2 }),
        (2, Pool { input: shape(2, 4, 11), size: 3 }),
    ]
}

/// Images, and windows of them; the images have equal numbers, and one that is none.
fn images(images: usize, op: &Pool) -> [Vec<f32>; 4] {
    let windows = op.input.channels * (op.input.height / op.size) * (op.input.width / op.size);
    let mut x = numbers("x", images * op.input.len());
    x.iter_mut().for_each(|x| *x = (*x * 4.0).round() / 4.0);
    let (y, dy) = (numbers("y", images * windows), numbers("dy", images * windows));
    [x, y, dy, numbers("dx", images * op.input.len())]
}

#[test]
fn means_and_maxima_are_the_reference_s_to_the_bit() {
    means_and_maxima::<f32>();
    means_and_maxima::<Bf16>();
}

fn means_and_maxima<E: Kept>() {
    for (count, op) in cases() {
        let (pixels, size) = (op.input, op.size);
        let windows = Shape { height: pixels.height / size, width: pixels.width / size, ..pixels };
        for nan in [false, true] {
            let [mut x, y, dy, dx] = images(count, &op).map(|numbers| rounded::<E>(&numbers));
            if nan {
                x[op.input.width] = f32::NAN;
                x[0] = f32::NAN;
            }
            let [own_x, own_dx] = [&x, &dx].map(|numbers| keep::<E>(pixels, numbers));
            let [own_y, own_dy] = [&y, &dy].map(|numbers| keep::<E>(windows, numbers));
            let mut backend = reference(count, &[], &[&x, &y, &dy, &dx]);
            backend.average_pool(&op, Slot(0), Slot(1));
            run(&average_pool(&op, count, own_x.view(), own_y.out()).expect("a pool"));
            assert_same(&values(windows, &own_y), &rounded::<E>(&backend.read(Slot(1))));
            backend.max_pool(&op, Slot(0), Slot(1));
            run(&max_pool(&op, count, own_x.view(), own_y.out()).expect("a pool"));
            assert_same(&values(windows, &own_y), &backend.read(Slot(1)));
            let is_right = |backend: &mut Reference<f32>| {
                let right = rounded::<E>(&backend.read(Slot(3)));
                assert_same(&values(pixels, &own_dx), &right);
                backend.write(Slot(3), &right);
            };
            for accumulate in [true, false] {
                let target = Target { slot: Slot(3), accumulate };
                backend.average_pool_backward(&op, Slot(2), target);
                run(&average_pool_backward(&op, count, own_dy.view(), own_dx.out(), accumulate).expect("a pool"));
                is_right(&mut backend);
                backend.max_pool_backward(&op, Slot(0), Slot(2), target);
                let launch = max_pool_backward(&op, count, own_x.view(), own_dy.view(), own_dx.out(), accumulate);
                run(&launch.expect("a pool"));
                is_right(&mut backend);
            }
        }
    }
}

#[test]
fn windows_larger_than_the_image_are_refused() {
    let input = Shape { channels: 1, height: 2, width: 2 };
    let (x, y) = (single(&[0.0; 4]), single(&[0.0; 1]));
    assert!(max_pool(&Pool { input, size: 2 }, 1, x.view(), y.out()).is_ok());
    for size in [0, 3] {
        assert!(max_pool(&Pool { input, size }, 1, x.view(), y.out()).is_err());
    }
}
