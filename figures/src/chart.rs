//! One pair of axes on a sheet, and what is drawn between them.

use plotters::style::RGBColor;

use crate::Result;
use crate::canvas::{Anchor, Canvas, Point, Text, text_width};
use crate::scale::Axis;
use crate::style::{AXIS, GREY, HAIRLINE, LINE_HEIGHT, MARK, Marker, SMALL, Stroke};

/// Length of a tick, outside the frame.
const TICK: f64 = 4.0;
/// Radius of a marker.
pub(crate) const MARKER_RADIUS: f64 = 4.0;
/// A curve of more points than this is thinned to its extremes, which look the same.
const MOST_POINTS: usize = 1200;

/// The rectangle that holds the data, in units of the sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    pub(crate) const fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self { left, top, right, bottom }
    }
}

/// A word beside the data, in the colour of what it names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    /// Where it belongs, as a value of the axis along which it is placed.
    pub(crate) at: f64,
    pub(crate) text: String,
    pub(crate) colour: RGBColor,
}

impl Label {
    pub(crate) fn new(at: f64, text: impl Into<String>, colour: RGBColor) -> Self {
        Self { at, text: text.into(), colour }
    }
}

/// What a key shows beside a name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sample {
    Line(Stroke),
    Marker(Marker, RGBColor),
    Area(RGBColor, f64),
}

/// Axes in a frame.
pub(crate) struct Panel {
    frame: Frame,
    x: Axis,
    y: Axis,
}

impl Panel {
    pub(crate) fn new(frame: Frame, x: Axis, y: Axis) -> Self {
        Self { frame, x, y }
    }

    /// The place of a data point on the sheet.
    pub(crate) fn at(&self, x: f64, y: f64) -> Point {
        let Frame { left, top, right, bottom } = self.frame;
        (left + self.x.fraction(x) * (right - left), bottom - self.y.fraction(y) * (bottom - top))
    }

    /// The value of y at the lower edge of the frame.
    pub(crate) fn floor(&self) -> f64 {
        self.y.low()
    }

    /// Headline of a panel on the given baseline, flush with the frame.
    pub(crate) fn title(&self, canvas: &mut Canvas<'_>, baseline: f64, text: &str) -> Result<()> {
        canvas.text((self.frame.left, baseline), Text::new(Anchor::Start).bold(), text)
    }

    /// Hairlines, both axes, their ticks, numbers and names.
    pub(crate) fn axes(&self, canvas: &mut Canvas<'_>) -> Result<()> {
        let numbers = self.y_axis(canvas)?;
        self.y_name(canvas, TICK + 4.0 + numbers + 10.0)?;
        self.x_axis(canvas)
    }

    /// The name of the y axis, its baseline `distance` to the left of the frame.
    pub(crate) fn y_name(&self, canvas: &mut Canvas<'_>, distance: f64) -> Result<()> {
        let Frame { left, top, bottom, .. } = self.frame;
        canvas.text((left - distance, 0.5 * (top + bottom)), Text::new(Anchor::Middle).upright(), &self.y.title())
    }

    /// Hairlines and the y axis with its numbers but no name; gives the width of the numbers.
    pub(crate) fn y_axis(&self, canvas: &mut Canvas<'_>) -> Result<f64> {
        let Frame { left, top, right, bottom } = self.frame;
        let look = Text::new(Anchor::End).size(SMALL);
        let mut widest: f64 = 0.0;
        for tick in self.y.ticks(((bottom - top) / 32.0) as usize) {
            let (_, y) = self.at(self.x.low(), tick.value);
            canvas.path(&[(left, y), (right, y)], HAIRLINE)?;
            canvas.path(&[(left - TICK, y), (left, y)], AXIS)?;
            canvas.text_centred((left - TICK - 4.0, y), look, &tick.label)?;
            widest = widest.max(text_width(&tick.label, &look)?);
        }
        canvas.path(&[(left, top), (left, bottom)], AXIS)?;
        Ok(widest)
    }

