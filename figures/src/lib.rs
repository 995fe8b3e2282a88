//! Pictures, tables and the report of asymmetric valleys, from records alone.
//!
//! Everything here is a function of [`valleys_sim::record::Record`]s: [`tables`] gives the numbers behind a picture,
//! [`render`] the picture, [`report::Report`] one self-contained page that tells the story in order. Nothing is read
//! or written, no system font is used, and the same records give the same bytes.

mod canvas;
mod chart;
mod check;
pub mod comparison;
pub mod error;
mod figure;
pub mod picture;
pub mod report;
mod scale;
mod style;
pub mod table;
pub mod table1;
pub mod words;

pub use error::Error;
pub use figure::render;
pub use picture::Picture;
pub use table::{Table, tables};

/// The result of a function of this crate.
pub type Result<T> = std::result::Result<T, Error>;
