//! The parameters of a network: one flat store, with a name, a shape and a place for every tensor.

mod line;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use valleys_sim::Seed;

pub use line::Line;

use crate::model::{Graph, NormWeights};
use crate::{Error, Result, Scalar};

/// What a trainable tensor belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The kernel of a convolution.
    ConvWeight,
    /// The bias of a convolution.
    ConvBias,
    /// The scale of a batch norm.
    BnWeight,
    /// The shift of a batch norm.
    BnBias,
    /// The matrix of a linear layer.
    LinearWeight,
    /// The bias of a linear layer.
    LinearBias,
}

/// The groups and their names.
const GROUPS: [(&str, Group); 6] = [
    ("conv-weight", Group::ConvWeight),
    ("conv-bias", Group::ConvBias),
    ("bn-weight", Group::BnWeight),
    ("bn-bias", Group::BnBias),
    ("linear-weight", Group::LinearWeight),
    ("linear-bias", Group::LinearBias),
];

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GROUPS.iter().find(|(_, group)| group == self).map_or("", |(name, _)| name))
    }
}

impl FromStr for Group {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = || GROUPS.map(|(known, _)| known);
        let found = GROUPS.iter().find(|(known, _)| *known == name).map(|(_, group)| *group);
        found.ok_or_else(|| Error::Sim(valleys_sim::Error::unknown("parameter group", name, &known())))
    }
}

/// One trainable tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// PyTorch's name, such as `layer1.0.conv1.weight`.
    pub name: String,
    /// PyTorch's shape: (out, in, row, column), (out, in), or (channels).
    pub shape: Vec<usize>,
    /// Where it begins among the flat trainable values.
    pub offset: usize,
    /// What it belongs to.
    pub group: Group,
}

impl Entry {
    /// Numbers in the tensor.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor holds no number; no network has such.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its place among the flat trainable values.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }
}

/// The running statistics of one batch norm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Norm {
    /// The layer's name, such as `layer1.0.bn1`.
    pub name: String,
    /// Channels.
    pub channels: usize,
    /// Where its channels begin among those of all batch norms.
    pub offset: usize,
}

impl Norm {
    /// Its place among the channels of all batch norms.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.channels
    }
}

/// Names, shapes and places of a network's parameters, in PyTorch's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    parameters: Vec<Entry>,
    norms: Vec<Norm>,
    trainable: usize,
    channels: usize,
}

impl Layout {
    /// The trainable tensors.
    pub fn parameters(&self) -> &[Entry] {
        &self.parameters
    }

    /// The batch norms, whose running statistics are no trainable parameters.
    pub fn norms(&self) -> &[Norm] {
        &self.norms
    }

    /// Trainable numbers in all.
    pub fn trainable(&self) -> usize {
        self.trainable
    }

    /// Channels of all batch norms together.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Adds a trainable tensor and returns its number.
    pub(crate) fn add_parameter(&mut self, name: String, shape: Vec<usize>, group: Group) -> Result<usize> {
        if self.parameters.iter().any(|entry| entry.name == name) {
            return Err(Error::domain("a parameter's name", name, "a name not yet taken"));
        }
        let entry = Entry { name, shape, offset: self.trainable, group };
        self.trainable += entry.len();
        self.parameters.push(entry);
        Ok(self.parameters.len() - 1)
    }

    /// Adds a batch norm and returns its number.
    pub(crate) fn add_norm(&mut self, name: String, channels: usize) -> usize {
        self.norms.push(Norm { name, channels, offset: self.channels });
        self.channels += channels;
        self.norms.len() - 1
    }
}

/// The whole state of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights<T> {
    layout: Arc<Layout>,
    /// The trainable parameters, one tensor after the other as the layout says.
    pub values: Vec<T>,
    /// Running means of the batch norms, one layer after the other.
    pub running_mean: Vec<T>,
    /// Running (unbiased) variances of the batch norms, one layer after the other.
    pub running_var: Vec<T>,
    /// Batches that have gone into the running statistics; 0 for a network without batch norms.
    pub batches_tracked: u64,
}

impl Weights<f32> {
    /// A fresh network, drawn from the laws that the [builder](crate::model::GraphBuilder) states, each tensor from its
    /// own stream `initialise NAME`.
    pub fn initialise(graph: &Graph, seed: Seed) -> Self {
        Self::initialise_with(graph, seed, NormWeights::One)
    }

