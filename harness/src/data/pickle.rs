//! Pickles, as far as the Python versions of CIFAR need them: protocol 2, as Python 2 wrote it.
//!
//! A pickle is a program. This reads it with a machine that knows the opcodes those files consist of and can build
//! nothing but numbers, strings, lists, dictionaries, tuples and numpy arrays of bytes: the only three names it knows are
//! those an array is made of, and any other name is an error before anything else is looked at. Nothing is executed, nothing
//! is imported. Array and string contents are slices of the file, so no length in it asks for memory; the number of
//! objects, those the memo keeps included, and their nesting are bounded, and with them the memory a file can ask for.
//!
//! Opcodes and their meaning: Python's `pickletools`; the arrays: numpy's `ndarray.__reduce__`.

use super::cursor::{Cursor, Malformed};

/// Objects in a file and in its memo, of some hundred bytes each with what holds them. CIFAR-100's training file has for each
/// of 50,000 images two labels and a name, which the memo keeps.
const OBJECTS: usize = 250_000;
/// Objects within objects. CIFAR's files need 3.
const DEPTH: usize = 5;
/// Bytes of a module or attribute name.
const NAME: usize = 100;

/// What the machine can build.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Text(&'a [u8]),
    Tuple(Vec<Value<'a>>),
    List(Vec<Value<'a>>),
    Dict(Vec<(Value<'a>, Value<'a>)>),
    Array(Array<'a>),
    /// One of the three names.
    Global(Global),
    /// numpy's type of a byte.
    Byte,
    /// An array that has not been told its contents.
    Unfilled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    Reconstruct,
    NdArray,
    DType,
}

/// A numpy array of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Array<'a> {
    pub(super) shape: Vec<usize>,
    /// Whether the first index varies fastest, instead of the last.
    pub(super) fortran: bool,
    /// As many bytes as the product of the shape.
    pub(super) bytes: &'a [u8],
}

/// The one object a pickle holds.
pub(super) fn read(bytes: &[u8]) -> Result<Value<'_>, Malformed> {
    Machine { cursor: Cursor::new(bytes), stack: Vec::new(), marks: Vec::new(), memo: Vec::new(), objects: 0 }.run()
}

impl<'a> Value<'a> {
    /// The value of a key, if this is a dictionary that has it once.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(entries) = self else { return None };
        let mut found = entries.iter().filter(|(name, _)| matches!(name, Self::Text(text) if *text == key.as_bytes()));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// Whether it is nested at most so deep; looks no further than that.
    fn within(&self, depth: usize) -> bool {
        let inside = |value: &Self| depth > 0 && value.within(depth - 1);
        match self {
            Self::Tuple(items) | Self::List(items) => items.iter().all(inside),
            Self::Dict(entries) => entries.iter().all(|(key, value)| inside(key) && inside(value)),
            _ => true,
        }
    }

    /// Whether the memo keeps it: what cannot change and cannot hold anything else, so that no object is ever two.
    fn is_simple(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Global(_) | Self::Byte)
    }
}

struct Machine<'a> {
    cursor: Cursor<'a>,
    stack: Vec<Value<'a>>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: Vec<(u32, Value<'a>)>,
    objects: usize,
}

fn refused(problem: impl Into<String>) -> Malformed {
    Malformed::new(problem, "a pickle of CIFAR's Python version: numbers, strings, lists and arrays of bytes")
}

