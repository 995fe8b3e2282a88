//! Both of PyTorch's formats, and everything that a state dict comes in.

use std::collections::HashMap;

use candle_core::{Device, Tensor};

use super::*;
use crate::checkpoint::TensorFile;
use crate::model::Architecture;

#[test]
fn tensors_of_every_type_and_stride_are_read_from_both_formats() {
    for (bytes, form) in [(ZIP, Form::Zip), (LEGACY, Form::Legacy)] {
        let file = read(bytes).expect("readable");
        assert_eq!((file.form(), file.dicts().len(), file.others()), (form, 1, &[][..]));
        let dict = file.choose(None).expect("the only one");
        let (names, types): (Vec<_>, Vec<_>) =
            dict.tensors().iter().map(|tensor| (tensor.name(), tensor.element().name())).unzip();
        assert_eq!(names[..3], ["a.plain", "a.transposed", "a.strided"]);
        assert_eq!(types[..7], ["float32"; 7]);
        let others = ["float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"];
        assert_eq!(types[7..], others);
        for (name, shape, seen) in [
            ("a.plain", &[2, 3][..], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0][..]),
            ("a.transposed", &[3, 2], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
            ("a.strided", &[5], &[1.0, 3.0, 5.0, 7.0, 9.0]),
            ("a.expanded", &[3, 2], &[1.0, 2.0, 1.0, 2.0, 1.0, 2.0]),
            ("a.part", &[3], &[3.0, 4.0, 5.0]),
            ("a.parameter", &[1, 1], &[7.0]),
            ("a.empty", &[0, 3], &[]),
            ("b.double", &[3], &[1.5, -2.0, 0.25]),
            ("b.half", &[3], &[1.5, -2.0, 0.25]),
            ("b.bfloat16", &[3], &[1.5, -2.0, 0.25]),
            ("b.long", &[], &[1_099_511_627_777.0]),
            ("b.int", &[2], &[-5.0, 6.0]),
            ("b.short", &[2], &[-7.0, 8.0]),
            ("b.char", &[2], &[-9.0, 10.0]),
            ("b.byte", &[2], &[11.0, 255.0]),
            ("b.bool", &[2], &[1.0, 0.0]),
        ] {
            assert_eq!(numbers(dict, name), (shape.to_vec(), seen.to_vec()), "{name}");
        }
    }
}

#[test]
fn the_dictionary_of_the_papers_code_holds_two_state_dicts_and_more() {
    for bytes in [OFFICIAL, OFFICIAL_LEGACY] {
        let file = read(bytes).expect("readable");
        let others: Vec<_> = file.others().iter().map(|entry| (entry.name.as_str(), entry.value.as_str())).collect();
        let optimiser = "an optimiser: lr 0.05, momentum 0.9, weight_decay 0.0003, state of 2 parameters";
        assert_eq!(others[..3], [("epoch", "225"), ("swa_n", "100"), ("optimizer", optimiser)]);
        assert_eq!(others[3..], [("arch", "tiny"), ("best", "a tensor, float32 []")]);
        for (which, first) in [("state_dict", 0.95), ("swa_state_dict", 1.95)] {
            let dict = file.choose(Some(which)).expect("present");
            assert!(dict.wrapped(), "DataParallel's prefix is noticed");
            let (shape, numbers) = numbers(dict, "fc.weight");
            assert!(shape == [2, 2] && (numbers[0] - first).abs() < 1e-3, "{numbers:?}");
        }
        let message = |which| file.choose(which).expect_err("ambiguous").to_string();
        assert!(
            message(None).contains("holds 2 state dicts, which one is not said; allowed: state_dict or swa_state_dict")
        );
        assert!(message(Some("sgd")).contains("no state dict sgd; allowed: state_dict or swa_state_dict"));
    }
    let bare = read(ZIP).expect("readable");
    assert!(bare.choose(Some("swa_state_dict")).expect_err("bare").to_string().contains("the file is one state dict"));
}

/// Python 2, in which the checkpoints of 2018 were often written, hands an ordered dictionary its entries in a list of
/// lists, calls its texts strings, and has long integers.
#[test]
fn ordered_dictionaries_of_python_2_are_read() {
    let tensor = pickled("FloatStorage", 2, 0, &[2], &[1]);
    let tensor = &tensor[b"\x80\x02}U\x09fc.weight".len()..tensor.len() - 2];
    let program = [
        b"\x80\x02ccollections\nOrderedDict\nq\x01(]q\x02(]q\x03(U\x09fc.weightq\x04",
        tensor,
        b"q\x05eetRq\x06}U\x09_metadatah\x01]\x85Rsb.",
    ]
    .concat();
    let file = read(&zip(&[("x/data.pkl", &program), ("x/data/0", &[0, 0, 128, 63, 0, 0, 0, 64])])).expect("readable");
    assert_eq!(numbers(&file.dicts()[0], "fc.weight"), (vec![2], vec![1.0, 2.0]));
}

