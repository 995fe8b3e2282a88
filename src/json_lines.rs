//! Pieces of a long experiment, kept one by one as they are measured.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use valleys_harness::landscape::{Point, Store};

use crate::error::{Error, Result};

/// A JSON-lines file, one piece a line, that grows by whole lines.
pub(crate) struct JsonLines<T> {
    path: PathBuf,
    file: File,
    pieces: Vec<T>,
}

impl<T: Serialize + DeserializeOwned> JsonLines<T> {
    /// Opens the file and takes up its pieces. A last line cut short by a crash is dropped.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let wrap = |error: std::io::Error| Error::file(&path, error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(wrap)?;
        }
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(wrap)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(wrap)?;
        let mut pieces = Vec::new();
        let mut whole = 0;
        for line in text.split_inclusive('\n') {
            match serde_json::from_str(line) {
                Ok(piece) if line.ends_with('\n') => pieces.push(piece),
                _ => break,
            }
            whole += line.len();
        }
        file.set_len(whole as u64).map_err(wrap)?;
        Ok(Self { path, file, pieces })
    }

    pub(crate) fn pieces(&self) -> &[T] {
        &self.pieces
    }

    pub(crate) fn into_pieces(self) -> Vec<T> {
        self.pieces
    }

    /// Keeps one more piece.
    pub(crate) fn push(&mut self, piece: T) -> valleys_harness::Result<()> {
        let mut line = serde_json::to_vec(&piece)
            .map_err(|error| valleys_harness::Error::file(&self.path, error, "finite numbers"))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(valleys_harness::Error::io(&self.path))?;
        self.pieces.push(piece);
        Ok(())
    }
}

/// The points of a line.
impl Store for JsonLines<Point> {
    fn points(&self) -> &[Point] {
        self.pieces()
    }

    fn keep(&mut self, point: Point) -> valleys_harness::Result<()> {
        self.push(point)
    }
}
