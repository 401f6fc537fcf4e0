//! The whole system from outside.

mod answers;
mod parity;
mod shaders;
mod tidy;
