//! `valleys data`: fetch, verify, look at.

use std::path::{Path, PathBuf};

use valleys_harness::data::summary::{Summary, summarise};
use valleys_harness::data::{self, DataKind, Dataset, Finding, Opened, synthetic};
use valleys_sim::Seed;

use crate::cli::{Fetch, Info, Verify};
use crate::config::usage;
use crate::error::{Error, Result};
use crate::output::{line, note, table};
use crate::progress::{self, Terminal};
use crate::sheet;

/// Embedded images that are drawn for each of training and test unless said otherwise.
pub(super) const DRAWN: usize = 1_000;

/// What the command line means by a data set.
pub(super) enum Source {
    /// The embedded images.
    Drawn,
    /// Files below a folder, of this kind if it was named.
    Stored { place: PathBuf, kind: Option<DataKind> },
}

/// Reads `NAME`, `DIR` or `NAME=DIR`. What exists under a name is a folder; a name alone is looked for below `home`.
pub(super) fn source(text: &Path, home: &Path) -> Result<Source> {
    let words = text.to_str().filter(|_| !text.exists());
    let Some(words) = words else { return Ok(Source::Stored { place: text.to_owned(), kind: None }) };
    if let Some((name, place)) = words.split_once('=') {
        let kind = DataKind::parse(name).map_err(usage)?;
        return Ok(match kind {
            DataKind::Synthetic => return Err(Error::Usage("synthetic images lie in no folder".to_string())),
            kind => Source::Stored { place: place.into(), kind: Some(kind) },
        });
    }
    match DataKind::parse(words) {
        Ok(DataKind::Synthetic) => Ok(Source::Drawn),
        Ok(kind) if kind.official_counts().is_some() => {
            if !home.is_dir() {
                let problem = format!("no such folder; `valleys data fetch {kind}` makes it, NAME=DIR names another");
                return Err(Error::file(home, problem));
            }
            Ok(Source::Stored { place: home.to_owned(), kind: Some(kind) })
        }
        Ok(kind) => Err(Error::Usage(format!("{kind} is a name without a folder; allowed: {kind}=DIR"))),
        // What can be nothing but a path is told so where it is opened.
        Err(_) if text.components().count() > 1 => Ok(Source::Stored { place: text.to_owned(), kind: None }),
        Err(error) => Err(Error::file(text, format!("no such folder; {error}"))),
    }
}

/// Opens a stored data set and says what a reader should know about it.
pub(super) fn open(place: &Path, kind: Option<DataKind>, seed: Seed) -> Result<Opened> {
    let opened = data::open(place, kind, seed)?;
    for text in &opened.notes {
        note(format_args!("{}: {text}", opened.dataset.title()));
    }
    Ok(opened)
}

pub(crate) fn fetch(options: &Fetch) -> Result<()> {
    let kind = DataKind::parse(&options.name).map_err(usage)?;
    official(kind)?;
    if let Some(mirror) = &options.mirror
        && !["http://", "https://"].iter().any(|scheme| mirror.starts_with(scheme))
    {
        return Err(Error::Usage(format!(
            "--mirror is {mirror}; allowed: an address beginning with http:// or https://"
        )));
    }
    progress::catch_interrupts()?;
    let fetched = data::fetch(kind, &options.dir, options.mirror.as_deref(), &Terminal::new())?;
    let folder = fetched.folder.display();
    if fetched.downloaded.is_empty() {
        return line(format!("{}: in {folder}, every file is the official one; nothing was downloaded", kind.title()));
    }
    line(format!("{}: in {folder}, from {}", kind.title(), fetched.downloaded.join(" and ")))
}

pub(crate) fn verify(options: &Verify) -> Result<()> {
    let kind = DataKind::parse(&options.name).map_err(usage)?;
    official(kind)?;
    let forms = data::verify(kind, &options.dir)?;
    let mut rows = Vec::new();
    for (path, finding) in forms.iter().flat_map(|form| &form.files) {
        let words = match finding {
            Finding::Official => "official".to_string(),
            Finding::Different(sum) => format!("differs, MD5 {sum}"),
            Finding::Missing => "missing".to_string(),
        };
        rows.push(vec![path.display().to_string(), words]);
    }
    table(&["file", "is"], &rows)?;
    if forms.iter().all(data::Verified::is_official) {
        return Ok(());
    }
    Err(Error::Failed(format!("these are not the official files of {}, or not all of them", kind.title())))
}

/// Refuses a kind without official files as a wrong command line.
fn official(kind: DataKind) -> Result<()> {
    match kind.official_counts() {
        Some(_) => Ok(()),
        None => Err(Error::Usage(format!("{kind} has no official files; allowed: cifar10, cifar100, svhn, stl10"))),
    }
}

pub(crate) fn info(options: &Info) -> Result<()> {
    let seed = Seed(options.seed);
    if let Some(file) = &options.sheet
        && file.extension().is_none_or(|extension| extension != "png")
    {
        return Err(Error::Usage(format!("--sheet is {}; allowed: a name ending in .png", file.display())));
    }
    let dataset = match source(&options.data, &options.dir)? {
        Source::Drawn => {
            line(format!("{DRAWN} + {DRAWN} synthetic images, drawn from seed {}", seed.0))?;
            synthetic::draw(DRAWN, DRAWN, seed)?
        }
        Source::Stored { place, kind } => {
            let opened = data::open(&place, kind, seed)?;
            line(format!("{}, in {}", opened.form, opened.folder.display()))?;
            for text in &opened.notes {
                line(format!("note: {text}"))?;
            }
            opened.dataset
        }
    };
    describe(&dataset)?;
    if let Some(file) = &options.sheet {
        let png = sheet::draw(&dataset, options.images.into())?;
        std::fs::write(file, png).map_err(|error| Error::file(file, error))?;
        line(format!("contact sheet  {}", file.display()))?;
    }
    Ok(())
}

fn describe(dataset: &Dataset) -> Result<()> {
    let (train, test) = (summarise(dataset.train()), summarise(dataset.test()));
    let total = (dataset.train().len(), dataset.test().len());
    let mut rows: Vec<_> = dataset
        .train()
        .classes()
        .iter()
        .zip(train.counts.iter().zip(&test.counts))
        .map(|(class, (train, test))| vec![class.clone(), train.to_string(), test.to_string()])
        .collect();
    rows.push(vec!["all".to_string(), total.0.to_string(), total.1.to_string()]);
    table(&["class", "train", "test"], &rows)?;
    line("")?;
    let triple = |numbers: [f64; 3]| numbers.map(|number| format!("{number:.4}")).join(" ");
    let row = |split: &str, summary: &Summary| vec![split.to_string(), triple(summary.mean), triple(summary.std)];
    table(&["32×32, RGB", "mean", "standard deviation"], &[row("train", &train), row("test", &test)])?;
    line(format!("\nSHA-256 of pixels and labels  {}", dataset.checksum()))
}
