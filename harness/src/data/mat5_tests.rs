//! MATLAB files as MATLAB and SciPy write them, and as an attacker does.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1 << 20;

fn element(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), (body.len() as u32).to_le_bytes()].concat();
    out.extend(body);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// An array element: class 9 (bytes) of these sides, its numbers as they lie.
pub(in crate::data) fn matrix(name: &str, sides: &[i32], numbers: &[u8]) -> Vec<u8> {
    parts(9, name, sides, element(UINT8, numbers))
}

fn parts(class: u8, name: &str, sides: &[i32], numbers: Vec<u8>) -> Vec<u8> {
    let sides: Vec<u8> = sides.iter().flat_map(|side| side.to_le_bytes()).collect();
    // A name of one to four letters fits into its tag.
    let mut short = [INT8 | (name.len() as u32) << 16, 0].map(u32::to_le_bytes).concat();
    short[4..4 + name.len()].copy_from_slice(name.as_bytes());
    element(MATRIX, &[element(UINT32, &[class, 0, 0, 0, 0, 0, 0, 0]), element(INT32, &sides), short, numbers].concat())
}

pub(in crate::data) fn deflated(element: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(element).expect("memory");
    let body = encoder.finish().expect("memory");
    [&COMPRESSED.to_le_bytes()[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

pub(in crate::data) fn file(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"MATLAB 5.0 MAT-file".to_vec();
    out.resize(124, b' ');
    out.extend([0x00, 0x01, b'I', b'M']);
    out.extend(elements.concat());
    out
}

fn problem(bytes: &[u8]) -> String {
    let error = read(bytes, LIMIT).map(|arrays| format!("{arrays:?}")).expect_err("refused");
    Malformed::in_file(std::path::Path::new("file"))(error).to_string()
}

fn pair() -> [Vec<u8>; 2] {
    let doubles: Vec<u8> = [1.0_f64, 10.0, 2.5].iter().flat_map(|number| number.to_le_bytes()).collect();
    [matrix("X", &[2, 3, 1], &[1, 2, 3, 4, 5, 6]), parts(6, "y", &[3, 1], element(DOUBLE, &doubles))]
}

#[test]
fn plain_and_compressed_files_hold_the_same_arrays() {
    let [x, y] = pair();
    let arrays = read(&file(&[x.clone(), y.clone()]), LIMIT).expect("readable");
    assert_eq!((arrays[0].name.as_str(), arrays[0].sides.as_slice()), ("X", &[2, 3, 1][..]));
    assert_eq!(arrays[0].numbers, Numbers::Bytes(vec![1, 2, 3, 4, 5, 6]));
    assert_eq!((arrays[1].name.as_str(), [0, 1, 2].map(|i| arrays[1].numbers.get(i))), ("y", [1.0, 10.0, 2.5]));
    assert_eq!([0, 5].map(|i| arrays[0].numbers.get(i)), [1.0, 6.0]);
    assert_eq!(read(&file(&[deflated(&x), deflated(&y)]), LIMIT), Ok(arrays));
}

#[test]
fn sizes_are_held_against_the_limit_before_memory_is_asked_for() {
    let huge = [i32::MAX, i32::MAX, i32::MAX, i32::MAX];
    for element in [matrix("X", &huge, &[0; 8]), deflated(&matrix("X", &huge, &[0; 8]))] {
        assert!(problem(&file(&[element])).contains("at most 1048576 bytes"));
    }
    assert!(problem(&file(&[matrix("X", &[1 << 16, 17], &[0; 8])])).contains("[65536, 17]"));
    // The product of these sides is 2⁶⁴, which is 0 in 64 bits.
    assert!(problem(&file(&[matrix("X", &[1 << 16, 1 << 16, 1 << 16, 1 << 16], &[])])).contains("at most"));
    assert!(problem(&file(&[matrix("X", &[-1, 4], &[0; 4])])).contains("no sizes"));
    assert!(problem(&file(&[matrix("X", &[2, 4], &[0; 7])])).contains("[2, 4] but 7 bytes"));
}

#[test]
fn all_arrays_of_a_file_share_one_limit() {
    let half = matrix("X", &[1 << 19, 1], &vec![0; 1 << 19]);
    let two = [half.clone(), deflated(&half)];
    assert_eq!(read(&file(&two), LIMIT).expect("readable").len(), 2);
    let more = matrix("y", &[1, 1], &[0]);
    for third in [deflated(&more), deflated(&parts(6, "y", &[1, 1], element(DOUBLE, &[0; 8]))), more] {
        let said = problem(&file(&[two.as_slice(), &[third]].concat()));
        assert!(said.contains("at most 0 bytes more"), "{said}");
    }
}

#[test]
fn a_zip_bomb_is_not_inflated() {
    // 64 MiB of zeros in 64 KiB, honest about its size, and the same behind an array of 8 bytes.
    let zeros = vec![0; 64 << 20];
    let honest = file(&[deflated(&matrix("X", &[64 << 20, 1], &zeros))]);
    assert!(honest.len() < 100_000 && problem(&honest).contains("at most 1048576 bytes"));
    let behind = file(&[deflated(&[matrix("X", &[8, 1], &[0; 8]), zeros.clone()].concat())]);
    assert!(problem(&behind).contains("followed by more"));
    let inside = parts(9, "X", &[8, 1], [element(UINT8, &[0; 8]), zeros].concat());
    assert!(problem(&file(&[deflated(&inside)])).contains("followed by 67108864 more bytes"));
    let mut lie = matrix("X", &[8, 1], &[0; 8]);
    lie[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(problem(&file(&[deflated(&lie)])).contains("are said to become 4294967295"));
    assert!(problem(&file(&vec![matrix("X", &[1, 1], &[0]); 17])).contains("more than 16"));
    assert!(problem(&file(&[deflated(&deflated(&pair()[0]))])).contains("compressed element of type 15"));
}

#[test]
fn other_files_are_named() {
    let with = |bytes: &[u8]| {
        let mut whole = file(&pair());
        whole[124..128].copy_from_slice(bytes);
        whole
    };
    assert!(problem(&with(&[1, 0, b'M', b'I'])).contains("big-endian"));
    assert!(problem(&with(&[0, 0, 0, 0])).contains("does not begin"));
    let mut hdf = vec![0; 512];
    hdf[..10].copy_from_slice(b"MATLAB 7.3");
    assert!(problem(&hdf).contains("version 7.3"));
    assert!(problem(&file(&[element(1, &[0; 8])])).contains("element of type 1"));
    assert!(problem(&file(&[parts(1, "c", &[1, 1], Vec::new())])).contains("class 1"));
    assert!(problem(&file(&[parts(9, "X", &[1, 1], element(3, &[0; 2]))])).contains("numbers of type 3"));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let [x, y] = pair();
    for [x, y] in [[deflated(&x), deflated(&y)], [x, y]] {
        let whole = file(&[x.clone(), y]);
        // After the first array the file could be over.
        for length in (0..whole.len()).filter(|&length| length != 128 && length != 128 + x.len()) {
            assert!(read(&whole[..length], LIMIT).is_err(), "{length} of {}", whole.len());
        }
    }
}

#[test]
fn a_damaged_stream_fails_its_checksum() {
    let x = matrix("X", &[512, 2], &[7; 1024]);
    let mut whole = file(&[deflated(&x)]);
    let last = whole.len() - 1;
    whole[last] ^= 1;
    assert!(read(&whole, LIMIT).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn wrong_bytes_never_make_it_panic(
        changes in prop::collection::vec((128_usize..400, any::<u8>()), 1..4),
        compressed in any::<bool>(),
    ) {
        let [x, y] = pair();
        // Inside a compressed element the change is made before compression, past zlib's own checks.
        let mut inside = x.clone();
        let mut whole = file(&[x, y]);
        for (at, byte) in changes {
            if compressed {
                let length = inside.len();
                inside[(at - 128) % length] = byte;
            } else {
                let length = whole.len();
                whole[at % length] = byte;
            }
        }
        let _ = read(&if compressed { file(&[deflated(&inside)]) } else { whole }, LIMIT);
    }

    #[test]
    fn arrays_come_back_as_written(sides in prop::collection::vec(1_i32..5, 2..5), seed in any::<u8>()) {
        let count = sides.iter().product::<i32>() as usize;
        let numbers: Vec<u8> = (0..count).map(|i| (i as u8).wrapping_mul(37).wrapping_add(seed)).collect();
        let whole = file(&[deflated(&matrix("abc", &sides, &numbers))]);
        let arrays = read(&whole, LIMIT).expect("readable");
        let expected: Vec<usize> = sides.iter().map(|&side| side as usize).collect();
        prop_assert_eq!((&arrays[0].sides, &arrays[0].numbers), (&expected, &Numbers::Bytes(numbers)));
    }
}
