//! Schema metadata → Arrow schema, and beside it the tree of columns that reading a batch
//! walks: which dictionary a column uses, and its children. Every type is checked here, so
//! that arrays are only ever built of types that exist.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    validate_decimal_precision_and_scale,
};
use arrow_ipc as fb;
use arrow_schema::{
    ArrowError, DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit,
    UnionFields, UnionMode,
};

use super::error::{IpcError, column_place};
use super::limits::DecodeLimits;

/// A field with what its IPC form needs besides.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) field: FieldRef,
    /// The dictionary that its values are in, if it is of a dictionary type.
    pub(crate) dictionary: Option<i64>,
    /// Children of the type, or of the values' type for a dictionary.
    pub(crate) children: Vec<Column>,
}

impl Column {
    /// The type of its values: what a dictionary holds, else the type itself.
    pub(crate) fn value_type(&self) -> &DataType {
        match self.field.data_type() {
            DataType::Dictionary(_, values) if self.dictionary.is_some() => values,
            data_type => data_type,
        }
    }

    pub(crate) fn place(&self) -> String {
        column_place(self.field.name())
    }

    pub(crate) fn bad(&self, reason: impl Into<String>) -> IpcError {
        IpcError::malformed(self.place(), reason)
    }
}

/// Whether each row of a type has at least a bit in some buffer. Without one, a length is
/// only a claim.
pub(crate) fn is_backed(data_type: &DataType) -> bool {
    match data_type {
        DataType::Null | DataType::FixedSizeBinary(0) | DataType::RunEndEncoded(..) => false,
        DataType::FixedSizeList(child, size) => *size > 0 && is_backed(child.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| is_backed(field.data_type())),
        _ => true,
    }
}

/// A schema with its columns.
pub(crate) struct Columns {
    pub(crate) schema: SchemaRef,
    pub(crate) columns: Vec<Column>,
    /// For each dictionary id the column whose values it holds.
    pub(crate) dictionaries: BTreeMap<i64, Column>,
}

pub(crate) fn columns_from_schema(
    schema: fb::Schema<'_>,
    limits: &DecodeLimits,
) -> Result<Columns, IpcError> {
    if schema.endianness() != fb::Endianness::Little {
        return Err(IpcError::unsupported("schema", "big-endian data"));
    }
    let mut reader = FieldReader { limits, n_fields: 0, dictionaries: BTreeMap::new() };
    let columns = match schema.fields() {
        Some(fields) => reader.columns(fields.iter(), 1)?,
        None => return Err(IpcError::malformed("schema", "no list of fields")),
    };
    let fields: Fields = columns.iter().map(|column| Arc::clone(&column.field)).collect();
    let metadata = metadata_from_pairs(schema.custom_metadata());
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    Ok(Columns { schema, columns, dictionaries: reader.dictionaries })
}

type Pairs<'a> = flatbuffers::Vector<'a, flatbuffers::ForwardsUOffset<fb::KeyValue<'a>>>;

fn metadata_from_pairs(pairs: Option<Pairs<'_>>) -> HashMap<String, String> {
    let pairs = pairs.into_iter().flat_map(|pairs| pairs.iter());
    pairs
        .filter_map(|pair| Some((pair.key()?.to_owned(), pair.value().unwrap_or("").to_owned())))
        .collect()
}

struct FieldReader<'l> {
    limits: &'l DecodeLimits,
    n_fields: usize,
    dictionaries: BTreeMap<i64, Column>,
}

