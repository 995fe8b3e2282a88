//! Definition 1: its derivative form implies the integrated form that proofs and curves use.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use valleys_sim::progress::Observer;
use valleys_sim::{Result, Seed};

use crate::rational::{Rational, is_zero, ratio, show, strict_slack, whole};
use crate::trial::for_all;
use crate::{Assumption, Claim, Effect, Effort, Evidence, Standing, Weakening};

const SLOPES: Assumption = Assumption::InWords(
    "L̂ has a slope below p along +u and above cp along −u at every point of the open window (r̲, r̄)",
);
const CONTINUITY: Assumption =
    Assumption::InWords("L̂ is continuous along u on the closed window [r̲, r̄], on both sides");

pub(super) fn claims() -> Vec<Claim> {
    vec![integrated(), best_ratio()]
}

fn integrated() -> Claim {
    Claim {
        id: "definition1-integrated",
        source: "Section 3.1, Definition 1",
        words: "An asymmetric direction is asymmetric in the integrated form, strictly",
        formula: "L̂(w + t·u) − L̂(w + s·u) < p(t − s) and L̂(w − t·u) − L̂(w − s·u) > c·p(t − s) for r̲ ≤ s < t ≤ r̄",
        hypotheses: vec![SLOPES, CONTINUITY],
        standing: Standing::Proved {
            proofs: &["Asymmetry.definition1_integrated", "Asymmetry.definition1_integrated_strict"],
        },
        weakenings: vec![
            Weakening {
                hypothesis: CONTINUITY,
                instead: "continuous on the open window (r̲, r̄) alone",
                effect: Effect::Breaks { proofs: &[] },
                search: Box::new(|effort, seed, observer| {
                    let jump = select(vec![whole(1), ratio(1, 8), whole(0)]);
                    examine(case(Bends::Smooth, jump), &whole(0), effort, seed, observer)
                }),
            },
            Weakening {
                hypothesis: SLOPES,
                instead: "the same at all but finitely many points",
                effect: Effect::Unneeded { because: "rises between those points add up", proofs: &[] },
                search: Box::new(|effort, seed, observer| {
                    examine(case(Bends::Kinked, Just(whole(0))), &whole(0), effort, seed, observer)
                }),
            },
            Weakening {
                hypothesis: SLOPES,
                instead: "the same at almost every point",
                effect: Effect::Breaks { proofs: &[] },
                search: Box::new(|_, _, _| Ok(staircase())),
            },
        ],
        examination: Box::new(|effort, seed, observer| {
            examine(case(Bends::Smooth, Just(whole(0))), &whole(0), effort, seed, observer)
        }),
    }
}

fn best_ratio() -> Claim {
    Claim {
        id: "definition2-best-ratio",
        source: "Section 3.1, Definition 2",
        words: "An asymmetric valley has a largest ratio c, that tells how asymmetric it is",
        formula: "sup {c : ŵ* is an (r̄, r̲, p, c)-asymmetric valley for some p > 0} < ∞",
        hypotheses: vec![Assumption::InWords("ŵ* is a minimiser of L̂")],
        standing: Standing::Refuted {
            fault: "p only bounds the flat side from above: where that side does not rise, p may be as small and c as large as \
                    one likes; p needs a lower limit",
            proofs: &[],
        },
        weakenings: Vec::new(),
        examination: Box::new(|_, _, _| Ok(any_ratio())),
    }
}

/// max(0, −x) has the minimiser 0 and is asymmetric there for every c, with p = 1/(c + 1).
fn any_ratio() -> Evidence {
    let (flat, sharp) = (whole(0), whole(1));
    for c in [2, 1_000, 1_000_000_000].map(whole) {
        let p = whole(1) / (&c + whole(1));
        if flat >= p || sharp <= &c * &p {
            return Evidence::inadmissible(format!("not asymmetric for c = {c}"));
        }
    }
    let shown = "L̂(x) = max(0, −x) has the minimiser ŵ* = 0, where u = 1 is (r̄, r̲, 1/(c + 1), c)-asymmetric for every c > 1 and \
                 every window: 0 < 1/(c + 1) along +u, 1 > c/(c + 1) along −u";
    Evidence::instance("one loss with c = 2, 10³, 10⁹, in exact fractions", -1.0, shown)
}

/// Whether the slope bends or jumps between its knots.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bends {
    Smooth,
    Kinked,
}

/// One side of a line: the loss as a function of the distance on [r̲, r̄], by the slope at equally spaced knots. The slope is
/// below p on the flat side and above cp on the sharp side, and may reach this limit at the window's ends.
#[derive(Clone)]
struct Side {
    is_sharp: bool,
    r_lo: Rational,
    width: Rational,
    /// p or cp.
    limit: Rational,
    /// The distance of the slope from the limit at the knots; above 0 inside.
    off: Vec<Rational>,
    bends: Bends,
    /// s and t, as shares of the window, s < t.
    between: (Rational, Rational),
}

/// A side, and how far the loss at r̲ itself is from its limit, lower on the flat side and higher on the sharp one.
#[derive(Clone)]
struct Case {
    side: Side,
    jump: Rational,
}

