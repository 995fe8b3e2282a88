//! The points of a line, kept one by one as they are measured.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use valleys_harness::landscape::{Point, Store};

use crate::error::{Error, Result};

/// A JSON-lines file of points that grows by whole lines.
pub(crate) struct PointFile {
    path: PathBuf,
    file: File,
    points: Vec<Point>,
}

impl PointFile {
    /// Opens the file and takes up its points. A last line cut short by a crash is dropped.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let wrap = |error: std::io::Error| Error::file(&path, error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(wrap)?;
        }
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(wrap)?;
        let mut text = String::new();
        std::io::Read::read_to_string(&mut file, &mut text).map_err(wrap)?;
        let mut points = Vec::new();
        let mut whole = 0;
        for line in text.split_inclusive('\n') {
            match serde_json::from_str(line) {
                Ok(point) if line.ends_with('\n') => points.push(point),
                _ => break,
            }
            whole += line.len();
        }
        file.set_len(whole as u64).map_err(wrap)?;
        Ok(Self { path, file, points })
    }
}

impl Store for PointFile {
    fn points(&self) -> &[Point] {
        &self.points
    }

    fn keep(&mut self, point: Point) -> valleys_harness::Result<()> {
        let mut line = serde_json::to_vec(&point)
            .map_err(|error| valleys_harness::Error::file(&self.path, error, "a point with finite numbers"))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(valleys_harness::Error::io(&self.path))?;
        self.points.push(point);
        Ok(())
    }
}
