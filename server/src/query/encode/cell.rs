//! One value at a time, as text: what a CSV field or a JSON value holds.

use std::fmt::Debug;
use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{
    AnyDictionaryArray, Array, ArrayRef, ArrowPrimitiveType, BooleanArray, FixedSizeListArray,
    GenericListArray, MapArray, OffsetSizeTrait, PrimitiveArray, StructArray, UnionArray,
    downcast_dictionary_array, downcast_integer_array,
};
use arrow_buffer::{IntervalDayTime, IntervalMonthDayNano, NullBuffer};
use arrow_schema::{ArrowError, DataType, IntervalUnit, TimeUnit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::plain;
use super::text::escape_json;
use super::time;

/// How a value is written: as JSON, or as the bare text that a CSV field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Json,
    Bare,
}

/// The values of a column of one type; never asked for a null.
trait Cells {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>);
}

/// A column of a batch, ready to be written row by row.
pub(super) struct Column<'a> {
    nulls: Option<NullBuffer>,
    cells: Box<dyn Cells + 'a>,
}

impl<'a> Column<'a> {
    pub(super) fn new(array: &'a dyn Array) -> Result<Self, ArrowError> {
        Ok(Self { nulls: array.logical_nulls(), cells: cells(array)? })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    pub(super) fn write_json(&self, row: usize, out: &mut Vec<u8>) {
        match self.is_null(row) {
            true => out.extend_from_slice(b"null"),
            false => self.cells.write(row, Style::Json, out),
        }
    }

    /// The bare text; nothing for null.
    pub(super) fn write_bare(&self, row: usize, out: &mut Vec<u8>) {
        if !self.is_null(row) {
            self.cells.write(row, Style::Bare, out);
        }
    }
}

fn cells<'a>(array: &'a dyn Array) -> Result<Box<dyn Cells + 'a>, ArrowError> {
    downcast_integer_array! {
        array => return Ok(Box::new(Integers(array))),
        _ => {}
    }
    Ok(match array.data_type() {
        DataType::Null => Box::new(Nothing),
        DataType::Boolean => Box::new(Booleans(array.as_boolean())),
        DataType::Float16 => Box::new(Floats(array.as_primitive::<Float16Type>())),
        DataType::Float32 => Box::new(Floats(array.as_primitive::<Float32Type>())),
        DataType::Float64 => Box::new(Floats(array.as_primitive::<Float64Type>())),
        DataType::Decimal32(p, s) => decimals::<Decimal32Type>(array, *p, *s),
        DataType::Decimal64(p, s) => decimals::<Decimal64Type>(array, *p, *s),
        DataType::Decimal128(p, s) => decimals::<Decimal128Type>(array, *p, *s),
        DataType::Decimal256(p, s) => decimals::<Decimal256Type>(array, *p, *s),
        DataType::Utf8 => Box::new(Texts(array.as_string::<i32>())),
        DataType::LargeUtf8 => Box::new(Texts(array.as_string::<i64>())),
        DataType::Utf8View => Box::new(Texts(array.as_string_view())),
        DataType::Binary => Box::new(Binaries(array.as_binary::<i32>())),
        DataType::LargeBinary => Box::new(Binaries(array.as_binary::<i64>())),
        DataType::BinaryView => Box::new(Binaries(array.as_binary_view())),
        DataType::FixedSizeBinary(_) => Box::new(Binaries(array.as_fixed_size_binary())),
        DataType::List(_) => Box::new(Lists::new(array.as_list::<i32>())?),
        DataType::LargeList(_) => Box::new(Lists::new(array.as_list::<i64>())?),
        DataType::FixedSizeList(..) => Box::new(FixedLists::new(array.as_fixed_size_list())?),
        DataType::Struct(_) => Box::new(Structs::new(array.as_struct())?),
        DataType::Map(..) => Box::new(Maps::new(array.as_map())?),
        DataType::Dictionary(..) => downcast_dictionary_array! {
            array => Box::new(Keyed {
                keys: array.normalized_keys(),
                values: cells(array.values().as_ref())?,
            }),
            _ => return Err(unknown(array)),
        },
        DataType::Union(..) => Box::new(Unions::new(array.as_union())?),
        DataType::ListView(_) | DataType::LargeListView(_) | DataType::RunEndEncoded(..) => {
            let to = plain::data_type(array.data_type());
            Box::new(Owned { array: arrow_cast::cast(array, &to)? })
        }
        _ => return temporal_cells(array),
    })
}

