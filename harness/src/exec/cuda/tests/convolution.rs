use super::kept::{keep, rounded, values};
use super::*;
use crate::exec::Mode;
use crate::exec::backend::{Convolution, Target};
use crate::exec::cuda::launch::{
    Moments, Norm, Planes, Read, Reduced, Sums, add, batch_norm, batch_norm_backward, convolution,
    convolution_backward_data, convolution_backward_weight, moments,
};
use crate::exec::cuda::number::Bf16;
use crate::exec::gpu::form::Form;
use crate::model::graph::{Shape, Window};

/// Every shape of the ResNets; strips that are whole and in part; more strips than blocks; pixels that are no whole tiles;
/// windows without padding and wider ones.
fn cases() -> Vec<(usize, Convolution)> {
    vec![
        (2, op(16, [32, 32], 16, Window::same(3, 1))),
        (1, op(64, [32, 32], 16, Window::same(1, 1))),
        (1, op(16, [32, 32], 64, Window::same(1, 1))),
        (1, op(32, [16, 16], 32, Window::same(3, 1))),
        (1, op(32, [32, 32], 32, Window::same(3, 2))),
        (1, op(64, [32, 32], 128, Window::same(1, 2))),
        (2, op(64, [8, 8], 64, Window::same(3, 1))),
        (2, op(256, [8, 8], 64, Window::same(1, 1))),
        (2, op(64, [8, 8], 256, Window::same(1, 1))),
        (300, op(16, [3, 5], 32, Window::same(3, 1))),
        (3, op(48, [7, 9], 16, Window::same(3, 2))),
        (2, op(16, [13, 11], 80, Window { size: 3, stride: 1, padding: 0 })),
        (2, op(16, [12, 10], 16, Window { size: 5, stride: 1, padding: 2 })),
    ]
}

/// Memory for everything that convolutions read and write.
struct Case {
    images: usize,
    op: Convolution,
    form: Form,
    x: Vec<f32>,
    y: Vec<f32>,
    weight: Vec<f32>,
    norm: OwnNorm,
    partial: Host<f64>,
    counter: Host<u32>,
}

/// A batch norm of the input of a convolution.
struct OwnNorm {
    mean: Host<f64>,
    var: Host<f64>,
    weight: Host<f32>,
    bias: Host<f32>,
}

impl OwnNorm {
    fn norm(&self, activation: Option<Activation>) -> Norm<'_> {
        let (mean, var) = (self.mean.view(), self.var.view());
        Norm { mean, var, weight: self.weight.view(), bias: self.bias.view(), activation }
    }
}

