//! How the steps of a plan are joined.

use super::access::{Access, moved, readers};
use super::{Back, Joined, There, Ways};
use crate::exec::backend::{BatchNorm, Convolution, Slot, Target};
use crate::exec::plan::{Backward, Forward, Plan};

/// A plan, and what its steps do with its slots.
pub(super) struct Fusion<'a> {
    plan: &'a Plan,
    backward: &'a [Backward],
    fits: &'a dyn Fn(&Convolution) -> bool,
    /// Of the steps there, of the loss in between, of the steps back.
    accesses: Vec<Access>,
}

impl<'a> Fusion<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        logits_gradient: Option<Slot>,
        backward: &'a [Backward],
        fits: &'a dyn Fn(&Convolution) -> bool,
    ) -> Self {
        let loss = Access { reads: vec![plan.logits], write: logits_gradient };
        let there = plan.forward.iter().map(Access::there);
        let accesses = there.chain([loss]).chain(backward.iter().map(Access::back)).collect();
        Self { plan, backward, fits, accesses }
    }

    pub(super) fn ways(&self) -> Ways {
        // Batch norms through which maps could be read, were their slots not needed before: found by trying.
        let mut refused = Vec::new();
        loop {
            match Attempt::new(self, &refused).ways() {
                Ok(ways) => return ways,
                Err(Conflict(norm)) => refused.push(norm),
            }
        }
    }

    /// The convolution that a step is, there or back, and what it reads, if a kernel of ours carries it out.
    fn convolution(&self, step: usize) -> Option<(&Convolution, Slot)> {
        let (op, x) = match self.plan.forward.get(step) {
            Some(Forward::Convolution { op, x, .. }) => (op, *x),
            Some(_) => return None,
            None => match self.backward.get(step.checked_sub(self.plan.forward.len() + 1)?) {
                Some(Backward::Convolution { op, x, .. }) => (op, *x),
                _ => return None,
            },
        };
        (op.bias.is_none() && (self.fits)(op)).then_some((op, x))
    }

    /// The last step that reads what the batch norm of a step makes, if only convolutions read it that can read through it.
    fn last_through(&self, step: usize) -> Option<usize> {
        let Forward::BatchNorm { y, .. } = &self.plan.forward[step] else { return None };
        let reads_through = |reader: &usize| {
            let Access { reads, write } = &self.accesses[*reader];
            let once = reads.iter().filter(|slot| *slot == y).count() == 1 && write != &Some(*y);
            once && self.convolution(*reader).is_some_and(|(_, x)| x == *y)
        };
        let readers = readers(&self.accesses, step, *y);
        if readers.iter().all(reads_through) { readers.last().copied() } else { None }
    }
}

/// The step of a batch norm that has to be carried out by itself, after all.
struct Conflict(usize);

/// A map that is read through a batch norm, whose own result is nowhere.
struct Through<'a> {
    op: &'a BatchNorm,
    /// The step that it would be.
    step: usize,
    /// The plan's slot for its result.
    result: Slot,
    /// Where the map is.
    x: Slot,
    /// The last step that reads it.
    last: usize,
}

/// Steps on their way to being joined.
struct Attempt<'a> {
    fusion: &'a Fusion<'a>,
    refused: &'a [usize],
    /// Where the plan's slots are: two change places when one is written while what it holds is still read through a
    /// batch norm, for whose result the other was meant.
    places: Vec<Slot>,
    through: Vec<Through<'a>>,
    /// Steps of batch norms of which convolutions have made the moments.
    have_moments: Vec<usize>,
}

impl<'a> Attempt<'a> {
    fn new(fusion: &'a Fusion<'a>, refused: &'a [usize]) -> Self {
        let places = (0..fusion.plan.slots.len()).map(Slot).collect();
        Self { fusion, refused, places, through: Vec::new(), have_moments: Vec::new() }
    }

    fn ways(mut self) -> Result<Ways, Conflict> {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        let (loss, mut step) = (self.fusion.plan.forward.len(), 0);
        while step < loss {
            self.clear(step)?;
            step = self.step_there(step, &mut there)?;
        }
        (loss..self.fusion.accesses.len()).try_for_each(|step| self.clear(step))?;
        let mut index = 0;
        while index < self.fusion.backward.len() {
            index = self.step_back(index, &mut back);
        }
        Ok(Ways { there, back, logits: self.place(self.fusion.plan.logits) })
    }

    fn place(&self, slot: Slot) -> Slot {
        self.places[slot.0]
    }

    /// Sees to it that a step writes over no map that this or a later one reads through a batch norm.
    fn clear(&mut self, step: usize) -> Result<(), Conflict> {
        let access = &self.fusion.accesses[step];
        let Some(written) = access.write else { return Ok(()) };
        let is_in_the_way = |it: &&Through<'_>| it.x == self.place(written) && it.last >= step;
        let Some(map) = self.through.iter().find(is_in_the_way) else { return Ok(()) };
        // The way back counts on slots where they are planned.
        if access.changes(written) || !self.fusion.backward.is_empty() {
            return Err(Conflict(map.step));
        }
        let result = map.result;
        self.places.swap(written.0, result.0);
        Ok(())
    }

