//! Operations on numbers whose results are known.

use super::*;

#[test]
fn moments_are_exact_on_known_numbers_and_steady_far_from_zero() {
    let op = BatchNorm { channels: 2, plane: 3, activation: None, weight: 0..2, bias: 2..4, statistics: 0..2 };
    let of = |x: &[f32]| {
        let (mut mean, mut var) = ([0.0; 2], [0.0; 2]);
        let mut backend = Reference::default();
        backend.begin(&[6], 2, &[]);
        backend.write(X, x);
        backend.moments(&op, X, &mut mean, &mut var);
        (mean, var)
    };
    let x = [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 5.0, 6.0, 7.0, 0.0, 0.0, 12.0];
    let (mean, var) = of(&x);
    assert_eq!(mean, [4.0, 2.0]);
    assert!((var[0] - 14.0 / 3.0).abs() < 1e-14 && (var[1] - 20.0).abs() < 1e-14, "{var:?}");
    // Shifted by 1000, the variance of f32 numbers must not drown in cancellation.
    let (_, var) = of(&x.map(|x| x + 1000.0));
    assert!((var[0] - 14.0 / 3.0).abs() < 1e-9 && (var[1] - 20.0).abs() < 1e-9, "{var:?}");
}

#[test]
fn the_gradient_of_relu_at_zero_is_zero() {
    let mut backend = Reference::<f64>::default();
    backend.begin(&[3, 3, 3, 3], 1, &[]);
    backend.write(X, &[-1.0, 0.0, 2.0]);
    backend.activation(Activation::Relu, X, Y);
    backend.write(DY, &[5.0; 3]);
    backend.activation_backward(Activation::Relu, Y, DY, Target { slot: DX, accumulate: false });
    assert_eq!((backend.read(Y), backend.read(DX)), (vec![0.0, 0.0, 2.0], vec![0.0, 0.0, 5.0]));
    // Within a batch norm too: γ = 0 and β = 0 put every value at 0.
    let activation = Some(Activation::Relu);
    let op = BatchNorm { channels: 1, plane: 3, activation, weight: 0..1, bias: 1..2, statistics: 0..1 };
    backend.begin(&[3, 3, 3, 3], 1, &[0.0, 0.0]);
    backend.batch_norm_backward(&op, Moments { mean: &[0.0], var: &[1.0] }, Mode::Training, X, DY, None);
    let mut gradient = [1.0; 2];
    backend.read_gradient(&mut gradient);
    assert_eq!(gradient, [0.0, 0.0]);
}

/// Pools one image of one channel, and sends 1, 2, … back through its windows.
fn max_pool(height: usize, width: usize, size: usize, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let op = Pool { input: Shape { channels: 1, height, width }, size };
    let windows = (height / size) * (width / size);
    let mut backend = Reference::default();
    backend.begin(&[x.len(), windows, windows, x.len()], 1, &[]);
    backend.write(X, x);
    backend.max_pool(&op, X, Y);
    backend.write(DY, &(1..=windows).map(|dy| dy as f64).collect::<Vec<_>>());
    backend.max_pool_backward(&op, X, DY, Target { slot: DX, accumulate: false });
    (backend.read(Y), backend.read(DX))
}

#[test]
fn the_first_of_equal_maxima_row_by_row_takes_the_whole_gradient() {
    let x = [
        [1.0, 1.0, 0.0, 7.0, 9.0], // The last column fills no window.
        [1.0, 1.0, 7.0, 7.0, 9.0],
        [-2.0, -1.0, f64::NEG_INFINITY, f64::NEG_INFINITY, 9.0],
        [-1.0, -1.0, f64::NEG_INFINITY, f64::NEG_INFINITY, 9.0],
    ];
    let (y, dx) = max_pool(4, 5, 2, x.as_flattened());
    assert_eq!(y, [1.0, 7.0, -1.0, f64::NEG_INFINITY]);
    let expected = [[1.0, 0.0, 0.0, 2.0, 0.0], [0.0; 5], [0.0, 3.0, 4.0, 0.0, 0.0], [0.0; 5]];
    assert_eq!(dx, expected.as_flattened());
}

#[test]
fn a_number_that_is_none_is_the_maximum() {
    let (y, dx) = max_pool(2, 2, 2, &[3.0, f64::NAN, 5.0, 4.0]);
    assert!(y[0].is_nan());
    assert_eq!(dx, [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn parts_are_put_together_image_by_image_and_taken_apart_again() {
    let mut backend = Reference::<f32>::default();
    backend.begin(&[1, 3, 3, 2], 2, &[]);
    backend.write(X, &[1.0, 2.0]);
    backend.write(Y, &[0.0; 6]);
    backend.insert(&Part { offset: 1, length: 1, total: 3, plane: 1 }, X, Y);
    assert_eq!(backend.read(Y), [0.0, 1.0, 0.0, 0.0, 2.0, 0.0]);
    backend.write(DY, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let op = Part { offset: 1, length: 2, total: 3, plane: 1 };
    backend.extract(&op, DY, Target { slot: DX, accumulate: false });
    backend.extract(&op, DY, Target { slot: DX, accumulate: true });
    assert_eq!(backend.read(DX), [4.0, 6.0, 10.0, 12.0]);
}

#[test]
fn sums_and_copies() {
    let mut backend = Reference::<f32>::default();
    backend.begin(&[2, 2], 3, &[]);
    backend.write(X, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    backend.copy(X, Y);
    backend.add(X, Y);
    assert_eq!(backend.read(Y), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
}
