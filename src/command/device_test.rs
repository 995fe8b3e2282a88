//! `valleys device-test`: what a device is worth, against the reference.

use std::sync::Arc;

use valleys_harness::device_test::{
    Compared, MANY_IMAGES, OPERATION_IMAGES, QUANTITIES, compare, compare_network, compare_steps, convolutions, exact,
    operations, recordings,
};
use valleys_harness::exec::BackendKind;
use valleys_harness::model::Architecture;
use valleys_harness::suite::Rates;
use valleys_sim::progress::Observer;

use crate::backend::choose;
use crate::cli::DeviceTest;
use crate::config::usage;
use crate::error::{Error, Result};
use crate::output::{line, table};
use crate::progress::{Terminal, catch_interrupts, interrupted};

pub(crate) fn run(options: &DeviceTest) -> Result<()> {
    let backend = choose(&options.runner, BackendKind::Cuda)?;
    let networks: Vec<Architecture> = match options.networks.as_slice() {
        [] => Architecture::ALL.to_vec(),
        named => named.iter().map(|name| Architecture::parse(name).map_err(usage)).collect::<Result<_>>()?,
    };
    line(backend.describe()?)?;
    catch_interrupts()?;
    let observer = Terminal::new();
    let (operations, convolutions) = (operations()?, convolutions()?);
    let count = operations.len() + convolutions.len() + 2 + networks.len();
    observer.begin("operations and networks", count as u64);
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    let mut enter = |compared: Compared, rates: Option<Rates>| {
        failures.extend(failure(&compared));
        rows.push(row(&compared, rates));
        observer.advance(1);
        if interrupted() { Err(Error::Interrupted) } else { Ok(()) }
    };
    for (name, graph) in operations {
        enter(compare(name, &Arc::new(graph), backend, OPERATION_IMAGES)?, None)?;
    }
    for (name, graph) in convolutions {
        enter(compare(&format!("{name}, {MANY_IMAGES} images"), &Arc::new(graph), backend, MANY_IMAGES)?, None)?;
    }
    enter(compare_steps(backend)?, None)?;
    for network in networks {
        let rates = match usize::from(options.batch) {
            0 => None,
            batch => Some(Rates::measure(network, backend, batch)?),
        };
        enter(compare_network(network, backend)?, rates)?;
    }
    let exact = exact(backend)?;
    let recordings = recordings(backend)?;
    observer.finish();
    let [logits, gradient, statistics] = QUANTITIES;
    table(&["", logits, gradient, statistics, "used", "bits", "train images/s", "eval"], &rows)?;
    for (what, same) in exact {
        line(format!("{what}: {}", if same { "the same bits as on the processor" } else { "OTHER BITS" }))?;
        if !same {
            failures.push(format!("{what}: other bits than on the processor"));
        }
    }
    if let Some(recordings) = recordings {
        line(format!("CUDA graphs: {} of steps, statistics and losses recorded", recordings.recorded))?;
        recordings.refused.iter().try_for_each(|reason| line(format!("CUDA graphs: one not recorded: {reason}")))?;
    }
    match failures.as_slice() {
        [] => line(format!("{backend}: everything holds")),
        [first, others @ ..] => {
            others.iter().try_for_each(line)?;
            Err(Error::Failed(first.clone()))
        }
    }
}

fn row(compared: &Compared, rates: Option<Rates>) -> Vec<String> {
    let mut row = vec![compared.name.clone()];
    row.extend(compared.errors.map(|error| format!("{error:.1e}")));
    row.push(format!("{:.0} %", 100.0 * compared.share()));
    row.push(if compared.same_bits { "same" } else { "VARY" }.to_owned());
    row.extend(rates.iter().flat_map(|rates| [rates.training, rates.evaluation]).map(|rate| format!("{rate:.0}")));
    row
}

/// What is wrong, in one line.
fn failure(compared: &Compared) -> Option<String> {
    if compared.holds() {
        return None;
    }
    let beyond = QUANTITIES.iter().zip(compared.errors.iter().zip(compared.allowed));
    let mut wrong: Vec<String> = beyond
        .filter(|(_, (error, allowed))| **error > *allowed || error.is_nan())
        .map(|(quantity, (error, allowed))| format!("{quantity} off by {error:.1e}; allowed: {allowed:.1e}"))
        .collect();
    if !compared.same_bits {
        wrong.push("other bits the second time".to_owned());
    }
    Some(format!("{}: {}", compared.name, wrong.join(", ")))
}
