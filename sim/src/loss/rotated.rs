//! Losses in an orthonormal frame.

use nalgebra::{DMatrix, DVector};

use super::{Loss, check_point};
use crate::seed::{Seed, standard_normal};
use crate::{Error, Result};

/// How far an inner product of two columns of a [`Frame`] may lie from 0 or 1.
const ORTHONORMALITY: f64 = 1e-10;

/// k ≤ d orthonormal directions u¹ … uᵏ of ℝᵈ, the columns of a d × k matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame(DMatrix<f64>);

impl Frame {
    /// Checks that the columns are finite, at least one, and orthonormal to 1e-10.
    ///
    /// The error names the pair of columns whose inner product is farthest off.
    pub fn new(columns: DMatrix<f64>) -> Result<Self> {
        let (d, k) = columns.shape();
        if k == 0 || k > d {
            return Err(Error::domain("number of frame columns", k, format!("1 to the number of rows, {d}")));
        }
        let mut worst = (0.0, 0, 0, 0.0);
        for j in 0..k {
            let column = columns.column(j).clone_owned();
            check_point(&format!("frame column {j}"), &column, d)?;
            for i in 0..=j {
                let product = columns.column(i).dot(&column);
                let off = (product - if i == j { 1.0 } else { 0.0 }).abs();
                if off > worst.0 {
                    worst = (off, i, j, product);
                }
            }
        }
        let (off, i, j, product) = worst;
        if off <= ORTHONORMALITY {
            Ok(Self(columns))
        } else if i == j {
            Err(Error::domain(format!("squared length of frame column {i}"), product, "1 to within 1e-10"))
        } else {
            Err(Error::domain(format!("inner product of frame columns {i} and {j}"), product, "0 to within 1e-10"))
        }
    }

    /// k directions uniform over all orthonormal k-frames of ℝᵈ, 1 ≤ k ≤ d; number `index` of stream `frame`.
    ///
    /// The orthogonal factor of a matrix of independent normal numbers, R having a positive diagonal. Gram–Schmidt is
    /// run twice over each column, which makes it orthogonal to rounding.
    pub fn random(d: usize, k: usize, seed: Seed, index: u64) -> Result<Self> {
        if k == 0 || k > d {
            return Err(Error::domain("number of frame columns", k, format!("1 to the number of rows, {d}")));
        }
        let mut rng = seed.stream("frame", index);
        let mut columns = DMatrix::from_fn(d, k, |_, _| standard_normal(&mut rng));
        for j in 0..k {
            let mut column = columns.column(j).clone_owned();
            for _ in 0..2 {
                for i in 0..j {
                    let component = columns.column(i).dot(&column);
                    column.axpy(-component, &columns.column(i), 1.0);
                }
            }
            let length = column.norm();
            columns.set_column(j, &(column / length));
        }
        Self::new(columns)
    }

    /// The d × k matrix of columns.
    pub fn matrix(&self) -> &DMatrix<f64> {
        &self.0
    }

    /// d, the dimension of the space.
    pub fn dimension(&self) -> usize {
        self.0.nrows()
    }

    /// k, the number of directions; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> usize {
        self.0.ncols()
    }

    /// ⟨w, uⁱ⟩ for every i; w has d coordinates.
    pub fn coordinates(&self, w: &DVector<f64>) -> DVector<f64> {
        self.0.tr_mul(w)
    }

    /// Σ sᵢuⁱ; s has k coordinates.
    pub fn combination(&self, s: &DVector<f64>) -> DVector<f64> {
        &self.0 * s
    }
}

/// w ↦ L(⟨w, u¹⟩, …, ⟨w, uᵏ⟩): a loss of k coordinates read in a frame of ℝᵈ, constant across it.
#[derive(Debug, Clone)]
pub struct Rotated<L> {
    inner: L,
    frame: Frame,
}

impl<L: Loss> Rotated<L> {
    /// Puts a loss of dimension k into a frame of k directions.
    pub fn new(inner: L, frame: Frame) -> Result<Self> {
        if inner.dimension() != frame.len() {
            return Err(Error::domain("number of frame columns", frame.len(), inner.dimension()));
        }
        Ok(Self { inner, frame })
    }

    /// The frame.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The loss in the frame's coordinates.
    pub fn inner(&self) -> &L {
        &self.inner
    }
}

impl<L: Loss> Loss for Rotated<L> {
    fn dimension(&self) -> usize {
        self.frame.dimension()
    }

