//! How bytes become the numbers a network reads.

use serde::{Deserialize, Serialize};

use super::CHANNELS;
use crate::model::{Architecture, Family};
use crate::{Error, Result};

/// What each byte of each plane becomes.
pub(crate) type Tables = [[f32; 256]; CHANNELS];

/// Mean and standard deviation of each colour plane, of pixel values in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedNormalisation")]
pub struct Normalisation {
    mean: [f32; CHANNELS],
    std: [f32; CHANNELS],
}

#[derive(Deserialize)]
struct UncheckedNormalisation {
    mean: [f32; CHANNELS],
    std: [f32; CHANNELS],
}

impl TryFrom<UncheckedNormalisation> for Normalisation {
    type Error = Error;

    fn try_from(raw: UncheckedNormalisation) -> Result<Self> {
        Self::new(raw.mean, raw.std)
    }
}

impl Normalisation {
    /// The constants the official code uses with ResNets and DenseNet, CIFAR's own to two digits or more.
    pub const CIFAR: Self = Self { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.2010] };
    /// The constants the official code uses with VGG, those of ImageNet.
    pub const VGG: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    /// One half, for SVHN and the synthetic images.
    pub const HALF: Self = Self { mean: [0.5; CHANNELS], std: [0.5; CHANNELS] };

    /// Checks and builds: finite means, finite standard deviations above zero.
    pub fn new(mean: [f32; CHANNELS], std: [f32; CHANNELS]) -> Result<Self> {
        for (channel, (&mean, &std)) in mean.iter().zip(&std).enumerate() {
            if !mean.is_finite() {
                return Err(Error::domain(format!("normalisation mean of channel {channel}"), mean, "a finite number"));
            }
            if !(std.is_finite() && std > 0.0) {
                return Err(Error::domain(
                    format!("normalisation std of channel {channel}"),
                    std,
                    "a finite number > 0",
                ));
            }
        }
        Ok(Self { mean, std })
    }

    /// The constants by which a network reads a data set whose own are these.
    ///
    /// As in the official code, VGG has constants of its own for photographs: where others use [`CIFAR`](Self::CIFAR), it uses
    /// [`VGG`](Self::VGG). SVHN and the synthetic images, and constants of a reader's own, are the same for every network.
    pub fn for_network(self, network: Architecture) -> Self {
        if network.family() == Family::Vgg && self == Self::CIFAR { Self::VGG } else { self }
    }

    /// What each byte of each plane becomes: (byte/255 − mean)/std.
    pub(crate) fn tables(&self) -> Tables {
        std::array::from_fn(|channel| {
            std::array::from_fn(|byte| (byte as f32 / 255.0 - self.mean[channel]) / self.std[channel])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::numbered;
    use crate::data::{DataKind, Dataset};

    #[test]
    fn every_byte_becomes_its_distance_from_the_mean_in_standard_deviations() {
        for (normalisation, mean, std) in [
            (Normalisation::CIFAR, [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]),
            (Normalisation::VGG, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            (Normalisation::HALF, [0.5; 3], [0.5; 3]),
        ] {
            for (channel, table) in normalisation.tables().iter().enumerate() {
                for (byte, &value) in table.iter().enumerate() {
                    let exact = (byte as f64 / 255.0 - mean[channel]) / std[channel];
                    assert!((f64::from(value) - exact).abs() < 1e-6, "{channel} {byte}: {value}");
                }
            }
        }
    }

    #[test]
    fn vgg_alone_has_constants_of_its_own_and_for_photographs_alone() {
        let own = Normalisation::new([0.1; 3], [0.2; 3]).expect("valid");
        for &network in Architecture::ALL {
            let vgg = network.name().starts_with("vgg");
            let photographs = if vgg { Normalisation::VGG } else { Normalisation::CIFAR };
            assert_eq!(Normalisation::CIFAR.for_network(network), photographs, "{network}");
            for same in [Normalisation::HALF, Normalisation::VGG, own] {
                assert_eq!(same.for_network(network), same, "{network}");
            }
            for kind in DataKind::ALL {
                let drawn = matches!(kind, DataKind::Svhn | DataKind::Synthetic);
                let expected = if drawn { Normalisation::HALF } else { photographs };
                let (train, test) = (numbered(2), numbered(1));
                let (normalisation, augmentation) = (kind.normalisation(), kind.augmentation());
                let data = Dataset::new("n", "N", train, test, normalisation, augmentation).expect("valid");
                let read = data.clone().for_network(network);
                assert_eq!(read.normalisation(), expected, "{kind} {network}");
                assert!(read.train() == data.train() && read.checksum() == data.checksum());
            }
        }
    }

    #[test]
    fn constants_that_cannot_divide_are_refused() {
        for (mean, std) in [([f32::NAN, 0.0, 0.0], [1.0; 3]), ([0.0; 3], [1.0, 0.0, 1.0]), ([0.0; 3], [1.0, 1.0, -1.0])]
        {
            assert!(Normalisation::new(mean, std).is_err(), "{mean:?} {std:?}");
        }
    }
}
