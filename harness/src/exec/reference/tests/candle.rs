//! Convolution, means, the linear layer and the loss against candle, which has these right.

use candle_core::{Device, Tensor, Var};

use super::*;

/// Kernels, strides, paddings, odd and even extents, batches smaller and larger than the number of groups.
fn convolutions() -> Vec<(usize, Convolution)> {
    let mut cases = Vec::new();
    for (images, channels, outputs, [height, width], [size, stride, padding]) in [
        (1, 1, 1, [1, 1], [1, 1, 0]),
        (1, 2, 3, [5, 7], [3, 1, 1]),
        (3, 3, 2, [4, 4], [3, 1, 1]),
        (9, 2, 2, [3, 3], [3, 1, 1]),
        (2, 2, 3, [5, 7], [3, 2, 1]),
        (2, 2, 3, [8, 6], [3, 2, 1]),
        (2, 3, 4, [5, 6], [1, 1, 0]),
        (2, 3, 4, [5, 6], [1, 2, 0]),
        (2, 2, 2, [5, 6], [3, 1, 0]),
        (2, 2, 2, [4, 5], [5, 1, 2]),
        (2, 1, 2, [2, 2], [5, 1, 2]),
        (1, 2, 1, [7, 7], [3, 3, 2]),
        (1, 2, 1, [3, 2], [1, 1, 1]),
        (1, 1, 2, [6, 6], [2, 2, 0]),
    ] {
        let extent = |length: usize| (length + 2 * padding - size) / stride + 1;
        let op = Convolution {
            input: Shape { channels, height, width },
            output: Shape { channels: outputs, height: extent(height), width: extent(width) },
            window: Window { size, stride, padding },
            weight: 1..1 + outputs * channels * size * size,
            bias: None,
        };
        cases.push((images, op));
    }
    cases
}

fn assert_near(ours: &[f64], theirs: &Tensor, what: &str) {
    let theirs = theirs.flatten_all().expect("flat").to_vec1::<f64>().expect("numbers");
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-12, "{what}: {apart}");
}

#[test]
fn convolutions_agree_with_candle() {
    for (images, op) in convolutions() {
        let case = convolution_case(images, &op);
        let [x, parameters, dy] = case.inputs();
        let run = case.run(&x, &parameters, &dy, false);
        let tensor = |values: &[f64], shape: Shape, count: usize| {
            Tensor::from_slice(values, (count, shape.channels, shape.height, shape.width), &Device::Cpu).expect("shape")
        };
        let kernel = Shape { channels: op.input.channels, height: op.window.size, width: op.window.size };
        let x = Var::from_tensor(&tensor(&x, op.input, images)).expect("a variable");
        let w =
            Var::from_tensor(&tensor(&parameters[op.weight.clone()], kernel, op.output.channels)).expect("a variable");
        let y = x.conv2d(&w, op.window.padding, op.window.stride, 1, 1).expect("a convolution");
        let near =
            |ours: &[f64], theirs: &Tensor, what: &str| assert_near(ours, theirs, &format!("{}, {what}", case.name));
        near(&run.y, &y, "y");
        // candle's backward refuses a padding beyond the kernel, and pixels left over in one direction alone.
        let left_over = |length: usize| (length + 2 * op.window.padding - op.window.size) % op.window.stride;
        if op.window.padding < op.window.size && left_over(op.input.height) == left_over(op.input.width) {
            let total = (&y * tensor(&dy, op.output, images)).expect("product").sum_all().expect("sum");
            let gradients = total.backward().expect("gradients");
            near(&run.gradient[op.weight.clone()], gradients.get(&w).expect("dw"), "dw");
            near(&run.dx, gradients.get(&x).expect("dx"), "dx");
        }
    }
}

#[test]
fn pooling_a_linear_layer_and_the_loss_agree_with_candle() -> candle_core::Result<()> {
    const IMAGES: usize = 5;
    let pool = Pool { input: Shape { channels: 2, height: 4, width: 6 }, size: 2 };
    let linear = Linear { inputs: 12, outputs: 3, weight: 0..36, bias: 36..39 };
    let (x, parameters, labels) = (numbers("x", 48 * IMAGES), numbers("parameters", 39), [0u16, 2, 1, 1, 0]);

    let mut backend = Reference::default();
    let (pooled, logits, dlogits, dpooled, dx) = (Slot(1), Slot(2), Slot(3), Slot(4), Slot(5));
    backend.begin(&[48, 12, 3, 3, 12, 48], IMAGES, &parameters);
    backend.write(X, &x);
    backend.average_pool(&pool, X, pooled);
    backend.linear(&linear, pooled, logits);
    let z = backend.read(logits);
    let losses = crate::exec::loss::cross_entropy(&z, &labels).losses;
    backend.write(dlogits, &crate::exec::loss::cross_entropy_gradient(&z, &labels));
    backend.linear_backward(&linear, pooled, dlogits, Some(Target { slot: dpooled, accumulate: false }));
    backend.average_pool_backward(&pool, dpooled, Target { slot: dx, accumulate: false });
    let mut gradient = vec![0.0; 39];
    backend.read_gradient(&mut gradient);

    let image = Var::from_slice(&x, (IMAGES, 2, 4, 6), &Device::Cpu)?;
    let weight = Var::from_slice(&parameters[..36], (3, 12), &Device::Cpu)?;
    let bias = Var::from_slice(&parameters[36..], 3, &Device::Cpu)?;
    let rows = image.avg_pool2d(2)?.flatten_from(1)?;
    let z = rows.matmul(&weight.t()?)?.broadcast_add(&bias)?;
    let log_softmax = z.broadcast_sub(&z.exp()?.sum_keepdim(1)?.log()?)?;
    let classes = Tensor::from_iter(labels.map(u32::from), &Device::Cpu)?.unsqueeze(1)?;
    let theirs = log_softmax.gather(&classes, 1)?.neg()?;
    let gradients = theirs.mean_all()?.backward()?;
    assert_near(&losses, &theirs, "losses");
    for (ours, variable, what) in
        [(&gradient[..36], &weight, "dW"), (&gradient[36..], &bias, "db"), (&backend.read(dx), &image, "dx")]
    {
        assert_near(ours, gradients.get(variable).expect("a gradient"), what);
    }
    Ok(())
}
