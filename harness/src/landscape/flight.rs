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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, Instant};

    use valleys_sim::progress::{Silent, Stopped};

    use super::*;

    /// Waits for something that another thread does; false if it does not come.
    fn wait_for(condition: impl Fn() -> bool) -> bool {
        let began = Instant::now();
        while !condition() {
            if began.elapsed() > Duration::from_secs(10) {
                return false;
            }
            thread::yield_now();
        }
        true
    }

    /// Does so many pieces with three workers; what was kept, and how it ended.
    fn with_three(
        count: usize,
        observer: &dyn Observer,
        work: impl Fn(usize, &dyn Observer) -> Result<usize> + Sync,
    ) -> (Vec<usize>, Result<()>) {
        let mut kept = Vec::new();
        let (mut first, mut others) = (0, [1, 2]);
        let ended = in_order(
            (&mut first, &mut others),
            count,
            observer,
            |_, number, observer| work(number, observer),
            |number| {
                kept.push(number);
                Ok(())
            },
        );
        (kept, ended)
    }

    #[test]
    fn three_at_a_time_come_in_their_order() {
        let ended = [0; 7].map(|_| AtomicBool::new(false));
        let is_over = |number: usize| ended[number].load(Ordering::SeqCst);
        let (kept, result) = with_three(7, &Silent, |number, _| {
            // The first takes until its two neighbours are over, of which one goes on with the rest.
            assert!(number != 0 || wait_for(|| is_over(1) && is_over(5)), "nobody works beside the first");
            assert!(number != 1 || wait_for(|| is_over(5)), "nobody works beside the second");
            ended[number].store(true, Ordering::SeqCst);
            Ok(number)
        });
        assert!(result.is_ok());
        assert_eq!(kept, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn the_first_failure_in_order_counts_and_what_comes_after_it_stops() {
        let (failed, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (kept, result) = with_three(100, &Silent, |number, observer| {
            begun.fetch_max(number, Ordering::SeqCst);
            match number {
                0 | 1 => Ok(number),
                // Later than the next one, and not stopped by it.
                2 => {
                    assert!(wait_for(|| failed.load(Ordering::SeqCst)) && !observer.interrupted());
                    Err(Error::domain("a loss", 2, "another"))
                }
                3 => {
                    failed.store(true, Ordering::SeqCst);
                    Err(Error::domain("a loss", 3, "another"))
                }
                _ => {
                    assert!(wait_for(|| observer.interrupted()), "nobody stops piece {number}");
                    Err(Error::Interrupted)
                }
            }
        });
        assert_eq!(
            (kept, result.expect_err("two").to_string().as_str()),
            (vec![0, 1], "a loss is 2; allowed: another")
        );
        assert!(begun.load(Ordering::SeqCst) < 6, "no piece begins after a failure: {begun:?}");
    }

    #[test]
    fn what_cannot_be_kept_ends_the_work() {
        let (begun, mut kept) = (AtomicUsize::new(0), 0);
        let work = |_: &mut (), number: usize, observer: &dyn Observer| {
            begun.fetch_max(number, Ordering::SeqCst);
            // Pieces take until the failure.
            match number < 3 || wait_for(|| observer.interrupted()) {
                true => Ok(number),
                false => Err(Error::Interrupted),
            }
        };
        let result = in_order((&mut (), &mut [(), ()]), 9, &Silent, work, |number| {
            kept += 1;
            if number == 2 { Err(Error::domain("a disk", "full", "another")) } else { Ok(()) }
        });
        assert_eq!(result.expect_err("a disk").to_string(), "a disk is full; allowed: another");
        assert!(kept == 3 && begun.load(Ordering::SeqCst) < 7, "{kept}, {begun:?}");
    }

    #[test]
    fn an_interruption_and_a_panic_reach_all() {
        let (kept, result) = with_three(9, &Stopped, |number, observer| match observer.interrupted() {
            true => Err(Error::Interrupted),
            false => Ok(number),
        });
        assert!(kept.is_empty() && matches!(result, Err(Error::Interrupted)));
        let stopped = AtomicUsize::new(0);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            with_three(100, &Silent, |number, observer| {
                assert_ne!(number, 1, "on purpose");
                if number > 1 {
                    assert!(wait_for(|| observer.interrupted()));
                    stopped.fetch_add(1, Ordering::SeqCst);
                }
                Ok(number)
            })
        }));
        assert!(panicked.is_err() && stopped.load(Ordering::SeqCst) <= 2, "{stopped:?} more after a panic");
    }

    #[test]
    fn a_thread_of_a_pool_works_alone() {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        let (kept, result) = one.install(|| {
            let here = thread::current().id();
            with_three(5, &Silent, |number, _| {
                assert_eq!(thread::current().id(), here);
                Ok(number)
            })
        });
        assert!(result.is_ok() && kept == [0, 1, 2, 3, 4]);
    }

    #[test]
    fn numbers_in_flight_are_1_to_16() {
        assert_eq!(
            [1, 16].map(|points| PointsInFlight::new(points).map(PointsInFlight::get).ok()),
            [Some(1), Some(16)]
        );
        assert_eq!(PointsInFlight::default().get(), 1);
        for points in [0, 17] {
            let message = PointsInFlight::new(points).expect_err("out of range").to_string();
            assert_eq!(message, format!("points in flight is {points}; allowed: 1 to 16"));
        }
    }
}
