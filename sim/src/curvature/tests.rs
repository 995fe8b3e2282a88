use nalgebra::{DMatrix, DVector, SymmetricEigen};
use proptest::prelude::*;

use super::*;
use crate::estimate::{Confidence, Moments};
use crate::seed::standard_normal;
use crate::{Result, Seed};

fn product(matrix: &DMatrix<f64>) -> impl FnMut(&[f64]) -> Result<Vec<f64>> {
    move |v| Ok((matrix * DVector::from_column_slice(v)).as_slice().to_vec())
}

/// A symmetric matrix with given eigenvalues in a random frame.
fn with_spectrum(eigenvalues: &[f64], index: u64) -> DMatrix<f64> {
    let n = eigenvalues.len();
    let mut rng = Seed(21).stream("frame", index);
    let frame = DMatrix::from_fn(n, n, |_, _| standard_normal(&mut rng)).qr().q();
    let matrix = &frame * DMatrix::from_diagonal(&DVector::from_column_slice(eigenvalues)) * frame.transpose();
    (&matrix + matrix.transpose()) * 0.5
}

fn run(matrix: &DMatrix<f64>, wanted: usize, steps: usize, tolerance: f64) -> Spectrum {
    let config = Lanczos::new(wanted, steps, tolerance, Seed(3)).expect("valid");
    lanczos(matrix.nrows(), product(matrix), &config).expect("valid")
}

