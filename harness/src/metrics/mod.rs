//! The metrics of a run as files: JSON lines, CSV, and TensorBoard's event files.

mod tensorboard;

use std::fs;
use std::path::{Path, PathBuf};

use valleys_sim::record::Epoch;

use self::tensorboard::EventFile;
use crate::files::{sweep, write_atomically};
use crate::{Error, Result};

/// Keeps the metrics of every epoch of a run in its folder.
///
/// `metrics.jsonl` and `metrics.csv` are written anew after every epoch, whole or not at all, from what the states hold,
/// so they never disagree with them. Event files in `tensorboard/` grow; a run that goes on begins a new one, and
/// tells TensorBoard to forget later steps.
#[derive(Debug)]
pub struct Metrics {
    folder: PathBuf,
    /// What `metrics.jsonl` held when the run was taken up.
    before: Vec<Epoch>,
    rows: Vec<Epoch>,
    events: Option<EventFile>,
}

const LINES: &str = "metrics.jsonl";
const TABLE: &str = "metrics.csv";

/// The columns of the table that are numbers, and the names under which TensorBoard shows them.
type Column = (&'static str, &'static str, fn(&Epoch) -> Option<f64>);
const COLUMNS: [Column; 9] = [
    ("learning_rate", "learning-rate", |epoch| Some(epoch.learning_rate)),
    ("running_loss", "loss/running", |epoch| Some(epoch.running_loss)),
    ("running_accuracy", "accuracy/running", |epoch| Some(epoch.running_accuracy)),
    ("held_out_loss", "loss/held-out", |epoch| epoch.held_out_loss),
    ("held_out_accuracy", "accuracy/held-out", |epoch| epoch.held_out_accuracy),
    ("test_loss", "loss/test", |epoch| epoch.test_loss),
    ("test_accuracy", "accuracy/test", |epoch| epoch.test_accuracy),
    ("swa_test_loss", "loss/test-average", |epoch| epoch.swa_test_loss),
    ("swa_test_accuracy", "accuracy/test-average", |epoch| epoch.swa_test_accuracy),
];

impl Metrics {
    /// Takes up the metrics of a run folder, which is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        sweep(folder)?;
        let text = fs::read_to_string(folder.join(LINES)).unwrap_or_default();
        // They are only a hint what TensorBoard has been told: lines that cannot be read are told again.
        let before = text.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
        Ok(Self { folder: folder.to_owned(), before, rows: Vec::new(), events: None })
    }

    /// Takes over the epochs of a phase that are done; they follow those of the phases before.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Io`] if a file cannot be written.
    pub fn resume(&mut self, epochs: &[Epoch]) -> Result<()> {
        for epoch in epochs {
            if !self.before.contains(epoch) {
                self.tell(epoch)?;
            }
        }
        self.rows.extend_from_slice(epochs);
        if self.before.starts_with(&self.rows) { Ok(()) } else { self.write() }
    }

    /// Adds an epoch.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn push(&mut self, epoch: &Epoch) -> Result<()> {
        self.tell(epoch)?;
        self.rows.push(epoch.clone());
        self.write()
    }

    fn tell(&mut self, epoch: &Epoch) -> Result<()> {
        let step = u64::from(epoch.epoch);
        if self.events.is_none() {
            self.events = Some(EventFile::begin(&self.folder.join("tensorboard"), step)?);
        }
        let scalars: Vec<_> = COLUMNS.iter().filter_map(|(_, tag, value)| Some((*tag, value(epoch)?))).collect();
        self.events.as_mut().map_or(Ok(()), |events| events.scalars(step, &scalars))
    }

    fn write(&self) -> Result<()> {
        let (lines, table) = (self.folder.join(LINES), self.folder.join(TABLE));
        let mut text = Vec::new();
        for row in &self.rows {
            serde_json::to_writer(&mut text, row).map_err(|error| Error::file(&lines, error, "an epoch's metrics"))?;
            text.push(b'\n');
        }
        // The lines come last: where they are up to date, so is the table.
        write_atomically(&table, self.csv().as_bytes())?;
        write_atomically(&lines, &text)
    }

    /// The table; a phase's name needs no quotes, and what was not measured is left empty.
    fn csv(&self) -> String {
        let names: Vec<&str> = ["epoch", "phase"].into_iter().chain(COLUMNS.map(|(name, _, _)| name)).collect();
        let mut text = names.join(",") + "\n";
        for row in &self.rows {
            text += &format!("{},{}", row.epoch, row.phase);
            for (_, _, value) in COLUMNS {
                text += &value(row).map_or_else(|| ",".to_owned(), |value| format!(",{value}"));
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: u32, test_loss: Option<f64>) -> Epoch {
        Epoch {
            epoch: number,
            phase: "swa".into(),
            learning_rate: 0.1,
            running_loss: 0.5,
            test_loss,
            ..Epoch::default()
        }
    }

    fn read(folder: &Path, name: &str) -> String {
        fs::read_to_string(folder.join(name)).expect("a file")
    }

    #[test]
    fn a_run_that_goes_on_has_the_files_of_one_that_never_stopped() {
        let [whole, stopped] = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
        let epochs = [epoch(0, None), epoch(1, Some(0.25)), epoch(2, None)];
        let mut metrics = Metrics::open(whole.path()).expect("a folder");
        metrics.resume(&[]).expect("nothing yet");
        epochs.iter().for_each(|epoch| metrics.push(epoch).expect("writable"));

        let mut metrics = Metrics::open(stopped.path()).expect("a folder");
        metrics.push(&epochs[0]).expect("writable");
        // A state was kept after the second epoch, but its metrics were not.
        let mut metrics = Metrics::open(stopped.path()).expect("a folder");
        metrics.resume(&epochs[..2]).expect("writable");
        metrics.push(&epochs[2]).expect("writable");
        let same = |name: &str| assert_eq!(read(whole.path(), name), read(stopped.path(), name));
        [LINES, TABLE].into_iter().for_each(same);
        // Stopped between the table and the lines of the last epoch: the lines are behind, and both are written again.
        let behind: String = read(stopped.path(), LINES).lines().take(2).map(|line| line.to_owned() + "\n").collect();
        fs::write(stopped.path().join(LINES), behind).expect("writable");
        fs::write(stopped.path().join(TABLE), "half").expect("writable");
        Metrics::open(stopped.path()).and_then(|mut metrics| metrics.resume(&epochs)).expect("writable");
        [LINES, TABLE].into_iter().for_each(same);
        let table = read(whole.path(), TABLE);
        assert_eq!(table.lines().nth(2).expect("three epochs"), "1,swa,0.1,0.5,0,,,0.25,,,", "{table}");
        assert_eq!(read(whole.path(), LINES).lines().count(), 3);
        let folder = stopped.path().join("tensorboard");
        assert_eq!(fs::read_dir(folder).expect("event files").count(), 3, "a session each");
    }
}
