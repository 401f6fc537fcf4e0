//! What a table holds at its newest version, as far as a commit that replaces or adds to it must
//! know it: its identity, its columns, and its files.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch, StructArray};
use delta_kernel::KernelError;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use serde_json::{Map, Value, json};

use super::kernel::{self, ROOT, TableEngine};
use super::open::selected;
use crate::lake::error::LakeError;
use crate::lake::place::Place;

/// What is to be done to a table that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Replace,
    Append,
}

/// The newest version of a table.
#[derive(Debug)]
pub(super) struct Newest {
    pub(super) version: u64,
    pub(super) id: String,
    pub(super) created: Option<i64>,
    pub(super) configuration: Map<String, Value>,
    /// The columns, as the log has them.
    pub(super) schema: String,
    partitioned_by: Vec<String>,
    /// `remove` actions, without their time; of a table that is added to there are none.
    pub(super) removes: Vec<Value>,
}

/// Features that ask nothing of a writer that replaces all files and the schema, nor of one that
/// adds files of the same columns, which know of none of them.
const UNDERSTOOD: [&str; 10] = [
    "appendOnly",
    "invariants",
    "checkConstraints",
    "changeDataFeed",
    "deletionVectors",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
    "typeWidening",
    "variantType",
];

/// Properties that a table may have only if its writer does more than this one.
fn forbids(purpose: Purpose, configuration: &Map<String, Value>) -> Option<String> {
    let is = |key: &str, value: &str| configuration.get(key).is_some_and(|found| found == value);
    if purpose == Purpose::Replace && is("delta.appendOnly", "true") {
        return Some("it only takes appended rows (delta.appendOnly)".to_owned());
    }
    let mapped = ["id", "name"].iter().any(|mode| is("delta.columnMapping.mode", mode));
    if mapped {
        return Some("its columns are mapped (delta.columnMapping.mode)".to_owned());
    }
    let constraint = configuration.keys().find(|key| key.starts_with("delta.constraints."));
    constraint.map(|key| format!("it has a constraint ({key})"))
}

/// Reads it.
///
/// # Errors
/// Also where it is a table that this writer cannot do that to.
pub(super) async fn read(place: &Place, purpose: Purpose) -> Result<Newest, LakeError> {
    let unwritable = |reason: String| LakeError::Unwritable { table: place.name.clone(), reason };
    let store = Arc::clone(place.lake.store());
    let root = place.root.clone();
    let replayed = kernel::blocking(move || replay(&TableEngine::new(store, &root), purpose)).await;
    let (newest, unknown) = replayed.map_err(|error| unwritable(error.to_string()))?;
    if let Some(feature) = unknown {
        return Err(unwritable(format!("it has table feature {feature:?}; give another name")));
    }
    if purpose == Purpose::Append && !newest.partitioned_by.is_empty() {
        let columns = newest.partitioned_by.join(", ");
        return Err(unwritable(format!("it is partitioned (by {columns}); give another name")));
    }
    match forbids(purpose, &newest.configuration) {
        Some(reason) => Err(unwritable(format!("{reason}; give another name"))),
        None => Ok(newest),
    }
}

/// The table, and the first writer feature that is not understood.
fn replay(engine: &TableEngine, purpose: Purpose) -> Result<(Newest, Option<String>), KernelError> {
    let snapshot = delta_kernel::Snapshot::builder_for(ROOT).build(engine)?;
    let configuration = snapshot.table_configuration();
    let (protocol, metadata) = (configuration.protocol(), configuration.metadata());
    let features = protocol.writer_features().unwrap_or_default().iter().map(ToString::to_string);
    let unknown = features.into_iter().find(|name| !UNDERSTOOD.contains(&name.as_str()));
    let properties = metadata.configuration().iter();
    let removes = match purpose {
        Purpose::Replace => removes(&snapshot, engine)?,
        // However many files there are, one more asks nothing of them.
        Purpose::Append => Vec::new(),
    };
    let newest = Newest {
        version: snapshot.version(),
        id: metadata.id().to_owned(),
        created: metadata.created_time(),
        configuration: properties.map(|(key, value)| (key.clone(), value.clone().into())).collect(),
        schema: metadata.schema_string().clone(),
        partitioned_by: metadata.partition_columns().to_vec(),
        removes,
    };
    Ok((newest, unknown))
}

/// Of all its files.
fn removes(
    snapshot: &Arc<delta_kernel::Snapshot>,
    engine: &TableEngine,
) -> Result<Vec<Value>, KernelError> {
    let scan = Arc::clone(snapshot).scan_builder().without_row_transforms().build()?;
    let mut removes = Vec::new();
    for scanned in scan.scan_metadata(engine)? {
        let (data, selection) = scanned?.scan_files.into_parts();
        let batch: RecordBatch = ArrowEngineData::try_from_engine_data(data)?.into();
        removes.extend(removes_of(&selected(&batch, selection)?));
    }
    Ok(removes)
}

fn removes_of(files: &RecordBatch) -> Vec<Value> {
    let Some(paths) = files.column_by_name("path").map(|column| column.as_string::<i32>()) else {
        return Vec::new();
    };
    let vectors = files.column_by_name("deletionVector").map(|column| column.as_struct());
    let removed = paths.iter().enumerate().filter_map(|(row, path)| {
        let mut remove = json!({"path": path?});
        let vector = vectors.filter(|vectors| vectors.is_valid(row));
        if let (Some(vector), Some(fields)) = (vector, remove.as_object_mut()) {
            fields.insert("deletionVector".to_owned(), deletion_vector(vector, row));
        }
        Some(remove)
    });
    removed.collect()
}

/// A file and its deletion vector are one name: without it the remove would be of another.
fn deletion_vector(vectors: &StructArray, row: usize) -> Value {
    let column = |name: &str| vectors.column_by_name(name).filter(|column| column.is_valid(row));
    let text = |name: &str| column(name).map(|column| column.as_string::<i32>().value(row));
    let int = |name: &str| column(name).map(|column| column.as_primitive::<Int32Type>().value(row));
    let long = |name: &str| column(name).map(|c| c.as_primitive::<Int64Type>().value(row));
    let mut vector = json!({
        "storageType": text("storageType"),
        "pathOrInlineDv": text("pathOrInlineDv"),
        "sizeInBytes": int("sizeInBytes"),
        "cardinality": long("cardinality"),
    });
    if let (Some(offset), Some(fields)) = (int("offset"), vector.as_object_mut()) {
        fields.insert("offset".to_owned(), offset.into());
    }
    vector
}
