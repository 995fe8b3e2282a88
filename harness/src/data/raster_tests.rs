//! Pictures as programs write them, and broken ones.

use super::*;

/// A PNG file of 8 bits a channel.
pub(in crate::data) fn png_file(width: usize, height: usize, colour: ColorType, pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(colour);
    let mut writer = encoder.write_header().expect("memory");
    writer.write_image_data(pixels).expect("memory");
    writer.finish().expect("memory");
    out
}

/// A JPEG of 32×32, quality 95, as Pillow writes it: red rising to the right, green downwards, blue 128.
pub(in crate::data) const JPEG: &[u8] = include_bytes!("../../tests/fixtures/gradient.jpg");

fn read_bytes(bytes: &[u8]) -> Result<[u8; IMAGE]> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("picture.png");
    std::fs::write(&path, bytes).expect("file");
    read(&path)
}

fn message(bytes: &[u8]) -> String {
    read_bytes(bytes).map(|image| image[0]).expect_err("refused").to_string()
}

#[test]
fn every_kind_of_png_becomes_three_planes() {
    let rgb: Vec<u8> = (0..PLANE).flat_map(|i| [i as u8, (i / SIDE) as u8, 7]).collect();
    let planes = read_bytes(&png_file(SIDE, SIDE, ColorType::Rgb, &rgb)).expect("readable");
    assert!((0..PLANE).all(|i| planes[i] == i as u8 && planes[PLANE + i] == (i / SIDE) as u8));
    assert!(planes[2 * PLANE..].iter().all(|&byte| byte == 7));
    let rgba: Vec<u8> = rgb.chunks(3).flat_map(|pixel| [pixel, &[255]].concat()).collect();
    assert_eq!(read_bytes(&png_file(SIDE, SIDE, ColorType::Rgba, &rgba)).expect("readable"), planes);
    let grey: Vec<u8> = (0..PLANE).map(|i| i as u8).collect();
    let planes = read_bytes(&png_file(SIDE, SIDE, ColorType::Grayscale, &grey)).expect("readable");
    assert!(planes.chunks(PLANE).all(|plane| plane == grey));
    let transparent: Vec<u8> = grey.iter().flat_map(|&byte| [byte, 254]).collect();
    assert!(message(&png_file(SIDE, SIDE, ColorType::GrayscaleAlpha, &transparent)).contains("transparent"));
}

#[test]
fn a_jpeg_is_decoded_within_its_own_loss() {
    let planes = read_bytes(JPEG).expect("readable");
    for at in 0..PLANE {
        let exact = [at % SIDE * 8, at / SIDE * 8, 128];
        for (channel, &exact) in exact.iter().enumerate() {
            let seen = usize::from(planes[channel * PLANE + at]);
            assert!(seen.abs_diff(exact) <= 12, "{channel} {at}: {seen} for {exact}");
        }
    }
}

#[test]
fn larger_pictures_are_reduced_by_means_and_other_sizes_named() {
    // Squares of 2×2 with the bytes 0, 0, 1, 1: a mean of one half, rounded up; with 0, 0, 0, 1, down.
    let grey: Vec<u8> = (0..64 * 64).map(|i| u8::from(i % 2 == 1 && (i / 64 % 2 == 1 || i % 64 < 32))).collect();
    let planes = read_bytes(&png_file(64, 64, ColorType::Grayscale, &grey)).expect("readable");
    assert!((0..PLANE).all(|i| planes[i] == u8::from(i % SIDE < 16)));
    for (width, height) in [(33, 33), (32, 64), (48, 48), (1, 1), (31, 31)] {
        let said = message(&png_file(width, height, ColorType::Grayscale, &vec![0; width * height]));
        assert!(said.contains(&format!("{width}×{height} pixels; allowed: 32×32 or a multiple")), "{said}");
    }
}

/// How a PNG file begins.
pub(in crate::data) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A chunk of a PNG file, with the right length and checksum.
pub(in crate::data) fn chunk(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for &byte in name.iter().chain(contents) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    [&(contents.len() as u32).to_be_bytes(), name.as_slice(), contents, &(!crc).to_be_bytes()].concat()
}

/// A PNG's header that promises this size, and no pixels after it.
fn promise(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes(), &height.to_be_bytes(), &[8, 2, 0, 0, 0][..]].concat();
    [SIGNATURE, &chunk(b"IHDR", &header), &chunk(b"IDAT", &[])].concat()
}

#[test]
fn a_picture_that_promises_too_many_pixels_is_refused_before_they_are_decoded() {
    for (side, words) in [(0x7fff_ffe0, "limit"), (65_536, "65536×65536 pixels; allowed"), (4_128, "4128×4128 pixels")]
    {
        let said = message(&promise(side, side));
        assert!(said.to_lowercase().contains(words), "{said}");
    }
    let mut jpeg = JPEG.to_vec();
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("a frame header");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xe0, 0xff, 0xe0]);
    assert!(read_bytes(&jpeg).is_err());
}

#[test]
fn cut_pictures_are_refused() {
    let noise: Vec<u8> = (0..3 * PLANE).map(|i| (i * i * 31 % 251) as u8).collect();
    let whole = png_file(SIDE, SIDE, ColorType::Rgb, &noise);
    for length in [0, 1, 4, 8, 20, 33, 40, 100, whole.len() / 2, whole.len() - 13, whole.len() - 5] {
        assert!(read_bytes(&whole[..length]).is_err(), "PNG of {length} of {}", whole.len());
    }
    for length in [0, 1, 2, 10, 100, 300, JPEG.len() / 2, JPEG.len() - 100] {
        assert!(read_bytes(&JPEG[..length]).is_err(), "JPEG of {length} of {}", JPEG.len());
    }
}
