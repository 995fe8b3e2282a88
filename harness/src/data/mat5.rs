//! MATLAB 5 files, as far as SVHN needs them: arrays of real numbers, compressed or not, little-endian.
//!
//! Layout: MathWorks, *MAT-File Format*, "Level 5 MAT-File Format". A file is a header of 128 bytes and a row of elements, each
//! a type, a length and that many bytes. A compressed element is a zlib stream that holds one other element.
//!
//! No length in a file is believed: an array's size follows from its dimensions, is held against what is `left` of the
//! file's limit before anything is allocated, and must agree with every other length that speaks of it. A compressed
//! element is read no further than that size. So whatever its size, a file takes no more memory than its limit and itself.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::cursor::{Cursor, Malformed};

const HEADER: usize = 128;
/// Arrays of a file; SVHN has two.
const ARRAYS: usize = 16;
const DIMENSIONS: u32 = 8;
const NAME: u32 = 64;

// Types of elements.
const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// The flag of an array with imaginary numbers.
const COMPLEX: u8 = 0x08;

/// A real array; the first index varies fastest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) name: String,
    pub(super) sides: Vec<usize>,
    pub(super) numbers: Numbers,
}

/// As many numbers as the product of the sides.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Numbers {
    Bytes(Vec<u8>),
    /// Of 8 little-endian bytes each, as they lie in the file: converted at once they would take their space twice.
    Doubles(Vec<u8>),
}

impl Numbers {
    /// The number of this index. Panics beyond the end, as a slice does.
    pub(super) fn get(&self, index: usize) -> f64 {
        match self {
            Self::Bytes(bytes) => bytes[index].into(),
            Self::Doubles(bytes) => {
                let mut number = [0; 8];
                number.copy_from_slice(&bytes[8 * index..8 * index + 8]);
                f64::from_le_bytes(number)
            }
        }
    }

    /// The bytes they take.
    fn size(&self) -> usize {
        let (Self::Bytes(bytes) | Self::Doubles(bytes)) = self;
        bytes.len()
    }
}

fn refused(problem: impl Into<String>) -> Malformed {
    Malformed::new(problem, "a MATLAB 5 file with arrays of bytes or doubles")
}

/// The arrays of a file, of at most `limit` bytes of numbers together.
pub(super) fn read(bytes: &[u8], limit: usize) -> Result<Vec<Array>, Malformed> {
    let mut cursor = Cursor::new(bytes);
    let header = cursor.take(HEADER)?;
    match &header[124..] {
        [0x00, 0x01, b'I', b'M'] => {}
        [0x01, 0x00, b'M', b'I'] => return Err(refused("a big-endian file")),
        _ if header.starts_with(b"MATLAB 7.3") => return Err(refused("a file of version 7.3, which is HDF5")),
        _ => return Err(refused("does not begin as a MATLAB 5 file")),
    }
    let (mut arrays, mut left) = (Vec::new(), limit);
    while cursor.at() < bytes.len() {
        if arrays.len() == ARRAYS {
            return Err(refused(format!("more than {ARRAYS} arrays")));
        }
        let (kind, length) = (cursor.u32()?, cursor.u32()?);
        let body = cursor.take(length as usize)?;
        let array = match kind {
            MATRIX => Stream { inner: body, left: length.into() }.array(left)?,
            COMPRESSED => inflated(body, left)?,
            _ => return Err(refused(format!("an element of type {kind}"))),
        };
        left -= array.numbers.size();
        arrays.push(array);
    }
    Ok(arrays)
}

fn inflated(body: &[u8], limit: usize) -> Result<Array, Malformed> {
    let mut stream = Stream { inner: ZlibDecoder::new(body), left: 8 };
    let (kind, length) = (stream.u32()?, stream.u32()?);
    if kind != MATRIX {
        return Err(refused(format!("a compressed element of type {kind}")));
    }
    // Deflate makes at most 1032 bytes of one (zlib's technical notes), so a longer element is a lie; found out before
    // memory is asked for.
    if u64::from(length) > 1032 * body.len() as u64 {
        return Err(refused(format!("{} compressed bytes are said to become {length}", body.len())));
    }
    stream.left = length.into();
    let array = stream.array(limit)?;
    // Reading on to the end makes the decoder compare its checksum.
    let mut more = [0];
    match stream.inner.read(&mut more) {
        Ok(0) => Ok(array),
        Ok(_) => Err(refused(format!("array {} is followed by more inside its element", array.name))),
        Err(error) => Err(refused(error.to_string())),
    }
}

/// A reader of elements, which may be inflating, up to the end of the array they are parts of.
struct Stream<R> {
    inner: R,
    left: u64,
}

