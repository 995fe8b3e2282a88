//! Records of a landscape with made-up but plausible numbers, and what only they can get wrong.

use valleys_figures::{render, tables};
use valleys_sim::Profile;
use valleys_sim::asymmetry::{Certificate, Verdict};
use valleys_sim::estimate::Interval;
use valleys_sim::profile::grid;
use valleys_sim::record::{
    ControlCheck, ControlVariant, Controls, DirectionGroup, DirectionRow, InterRand, InterRandLine, LineJudgement,
    Neighbourhood, Plane, PlaneMark, Prevalence, RaySolution, Rays, Record, SignConsistency, Trajectory, TrajectoryRow,
};

const TITLE: &str = "ResNet-8 on synthetic images, SWA solution";
const SETTING: &str = "batch-norm statistics from 500 training images; loss on 500 training and 500 test images";

/// A number in [0, 1) that looks random.
fn scatter(i: usize) -> f64 {
    (i as f64 * 0.618_033_988_749_895).fract()
}

fn valley(l: f64, steep: f64) -> f64 {
    0.1 + if l < 0.0 { 0.4 * steep * l * l } else { 0.03 * l * l }
}

fn certificate(c: f64) -> Certificate {
    Certificate { r_hi: 2.4, r_lo: 0.6, p: 0.08, c, c_is_lower_bound: c > 1e4, gain: 0.02 * c.min(50.0) }
}

fn judgement(c: Option<f64>, mirrored: bool) -> LineJudgement {
    LineJudgement {
        mirrored,
        verdict: if c.is_some() { Verdict::Asymmetric } else { Verdict::Symmetric },
        half_line: 3.0,
        canonical: c.map(certificate),
        matched: None,
        front: Vec::new(),
    }
}

fn row(i: usize, fraction: f64) -> DirectionRow {
    let asymmetric = (fraction - 0.5).abs() > 0.2 + 0.25 * scatter(i);
    let lean = 2.0 * fraction - 1.0 + 0.2 * (scatter(i) - 0.5);
    DirectionRow {
        index: i as u64,
        mirrored: fraction < 0.5,
        verdict: if asymmetric { Verdict::Asymmetric } else { Verdict::Symmetric },
        certificate: asymmetric.then(|| certificate(2.5 + 8.0 * scatter(i + 3))),
        half_line: 3.0,
        rise_along: 1.0 - 0.8 * lean,
        rise_against: 1.0 + 0.8 * lean,
    }
}

fn group(name: &str, directions: usize, fraction: f64) -> DirectionGroup {
    let directions: Vec<DirectionRow> = (0..directions).map(|i| row(i, fraction)).collect();
    let share =
        directions.iter().filter(|row| row.verdict == Verdict::Asymmetric).count() as f64 / directions.len() as f64;
    let (low, high) = ((share - 0.2).max(0.0), (share + 0.2).min(1.0));
    DirectionGroup {
        name: name.to_owned(),
        directions,
        until_asymmetric: false,
        share: Some(Interval { low, estimate: share, high }),
        mean_cosine: Some(0.75 * fraction),
    }
}

pub(crate) fn prevalence() -> Prevalence {
    let until = DirectionGroup { until_asymmetric: true, share: None, ..group("centred", 4, 0.15) };
    let groups = vec![
        group("uniform", 20, 1.0),
        group("gaussian", 20, 0.55),
        group("uniform, only bn-weight bn-bias", 20, 0.1),
        group("uniform, except bn-weight bn-bias", 20, 0.8),
        until,
    ];
    let question = "how often a random direction is asymmetric".to_owned();
    Prevalence { title: TITLE.to_owned(), question, groups, points: 31, setting: SETTING.to_owned() }
}

pub(crate) fn signs() -> SignConsistency {
    let fractions = vec![0.0, 0.25, 0.5, 0.75, 1.0];
    let groups = fractions.iter().map(|&it| group(&format!("sign-matched:{it}"), 5, it)).collect();
    SignConsistency { title: TITLE.to_owned(), fractions, groups, setting: SETTING.to_owned() }
}

