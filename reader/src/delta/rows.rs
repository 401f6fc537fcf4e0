//! The rows of a table: file after file in table order, only the columns wanted, without
//! the rows that a deletion vector hides.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, UInt32Array, new_null_array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::filter::filter_record_batch;
use arrow_select::take::take;

use super::deletion::Deleted;
use super::schema::Physical;
use super::{DataFile, Snapshot};
use crate::parquet::{Footer, ParquetFile};
use crate::reshape::{reshape, strict};
use crate::source::Folder;
use crate::stream::{ReadError, places};

/// A reading of some columns.
pub struct Rows<F: Folder> {
    folder: F,
    schema: SchemaRef,
    columns: Vec<Column>,
    left: VecDeque<DataFile>,
    current: Option<OpenFile<F::File>>,
}

struct Column {
    field: Field,
    physical: Physical,
    is_partition: bool,
}

struct OpenFile<S> {
    path: String,
    file: ParquetFile<S>,
    origins: Vec<Origin>,
    deleted: Option<Deleted>,
    /// Rows of the file before the next batch.
    n_before: u64,
}

/// Where a column of the table comes from.
enum Origin {
    /// The column of this place among those read from the file.
    File(usize),
    /// One value for all rows.
    Value(ArrayRef),
    Missing,
}

impl<F: Folder> Rows<F> {
    pub fn new(folder: F, snapshot: &Snapshot, columns: &[String]) -> Result<Self, ReadError> {
        let places = places(&snapshot.schema, Some(columns))?;
        let schema = Arc::new(snapshot.schema.project(&places)?);
        let physical = places.iter().filter_map(|place| snapshot.physical.get(*place));
        let columns = schema.fields().iter().zip(physical).map(|(field, physical)| Column {
            field: field.as_ref().clone(),
            physical: physical.clone(),
            is_partition: snapshot.partition_columns.contains(field.name()),
        });
        let columns = columns.collect();
        let left = snapshot.files.iter().cloned().collect();
        Ok(Self { folder, schema, columns, left, current: None })
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>, ReadError> {
        loop {
            if let Some(current) = &mut self.current {
                let read = current.file.next_batch().await;
                if let Some(batch) = read.map_err(|error| error.within(&current.path))? {
                    return current.shown(&batch, &self.schema, &self.columns).map(Some);
                }
                self.current = None;
            }
            let Some(next) = self.left.pop_front() else { return Ok(None) };
            let path = next.path.clone();
            self.current = Some(self.open(next).await.map_err(|error| error.within(&path))?);
        }
    }

    async fn open(&self, data: DataFile) -> Result<OpenFile<F::File>, ReadError> {
        let source = self.folder.open(&data.path, Some(data.bytes)).await?;
        let footer = Footer::of_log(&source).await?;
        let deleted = match &data.deletion {
            Some(deletion) => Some(deletion.read(&self.folder).await?),
            None => None,
        };
        let stored: &Schema = footer.schema();
        let mut wanted = Vec::new();
        let mut origins = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let value = data.partition.get(&column.physical.name);
            origins.push(match (column.is_partition, column.physical.find(stored.fields())) {
                (true, _) => {
                    let text = value.and_then(Option::as_deref);
                    Origin::Value(partition_value(text, &column.field)?)
                }
                (false, Some(place)) => {
                    wanted.push(place);
                    Origin::File(wanted.len() - 1)
                }
                (false, None) => Origin::Missing,
            });
        }
        let rows = footer.rows();
        if let (Some(stored), Some(said), None) = (rows, data.rows, &deleted)
            && stored != said
        {
            return Err(ReadError::Bad(format!("it has {stored} rows where the log says {said}")));
        }
        let file = ParquetFile::new(source, footer, wanted)?;
        Ok(OpenFile { path: data.path, file, origins, deleted, n_before: 0 })
    }
}

impl<S: crate::source::Source> OpenFile<S> {
    fn shown(
        &mut self,
        batch: &RecordBatch,
        schema: &SchemaRef,
        columns: &[Column],
    ) -> Result<RecordBatch, ReadError> {
        let n_rows = batch.num_rows();
        let arrays = columns.iter().zip(&self.origins).map(|(column, origin)| {
            let data_type = column.field.data_type();
            match origin {
                Origin::Missing => Ok(new_null_array(data_type, n_rows)),
                Origin::Value(value) => Ok(take(value, &UInt32Array::from(vec![0; n_rows]), None)?),
                Origin::File(place) => {
                    let named = |error: ReadError| {
                        ReadError::Bad(format!(
                            "{}: column {:?}: {error}",
                            self.path,
                            column.field.name()
                        ))
                    };
                    reshape(batch.column(*place), data_type, &column.physical).map_err(named)
                }
            }
        });
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
        let shown = RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?;
        let left = self.deleted.as_ref().and_then(|deleted| deleted.left(self.n_before, n_rows));
        self.n_before += n_rows as u64;
        match left {
            Some(left) => Ok(filter_record_batch(&shown, &left)?),
            None => Ok(shown),
        }
    }
}

/// The one value of a partition, as the log writes it: text, empty where it is null.
fn partition_value(text: Option<&str>, field: &Field) -> Result<ArrayRef, ReadError> {
    let data_type = field.data_type();
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(new_null_array(data_type, 1));
    };
    let bad = || ReadError::Bad(format!("the partition {:?} cannot be {text:?}", field.name()));
    let written: ArrayRef = Arc::new(StringArray::from(vec![text]));
    match data_type {
        DataType::Utf8 => Ok(written),
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            let bare = DataType::Timestamp(TimeUnit::Microsecond, None);
            let moments = strict(&written, &bare).map_err(|_| bad())?;
            let moments = moments.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(bad)?;
            Ok(Arc::new(moments.clone().with_timezone(Arc::clone(zone))))
        }
        DataType::Struct(_) | DataType::List(_) | DataType::Map(..) => Err(bad()),
        other => {
            let value = strict(&written, other).map_err(|_| bad())?;
            if value.is_null(0) { Err(bad()) } else { Ok(value) }
        }
    }
}
