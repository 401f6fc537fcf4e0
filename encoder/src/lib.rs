//! Images and texts to vectors, by a model of the user's own in ONNX: on the processor, in Rust
//! alone, without a network.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use encoder::{Encoder, Options, Run, Source, Unwatched, run};
//!
//! let encoder = Encoder::open("clip/model.onnx".as_ref(), &Options::default())?;
//! let rows = ["a.jpg", "b.png"].map(|path| (path, Source::Path(path.into())));
//! run(&encoder, rows, &Run::default(), &Unwatched, |batch| {
//!     for (path, result) in batch {
//!         match result {
//!             Ok(row) => println!("{path}: {} numbers", row.vector.len()),
//!             Err(failure) => println!("{path}: {failure}"),
//!         }
//!     }
//!     Ok(())
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! Where the model leaves the size of a batch open, each row is computed alone: its vector has the
//! same bits whichever rows are beside it, in batches of any size, on any number of threads.

mod device;
mod encoder;
mod error;
mod graph;
mod model;
mod picture;
mod pool;
mod preprocessing;
mod resample;
mod runner;
mod thumbnail;
mod words;

pub use device::{Backend, Used};
pub use encoder::{Encoded, Encoder, Options, Source};
pub use error::{Error, Failure};
pub use graph::Layout;
pub use model::{Kind, Model, OpenOptions, Takes, takes};
pub use picture::Limits;
pub use pool::Pooling;
pub use preprocessing::{CLIP, Fit, HALF, IMAGENET, Preprocessing, Scaling};
pub use resample::{Filter, Pixels, resize};
pub use runner::{Run, Unwatched, Watch, run};
pub use thumbnail::thumbnail;
pub use words::{Tokens, Words};