impl FieldReader<'_> {
    fn columns<'a>(
        &mut self,
        fields: impl Iterator<Item = fb::Field<'a>>,
        depth: usize,
    ) -> Result<Vec<Column>, IpcError> {
        fields.map(|field| self.column(field, depth)).collect()
    }

    fn column(&mut self, field: fb::Field<'_>, depth: usize) -> Result<Column, IpcError> {
        self.n_fields += 1;
        IpcError::check_limit("the number of fields", self.n_fields, self.limits.columns_max)?;
        IpcError::check_limit("the depth of nested fields", depth, self.limits.depth_max)?;
        let name = field.name().unwrap_or_default();
        let children = match field.children() {
            Some(children) => {
                self.columns(children.iter(), depth + 1).map_err(|error| error.within(name))?
            }
            None => Vec::new(),
        };
        let value_type = data_type_of(&field, &children)
            .map_err(|problem| problem.at(column_place(name), &field))?;
        let (data_type, dictionary, is_ordered) = match field.dictionary() {
            None => (value_type, None, false),
            Some(encoding) => {
                let keys = key_type(&encoding)
                    .map_err(|problem| problem.at(column_place(name), &field))?;
                let data_type = DataType::Dictionary(Box::new(keys), Box::new(value_type));
                (data_type, Some(encoding.id()), encoding.isOrdered())
            }
        };
        let arrow_field = Field::new(name, data_type, field.nullable())
            .with_dict_is_ordered(is_ordered)
            .with_metadata(metadata_from_pairs(field.custom_metadata()));
        let column = Column { field: Arc::new(arrow_field), dictionary, children };
        if let Some(id) = dictionary {
            self.register(id, &column)?;
        }
        Ok(column)
    }

    /// Columns may share a dictionary, if its values are of one type.
    fn register(&mut self, id: i64, column: &Column) -> Result<(), IpcError> {
        let known = self.dictionaries.entry(id).or_insert_with(|| column.clone());
        if known.value_type() == column.value_type() {
            return Ok(());
        }
        let reason = format!("shares dictionary {id} with {}, of another type", known.place());
        Err(column.bad(reason))
    }
}

