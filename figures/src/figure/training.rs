//! Training curves: loss, accuracy and learning rate by epoch.

use valleys_sim::record::{Epoch, Training};

use super::headline;
use crate::canvas::{self, Canvas};
use crate::chart::{self, Frame, Panel, Sample};
use crate::scale::{Axis, percent};
use crate::style::{BLUE, Dash, GREEN, GREY, INK, Marker, Stroke, VERMILION, WIDTH};
use crate::{Picture, Result};

const HEIGHT: f64 = 526.0;
const TRAIN: Stroke = Stroke::new(BLUE);
const TEST: Stroke = Stroke::new(VERMILION).dash(Dash::Dashed);
const SWA: Stroke = Stroke::new(GREEN).width(2.5);
/// With more epochs than this, markers would hide the curves.
const MOST_MARKERS: usize = 40;

/// A quantity of an epoch, where measured.
type Quantity = fn(&Epoch) -> Option<f64>;

const LOSSES: [(Stroke, Marker, Quantity); 3] = [
    (TRAIN, Marker::Disc, |epoch| Some(epoch.running_loss)),
    (TEST, Marker::Triangle, |epoch| epoch.test_loss),
    (SWA, Marker::Diamond, |epoch| epoch.swa_test_loss),
];
const ACCURACIES: [(Stroke, Marker, Quantity); 3] = [
    (TRAIN, Marker::Disc, |epoch| Some(100.0 * epoch.running_accuracy)),
    (TEST, Marker::Triangle, |epoch| epoch.test_accuracy.map(|share| 100.0 * share)),
    (SWA, Marker::Diamond, |epoch| epoch.swa_test_accuracy.map(|share| 100.0 * share)),
];
const RATE: [(Stroke, Marker, Quantity); 1] = [(Stroke::new(INK), Marker::Disc, |epoch| Some(epoch.learning_rate))];

pub(super) fn picture(name: &str, training: &Training) -> Result<Picture> {
    let title = format!("Training of {}", training.title);
    let epochs = training.epochs.len();
    let svg = canvas::draw(WIDTH, HEIGHT, |canvas| {
        headline(canvas, &title, &format!("{epochs} {}", if epochs == 1 { "epoch" } else { "epochs" }))?;
        let mut signs = vec![(Sample::Line(TRAIN), "training, running mean")];
        if measured(training, |epoch| epoch.test_loss) {
            signs.push((Sample::Line(TEST), "test"));
        }
        if measured(training, |epoch| epoch.swa_test_loss) {
            signs.push((Sample::Line(SWA), "test, SWA average"));
        }
        let shaded: Vec<&str> = shaded(training).map(|phase| title_of(&phase[0].phase)).collect();
        let shaded = shaded.join(", ");
        if !shaded.is_empty() {
            signs.push((Sample::Area(GREY, 0.12), &shaded));
        }
        chart::key(canvas, (66.0, WIDTH), 70.0, &signs)?;
        panel(canvas, training, "loss", Frame::new(66.0, 90.0, 384.0, 318.0), &LOSSES)?;
        panel(canvas, training, "accuracy (%)", Frame::new(462.0, 90.0, WIDTH - 20.0, 318.0), &ACCURACIES)?;
        panel(canvas, training, "learning rate", Frame::new(66.0, 384.0, WIDTH - 20.0, 474.0), &RATE)
    })?;
    let last = &training.epochs[epochs - 1];
    let test = last.test_accuracy.map_or(String::new(), |share| format!(", test {}", percent(share)));
    let swa = training.epochs.iter().rev().find_map(|epoch| epoch.swa_test_accuracy);
    let swa = swa
        .map_or(String::new(), |share| format!(" The last SWA average measured has test accuracy {}.", percent(share)));
    let caption = format!(
        "Loss, accuracy and learning rate by epoch. Training values are running means over the epoch's images as trained on, in \
         training mode, so they are not comparable point by point with test values. Last epoch: running training \
         accuracy {}{test}.{swa}",
        percent(last.running_accuracy),
    );
    Ok(Picture { name: name.to_owned(), title, caption, svg })
}

fn measured(training: &Training, quantity: Quantity) -> bool {
    training.epochs.iter().any(|epoch| quantity(epoch).is_some())
}

/// The epochs of every second phase, which are shaded to tell phases apart.
fn shaded(training: &Training) -> impl Iterator<Item = &[Epoch]> {
    training.epochs.chunk_by(|a, b| a.phase == b.phase).skip(1).step_by(2)
}

/// What a phase is called beside the curves.
fn title_of(phase: &str) -> &str {
    match phase {
        "sgd-after-swa" => "SGD after SWA",
        "small-batch" => "small batches",
        other => other,
    }
}

fn panel(
    canvas: &mut Canvas<'_>,
    training: &Training,
    name: &str,
    frame: Frame,
    curves: &[(Stroke, Marker, Quantity)],
) -> Result<()> {
    let epochs = &training.epochs;
    let number = |epoch: &Epoch| f64::from(epoch.epoch);
    let (first, last) = (number(&epochs[0]), number(&epochs[epochs.len() - 1]));
    let values = curves.iter().flat_map(|(_, _, quantity)| epochs.iter().filter_map(quantity));
    // Half an epoch of room on both sides keeps a single epoch in the middle.
    let x = Axis::tight("epoch", [first - 0.5, last + 0.5])?.counting();
    let panel = Panel::new(frame, x, Axis::roomy(name, values)?);
    for phase in shaded(training) {
        let ends = (number(&phase[0]) - 0.5, number(&phase[phase.len() - 1]) + 0.5);
        panel.span(canvas, ends, GREY, 0.12)?;
    }
    panel.axes(canvas)?;
    for (stroke, marker, quantity) in curves {
        let points: Vec<_> = epochs.iter().filter_map(|epoch| Some((number(epoch), quantity(epoch)?))).collect();
        // A phase may begin elsewhere than the one before ended, so no curve leads from one to the next.
        for phase in epochs.chunk_by(|a, b| a.phase == b.phase) {
            panel.curve(canvas, phase.iter().filter_map(|epoch| Some((number(epoch), quantity(epoch)?))), *stroke)?;
        }
        if points.len() <= MOST_MARKERS {
            points.iter().try_for_each(|&at| canvas.marker(panel.at(at.0, at.1), *marker, 3.0, stroke.colour))?;
        }
    }
    Ok(())
}
