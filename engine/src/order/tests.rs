//! Orders, shown on small batches.
