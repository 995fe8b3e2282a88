//! The loss on a plane through three solutions, or along two directions.

use valleys_sim::progress::Observer;
use valleys_sim::record::{self, PlaneMark};

use super::scan::{Cells, scan};
use super::surface::require_dimension;
use super::vector::{difference, dot, norm, unit};
use super::{Measured, Point, Store, Surface};
use crate::params::{Line, Weights};
use crate::{Error, Result};

/// A plane in weight space: origin + x·e₁ + y·e₂.
pub struct Plane<'a> {
    origin: &'a Weights<f32>,
    axes: [Vec<f64>; 2],
    names: [String; 2],
    marks: Vec<PlaneMark>,
}

impl<'a> Plane<'a> {
    /// The plane through three points: the first at (0, 0), the second on the first axis, the third above it.
    ///
    /// # Errors
    /// Points on one line.
    pub fn through(points: [(&str, &'a Weights<f32>); 3]) -> Result<Self> {
        let [(name, origin), second, third] = points;
        let to_second = difference(origin, second.1);
        let first = unit(&format!("the way from {name} to {}", second.0), to_second.clone())?;
        let mut across = difference(origin, third.1);
        let (far, along) = (norm(&across), dot(&across, &first));
        across.iter_mut().zip(&first).for_each(|(x, e)| *x -= along * e);
        let height = norm(&across);
        if height <= 1e-6 * far || height == 0.0 {
            let allowed = format!("off the line through {name} and {}", second.0);
            return Err(Error::domain("third point of the plane", third.0, allowed));
        }
        let mark = |name: &str, x: f64, y: f64| PlaneMark { name: name.to_owned(), x, y };
        Ok(Self {
            marks: vec![mark(name, 0.0, 0.0), mark(second.0, norm(&to_second), 0.0), mark(third.0, along, height)],
            axes: [first, unit("the second axis", across)?],
            names: [format!("distance from {name} towards {}", second.0), format!("towards {}", third.0)],
            origin,
        })
    }

    /// The plane along two named directions from a named centre; they need not be at right angles, and distances on the
    /// picture are true only if they are.
    pub fn along((name, centre): (&str, &'a Weights<f32>), directions: [(&str, Vec<f64>); 2]) -> Self {
        let names = [0, 1].map(|i| format!("offset along {}", directions[i].0));
        let marks = vec![PlaneMark { name: name.to_owned(), x: 0.0, y: 0.0 }];
        Self { origin: centre, axes: directions.map(|(_, u)| u), names, marks }
    }

    /// The named places on it.
    pub fn marks(&self) -> &[PlaneMark] {
        &self.marks
    }
}

/// Measures every crossing of a grid on a plane; with frozen batch norm, with the statistics of its origin.
///
/// # Errors
/// An empty grid, a plane of another dimension, and those of [`Surface::measure`].
pub fn plane(
    surface: &mut dyn Surface,
    plane: &Plane<'_>,
    (title, x, y): (&str, &[f64], &[f64]),
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<record::Plane> {
    for axis in &plane.axes {
        require_dimension("an axis of the plane", axis.len(), surface)?;
    }
    if x.is_empty() || y.is_empty() {
        return Err(Error::domain("points of the plane", 0, "at least 1 along each axis"));
    }
    let up = Line::new(plane.origin, &plane.axes[1])?;
    let centres: Vec<_> = y.iter().map(|&height| up.at(height)).collect();
    let rows = y.iter().zip(&centres);
    let rows = rows.map(|(height, centre)| Cells::new(format!("y {height}"), x, centre, &plane.axes[0]));
    let points = scan(surface, "loss on a plane", &rows.collect::<Result<Vec<_>>>()?, store, observer)?;
    let losses = |side: fn(&Point) -> &Measured| {
        points.iter().map(|row| row.iter().map(|point| side(point).loss).collect()).collect()
    };
    Ok(record::Plane {
        title: title.to_owned(),
        axes: plane.names.clone(),
        x: x.to_vec(),
        y: y.to_vec(),
        train: losses(|point| &point.train),
        test: losses(|point| &point.test),
        marks: plane.marks.clone(),
        setting: surface.setting(),
    })
}

#[cfg(test)]
mod tests {
    use valleys_sim::progress::Silent;

    use super::*;
    use crate::landscape::known::{Known, point};

    #[test]
    fn three_points_lie_where_they_are_marked() {
        let [a, b, c] = [[1.0, 1.0, 0.0], [1.0, 3.0, 0.0], [1.0, 2.0, 5.0]].map(|values| point(&values));
        let it = Plane::through([("a", &a), ("b", &b), ("c", &c)]).expect("a plane");
        let places: Vec<_> = it.marks().iter().map(|mark| (mark.name.as_str(), mark.x, mark.y)).collect();
        assert_eq!(places, [("a", 0.0, 0.0), ("b", 2.0, 0.0), ("c", 1.0, 5.0)]);
        // The loss tells the coordinates; on the plane w = (1, 1 + x, y).
        let mut surface = Known::new(3, |w| w[1] + 100.0 * w[2], |w| w[0]);
        let grids = ("", &[0.0, 1.0, 2.0][..], &[0.0, 5.0][..]);
        let record = plane(&mut surface, &it, grids, &mut Vec::new(), &Silent).expect("measured");
        assert_eq!(record.train, [[1.0, 2.0, 3.0], [501.0, 502.0, 503.0]]);
        assert_eq!(record.test, [[1.0; 3], [1.0; 3]]);
        let same = Plane::through([("a", &a), ("b", &b), ("a", &a)]).map(|_| ());
        assert_eq!(
            same.expect_err("on a line").to_string(),
            "third point of the plane is a; allowed: off the line through a and b"
        );
        assert!(plane(&mut surface, &it, ("", &[], &[0.0]), &mut Vec::new(), &Silent).is_err());
    }

    #[test]
    fn two_directions_make_a_plane_around_their_centre() {
        let centre = point(&[1.0, 1.0]);
        let it = Plane::along(("SWA", &centre), [("u", vec![1.0, 0.0]), ("v", vec![0.0, 2.0])]);
        let mut surface = Known::new(2, |w| w[0] + 10.0 * w[1], |_| 0.0);
        let record = plane(&mut surface, &it, ("", &[-1.0, 0.0], &[1.0]), &mut Vec::new(), &Silent).expect("measured");
        assert_eq!(record.train, [[30.0, 31.0]]);
        assert_eq!((record.axes[1].as_str(), record.marks.len()), ("offset along v", 1));
    }
}