    /// The same network with batch-norm weights from another law (Appendix H).
    pub fn initialise_with(graph: &Graph, seed: Seed, norm_weights: NormWeights) -> Self {
        let mut weights = Self::zeros(graph.layout());
        for (entry, law) in graph.layout().parameters().iter().zip(graph.initial()) {
            let law = if entry.group == Group::BnWeight { norm_weights.law() } else { *law };
            let mut rng = seed.stream(&format!("initialise {}", entry.name), 0);
            weights.values[entry.range()].fill_with(|| law.sample(&mut rng) as f32);
        }
        weights
    }
}

impl<T: Scalar> Weights<T> {
    /// All parameters 0, running statistics 0 and 1: the frame for parameters from elsewhere.
    pub fn zeros(layout: &Arc<Layout>) -> Self {
        Self {
            layout: Arc::clone(layout),
            values: vec![T::zero(); layout.trainable()],
            running_mean: vec![T::zero(); layout.channels()],
            running_var: vec![T::one(); layout.channels()],
            batches_tracked: 0,
        }
    }

    /// Names, shapes and places.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The same network in another number type.
    pub fn cast<U: Scalar>(&self) -> Weights<U> {
        let cast = |values: &[T]| values.iter().map(|value| U::from_f64(value.to_f64())).collect();
        Weights {
            layout: Arc::clone(&self.layout),
            values: cast(&self.values),
            running_mean: cast(&self.running_mean),
            running_var: cast(&self.running_var),
            batches_tracked: self.batches_tracked,
        }
    }

    /// Every tensor of a PyTorch `state_dict` under its name.
    ///
    /// # Errors
    /// [`Error::Candle`] if candle cannot make a tensor.
    pub fn named(&self) -> Result<Vec<(String, Tensor)>> {
        let mut tensors = Vec::new();
        for entry in self.layout.parameters() {
            let tensor = Tensor::from_slice(&self.values[entry.range()], entry.shape.as_slice(), &Device::Cpu)?;
            tensors.push((entry.name.clone(), tensor));
        }
        for norm in self.layout.norms() {
            for (suffix, values) in [("running_mean", &self.running_mean), ("running_var", &self.running_var)] {
                let tensor = Tensor::from_slice(&values[norm.range()], norm.channels, &Device::Cpu)?;
                tensors.push((format!("{}.{suffix}", norm.name), tensor));
            }
            let count = Tensor::new(self.batches_tracked as i64, &Device::Cpu)?;
            tensors.push((format!("{}.num_batches_tracked", norm.name), count));
        }
        Ok(tensors)
    }

    /// A network from the tensors of a PyTorch `state_dict`, of any floating type.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the tensor that is missing, unknown, or of the wrong shape, or whose
    /// `num_batches_tracked` differs from the others'; [`Error::Candle`] if candle cannot convert it.
    pub fn from_named(layout: &Arc<Layout>, mut tensors: HashMap<String, Tensor>) -> Result<Self> {
        let mut weights = Self::zeros(layout);
        for entry in layout.parameters() {
            let values = take(&mut tensors, &entry.name, &entry.shape)?;
            weights.values[entry.range()].copy_from_slice(&values);
        }
        let mut tracked = None;
        for norm in layout.norms() {
            let mean = take(&mut tensors, &format!("{}.running_mean", norm.name), &[norm.channels])?;
            weights.running_mean[norm.range()].copy_from_slice(&mean);
            let var = take(&mut tensors, &format!("{}.running_var", norm.name), &[norm.channels])?;
            weights.running_var[norm.range()].copy_from_slice(&var);
            let name = format!("{}.num_batches_tracked", norm.name);
            let count = take::<f64>(&mut tensors, &name, &[])?[0];
            if count < 0.0 || count.fract() != 0.0 {
                return Err(Error::domain(name, count, "a number of batches"));
            }
            if *tracked.get_or_insert(count) != count {
                return Err(Error::domain(name, count, "the number of the other batch norms"));
            }
            weights.batches_tracked = count as u64;
        }
        match tensors.keys().min() {
            Some(name) => Err(Error::domain("an extra tensor", name, "the tensors of this network alone")),
            None => Ok(weights),
        }
    }
}

/// Removes a tensor of this name and shape and returns its numbers.
fn take<T: Scalar>(tensors: &mut HashMap<String, Tensor>, name: &str, shape: &[usize]) -> Result<Vec<T>> {
    let tensor = tensors.remove(name).ok_or_else(|| Error::domain(name, "missing", format!("shape {shape:?}")))?;
    if tensor.dims() != shape {
        return Err(Error::domain(name, format!("of shape {:?}", tensor.dims()), format!("shape {shape:?}")));
    }
    let numbers = tensor.flatten_all()?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    Ok(numbers.into_iter().map(T::from_f64).collect())
}
