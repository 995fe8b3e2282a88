//! Work side by side whose outcome does not depend on who is first.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::Result;

/// `each` of 0 to `count` − 1, side by side on rayon's current pool, in their order.
///
/// Of several errors it gives the one of the lowest number, however many threads there are (collecting into a `Result`
/// gives whichever came first). Numbers above one that is known to have failed are left out.
pub(crate) fn in_order<T: Send>(count: u64, each: impl Fn(u64) -> Result<T> + Sync) -> Result<Vec<T>> {
    let failed = AtomicU64::new(u64::MAX);
    let outcomes: Vec<Option<Result<T>>> = (0..count)
        .into_par_iter()
        .map(|number| {
            let wanted = number < failed.load(Ordering::Relaxed);
            wanted.then(|| each(number).inspect_err(|_| _ = failed.fetch_min(number, Ordering::Relaxed)))
        })
        .collect();
    outcomes.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::time::Duration;

    use super::*;
    use crate::Error;

    #[test]
    fn what_is_made_keeps_its_order() {
        assert_eq!(
            in_order(1000, |number| Ok(number * 2)).expect("no error"),
            (0..1000).map(|n| n * 2).collect::<Vec<_>>()
        );
    }

    #[test]
    fn of_several_errors_the_lowest_is_told() {
        // Both are under way before either fails, and number 1 fails first.
        let both = Barrier::new(2);
        let failing = |number: u64| -> Result<()> {
            both.wait();
            if number == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(Error::domain("number", number, "none"))
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        for _ in 0..10 {
            let told = pool.install(|| in_order(2, failing)).expect_err("both fail").to_string();
            assert_eq!(told, "number is 0; allowed: none");
        }
    }
}
