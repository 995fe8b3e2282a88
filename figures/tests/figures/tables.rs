//! CSV is exact: shortest digits, empty cells for what was not measured, and the columns that the pictures draw.

use crate::fixtures;

use valleys_figures::{Table, tables};
use valleys_sim::Profile;
use valleys_sim::record::Record;

fn all(name: &str, record: Record) -> Vec<Table> {
    tables(name, &record).expect("a record that can be tabulated")
}

fn names(tables: &[Table]) -> Vec<&str> {
    tables.iter().map(|table| table.name.as_str()).collect()
}

#[test]
fn a_line_has_a_row_an_offset_and_empty_cells_for_what_was_not_measured() {
    let mut line = fixtures::line();
    line.train = Profile::new(vec![-1.0, 0.0, 1.0], vec![2.5, 0.1, 1.0e-7])
        .and_then(|it| it.with_standard_errors(vec![0.5, 0.25, 0.0]))
        .expect("a profile");
    line.train_accuracy = Some(vec![0.25, 1.0, 0.5]);
    line.test = Some(Profile::new(vec![-1.0, 0.0, 1.0], vec![3.0, 1.0 / 3.0, 2.0]).expect("a profile"));
    line.test_accuracy = None;
    line.judgement.front.truncate(1);
    let tables = all("line-0", Record::Line(line));
    assert_eq!(names(&tables), ["line-0", "line-0-certificates", "line-0-front"]);
    assert_eq!(
        tables[0].to_csv(),
        "offset,train_loss,train_standard_error,train_accuracy,test_loss,test_standard_error,test_accuracy\n\
         -1,2.5,0.5,0.25,3,,\n\
         0,0.1,0.25,1,0.3333333333333333,,\n\
         1,1e-7,0,0.5,2,,\n"
    );
    assert_eq!(
        tables[1].to_csv(),
        "certificate,verdict,mirrored,half_line,r_hi,r_lo,p,c,c_is_lower_bound,gain\n\
         canonical,asymmetric,false,3,2.4,0.6,0.08,5.6,false,0.166\n\
         matched,asymmetric,false,3,1,0.1,0.05,2.2,false,0.01\n"
    );
    assert_eq!(tables[2].to_csv(), "width,r_hi,r_lo,p,c,c_is_lower_bound,gain\n0.2,2,0.6,0.03,60,true,0.147\n");
}

#[test]
fn the_bias_map_is_long_with_one_row_a_cell() {
    let mut map = fixtures::bias_map();
    (map.c, map.nu) = (vec![1.5, 3.0], vec![0.0, 0.5]);
    map.long_run = vec![vec![-0.1, 0.2], vec![0.3, 0.4]];
    map.round = vec![vec![-1.0, 2.0], vec![3.0, 4.0]];
    map.thresholds.truncate(1);
    (map.thresholds[0].nu, map.thresholds[0].c) = (vec![0.0, 0.5], vec![2.0, 3.0]);
    let tables = all("map", Record::BiasMap(map));
    assert_eq!(
        tables[0].to_csv(),
        "c,nu_over_a_plus,long_run_mean_eta_a_plus,round_mean_eta_a_plus\n\
         1.5,0,-0.1,-1\n3,0,0.2,2\n1.5,0.5,0.3,3\n3,0.5,0.4,4\n"
    );
    assert_eq!(
        tables[1].to_csv(),
        "threshold,nu_over_a_plus,c\n(C) every prepared round,0,2\n(C) every prepared round,0.5,3\n"
    );
    assert_eq!(
        tables[2].to_csv(),
        "quantity,value\nb_plus_over_a_plus,0.5\nhalf_width_eta_a_plus,0.012\nsteps,254200000\n"
    );
}

