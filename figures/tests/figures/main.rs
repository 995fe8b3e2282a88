//! Tables, pictures and the report from made-up records of every kind.

mod evidence;
mod fixtures;
mod landscape;
mod pictures;
mod report;
mod tables;
