use proptest::prelude::*;

use super::symbolic::{GRADIENT, Symbolic};
use super::*;
use crate::exec::Mode;
use crate::exec::plan::{Kind, Kinds};
use crate::model::{Activation, Architecture, Graph, GraphBuilder, Shape, Value, Window};

/// How many there are there: steps as planned, convolutions, those of them that read through a batch norm, add, and make
/// moments, moments by themselves, batch norms without.
fn count_there(ways: &Ways) -> [usize; 7] {
    let count = |is: fn(&There) -> bool| ways.there.iter().filter(|step| is(step)).count();
    [
        count(|step| matches!(step, There::Step(_))),
        count(|step| matches!(step, There::Convolution(_))),
        count(|step| matches!(step, There::Convolution(Joined { norm: Some(_), .. }))),
        count(|step| matches!(step, There::Convolution(Joined { add: Some(_), .. }))),
        count(|step| matches!(step, There::Convolution(Joined { moments: Some(_), .. }))),
        count(|step| matches!(step, There::Moments { .. })),
        count(|step| matches!(step, There::BatchNorm { .. })),
    ]
}

/// And back: steps as planned, convolutions, those of them that have read through a batch norm and that make sums, and
/// what is left of batch norms.
fn count_back(ways: &Ways) -> [usize; 5] {
    let count = |is: fn(&Back) -> bool| ways.back.iter().filter(|step| is(step)).count();
    [
        count(|step| matches!(step, Back::Step(_))),
        count(|step| matches!(step, Back::Convolution { .. })),
        count(|step| matches!(step, Back::Convolution { norm: Some(_), .. })),
        count(|step| matches!(step, Back::Convolution { sums: Some(_), .. })),
        count(|step| matches!(step, Back::BatchNorm { .. })),
    ]
}

fn plans(graph: &Graph) -> (TrainingPlan, Plan) {
    let kinds = Kinds::apart(graph).expect("flattened");
    (TrainingPlan::of(graph, &kinds), Plan::inference_of(graph, &kinds))
}

fn network(name: &str) -> Graph {
    Architecture::parse(name).and_then(|network| network.graph(10)).expect("a network")
}

#[test]
fn all_that_surrounds_the_convolutions_of_residual_networks_is_done_along_with_them() {
    // A convolution before the blocks, two or three in each, and one where the number of channels changes; batch norms
    // within blocks and one after them.
    for (name, blocks, per_block, changes) in [("resnet20", 9, 2, 2), ("resnet110", 36, 3, 3)] {
        let (training, inference) = plans(&network(name));
        let [ways, there_alone] = [Ways::training(&training, |_| true), Ways::inference(&inference, |_| true)];
        let (convolutions, norms) = (1 + blocks * per_block + changes, blocks * per_block + 1);
        // Pool, flatten and the linear layer remain, and the last batch norm, whose moments are made.
        let there = [3, convolutions, norms - 1, blocks, norms, 0, 1];
        assert_eq!(count_there(&ways), there, "{name}");
        assert_eq!(count_there(&there_alone), there, "{name}");
        // The last batch norm goes back by itself, all others after a convolution.
        assert_eq!(count_back(&ways), [4, convolutions, norms - 1, norms - 1, norms - 1], "{name}");
    }
}

#[test]
fn concatenations_and_pools_take_steps_between_convolutions() {
    // 12 layers a block: of their two convolutions the first makes the moments for the second batch norm, the other
    // batch norms read what was concatenated, or pooled in between; the last one is read by no convolution.
    let (training, inference) = plans(&network("densenet40"));
    let (layers, transitions) = (3 * 6, 2);
    let convolutions = 1 + 2 * layers + transitions;
    let through = 2 * layers + transitions;
    let seen = [count_there(&Ways::training(&training, |_| true)), count_there(&Ways::inference(&inference, |_| true))];
    let steps = 2 * layers + transitions + 4;
    assert_eq!(seen, [[steps, convolutions, through, 0, layers + 1, layers + transitions - 1, 0]; 2]);
}

