//! Axes: ranges, round numbers, and how numbers are written.

use crate::{Error, Result};

/// How values are laid out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spacing {
    Linear,
    /// By powers of ten; the range is above zero.
    Logarithmic,
}

/// One axis: its name, with a unit, and its range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    name: String,
    low: f64,
    high: f64,
    spacing: Spacing,
    /// Least distance between ticks: 1 where the axis counts, else 0.
    least_step: f64,
}

/// One labelled place of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

impl Axis {
    /// A linear axis that holds all values, with no room to spare. Equal values get a range around them.
    pub(crate) fn tight(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Result<Self> {
        let name = name.into();
        let (low, high) = extent(&name, values)?;
        let room = if low == high { (0.1 * low.abs()).max(1e-9) } else { 0.0 };
        Ok(Self { name, low: low - room, high: high + room, spacing: Spacing::Linear, least_step: 0.0 })
    }

    /// A linear axis with 5 % of room at both ends.
    pub(crate) fn roomy(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Result<Self> {
        let axis = Self::tight(name, values)?;
        let room = 0.05 * (axis.high - axis.low);
        Ok(Self { low: axis.low - room, high: axis.high + room, ..axis })
    }

    /// A logarithmic axis for values above zero, with a fifth of a decade of room at both ends.
    pub(crate) fn logarithmic(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Result<Self> {
        let name = name.into();
        let (low, high) = extent(&name, values)?;
        if low <= 0.0 {
            return Err(Error::record(name, low, "above 0 on a logarithmic axis"));
        }
        let room = 10_f64.powf(0.2);
        Ok(Self { name, low: low / room, high: high * room, spacing: Spacing::Logarithmic, least_step: 0.0 })
    }

    /// The same axis with ticks at whole numbers only.
    pub(crate) fn counting(self) -> Self {
        Self { least_step: 1.0, ..self }
    }

    pub(crate) fn low(&self) -> f64 {
        self.low
    }

    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    /// The place of a value as a fraction of the axis: 0 at its low end, 1 at its high end.
    pub(crate) fn fraction(&self, value: f64) -> f64 {
        match self.spacing {
            Spacing::Linear => (value - self.low) / (self.high - self.low),
            Spacing::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// The name, with the power of ten that the tick labels leave out.
    pub(crate) fn title(&self) -> String {
        match self.exponent() {
            0 => self.name.clone(),
            exponent => format!("{} (× 10{})", self.name, superscript(exponent)),
        }
    }

    /// Round places, about `wanted` of them.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        match self.spacing {
            Spacing::Linear => self.linear_ticks(wanted),
            Spacing::Logarithmic => self.decades(wanted),
        }
    }

    fn linear_ticks(&self, wanted: usize) -> Vec<Tick> {
        let step = round_step((self.high - self.low) / wanted.max(1) as f64).max(self.least_step);
        let unit = 10_f64.powi(self.exponent());
        let slack = 1e-9 * (self.high - self.low);
        let first = ((self.low - slack) / step).ceil() as i64;
        let last = ((self.high + slack) / step).floor() as i64;
        let digits = decimals(step / unit);
        (first..=last)
            .map(|i| i as f64 * step)
            .map(|value| Tick { value, label: minus_sign(&format!("{:.digits$}", value / unit)) })
            .collect()
    }

    fn decades(&self, wanted: usize) -> Vec<Tick> {
        let first = self.low.log10().ceil() as i32;
        let last = self.high.log10().floor() as i32;
        let stride = ((last - first) as usize / wanted.max(1) + 1) as i32;
        let label = |exponent: i32| match exponent {
            0..=3 => format!("{}", 10_f64.powi(exponent)),
            _ => format!("10{}", superscript(exponent)),
        };
        let mut ticks: Vec<Tick> = (first..=last)
            .filter(|exponent| exponent.rem_euclid(stride) == 0)
            .map(|exponent| Tick { value: 10_f64.powi(exponent), label: label(exponent) })
            .collect();
        // Less than two decades leave too few powers of ten to read by.
        if ticks.len() < 2 {
            for multiple in [2.0, 5.0] {
                for exponent in first - 1..=last {
                    let value = multiple * 10_f64.powi(exponent);
                    if (self.low..=self.high).contains(&value) {
                        ticks.push(Tick { value, label: number(value) });
                    }
                }
            }
        }
        ticks
    }

    /// The power of ten by which tick labels are divided: 0 unless the numbers would be unwieldy.
    fn exponent(&self) -> i32 {
        let largest = self.low.abs().max(self.high.abs());
        let unwieldy = self.spacing == Spacing::Linear && !(1e-3..1e5).contains(&largest);
        if unwieldy { largest.log10().floor() as i32 } else { 0 }
    }
}

fn extent(name: &str, values: impl IntoIterator<Item = f64>) -> Result<(f64, f64)> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        if !value.is_finite() {
            return Err(Error::record(name, value, "a finite number"));
        }
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return Err(Error::record(format!("number of values of {name}"), 0, "at least 1"));
    }
    Ok((low, high))
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .map(|m| m * power)
        .find(|&step| step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// Decimals needed to write every multiple of a step (1, 2, 2.5 or 5 times a power of ten).
fn decimals(step: f64) -> usize {
    (0..12)
        .find(|&digits| {
            let scaled = step * 10_f64.powi(digits);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .unwrap_or(12) as usize
}

/// A number for reading: three significant digits, a true minus sign, powers of ten where needed.
pub fn number(value: f64) -> String {
    rounded(value, 3)
}

/// A number for reading, to so many significant digits.
pub(crate) fn rounded(value: f64, significant: usize) -> String {
    let significant = significant.max(1);
    if value == 0.0 || !value.is_finite() {
        return format!("{}", value.abs());
    }
    // Rounding first: 9.996 has its leading digit at the tens.
    let written = format!("{value:.*e}", significant - 1);
    let Some((mantissa, exponent)) = written.split_once('e') else { return written };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let text = if (-4..6).contains(&exponent) {
        let digits = (significant as i32 - 1 - exponent).max(0) as usize;
        trimmed(&format!("{value:.digits$}"))
    } else {
        format!("{} · 10{}", trimmed(mantissa), superscript(exponent))
    };
    minus_sign(&text)
}

fn trimmed(digits: &str) -> String {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.').to_owned() } else { digits.to_owned() }
}

/// A share in [0, 1] as a percentage with one decimal; number and sign stay on one line.
pub(crate) fn percent(share: f64) -> String {
    minus_sign(&format!("{:.1}\u{a0}%", 100.0 * share))
}

fn minus_sign(text: &str) -> String {
    // "−0" and "−0.0" are zero.
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text.to_owned(),
    }
}

fn superscript(exponent: i32) -> String {
    exponent
        .to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            '9' => '⁹',
            _ => '⁰',
        })
        .collect()
}

/// A count with commas between groups of three digits.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, wanted: usize) -> Vec<String> {
        axis.ticks(wanted).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::tight("x", [-3.0, 3.0]).expect("a range");
        assert_eq!(labels(&axis, 6), ["−3", "−2", "−1", "0", "1", "2", "3"]);
        let axis = Axis::tight("x", [0.013, 0.049]).expect("a range");
        assert_eq!(labels(&axis, 4), ["0.02", "0.03", "0.04"]);
        let axis = Axis::tight("x", [0.0, 1.0]).expect("a range");
        assert_eq!(labels(&axis, 4), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(labels(&axis.counting(), 4), ["0", "1"]);
    }

    #[test]
    fn unwieldy_numbers_share_a_power_of_ten_in_the_name() {
        let axis = Axis::tight("loss", [0.0, 3e-5]).expect("a range");
        assert_eq!(axis.title(), "loss (× 10⁻⁵)");
        assert_eq!(labels(&axis, 3), ["0", "1", "2", "3"]);
        assert_eq!(Axis::tight("loss", [0.0, 3.0]).expect("a range").title(), "loss");
    }

    #[test]
    fn a_constant_gets_a_range_around_it_and_no_value_an_error() {
        for constant in [0.0, 0.7, -1e12] {
            let axis = Axis::roomy("x", [constant, constant]).expect("a range");
            assert!(axis.low() < constant && constant < axis.high());
            assert!(!axis.ticks(5).is_empty());
        }
        assert_eq!(
            Axis::tight("loss", []).expect_err("nothing").to_string(),
            "number of values of loss is 0; allowed: at least 1"
        );
        assert!(Axis::tight("loss", [f64::NAN]).is_err());
        assert!(Axis::logarithmic("c", [0.0, 1.0]).is_err());
    }

    #[test]
    fn a_logarithmic_axis_shows_powers_of_ten_or_their_halves() {
        let axis = Axis::logarithmic("c", [2.0, 2e6]).expect("a range");
        assert_eq!(labels(&axis, 8), ["10", "100", "1000", "10⁴", "10⁵", "10⁶"]);
        assert_eq!(labels(&axis, 3), ["1", "100", "10⁴", "10⁶"].iter().skip(1).copied().collect::<Vec<_>>());
        let axis = Axis::logarithmic("c", [2.0, 4.0]).expect("a range");
        assert_eq!(labels(&axis, 8), ["2", "5"]);
    }

    #[test]
    fn numbers_read_well() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (15.0, "15"),
            (-49.375, "−49.4"),
            (0.147_3, "0.147"),
            (9.996, "10"),
            (123_456.0, "123456"),
            (1_234_567.0, "1.23 · 10⁶"),
            (2.5e-7, "2.5 · 10⁻⁷"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(rounded(-49.375, 9), "−49.375");
        assert_eq!(percent(0.8812), "88.1\u{a0}%");
        assert_eq!(grouped(254_200_000), "254,200,000");
        assert_eq!(grouped(999), "999");
    }
}
