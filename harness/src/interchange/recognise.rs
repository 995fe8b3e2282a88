//! Which network a state dict belongs to, by the names and shapes of its tensors.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::contents::StateDict;
use super::order::{self, Expected, TRACKED};
use crate::model::{Architecture, Graph};
use crate::params::{Layout, Weights};
use crate::{Error, Result, checkpoint};

/// The classes of a network whose file does not say.
const CLASSES: usize = 10;

/// A network that a state dict fits.
#[derive(Debug, Clone)]
pub struct Recognised<'a> {
    dict: &'a StateDict,
    /// Its architecture.
    pub architecture: Architecture,
    /// Other architectures with the same tensors, among which names and shapes cannot decide.
    pub alike: Vec<Architecture>,
    /// Whether the file counts the batches that have gone into the running statistics; if not, they are taken as 0.
    pub tracked: bool,
    /// The network, with as many classes as the last linear layer has outputs.
    pub graph: Arc<Graph>,
}

/// How a state dict differs from a network.
struct Difference {
    /// Tensors that are the same.
    agreeing: usize,
    /// Tensors that differ, are missing or are over.
    differing: usize,
    /// What is wrong with the first that differs, and what would be right.
    first: (String, String),
}

impl StateDict {
    /// The network that these tensors make up: the one asked for, or else the one that the file says it is, as a solution of
    /// a training run does, or else the first of [`Architecture::ALL`] that fits.
    ///
    /// # Errors
    /// [`Error::File`] naming the first tensor that differs, from that network or from the nearest of all.
    pub fn recognise(&self, asked: Option<Architecture>) -> Result<Recognised<'_>> {
        let decided = asked.or(self.said);
        let shapes: HashMap<_, _> = self.tensors().iter().map(|tensor| (tensor.name(), tensor.shape())).collect();
        let tracked = shapes.keys().any(|name| name.ends_with(TRACKED));
        let mut found: Option<Recognised<'_>> = None;
        let mut nearest: Option<(Difference, Architecture, usize)> = None;
        for &architecture in decided.as_ref().map_or(Architecture::ALL, std::slice::from_ref) {
            let classes = classes(architecture.graph(2)?.layout(), &shapes).unwrap_or(CLASSES);
            let graph = architecture.graph(classes)?;
            match (difference(&shapes, &order::state_dict(graph.layout()), tracked), &mut found) {
                (None, Some(found)) => found.alike.push(architecture),
                (None, empty @ None) => {
                    let tracked = tracked || graph.layout().norms().is_empty();
                    *empty = Some(Recognised {
                        dict: self,
                        architecture,
                        alike: Vec::new(),
                        tracked,
                        graph: Arc::new(graph),
                    });
                }
                (Some(difference), _) => {
                    if nearest.as_ref().is_none_or(|(other, ..)| difference.is_less_than(other)) {
                        nearest = Some((difference, architecture, classes));
                    }
                }
            }
        }
        if let Some(found) = found {
            return Ok(found);
        }
        let Some((Difference { differing, first: (problem, allowed), .. }, architecture, classes)) = nearest else {
            return Err(Error::domain("architectures", 0, "at least 1"));
        };
        let tensors = if differing == 1 { "1 tensor" } else { &format!("{differing} tensors, first") };
        let network = format!("{architecture} for {classes} classes, differs in {tensors}: {problem}");
        let problem = match (asked, decided) {
            (Some(_), _) => format!("the network asked for, {network}"),
            (None, Some(_)) => format!("the network that the file says it is, {network}"),
            (None, None) => format!("no known network; the nearest, {network}"),
        };
        Err(Error::file(&self.source.path, problem, allowed))
    }
}

impl Recognised<'_> {
    /// The network. Numbers of other types than `f32` become the nearest `f32`.
    ///
    /// # Errors
    /// [`Error::File`] naming a tensor whose numbers cannot be those of a network.
    pub fn weights(&self) -> Result<Weights<f32>> {
        let source = &self.dict.source;
        let mut tensors = HashMap::new();
        for tensor in self.dict.tensors() {
            tensors.insert(tensor.name().to_owned(), tensor.tensor(&source.bytes)?);
        }
        let layout = self.graph.layout();
        if !self.tracked {
            for expected in order::state_dict(layout).into_iter().filter(|expected| expected.name.ends_with(TRACKED)) {
                tensors.insert(expected.name, Tensor::new(0_i64, &Device::Cpu)?);
            }
        }
        checkpoint::network(&source.path, layout, tensors)
    }
}

/// The outputs of the last linear layer, if the file has one of that name.
fn classes(layout: &Layout, shapes: &HashMap<&str, &[usize]>) -> Option<usize> {
    let bias = layout.parameters().last()?;
    match shapes.get(bias.name.as_str())? {
        &&[classes] if classes >= 2 => Some(classes),
        _ => None,
    }
}

/// In what these shapes differ from a network's; `None` if in nothing.
fn difference(shapes: &HashMap<&str, &[usize]>, network: &[Expected], tracked: bool) -> Option<Difference> {
    let (mut agreeing, mut differing) = (0, 0);
    let mut first = None;
    let mut differs = |problem: String, allowed: String| {
        differing += 1;
        first.get_or_insert((problem, allowed));
    };
    for Expected { name, shape } in network {
        match shapes.get(name.as_str()) {
            Some(seen) if seen == shape => agreeing += 1,
            Some(seen) => differs(format!("{name} has shape {seen:?}"), format!("shape {shape:?}")),
            None if !tracked && name.ends_with(TRACKED) => {}
            None => differs(format!("{name} is missing"), format!("shape {shape:?}")),
        }
    }
    let known: HashSet<_> = network.iter().map(|expected| expected.name.as_str()).collect();
    let mut over: Vec<_> = shapes.keys().filter(|name| !known.contains(**name)).collect();
    over.sort_unstable();
    over.into_iter().for_each(|name| differs(format!("{name} is over"), "the network's own tensors".to_owned()));
    first.map(|first| Difference { agreeing, differing, first })
}

impl Difference {
    /// Whether a larger share of all tensors agrees.
    fn is_less_than(&self, other: &Self) -> bool {
        self.agreeing * other.differing > other.agreeing * self.differing
    }
}
