//! Worlds in the notation of the paper.

use std::fmt;

use super::{Along, Departure, Instance, Landscape, Pieces, Rational, is_zero, whole};

const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
const SUBSCRIPTS: [char; 10] = ['₀', '₁', '₂', '₃', '₄', '₅', '₆', '₇', '₈', '₉'];

impl fmt::Display for Instance {
    /// The whole world: dimension, window, directions, losses, law of the shift.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = &self.window;
        write!(f, "d = {}, r̲ = {}, r̄ = {}, ξ = {}", self.solution.len(), show(low), show(high), show(&self.gap))?;
        if self.solution.iter().any(|x| !is_zero(x)) {
            write!(f, ", ŵ = {}", tuple(&self.solution))?;
        }
        for (i, direction) in self.directions.iter().enumerate() {
            let i = SUPERSCRIPTS[(i + 1) % 10];
            let (p, c, l) = (show(&direction.p), show(&direction.c), show(&direction.l));
            write!(f, "; u{i} = {} with p = {p}, c = {c}, l = {l}", tuple(&direction.u))?;
        }
        write!(f, "; L̂(ŵ + x) = {} (f: slopes, with kinks in brackets, f(0) = 0 if not given)", self.training)?;
        let laws = self
            .outcomes
            .iter()
            .map(|outcome| format!("{} with probability {}", tuple(&outcome.shift), show(&outcome.probability)));
        write!(f, "; δ = {}", laws.collect::<Vec<_>>().join(", "))?;
        write!(f, "; L is L̂ moved by δ{}", Shown(&self.departure))?;
        if !is_zero(&self.vertical) {
            write!(f, " and by {}·δ₁ vertically", show(&self.vertical))?;
        }
        Ok(())
    }
}

impl fmt::Display for Landscape {
    /// A sum of functions f[…], each given by its slopes and, in brackets, the kinks between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_there = |along: &&Along| !is_flat(&along.function);
        let mut terms: Vec<String> = self.sums.iter().filter(is_there).map(shown).collect();
        for least in self.minima.iter().filter(|least| !is_zero(&least.height)) {
            let parts: Vec<String> = least.parts.iter().map(shown).collect();
            let inner = if parts.len() == 1 { parts.concat() } else { format!("min{{{}}}", parts.join(", ")) };
            let height = if least.height == whole(1) { String::new() } else { format!("{}·", show(&least.height)) };
            terms.push(format!("{height}{inner}"));
        }
        f.write_str(&if terms.is_empty() { "0".to_owned() } else { terms.join(" + ").replace("+ −", "− ") })
    }
}

struct Shown<'a>(&'a Departure);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Departure::None => Ok(()),
            Departure::Nearest { solution, biased } if is_zero(solution) && is_zero(biased) => Ok(()),
            Departure::Nearest { solution, biased } => {
                let (solution, biased) = (signed(solution), signed(biased));
                write!(f, ", {solution} near all ŵ − δ and {biased} near all ŵ + Σ l_i uⁱ − δ")
            }
            Departure::Stripes { height, .. } if is_zero(height) => Ok(()),
            Departure::Stripes { width, height } => {
                write!(f, ", ±{} in turn on stripes of Σ x_i, {} wide", show(height), show(width))
            }
            Departure::Beyond { radius_squared, height } => {
                let (height, square) = (signed(height), show(radius_squared));
                write!(f, ", {height} near all ŵ + Σ l_i uⁱ − δ where ‖x‖² > {square}")
            }
            Departure::Added(landscape) => write!(f, ", + {landscape} for x = w − δ − ŵ"),
            Departure::Elsewhere(height) => {
                write!(f, ", {} but at all ŵ − δ and ŵ + Σ l_i uⁱ − δ", signed(height))
            }
        }
    }
}

/// A fraction, with a true minus sign.
pub fn show(x: &Rational) -> String {
    x.to_string().replace('-', "−")
}

