use super::kept::{Kept, ONE, keep, rounded, values};
use super::*;
use crate::exec::backend::{Part, Target};
use crate::exec::cuda::launch::{activation, activation_backward, add, extract, insert, multiply};
use crate::exec::cuda::number::Bf16;
use crate::model::graph::Shape;

/// One block, several, and one that is not full.
const LENGTHS: [usize; 3] = [5, 512, 1000];

#[test]
fn sums_and_products_are_the_reference_s_to_the_bit() {
    sums_and_products::<f32>();
    sums_and_products::<Bf16>();
}

fn sums_and_products<E: Kept>() {
    for shape in LENGTHS.map(Shape::vector).into_iter().chain([Shape { channels: 3, height: 4, width: 25 }]) {
        let n = 2 * shape.len();
        let [x, y] = ["x", "y"].map(|name| rounded::<E>(&numbers(name, n)));
        let factors = numbers("factors", n);
        let (on_host, own_factors) = ([&x, &y].map(|numbers| keep::<E>(shape, numbers)), single(&factors));
        let mut backend = reference(2, &[], &[&x, &y, &factors]);
        let is_right = |backend: &mut Reference<f32>| {
            let right = rounded::<E>(&backend.read(Slot(1)));
            assert_same(&values(shape, &on_host[1]), &right);
            backend.write(Slot(1), &right);
        };
        backend.add(Slot(0), Slot(1));
        run(&add(on_host[0].view(), on_host[1].out()).expect("equal lengths"));
        is_right(&mut backend);
        for accumulate in [false, true] {
            backend.multiply(Slot(0), Slot(2), Target { slot: Slot(1), accumulate });
            let launch = multiply(shape, on_host[0].view(), own_factors.view(), on_host[1].out(), accumulate);
            run(&launch.expect("equal lengths"));
            is_right(&mut backend);
        }
    }
}

#[test]
fn functions_are_the_reference_s_to_the_bit_and_keep_nan() {
    functions::<f32>();
    functions::<Bf16>();
}

fn functions<E: Kept>() {
    for (f, n) in FUNCTIONS.into_iter().flatten().flat_map(|f| LENGTHS.map(|n| (f, n))) {
        let mut x: Vec<f32> = numbers("x", n).iter().map(|x| 20.0 * x).collect();
        (x[0], x[1], x[2]) = (0.0, -200.0, 200.0);
        let x = rounded::<E>(&x);
        let [y, dy, dx] = ["y", "dy", "dx"].map(|name| rounded::<E>(&numbers(name, n)));
        let on_host = [&x, &y, &dy, &dx].map(|numbers| keep::<E>(ONE, numbers));
        let mut backend = reference(1, &[], &[&x, &y, &dy, &dx]);
        let is_right = |backend: &mut Reference<f32>, slot: usize| {
            let right = rounded::<E>(&backend.read(Slot(slot)));
            assert_same(&values(ONE, &on_host[slot]), &right);
            backend.write(Slot(slot), &right);
        };
        backend.activation(f, Slot(0), Slot(1));
        run(&activation(f, on_host[0].view(), on_host[1].out()).expect("equal lengths"));
        is_right(&mut backend, 1);
        for accumulate in [false, true] {
            backend.activation_backward(f, Slot(1), Slot(2), Target { slot: Slot(3), accumulate });
            let [_, y, dy, dx] = &on_host;
            let launch = activation_backward(f, y.view(), dy.view(), dx.out(), accumulate);
            run(&launch.expect("equal lengths"));
            is_right(&mut backend, 3);
        }
        let (nan, y) = (keep::<E>(ONE, &[f32::NAN]), keep::<E>(ONE, &[0.0]));
        run(&activation(f, nan.view(), y.out()).expect("equal lengths"));
        assert!(values(ONE, &y)[0].is_nan());
    }
}

#[test]
fn parts_go_in_and_come_out_where_the_reference_has_them() {
    parts::<f32>();
    parts::<Bf16>();
}

fn parts<E: Kept>() {
    for (images, [before, channels, all], plane) in
        [(1, [0, 4, 4], 1), (3, [2, 5, 9], 1), (7, [100, 300, 400], 1), (2, [3, 4, 9], 6), (5, [0, 7, 8], 49)]
    {
        let op = Part { offset: before * plane, length: channels * plane, total: all * plane, plane };
        let shape = |channels| Shape { channels, height: 1, width: plane };
        let part = rounded::<E>(&numbers("part", images * op.length));
        let whole = rounded::<E>(&numbers("whole", images * op.total));
        let (own_part, own_whole) = (keep::<E>(shape(channels), &part), keep::<E>(shape(all), &whole));
        let mut backend = reference(images, &[], &[&part, &whole]);
        for accumulate in [true, false] {
            backend.extract(&op, Slot(1), Target { slot: Slot(0), accumulate });
            run(&extract(&op, images, own_whole.view(), own_part.out(), accumulate).expect("lengths fit"));
            let right = rounded::<E>(&backend.read(Slot(0)));
            assert_same(&values(shape(channels), &own_part), &right);
            backend.write(Slot(0), &right);
        }
        let other = rounded::<E>(&numbers("another part", images * op.length));
        backend.write(Slot(0), &other);
        backend.insert(&op, Slot(0), Slot(1));
        let other = keep::<E>(shape(channels), &other);
        run(&insert(&op, images, other.view(), own_whole.out()).expect("lengths fit"));
        assert_same(&values(shape(all), &own_whole), &backend.read(Slot(1)));
    }
}

#[test]
fn lengths_and_places_that_do_not_fit_are_refused() {
    let (five, six) = (single(&[0.0; 5]), single(&[0.0; 6]));
    assert!(add(five.view(), six.out()).is_err());
    assert!(multiply(ONE, five.view(), six.view(), five.out(), false).is_err());
    assert!(activation(Activation::Relu, five.view(), six.out()).is_err());
    let part = Part { offset: 1, length: 5, total: 6, plane: 1 };
    assert!(insert(&part, 1, five.view(), six.out()).is_ok());
    assert!(insert(&part, 2, five.view(), six.out()).is_err());
    assert!(insert(&Part { offset: 2, ..part }, 1, five.view(), six.out()).is_err());
    assert!(insert(&Part { plane: 5, ..part }, 1, five.view(), six.out()).is_err(), "part of a plane");
    let other = single(&[0.0; 5]);
    assert!(multiply(Shape::vector(2), five.view(), other.view(), five.out(), false).is_err(), "two and a half images");
    assert!(multiply(ONE, five.view(), five.view(), five.out(), false).is_err(), "the factors stay");
    let within = six.view().part(0..5).expect("a part");
    assert!(insert(&part, 1, within, six.out()).is_err(), "x lies in y");
    assert!(six.view().part(2..7).is_err());
    let message = add(five.view(), six.out()).expect_err("lengths differ").to_string();
    assert_eq!(message, "length of y on the GPU is 6; allowed: 5");
    let nothing = single(&[]);
    assert!(add(nothing.view(), nothing.out()).is_err(), "a grid of nothing");
}
