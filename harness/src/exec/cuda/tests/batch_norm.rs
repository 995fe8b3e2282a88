use super::kept::{Kept, keep, rounded, values};
use super::*;
use crate::exec::Mode;
use crate::exec::backend::{BatchNorm, Moments, Target};
use crate::exec::cuda::launch::{Norm, Planes, Reduced, batch_norm, batch_norm_backward, moments};
use crate::exec::cuda::number::Bf16;
use crate::model::graph::Shape;

/// More channels than blocks, and fewer; whole groups of channels, and others; a split an image, splits of unequal size,
/// and more splits than threads; planes of one pixel.
const CASES: [Planes; 8] = [
    Planes { images: 5, channels: 32, plane: 49 },
    Planes { images: 2, channels: 3, plane: 5 },
    Planes { images: 100, channels: 4, plane: 64 },
    Planes { images: 9, channels: 1, plane: 1024 },
    Planes { images: 6, channels: 33, plane: 1 },
    Planes { images: 3, channels: 1100, plane: 4 },
    Planes { images: 8, channels: 300, plane: 9 },
    Planes { images: 600, channels: 1, plane: 2 },
];

fn op(planes: Planes, activation: Option<Activation>) -> BatchNorm {
    let Planes { channels, plane, .. } = planes;
    let (weight, bias) = (0..channels, channels..2 * channels);
    BatchNorm { channels, plane, activation, weight, bias, statistics: 0..channels }
}

/// The whole way there and back, as the reference goes it.
#[test]
fn both_ways_agree_with_the_reference() {
    both_ways::<f32>(0.0);
    // Once what rounding leaves open: 2^-8 of a number, and where numbers are added to others of the largest.
    both_ways::<Bf16>(0.004);
}

fn both_ways<E: Kept>(rounding: f32) {
    for (planes, f) in CASES.into_iter().flat_map(|planes| FUNCTIONS.map(|f| (planes, f))) {
        let Planes { images, channels: c, plane } = planes;
        let op = op(planes, f);
        let mut x = numbers("x", images * c * plane);
        x.iter_mut().enumerate().for_each(|(i, x)| *x = *x * 3.0 + (i / plane % c % 10) as f32);
        let x = rounded::<E>(&x);
        let [y, dy, dx] = ["y", "dy", "dx"].map(|name| rounded::<E>(&numbers(name, x.len())));
        let shape = Shape { channels: c, height: 1, width: plane };
        let parameters = numbers("parameters", 2 * c);
        let mut backend = reference(images, &parameters, &[&x, &y, &dy, &dx]);
        let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
        backend.moments(&op, Slot(0), &mut mean, &mut var);

        let [x, y, dy, dx] = [&x, &y, &dy, &dx].map(|numbers| keep::<E>(shape, numbers));
        let (weight, bias) = (single(&parameters[..c]), single(&parameters[c..]));
        let [own_mean, own_var] = [double(&vec![0.0; c]), double(&vec![0.0; c])];
        let partial = double(&vec![0.0; planes.partial_sums()]);
        run_all(&moments(planes, x.view(), partial.out(), own_mean.out(), own_var.out()).expect("moments"));
        for (seen, right) in [(own_mean.read(), &mean), (own_var.read(), &var)] {
            let apart = seen.iter().zip(right).map(|(seen, right)| (seen - right).abs() / (1.0 + right.abs()));
            assert!(apart.fold(0.0, f64::max) < 1e-12, "{planes:?}: {seen:?}, not {right:?}");
        }

        let norm = Norm {
            mean: own_mean.view(),
            var: own_var.view(),
            weight: weight.view(),
            bias: bias.view(),
            activation: f,
        };
        backend.batch_norm(&op, Moments { mean: &mean, var: &var }, Slot(0), Slot(1));
        run(&batch_norm(planes, norm, x.view(), y.out()).expect("a batch norm"));
        assert_close(&values(shape, &y), &backend.read(Slot(1)), 1e-6 + rounding);

        let slopes = single(&vec![0.0; 3 * c]);
        let [weight_gradient, bias_gradient] = [single(&vec![0.0; c]), single(&vec![0.0; c])];
        let reduced = Reduced {
            partial: partial.out(),
            slopes: slopes.out(),
            weight_gradient: weight_gradient.out(),
            bias_gradient: bias_gradient.out(),
        };
        for (mode, target) in [
            (Mode::Training, Some(false)),
            (Mode::Training, Some(true)),
            (Mode::Evaluation, Some(true)),
            (Mode::Evaluation, Some(false)),
            (Mode::Training, None),
        ] {
            let moments = Moments { mean: &mean, var: &var };
            let reference_target = target.map(|accumulate| Target { slot: Slot(3), accumulate });
            backend.batch_norm_backward(&op, moments, mode, Slot(0), Slot(2), reference_target);
            let own_target = target.map(|accumulate| (dx.out(), accumulate));
            let launches = batch_norm_backward(planes, norm, mode, x.view(), dy.view(), reduced, own_target);
            run_all(&launches.expect("the way back"));
            assert_close(&values(shape, &dx), &backend.read(Slot(3)), 2e-6 + rounding);
            backend.write(Slot(3), &values(shape, &dx));
            // The gradients of the runs so far have been added up on both sides.
            let own = [weight_gradient.read(), bias_gradient.read()].concat();
            assert_close(&own, &gradient(&backend, 2 * c), 1e-6);
        }
    }
}

#[test]
fn a_batch_norm_may_work_in_place() {
    let planes = CASES[1];
    let n = planes.images * planes.channels * planes.plane;
    let (x, y) = (single(&numbers("x", n)), single(&vec![0.0; n]));
    let (mean, var) = (double(&[0.1, 0.2, 0.3]), double(&[1.0, 2.0, 3.0]));
    let (weight, bias) = (single(&[1.0, 2.0, 3.0]), single(&[0.0, 1.0, -1.0]));
    let norm =
        Norm { mean: mean.view(), var: var.view(), weight: weight.view(), bias: bias.view(), activation: FUNCTIONS[1] };
    run(&batch_norm(planes, norm, x.view(), y.out()).expect("lengths fit"));
    run(&batch_norm(planes, norm, x.view(), x.out()).expect("lengths fit"));
    assert_same(&x.read(), &y.read());
}

#[test]
fn sums_have_the_same_bits_each_time_and_lengths_are_checked() {
    let planes = CASES[2];
    let x = single(&numbers("x", 100 * 4 * 64));
    let partial = double(&vec![0.0; planes.partial_sums()]);
    let once = || {
        let (mean, var) = (double(&[0.0; 4]), double(&[0.0; 4]));
        run_all(&moments(planes, x.view(), partial.out(), mean.out(), var.out()).expect("moments"));
        [mean.read(), var.read()]
    };
    assert_eq!(once(), once());
    let (mean, short) = (double(&[0.0; 4]), double(&[0.0; 3]));
    assert!(moments(planes, x.view(), partial.out(), mean.out(), short.out()).is_err());
    assert!(moments(planes, x.view(), short.out(), mean.out(), mean.out()).is_err());
}
