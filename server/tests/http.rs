//! The router from outside: every route of the contract, every kind of problem, and what a query
//! does while it is answered, dropped or out of memory. On a store in memory that can be told to
//! hang or fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "http/cancel.rs"]
mod cancel;
#[path = "http/limits.rs"]
mod limits;
#[path = "http/routes.rs"]
mod routes;
#[path = "http/spill.rs"]
mod spill;
#[path = "http/streaming.rs"]
mod streaming;
#[path = "http/world.rs"]
mod world;
