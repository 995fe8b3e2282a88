//! `valleys speed account`: what a batch asks of the CUDA backend, in Markdown.

use valleys_harness::exec::account::{Account, Floor, Gpu, H100_SXM, Precision, Total};
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
    let known: Vec<(Architecture, Graph)> =
        networks(&options.networks)?.into_iter().map(|it| Ok((it, it.graph(CLASSES)?))).collect::<Result<_>>()?;
    let [single, tf32, bf16] = gpu.operations.map(|rate| rate / 1e12);
    line(format!(
        "Batches of {images}; milliseconds at {}'s {:.2} TB/s and {single:.0} (single), {tf32:.0} (TF32) or {bf16:.0} (bf16) TFLOP/s.\n",
        gpu.name,
        gpu.bandwidth / 1e12
    ))?;
    row(&[
        "network",
        "",
        "kernels",
        "cuDNN",
        "memory",
        "GB read",
        "GB written",
        "GFLOP",
        "ms of memory",
        "ms of arithmetic: single / TF32 / bf16",
        "floor, single: max / by launch / sum",
        "floor, TF32: max / by launch / sum",
    ])?;
    rule(12)?;
    for (network, graph) in &known {
        for (what, account) in
            [("training", Account::training(graph, images)), ("evaluation", Account::evaluation(graph, images))]
        {
            row(&sums(&network.title(), what, &account, &gpu))?;
        }
    }
    line("\nA training step by kind of step, launches and GB read and written:\n")?;
    let accounts: Vec<Account> = known.iter().map(|(_, graph)| Account::training(graph, images)).collect();
    let titles: Vec<String> = known.iter().map(|(network, _)| network.title()).collect();
    row(&[vec![String::new()], titles].concat())?;
    rule(1 + known.len())?;
    by_step(&accounts).iter().try_for_each(|cells| row(cells))
}

fn sums(title: &str, what: &str, account: &Account, gpu: &Gpu) -> Vec<String> {
    let Total { kernels, convolutions, memory, read, written, operations } = account.total();
    let [single, tf32, bf16] =
        [Precision::Single, Precision::Tf32, Precision::Bf16].map(|precision| account.floor(gpu, precision));
    let floor = |Floor { memory, arithmetic, launch_by_launch }: Floor| {
        let bounds = [memory.max(arithmetic), launch_by_launch, memory + arithmetic];
        bounds.map(milliseconds).join(" / ")
    };
    vec![
        title.to_owned(),
        what.to_owned(),
        kernels.to_string(),
        convolutions.to_string(),
        memory.to_string(),
        gigabytes(read),
        gigabytes(written),
        format!("{:.0}", operations as f64 / 1e9),
        milliseconds(single.memory),
        [single, tf32, bf16].map(|floor| milliseconds(floor.arithmetic)).join(" / "),
        floor(single),
        floor(tf32),
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
            format!("{launches}, {}", gigabytes(total.read + total.written))
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
