//! The weights of convolutions: rounded by one launch, against each by itself; and turned round.

use super::kept::{Kept, ONE, arranged, keep, rounded, values};
use super::*;
use crate::exec::backend::Convolution;
use crate::exec::cuda::launch::{WEIGHT, round_weights, turn};
use crate::exec::cuda::number::Bf16;
use crate::exec::cuda::places::WeightPlaces;
use crate::exec::plan::{Forward, Plan};
use crate::model::{Architecture, Shape};

#[test]
fn every_weight_is_rounded_to_its_place_and_nothing_else_is_touched() {
    for name in ["resnet8", "densenet40", "vgg16-bn"] {
        let graph = Architecture::parse(name).and_then(|network| network.graph(10)).expect("a network");
        let plan = Plan::inference(&graph);
        let places = WeightPlaces::of(&plan);
        let parameters = numbers("parameters", graph.layout().trainable());
        let table = Host::new(&places.table().expect("few parameters"), u32::MAX);
        let rounded = Host::new(&vec![Bf16::HUGE; places.length], Bf16::HUGE);
        run(&round_weights(single(&parameters).view(), table.view(), rounded.out()).expect("a launch"));
        let mut right = vec![Bf16::HUGE; places.length];
        let convolutions = plan.forward.iter().filter_map(|step| match step {
            Forward::Convolution { op, .. } => Some(op),
            _ => None,
        });
        for op @ Convolution { input, window, weight, .. } in convolutions {
            let filter = Shape { channels: input.channels, height: window.size, width: window.size };
            let own = arranged::<Bf16>(filter, &parameters[weight.clone()]);
            right[places.get(op).expect("of the plan")].copy_from_slice(&own);
        }
        let seen = rounded.read();
        let wrong = (0..right.len()).find(|number| seen[*number] != right[*number]);
        assert_eq!(wrong, None, "{name}: the number of a rounded number that is not right");
    }
}

#[test]
fn a_table_of_other_weights_reaches_no_other_memory() {
    let parameters = single(&[1.0, 2.0, 3.0, 4.0]);
    // From the first rounded number on nothing; then two parameters, of which one exists; then none that exists.
    let table = Host::new(&[1u32, 3, 1, 1, 2, 4, 9, 1, 1, 2], 0);
    let rounded = keep::<Bf16>(ONE, &[9.0; 8]);
    run(&round_weights(parameters.view(), table.view(), rounded.out()).expect("a launch"));
    let right = [9.0, 4.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0].map(Bf16::nearest);
    assert_eq!(rounded.read(), right);
    let short = table.view().part(0..WEIGHT - 1).expect("a part");
    assert!(round_weights(parameters.view(), short, rounded.out()).is_err());
}

fn turns<E: Kept>() {
    let [outputs, channels, size] = [5, 3, 2];
    let weight = rounded::<E>(&numbers("weight", outputs * channels * size * size));
    let [from, to] = [channels, outputs].map(|channels| Shape { channels, height: size, width: size });
    let (kept, turned) = (keep::<E>(from, &weight), keep::<E>(to, &vec![f32::NAN; weight.len()]));
    run(&turn([outputs, channels, size * size], kept.view(), turned.out()).expect("lengths fit"));
    let seen = values(to, &turned);
    for (number, seen) in seen.iter().enumerate() {
        let place = [size, size, outputs].iter().fold((number, Vec::new()), |(rest, mut place), extent| {
            place.push(rest % extent);
            (rest / extent, place)
        });
        let (channel, [column, row, output]) = (place.0, [place.1[0], place.1[1], place.1[2]]);
        let source = ((output * channels + channel) * size + size - 1 - row) * size + size - 1 - column;
        assert_eq!(*seen, weight[source], "channel {channel}, output {output}, row {row}, column {column}");
    }
    assert!(turn([outputs, channels, size], kept.view(), turned.out()).is_err());
    assert!(turn([outputs, channels, size * size], turned.view(), turned.out()).is_err());
}

#[test]
fn a_weight_is_turned_round() {
    turns::<f32>();
    turns::<Bf16>();
}
