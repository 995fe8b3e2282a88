//! Pickles as Python 2 writes them, and as an attacker does.

use proptest::prelude::*;

use super::*;

/// How an array's bytes follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::data) enum Layout {
    Rows,
    Columns,
}

fn short(text: &str) -> Vec<u8> {
    [b"U", &[text.len() as u8][..], text.as_bytes()].concat()
}

/// A file of CIFAR's Python version, opcode for opcode as `cPickle` of protocol 2 writes such a dictionary.
pub(in crate::data) fn batch(key: &str, labels: &[u8], pixels: &[u8], layout: Layout) -> Vec<u8> {
    let rows = pixels.len() / 3072;
    let mut out = b"\x80\x02}q\x01(".to_vec();
    out.extend([short("batch_label"), b"q\x02".to_vec(), short("training batch 1 of 5"), b"q\x03".to_vec()].concat());
    out.extend([short(key), b"q\x04]q\x05(".to_vec()].concat());
    out.extend(labels.iter().flat_map(|&label| [b'K', label]));
    out.push(b'e');
    out.extend(
        [short("data"), b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08".to_vec()].concat(),
    );
    out.extend(b"K\x00\x85U\x01b\x87Rq\x09(K\x01M");
    out.extend((rows as u16).to_le_bytes());
    out.extend(b"M\x00\x0c\x86cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb");
    out.push(if layout == Layout::Columns { 0x88 } else { 0x89 });
    out.push(b'T');
    out.extend((pixels.len() as u32).to_le_bytes());
    out.extend(pixels);
    out.extend(
        [b"tb".to_vec(), short("filenames"), b"q\x0c]q\x0d(".to_vec(), short("a.png"), b"q\x0eh\x0eeu.".to_vec()]
            .concat(),
    );
    out
}

fn problem(bytes: &[u8]) -> String {
    let error = read(bytes).map(|value| format!("{value:?}")).expect_err("refused");
    Malformed::in_file(std::path::Path::new("file"))(error).to_string()
}

#[test]
fn a_batch_is_read_without_copying_its_array() {
    let bytes = batch("labels", &[6, 9], &[7; 2 * 3072], Layout::Rows);
    let value = read(&bytes).expect("a batch");
    assert_eq!(value.get("labels"), Some(&Value::List(vec![Value::Int(6), Value::Int(9)])));
    let Some(Value::Array(array)) = value.get("data") else { panic!("{value:?}") };
    assert_eq!((array.shape.as_slice(), array.fortran, array.bytes.len()), (&[2, 3072][..], false, 6144));
    assert!(bytes.as_ptr_range().contains(&array.bytes.as_ptr()));
    assert_eq!(value.get("filenames"), Some(&Value::List(vec![Value::Text(b"a.png"), Value::Text(b"a.png")])));
    assert_eq!(value.get("absent"), None);
}

#[test]
fn nothing_is_executed_or_imported() {
    for (attack, words) in [
        (&b"\x80\x02cos\nsystem\nU\x02lsq\x00\x85R."[..], "os.system, which is not executed"),
        (b"\x80\x02cposix\nsystem\n(U\x02lstR.", "posix.system"),
        (b"\x80\x02c__builtin__\neval\nU\x011\x85R.", "__builtin__.eval"),
        (b"\x80\x02cbuiltins\nexec\n.", "builtins.exec"),
        (b"\x80\x02cnumpy\nload\n.", "numpy.load"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "numpy.core.multiarray.scalar"),
        (b"\x80\x02(ios\nsystem\n.", "opcode 0x69"),
        (b"\x80\x02(U\x02lsos\nsystem\no.", "opcode 0x6f"),
        (b"\x80\x02\x82\x01.", "opcode 0x82"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "opcode 0x81"),
        (b"\x80\x02cnumpy\nndarray\n)R.", "a call that makes no array"),
        (b"\x80\x02cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R.", "numpy type O8"),
        (b"\x80\x02cnumpy\ndtype\n}b.", "gives contents to what is no array"),
        (b"\x80\x02Pos.system\n.", "opcode 0x50"),
        (b"\x80\x04\x95\x00", "protocol 2"),
        (b"(dp1\n.", "protocol 2"),
    ] {
        let said = problem(attack);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn lengths_nesting_and_numbers_of_objects_are_bounded() {
    assert!(problem(b"\x80\x02T\xff\xff\xff\xff").contains("too early"));
    assert!(problem(b"\x80\x02T\xff\xff\xff\x7fabc").contains("too early"));
    assert!(problem(b"\x80\x02U\x05ab").contains("3 bytes too early"));
    let nested = |wrap: &[u8]| problem(&[b"\x80\x02N", wrap.repeat(1_000_000).as_slice(), b"."].concat());
    assert!(nested(b"\x85").contains("nested"));
    assert!(
        problem(&[b"\x80\x02", b"]".repeat(100_000).as_slice(), &b"a".repeat(99_999), b"."].concat())
            .contains("nested")
    );
    assert!(
        problem(&[b"\x80\x02", b"}N".repeat(100_000).as_slice(), b"N", &b"s".repeat(100_000), b"."].concat())
            .contains("nested too deep")
    );
    assert!(problem(b"\x80\x02}N.").contains("left over"));
    assert!(problem(&[b"\x80\x02", b"(".repeat(1_000_000).as_slice()].concat()).contains("marks nested"));
    assert!(problem(&[b"\x80\x02", b"N".repeat(250_001).as_slice()].concat()).contains("more than 250000 objects"));
    // A memo that keeps one string under ever new numbers.
    let entries: Vec<u8> = (0..250_000_u32).flat_map(|entry| [&b"r"[..], &entry.to_le_bytes()].concat()).collect();
    assert!(problem(&[b"\x80\x02U\x01a", entries.as_slice()].concat()).contains("more than 250000 objects"));
    assert!(problem(&[b"\x80\x02c", b"a".repeat(200).as_slice(), b"\n"].concat()).contains("no line ends"));
    // A list within itself, and a list doubled at every step: the memo hands out strings alone.
    assert!(problem(b"\x80\x02]q\x00h\x00a.").contains("memo entry 0"));
    assert!(problem(b"\x80\x02Nq\x00h\x00\x86q\x01h\x01\x86.").contains("memo entry 0"));
    assert!(problem(b"\x80\x02U\x01aq\x05q\x05.").contains("out of order"));
}

#[test]
fn numbers_are_read_in_every_width() {
    for (bytes, number) in [
        (&b"K\xff"[..], 255),
        (b"M\x00\x80", 0x8000),
        (b"J\xfe\xff\xff\xff", -2),
        (b"\x8a\x00", 0),
        (b"\x8a\x02\x00\x0c", 3072),
        (b"\x8a\x01\xff", -1),
        (b"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80", i64::MIN),
    ] {
        assert_eq!(read(&[b"\x80\x02", bytes, b"."].concat()), Ok(Value::Int(number)));
    }
    assert!(problem(b"\x80\x02\x8a\x09123456789.").contains("a number of 9 bytes"));
}

#[test]
fn arrays_have_as_many_bytes_as_their_shape_says() {
    let array = |shape: &[u8], length: u32| {
        let begin = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01";
        let middle = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R\x89T";
        let bytes = vec![0; length as usize];
        [begin.as_slice(), shape, middle, &length.to_le_bytes(), &bytes, b"tb."].concat()
    };
    assert!(read(&array(b"K\x02K\x03\x86", 6)).is_ok());
    for (shape, length) in [
        (&b"K\x02K\x03\x86"[..], 7),
        (b"J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86", 1),
        (b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7ft", 0),
        (b"(J\x00\x00\x00\x40J\x00\x00\x00\x40J\x00\x00\x00\x40t", 0),
        (b"NK\x03\x86", 3),
        (b"K\x02", 2),
        (b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x86", 1),
    ] {
        assert!(problem(&array(shape, length)).contains("an array"), "{shape:?}");
    }
}

#[test]
fn a_pickle_cut_anywhere_is_refused() {
    let whole = batch("labels", &[1], &[1; 3072], Layout::Rows);
    for length in (0..250).chain(whole.len() - 60..whole.len()) {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    assert!(read(&whole).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_and_no_program_of_known_opcodes_make_it_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        program in prop::collection::vec(prop::sample::select(b"(qhaesub}])\x85\x86\x87tN\x88KMJUTXcR\x8a.\x00\x01".to_vec()), 0..300),
    ) {
        let _ = read(&[b"\x80\x02".as_slice(), &noise].concat());
        let _ = read(&[b"\x80\x02".as_slice(), &program].concat());
    }

    #[test]
    fn one_wrong_byte_in_a_batch_never_makes_it_panic(at in 0_usize..400, byte in any::<u8>()) {
        let mut bytes = batch("labels", &[1], &[1; 3072], Layout::Rows);
        let at = if at < 250 { at } else { bytes.len() - (at - 249) };
        bytes[at] = byte;
        let _ = read(&bytes);
    }
}
