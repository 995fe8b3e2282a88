//! theorem1