fn temporal_cells<'a>(array: &'a dyn Array) -> Result<Box<dyn Cells + 'a>, ArrowError> {
    type Write = fn(i64, &mut Vec<u8>);
    fn of<'a, T: ArrowPrimitiveType<Native: Into<i64>>>(
        array: &'a dyn Array,
        write: Write,
    ) -> Box<dyn Cells + 'a> {
        Box::new(Written(array.as_primitive::<T>(), move |value: T::Native, out: &mut Vec<u8>| {
            write(value.into(), out);
        }))
    }
    Ok(match array.data_type() {
        DataType::Date32 => of::<Date32Type>(array, time::write_date),
        DataType::Date64 => of::<Date64Type>(array, |millis, out| {
            time::write_date(millis.div_euclid(86_400_000), out)
        }),
        DataType::Time32(TimeUnit::Second) => {
            of::<Time32SecondType>(array, |v, out| time::write_time(v, TimeUnit::Second, out))
        }
        DataType::Time32(_) => of::<Time32MillisecondType>(array, |v, out| {
            time::write_time(v, TimeUnit::Millisecond, out);
        }),
        DataType::Time64(TimeUnit::Microsecond) => of::<Time64MicrosecondType>(array, |v, out| {
            time::write_time(v, TimeUnit::Microsecond, out);
        }),
        DataType::Time64(_) => of::<Time64NanosecondType>(array, |v, out| {
            time::write_time(v, TimeUnit::Nanosecond, out);
        }),
        DataType::Timestamp(unit, zone) => {
            let (unit, zoned) = (*unit, zone.is_some());
            instants(array, unit, move |value, out| time::write_timestamp(value, unit, zoned, out))
                .ok_or_else(|| unknown(array))?
        }
        DataType::Duration(unit) => {
            let unit = *unit;
            let write = move |value: i64, out: &mut Vec<u8>| time::write_duration(value, unit, out);
            match unit {
                TimeUnit::Second => written::<DurationSecondType>(array, write),
                TimeUnit::Millisecond => written::<DurationMillisecondType>(array, write),
                TimeUnit::Microsecond => written::<DurationMicrosecondType>(array, write),
                TimeUnit::Nanosecond => written::<DurationNanosecondType>(array, write),
            }
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            of::<IntervalYearMonthType>(array, |months, out| {
                time::write_interval(months, 0, 0, out);
            })
        }
        DataType::Interval(IntervalUnit::DayTime) => Box::new(Written(
            array.as_primitive::<IntervalDayTimeType>(),
            |value: IntervalDayTime, out: &mut Vec<u8>| {
                let nanos = i64::from(value.milliseconds) * 1_000_000;
                time::write_interval(0, value.days.into(), nanos, out);
            },
        )),
        DataType::Interval(IntervalUnit::MonthDayNano) => Box::new(Written(
            array.as_primitive::<IntervalMonthDayNanoType>(),
            |value: IntervalMonthDayNano, out: &mut Vec<u8>| {
                time::write_interval(
                    value.months.into(),
                    value.days.into(),
                    value.nanoseconds,
                    out,
                );
            },
        )),
        _ => return Err(unknown(array)),
    })
}

fn instants<'a>(
    array: &'a dyn Array,
    unit: TimeUnit,
    write: impl Fn(i64, &mut Vec<u8>) + 'a,
) -> Option<Box<dyn Cells + 'a>> {
    Some(match unit {
        TimeUnit::Second => written::<TimestampSecondType>(array, write),
        TimeUnit::Millisecond => written::<TimestampMillisecondType>(array, write),
        TimeUnit::Microsecond => written::<TimestampMicrosecondType>(array, write),
        TimeUnit::Nanosecond => written::<TimestampNanosecondType>(array, write),
    })
}

fn written<'a, T: ArrowPrimitiveType<Native = i64>>(
    array: &'a dyn Array,
    write: impl Fn(i64, &mut Vec<u8>) + 'a,
) -> Box<dyn Cells + 'a> {
    Box::new(Written(array.as_primitive::<T>(), write))
}

