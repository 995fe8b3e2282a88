//! The machine: one step an opcode.

use std::collections::HashMap;

use super::{Call, Object, Pickle, Reader, Ref};
use crate::data::cursor::{Cursor, Malformed};

/// How often something may be put on the stack. ResNet-164, its average and the state of Adam need 80,000.
pub(super) const PUSHES: usize = 500_000;
/// Marks on the stack at a time. Every object that is being built needs one.
const MARKS: usize = 1_000;
/// Bytes of a module or attribute name.
const NAME: usize = 100;

pub(super) struct Machine<'a, 'r, N> {
    cursor: Cursor<'a>,
    reader: &'r Reader<N>,
    objects: Vec<Object<'a, N>>,
    stack: Vec<Ref>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Ref>,
    pushes: usize,
}

impl<'a, 'r, N: Copy> Machine<'a, 'r, N> {
    pub(super) fn new(bytes: &'a [u8], reader: &'r Reader<N>) -> Self {
        let cursor = Cursor::new(bytes);
        let memo = HashMap::new();
        Self { cursor, reader, objects: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo, pushes: 0 }
    }

    fn refused(&self, problem: impl Into<String>) -> Malformed {
        Malformed::new(problem, self.reader.allowed)
    }

    pub(super) fn run(mut self) -> Result<Pickle<'a, N>, Malformed> {
        if self.cursor.u8()? != 0x80 || !(2..=5).contains(&self.cursor.u8()?) {
            return Err(self.refused("does not begin as a pickle of protocol 2 to 5"));
        }
        loop {
            let at = self.cursor.at();
            let opcode = self.cursor.u8()?;
            if opcode == b'.' {
                let root = self.pop()?;
                if !self.stack.is_empty() || !self.marks.is_empty() {
                    return Err(self.refused("ends with objects left over"));
                }
                return Ok(Pickle { objects: self.objects, root, length: self.cursor.at() });
            }
            self.step(opcode, at)?;
        }
    }

    fn step(&mut self, opcode: u8, at: usize) -> Result<(), Malformed> {
        let object = match opcode {
            b'(' => return self.mark(),
            b'q' | b'r' | 0x94 => return self.put(opcode),
            b'h' | b'j' => return self.recall(opcode == b'j'),
            b'a' | b'e' => return self.append(opcode == b'e'),
            b's' | b'u' => return self.set(opcode == b'u'),
            b'b' => return self.build(),
            // The length of a frame, which only helps a reader of streams.
            0x95 => return self.cursor.take(8).map(drop),
            b'}' => Object::Dict(Vec::new()),
            b']' => Object::List(Vec::new()),
            b')' => Object::Tuple(Vec::new()),
            0x85..=0x87 => {
                let from = self.height(usize::from(opcode - 0x84))?;
                Object::Tuple(self.stack.split_off(from))
            }
            b't' => Object::Tuple(self.since_mark()?),
            b'N' => Object::None,
            0x88 | 0x89 => Object::Bool(opcode == 0x88),
            b'K' => Object::Int(self.cursor.u8()?.into()),
            b'M' => Object::Int(self.cursor.u16()?.into()),
            b'J' => Object::Int(self.cursor.u32()?.cast_signed().into()),
            0x8a => self.long()?,
            b'G' => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(self.cursor.take(8)?);
                Object::Float(f64::from_be_bytes(bytes))
            }
            b'U' | 0x8c => {
                let length = self.cursor.u8()?;
                Object::Text(self.cursor.take(length.into())?)
            }
            // The lengths of BINSTRING and BINUNICODE; the former is signed, so half of them are refused as too long.
            b'T' | b'X' => {
                let length = self.cursor.u32()?;
                Object::Text(self.cursor.take(length as usize)?)
            }
            b'c' => {
                let (module, name) = (self.cursor.line(NAME)?, self.cursor.line(NAME)?);
                self.global(module, name)?
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (&self.objects[module.0 as usize], &self.objects[name.0 as usize]) {
                    (&Object::Text(module), &Object::Text(name)) => self.global(module, name)?,
                    _ => return Err(self.refused("asks for something by what is no name")),
                }
            }
            b'R' => self.call()?,
            b'Q' => Object::Persistent(self.pop()?),
            _ => return Err(self.refused(format!("opcode {opcode:#04x} at byte {at}"))),
        };
        // At most PUSHES objects are ever made, and those fit a u32.
        let number = Ref(self.objects.len() as u32);
        self.objects.push(object);
        self.push(number)
    }

    /// A whole number of up to 255 bytes.
    fn long(&mut self) -> Result<Object<'a, N>, Malformed> {
        let length = usize::from(self.cursor.u8()?);
        let bytes = self.cursor.take(length)?;
        let fill = if bytes.last().is_some_and(|&last| last >= 0x80) { 0xff } else { 0 };
        let mut number = [fill; 8];
        Ok(match number.get_mut(..length) {
            Some(target) => {
                target.copy_from_slice(bytes);
                Object::Int(i64::from_le_bytes(number))
            }
            None => Object::Long(bytes),
        })
    }

    fn push(&mut self, number: Ref) -> Result<(), Malformed> {
        self.pushes += 1;
        if self.pushes > PUSHES {
            return Err(self.refused(format!("more than {PUSHES} objects")));
        }
        self.stack.push(number);
        Ok(())
    }

    /// Where the topmost `count` objects begin, none of which may lie under a mark.
    fn height(&self, count: usize) -> Result<usize, Malformed> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let from = self.stack.len().checked_sub(count).filter(|&from| from >= floor);
        from.ok_or_else(|| self.refused("takes an object that is not there"))
    }

    fn top(&self) -> Result<Ref, Malformed> {
        self.height(1).map(|from| self.stack[from])
    }

    fn pop(&mut self) -> Result<Ref, Malformed> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn mark(&mut self) -> Result<(), Malformed> {
        if self.marks.len() == MARKS {
            return Err(self.refused(format!("more than {MARKS} marks")));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn since_mark(&mut self) -> Result<Vec<Ref>, Malformed> {
        let from = self.marks.pop().ok_or_else(|| self.refused("takes a mark that is not there"))?;
        Ok(self.stack.split_off(from))
    }

    fn put(&mut self, opcode: u8) -> Result<(), Malformed> {
        let entry = match opcode {
            b'q' => self.cursor.u8()?.into(),
            b'r' => self.cursor.u32()?,
            _ => self.memo.len() as u32,
        };
        let top = self.top()?;
        // One entry an object is enough for any program that `pickle` writes.
        if self.memo.len() > self.objects.len() {
            return Err(self.refused("keeps more objects than there are"));
        }
        self.memo.insert(entry, top);
        Ok(())
    }

    fn recall(&mut self, long: bool) -> Result<(), Malformed> {
        let entry = if long { self.cursor.u32()? } else { self.cursor.u8()?.into() };
        let found = self.memo.get(&entry).copied();
        let number = found.ok_or_else(|| self.refused(format!("recalls entry {entry}, which was not kept")))?;
        self.push(number)
    }

    /// The object on top of the stack, to be changed.
    fn target(&mut self) -> Result<&mut Object<'a, N>, Malformed> {
        let top = self.top()?;
        Ok(&mut self.objects[top.0 as usize])
    }

    fn append(&mut self, several: bool) -> Result<(), Malformed> {
        let items = if several { self.since_mark()? } else { vec![self.pop()?] };
        match self.target()? {
            Object::List(list) => list.extend(items),
            _ => return Err(self.refused("appends to what is no list")),
        }
        Ok(())
    }

    fn set(&mut self, several: bool) -> Result<(), Malformed> {
        let items = if several {
            self.since_mark()?
        } else {
            let from = self.height(2)?;
            self.stack.split_off(from)
        };
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.refused("sets an entry without a value"));
        }
        let pairs = pairs.iter().map(|&[key, value]| (key, value));
        match self.target()? {
            Object::Dict(entries) | Object::Call(Call { entries, .. }) => entries.extend(pairs),
            _ => return Err(self.refused("sets an entry of what is no dictionary")),
        }
        Ok(())
    }

    fn global(&self, module: &[u8], name: &[u8]) -> Result<Object<'a, N>, Malformed> {
        (self.reader.name)(module, name).map(Object::Global).ok_or_else(|| {
            let shown = |bytes: &[u8]| bytes[..bytes.len().min(NAME)].escape_ascii().to_string();
            self.refused(format!("asks for {}.{}, which is not executed", shown(module), shown(name)))
        })
    }

    fn call(&mut self) -> Result<Object<'a, N>, Malformed> {
        let (arguments, name) = (self.pop()?, self.pop()?);
        match (&self.objects[name.0 as usize], &self.objects[arguments.0 as usize]) {
            (&Object::Global(name), Object::Tuple(_)) => {
                Ok(Object::Call(Call { name, arguments, entries: Vec::new(), state: None }))
            }
            _ => Err(self.refused("calls what is no name, or with what is no tuple")),
        }
    }

    fn build(&mut self) -> Result<(), Malformed> {
        let given = self.pop()?;
        match self.target()? {
            Object::Call(Call { state: state @ None, .. }) => *state = Some(given),
            _ => return Err(self.refused("gives a state to what takes none")),
        }
        Ok(())
    }
}
