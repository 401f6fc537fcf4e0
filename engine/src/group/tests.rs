//! Groups, shown on small batches.