    /// The x axis with its ticks, numbers and name.
    pub(crate) fn x_axis(&self, canvas: &mut Canvas<'_>) -> Result<()> {
        let Frame { left, right, bottom, .. } = self.frame;
        canvas.path(&[(left, bottom), (right, bottom)], AXIS)?;
        for tick in self.x.ticks(((right - left) / 62.0) as usize) {
            let (x, _) = self.at(tick.value, self.y.low());
            canvas.path(&[(x, bottom), (x, bottom + TICK)], AXIS)?;
            canvas.text((x, bottom + TICK + 14.0), Text::new(Anchor::Middle).size(SMALL), &tick.label)?;
        }
        canvas.text((0.5 * (left + right), bottom + TICK + 34.0), Text::new(Anchor::Middle), &self.x.title())
    }

    /// The y axis with words instead of numbers, one a value.
    pub(crate) fn rows(&self, canvas: &mut Canvas<'_>, labels: &[(f64, String)]) -> Result<()> {
        let Frame { left, top, right, bottom } = self.frame;
        for (value, label) in labels {
            let (_, y) = self.at(self.x.low(), *value);
            canvas.path(&[(left, y), (right, y)], HAIRLINE)?;
            canvas.text_centred((left - 8.0, y), Text::new(Anchor::End).size(SMALL), label)?;
        }
        canvas.path(&[(left, top), (left, bottom)], AXIS)
    }

    /// A curve through data points, cut at the frame.
    pub(crate) fn curve(
        &self,
        canvas: &mut Canvas<'_>,
        points: impl IntoIterator<Item = (f64, f64)>,
        stroke: Stroke,
    ) -> Result<()> {
        let points: Vec<Point> = points.into_iter().map(|(x, y)| self.at(x, y)).collect();
        clipped(&thinned(points), self.frame).iter().try_for_each(|piece| canvas.path(piece, stroke))
    }

    /// The area between two curves over the same x.
    pub(crate) fn band(
        &self,
        canvas: &mut Canvas<'_>,
        points: &[(f64, f64, f64)],
        colour: RGBColor,
        opacity: f64,
    ) -> Result<()> {
        let lower = points.iter().map(|&(x, low, _)| self.at(x, low));
        let upper = points.iter().rev().map(|&(x, _, high)| self.at(x, high));
        canvas.polygon(&lower.chain(upper).collect::<Vec<_>>(), colour, opacity)
    }

    /// The whole height between two values of x.
    pub(crate) fn span(
        &self,
        canvas: &mut Canvas<'_>,
        (from, to): (f64, f64),
        colour: RGBColor,
        opacity: f64,
    ) -> Result<()> {
        let corner = |x: f64, y: f64| (self.at(x, self.y.low()).0, y);
        canvas.rectangle(corner(from.min(to), self.frame.top), corner(from.max(to), self.frame.bottom), colour, opacity)
    }

    /// A marker at a data point.
    pub(crate) fn marker(
        &self,
        canvas: &mut Canvas<'_>,
        (x, y): (f64, f64),
        marker: Marker,
        colour: RGBColor,
    ) -> Result<()> {
        canvas.marker(self.at(x, y), marker, MARKER_RADIUS, colour)
    }

    /// A line across the whole height that marks a value of x.
    pub(crate) fn vertical(&self, canvas: &mut Canvas<'_>, x: f64, stroke: Stroke) -> Result<()> {
        let (x, _) = self.at(x, self.y.low());
        canvas.path(&[(x, self.frame.top), (x, self.frame.bottom)], stroke)
    }

    /// A line across the whole width that marks a value of y.
    pub(crate) fn horizontal(&self, canvas: &mut Canvas<'_>, y: f64, stroke: Stroke) -> Result<()> {
        let (_, y) = self.at(self.x.low(), y);
        canvas.path(&[(self.frame.left, y), (self.frame.right, y)], stroke)
    }

