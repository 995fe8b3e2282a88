//! Who runs networks, and on which device.

use std::str::FromStr;

use clap::Args;
use valleys_harness::exec::BackendKind;

/// The choice of a backend and a device, as commands that run networks take it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Runner {
    /// Who runs the network: cpu, fast; reference, plain; cuda, an NVIDIA GPU; cuda-tf32, the same with coarser
    /// convolutions; cuda-bf16, with coarser feature maps, too. A run has the bits of its backend [default: as the settings say, or else cpu; of device-test and speed, cuda].
    #[arg(long, value_name = "NAME", value_parser = ["cpu", "reference", "cuda", "cuda-tf32", "cuda-bf16"])]
    pub(crate) backend: Option<String>,
    /// Where: cpu, reference, or cuda:N for GPU number N, from 0; names the backend, too, if that is not given.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<Device>,
}

/// Where a network runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// On the processor, by one of its backends.
    Host(BackendKind),
    /// On the GPU of this number.
    Gpu(usize),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Host(BackendKind::Cpu)),
            None if text == "reference" => Ok(Self::Host(BackendKind::Reference)),
            None if text == "cuda" => Ok(Self::Gpu(0)),
            Some(("cuda", number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                number.parse().map(Self::Gpu).map_err(|_| "allowed: cpu, reference, cuda:0, cuda:1, …".to_owned())
            }
            _ => Err("allowed: cpu, reference, cuda:0, cuda:1, …".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_the_processor_or_a_numbered_gpu() {
        for (text, device) in [
            ("cpu", Device::Host(BackendKind::Cpu)),
            ("reference", Device::Host(BackendKind::Reference)),
            ("cuda", Device::Gpu(0)),
            ("cuda:3", Device::Gpu(3)),
        ] {
            assert_eq!(text.parse(), Ok(device));
        }
        for wrong in ["gpu", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "cpu:0", ""] {
            assert!(wrong.parse::<Device>().is_err(), "{wrong}");
        }
    }
}
