//! Trying a device.

use clap::Args;

use super::runner::Runner;

#[derive(Debug, Args)]
#[command(
    after_help = "The exit code is 1 if an error is larger than rounding may be, or bits do not come again. `used` is the \
largest error as a share of what is allowed.\n\nExamples:\n  valleys device-test --device cuda:0\n  \
valleys device-test --device cpu --networks resnet20,vgg16 --batch 32"
)]
pub(crate) struct DeviceTest {
    #[command(flatten)]
    pub(crate) runner: Runner,
    /// Networks [default: all].
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) networks: Vec<String>,
    /// Images in the steps whose speed is measured; 0 measures none.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(0..=4096))]
    pub(crate) batch: u16,
}
