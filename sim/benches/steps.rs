//! How many steps of SGD a second an ensemble takes.
//!
//! ```text
//! cargo bench -p valleys-sim --bench steps -- [--threads 1 2] [--rounds 11] [--seconds 0.5] [--only NAME] [--json]
//! ```
//!
//! Every round measures every case on every number of threads in turn, so that whatever else the machine does falls on
//! all; the table gives medians over rounds with the least and the most, and the median over rounds of each ratio to the
//! reference. With `--json` there is one round, and a line of JSON a case on the first number of threads, with the
//! long-run mean and the rounds a step, each with its standard error, for the process that benches/peers/sim compares.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use valleys_sim::Seed;
use valleys_sim::ensemble::{
    InstructionSet, Plan, RoundMeans, RoundMoments, Simulation, Start, Tallied, Tally, Totals,
};
use valleys_sim::progress::Silent;
use valleys_sim::sgd::{Gradient, NoiseLaw, Process, Setting, Slopes, Valley};

/// The process of benches/peers/sim: η, b, s, ν.
const ETA: f64 = 0.1;
const FLAT: f64 = 0.5;
const SHARP: f64 = 1.5;
const NU: f64 = 0.4;

const CHAINS_A_THREAD: u64 = 256;
const STEPS: u64 = 100_000;

/// What every tally here begins with.
type Base = Totals;

/// What a case found: steps a second, and (sum, rounds) of each chain.
struct Answer {
    rate: f64,
    chains: Vec<(f64, f64)>,
}

/// Runs a plan once with a seed.
type Run = dyn Fn(&Plan, Seed) -> Vec<(f64, f64)> + Sync;

/// A case: its name, and how to run it.
struct Case {
    name: String,
    number: &'static str,
    run: Box<Run>,
}

struct Options {
    threads: Vec<usize>,
    rounds: usize,
    seconds: f64,
    /// Only cases whose name holds this.
    only: String,
    json: bool,
}

