//! The checks behind an audit.

use nalgebra::DVector;

use super::{Checks, Coverage, Finding, Violation, projection};
use crate::Result;
use crate::neighbourhood::ball;
use crate::theorem1::{Hypothesis, Instance, Reading};

/// Relative slack of every comparison.
const ROUNDING: f64 = 1e-9;

/// Slack for the rounding of losses, relative to their size.
const LOSS_ROUNDING: f64 = 1e-12;

/// Looks at one hypothesis after another.
pub(super) struct Auditor<'a> {
    instance: &'a Instance,
    checks: &'a Checks,
    outcomes: Vec<(f64, DVector<f64>)>,
    /// Δ, the length of the longest shift.
    reach: f64,
}

/// The worst violation seen so far.
struct Worst {
    hypothesis: Hypothesis,
    excess: f64,
    violation: Option<Violation>,
}

impl Worst {
    fn of(hypothesis: Hypothesis) -> Self {
        Self { hypothesis, excess: 0.0, violation: None }
    }

    /// Notes a value that exceeds what is allowed by `excess`, if that is beyond the slack. NaN always is.
    fn note(&mut self, excess: f64, slack: f64, describe: impl FnOnce() -> (String, f64, String)) {
        if excess.is_nan() || (excess > slack && excess > self.excess) {
            let (place, value, allowed) = describe();
            self.excess = excess;
            self.violation = Some(Violation { hypothesis: self.hypothesis, place, value, allowed });
        }
    }

    fn finding(self, coverage: Coverage) -> Finding {
        Finding { hypothesis: self.hypothesis, coverage, violation: self.violation }
    }
}

impl<'a> Auditor<'a> {
    pub(super) fn new(instance: &'a Instance, checks: &'a Checks) -> Result<Self> {
        let outcomes = instance.shifts().outcomes()?;
        let reach = outcomes.iter().map(|(_, shift)| shift.norm()).fold(0.0, f64::max);
        Ok(Self { instance, checks, outcomes, reach })
    }

    pub(super) fn find(&self, hypothesis: Hypothesis) -> Finding {
        use Hypothesis as H;
        let worst = Worst::of(hypothesis);
        match hypothesis {
            H::OrthonormalDirections => self.orthonormal(worst),
            H::AsymmetricDirections => self.asymmetric(worst),
            H::Minimiser => self.minimiser(worst),
            H::ShiftWithinWindow => self.shift_within_window(worst),
            H::SymmetricShift => self.symmetric_shift(worst),
            H::GapOnStepRadius => self.gap(worst, self.instance.terms().step_length(), self.instance.minima()),
            H::GapOnFullRadius => self.gap(worst, self.full_radius(), None),
            H::StepAboveGap | H::StepWithinMaximum => self.printed_step(worst),
            H::NonNegativeSteps => self.non_negative_steps(worst),
            H::BalancedProjections => self.balanced(worst),
            H::ProjectionsWithinWindow => self.projections_within_window(worst),
        }
    }

    /// Δ + ‖l‖.
    fn full_radius(&self) -> f64 {
        self.reach + self.instance.terms().step_length()
    }

    fn orthonormal(&self, mut worst: Worst) -> Finding {
        let directions = self.instance.directions();
        for (i, u) in directions.iter().enumerate() {
            for (j, v) in directions[..=i].iter().enumerate() {
                let (product, wanted) = (u.dot(v), if i == j { 1.0 } else { 0.0 });
                worst.note((product - wanted).abs(), ROUNDING, || {
                    (format!("inner product of directions {j} and {i}"), product, wanted.to_string())
                });
            }
        }
        worst.finding(Coverage::Whole)
    }

    fn non_negative_steps(&self, mut worst: Worst) -> Finding {
        for (i, u) in self.instance.terms().directions().iter().enumerate() {
            worst.note(-u.l, 0.0, || (format!("step l of direction {i}"), u.l, "at least 0".to_owned()));
        }
        worst.finding(Coverage::Whole)
    }

    fn printed_step(&self, mut worst: Worst) -> Finding {
        let terms = self.instance.terms();
        // As printed, δ̄_i is the i-th coordinate, whatever uⁱ is.
        for ((i, u), shift) in terms.directions().iter().enumerate().zip(self.instance.shifts().magnitudes()) {
            let Ok((above, most)) = terms.printed_steps(i, shift) else { continue };
            let place = || format!("step l of direction {i}");
            if worst.hypothesis == Hypothesis::StepAboveGap {
                if u.l <= above {
                    worst.note((above - u.l).max(f64::MIN_POSITIVE), 0.0, || {
                        (place(), u.l, format!("more than {above}"))
                    });
                }
            } else {
                worst.note(u.l - most, ROUNDING * terms.r_hi(), || (place(), u.l, format!("at most {most}")));
            }
        }
        worst.finding(Coverage::Whole)
    }

