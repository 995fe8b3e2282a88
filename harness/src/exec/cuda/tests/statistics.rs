use super::*;
use crate::exec::cuda::launch::{Batch, collect, track};
use crate::exec::run::{AllMoments, bessel};
use crate::exec::{MOMENTUM, StatisticsPass, Weighting};
use crate::model::Architecture;

#[test]
fn statistics_over_batches_are_the_host_s_to_the_bit() {
    let graph = Architecture::ResNet8.graph(10).expect("a network");
    let channels = graph.layout().channels();
    let mut right = StatisticsPass::new(graph.layout(), Weighting::BySize);
    let kept = double(&vec![0.0; 2 * channels]);
    let mut running = vec![0.0f32; 2 * channels];
    let tracked = single(&running);
    for (number, images) in [7usize, 7, 3].into_iter().enumerate() {
        let moments = |name: &str| numbers(&format!("{name} {number}"), channels).into_iter().map(f64::from).collect();
        let moments = AllMoments { mean: moments("mean"), var: moments("var") };
        let counts: Vec<usize> = (0..graph.layout().norms().len()).map(|norm| images * (norm + 2)).collect();
        let share = right.share(images);
        right.add(share, &counts, &moments);
        right.count(images);
        let unbiased = [moments.mean.clone(), moments.unbiased(graph.layout(), &counts)].concat();
        crate::exec::track(&mut running, &unbiased);
        let factors = double(&bessel(graph.layout(), &counts).collect::<Vec<_>>());
        let both = double(&[moments.mean, moments.var].concat());
        let new = Batch { moments: both.view(), factors: factors.view() };
        run(&collect(new, kept.out(), share).expect("lengths fit"));
        run(&track(new, tracked.out(), MOMENTUM).expect("lengths fit"));
        assert_eq!(kept.read(), right.means().concat());
        assert_same(&tracked.read(), &running);
    }
    let odd = double(&[1.0]);
    let new = Batch { moments: kept.view(), factors: odd.view() };
    assert!(collect(new, kept.out(), 1.0).is_err() && track(new, tracked.out(), 1.0).is_err());
}
