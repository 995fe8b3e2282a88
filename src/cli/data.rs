//! Data sets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    /// Download the official files, unless they are there, and check them.
    Fetch(Fetch),
    /// Compare the files that are there with the published checksums.
    Verify(Verify),
    /// Count a data set's images by class, measure its colours, and draw a contact sheet.
    Info(Info),
}

/// Where data sets lie unless said otherwise.
pub(crate) const DATA_FOLDER: &str = "valleys-data";

#[derive(Debug, Args)]
#[command(
    after_help = "An interrupted download goes on where it stopped. Proxies: https_proxy and http_proxy. Without a \
network, put the archive (its address: docs/data.md) into DIR by hand and run the same command: it is checked and unpacked."
)]
pub(crate) struct Fetch {
    /// Data set: cifar10, cifar100, svhn or stl10.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Folder to put it into.
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    pub(crate) dir: PathBuf,
    /// Address of a folder with the same files, instead of the official one.
    #[arg(long, value_name = "URL")]
    pub(crate) mirror: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Data set: cifar10, cifar100, svhn or stl10.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Folder it lies in.
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    /// A data set fetched before, by name; a folder; or NAME=DIR where a folder holds several.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
    /// Folder that data sets named without one lie in.
    #[arg(long, value_name = "DIR", default_value = DATA_FOLDER)]
    pub(crate) dir: PathBuf,
    /// Seed that parts a folder without train and test, or draws the embedded images.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Draw some training images of every class.
    #[arg(long, value_name = "FILE.png")]
    pub(crate) sheet: Option<PathBuf>,
    /// Images of a class on the sheet.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) images: u8,
}
