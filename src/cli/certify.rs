//! A curve of the reader's own.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "The file is CSV with a header. Columns: offset, train; optionally test, and \
standard_error (of train). Other columns are ignored.\n\nExample:\n  offset,train,test\n  -1.0,2.00,2.10\n  \
0.0,0.10,0.30\n  1.0,0.20,0.35")]
pub(crate) struct Certify {
    /// The curve.
    #[arg(value_name = "FILE.csv")]
    pub(crate) file: PathBuf,
    /// The shift δ̄ > 0 between train and test loss [default: measured, if the file has a test column].
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    pub(crate) shift: Option<f64>,
    /// The shift gap ξ ≥ 0 [default: measured, or 0].
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) xi: Option<f64>,
    /// Smallest ratio c that counts as asymmetric.
    #[arg(long, value_name = "C", default_value_t = 2.0, allow_negative_numbers = true)]
    pub(crate) min_c: f64,
    /// Smallest window width that counts, as a share of R.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, allow_negative_numbers = true)]
    pub(crate) min_width: f64,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also draw the curve with its certificate, as FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
}
