//! `valleys reproduce`: the whole story in one run.

use std::path::Path;

use valleys_harness::model::Architecture;
use valleys_harness::preset::{Preset, Size};
use valleys_harness::train::Method;
use valleys_proofs::{Effort, registry};
use valleys_sim::Seed;
use valleys_sim::direction::Family;

use super::landscape::{self, Counts, LINES};
use super::{check, network, phase_map, suite, theory};
use crate::cli::flight::Flight;
use crate::cli::landscape::Amount;
use crate::cli::runner::Runner;
use crate::cli::{self, Folder, Plan, Profile, Reproduce, Run};
use crate::config::{AppendixA, Claims, Config, Lines, PhaseMaps, Theorem2, usage};
use crate::error::{Error, Result};
use crate::output::line;
use crate::session::{Computing, Session};
use crate::settings::{self, Settings};

/// Lines of the quick profile: time is cheap there, and two directions of the paper's family show how alike they are.
const QUICK: &[(Family, u64)] = &[(Family::Uniform, 0), (Family::Uniform, 1), (Family::Gaussian, 0)];

pub(crate) fn run(options: &Reproduce) -> Result<()> {
    let (size, data) = match (options.profile, options.data.as_slice()) {
        (Profile::Paper, []) => return steps(),
        (Profile::Paper, _) => return paper(options),
        (Profile::Quick, []) => (Size::Quick, None),
        (Profile::Quick, _) => {
            return Err(Error::Usage(
                "--data goes with --profile small or paper; quick makes its own images".to_string(),
            ));
        }
        (Profile::Small, []) => {
            let problem = "--profile small needs --data: a name such as cifar10 (after `valleys data fetch cifar10`), or a folder";
            return Err(Error::Usage(problem.to_string()));
        }
        (Profile::Small, [one]) => (Size::Small, Some(Path::new(one))),
        (Profile::Small, more) => {
            let problem = format!("--data names {} sets; allowed with --profile small: one", more.len());
            return Err(Error::Usage(problem));
        }
    };
    if !options.networks.is_empty() || options.seeds.is_some() {
        return Err(Error::Usage("--networks and --seeds go with --profile paper".to_string()));
    }
    let seed = Seed(options.seed);
    let (name, network, directions) = match size {
        Size::Quick => ("quick", Architecture::ResNet8, QUICK),
        _ => ("small", Architecture::ResNet20, LINES),
    };
    let mut preset = Preset::new(size, network, Method::Swa, seed);
    if size == Size::Small {
        // The trajectory needs every epoch.
        preset.training.checkpoints.every = 1;
    }
    let Settings { data: images, training, landscape } = settings::preset(preset, &options.set)?;
    let dataset = network::dataset(data, &images, training.network, seed)?;
    let landscape = landscape.within(dataset.train().len(), dataset.test().len());
    let recipe = training.clone().check().map_err(usage)?;
    let everything = (size == Size::Small).then(|| Counts::of(Amount::Small));
    if let Some(counts) = &everything {
        landscape::check_everything_of_run(&recipe, &landscape, counts)?;
    }
    let config = Config {
        data: Some(network::describe(&dataset)),
        theorem2: Some(Theorem2::default()),
        phase_map: Some(PhaseMaps::default()),
        claims: Some(Claims { names: Vec::new(), cases: Effort::default().cases() }),
        appendix_a: Some(AppendixA::default()),
        training: Some(training),
        landscape: Some(landscape),
        lines: Some(Lines {
            through: "SGD".to_string(),
            directions: directions.iter().map(|&(family, index)| (family.to_string(), index)).collect(),
        }),
        ..Config::of(&format!("reproduce --profile {name}"), seed)
    };
    let computing = Computing::new(recipe.config().backend, &Runner::default())?;
    let mut session = Session::computing(&options.output, "valleys-run", &config, seed, computing)?;

    theory::theorem1_steps(&mut session, seed)?;
    theory::theorem2_steps(&mut session, seed, &Theorem2::default())?;
    phase_map::steps(&mut session, seed, &PhaseMaps::default())?;
    let claims = check::step(&mut session, &[], &registry(), Effort::default(), seed)?;
    line(check::summary(&claims))?;
    theory::appendix_a_step(&mut session, seed, &AppendixA::default())?;

    let command = session.folder.manifest().command.clone();
    network::train(&mut session, &command, &recipe, &dataset)?;
    match &everything {
        None => landscape::lines_of_run(&mut session, data, directions)?,
        Some(counts) => landscape::everything_of_run(&mut session, data, counts)?,
    }
    session.finish()
}

/// Trains the chosen networks on the chosen data sets, measures every landscape, and compares them.
fn paper(options: &Reproduce) -> Result<()> {
    if options.seed != 1 {
        return Err(Error::Usage(format!(
            "--seed is {}; with --profile paper, --seeds N takes the seeds 1 to N",
            options.seed
        )));
    }
    let networks = match options.networks.as_slice() {
        [] => cli::NETWORKS.map(str::to_string).to_vec(),
        named => named.to_vec(),
    };
    let folder = options.output.out.clone().unwrap_or_else(|| "valleys-suite".into());
    let before = folder.join("suite.toml").is_file();
    if before && !options.output.resume {
        return Err(Error::file(&folder, "holds a suite already; --resume goes on with it"));
    }
    // A suite that is there is widened, or what it cannot become is refused.
    suite::plan(&Plan {
        folder: folder.clone(),
        networks,
        data: options.data.clone(),
        seeds: options.seeds.unwrap_or(5),
        preset: cli::Preset::Paper,
        method: "table1".to_string(),
        // The trajectory needs epochs; a tenth of the paper's are enough for its shape.
        set: [vec!["checkpoints.every=10".to_string()], options.set.clone()].concat(),
        // What it costs was told when it was made.
        measure: if before { 0 } else { 32 },
    })?;
    suite::run(&Run {
        folder: folder.clone(),
        cells: Vec::new(),
        landscape: Some(Amount::Paper),
        runner: Runner::default(),
        flight: Flight::default(),
    })?;
    suite::collect(&Folder { folder })
}

/// Says how the paper's networks are trained, which no single command should begin unasked.
fn steps() -> Result<()> {
    line("The paper's five networks, four data sets and five seeds are long work. In steps:")?;
    line("  valleys suite plan DIR      what it costs on this machine, from measured steps")?;
    line("  valleys suite run DIR --landscape paper")?;
    line("                              on as many machines as see DIR; stop and go on at any time")?;
    line("  valleys suite collect DIR   Table 1, and what the landscapes say of it, with one page a run")?;
    line("In one command, for networks and data sets of your choice:")?;
    line("  valleys reproduce --profile paper --networks resnet110 --data cifar10 --seeds 1 --out DIR")?;
    line("With less time, start with --profile quick or --profile small.")
}
