//! The zip archives that `torch.save` writes since PyTorch 1.6.
//!
//! All records lie in one folder: `data.pkl`, a pickle; `data/KEY`, the bytes of one storage each; since 2.1 `byteorder`;
//! and others that say nothing about tensors. None is compressed, so that a record is a part of the file.

use std::io::{self, Cursor};
use std::ops::Range;

use zip::{CompressionMethod, ZipArchive};

use crate::data::cursor::Malformed;

const ALLOWED: &str = "a whole archive as torch.save writes it, uncompressed";

/// Bytes of the name of the records' folder.
const FOLDER: usize = 1_000;
/// Bytes of a wrong byte order that are shown.
const SHOWN: usize = 20;

/// An archive in memory.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    length: usize,
    /// The folder of the records.
    folder: String,
    /// Bytes of the records that were asked for.
    taken: usize,
}

fn refused(problem: impl Into<String>) -> Malformed {
    Malformed::new(problem, ALLOWED)
}

impl<'a> Archive<'a> {
    /// Fails if the bytes are no zip archive with exactly one `data.pkl`, or one of another byte order.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refused(error.to_string()))?;
        let mut folders =
            zip.file_names().flatten().filter_map(|name| Some(name.strip_suffix("/data.pkl")?.to_owned()));
        let folder = folders.next().ok_or_else(|| refused("a zip archive without a data.pkl"))?;
        if folders.next().is_some() {
            return Err(refused("a zip archive with more than one data.pkl"));
        }
        drop(folders);
        if folder.len() > FOLDER {
            return Err(refused(format!("a folder with a name of {} bytes", folder.len())));
        }
        let mut archive = Self { zip, length: bytes.len(), folder, taken: 0 };
        match archive.find("byteorder")? {
            Some(range) if bytes[range.clone()] != *b"little" => {
                let order = &bytes[range];
                let order = order[..order.len().min(SHOWN)].escape_ascii();
                Err(Malformed::new(format!("byte order {order}"), "little, the order of every common machine"))
            }
            _ => Ok(archive),
        }
    }

    /// The bytes of a record, whose checksum is right if it has one.
    pub(super) fn record(&mut self, name: &str) -> Result<Range<usize>, Malformed> {
        self.find(name)?.ok_or_else(|| refused(format!("record {name} is missing")))
    }

    fn find(&mut self, name: &str) -> Result<Option<Range<usize>>, Malformed> {
        let Some(index) = self.zip.index_for_name(&format!("{}/{name}", self.folder)) else { return Ok(None) };
        let broken = |error: &dyn std::fmt::Display| refused(format!("record {name}: {error}"));
        let raw = self.zip.by_index_raw(index).map_err(|error| broken(&error))?;
        if raw.compression() != CompressionMethod::Stored || raw.encrypted() || raw.size() != raw.compressed_size() {
            return Err(broken(&format!(
                "is compressed or encrypted ({} of {} bytes)",
                raw.compressed_size(),
                raw.size()
            )));
        }
        let (start, size, checksum) = (raw.data_start(), raw.size(), raw.crc32());
        drop(raw);
        let start = start.and_then(|start| usize::try_from(start).ok());
        let size = usize::try_from(size).ok();
        let range = start.zip(size).and_then(|(start, size)| Some(start..start.checked_add(size)?));
        let range = range.filter(|range| range.end <= self.length).ok_or_else(|| broken(&"leaves the file"))?;
        // Every record is asked for once, so that more than the file is asked for only if records lie over each other.
        self.taken += range.len();
        if self.taken > self.length {
            return Err(broken(&"lies over another"));
        }
        // PyTorch writes 0 if it is told to compute no checksums.
        if checksum != 0 {
            let mut checked = self.zip.by_index(index).map_err(|error| broken(&error))?;
            io::copy(&mut checked, &mut io::sink()).map_err(|error| broken(&error))?;
        }
        Ok(Some(range))
    }
}