    /// Where a convolution, which is this step, finds its x, and the batch norm through which it reads it.
    fn read(&self, step: usize, x: Slot) -> (Slot, Option<&'a BatchNorm>) {
        let through = self.through.iter().rev().find(|it| it.result == x);
        match through.filter(|it| it.last >= step) {
            Some(through) => (through.x, Some(through.op)),
            None => (self.place(x), None),
        }
    }

    /// Carries over a step, and those that are joined with it; the first one after them.
    fn step_there(&mut self, step: usize, there: &mut Vec<There>) -> Result<usize, Conflict> {
        match &self.fusion.plan.forward[step] {
            Forward::Convolution { op, x, y } if self.fusion.convolution(step).is_some() => {
                let (x, norm) = self.read(step, *x);
                let (add, y, after) = match self.sum(step, x, *y) {
                    Some((add, sum)) => {
                        self.clear(step + 1)?;
                        (Some(self.place(add)), sum, step + 2)
                    }
                    None => (None, *y, step + 1),
                };
                let moments = self.next_norm(after - 1, y);
                let (op, norm, moments) = (op.clone(), norm.cloned(), moments.cloned());
                there.push(There::Convolution(Joined { op, x, norm, add, y: self.place(y), moments }));
                return Ok(after);
            }
            Forward::BatchNorm { op, x, y } => {
                let (has_moments, result) = (self.have_moments.contains(&step), *y);
                let (op, x, y) = (op, self.place(*x), self.place(*y));
                let last = self.fusion.last_through(step).filter(|_| !self.refused.contains(&step));
                if let Some(last) = last {
                    self.through.push(Through { op, step, result, x, last });
                }
                let op = op.clone();
                match (last, has_moments) {
                    (Some(_), true) => {}
                    (Some(_), false) => there.push(There::Moments { op, x }),
                    (None, true) => there.push(There::BatchNorm { op, x, y }),
                    (None, false) => there.push(There::Step(Forward::BatchNorm { op, x, y })),
                }
            }
            other => there.push(There::Step(moved(other, |slot| self.place(slot)))),
        }
        Ok(step + 1)
    }

    /// What is added to the y of the convolution of this step, which reads x there, and the slot of the sum, if that is
    /// all that becomes of y.
    fn sum(&self, step: usize, x: Slot, y: Slot) -> Option<(Slot, Slot)> {
        match self.fusion.plan.forward.get(step + 1)? {
            Forward::Add { x: other, y: sum } if *sum == y && *other != y => Some((*other, y)),
            Forward::Add { x: of_convolution, y: sum } if *of_convolution == y && *sum != y => {
                let is_spent = readers(&self.fusion.accesses, step, y) == [step + 1];
                (is_spent && self.place(*sum) != x).then_some((*sum, *sum))
            }
            _ => None,
        }
    }

    /// The first batch norm that reads what a step leaves in a slot; its moments are made with that.
    fn next_norm(&mut self, step: usize, slot: Slot) -> Option<&'a BatchNorm> {
        let norm = |reader: usize| match self.fusion.plan.forward.get(reader)? {
            Forward::BatchNorm { op, .. } => Some((reader, op)),
            _ => None,
        };
        let (reader, op) = readers(&self.fusion.accesses, step, slot).into_iter().find_map(norm)?;
        self.have_moments.push(reader);
        Some(op)
    }

    /// The same of a step back.
    fn step_back(&self, index: usize, back: &mut Vec<Back>) -> usize {
        let step = self.fusion.plan.forward.len() + 1 + index;
        let planned = &self.fusion.backward[index];
        let Backward::Convolution { op, x, dy, dx } = planned else {
            back.push(Back::Step(planned.clone()));
            return index + 1;
        };
        if self.fusion.convolution(step).is_none() {
            back.push(Back::Step(planned.clone()));
            return index + 1;
        }
        let (x, norm) = self.read(step, *x);
        let next = match (dx, self.fusion.backward.get(index + 1)) {
            (Some(Target { slot, accumulate: false }), Some(Backward::BatchNorm { op, x, dy, dx }))
                if dy == slot && x != dy =>
            {
                Some((op, *x, *dy, *dx))
            }
            _ => None,
        };
        let sums = next.map(|(op, x, ..)| (op.clone(), x));
        back.push(Back::Convolution { op: op.clone(), x, norm: norm.cloned(), dy: *dy, dx: *dx, sums });
        let Some((op, x, dy, dx)) = next else { return index + 1 };
        back.extend(dx.map(|dx| Back::BatchNorm { op: op.clone(), x, dy, dx }));
        index + 2
    }
}
