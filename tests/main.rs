//! The whole system from outside.

mod tidy;
