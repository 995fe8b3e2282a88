//! A sheet to draw on, in units of the finished picture.
//!
//! plotters rounds every coordinate to a whole unit. So the sheet is drawn [`ZOOM`] times as large, and the finished
//! document keeps that view box but takes the intended width and height: lines come out smooth.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle, register_font};

use crate::style::{BODY, INK, Marker, Stroke, WHITE};
use crate::{Error, Result};

/// How many times larger than the picture the sheet is drawn.
const ZOOM: f64 = 8.0;
/// The font, and what a browser without it takes instead: Verdana has nearly the same widths.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";
/// plotters writes a font size divided by this.
const PLOTTERS_FONT_SCALE: f64 = 1.24;
/// Height of a line, ascender to descender, in units of the font size (DejaVu Sans). plotters writes a text with the
/// font size as its unit, but measures it as if this height were the unit.
const LINE: f64 = 1.164;
/// Height of a digit in units of the font size (DejaVu Sans).
const DIGIT_HEIGHT: f64 = 0.729;
/// Height of a small x in the same units; plotters lifts bottom-anchored text by half of it.
const X_HEIGHT: f64 = 0.547;

/// A place on the sheet: x to the right, y down.
pub(crate) type Point = (f64, f64);

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    pub(crate) size: f64,
    pub(crate) colour: RGBColor,
    pub(crate) bold: bool,
    pub(crate) anchor: Anchor,
    /// Whether the text is turned to be read from below to above.
    pub(crate) upright: bool,
}

impl Text {
    pub(crate) const fn new(anchor: Anchor) -> Self {
        Self { size: BODY, colour: INK, bold: false, anchor, upright: false }
    }

    pub(crate) const fn size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    pub(crate) const fn colour(self, colour: RGBColor) -> Self {
        Self { colour, ..self }
    }

    pub(crate) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(crate) const fn upright(self) -> Self {
        Self { upright: true, ..self }
    }

    fn style(&self) -> TextStyle<'_> {
        let weight = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = (FAMILY, self.size * ZOOM * PLOTTERS_FONT_SCALE, weight).into_font();
        let font = if self.upright { font.transform(FontTransform::Rotate270) } else { font };
        let horizontal = match self.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        TextStyle::from(font).color(&self.colour).pos(Pos::new(horizontal, VPos::Bottom))
    }
}

/// The sheet.
pub(crate) struct Canvas<'a> {
    backend: SVGBackend<'a>,
    /// For every polyline so far, the lengths of its dashes and gaps (0, 0 for a solid line). plotters' SVG knows only
    /// solid lines, so the finished document is given them.
    dashes: Vec<[f64; 2]>,
}

/// Draws a picture of the given size on white and returns the SVG document.
pub(crate) fn draw(width: f64, height: f64, paint: impl FnOnce(&mut Canvas<'_>) -> Result<()>) -> Result<String> {
    for (style, font) in [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())] {
        register_font(FAMILY, style, font).map_err(|_| Error::drawing("the embedded font is damaged"))?;
    }
    let (zoomed_width, zoomed_height) = ((width * ZOOM) as u32, (height * ZOOM) as u32);
    let mut svg = String::new();
    let dashes = {
        let backend = SVGBackend::with_string(&mut svg, (zoomed_width, zoomed_height));
        let mut canvas = Canvas { backend, dashes: Vec::new() };
        canvas.rectangle((0.0, 0.0), (width, height), WHITE, 1.0)?;
        paint(&mut canvas)?;
        canvas.backend.present().map_err(Error::drawing)?;
        canvas.dashes
    };
    let drawn = format!("<svg width=\"{zoomed_width}\" height=\"{zoomed_height}\"");
    let wanted = format!(
        "<svg width=\"{width}\" height=\"{height}\" role=\"img\" stroke-linejoin=\"round\" stroke-linecap=\"round\""
    );
    // Full opacity is SVG's default and need not be said a thousand times.
    let svg = svg.replacen(&drawn, &wanted, 1).replace(" opacity=\"1\"", "");
    Ok(with_dashes(&svg, &dashes))
}

/// Breaks the polylines of a document, which stand in it in the order they were drawn.
fn with_dashes(svg: &str, dashes: &[[f64; 2]]) -> String {
    let mut pieces = svg.split("<polyline");
    let head = pieces.next().unwrap_or_default().to_owned();
    pieces.zip(dashes).fold(head, |document, (piece, dash)| match dash {
        [0.0, 0.0] => document + "<polyline" + piece,
        [dash, gap] => document + &format!("<polyline stroke-dasharray=\"{dash} {gap}\"") + piece,
    })
}

/// Width of a text in units of the picture.
pub(crate) fn text_width(text: &str, look: &Text) -> Result<f64> {
    let (width, _) = look.style().font.box_size(text).map_err(Error::drawing)?;
    Ok(f64::from(width) / ZOOM * LINE / PLOTTERS_FONT_SCALE)
}

/// The text, cut and ended by an ellipsis if it would be wider than `most`.
pub(crate) fn fitted(text: &str, look: &Text, most: f64) -> Result<String> {
    if text_width(text, look)? <= most {
        return Ok(text.to_owned());
    }
    let mut kept = text.to_owned();
    while kept.pop().is_some() {
        let shortened = format!("{}…", kept.trim_end_matches([' ', ',', ';', ':']));
        if text_width(&shortened, look)? <= most {
            return Ok(shortened);
        }
    }
    Ok(String::new())
}

fn zoomed((x, y): Point) -> (i32, i32) {
    ((x * ZOOM).round() as i32, (y * ZOOM).round() as i32)
}