#[test]
fn entries_that_belong_to_no_layer_are_set_apart() {
    let tensor = pickled("LongStorage", 1, 0, &[], &[]);
    let tensor = &tensor[b"\x80\x02}U\x09fc.weight".len()..tensor.len() - 2];
    let entry = |name: &str| [b"U", &[name.len() as u8][..], name.as_bytes(), tensor].concat();
    let program = [
        b"\x80\x02}(".to_vec(),
        entry("n_averaged"),
        entry("module.module.fc.bias"),
        b"U\x10module.fc._extraNu.".to_vec(),
    ]
    .concat();
    let file = read(&zip(&[("x/data.pkl", &program), ("x/data/0", &[5; 8])])).expect("readable");
    let dict = file.choose(None).expect("the only one");
    assert_eq!(dict.tensors().iter().map(StoredTensor::name).collect::<Vec<_>>(), ["fc.bias"]);
    let aside: Vec<_> = dict.aside().iter().map(|entry| (entry.name.as_str(), entry.value.as_str())).collect();
    assert_eq!(aside, [("module.fc._extra", "None"), ("n_averaged", "int64 []")]);
}

#[test]
fn solutions_and_states_of_training_say_what_they_are() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a.safetensors");
    let graph = Architecture::ResNet8Sigmoid.graph(10).expect("a network");
    let weights = Weights::initialise(&graph, valleys_sim::Seed(1));
    let write = |about: &str, chosen: bool| {
        let mut tensors: HashMap<_, _> = weights.named().expect("tensors").into_iter().collect();
        if chosen {
            let again = weights.named().expect("tensors").into_iter();
            tensors.extend(again.map(|(name, tensor)| (format!("chosen.{name}"), tensor)));
            tensors.insert("velocity".to_owned(), Tensor::new(&[3_f32; 5], &Device::Cpu).expect("a tensor"));
        }
        TensorFile { path: path.clone(), tensors, about: Some(about.to_owned()) }.write().expect("writable");
    };
    let words = |entries: &[Entry]| entries.iter().map(|entry| format!("{} {}", entry.name, entry.value)).collect();
    write(r#"{"network":"resnet8-sigmoid","phase":"swa"}"#, false);
    let file = StoredFile::read(&path).expect("readable");
    let others: Vec<_> = words(file.others());
    assert_eq!(others, ["network resnet8-sigmoid", "phase swa"]);
    let recognised = file.choose(None).and_then(|dict| dict.recognise(None)).expect("known");
    assert_eq!((recognised.architecture, recognised.alike.len()), (Architecture::ResNet8Sigmoid, 0));
    assert!(recognised.weights().expect("numbers") == weights);
    let plain = file.dicts()[0].recognise(Some(Architecture::ResNet8)).expect("the same tensors");
    assert_eq!(plain.architecture, Architecture::ResNet8);

    write(r#"{"settings":{"network":"resnet8-sigmoid"},"averaged":3,"epochs":[1,2]}"#, true);
    let file = StoredFile::read(&path).expect("readable");
    let others: Vec<_> = words(file.others());
    assert_eq!(others, ["averaged 3", "epochs list of 2", "settings dictionary of 1"]);
    for (which, aside) in [("last", vec!["velocity float32 [5]".to_owned()]), ("chosen", vec![])] {
        let dict = file.choose(Some(which)).expect("present");
        assert_eq!(words(dict.aside()), aside);
        let recognised = dict.recognise(None).expect("known");
        assert_eq!(recognised.architecture, Architecture::ResNet8Sigmoid);
        assert!(recognised.weights().expect("numbers") == weights);
    }
    assert!(file.choose(None).expect_err("two").to_string().contains("allowed: last or chosen"));

    write(r#"{"network":"mlp"}"#, false);
    let said = StoredFile::read(&path).expect("readable").dicts()[0].recognise(None).expect_err("no MLP").to_string();
    assert!(said.contains("the network that the file says it is, mlp for 10 classes, differs in"), "{said}");
    let mut damaged = std::fs::read(&path).expect("a file");
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    std::fs::write(&path, damaged).expect("writable");
    let said = StoredFile::read(&path).expect_err("damaged").to_string();
    assert!(said.contains("checksum"), "{said}");
}

#[test]
fn safetensors_files_from_elsewhere_are_read() {
    let tensor = |numbers: &[f32]| Tensor::new(numbers, &Device::Cpu).expect("a tensor");
    let tensors = HashMap::from([("module.fc.bias", tensor(&[1.0, 2.0])), ("n_averaged", tensor(&[3.0]))]);
    let texts = HashMap::from([("format".to_owned(), "it's \"pt\"\n\u{1b}[2J\u{202e}".to_owned())]);
    let file = read(&safetensors::serialize(&tensors, Some(texts)).expect("tensors")).expect("readable");
    let dict = file.choose(None).expect("the only one");
    assert_eq!((file.form(), dict.wrapped(), dict.aside().len()), (Form::Safetensors, true, 1));
    assert_eq!(file.others(), [Entry { name: "format".into(), value: r#"it's "pt"\n\u{1b}[2J\u{202e}"#.into() }]);
    assert_eq!(numbers(dict, "fc.bias"), (vec![2], vec![1.0, 2.0]));
}
