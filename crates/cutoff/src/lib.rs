//! cutoff
