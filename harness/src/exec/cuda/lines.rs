//! The line that a device holds.

use std::sync::{Arc, Weak};

use super::device::Device;
use super::launch::{Launch, along};
use super::memory::{Buffer, Out};
use crate::Result;
use crate::params::Line;

/// Centre and direction of the line that points were last asked of.
#[derive(Default)]
pub(super) struct Lines(Option<Held>);

struct Held {
    /// A line's identity is no other's as long as this points there.
    line: Weak<()>,
    centre: Buffer<f32>,
    direction: Buffer<f64>,
}

impl Lines {
    /// Makes weights those of a point of a line, which is uploaded if it is not the one that is held.
    pub(super) fn point<'a>(
        &'a mut self,
        device: &Device,
        line: &Line<'_, f32>,
        offset: f64,
        weights: Out<'a, f32>,
    ) -> Result<Launch<'a>> {
        let held = match self.0.take() {
            Some(held) if std::ptr::eq(held.line.as_ptr(), Arc::as_ptr(line.identity())) => held,
            Some(held) => {
                // Lines through one network have the same length.
                held.centre.out().upload(&line.centre().values)?;
                held.direction.out().upload(line.direction())?;
                Held { line: Arc::downgrade(line.identity()), ..held }
            }
            None => Held {
                line: Arc::downgrade(line.identity()),
                centre: Buffer::new(device, &line.centre().values)?,
                direction: Buffer::new(device, line.direction())?,
            },
        };
        let held = self.0.insert(held);
        along(held.centre.view(), held.direction.view(), offset, weights)
    }
}
