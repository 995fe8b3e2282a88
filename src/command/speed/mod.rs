//! `valleys speed`: how fast networks run, in lines of JSON for programs that compare, and how fast they could.

pub(crate) mod account;

use serde::Serialize;
use valleys_harness::exec::BackendKind;
use valleys_harness::model::Architecture;
use valleys_harness::speed::{Effort, PointImages, Speed, images, points};

use crate::backend::choose;
use crate::cli::Measure;
use crate::config::usage;
use crate::error::{Error, Result};
use crate::output::line;

/// What was measured of one network.
#[derive(Serialize)]
struct Measured {
    network: &'static str,
    backend: BackendKind,
    /// Images in a batch.
    batch: usize,
    /// Images a second.
    training: Speed,
    evaluation: Speed,
    /// Points a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<Speed>,
    /// Of every point.
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<PointImages>,
    /// Points measured at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    points_in_flight: Option<usize>,
}

/// Prints the speeds of networks, each as soon as it is known.
pub(crate) fn measure(options: &Measure) -> Result<()> {
    let backend = choose(&options.runner, BackendKind::Cuda)?;
    let networks = networks(&options.networks)?;
    let (batch, effort) = (usize::from(options.batch), Effort::of_seconds(options.seconds));
    let of_points = match options.images {
        0 => None,
        count => Some(PointImages { statistics: count, train: count, test: count }),
    };
    for network in networks {
        let [training, evaluation] = images(network, backend, batch, effort)?;
        let in_flight = options.flight.points_in_flight;
        let points = of_points.map(|images| points(network, backend, images, in_flight, effort)).transpose()?;
        row(&Measured {
            network: network.name(),
            backend,
            batch,
            training,
            evaluation,
            points,
            images: of_points,
            points_in_flight: of_points.map(|_| in_flight.get()),
        })?;
    }
    Ok(())
}

/// A backend of this build.
#[derive(Serialize)]
struct Known {
    backend: BackendKind,
    works: bool,
    /// Precision and device, or what is missing.
    about: String,
}

/// Prints every backend, and whether it works here.
pub(crate) fn backends() -> Result<()> {
    BackendKind::ALL.into_iter().try_for_each(|backend| {
        let described = backend.describe();
        let works = described.is_ok();
        row(&Known { backend, works, about: described.unwrap_or_else(|error| error.to_string()) })
    })
}

fn networks(names: &[String]) -> Result<Vec<Architecture>> {
    names.iter().map(|name| Architecture::parse(name).map_err(usage)).collect()
}

fn row(value: &impl Serialize) -> Result<()> {
    line(serde_json::to_string(value).map_err(|error| Error::Failed(error.to_string()))?)
}
