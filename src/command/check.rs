//! `valleys check`: every claim and how it stands, tried again.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use valleys_figures::words::slack;
use valleys_proofs::{Claim, Effort, Standing, check, named, proofs};
use valleys_sim::Seed;
use valleys_sim::record::{ClaimRow, Claims, Record, TrialRow, WeakeningRow};

use crate::cli;
use crate::config::{self, Config, usage};
use crate::error::{Error, Result};
use crate::output::{self, line};
use crate::progress::{Terminal, catch_interrupts};
use crate::session::{Session, wrong_kind};

pub(crate) fn run(options: &cli::Check) -> Result<()> {
    let chosen = named(&options.claims).map_err(usage)?;
    if options.list {
        return list(&chosen);
    }
    let effort = options.cases.map_or_else(|| Ok(Effort::default()), Effort::new).map_err(usage)?;
    // The keys of std's hash maps come from the operating system; hashing nothing shows them.
    let seed = Seed(if options.fresh_seed { RandomState::new().hash_one(()) } else { options.seed });
    let claims = match &options.out {
        None => {
            catch_interrupts()?;
            check(&chosen, effort, seed, &Terminal::new())?
        }
        Some(folder) => {
            let config = Config {
                claims: Some(config::Claims { names: options.claims.clone(), cases: effort.cases() }),
                ..Config::of("check", seed)
            };
            let output = cli::Output { out: Some(folder.clone()), resume: options.resume, force: options.force };
            let mut session = Session::open(&output, "valleys-run-check", &config, seed)?;
            let claims = step(&mut session, &options.claims, &chosen, effort, seed)?;
            session.finish()?;
            claims
        }
    };
    if options.json {
        output::json(&claims)?;
    } else {
        if options.claims.is_empty() {
            table(&claims)?
        } else {
            claims.rows.iter().try_for_each(show)?
        }
        line("")?;
        line(format!("seed {}, {} a part: {}", seed.0, counted(effort.cases().into(), "case"), summary(&claims)))?;
        line(coq())?;
    }
    let missed: Vec<&str> = claims.rows.iter().filter(|row| !row.upheld).map(|row| row.id.as_str()).collect();
    if missed.is_empty() { Ok(()) } else { Err(Error::Failed(format!("not upheld: {}", missed.join(", ")))) }
}

/// The step of a run that checks the claims that names ask for.
pub(super) fn step(
    session: &mut Session,
    names: &[String],
    claims: &[Claim],
    effort: Effort,
    seed: Seed,
) -> Result<Claims> {
    let names: String = names.iter().map(|name| format!(" {name}")).collect();
    let command = format!("valleys check{names} --seed {} --cases {}", seed.0, effort.cases());
    let record =
        session.step("claims", &command, |_, observer| Ok(Record::Claims(check(claims, effort, seed, observer)?)))?;
    match record {
        Record::Claims(claims) => Ok(claims),
        _ => Err(wrong_kind("claims")),
    }
}

fn list(claims: &[Claim]) -> Result<()> {
    let width = claims.iter().map(|claim| claim.id.len()).max().unwrap_or_default();
    claims.iter().try_for_each(|claim| {
        let fault = match claim.standing {
            Standing::Refuted { fault, .. } => format!(" (false: {fault})"),
            Standing::Proved { .. } | Standing::Tested | Standing::Open => String::new(),
        };
        let Claim { id, words, formula, .. } = claim;
        line(format!("{id:<width$}  {:<8}  {words}: {formula}{fault}", claim.standing.name()))
    })
}

