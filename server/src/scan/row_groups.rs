//! Row groups of one Parquet file: which lie in a part, and which of those can be skipped by the
//! statistics in the footer.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt64Array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::Schema;
use datafusion::error::Result;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::Type as StoredType;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::bounds::{ColumnBounds, FileBounds};
use super::columns::{Origin, Wanted, origin};
use super::parquet_file::arrow_metadata;
use super::plan::PlannedFilter;
use super::reshape::Reshape;
use crate::lake::error::LakeError;
use crate::lake::snapshot::{DataFile, Reading, Snapshot};

/// The row groups that start within these bytes of the file.
pub(super) fn within(footer: &ParquetMetaData, bytes: &Range<u64>) -> Vec<usize> {
    let starts = footer.row_groups().iter().map(start_of);
    starts.enumerate().filter(|(_, start)| bytes.contains(start)).map(|(group, _)| group).collect()
}

fn start_of(group: &RowGroupMetaData) -> u64 {
    // Not the offset that a row group gives of itself, which writers get wrong. A start that is
    // no position at all is read with the file's first part, which then reports it.
    let starts = group.columns().iter().map(|column| {
        let page = column.dictionary_page_offset().filter(|offset| *offset > 0);
        page.unwrap_or(column.data_page_offset()).min(column.data_page_offset())
    });
    starts.min().and_then(|start| u64::try_from(start).ok()).unwrap_or_default()
}

/// The rows of the file that some row groups hold.
pub(super) fn stretches(footer: &ParquetMetaData, groups: &[usize]) -> Vec<Range<u64>> {
    let mut next = 0;
    let all: Vec<Range<u64>> = footer
        .row_groups()
        .iter()
        .map(|group| {
            let start = next;
            next += u64::try_from(group.num_rows()).unwrap_or_default();
            start..next
        })
        .collect();
    groups.iter().filter_map(|group| all.get(*group).cloned()).collect()
}

/// The row groups in which a filter may find a row.
pub(super) fn prune(
    snapshot: &Snapshot,
    footer: &ParquetMetaData,
    stored: &Schema,
    groups: Vec<usize>,
    filter: &PlannedFilter,
    origins: &[Origin],
) -> Result<Vec<usize>> {
    let bounds = bounds(snapshot, footer, stored, &groups, &filter.wanted, origins);
    let may_match = filter.filter.prune(&bounds)?;
    if may_match.len() != groups.len() {
        return Ok(groups);
    }
    Ok(groups.into_iter().zip(may_match).filter_map(|(group, may)| may.then_some(group)).collect())
}

/// Bounds of columns in some row groups, as far as the footer gives them.
pub(super) fn bounds(
    snapshot: &Snapshot,
    footer: &ParquetMetaData,
    stored: &Schema,
    groups: &[usize],
    wanted: &[Wanted],
    origins: &[Origin],
) -> FileBounds {
    let chosen: Vec<&RowGroupMetaData> =
        groups.iter().filter_map(|group| footer.row_groups().get(*group)).collect();
    let rows = chosen.iter().map(|group| u64::try_from(group.num_rows()).ok());
    let mut bounds = FileBounds::new(chosen.len(), Some(rows.collect::<UInt64Array>()));
    for (wanted, origin) in wanted.iter().zip(origins) {
        let Wanted::Column(position) = wanted else {
            continue;
        };
        let Some(field) = snapshot.schema.fields().get(*position) else {
            continue;
        };
        if let Some(value) = origin.constant() {
            bounds.insert_constant(field.name().clone(), &vec![value; chosen.len()]);
        }
        if let Origin::Stored(at, reshape) = origin
            && let Some(column) = column_bounds(footer, stored, *at, reshape, &chosen)
        {
            bounds.insert(field.name().clone(), column);
        }
    }
    bounds
}

/// Bounds of all columns in each row group of a file.
pub(crate) fn footer_bounds(
    snapshot: &Snapshot,
    file: &DataFile,
    footer: &Arc<ParquetMetaData>,
) -> std::result::Result<FileBounds, LakeError> {
    let access = &snapshot.access;
    let opened = arrow_metadata(footer, snapshot.reading == Reading::Parquet);
    let (stored, _) =
        opened.map_err(|error| access.parquet_error(&snapshot.table, &file.path, error))?;
    let wanted: Vec<Wanted> = (0..snapshot.schema.fields().len()).map(Wanted::Column).collect();
    // A column that cannot be read is for the scan to report; it just has no bounds here.
    let origin =
        |wanted: &Wanted| origin(snapshot, file, stored.fields(), *wanted).unwrap_or(Origin::Row);
    let origins: Vec<Origin> = wanted.iter().map(origin).collect();
    let groups: Vec<usize> = (0..footer.num_row_groups()).collect();
    Ok(bounds(snapshot, footer, &stored, &groups, &wanted, &origins))
}

fn column_bounds(
    footer: &ParquetMetaData,
    stored: &Schema,
    at: usize,
    reshape: &Reshape,
    groups: &[&RowGroupMetaData],
) -> Option<ColumnBounds> {
    let field = stored.fields().get(at)?;
    if field.data_type().is_nested() {
        return None;
    }
    let parquet = footer.file_metadata().schema_descr();
    let converter = StatisticsConverter::try_new(field.name(), stored, parquet).ok()?;
    let converter = converter.with_missing_null_counts_as_zero(false);
    let column = converter.parquet_column_index()?;
    if !order_is_trusted(groups, column) {
        return None;
    }
    let table_type = |array: ArrayRef| as_table_type(&array, reshape);
    let null_counts = converter.row_group_null_counts(groups.iter().copied()).ok()?;
    Some(ColumnBounds {
        min: table_type(converter.row_group_mins(groups.iter().copied()).ok()?)?,
        max: table_type(converter.row_group_maxes(groups.iter().copied()).ok()?)?,
        null_counts: Arc::new(null_counts),
    })
}

/// Statistics of the old kind compare bytes as signed numbers, which is no order of text.
fn order_is_trusted(groups: &[&RowGroupMetaData], column: usize) -> bool {
    groups.iter().all(|group| {
        let Some(chunk) = group.columns().get(column) else {
            return false;
        };
        let old = chunk.statistics().is_some_and(|statistics| statistics.is_min_max_deprecated());
        let signed = matches!(
            chunk.column_type(),
            StoredType::INT32 | StoredType::INT64 | StoredType::FLOAT | StoredType::DOUBLE
        );
        !old || signed
    })
}

fn as_table_type(array: &ArrayRef, reshape: &Reshape) -> Option<ArrayRef> {
    match reshape {
        Reshape::Keep => Some(Arc::clone(array)),
        Reshape::Cast(data_type) => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let cast = cast_with_options(array, data_type, &strict).ok()?;
            (cast.null_count() == array.null_count()).then_some(cast)
        }
        _ => None,
    }
}
