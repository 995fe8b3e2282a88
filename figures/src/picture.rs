//! A finished picture, as SVG and as PNG.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::{Error, Result};

/// Pixels of the PNG for each unit of the SVG.
const PNG_SCALE: f32 = 2.0;

/// One figure: its words, and the drawing as a self-contained SVG document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// A name fit for a file, without extension.
    pub name: String,
    /// A headline.
    pub title: String,
    /// What is shown and how to read it, in plain text.
    pub caption: String,
    /// The drawing. Text stays text; where DejaVu Sans is missing, a browser takes the next sans-serif font.
    pub svg: String,
}

impl Picture {
    /// The drawing as a PNG file on white, two pixels for each unit of the SVG, text set in the embedded DejaVu Sans.
    ///
    /// # Errors
    /// [`Error::Drawing`] if the SVG does not parse or its size is zero.
    pub fn png(&self) -> Result<Vec<u8>> {
        let options = Options { fontdb: fonts(), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
        let tree = Tree::from_str(&self.svg, &options).map_err(Error::drawing)?;
        let size = tree.size();
        let pixels = |length: f32| (length * PNG_SCALE).round() as u32;
        let mut pixmap = Pixmap::new(pixels(size.width()), pixels(size.height()))
            .ok_or_else(|| Error::drawing("its size is zero"))?;
        resvg::render(&tree, Transform::from_scale(PNG_SCALE, PNG_SCALE), &mut pixmap.as_mut());
        pixmap.encode_png().map_err(Error::drawing)
    }
}

/// The embedded fonts, loaded once: parsing them costs more than a picture.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut database = fontdb::Database::new();
        for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
            database.load_font_source(fontdb::Source::Binary(Arc::new(font)));
        }
        Arc::new(database)
    };
    Arc::clone(FONTS.get_or_init(load))
}
