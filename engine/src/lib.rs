//! Limn's query model and its reference evaluator over Arrow arrays.
//!
//! Data flows one way: a [`slice`] (batches decoded by [`ipc`]) is filtered by a
//! [`predicate`] that was [`bind`]-ed to its schema and [`eval`]-uated to a
//! [`mask`]; [`summary`], [`group`], [`order`] and [`sample`] turn slice and mask
//! into what a view shows; [`execute`] runs a whole [`query`] that way.
//!
//! No I/O, no async, no clock: the same code runs in tests, in the browser's
//! worker and in the server, and is the reference semantics of a filter.

pub mod bind;
pub mod calendar;
mod column;
pub mod cube;
pub mod error;
pub mod eval;
pub mod execute;
pub mod gather;
pub mod group;
mod hash;
pub mod interaction;
mod intern;
pub mod ipc;
pub mod kind;
pub mod label;
pub mod literal;
pub mod mask;
pub mod order;
pub mod predicate;
pub mod query;
pub mod sample;
pub mod selection;
pub mod slice;
pub mod steps;
pub mod summary;
