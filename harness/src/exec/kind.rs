//! Who can carry out a network.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::gpu;
use crate::{Error, Result};

/// Who carries out a network. Backends agree but for rounding, so a run has the bits of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendKind {
    /// Kernels for the processor's vectors, over images in the cache.
    #[default]
    Cpu,
    /// Plain loops and one matrix product: slower, and the standard that the others are held to.
    Reference,
    /// An NVIDIA GPU, in single precision throughout.
    Cuda,
    /// The same with convolutions in TF32: products of numbers rounded to ten bits, added up in single precision.
    CudaTf32,
    /// The same with convolutions in bfloat16, in which feature maps and their gradients are kept, too; weights, sums and
    /// all else are in single precision.
    CudaBf16,
}

impl BackendKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Cpu, Self::Reference, Self::Cuda, Self::CudaTf32, Self::CudaBf16];

    /// The name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Reference => "reference",
            Self::Cuda => "cuda",
            Self::CudaTf32 => "cuda-tf32",
            Self::CudaBf16 => "cuda-bf16",
        }
    }

    /// Whether it needs a GPU.
    pub fn needs_gpu(self) -> bool {
        matches!(self, Self::Cuda | Self::CudaTf32 | Self::CudaBf16)
    }

    /// Who computes in double precision for this one: itself, but the processor for a GPU, whose engine knows single
    /// precision alone.
    pub fn in_double(self) -> Self {
        if self.needs_gpu() { Self::Cpu } else { self }
    }

    /// Backend, precision and, of a GPU, its name, in words.
    ///
    /// # Errors
    /// [`Error::Device`] if it needs a GPU and there is none.
    pub fn describe(self) -> Result<String> {
        Ok(match self {
            Self::Cpu | Self::Reference => format!("{self}: single precision"),
            Self::Cuda => format!("{self}: single precision, deterministic, on {}", gpu::name()?),
            Self::CudaTf32 => {
                format!("{self}: single precision with TF32 convolutions, deterministic, on {}", gpu::name()?)
            }
            Self::CudaBf16 => {
                let precision = "bfloat16 feature maps and convolutions, single precision sums and weights";
                format!("{self}: {precision}, deterministic, on {}", gpu::name()?)
            }
        })
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BackendKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| Error::domain("the backend", name, Self::ALL.map(Self::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_a_configuration() {
        for kind in BackendKind::ALL {
            assert_eq!(serde_json::to_string(&kind).expect("json"), format!("\"{kind}\""));
            assert_eq!(kind.name().parse::<BackendKind>().expect("its own name"), kind);
        }
        let message = "gpu".parse::<BackendKind>().expect_err("no such backend").to_string();
        assert_eq!(message, "the backend is gpu; allowed: cpu, reference, cuda, cuda-tf32, cuda-bf16");
    }

    #[test]
    fn double_precision_is_a_matter_for_the_processor() {
        assert_eq!(
            BackendKind::ALL.map(BackendKind::in_double).map(BackendKind::name),
            ["cpu", "reference", "cpu", "cpu", "cpu"]
        );
    }
}
