//! Picture files: PNG and JPEG of any size that is a multiple of 32×32.

use std::io::Cursor;
use std::path::Path;

use png::{ColorType, Decoder, Limits, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::official::read_file;
use super::{CHANNELS, IMAGE, PLANE, SIDE};
use crate::{Error, Result};

/// Bytes of a picture file.
const FILE: u64 = 64 << 20;
/// Pixels along a side of a picture.
const WIDEST: usize = 128 * SIDE;

/// A picture as three bytes a pixel, row by row.
struct Raster {
    side: usize,
    rgb: Vec<u8>,
}

/// Whether a file name is one of a picture this module reads.
pub(super) fn is_picture(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg"))
}

/// The picture in a file, plane by plane, reduced to 32×32 by means over equal squares: the nearest byte, halves upwards.
///
/// Grey becomes three equal planes; 16 bits a channel lose the lower 8; an alpha channel must be opaque.
pub(super) fn read(path: &Path) -> Result<[u8; IMAGE]> {
    let bytes = read_file(path, FILE)?;
    let raster = if bytes.starts_with(b"\x89PNG") {
        png(path, &bytes)?
    } else if bytes.starts_with(&[0xff, 0xd8]) {
        jpeg(path, bytes)?
    } else {
        return Err(Error::file(path, "neither PNG nor JPEG inside", "a PNG or JPEG picture"));
    };
    let mut out = [0; IMAGE];
    for (channel, plane) in out.chunks_exact_mut(PLANE).enumerate() {
        let pixel = |y: usize, x: usize| raster.rgb[(y * raster.side + x) * CHANNELS + channel];
        reduce_plane(plane, raster.side / SIDE, pixel);
    }
    Ok(out)
}

/// Fills a plane with the means over `factor`×`factor` pixels, given by row and column: the nearest byte, halves upwards.
pub(super) fn reduce_plane(plane: &mut [u8], factor: usize, pixel: impl Fn(usize, usize) -> u8) {
    let area = factor * factor;
    for (y, row) in plane.chunks_exact_mut(SIDE).enumerate() {
        for (x, mean) in row.iter_mut().enumerate() {
            let mut sum = 0;
            for i in 0..factor {
                for j in 0..factor {
                    sum += usize::from(pixel(y * factor + i, x * factor + j));
                }
            }
            *mean = ((2 * sum + area) / (2 * area)) as u8;
        }
    }
}

/// The side of a picture whose size can be reduced; looked at before its pixels are decoded.
fn side(path: &Path, width: usize, height: usize) -> Result<usize> {
    if width != height || width == 0 || !width.is_multiple_of(SIDE) || width > WIDEST {
        let allowed = format!("{SIDE}×{SIDE} or a multiple of it, up to {WIDEST}×{WIDEST}");
        return Err(Error::file(path, format!("a picture of {width}×{height} pixels"), allowed));
    }
    Ok(width)
}

/// The decoders' words, some of which have several lines, in one.
fn malformed(path: &Path, error: impl std::fmt::Display) -> Error {
    let said = error.to_string();
    Error::file(path, said.split_whitespace().collect::<Vec<_>>().join(" "), "a PNG or JPEG picture")
}

fn png(path: &Path, bytes: &[u8]) -> Result<Raster> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: FILE as usize });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|error| malformed(path, error))?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let side = side(path, width, height)?;
    let mut pixels = vec![0; reader.output_buffer_size().unwrap_or(0)];
    let frame = reader.next_frame(&mut pixels).map_err(|error| malformed(path, error))?;
    // A damaged end is found only by reading to it.
    reader.finish().map_err(|error| malformed(path, error))?;
    pixels.truncate(frame.buffer_size());
    let (samples, alpha) = match frame.color_type {
        ColorType::Grayscale => (1, false),
        ColorType::GrayscaleAlpha => (2, true),
        ColorType::Rgb => (3, false),
        ColorType::Rgba => (4, true),
        ColorType::Indexed => return Err(malformed(path, "a palette that was not expanded")),
    };
    if alpha && pixels.chunks_exact(samples).any(|pixel| pixel[samples - 1] != u8::MAX) {
        return Err(Error::file(path, "transparent pixels", "an opaque picture"));
    }
    let colours = samples - usize::from(alpha);
    let rgb: Vec<u8> =
        pixels.chunks_exact(samples).flat_map(|pixel| [pixel[0], pixel[1 % colours], pixel[2 % colours]]).collect();
    checked(path, side, rgb)
}

fn jpeg(path: &Path, bytes: Vec<u8>) -> Result<Raster> {
    // Without processor-specific instructions, so that a picture has the same bytes on every machine.
    let options = DecoderOptions::new_safe()
        .set_max_width(WIDEST)
        .set_max_height(WIDEST)
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let length = bytes.len();
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| malformed(path, error))?;
    let (width, height) = decoder.dimensions().unwrap_or((0, 0));
    let side = side(path, width, height)?;
    // Every block of 8×8 pixels takes a bit at least. The decoder makes grey of pixels that are promised and do not come.
    let least = (side / 8) * (side / 8) / 8;
    if length < least {
        let allowed = format!("at least {least} bytes for so many pixels");
        return Err(Error::file(path, format!("{length} bytes for {side}×{side} pixels"), allowed));
    }
    let rgb = decoder.decode().map_err(|error| malformed(path, error))?;
    checked(path, side, rgb)
}

fn checked(path: &Path, side: usize, rgb: Vec<u8>) -> Result<Raster> {
    if rgb.len() != side * side * CHANNELS {
        return Err(malformed(path, format!("{} bytes for {side}×{side} pixels", rgb.len())));
    }
    Ok(Raster { side, rgb })
}

#[cfg(test)]
#[path = "raster_tests.rs"]
pub(super) mod tests;
