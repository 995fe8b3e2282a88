//! Reading bytes that may be anything.

use std::path::Path;

use crate::Error;

/// What is wrong with a file's contents, before the file's name is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    problem: String,
    allowed: String,
}

impl Malformed {
    pub(crate) fn new(problem: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { problem: problem.into(), allowed: allowed.into() }
    }

    /// The error of a file, for use in `map_err(Malformed::in_file(path))`.
    pub(crate) fn in_file(path: &Path) -> impl FnOnce(Self) -> Error {
        move |malformed| Error::file(path, malformed.problem, malformed.allowed)
    }
}

/// A place in a slice of bytes. Nothing is copied, and nothing beyond the end is ever touched.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let left = &self.bytes[self.at..];
        let taken = left.get(..count).ok_or_else(|| {
            let problem = format!("ends at byte {}, {} bytes too early", self.bytes.len(), count - left.len());
            Malformed::new(problem, "a complete file")
        })?;
        self.at += count;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian number of two bytes.
    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.take(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    /// A little-endian number of four bytes.
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.take(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// The bytes up to the next newline, which is read but not returned; at most `limit` of them.
    pub(crate) fn line(&mut self, limit: usize) -> Result<&'a [u8], Malformed> {
        let left = &self.bytes[self.at..];
        let end = left.iter().take(limit + 1).position(|&byte| byte == b'\n').ok_or_else(|| {
            Malformed::new(format!("no line ends within {limit} bytes of byte {}", self.at), "a complete file")
        })?;
        self.at += end + 1;
        Ok(&left[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stops_at_the_end_and_says_how_much_is_missing() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5, 6, 7, b'a', b'\n']);
        assert_eq!((cursor.u8(), cursor.u16(), cursor.u32()), (Ok(1), Ok(0x0302), Ok(0x0706_0504)));
        assert!(cursor.clone().take(usize::MAX).is_err());
        let missing = cursor.clone().take(5).expect_err("short").problem;
        assert_eq!(missing, "ends at byte 9, 3 bytes too early");
        assert!(cursor.clone().line(0).is_err());
        assert_eq!((cursor.line(1), cursor.at()), (Ok(&b"a"[..]), 9));
        assert!(cursor.line(10).is_err());
    }
}
