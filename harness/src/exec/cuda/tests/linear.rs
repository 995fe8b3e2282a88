use super::kept::{Kept, keep, rounded, values};
use super::*;
use crate::exec::backend::{Convolution, Linear, Target};
use crate::exec::cuda::launch::{
    Planes, add_bias, bias_backward, linear, linear_backward_data, linear_backward_weight,
};
use crate::exec::cuda::number::Bf16;
use crate::model::graph::{Shape, Window};

#[test]
fn linear_layers_agree_with_the_reference() {
    for (images, inputs, outputs) in [(1, 1, 1), (3, 5, 2), (16, 16, 16), (33, 47, 19), (130, 64, 10)] {
        let weight = outputs * inputs;
        let op = Linear { inputs, outputs, weight: 0..weight, bias: weight..weight + outputs };
        let parameters = numbers("parameters", weight + outputs);
        let (x, dx) = (numbers("x", images * inputs), numbers("dx", images * inputs));
        let (y, dy) = (numbers("y", images * outputs), numbers("dy", images * outputs));
        let mut backend = reference(images, &parameters, &[&x, &y, &dy, &dx]);
        let [x, y, dy, dx] = [&x, &y, &dy, &dx].map(|numbers| single(numbers));
        let (w, b) = (single(&parameters[..weight]), single(&parameters[weight..]));

        backend.linear(&op, Slot(0), Slot(1));
        run_all(&linear(&op, images, w.view(), b.view(), x.view(), y.out()).expect("lengths fit"));
        assert_close(&y.read(), &backend.read(Slot(1)), 1e-5);

        let (dw, db) = (single(&vec![0.0; weight]), single(&vec![0.0; outputs]));
        let planes = Planes { images, channels: outputs, plane: 1 };
        let partial = double(&vec![0.0; planes.partial_sums()]);
        for accumulate in [false, true] {
            backend.linear_backward(&op, Slot(0), Slot(2), Some(Target { slot: Slot(3), accumulate }));
            run(&linear_backward_weight(&op, images, x.view(), dy.view(), dw.out()).expect("lengths fit"));
            run_all(&bias_backward(planes, dy.view(), partial.out(), db.out()).expect("lengths fit"));
            let data = linear_backward_data(&op, images, w.view(), dy.view(), dx.out(), accumulate);
            run(&data.expect("lengths fit"));
            assert_close(&dx.read(), &backend.read(Slot(3)), 1e-5);
            assert_close(&[dw.read(), db.read()].concat(), &gradient(&backend, parameters.len()), 2e-5);
        }
    }
}

#[test]
fn the_bias_of_a_convolution_agrees_with_the_reference() {
    bias_of_a_convolution::<f32>();
    bias_of_a_convolution::<Bf16>();
}

fn bias_of_a_convolution<E: Kept>() {
    let (images, channels, side) = (5, 6, 7);
    let shape = |channels| Shape { channels, height: side, width: side };
    // A 1×1 convolution of weight 0 is its bias.
    let op = Convolution {
        input: shape(1),
        output: shape(channels),
        window: Window::same(1, 1),
        weight: 0..channels,
        bias: Some(channels..2 * channels),
    };
    let mut parameters = numbers("parameters", 2 * channels);
    parameters[..channels].fill(0.0);
    let n = images * channels * side * side;
    let (x, dy) = (numbers("x", images * side * side), rounded::<E>(&numbers("dy", n)));
    let mut backend = reference(images, &parameters, &[&x, &vec![0.0; n], &dy]);
    let planes = Planes { images, channels, plane: side * side };
    let (y, b) = (keep::<E>(shape(channels), &vec![0.0; n]), single(&parameters[channels..]));
    backend.convolution(&op, Slot(0), Slot(1));
    run(&add_bias(planes, b.view(), y.out()).expect("lengths fit"));
    assert_same(&values(shape(channels), &y), &rounded::<E>(&backend.read(Slot(1))));

    backend.convolution_backward(&op, Slot(0), Slot(2), None);
    let (dy, db) = (keep::<E>(shape(channels), &dy), single(&vec![0.0; channels]));
    let partial = double(&vec![0.0; planes.partial_sums()]);
    run_all(&bias_backward(planes, dy.view(), partial.out(), db.out()).expect("lengths fit"));
    assert_close(&db.read(), &gradient(&backend, 2 * channels)[channels..], 1e-6);
}

#[test]
fn wrong_lengths_are_refused() {
    let op = Linear { inputs: 3, outputs: 2, weight: 0..6, bias: 6..8 };
    let [w, b, x, y] = [6, 2, 12, 8].map(|length| single(&vec![0.0; length]));
    assert!(linear(&op, 4, w.view(), b.view(), x.view(), y.out()).is_ok());
    assert!(linear(&op, 3, w.view(), b.view(), x.view(), y.out()).is_err());
    assert!(linear(&op, 4, b.view(), b.view(), x.view(), y.out()).is_err());
    assert!(linear(&op, 4, w.view(), w.view(), x.view(), y.out()).is_err());
    let within = x.out().part(0..8).expect("a part");
    assert!(linear(&op, 4, w.view(), b.view(), x.view(), within).is_err(), "y lies in x");
}
