//! Every kind of record becomes a well-formed picture; what cannot be drawn is an error that names the field.

use crate::fixtures;

use resvg::tiny_skia::{Pixmap, Rect};
use resvg::usvg::roxmltree::Document;
use resvg::usvg::{Group, Node, Options, Tree};
use valleys_figures::{Picture, render};
use valleys_sim::Profile;
use valleys_sim::asymmetry::Verdict;
use valleys_sim::record::{LineJudgement, Record};

fn pictures(name: &str, record: &Record) -> Vec<Picture> {
    render(name, record).expect("a record that can be drawn")
}

fn texts(picture: &Picture) -> Vec<String> {
    let document = Document::parse(&picture.svg).expect("well-formed SVG");
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text()).map(|text| text.trim().to_owned()).collect()
}

fn refusal(record: Record) -> String {
    render("it", &record).expect_err("a record that cannot be drawn").to_string()
}

#[test]
fn every_record_gives_small_well_formed_pictures_under_its_name() {
    for (name, record) in fixtures::all() {
        let pictures = pictures(name, &record);
        let expected = match record {
            Record::Claims(_) | Record::Theory(_) | Record::Solutions(_) | Record::Table1(_) => 0,
            Record::Line(_) | Record::PhaseMap(_) => 2,
            _ => 1,
        };
        assert_eq!(pictures.len(), expected, "{name}");
        for (i, picture) in pictures.iter().enumerate() {
            assert!(if i == 0 { picture.name == name } else { picture.name.starts_with(name) });
            let tree = Tree::from_str(&picture.svg, &Options::default()).expect("SVG that parses");
            assert_eq!(tree.size().width(), 800.0, "{name}");
            let is_map = matches!(record, Record::BiasMap(_) | Record::PhaseMap(_) | Record::Plane(_));
            let limit = if is_map { 120_000 } else { 60_000 };
            assert!(picture.svg.len() < limit, "{name} has {} bytes", picture.svg.len());
            assert!(!picture.title.is_empty() && picture.caption.ends_with('.'), "{name}: {}", picture.caption);
            assert!(!picture.svg.contains("NaN") && !picture.svg.contains("inf"), "{name}");
        }
    }
}

/// Every text of a picture with its box on the sheet, set in the embedded font.
fn text_boxes(picture: &Picture) -> Vec<(String, Rect)> {
    fn collect(group: &Group, boxes: &mut Vec<(String, Rect)>) {
        for node in group.children() {
            match node {
                Node::Group(group) => collect(group, boxes),
                Node::Text(text) => {
                    let words = text.chunks().iter().map(|chunk| chunk.text()).collect();
                    boxes.push((words, node.abs_bounding_box()));
                }
                Node::Path(_) | Node::Image(_) => {}
            }
        }
    }
    let mut options = Options::default();
    options.fontdb_mut().load_font_data(dejavu::sans::regular().to_vec());
    options.fontdb_mut().load_font_data(dejavu::sans::bold().to_vec());
    let tree = Tree::from_str(&picture.svg, &options).expect("SVG that parses");
    let mut boxes = Vec::new();
    collect(tree.root(), &mut boxes);
    boxes
}

#[test]
fn no_text_is_cut_off_or_covers_another() {
    for (name, record) in fixtures::all().into_iter().chain(fixtures::awkward()) {
        for picture in pictures(name, &record) {
            let height = Document::parse(&picture.svg)
                .ok()
                .and_then(|document| document.root_element().attribute("height")?.parse::<f32>().ok())
                .expect("a height");
            let boxes = text_boxes(&picture);
            assert!(boxes.len() > 10, "{name}: only {} texts", boxes.len());
            for (i, (text, at)) in boxes.iter().enumerate() {
                let inside = at.left() >= 0.0 && at.top() >= 0.0 && at.right() <= 800.0 && at.bottom() <= height;
                assert!(inside, "{}: {text} is cut off at {at:?}", picture.name);
                for (other, there) in &boxes[..i] {
                    let apart = at.right() <= there.left()
                        || there.right() <= at.left()
                        || at.bottom() <= there.top()
                        || there.bottom() <= at.top();
                    assert!(apart, "{}: {text} covers {other}: {at:?}, {there:?}", picture.name);
                }
            }
        }
    }
}

#[test]
fn a_png_has_twice_the_size_and_shows_something() {
    let picture = &pictures("line", &Record::Line(fixtures::line()))[0];
    let png = picture.png().expect("a PNG");
    let pixels = Pixmap::decode_png(&png).expect("a PNG that decodes");
    assert_eq!((pixels.width(), pixels.height()), (1600, 980));
    let dark = pixels.pixels().iter().filter(|pixel| pixel.red() < 100 && pixel.green() < 100 && pixel.blue() < 100);
    // Axes and words: between a thousandth and a tenth of the sheet.
    let share = dark.count() as f64 / (1600.0 * 980.0);
    assert!((0.001..0.1).contains(&share), "{share} of the sheet is dark");
}