fn table(claims: &Claims) -> Result<()> {
    let smallest = |row: &ClaimRow, search: &str| {
        let slacks = row.trials.iter().filter(|trial| trial.search == search).filter_map(|trial| trial.smallest_slack);
        if row.counterexample.is_some() { "–".to_string() } else { slack(slacks.reduce(f64::min)) }
    };
    let hypotheses = |row: &ClaimRow| {
        let count = |effect: &str| row.weakenings.iter().filter(|it| it.effect == effect).count();
        let counts = ["needed", "not needed", "unknown"].map(|effect| (count(effect), effect));
        let said: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, effect)| format!("{count} {effect}")).collect();
        said.join(", ")
    };
    let rows: Vec<_> = claims
        .rows
        .iter()
        .map(|row| {
            vec![
                row.id.clone(),
                row.standing.clone(),
                if row.proofs.is_empty() { "–" } else { "yes" }.to_string(),
                row.cases().to_string(),
                smallest(row, "random"),
                smallest(row, "adversarial"),
                hypotheses(row),
                if row.upheld { "yes" } else { "NO" }.to_string(),
            ]
        })
        .collect();
    output::table(
        &["claim", "standing", "Coq", "cases", "slack, random", "slack, adversary", "hypotheses", "upheld"],
        &rows,
    )
}

/// One claim in full.
fn show(row: &ClaimRow) -> Result<()> {
    line(format!("{} ({})", row.id, row.source))?;
    line(format!("  {}: {}", row.words, row.formula))?;
    for hypothesis in &row.hypotheses {
        line(format!("  if  {hypothesis}"))?;
    }
    let upheld = if row.upheld { "upheld" } else { "NOT UPHELD" };
    let fault = row.fault.as_ref().map(|fault| format!(": {fault}")).unwrap_or_default();
    line(format!("  {}{fault}; {upheld}", row.standing))?;
    if !row.proofs.is_empty() {
        line(format!("  Coq: {}", row.proofs.join(", ")))?;
    }
    row.trials.iter().try_for_each(|trial| line(format!("  {}", tried(trial))))?;
    if let Some(counterexample) = &row.counterexample {
        line(format!("  counterexample: {counterexample}"))?;
    }
    row.weakenings.iter().try_for_each(weakened)
}

fn tried(trial: &TrialRow) -> String {
    let alarm = match trial.false_alarm {
        0.0 => String::new(),
        probability => format!(", false alarm with probability at most {probability:.0e}"),
    };
    let cases = counted(trial.cases, "case");
    format!("tried: {}: {cases}, smallest slack {}{alarm}", trial.method, slack(trial.smallest_slack))
}

fn weakened(it: &WeakeningRow) -> Result<()> {
    line(format!("  {}: “{}”; instead: {}", it.effect, it.hypothesis, it.instead))?;
    let mut shown: Vec<String> = it.because.iter().cloned().collect();
    shown.extend(it.counterexample.iter().map(|counterexample| format!("counterexample: {counterexample}")));
    if it.counterexample.is_none() {
        shown.extend(it.trials.iter().map(tried));
    }
    if !it.proofs.is_empty() {
        shown.push(format!("Coq: {}", it.proofs.join(", ")));
    }
    if !it.upheld {
        shown.push("NOT UPHELD".to_string());
    }
    shown.iter().try_for_each(|text| line(format!("    {text}")))
}

/// One line on all claims.
pub(super) fn summary(claims: &Claims) -> String {
    let count = |standing: &str| claims.rows.iter().filter(|row| row.standing == standing).count();
    let standings = ["proved", "refuted", "tested", "open"].map(|standing| (count(standing), standing));
    let said: Vec<String> =
        standings.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    let upheld = claims.rows.iter().filter(|row| row.upheld).count();
    let alarm = match claims.rows.iter().map(ClaimRow::false_alarm).sum() {
        0.0 => "no false alarm is possible".to_string(),
        probability => format!("a false alarm has probability at most {probability:.0e}"),
    };
    format!("{} ({}), {upheld} upheld; {alarm}", counted(claims.rows.len() as u64, "claim"), said.join(", "))
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Whether the proofs can be checked here too.
fn coq() -> String {
    let count = proofs::theorems().count();
    let script = "proofs-check/coq/check.sh";
    let is_there = |folder: &Path| folder.join("coqc").is_file();
    if env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| is_there(&folder))) {
        format!("Coq is installed: {script} checks the {count} machine-checked theorems again")
    } else {
        format!(
            "Coq is not installed, so the {count} machine-checked theorems are cited, not checked: {script} --install"
        )
    }
}