fn signed(x: &Rational) -> String {
    if *x > whole(0) { format!("+{}", show(x)) } else { show(x) }
}

fn tuple(x: &[Rational]) -> String {
    match x {
        [x] => show(x),
        _ => format!("({})", x.iter().map(show).collect::<Vec<_>>().join(", ")),
    }
}

fn is_flat(f: &Pieces) -> bool {
    is_zero(&f.at_zero) && f.slopes.iter().all(is_zero)
}

/// f(⟨x, n⟩) by its slopes and kinks.
fn shown(along: &Along) -> String {
    let f = &along.function;
    // Neighbouring pieces of one slope are one piece.
    let mut pieces = vec![show(&f.slopes[0])];
    for (kink, slopes) in f.kinks.iter().zip(f.slopes.windows(2)).filter(|(_, slopes)| slopes[0] != slopes[1]) {
        pieces.push(format!("({})", show(kink)));
        pieces.push(show(&slopes[1]));
    }
    let value = if is_zero(&f.at_zero) { String::new() } else { format!(", {} at 0", show(&f.at_zero)) };
    format!("f[{}{value}]({})", pieces.join(" "), place(&along.normal))
}

/// ⟨x, n⟩ in coordinates.
fn place(normal: &[Rational]) -> String {
    let mut sum = String::new();
    for (i, factor) in normal.iter().enumerate().filter(|(_, factor)| !is_zero(factor)) {
        let name = if normal.len() == 1 { "x".to_owned() } else { format!("x{}", SUBSCRIPTS[(i + 1) % 10]) };
        let (sign, size) = if *factor < whole(0) { ("−", -factor) } else { ("+", factor.clone()) };
        match (sum.is_empty(), sign) {
            (true, "+") => {}
            (true, _) => sum.push('−'),
            (false, _) => sum.push_str(&format!(" {sign} ")),
        }
        sum.push_str(&if size == whole(1) { name } else { format!("{}{name}", shown_factor(&size)) });
    }
    sum
}

fn shown_factor(size: &Rational) -> String {
    if size.is_integer() { show(size) } else { format!("({})", show(size)) }
}

#[cfg(test)]
mod tests {
    use super::super::{Direction, Least, Outcome, ratio};
    use super::*;

    #[test]
    fn a_world_reads_like_the_paper() {
        let e1 = vec![whole(1), whole(0)];
        let along = |function| Along { normal: vec![ratio(3, 5), ratio(-4, 5)], function };
        let instance = Instance {
            window: (whole(1), whole(2)),
            gap: ratio(1, 8),
            directions: vec![Direction { u: e1, p: whole(1), c: whole(2), l: ratio(1, 2) }],
            solution: vec![whole(0); 2],
            training: Landscape {
                sums: vec![along(Pieces::valley(whole(-2), whole(1)))],
                minima: vec![Least { height: whole(3), parts: vec![along(Pieces::hat(&whole(1)))] }],
            },
            departure: Departure::Nearest { solution: ratio(-1, 8), biased: ratio(1, 8) },
            vertical: whole(0),
            outcomes: vec![Outcome { probability: whole(1), shift: vec![whole(2), whole(0)] }],
        };
        assert_eq!(
            instance.to_string(),
            "d = 2, r̲ = 1, r̄ = 2, ξ = 1/8; u¹ = (1, 0) with p = 1, c = 2, l = 1/2; L̂(ŵ + x) = \
             f[−2 (0) 1]((3/5)x₁ − (4/5)x₂) + 3·f[0 (−1) 1 (0) −1 (1) 0, 1 at 0]((3/5)x₁ − (4/5)x₂) \
             (f: slopes, with kinks in brackets, f(0) = 0 if not given); \
             δ = (2, 0) with probability 1; L is L̂ moved by δ, −1/8 near all ŵ − δ and +1/8 near all ŵ + Σ l_i uⁱ − δ"
        );
    }
}
