//! Networks: static graphs of named layers, one family a file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub mod builder;
pub mod densenet;
pub mod graph;
pub(crate) mod initial;
pub mod mlp;
pub mod preresnet;
pub mod vgg;

pub use builder::GraphBuilder;
pub use graph::{Activation, Graph, Shape, Value, Window};
pub use initial::NormWeights;

use self::densenet::densenet;
use self::mlp::mlp;
use self::preresnet::{PreActivation, preresnet};
use self::vgg::vgg16;
use crate::{Error, Result};

/// The images that every known network is for.
pub(crate) const IMAGE: Shape = Shape { channels: 3, height: 32, width: 32 };

const PUBLISHED: PreActivation = PreActivation::PUBLISHED;
const SIGMOID: PreActivation = PreActivation { function: Activation::Sigmoid, ..PUBLISHED };
const SOFTPLUS: PreActivation = PreActivation { function: Activation::Softplus, ..PUBLISHED };
const NO_NORM: PreActivation = PreActivation { batch_norm: false, ..PUBLISHED };

/// Declares [`Architecture`] from one line a network: variant, name, title, and the function of the number of classes
/// that builds it.
macro_rules! architectures {
    ($($variant:ident, $name:literal, $title:literal, |$classes:ident| $graph:expr;)*) => {
        /// The networks this crate knows, for 3×32×32 images and any number of classes.
        ///
        /// ResNets are pre-activation residual networks, with basic blocks up to depth 32 and bottlenecks from 56 on
        /// (the paper's are 56, 110 and 164); their variants have another function in place of every ReLU, or no batch
        /// norm. DenseNets are DenseNet-BC with growth 12. ResNet-8 and the MLP are for tests and small machines.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Architecture {
            $(#[doc = $title] $variant,)*
        }

        impl Architecture {
            /// Every architecture.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name to [`parse`](Self::parse), such as `resnet20` or `resnet110-sigmoid`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The name for pictures and tables, such as `ResNet-20`.
            pub fn title(self) -> String {
                let title = match self {
                    $(Self::$variant => $title,)*
                };
                title.to_owned()
            }

            /// The network for this many classes.
            ///
            /// # Errors
            /// [`Error::Domain`] if `classes` is below 2.
            pub fn graph(self, classes: usize) -> Result<Graph> {
                match self {
                    $(Self::$variant => {
                        let $classes = classes;
                        $graph
                    })*
                }
            }
        }
    };
}

architectures! {
    ResNet8, "resnet8", "ResNet-8", |classes| preresnet(8, PUBLISHED, classes);
    ResNet20, "resnet20", "ResNet-20", |classes| preresnet(20, PUBLISHED, classes);
    ResNet32, "resnet32", "ResNet-32", |classes| preresnet(32, PUBLISHED, classes);
    ResNet56, "resnet56", "ResNet-56", |classes| preresnet(56, PUBLISHED, classes);
    ResNet110, "resnet110", "ResNet-110", |classes| preresnet(110, PUBLISHED, classes);
    ResNet164, "resnet164", "ResNet-164", |classes| preresnet(164, PUBLISHED, classes);
    ResNet8Sigmoid, "resnet8-sigmoid", "ResNet-8 with sigmoid", |classes| preresnet(8, SIGMOID, classes);
    ResNet20Sigmoid, "resnet20-sigmoid", "ResNet-20 with sigmoid", |classes| preresnet(20, SIGMOID, classes);
    ResNet32Sigmoid, "resnet32-sigmoid", "ResNet-32 with sigmoid", |classes| preresnet(32, SIGMOID, classes);
    ResNet56Sigmoid, "resnet56-sigmoid", "ResNet-56 with sigmoid", |classes| preresnet(56, SIGMOID, classes);
    ResNet110Sigmoid, "resnet110-sigmoid", "ResNet-110 with sigmoid", |classes| preresnet(110, SIGMOID, classes);
    ResNet164Sigmoid, "resnet164-sigmoid", "ResNet-164 with sigmoid", |classes| preresnet(164, SIGMOID, classes);
    ResNet8Softplus, "resnet8-softplus", "ResNet-8 with softplus", |classes| preresnet(8, SOFTPLUS, classes);
    ResNet20Softplus, "resnet20-softplus", "ResNet-20 with softplus", |classes| preresnet(20, SOFTPLUS, classes);
    ResNet32Softplus, "resnet32-softplus", "ResNet-32 with softplus", |classes| preresnet(32, SOFTPLUS, classes);
    ResNet56Softplus, "resnet56-softplus", "ResNet-56 with softplus", |classes| preresnet(56, SOFTPLUS, classes);
    ResNet110Softplus, "resnet110-softplus", "ResNet-110 with softplus", |classes| preresnet(110, SOFTPLUS, classes);
    ResNet164Softplus, "resnet164-softplus", "ResNet-164 with softplus", |classes| preresnet(164, SOFTPLUS, classes);
    ResNet8NoBn, "resnet8-nobn", "ResNet-8 without batch norm", |classes| preresnet(8, NO_NORM, classes);
    ResNet20NoBn, "resnet20-nobn", "ResNet-20 without batch norm", |classes| preresnet(20, NO_NORM, classes);
    ResNet32NoBn, "resnet32-nobn", "ResNet-32 without batch norm", |classes| preresnet(32, NO_NORM, classes);
    ResNet56NoBn, "resnet56-nobn", "ResNet-56 without batch norm", |classes| preresnet(56, NO_NORM, classes);
    ResNet110NoBn, "resnet110-nobn", "ResNet-110 without batch norm", |classes| preresnet(110, NO_NORM, classes);
    ResNet164NoBn, "resnet164-nobn", "ResNet-164 without batch norm", |classes| preresnet(164, NO_NORM, classes);
    Vgg16, "vgg16", "VGG-16", |classes| vgg16(false, classes);
    Vgg16Bn, "vgg16-bn", "VGG-16-BN", |classes| vgg16(true, classes);
    DenseNet40, "densenet40", "DenseNet-40", |classes| densenet(40, classes);
    DenseNet100, "densenet100", "DenseNet-100", |classes| densenet(100, classes);
    Mlp, "mlp", "MLP", |classes| mlp(classes);
}