fn sorted(matrix: &DMatrix<f64>) -> Vec<f64> {
    let mut values = SymmetricEigen::new(matrix.clone()).eigenvalues.as_slice().to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// Whether every value is within its residual of an eigenvalue, up to rounding.
fn residuals_hold(spectrum: &Spectrum, eigenvalues: &[f64]) -> bool {
    let scale = eigenvalues.iter().fold(1e-300, |scale: f64, value| scale.max(value.abs()));
    spectrum.smallest.iter().chain(&spectrum.largest).all(|ritz| {
        let nearest = eigenvalues.iter().map(|value| (value - ritz.value).abs()).fold(f64::INFINITY, f64::min);
        nearest <= ritz.residual + 1e-12 * scale
    })
}

fn values(ritz: &[Ritz]) -> Vec<f64> {
    ritz.iter().map(|ritz| ritz.value).collect()
}

#[track_caller]
fn assert_close(seen: &[f64], wanted: &[f64], error: f64) {
    assert!(
        seen.len() == wanted.len() && seen.iter().zip(wanted).all(|(a, b)| (a - b).abs() <= error),
        "{seen:?}, wanted {wanted:?}"
    );
}

#[test]
fn a_few_steps_find_both_ends_of_a_clustered_spectrum() {
    // Like a network's: a bulk near 0, a few large outliers, a small negative end.
    let mut eigenvalues: Vec<f64> = (0..120).map(|i| 1e-3 * f64::from(i)).collect();
    eigenvalues.extend([-0.5, 7.0, 7.001, 30.0]);
    let matrix = with_spectrum(&eigenvalues, 0);
    let spectrum = run(&matrix, 1, 124, 1e-6);
    assert!(spectrum.converged && spectrum.steps < 30, "{spectrum:?}");
    assert_close(&values(&spectrum.largest), &[30.0], 1e-4);
    assert_close(&values(&spectrum.smallest), &[-0.5], 1e-4);
    assert!(residuals_hold(&spectrum, &eigenvalues) && spectrum.asymmetry < 1e-12);
    assert!(!run(&matrix, 2, 4, 1e-6).converged);
}

#[test]
fn a_multiple_eigenvalue_is_found_as_often_as_it_occurs_in_d_steps() {
    let eigenvalues = [-1.0, -1.0, 2.0, 2.0, 2.0, 5.0];
    let matrix = with_spectrum(&eigenvalues, 1);
    let spectrum = run(&matrix, 6, 6, 0.0);
    assert_close(&values(&spectrum.smallest), &eigenvalues, 1e-12);
    assert!(spectrum.converged && spectrum.steps == 6);
    // One copy of each is all that one start vector sees.
    let spectrum = run(&matrix, 1, 6, 1e-9);
    assert_eq!(spectrum.steps, 3);
    assert_close(&[spectrum.smallest[0].value, spectrum.largest[0].value], &[-1.0, 5.0], 1e-12);
}

#[test]
fn rank_one_zero_identity_and_dimension_one() {
    let w = DVector::from_fn(40, |i, _| i as f64 - 7.0);
    let spectrum = run(&(&w * w.transpose()), 1, 40, 1e-9);
    assert!(spectrum.converged && spectrum.steps <= 3);
    assert_close(&values(&spectrum.largest), &[w.norm_squared()], 1e-9 * w.norm_squared());
    assert_close(&values(&spectrum.smallest), &[0.0], 1e-9 * w.norm_squared());

    let zero = run(&DMatrix::zeros(5, 5), 2, 5, 0.0);
    assert_eq!((values(&zero.smallest), values(&zero.largest), zero.converged), (vec![0.0; 2], vec![0.0; 2], true));
    let identity = run(&DMatrix::identity(5, 5), 2, 5, 1e-12);
    assert_close(&values(&identity.largest), &[1.0, 1.0], 1e-14);

    let one = run(&DMatrix::from_element(1, 1, -4.0), 3, 9, 0.0);
    assert_eq!((one.steps, one.dimension, one.converged), (1, 1, true));
    assert_close(&[one.smallest[0].value, one.largest[0].value], &[-4.0, -4.0], 1e-15);
    assert_eq!((one.smallest.len(), one.smallest[0].residual), (1, 0.0));
}

#[test]
fn an_operator_that_is_not_symmetric_is_seen() {
    let mut matrix = with_spectrum(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2);
    assert!(run(&matrix, 6, 6, 0.0).asymmetry < 1e-12);
    matrix[(0, 3)] += 0.5;
    assert!(run(&matrix, 6, 6, 0.0).asymmetry > 0.05);
}

#[test]
fn names_what_is_wrong() {
    let message = |dimension, image: Vec<f64>| {
        let operator = |_: &[f64]| Result::Ok(image.clone());
        lanczos(dimension, operator, &Lanczos::default()).expect_err("invalid").to_string()
    };
    assert_eq!(message(0, vec![]), "dimension is 0; allowed: at least 1");
    assert_eq!(message(2, vec![1.0]), "number of coordinates of the product with a vector is 1; allowed: 2");
    assert_eq!(
        message(2, vec![1.0, f64::NAN]),
        "coordinate 1 of the product with a vector is NaN; allowed: a finite number"
    );
    assert!(Lanczos::new(0, 1, 0.0, Seed(0)).is_err() && Lanczos::new(1, 0, 0.0, Seed(0)).is_err());
    assert!(Lanczos::new(1, 1, -1.0, Seed(0)).is_err());
    assert!(trace(3, product(&DMatrix::identity(3, 3)), 1, Seed(0)).is_err());
    assert!(HessianProduct::with_step(product(&DMatrix::identity(1, 1)), vec![1.0], 0.0).is_err());
    assert!(HessianProduct::between_kinks(product(&DMatrix::identity(1, 1)), vec![f64::INFINITY]).is_err());
}

#[test]
fn the_trace_of_a_diagonal_operator_is_exact() {
    let matrix = DMatrix::from_diagonal(&DVector::from_vec(vec![1.0, -2.0, 4.0]));
    let moments = trace(3, product(&matrix), 5, Seed(0)).expect("valid");
    assert_eq!((moments.mean(), moments.standard_error()), (3.0, Some(0.0)));
}

#[test]
fn the_trace_s_interval_covers_it_and_its_error_is_the_one_of_the_formula() {
    // 400 estimates of 30 probes at 90 %: sums of many products of signs are nearly normal, so the count is about
    // binomial(400, 0.9), standard deviation 6; ±8 % for the law, ±6 standard deviations: at least 288.
    let matrix = with_spectrum(&(0..24).map(|i| f64::from(i) - 5.0).collect::<Vec<_>>(), 3);
    let exact = matrix.trace();
    let level = Confidence::new(0.9).expect("a level");
    let mut means = Moments::default();
    let covered = (0..400).filter(|&seed| {
        let moments = trace(24, product(&matrix), 30, Seed(seed)).expect("valid");
        means.push(moments.mean());
        moments.student(level).expect("thirty").contains(exact)
    });
    let covered = covered.count();
    assert!((288..400).contains(&covered), "{covered}");
    // Var zᵀAz = 2(‖A‖² − Σ a_ii²). The mean of 12,000 probes leaves 6 standard errors, and the variance of 400 means
    // 6·√(2/400) = 42 %, with probability below 1e-8.
    let variance = 2.0 * (matrix.norm_squared() - matrix.diagonal().norm_squared());
    assert!((means.mean() - exact).abs() < 6.0 * (variance / 12_000.0).sqrt());
    assert!((means.variance().expect("many") / (variance / 30.0) - 1.0).abs() < 0.43);
}

/// The gradient of Σ ((i + 1)w_i² + w_i³/2 + c·w_i⁴) + w_0 w_1.
fn gradient(quartic: f64, w: &[f64]) -> Vec<f64> {
    let own = |(i, w): (usize, &f64)| 2.0 * (i + 1) as f64 * w + 1.5 * w * w + 4.0 * quartic * w * w * w;
    let mut gradient: Vec<f64> = w.iter().enumerate().map(own).collect();
    gradient[0] += w[1];
    gradient[1] += w[0];
    gradient
}

/// Its Hessian.
fn hessian(quartic: f64, w: &[f64]) -> DMatrix<f64> {
    let own = |i: usize| 2.0 * (i + 1) as f64 + 3.0 * w[i] + 12.0 * quartic * w[i] * w[i];
    let mut hessian = DMatrix::from_diagonal(&DVector::from_fn(w.len(), |i, _| own(i)));
    hessian[(0, 1)] = 1.0;
    hessian[(1, 0)] = 1.0;
    hessian
}

#[test]
fn central_differences_are_exact_up_to_cubic_losses_and_of_second_order_beyond() {
    let (w, v) = (vec![0.3, -0.7, 1.1], [0.4, 2.0, -1.0]);
    let error = |quartic: f64, step: f64| {
        let exact = hessian(quartic, &w) * DVector::from_column_slice(&v);
        let gradient = |w: &[f64]| Result::Ok(gradient(quartic, w));
        let seen = HessianProduct::with_step(gradient, w.clone(), step).expect("valid").apply(&v).expect("valid");
        (DVector::from_vec(seen) - exact).norm()
    };
    assert!(error(0.0, 0.5) < 1e-13);
    // The error is 4c·h²·v_i³/‖v‖².
    let cubes = v.iter().map(|v: &f64| v.powi(6)).sum::<f64>().sqrt() / v.iter().map(|v| v * v).sum::<f64>();
    for step in [0.1, 0.01] {
        assert!((error(1.0, step) / (4.0 * step * step * cubes) - 1.0).abs() < 1e-6, "{}", error(1.0, step));
    }
}

#[test]
fn a_kink_beside_the_point_does_not_enter_a_product() {
    // A jump of the first slope at a distance of 5e-11, within the first step and beyond the second.
    let gradient = |w: &[f64]| -> Result<Vec<f64>> {
        Ok(vec![2.0 * w[0] + if w[0] > 1.0 + 5e-11 { 1.0 } else { 0.0 }, 3.0 * w[1]])
    };
    let mut careful = HessianProduct::between_kinks(gradient, vec![1.0, 0.5]).expect("valid");
    assert!(careful.step() > 1e-10);
    assert_close(&careful.apply(&[1.0, 1.0]).expect("valid"), &[2.0, 3.0], 1e-3);
    let mut plain = HessianProduct::with_step(gradient, vec![1.0, 0.5], careful.step()).expect("valid");
    assert!(plain.apply(&[1.0, 1.0]).expect("valid")[0] > 1e8);
}

#[test]
fn products_between_kinks_give_the_eigenvalues_of_a_smooth_loss() {
    let w = vec![0.3, -0.7, 1.1, 0.2];
    let double = |w: &[f64]| Result::Ok(gradient(0.2, w));
    let mut product = HessianProduct::between_kinks(double, w.clone()).expect("valid");
    assert!((product.step() / (1e-10 * (1.0 + 1.83f64.sqrt())) - 1.0).abs() < 1e-12, "{}", product.step());
    assert_eq!(product.apply(&[0.0; 4]).expect("valid"), [0.0; 4]);
    let config = Lanczos::new(4, 4, 0.0, Seed(0)).expect("valid");
    let spectrum = lanczos(4, |v| product.apply(v), &config).expect("valid");
    // Gradients of up to 10, rounded to 2e-16 of their size a few times, over h = 2.4e-10.
    assert_close(&values(&spectrum.smallest), &sorted(&hessian(0.2, &w)), 2e-4);
    assert!(spectrum.asymmetry > 0.0 && spectrum.asymmetry < 1e-3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn d_steps_give_the_spectrum_of_any_symmetric_matrix(
        n in 1usize..9,
        entries in prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), -5.0..5.0f64], 64),
    ) {
        let matrix = DMatrix::from_fn(n, n, |i, j| entries[8 * i.min(j) + i.max(j)]);
        let (spectrum, exact) = (run(&matrix, n, n, 0.0), sorted(&matrix));
        prop_assert_eq!(spectrum.steps, n);
        for (seen, wanted) in values(&spectrum.smallest).iter().zip(&exact) {
            prop_assert!((seen - wanted).abs() < 1e-10, "{:?} {:?}", spectrum, exact);
        }
        prop_assert!(spectrum.asymmetry < 1e-11);
    }

    #[test]
    fn every_ritz_value_is_within_its_residual_of_an_eigenvalue_and_inside_the_spectrum(
        eigenvalues in prop::collection::vec(-5.0..5.0f64, 12),
        steps in 1usize..12,
        index in 0u64..1000,
    ) {
        let matrix = with_spectrum(&eigenvalues, index);
        let spectrum = run(&matrix, 3, steps, 0.0);
        let exact = sorted(&matrix);
        prop_assert!(residuals_hold(&spectrum, &exact));
        prop_assert!(spectrum.smallest[0].value >= exact[0] - 1e-11);
        prop_assert!(spectrum.largest[0].value <= exact[11] + 1e-11);
        prop_assert!(spectrum.smallest.is_sorted_by(|a, b| a.value <= b.value));
        prop_assert!(spectrum.largest.is_sorted_by(|a, b| a.value >= b.value));
    }
}
