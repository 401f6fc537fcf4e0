//! The columns of a Delta table: as the table shows them, and as its files store them.

use arrow_schema::{DataType as ArrowType, Field, Schema};
use delta_kernel::engine::arrow_conversion::{TryFromArrow, TryIntoArrow};
use delta_kernel::schema::{ColumnMetadataKey, DataType, MetadataValue, StructField, StructType};
use delta_kernel::table_features::ColumnMappingMode;

use crate::lake::error::BadTable;
use crate::lake::snapshot::bare_schema;
use crate::scan::physical::PhysicalField;

/// The logical Arrow schema.
pub(super) fn logical_schema(schema: &StructType) -> Result<Schema, BadTable> {
    refuse_unread_types(schema, "")?;
    let arrow: Schema = schema
        .try_into_arrow()
        .map_err(|error| BadTable::Column { column: "*".to_owned(), reason: error.to_string() })?;
    Ok(bare_schema(&arrow))
}

/// The columns of a table that is written, as the log has them; or which of them cannot be.
pub(super) fn schema_text(schema: &Schema) -> Result<String, String> {
    for field in schema.fields() {
        if has_local_times(field.data_type()) {
            return Err(format!("column {:?} has times without a zone", field.name()));
        }
    }
    let kernel = StructType::try_from_arrow(schema).map_err(|error| error.to_string())?;
    serde_json::to_string(&kernel).map_err(|error| error.to_string())
}

/// Whether times without a zone are in it, at any depth: a table that has them needs a feature.
fn has_local_times(data_type: &ArrowType) -> bool {
    match data_type {
        ArrowType::Timestamp(_, None) => true,
        ArrowType::Struct(fields) => fields.iter().any(|field| has_local_times(field.data_type())),
        ArrowType::List(item)
        | ArrowType::LargeList(item)
        | ArrowType::FixedSizeList(item, _)
        | ArrowType::Map(item, _) => has_local_times(item.data_type()),
        _ => false,
    }
}

/// How the columns are called in the files, in the order of the schema.
pub(super) fn physical_fields(schema: &StructType, mode: ColumnMappingMode) -> Vec<PhysicalField> {
    schema.fields().map(|field| physical_field(field, mode)).collect()
}

fn physical_field(field: &StructField, mode: ColumnMappingMode) -> PhysicalField {
    let id = match mode {
        ColumnMappingMode::Id => column_id(field),
        _ => None,
    };
    PhysicalField {
        name: field.physical_name(mode).to_owned(),
        id,
        children: children(field.data_type(), mode),
    }
}

fn column_id(field: &StructField) -> Option<i32> {
    match field.get_config_value(&ColumnMetadataKey::ColumnMappingId) {
        Some(MetadataValue::Number(id)) => i32::try_from(*id).ok(),
        _ => None,
    }
}

fn children(data_type: &DataType, mode: ColumnMappingMode) -> Vec<PhysicalField> {
    // Elements, keys and values have no names of their own: they are found by their place.
    let anonymous = |data_type: &DataType| PhysicalField {
        name: String::new(),
        id: None,
        children: children(data_type, mode),
    };
    match data_type {
        DataType::Struct(fields) => physical_fields(fields, mode),
        DataType::Array(array) => vec![anonymous(array.element_type())],
        DataType::Map(map) => vec![anonymous(map.key_type()), anonymous(map.value_type())],
        _ => Vec::new(),
    }
}

/// Names the feature of a column whose type needs a reader that this is not.
fn refuse_unread_types(schema: &StructType, parent: &str) -> Result<(), BadTable> {
    for field in schema.fields() {
        let name = match parent {
            "" => field.name().clone(),
            parent => format!("{parent}.{}", field.name()),
        };
        refuse_unread_type(field.data_type(), &name)?;
    }
    Ok(())
}

fn refuse_unread_type(data_type: &DataType, name: &str) -> Result<(), BadTable> {
    match data_type {
        DataType::Variant(_) => Err(BadTable::Feature { feature: "variantType".to_owned() }),
        DataType::Struct(fields) => refuse_unread_types(fields, name),
        DataType::Array(array) => refuse_unread_type(array.element_type(), name),
        DataType::Map(map) => {
            refuse_unread_type(map.key_type(), name)?;
            refuse_unread_type(map.value_type(), name)
        }
        DataType::Primitive(_) => Ok(()),
        #[allow(unreachable_patterns, reason = "types behind the kernel's own features")]
        _ => Err(BadTable::Column {
            column: name.to_owned(),
            reason: format!("type {data_type} is not supported"),
        }),
    }
}

/// The position of each name among the fields, by the name that the files use.
pub(super) fn logical_field<'a>(
    schema: &'a Schema,
    physical: &[PhysicalField],
    stored_name: &str,
) -> Option<&'a Field> {
    let position = physical.iter().position(|field| field.name == stored_name)?;
    schema.fields().get(position).map(AsRef::as_ref)
}
