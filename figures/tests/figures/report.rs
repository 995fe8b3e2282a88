//! The report is one well-formed page that says what the records show, and nothing else.

use crate::fixtures;

use std::collections::HashSet;

use resvg::usvg::roxmltree::{Document, ParsingOptions};
use valleys_figures::report::{Entry, Report};
use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::Record;

fn report(records: Vec<(&str, Record)>) -> String {
    let entry = |(name, record): (&str, Record)| Entry {
        name: name.to_owned(),
        record,
        command: format!("valleys reproduce --only {name}"),
    };
    let report = Report {
        title: "Asymmetric valleys".to_owned(),
        manifest: vec![("seed".to_owned(), "0".to_owned()), ("threads".to_owned(), "2".to_owned())],
        entries: records.into_iter().map(entry).collect(),
        index: Vec::new(),
    };
    report.html().expect("a report")
}

/// The words of the page, its style left out.
fn words(html: &str) -> String {
    let document = Document::parse_with_options(html, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() })
        .expect("a well-formed page");
    let body = document.descendants().find(|node| node.has_tag_name("body")).expect("a body");
    body.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
}

#[test]
fn the_page_is_well_formed_self_contained_and_its_ids_are_unique() {
    let html = report(fixtures::all().into_iter().chain(fixtures::awkward()).collect());
    let document = Document::parse_with_options(&html, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() })
        .expect("a well-formed page");
    let mut ids = HashSet::new();
    for node in document.descendants() {
        if let Some(id) = node.attribute("id") {
            assert!(ids.insert(id), "{id} is used twice");
        }
        assert!(!node.has_tag_name("script") && !node.has_tag_name("link") && !node.has_tag_name("img"));
        if let Some(target) = node.attribute("href") {
            assert!(target.strip_prefix('#').is_some_and(|id| html.contains(&format!("id=\"{id}\""))), "{target}");
        }
        if let Some(caption) = node.attribute("aria-labelledby") {
            assert!(html.contains(&format!("id=\"{caption}\"")), "{caption}");
        }
    }
    let count = |tag: &str| document.descendants().filter(|node| node.tag_name().name() == tag).count();
    assert_eq!(count("svg"), 54);
    assert_eq!(count("h2"), 28);
}

#[test]
fn it_tells_the_numbers_with_their_source_and_command() {
    let words = words(&report(fixtures::all()));
    for expected in [
        "−49.375",
        "1 direction was tried along u and −u, so 2 tries: 1 asymmetric (c > 2)",
        "ResNet-8 SWA reaches 97.4\u{a0}% in training and 88.1\u{a0}% in test",
        "lower training accuracy, higher test accuracy",
        "does not agree",
        "theorem2-map-thresholds.csv",
        "valleys reproduce --only line-0",
        "254,200,000 steps",
        "phase-map-thresholds.csv",
        "in 947 of 1,271 cells",
        "threads",
    ] {
        assert!(words.contains(expected), "{expected} is missing");
    }
}

#[test]
fn it_adapts_to_what_the_records_show() {
    let mut line = fixtures::line();
    line.judgement.verdict = Verdict::Symmetric;
    line.judgement.canonical = None;
    let mut solutions = fixtures::solutions();
    solutions.rows[0].test_accuracy = 0.5;
    let mut interpolation = fixtures::interpolation();
    interpolation.judgement.mirrored = true;
    interpolation.bump = 0.25;
    let words = words(&report(vec![
        ("line", Record::Line(line)),
        ("solutions", Record::Solutions(solutions)),
        ("interpolation", Record::Interpolation(interpolation)),
    ]));
    for expected in [
        "0 asymmetric (c > 2), 1 symmetric",
        "but without higher test accuracy",
        "SWA lies on its sharp side",
        "the training loss rises 0.25 above both",
    ] {
        assert!(words.contains(expected), "{expected} is missing");
    }
    assert!(!words.contains("lies on its flat side") && !words.contains("counterexample"));
}

#[test]
fn a_phase_map_says_from_which_asymmetry_on_the_mean_is_positive() {
    let told = |change: &dyn Fn(&mut f64)| {
        let mut map = fixtures::phase_map();
        map.rows.iter_mut().for_each(|row| change(&mut row.long_run[20]));
        words(&report(vec![("phase-map", Record::PhaseMap(map))]))
    };
    assert!(told(&|_| {}).contains("is positive for every ν of the map from c = 3.25 on"), "{}", told(&|_| {}));
    assert!(told(&|mean| *mean = -1.0).contains("on the sharp side in"));
    let mut map = fixtures::phase_map();
    map.rows.iter_mut().for_each(|row| row.long_run.fill(1.0));
    let all = words(&report(vec![("phase-map", Record::PhaseMap(map.clone()))]));
    assert!(all.contains("positive for every c and ν of the map"), "{all}");
    map.rows[3].long_run.fill(0.0);
    let none = words(&report(vec![("phase-map", Record::PhaseMap(map))]));
    assert!(none.contains("positive for no c at every ν of the map"), "{none}");
}

#[test]
fn parts_without_a_record_are_left_out() {
    let html = report(vec![("theorem1-tightness", Record::Tightness(fixtures::tightness()))]);
    assert!(html.contains("Theorem 1: bias towards the flat side helps"));
    assert!(!html.contains("Asymmetric directions of the network") && !html.contains("Theorem 2: when"));
    let empty = report(Vec::new());
    assert!(!empty.contains("What this run found") && empty.contains("The run"));
}

#[test]
fn words_from_records_cannot_become_markup() {
    let mut claims = fixtures::claims();
    claims.rows[0].words = "<script>alert('x')</script> & \"more\"".to_owned();
    let html = report(vec![("<i>name</i>", Record::Claims(claims))]);
    assert!(!html.contains("<script") && !html.contains("<i>"));
    assert!(words(&html).contains("<script>alert('x')</script> & \"more\""));
}

#[test]
fn a_record_that_does_not_add_up_is_refused() {
    let mut solutions = fixtures::solutions();
    solutions.rows[1].test_loss = f64::INFINITY;
    let entry = Entry { name: "solutions".to_owned(), record: Record::Solutions(solutions), command: String::new() };
    let report = Report { title: String::new(), manifest: Vec::new(), entries: vec![entry], index: Vec::new() };
    assert_eq!(
        report.html().expect_err("not finite").to_string(),
        "test_loss of ResNet-8 SGD after SWA is inf; allowed: a finite number"
    );
}

#[test]
fn an_index_leads_to_the_pages_of_single_runs() {
    let page = ("a <run>".to_owned(), "landscape/1/report.html".to_owned());
    let index = vec![("Landscape".to_owned(), vec![page]), ("Empty".to_owned(), Vec::new())];
    let report = Report { title: String::new(), manifest: Vec::new(), entries: Vec::new(), index };
    let html = report.html().expect("a report");
    assert!(
        html.contains("<a href=\"landscape/1/report.html\">a &lt;run&gt;</a>") && !html.contains("Empty"),
        "{html}"
    );
}
