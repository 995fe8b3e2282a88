//! Across runs: what goes along with the gain of averaging.

use super::html::Page;
use super::table1::show;
use super::{Entry, entries_of};
use crate::{Result, comparison};

pub(super) fn write(page: &mut Page, entries: &[Entry]) -> Result<()> {
    for (entry, record) in entries_of!(Comparison in entries) {
        page.section("Across runs: what goes along with the gain of averaging?");
        page.paragraph(
            "If asymmetry tells why SWA generalises better, then the gain that the certificates of SGD’s solution promise \
             should order runs as the gain that was seen, and better than curvature and sharpness do. Intervals come from \
             resampling runs, p-values from permuting them; nothing is corrected for the number of quantities. Runs that \
             share network and data are alike, so few of them say little.",
        );
        show(page, comparison::predictors(record));
        page.entry(entry)?;
    }
    Ok(())
}
