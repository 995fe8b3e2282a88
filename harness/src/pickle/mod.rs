//! Pickles, read without executing anything.
//!
//! A pickle is a program for a stack machine, and Python's machine imports and calls whatever the program names. This one
//! runs the program symbolically: a name is an [`Object::Global`] if the reader of the file knows it, else an error before
//! anything else is looked at; a call is an [`Object::Call`] that says what was called with what. What that means is for the
//! reader of the file to say.
//!
//! All objects lie in one table and refer to each other by number. So a list within itself, an object held a million times
//! and objects nested a million deep cost nothing, no step and no clean-up is recursive, and memory is bounded by the bytes of
//! the program, of which there may be [`machine::PUSHES`] that put something on the stack. Texts are slices of the file.
//!
//! Opcodes and their meaning: Python's `pickletools`. Known are those that `pickle` writes for the objects below in its
//! protocols 2 to 5.

mod machine;
#[cfg(test)]
mod tests;

use crate::data::cursor::Malformed;

/// What the reader of a file knows and expects.
pub(crate) struct Reader<N> {
    /// The name of a module's class or function, if it is one that the file may use.
    pub(crate) name: fn(&[u8], &[u8]) -> Option<N>,
    /// What such a pickle holds, for errors.
    pub(crate) allowed: &'static str,
}

/// The number of an object in its [`Pickle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ref(u32);

/// An object, its parts by number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Object<'a, N> {
    None,
    Bool(bool),
    Int(i64),
    /// A whole number of more than 8 bytes, little-endian, two's complement.
    Long(&'a [u8]),
    Float(f64),
    /// A text, or what Python 2 called one.
    Text(&'a [u8]),
    Tuple(Vec<Ref>),
    List(Vec<Ref>),
    Dict(Vec<(Ref, Ref)>),
    /// A class or function.
    Global(N),
    /// A class or function called with a tuple of arguments, which did not happen.
    Call(Call<N>),
    /// Something that lies outside the pickle, as described by an object.
    Persistent(Ref),
}

/// A call, and what was then done to its result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call<N> {
    pub(crate) name: N,
    /// A tuple, which other calls may have been given too.
    arguments: Ref,
    /// The entries that were set in the result, as in a dictionary.
    pub(crate) entries: Vec<(Ref, Ref)>,
    /// The state that the result was given.
    pub(crate) state: Option<Ref>,
}

/// The objects of a pickle.
#[derive(Debug)]
pub(crate) struct Pickle<'a, N> {
    objects: Vec<Object<'a, N>>,
    root: Ref,
    /// Bytes of the program.
    pub(crate) length: usize,
}

/// Runs the program at the beginning of `bytes`; more may follow it.
pub(crate) fn read<'a, N: Copy>(bytes: &'a [u8], reader: &Reader<N>) -> Result<Pickle<'a, N>, Malformed> {
    machine::Machine::new(bytes, reader).run()
}

impl<'a, N> Pickle<'a, N> {
    /// The object the pickle was made of.
    pub(crate) fn root(&self) -> &Object<'a, N> {
        self.get(self.root)
    }

    /// The object of a number.
    pub(crate) fn get(&self, number: Ref) -> &Object<'a, N> {
        // The machine hands out no other numbers, and takes no object away.
        &self.objects[number.0 as usize]
    }

    /// Every object, in the order in which they were made.
    pub(crate) fn objects(&self) -> &[Object<'a, N>] {
        &self.objects
    }

    /// What a call was given.
    pub(crate) fn arguments(&self, call: &Call<N>) -> &[Ref] {
        match self.get(call.arguments) {
            Object::Tuple(arguments) => arguments,
            _ => &[],
        }
    }

    /// A text, if the object is one.
    pub(crate) fn text(&self, number: Ref) -> Option<&'a [u8]> {
        match self.get(number) {
            Object::Text(text) => Some(text),
            _ => None,
        }
    }
}