fn main() {
    let options = options();
    let mut cases = cases();
    cases.retain(|case| case.name.contains(&options.only));
    if cases.is_empty() {
        usage(&format!("no case is called {:?}", options.only));
    }
    let pools: Vec<_> = options
        .threads
        .iter()
        .map(|&threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool"))
        .collect();
    if options.json {
        for case in &cases {
            let answer = pools[0].install(|| measure(case, options.threads[0], options.seconds, 0));
            println!("{}", json(case, &answer));
        }
        return;
    }
    let mut rates: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for round in 0..options.rounds {
        for (index, case) in cases.iter().enumerate() {
            for (pool, &threads) in pools.iter().zip(&options.threads) {
                let answer = pool.install(|| measure(case, threads, options.seconds, round as u64));
                rates.entry((index, threads)).or_default().push(answer.rate);
            }
        }
        eprintln!("round {} of {}", round + 1, options.rounds);
    }
    for &threads in &options.threads {
        println!(
            "\n{threads} thread{}, {} rounds of {} s:\n",
            if threads > 1 { "s" } else { "" },
            options.rounds,
            options.seconds
        );
        println!("| | type | million steps a second (least to most) | of the reference |");
        println!("|---|---|---|---|");
        for (index, case) in cases.iter().enumerate() {
            let (mine, reference) = (&rates[&(index, threads)], &rates[&(0, threads)]);
            let ratios: Vec<f64> = mine.iter().zip(reference).map(|(mine, reference)| mine / reference).collect();
            let [low, median, high] = spread(mine).map(|rate| rate / 1e6);
            let [_, ratio, _] = spread(&ratios);
            println!("| {} | {} | {median:.0} ({low:.0} to {high:.0}) | {ratio:.2} |", case.name, case.number);
        }
    }
    if let [few, .., many] = options.threads[..] {
        println!("\nHow many times as fast on {many} threads as on {few}:\n");
        for (index, case) in cases.iter().enumerate() {
            let ratios: Vec<f64> =
                rates[&(index, many)].iter().zip(&rates[&(index, few)]).map(|(many, few)| many / few).collect();
            println!("- {}: {:.2}", case.name, spread(&ratios)[1]);
        }
    }
}

fn cases() -> Vec<Case> {
    let setting = Setting::new(Valley::two_slope(FLAT, SHARP).expect("a valley"), ETA, NU).expect("a setting");
    let wide = Setting::new(Valley::new(FLAT, FLAT / 2.0, SHARP / FLAT, -2.0 * SHARP).expect("a valley"), ETA, NU)
        .expect("a setting");
    let two = || Slopes::constant(&setting, 0.0, 0.0).expect("slopes");
    let smooth = Slopes::smooth(&wide, 0.1).expect("slopes");
    let stairs = Slopes::staircase(&wide, 0.01, vec![0.0, 1.0, 0.4], vec![1.0, 0.1]).expect("slopes");
    let best = InstructionSet::best();
    let mut cases = vec![
        case::<_, Base>("two slopes, uniform noise", two(), NoiseLaw::Uniform, setting, best),
        case::<_, (Base, RoundMoments)>("with second moments", two(), NoiseLaw::Uniform, setting, best),
        case::<_, (Base, RoundMeans)>("with the averages of rounds", two(), NoiseLaw::Uniform, setting, best),
        case::<_, Base>("52-bit noise", two(), NoiseLaw::FineUniform, setting, best),
        case::<_, Base>("two-point noise", two(), NoiseLaw::TwoPoint, setting, best),
        case::<_, Base>("truncated Gaussian noise", two(), NoiseLaw::TruncatedGaussian, setting, best),
        case::<_, Base>("smooth slopes", smooth, NoiseLaw::Uniform, wide, best),
        case::<_, Base>("tabulated slopes", stairs, NoiseLaw::Uniform, wide, best),
    ];
    cases.push(single(two(), setting, best));
    for set in InstructionSet::available().into_iter().skip(1) {
        cases.push(case::<_, Base>(&format!("two slopes, {}", set.name()), two(), NoiseLaw::Uniform, setting, set));
    }
    cases
}

fn case<G: Gradient + Send + 'static, T: Sums + 'static>(
    name: &str,
    gradient: G,
    noise: NoiseLaw,
    setting: Setting,
    set: InstructionSet,
) -> Case {
    let process = Process { setting, gradient, noise };
    let start = Start::Uniform { low: 0.0, high: ETA * (FLAT + SHARP) };
    let run = move |plan: &Plan, seed: Seed| {
        let chains: Vec<Tallied<T>> =
            Simulation::of(&process).on(set).tally(plan, start, seed, &Silent).expect("the plan is valid");
        chains.iter().map(|chain| chain.tally.sums()).collect()
    };
    Case { name: name.into(), number: "f64", run: Box::new(run) }
}

fn single(gradient: Slopes, setting: Setting, set: InstructionSet) -> Case {
    let process = Process { setting, gradient, noise: NoiseLaw::Uniform };
    let start = Start::Uniform { low: 0.0, high: ETA * (FLAT + SHARP) };
    let run = move |plan: &Plan, seed: Seed| {
        let simulation = Simulation::of(&process).on(set);
        let chains = simulation.totals_in_single_precision(plan, start, seed, &Silent).expect("the plan is valid");
        chains.iter().map(|chain| chain.tally.sums()).collect()
    };
    Case { name: "two slopes, uniform noise".into(), number: "f32", run: Box::new(run) }
}

/// The sum and the rounds of a chain, whatever else is kept of it.
trait Sums: Tally {
    fn sums(&self) -> (f64, f64);
}

impl Sums for Base {
    fn sums(&self) -> (f64, f64) {
        (self.sum(), self.rounds as f64)
    }
}

impl<T: Tally> Sums for (Base, T) {
    fn sums(&self) -> (f64, f64) {
        self.0.sums()
    }
}

/// Repeats a case for some seconds, each time with another seed.
fn measure(case: &Case, threads: usize, seconds: f64, round: u64) -> Answer {
    let plan = Plan::new(CHAINS_A_THREAD * threads as u64, 0, STEPS).expect("a plan");
    let root = Seed(round + 1);
    black_box((case.run)(&Plan::new(2, 0, STEPS).expect("a plan"), root));
    let (begin, mut runs, mut chains) = (Instant::now(), 0, Vec::new());
    while runs == 0 || begin.elapsed().as_secs_f64() < seconds {
        chains.extend((case.run)(&plan, root.child("run", runs)));
        runs += 1;
    }
    Answer { rate: (plan.total_steps() * runs) as f64 / begin.elapsed().as_secs_f64(), chains }
}

fn json(case: &Case, answer: &Answer) -> String {
    let of = |what: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = answer.chains.iter().map(|chain| what(chain) / STEPS as f64).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        format!("[{mean:e}, {:e}]", (variance / n).sqrt())
    };
    // The exact law is that of two slopes.
    let exact = match case.name.contains("smooth") || case.name.contains("tabulated") {
        true => String::new(),
        false => format!(r#", "mean": {}, "rounds": {}"#, of(|chain| chain.0), of(|chain| chain.1)),
    };
    format!(r#"{{"name": "{}", "type": "{}", "steps_per_second": {:e}{exact}}}"#, case.name, case.number, answer.rate)
}

/// Least, median, most.
fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median =
        if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + sorted[middle]) / 2.0 } else { sorted[middle] };
    [sorted[0], median, sorted[sorted.len() - 1]]
}

fn options() -> Options {
    let mut options = Options { threads: Vec::new(), rounds: 11, seconds: 0.5, only: String::new(), json: false };
    let mut arguments = std::env::args().skip(1).peekable();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            let text = arguments.next();
            text.and_then(|text| text.parse::<f64>().ok())
                .unwrap_or_else(|| usage(&format!("{argument} needs a number")))
        };
        match argument.as_str() {
            // Said by cargo.
            "--bench" => {}
            "--json" => options.json = true,
            "--only" => options.only = arguments.next().unwrap_or_default(),
            "--rounds" => options.rounds = (value() as usize).max(1),
            "--seconds" => options.seconds = value(),
            "--threads" => {
                options.threads.push((value() as usize).max(1));
                while let Some(threads) = arguments.peek().and_then(|text| text.parse().ok()) {
                    options.threads.push(std::cmp::max(threads, 1));
                    arguments.next();
                }
            }
            other => usage(&format!("no such option: {other}")),
        }
    }
    if options.threads.is_empty() {
        options.threads.push(1);
    }
    options
}

fn usage(problem: &str) -> ! {
    eprintln!("{problem}; options: [--threads N ...] [--rounds N] [--seconds S] [--only NAME] [--json]");
    std::process::exit(2)
}
