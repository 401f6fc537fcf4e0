//! Statistics of a table's columns, as far as its files tell them exactly: from a Delta log,
//! or from the footers of Parquet files. Nothing is read but footers.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt64Array};
use arrow_schema::{DataType, Field};
use datafusion::scalar::ScalarValue;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::error::LakeError;
use super::footer::FileReader;
use super::snapshot::{DataFile, Reading, Snapshot};
use crate::scan::bounds::{ColumnBounds, FileBounds};
use crate::scan::footer_bounds;

/// Footers read at the same time.
const CONCURRENT_FOOTERS: usize = 16;

/// Writers cut longer texts in their statistics, so such bounds are no values.
const TEXT_CHARS_EXACT: usize = 31;

/// What is known of one column without reading its data. None is unknown, never "none".
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnStatistics {
    pub column: String,
    /// The smallest value that is not NaN.
    pub min: Option<ScalarValue>,
    /// The largest value that is not NaN.
    pub max: Option<ScalarValue>,
    pub null_count: Option<u64>,
    /// Told by a scan alone.
    pub distinct_count: Option<u64>,
}

impl Snapshot {
    /// Statistics of each column, in the order of the schema.
    pub async fn statistics(&self) -> Result<Vec<ColumnStatistics>, LakeError> {
        let files = match self.reading {
            Reading::Parquet => self.bounds_of_footers().await?,
            _ => vec![self.bounds.clone()],
        };
        let deletes = self.files.iter().any(|file| file.deletion.is_some());
        let column = |field: &Arc<Field>| {
            let partition = self.partition_columns.contains(field.name());
            // Bounds of a file with deleted rows may be those of the deleted ones.
            match deletes && !partition {
                true => unknown(field),
                false => merged(field, &files, self.is_exact(field)),
            }
        };
        Ok(self.schema.fields().iter().map(column).collect())
    }

    async fn bounds_of_footers(&self) -> Result<Vec<FileBounds>, LakeError> {
        let reads: Vec<BoxFuture<'_, _>> =
            self.files.iter().map(|file| self.bounds_of_footer(file).boxed()).collect();
        stream::iter(reads).buffered(CONCURRENT_FOOTERS).try_collect().await
    }

    async fn bounds_of_footer(&self, file: &DataFile) -> Result<FileBounds, LakeError> {
        let mut reader = FileReader::of(self, file, Arc::default());
        let footer = reader.footer(&self.access.footers).await;
        let fault = |error| self.access.parquet_error(&self.table, &file.path, error);
        footer_bounds(self, file, &footer.map_err(fault)?)
    }

    /// Whether bounds of such a column are values of it.
    fn is_exact(&self, field: &Field) -> bool {
        // A log cuts times to milliseconds; their bounds enclose, and no more.
        let cut =
            matches!(field.data_type(), DataType::Timestamp(..)) && self.reading == Reading::Delta;
        !cut || self.partition_columns.contains(field.name())
    }
}

fn unknown(field: &Field) -> ColumnStatistics {
    ColumnStatistics {
        column: field.name().clone(),
        min: None,
        max: None,
        null_count: None,
        distinct_count: None,
    }
}

fn merged(field: &Field, files: &[FileBounds], exact: bool) -> ColumnStatistics {
    let columns: Option<Vec<&ColumnBounds>> =
        files.iter().map(|file| file.column(field.name())).collect();
    let Some(columns) = columns else {
        return unknown(field);
    };
    let rows: Vec<Option<&UInt64Array>> = files.iter().map(FileBounds::rows).collect();
    let ends = exact.then(|| {
        (extreme(&columns, &rows, |b| &b.min, true), extreme(&columns, &rows, |b| &b.max, false))
    });
    let (min, max) = ends.unwrap_or_default();
    let null_counts = columns.iter().flat_map(|bounds| bounds.null_counts.iter());
    ColumnStatistics { min, max, null_count: null_counts.sum::<Option<u64>>(), ..unknown(field) }
}

/// The lowest or highest bound of all containers; none if one that holds values has no bound.
fn extreme<'a>(
    columns: &[&'a ColumnBounds],
    rows: &[Option<&UInt64Array>],
    end: fn(&'a ColumnBounds) -> &'a ArrayRef,
    lowest: bool,
) -> Option<ScalarValue> {
    let mut best: Option<ScalarValue> = None;
    for (bounds, rows) in columns.iter().zip(rows) {
        let values = end(bounds);
        for i in 0..values.len() {
            if values.is_null(i) {
                let nulls = bounds.null_counts.is_valid(i).then(|| bounds.null_counts.value(i));
                let rows = rows.filter(|rows| rows.is_valid(i)).map(|rows| rows.value(i));
                match nulls.is_some() && nulls == rows {
                    true => continue,
                    false => return None,
                }
            }
            let value = ScalarValue::try_from_array(values, i).ok().filter(is_whole)?;
            let value = plain_zero(value);
            let better = match &best {
                None => true,
                Some(best) => {
                    let order = value.partial_cmp(best)?;
                    if lowest { order.is_lt() } else { order.is_gt() }
                }
            };
            if better {
                best = Some(value);
            }
        }
    }
    best
}

/// Bounds tell the two zeros apart, so as to enclose both; values do not.
fn plain_zero(value: ScalarValue) -> ScalarValue {
    // Minus zero and zero are zero; whatever else stays what it is.
    match value {
        ScalarValue::Float64(Some(value)) => ScalarValue::Float64(Some(value + 0.0)),
        ScalarValue::Float32(Some(value)) => ScalarValue::Float32(Some(value + 0.0)),
        value => value,
    }
}

/// Whether a bound is sure not to have been cut.
fn is_whole(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => {
            text.chars().count() <= TEXT_CHARS_EXACT
        }
        ScalarValue::Dictionary(_, value) => is_whole(value),
        ScalarValue::Binary(Some(bytes)) | ScalarValue::LargeBinary(Some(bytes)) => {
            bytes.len() <= TEXT_CHARS_EXACT
        }
        _ => true,
    }
}
