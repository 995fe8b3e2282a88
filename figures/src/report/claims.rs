//! Every claim and how it stands: the statements, the refutations, the hypotheses one by one, and the slack.

use valleys_sim::record::{ClaimRow, Claims, TrialRow, WeakeningRow};

use super::html::{Field, Page};
use super::{Entry, entries_of};
use crate::Result;
use crate::scale::grouped;
use crate::words::slack;

pub(super) fn write(page: &mut Page, entries: &[Entry]) -> Result<()> {
    let claims = entries_of!(Claims in entries);
    if claims.is_empty() {
        return Ok(());
    }
    page.section("Every claim, and how it stands");
    page.paragraph(
        "“Refuted” means that a counterexample was evaluated that meets every hypothesis; “proved”, that a proof was \
         checked by machine (the Coq theorems are named) and that no instance tried contradicts it; “tested”, that none \
         does; “open”, that nobody knows. Slack is by how much a bound held, relative to the size of the instance: random \
         instances show that a bound is true, adversarial ones that it cannot be much better. The last column says \
         whether this run agrees.",
    );
    for (entry, record) in claims {
        standings(page, record);
        proofs(page, record);
        refutations(page, record);
        hypotheses(page, record);
        slacks(page, record);
        page.entry(entry)?;
    }
    Ok(())
}

fn agreement(upheld: bool) -> Field {
    if upheld { "agrees".into() } else { Field::Warning("does not agree".to_owned()) }
}

fn code(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn standings(page: &mut Page, claims: &Claims) {
    let row = |it: &ClaimRow| {
        vec![
            format!("`{}` ({})", it.id, it.source).into(),
            format!("{}: {}", it.words, it.formula).into(),
            it.standing.as_str().into(),
            agreement(it.upheld),
        ]
    };
    let rows: Vec<Vec<Field>> = claims.rows.iter().map(row).collect();
    page.table(&["claim", "statement", "standing", "this run"], &rows);
}

fn proofs(page: &mut Page, claims: &Claims) {
    let of = claims.rows.iter().filter(|it| !it.proofs.is_empty());
    let rows: Vec<Vec<Field>> = of.map(|it| vec![format!("`{}`", it.id).into(), code(&it.proofs).into()]).collect();
    if !rows.is_empty() {
        page.heading("Machine-checked proofs and refutations");
        page.table(&["claim", "theorems of `proofs-check/coq`"], &rows);
    }
}

fn refutations(page: &mut Page, claims: &Claims) {
    let item = |it: &ClaimRow| {
        let fault = it.fault.as_ref()?;
        let shown = it.counterexample.as_ref().map(|shown| format!(" {shown}.")).unwrap_or_default();
        Some(format!("`{}`: {fault}.{shown}", it.id))
    };
    let items: Vec<String> = claims.rows.iter().filter_map(item).collect();
    if !items.is_empty() {
        page.heading("Why the false ones are false");
        page.list(&items);
    }
}

fn hypotheses(page: &mut Page, claims: &Claims) {
    let row = |it: &WeakeningRow| {
        let cases: u64 = it.trials.iter().map(|trial| trial.cases).sum();
        let shown = match (&it.counterexample, &it.because) {
            (Some(counterexample), _) => counterexample.clone(),
            (None, because) => {
                let because = because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
                format!("no counterexample in {}{because}", counted(cases))
            }
        };
        let proofs = if it.proofs.is_empty() { String::new() } else { format!(" ({})", code(&it.proofs)) };
        let effect = if it.upheld {
            it.effect.as_str().into()
        } else {
            Field::Warning(format!("not {} in this run", it.effect))
        };
        vec![it.hypothesis.as_str().into(), it.instead.as_str().into(), effect, format!("{shown}{proofs}").into()]
    };
    let weakened: Vec<&ClaimRow> = claims.rows.iter().filter(|claim| !claim.weakenings.is_empty()).collect();
    if weakened.is_empty() {
        return;
    }
    page.heading("Which hypotheses are needed");
    page.paragraph("Each hypothesis is dropped or weakened in turn, and everything else kept.");
    for claim in weakened {
        page.paragraph(&format!("`{}`: {}", claim.id, claim.words));
        let rows: Vec<Vec<Field>> = claim.weakenings.iter().map(row).collect();
        page.table(&["hypothesis", "instead", "so it is", "shown by"], &rows);
    }
}

fn counted(cases: u64) -> String {
    if cases == 1 { "1 case".to_owned() } else { format!("{} cases", grouped(cases)) }
}

fn slacks(page: &mut Page, claims: &Claims) {
    let row = |id: &str, it: &TrialRow| {
        vec![
            format!("`{id}`").into(),
            it.search.as_str().into(),
            it.method.as_str().into(),
            grouped(it.cases).into(),
            slack(it.smallest_slack).into(),
            if it.false_alarm > 0.0 { format!("{:.0e}", it.false_alarm).into() } else { "none".into() },
        ]
    };
    let holds = claims.rows.iter().filter(|claim| claim.counterexample.is_none());
    let rows: Vec<Vec<Field>> = holds.flat_map(|claim| claim.trials.iter().map(|it| row(&claim.id, it))).collect();
    if !rows.is_empty() {
        page.heading("How close the instances come");
        page.table(&["claim", "search", "instances", "cases", "smallest slack", "chance of a false alarm"], &rows);
    }
}
