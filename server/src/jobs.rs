//! Jobs: long work on tables, each in a process of its own. A [`spec::JobSpec`] says what is
//! wanted, [`work`] does it, reading by queries and writing a table, and [`queue`] runs the
//! processes of a server: one after another, told of, cancelled, and begun anew after a restart.

pub(crate) mod child;
mod device;
pub mod estimate;
pub mod failure;
mod further;
mod lineage;
mod load;
mod log;
mod onto;
pub mod queue;
pub mod record;
pub(crate) mod results;
pub mod spec;
mod steps;
pub mod stored;
mod vectors;
pub mod work;
