//! Pickles as Python writes them, and as an attacker does.

use proptest::prelude::*;

use super::*;

/// The names of the tests: `good.name` alone.
fn reader() -> Reader<()> {
    Reader { name: |module, name| (module == b"good" && name == b"name").then_some(()), allowed: "what tests hold" }
}

fn problem(bytes: &[u8]) -> String {
    let error = read(bytes, &reader()).map(|pickle| format!("{:?}", pickle.root())).expect_err("refused");
    Malformed::in_file(std::path::Path::new("file"))(error).to_string()
}

fn refused(program: &[u8]) -> String {
    problem(&[b"\x80\x02", program].concat())
}

#[test]
fn plain_values_of_every_protocol_are_read() {
    // pickle.dumps({'a': [1, -2, 70000, 2**40, -2**63, 2**70], 'b': (0.5, True, None, ()), 'a2': 'a'}, protocol)
    let two = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffJp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@eX\x01\x00\x00\x00bq\x03(G?\xe0\x00\x00\x00\x00\x00\x00\x88N)tq\x04X\x02\x00\x00\x00a2q\x05h\x01u.more";
    let four = b"\x80\x04\x95\x50\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffJp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@e\x8c\x01b\x94(G?\xe0\x00\x00\x00\x00\x00\x00\x88N)t\x94\x8c\x02a2\x94h\x01u.more";
    for bytes in [&two[..], four] {
        let pickle = read(bytes, &reader()).expect("a pickle");
        assert_eq!(pickle.length, bytes.len() - 4);
        let Object::Dict(entries) = pickle.root() else { panic!("{:?}", pickle.root()) };
        let keys: Vec<_> = entries.iter().map(|&(key, _)| pickle.text(key).expect("text")).collect();
        assert_eq!(keys, [&b"a"[..], b"b", b"a2"]);
        let Object::List(list) = pickle.get(entries[0].1) else { panic!("a list") };
        let numbers: Vec<_> = list.iter().map(|&number| pickle.get(number).clone()).collect();
        let [begin @ .., Object::Long(long)] = numbers.as_slice() else { panic!("{numbers:?}") };
        assert_eq!(begin, [1, -2, 70_000, 1 << 40, i64::MIN].map(Object::Int));
        assert_eq!(*long, [0, 0, 0, 0, 0, 0, 0, 0, 0x40]);
        let Object::Tuple(parts) = pickle.get(entries[1].1) else { panic!("a tuple") };
        let parts: Vec<_> = parts.iter().map(|&part| pickle.get(part).clone()).collect();
        assert_eq!(parts, [Object::Float(0.5), Object::Bool(true), Object::None, Object::Tuple(vec![])]);
        assert_eq!(entries[0].0, entries[2].1, "one text, kept and recalled");
    }
}

