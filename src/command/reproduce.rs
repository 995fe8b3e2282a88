//! `valleys reproduce`: the whole story in one run.

use std::sync::Arc;

use valleys_figures::words::number;
use valleys_harness::landscape::Probe;
use valleys_harness::landscape::direction::Law;
use valleys_harness::model::Architecture;
use valleys_harness::preset::Preset;
use valleys_harness::train::Method;
use valleys_proofs::{Effort, registry};
use valleys_sim::Seed;
use valleys_sim::asymmetry::Verdict;
use valleys_sim::direction::mean_pairwise_cosine;

use super::network::{self, Ray};
use super::{check, landscape, theory};
use crate::cli::{Profile, Reproduce};
use crate::config::{AppendixA, Claims, Config, Lines, Theorem2, usage};
use crate::error::{Error, Result};
use crate::output::line;
use crate::session::Session;
use crate::settings::Settings;

/// Lines through the SGD solution, as in the paper's Figure 3: of the paper's family, and of one whose law has no
/// preferred sign. Two of the paper's have cosine ¾ with each other, so a second one is worth its time only where time
/// is cheap.
const QUICK: &[(&str, u64)] = &[("uniform", 0), ("uniform", 1), ("gaussian", 0)];
const SMALL: &[(&str, u64)] = &[("uniform", 0), ("gaussian", 0)];

pub(crate) fn run(options: &Reproduce) -> Result<()> {
    let (name, data) = match (options.profile, &options.data) {
        (Profile::Paper, _) => return paper(),
        (Profile::Quick, None) => ("quick", None),
        (Profile::Quick, Some(_)) => {
            return Err(Error::Usage("--data goes with --profile small; quick makes its own images".to_string()));
        }
        (Profile::Small, Some(folder)) => ("small", Some(folder.as_path())),
        (Profile::Small, None) => {
            let problem = "--profile small needs --data: a name such as cifar10 (after `valleys data fetch cifar10`), or a folder";
            return Err(Error::Usage(problem.to_string()));
        }
    };
    let seed = Seed(options.seed);
    let (preset, directions) = match options.profile {
        Profile::Small => (Preset::small(Architecture::ResNet20, Method::Swa, seed), SMALL),
        _ => (Preset::quick(Architecture::ResNet8, Method::Swa, seed), QUICK),
    };
    let Settings { data: images, mut training, landscape } = preset.into();
    if options.profile == Profile::Small {
        // The trajectory needs every epoch.
        training.checkpoints.every = 1;
    }
    let dataset = network::dataset(data, &images, training.network, seed)?;
    let landscape = landscape.within(dataset.train().len(), dataset.test().len());
    let directions: Vec<_> = directions.iter().map(|&(family, index)| (family.to_string(), index)).collect();
    let config = Config {
        data: Some(network::describe(&dataset)),
        theorem2: Some(Theorem2::default()),
        claims: Some(Claims { names: Vec::new(), cases: Effort::default().cases() }),
        appendix_a: Some(AppendixA::default()),
        training: Some(training.clone()),
        landscape: Some(landscape.clone()),
        lines: Some(Lines { through: "SGD".to_string(), directions: directions.clone() }),
        ..Config::of(&format!("reproduce --profile {name}"), seed)
    };
    let recipe = training.check().map_err(usage)?;
    let mut session = Session::open(&options.output, "valleys-run", &config, seed)?;

    theory::theorem1_steps(&mut session, seed)?;
    theory::theorem2_steps(&mut session, seed, &Theorem2::default())?;
    let claims = check::step(&mut session, &[], &registry(), Effort::default(), seed)?;
    line(check::summary(&claims))?;
    theory::appendix_a_step(&mut session, seed, &AppendixA::default())?;

    let source = if data.is_some() { " --data DATA" } else { "" };
    let command = format!("valleys reproduce --profile {name}{source} --seed {}", seed.0);
    network::train(&mut session, &command, &recipe, &dataset)?;
    let architecture = recipe.config().network;
    let graph = Arc::new(architecture.graph(dataset.classes())?);
    let solution = |phase| network::solution(&session.folder, phase, architecture, &dataset, &graph);
    let (swa, sgd) = (solution("swa")?, solution("sgd-after-swa")?);
    let mut probe = Probe::new(&graph, &dataset, landscape.spec.clone())?;
    let title = format!("{} on {}", architecture.title(), dataset.title());
    let (mut asymmetric, mut drawn) = (0, Vec::new());
    for (family, index) in &directions {
        let law = Law::of(family.parse().map_err(usage)?);
        let ray = Ray {
            name: &format!("line-{family}-{index}"),
            title: format!("{title}, SGD solution"),
            centre: &sgd,
            law: &law,
            index: *index,
            refine: 0,
        };
        drawn.push(law.draw(&sgd, seed, *index)?);
        let judgement = network::ray(&mut session, &command, &ray, &landscape, &mut probe, seed)?;
        asymmetric += usize::from(judgement.verdict == Verdict::Asymmetric);
    }
    let tried = directions.len();
    line(format!("{asymmetric} of {tried} lines asymmetric (c > 2) along u or −u, {} directions tried", 2 * tried))?;
    let cosine = number(mean_pairwise_cosine(drawn)?);
    line(format!(
        "mean pairwise cosine of the directions u: {cosine} (several alike are one direction counted often)"
    ))?;
    network::between(&mut session, &command, &title, [("SWA", &swa), ("SGD", &sgd)], &landscape, &mut probe, seed)?;
    if options.profile == Profile::Small {
        landscape::all(&mut session, data)?;
    }
    session.finish()
}

/// Says how the paper's networks are trained, which no single command should begin.
fn paper() -> Result<()> {
    line("The paper's five networks, four data sets and five seeds are long work. In steps:")?;
    line("  valleys suite plan DIR      what it costs on this machine, from measured steps")?;
    line("  valleys suite run DIR       on as many machines as see DIR; stop and go on at any time")?;
    line("  valleys suite collect DIR   Table 1 with standard deviations and paired tests")?;
    line("  valleys landscape line DIR/cells/CELL --data DATA")?;
    line("--networks, --data, --seeds and --preset choose less; here start with --profile quick or --profile small.")
}