fn decimals<'a, T: DecimalType>(
    array: &'a dyn Array,
    precision: u8,
    scale: i8,
) -> Box<dyn Cells + 'a> {
    let write = move |value: T::Native, out: &mut Vec<u8>| {
        out.extend_from_slice(T::format_decimal(value, precision, scale).as_bytes());
    };
    Box::new(Written(array.as_primitive::<T>(), write))
}

fn unknown(array: &dyn Array) -> ArrowError {
    ArrowError::NotYetImplemented(format!("text of type {}", array.data_type()))
}

struct Nothing;

impl Cells for Nothing {
    fn write(&self, _: usize, style: Style, out: &mut Vec<u8>) {
        if style == Style::Json {
            out.extend_from_slice(b"null");
        }
    }
}

struct Booleans<'a>(&'a BooleanArray);

impl Cells for Booleans<'_> {
    fn write(&self, row: usize, _: Style, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.0.value(row) { b"true" } else { b"false" });
    }
}

/// The largest integer that a JSON reader with doubles keeps.
const SAFE_INTEGER_MAX: i128 = (1 << 53) - 1;

struct Integers<'a, T: ArrowPrimitiveType>(&'a PrimitiveArray<T>);

impl<T: ArrowPrimitiveType<Native: itoa::Integer + Into<i128>>> Cells for Integers<'_, T> {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        let value = self.0.value(row);
        let exact = value.into().abs() <= SAFE_INTEGER_MAX;
        let mut digits = itoa::Buffer::new();
        quoted(style == Style::Json && !exact, out, |out| {
            out.extend_from_slice(digits.format(value).as_bytes());
        });
    }
}

struct Floats<'a, T: ArrowPrimitiveType>(&'a PrimitiveArray<T>);

impl<T: ArrowPrimitiveType<Native: Into<f64> + Debug>> Cells for Floats<'_, T> {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        let value = self.0.value(row);
        let wide: f64 = value.into();
        if wide.is_finite() {
            // The shortest digits that read back as the same value of the same width.
            write_display(out, format_args!("{value:?}"));
        } else {
            let name = match (wide.is_nan(), wide > 0.0) {
                (true, _) => "NaN",
                (false, true) => "Infinity",
                (false, false) => "-Infinity",
            };
            quoted(style == Style::Json, out, |out| out.extend_from_slice(name.as_bytes()));
        }
    }
}

/// Values whose text never needs escaping, and is a string in JSON.
struct Written<'a, T: ArrowPrimitiveType, F>(&'a PrimitiveArray<T>, F);

impl<T: ArrowPrimitiveType, F: Fn(T::Native, &mut Vec<u8>)> Cells for Written<'_, T, F> {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        quoted(style == Style::Json, out, |out| (self.1)(self.0.value(row), out));
    }
}

struct Texts<A>(A);

impl<'a, A: arrow_array::array::StringArrayType<'a>> Cells for Texts<A> {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        match style {
            Style::Json => escape_json(self.0.value(row), out),
            Style::Bare => out.extend_from_slice(self.0.value(row).as_bytes()),
        }
    }
}

struct Binaries<A>(A);

impl<'a, A: arrow_array::array::BinaryArrayType<'a>> Cells for Binaries<A> {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        let text = BASE64.encode(self.0.value(row));
        quoted(style == Style::Json, out, |out| out.extend_from_slice(text.as_bytes()));
    }
}

struct Keyed<'a> {
    keys: Vec<usize>,
    values: Box<dyn Cells + 'a>,
}

impl Cells for Keyed<'_> {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        if let Some(key) = self.keys.get(row) {
            self.values.write(*key, style, out);
        }
    }
}

/// An array that had to be cast first.
struct Owned {
    array: ArrayRef,
}

impl Cells for Owned {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        if let Ok(column) = Column::new(self.array.as_ref()) {
            match style {
                Style::Json => column.write_json(row, out),
                Style::Bare => column.write_bare(row, out),
            }
        }
    }
}

struct Lists<'a, O: OffsetSizeTrait> {
    list: &'a GenericListArray<O>,
    items: Column<'a>,
}

impl<'a, O: OffsetSizeTrait> Lists<'a, O> {
    fn new(list: &'a GenericListArray<O>) -> Result<Self, ArrowError> {
        Ok(Self { list, items: Column::new(list.values().as_ref())? })
    }
}

