//! appendix_a
