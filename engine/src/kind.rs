//! Columns of a schema and their kinds: how a column is treated, whatever its Arrow type.

use arrow_schema::{DataType, Field, Schema};
use serde::{Deserialize, Serialize};

/// How a column is treated: which filters and views are offered for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Integers, floats, decimals and durations.
    Number,
    /// Dictionaries, and text known to have few distinct values.
    Category,
    /// Dates, timestamps and times of day.
    Time,
    Boolean,
    /// Strings.
    Text,
    /// A list (of fixed or free size) of floats: an embedding.
    Vector,
    /// Everything else: shown, and filtered by null only.
    Nested,
}

/// A column as the contract describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// The Arrow type, printed as arrow-rs prints it.
    #[serde(rename = "type")]
    pub data_type: String,
    pub kind: Kind,
    pub nullable: bool,
}

impl Column {
    pub fn from_field(field: &Field) -> Self {
        Self {
            name: field.name().clone(),
            data_type: field.data_type().to_string(),
            kind: kind_from_type(field.data_type()),
            nullable: field.is_nullable(),
        }
    }
}

/// The columns of a schema, in its order.
pub fn columns_from_schema(schema: &Schema) -> Vec<Column> {
    schema.fields().iter().map(|field| Column::from_field(field)).collect()
}

/// The kind that a type alone tells. Text may later turn out to be a category.
pub fn kind_from_type(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Boolean => Kind::Boolean,
        DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(_, _) => Kind::Time,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Kind::Text,
        DataType::Dictionary(_, values) => match values.as_ref() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Category,
            other => kind_from_type(other),
        },
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
            if item.data_type().is_floating() =>
        {
            Kind::Vector
        }
        DataType::RunEndEncoded(_, values) => kind_from_type(values.data_type()),
        DataType::Duration(_) => Kind::Number,
        other if other.is_numeric() => Kind::Number,
        _ => Kind::Nested,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn every_type_has_a_kind() {
        let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
        let cases = [
            (DataType::Int8, Kind::Number),
            (DataType::UInt64, Kind::Number),
            (DataType::Float16, Kind::Number),
            (DataType::Decimal256(76, 10), Kind::Number),
            (DataType::Date32, Kind::Time),
            (DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, None), Kind::Time),
            (DataType::Boolean, Kind::Boolean),
            (DataType::LargeUtf8, Kind::Text),
            (DataType::Null, Kind::Text),
            (
                DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
                Kind::Category,
            ),
            (
                DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Int64)),
                Kind::Number,
            ),
            (
                DataType::RunEndEncoded(
                    Arc::new(Field::new("run_ends", DataType::Int32, false)),
                    Arc::new(Field::new("values", DataType::Date32, true)),
                ),
                Kind::Time,
            ),
            (list(DataType::Float32), Kind::Vector),
            (list(DataType::Int32), Kind::Nested),
            (DataType::Binary, Kind::Nested),
        ];
        for (data_type, kind) in cases {
            assert_eq!(kind_from_type(&data_type), kind, "{data_type}");
        }
    }
}
