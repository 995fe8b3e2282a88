//! Where a smallest mean turns from negative to positive.

use super::average::{Bounds, Game, Stop, smallest_mean};
use super::walk::whole;
use crate::progress::Observer;
use crate::{Error, Result};

/// A threshold in c, the asymmetry from which a smallest mean is positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Enclosure {
    /// The largest c on the lattice at which one of its adversaries has a negative mean; where there is none, the largest c
    /// below those searched. Every adversary of the lattice is one of the theorem's, so the true threshold is not below.
    pub negative: f64,
    /// The largest c on the lattice at which the smallest mean of its adversaries is not positive: negative, or 0 to 1e-5·ηa₊.
    /// One cell above, it is positive.
    pub threshold: f64,
    /// The smallest c on the lattice from which every adversary, on the lattice or not, has a positive mean, so that the
    /// true threshold is not above; none if it was not found, or not looked for.
    pub certain: Option<f64>,
}

/// How near to 0 a mean is taken for 0, in units of ηa₊.
const ZERO: f64 = 1e-5;

/// What the smallest mean of one game says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Negative,
    Zero,
    Positive,
}

/// The sign of the smallest mean. `values` begin the search if they are as many as the states, and are kept for the next.
pub(super) fn sign(game: &impl Game, values: &mut Vec<f64>, cells: u16, observer: &dyn Observer) -> Result<Sign> {
    if values.len() != game.costs().len() {
        *values = vec![0.0; game.costs().len()];
    }
    let Bounds { low, high } = smallest_mean(game, values, Stop::Sign(ZERO * f64::from(cells)), observer)?;
    Ok(if low > 0.0 {
        Sign::Positive
    } else if high < 0.0 {
        Sign::Negative
    } else {
        Sign::Zero
    })
}

/// The first of the numbers in `low..high` whose sign is at least `least`, which it keeps from there on; `high` if none is.
pub(super) fn first(
    (mut low, mut high): (usize, usize),
    least: Sign,
    mut sign: impl FnMut(usize) -> Result<Sign>,
) -> Result<usize> {
    while low < high {
        let middle = low.midpoint(high);
        if sign(middle)? >= least { high = middle } else { low = middle + 1 }
    }
    Ok(low)
}

/// b₊ and ν in units of a₊, which are whole numbers of cells.
pub(super) fn in_cells(b_plus: f64, nu: f64, cells: u16) -> Result<[usize; 2]> {
    if cells == 0 {
        return Err(Error::domain("number of cells", cells, "at least 1"));
    }
    if !(b_plus > 0.0 && b_plus <= 1.0) {
        return Err(Error::domain("b₊/a₊", b_plus, "in (0, 1]"));
    }
    let exactly = |name, size: f64| whole(name, size * f64::from(cells), size * f64::from(cells)).map(|ends| ends[0]);
    Ok([exactly("b₊", b_plus)?, exactly("ν", nu)?])
}