#[test]
fn numbers_are_read_in_every_width() {
    for (program, number) in [
        (&b"K\xff"[..], 255),
        (b"M\x00\x80", 0x8000),
        (b"J\xfe\xff\xff\xff", -2),
        (b"\x8a\x00", 0),
        (b"\x8a\x01\xff", -1),
        (b"\x8a\x02\x00\x80", -0x8000),
        (b"\x8a\x03\x00\x80\x00", 0x8000),
        (b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", i64::MAX),
    ] {
        let program = [b"\x80\x02", program, b"."].concat();
        assert_eq!(read(&program, &reader()).expect("a pickle").root(), &Object::Int(number));
    }
}

#[test]
fn calls_are_noted_and_not_made() {
    for program in [
        &b"\x80\x02cgood\nname\n(K\x07t\x52(U\x01kK\x08u}b."[..],
        b"\x80\x04\x8c\x04good\x8c\x04name\x93K\x07\x85R(\x8c\x01kK\x08u}b.",
    ] {
        let pickle = read(program, &reader()).expect("a pickle");
        let Object::Call(call) = pickle.root() else { panic!("{:?}", pickle.root()) };
        assert_eq!(
            pickle.arguments(call).iter().map(|&number| pickle.get(number)).collect::<Vec<_>>(),
            [&Object::Int(7)]
        );
        assert_eq!(pickle.text(call.entries[0].0), Some(&b"k"[..]));
        assert_eq!(call.state.map(|state| pickle.get(state)), Some(&Object::Dict(vec![])));
    }
    let pickle = read(b"\x80\x02K\x05Q.", &reader()).expect("a pickle");
    assert!(matches!(pickle.root(), Object::Persistent(number) if *pickle.get(*number) == Object::Int(5)));
}

#[test]
fn unknown_names_and_opcodes_are_refused_by_name() {
    for (program, words) in [
        (
            &b"cos\nsystem\nU\x02lsq\x00\x85R."[..],
            "asks for os.system, which is not executed; allowed: what tests hold",
        ),
        (b"U\x05posixU\x06system\x93.", "posix.system"),
        (b"cgood\neval\n.", "good.eval"),
        (b"cbad\x1b[2J\nname\n.", "bad\\x1b[2J.name"),
        (b"(ios\nsystem\n.", "opcode 0x69 at byte 3"),
        (b"(U\x02lsos\nsystem\no.", "opcode 0x6f"),
        (b"\x82\x01.", "opcode 0x82"),
        (b"cgood\nname\n)\x81.", "opcode 0x81"),
        (b"Pos.system\n.", "opcode 0x50"),
        (b"NNR.", "calls what is no name"),
        (b"cgood\nname\n]R.", "with what is no tuple"),
        (b"cgood\nname\n)R)R.", "calls what is no name"),
        (b"NN\x93.", "by what is no name"),
        (b"}}b.", "gives a state to what takes none"),
        (b"cgood\nname\n)R}b}b.", "gives a state to what takes none"),
        (b"NNa.", "appends to what is no list"),
        (b"]NNs.", "sets an entry of what is no dictionary"),
        (b"}(Nu.", "without a value"),
        (b"h\x00.", "recalls entry 0"),
        (b"NN.", "left over"),
        (b"N(.", "takes an object that is not there"),
        (b"(N.", "left over"),
        (b"t.", "takes a mark"),
        (b".", "takes an object"),
    ] {
        let said = refused(program);
        assert!(said.contains(words), "{said}");
    }
    for begin in [&b"\x80\x01N."[..], b"\x80\x06N.", b"(dp1\n."] {
        assert!(problem(begin).contains("protocol 2 to 5"));
    }
}

#[test]
fn lengths_marks_and_numbers_of_objects_are_bounded() {
    assert!(refused(b"X\xff\xff\xff\xff").contains("too early"));
    assert!(refused(b"\x8a\xff\x01").contains("too early"));
    assert!(refused(&b"(".repeat(1_001)).contains("more than 1000 marks"));
    assert!(refused(&b"N".repeat(500_001)).contains("more than 500000 objects"));
    assert!(refused(&[b"N", &b"\x94".repeat(100)[..]].concat()).contains("keeps more objects"));
    assert!(refused(&[&b"c"[..], &b"a".repeat(200), b"\n"].concat()).contains("no line ends"));
}

/// Programs that make Python's machine, or a reader that copies or descends, run out of memory or stack.
#[test]
fn depth_loops_and_repetition_cost_nothing() {
    let fine = |program: &[u8]| read(&[b"\x80\x02", program, b"."].concat(), &reader()).map(drop).expect("a pickle");
    fine(&[b"N", &b"\x85".repeat(400_000)[..]].concat());
    fine(&[b"]".repeat(400_000), b"a".repeat(399_999)].concat());
    fine(b"]q\x00h\x00a");
    // Every step holds the last one twice: 2 to the power of 100,000 in all.
    fine(&[&b"N"[..], &b"q\x00h\x00\x86".repeat(100_000)].concat());
    // 100,000 calls with one tuple of 100,000.
    let tuple = [&b"(cgood\nname\nq\x01("[..], &b"N".repeat(100_000), b"tq\x02"].concat();
    fine(&[&tuple[..], &b"h\x01h\x02R".repeat(100_000), b"t"].concat());
}

#[test]
fn a_pickle_cut_anywhere_is_refused() {
    let whole = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01cgood\nname\nq\x02K\x07\x85q\x03RJ\x00\x00\x00\x00G\x00\x00\x00\x00\x00\x00\x00\x00u.";
    assert!(read(&whole[..whole.len() - 1], &reader()).is_err());
    for length in 0..whole.len() {
        assert!(read(&whole[..length], &reader()).is_err(), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_and_no_program_of_known_opcodes_make_it_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        program in prop::collection::vec(prop::sample::select(b"(qhaesub}])\x85\x86\x87tN\x88KMJUTXcRQ\x8aG\x93\x94\x95.\x00\x01".to_vec()), 0..300),
    ) {
        let _ = read(&[b"\x80\x02".as_slice(), &noise].concat(), &reader());
        let _ = read(&[b"\x80\x04".as_slice(), &program].concat(), &reader());
    }
}