pub(crate) fn neighbourhood() -> Neighbourhood {
    let offsets = grid(-3.0, 3.0, 21).expect("a grid");
    let curves: Vec<Vec<f64>> = (0..20)
        .map(|i| offsets.iter().map(|&l| 0.5 + scatter(i) + valley(l, 0.8 + 0.4 * scatter(i))).collect())
        .collect();
    let mean = Profile::sample(offsets.clone(), |l| 1.0 + valley(l, 1.0)).expect("a profile");
    Neighbourhood {
        title: TITLE.to_owned(),
        family: "uniform".to_owned(),
        index: 0,
        radius: 25.0,
        deviation: offsets.iter().map(|l| 0.28 + 0.02 * l * l).collect(),
        mean,
        curves,
        own: Profile::sample(offsets, |l| valley(l, 1.0)).expect("a profile"),
        own_judgement: judgement(Some(9.0), false),
        judgement: judgement(Some(5.2), false),
        asymmetric: 18,
        setting: SETTING.to_owned(),
    }
}

pub(crate) fn trajectory() -> Trajectory {
    let offsets = grid(-6.0, 6.0, 21).expect("a grid");
    let rows = (0..12_u32)
        .map(|i| {
            let early = (-0.5 * f64::from(i)).exp();
            TrajectoryRow {
                epoch: 2 * i + 2,
                losses: offsets.iter().map(|&l| 2.0 * early + valley(l, 1.0 - 0.6 * early) + 0.2 * early * l).collect(),
                position: -3.0 * early,
                distance: 9.0 * early,
                departure: 0.8 * early * f64::from(11 - i) / 11.0,
                judgement: judgement((i > 3).then_some(5.0), false),
            }
        })
        .collect();
    Trajectory {
        title: "ResNet-8 on synthetic images, phase swa".to_owned(),
        family: "uniform".to_owned(),
        index: 0,
        offsets,
        rows,
        stable_from: Some(12),
        tolerance: 0.1,
        setting: SETTING.to_owned(),
    }
}

pub(crate) fn inter_rand() -> InterRand {
    let offsets = grid(-4.0, 4.0, 17).expect("a grid");
    let profile = |low: f64, aside: f64, steep: f64| {
        Profile::sample(offsets.clone(), |l| low + valley(l + aside, steep)).expect("a profile")
    };
    let line = |i: usize| InterRandLine {
        family: if i < 4 { "uniform" } else { "gaussian" }.to_owned(),
        index: (i % 4) as u64,
        biased_offset: 1.9 + 0.2 * scatter(i),
        settled_train: profile(0.0, 0.0, 1.0 + scatter(i)),
        settled_test: profile(0.4, -0.2, 1.0 + scatter(i)),
        biased_train: profile(0.1, 2.0, 1.0 + scatter(i)),
        biased_test: profile(0.3, 1.8, 1.0 + scatter(i)),
        judgement: judgement((i != 5).then_some(6.0), i == 2),
    };
    InterRand {
        title: "ResNet-8 on synthetic images".to_owned(),
        names: ["SWA", "SGD after SWA"].map(str::to_owned),
        lines: (0..8).map(line).collect(),
        distance: 2.7,
        setting: SETTING.to_owned(),
    }
}

pub(crate) fn rays() -> Rays {
    let distances = grid(0.0, 10.0, 11).expect("a grid");
    let over = |f: &dyn Fn(f64) -> f64| distances.iter().map(|&l| f(l)).collect::<Vec<f64>>();
    let solution = |name: &str, low: f64, width: f64, first: bool| RaySolution {
        name: name.to_owned(),
        train: over(&|l| low + 0.02 * l * l * width),
        train_deviation: over(&|l| 0.01 * l),
        test: over(&|l| low + 0.3 + 0.015 * l * l * width),
        test_deviation: over(&|l| 0.012 * l),
        train_excess: if first {
            Vec::new()
        } else {
            distances.iter().map(|l| Interval { low: -0.1, estimate: 0.01 * l, high: 0.2 }).collect()
        },
    };
    Rays {
        title: "ResNet-8 on synthetic images".to_owned(),
        family: "gaussian".to_owned(),
        count: 10,
        solutions: vec![solution("SWA", 0.1, 0.8, true), solution("SGD after SWA", 0.05, 1.2, false)],
        distances,
        setting: SETTING.to_owned(),
    }
}

