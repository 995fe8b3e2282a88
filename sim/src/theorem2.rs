//! theorem2