/// Why a type cannot be had; the caller knows the column.
enum TypeProblem {
    Malformed(&'static str),
    Unknown,
    Arrow(ArrowError),
}

impl TypeProblem {
    fn at(self, at: String, field: &fb::Field<'_>) -> IpcError {
        match self {
            Self::Malformed(reason) => IpcError::malformed(at, reason),
            Self::Arrow(source) => IpcError::Array { at, source },
            Self::Unknown => {
                let kind = field.type_type();
                let name = kind.variant_name().map_or_else(|| kind.0.to_string(), str::to_owned);
                IpcError::unsupported(at, format!("this form of type {name}"))
            }
        }
    }
}

type TypeResult = Result<DataType, TypeProblem>;

fn data_type_of(field: &fb::Field<'_>, children: &[Column]) -> TypeResult {
    use TypeProblem::Unknown;
    Ok(match field.type_type() {
        fb::Type::Null => DataType::Null,
        fb::Type::Bool => DataType::Boolean,
        fb::Type::Int => int_type(&field.type_as_int().ok_or(Unknown)?)?,
        fb::Type::FloatingPoint => {
            match field.type_as_floating_point().ok_or(Unknown)?.precision() {
                fb::Precision::HALF => DataType::Float16,
                fb::Precision::SINGLE => DataType::Float32,
                fb::Precision::DOUBLE => DataType::Float64,
                _ => return Err(Unknown),
            }
        }
        fb::Type::Decimal => decimal_type(&field.type_as_decimal().ok_or(Unknown)?)?,
        fb::Type::Utf8 => DataType::Utf8,
        fb::Type::LargeUtf8 => DataType::LargeUtf8,
        fb::Type::Utf8View => DataType::Utf8View,
        fb::Type::Binary => DataType::Binary,
        fb::Type::LargeBinary => DataType::LargeBinary,
        fb::Type::BinaryView => DataType::BinaryView,
        fb::Type::FixedSizeBinary => {
            let width = field.type_as_fixed_size_binary().ok_or(Unknown)?.byteWidth();
            DataType::FixedSizeBinary(not_negative(width)?)
        }
        fb::Type::Date
        | fb::Type::Time
        | fb::Type::Timestamp
        | fb::Type::Duration
        | fb::Type::Interval => time_type(field)?,
        _ => return nested_type(field, children),
    })
}

fn nested_type(field: &fb::Field<'_>, children: &[Column]) -> TypeResult {
    use TypeProblem::Unknown;
    Ok(match field.type_type() {
        fb::Type::List => DataType::List(only_child(children)?),
        fb::Type::LargeList => DataType::LargeList(only_child(children)?),
        fb::Type::ListView => DataType::ListView(only_child(children)?),
        fb::Type::LargeListView => DataType::LargeListView(only_child(children)?),
        fb::Type::FixedSizeList => {
            let size = field.type_as_fixed_size_list().ok_or(Unknown)?.listSize();
            DataType::FixedSizeList(only_child(children)?, not_negative(size)?)
        }
        fb::Type::Struct_ => DataType::Struct(child_fields(children)),
        fb::Type::Map => map_type(&field.type_as_map().ok_or(Unknown)?, children)?,
        fb::Type::Union => union_type(&field.type_as_union().ok_or(Unknown)?, children)?,
        fb::Type::RunEndEncoded => run_end_type(children)?,
        _ => return Err(Unknown),
    })
}

fn child_fields(children: &[Column]) -> Fields {
    children.iter().map(|child| Arc::clone(&child.field)).collect()
}

fn only_child(children: &[Column]) -> Result<FieldRef, TypeProblem> {
    match children {
        [child] => Ok(Arc::clone(&child.field)),
        _ => Err(TypeProblem::Malformed("a list must have one child")),
    }
}

fn not_negative(size: i32) -> Result<i32, TypeProblem> {
    if size < 0 { Err(TypeProblem::Malformed("a negative size")) } else { Ok(size) }
}

fn int_type(int: &fb::Int<'_>) -> TypeResult {
    Ok(match (int.bitWidth(), int.is_signed()) {
        (8, true) => DataType::Int8,
        (16, true) => DataType::Int16,
        (32, true) => DataType::Int32,
        (64, true) => DataType::Int64,
        (8, false) => DataType::UInt8,
        (16, false) => DataType::UInt16,
        (32, false) => DataType::UInt32,
        (64, false) => DataType::UInt64,
        _ => return Err(TypeProblem::Unknown),
    })
}

/// The format's default for keys is a signed 32-bit integer.
fn key_type(encoding: &fb::DictionaryEncoding<'_>) -> TypeResult {
    if encoding.dictionaryKind() != fb::DictionaryKind::DenseArray {
        return Err(TypeProblem::Malformed("a dictionary of unknown kind"));
    }
    encoding.indexType().map_or(Ok(DataType::Int32), |int| int_type(&int))
}

fn decimal_type(decimal: &fb::Decimal<'_>) -> TypeResult {
    let precision = u8::try_from(decimal.precision());
    let (Ok(precision), Ok(scale)) = (precision, i8::try_from(decimal.scale())) else {
        return Err(TypeProblem::Malformed("a decimal's precision or scale is out of range"));
    };
    let (checked, data_type) = match decimal.bitWidth() {
        32 => (
            validate_decimal_precision_and_scale::<Decimal32Type>(precision, scale),
            DataType::Decimal32(precision, scale),
        ),
        64 => (
            validate_decimal_precision_and_scale::<Decimal64Type>(precision, scale),
            DataType::Decimal64(precision, scale),
        ),
        128 => (
            validate_decimal_precision_and_scale::<Decimal128Type>(precision, scale),
            DataType::Decimal128(precision, scale),
        ),
        256 => (
            validate_decimal_precision_and_scale::<Decimal256Type>(precision, scale),
            DataType::Decimal256(precision, scale),
        ),
        _ => return Err(TypeProblem::Unknown),
    };
    checked.map_err(TypeProblem::Arrow)?;
    Ok(data_type)
}

fn time_type(field: &fb::Field<'_>) -> TypeResult {
    use TypeProblem::Unknown;
    Ok(match field.type_type() {
        fb::Type::Date => match field.type_as_date().ok_or(Unknown)?.unit() {
            fb::DateUnit::DAY => DataType::Date32,
            fb::DateUnit::MILLISECOND => DataType::Date64,
            _ => return Err(Unknown),
        },
        fb::Type::Time => {
            let time = field.type_as_time().ok_or(Unknown)?;
            match (time.bitWidth(), time_unit(time.unit())?) {
                (32, unit @ (TimeUnit::Second | TimeUnit::Millisecond)) => DataType::Time32(unit),
                (64, unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond)) => {
                    DataType::Time64(unit)
                }
                _ => return Err(Unknown),
            }
        }
        fb::Type::Timestamp => {
            let timestamp = field.type_as_timestamp().ok_or(Unknown)?;
            let zone = timestamp.timezone().filter(|zone| !zone.is_empty()).map(Arc::from);
            DataType::Timestamp(time_unit(timestamp.unit())?, zone)
        }
        fb::Type::Duration => {
            DataType::Duration(time_unit(field.type_as_duration().ok_or(Unknown)?.unit())?)
        }
        fb::Type::Interval => match field.type_as_interval().ok_or(Unknown)?.unit() {
            fb::IntervalUnit::YEAR_MONTH => DataType::Interval(IntervalUnit::YearMonth),
            fb::IntervalUnit::DAY_TIME => DataType::Interval(IntervalUnit::DayTime),
            fb::IntervalUnit::MONTH_DAY_NANO => DataType::Interval(IntervalUnit::MonthDayNano),
            _ => return Err(Unknown),
        },
        _ => return Err(Unknown),
    })
}

