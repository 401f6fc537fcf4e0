//! Columns of vectors: which column of a table it is, and its rows as 32-bit floats, whatever
//! kind of list it is and whatever numbers it holds.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, Float32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use engine::error::QueryError;
use engine::kind::{Kind, kind_from_type};

use crate::scan::ROW_COLUMN;

/// That the schema, or a row's number, has this name; `field` is to blame if not.
pub(crate) fn known(schema: &Schema, field: &str, name: &str) -> Result<(), QueryError> {
    if name == ROW_COLUMN || schema.index_of(name).is_ok() {
        return Ok(());
    }
    let names = schema.fields().iter().map(|field| field.name().as_str());
    Err(QueryError::unknown_column(field, name, names))
}

/// These columns, after those that say which row is which: the ones called id, uuid or key, else
/// the row's number.
pub(crate) fn with_ids(schema: &Schema, wanted: &[String]) -> Result<Vec<String>, QueryError> {
    for (at, name) in wanted.iter().enumerate() {
        known(schema, &format!("keep[{at}]"), name)?;
    }
    let mut names = usual_ids(schema);
    for name in wanted {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// The columns that say which row is which, where nobody names them.
pub(crate) fn usual_ids(schema: &Schema) -> Vec<String> {
    let usual = |name: &&String| ["id", "uuid", "key"].contains(&name.to_lowercase().as_str());
    let found: Vec<String> =
        schema.fields().iter().map(|field| field.name()).filter(usual).cloned().collect();
    if found.is_empty() { vec![ROW_COLUMN.to_owned()] } else { found }
}

/// Names that vectors usually have, in the order in which they are preferred.
const VECTOR_NAMES: [&str; 5] = ["emb", "embedding", "embeddings", "vector", "vectors"];

/// The column of vectors that is `named`; else the one of a usual name, else the only one.
pub(crate) fn vector_column(
    schema: &Schema,
    table: &str,
    named: Option<&str>,
) -> Result<String, QueryError> {
    if let Some(name) = named {
        known(schema, "column", name)?;
        let data_type = schema.field_with_name(name).map(|field| field.data_type().clone());
        return match data_type {
            Ok(
                DataType::List(_)
                | DataType::LargeList(_)
                | DataType::FixedSizeList(_, _)
                | DataType::ListView(_)
                | DataType::LargeListView(_),
            ) => Ok(name.to_owned()),
            Ok(other) => {
                let detail = format!("column {name:?} has no vectors, its type is {other}");
                Err(QueryError::malformed("column", detail))
            }
            Err(_) => Err(QueryError::malformed("column", "rows' numbers are no vectors")),
        };
    }
    let fields = schema.fields().iter();
    let vectors: Vec<&str> = fields
        .filter(|field| kind_from_type(field.data_type()) == Kind::Vector)
        .map(|field| field.name().as_str())
        .collect();
    let usual = VECTOR_NAMES.iter().find(|name| vectors.contains(name));
    match (vectors.as_slice(), usual) {
        (_, Some(name)) => Ok((*name).to_owned()),
        ([only], None) => Ok((*only).to_owned()),
        ([], None) => {
            let detail = format!("table {:?} has no column of vectors (lists of floats)", table);
            Err(QueryError::malformed("column", detail))
        }
        (several, None) => {
            let detail = format!("which of the columns of vectors: {}?", several.join(", "));
            Err(QueryError::malformed("column", detail))
        }
    }
}

/// The lists of a column: where each begins, and all their numbers.
pub(crate) struct Lists {
    column: ArrayRef,
    values: Float32Array,
}

impl Lists {
    pub(crate) fn new(column: &ArrayRef) -> Result<Self, ArrowError> {
        let as_list = |item: &Field| {
            let item = Field::new(item.name(), item.data_type().clone(), true);
            DataType::LargeList(Arc::new(item))
        };
        let column = match column.data_type() {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => {
                Arc::clone(column)
            }
            DataType::ListView(item) | DataType::LargeListView(item) => {
                arrow_cast::cast(column, &as_list(item))?
            }
            other => return Err(ArrowError::CastError(format!("its type is {other}"))),
        };
        let values = match column.data_type() {
            DataType::List(_) => column.as_list::<i32>().values(),
            DataType::LargeList(_) => column.as_list::<i64>().values(),
            _ => column.as_fixed_size_list().values(),
        };
        let values = arrow_cast::cast(values, &DataType::Float32)?;
        let values = values.as_primitive::<Float32Type>();
        Ok(Self { values: not_numbers(values), column })
    }

    /// None where there is no list. Numbers that are null are NaN.
    pub(crate) fn vector(&self, row: usize) -> Option<&[f32]> {
        if self.column.is_null(row) {
            return None;
        }
        let range = match self.column.data_type() {
            DataType::List(_) => {
                let offsets = self.column.as_list::<i32>().offsets();
                *offsets.get(row)? as usize..*offsets.get(row + 1)? as usize
            }
            DataType::LargeList(_) => {
                let offsets = self.column.as_list::<i64>().offsets();
                *offsets.get(row)? as usize..*offsets.get(row + 1)? as usize
            }
            _ => {
                let lists = self.column.as_fixed_size_list();
                let start = lists.value_offset(row) as usize;
                start..start + lists.value_length() as usize
            }
        };
        self.values.values().get(range)
    }
}

/// A null among the numbers of a vector is no number.
fn not_numbers(values: &Float32Array) -> Float32Array {
    match values.null_count() {
        0 => values.clone(),
        _ => values.iter().map(|x| Some(x.unwrap_or(f32::NAN))).collect(),
    }
}