    /// Words to the right of the frame, each as near to its value of y as the others allow.
    pub(crate) fn labels_at_right(&self, canvas: &mut Canvas<'_>, labels: &[Label]) -> Result<()> {
        let wanted: Vec<f64> = labels.iter().map(|label| self.at(self.x.high(), label.at).1).collect();
        let placed = spread(&wanted, LINE_HEIGHT, self.frame.top, self.frame.bottom);
        for (label, y) in labels.iter().zip(placed) {
            let look = Text::new(Anchor::Start).colour(label.colour);
            canvas.text_centred((self.frame.right + 8.0, y), look, &label.text)?;
        }
        Ok(())
    }

    /// Marks values of x by dashed lines, with words above the frame.
    pub(crate) fn marks(&self, canvas: &mut Canvas<'_>, labels: &[Label]) -> Result<()> {
        labels.iter().try_for_each(|label| self.vertical(canvas, label.at, MARK))?;
        self.labels_above(canvas, labels)
    }

    /// Words above the frame, each centred on its value of x as far as the frame allows; words too close stand above
    /// one another.
    pub(crate) fn labels_above(&self, canvas: &mut Canvas<'_>, labels: &[Label]) -> Result<()> {
        let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
        for label in labels {
            let look = Text::new(Anchor::Middle).colour(label.colour);
            let half = 0.5 * text_width(&label.text, &look)?;
            let (mark, _) = self.at(label.at, self.y.low());
            let (first, last) = (self.frame.left + half, self.frame.right - half);
            let x = if first < last { mark.clamp(first, last) } else { mark };
            let (from, to) = (x - half - 8.0, x + half + 8.0);
            let free = |row: &Vec<(f64, f64)>| row.iter().all(|&(low, high)| to <= low || from >= high);
            let row = taken.iter().position(free).unwrap_or(taken.len());
            if row == taken.len() {
                taken.push(Vec::new());
            }
            taken[row].push((from, to));
            let height = self.frame.top - 6.0 - row as f64 * LINE_HEIGHT;
            canvas.text((x, height), look, &label.text)?;
        }
        Ok(())
    }

    /// A grey sentence centred in the frame, where there is nothing to draw.
    pub(crate) fn notice(&self, canvas: &mut Canvas<'_>, text: &str) -> Result<()> {
        let Frame { left, top, right, bottom } = self.frame;
        let look = Text::new(Anchor::Middle).colour(GREY);
        canvas.text_centred((0.5 * (left + right), 0.5 * (top + bottom)), look, text)
    }
}

/// Names of curves from `left` to `right`, in rows downwards from the baseline `y`; for pictures without room beside
/// the curves.
pub(crate) fn key(
    canvas: &mut Canvas<'_>,
    (left, right): (f64, f64),
    mut y: f64,
    entries: &[(Sample, &str)],
) -> Result<()> {
    let look = Text::new(Anchor::Start).size(SMALL);
    let mut x = left;
    for (sample, name) in entries {
        let width = 26.0 + text_width(name, &look)?;
        if x > left && x + width > right {
            (x, y) = (left, y + LINE_HEIGHT);
        }
        let middle = y - 4.5;
        match *sample {
            Sample::Line(stroke) => canvas.path(&[(x, middle), (x + 20.0, middle)], stroke)?,
            Sample::Marker(marker, colour) => canvas.marker((x + 10.0, middle), marker, MARKER_RADIUS, colour)?,
            Sample::Area(colour, opacity) => {
                canvas.rectangle((x, middle - 5.0), (x + 20.0, middle + 5.0), colour, opacity)?;
            }
        }
        canvas.text((x + 26.0, y), look, name)?;
        x += width + 16.0;
    }
    Ok(())
}

/// Cuts a line at the edges of the frame.
fn clipped(points: &[Point], frame: Frame) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = clipped_segment(pair[0], pair[1], frame) else { continue };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&from) => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
    }
    pieces
}

