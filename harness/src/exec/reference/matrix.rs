//! Matrices as views of slices, and their product: the one place with unsafe code.

use crate::Scalar;

/// A matrix in a slice: entry (i, j) is `data[i·row_step + j·column_step]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A slice as a matrix of this many columns, row after row.
    pub(super) fn new(data: &'a [T], columns: usize) -> Self {
        Self { data, rows: data.len() / columns, columns, row_step: columns, column_step: 1 }
    }

    /// The transposed matrix.
    pub(super) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row_step: self.column_step, column_step: self.row_step, ..self }
    }
}

/// Whether a product replaces the destination or is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    Replace,
    Add,
}

/// c ← a·b, or c ← c + a·b, c being stored row after row. Runs on the calling thread alone.
///
/// Fastest where the columns of b, and so of c, lie side by side in memory: they fill the SIMD lanes.
///
/// # Panics
/// If the extents do not fit: an error of this module's callers, never of an input.
pub(super) fn multiply<T: Scalar>(c: &mut [T], a: Matrix<'_, T>, b: Matrix<'_, T>, write: Write) {
    assert_eq!((a.columns, c.len()), (b.rows, a.rows * b.columns), "extents of a matrix product");
    for matrix in [a, b] {
        assert_eq!(matrix.data.len(), matrix.rows * matrix.columns, "extent of a factor");
    }
    // SAFETY: `Matrix` has steps (columns, 1) or (1, rows), so that entries lie below rows·columns, which the second
    // assertion compares with the slice; the first does so for c, which is borrowed mutably and hence overlaps neither.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            c.as_mut_ptr(),
            1,
            b.columns as isize,
            write == Write::Add,
            a.data.as_ptr(),
            a.column_step as isize,
            a.row_step as isize,
            b.data.as_ptr(),
            b.column_step as isize,
            b.row_step as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_all_layouts_agree_with_the_definition() {
        for (m, k, n) in [(1, 1, 1), (2, 3, 4), (16, 27, 33), (5, 64, 1), (1, 7, 40), (17, 2, 19)] {
            let left: Vec<f64> = (0..m * k).map(|i| (i as f64 * 0.7).sin()).collect();
            let right: Vec<f64> = (0..k * n).map(|i| (i as f64 * 1.3).cos()).collect();
            let entry = |i: usize, j: usize| (0..k).map(|l| left[i * k + l] * right[l * n + j]).sum::<f64>();
            let turn = |data: &[f64], columns: usize| -> Vec<f64> {
                (0..data.len())
                    .map(|i| data[i % (data.len() / columns) * columns + i / (data.len() / columns)])
                    .collect()
            };
            let (left_turned, right_turned) = (turn(&left, k), turn(&right, n));
            let lefts = [Matrix::new(&left, k), Matrix::new(&left_turned, m).transposed()];
            let rights = [Matrix::new(&right, n), Matrix::new(&right_turned, k).transposed()];
            for (a, b) in lefts.into_iter().flat_map(|a| rights.map(|b| (a, b))) {
                let mut c = vec![1.0; m * n];
                multiply(&mut c, a, b, Write::Replace);
                multiply(&mut c, a, b, Write::Add);
                for (index, value) in c.iter().enumerate() {
                    let right = 2.0 * entry(index / n, index % n);
                    assert!((value - right).abs() < 1e-12, "{m}×{k}×{n}: {value} {right}");
                }
            }
        }
    }
}