fn time_unit(unit: fb::TimeUnit) -> Result<TimeUnit, TypeProblem> {
    match unit {
        fb::TimeUnit::SECOND => Ok(TimeUnit::Second),
        fb::TimeUnit::MILLISECOND => Ok(TimeUnit::Millisecond),
        fb::TimeUnit::MICROSECOND => Ok(TimeUnit::Microsecond),
        fb::TimeUnit::NANOSECOND => Ok(TimeUnit::Nanosecond),
        _ => Err(TypeProblem::Unknown),
    }
}

fn map_type(map: &fb::Map<'_>, children: &[Column]) -> TypeResult {
    let [entries] = children else {
        return Err(TypeProblem::Malformed("a map must have one child"));
    };
    let pair = match entries.field.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => fields,
        _ => return Err(TypeProblem::Malformed("a map's child must be a struct of two fields")),
    };
    if entries.field.is_nullable() || pair.first().is_none_or(|key| key.is_nullable()) {
        return Err(TypeProblem::Malformed("a map's entries and keys must not be nullable"));
    }
    Ok(DataType::Map(Arc::clone(&entries.field), map.keysSorted()))
}

fn union_type(union: &fb::Union<'_>, children: &[Column]) -> TypeResult {
    let mode = match union.mode() {
        fb::UnionMode::Sparse => UnionMode::Sparse,
        fb::UnionMode::Dense => UnionMode::Dense,
        _ => return Err(TypeProblem::Unknown),
    };
    let bad_ids = || TypeProblem::Malformed("a union's type ids are not 0 to 127");
    let type_ids: Vec<i8> = match union.typeIds() {
        Some(ids) => {
            ids.iter().map(i8::try_from).collect::<Result<_, _>>().map_err(|_| bad_ids())?
        }
        None => (0..children.len())
            .map(i8::try_from)
            .collect::<Result<_, _>>()
            .map_err(|_| bad_ids())?,
    };
    let fields = child_fields(children);
    let fields =
        UnionFields::try_new(type_ids, fields.iter().cloned()).map_err(TypeProblem::Arrow)?;
    Ok(DataType::Union(fields, mode))
}

fn run_end_type(children: &[Column]) -> TypeResult {
    let [run_ends, values] = children else {
        return Err(TypeProblem::Malformed("run-end encoding must have two children"));
    };
    let ends = &run_ends.field;
    let is_integer =
        matches!(ends.data_type(), DataType::Int16 | DataType::Int32 | DataType::Int64);
    if !is_integer || ends.is_nullable() {
        return Err(TypeProblem::Malformed("run ends must be signed integers and not nullable"));
    }
    Ok(DataType::RunEndEncoded(Arc::clone(ends), Arc::clone(&values.field)))
}
