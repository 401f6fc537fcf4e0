//! The whole system from outside.

mod shaders;
mod tidy;
