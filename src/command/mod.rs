//! One file a command or a group of steps that commands share.

pub(crate) mod certify;
pub(crate) mod check;
pub(crate) mod checkpoint;
pub(crate) mod data;
pub(crate) mod device_test;
pub(crate) mod golden;
pub(crate) mod landscape;
pub(crate) mod network;
pub(crate) mod phase_map;
pub(crate) mod report;
pub(crate) mod reproduce;
pub(crate) mod speed;
pub(crate) mod suite;
pub(crate) mod theory;
pub(crate) mod train;
