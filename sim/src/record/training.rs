//! Training, and the solutions it leads to.

use serde::{Deserialize, Serialize};

/// Losses and accuracies by epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Such as `ResNet-8 on synthetic images`.
    pub title: String,
    /// One entry an epoch of a phase, in order.
    pub epochs: Vec<Epoch>,
}

/// One epoch of [`Training`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Epoch number, counted from 0 through all phases.
    pub epoch: u32,
    /// The phase of training, such as `swa` (SGD before and during averaging), `sgd-after-swa` or `sgd`.
    pub phase: String,
    /// Learning rate of the epoch.
    pub learning_rate: f64,
    /// Running mean of the training loss, in training mode, on augmented images.
    pub running_loss: f64,
    /// Running training accuracy, the same way, in [0, 1].
    pub running_accuracy: f64,
    /// Loss on held-out training images, in evaluation mode, if measured after this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_loss: Option<f64>,
    /// Accuracy on held-out training images, in [0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out_accuracy: Option<f64>,
    /// Test loss in evaluation mode, if measured after this epoch.
    pub test_loss: Option<f64>,
    /// Test accuracy in evaluation mode, in [0, 1].
    pub test_accuracy: Option<f64>,
    /// Test loss of the averaged network with its own batch-norm statistics.
    pub swa_test_loss: Option<f64>,
    /// Its test accuracy, in [0, 1].
    pub swa_test_accuracy: Option<f64>,
}

/// Train and test accuracy of a run's solutions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Solutions {
    /// One entry a solution.
    pub rows: Vec<Solution>,
    /// How they were measured.
    pub setting: String,
}

/// One row of [`Solutions`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Solution {
    /// Such as `ResNet-8 SWA`.
    pub name: String,
    /// How it was chosen, such as `average of 100 epochs` or `last epoch`; empty if that is not known.
    #[serde(default)]
    pub chosen: String,
    /// Mean training loss on un-augmented images, in evaluation mode.
    pub train_loss: f64,
    /// Training accuracy in [0, 1].
    pub train_accuracy: f64,
    /// Mean test loss.
    pub test_loss: f64,
    /// Test accuracy in [0, 1].
    pub test_accuracy: f64,
}
