//! What a phase ends with, and what is recorded on the way.

use super::*;
use crate::checkpoint;
use crate::train::{MomentumBuffer, Selection};

#[test]
fn the_average_takes_in_the_epochs_from_its_start_on() {
    let data = data();
    let epochs = |epochs: u32| {
        // The schedule looks at decay_epochs alone, so shorter runs are beginnings of longer ones.
        let mut config = config();
        config.phases.truncate(1);
        config.phases[0].epochs = epochs;
        trained(&config.check().expect("valid"), &data).remove(0)
    };
    let (two, three) = (epochs(2), epochs(3));
    assert_eq!((two.chosen.as_str(), three.chosen.as_str()), ("average of 1 epoch", "average of 2 epochs"));
    assert!(two.solution.values == two.last.values, "an average of one");
    for ((&mean, &a), &b) in three.solution.values.iter().zip(&two.last.values).zip(&three.last.values) {
        assert_eq!(mean, ((f64::from(a) + f64::from(b)) / 2.0) as f32);
    }
    assert_ne!(three.solution.running_mean, three.last.running_mean, "the average has statistics of its own");
}

#[test]
fn epochs_are_recorded_with_the_metrics_that_are_due() {
    let phases = trained(&recipe(), &data());
    let all: Vec<_> = phases.iter().flat_map(|phase| &phase.epochs).collect();
    assert_eq!(all.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(
        all.iter().map(|epoch| epoch.phase.as_str()).collect::<Vec<_>>(),
        ["swa", "swa", "swa", "sgd-after-swa", "sgd-after-swa"]
    );
    assert_eq!(all.iter().map(|epoch| epoch.test_loss.is_some()).collect::<Vec<_>>(), [false, true, true, false, true]);
    assert_eq!(
        all.iter().map(|epoch| epoch.swa_test_loss.is_some()).collect::<Vec<_>>(),
        [false, true, true, false, false]
    );
    assert_eq!((all[0].learning_rate, all[4].learning_rate), (0.1, 0.001));
    assert!(all.iter().all(|epoch| epoch.running_loss > 0.0 && (0.0..=1.0).contains(&epoch.running_accuracy)));
    assert!(all.iter().all(|epoch| epoch.held_out_loss.is_none()));
}

#[test]
fn held_out_images_choose_the_epoch_and_are_not_trained_on() {
    let data = data().hold_out(10, Seed(3)).expect("enough images");
    assert_eq!(data.train().len(), IMAGES - 10);
    let mut config = config();
    config.phases[1].select = Selection::HeldOut;
    let phases = trained(&config.check().expect("valid"), &data);
    let after = &phases[1];
    let losses: Vec<f64> = after.epochs.iter().map(|epoch| epoch.held_out_loss.expect("every epoch")).collect();
    let best = if losses[0] <= losses[1] { 3 } else { 4 };
    assert!(after.chosen.starts_with(&format!("epoch {best}, that of the lowest held-out loss")), "{}", after.chosen);
    assert_eq!(after.solution == after.last, best == 4);
    let mut trainer_config = super::config();
    trainer_config.phases[1].select = Selection::HeldOut;
    let recipe = trainer_config.check().expect("valid");
    let without = super::data();
    let message = Trainer::new(&recipe, &without, None, &Silent).err().expect("nothing held out").to_string();
    assert!(message.contains("held-out images is 0"), "{message}");
}

#[test]
fn the_official_rule_is_labelled_and_restored_momentum_moves_the_first_step() {
    let data = data();
    let after = |change: &dyn Fn(&mut crate::train::PhaseConfig)| {
        let mut config = config();
        change(config.phase_mut("sgd-after-swa").expect("a phase"));
        trained(&config.check().expect("valid"), &data).remove(1)
    };
    let official = after(&|phase| phase.select = Selection::Official);
    assert!(official.chosen.contains("test data"), "{}", official.chosen);
    assert!(official.epochs.iter().all(|epoch| epoch.test_loss.is_some()), "the rule looks at every epoch's");
    let (fresh, restored) = (after(&|_| ()), after(&|phase| phase.momentum_buffer = MomentumBuffer::Restored));
    assert!(fresh.last.values != restored.last.values);
}

#[test]
fn large_batches_come_first_and_small_ones_go_on() {
    let mut config = Config::paper(Architecture::Mlp, Method::LargeBatch, Seed(1)).shortened(1, 1, 1, 0.001);
    assert_eq!(config.phases.iter().map(|phase| phase.batch_size).collect::<Vec<_>>(), [2048, 128]);
    config.phases[0].batch_size = 50;
    let phases = trained(&config.check().expect("valid"), &data());
    assert_eq!(
        (phases[0].epochs[0].phase.as_str(), phases[1].epochs[0].phase.as_str()),
        ("large-batch", "small-batch")
    );
}

#[test]
fn a_solution_says_what_it_is_and_is_refused_elsewhere() {
    let (data, recipe) = (data(), recipe());
    let folder = tempfile::tempdir().expect("temporary folder");
    let phases = run(&recipe, &data, Some(folder.path()), &Silent).expect("trains");
    let path = folder.path().join("checkpoints/swa.safetensors");
    let (kept, about) = checkpoint::load_solution(&path, phases[0].solution.layout()).expect("readable");
    assert!(kept == phases[0].solution);
    assert_eq!((about.phase.as_str(), about.solution.as_str()), ("swa", "average of 2 epochs"));
    about.require(Architecture::ResNet8, &data, &path).expect("its own");
    let message = about.require(Architecture::ResNet20, &data, &path).expect_err("another network").to_string();
    assert!(message.contains("its network is resnet8; allowed: resnet20"), "{message}");
    let other = synthetic::draw(IMAGES, 20, Seed(4)).expect("valid");
    let message = about.require(Architecture::ResNet8, &other, &path).expect_err("other images").to_string();
    assert!(message.contains("data checksum"), "{message}");
}

#[test]
fn a_loss_that_is_not_finite_names_epoch_and_batch_and_leaves_the_last_state() {
    let data = data();
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut config = config();
    config.phases.truncate(1);
    // Held for half of the decay, the rate jumps to where nothing holds.
    let phase = &mut config.phases[0];
    (phase.decay_epochs, phase.last_learning_rate) = (Some(2), Some(1e30));
    let recipe = config.check().expect("valid");
    let message = run(&recipe, &data, Some(folder.path()), &Silent).expect_err("diverges").to_string();
    assert!(message.contains("epoch 2, batch") && message.contains("a finite number"), "{message}");
    assert!(folder.path().join("checkpoints/swa/epoch-00002.safetensors").exists());
    let again = run(&recipe, &data, Some(folder.path()), &Silent).expect_err("diverges again").to_string();
    assert_eq!(again, message);
}
