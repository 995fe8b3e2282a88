//! The tensors of a network in PyTorch's order.

use std::collections::HashMap;

use crate::params::Layout;

/// A tensor that the state dict of a network holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// What every batch norm counts besides its statistics, which PyTorch before 0.4.1 did not.
pub(super) const TRACKED: &str = ".num_batches_tracked";

/// The tensors of a network's state dict, in the order in which PyTorch's `state_dict()` lists them: module by module,
/// of every module the parameters first, then the running statistics.
pub fn state_dict(layout: &Layout) -> Vec<Expected> {
    let norms: HashMap<_, _> = layout.norms().iter().map(|norm| (norm.name.as_str(), norm)).collect();
    let mut all = Vec::new();
    for entry in layout.parameters() {
        all.push(Expected { name: entry.name.clone(), shape: entry.shape.clone() });
        // The bias is the last parameter of a batch norm.
        let Some(norm) = entry.name.strip_suffix(".bias").and_then(|name| norms.get(name)) else { continue };
        for (suffix, shape) in
            [(".running_mean", vec![norm.channels]), (".running_var", vec![norm.channels]), (TRACKED, vec![])]
        {
            all.push(Expected { name: format!("{}{suffix}", norm.name), shape });
        }
    }
    all
}
