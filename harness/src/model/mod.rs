//! Networks: static graphs of named layers, one family a file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub mod graph;
pub mod preresnet;

pub use graph::{Graph, GraphBuilder, Shape, Value, Window};

use crate::{Error, Result};

/// The networks this crate knows, for 3×32×32 images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Architecture {
    /// Pre-activation residual network of depth 8, basic blocks: the smallest of the family, for tests and small machines.
    ResNet8,
    /// Pre-activation residual network of depth 20, basic blocks.
    ResNet20,
    /// Pre-activation residual network of depth 32, basic blocks.
    ResNet32,
    /// Pre-activation residual network of depth 56, bottleneck blocks.
    ResNet56,
    /// Pre-activation residual network of depth 110, bottleneck blocks (the paper's).
    ResNet110,
    /// Pre-activation residual network of depth 164, bottleneck blocks (the paper's).
    ResNet164,
}

impl Architecture {
    /// Every architecture.
    pub const ALL: [Self; 6] =
        [Self::ResNet8, Self::ResNet20, Self::ResNet32, Self::ResNet56, Self::ResNet110, Self::ResNet164];

    /// The architecture of a name such as `resnet20`.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the nearest architecture and all of them, if the name is none of theirs.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|architecture| architecture.name() == name);
        known.ok_or_else(|| valleys_sim::Error::unknown("architecture", name, &Self::ALL.map(Self::name)).into())
    }

    /// The name to [`parse`](Self::parse), such as `resnet20`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResNet8 => "resnet8",
            Self::ResNet20 => "resnet20",
            Self::ResNet32 => "resnet32",
            Self::ResNet56 => "resnet56",
            Self::ResNet110 => "resnet110",
            Self::ResNet164 => "resnet164",
        }
    }

    /// The name for pictures and tables, such as `ResNet-20`.
    pub fn title(self) -> String {
        format!("ResNet-{}", self.depth())
    }

    /// Layers with weights along the longest path.
    pub fn depth(self) -> usize {
        match self {
            Self::ResNet8 => 8,
            Self::ResNet20 => 20,
            Self::ResNet32 => 32,
            Self::ResNet56 => 56,
            Self::ResNet110 => 110,
            Self::ResNet164 => 164,
        }
    }

    /// The network for this many classes.
    ///
    /// # Errors
    /// [`Error::Domain`] if `classes` is below 2.
    pub fn graph(self, classes: usize) -> Result<Graph> {
        preresnet::preresnet(self.depth(), classes)
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
            assert_eq!(Architecture::parse(architecture.name()).expect("a known name"), architecture);
        }
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_suggested() {
        let message = Architecture::parse("ResNet-20").expect_err("not a name").to_string();
        assert!(message.contains("`ResNet-20`") && message.contains("nearest: resnet20"), "{message}");
        let message = Architecture::parse("xyz").expect_err("not a name").to_string();
        assert!(!message.contains("nearest") && message.contains("resnet8, resnet20"), "{message}");
    }
}
