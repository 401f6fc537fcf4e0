//! What has vectors made of it: files of a folder, or cells of a column.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use encoder::{Encoded, Failure, Source};
use serde_json::{Map, Value};

use super::keeper::Keeper;
use super::{EncodeFailure, Place};

/// A row with what became of it.
pub(super) type Made<I> = (I, Result<Encoded, Failure>);

/// Rows as they are read, each with what the model is given of it.
pub(super) type Feed<I> = Box<dyn Iterator<Item = (I, Source)>>;

/// Rows that are read, and the table that they become.
pub(super) trait Rows {
    /// Which row it is, with what else its table has of it.
    type Id;

    /// The columns that are written.
    fn schema(&self) -> SchemaRef;

    /// What the rows follow from, but for the model.
    fn lineage(&self) -> Map<String, Value>;

    /// Leaves out what an earlier run has made.
    fn skip(&mut self, place: &Place<'_>, keeper: &Keeper) -> Result<(), EncodeFailure>;

    /// How many are left, where that is known.
    fn count(&self) -> Option<u64>;

    /// The rows. To be called once.
    fn feed(&mut self, place: &Place<'_>) -> Result<Feed<Self::Id>, EncodeFailure>;

    /// What a person calls a row.
    fn name(&self, id: &Self::Id) -> String;

    fn assemble(&self, rows: Vec<Made<Self::Id>>) -> Result<RecordBatch, ArrowError>;

    /// Whether reading came to the end of the rows.
    fn ended(&mut self) -> Result<(), EncodeFailure>;

    /// Rows that are not what they were when they got their vectors.
    fn changed(&self) -> u64 {
        0
    }
}
