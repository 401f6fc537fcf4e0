//! The table that a job leaves: columns of the source as Delta can hold them, and beside them
//! what was made of the vectors, batch by batch.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::failure::JobFailure;
use crate::delta::write::{CommitInfo, TableWriter, check_schema};
use crate::lake::error::LakeError;
use crate::lake::place::Place;

/// Rows that are written at once.
const BATCH_ROWS: usize = 65_536;

/// Writes the rows and commits them. Gives the version.
pub(super) async fn write(
    place: Place,
    writer_id: &str,
    beside: &[RecordBatch],
    made: &[(String, ArrayRef)],
    info: CommitInfo,
) -> Result<u64, JobFailure> {
    let Some(first) = beside.first() else { return Err(nothing(&place).into()) };
    let types: Vec<(String, DataType)> =
        made.iter().map(|(name, column)| (name.clone(), column.data_type().clone())).collect();
    let schema = schema(first.schema().fields().iter().map(AsRef::as_ref), &types);
    let bad = |error: ArrowError| LakeError::Unwritable {
        table: place.name.clone(),
        reason: error.to_string(),
    };
    let mut writer = TableWriter::begin(place.clone(), Arc::clone(&schema), writer_id).await?;
    let mut row = 0;
    for batch in beside {
        let mut at = 0;
        while at < batch.num_rows() {
            let rows = BATCH_ROWS.min(batch.num_rows() - at);
            let part = batch.slice(at, rows);
            let batch = joined(&part, made, row, &schema).map_err(&bad)?;
            writer.write(&batch).await?;
            (at, row) = (at + rows, row + rows);
        }
    }
    Ok(writer.commit(info).await?)
}

/// Whether a result of these columns can be written: of the source, and those that are made.
pub(super) fn check(
    place: &Place,
    kept: &[Field],
    made: &[(String, DataType)],
) -> Result<(), LakeError> {
    check_schema(place, &schema(kept, made))
}

fn nothing(place: &Place) -> LakeError {
    LakeError::Unwritable { table: place.name.clone(), reason: "there are no rows".to_owned() }
}

fn joined(
    beside: &RecordBatch,
    made: &[(String, ArrayRef)],
    row: usize,
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let own = beside
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| arrow_cast::cast(column, field.data_type()));
    let made = made.iter().map(|(_, column)| Ok(column.slice(row, beside.num_rows())));
    RecordBatch::try_new(Arc::clone(schema), own.chain(made).collect::<Result<_, _>>()?)
}

/// The columns of the source in types of Delta's, and the made ones.
fn schema<'a>(own: impl IntoIterator<Item = &'a Field>, made: &[(String, DataType)]) -> SchemaRef {
    let own = own.into_iter();
    let own = own.map(|field| Field::new(field.name(), delta_type(field.data_type()), true));
    let made = made.iter().map(|(name, data_type)| Field::new(name, data_type.clone(), true));
    Arc::new(Schema::new(own.chain(made).collect::<Vec<_>>()))
}

/// The nearest type that a Delta table can hold without losing anything but nanoseconds.
pub(crate) fn delta_type(data_type: &DataType) -> DataType {
    let utc = || Some(Arc::from("UTC"));
    let list = |item: &Field| {
        let item = Field::new("element", delta_type(item.data_type()), true);
        DataType::List(Arc::new(item))
    };
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::Duration(_) | DataType::Time64(_) => DataType::Int64,
        DataType::Time32(_) => DataType::Int32,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Null | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Date64 => DataType::Date32,
        // Of times without a zone UTC is said, as everywhere here.
        DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Microsecond, utc()),
        DataType::Dictionary(_, values) => delta_type(values),
        DataType::RunEndEncoded(_, values) => delta_type(values.data_type()),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => list(item),
        DataType::Struct(fields) => {
            let field =
                |field: &Arc<Field>| Field::new(field.name(), delta_type(field.data_type()), true);
            DataType::Struct(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}