    fn shift_within_window(&self, mut worst: Worst) -> Finding {
        let terms = self.instance.terms();
        for (i, shift) in self.instance.shifts().magnitudes().into_iter().enumerate() {
            let excess = (terms.r_lo() - shift).max(shift - terms.r_hi());
            worst.note(excess, ROUNDING * terms.r_hi(), || {
                (format!("δ̄ of coordinate {i}"), shift, format!("within [{}, {}]", terms.r_lo(), terms.r_hi()))
            });
        }
        worst.finding(Coverage::Whole)
    }

    fn symmetric_shift(&self, mut worst: Worst) -> Finding {
        for (i, magnitude) in self.instance.shifts().magnitudes().into_iter().enumerate() {
            for (sign, wanted) in [("+", magnitude), ("−", -magnitude)] {
                let share: f64 = self.outcomes.iter().filter(|(_, shift)| shift[i] == wanted).map(|o| o.0).sum();
                worst.note((share - 0.5).abs(), ROUNDING, || {
                    (format!("probability that shift coordinate {i} is {sign}{magnitude}"), share, "0.5".to_owned())
                });
            }
        }
        worst.finding(Coverage::Whole)
    }

    fn balanced(&self, mut worst: Worst) -> Finding {
        for (i, u) in self.instance.directions().iter().enumerate() {
            let share: f64 = self.outcomes.iter().filter(|(_, shift)| projection(shift, u) > 0.0).map(|o| o.0).sum();
            worst.note((share - 0.5).abs(), ROUNDING, || {
                (format!("probability of a positive projection on direction {i}"), share, "0.5".to_owned())
            });
        }
        worst.finding(Coverage::Whole)
    }

    fn projections_within_window(&self, mut worst: Worst) -> Finding {
        let terms = self.instance.terms();
        for (_, shift) in &self.outcomes {
            for ((i, direction), u) in terms.directions().iter().enumerate().zip(self.instance.directions()) {
                let s = projection(shift, u);
                let (low, high) = if s > 0.0 {
                    (terms.r_lo() + direction.l, terms.r_hi())
                } else {
                    (direction.l - terms.r_hi(), -terms.r_lo())
                };
                worst.note((low - s).max(s - high), ROUNDING * terms.r_hi(), || {
                    (
                        format!("projection of shift {} on direction {i}", show(shift)),
                        s,
                        format!("within [{low}, {high}]"),
                    )
                });
            }
        }
        worst.finding(Coverage::Whole)
    }

    fn minimiser(&self, mut worst: Worst) -> Finding {
        let radius = self.full_radius();
        for (_, shift) in &self.outcomes {
            let centre = self.instance.minimiser(shift);
            let value = self.instance.training_loss(shift, &centre);
            let mut compare = |place: &dyn Fn() -> String, lower: f64| {
                let slack = LOSS_ROUNDING * (value.abs() + lower.abs());
                worst.note(value - lower, slack, || {
                    (
                        format!("training loss at ŵ, shift {}", show(shift)),
                        value,
                        format!("at most {lower}, as {}", place()),
                    )
                });
            };
            if let Some((minimum, _)) = self.instance.minima() {
                compare(&|| "is its minimum".to_owned(), minimum);
            }
            for v in self.ball_points(shift, radius) {
                let lower = self.instance.training_loss(shift, &(&centre + &v));
                compare(&|| format!("at ŵ + {}", show(&v)), lower);
            }
        }
        worst.finding(if self.instance.minima().is_some() { Coverage::Whole } else { Coverage::Sample })
    }

    /// The shift gap on a ball, with the vertical constant that matches the minima, or else the best one.
    fn gap(&self, mut worst: Worst, radius: f64, minima: Option<(f64, f64)>) -> Finding {
        let gap = self.instance.terms().gap();
        for (_, shift) in &self.outcomes {
            let centre = self.instance.minimiser(shift);
            let mut size = 0.0f64;
            let mut ends: Option<[(f64, DVector<f64>); 2]> = None;
            for v in self.ball_points(shift, radius) {
                let here = &centre + &v;
                let population = self.instance.population_loss(shift, &(&here + shift));
                let training = self.instance.training_loss(shift, &here);
                size = size.max(population.abs()).max(training.abs());
                let difference = population - training;
                match &mut ends {
                    None => ends = Some([(difference, v.clone()), (difference, v)]),
                    Some([low, _]) if difference < low.0 => *low = (difference, v),
                    Some([_, high]) if difference > high.0 => *high = (difference, v),
                    Some(_) => {}
                }
            }
            let Some([low, high]) = ends else { continue };
            let constant = minima.map_or((low.0 + high.0) / 2.0, |(training, population)| population - training);
            let (value, v) = if high.0 - constant >= constant - low.0 {
                (high.0 - constant, high.1)
            } else {
                (constant - low.0, low.1)
            };
            worst.note(value - gap, ROUNDING * gap + LOSS_ROUNDING * size, || {
                (format!("gap at v = {}, shift {}", show(&v), show(shift)), value, format!("at most {gap}"))
            });
        }
        let whole = worst.hypothesis == Hypothesis::GapOnFullRadius;
        worst.finding(if whole { Coverage::WhereUsed } else { Coverage::Sample })
    }