impl<O: OffsetSizeTrait> Cells for Lists<'_, O> {
    fn write(&self, row: usize, _: Style, out: &mut Vec<u8>) {
        let offsets = self.list.value_offsets();
        write_items(&self.items, offsets[row].as_usize()..offsets[row + 1].as_usize(), out);
    }
}

struct FixedLists<'a> {
    list: &'a FixedSizeListArray,
    items: Column<'a>,
}

impl<'a> FixedLists<'a> {
    fn new(list: &'a FixedSizeListArray) -> Result<Self, ArrowError> {
        Ok(Self { list, items: Column::new(list.values().as_ref())? })
    }
}

impl Cells for FixedLists<'_> {
    fn write(&self, row: usize, _: Style, out: &mut Vec<u8>) {
        let size = usize::try_from(self.list.value_length()).unwrap_or_default();
        write_items(&self.items, row * size..(row + 1) * size, out);
    }
}

fn write_items(items: &Column<'_>, range: std::ops::Range<usize>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, row) in range.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        items.write_json(row, out);
    }
    out.push(b']');
}

struct Structs<'a> {
    /// Each field's name as JSON with its colon.
    fields: Vec<(Vec<u8>, Column<'a>)>,
}

impl<'a> Structs<'a> {
    fn new(array: &'a StructArray) -> Result<Self, ArrowError> {
        let fields = array.fields().iter().zip(array.columns());
        let fields = fields
            .map(|(field, column)| Ok((json_key(field.name()), Column::new(column.as_ref())?)))
            .collect::<Result<_, ArrowError>>()?;
        Ok(Self { fields })
    }
}

impl Cells for Structs<'_> {
    fn write(&self, row: usize, _: Style, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (key, column)) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            column.write_json(row, out);
        }
        out.push(b'}');
    }
}

/// Maps are objects, whose keys are the bare texts of the map's keys.
struct Maps<'a> {
    map: &'a MapArray,
    keys: Column<'a>,
    values: Column<'a>,
}

impl<'a> Maps<'a> {
    fn new(map: &'a MapArray) -> Result<Self, ArrowError> {
        Ok(Self {
            map,
            keys: Column::new(map.keys().as_ref())?,
            values: Column::new(map.values().as_ref())?,
        })
    }
}

impl Cells for Maps<'_> {
    fn write(&self, row: usize, _: Style, out: &mut Vec<u8>) {
        let offsets = self.map.value_offsets();
        let [start, end] =
            [offsets[row], offsets[row + 1]].map(|o| usize::try_from(o).unwrap_or(0));
        let mut key = Vec::new();
        out.push(b'{');
        for entry in start..end {
            if entry > start {
                out.push(b',');
            }
            key.clear();
            self.keys.write_bare(entry, &mut key);
            escape_json(&String::from_utf8_lossy(&key), out);
            out.push(b':');
            self.values.write_json(entry, out);
        }
        out.push(b'}');
    }
}

struct Unions<'a> {
    union: &'a UnionArray,
    children: Vec<(i8, Column<'a>)>,
}

impl<'a> Unions<'a> {
    fn new(union: &'a UnionArray) -> Result<Self, ArrowError> {
        let DataType::Union(fields, _) = union.data_type() else { return Err(unknown(union)) };
        let children = fields
            .iter()
            .map(|(id, _)| Ok((id, Column::new(union.child(id).as_ref())?)))
            .collect::<Result<_, ArrowError>>()?;
        Ok(Self { union, children })
    }
}

impl Cells for Unions<'_> {
    fn write(&self, row: usize, style: Style, out: &mut Vec<u8>) {
        let id = self.union.type_id(row);
        let offset = self.union.value_offset(row);
        match (self.children.iter().find(|(child, _)| *child == id), style) {
            (Some((_, column)), Style::Bare) => column.write_bare(offset, out),
            (Some((_, column)), Style::Json) => column.write_json(offset, out),
            (None, _) => {}
        }
    }
}

/// A name as a JSON key with its colon.
pub(super) fn json_key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 3);
    escape_json(name, &mut key);
    key.push(b':');
    key
}

fn quoted(quotes: bool, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if quotes {
        out.push(b'"');
    }
    write(out);
    if quotes {
        out.push(b'"');
    }
}

/// Writing to a vector cannot fail.
fn write_display(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}
