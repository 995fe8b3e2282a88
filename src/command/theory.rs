//! The steps that need no network: both theorems, Appendix A.

use valleys_figures::words::number;
use valleys_sim::record::{AppendixA, Record};
use valleys_sim::theorem1::{self, TightnessConfig};
use valleys_sim::theorem2::{self, ExactLawConfig, PathConfig};
use valleys_sim::{Seed, asymmetry::Verdict, minima};

use crate::cli;
use crate::config::{AppendixA as AppendixAConfig, Config, Theorem2};
use crate::error::Result;
use crate::output::{self, line};
use crate::session::Session;

/// `valleys theorem1`.
pub(crate) fn theorem1(options: &cli::Step) -> Result<()> {
    let seed = Seed(options.seed);
    let config = Config::of("theorem1", seed);
    let mut session = Session::open(&options.output, "valleys-run-theorem1", &config, seed)?;
    theorem1_steps(&mut session, seed)?;
    session.finish()
}

/// `valleys theorem2`.
pub(crate) fn theorem2(options: &cli::Theorem2) -> Result<()> {
    let seed = Seed(options.step.seed);
    let default = Theorem2::default();
    let map = Theorem2 {
        b_plus: options.b_plus,
        chains: options.chains.unwrap_or(default.chains),
        steps: options.steps.unwrap_or(default.steps),
        cells: options.cells.unwrap_or(default.cells),
        ..default
    };
    map.map()?;
    map.thresholds()?;
    let config = Config { theorem2: Some(map.clone()), ..Config::of("theorem2", seed) };
    let mut session = Session::open(&options.step.output, "valleys-run-theorem2", &config, seed)?;
    theorem2_steps(&mut session, seed, &map)?;
    session.finish()
}

/// `valleys appendix-a`.
pub(crate) fn appendix_a(options: &cli::AppendixA) -> Result<()> {
    let seed = Seed(options.step.seed);
    let appendix = AppendixAConfig::new(options);
    appendix.experiment()?;
    let config = Config { appendix_a: Some(appendix.clone()), ..Config::of("appendix-a", seed) };
    let mut session = Session::open(&options.step.output, "valleys-run-appendix-a", &config, seed)?;
    appendix_a_step(&mut session, seed, &appendix)?;
    session.finish()
}

pub(super) fn theorem1_steps(session: &mut Session, seed: Seed) -> Result<()> {
    let command = format!("valleys theorem1 --seed {}", seed.0);
    session.step("minima", &command, |_, _| {
        Ok(Record::Minima(minima::minima(&minima::MinimaConfig {
            half_width: 1.2,
            ..minima::MinimaConfig::default()
        })?))
    })?;
    let record = session.step("theorem1", &command, |_, observer| {
        Ok(Record::Tightness(theorem1::tightness(&TightnessConfig::default(), seed, observer)?))
    })?;
    if let Record::Tightness(tightness) = record {
        line("Theorem 1 as printed, three counterexamples:")?;
        let rows: Vec<_> = tightness
            .counterexamples
            .iter()
            .map(|example| vec![example.fault.clone(), format!("{:.3}", example.left), format!("{:.3}", example.right)])
            .collect();
        output::table(&["fault", "E L(ŵ) − E L(ŵ + l·u)", "printed bound"], &rows)?;
    }
    Ok(())
}

pub(super) fn theorem2_steps(session: &mut Session, seed: Seed, map: &Theorem2) -> Result<()> {
    let command = format!(
        "valleys theorem2 --seed {} --b-plus {} --chains {} --steps {} --cells {}",
        seed.0, map.b_plus, map.chains, map.steps, map.cells
    );
    session.step("sgd-path", &command, |_, _| Ok(Record::SgdPath(theorem2::path(&PathConfig::default(), seed)?)))?;
    let config = map.map()?;
    session.step("theorem2-map", &command, |_, observer| {
        Ok(Record::BiasMap(theorem2::bias_map(&config, seed, observer)?))
    })?;
    let config = map.thresholds()?;
    session
        .step("thresholds", &command, |_, observer| Ok(Record::Thresholds(theorem2::thresholds(&config, observer)?)))?;
    let record = session.step("exact-law", &command, |_, observer| {
        Ok(Record::ExactLaw(theorem2::exact_law(&ExactLawConfig::default(), seed, observer)?))
    })?;
    if let Record::ExactLaw(law) = record {
        line(format!("The exact law (E), η(s − b)/2, all intervals together at {} %:", 100.0 * law.confidence))?;
        let rows: Vec<_> = law
            .rows
            .iter()
            .map(|row| {
                vec![
                    format!("b = {}, s = {}, ν = {}, η = {}, {}", row.flat, row.sharp, row.nu, row.eta, row.noise),
                    number(row.expected),
                    format!("{} ± {}", number(row.mean), number(row.half_width)),
                    match (row.applies, row.is_met()) {
                        (true, true) => "met",
                        (true, false) => "MISSED",
                        (false, _) => "does not apply",
                    }
                    .to_string(),
                ]
            })
            .collect();
        output::table(&["setting", "law", "simulated", "verdict"], &rows)?;
    }
    Ok(())
}

pub(super) fn appendix_a_step(session: &mut Session, seed: Seed, config: &AppendixAConfig) -> Result<()> {
    let experiment = config.experiment()?;
    let mut command = format!("valleys appendix-a --seed {} --seeds {}", seed.0, config.seeds);
    let default = AppendixAConfig::default();
    if config.protocol != default.protocol {
        command += &format!(" --protocol {}", config.protocol);
    }
    if config.family != default.family {
        command += &format!(" --family {}", config.family);
    }
    if config.batch_size != default.batch_size {
        command += &format!(" --batch-size {}", config.batch_size);
    }
    if config.converge {
        command += " --converge";
    }
    let record =
        session.step("appendix-a", &command, |_, observer| Ok(Record::AppendixA(experiment.run(seed, observer)?)))?;
    if let Record::AppendixA(appendix) = record {
        line(summary(&appendix))?;
    }
    Ok(())
}

/// One line on how many directions were asymmetric.
fn summary(appendix: &AppendixA) -> String {
    let count = |verdict| appendix.seeds.iter().filter(|seed| seed.verdict == verdict).count();
    let total = appendix.seeds.len();
    let share = appendix.seeds.iter().map(|seed| seed.circle_share).sum::<f64>() / total.max(1) as f64;
    format!(
        "Appendix A: {} of {total} solutions asymmetric along one direction, {} symmetric, {} not a valley; on average \
         {:.0} % of all lines are asymmetric, one way or the other",
        count(Verdict::Asymmetric),
        count(Verdict::Symmetric),
        count(Verdict::NotAValley),
        100.0 * share
    )
}
