//! Golden values.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Golden {
    /// Folder of the golden files.
    #[arg(long, value_name = "DIR", default_value = "tests/golden")]
    pub(crate) dir: PathBuf,
    /// Rewrite them with this build's values and print the differences.
    #[arg(long)]
    pub(crate) update: bool,
}
