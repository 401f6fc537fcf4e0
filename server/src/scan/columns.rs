//! A file's decoded columns → the table's columns: stored ones reshaped, absent ones null,
//! partition values repeated, rows numbered.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};
use datafusion::scalar::ScalarValue;

use super::ROW_COLUMN;
use super::reshape::{Mismatch, Reshape};
use crate::lake::snapshot::{DataFile, Snapshot};

/// A column that a scan is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// By its position in the snapshot's schema.
    Column(usize),
    /// The virtual column [`ROW_COLUMN`].
    Row,
}

/// Where one of the table's columns comes from, in one file.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A column of the file, by its position there.
    Stored(usize, Reshape),
    Missing(DataType),
    Constant(ScalarValue),
    Row,
}

/// Builds batches of the wanted columns out of decoded ones.
#[derive(Debug, Clone)]
pub(crate) struct Assembly {
    schema: SchemaRef,
    slots: Vec<Slot>,
    /// The file's columns to decode, ascending.
    decode: Vec<usize>,
}

#[derive(Debug, Clone)]
enum Slot {
    /// A decoded column, by its position among the decoded ones.
    Decoded(usize, Reshape),
    Missing(DataType),
    Constant(ScalarValue),
    Row,
}

/// The field of the virtual column.
pub(crate) fn row_field() -> Field {
    Field::new(ROW_COLUMN, DataType::Int64, false)
}

/// The schema of some wanted columns.
pub(crate) fn schema_of(snapshot: &Snapshot, wanted: &[Wanted]) -> SchemaRef {
    let all = snapshot.schema.fields();
    let field = |wanted: &Wanted| match wanted {
        Wanted::Column(position) => all.get(*position).map(Arc::clone),
        Wanted::Row => Some(Arc::new(row_field())),
    };
    Arc::new(Schema::new(wanted.iter().filter_map(field).collect::<Fields>()))
}

/// Where a wanted column comes from in a file that stores `stored`.
pub(crate) fn origin(
    snapshot: &Snapshot,
    file: &DataFile,
    stored: &Fields,
    wanted: Wanted,
) -> Result<Origin, Mismatch> {
    let Wanted::Column(position) = wanted else {
        return Ok(Origin::Row);
    };
    let Some(field) = snapshot.schema.fields().get(position) else {
        return Ok(Origin::Missing(DataType::Null));
    };
    let partition = snapshot.partition_columns.iter().position(|name| name == field.name());
    if let Some(value) = partition.and_then(|partition| file.partition.get(partition)) {
        return Ok(Origin::Constant(value.clone()));
    }
    let physical = snapshot.physical.get(position);
    let found = physical.and_then(|physical| Some((physical, physical.find(stored)?)));
    match found.and_then(|(physical, at)| Some((physical, at, stored.get(at)?))) {
        Some((physical, at, from)) => Ok(Origin::Stored(at, Reshape::plan(from, field, physical)?)),
        None => Ok(Origin::Missing(field.data_type().clone())),
    }
}

impl Assembly {
    /// An assembly of columns with these origins; `schema` has a field for each.
    pub(crate) fn new(schema: SchemaRef, origins: Vec<Origin>) -> Self {
        let mut decode: Vec<usize> = origins.iter().filter_map(Origin::stored).collect();
        decode.sort_unstable();
        decode.dedup();
        Self::on_decoded(schema, origins, decode)
    }

    /// The same on a given choice of decoded columns, which holds all that are needed.
    pub(crate) fn on_decoded(schema: SchemaRef, origins: Vec<Origin>, decode: Vec<usize>) -> Self {
        let place = |at: usize| decode.binary_search(&at).unwrap_or(usize::MAX);
        let slot = |origin| match origin {
            Origin::Stored(at, reshape) => Slot::Decoded(place(at), reshape),
            Origin::Missing(data_type) => Slot::Missing(data_type),
            Origin::Constant(value) => Slot::Constant(value),
            Origin::Row => Slot::Row,
        };
        let slots = origins.into_iter().map(slot).collect();
        Self { schema, slots, decode }
    }

    /// The file's columns to decode, ascending; [`Self::assemble`] expects them in this order.
    pub(crate) fn decode(&self) -> &[usize] {
        &self.decode
    }

    /// The wanted columns of a decoded batch, whose rows have these numbers in the table.
    pub(crate) fn assemble(
        &self,
        decoded: &RecordBatch,
        rows: Option<&Int64Array>,
    ) -> Result<RecordBatch, ArrowError> {
        let len = decoded.num_rows();
        let column = |slot: &Slot| -> Result<ArrayRef, ArrowError> {
            match slot {
                Slot::Decoded(at, reshape) => {
                    let column = decoded.columns().get(*at).ok_or_else(undecoded)?;
                    reshape.apply(column)
                }
                Slot::Missing(data_type) => Ok(new_null_array(data_type, len)),
                Slot::Constant(value) => value
                    .to_array_of_size(len)
                    .map_err(|error| ArrowError::ExternalError(Box::new(error))),
                Slot::Row => {
                    rows.map(|rows| Arc::new(rows.clone()) as ArrayRef).ok_or_else(undecoded)
                }
            }
        };
        let columns = self.slots.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let columns = columns
            .into_iter()
            .zip(self.schema.fields())
            .map(fit)
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(len));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }
}

impl Origin {
    /// The column of the file that it comes from.
    pub(crate) fn stored(&self) -> Option<usize> {
        match self {
            Self::Stored(at, _) => Some(*at),
            _ => None,
        }
    }

    /// The value that the column has in all rows of the file, if it has one.
    pub(crate) fn constant(&self) -> Option<ScalarValue> {
        match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Missing(data_type) => ScalarValue::try_new_null(data_type).ok(),
            Self::Stored(..) | Self::Row => None,
        }
    }
}

/// The column under exactly the field's type: nested fields may differ in nullability alone.
fn fit((column, field): (ArrayRef, &Arc<Field>)) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == field.data_type() {
        return Ok(column);
    }
    arrow_cast::cast(&column, field.data_type())
}

fn undecoded() -> ArrowError {
    ArrowError::SchemaError("a wanted column was not decoded".to_owned())
}