/// Networks that are trained alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Pre-activation residual networks with batch norm, whatever their activation.
    ResNet,
    /// The same without batch norm.
    ResNetNoBn,
    /// VGG-16, with batch norm or without.
    Vgg,
    /// DenseNet-BC.
    DenseNet,
    /// The multilayer perceptron.
    Mlp,
}

impl Architecture {
    /// The family it belongs to.
    pub fn family(self) -> Family {
        match self {
            Self::Vgg16 | Self::Vgg16Bn => Family::Vgg,
            Self::DenseNet40 | Self::DenseNet100 => Family::DenseNet,
            Self::Mlp => Family::Mlp,
            Self::ResNet8NoBn
            | Self::ResNet20NoBn
            | Self::ResNet32NoBn
            | Self::ResNet56NoBn
            | Self::ResNet110NoBn
            | Self::ResNet164NoBn => Family::ResNetNoBn,
            _ => Family::ResNet,
        }
    }

    /// Whether it normalises batches.
    pub fn has_batch_norm(self) -> bool {
        match self.family() {
            Family::ResNet | Family::DenseNet => true,
            Family::Vgg => self == Self::Vgg16Bn,
            Family::ResNetNoBn | Family::Mlp => false,
        }
    }

    /// The architecture of a name such as `resnet20`.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the nearest architectures, if the name is none of theirs.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.iter().find(|architecture| architecture.name() == name);
        let names: Vec<_> = Self::ALL.iter().map(|architecture| architecture.name()).collect();
        let unknown = || valleys_sim::Error::unknown_of_many("architecture", name, &names, "valleys train --help");
        known.copied().ok_or_else(|| unknown().into())
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::parse(name)
    }
}

impl TryFrom<String> for Architecture {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        Self::parse(&name)
    }
}

impl From<Architecture> for String {
    fn from(architecture: Architecture) -> Self {
        architecture.name().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_itself() {
        for architecture in Architecture::ALL {
            assert_eq!(Architecture::parse(architecture.name()).expect("a known name"), *architecture);
        }
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_suggested() {
        for (wrong, nearest) in [
            ("ResNet-20", "resnet20"),
            ("resnet110sigmoid", "resnet110-sigmoid"),
            ("vgg16bn", "vgg16-bn"),
            ("densenet-bc-100", "densenet100"),
            ("MLP", "mlp"),
        ] {
            let message = Architecture::parse(wrong).expect_err("not a name").to_string();
            assert!(message.contains(&format!("`{wrong}`")), "{message}");
            let first = message.split_once("(nearest: ").and_then(|(_, rest)| rest.split([',', ';']).next());
            assert_eq!(first, Some(nearest), "{message}");
        }
        let message = Architecture::parse("xyz").expect_err("not a name").to_string();
        assert!(!message.contains("nearest") && message.contains("such as resnet8, resnet20"), "{message}");
    }

    #[test]
    fn networks_have_as_many_outputs_as_classes() {
        for architecture in Architecture::ALL {
            for classes in [2, 100] {
                let graph = architecture.graph(classes).expect("a network");
                assert_eq!(graph.classes(), classes, "{architecture}");
                assert_eq!(architecture.has_batch_norm(), !graph.layout().norms().is_empty(), "{architecture}");
            }
            for classes in [0, 1] {
                assert!(architecture.graph(classes).is_err(), "{architecture}");
            }
        }
    }
}