pub(crate) fn plane() -> Plane {
    let (x, y) = (grid(-2.0, 5.0, 11).expect("a grid"), grid(-2.0, 4.0, 9).expect("a grid"));
    let losses = |a: f64, b: f64| {
        y.iter().map(|y| x.iter().map(|x| 0.1 + valley(x - a, 1.0) + 0.2 * (y - b).powi(2)).collect()).collect()
    };
    let mark = |name: &str, x: f64, y: f64| PlaneMark { name: name.to_owned(), x, y };
    Plane {
        title: "ResNet-8 on synthetic images: the plane of three solutions".to_owned(),
        axes: ["distance from SWA towards SGD after SWA", "towards SGD"].map(str::to_owned),
        train: losses(1.0, 0.0),
        test: losses(0.5, 0.4),
        marks: vec![mark("SWA", 0.0, 0.0), mark("SGD after SWA", 3.0, 0.0), mark("SGD", 1.2, 3.1)],
        x,
        y,
        setting: SETTING.to_owned(),
    }
}

pub(crate) fn controls() -> Controls {
    let offsets = grid(-3.0, 3.0, 25).expect("a grid");
    let variant = |control: &str, variant: &str, c: Option<f64>| ControlVariant {
        control: control.to_owned(),
        variant: variant.to_owned(),
        train: Profile::sample(offsets.clone(), |l| valley(l, 1.0)).expect("a profile"),
        judgement: judgement(c, false),
    };
    let check = |name: &str, value: f64, standard_error| ControlCheck {
        name: name.to_owned(),
        value,
        standard_error,
        reading: "0 at a stationary point".to_owned(),
    };
    Controls {
        title: TITLE.to_owned(),
        family: "uniform".to_owned(),
        index: 0,
        variants: vec![
            variant("as usual", "as usual", Some(5.6)),
            variant("images", "other images", Some(5.1)),
            variant("step width", "every second point", Some(7.0)),
            variant("batch norm", "statistics of the centre", Some(2.0e5)),
            variant("layer scale", "layers × 3", None),
            variant("layer scale", "filter-normalised, layers × α", Some(3.0)),
        ],
        checks: vec![
            check("slope of the training loss at the centre, along u", 0.012, Some(0.004)),
            check("norm of the gradient at the centre", 0.31, None),
        ],
        setting: SETTING.to_owned(),
    }
}

/// One record of every kind.
pub(crate) fn all() -> Vec<(&'static str, Record)> {
    vec![
        ("prevalence", Record::Prevalence(prevalence())),
        ("sign-consistency", Record::SignConsistency(signs())),
        ("neighbourhood", Record::Neighbourhood(neighbourhood())),
        ("trajectory", Record::Trajectory(trajectory())),
        ("inter-rand", Record::InterRand(inter_rand())),
        ("rays", Record::Rays(rays())),
        ("plane", Record::Plane(plane())),
        ("controls", Record::Controls(controls())),
    ]
}

