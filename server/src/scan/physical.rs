//! How logical columns are found in a file's own columns: by name, or by field id where the
//! table maps its columns; and which Arrow types a table shows at all.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use parquet::basic::Type as StoredType;
use parquet::schema::types::SchemaDescriptor;

/// What a logical column is called inside the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhysicalField {
    pub(crate) name: String,
    /// Set where files must be matched by field id rather than by name.
    pub(crate) id: Option<i32>,
    /// For a struct its fields; for a list its element; for a map its key and its value.
    pub(crate) children: Vec<PhysicalField>,
}

impl PhysicalField {
    /// A field that is stored under its own name, at every level.
    pub(crate) fn same_as(field: &Field) -> Self {
        Self {
            name: field.name().clone(),
            id: None,
            children: children_of(field.data_type())
                .iter()
                .map(|child| Self::same_as(child))
                .collect(),
        }
    }

    /// The position of this field among the fields that a file has.
    pub(crate) fn find(&self, fields: &Fields) -> Option<usize> {
        match self.id {
            Some(id) => fields
                .iter()
                .position(|field| field_id(field) == Some(id))
                // Files from before mapping was switched on carry no ids.
                .or_else(|| {
                    let unnumbered = fields.iter().all(|field| field_id(field).is_none());
                    let by_name = || fields.iter().position(|field| *field.name() == self.name);
                    unnumbered.then(by_name).flatten()
                }),
            None => fields.iter().position(|field| *field.name() == self.name),
        }
    }
}

fn field_id(field: &Field) -> Option<i32> {
    field.metadata().get(PARQUET_FIELD_ID_META_KEY).and_then(|id| id.parse().ok())
}

/// The fields one level below a type, in the order of [`PhysicalField::children`].
pub(crate) fn children_of(data_type: &DataType) -> Vec<FieldRef> {
    match data_type {
        DataType::Struct(fields) => fields.iter().cloned().collect(),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _) => vec![Arc::clone(element)],
        DataType::Map(entries, _) => children_of(entries.data_type()),
        _ => Vec::new(),
    }
}

/// The field without metadata at any level.
pub(crate) fn bare_field(field: &Field) -> Field {
    let data_type = with_children(field.data_type(), &mut |child| bare_field(child));
    Field::new(field.name(), data_type, field.is_nullable())
}

/// The field with nulls allowed at every level, and elements under one name.
pub(crate) fn nullable_field(field: &Field) -> Field {
    let element = |element: &FieldRef| Arc::new(nullable_field(element).with_name("item"));
    let data_type = match field.data_type() {
        DataType::List(inner) => DataType::List(element(inner)),
        DataType::LargeList(inner) => DataType::LargeList(element(inner)),
        DataType::FixedSizeList(inner, n) => DataType::FixedSizeList(element(inner), *n),
        // The entries and keys of a map are never null.
        map @ DataType::Map(..) => map.clone(),
        other => with_children(other, &mut |child| nullable_field(child)),
    };
    Field::new(field.name(), data_type, true)
}

/// The type that a table shows for a type that a file declares.
///
/// Views and run ends are a layout, not a type, so they are shown as what they hold; a
/// dictionary of strings stays one, with keys wide enough for all row groups together.
pub(crate) fn shown_field(field: &Field) -> Field {
    let data_type = shown_type(field.data_type());
    Field::new(field.name(), data_type, field.is_nullable()).with_metadata(field.metadata().clone())
}

pub(crate) fn shown_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::ListView(element) => DataType::List(Arc::new(shown_field(element))),
        DataType::LargeListView(element) => DataType::LargeList(Arc::new(shown_field(element))),
        DataType::RunEndEncoded(_, values) => shown_type(values.data_type()),
        DataType::Dictionary(_, values) => match shown_type(values) {
            text @ (DataType::Utf8 | DataType::LargeUtf8) => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(text))
            }
            other => other,
        },
        other => with_children(other, &mut |child| shown_field(child)),
    }
}

/// The same type with each field below it replaced.
fn with_children(data_type: &DataType, replace: &mut dyn FnMut(&FieldRef) -> Field) -> DataType {
    match data_type {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(replace).collect()),
        DataType::List(element) => DataType::List(Arc::new(replace(element))),
        DataType::LargeList(element) => DataType::LargeList(Arc::new(replace(element))),
        DataType::FixedSizeList(element, n) => {
            DataType::FixedSizeList(Arc::new(replace(element)), *n)
        }
        DataType::Map(entries, sorted) => DataType::Map(Arc::new(replace(entries)), *sorted),
        other => other.clone(),
    }
}

/// The types to decode a Parquet file to, given those that the reader would choose itself.
///
/// The old 96-bit timestamps are decoded to microseconds: nanoseconds overflow outside of
/// 1677 … 2262, where real tables keep their "never" and "always".
pub(crate) fn decoded_schema(chosen: &Schema, stored: &SchemaDescriptor, trusted: bool) -> Schema {
    let mut leaf = 0;
    let fields: Vec<Field> = chosen
        .fields()
        .iter()
        .map(|field| decoded_field(&shown_field(field), stored, trusted, &mut leaf))
        .collect();
    Schema::new(fields)
}

fn decoded_field(
    field: &Field,
    stored: &SchemaDescriptor,
    trusted: bool,
    leaf: &mut usize,
) -> Field {
    let nested = !children_of(field.data_type()).is_empty();
    let data_type = if nested {
        with_children(field.data_type(), &mut |child| decoded_field(child, stored, trusted, leaf))
    } else {
        let position = *leaf;
        *leaf += 1;
        let is_int96 = position < stored.num_columns()
            && stored.column(position).physical_type() == StoredType::INT96;
        match field.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) if is_int96 && !trusted => {
                DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
            }
            other => other.clone(),
        }
    };
    Field::new(field.name(), data_type, field.is_nullable()).with_metadata(field.metadata().clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashMap;

    use super::*;

    fn numbered(name: &str, id: i32) -> Field {
        let metadata = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())]);
        Field::new(name, DataType::Int32, true).with_metadata(metadata)
    }

    #[test]
    fn fields_are_found_by_id_before_name() {
        let wanted = PhysicalField { name: "a".into(), id: Some(2), children: vec![] };
        let fields = Fields::from(vec![numbered("a", 1), numbered("b", 2)]);
        assert_eq!(wanted.find(&fields), Some(1));
        let plain = Fields::from(vec![
            Field::new("b", DataType::Int32, true),
            Field::new("a", DataType::Int32, true),
        ]);
        assert_eq!(wanted.find(&plain), Some(1));
        let by_name = PhysicalField { id: None, ..wanted };
        assert_eq!(by_name.find(&fields), Some(0));
    }

    #[test]
    fn layouts_are_shown_as_what_they_hold() {
        let text = Field::new("item", DataType::Utf8View, true);
        let nested = DataType::Struct(
            vec![Field::new("l", DataType::ListView(Arc::new(text)), true)].into(),
        );
        let shown = shown_field(&Field::new("s", nested, true));
        let expected = DataType::Struct(
            vec![Field::new(
                "l",
                DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
                true,
            )]
            .into(),
        );
        assert_eq!(shown.data_type(), &expected);
        let narrow = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8View));
        let wide = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        assert_eq!(shown_type(&narrow), wide);
        let numbers = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Int64));
        assert_eq!(shown_type(&numbers), DataType::Int64);
    }
}
