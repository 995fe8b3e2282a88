//! Functions of one number, alone and after batch norm.

use crate::Scalar;

/// A function y = f(z) and its slope.
pub(in crate::exec) trait Pointwise {
    /// f(z); NaN stays NaN.
    fn value<T: Scalar>(z: T) -> T;
    /// f′(z)·dy
    fn back<T: Scalar>(z: T, dy: T) -> T;
    /// f′(z)·dy, from y.
    fn back_from_value<T: Scalar>(y: T, dy: T) -> T;
}

/// The number itself.
pub(in crate::exec) struct Identity;

/// max(z, 0), with slope 0 at 0.
pub(in crate::exec) struct Relu;

/// 1/(1 + exp(−z)).
pub(in crate::exec) struct Sigmoid;

/// ln(1 + exp(z)).
pub(in crate::exec) struct Softplus;

impl Pointwise for Identity {
    #[inline]
    fn value<T: Scalar>(z: T) -> T {
        z
    }

    #[inline]
    fn back<T: Scalar>(_: T, dy: T) -> T {
        dy
    }

    #[inline]
    fn back_from_value<T: Scalar>(_: T, dy: T) -> T {
        dy
    }
}

impl Pointwise for Relu {
    #[inline]
    fn value<T: Scalar>(z: T) -> T {
        if z <= T::zero() { T::zero() } else { z }
    }

    #[inline]
    fn back<T: Scalar>(z: T, dy: T) -> T {
        if z > T::zero() { dy } else { T::zero() }
    }

    #[inline]
    fn back_from_value<T: Scalar>(y: T, dy: T) -> T {
        Self::back(y, dy)
    }
}

impl Pointwise for Sigmoid {
    #[inline]
    fn value<T: Scalar>(z: T) -> T {
        T::from_f64(sigmoid(z.to_f64()))
    }

    #[inline]
    fn back<T: Scalar>(z: T, dy: T) -> T {
        let y = sigmoid(z.to_f64());
        T::from_f64(y * (1.0 - y)) * dy
    }

    #[inline]
    fn back_from_value<T: Scalar>(y: T, dy: T) -> T {
        y * (T::one() - y) * dy
    }
}

impl Pointwise for Softplus {
    #[inline]
    fn value<T: Scalar>(z: T) -> T {
        let z = z.to_f64();
        T::from_f64(z.max(0.0) + (-z.abs()).exp().ln_1p())
    }

    #[inline]
    fn back<T: Scalar>(z: T, dy: T) -> T {
        T::from_f64(sigmoid(z.to_f64())) * dy
    }

    #[inline]
    fn back_from_value<T: Scalar>(y: T, dy: T) -> T {
        // exp(y) = 1 + exp(z), so that the slope exp(z)/(1 + exp(z)) is 1 − exp(−y).
        T::from_f64(-(-y.to_f64()).exp_m1()) * dy
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: Pointwise>(name: &str, known: [(f64, f64); 3]) {
        for (z, y) in known {
            let seen: f64 = F::value(z);
            assert!((seen - y).abs() <= 1e-15 * y.abs(), "{name}({z}) = {seen}, not {y}");
        }
        assert!(F::value(f64::NAN).is_nan(), "{name} of NaN");
        for z in [-3.0, -0.5, 0.0, 0.25, 2.0, 30.0f64] {
            let (slope, from_value): (f64, f64) = (F::back(z, 2.0), F::back_from_value(F::value(z), 2.0));
            assert!((slope - from_value).abs() < 1e-12, "{name}, {z}: {slope} {from_value}");
        }
    }

    #[test]
    fn known_values_even_where_exponentials_overflow() {
        check::<Identity>("identity", [(-2.0, -2.0), (0.0, 0.0), (1e300, 1e300)]);
        check::<Relu>("relu", [(-2.0, 0.0), (0.0, 0.0), (1e300, 1e300)]);
        check::<Sigmoid>("sigmoid", [(-1000.0, 0.0), (0.0, 0.5), (1000.0, 1.0)]);
        check::<Softplus>("softplus", [(-1000.0, 0.0), (0.0, std::f64::consts::LN_2), (1000.0, 1000.0)]);
        assert_eq!(Softplus::value(-40.0), (-40f64).exp(), "small values keep their digits");
    }
}