    /// Points of a ball: its centre, those that the proof uses if they lie in it, its poles along the directions, and
    /// random ones.
    fn ball_points(&self, shift: &DVector<f64>, radius: f64) -> Vec<DVector<f64>> {
        let used = [-shift, self.instance.step() - shift];
        let mut points = vec![DVector::zeros(shift.len())];
        points.extend(used.into_iter().filter(|v| v.norm() <= radius * (1.0 + ROUNDING)));
        // A direction that is no unit vector must not lead out of the ball.
        let directions = self.instance.directions().iter().filter(|u| u.norm() > 0.0);
        points.extend(directions.map(|u| u * (radius / u.norm())).flat_map(|pole| [pole.clone(), -pole]));
        points.extend((0..self.checks.points).map(|index| ball(shift.len(), radius, self.checks.seed, index)));
        points
    }

    fn asymmetric(&self, mut worst: Worst) -> Finding {
        let mut coverage = Coverage::WhereUsed;
        for (_, shift) in &self.outcomes {
            let mut v = -shift;
            for (i, u) in self.instance.directions().iter().enumerate() {
                self.line(&mut worst, &mut coverage, shift, &v, i);
                v += u * self.instance.terms().directions()[i].l;
            }
        }
        // Seen from ŵ the training loss is the same in every outcome, unless it is the perturbed one.
        let outcomes = match self.instance.reading() {
            Reading::RandomPopulation => 1,
            Reading::RandomTraining => self.outcomes.len(),
        };
        for index in 0..self.checks.points {
            let (_, shift) = &self.outcomes[index as usize % outcomes];
            let v = ball(shift.len(), self.full_radius(), self.checks.seed, index);
            for i in 0..self.instance.directions().len() {
                self.line(&mut worst, &mut coverage, shift, &v, i);
            }
        }
        worst.finding(coverage)
    }

    /// Checks Definition 1 in its integrated form for direction i on the line through ŵ + v.
    fn line(&self, worst: &mut Worst, coverage: &mut Coverage, shift: &DVector<f64>, v: &DVector<f64>, i: usize) {
        let terms = self.instance.terms();
        let (u, direction) = (&self.instance.directions()[i], terms.directions()[i]);
        let base = self.instance.minimiser(shift) + v - u * v.dot(u);
        let (r_lo, r_hi) = (terms.r_lo(), terms.r_hi());
        let kinks = self.instance.training_kinks(shift, &base, u);
        for side in [1.0, -1.0] {
            let mut places = vec![r_lo, r_hi];
            if let Some(kinks) = &kinks {
                places.extend(kinks.iter().map(|t| side * t).filter(|t| (r_lo..r_hi).contains(t)));
            } else {
                *coverage = Coverage::Sample;
                let pieces = self.checks.resolution;
                places.extend((1..pieces).map(|n| r_lo + (r_hi - r_lo) * n as f64 / pieces as f64));
            }
            places.sort_by(f64::total_cmp);
            places.dedup();
            let losses: Vec<f64> =
                places.iter().map(|t| self.instance.training_loss(shift, &(&base + u * (side * t)))).collect();
            let size = losses.iter().fold(0.0f64, |size, loss| size.max(loss.abs()));
            for (t, loss) in places.windows(2).zip(losses.windows(2)) {
                let (run, rise) = (t[1] - t[0], loss[1] - loss[0]);
                let limit = if side > 0.0 { direction.p } else { direction.c * direction.p };
                let slack = ROUNDING * limit * run + LOSS_ROUNDING * size;
                let excess = side * (rise - limit * run);
                // The worst place is the steepest, so the excess is compared as a slope.
                worst.note(excess / run, slack / run, || {
                    let (sign, least) = if side > 0.0 { ("+u", "at most p") } else { ("−u", "at least c·p") };
                    let place = format!(
                        "slope along {sign} between {} and {}, direction {i}, v = {}, shift {}",
                        t[0],
                        t[1],
                        show(v),
                        show(shift)
                    );
                    (place, rise / run, format!("{least} = {limit}"))
                });
            }
        }
    }
}

fn show(v: &DVector<f64>) -> String {
    let numbers: Vec<String> = v.iter().map(f64::to_string).collect();
    format!("({})", numbers.join(", "))
}
