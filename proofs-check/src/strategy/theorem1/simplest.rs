//! Makes worlds that break a statement as simple as they can be.

use super::{DIRECTIONS, Dissent, OUTCOMES, World};
use crate::rational::{Rational, ratio, whole};

impl World {
    /// The simplest world that a fixed series of simplifications finds among those that are still `broken`.
    pub fn simplest(self, broken: impl Fn(&Self) -> bool) -> Self {
        let mut world = self;
        loop {
            match world.simpler().into_iter().find(|simpler| *simpler != world && broken(simpler)) {
                Some(simpler) => world = simpler,
                None => return world,
            }
        }
    }

    /// Worlds that differ from this one by one simplification, and do not undo another.
    fn simpler(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            simpler.push(world);
        };
        let zero = || whole(0);
        for i in 0..self.axes.len() {
            with(&|world| {
                if world.axes.len() > 1 {
                    world.axes.remove(i);
                    // What belongs to an axis moves with it.
                    for block in &mut world.blocks {
                        block.positive[i..].rotate_left(1);
                        block.places[i..].rotate_left(1);
                    }
                }
            });
        }
        with(&|world| world.blocks.truncate(1));
        with(&|world| drop(world.spares.pop()));
        with(&|world| world.turns = std::array::from_fn(|_| zero()));
        with(&|world| world.coupling = zero());
        with(&|world| world.pillars = (zero(), zero()));
        with(&|world| (world.centre, world.vertical) = (zero(), zero()));
        with(&|world| world.dissent = Dissent::None);
        with(&|world| world.gap = zero());
        with(&|world| world.r_lo = whole(1));
        with(&|world| world.width = whole(1));
        for spare in 0..self.spares.len() {
            with(&|world| world.spares[spare] = (zero(), zero()));
        }
        for i in 0..self.axes.len() {
            let full = if self.printed { ratio(1, 2) } else { whole(1) };
            with(&|world| world.axes[i].p = whole(1));
            with(&|world| world.axes[i].c = whole(2));
            with(&|world| world.axes[i].step = full.clone());
            with(&|world| (world.axes[i].flat, world.axes[i].sharp) = (vec![zero()], vec![zero()]));
            with(&|world| world.axes[i].middle = Vec::new());
            // A wall, if there has to be one, is best in the whole of the middle.
            with(&|world| world.axes[i].middle.truncate(1));
            with(&|world| world.axes[i].outside = (zero(), zero()));
        }
        for b in 0..self.blocks.len() {
            let halves = std::array::from_fn(|_| std::array::from_fn(|j| j < OUTCOMES / 2));
            let is_balanced =
                self.blocks[b].positive.iter().all(|signs| signs.iter().filter(|&&sign| sign).count() == 2);
            if is_balanced {
                with(&|world| world.blocks[b].positive = halves);
            } else {
                with(&|world| world.blocks[b].positive = [[false; OUTCOMES]; DIRECTIONS]);
            }
            with(&|world| world.blocks[b].weight = 1);
            for place in [zero(), whole(1)] {
                // Places of one kind count as simple, whichever it is.
                let all_of = |places: &[[Rational; OUTCOMES]; DIRECTIONS], place: &Rational| {
                    places.iter().flatten().all(|other| other == place)
                };
                let is_simple = [zero(), whole(1)].iter().any(|place| all_of(&self.blocks[b].places, place));
                if !is_simple {
                    with(&|world| {
                        world.blocks[b].places = std::array::from_fn(|_| std::array::from_fn(|_| place.clone()));
                    });
                }
            }
            with(&|world| world.blocks[b].spares = std::array::from_fn(|_| std::array::from_fn(|_| zero())));
        }
        simpler
    }
}
