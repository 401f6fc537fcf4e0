//! Reads one version of a Delta log into a snapshot: schema, files, partition values, bounds.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, StructArray, UInt64Array};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use arrow_select::take::take;
use chrono::DateTime;
use datafusion::scalar::ScalarValue;
use delta_kernel::KernelError;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::scan::{PartitionValuesOptions, StatsOptions};
use object_store::path::Path;

use super::deletion::{DeletionError, DeletionVector};
use super::kernel::{self, ROOT, TableEngine};
use super::schema::{logical_field, logical_schema, physical_fields};
use super::{DeltaTable, features};
use crate::lake::error::{BadTable, LakeError};
use crate::lake::format::Format;
use crate::lake::snapshot::{DataFile, Reading, Snapshot};
use crate::lake::version::Version;
use crate::scan::bounds::{ColumnBounds, FileBounds, counts_from};
use crate::scan::physical::PhysicalField;

/// Why a version could not be opened.
pub(super) enum OpenError {
    /// What the kernel said; the log's listing may say it better.
    Kernel(KernelError),
    Lake(LakeError),
}

/// What the kernel tells of a version.
struct Replayed {
    version: u64,
    id: String,
    timestamp: Option<i64>,
    schema: SchemaRef,
    physical: Vec<PhysicalField>,
    partition_columns: Vec<String>,
    /// One row per file.
    files: Option<RecordBatch>,
}

/// Reads a version of the log, the newest if none is given.
pub(super) async fn open(
    table: &DeltaTable<'_>,
    version: Option<u64>,
) -> Result<Snapshot, OpenError> {
    let store = Arc::clone(table.lake.store());
    let root = table.root.clone();
    let replayed = kernel::blocking(move || replay(&TableEngine::new(store, &root), version)).await;
    let replayed = match replayed.map_err(OpenError::Kernel)? {
        Ok(replayed) => replayed,
        Err(problem) => return Err(OpenError::Lake(table.bad(problem))),
    };
    snapshot_from(table, replayed).map_err(|problem| OpenError::Lake(table.bad(problem)))
}

fn replay(
    engine: &TableEngine,
    version: Option<u64>,
) -> Result<Result<Replayed, BadTable>, KernelError> {
    let mut builder = delta_kernel::Snapshot::builder_for(ROOT);
    if let Some(version) = version {
        builder = builder.at_version(version);
    }
    let snapshot = builder.build(engine)?;
    let configuration = snapshot.table_configuration();
    let kernel_schema = snapshot.schema();
    let understood = features::check(configuration.protocol());
    let schema = match understood.and_then(|()| logical_schema(&kernel_schema)) {
        Ok(schema) => schema,
        Err(problem) => return Ok(Err(problem)),
    };
    let mode = configuration.column_mapping_mode();
    let physical = physical_fields(&kernel_schema, mode);
    let partition_columns = configuration.metadata().partition_columns().to_vec();
    let id = configuration.metadata().id().to_owned();
    let timestamp = snapshot.get_timestamp(engine).ok();
    let version = snapshot.version();
    let scan = snapshot
        .scan_builder()
        .with_stats(StatsOptions::all_struct())
        .with_partition_values(PartitionValuesOptions::with_struct())
        .without_row_transforms()
        .build()?;
    let mut batches = Vec::new();
    for metadata in scan.scan_metadata(engine)? {
        let (data, selection) = metadata?.scan_files.into_parts();
        let batch: RecordBatch = ArrowEngineData::try_from_engine_data(data)?.into();
        batches.push(selected(&batch, selection)?);
    }
    let files = match batches.first() {
        Some(first) => {
            Some(concat_batches(&first.schema(), &batches).map_err(KernelError::generic_err)?)
        }
        None => None,
    };
    Ok(Ok(Replayed {
        version,
        id,
        timestamp,
        schema: Arc::new(schema),
        physical,
        partition_columns,
        files,
    }))
}

/// The rows that a selection keeps; rows beyond its end are kept.
pub(super) fn selected(
    batch: &RecordBatch,
    mut selection: Vec<bool>,
) -> Result<RecordBatch, KernelError> {
    selection.resize(batch.num_rows(), true);
    filter_record_batch(batch, &selection.into()).map_err(KernelError::generic_err)
}