/// The part of a segment inside the frame (Liang and Barsky's method).
fn clipped_segment(from: Point, to: Point, frame: Frame) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
    let sides = [
        (-dx, from.0 - frame.left),
        (dx, frame.right - from.0),
        (-dy, from.1 - frame.top),
        (dy, frame.bottom - from.1),
    ];
    for (outwards, room) in sides {
        if outwards == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if outwards < 0.0 {
            enters = enters.max(room / outwards);
        } else {
            leaves = leaves.min(room / outwards);
        }
    }
    let at = |t: f64| {
        if t == 0.0 {
            from
        } else if t == 1.0 {
            to
        } else {
            (from.0 + t * dx, from.1 + t * dy)
        }
    };
    (enters <= leaves).then(|| (at(enters), at(leaves)))
}

/// Keeps the first, lowest, highest and last point of each of many runs of points.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let run = points.len().div_ceil(MOST_POINTS / 4);
    let mut kept = Vec::with_capacity(MOST_POINTS);
    for chunk in points.chunks(run) {
        let extreme = |better: fn(f64, f64) -> bool| {
            (1..chunk.len()).fold(0, |best, i| if better(chunk[i].1, chunk[best].1) { i } else { best })
        };
        let mut indices = [0, extreme(|a, b| a < b), extreme(|a, b| a > b), chunk.len() - 1];
        indices.sort_unstable();
        kept.extend(indices.map(|i| chunk[i]));
    }
    kept.dedup();
    kept
}

/// Moves places apart until neighbours are at least `gap` from each other, as near as may be to where they were
/// wanted, and inside `low..=high` while there is room.
fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    // Groups of touching labels, each centred on the mean of what its members wanted.
    let mut groups: Vec<(f64, Vec<usize>)> = Vec::new();
    for index in order {
        groups.push((wanted[index].min(high).max(low), vec![index]));
        while let [.., (before, upper), (after, lower)] = groups.as_slice() {
            let reach = 0.5 * gap * (upper.len() + lower.len()) as f64;
            if after - before >= reach {
                break;
            }
            let members: Vec<usize> = upper.iter().chain(lower).copied().collect();
            let mean = members.iter().map(|&i| wanted[i]).sum::<f64>() / members.len() as f64;
            groups.truncate(groups.len() - 2);
            let half = 0.5 * gap * (members.len() - 1) as f64;
            groups.push((mean.min(high - half).max(low + half), members));
        }
    }
    let mut placed = vec![0.0; wanted.len()];
    for (centre, members) in groups {
        let half = 0.5 * gap * (members.len() - 1) as f64;
        for (i, &member) in members.iter().enumerate() {
            placed[member] = centre - half + gap * i as f64;
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_move_apart_but_stay_near() {
        assert_eq!(spread(&[10.0, 50.0], 17.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(
            spread(&[50.0, 50.0, 51.0], 10.0, 0.0, 100.0),
            [151.0 / 3.0 - 10.0, 151.0 / 3.0, 151.0 / 3.0 + 10.0]
        );
        assert_eq!(spread(&[99.0, 98.0], 10.0, 0.0, 100.0), [100.0, 90.0]);
        assert!(spread(&[], 10.0, 0.0, 1.0).is_empty());
    }

    #[test]
    fn a_thinned_curve_keeps_its_extremes() {
        let mut points: Vec<Point> = (0..10_000).map(|i| (f64::from(i), 0.0)).collect();
        points[4321].1 = 7.0;
        points[8765].1 = -7.0;
        let kept = thinned(points);
        assert!(kept.len() <= MOST_POINTS + 4, "{} points", kept.len());
        assert!(kept.contains(&(4321.0, 7.0)) && kept.contains(&(8765.0, -7.0)));
        assert_eq!((kept.first(), kept.last()), (Some(&(0.0, 0.0)), Some(&(9999.0, 0.0))));
    }
}
