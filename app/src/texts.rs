//! Every text that the user of the page reads or hears: names, sentences, hints, notices.
//! Code elsewhere says `texts::rows::COPY`, and never spells a word itself.
//!
//! A language is a module with the same names, which alone decides on plurals and on the
//! order of words. To add one, copy `texts/english.rs` and its folder, translate them, and
//! let a feature of the crate choose here which of the two is used. The compiler then names
//! what a language lacks, and nobody loads a language that they do not read.

mod english;

pub use english::*;