#[test]
fn text_is_set_in_the_embedded_font() {
    // Without its letters a picture would have far fewer dark pixels.
    let picture = &pictures("claims", &Record::Minima(fixtures::minima()))[0];
    let without = Picture { svg: picture.svg.replace("<text", "<desc").replace("</text", "</desc"), ..picture.clone() };
    let dark = |picture: &Picture| {
        let pixels = Pixmap::decode_png(&picture.png().expect("a PNG")).expect("a PNG that decodes");
        pixels.pixels().iter().filter(|pixel| pixel.red() < 100 && pixel.blue() < 100).count()
    };
    assert!(dark(picture) > dark(&without) + 5_000);
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    for (name, record) in fixtures::all() {
        assert_eq!(pictures(name, &record), pictures(name, &record), "{name}");
    }
}

#[test]
fn the_certificate_is_drawn_with_its_numbers() {
    let picture = &pictures("line", &Record::Line(fixtures::line()))[0];
    let texts = texts(picture);
    for expected in [
        "uniform direction 0: asymmetric along u, (r̄, r̲, p, c) = (2.4, 0.6, 0.08, 5.6), measured to R = 3",
        "sharp side: slope > c·p = 0.448",
        "flat side: slope < p = 0.08",
        "matched windows",
    ] {
        assert!(texts.iter().any(|text| text == expected), "{expected} is missing from {texts:?}");
    }
}

#[test]
fn a_lower_bound_says_so() {
    let mut line = fixtures::line();
    line.judgement.canonical = line.judgement.canonical.map(|it| valleys_sim::asymmetry::Certificate {
        c: 4.0e5,
        c_is_lower_bound: true,
        ..it
    });
    let picture = &pictures("line", &Record::Line(line))[0];
    assert!(picture.caption.contains("c ≥ 400000"), "{}", picture.caption);
}

#[test]
fn a_mirrored_certificate_lies_on_the_other_side() {
    let mut line = fixtures::line();
    line.train = line.train.mirrored();
    line.test = line.test.map(|test| test.mirrored());
    line.judgement.mirrored = true;
    let svg = |mirrored: bool| {
        let mut line = line.clone();
        line.judgement.mirrored = mirrored;
        pictures("line", &Record::Line(line)).swap_remove(0).svg
    };
    let place = |svg: &str, word: &str| {
        let document = Document::parse(svg).expect("well-formed SVG");
        let text = document.descendants().find(|node| node.text().is_some_and(|text| text.contains(word)));
        text.and_then(|node| node.attribute("x")?.parse::<f64>().ok()).expect("a labelled window")
    };
    let (right, wrong) = (svg(true), svg(false));
    assert!(place(&right, "flat side") < place(&right, "sharp side"));
    assert!(place(&wrong, "flat side") > place(&wrong, "sharp side"));
    assert!(right.contains("along −u"));
}

#[test]
fn a_line_without_certificate_or_test_profile_is_drawn_plainly() {
    let mut line = fixtures::line();
    line.test = None;
    line.test_accuracy = None;
    line.judgement = LineJudgement {
        mirrored: false,
        verdict: Verdict::NotAValley,
        half_line: 3.0,
        canonical: None,
        matched: None,
        front: Vec::new(),
    };
    let pictures = pictures("line", &Record::Line(line));
    assert_eq!(pictures.len(), 1, "no front, no second picture");
    let texts = texts(&pictures[0]);
    assert!(
        texts.iter().any(|text| text == "uniform direction 0: not a valley along u and −u, measured to R = 3"),
        "{texts:?}"
    );
    assert!(!texts.iter().any(|text| text.contains("test") || text.contains("side")), "{texts:?}");
}

