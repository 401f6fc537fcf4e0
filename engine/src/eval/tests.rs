//! The evaluator, shown on small batches.
