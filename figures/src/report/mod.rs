//! One self-contained page that tells the story of a run in order.

mod claims;
mod comparison;
mod evidence;
mod findings;
mod html;
mod landscape;
mod network;
mod table1;
mod theory;

use valleys_sim::record::Record;

use crate::{Result, check};
use html::{Field, Page};

/// A run as it is reported: what was found, and how to find it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The headline.
    pub title: String,
    /// Names and values of the run's circumstances: command, versions, seed, threads, hardware, wall time.
    pub manifest: Vec<(String, String)>,
    /// The records. The page orders them by kind, and those of one kind as given here.
    pub entries: Vec<Entry>,
    /// Pages of single runs by their headings: names, and addresses relative to this page.
    pub index: Vec<(String, Vec<(String, String)>)>,
}

/// A record of a [`Report`].
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name under which the record is kept.
    pub name: String,
    /// The record.
    pub record: Record,
    /// The command line that makes this record again.
    pub command: String,
}

impl Report {
    /// The page as HTML: pictures inline, no scripts, nothing loaded from elsewhere. It says only what the records
    /// show; a part of the story without a record is left out.
    ///
    /// # Errors
    /// [`Error::Record`](crate::Error::Record) names a field whose columns do not match or that is not finite.
    pub fn html(&self) -> Result<String> {
        self.entries.iter().try_for_each(|entry| check::record(&entry.record))?;
        let mut page = Page::default();
        findings::write(&mut page, &self.entries);
        theory::write(&mut page, &self.entries)?;
        network::write(&mut page, &self.entries)?;
        landscape::write(&mut page, &self.entries)?;
        evidence::write(&mut page, &self.entries)?;
        table1::write(&mut page, &self.entries)?;
        comparison::write(&mut page, &self.entries)?;
        self.pages(&mut page);
        self.repeat(&mut page)?;
        self.circumstances(&mut page);
        Ok(page.document(&self.title, INTRODUCTION))
    }

    fn pages(&self, page: &mut Page) {
        if self.index.iter().all(|(_, pages)| pages.is_empty()) {
            return;
        }
        page.section("Run by run");
        for (heading, pages) in self.index.iter().filter(|(_, pages)| !pages.is_empty()) {
            page.heading(heading);
            page.links(pages);
        }
    }

    fn repeat(&self, page: &mut Page) -> Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        page.section("How to repeat every number");
        page.paragraph(
            "Each record is the whole result of one experiment; tables and pictures are made from it alone.",
        );
        let mut rows = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let tables = crate::tables(&entry.name, &entry.record)?;
            let files: Vec<String> = tables.iter().map(|table| format!("`{}.csv`", table.name)).collect();
            rows.push(
                [format!("`{}`", entry.name), files.join(", "), format!("`{}`", entry.command)].map(Field::from).into(),
            );
        }
        page.table(&["record", "tables", "command"], &rows);
        Ok(())
    }

    fn circumstances(&self, page: &mut Page) {
        if self.manifest.is_empty() {
            return;
        }
        page.section("The run");
        let rows: Vec<Vec<Field>> =
            self.manifest.iter().map(|(name, value)| vec![name.as_str().into(), value.as_str().into()]).collect();
        page.table(&["circumstance", "value"], &rows);
    }
}

const INTRODUCTION: &str = "H. He, G. Huang and Y. Yuan, “Asymmetric Valleys: Beyond Sharp and Flat Local Minima” \
    (NeurIPS 2019), claim that minima of deep networks are often steep on one side and flat on the other, that a \
    solution moved to the flat side generalises better, and that averaging the iterates of SGD moves it there. This \
    page follows their argument from the definitions to a trained network, with every number measured or computed in \
    this run.";

/// The entries whose record is of one kind.
fn of_kind<'a, T>(entries: &'a [Entry], kind: impl Fn(&'a Record) -> Option<&'a T>) -> Vec<(&'a Entry, &'a T)> {
    entries.iter().filter_map(|entry| Some((entry, kind(&entry.record)?))).collect()
}

/// The entries of one kind of record, each with the record itself.
macro_rules! entries_of {
    ($kind:ident in $entries:expr) => {
        $crate::report::of_kind($entries, |record| match record {
            valleys_sim::record::Record::$kind(inner) => Some(inner),
            _ => None,
        })
    };
}
use entries_of;
