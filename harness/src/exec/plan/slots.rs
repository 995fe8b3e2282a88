//! Slots: buffers that serve one value after another.

use super::Kind;
use crate::exec::backend::Slot;

/// Slots and how many values hold each.
#[derive(Default)]
pub(super) struct Slots {
    pub(super) lengths: Vec<usize>,
    pub(super) kinds: Vec<Kind>,
    holders: Vec<usize>,
    /// Whether a free slot rests as long as others are free: for an engine that is still reading it when others write. Else
    /// the first one serves, which was used lately.
    rest: bool,
    /// When each was released last.
    released: Vec<usize>,
    releases: usize,
}

impl Slots {
    /// No slots yet.
    pub(super) fn new(rest: bool) -> Self {
        Self { rest, ..Self::default() }
    }

    pub(super) fn take(&mut self, length: usize, kind: Kind) -> Slot {
        let fits = |slot: &usize| (self.lengths[*slot], self.kinds[*slot]) == (length, kind);
        let mut free = (0..self.lengths.len()).filter(|slot| self.holders[*slot] == 0 && fits(slot));
        let free = if self.rest { free.min_by_key(|slot| self.released[*slot]) } else { free.next() };
        let slot = free.unwrap_or_else(|| {
            self.lengths.push(length);
            self.kinds.push(kind);
            self.holders.push(0);
            self.released.push(0);
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
        self.releases += 1;
        self.released[slot.0] = self.releases;
    }

    pub(super) fn is_shared(&self, slot: Slot) -> bool {
        self.holders[slot.0] > 1
    }
}
