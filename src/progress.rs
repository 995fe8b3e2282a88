//! Progress on standard error, and Ctrl-C.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use valleys_sim::progress::Observer;

use crate::error::{Error, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C asks running work to stop at its next safe point, and a second one stops at once.
pub(crate) fn catch_interrupts() -> Result<()> {
    static CAUGHT: AtomicBool = AtomicBool::new(false);
    if CAUGHT.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        // A closed standard error must not stop the handler.
        let _ = writeln!(std::io::stderr(), "\nstopping at the next safe point (Ctrl-C again: at once)");
    })
    .map_err(|error| Error::Failed(format!("Ctrl-C cannot be caught: {error}")))
}

/// Whether Ctrl-C was pressed.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Shows a bar with the time left on a terminal, and a plain line now and then elsewhere.
pub(crate) struct Terminal {
    bars: bool,
    /// Running tasks, the innermost last; only that one is shown.
    tasks: Mutex<Vec<Task>>,
}

struct Task {
    name: String,
    units: u64,
    done: u64,
    began: Instant,
    spoke: Instant,
    bar: Option<ProgressBar>,
}

/// Plain lines about one task are at least this far apart.
const SILENCE: Duration = Duration::from_secs(10);

impl Terminal {
    pub(crate) fn new() -> Self {
        Self { bars: std::io::stderr().is_terminal(), tasks: Mutex::new(Vec::new()) }
    }

    /// Says one line between tasks.
    pub(crate) fn say(&self, line: &str) {
        match self.tasks().last().and_then(|task| task.bar.as_ref()) {
            Some(bar) => bar.println(line),
            // Progress is a courtesy: a closed standard error must not stop the work.
            None => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Terminal {
    fn begin(&self, name: &str, units: u64) {
        let bar = self.bars.then(|| {
            let style = ProgressStyle::with_template("{prefix:<34} {wide_bar} {percent:>3} %  {eta:>4} left  {msg}");
            let bar = ProgressBar::new(units).with_prefix(name.to_string());
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let now = Instant::now();
        self.tasks().push(Task { name: name.to_string(), units, done: 0, began: now, spoke: now, bar });
    }

    fn advance(&self, units: u64) {
        let mut guard = self.tasks();
        let Some(task) = guard.last_mut() else { return };
        task.done += units;
        match &task.bar {
            Some(bar) => bar.inc(units),
            None if task.spoke.elapsed() >= SILENCE && task.done < task.units => {
                task.spoke = Instant::now();
                let share = task.done as f64 / task.units as f64;
                let left = task.began.elapsed().mul_f64((1.0 - share) / share.max(1e-9));
                let line = format!("{}: {:.0} %, {} left", task.name, 100.0 * share, duration(left));
                drop(guard);
                self.say(&line);
            }
            None => {}
        }
    }

    fn note(&self, line: &str) {
        let guard = self.tasks();
        match guard.last() {
            Some(Task { bar: Some(bar), .. }) => bar.set_message(line.to_string()),
            Some(Task { name, .. }) => {
                let line = format!("{name}: {line}");
                drop(guard);
                self.say(&line);
            }
            None => {
                drop(guard);
                self.say(line);
            }
        }
    }

    fn finish(&self) {
        let mut guard = self.tasks();
        let Some(task) = guard.pop() else { return };
        let nested = !guard.is_empty();
        drop(guard);
        if let Some(bar) = &task.bar {
            bar.finish_and_clear();
        }
        // A step of a larger task is not worth a line of its own.
        if !nested && !interrupted() {
            self.say(&format!("{}: done in {}", task.name, duration(task.began.elapsed())));
        }
    }

    fn interrupted(&self) -> bool {
        interrupted()
    }
}

/// A duration as a person says it: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
