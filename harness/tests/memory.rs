//! How much memory a hostile file can ask for: the most that was taken at once while it was read.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use valleys_harness::data::{DataKind, open};
use valleys_sim::Seed;

/// The system's allocator, which counts.
struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = TAKEN.fetch_add(layout.size(), Ordering::SeqCst) + layout.size();
        MOST.fetch_max(taken, Ordering::SeqCst);
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Ordering::SeqCst);
        // SAFETY: likewise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const MB: usize = 1_000_000;

/// Opens a data set that must be refused; returns the most bytes taken at once on the way, and the message.
fn refused(kind: DataKind, folder: &Path) -> (usize, String) {
    let before = TAKEN.load(Ordering::SeqCst);
    MOST.store(before, Ordering::SeqCst);
    let message = open(folder, Some(kind), Seed(0)).map(|opened| opened.form).expect_err("refused").to_string();
    (MOST.load(Ordering::SeqCst) - before, message)
}

/// The tests of this file take their turns, since they count the same bytes.
fn turn() -> impl Drop {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A compressed MATLAB array of that many zeros.
fn zeros(name: u8, count: usize) -> Vec<u8> {
    let element = |kind: u32, length: usize| [kind.to_le_bytes(), (length as u32).to_le_bytes()].concat();
    let mut head = [element(6, 8), vec![9, 0, 0, 0, 0, 0, 0, 0], element(5, 8)].concat();
    head.extend([(count as i32).to_le_bytes(), 1_i32.to_le_bytes()].concat());
    head.extend([vec![1, 0, 1, 0, name, 0, 0, 0], element(2, count)].concat());
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&element(14, head.len() + count)).expect("memory");
    encoder.write_all(&head).expect("memory");
    encoder.write_all(&vec![0; count]).expect("memory");
    let body = encoder.finish().expect("memory");
    [element(15, body.len()), body].concat()
}

#[test]
fn many_compressed_arrays_take_no_more_than_one_set_of_digits() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut file = b"MATLAB 5.0 MAT-file".to_vec();
    file.resize(124, b' ');
    file.extend([0, 1, b'I', b'M']);
    // 16 arrays of 64 MB in less than 6 MB; a whole training set has 226 MB.
    (0..16).for_each(|i| file.extend(zeros(b'a' + i, 64 * MB)));
    assert!(file.len() < 6 * MB, "{}", file.len());
    fs::write(folder.path().join("train_32x32.mat"), &file).expect("file");
    drop(file);
    let (taken, message) = refused(DataKind::Svhn, folder.path());
    assert!(message.contains("array d has the sides [64000000, 1]; allowed: at most 33631560 bytes more"), "{message}");
    assert!(taken < 240 * MB, "{taken} bytes");
}

#[test]
fn a_pickle_takes_little_more_than_its_own_size() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("temporary folder");
    let repeated = |begin: &[u8], part: &[u8], count: usize| [b"\x80\x02", begin, &part.repeat(count)].concat();
    let memo: Vec<u8> = (0..4_000_000_u32).flat_map(|entry| [&b"r"[..], &entry.to_le_bytes()].concat()).collect();
    for (what, file) in [
        ("numbers", repeated(b"(", b"K\x00", 10_000_000)),
        ("lists", repeated(b"(", b"]Na", 5_000_000)),
        ("dictionaries", repeated(b"(", b"}NNs", 5_000_000)),
        ("tuples", repeated(b"(", b"N\x85", 10_000_000)),
        ("strings recalled", repeated(b"U\x01aq\x00(", b"h\x00", 10_000_000)),
        ("a memo", [b"\x80\x02U\x01a", memo.as_slice()].concat()),
    ] {
        fs::write(folder.path().join("train"), &file).expect("file");
        let size = file.len();
        drop(file);
        let (taken, message) = refused(DataKind::Cifar100, folder.path());
        assert!(message.contains("more than 250000 objects"), "{what}: {message}");
        assert!(taken < size + 64 * MB, "{what}: {taken} bytes for {size}");
    }
}

/// A PNG of one colour.
fn png_picture(side: u32, colour: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header().expect("memory");
    let row = colour.samples() * side as usize * if depth == png::BitDepth::Sixteen { 2 } else { 1 };
    writer.write_image_data(&vec![0; row * side as usize]).expect("memory");
    writer.finish().expect("memory");
    out
}

#[test]
fn a_picture_takes_what_the_largest_allowed_one_does() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("temporary folder");
    let small = png_picture(32, png::ColorType::Grayscale, png::BitDepth::Eight);
    for picture in ["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"] {
        let path = folder.path().join(picture);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, &small).expect("file");
    }
    open(folder.path(), Some(DataKind::Folder), Seed(0)).expect("readable");
    // A JPEG that says it is as large as one may be: its frame header has height and width 3 bytes after the marker and
    // the length.
    let mut jpeg = include_bytes!("fixtures/gradient.jpg").to_vec();
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("a frame header");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x10, 0x00, 0x10, 0x00]);
    let mut progressive = jpeg.clone();
    progressive[frame + 1] = 0xc2;
    let mut cut = png_picture(4096, png::ColorType::Rgba, png::BitDepth::Sixteen);
    cut.truncate(cut.len() - 100);
    let wide = png_picture(32 << 10, png::ColorType::Grayscale, png::BitDepth::Eight);
    for (what, file) in [("JPEG", jpeg), ("progressive JPEG", progressive), ("PNG", cut), ("wide PNG", wide)] {
        fs::write(folder.path().join("train/a/1.png"), &file).expect("file");
        let size = file.len();
        drop(file);
        let (taken, message) = refused(DataKind::Folder, folder.path());
        assert!(taken < size + 80 * MB, "{what}: {taken} bytes for {size}: {message}");
    }
}