impl<'a> Machine<'a> {
    fn run(mut self) -> Result<Value<'a>, Malformed> {
        if self.cursor.u8()? != 0x80 || self.cursor.u8()? != 2 {
            return Err(refused("does not begin as a pickle of protocol 2"));
        }
        loop {
            let at = self.cursor.at();
            let opcode = self.cursor.u8()?;
            if opcode == b'.' {
                let value = self.pop()?;
                let done = self.stack.is_empty() && self.marks.is_empty();
                return if done { Ok(value) } else { Err(refused("ends with objects left over")) };
            }
            self.step(opcode, at)?;
        }
    }

    fn step(&mut self, opcode: u8, at: usize) -> Result<(), Malformed> {
        let value = match opcode {
            b'(' => return self.mark(),
            b'q' | b'r' => return self.put(opcode == b'r'),
            b'a' | b'e' => return self.append(opcode == b'e'),
            b's' | b'u' => return self.set(opcode == b'u'),
            b'b' => return self.build(),
            b'h' | b'j' => self.recall(opcode == b'j')?,
            b'}' => Value::Dict(Vec::new()),
            b']' => Value::List(Vec::new()),
            b')' => Value::Tuple(Vec::new()),
            0x85..=0x87 => {
                let from = self.height(usize::from(opcode - 0x84))?;
                Value::Tuple(self.stack.split_off(from))
            }
            b't' => Value::Tuple(self.since_mark()?),
            b'N' => Value::None,
            0x88 | 0x89 => Value::Bool(opcode == 0x88),
            b'K' => Value::Int(self.cursor.u8()?.into()),
            b'M' => Value::Int(self.cursor.u16()?.into()),
            b'J' => Value::Int(self.cursor.u32()?.cast_signed().into()),
            0x8a => self.long()?,
            b'U' => {
                let length = self.cursor.u8()?;
                Value::Text(self.cursor.take(length.into())?)
            }
            // The lengths of BINSTRING and BINUNICODE; the former is signed, so half of them are refused as too long.
            b'T' | b'X' => {
                let length = self.cursor.u32()?;
                Value::Text(self.cursor.take(length as usize)?)
            }
            b'c' => self.global()?,
            b'R' => self.reduce()?,
            _ => return Err(refused(format!("opcode {opcode:#04x} at byte {at}"))),
        };
        self.push(value)
    }

    /// A Python 2 `long`, as numpy writes sizes on some platforms; of at most 8 bytes.
    fn long(&mut self) -> Result<Value<'a>, Malformed> {
        let length = usize::from(self.cursor.u8()?);
        let bytes = self.cursor.take(length)?;
        let fill = if bytes.last().is_some_and(|&last| last >= 0x80) { 0xff } else { 0 };
        let mut number = [fill; 8];
        let target = number.get_mut(..length).ok_or_else(|| refused(format!("a number of {length} bytes")))?;
        target.copy_from_slice(bytes);
        Ok(Value::Int(i64::from_le_bytes(number)))
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), Malformed> {
        if !value.within(DEPTH) {
            return Err(refused(format!("objects nested more than {DEPTH} deep")));
        }
        self.count()?;
        self.stack.push(value);
        Ok(())
    }

    /// Counts an object that will be kept.
    fn count(&mut self) -> Result<(), Malformed> {
        self.objects += 1;
        if self.objects > OBJECTS { Err(refused(format!("more than {OBJECTS} objects"))) } else { Ok(()) }
    }

    /// Where the topmost `count` objects begin, none of which may lie under a mark.
    fn height(&self, count: usize) -> Result<usize, Malformed> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let from = self.stack.len().checked_sub(count).filter(|&from| from >= floor);
        from.ok_or_else(|| refused("takes an object that is not there"))
    }

    fn pop(&mut self) -> Result<Value<'a>, Malformed> {
        self.height(1)?;
        self.stack.pop().ok_or_else(|| refused("takes an object that is not there"))
    }

    fn mark(&mut self) -> Result<(), Malformed> {
        if self.marks.len() == 2 * DEPTH {
            return Err(refused("marks nested too deep"));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn since_mark(&mut self) -> Result<Vec<Value<'a>>, Malformed> {
        let from = self.marks.pop().ok_or_else(|| refused("takes a mark that is not there"))?;
        Ok(self.stack.split_off(from))
    }

    /// The number of a memo entry.
    fn entry(&mut self, long: bool) -> Result<u32, Malformed> {
        if long { self.cursor.u32() } else { self.cursor.u8().map(u32::from) }
    }

    fn put(&mut self, long: bool) -> Result<(), Malformed> {
        let entry = self.entry(long)?;
        self.height(1)?;
        let simple = self.stack.last().filter(|value| value.is_simple()).cloned();
        let Some(value) = simple else { return Ok(()) };
        self.count()?;
        // Pickles number their entries in rising order, which makes looking one up quick.
        if self.memo.last().is_none_or(|&(last, _)| last < entry) {
            self.memo.push((entry, value));
            return Ok(());
        }
        Err(refused(format!("memo entry {entry} is out of order")))
    }

    fn recall(&mut self, long: bool) -> Result<Value<'a>, Malformed> {
        let entry = self.entry(long)?;
        let found = self.memo.binary_search_by_key(&entry, |&(number, _)| number);
        let value = found.ok().and_then(|index| self.memo.get(index));
        value.map(|(_, value)| value.clone()).ok_or_else(|| refused(format!("memo entry {entry} is no string or name")))
    }

    fn append(&mut self, several: bool) -> Result<(), Malformed> {
        let items = if several { self.since_mark()? } else { vec![self.pop()?] };
        self.height(1)?;
        let Some(Value::List(list)) = self.stack.last_mut() else { return Err(refused("appends to what is no list")) };
        if !items.iter().all(|item| item.within(DEPTH - 1)) {
            return Err(refused(format!("objects nested more than {DEPTH} deep")));
        }
        list.extend(items);
        Ok(())
    }

    fn set(&mut self, several: bool) -> Result<(), Malformed> {
        let items = if several {
            self.since_mark()?
        } else {
            let from = self.height(2)?;
            self.stack.split_off(from)
        };
        self.height(1)?;
        let Some(Value::Dict(dict)) = self.stack.last_mut() else {
            return Err(refused("sets an entry of what is no dictionary"));
        };
        if items.len() % 2 != 0 || !items.iter().all(|item| item.within(DEPTH - 1)) {
            return Err(refused("a dictionary's entry is incomplete or nested too deep"));
        }
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            dict.push((key, value));
        }
        Ok(())
    }

    fn global(&mut self) -> Result<Value<'a>, Malformed> {
        let (module, name) = (self.cursor.line(NAME)?, self.cursor.line(NAME)?);
        let global = match (module, name) {
            (b"numpy.core.multiarray" | b"numpy._core.multiarray", b"_reconstruct") => Global::Reconstruct,
            (b"numpy", b"ndarray") => Global::NdArray,
            (b"numpy", b"dtype") => Global::DType,
            _ => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
                let problem = format!("asks for {}.{}, which is not executed", text(module), text(name));
                return Err(refused(problem));
            }
        };
        Ok(Value::Global(global))
    }

    /// A call, of one of the two that exist: the array without contents, and the type of a byte.
    fn reduce(&mut self) -> Result<Value<'a>, Malformed> {
        let (Value::Tuple(arguments), callable) = (self.pop()?, self.pop()?) else {
            return Err(refused("calls with what is no tuple"));
        };
        match (callable, arguments.as_slice()) {
            (
                Value::Global(Global::Reconstruct),
                [Value::Global(Global::NdArray), Value::Tuple(shape), Value::Text(b"b")],
            ) if *shape == [Value::Int(0)] => Ok(Value::Unfilled),
            (Value::Global(Global::DType), [Value::Text(name), Value::Int(0), Value::Int(1)]) if *name == b"u1" => {
                Ok(Value::Byte)
            }
            (Value::Global(Global::DType), [Value::Text(name), ..]) => {
                let name = String::from_utf8_lossy(name).escape_debug().to_string();
                Err(refused(format!("an array of numpy type {name}")))
            }
            _ => Err(refused("a call that makes no array of bytes")),
        }
    }

    /// The contents of an array, or the details of a type, which for bytes say nothing.
    fn build(&mut self) -> Result<(), Malformed> {
        let (state, target) = (self.pop()?, self.pop()?);
        match (target, state) {
            (Value::Byte, Value::Tuple(_)) => self.push(Value::Byte),
            (Value::Unfilled, Value::Tuple(state)) => {
                let [Value::Int(1), Value::Tuple(shape), Value::Byte, Value::Bool(fortran), Value::Text(bytes)] =
                    state.as_slice()
                else {
                    return Err(refused("an array whose contents are not bytes"));
                };
                let sides = shape.iter().map(|side| match side {
                    Value::Int(side) => usize::try_from(*side).ok(),
                    _ => None,
                });
                let shape: Option<Vec<usize>> = sides.collect();
                let shape = shape.ok_or_else(|| refused("an array whose shape is not of whole numbers"))?;
                let size = shape.iter().try_fold(1_usize, |size, &side| size.checked_mul(side));
                if size != Some(bytes.len()) {
                    return Err(refused(format!("an array of shape {shape:?} with {} bytes", bytes.len())));
                }
                self.push(Value::Array(Array { shape, fortran: *fortran, bytes }))
            }
            _ => Err(refused("gives contents to what is no array")),
        }
    }
}

#[cfg(test)]
#[path = "pickle_tests.rs"]
pub(super) mod tests;
