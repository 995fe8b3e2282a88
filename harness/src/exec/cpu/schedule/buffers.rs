//! Which memory every buffer has, and for how long.
//!
//! A buffer that one stage alone uses holds one image at a time (unless the stage is wide) and stays in the cache. The others hold all images.
//! Both kinds serve one buffer after another: an image's numbers of the next may lie where those of the last lay, since
//! images go through the steps on their own.

use super::super::step::{Mask, Place, Schedule};
use super::Scheduler;
use crate::model::graph::Value;

/// The steps and stages that use a buffer.
#[derive(Clone, Copy)]
struct Life {
    steps: [usize; 2],
    stages: [usize; 2],
    /// Whether it is written or read from outside.
    is_open: bool,
}

/// Memory that is handed out, and until which step.
#[derive(Default)]
struct Pool {
    lengths: Vec<usize>,
    until: Vec<usize>,
}

impl Pool {
    /// Memory for a life: free memory that `fits` best, grown if need be, or else new memory.
    fn take(&mut self, life: Life, length: usize, fits: impl Fn(usize) -> Option<usize>) -> usize {
        let free = (0..self.lengths.len()).filter(|&index| self.until[index] < life.steps[0]);
        let best = free.filter_map(|index| Some((fits(self.lengths[index])?, index))).min();
        let index = best.map_or_else(
            || {
                self.lengths.push(0);
                self.until.push(0);
                self.lengths.len() - 1
            },
            |(_, index)| index,
        );
        self.lengths[index] = self.lengths[index].max(length);
        self.until[index] = life.steps[1];
        index
    }
}

impl Scheduler<'_> {
    /// The schedule, with memory for every buffer.
    pub(super) fn finish(mut self, turn: usize, logits_gradient: Option<Place>) -> Schedule {
        let lives = self.lives(turn, logits_gradient);
        let mut order: Vec<usize> = (0..lives.len()).filter(|&buffer| lives[buffer].is_some()).collect();
        order.sort_by_key(|&buffer| lives[buffer].map(|life| life.steps));
        let (mut batch, mut local) = (Pool::default(), Pool::default());
        // (whether it holds one image only, its number among such)
        let mut memory = vec![(false, 0); lives.len()];
        for buffer in order {
            let Some(life) = lives[buffer] else { continue };
            let length = self.places.buffers[buffer];
            let stage = self.stages.get(life.stages[0]);
            let is_wide = stage.is_none_or(|stage| stage.is_wide == Some(true));
            let is_local = !life.is_open && life.stages[0] == life.stages[1] && !is_wide;
            let index = if is_local {
                local.take(life, length, |has| Some(has.abs_diff(length)))
            } else {
                batch.take(life, length, |has| (has == length).then_some(0))
            };
            memory[buffer] = (is_local, index);
        }
        let count = batch.lengths.len();
        let number = |buffer: usize| if memory[buffer].0 { count + memory[buffer].1 } else { memory[buffer].1 };
        let moved = |place: Place| Place { buffer: number(place.buffer), ..place };
        for step in self.stages.iter_mut().flat_map(|stage| &mut stage.steps) {
            step.places().into_iter().for_each(|place| *place = moved(*place));
        }
        Schedule {
            logits: moved(self.place(self.graph.output())),
            logits_gradient: logits_gradient.map(moved),
            masks: self.masks.iter().map(|mask| Mask { factors: moved(mask.factors) }).collect(),
            convolutions: self.convolutions,
            norms: self.places.norms,
            channels: self.places.channels,
            stages: self.stages,
            turn,
            batch: batch.lengths,
            local: local.lengths,
        }
    }

    /// When every buffer is in use.
    fn lives(&mut self, turn: usize, logits_gradient: Option<Place>) -> Vec<Option<Life>> {
        let mut lives: Vec<Option<Life>> = vec![None; self.places.buffers.len()];
        let mut use_at = |buffer: usize, step: usize, stage: usize, is_open: bool| {
            let life = lives[buffer].get_or_insert(Life { steps: [step; 2], stages: [stage; 2], is_open });
            life.steps = [life.steps[0].min(step), life.steps[1].max(step)];
            life.stages = [life.stages[0].min(stage), life.stages[1].max(stage)];
            life.is_open |= is_open;
        };
        let logits = self.place(Value(self.graph.output().0)).buffer;
        let mut count = 1;
        self.masks.iter().for_each(|mask| use_at(mask.factors.buffer, 0, 0, true));
        for (index, stage) in self.stages.iter_mut().enumerate() {
            if index == turn {
                use_at(logits, count, index, true);
                logits_gradient.iter().for_each(|place| use_at(place.buffer, count, index, true));
                count += 1;
            }
            for step in &mut stage.steps {
                step.places().iter().for_each(|place| use_at(place.buffer, count, index, false));
                count += 1;
            }
        }
        if turn == self.stages.len() {
            use_at(logits, count, turn, true);
        }
        lives
    }
}
