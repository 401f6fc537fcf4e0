//! Jobs: long work on tables, each in a process of its own. A [`spec::JobSpec`] says what is
//! wanted of vectors, an [`encode::EncodeSpec`] what vectors are wanted, a [`label::LabelSpec`]
//! what rows are called; [`work`] does it, reading by queries and writing a table, and [`queue`]
//! runs the processes of a server: one after another, told of, cancelled, and begun anew after a
//! restart.

pub(crate) mod child;
mod device;
pub(crate) mod encode;
pub mod estimate;
pub mod failure;
mod further;
pub mod job;
pub mod label;
pub(crate) mod lineage;
mod load;
mod log;
mod measured;
mod onto;
pub mod queue;
pub mod record;
pub(crate) mod results;
pub mod spec;
mod steps;
pub mod stored;
mod vectors;
pub mod work;