#[test]
fn the_phase_map_is_long_with_one_row_a_cell() {
    let mut map = fixtures::phase_map();
    (map.c, map.nu) = (vec![1.5, 3.0], vec![0.25]);
    map.rows.truncate(1);
    let row = &mut map.rows[0];
    (row.long_run, row.round) = (vec![-0.1, 0.2], vec![-1.0, 2.0]);
    (row.negative, row.steps) = (vec![0.5, 0.0], vec![131_072, 262_144]);
    let tables = all("phase-map", Record::PhaseMap(map));
    assert_eq!(names(&tables), ["phase-map", "phase-map-thresholds", "phase-map-summary"]);
    assert_eq!(
        tables[0].to_csv(),
        "c,nu_over_a_plus,long_run_mean_eta_a_plus,round_mean_eta_a_plus,negative_share,steps\n\
         1.5,0.25,-0.1,-1,0.5,131072\n3,0.25,0.2,2,0,262144\n"
    );
    assert_eq!(
        tables[2].to_csv(),
        "quantity,value\nb_plus_over_a_plus,0.5\nc_prime_over_c,1\nhalf_width_eta_a_plus,0.005\nsteps,393216\n"
    );
}

#[test]
fn appendix_a_has_one_column_a_seed() {
    let mut appendix = fixtures::appendix_a();
    appendix.seeds.truncate(2);
    appendix.offsets = vec![-0.5, 0.5];
    appendix.seeds[0].losses = vec![1.0, 2.0];
    appendix.seeds[1].losses = vec![0.1, 0.2];
    appendix.without_optimum = vec![7];
    let tables = all("appendix-a", Record::AppendixA(appendix));
    assert_eq!(names(&tables), ["appendix-a", "appendix-a-seeds", "appendix-a-without-optimum"]);
    assert_eq!(tables[0].to_csv(), "offset,loss_seed_0,loss_seed_1\n-0.5,1,0.1\n0.5,2,0.2\n");
    assert_eq!(tables[1].rows.len(), 2);
    assert_eq!(tables[2].to_csv(), "seed\n7\n");
}

#[test]
fn words_with_commas_and_quotes_are_quoted() {
    let mut claims = fixtures::claims();
    claims.rows.truncate(1);
    claims.rows[0].words = "if a, then \"b\"".to_owned();
    claims.rows[0].counterexample = Some("line\nbreak".to_owned());
    let csv = all("claims", Record::Claims(claims))[0].to_csv();
    assert!(csv.starts_with("id,source,words,formula,hypotheses,standing,fault,proofs,cases,smallest_slack,"));
    assert!(csv.contains(",\"if a, then \"\"b\"\"\",") && csv.contains(",\"line\nbreak\","), "{csv}");
}

#[test]
fn claims_have_tables_of_their_hypotheses_and_trials() {
    let tables = all("claims", Record::Claims(fixtures::claims()));
    assert_eq!(names(&tables), ["claims", "claims-hypotheses", "claims-trials"]);
    assert_eq!((tables[0].rows.len(), tables[1].rows.len(), tables[2].rows.len()), (3, 2, 6));
    assert!(tables[2].to_csv().contains(",random,admissible worlds,1000,"));
}

#[test]
fn every_table_is_rectangular_and_its_numbers_read_back_exactly() {
    let mut seen = Vec::new();
    for (name, record) in fixtures::all().into_iter().chain(fixtures::awkward()) {
        for table in all(name, record) {
            assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.name);
            for cell in table.rows.iter().flatten() {
                if let valleys_figures::table::Cell::Number(value) = cell {
                    let single = Table {
                        name: String::new(),
                        columns: vec![String::new()],
                        rows: vec![vec![valleys_figures::table::Cell::Number(*value)]],
                    };
                    assert_eq!(single.to_csv().trim().parse::<f64>(), Ok(*value));
                }
            }
            seen.push(table.name);
        }
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count, "two tables share a name");
}

#[test]
fn table1_shows_spreads_and_differences_in_points() {
    let table = fixtures::table1();
    let (columns, rows) = valleys_figures::table1::solutions(&table);
    assert_eq!(columns.len(), rows[0].len());
    assert_eq!(rows[0][4..6], ["94.98 ± 0.20".to_owned(), "78.94".to_owned()], "one deviation is not known");
    let (_, rows) = valleys_figures::table1::differences(&table);
    assert_eq!(rows[1][2..6], ["SWA − SGD after SWA", "test accuracy, points", "5", "0.65 ± 0.30"].map(str::to_owned));
}
