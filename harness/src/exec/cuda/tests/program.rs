use super::kept::{Kept, ONE, keep};
use super::*;
use crate::exec::Mode;
use crate::exec::backend::{Convolution, Linear, Part, Pool};
use crate::exec::cuda::kernels::{Kernel, PROGRAM};
use crate::exec::cuda::launch::{self, Batch, Norm, Planes, Read, Reduced, ResidentImages};
use crate::exec::cuda::number::Bf16;
use crate::exec::gpu::form::Form;
use crate::model::graph::{Shape, Window};

/// The types of a kernel's parameters, as the code for later GPUs declares them.
fn parameters(code: &str, name: &str) -> Vec<&'static str> {
    let entry = code.split(&format!(".entry {name}(")).nth(1);
    let list = entry.and_then(|entry| entry.split(')').next()).unwrap_or_else(|| panic!("no kernel {name}"));
    let types = [".u64", ".u32", ".f32", ".f64"];
    let parameters = list.lines().filter(|line| line.contains(".param"));
    parameters.map(|line| *types.iter().find(|of| line.contains(**of)).expect("a known type")).collect()
}

/// The same of a launch.
fn arguments(launch: &Launch<'_>) -> Vec<&'static str> {
    let arguments = launch.arguments().iter().map(|argument| match argument {
        Argument::Address(_) => ".u64",
        Argument::U32(_) => ".u32",
        Argument::F64(_) => ".f64",
    });
    arguments.collect()
}

/// The launches of feature maps that are kept as `E` says.
fn of_maps<E: Kept>(check: &mut dyn FnMut(&Launch<'_>)) {
    let maps = keep::<E>(ONE, &[0.0; 4]);
    let (d, w, b) = (double(&[0.0; 64]), single(&[0.0; 4]), Host::new(&[0u8; 1], 0));
    let (x, y) = (maps.view(), maps.out());
    let one = |range: std::ops::Range<usize>| maps.view().part(range).expect("a part");
    let own = |range: std::ops::Range<usize>| maps.out().part(range).expect("a part");
    let weights = |range: std::ops::Range<usize>| w.out().part(range).expect("a part");
    let (part, input) = (Part { offset: 0, length: 1, total: 2, plane: 1 }, ONE);
    let pool = Pool { input, size: 1 };
    let planes = Planes { images: 1, channels: 1, plane: 1 };
    let (mean, var) = (d.view().part(0..1).expect("a part"), d.view().part(1..2).expect("a part"));
    let (gamma, beta) = (weights(0..1).view(), weights(1..2).view());
    let norm = Norm { mean, var, weight: gamma, bias: beta, activation: None };
    let (slopes, factors) = (single(&[0.0; 3]), single(&[0.0; 4]));
    let reduced = Reduced {
        partial: d.out().part(2..64).expect("a part"),
        slopes: slopes.out(),
        weight_gradient: weights(2..3),
        bias_gradient: weights(3..4),
    };
    let moments_out = [0..1, 1..2].map(|range| d.out().part(range).expect("a part"));
    let (variations, tables) = (Host::new(&[0; 4], 0), single(&[0.0; 256]));
    let images = ResidentImages { images: b.view(), tables: tables.view(), channels: 1, side: 1 };
    let mut launches = vec![
        launch::add(x, y),
        launch::multiply(ONE, x, factors.view(), y, false),
        launch::activation(Activation::Relu, x, y),
        launch::activation_backward(Activation::Relu, x, x, y, false),
        launch::insert(&part, 1, one(0..1), own(2..4)),
        launch::extract(&part, 1, one(0..2), own(2..3), false),
        launch::average_pool(&pool, 1, one(0..1), own(1..2)),
        launch::average_pool_backward(&pool, 1, one(0..1), own(1..2), false),
        launch::max_pool(&pool, 1, one(0..1), own(1..2)),
        launch::max_pool_backward(&pool, 1, one(0..1), one(1..2), own(2..3), false),
        launch::batch_norm(planes, norm, one(2..3), own(3..4)),
        launch::augment(images, variations.view(), own(0..1)),
        launch::add_bias(planes, gamma, own(0..1)),
        launch::turn([1, 1, 1], one(0..1), own(1..2)),
    ];
    let target = Some((own(0..1), true));
    let several = [
        launch::moments(planes, one(0..1), reduced.partial, moments_out[0], moments_out[1]).map(Vec::from),
        launch::batch_norm_backward(planes, norm, Mode::Training, one(0..1), one(0..1), reduced, target),
        launch::bias_backward(planes, one(0..1), reduced.partial, weights(1..2)).map(Vec::from),
    ];
    launches.extend(several.into_iter().flat_map(|launches| launches.expect("lengths fit").into_iter().map(Ok)));
    launches.iter().for_each(|launch| check(launch.as_ref().expect("lengths fit")));
}

/// The convolutions on tensor cores.
fn convolutions(check: &mut dyn FnMut(&Launch<'_>)) {
    let shape = Shape { channels: 16, height: 1, width: 1 };
    let op = Convolution { input: shape, output: shape, window: Window::same(1, 1), weight: 0..256, bias: None };
    let form = Form::of(&op, 1).expect("a kernel");
    let [x, y, weight] = [16, 16, 256].map(|length| keep::<Bf16>(ONE, &vec![0.0; length]));
    let [parts, gradient] = [form.weight_parts(), 256].map(|length| single(&vec![0.0; length]));
    let x = Read::Plain(x.view());
    let launches = launch::convolution_backward_weight(form, x, y.view(), parts.out(), gradient.out());
    launches.expect("lengths fit").iter().for_each(&mut *check);
    check(&launch::convolution(form, weight.view(), x, None, y.out(), None).expect("lengths fit"));
    let dx = keep::<Bf16>(ONE, &[0.0; 16]);
    let launch = launch::convolution_backward_data(form, weight.view(), y.view(), (dx.out(), false), None);
    check(&launch.expect("lengths fit"));
    let form = launch::PlanarGradient::of(1, shape, shape, Window::same(1, 1)).expect("a kernel");
    let [x, parts] = [16, form.parts()].map(|length| single(&vec![0.0; length]));
    let there = launch::PlanarConvolution::there(1, shape, shape, Window::same(1, 1)).expect("a kernel");
    let y = single(&[0.0; 16]);
    for tf32 in [false, true] {
        let launch = there.launch(tf32, x.view(), gradient.view(), (y.out(), false));
        check(&launch.expect("lengths fit"));
        let launches = form.launches(tf32, x.view(), x.view(), parts.out(), gradient.out());
        launches.expect("lengths fit").iter().for_each(&mut *check);
    }
}

/// The launches of all else.
fn of_others(check: &mut dyn FnMut(&Launch<'_>)) {
    let (f, d, b) = (single(&[0.0; 4]), double(&[0.0; 3]), Host::new(&[0u8; 1], 0));
    let one = |range: std::ops::Range<usize>| f.view().part(range).expect("a part");
    let own = |range: std::ops::Range<usize>| f.out().part(range).expect("a part");
    let part = |range: std::ops::Range<usize>| d.out().part(range).expect("a part");
    let linear = Linear { inputs: 1, outputs: 1, weight: 0..1, bias: 1..2 };
    let (labels, four, half) = (Host::new(&[0u16], 0), double(&[0.0; 4]), keep::<Bf16>(ONE, &[0.0; 4]));
    let (kept, loss) = (four.out().part(0..2).expect("a part"), part(0..1));
    let (three, table) = (single(&[0.0; 3]), Host::new(&[0u32; launch::WEIGHT], 0));
    let new = Batch { moments: part(0..2).view(), factors: part(2..3).view() };
    let launches = [
        launch::cross_entropy(one(0..2), labels.view(), loss, b.out(), None),
        launch::cross_entropy(one(0..2), labels.view(), loss, b.out(), Some(own(2..4))),
        launch::sgd(three.view(), own(0..1), own(1..2), one(2..3)),
        launch::average(four.out(), f.view(), 1),
        launch::along(one(0..1), part(0..1).view(), 0.0, own(1..2)),
        launch::collect(new, kept, 1.0),
        launch::track(new, own(0..2), 1.0),
        launch::to_bf16(ONE, f.view(), half.out(), false),
        launch::from_bf16(ONE, half.view(), f.out(), false),
        launch::round_weights(f.view(), table.view(), half.out()),
    ];
    launches.iter().for_each(|launch| check(launch.as_ref().expect("lengths fit")));
    convolutions(check);
    let linear = launch::linear(&linear, 1, one(0..1), one(1..2), one(2..3), own(3..4));
    linear.expect("lengths fit").iter().for_each(check);
}

#[test]
fn every_launch_has_the_arguments_that_the_program_for_the_gpu_declares() {
    let code = String::from_utf8_lossy(PROGRAM);
    let mut launched = Vec::new();
    let mut check = |launch: &Launch<'_>| {
        let name = launch.kernel().name();
        assert_eq!(arguments(launch), parameters(&code, name), "{name}");
        launched.push(launch.kernel());
    };
    of_maps::<f32>(&mut check);
    of_maps::<Bf16>(&mut check);
    of_others(&mut check);
    for kernel in Kernel::ALL {
        assert!(launched.contains(kernel), "{} is never launched", kernel.name());
    }
}

#[test]
fn a_kernel_s_place_in_the_list_is_its_number() {
    assert!(Kernel::ALL.iter().enumerate().all(|(number, kernel)| *kernel as usize == number));
}