#[test]
fn what_no_kernel_of_ours_carries_out_stays_as_it_is_planned() {
    for (name, fits) in [("vgg16-bn", true), ("resnet110", false), ("densenet40", false)] {
        let (training, inference) = plans(&network(name));
        // The convolutions of VGG have a bias.
        let [ways, there_alone] = [Ways::training(&training, |_| fits), Ways::inference(&inference, |_| fits)];
        let debug = |there: &[There]| there.iter().map(|step| format!("{step:?}")).collect::<Vec<_>>();
        let planned = |plan: &Plan| plan.forward.iter().map(|step| format!("Step({step:?})")).collect::<Vec<_>>();
        assert_eq!(debug(&ways.there), planned(&training.plan), "{name}");
        assert_eq!(debug(&there_alone.there), planned(&inference), "{name}");
        assert_eq!(count_back(&ways), [training.backward.len(), 0, 0, 0, 0], "{name}");
    }
}

/// That both ways compute what is planned, for convolutions of which some fit.
fn check(graph: &Graph, fits: impl Fn(&Convolution) -> bool) {
    let (training, inference) = plans(graph);
    check_plans(&training, &inference, fits);
}

fn check_plans(training: &TrainingPlan, inference: &Plan, fits: impl Fn(&Convolution) -> bool) {
    let planned = |plan: &Plan| Ways {
        there: plan.forward.iter().cloned().map(There::Step).collect(),
        back: Vec::new(),
        logits: plan.logits,
    };
    let right = planned(inference);
    let right_there_and_back =
        Ways { back: training.backward.iter().cloned().map(Back::Step).collect(), ..planned(&training.plan) };
    let ways = Ways::inference(inference, &fits);
    let there_and_back = Ways::training(training, &fits);
    let given_before = |plan: &Plan| {
        let mut given = vec![(plan.images, "images")];
        given.extend(plan.masks.iter().map(|slot| (*slot, "factors")));
        given
    };
    let (images, mut given) = (given_before(inference), given_before(&training.plan));
    given.push((training.logits_gradient, GRADIENT));
    for mode in [Mode::Training, Mode::Evaluation] {
        let mut it = Symbolic::new();
        assert_eq!(it.run(&ways, mode, &images), it.run(&right, mode, &images), "{mode:?}");
        assert_eq!(it.run(&there_and_back, mode, &given), it.run(&right_there_and_back, mode, &given), "{mode:?}");
    }
}

#[test]
fn every_architecture_computes_what_is_planned() {
    for architecture in Architecture::ALL {
        let graph = architecture.graph(10).expect("a network");
        check(&graph, |_| true);
        check(&graph, |op| op.window.size == 3);
        check(&graph, |op| op.weight.start % 3 > 0);
    }
}

/// A layer of a random network: what it is, and which values before it reads.
type Choice = (u8, usize, usize);

/// A network of these layers, all of whose maps have one shape but where values are concatenated.
fn random(choices: &[Choice]) -> Graph {
    let mut it = GraphBuilder::new(Shape { channels: 2, height: 4, width: 4 }).expect("a shape");
    let mut unread = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let first = it.convolution("first", it.input(), 4, Window::same(3, 1)).expect("a window");
    values.push(first);
    unread.push(first);
    for (number, (kind, a, b)) in choices.iter().enumerate() {
        let name = format!("layer{number}");
        // Mostly the last values, as networks have it.
        let pick = |back: usize| values[values.len() - 1 - back % values.len().min(4)];
        let (a, b) = (pick(*a), pick(*b));
        let value = match kind {
            0..=3 => it.convolution(&name, a, 4, Window::same(if kind % 2 == 0 { 1 } else { 3 }, 1)),
            4 => it.convolution_with_bias(&name, a, 4, Window::same(3, 1)),
            5..=7 => it.batch_norm(&name, a),
            8..=9 => it.batch_norm(&name, a).map(|normed| it.activation(normed, Activation::Relu)),
            10 => Ok(it.activation(a, Activation::Sigmoid)),
            11..=13 => it.add(a, b),
            _ => it.concatenate(&[a, b]).and_then(|both| it.convolution(&name, both, 4, Window::same(1, 1))),
        };
        let value = value.expect("shapes that fit");
        let reads_b = (11..=13).contains(kind) || *kind > 13;
        unread.retain(|unread| *unread != a && !(reads_b && *unread == b));
        values.push(value);
        unread.push(value);
    }
    let end = it.concatenate(&unread).expect("equal planes");
    let pooled = it.average_pool(end, 4).expect("a window");
    let flat = it.flatten(pooled);
    let logits = it.linear("fc", flat, 3).expect("a vector");
    it.finish(logits).expect("every value leads to the output")
}

