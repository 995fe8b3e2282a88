use super::double::load;
use super::*;
use crate::exec::cuda::device::Device;
use crate::exec::cuda::launch::cross_entropy;
use crate::exec::cuda::loss::{Loss, Room};
use crate::exec::cuda::memory::Buffer;
use crate::exec::loss;

fn check(logits: &[f32], labels: &[u16]) {
    let (z, l) = (single(logits), Host::new(labels, 60_000));
    let (losses, correct) = (double(&vec![0.0; labels.len()]), Host::new(&vec![7u8; labels.len()], 9));
    let slopes = single(&vec![0.0; logits.len()]);
    let right = loss::cross_entropy(logits, labels);
    let same = |seen: &[f64]| {
        let both = seen.iter().zip(&right.losses);
        both.into_iter().all(|(seen, right)| {
            seen.is_nan() && right.is_nan() || seen == right || (seen - right).abs() <= 1e-12 * right.abs()
        })
    };
    for gradient in [None, Some(slopes.out())] {
        let launch = cross_entropy(z.view(), l.view(), losses.out(), correct.out(), gradient);
        run(&launch.expect("lengths fit"));
        assert!(same(&losses.read()), "{:?}, not {:?}", losses.read(), right.losses);
        let seen: Vec<bool> = correct.read().into_iter().map(|correct| correct == 1).collect();
        assert_eq!(seen, right.correct);
    }
    if right.is_finite() {
        assert_close(&slopes.read(), &loss::cross_entropy_gradient(logits, labels), 1e-7);
    }
}

#[test]
fn losses_and_their_gradient_are_the_reference_s() {
    for (images, classes) in [(1, 2), (7, 10), (300, 100)] {
        let logits: Vec<f32> = numbers("logits", images * classes).iter().map(|z| 8.0 * z).collect();
        let labels: Vec<u16> = (0..images).map(|image| (image * 7 % classes) as u16).collect();
        check(&logits, &labels);
    }
}

#[test]
fn equal_huge_and_missing_logits_are_judged_as_the_reference_judges_them() {
    check(&[0.0, 0.0, 0.0], &[0]);
    check(&[0.0, 0.0, 0.0], &[1]);
    check(&[1e4, -1e4], &[1]);
    check(&[f32::NAN, 0.0, 1.0], &[2]);
    check(&[f32::NAN, f32::NAN], &[0]);
    check(&[f32::NEG_INFINITY, 0.0], &[0]);
    check(&[f32::INFINITY, 0.0], &[0]);
}

#[test]
fn a_label_that_is_no_class_has_no_loss() {
    let (logits, labels) = (single(&[0.0, 1.0]), Host::new(&[2u16], 0));
    let (losses, correct) = (double(&[0.0]), Host::new(&[7u8], 9));
    run(&cross_entropy(logits.view(), labels.view(), losses.out(), correct.out(), None).expect("lengths fit"));
    assert!(losses.read()[0].is_nan() && correct.read() == [0]);
    let odd = single(&[0.0; 3]);
    let pair = Host::new(&[0u16; 2], 0);
    assert!(cross_entropy(odd.view(), pair.view(), losses.out(), correct.out(), None).is_err());
}

#[test]
fn losses_wait_for_one_another_and_are_told_batch_by_batch() {
    load();
    let device = Device::open(0, 0).expect("the host");
    for (images, batches) in [(1, 100), (5, 100), (100, 2), (100, 100)] {
        let room = Room { images, batches };
        let mut losses = Loss::new(&device, room).expect("memory");
        let (mut seen, mut right) = (Vec::new(), Vec::new());
        for (number, count) in [2, 3, 4, 1, 7, 2].into_iter().enumerate() {
            let logits = numbers(&format!("logits {number}"), 3 * count);
            let labels: Vec<u16> = (0..count).map(|image| ((image + number) % 3) as u16).collect();
            losses.prepare(&device, &labels).expect("memory");
            let there = Buffer::new(&device, &logits).expect("memory");
            device.run(&losses.launch(there.view(), None).expect("lengths fit")).expect("the host");
            seen.extend(losses.keep(&device).expect("memory"));
            right.push(loss::cross_entropy(&logits, &labels));
        }
        assert_eq!(seen.is_empty(), [images, batches] == [100; 2], "some were read on the way");
        seen.extend(losses.read().expect("losses"));
        assert_eq!(seen.len(), right.len());
        for (seen, right) in seen.iter().zip(&right) {
            assert_eq!(seen.correct, right.correct);
            assert_eq!(seen.losses.len(), right.losses.len());
            assert!(seen.losses.iter().zip(&right.losses).all(|(a, b)| (a - b).abs() < 1e-12));
        }
        assert!(losses.read().expect("losses").is_empty(), "nothing comes twice");
        losses.prepare(&device, &[0]).and_then(|()| losses.keep(&device)).expect("memory");
        losses.forget();
        assert!(losses.read().expect("losses").is_empty(), "what is forgotten does not come");
    }
}