impl Case {
    fn new((images, op): (usize, Convolution)) -> Self {
        let form = Form::of(&op, images).unwrap_or_else(|| panic!("{op:?} has its kernel"));
        let [x, y] = [("x", op.input), ("y", op.output)]
            .map(|(name, shape)| rounded::<Bf16>(&numbers(name, images * shape.len())));
        let weight = rounded::<Bf16>(&numbers("weight", op.weight.len()));
        let c = op.input.channels;
        let [mean, var] =
            ["mean", "var"].map(|name| numbers(name, c).iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
        let var: Vec<f64> = var.iter().map(|x| 0.3 + x.abs()).collect();
        let norm = OwnNorm {
            mean: double(&mean),
            var: double(&var),
            weight: single(&numbers("norm weight", c)),
            bias: single(&numbers("norm bias", c)),
        };
        let partial = double(&vec![f64::NAN; form.partial_sums()]);
        Self { images, form, x, y, weight, norm, partial, counter: Host::new(&[0], 7), op }
    }

    fn filter(&self) -> Shape {
        Shape { channels: self.op.input.channels, height: self.op.window.size, width: self.op.window.size }
    }

    fn of_input(&self) -> Planes {
        let Shape { channels, .. } = self.op.input;
        Planes { images: self.images, channels, plane: self.op.input.plane() }
    }

    fn of_output(&self) -> Planes {
        let Shape { channels, .. } = self.op.output;
        Planes { images: self.images, channels, plane: self.op.output.plane() }
    }

    fn kept(&self, shape: Shape, numbers: &[f32]) -> Host<Bf16> {
        keep::<Bf16>(shape, numbers)
    }

    /// The reference's convolution of x, with numbers of dy and dx beside.
    fn reference(&self) -> Reference<f32> {
        let mut backend = reference(self.images, &self.weight, &[&self.x, &self.y, &self.y, &self.x]);
        backend.convolution(&self.op, Slot(0), Slot(1));
        backend
    }

    fn there(&self, x: Read<'_>, add: Option<&Host<Bf16>>, y: &Host<Bf16>, moments: Option<Moments<'_>>) {
        let weight = keep::<Bf16>(self.filter(), &self.weight);
        let launch = convolution(self.form, weight.view(), x, add.map(Host::view), y.out(), moments);
        run(&launch.expect("lengths fit"));
        assert_eq!(self.counter.read(), [0]);
    }
}

/// How far rounding to bfloat16 may move a sum of so many products of numbers up to 1.
const ROUNDING: f32 = 0.005;

#[test]
fn products_agree_with_the_reference() {
    for case in cases().into_iter().map(Case::new) {
        let (x, y) = (case.kept(case.op.input, &case.x), case.kept(case.op.output, &case.y));
        let mut backend = case.reference();
        case.there(Read::Plain(x.view()), None, &y, None);
        assert_close(&values(case.op.output, &y), &backend.read(Slot(1)), ROUNDING);

        let dy = case.kept(case.op.output, &case.y);
        let weight = keep::<Bf16>(case.filter(), &case.weight);
        let gradient = single(&numbers("gradient", case.weight.len()));
        let before = gradient.read();
        let parts = single(&vec![f32::NAN; case.form.weight_parts()]);
        for accumulate in [false, true] {
            let dx = case.kept(case.op.input, &case.x);
            backend.write(Slot(3), &case.x);
            let target = Target { slot: Slot(3), accumulate };
            backend.convolution_backward(&case.op, Slot(0), Slot(2), Some(target));
            let launch = convolution_backward_data(case.form, weight.view(), dy.view(), (dx.out(), accumulate), None);
            run(&launch.expect("lengths fit"));
            assert_close(&values(case.op.input, &dx), &backend.read(Slot(3)), 2.0 * ROUNDING);
            let launches =
                convolution_backward_weight(case.form, Read::Plain(x.view()), dy.view(), parts.out(), gradient.out());
            run_all(&launches.expect("lengths fit"));
        }
        // Both ways back have added up on both sides; sums of products of bfloat16 in single precision.
        let right = super::gradient(&backend, case.weight.len());
        let seen: Vec<f32> = gradient.read().iter().zip(before).map(|(seen, before)| seen - before).collect();
        let pixels = (case.images * case.op.output.plane()) as f32;
        assert_close(&seen, &right, 1e-6 * pixels.sqrt());
    }
}

#[test]
fn what_is_read_through_a_batch_norm_and_added_has_the_bits_of_its_own_steps() {
    for (case, f) in cases().into_iter().map(Case::new).zip(FUNCTIONS.into_iter().cycle()) {
        let (norm, x) = (case.norm.norm(f), case.kept(case.op.input, &case.x));
        let between = case.kept(case.op.input, &case.x);
        run(&batch_norm(case.of_input(), norm, x.view(), between.out()).expect("lengths fit"));
        let [one, other, shortcut] = [(); 3].map(|()| case.kept(case.op.output, &case.y));
        case.there(Read::Plain(between.view()), None, &one, None);
        run(&add(shortcut.view(), one.out()).expect("lengths fit"));
        case.there(Read::Normed(x.view(), norm), Some(&shortcut), &other, None);
        assert_eq!(one.read(), other.read(), "{:?}", case.op);
        // In the shortcut's own place.
        case.there(Read::Normed(x.view(), norm), Some(&shortcut), &shortcut, None);
        assert_eq!(one.read(), shortcut.read(), "{:?}", case.op);

        let dy = case.kept(case.op.output, &case.y);
        let parts = single(&vec![f32::NAN; case.form.weight_parts()]);
        let [through, plain] = [Read::Normed(x.view(), norm), Read::Plain(between.view())].map(|read| {
            let gradient = single(&vec![0.0; case.weight.len()]);
            let launches = convolution_backward_weight(case.form, read, dy.view(), parts.out(), gradient.out());
            run_all(&launches.expect("lengths fit"));
            gradient.read()
        });
        assert_same(&through, &plain);
    }
}

#[test]
fn moments_and_sums_are_those_of_their_own_steps() {
    for (case, f) in cases().into_iter().map(Case::new).zip(FUNCTIONS.into_iter().cycle()) {
        let planes = case.of_output();
        let x = case.kept(case.op.input, &case.x);
        let y = case.kept(case.op.output, &case.y);
        let working = double(&vec![0.0; planes.partial_sums().max(case.of_input().partial_sums())]);
        let [own, right] = [(); 2].map(|()| [(); 2].map(|()| double(&vec![0.0; planes.channels])));
        let into =
            Moments { partial: case.partial.out(), counter: case.counter.out(), mean: own[0].out(), var: own[1].out() };
        case.there(Read::Plain(x.view()), None, &y, Some(into));
        run_all(&moments(planes, y.view(), working.out(), right[0].out(), right[1].out()).expect("lengths fit"));
        for (own, right) in own.iter().zip(&right) {
            for (own, right) in own.read().iter().zip(right.read()) {
                assert!((own - right).abs() < 1e-6 * (1.0 + right.abs()), "{own}, not {right}: {:?}", case.op);
            }
        }

        let (planes, norm, c) = (case.of_input(), case.norm.norm(f), case.op.input.channels);
        let (dy, dx) = (case.kept(case.op.output, &case.y), case.kept(case.op.input, &case.x));
        let weight = keep::<Bf16>(case.filter(), &case.weight);
        for mode in [Mode::Training, Mode::Evaluation] {
            let made = [true, false].map(|with_it| {
                let gradients = [(); 2].map(|()| single(&numbers("gradients", c)));
                let slopes = single(&vec![0.0; 3 * c]);
                let reduced = Reduced {
                    partial: if with_it { case.partial.out() } else { working.out() },
                    slopes: slopes.out(),
                    weight_gradient: gradients[0].out(),
                    bias_gradient: gradients[1].out(),
                };
                if with_it {
                    let sums = Sums { norm, x: x.view(), mode, reduced, counter: case.counter.out() };
                    let target = (dx.out(), false);
                    let launch = convolution_backward_data(case.form, weight.view(), dy.view(), target, Some(sums));
                    run(&launch.expect("lengths fit"));
                    assert_eq!(case.counter.read(), [0]);
                } else {
                    let launches = batch_norm_backward(planes, norm, mode, x.view(), dx.view(), reduced, None);
                    run_all(&launches.expect("lengths fit"));
                }
                [gradients[0].read(), gradients[1].read(), slopes.read()].concat()
            });
            let pixels = (planes.images * planes.plane) as f32;
            assert_close(&made[0], &made[1], 2e-6 * pixels.sqrt());
        }
    }
}

#[test]
fn convolutions_without_a_kernel_have_no_form_and_lengths_are_checked() {
    let same = Window::same(3, 1);
    let odd = [op(3, [32, 32], 16, same), op(16, [32, 32], 24, same), op(512, [4, 4], 512, same)];
    assert!(odd.iter().all(|op| Form::of(op, 4).is_none()));
    let biased = Convolution { bias: Some(0..16), ..op(16, [8, 8], 16, same) };
    assert!(Form::of(&biased, 4).is_none() && Form::of(&op(16, [8, 8], 16, same), 0).is_none());
    let case = Case::new((2, op(16, [8, 8], 32, same)));
    let (x, y) = (case.kept(case.op.input, &case.x), case.kept(case.op.output, &case.y));
    let weight = keep::<Bf16>(case.filter(), &case.weight);
    let read = Read::Plain(x.view());
    assert!(convolution(case.form, weight.view(), read, None, x.out(), None).is_err());
    assert!(convolution(case.form, y.view(), read, None, y.out(), None).is_err());
    assert!(convolution(case.form, weight.view(), read, Some(x.view()), y.out(), None).is_err());
    assert!(convolution_backward_data(case.form, weight.view(), x.view(), (x.out(), true), None).is_err());
    let parts = single(&[0.0; 3]);
    assert!(convolution_backward_weight(case.form, read, y.view(), parts.out(), parts.out()).is_err());
}
