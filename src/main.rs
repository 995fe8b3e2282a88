//! `valleys`: arguments in, library calls, exit code out.

mod backend;
mod cli;
mod command;
mod config;
mod curve;
mod error;
mod json_lines;
mod lock;
mod manifest;
mod output;
mod progress;
mod run_folder;
mod session;
mod settings;
mod sheet;
mod shell;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use cli::checkpoint::Checkpoint;
use cli::{Cli, Command, Data, Speed, Suite};
use error::{Error, Result};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done about a closed standard error.
            let _ = writeln!(std::io::stderr(), "valleys: {error}");
            error.exit_code()
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    if let Some(threads) = cli.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .map_err(|error| Error::Failed(format!("threads: {error}")))?;
    }
    match &cli.command {
        Command::Reproduce(options) => command::reproduce::run(options),
        Command::Theorem1(options) => command::theory::theorem1(options),
        Command::Theorem2(options) => command::theory::theorem2(options),
        Command::PhaseMap(options) => command::phase_map::run(options),
        Command::Check(options) => command::check::run(options),
        Command::AppendixA(options) => command::theory::appendix_a(options),
        Command::Train(options) => command::train::run(options),
        Command::Suite(Suite::Plan(options)) => command::suite::plan(options),
        Command::Suite(Suite::Run(options)) => command::suite::run(options),
        Command::Suite(Suite::Status(options)) => command::suite::status(options),
        Command::Suite(Suite::Collect(options)) => command::suite::collect(options),
        Command::Data(Data::Fetch(options)) => command::data::fetch(options),
        Command::Data(Data::Verify(options)) => command::data::verify(options),
        Command::Data(Data::Info(options)) => command::data::info(options),
        Command::Checkpoint(Checkpoint::Info(options)) => command::checkpoint::info(options),
        Command::Checkpoint(Checkpoint::Export(options)) => command::checkpoint::export(options),
        Command::Checkpoint(Checkpoint::Import(options)) => command::checkpoint::import(options),
        Command::Checkpoint(Checkpoint::Evaluate(options)) => command::checkpoint::evaluate(options),
        Command::Landscape(experiment) => command::landscape::run(experiment),
        Command::Certify(options) => command::certify::run(options),
        Command::Report(options) => command::report::run(options),
        Command::DeviceTest(options) => command::device_test::run(options),
        Command::Speed(Speed::Measure(options)) => command::speed::measure(options),
        Command::Speed(Speed::Account(options)) => command::speed::account::run(options),
        Command::Speed(Speed::Backends) => command::speed::backends(),
        Command::Golden(options) => command::golden::run(options),
    }
}
