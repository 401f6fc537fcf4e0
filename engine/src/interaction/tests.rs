//! Golden vectors of interaction records.