    fn value(&self, w: &DVector<f64>) -> f64 {
        self.inner.value(&self.frame.coordinates(w))
    }

    fn gradient(&self, w: &DVector<f64>) -> DVector<f64> {
        self.frame.combination(&self.inner.gradient(&self.frame.coordinates(w)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::assert_gradient;
    use super::super::{PiecewiseLinear, Separable, Softened, Univariate};
    use super::*;

    #[test]
    fn the_third_counterexample_is_a_loss_along_one_direction() {
        let g = PiecewiseLinear::new(vec![0.0, 1.0], vec![-3.0, 100.0, 0.5], (0.0, 0.0)).expect("valid");
        let u = Frame::new(DMatrix::from_column_slice(2, 1, &[0.6, 0.8])).expect("unit");
        let loss = Rotated::new(Separable::new(vec![g.clone()]).expect("one axis"), u).expect("fits");
        assert_eq!(loss.dimension(), 2);
        let w = DVector::from_vec(vec![4.0, 3.0]);
        assert!((loss.value(&w) - g.value(4.8)).abs() < 1e-12);
        assert!((loss.value(&-w) - 14.4).abs() < 1e-12);
    }

    #[test]
    fn the_error_names_the_columns() {
        let message = |rows, columns, entries: &[f64]| {
            Frame::new(DMatrix::from_row_slice(rows, columns, entries)).expect_err("invalid").to_string()
        };
        assert_eq!(
            message(3, 3, &[1.0, 0.0, 0.25, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
            "inner product of frame columns 0 and 2 is 0.25; allowed: 0 to within 1e-10"
        );
        assert_eq!(
            message(2, 2, &[1.0, 0.0, 0.0, 2.0]),
            "squared length of frame column 1 is 4; allowed: 1 to within 1e-10"
        );
        assert_eq!(
            message(2, 1, &[f64::NAN, 0.0]),
            "coordinate 0 of the frame column 0 is NaN; allowed: a finite number"
        );
        assert_eq!(message(1, 2, &[1.0, 0.0]), "number of frame columns is 2; allowed: 1 to the number of rows, 1");
        assert!(Frame::random(3, 4, Seed(0), 0).is_err());
        assert!(Frame::random(3, 0, Seed(0), 0).is_err());
        let line = Separable::new(vec![PiecewiseLinear::valley(1.0, 2.0).expect("valid")]).expect("one axis");
        let plane = Frame::random(3, 2, Seed(0), 0).expect("valid");
        assert!(Rotated::new(line, plane).is_err());
    }

    #[test]
    fn random_frames_are_uniform() {
        // An entry of a uniform frame of ℝ⁴ has mean 0 and variance 1/4 (E x⁴ = 1/8, so x² has variance 1/16); over
        // 4,000 frames the means leave ±6 standard deviations with probability below 1e-8 for all eight entries.
        let frames = 4_000;
        let (mut first, mut second) = (DMatrix::zeros(4, 2), DMatrix::zeros(4, 2));
        for index in 0..frames {
            let frame = Frame::random(4, 2, Seed(3), index).expect("valid");
            first += frame.matrix();
            second += frame.matrix().component_mul(frame.matrix());
        }
        let n = frames as f64;
        assert!(first.iter().all(|sum| (sum / n).abs() < 6.0 * (0.25 / n).sqrt()), "{first}");
        assert!(second.iter().all(|sum| (sum / n - 0.25).abs() < 6.0 * (0.0625 / n).sqrt()), "{second}");
    }

    proptest! {
        #[test]
        fn has_the_gradient_of_its_value(w in prop::collection::vec(-3.0..3.0f64, 5), k in 1usize..6, index in 0u64..50) {
            let frame = Frame::random(5, k, Seed(1), index).expect("valid");
            let axes = (0..k).map(|i| Softened::new(0.5, 2.0 + i as f64, 0.7).expect("valid"));
            let loss = Rotated::new(Separable::new(axes.collect()).expect("axes"), frame).expect("fits");
            assert_gradient(&loss, &DVector::from_vec(w), 30.0);
        }

        #[test]
        fn random_frames_are_orthonormal_and_go_back_and_forth(d in 1usize..40, index in 0u64..20) {
            let frame = Frame::random(d, d, Seed(2), index).expect("valid");
            let s = DVector::from_fn(d, |i, _| i as f64 - 3.0);
            let back = frame.coordinates(&frame.combination(&s));
            prop_assert!((back - &s).norm() < 1e-13 * (1.0 + s.norm()));
        }
    }
}