/// A step of a random plan: what it is, and three slots.
type Draw = (u8, [usize; 3]);

const SLOTS: usize = 5;

/// Two slots, and a third one that is neither.
fn apart([x, y, z]: [usize; 3]) -> [Slot; 3] {
    let free = |slot: &usize| *slot != x && *slot != y;
    let other = (z..z + SLOTS).map(|slot| slot % SLOTS).find(free);
    [x, y, other.expect("more than three slots")].map(Slot)
}

/// A convolution and a batch norm, told apart by number.
fn operations(number: usize) -> (Convolution, BatchNorm) {
    let shape = Shape { channels: 1, height: 1, width: 1 };
    let [weight, bias, own] = [4, 5, 6].map(|place| number * 8 + place..number * 8 + place + 1);
    let convolution = Convolution { input: shape, output: shape, window: Window::same(1, 1), weight: own, bias: None };
    let statistics = number..number + 1;
    (convolution, BatchNorm { channels: 1, plane: 1, activation: None, weight, bias, statistics })
}

/// Steps that use slots as no planner does.
fn random_plan(there: &[Draw], back: &[Draw], [logits, logits_gradient]: [usize; 2]) -> TrainingPlan {
    let forward = there.iter().enumerate().map(|(number, (kind, slots))| {
        let ((convolution, norm), [x, y, z]) = (operations(number), apart(*slots));
        match kind {
            0..=3 => Forward::Convolution { op: convolution, x, y: z },
            4..=6 => Forward::BatchNorm { op: norm, x, y },
            7..=8 => Forward::Add { x, y },
            _ => Forward::Activation { f: Activation::Relu, x, y },
        }
    });
    let backward = back.iter().enumerate().map(|(number, (kind, slots))| {
        let ((convolution, norm), [x, dy, dx]) = (operations(number), apart(*slots));
        let dx = (kind % 4 < 3).then_some(Target { slot: dx, accumulate: kind % 4 == 0 });
        match kind {
            0..=6 => Backward::Convolution { op: convolution, x, dy, dx },
            7..=10 => Backward::BatchNorm { op: norm, x, dy, dx },
            _ => Backward::Add { x, y: dy },
        }
    });
    let [logits, logits_gradient] = [logits, logits_gradient].map(Slot);
    let plan = Plan {
        slots: vec![1; SLOTS],
        kinds: vec![Kind::Map; SLOTS],
        images: Slot(0),
        logits,
        masks: (1..SLOTS).map(Slot).collect(),
        forward: forward.collect(),
    };
    TrainingPlan { plan, logits_gradient, backward: backward.collect() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]
    #[test]
    fn plans_that_use_slots_in_any_way_are_kept_to(
        there in proptest::collection::vec((0u8..10, [0..SLOTS, 0..SLOTS, 0..SLOTS]), 1..14),
        back in proptest::collection::vec((0u8..12, [0..SLOTS, 0..SLOTS, 0..SLOTS]), 0..10),
        ends in [0..SLOTS, 0..SLOTS],
        modulus in 1usize..5,
    ) {
        let plan = random_plan(&there, &back, ends);
        check_plans(&plan, &plan.plan, |op| modulus == 1 || op.weight.start / 8 % modulus > 0);
    }

    #[test]
    fn random_networks_compute_what_is_planned(
        choices in proptest::collection::vec((0u8..15, 0usize..4, 0usize..4), 1..30),
        modulus in 1usize..5,
    ) {
        let graph = random(&choices);
        check(&graph, |op| modulus == 1 || op.weight.start / 4 % modulus > 0);
    }
}
