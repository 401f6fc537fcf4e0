//! Batches in types that every reader knows: views become plain strings and lists, runs
//! become values. Nothing else is cast.

mod spell;

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, UnionFields};

use super::error::IpcError;
use spell::Speller;

/// The schema that [`plain_batch`] gives its batches.
pub fn plain_schema(schema: &Schema) -> Schema {
    Schema::new_with_metadata(plain_fields(schema.fields()), schema.metadata().clone())
}

/// Whether a type is written as it is.
pub fn is_plain(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View
        | DataType::BinaryView
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::RunEndEncoded(..) => false,
        DataType::Dictionary(_, values) => is_plain(values),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => is_plain(field.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| is_plain(field.data_type())),
        DataType::Union(fields, _) => fields.iter().all(|(_, field)| is_plain(field.data_type())),
        _ => true,
    }
}

/// A batch of [`plain_schema`]. Spelling out views and runs may take memory that the batch
/// did not: at most `bytes_max`.
pub fn plain_batch(
    batch: &RecordBatch,
    schema: &SchemaRef,
    bytes_max: usize,
) -> Result<RecordBatch, IpcError> {
    let mut speller = Speller::new(bytes_max);
    let columns = batch
        .schema_ref()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, array)| speller.array(array).map_err(|error| error.at(field.name())))
        .collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|source| IpcError::Array { at: "batch".to_owned(), source })
}

fn plain_fields(fields: &Fields) -> Fields {
    fields.iter().map(plain_field).collect()
}

fn plain_field(field: &FieldRef) -> FieldRef {
    if is_plain(field.data_type()) {
        return Arc::clone(field);
    }
    let runs_nullable = match field.data_type() {
        DataType::RunEndEncoded(_, values) => values.is_nullable(),
        _ => false,
    };
    let plain = Field::new(
        field.name(),
        plain_type(field.data_type()),
        field.is_nullable() || runs_nullable,
    );
    Arc::new(plain.with_metadata(field.metadata().clone()))
}

fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::ListView(field) | DataType::List(field) => DataType::List(plain_field(field)),
        DataType::LargeListView(field) | DataType::LargeList(field) => {
            DataType::LargeList(plain_field(field))
        }
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(plain_field(field), *size),
        DataType::Map(field, is_sorted) => DataType::Map(plain_field(field), *is_sorted),
        DataType::Struct(fields) => DataType::Struct(plain_fields(fields)),
        DataType::Union(fields, mode) => DataType::Union(plain_union_fields(fields), *mode),
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type()),
        DataType::Dictionary(keys, values) => {
            DataType::Dictionary(keys.clone(), Box::new(plain_type(values)))
        }
        other => other.clone(),
    }
}

fn plain_union_fields(fields: &UnionFields) -> UnionFields {
    fields.iter().map(|(id, field)| (id, plain_field(field))).collect()
}
