//! TensorBoard's event files, as far as scalars need them.
//!
//! A file is a row of records (length, its checksum, bytes, their checksum; CRC-32C, masked), each a protocol buffer
//! `Event` (TensorFlow, `tensorflow/core/util/event.proto` and `core/lib/io/record_writer.cc`).

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crc::{CRC_32_ISCSI, Crc};

use crate::{Error, Result};

/// A file of events that grows.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
}

// Fields of `Event`, `SessionLog`, `Summary` and `Summary.Value`.
const WALL_TIME: u32 = 1;
const STEP: u32 = 2;
const FILE_VERSION: u32 = 3;
const SUMMARY: u32 = 5;
const SESSION_LOG: u32 = 7;
const STATUS: u32 = 1;
const STATUS_START: u64 = 1;
const VALUE: u32 = 1;
const TAG: u32 = 1;
const SIMPLE_VALUE: u32 = 2;

impl EventFile {
    /// A new file in a folder; what other files there say of `step` and later ones is to be forgotten.
    pub(super) fn begin(folder: &Path, step: u64) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let name = |count: u32| {
            folder.join(format!("events.out.tfevents.{:010}.valleys.{}.{count}", now() as u64, std::process::id()))
        };
        let path = (0..).map(name).find(|path| !path.exists()).unwrap_or_default();
        let file = OpenOptions::new().append(true).create_new(true).open(&path).map_err(Error::io(&path))?;
        let mut events = Self { path, file };
        events.write(&[event(0), bytes(FILE_VERSION, b"brain.Event:2")].concat())?;
        let start = number(STATUS, STATUS_START);
        events.write(&[event(step), bytes(SESSION_LOG, &start)].concat())?;
        Ok(events)
    }

    /// Adds named numbers of one step.
    pub(super) fn scalars(&mut self, step: u64, scalars: &[(&str, f64)]) -> Result<()> {
        let values = scalars.iter().flat_map(|(tag, value)| {
            bytes(VALUE, &[bytes(TAG, tag.as_bytes()), fixed32(SIMPLE_VALUE, *value as f32)].concat())
        });
        let summary: Vec<u8> = values.collect();
        self.write(&[event(step), bytes(SUMMARY, &summary)].concat())
    }

    fn write(&mut self, event: &[u8]) -> Result<()> {
        self.file.write_all(&record(event)).map_err(Error::io(&self.path))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// The fields that every event has.
fn event(step: u64) -> Vec<u8> {
    let mut fields = vec![(WALL_TIME << 3 | 1) as u8];
    fields.extend(now().to_le_bytes());
    fields.extend(number(STEP, step));
    fields
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked_crc(&length), data, &masked_crc(data)].concat()
}

/// The checksum of a record, disguised so that checksums of checksums are no weaker.
fn masked_crc(data: &[u8]) -> [u8; 4] {
    let crc = Crc::<u32>::new(&CRC_32_ISCSI).checksum(data);
    crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// A field that is a whole number.
fn number(field: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(field << 3)), varint(value)].concat()
}

/// A field that is a string or another message.
fn bytes(field: u32, value: &[u8]) -> Vec<u8> {
    [varint(u64::from(field << 3 | 2)), varint(value.len() as u64), value.to_vec()].concat()
}

/// A field that is a float.
fn fixed32(field: u32, value: f32) -> Vec<u8> {
    [varint(u64::from(field << 3 | 5)), value.to_le_bytes().to_vec()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut text = Vec::new();
    while value >= 0x80 {
        text.push(value as u8 | 0x80);
        value >>= 7;
    }
    text.push(value as u8);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_format() {
        // CRC-32C of "123456789" is e3069283 (RFC 3720, appendix B.4 gives the polynomial and others of its values).
        assert_eq!(Crc::<u32>::new(&CRC_32_ISCSI).checksum(b"123456789"), 0xe306_9283);
        let unmasked = u32::from_le_bytes(masked_crc(b"123456789")).wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!(unmasked, 0xe306_9283);
    }

    #[test]
    fn numbers_and_messages_are_encoded_as_protocol_buffers_are() {
        // The examples of the encoding guide: field 1 = 150, field 2 = "testing".
        assert_eq!(number(1, 150), [0x08, 0x96, 0x01]);
        assert_eq!(bytes(2, b"testing"), *b"\x12\x07testing");
        assert_eq!(fixed32(2, 1.0), [0x15, 0, 0, 0x80, 0x3f]);
    }

    #[test]
    fn a_file_is_a_row_of_whole_records() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut events = EventFile::begin(folder.path(), 3).expect("writable");
        events.scalars(3, &[("loss/test", 0.25), ("accuracy/test", 0.5)]).expect("writable");
        let file = fs::read(&events.path).expect("a file");
        let (mut at, mut records) = (0, Vec::new());
        while at < file.len() {
            let length = u64::from_le_bytes(file[at..at + 8].try_into().expect("8 bytes")) as usize;
            assert_eq!(file[at + 8..at + 12], masked_crc(&file[at..at + 8]));
            let data = &file[at + 12..at + 12 + length];
            assert_eq!(file[at + 12 + length..at + 16 + length], masked_crc(data));
            records.push(data.to_vec());
            at += 16 + length;
        }
        assert_eq!(records.len(), 3);
        assert!(records[0].ends_with(b"brain.Event:2"));
        assert!(records[1].ends_with(&[0x10, 3, 0x3a, 2, 0x08, 1]), "step 3, session log, start: {:?}", records[1]);
        assert!(records[2].ends_with(b"accuracy/test\x15\x00\x00\x00\x3f"));
    }
}