fn case(bends: Bends, jump: impl Strategy<Value = Rational>) -> impl Strategy<Value = Case> {
    (side(bends), jump).prop_map(|(side, jump)| Case { side, jump })
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.side.is_sharp { "above" } else { "below" };
        write!(f, "{:?}; the loss at r̲ is {} {from} its limit", self.side, show(&self.jump))
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slope = |off: &Rational| if self.is_sharp { &self.limit + off } else { &self.limit - off };
        let slopes: Vec<String> = self.off.iter().map(slope).map(|slope| show(&slope)).collect();
        let (limit, sign) = if self.is_sharp { ("cp", "−") } else { ("p", "+") };
        let kind = if self.bends == Bends::Smooth { "through" } else { "one after another of" };
        let [low, high, s, t] = [&whole(0), &whole(1), &self.between.0, &self.between.1].map(|x| show(&self.at(x)));
        let (p, slopes) = (show(&self.limit), slopes.join(", "));
        write!(f, "along {sign}u: {limit} = {p}, r̲ = {low}, r̄ = {high}, slope {kind} {slopes}; s = {s}, t = {t}")
    }
}

fn side(bends: Bends) -> impl Strategy<Value = Side> {
    let number = |simple: &[(i64, i64)]| select(simple.iter().map(|&(n, d)| ratio(n, d)).collect::<Vec<_>>());
    let off = number(&[(1, 1), (1, 1024), (1, 8), (4, 1), (1, 1_000_000)]);
    let end = number(&[(1, 1), (0, 1)]);
    let share = number(&[(0, 1), (1, 1), (1, 2), (1, 3), (7, 8), (1, 64)]);
    let numbers =
        (number(&[(1, 1), (1, 8), (3, 1)]), number(&[(1, 1), (1, 2), (4, 1)]), number(&[(1, 1), (1, 4), (3, 1)]));
    (numbers, (end.clone(), vec(off, 1..=5), end), (share.clone(), share), any::<bool>())
        .prop_filter("s is below t", |(_, _, (s, t), _)| s < t)
        .prop_map(move |((r_lo, width, limit), (first, mut off, last), between, is_sharp)| {
            if bends == Bends::Smooth {
                off.insert(0, first);
                off.push(last);
            }
            Side { is_sharp, r_lo, width, limit, off, bends, between }
        })
}

impl Side {
    fn at(&self, share: &Rational) -> Rational {
        &self.r_lo + share * &self.width
    }

    /// The distance of the loss's rise from r̲ to a share of the window from the limit's.
    fn distance(&self, share: &Rational) -> Rational {
        let pieces = match self.bends {
            Bends::Smooth => self.off.len() - 1,
            Bends::Kinked => self.off.len(),
        };
        let mut sum = whole(0);
        for i in 0..pieces {
            // The part of piece i below the share, as a share of the piece.
            let part = (share * whole(pieces as i64) - whole(i as i64)).max(whole(0)).min(whole(1));
            let mean = match self.bends {
                Bends::Kinked => self.off[i].clone(),
                // Half the sum of the slopes at both ends of a linear part.
                Bends::Smooth => &self.off[i] + &part / whole(2) * (&self.off[i + 1] - &self.off[i]),
            };
            sum += part * mean;
        }
        sum * &self.width / whole(pieces as i64)
    }
}

/// Sides tried against limits that are tighter by a share.
fn examine(
    sides: impl Strategy<Value = Case>,
    tighter: &Rational,
    effort: Effort,
    seed: Seed,
    observer: &dyn Observer,
) -> Result<Evidence> {
    let method = "random slopes between knots on either side, in exact fractions";
    for_all(&sides, effort.cases(), seed, observer, method, |Case { side, jump }| {
        let (s, t) = &side.between;
        let straight = &side.limit * (t - s) * &side.width;
        let mut off = side.distance(t) - side.distance(s);
        if is_zero(s) {
            off -= jump;
        }
        // The rise is straight − off on the flat side and straight + off on the sharp one.
        Ok(strict_slack(&off, &(&straight * tighter), &(&side.limit * &side.width)))
    })
}

/// Cantor's staircase: continuous, of slope 0 outside a set of length 0, and yet it rises from 0 to 1 on [0, 1].
fn staircase() -> Evidence {
    // Stage n has the slope 0 but on 2ⁿ pieces of length 3⁻ⁿ, on each of which it rises by 2⁻ⁿ.
    let stages = 64;
    let steep = (0..stages).fold(whole(1), |length, _| length * ratio(2, 3));
    let rise =
        (0..stages).fold(whole(1), |pieces, _| pieces * whole(2)) * (0..stages).fold(whole(1), |r, _| r / whole(2));
    let p = ratio(1, 2);
    let length = crate::rational::to_f64(&steep);
    let shown = format!(
        "Cantor's staircase on [r̲, r̄] = [1, 2] has slope 0 < p = 1/2 almost everywhere (stage {stages} has another slope on \
         a length of {length:.1e} only), and rises by {} > p(r̄ − r̲) = 1/2 from s = 1 to t = 2",
        show(&rise)
    );
    Evidence::instance("one function, in exact fractions", strict_slack(&p, &rise, &whole(1)), shown)
}

/// Statements that are false by a little.
#[cfg(test)]
pub(super) fn mutants() -> Vec<Claim> {
    use super::theorem1_printed::mutant;
    vec![mutant(
        "integrated-tighter",
        "rises of less than 0.999p(t − s), more than 1.001cp(t − s)",
        |effort, seed, observer| examine(case(Bends::Smooth, Just(whole(0))), &ratio(1, 1000), effort, seed, observer),
    )]
}
