//! The types that answers are made of: no views and no run-end encoding, which many readers
//! lack. Everything else keeps its type.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};

/// The type that stands for `data_type` in an answer.
pub fn data_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::ListView(item) => DataType::List(field(item)),
        DataType::LargeListView(item) => DataType::LargeList(field(item)),
        DataType::RunEndEncoded(_, values) => self::data_type(values.data_type()),
        DataType::List(item) => DataType::List(field(item)),
        DataType::LargeList(item) => DataType::LargeList(field(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(field(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Dictionary(keys, values) => {
            DataType::Dictionary(keys.clone(), Box::new(self::data_type(values)))
        }
        other => other.clone(),
    }
}

/// The type with dictionaries taken apart too, for formats that cannot replace a dictionary
/// between two batches.
pub fn without_dictionary(data_type: &DataType) -> DataType {
    let field = |field: &FieldRef| -> FieldRef {
        let plain = without_dictionary(field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(plain))
    };
    match data_type {
        DataType::Dictionary(_, values) => without_dictionary(values),
        DataType::List(item) => DataType::List(field(item)),
        DataType::LargeList(item) => DataType::LargeList(field(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(field(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

fn field(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(data_type(field.data_type())))
}

/// The schema with every type made plain.
pub fn schema(schema: &Schema) -> Schema {
    schema_by(schema, data_type)
}

/// The schema with each column's type replaced.
pub fn schema_by(schema: &Schema, change: impl Fn(&DataType) -> DataType) -> Schema {
    let changed = |field: &FieldRef| -> Field {
        field.as_ref().clone().with_data_type(change(field.data_type()))
    };
    Schema::new_with_metadata(
        schema.fields().iter().map(changed).collect::<Vec<_>>(),
        schema.metadata().clone(),
    )
}

/// The batch with the columns cast to the types of `schema`, in as many batches as 32-bit
/// offsets need.
pub fn batches(batch: &RecordBatch, schema: &Arc<Schema>) -> Result<Vec<RecordBatch>, ArrowError> {
    match cast(batch, schema) {
        Ok(batch) => Ok(vec![batch]),
        // Views address more bytes than offsets do: half the rows may fit.
        Err(_) if batch.num_rows() > 1 => {
            let half = batch.num_rows() / 2;
            let mut parts = batches(&batch.slice(0, half), schema)?;
            parts.extend(batches(&batch.slice(half, batch.num_rows() - half), schema)?);
            Ok(parts)
        }
        Err(error) => Err(error),
    }
}

fn cast(batch: &RecordBatch, schema: &Arc<Schema>) -> Result<RecordBatch, ArrowError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns
        .map(|(column, field)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => cast_with_options(column, field.data_type(), &strict),
        })
        .collect::<Result<Vec<ArrayRef>, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
}
