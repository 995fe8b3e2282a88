//! What a run costs, from a step that was measured.

use crate::Result;
use crate::exec::BackendKind;
use crate::model::Architecture;
use crate::speed::{self, Effort};
use crate::train::{Recipe, Selection};

/// Images a second on this machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// In training: a step of SGD.
    pub training: f64,
    /// In evaluation: a pass there.
    pub evaluation: f64,
}

impl Rates {
    /// Measures a network for ten classes on embedded images: after one step to warm up, or three on a GPU, where the second
    /// is recorded, the better of two, of `images` images each.
    ///
    /// # Errors
    /// As those of [`speed::images`].
    pub fn measure(network: Architecture, backend: BackendKind, images: usize) -> Result<Self> {
        let effort = Effort { warm_up: if backend.needs_gpu() { 3 } else { 1 }, ..Effort::QUICK };
        let [training, evaluation] = speed::images(network, backend, images, effort)?.map(|speed| speed.most);
        Ok(Self { training, evaluation })
    }
}

/// What a run costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Epochs of all phases.
    pub epochs: u32,
    /// Seconds at the measured rates: steps, test metrics, batch-norm statistics of averages, solutions.
    pub seconds: f64,
    /// Bytes of checkpoints at most: the states that are kept, two more on the way, and solutions.
    pub bytes: u64,
}

impl Cost {
    /// The cost of a recipe on so many training, held-out and test images.
    pub fn of(recipe: &Recipe, parameters: usize, [train, held_out, test]: [usize; 3], rates: Rates) -> Self {
        let config = recipe.config();
        let (mut trained, mut evaluated, mut bytes) = (0, 0, 0);
        for phase in recipe.phases() {
            trained += phase.epochs() as usize * train;
            let every = config.evaluate_every;
            let due = |done: u32| done == phase.epochs() || (every > 0 && done.is_multiple_of(every));
            for done in 1..=phase.epochs() {
                if due(done) || phase.select() == Selection::HeldOut {
                    evaluated += held_out;
                }
                if due(done) || phase.select() == Selection::Official {
                    evaluated += test;
                }
                if due(done) && config.evaluate_average && phase.averages(done - 1) {
                    evaluated += train + test;
                }
            }
            // What the official rule compares with.
            evaluated += if phase.select() == Selection::Official { train + test } else { 0 };
            // The solution's statistics, and both its losses.
            evaluated += 2 * train + test;
            let kept = config.checkpoints;
            // Besides those that stay, one within an epoch and one that is being written.
            let states = u64::from(kept.last) + 2 + phase.epochs().checked_div(kept.every).map_or(0, u64::from);
            // Weights and velocity in four bytes, an average in eight, or a chosen network in four.
            let more = match (phase.config().average_from, phase.select()) {
                (Some(_), _) => 8,
                (None, Selection::Last) => 0,
                (None, Selection::HeldOut | Selection::Official) => 4,
            };
            bytes += (states * (8 + more) + 4) * parameters as u64;
        }
        let seconds = trained as f64 / rates.training + evaluated as f64 / rates.evaluation;
        Self { epochs: recipe.epochs(), seconds, bytes }
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::Seed;

    use super::*;
    use crate::train::{Config, Method};

    #[test]
    fn a_cost_counts_every_pass() {
        // Six epochs of which three are averaged, then two more; metrics after every second epoch and the last.
        let config = Config::paper(Architecture::Mlp, Method::Swa, Seed(1)).shortened(6, 4, 2, 0.001);
        let recipe = Config { evaluate_every: 2, evaluate_average: true, ..config }.check().expect("valid");
        let cost = Cost::of(&recipe, 1_000, [100, 7, 10], Rates { training: 10.0, evaluation: 100.0 });
        let trained = 8.0 * 100.0 / 10.0;
        // Metrics after 2, 4, 6 and 8; the average's after 4 and 6; both solutions.
        let evaluated = (4.0 * 17.0 + 2.0 * 110.0 + 2.0 * 210.0) / 100.0;
        assert!((cost.seconds - trained - evaluated).abs() < 1e-9, "{cost:?}");
        assert_eq!((cost.epochs, cost.bytes), (8, 1_000 * (4 * 16 + 4 + 4 * 8 + 4)));
    }

    #[test]
    fn rates_are_measured() {
        let rates = Rates::measure(Architecture::Mlp, BackendKind::default(), 4).expect("runs");
        assert!(rates.training > 0.0 && rates.evaluation.is_finite(), "{rates:?}");
    }
}
