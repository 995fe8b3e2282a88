use std::collections::HashMap;
use std::fs;

use candle_core::Tensor;
use safetensors::SafeTensors;
use valleys_sim::Seed;

use super::*;
use crate::model::Architecture;

fn network() -> Weights<f32> {
    let graph = Architecture::ResNet8.graph(10).expect("ten classes");
    let mut weights = Weights::initialise(&graph, Seed(1));
    weights.running_mean[5] = -0.25;
    weights.running_var[7] = 3.5;
    weights.batches_tracked = 321;
    weights
}

#[test]
fn a_network_comes_back_bit_for_bit_and_its_file_is_always_the_same() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (path, again) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
    let weights = network();
    save(&path, &weights).expect("writable");
    save(&again, &weights).expect("writable");
    assert_eq!(load(&path, weights.layout()).expect("readable"), weights);
    assert_eq!(fs::read(&path).expect("file"), fs::read(&again).expect("file"));
    assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 2, "no temporary file stays behind");
}

#[test]
fn the_file_holds_pytorchs_names_shapes_and_types() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a.safetensors");
    save(&path, &network()).expect("writable");
    let bytes = fs::read(&path).expect("file");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let kernel = file.tensor("layer2.0.conv1.weight").expect("present");
    assert_eq!((kernel.shape(), kernel.dtype()), (&[32, 16, 3, 3][..], safetensors::Dtype::F32));
    let count = file.tensor("layer1.0.bn1.num_batches_tracked").expect("present");
    assert_eq!((count.shape(), count.dtype(), count.data()[0]), (&[][..], safetensors::Dtype::I64, 65));
    assert_eq!(file.tensor("fc.bias").expect("present").shape(), [10]);
}

#[test]
fn what_does_not_fit_is_refused_by_file_and_tensor() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("a.safetensors");
    let weights = network();
    let message = |change: &dyn Fn(&mut HashMap<String, Tensor>)| {
        let mut file = TensorFile {
            path: path.clone(),
            tensors: weights.named().expect("tensors").into_iter().collect(),
            about: None,
        };
        change(&mut file.tensors);
        file.write().expect("writable");
        load(&path, weights.layout()).expect_err("does not fit").to_string()
    };
    let missing = message(&|tensors| {
        tensors.remove("fc.bias");
    });
    assert!(missing.contains("a.safetensors") && missing.contains("fc.bias is missing"), "{missing}");
    let extra = message(&|tensors| {
        let tensor = tensors["fc.bias"].clone();
        tensors.insert("fc.scale".into(), tensor);
    });
    assert!(extra.contains("fc.scale"), "{extra}");
    let shape = message(&|tensors| {
        let tensor = tensors["fc.weight"].t().expect("matrix").contiguous().expect("matrix");
        tensors.insert("fc.weight".into(), tensor);
    });
    assert!(shape.contains("fc.weight") && shape.contains("[64, 10]"), "{shape}");

    fs::write(&path, b"not tensors").expect("writable");
    let broken = load(&path, weights.layout()).expect_err("broken").to_string();
    assert!(broken.contains("a.safetensors") && broken.contains("a whole safetensors file"), "{broken}");
    let absent = load(&folder.path().join("absent"), weights.layout()).expect_err("absent").to_string();
    assert!(absent.contains("absent"), "{absent}");
}
