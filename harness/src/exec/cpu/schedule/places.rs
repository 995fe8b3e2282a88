//! Where every value lies: in a buffer of its own, inside the value that it becomes a part of, or nowhere.

use super::super::step::{Norm, Place, Source};
use crate::exec::plan::fused::{self, Fused};
use crate::model::graph::{Graph, Layer, Value};

/// How a value is had.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held {
    /// It is written once and read from there.
    Stored(Place),
    /// Its readers compute it, from numbers that are stored. Its gradient has a place like that of a stored value.
    View { source: Source, gradient: Place },
}

/// Where all values lie.
pub(super) struct Places {
    /// None for a value that has been fused away.
    pub(super) held: Vec<Option<Held>>,
    /// Whether a value lies where its only reader's result will lie.
    pub(super) overwritten: Vec<bool>,
    /// Numbers an image needs in every buffer.
    pub(super) buffers: Vec<usize>,
    pub(super) norms: Vec<Norm>,
    /// For every buffer that a batch norm reads, where its channels begin among those of all such buffers.
    pub(super) statistics: Vec<Option<usize>>,
    pub(super) channels: usize,
}

/// The values that a layer passes on unchanged, one after the other.
pub(super) fn parts<'a>(graph: &Graph, layer: &'a Layer, training: bool) -> Option<&'a [Value]> {
    match layer {
        Layer::Concatenate { parts } => Some(parts),
        Layer::Flatten { x } if graph.shape(*x).plane() == 1 => Some(std::slice::from_ref(x)),
        Layer::Dropout { x, .. } if !training => Some(std::slice::from_ref(x)),
        _ => None,
    }
}

/// Assigns places, from the output to the image, so that a value knows the places of its readers.
pub(super) fn assign(graph: &Graph, layers: &[Fused<'_>], training: bool) -> Places {
    let readers = fused::readers(graph);
    let mut assigner = Assigner {
        graph,
        training,
        stored: is_stored(graph, layers, &readers, training),
        producers: producers(graph, layers),
        readers,
        places: vec![None; graph.layers().len() + 1],
        overwritten: vec![false; graph.layers().len() + 1],
        buffers: Vec::new(),
    };
    for fused in layers.iter().rev() {
        assigner.place_inputs(fused);
    }
    assigner.place(Value(0));
    assigner.finish(layers)
}

/// The layer that makes a value.
fn producers<'a>(graph: &Graph, layers: &[Fused<'a>]) -> Vec<Option<&'a Layer>> {
    let mut producers = vec![None; graph.layers().len() + 1];
    layers.iter().for_each(|fused| producers[fused.y.0] = Some(fused.layer));
    producers
}

/// Which values are stored: all but those of batch norms and functions that no reader needs in one place.
fn is_stored(graph: &Graph, layers: &[Fused<'_>], readers: &[usize], training: bool) -> Vec<bool> {
    let mut stored = vec![false; readers.len()];
    stored[0] = true;
    stored[graph.output().0] = true;
    for Fused { layer, y, .. } in layers {
        match layer {
            Layer::BatchNorm { x, .. } => stored[x.0] = true,
            Layer::Activation { x, .. } => {
                stored[x.0] = true;
                // With no other reader its numbers may as well be overwritten.
                stored[y.0] |= x.0 != 0 && readers[x.0] == 1;
            }
            layer => {
                stored[y.0] = true;
                parts(graph, layer, training).into_iter().flatten().for_each(|x| stored[x.0] = true);
            }
        }
    }
    stored
}

struct Assigner<'a> {
    graph: &'a Graph,
    training: bool,
    stored: Vec<bool>,
    producers: Vec<Option<&'a Layer>>,
    readers: Vec<usize>,
    places: Vec<Option<Place>>,
    overwritten: Vec<bool>,
    buffers: Vec<usize>,
}

impl Assigner<'_> {
    /// The place of a value, in a new buffer if it has none.
    fn place(&mut self, value: Value) -> Place {
        let shape = self.graph.shape(value);
        *self.places[value.0].get_or_insert_with(|| {
            self.buffers.push(shape.len());
            Place::whole(self.buffers.len() - 1, shape)
        })
    }

    /// Puts the inputs of a layer where its result lies, if they may lie there.
    fn place_inputs(&mut self, fused: &Fused<'_>) {
        let y = self.place(fused.y);
        if let Some(parts) = parts(self.graph, fused.layer, self.training) {
            let mut offset = 0;
            for &part in parts {
                let shape = self.graph.shape(part);
                if part.0 != 0 && part != self.graph.output() && self.places[part.0].is_none() {
                    self.places[part.0] = Some(Place { shape, ..y.part(offset, shape.channels) });
                }
                offset += shape.channels;
            }
            return;
        }
        let overwritable = match fused.layer {
            Layer::Add { terms } => terms.iter().copied().find(|x| self.is_overwritable(*x)),
            Layer::Activation { x, .. } if self.stored[fused.y.0] && self.is_overwritable(*x) => Some(*x),
            _ => None,
        };
        if let Some(x) = overwritable {
            self.places[x.0] = Some(y);
            self.overwritten[x.0] = true;
        }
    }

    /// Whether a value that one layer alone reads is needed no more after that layer, also on the way back.
    fn is_overwritable(&self, x: Value) -> bool {
        let is_free =
            self.stored[x.0] && self.readers[x.0] == 1 && self.places[x.0].is_none() && x != self.graph.output();
        let is_own = self.producers[x.0].is_some_and(|layer| {
            !matches!(layer, Layer::Activation { .. }) && parts(self.graph, layer, self.training).is_none()
        });
        is_free && is_own
    }

    fn finish(mut self, layers: &[Fused<'_>]) -> Places {
        let mut held = vec![None; self.places.len()];
        held[0] = Some(Held::Stored(self.place(Value(0))));
        let mut statistics = vec![None; self.buffers.len()];
        let (mut norms, mut channels) = (Vec::new(), 0);
        for fused in layers {
            let place = self.place(fused.y);
            let view = |norm, x: &Value, function| {
                let x = self.places[x.0].expect("a value is placed after its readers");
                Held::View { source: Source { place: x, norm, function }, gradient: place }
            };
            let norm = match fused.layer {
                Layer::BatchNorm { x, norm, weight, bias } => {
                    let place = self.places[x.0].expect("a value is placed after its readers");
                    let first = *statistics[place.buffer].get_or_insert_with(|| {
                        channels += place.pitch;
                        channels - place.pitch
                    });
                    let op = fused::batch_norm(self.graph, *x, *norm, [*weight, *bias], fused.activation);
                    norms.push(Norm { op, at: first + place.offset });
                    Some(norms.len() - 1)
                }
                _ => None,
            };
            held[fused.y.0] = Some(match fused.layer {
                Layer::BatchNorm { x, .. } if !self.stored[fused.y.0] => view(norm, x, fused.activation),
                Layer::Activation { x, function } if !self.stored[fused.y.0] => view(None, x, Some(*function)),
                _ => Held::Stored(place),
            });
        }
        let Self { overwritten, buffers, .. } = self;
        Places { held, overwritten, buffers, norms, statistics, channels }
    }
}
