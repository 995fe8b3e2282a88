//! Which epoch of a phase without average is its solution.

use serde::{Deserialize, Serialize};
use valleys_sim::record::Epoch;

use super::config::Selection;
use crate::params::Weights;

/// What an epoch is compared with: the network that the phase starts from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Reference {
    /// Mean loss on varied training images, in evaluation mode.
    pub(super) train_loss: f64,
    /// Mean loss on the test images.
    pub(super) test_loss: f64,
}

/// The epoch chosen so far, by a rule that looks at every epoch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    /// The run's number of the epoch.
    pub(super) epoch: u32,
    /// What the rule went by.
    pub(super) loss: f64,
    pub(super) weights: Weights<f32>,
}

impl Selection {
    /// Whether the rule compares with the phase's start.
    pub(super) fn needs_reference(self) -> bool {
        self == Self::Official
    }

    /// Whether an epoch takes the place of the one chosen so far.
    pub(super) fn prefers(self, epoch: &Epoch, chosen: Option<&Chosen>, reference: Option<Reference>) -> Option<f64> {
        match self {
            Self::Last => None,
            Self::HeldOut => epoch.held_out_loss.filter(|loss| chosen.is_none_or(|chosen| *loss < chosen.loss)),
            Self::Official => {
                let (test, reference) = (epoch.test_loss?, reference?);
                (epoch.running_loss < reference.train_loss && test > reference.test_loss).then_some(test)
            }
        }
    }

    /// How a solution was chosen, in words.
    pub(super) fn words(self, chosen: Option<&Chosen>) -> String {
        match (self, chosen) {
            (Self::Last, _) | (Self::HeldOut, None) => "last epoch".to_owned(),
            (Self::HeldOut, Some(chosen)) => {
                format!("epoch {}, that of the lowest held-out loss, {:.4}", chosen.epoch, chosen.loss)
            }
            (Self::Official, Some(chosen)) => {
                format!("epoch {}, selected on test data by the official rule", chosen.epoch)
            }
            (Self::Official, None) => {
                "last epoch, since none met the official rule, which selects on test data".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use valleys_sim::Seed;

    use super::*;
    use crate::model::Architecture;

    fn epoch(running_loss: f64, held_out_loss: f64, test_loss: f64) -> Epoch {
        Epoch { running_loss, held_out_loss: Some(held_out_loss), test_loss: Some(test_loss), ..Epoch::default() }
    }

    /// The number of the epoch that a rule chooses.
    fn choice(rule: Selection, epochs: &[Epoch], reference: Option<Reference>) -> Option<usize> {
        let graph = Architecture::Mlp.graph(2).expect("a network");
        let mut chosen = None;
        for (number, epoch) in epochs.iter().enumerate() {
            if let Some(loss) = rule.prefers(epoch, chosen.as_ref(), reference) {
                chosen = Some(Chosen { epoch: number as u32, loss, weights: Weights::initialise(&graph, Seed(1)) });
            }
        }
        chosen.map(|chosen| chosen.epoch as usize)
    }

    #[test]
    fn each_rule_chooses_its_epoch() {
        let epochs = [
            epoch(0.4, 0.9, 0.7),
            epoch(0.3, 0.5, 0.8),
            epoch(0.2, 0.5, 0.6),
            epoch(0.1, 0.7, 0.9),
            epoch(0.1, 0.8, 0.5),
        ];
        assert_eq!(choice(Selection::Last, &epochs, None), None);
        assert_eq!(choice(Selection::HeldOut, &epochs, None), Some(1), "the first of equal ones");
        let reference = Some(Reference { train_loss: 0.35, test_loss: 0.65 });
        assert_eq!(choice(Selection::Official, &epochs, reference), Some(3), "the last that qualifies");
        assert_eq!(choice(Selection::Official, &epochs[..1], reference), None);
        let words = Selection::Official.words(None);
        assert!(words.contains("none met") && words.contains("test data"), "{words}");
    }
}
