use super::kept::{Kept, ONE, keep, rounded, values};
use super::*;
use crate::data::{self, Augmentation, Normalisation};
use crate::exec::cuda::launch::{ResidentImages, Variation, augment};
use crate::exec::cuda::number::Bf16;
use crate::model::graph::Shape;

const CHANNELS: usize = 3;
const SIDE: usize = 32;
const IMAGE: usize = CHANNELS * SIDE * SIDE;

/// Bytes and tables of some images.
fn resident(images: usize) -> (Vec<u8>, Vec<f32>) {
    let mut rng = Seed(5).stream("bytes", 0);
    let bytes = (0..images * IMAGE).map(|_| rng.random()).collect();
    (bytes, Normalisation::CIFAR.tables().concat())
}

#[test]
fn a_batch_is_the_cpu_s_to_the_bit() {
    let (bytes, tables) = resident(20);
    let mut rng = Seed(5).stream("augment", 0);
    let views: Vec<data::View> = (0..64)
        .map(|index| match index % 3 {
            0 => data::View::whole(index % 20),
            1 => Augmentation::CROP_AND_FLIP.draw(index % 20, &mut rng),
            _ => Augmentation { padding: 40, flip: true }.draw(index % 20, &mut rng),
        })
        .collect();
    let mut right = vec![0.0; views.len() * IMAGE];
    for (view, out) in views.iter().zip(right.chunks_exact_mut(IMAGE)) {
        view.write(&bytes[view.image * IMAGE..][..IMAGE], &Normalisation::CIFAR.tables(), out);
    }
    let variations = views.iter().flat_map(|&data::View { image, down, right, flip }| {
        Variation { image: image as u32, down: down.into(), right: right.into(), flip }.numbers()
    });
    let variations: Vec<i32> = variations.collect();
    let (bytes, tables) = (Host::new(&bytes, 99), single(&tables));
    let variations = Host::new(&variations, 1 << 30);
    let images = ResidentImages { images: bytes.view(), tables: tables.view(), channels: CHANNELS, side: SIDE };
    is_right::<f32>(images, variations.view(), &right);
    is_right::<Bf16>(images, variations.view(), &right);
}

fn is_right<E: Kept>(images: ResidentImages<'_>, variations: View<'_, i32>, right: &[f32]) {
    let shape = Shape { channels: CHANNELS, height: SIDE, width: SIDE };
    let out = keep::<E>(shape, &vec![0.0; right.len()]);
    run(&augment(images, variations, out.out()).expect("lengths fit"));
    assert_same(&values(shape, &out), &rounded::<E>(right));
}

#[test]
fn an_image_that_is_not_there_is_nan_and_wrong_lengths_are_refused() {
    let (bytes, tables) = resident(2);
    let (bytes, tables) = (Host::new(&bytes, 99), single(&tables));
    let images = ResidentImages { images: bytes.view(), tables: tables.view(), channels: CHANNELS, side: SIDE };
    let variations = Host::new(&Variation { image: 2, down: 0, right: 0, flip: false }.numbers(), 0);
    let out = single(&vec![0.0; IMAGE]);
    run(&augment(images, variations.view(), out.out()).expect("lengths fit"));
    assert!(out.read().iter().all(|value| value.is_nan()));
    let out = keep::<Bf16>(ONE, &vec![0.0; IMAGE]);
    run(&augment(images, variations.view(), out.out()).expect("lengths fit"));
    assert!(values(ONE, &out).iter().all(|value| value.is_nan()));
    let out = single(&vec![0.0; IMAGE]);
    for length in [IMAGE - 1, 2 * IMAGE] {
        assert!(augment(images, variations.view(), single(&vec![0.0; length]).out()).is_err());
    }
    assert!(augment(ResidentImages { side: 31, ..images }, variations.view(), out.out()).is_err());
}
