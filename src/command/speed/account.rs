//! `valleys speed account`: what a batch asks of a CUDA backend, in Markdown.

use valleys_harness::exec::BackendKind;
use valleys_harness::exec::account::{Account, Floor, H100_SXM, Precision, Total};
use valleys_harness::model::{Architecture, Graph};

use super::networks;
use crate::cli;
use crate::error::Result;
use crate::output::line;

/// Classes of the networks.
const CLASSES: usize = 10;

/// Prints the sums of every network, and those of a training step by kind of step.
pub(crate) fn run(options: &cli::Account) -> Result<()> {
    let (gpu, images) = (H100_SXM, usize::from(options.batch));
    let backend: BackendKind = options.backend.parse()?;
    let precision = Precision::of(backend)?;
    let known: Vec<(Architecture, Graph)> =
        networks(&options.networks)?.into_iter().map(|it| Ok((it, it.graph(CLASSES)?))).collect::<Result<_>>()?;
    line(format!(
        "Batches of {images} on {backend}; milliseconds at {}'s {:.2} TB/s and {:.0} TFLOP/s.\n",
        gpu.name,
        gpu.bandwidth / 1e12,
        gpu.rate(precision) / 1e12
    ))?;
    row(&[
        "network",
        "",
        "kernels",
        "cuDNN",
        "memory",
        "GB read",
        "GB written",
        "GB in parts",
        "GFLOP",
        "ms of memory",
        "ms of arithmetic",
        "floor: max / by launch / sum",
    ])?;
    rule(12)?;
    let mut accounts = Vec::new();
    for (network, graph) in &known {
        let training = Account::training(graph, images, precision)?;
        let evaluation = Account::evaluation(graph, images, precision)?;
        for (what, account) in [("training", &training), ("evaluation", &evaluation)] {
            row(&sums(&network.title(), what, account, account.floor(&gpu, precision)))?;
        }
        accounts.push(training);
    }
    line("\nA training step by kind of step: launches, GB read and written, + GB written and read in parts:\n")?;
    let titles: Vec<String> = known.iter().map(|(network, _)| network.title()).collect();
    row(&[vec![String::new()], titles].concat())?;
    rule(1 + known.len())?;
    by_step(&accounts).iter().try_for_each(|cells| row(cells))
}

fn sums(title: &str, what: &str, account: &Account, floor: Floor) -> Vec<String> {
    let Total { kernels, convolutions, memory, read, written, parts, operations } = account.total();
    let bounds = [floor.memory.max(floor.arithmetic), floor.launch_by_launch, floor.memory + floor.arithmetic];
    vec![
        title.to_owned(),
        what.to_owned(),
        kernels.to_string(),
        convolutions.to_string(),
        memory.to_string(),
        gigabytes(read),
        gigabytes(written),
        gigabytes(parts),
        format!("{:.0}", operations as f64 / 1e9),
        milliseconds(floor.memory),
        milliseconds(floor.arithmetic),
        bounds.map(milliseconds).join(" / "),
    ]
}

/// A row a kind of step, in the order of their first appearance, with a cell an account.
fn by_step(accounts: &[Account]) -> Vec<Vec<String>> {
    let steps: Vec<Vec<(&str, Total)>> = accounts.iter().map(Account::by_step).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in steps.iter().flatten() {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let cell = |steps: &Vec<(&str, Total)>, name: &str| match steps.iter().find(|(step, _)| *step == name) {
        Some((_, total)) => {
            let launches = total.kernels + total.convolutions + total.memory;
            let parts = if total.parts > 0 { format!(" + {}", gigabytes(total.parts)) } else { String::new() };
            format!("{launches}, {}{parts}", gigabytes(total.read + total.written))
        }
        None => String::new(),
    };
    let row = |name: &&str| {
        let mut row = vec![(*name).to_owned()];
        row.extend(steps.iter().map(|steps| cell(steps, name)));
        row
    };
    names.iter().map(row).collect()
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.3}", bytes as f64 / 1e9)
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.2}", 1e3 * seconds)
}

fn row(cells: &[impl AsRef<str>]) -> Result<()> {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    line(format!("| {} |", cells.join(" | ")))
}

fn rule(columns: usize) -> Result<()> {
    line(format!("|{}", "---|".repeat(columns)))
}
