//! Files that are damaged, cut, or lie.

use proptest::prelude::*;

use super::*;
use crate::model::Architecture;

/// An archive of one tensor with a storage of these bytes.
fn one(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    zip(&[("x/data.pkl", pickle), ("x/byteorder", b"little"), ("x/data/0", storage)])
}

/// A legacy file of one tensor; every part can be another.
struct Parts<'a> {
    magic: &'a [u8],
    version: &'a [u8],
    facts: &'a [u8],
    object: Vec<u8>,
    keys: &'a [u8],
    storages: Vec<u8>,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self {
            magic: b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.",
            version: b"\x80\x02M\xe9\x03.",
            facts: b"\x80\x02}U\x0dlittle_endian\x88s.",
            object: pickled("FloatStorage", 6, 0, &[2, 3], &[3, 1]),
            keys: b"\x80\x02]U\x010a.",
            storages: [&6_u64.to_le_bytes()[..], &[0; 24]].concat(),
        }
    }
}

impl Parts<'_> {
    fn bytes(&self) -> Vec<u8> {
        [self.magic, self.version, self.facts, &self.object, self.keys, &self.storages].concat()
    }
}

#[test]
fn other_files_are_told_apart() {
    for (bytes, words) in [
        (&b""[..], "begins with ``; allowed: a safetensors file, or one that torch.save wrote"),
        (b"\x89PNG\r\n\x1a\n1234", "begins with `\\x89PNG\\r\\n\\x1a\\n1`"),
        (b"PK\x03\x04 and no archive", "as torch.save writes it, uncompressed"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f{}", "a whole safetensors file"),
        (b"\x80\x02K\x05.", "not of PyTorch: its magic number is missing"),
        (b"\x80\x02cos\nsystem\nU\x02ls\x85R.", "asks for os.system, which is not executed"),
    ] {
        let said = problem(bytes);
        assert!(said.contains(words), "{said}");
    }
    assert!(problem(&zip(&[("x/y.npy", b"")])).contains("a zip archive without a data.pkl"));
    assert!(problem(&zip(&[("x/data.pkl", b""), ("y/data.pkl", b"")])).contains("more than one data.pkl"));
}

#[test]
fn nothing_is_executed() {
    for (program, name) in [
        (&b"cos\nsystem\nU\x02ls\x85R."[..], "os.system"),
        (b"cbuiltins\neval\nU\x011\x85R.", "builtins.eval"),
        (b"ctorch\nload\nU\x04evil\x85R.", "torch.load"),
        (b"ctorch.storage\n_load_from_bytes\nU\x04evil\x85R.", "torch.storage._load_from_bytes"),
        (b"ctorch._utils\n_rebuild_wrapper_subclass\n.", "torch._utils._rebuild_wrapper_subclass"),
        (b"c__torch__\nNet\n.", "__torch__.Net"),
        (b"ctorch.jit._pickle\nbuild_intlist\n.", "torch.jit._pickle.build_intlist"),
        (b"cmodels.preresnet\nPreResNet\n.", "models.preresnet.PreResNet"),
    ] {
        let program = [b"\x80\x02", program].concat();
        for bytes in [one(&program, b""), Parts { object: program, ..Parts::default() }.bytes()] {
            let said = problem(&bytes);
            assert!(
                said.contains(&format!("asks for {name}, which is not executed; allowed: a checkpoint of")),
                "{said}"
            );
        }
    }
}

#[test]
fn tensors_that_leave_their_storage_or_repeat_it_are_refused() {
    for (offset, shape, strides) in [
        (1, &[2, 3][..], &[3, 1][..]),
        (-1, &[2, 3], &[3, 1]),
        (0, &[2, 4], &[3, 1]),
        (0, &[2, 3], &[4, 1]),
        (0, &[2, 3], &[-3, 1]),
        (0, &[-2, -3], &[3, 1]),
        (0, &[2, 3], &[3]),
        (0, &[i32::MAX, i32::MAX, i32::MAX], &[1, 1, 1]),
        (0, &[i32::MAX, i32::MAX, i32::MAX], &[0, 0, 0]),
        (0, &[1 << 20, 1 << 20], &[0, 0]),
        (0, &[1; 17], &[1; 17]),
    ] {
        let pickle = pickled("FloatStorage", 6, offset, shape, strides);
        let legacy = Parts { object: pickle.clone(), ..Parts::default() };
        for bytes in [one(&pickle, &[0; 24]), legacy.bytes()] {
            let said = problem(&bytes);
            assert!(["fc.weight", "its tensors have"].iter().any(|words| said.contains(words)), "{shape:?}: {said}");
        }
    }
    // A file may hold a tensor with repeated numbers, if the tensor is no larger than the file.
    assert!(read(&one(&pickled("FloatStorage", 6, 0, &[20], &[0]), &[0; 24])).is_ok());
    let bomb = problem(&one(&pickled("FloatStorage", 6, 0, &[1 << 30], &[0]), &[0; 24]));
    assert!(bomb.contains("its tensors have 4294967296 bytes, the file"), "{bomb}");
}

#[test]
fn storages_have_the_size_that_is_announced() {
    for (count, bytes, words) in [
        (6, 23, "record data/0 has 23 bytes; allowed: 6 numbers of type float32"),
        (6, 28, "record data/0 has 28 bytes"),
        (i32::MAX, 24, "record data/0 has 24 bytes; allowed: 2147483647 numbers"),
        (-6, 24, "a storage of -6 numbers"),
    ] {
        let said = problem(&one(&pickled("FloatStorage", count, 0, &[2, 3], &[3, 1]), &vec![0; bytes]));
        assert!(said.contains(words), "{said}");
    }
    let absent = problem(&zip(&[("x/data.pkl", &pickled("FloatStorage", 6, 0, &[2, 3], &[3, 1]))]));
    assert!(absent.contains("record data/0 is missing"), "{absent}");
    let strange = problem(&one(&pickled("ComplexFloatStorage", 6, 0, &[2, 3], &[3, 1]), &[0; 48]));
    assert!(strange.contains("torch.ComplexFloatStorage"), "{strange}");
    // Two tensors that see one storage as of two types.
    let two = |class: &str| {
        let pickle = pickled(class, 6, 0, &[2], &[1]);
        [&b"U\x04fc."[..], class.as_bytes()[..1].as_ref(), &pickle[b"\x80\x02}U\x09fc.weight".len()..pickle.len() - 2]]
            .concat()
    };
    let program = [&b"\x80\x02}("[..], &two("FloatStorage"), &two("IntStorage"), b"u."].concat();
    let said = problem(&one(&program, &[0; 24]));
    assert!(said.contains("storage 0 has two types or sizes"), "{said}");
}

#[test]
fn archives_are_uncompressed_little_endian_and_sound() {
    let pickle = pickled("FloatStorage", 6, 0, &[2, 3], &[3, 1]);
    let big = zip(&[("x/data.pkl", &pickle), ("x/byteorder", b"big"), ("x/data/0", &[0; 24])]);
    assert!(problem(&big).contains("byte order big; allowed: little"));
    let sound = one(&pickle, &[7; 24]);
    assert!(read(&sound).is_ok());
    let headers = |signature: &[u8]| -> Vec<usize> {
        (0..sound.len() - 4).filter(|&at| sound[at..at + 4] == *signature).collect()
    };
    let (local, central) = (headers(b"PK\x03\x04"), headers(b"PK\x01\x02"));
    assert_eq!((local.len(), central.len()), (3, 3));
    for number in [0, 2] {
        // A bomb: the record says that it is deflated and becomes 4 GB.
        let mut bomb = sound.clone();
        bomb[local[number] + 8] = 8;
        bomb[central[number] + 10] = 8;
        bomb[central[number] + 24..central[number] + 28].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
        let said = problem(&bomb);
        assert!(said.contains("is compressed or encrypted (") && said.contains("of 4026531840 bytes"), "{said}");
        // Uncompressed, but larger than the file.
        let mut long = sound.clone();
        for size in [20, 24] {
            long[central[number] + size..central[number] + size + 4].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
        }
        assert!(problem(&long).contains("leaves the file"));
        // Elsewhere in the file.
        let mut moved = sound.clone();
        moved[central[number] + 42..central[number] + 46].copy_from_slice(&1_u32.to_le_bytes());
        problem(&moved);
    }
    let start = sound.windows(24).position(|window| window == [7; 24]).expect("the storage");
    let mut damaged = sound.clone();
    damaged[start + 5] ^= 1;
    let said = problem(&damaged);
    assert!(said.contains("record data/0: ") && said.to_lowercase().contains("checksum"), "{said}");
    // PyTorch writes 0 if it is told to compute no checksums.
    damaged[local[2] + 14..local[2] + 18].copy_from_slice(&[0; 4]);
    damaged[central[2] + 16..central[2] + 20].copy_from_slice(&[0; 4]);
    assert!(read(&damaged).is_ok());
}

/// Thousands of records that are the same bytes would make a small file a large one.
#[test]
fn records_that_lie_over_each_other_are_refused() {
    let storage = [0; 4000];
    let tensor = pickled("FloatStorage", 1000, 0, &[1], &[1]);
    let begin = b"\x80\x02}U\x09fc.weight".len();
    let mut program = b"\x80\x02}(".to_vec();
    for digit in b'0'..=b'9' {
        let mut tensor = tensor[begin..tensor.len() - 2].to_vec();
        let key = tensor.windows(3).position(|window| window == b"\x010U").expect("the key") + 1;
        tensor[key] = digit;
        program.extend([&b"U\x04fc."[..], &[digit], &tensor].concat());
    }
    program.extend(b"u.");
    let names: Vec<_> = (0..10).map(|digit| format!("x/data/{digit}")).collect();
    let mut records = vec![("x/data.pkl", &program[..]), ("x/data/0", &storage)];
    records.extend(names[1..].iter().map(|name| (name.as_str(), &[][..])));
    let mut file = zip(&records);
    // Every other record becomes the first.
    let central: Vec<_> = (0..file.len() - 4).filter(|&at| file[at..at + 4] == *b"PK\x01\x02").collect();
    let first: Vec<u8> = file[central[1] + 16..central[1] + 28].to_vec();
    let place: Vec<u8> = file[central[1] + 42..central[1] + 46].to_vec();
    for &header in &central[2..] {
        file[header + 16..header + 28].copy_from_slice(&first);
        file[header + 42..header + 46].copy_from_slice(&place);
    }
    let said = problem(&file);
    assert!(said.contains("lies over another"), "{said}");
}

#[test]
fn legacy_files_are_whole_and_consistent() {
    assert!(read(&Parts::default().bytes()).is_ok());
    for (parts, words) in [
        (
            Parts { magic: b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x18.", ..Parts::default() },
            "its magic number is missing",
        ),
        (Parts { version: b"\x80\x02M\xea\x03.", ..Parts::default() }, "version 1002 instead of 1001"),
        (Parts { facts: b"\x80\x02}U\x0dlittle_endian\x89s.", ..Parts::default() }, "little-endian"),
        (Parts { facts: b"\x80\x02N.", ..Parts::default() }, "little-endian"),
        (Parts { keys: b"\x80\x02N.", ..Parts::default() }, "no list of storages"),
        (Parts { keys: b"\x80\x02].", ..Parts::default() }, "fc.weight: storage 0 is missing"),
        (Parts { keys: b"\x80\x02]U\x011a.", ..Parts::default() }, "lists a storage that no tensor refers to"),
        (
            Parts { storages: [&7_u64.to_le_bytes()[..], &[0; 28]].concat(), ..Parts::default() },
            "storage 0 has 7 numbers instead of the 6 announced",
        ),
        (
            Parts { storages: [&[0xff; 8][..], &[0; 24]].concat(), ..Parts::default() },
            "has 18446744073709551615 numbers",
        ),
        (Parts { storages: [&6_u64.to_le_bytes()[..], &[0; 23]].concat(), ..Parts::default() }, "1 bytes too early"),
        (
            Parts {
                keys: b"\x80\x02](U\x010U\x010e.",
                storages: [&6_u64.to_le_bytes()[..], &[0; 24]].concat().repeat(2),
                ..Parts::default()
            },
            "lists storage 0 twice",
        ),
    ] {
        let said = problem(&parts.bytes());
        assert!(said.contains(words), "{said}");
    }
    let announced = pickled("DoubleStorage", i32::MAX, 0, &[1], &[1]);
    let huge = Parts { object: announced, storages: (i32::MAX as u64).to_le_bytes().to_vec(), ..Parts::default() };
    assert!(problem(&huge.bytes()).contains("too early"));
    let view = pickled("FloatStorage", 6, 0, &[2], &[1]);
    let at = view.windows(2).position(|window| window == b"tQ").expect("the storage");
    let view = [&view[..at], b"U\x01vK\x00K\x02\x87", &view[at..]].concat();
    assert!(problem(&Parts { object: view, ..Parts::default() }.bytes()).contains("PyTorch 0.3"));
}

#[test]
fn objects_that_are_no_state_dict_are_named() {
    for (program, words) in [
        (&b"]."[..], "holds list of 0; allowed: a state dict"),
        (b"K\x05.", "holds 5"),
        (b"}.", "holds no state dict"),
        (b"}U\x05epochK\x05s.", "holds no state dict"),
        (b"ccollections\nOrderedDict\nK\x05\x85R.", "holds an object"),
        (b"ccollections\nOrderedDict\n]K\x05a\x85R.", "made of something else than pairs"),
        (b"}U\x09fc.weightctorch._utils\n_rebuild_tensor_v2\n)Rs.", "fc.weight: a tensor made of something else"),
        (b"}U\x09fc.weightctorch._utils\n_rebuild_parameter\n)Rs.", "fc.weight: a parameter without a tensor"),
        (
            b"}U\x09fc.weightctorch._utils\n_rebuild_tensor_v2\n(NK\x00))tRs.",
            "fc.weight: a tensor made of something else",
        ),
        (b"NQ.", "outside its pickle that is no storage"),
        (b"(U\x07storageNNNNtQ.", "outside its pickle that is no storage"),
        (b"(U\x06moduleNNNNtQ.", "outside its pickle that is no storage"),
    ] {
        let said = problem(&one(&[b"\x80\x02", program].concat(), b""));
        assert!(said.contains(words), "{said}");
    }
    let tensor = pickled("FloatStorage", 1, 0, &[1], &[1]);
    let tensor = &tensor[b"\x80\x02}".len()..tensor.len() - 2];
    let twice = [b"\x80\x02}(", tensor, tensor, b"u."].concat();
    assert!(problem(&one(&twice, &[0; 4])).contains("tensor fc.weight comes twice"));
}

/// Pickles whose objects are few and whose unfolded contents would fill any memory.
#[test]
fn repetition_within_a_checkpoint_is_bounded() {
    let tensor = pickled("FloatStorage", 1, 0, &[0], &[1]);
    let tensor = &tensor[b"\x80\x02}U\x09fc.weight".len()..tensor.len() - 2];
    let name = |number: usize| format!("X\x07\x00\x00\x00a.{number:05}").into_bytes();
    let many: Vec<u8> = (0..20_001).flat_map(|number| [name(number), b"h\x00".to_vec()].concat()).collect();
    let program = [b"\x80\x02}(U\x03a.a", tensor, b"q\x00", &many, b"u."].concat();
    assert!(problem(&one(&program, &[0; 4])).contains("more than 20000 tensors"));
    // One large state dict under many names, one large dictionary beside it many times.
    let half: Vec<u8> = (0..9_000).flat_map(|number| [name(number), b"h\x00".to_vec()].concat()).collect();
    let dicts: Vec<u8> = (0..1_000).flat_map(|number| [name(number), b"h\x01".to_vec()].concat()).collect();
    let program = [b"\x80\x02}(U\x01x}(U\x03a.a", tensor, b"q\x00", &half, b"uq\x01", &dicts, b"u."].concat();
    assert!(problem(&one(&program, &[0; 4])).contains("more than 20000 tensors"));
    let others: Vec<u8> = (0..1_001).flat_map(|number| [name(number), b"h\x02".to_vec()].concat()).collect();
    let large = b"K\x01K\x02".repeat(200_000);
    let program =
        [&b"\x80\x02}(U\x01y}q\x02("[..], &large, b"uU\x01x}U\x03a.a", tensor, b"q\x00s", &others, b"u."].concat();
    assert!(problem(&one(&program, &[0; 4])).contains("more than 1000 entries that are no tensors"));
    // One long name many times.
    let long = [b"X".to_vec(), 1_000_000_u32.to_le_bytes().to_vec(), b"a.".repeat(500_000)].concat();
    let keys = b"h\x01h\x00".repeat(200_000);
    let program = [&b"\x80\x02}("[..], &long, b"q\x01", tensor, b"q\x00", &keys, b"u."].concat();
    let said = problem(&one(&program, &[0; 4]));
    assert!(said.contains("a name of 1000000 bytes"), "{said}");
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for whole in [LEGACY, OFFICIAL_LEGACY, ZIP, OFFICIAL] {
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length} of {}", whole.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn wrong_bytes_never_make_it_panic(
        file in prop::sample::select(vec![ZIP, LEGACY, OFFICIAL, OFFICIAL_LEGACY]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = file.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(file) = exhaust(&bytes) {
            let recognised = file.dicts()[0].recognise(Some(Architecture::ResNet8));
            let _ = recognised.and_then(|recognised| recognised.weights());
        }
    }

    /// The checksums of an archive catch most changes, so its pickle is changed before it is packed.
    #[test]
    fn wrong_bytes_in_a_pickle_never_make_it_panic(
        official in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(if official { OFFICIAL } else { ZIP })).expect("sound");
        let mut records = Vec::new();
        for number in 0..archive.len() {
            let mut record = archive.by_index(number).expect("sound");
            let mut bytes = Vec::new();
            std::io::copy(&mut record, &mut bytes).expect("memory");
            records.push((record.name().expect("a name").into_owned(), bytes));
        }
        let pickle = records.iter_mut().find(|(name, _)| name.ends_with("data.pkl")).expect("present");
        for (at, byte) in changes {
            let at = at.index(pickle.1.len());
            pickle.1[at] = byte;
        }
        let records: Vec<_> = records.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        exhaust(&zip(&records));
    }
}
