//! Which network it is, and there and back.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use valleys_sim::Seed;

use super::*;
use crate::checkpoint::TensorFile;
use crate::model::Architecture;

/// A network no number of which is its initial one.
fn network(architecture: Architecture, classes: usize) -> Weights<f32> {
    let mut weights = Weights::initialise(&architecture.graph(classes).expect("a network"), Seed(5));
    let statistics = weights.running_mean.iter_mut().chain(&mut weights.running_var);
    statistics.enumerate().for_each(|(i, number)| *number += 0.001 * i as f32);
    if !weights.running_mean.is_empty() {
        weights.batches_tracked = 70_401;
    }
    weights
}

/// The file of a network whose tensors were changed.
fn changed(path: &Path, weights: &Weights<f32>, change: impl FnOnce(&mut HashMap<String, Tensor>)) -> StoredFile {
    let mut tensors = weights.named().expect("tensors").into_iter().collect();
    change(&mut tensors);
    TensorFile { path: path.to_owned(), tensors, about: None }.write().expect("writable");
    StoredFile::read(path).expect("readable")
}

#[test]
fn every_network_is_recognised_and_comes_back_bit_for_bit() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let paths = ["a.pt", "a.safetensors", "b.pt"].map(|name| folder.path().join(name));
    for (number, &architecture) in Architecture::ALL.iter().enumerate() {
        let classes = 2 + number;
        let weights = network(architecture, classes);
        save_pt(&paths[0], &weights).expect("writable");
        crate::checkpoint::save(&paths[1], &weights).expect("writable");
        save_pt(&paths[2], &weights).expect("writable");
        let [first, _, again] = paths.each_ref().map(|path| fs::read(path).expect("file"));
        assert!(first == again, "always the same bytes");
        for path in &paths[..2] {
            let file = StoredFile::read(path).expect("readable");
            let dict = file.choose(None).expect("the only one");
            let asked = dict.recognise(Some(architecture)).expect("itself");
            assert_eq!((asked.architecture, asked.alike.len(), asked.graph.classes()), (architecture, 0, classes));
            assert!(asked.weights().expect("numbers") == weights, "{architecture}");
        }
        let file = StoredFile::read(&paths[1]).expect("readable");
        let first = file.dicts()[0].recognise(None).expect("known");
        let all: Vec<_> = std::iter::once(first.architecture).chain(first.alike).map(Architecture::name).collect();
        let plain = architecture.name().trim_end_matches("-sigmoid").trim_end_matches("-softplus");
        let variants = [plain.to_owned(), format!("{plain}-sigmoid"), format!("{plain}-softplus")];
        let normal = plain.starts_with("resnet") && !plain.ends_with("-nobn");
        assert_eq!(all, variants[..if normal { 3 } else { 1 }]);
    }
}

#[test]
fn a_file_that_fits_no_network_is_told_the_nearest_and_the_first_difference() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a.safetensors");
    let weights = network(Architecture::ResNet20, 100);
    type Change<'a> = &'a dyn Fn(&mut HashMap<String, Tensor>);
    let message = |change: Change<'_>, asked| {
        let file = changed(&path, &weights, change);
        file.dicts()[0].recognise(asked).expect_err("does not fit").to_string()
    };
    let shape = |tensors: &mut HashMap<String, Tensor>| {
        let tensor = tensors["layer2.1.conv1.weight"].t().and_then(|tensor| tensor.contiguous());
        let tensor = Tensor::stack(&[tensor.expect("a tensor")], 0).expect("a tensor");
        tensors.insert("layer2.1.conv1.weight".into(), tensor);
    };
    assert!(message(&shape, None).ends_with(
        "a.safetensors: no known network; the nearest, resnet20 for 100 classes, differs in 1 tensor: \
         layer2.1.conv1.weight has shape [1, 32, 32, 3, 3]; allowed: shape [32, 32, 3, 3]"
    ));
    let missing = |tensors: &mut HashMap<String, Tensor>| {
        tensors.remove("bn.bias");
        tensors.remove("layer1.0.bn1.weight");
    };
    assert!(
        message(&missing, None)
            .contains("differs in 2 tensors, first: layer1.0.bn1.weight is missing; allowed: shape [16]")
    );
    let over = |tensors: &mut HashMap<String, Tensor>| {
        let tensor = tensors["fc.bias"].clone();
        tensors.insert("fc.scale".into(), tensor);
    };
    assert!(message(&over, None).contains("differs in 1 tensor: fc.scale is over; allowed: the network's own tensors"));
    let said = message(&|_| {}, Some(Architecture::ResNet32));
    assert!(
        said.contains("the network asked for, resnet32 for 100 classes, differs in 72 tensors, first: layer1.3."),
        "{said}"
    );
    let said = message(&|_| {}, Some(Architecture::Mlp));
    assert!(said.contains("the network asked for, mlp for 10 classes"), "{said}");
}

