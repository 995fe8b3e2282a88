//! `valleys checkpoint info`: what a file holds.

use std::collections::HashMap;

use valleys_harness::Error as HarnessError;
use valleys_harness::interchange::{self, Recognised, StateDict, StoredTensor};

use super::{Opened, remarks};
use crate::cli::checkpoint::Info;
use crate::error::Result;
use crate::output::{line, table};

pub(crate) fn info(options: &Info) -> Result<()> {
    let opened = Opened::new(&options.stored)?;
    line(format!("{}: {}", opened.path.display(), opened.file.form()))?;
    facts(opened.file.others().iter().map(|entry| (entry.name.as_str(), entry.value.clone())).collect())?;
    let dicts = match &opened.which {
        Some(which) => std::slice::from_ref(opened.file.choose(Some(which))?),
        None => opened.file.dicts(),
    };
    for dict in dicts {
        line("")?;
        if let Some(name) = dict.name() {
            line(name)?;
        }
        describe(&opened, dict, options.tensors)?;
    }
    Ok(())
}

/// Names and values in two columns.
fn facts(rows: Vec<(&str, String)>) -> Result<()> {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.into_iter().try_for_each(|(name, value)| line(format!("{name:<width$}  {value}")))
}

/// What is known of a state dict, and its tensors: all of them, or how many there are in every module.
fn describe(opened: &Opened, dict: &StateDict, all: bool) -> Result<()> {
    let mut tensors: Vec<_> = dict.tensors().iter().collect();
    match dict.recognise(opened.network) {
        Err(HarnessError::File { problem, allowed, .. }) => {
            facts(vec![("network", format!("{problem}; allowed: {allowed}"))])?;
        }
        Err(error) => return Err(error.into()),
        Ok(recognised) => {
            network_facts(dict, &recognised)?;
            // safetensors keeps no order.
            let order = interchange::state_dict(recognised.graph.layout());
            let places: HashMap<_, _> = order.iter().enumerate().map(|(i, tensor)| (tensor.name.as_str(), i)).collect();
            tensors.sort_by_key(|tensor| places.get(tensor.name()));
        }
    }
    line("")?;
    if all { list(&tensors) } else { count(&tensors) }
}

fn network_facts(dict: &StateDict, recognised: &Recognised<'_>) -> Result<()> {
    let weights = recognised.weights()?;
    let (architecture, layout) = (recognised.architecture, weights.layout());
    let mut rows = vec![
        ("network", format!("{architecture}: {} for {} classes", architecture.title(), recognised.graph.classes())),
        ("parameters", layout.trainable().to_string()),
    ];
    if !layout.norms().is_empty() {
        let (norms, channels) = (layout.norms().len(), layout.channels());
        let tracked = weights.batches_tracked;
        rows.push(("batch norm", format!("{norms} layers, {channels} channels; batches tracked: {tracked}")));
    }
    let numbers = weights.values.iter().chain(&weights.running_mean).chain(&weights.running_var);
    match numbers.filter(|number| !number.is_finite()).count() {
        0 => {}
        count => rows.push(("not finite", format!("{count} numbers"))),
    }
    rows.push(("SHA-256", format!("{} of the parameters", interchange::checksum(&weights))));
    rows.extend(remarks(dict, recognised));
    facts(rows)
}

fn list(tensors: &[&StoredTensor]) -> Result<()> {
    let row = |tensor: &&StoredTensor| {
        vec![tensor.name().to_owned(), format!("{:?}", tensor.shape()), tensor.element().to_string()]
    };
    table(&["tensor", "shape", "type"], &tensors.iter().map(row).collect::<Vec<_>>())
}

fn count(tensors: &[&StoredTensor]) -> Result<()> {
    let mut modules: Vec<(&str, usize, usize, Vec<&str>)> = Vec::new();
    for tensor in tensors {
        let name = tensor.name().split('.').next().unwrap_or_default();
        let place = modules.iter().position(|module| module.0 == name).unwrap_or_else(|| {
            modules.push((name, 0, 0, Vec::new()));
            modules.len() - 1
        });
        let (_, tensors, numbers, types) = &mut modules[place];
        *tensors += 1;
        *numbers += tensor.len();
        if !types.contains(&tensor.element().name()) {
            types.push(tensor.element().name());
        }
    }
    let rows: Vec<_> = modules
        .iter()
        .map(|(name, tensors, numbers, types)| {
            vec![(*name).to_owned(), tensors.to_string(), numbers.to_string(), types.join(", ")]
        })
        .collect();
    table(&["module", "tensors", "numbers", "types"], &rows)
}
