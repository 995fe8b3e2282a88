//! The backend of a command: what its options ask for, over what the settings say.

use valleys_harness::exec::{BackendKind, choose_gpu};

use crate::cli::runner::{Device, Runner};
use crate::error::{Error, Result};

/// The backend that the options choose, or else the settings' own; of a GPU, also which one this process uses.
pub(crate) fn choose(runner: &Runner, settings: BackendKind) -> Result<BackendKind> {
    let named = match &runner.backend {
        Some(name) => Some(name.parse::<BackendKind>()?),
        None => None,
    };
    let conflict = |backend: BackendKind, device: &str| {
        Err(Error::Usage(format!("--backend {backend} does not run on --device {device}; one of the two is enough")))
    };
    match (runner.device, named) {
        (None, named) => Ok(named.unwrap_or(settings)),
        (Some(Device::Host(host)), Some(named)) if named != host => conflict(named, host.name()),
        (Some(Device::Host(host)), _) => Ok(host),
        (Some(Device::Gpu(_)), Some(named)) if !named.needs_gpu() => conflict(named, "cuda"),
        (Some(Device::Gpu(number)), named) => {
            choose_gpu(number);
            let usual = if settings.needs_gpu() { settings } else { BackendKind::Cuda };
            Ok(named.unwrap_or(usual))
        }
    }
}

impl Runner {
    /// Whether a backend is asked for: then a run may go on with another than it began with.
    pub(crate) fn is_given(&self) -> bool {
        self.backend.is_some() || self.device.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_over_settings_and_a_device_names_its_backend() {
        let choice = |backend: Option<&str>, device: Option<&str>, settings| {
            let device = device.map(|device| device.parse().expect("a device"));
            choose(&Runner { backend: backend.map(str::to_owned), device }, settings).ok()
        };
        let [cpu, reference, cuda, tf32, bf16] = BackendKind::ALL;
        assert_eq!(choice(None, None, reference), Some(reference));
        assert_eq!(choice(Some("cuda"), None, cpu), Some(cuda));
        assert_eq!(choice(None, Some("cuda:0"), cpu), Some(cuda));
        assert_eq!(choice(None, Some("cuda:0"), tf32), Some(tf32), "another GPU keeps the settings' precision");
        assert_eq!(choice(Some("cuda-tf32"), Some("cuda:0"), cpu), Some(tf32));
        assert_eq!(choice(Some("cuda-bf16"), Some("cuda:1"), tf32), Some(bf16));
        assert_eq!(choice(None, Some("cpu"), cuda), Some(cpu));
        assert_eq!(choice(Some("cpu"), Some("cuda:0"), cpu), None);
        assert_eq!(choice(Some("cuda"), Some("cpu"), cpu), None);
    }
}
