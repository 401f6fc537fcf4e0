//! The actions of a log: lines of a commit, rows of a checkpoint.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use serde::Deserialize;

use super::corrupt;
use super::deletion::Descriptor;
use crate::stream::ReadError;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    pub protocol: Option<Protocol>,
    pub meta_data: Option<Metadata>,
    pub add: Option<Add>,
    pub remove: Option<Remove>,
    pub commit_info: Option<CommitInfo>,
    pub sidecar: Option<Sidecar>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Protocol {
    pub min_reader_version: i32,
    #[serde(default)]
    pub reader_features: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    pub id: String,
    pub schema_string: String,
    #[serde(default)]
    pub partition_columns: Vec<String>,
    #[serde(default)]
    pub configuration: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    pub path: String,
    #[serde(default)]
    pub partition_values: BTreeMap<String, Option<String>>,
    pub size: i64,
    #[serde(default)]
    pub stats: Option<String>,
    #[serde(default)]
    pub deletion_vector: Option<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remove {
    pub path: String,
    #[serde(default)]
    pub deletion_vector: Option<Descriptor>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommitInfo {
    pub timestamp: Option<i64>,
    pub in_commit_timestamp: Option<i64>,
    pub operation: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Sidecar {
    pub path: String,
}

/// What statistics say that matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    num_records: Option<u64>,
}

impl Add {
    /// The rows of the file, deleted ones among them.
    pub fn records(&self) -> Option<u64> {
        serde_json::from_str::<Stats>(self.stats.as_deref()?).ok()?.num_records
    }
}

/// The actions of a commit, or of a checkpoint that is JSON.
pub fn from_json(bytes: &[u8], name: &str) -> Result<Vec<Action>, ReadError> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace));
    let action = |(at, line): (usize, &[u8])| {
        let named = |error| corrupt(format!("{name}, line {}: {error}", at + 1));
        serde_json::from_slice(line).map_err(named)
    };
    lines.map(action).collect()
}

/// The columns of a checkpoint that are read.
pub const CHECKPOINT_COLUMNS: [&str; 4] = ["protocol", "metaData", "add", "sidecar"];

/// The actions of a part of a checkpoint.
pub fn from_batch(batch: &RecordBatch, take: &mut dyn FnMut(Action)) -> Result<(), ReadError> {
    let of = |name: &str| batch.column_by_name(name).and_then(|column| column.as_struct_opt());
    let [protocol, metadata, add, sidecar] = CHECKPOINT_COLUMNS.map(of);
    let at =
        |array: Option<&'_ StructArray>, row| array.filter(|array| array.is_valid(row)).is_some();
    for row in 0..batch.num_rows() {
        let mut action = Action::default();
        if let Some(array) = add
            && at(add, row)
        {
            action.add = Some(Row { array, row }.add()?);
        }
        if let Some(array) = protocol
            && at(protocol, row)
        {
            action.protocol = Some(Row { array, row }.protocol()?);
        }
        if let Some(array) = metadata
            && at(metadata, row)
        {
            action.meta_data = Some(Row { array, row }.metadata()?);
        }
        if let Some(array) = sidecar
            && at(sidecar, row)
        {
            let path = Row { array, row }.need_text("path")?;
            action.sidecar = Some(Sidecar { path });
        }
        take(action);
    }
    Ok(())
}

/// One action of one kind, in columns.
struct Row<'a> {
    array: &'a StructArray,
    row: usize,
}

impl Row<'_> {
    fn child(&self, name: &str) -> Option<&ArrayRef> {
        self.array.column_by_name(name).filter(|child| child.is_valid(self.row))
    }

    fn text(&self, name: &str) -> Option<String> {
        text_at(self.child(name)?, self.row)
    }

    fn need_text(&self, name: &str) -> Result<String, ReadError> {
        self.text(name).ok_or_else(|| missing(name))
    }

    fn int(&self, name: &str) -> Option<i64> {
        let child = self.child(name)?;
        if let Some(wide) = child.as_primitive_opt::<Int64Type>() {
            return Some(wide.value(self.row));
        }
        Some(i64::from(child.as_primitive_opt::<Int32Type>()?.value(self.row)))
    }

    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let values = self.child(name)?.as_list_opt::<i32>()?.value(self.row);
        Some((0..values.len()).filter_map(|at| text_at(&values, at)).collect())
    }

    fn map(&self, name: &str) -> Option<BTreeMap<String, Option<String>>> {
        let entries = self.child(name)?.as_map_opt()?.value(self.row);
        let (keys, values) = (entries.columns().first()?, entries.columns().get(1)?);
        let entry = |at: usize| {
            let value = values.is_valid(at).then(|| text_at(values, at)).flatten();
            Some((text_at(keys, at)?, value))
        };
        Some((0..entries.len()).filter_map(entry).collect())
    }

    fn protocol(&self) -> Result<Protocol, ReadError> {
        let version = self.int("minReaderVersion").and_then(|version| i32::try_from(version).ok());
        Ok(Protocol {
            min_reader_version: version.ok_or_else(|| missing("minReaderVersion"))?,
            reader_features: self.texts("readerFeatures"),
        })
    }

    fn metadata(&self) -> Result<Metadata, ReadError> {
        Ok(Metadata {
            id: self.need_text("id")?,
            schema_string: self.need_text("schemaString")?,
            partition_columns: self.texts("partitionColumns").unwrap_or_default(),
            configuration: self.map("configuration").unwrap_or_default(),
        })
    }

    fn add(&self) -> Result<Add, ReadError> {
        let records = || {
            let parsed = self.child("stats_parsed")?.as_struct_opt()?;
            let count = Row { array: parsed, row: self.row }.int("numRecords")?;
            Some(format!("{{\"numRecords\":{count}}}"))
        };
        let vector = self.child("deletionVector").and_then(|vector| vector.as_struct_opt());
        let deletion_vector = match vector {
            Some(array) => Row { array, row: self.row }.deletion()?,
            None => None,
        };
        Ok(Add {
            path: self.need_text("path")?,
            partition_values: self
                .map("partitionValues")
                .ok_or_else(|| missing("partitionValues"))?,
            size: self.int("size").ok_or_else(|| missing("size"))?,
            stats: self.text("stats").or_else(records),
            deletion_vector,
        })
    }

    fn deletion(&self) -> Result<Option<Descriptor>, ReadError> {
        // Some writers leave a vector of nulls where there is none.
        let Some(storage_type) = self.text("storageType") else { return Ok(None) };
        let int = |name| self.int(name).ok_or_else(|| missing(name));
        Ok(Some(Descriptor {
            storage_type,
            path_or_inline_dv: self.need_text("pathOrInlineDv")?,
            offset: self.int("offset"),
            size_in_bytes: int("sizeInBytes")?,
            cardinality: int("cardinality")?,
        }))
    }
}

fn missing(name: &str) -> ReadError {
    corrupt(format!("an action of a checkpoint lacks {name}"))
}

fn text_at(array: &ArrayRef, row: usize) -> Option<String> {
    if let Some(text) = array.as_string_opt::<i32>() {
        return Some(text.value(row).to_owned());
    }
    let bytes = array.as_binary_opt::<i32>()?.value(row);
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}
