//! The columns of a table from the log's JSON: as the table shows them, and how its files
//! call them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use serde::Deserialize;
use serde_json::Value;

use super::action::Metadata;
use super::corrupt;
use crate::stream::ReadError;

const DEPTH_MAX: usize = 30;

/// What a column, or a field below it, is called inside of files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Physical {
    pub name: String,
    /// Set where fields are matched by id rather than by name.
    pub id: Option<i64>,
    /// For a struct its fields; for a list its element; for a map its key and its value.
    pub children: Vec<Physical>,
}

impl Physical {
    pub fn find(&self, fields: &Fields) -> Option<usize> {
        let by_name = || fields.iter().position(|field| *field.name() == self.name);
        let Some(id) = self.id else { return by_name() };
        let id_of = |field: &Arc<Field>| {
            field.metadata().get(PARQUET_FIELD_ID_META_KEY).and_then(|id| id.parse::<i64>().ok())
        };
        let by_id = fields.iter().position(|field| id_of(field) == Some(id));
        // Files from before mapping was switched on carry no ids.
        let is_unnumbered = fields.iter().all(|field| id_of(field).is_none());
        by_id.or_else(|| is_unnumbered.then(by_name).flatten())
    }
}

#[derive(Deserialize)]
struct StructJson {
    fields: Vec<FieldJson>,
}

#[derive(Deserialize)]
struct FieldJson {
    name: String,
    #[serde(rename = "type")]
    data_type: Value,
    nullable: bool,
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArrayJson {
    element_type: Value,
    contains_null: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MapJson {
    key_type: Value,
    value_type: Value,
    value_contains_null: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Mapping {
    None,
    Name,
    Id,
}

/// The columns, and how files call them, in the same order.
pub fn columns(metadata: &Metadata) -> Result<(Schema, Vec<Physical>), ReadError> {
    let mode = metadata.configuration.get("delta.columnMapping.mode");
    let mapping = match mode.and_then(Option::as_deref) {
        None | Some("none") => Mapping::None,
        Some("name") => Mapping::Name,
        Some("id") => Mapping::Id,
        Some(other) => return Err(corrupt(format!("no column mapping {other:?} is known"))),
    };
    let read: StructJson = serde_json::from_str(&metadata.schema_string)
        .map_err(|error| corrupt(format!("its schema: {error}")))?;
    let (fields, physical) = fields_of(read.fields, mapping, 0)?;
    Ok((Schema::new(fields), physical))
}

fn fields_of(
    fields: Vec<FieldJson>,
    mapping: Mapping,
    depth: usize,
) -> Result<(Vec<Field>, Vec<Physical>), ReadError> {
    let mut shown = Vec::with_capacity(fields.len());
    let mut stored = Vec::with_capacity(fields.len());
    for field in fields {
        let (data_type, children) = type_of(field.data_type, mapping, depth + 1)
            .map_err(|error| named(&field.name, error))?;
        let told = |key: &str| field.metadata.get(key);
        let name = match mapping {
            Mapping::None => field.name.clone(),
            _ => {
                let name = told("delta.columnMapping.physicalName").and_then(Value::as_str);
                let missing = || corrupt(format!("column {:?} has no physical name", field.name));
                name.ok_or_else(missing)?.to_owned()
            }
        };
        let id = match mapping {
            Mapping::Id => told("delta.columnMapping.id").and_then(Value::as_i64),
            _ => None,
        };
        stored.push(Physical { name, id, children });
        shown.push(Field::new(field.name, data_type, field.nullable));
    }
    Ok((shown, stored))
}

fn named(name: &str, error: ReadError) -> ReadError {
    ReadError::Bad(format!("column {name:?}: {error}"))
}

fn type_of(
    json: Value,
    mapping: Mapping,
    depth: usize,
) -> Result<(DataType, Vec<Physical>), ReadError> {
    if depth > DEPTH_MAX {
        return Err(corrupt("its schema nests too deep"));
    }
    if let Value::String(name) = &json {
        return Ok((primitive(name)?, Vec::new()));
    }
    let bad = |error: serde_json::Error| corrupt(format!("its schema: {error}"));
    let anonymous = |children| Physical { children, ..Physical::default() };
    match json.get("type").and_then(Value::as_str) {
        Some("struct") => {
            let read: StructJson = serde_json::from_value(json).map_err(bad)?;
            let (fields, physical) = fields_of(read.fields, mapping, depth)?;
            Ok((DataType::Struct(fields.into()), physical))
        }
        Some("array") => {
            let read: ArrayJson = serde_json::from_value(json).map_err(bad)?;
            let (element, below) = type_of(read.element_type, mapping, depth + 1)?;
            let element = Field::new("element", element, read.contains_null);
            Ok((DataType::List(Arc::new(element)), vec![anonymous(below)]))
        }
        Some("map") => {
            let read: MapJson = serde_json::from_value(json).map_err(bad)?;
            let (key, below_key) = type_of(read.key_type, mapping, depth + 1)?;
            let (value, below_value) = type_of(read.value_type, mapping, depth + 1)?;
            let key = Field::new("key", key, false);
            let value = Field::new("value", value, read.value_contains_null);
            let entries = DataType::Struct(vec![key, value].into());
            let entries = Arc::new(Field::new("key_value", entries, false));
            Ok((DataType::Map(entries, false), vec![anonymous(below_key), anonymous(below_value)]))
        }
        _ => Err(corrupt(format!("its schema has no type {json}"))),
    }
}

fn primitive(name: &str) -> Result<DataType, ReadError> {
    Ok(match name {
        "string" => DataType::Utf8,
        "long" => DataType::Int64,
        "integer" => DataType::Int32,
        "short" => DataType::Int16,
        "byte" => DataType::Int8,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        other => {
            let decimal = || {
                let (precision, scale) =
                    other.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
                let (precision, scale) =
                    (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
                let fits = (1..=38).contains(&precision) && (0..=precision as i8).contains(&scale);
                fits.then_some(DataType::Decimal128(precision, scale))
            };
            let unknown =
                || ReadError::Bad(format!("this page does not read Delta's type {other:?}"));
            decimal().ok_or_else(unknown)?
        }
    })
}