impl Canvas<'_> {
    /// A line through the points, broken as the stroke says. Fewer than two points draw nothing.
    pub(crate) fn path(&mut self, points: &[Point], stroke: Stroke) -> Result<()> {
        let mut path: Vec<_> = points.iter().copied().map(zoomed).collect();
        path.dedup();
        if path.len() < 2 {
            return Ok(());
        }
        let style = ShapeStyle {
            color: stroke.colour.mix(stroke.opacity),
            filled: false,
            stroke_width: (stroke.width * ZOOM).round() as u32,
        };
        self.dashes.push(stroke.dash.pattern().map(|part| part * stroke.width * ZOOM));
        self.backend.draw_path(path, &style).map_err(Error::drawing)
    }

    /// A filled polygon.
    pub(crate) fn polygon(&mut self, points: &[Point], colour: RGBColor, opacity: f64) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(zoomed).collect();
        self.backend.fill_polygon(points, &colour.mix(opacity).to_backend_color()).map_err(Error::drawing)
    }

    /// A filled rectangle between its upper left and lower right corners.
    pub(crate) fn rectangle(&mut self, from: Point, to: Point, colour: RGBColor, opacity: f64) -> Result<()> {
        let style = colour.mix(opacity).to_backend_color();
        self.backend.draw_rect(zoomed(from), zoomed(to), &style, true).map_err(Error::drawing)
    }

    /// A marker of the given radius at a place.
    pub(crate) fn marker(&mut self, at: Point, marker: Marker, radius: f64, colour: RGBColor) -> Result<()> {
        let (x, y) = at;
        let around = |corners: &[Point]| -> Vec<Point> {
            corners.iter().map(|(dx, dy)| (x + dx * radius, y + dy * radius)).collect()
        };
        match marker {
            Marker::Disc => self.disc(at, radius, colour),
            Marker::Ring => {
                self.disc(at, radius, colour)?;
                self.disc(at, 0.6 * radius, WHITE)
            }
            Marker::Triangle => self.polygon(&around(&[(0.0, -1.15), (1.05, 0.8), (-1.05, 0.8)]), colour, 1.0),
            Marker::Diamond => {
                self.polygon(&around(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]), colour, 1.0)
            }
        }
    }

    fn disc(&mut self, at: Point, radius: f64, colour: RGBColor) -> Result<()> {
        let radius = (radius * ZOOM).round() as u32;
        self.backend.draw_circle(zoomed(at), radius, &colour.to_backend_color(), true).map_err(Error::drawing)
    }

    /// A text whose baseline starts, ends or is centred at a place.
    pub(crate) fn text(&mut self, at: Point, look: Text, text: &str) -> Result<()> {
        // Bottom-anchored text sits half an x-height above its place.
        let lift = 0.5 * X_HEIGHT * look.size;
        let at = if look.upright { (at.0 + lift, at.1) } else { (at.0, at.1 + lift) };
        self.backend.draw_text(text, &look.style(), zoomed(at)).map_err(Error::drawing)
    }

    /// A text with the middle of its digits at the height of a place.
    pub(crate) fn text_centred(&mut self, at: Point, look: Text, text: &str) -> Result<()> {
        self.text((at.0, at.1 + 0.5 * DIGIT_HEIGHT * look.size), look, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::{BLUE, Dash};

    #[test]
    fn a_sheet_keeps_its_size_and_every_line_its_own_dashes() {
        let svg = draw(100.0, 50.0, |canvas| {
            let line = |y: f64| [(0.0, y), (100.0, y)];
            canvas.path(&line(10.0), Stroke::new(BLUE))?;
            canvas.path(&[(0.0, 0.0), (0.001, 0.0)], Stroke::new(BLUE))?;
            canvas.path(&line(20.0), Stroke::new(BLUE).dash(Dash::Dashed))?;
            canvas.text((5.0, 30.0), Text::new(Anchor::Start), "<polyline")?;
            canvas.path(&line(40.0), Stroke::new(BLUE).width(1.0).dash(Dash::Dotted))
        })
        .expect("a picture");
        assert!(svg.starts_with("<svg width=\"100\" height=\"50\" role=\"img\""), "{svg}");
        assert!(svg.contains("viewBox=\"0 0 800 400\""), "{svg}");
        let lines: Vec<&str> = svg.lines().filter(|line| line.starts_with("<polyline")).collect();
        assert_eq!(lines.len(), 3, "a line shorter than the sheet's unit is not drawn");
        let dashes: Vec<_> = lines.iter().map(|line| line.split("stroke-dasharray=\"").nth(1)).collect();
        assert!(dashes[0].is_none());
        assert!(dashes[1].is_some_and(|rest| rest.starts_with("48 48\"")), "{dashes:?}");
        assert!(dashes[2].is_some_and(|rest| rest.starts_with("0.8")), "{dashes:?}");
    }

    #[test]
    fn a_text_that_fits_is_left_alone() {
        let look = Text::new(Anchor::Start);
        // The font is known while a sheet is drawn.
        draw(10.0, 10.0, |_| {
            let wide = text_width("asymmetric", &look)?;
            assert_eq!(fitted("asymmetric", &look, wide)?, "asymmetric");
            let cut = fitted("asymmetric valley", &look, wide)?;
            assert!(cut.ends_with('…') && text_width(&cut, &look)? <= wide, "{cut}");
            // DejaVu Sans sets ten digits of 0.636 em each.
            assert!((text_width("0123456789", &look)? - 6.36 * BODY).abs() < 0.5);
            Ok(())
        })
        .expect("a sheet");
    }
}
