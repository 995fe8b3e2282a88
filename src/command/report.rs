//! `valleys report`: every picture and the report anew, from the records alone.

use crate::cli::Report;
use crate::error::Result;
use crate::output::line;
use crate::run_folder::RunFolder;
use crate::session::write_report;

pub(crate) fn run(options: &Report) -> Result<()> {
    let folder = RunFolder::existing(&options.run)?;
    for (name, record) in folder.records()? {
        folder.draw(&name, &record)?;
    }
    write_report(&folder)?;
    line(format!("report: {}", folder.path("report.html").display()))
}
