//! Work in flight: several pieces at a time, handed over in their order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use valleys_sim::progress::Observer;

use crate::{Error, Result};

/// How many points of a scan are measured at a time, 1 to 16; 1 unless said otherwise.
///
/// Losses have the same bits for any number, and are kept in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsInFlight(usize);

impl PointsInFlight {
    /// So many at most.
    pub const MOST: usize = 16;

    /// So many.
    ///
    /// # Errors
    /// [`Error::Domain`] unless it is 1 to [`MOST`](Self::MOST).
    pub fn new(points: usize) -> Result<Self> {
        match points {
            1..=Self::MOST => Ok(Self(points)),
            _ => Err(Error::domain("points in flight", points, format!("1 to {}", Self::MOST))),
        }
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for PointsInFlight {
    fn default() -> Self {
        Self(1)
    }
}

/// Does pieces 0 to `count` − 1 of work, each worker one at a time, and hands what came of them over in their order.
///
/// Fails as the first piece that fails does, in their order, or as `keep` does; what comes after that piece is not handed
/// over, and is told to stop. Without `others`, and on a thread of a pool, which must not wait for other threads of its
/// own, one worker does all.
pub(super) fn in_order<W: Send, T: Send>(
    (first, others): (&mut W, &mut [W]),
    count: usize,
    observer: &dyn Observer,
    work: impl Fn(&mut W, usize, &dyn Observer) -> Result<T> + Sync,
    mut keep: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    if others.is_empty() || rayon::current_thread_index().is_some() {
        return (0..count).try_for_each(|number| keep(work(first, number, observer)?));
    }
    let (next, end, work) = (&AtomicUsize::new(0), &AtomicUsize::new(count), &work);
    thread::scope(|scope| {
        let (done, results) = mpsc::channel();
        for worker in std::iter::once(first).chain(others) {
            let done = done.clone();
            let all = move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end.load(Ordering::Relaxed) {
                        break;
                    }
                    let stop = Stop { end, after: number };
                    let result = work(worker, number, &Until { observer, end, number });
                    if result.is_ok() {
                        std::mem::forget(stop);
                    }
                    // Nobody listens after a failure.
                    let _ = done.send((number, result));
                }
            };
            if let Err(source) = thread::Builder::new().spawn_scoped(scope, all) {
                end.store(0, Ordering::Relaxed);
                return Err(Error::device(format!("starting a thread for a point in flight failed: {source}")));
            }
        }
        drop(done);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        for (number, result) in results {
            early.insert(number, result);
            while let Some(result) = early.remove(&due) {
                let stop = Stop { end, after: due };
                keep(result?)?;
                std::mem::forget(stop);
                due += 1;
            }
        }
        Ok(())
    })
}

/// Ends the work after a piece when dropped: that one failed.
struct Stop<'a> {
    end: &'a AtomicUsize,
    after: usize,
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.end.fetch_min(self.after, Ordering::Relaxed);
    }
}

/// Passes interruptions on, and interrupts pieces that come after the end. Progress is that of what is handed over.
struct Until<'a> {
    observer: &'a dyn Observer,
    end: &'a AtomicUsize,
    number: usize,
}

impl Observer for Until<'_> {
    fn begin(&self, _task: &str, _units: u64) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _line: &str) {}
    fn finish(&self) {}
    fn interrupted(&self) -> bool {
        self.observer.interrupted() || self.number > self.end.load(Ordering::Relaxed)
    }
}
