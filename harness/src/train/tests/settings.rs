//! Settings out of range are named.

use super::*;
use crate::model::NormWeights;
use crate::train::{MomentumBuffer, PhaseConfig, Selection};

fn message(change: impl Fn(&mut Config)) -> String {
    let mut config = config();
    change(&mut config);
    config.check().expect_err("out of range").to_string()
}

fn phase(place: usize, change: impl Fn(&mut PhaseConfig)) -> String {
    message(|config| change(&mut config.phases[place]))
}

#[test]
fn settings_out_of_range_are_named() {
    assert_eq!(phase(0, |phase| phase.epochs = 0), "phase swa: epochs is 0; allowed: at least 1");
    assert_eq!(phase(0, |phase| phase.average_from = Some(4)), "phase swa: average_from is 4; allowed: 1 to epochs, 3");
    assert_eq!(phase(1, |phase| phase.batch_size = 0), "phase sgd-after-swa: batch_size is 0; allowed: at least 1");
    assert_eq!(phase(0, |phase| phase.decay_epochs = Some(0)), "phase swa: decay_epochs is 0; allowed: at least 1");
    assert!(message(|config| config.momentum = 1.0).starts_with("momentum is 1"));
    let rate = phase(1, |phase| phase.learning_rate = f64::NAN);
    assert!(rate.starts_with("phase sgd-after-swa: learning_rate is NaN"), "{rate}");
    let start = phase(1, |phase| phase.start = "sgd".into());
    assert_eq!(start, "phase sgd-after-swa: start is sgd; allowed: random, swa");
    assert!(phase(0, |phase| phase.start = "sgd-after-swa".into()).contains("allowed: random"), "no later phase");
    assert!(phase(1, |phase| phase.name = "swa".into()).contains("not yet taken"));
    for name in ["", "SWA", "../swa", "random", "a b"] {
        assert!(phase(0, |phase| phase.name = name.into()).contains("a phase's name"), "{name}");
    }
    let select = phase(0, |phase| phase.select = Selection::HeldOut);
    assert!(select.contains("phase swa: select is held-out"), "{select}");
    let buffer = phase(0, |phase| phase.momentum_buffer = MomentumBuffer::Restored);
    assert!(buffer.contains("momentum_buffer is restored"), "{buffer}");
    assert_eq!(message(|config| config.phases.clear()), "number of phases is 0; allowed: at least 1");
    assert_eq!(message(|config| config.checkpoints.last = 0), "checkpoints.last is 0; allowed: at least 1");
    assert!(message(|config| config.phases[0].epochs = u32::MAX).contains("less than 2³²"));
    let norms = message(|config| (config.network, config.norm_weights) = (Architecture::Mlp, NormWeights::Uniform));
    assert_eq!(norms, "norm_weights is uniform; allowed: one, as MLP has no batch norm");
}

#[test]
fn what_is_unknown_is_refused_and_what_is_usual_need_not_be_said() {
    let unknown = serde_json::from_str::<PhaseConfig>(r#"{"epoch": 3}"#).expect_err("unknown").to_string();
    assert!(unknown.contains("epoch") && unknown.contains("average_from"), "{unknown}");
    let short = r#"{"name": "sgd", "epochs": 3, "learning_rate": 0.1}"#;
    assert_eq!(serde_json::from_str::<PhaseConfig>(short).expect("complete"), PhaseConfig::new("sgd", 3, 0.1));
    let text = serde_json::to_string(&config()).expect("JSON");
    assert_eq!(serde_json::from_str::<Config>(&text).expect("its own"), config());
    assert!(!text.contains("norm_weights"), "{text}");
    let drawn = Config { norm_weights: NormWeights::Normal, ..config() };
    let text = serde_json::to_string(&drawn).expect("JSON");
    assert!(text.contains(r#""norm_weights":"normal""#), "{text}");
    assert_eq!(serde_json::from_str::<Config>(&text).expect("its own"), drawn);
}