#[test]
fn degenerate_records_are_drawn_or_refused_but_never_panic() {
    let mut training = fixtures::training();
    training.epochs.truncate(1);
    assert_eq!(pictures("one epoch", &Record::Training(training.clone())).len(), 1);
    training.epochs.clear();
    assert_eq!(refusal(Record::Training(training)), "number of epochs is 0; allowed: at least 1");

    let flat = Profile::sample(vec![-1.0, 0.0, 1.0], |_| 0.3).expect("a profile");
    let mut shift = fixtures::shift();
    (shift.train, shift.test) = (flat.clone(), flat.clone());
    (shift.delta, shift.gap) = (vec![0.0], vec![0.0]);
    (shift.best_delta, shift.best_gap, shift.gap_at_zero) = (0.0, 0.0, 0.0);
    let picture = &pictures("constant", &Record::Shift(shift))[0];
    assert!(picture.caption.contains("agree without a shift"), "{}", picture.caption);

    let mut path = fixtures::sgd_path();
    (path.iterates, path.running_mean) = (vec![0.2], vec![0.2]);
    assert_eq!(pictures("no step", &Record::SgdPath(path)).len(), 1);

    let mut map = fixtures::bias_map();
    (map.c, map.nu) = (vec![2.0], vec![0.0]);
    (map.long_run, map.round) = (vec![vec![0.0]], vec![vec![0.0]]);
    assert_eq!(pictures("one cell", &Record::BiasMap(map)).len(), 1);

    let mut map = fixtures::phase_map();
    (map.c, map.nu) = (vec![2.0], vec![0.0]);
    map.rows.truncate(1);
    let row = &mut map.rows[0];
    (row.long_run, row.round, row.negative, row.steps) = (vec![0.0], vec![0.0], vec![0.0], vec![0]);
    assert_eq!(pictures("one cell of a phase map", &Record::PhaseMap(map)).len(), 2);

    let mut law = fixtures::exact_law();
    law.rows.retain(|row| !row.applies);
    assert_eq!(pictures("nothing applies", &Record::ExactLaw(law)).len(), 1);

    let mut interpolation = fixtures::interpolation();
    interpolation.train = Profile::new(vec![2.0, 3.0], vec![0.1, 0.2]).expect("a profile");
    interpolation.test = interpolation.train.clone();
    (interpolation.train_accuracy, interpolation.test_accuracy) = (vec![0.5; 2], vec![0.5; 2]);
    assert_eq!(pictures("ends not measured", &Record::Interpolation(interpolation)).len(), 1);

    let mut appendix = fixtures::appendix_a();
    appendix.seeds.truncate(1);
    assert_eq!(pictures("one seed", &Record::AppendixA(appendix)).len(), 1);
}

#[test]
fn a_record_that_cannot_be_drawn_is_refused_by_name() {
    let mut line = fixtures::line();
    line.train_accuracy = Some(vec![0.5; 60]);
    assert_eq!(refusal(Record::Line(line)), "number of values of train_accuracy is 60; allowed: 61");

    let mut line = fixtures::line();
    line.test = Some(Profile::new(vec![0.0, 1.0], vec![0.0, 1.0]).expect("a profile"));
    assert_eq!(
        refusal(Record::Line(line)),
        "test profile is 2 points from 0 to 1; allowed: the offsets of the training profile, 61 points from -3 to 3"
    );

    let mut map = fixtures::bias_map();
    map.round[3][5] = f64::NAN;
    assert_eq!(refusal(Record::BiasMap(map)), "row 3 of round is NaN; allowed: a finite number");

    let mut map = fixtures::phase_map();
    map.rows[2].negative[7] = 1.5;
    assert_eq!(refusal(Record::PhaseMap(map)), "negative of row 2 is 1.5; allowed: a share in [0, 1]");
    let mut map = fixtures::phase_map();
    map.rows[2].steps.pop();
    assert_eq!(refusal(Record::PhaseMap(map)), "number of steps of row 2 is 40; allowed: 41");
    let mut map = fixtures::phase_map();
    map.rows.pop();
    assert_eq!(refusal(Record::PhaseMap(map)), "number of rows is 30; allowed: 31, one a value of nu");

    let mut minima = fixtures::minima();
    minima.curves.clear();
    assert_eq!(refusal(Record::Minima(minima)), "number of curves is 0; allowed: 1 to 4");

    let mut appendix = fixtures::appendix_a();
    appendix.seeds[4].circle_share = 1.5;
    assert_eq!(refusal(Record::AppendixA(appendix)), "circle_share of seed 4 is 1.5; allowed: a share in [0, 1]");
}

#[test]
fn words_from_records_are_escaped() {
    let mut line = fixtures::line();
    line.title = "<b>&\"'".to_owned();
    let picture = &pictures("line", &Record::Line(line))[0];
    assert!(texts(picture).iter().any(|text| text.starts_with("<b>&\"'")));
}

#[test]
fn a_word_too_long_for_the_sheet_is_cut() {
    let mut path = fixtures::sgd_path();
    path.setting = "a long setting, ".repeat(40);
    let picture = &pictures("path", &Record::SgdPath(path))[0];
    let cut = texts(picture).into_iter().find(|text| text.starts_with("a long")).expect("the setting");
    assert!(cut.ends_with('…') && cut.chars().count() < 140, "{cut}");
}
