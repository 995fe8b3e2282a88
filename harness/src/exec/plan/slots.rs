//! Slots: buffers that serve one value after another.

use super::Kind;
use crate::exec::backend::Slot;

/// Slots and how many values hold each.
#[derive(Default)]
pub(super) struct Slots {
    pub(super) lengths: Vec<usize>,
    pub(super) kinds: Vec<Kind>,
    holders: Vec<usize>,
}

impl Slots {
    pub(super) fn take(&mut self, length: usize, kind: Kind) -> Slot {
        let fits = |slot: &usize| (self.lengths[*slot], self.kinds[*slot]) == (length, kind);
        let free = (0..self.lengths.len()).find(|slot| self.holders[*slot] == 0 && fits(slot));
        let slot = free.unwrap_or_else(|| {
            self.lengths.push(length);
            self.kinds.push(kind);
            self.holders.push(0);
            self.lengths.len() - 1
        });
        self.holders[slot] = 1;
        Slot(slot)
    }

    pub(super) fn share(&mut self, slot: Slot) -> Slot {
        self.holders[slot.0] += 1;
        slot
    }

    pub(super) fn release(&mut self, slot: Slot) {
        self.holders[slot.0] -= 1;
    }

    pub(super) fn is_shared(&self, slot: Slot) -> bool {
        self.holders[slot.0] > 1
    }
}
