//! What an overwritten table holds at its newest version, as far as a commit must say it: its
//! identity, and which files are its no longer.

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

/// The newest version of a table that is to be replaced.
#[derive(Debug)]
pub(super) struct Replaced {
    pub(super) version: u64,
    pub(super) id: String,
    pub(super) created: Option<i64>,
    pub(super) configuration: Map<String, Value>,
    /// `remove` actions, without their time.
    pub(super) removes: Vec<Value>,
}

/// Features that ask nothing of a writer that replaces all files and the schema.
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
fn forbids(configuration: &Map<String, Value>) -> Option<String> {
    let is = |key: &str, value: &str| configuration.get(key).is_some_and(|found| found == value);
    if is("delta.appendOnly", "true") {
        return Some("it only takes appended rows (delta.appendOnly)".to_owned());
    }
    let mapped = ["id", "name"].iter().any(|mode| is("delta.columnMapping.mode", mode));
    if mapped {
        return Some("its columns are mapped (delta.columnMapping.mode)".to_owned());
    }
    let constraint = configuration.keys().find(|key| key.starts_with("delta.constraints."));
    constraint.map(|key| format!("it has a constraint ({key})"))
}

pub(super) async fn read(place: &Place) -> Result<Replaced, LakeError> {
    let unwritable = |reason: String| LakeError::Unwritable { table: place.name.clone(), reason };
    let store = Arc::clone(place.lake.store());
    let root = place.root.clone();
    let replayed = kernel::blocking(move || replay(&TableEngine::new(store, &root))).await;
    let (replaced, unknown) = replayed.map_err(|error| unwritable(error.to_string()))?;
    if let Some(feature) = unknown {
        return Err(unwritable(format!("it has table feature {feature:?}; give another name")));
    }
    match forbids(&replaced.configuration) {
        Some(reason) => Err(unwritable(format!("{reason}; give another name"))),
        None => Ok(replaced),
    }
}

/// The table, and the first writer feature that is not understood.
fn replay(engine: &TableEngine) -> Result<(Replaced, Option<String>), KernelError> {
    let snapshot = delta_kernel::Snapshot::builder_for(ROOT).build(engine)?;
    let configuration = snapshot.table_configuration();
    let (protocol, metadata) = (configuration.protocol(), configuration.metadata());
    let features = protocol.writer_features().unwrap_or_default().iter().map(ToString::to_string);
    let unknown = features.into_iter().find(|name| !UNDERSTOOD.contains(&name.as_str()));
    let properties = metadata.configuration().iter();
    let scan = snapshot.clone().scan_builder().without_row_transforms().build()?;
    let mut removes = Vec::new();
    for scanned in scan.scan_metadata(engine)? {
        let (data, selection) = scanned?.scan_files.into_parts();
        let batch: RecordBatch = ArrowEngineData::try_from_engine_data(data)?.into();
        removes.extend(removes_of(&selected(&batch, selection)?));
    }
    let replaced = Replaced {
        version: snapshot.version(),
        id: metadata.id().to_owned(),
        created: metadata.created_time(),
        configuration: properties.map(|(key, value)| (key.clone(), value.clone().into())).collect(),
        removes,
    };
    Ok((replaced, unknown))
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
