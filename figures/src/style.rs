//! The look shared by all pictures.

use plotters::style::RGBColor;

// Colours that people with any kind of colour blindness tell apart (M. Okabe and K. Ito, 2008).
pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(crate) const VERMILION: RGBColor = RGBColor(213, 94, 0);
pub(crate) const GREEN: RGBColor = RGBColor(0, 158, 115);
pub(crate) const PURPLE: RGBColor = RGBColor(204, 121, 167);
pub(crate) const SKY: RGBColor = RGBColor(86, 180, 233);
pub(crate) const ORANGE: RGBColor = RGBColor(230, 159, 0);

pub(crate) const INK: RGBColor = RGBColor(32, 32, 32);
pub(crate) const GREY: RGBColor = RGBColor(110, 110, 110);
pub(crate) const SILVER: RGBColor = RGBColor(176, 176, 176);
pub(crate) const WHITE: RGBColor = RGBColor(255, 255, 255);

/// Width of every picture; a report column shows it at about this size.
pub(crate) const WIDTH: f64 = 800.0;
/// Room at the left and right edges.
pub(crate) const MARGIN: f64 = 16.0;
/// Baseline of the headlines of panels side by side, and of the keys below them.
pub(crate) const PANEL_TITLE: f64 = 71.0;
pub(crate) const PANEL_KEY: f64 = 91.0;
/// Size of axis numbers.
pub(crate) const SMALL: f64 = 12.0;
/// Size of names, keys and direct labels.
pub(crate) const BODY: f64 = 13.0;
/// Distance between the baselines of two labels, one above the other.
pub(crate) const LINE_HEIGHT: f64 = 17.0;

/// How a line is broken, so that curves differ in grey as well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Dash {
    Solid,
    Dashed,
    Dotted,
}

impl Dash {
    /// Lengths of dash and gap in units of the line's width; 0, 0 for a solid line. Round ends add one width to a dash.
    pub(crate) const fn pattern(self) -> [f64; 2] {
        match self {
            Self::Solid => [0.0, 0.0],
            Self::Dashed => [3.0, 3.0],
            Self::Dotted => [0.1, 2.2],
        }
    }
}

/// A pen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) colour: RGBColor,
    pub(crate) opacity: f64,
    pub(crate) width: f64,
    pub(crate) dash: Dash,
}

impl Stroke {
    /// A solid pen, two units wide.
    pub(crate) const fn new(colour: RGBColor) -> Self {
        Self { colour, opacity: 1.0, width: 2.0, dash: Dash::Solid }
    }

    pub(crate) const fn width(self, width: f64) -> Self {
        Self { width, ..self }
    }

    pub(crate) const fn opacity(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }

    pub(crate) const fn dash(self, dash: Dash) -> Self {
        Self { dash, ..self }
    }
}

/// A horizontal line of the mesh: black at 12 %.
pub(crate) const HAIRLINE: Stroke = Stroke::new(RGBColor(0, 0, 0)).width(1.0).opacity(0.12);
/// Axes and their ticks.
pub(crate) const AXIS: Stroke = Stroke::new(INK).width(1.0);
/// A line that marks a place, not data.
pub(crate) const MARK: Stroke = Stroke::new(GREY).width(1.0).dash(Dash::Dashed);

/// A sign at a data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Disc,
    Ring,
    Triangle,
    Diamond,
}
