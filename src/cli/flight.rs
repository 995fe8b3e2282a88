//! How many points of a landscape are measured at a time.

use clap::Args;
use valleys_harness::landscape::PointsInFlight;

/// The choice of points in flight, as commands that measure landscapes take it.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Flight {
    /// Points of lines that are measured at a time, 1 to 16; each takes the memory of a network and its images. Results
    /// have the same bits for any number.
    #[arg(long, value_name = "N", default_value = "1", value_parser = points_in_flight)]
    pub(crate) points_in_flight: PointsInFlight,
}

fn points_in_flight(text: &str) -> Result<PointsInFlight, String> {
    let points = text.parse().ok().and_then(|points| PointsInFlight::new(points).ok());
    points.ok_or_else(|| format!("allowed: 1 to {}", PointsInFlight::MOST))
}
