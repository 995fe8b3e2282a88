//! Every claim stands as it says.

use std::collections::BTreeSet;

use valleys_proofs::{Effort, Standing, check, named, registry};
use valleys_sim::progress::{Silent, Stopped};
use valleys_sim::record::ClaimRow;
use valleys_sim::{Error, Seed};

fn examined(cases: u32, seed: u64) -> Vec<ClaimRow> {
    let effort = Effort::new(cases).expect("valid");
    check(&registry(), effort, Seed(seed), &Silent).expect("no examination fails").rows
}

#[test]
fn every_claim_is_upheld() {
    // The statistical series say how often each raises a false alarm; the seed is fixed.
    let rows = examined(200, 1);
    assert_eq!(rows.len(), registry().len());
    for row in &rows {
        assert!(row.upheld, "{row:#?}");
        assert!(row.cases() > 0);
    }
    let false_alarm: f64 = rows.iter().map(ClaimRow::false_alarm).sum();
    assert!(false_alarm <= 1e-6, "the whole suite has {false_alarm}");
}

#[test]
fn refutations_show_the_numbers() {
    let rows = examined(1, 0);
    let evidence = |id: &str| {
        let row = rows.iter().find(|row| row.id == id).expect("registered");
        row.counterexample.as_deref().expect("refuted")
    };
    assert!(evidence("theorem1-printed-maximum").contains("−1/4 is not at least 1/2, in both readings"));
    assert!(evidence("theorem1-printed-radius").contains("−1/4 is not at least 1/2"));
    assert!(evidence("theorem1-printed-oblique").contains("−395/8 is not at least 1/2"));
    assert!(evidence("theorem2-printed-first-round").contains("mean -0.5 (-1 as printed)"));
    assert!(evidence("theorem2-every-asymmetry").contains("(0.25, 0, −1) has mean -0.2500"));
    assert!(evidence("theorem2-exact-law-any-noise").contains("it is 1, not (s − b)/2 = ½"));
    assert!(evidence("theorem2-long-run-variance").contains("the long-run mean is −3/49"));
    assert!(
        evidence("theorem2-momentum").contains("c = 5/2, μ = ½")
            && evidence("theorem2-momentum").contains("mean −1/20")
    );
}

#[test]
fn identifiers_are_unique_and_every_standing_has_its_reason() {
    let claims = registry();
    let ids: BTreeSet<&str> = claims.iter().map(|claim| claim.id).collect();
    assert_eq!(ids.len(), claims.len());
    for claim in &claims {
        assert!(!claim.hypotheses.is_empty(), "{claim:?}");
        if let Standing::Refuted { fault, .. } = claim.standing {
            assert!(!fault.is_empty());
        }
    }
}

#[test]
fn every_named_proof_exists() {
    let known: BTreeSet<&str> = valleys_proofs::proofs::theorems().collect();
    for claim in registry() {
        let proofs = claim.standing.proofs().iter();
        for name in proofs.chain(claim.weakenings.iter().flat_map(|weakening| weakening.effect.proofs())) {
            assert!(known.contains(name), "{}: no theorem {name} in coq/theorems.txt", claim.id);
        }
    }
}

#[test]
fn weakenings_change_a_hypothesis_of_their_claim() {
    for claim in registry() {
        for weakening in &claim.weakenings {
            assert!(claim.hypotheses.contains(&weakening.hypothesis), "{}: {weakening:?}", claim.id);
        }
    }
}

#[test]
fn a_part_is_checked_by_name_and_gives_the_same_rows() {
    let effort = Effort::new(4).expect("valid");
    let all = examined(4, 3);
    let claims = named(&["theorem1".into()]).expect("known");
    let part = check(&claims, effort, Seed(3), &Silent).expect("runs").rows;
    assert!(part.len() > 2 && part.iter().all(|row| row.id.starts_with("theorem1") && all.contains(row)));
    let error = named(&["theorem3".into()]).expect_err("no such claim").to_string();
    assert!(error.contains("`theorem3`") && error.contains("theorem1-"), "{error}");
}

#[test]
fn the_same_seed_gives_the_same_record() {
    assert_eq!(examined(4, 7), examined(4, 7));
    assert_ne!(examined(4, 7), examined(4, 8));
}

#[test]
fn an_interruption_stops_the_examination() {
    assert_eq!(check(&registry(), Effort::default(), Seed(0), &Stopped), Err(Error::Interrupted));
}