/// Records that strain a layout.
pub(crate) fn awkward() -> Vec<(&'static str, Record)> {
    let mut long = prevalence();
    long.groups = (0..20)
        .map(|i| group(&format!("ResNet-110 without batch norm, statistics recomputed: filter-normalised {i}"), 3, 0.9))
        .collect();
    let mut one = signs();
    one.fractions.truncate(1);
    one.groups.truncate(1);
    let mut nowhere = neighbourhood();
    nowhere.judgement = judgement(None, false);
    nowhere.curves.truncate(2);
    let mut unsettled = trajectory();
    unsettled.stable_from = None;
    unsettled.rows.truncate(2);
    let mut three = rays();
    three.solutions.push(RaySolution { name: "SGD, large batches".to_owned(), ..three.solutions[1].clone() });
    let mut small = plane();
    (small.x, small.y) = (vec![0.0, 1.0], vec![0.0, 1.0]);
    small.train = vec![vec![0.5; 2]; 2];
    small.test = small.train.clone();
    small.marks = vec![PlaneMark { name: "SWA".to_owned(), x: 1.0, y: 1.0 }];
    let mut plain = controls();
    plain.variants.iter_mut().for_each(|variant| variant.judgement = judgement(None, false));
    vec![
        ("long-names", Record::Prevalence(long)),
        ("one-fraction", Record::SignConsistency(one)),
        ("no-common-certificate", Record::Neighbourhood(nowhere)),
        ("two-epochs", Record::Trajectory(unsettled)),
        ("three-solutions", Record::Rays(three)),
        ("flat-plane", Record::Plane(small)),
        ("no-certificate", Record::Controls(plain)),
    ]
}

#[test]
fn pictures_say_what_their_records_hold() {
    let caption = |record: Record| render("it", &record).expect("a picture").swap_remove(0).caption;
    assert!(
        caption(Record::InterRand(inter_rand())).contains("7 of 8 lines asymmetric, 6 with the flat side towards SWA")
    );
    assert!(caption(Record::Trajectory(trajectory())).contains("stable from epoch 12 on"));
    assert!(caption(Record::Neighbourhood(neighbourhood())).contains("18 of 20 are asymmetric on that side"));
    assert!(caption(Record::Rays(rays())).contains("SGD after SWA less that of SWA is 0.1 (95 % −0.1 to 0.2)"));
    assert!(caption(Record::Prevalence(prevalence())).contains("84 directions tried"));
}

#[test]
fn tables_hold_every_number() {
    let csv = |name: &str, record: Record| tables(name, &record).expect("tables").swap_remove(0).to_csv();
    let shares = csv("prevalence", Record::Prevalence(prevalence()));
    let stopped = shares.lines().last().expect("a row");
    assert!(stopped.starts_with("centred,4,") && stopped.contains(",,,,true,1,"), "no share is told: {stopped}");
    let plane_rows = csv("plane", Record::Plane(plane()));
    assert_eq!(plane_rows.lines().count(), 1 + 11 * 9);
    assert!(plane_rows.starts_with("x,y,train_loss,test_loss\n-2,-2,"), "{plane_rows}");
    let signs = csv("signs", Record::SignConsistency(signs()));
    assert!(signs.starts_with("match_fraction,group,directions,") && signs.contains("\n0.25,sign-matched:0.25,5,"));
    let rays = csv("rays", Record::Rays(rays()));
    assert!(rays.contains("\nSWA,0,0.1,0,0.4,0,,,\n"), "{rays}");
}

#[test]
fn a_record_that_does_not_add_up_is_refused_by_name() {
    let refusal = |record: Record| render("it", &record).expect_err("refused").to_string();
    let mut it = plane();
    it.train[2].pop();
    assert_eq!(refusal(Record::Plane(it)), "number of values of a row of train is 10; allowed: 11");
    let mut it = signs();
    it.groups.pop();
    assert_eq!(refusal(Record::SignConsistency(it)), "number of groups is 4; allowed: 5, one a fraction");
    let mut it = trajectory();
    it.rows[3].losses[0] = f64::NAN;
    assert_eq!(refusal(Record::Trajectory(it)), "losses of epoch 8 is NaN; allowed: a finite number");
    let mut it = rays();
    it.solutions[0].test.pop();
    assert_eq!(refusal(Record::Rays(it)), "number of values of test of SWA is 10; allowed: 11");
}
