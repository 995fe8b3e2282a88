use super::*;
use crate::exec::backend::{Part, Target};
use crate::exec::cuda::launch::{activation, activation_backward, add, extract, insert, multiply};

/// One block, several, and one that is not full.
const LENGTHS: [usize; 3] = [5, 512, 1000];

#[test]
fn sums_and_products_are_the_reference_s_to_the_bit() {
    for n in LENGTHS {
        let [x, y, factors] = ["x", "y", "factors"].map(|name| numbers(name, n));
        let on_host = [&x, &y, &factors].map(|numbers| single(numbers));
        let mut backend = reference(1, &[], &[&x, &y, &factors]);
        backend.add(Slot(0), Slot(1));
        run(&add(on_host[0].view(), on_host[1].out()).expect("equal lengths"));
        assert_same(&on_host[1].read(), &backend.read(Slot(1)));
        for accumulate in [false, true] {
            backend.multiply(Slot(0), Slot(2), Target { slot: Slot(1), accumulate });
            let launch = multiply(on_host[0].view(), on_host[2].view(), on_host[1].out(), accumulate);
            run(&launch.expect("equal lengths"));
            assert_same(&on_host[1].read(), &backend.read(Slot(1)));
        }
    }
}

#[test]
fn functions_are_the_reference_s_to_the_bit_and_keep_nan() {
    for (f, n) in FUNCTIONS.into_iter().flatten().flat_map(|f| LENGTHS.map(|n| (f, n))) {
        let mut x: Vec<f32> = numbers("x", n).iter().map(|x| 20.0 * x).collect();
        (x[0], x[1], x[2]) = (0.0, -200.0, 200.0);
        let [y, dy, dx] = ["y", "dy", "dx"].map(|name| numbers(name, n));
        let on_host = [&x, &y, &dy, &dx].map(|numbers| single(numbers));
        let mut backend = reference(1, &[], &[&x, &y, &dy, &dx]);
        backend.activation(f, Slot(0), Slot(1));
        run(&activation(f, on_host[0].view(), on_host[1].out()).expect("equal lengths"));
        assert_same(&on_host[1].read(), &backend.read(Slot(1)));
        for accumulate in [false, true] {
            backend.activation_backward(f, Slot(1), Slot(2), Target { slot: Slot(3), accumulate });
            let [_, y, dy, dx] = &on_host;
            let launch = activation_backward(f, y.view(), dy.view(), dx.out(), accumulate);
            run(&launch.expect("equal lengths"));
            assert_same(&on_host[3].read(), &backend.read(Slot(3)));
        }
        let (nan, y) = (single(&[f32::NAN]), single(&[0.0]));
        run(&activation(f, nan.view(), y.out()).expect("equal lengths"));
        assert!(y.read()[0].is_nan());
    }
}

#[test]
fn parts_go_in_and_come_out_where_the_reference_has_them() {
    for (images, offset, length, total) in [(1, 0, 4, 4), (3, 2, 5, 9), (7, 100, 300, 400)] {
        let op = Part { offset, length, total };
        let (part, whole) = (numbers("part", images * length), numbers("whole", images * total));
        let on_host = [&part, &whole].map(|numbers| single(numbers));
        let mut backend = reference(images, &[], &[&part, &whole]);
        for accumulate in [true, false] {
            backend.extract(&op, Slot(1), Target { slot: Slot(0), accumulate });
            run(&extract(&op, images, on_host[1].view(), on_host[0].out(), accumulate).expect("lengths fit"));
            assert_same(&on_host[0].read(), &backend.read(Slot(0)));
        }
        let other = numbers("another part", images * length);
        backend.write(Slot(0), &other);
        backend.insert(&op, Slot(0), Slot(1));
        run(&insert(&op, images, single(&other).view(), on_host[1].out()).expect("lengths fit"));
        assert_same(&on_host[1].read(), &backend.read(Slot(1)));
    }
}

#[test]
fn lengths_and_places_that_do_not_fit_are_refused() {
    let (five, six) = (single(&[0.0; 5]), single(&[0.0; 6]));
    assert!(add(five.view(), six.out()).is_err());
    assert!(multiply(five.view(), six.view(), five.out(), false).is_err());
    assert!(activation(Activation::Relu, five.view(), six.out()).is_err());
    let part = Part { offset: 1, length: 5, total: 6 };
    assert!(insert(&part, 1, five.view(), six.out()).is_ok());
    assert!(insert(&part, 2, five.view(), six.out()).is_err());
    assert!(insert(&Part { offset: 2, ..part }, 1, five.view(), six.out()).is_err());
    let within = six.view().part(0..5).expect("a part");
    assert!(insert(&part, 1, within, six.out()).is_err(), "x lies in y");
    assert!(six.view().part(2..7).is_err());
    let message = add(five.view(), six.out()).expect_err("lengths differ").to_string();
    assert_eq!(message, "length of y on the GPU is 6; allowed: 5");
    let nothing = single(&[]);
    assert!(add(nothing.view(), nothing.out()).is_err(), "a grid of nothing");
}