#[test]
fn files_of_before_pytorch_0_4_1_count_no_batches() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a.safetensors");
    let weights = network(Architecture::ResNet8, 10);
    let file = changed(&path, &weights, |tensors| tensors.retain(|name, _| !name.ends_with("num_batches_tracked")));
    let recognised = file.dicts()[0].recognise(None).expect("known");
    assert!(!recognised.tracked);
    let mut uncounted = weights.clone();
    uncounted.batches_tracked = 0;
    assert!(recognised.weights().expect("numbers") == uncounted);
    // One that is missing among others is an error.
    let file = changed(&path, &weights, |tensors| drop(tensors.remove("bn.num_batches_tracked")));
    let said = file.dicts()[0].recognise(None).expect_err("incomplete").to_string();
    assert!(said.contains("differs in 1 tensor: bn.num_batches_tracked is missing"), "{said}");
    let network = network(Architecture::Mlp, 10);
    assert!(changed(&path, &network, |_| {}).dicts()[0].recognise(None).expect("known").tracked, "nothing to count");
}

#[test]
fn numbers_of_other_types_become_the_nearest_single_ones() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a.safetensors");
    let weights = network(Architecture::ResNet8, 10);
    for (dtype, least) in [(DType::F64, 0.0), (DType::F16, 1e-4), (DType::BF16, 1e-3)] {
        let file = changed(&path, &weights, |tensors| {
            for tensor in tensors.values_mut().filter(|tensor| tensor.dtype() == DType::F32) {
                *tensor = tensor.to_dtype(dtype).expect("a tensor");
            }
        });
        let seen = file.dicts()[0].recognise(None).and_then(|recognised| recognised.weights()).expect("a network");
        let apart = seen.values.iter().zip(&weights.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart >= least && apart <= 4.0 * least, "{dtype:?} {apart}");
    }
    let file = changed(&path, &weights, |tensors| {
        let odd = Tensor::new(-1_i64, &Device::Cpu).expect("a tensor");
        tensors.insert("bn.num_batches_tracked".into(), odd);
    });
    let said =
        file.dicts()[0].recognise(None).and_then(|recognised| recognised.weights()).expect_err("odd").to_string();
    assert!(said.contains("a.safetensors: bn.num_batches_tracked is -1; allowed: a number of batches"), "{said}");
}

#[test]
fn what_is_written_has_pytorchs_order_and_alignment() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a.pt");
    let weights = network(Architecture::ResNet8, 10);
    save_pt(&path, &weights).expect("writable");
    let file = StoredFile::read(&path).expect("readable");
    let names: Vec<_> = file.dicts()[0].tensors().iter().map(StoredTensor::name).collect();
    let begin = ["conv1.weight", "layer1.0.bn1.weight", "layer1.0.bn1.bias", "layer1.0.bn1.running_mean"];
    assert_eq!(names[..4], begin);
    assert_eq!(names[4..7], ["layer1.0.bn1.running_var", "layer1.0.bn1.num_batches_tracked", "layer1.0.conv1.weight"]);
    let bytes = fs::read(&path).expect("file");
    let mut zip = ::zip::ZipArchive::new(std::io::Cursor::new(&bytes)).expect("an archive");
    let records: Vec<_> = zip.file_names().map(|name| name.expect("a name").into_owned()).collect();
    assert_eq!(records[..3], ["archive/data.pkl", "archive/byteorder", "archive/data/0"]);
    assert_eq!(records[records.len() - 2..], ["archive/version", "archive/.data/serialization_id"]);
    for number in 0..zip.len() {
        let record = zip.by_index(number).expect("sound");
        assert_eq!(record.data_start().expect("known") % 64, 0, "{number}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1, "no temporary file stays behind");
    let below = save_pt(&path.join("b.pt"), &weights).expect_err("below a file").to_string();
    assert!(below.contains("b.pt: cannot be written"), "{below}");
}

#[test]
fn the_checksum_is_that_of_the_parameters_alone() {
    let weights = network(Architecture::Mlp, 3);
    let mut other = weights.clone();
    assert_eq!(checksum(&weights).len(), 64);
    assert_eq!(checksum(&weights), checksum(&other));
    other.values[7] = -other.values[7];
    assert_ne!(checksum(&weights), checksum(&other));
    let mut one = Weights::zeros(&Arc::default());
    one.values = vec![1.0, -2.0];
    // hashlib.sha256(struct.pack('<2f', 1.0, -2.0)).hexdigest()
    assert_eq!(checksum(&one), "ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whole numbers of every width that the pickle needs, in shapes of zero to four dimensions.
    #[test]
    fn any_tensor_that_is_written_is_read(shape in prop::collection::vec(1_usize..300, 0..3)) {
        let count: usize = shape.iter().product();
        let item = write::Item {
            name: "fc.weight".into(),
            shape: shape.clone(),
            class: "FloatStorage",
            bytes: (0..count).flat_map(|i| (i as f32).to_le_bytes()).collect(),
        };
        let file = read(&write::archive(&[item]).expect("small")).expect("readable");
        let wanted = (shape, (0..count).map(|i| i as f64).collect::<Vec<_>>());
        prop_assert_eq!(numbers(&file.dicts()[0], "fc.weight"), wanted);
    }
}
