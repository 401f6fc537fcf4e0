//! The tests of this crate stand beside this file; it holds nothing itself.
