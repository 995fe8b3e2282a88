//! A contact sheet: some images of every class, with its name.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Encoder};
use valleys_figures::Picture;
use valleys_harness::data::{Dataset, PLANE, SIDE};

use crate::error::{Error, Result};

/// Classes on a sheet, and classes one above the other.
const CLASSES: usize = 200;
const ROWS: usize = 25;
/// Letters of a name.
const LETTERS: usize = 20;

// Lengths in units of the drawing, of which a pixel of an image takes one.
const CELL: usize = SIDE + 2;
const TOP: usize = 36;
const MARGIN: usize = 12;
const LETTER: usize = 7;

/// The sheet as a PNG file: the first `images` training images of every class, of 200 classes at most.
pub(crate) fn draw(dataset: &Dataset, images: usize) -> Result<Vec<u8>> {
    let set = dataset.train();
    let classes = &set.classes()[..set.classes().len().min(CLASSES)];
    let names: Vec<String> = classes.iter().map(|class| shortened(class)).collect();
    let label = LETTER * names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 6;
    let block = label + images * CELL + MARGIN;
    let width = (MARGIN + classes.len().div_ceil(ROWS) * block).max(420);
    let height = TOP + classes.len().min(ROWS) * CELL + MARGIN;
    let corner = |class: usize| (MARGIN + class / ROWS * block, TOP + class % ROWS * CELL);

    let mut text = String::new();
    for (class, name) in names.iter().enumerate() {
        let (x, y) = corner(class);
        text += &format!(r#"<text x="{x}" y="{}">{}</text>"#, y + SIDE / 2 + 4, escaped(name));
    }
    let title = format!("{}: the first training images of each class", escaped(dataset.title()));
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><rect width="{width}" height="{height}" fill="#fff"/><g font-family="DejaVu Sans" font-size="12" fill="#202020"><text x="{MARGIN}" y="22" font-size="13">{title}</text>{text}</g></svg>"##
    );
    let drawn = Picture { name: "sheet".to_string(), title: String::new(), caption: String::new(), svg }.png()?;
    let mut canvas = Canvas::decode(&drawn)?;
    let scale = canvas.width / width;

    let mut shown = vec![0; classes.len()];
    for (i, &class) in set.labels().iter().enumerate() {
        let class = usize::from(class);
        let Some(shown) = shown.get_mut(class).filter(|shown| **shown < images) else { continue };
        let (x, y) = corner(class);
        canvas.paste(set.image(i), (x + label + *shown * CELL) * scale, y * scale, scale);
        *shown += 1;
    }
    canvas.encode()
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_string();
    }
    name.chars().take(LETTERS - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A picture of four bytes a pixel.
struct Canvas {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

impl Canvas {
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Decoder::new(Cursor::new(bytes)).read_info().map_err(failed)?;
        let mut rgba = vec![0; reader.output_buffer_size().unwrap_or(0)];
        let frame = reader.next_frame(&mut rgba).map_err(failed)?;
        if frame.color_type != ColorType::Rgba || frame.bit_depth != BitDepth::Eight {
            return Err(failed("the drawing is not of four bytes a pixel"));
        }
        Ok(Self { width: frame.width as usize, height: frame.height as usize, rgba })
    }

    /// Puts an image of three planes with its corner at (x, y), every pixel `scale` wide.
    fn paste(&mut self, image: &[u8], x: usize, y: usize, scale: usize) {
        for row in 0..SIDE * scale {
            for column in 0..SIDE * scale {
                let from = row / scale * SIDE + column / scale;
                let pixel = [image[from], image[PLANE + from], image[2 * PLANE + from], u8::MAX];
                let at = 4 * ((y + row) * self.width + x + column);
                if let Some(target) = self.rgba.get_mut(at..at + 4) {
                    target.copy_from_slice(&pixel);
                }
            }
        }
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let side = |pixels: usize| u32::try_from(pixels).map_err(failed);
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, side(self.width)?, side(self.height)?);
        encoder.set_color(ColorType::Rgba);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.rgba).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(out)
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Failed(format!("contact sheet: {error}"))
}
