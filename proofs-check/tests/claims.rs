//! Every claim stands as it says.

use std::collections::BTreeSet;

use valleys_proofs::{Effort, Standing, examine_all, registry};
use valleys_sim::progress::Silent;
use valleys_sim::record::ClaimRow;
use valleys_sim::{Error, Seed};

fn examined(cases: u32, seed: u64) -> Vec<ClaimRow> {
    let effort = Effort::new(cases).expect("valid");
    examine_all(effort, Seed(seed), &Silent).expect("no examination fails").rows
}

#[test]
fn every_claim_is_upheld() {
    // Five examinations simulate, each with joint intervals at 99.9 %: a false alarm with probability below 0.005. The seed
    // is fixed.
    let rows = examined(200, 1);
    assert_eq!(rows.len(), registry().len());
    for row in &rows {
        assert!(row.upheld, "{row:#?}");
        assert!(row.cases > 0);
    }
}

#[test]
fn refutations_show_the_numbers() {
    let rows = examined(1, 0);
    let evidence = |id: &str| &rows.iter().find(|row| row.id == id).expect("registered").evidence;
    assert!(evidence("theorem1-printed-maximum").contains("-0.250 is not at least 0.5, in both readings"));
    assert!(evidence("theorem1-printed-radius").contains("-0.250 is not at least 0.5"));
    assert!(evidence("theorem1-printed-oblique").contains("-49.375 is not at least 0.5"));
    assert!(evidence("theorem2-printed-first-round").contains("mean -0.5 (-1 as printed)"));
    assert!(evidence("theorem2-every-asymmetry").contains("(0.25, 0, −1) has mean -0.2500"));
    assert!(evidence("theorem2-exact-law-any-noise").contains("not 0.5"));
}

#[test]
fn identifiers_are_unique_and_every_standing_has_its_reason() {
    let claims = registry();
    let ids: BTreeSet<&str> = claims.iter().map(|claim| claim.id).collect();
    assert_eq!(ids.len(), claims.len());
    for claim in &claims {
        assert!(!claim.hypotheses.is_empty(), "{claim:?}");
        if let Standing::Refuted { fault } = claim.standing {
            assert!(!fault.is_empty());
        }
    }
    assert_eq!(claims.iter().filter(|claim| claim.standing.name() == "refuted").count(), 7);
}

#[test]
fn the_same_seed_gives_the_same_record() {
    assert_eq!(examined(4, 7), examined(4, 7));
    assert_ne!(examined(4, 7), examined(4, 8));
}

#[test]
fn an_interruption_stops_the_examination() {
    struct Stop;
    impl valleys_sim::progress::Observer for Stop {
        fn begin(&self, _task: &str, _units: u64) {}
        fn advance(&self, _units: u64) {}
        fn note(&self, _line: &str) {}
        fn finish(&self) {}
        fn interrupted(&self) -> bool {
            true
        }
    }
    assert_eq!(examine_all(Effort::default(), Seed(0), &Stop), Err(Error::Interrupted));
}