/// The beginning of an element inside an array.
struct Tag {
    kind: u32,
    length: u32,
    /// The bytes of an element so short that it fits into its tag.
    short: Option<[u8; 4]>,
}

impl<R: Read> Stream<R> {
    fn exact<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut bytes = [0; N];
        self.spend(N as u64)?;
        self.inner.read_exact(&mut bytes).map_err(|error| refused(error.to_string()))?;
        Ok(bytes)
    }

    fn spend(&mut self, count: u64) -> Result<(), Malformed> {
        let left = self.left.checked_sub(count);
        self.left = left.ok_or_else(|| refused("an array reaches beyond its element"))?;
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.exact().map(u32::from_le_bytes)
    }

    fn tag(&mut self) -> Result<Tag, Malformed> {
        let (first, second) = (self.u32()?, self.exact::<4>()?);
        let short = first >> 16;
        match short {
            0 => Ok(Tag { kind: first, length: u32::from_le_bytes(second), short: None }),
            1..=4 => Ok(Tag { kind: first & 0xffff, length: short, short: Some(second) }),
            _ => Err(refused(format!("a short element of {short} bytes"))),
        }
    }

    /// The bytes of an element whose length has been found acceptable, and the padding after it.
    fn body(&mut self, tag: &Tag) -> Result<Vec<u8>, Malformed> {
        let length = tag.length as usize;
        if let Some(bytes) = tag.short {
            return Ok(bytes[..length].to_vec());
        }
        self.spend(length as u64)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|error| refused(error.to_string()))?;
        self.inner.by_ref().take(length as u64).read_to_end(&mut bytes).map_err(|error| refused(error.to_string()))?;
        if bytes.len() != length {
            return Err(refused(format!("ends {} bytes too early", length - bytes.len())));
        }
        // Padding to a multiple of 8, which the last element may lack.
        let padding = ((8 - length as u64 % 8) % 8).min(self.left);
        for _ in 0..padding {
            self.exact::<1>()?;
        }
        Ok(bytes)
    }

    /// A small element of an expected type.
    fn small(&mut self, kind: u32, most: u32, what: &str) -> Result<Vec<u8>, Malformed> {
        let tag = self.tag()?;
        if tag.kind != kind || tag.length > most {
            return Err(refused(format!("{what} of type {} and {} bytes", tag.kind, tag.length)));
        }
        self.body(&tag)
    }

    /// The parts of an array: flags, dimensions, name, real numbers.
    fn array(&mut self, limit: usize) -> Result<Array, Malformed> {
        let flags = self.small(UINT32, 8, "array flags")?;
        let &[class, bits, ..] = flags.as_slice() else { return Err(refused("array flags of no length")) };
        // Classes 6 to 15 are the numeric ones, from double to 64-bit integers.
        if !(6..=15).contains(&class) || bits & COMPLEX != 0 {
            return Err(refused(format!("an array of class {class} and flags {bits:#04x}")));
        }
        let sides = self.small(INT32, 4 * DIMENSIONS, "dimensions")?;
        let sides: Option<Vec<usize>> =
            sides.chunks(4).map(|side| usize::try_from(i32::from_le_bytes(side.try_into().ok()?)).ok()).collect();
        let sides = sides.filter(|sides| sides.len() >= 2).ok_or_else(|| refused("dimensions that are no sizes"))?;
        let name = self.small(INT8, NAME, "a name")?;
        let name = String::from_utf8_lossy(&name).escape_debug().to_string();
        let tag = self.tag()?;
        let width = match tag.kind {
            UINT8 => 1,
            DOUBLE => 8,
            kind => return Err(refused(format!("array {name} has numbers of type {kind}"))),
        };
        let size = sides.iter().try_fold(width, |size: usize, &side| size.checked_mul(side));
        if size.is_none_or(|size| size > limit) {
            let problem = format!("array {name} has the sides {sides:?}");
            return Err(Malformed::new(problem, format!("at most {limit} bytes more in the file's arrays")));
        }
        if size != Some(tag.length as usize) {
            let problem = format!("array {name} has the sides {sides:?} but {} bytes of numbers", tag.length);
            return Err(refused(problem));
        }
        let bytes = self.body(&tag)?;
        if self.left != 0 {
            return Err(refused(format!("array {name} is followed by {} more bytes in its element", self.left)));
        }
        let numbers = if width == 1 { Numbers::Bytes(bytes) } else { Numbers::Doubles(bytes) };
        Ok(Array { name, sides, numbers })
    }
}

#[cfg(test)]
#[path = "mat5_tests.rs"]
pub(super) mod tests;
