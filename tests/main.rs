//! The whole system from outside.

mod parity;
mod shaders;
mod tidy;