fn snapshot_from(table: &DeltaTable<'_>, replayed: Replayed) -> Result<Snapshot, BadTable> {
    let (files, bounds) = match &replayed.files {
        Some(batch) => read_files(table, &replayed, batch)?,
        None => (Vec::new(), FileBounds::default()),
    };
    Ok(Snapshot {
        table: table.name.to_owned(),
        access: Arc::clone(&table.lake.access),
        root: table.root.clone(),
        format: Format::Delta,
        version: Version::Delta(replayed.version),
        uid: replayed.id,
        timestamp: replayed.timestamp.and_then(DateTime::from_timestamp_millis),
        schema: replayed.schema,
        partition_columns: replayed.partition_columns,
        physical: replayed.physical,
        files,
        bounds,
        reading: Reading::Delta,
    })
}

/// The columns of the kernel's file list that are needed here.
struct FileRows<'a> {
    paths: &'a StringArray,
    sizes: ArrayRef,
    modified: ArrayRef,
    deletion: &'a StructArray,
    records: Option<UInt64Array>,
}

impl<'a> FileRows<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let column = |name: &str| batch.column_by_name(name);
        let stats = column("stats_parsed").and_then(|stats| stats.as_struct_opt());
        let records = stats.and_then(|stats| stats.column_by_name("numRecords"));
        Some(Self {
            paths: column("path")?.as_string_opt()?,
            sizes: Arc::clone(column("size")?),
            modified: Arc::clone(column("modificationTime")?),
            deletion: column("deletionVector")?.as_struct_opt()?,
            records: records.and_then(counts_from),
        })
    }
}

fn read_files(
    table: &DeltaTable<'_>,
    replayed: &Replayed,
    batch: &RecordBatch,
) -> Result<(Vec<DataFile>, FileBounds), BadTable> {
    let unexpected =
        || BadTable::CorruptLog { reason: "its list of files has an unexpected form".to_owned() };
    let rows = FileRows::of(batch).ok_or_else(unexpected)?;
    let partitions = partition_arrays(replayed, batch)?;
    let mut files = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let partition = partitions.iter().map(|values| ScalarValue::try_from_array(values, row));
        let partition: Result<Vec<_>, _> = partition.collect();
        files.push(DataFile {
            partition: partition.map_err(|_| unexpected())?,
            ..read_file(table, &rows, row)?
        });
    }
    // Table order is by path; the order of the log is an accident of its writers.
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by(|a, b| path_at(&files, *a).cmp(&path_at(&files, *b)));
    let bounds = read_bounds(replayed, batch, &rows, &order, &files);
    let mut files: Vec<Option<DataFile>> = files.into_iter().map(Some).collect();
    let sorted = order.iter().filter_map(|row| files.get_mut(*row)?.take()).collect();
    Ok((sorted, bounds))
}

fn path_at(files: &[DataFile], row: usize) -> Option<&Path> {
    files.get(row).map(|file| &file.path)
}

fn read_file(
    table: &DeltaTable<'_>,
    rows: &FileRows<'_>,
    row: usize,
) -> Result<DataFile, BadTable> {
    let logged = rows.paths.value(row);
    let corrupt =
        |reason: String| BadTable::CorruptLog { reason: format!("file {logged:?}: {reason}") };
    let number = |array: &ArrayRef| {
        array.as_primitive_opt::<Int64Type>().filter(|a| a.is_valid(row)).map(|a| a.value(row))
    };
    let bytes = number(&rows.sizes).and_then(|size| u64::try_from(size).ok());
    let deletion = deletion_at(table, rows.deletion, row).map_err(|error| match error {
        Ok(problem) => problem,
        Err(error) => corrupt(error.to_string()),
    })?;
    let stored = rows
        .records
        .as_ref()
        .filter(|records| records.is_valid(row))
        .map(|records| records.value(row));
    let deleted = deletion.as_ref().map_or(0, |deletion| deletion.cardinality);
    let live = stored.map(|stored| stored.checked_sub(deleted));
    if live == Some(None) {
        return Err(corrupt("its deletion vector deletes more rows than it has".to_owned()));
    }
    Ok(DataFile {
        path: table.lake.resolve(table.root, logged)?,
        bytes: bytes.ok_or_else(|| corrupt("its size is negative".to_owned()))?,
        modified: number(&rows.modified).and_then(DateTime::from_timestamp_millis),
        e_tag: None,
        rows: live.flatten(),
        partition: Vec::new(),
        deletion,
    })
}

fn deletion_at(
    table: &DeltaTable<'_>,
    descriptors: &StructArray,
    row: usize,
) -> Result<Option<DeletionVector>, Result<BadTable, DeletionError>> {
    if descriptors.is_null(row) {
        return Ok(None);
    }
    let text = |name: &str| {
        let column = descriptors.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let int = |name: &str| {
        let column = descriptors.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        column.is_valid(row).then(|| column.value(row))
    };
    let cardinality =
        descriptors.column_by_name("cardinality").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let Some(kind) = text("storageType") else {
        return Ok(None);
    };
    let cardinality = cardinality.filter(|counts| counts.is_valid(row));
    // Half a description must not bring deleted rows back.
    let (Some(place), Some(bytes), Some(cardinality)) =
        (text("pathOrInlineDv"), int("sizeInBytes"), cardinality)
    else {
        let reason = "a deletion vector is described in part only".to_owned();
        return Err(Ok(BadTable::CorruptLog { reason }));
    };
    let resolve = |path: &str| table.lake.resolve(table.root, path);
    let found = DeletionVector::from_log(
        kind,
        place,
        int("offset"),
        bytes,
        cardinality.value(row),
        resolve,
    );
    found.map_err(Err)?.map(Some).map_err(Ok)
}

/// The typed partition values, one array per partition column in the table's order.
fn partition_arrays(replayed: &Replayed, batch: &RecordBatch) -> Result<Vec<ArrayRef>, BadTable> {
    let parsed = batch.column_by_name("partitionValues_parsed").and_then(|p| p.as_struct_opt());
    let array = |column: &String| {
        let (position, field) = replayed.schema.column_with_name(column)?;
        let stored = replayed.physical.get(position)?.name.as_str();
        let values = parsed?.column_by_name(stored)?;
        arrow_cast::cast(values, field.data_type()).ok()
    };
    let missing = |column: &String| BadTable::Column {
        column: column.clone(),
        reason: "the log gives no values for this partition column".to_owned(),
    };
    replayed
        .partition_columns
        .iter()
        .map(|column| array(column).ok_or_else(|| missing(column)))
        .collect()
}

/// Bounds of the files in the order in which they are read.
fn read_bounds(
    replayed: &Replayed,
    batch: &RecordBatch,
    rows: &FileRows<'_>,
    order: &[usize],
    files: &[DataFile],
) -> FileBounds {
    let indices = order.iter().map(|row| *row as u64).collect::<UInt64Array>();
    let reorder = |array: &dyn Array| take(array, &indices, None).ok();
    let records = rows.records.as_ref().and_then(|records| counts_from(&reorder(records)?));
    let mut bounds = FileBounds::new(order.len(), records);
    for (position, column) in replayed.partition_columns.iter().enumerate() {
        let values =
            order.iter().filter_map(|row| files.get(*row)?.partition.get(position).cloned());
        bounds.insert_constant(column.clone(), &values.collect::<Vec<_>>());
    }
    let stats = batch.column_by_name("stats_parsed").and_then(|stats| stats.as_struct_opt());
    let part = |name: &str| stats.and_then(|stats| stats.column_by_name(name)?.as_struct_opt());
    let (Some(min), Some(max)) = (part("minValues"), part("maxValues")) else {
        return bounds;
    };
    let nulls = part("nullCount");
    let shown: &Schema = &replayed.schema;
    for (field, values) in min.fields().iter().zip(min.columns()) {
        let Some(column) = logical_field(shown, &replayed.physical, field.name()) else {
            continue;
        };
        if column.data_type().is_nested() || replayed.partition_columns.contains(column.name()) {
            continue;
        }
        let typed = |array: &ArrayRef| arrow_cast::cast(&reorder(array)?, column.data_type()).ok();
        let highest = max.column_by_name(field.name()).and_then(typed);
        let Some((lowest, highest)) = typed(values).zip(highest) else {
            continue;
        };
        let counts =
            nulls.and_then(|nulls| counts_from(&reorder(nulls.column_by_name(field.name())?)?));
        let null_counts = counts.unwrap_or_else(|| UInt64Array::new_null(order.len()));
        let column_bounds =
            ColumnBounds { min: lowest, max: highest, null_counts: Arc::new(null_counts) };
        bounds.insert(column.name().clone(), column_bounds.widen_milliseconds());
    }
    bounds
}
