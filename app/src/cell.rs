//! One value of a column as text, for the table, hover and legends: exact numbers, ISO
//! dates, RFC 3339 timestamps, lists and binary cut short. Null is `None`, and is told
//! apart from the text "null". Moments are written in [`moment`], values whole in [`whole`].

mod moment;
pub mod whole;

use std::fmt::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type,
    Decimal64Type, Decimal128Type, Decimal256Type, DecimalType, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float16Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalYearMonthType, RunEndIndexType, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{AnyDictionaryArray, Array, ArrayRef, StructArray};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

/// Characters shown of one value; what is longer ends in "…".
const CHARS_MAX: usize = 400;
/// Elements shown of a list, entries of a map.
const ELEMENTS_MAX: usize = 16;
/// Bytes shown of a binary value.
const BYTES_MAX: usize = 64;

/// The text of one value; `None` for null and for a row past the end. Bytes have their
/// number first, and pictures say that they are one.
pub fn cell_text(array: &dyn Array, row: usize) -> Option<String> {
    let mut text = String::new();
    if let Some(bytes) = whole::bytes_at(array, row) {
        match whole::image_type(bytes) {
            Some(image) => push(&mut text, format_args!("image/{image} · {} B", bytes.len())),
            None => {
                push(&mut text, format_args!("{} B · ", bytes.len()));
                write_hex(&mut text, bytes);
            }
        }
        return Some(text);
    }
    write_cell(&mut text, array, row).then(|| clipped(text))
}

/// A finite or infinite number, as short as reads back the same.
pub fn float_text(number: f64) -> String {
    let mut text = String::new();
    write_float(&mut text, number);
    text
}

/// A date, timestamp or time of day from the number that Arrow keeps; `None` for others.
pub fn stored_text(data_type: &DataType, stored: i64) -> Option<String> {
    let mut text = String::new();
    match data_type {
        DataType::Date32 => moment::write_date(&mut text, stored),
        DataType::Date64 => {
            moment::write_timestamp(&mut text, stored, TimeUnit::Millisecond, false);
        }
        DataType::Timestamp(unit, zone) => {
            moment::write_timestamp(&mut text, stored, *unit, zone.is_some());
        }
        DataType::Time32(unit) | DataType::Time64(unit) => {
            moment::write_time_of_day(&mut text, stored, *unit);
        }
        _ => return None,
    }
    Some(text)
}

fn clipped(mut text: String) -> String {
    if text.len() > CHARS_MAX
        && let Some((end, _)) = text.char_indices().nth(CHARS_MAX)
    {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Appends the value; false, with nothing appended, for null.
fn write_cell(out: &mut String, array: &dyn Array, row: usize) -> bool {
    if row >= array.len() || array.is_null(row) {
        return false;
    }
    match array.data_type() {
        DataType::Null => return false,
        DataType::Boolean => {
            out.push_str(if array.as_boolean().value(row) { "true" } else { "false" });
        }
        DataType::Utf8 => write_text(out, array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => write_text(out, array.as_string::<i64>().value(row)),
        DataType::Utf8View => write_text(out, array.as_string_view().value(row)),
        DataType::Binary => write_hex(out, array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => write_hex(out, array.as_binary::<i64>().value(row)),
        DataType::BinaryView => write_hex(out, array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => write_hex(out, array.as_fixed_size_binary().value(row)),
        DataType::Dictionary(key, _) => return write_entry(out, array, row, key),
        DataType::RunEndEncoded(ends, _) => return write_run(out, array, row, ends.data_type()),
        DataType::Struct(_) => write_struct(out, array.as_struct(), row),
        DataType::Map(_, _) => write_map(out, &array.as_map().value(row)),
        DataType::List(_) => write_list(out, array.as_list::<i32>().value(row).as_ref()),
        DataType::LargeList(_) => write_list(out, array.as_list::<i64>().value(row).as_ref()),
        DataType::ListView(_) => write_list(out, array.as_list_view::<i32>().value(row).as_ref()),
        DataType::LargeListView(_) => {
            write_list(out, array.as_list_view::<i64>().value(row).as_ref());
        }
        DataType::FixedSizeList(_, _) => {
            write_list(out, array.as_fixed_size_list().value(row).as_ref());
        }
        DataType::Union(_, _) => {
            let union = array.as_union();
            let child = union.child(union.type_id(row));
            return write_cell(out, child.as_ref(), union.value_offset(row));
        }
        other if other.is_temporal() => write_moment(out, array, row, other),
        other => write_number(out, array, row, other),
    }
    true
}

fn write_number(out: &mut String, array: &dyn Array, row: usize, data_type: &DataType) {
    match data_type {
        DataType::Int8 => write_integer::<Int8Type>(out, array, row),
        DataType::Int16 => write_integer::<Int16Type>(out, array, row),
        DataType::Int32 => write_integer::<Int32Type>(out, array, row),
        DataType::Int64 => write_integer::<Int64Type>(out, array, row),
        DataType::UInt8 => write_integer::<UInt8Type>(out, array, row),
        DataType::UInt16 => write_integer::<UInt16Type>(out, array, row),
        DataType::UInt32 => write_integer::<UInt32Type>(out, array, row),
        DataType::UInt64 => write_integer::<UInt64Type>(out, array, row),
        DataType::Float16 => {
            // Through f32, whose shortest text has no more digits than it needs.
            write_float32(out, array.as_primitive::<Float16Type>().value(row).to_f32());
        }
        DataType::Float32 => write_float32(out, array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => write_float(out, array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal32(p, s) => write_decimal::<Decimal32Type>(out, array, row, *p, *s),
        DataType::Decimal64(p, s) => write_decimal::<Decimal64Type>(out, array, row, *p, *s),
        DataType::Decimal128(p, s) => write_decimal::<Decimal128Type>(out, array, row, *p, *s),
        DataType::Decimal256(p, s) => write_decimal::<Decimal256Type>(out, array, row, *p, *s),
        _ => out.push('…'),
    }
}

fn write_moment(out: &mut String, array: &dyn Array, row: usize, data_type: &DataType) {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let unit_value = match data_type {
        DataType::Date32 => {
            let days = i64::from(array.as_primitive::<Date32Type>().value(row));
            return moment::write_date(out, days);
        }
        DataType::Date64 => {
            let millis = array.as_primitive::<Date64Type>().value(row);
            return moment::write_timestamp(out, millis, Millisecond, false);
        }
        DataType::Time32(Second) => i64::from(array.as_primitive::<Time32SecondType>().value(row)),
        DataType::Time32(_) => i64::from(array.as_primitive::<Time32MillisecondType>().value(row)),
        DataType::Time64(Nanosecond) => array.as_primitive::<Time64NanosecondType>().value(row),
        DataType::Time64(_) => array.as_primitive::<Time64MicrosecondType>().value(row),
        DataType::Timestamp(Second, _) => array.as_primitive::<TimestampSecondType>().value(row),
        DataType::Timestamp(Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().value(row)
        }
        DataType::Timestamp(Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row)
        }
        DataType::Timestamp(Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().value(row)
        }
        DataType::Duration(Second) => array.as_primitive::<DurationSecondType>().value(row),
        DataType::Duration(Millisecond) => {
            array.as_primitive::<DurationMillisecondType>().value(row)
        }
        DataType::Duration(Microsecond) => {
            array.as_primitive::<DurationMicrosecondType>().value(row)
        }
        DataType::Duration(Nanosecond) => array.as_primitive::<DurationNanosecondType>().value(row),
        DataType::Interval(unit) => return write_interval(out, array, row, *unit),
        _ => return out.push('…'),
    };
    match data_type {
        DataType::Time32(unit) | DataType::Time64(unit) => {
            moment::write_time_of_day(out, unit_value, *unit);
        }
        DataType::Timestamp(unit, zone) => {
            moment::write_timestamp(out, unit_value, *unit, zone.is_some());
        }
        DataType::Duration(unit) => moment::write_duration(out, unit_value, *unit),
        _ => {}
    }
}

fn write_interval(out: &mut String, array: &dyn Array, row: usize, unit: IntervalUnit) {
    match unit {
        IntervalUnit::YearMonth => {
            let months = array.as_primitive::<IntervalYearMonthType>().value(row);
            moment::write_interval(out, i64::from(months), 0, 0);
        }
        IntervalUnit::DayTime => {
            let value = array.as_primitive::<IntervalDayTimeType>().value(row);
            let nanos = i64::from(value.milliseconds) * 1_000_000;
            moment::write_interval(out, 0, i64::from(value.days), nanos);
        }
        IntervalUnit::MonthDayNano => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            let (months, days) = (i64::from(value.months), i64::from(value.days));
            moment::write_interval(out, months, days, value.nanoseconds);
        }
    }
}

fn write_integer<T: ArrowPrimitiveType>(out: &mut String, array: &dyn Array, row: usize)
where
    T::Native: std::fmt::Display,
{
    push(out, format_args!("{}", array.as_primitive::<T>().value(row)));
}

fn write_decimal<T: DecimalType>(
    out: &mut String,
    array: &dyn Array,
    row: usize,
    precision: u8,
    scale: i8,
) {
    let value = array.as_primitive::<T>().value(row);
    out.push_str(&T::format_decimal(value, precision, scale));
}

fn write_float(out: &mut String, number: f64) {
    write_shortest(out, number.is_finite(), number, format_args!("{number:?}"));
}

fn write_float32(out: &mut String, number: f32) {
    write_shortest(out, number.is_finite(), f64::from(number), format_args!("{number:?}"));
}

/// Debug formatting is the shortest text that reads back, with an exponent where it is
/// long, and a ".0" on whole numbers that says nothing here.
fn write_shortest(out: &mut String, finite: bool, number: f64, debug: std::fmt::Arguments<'_>) {
    if number.is_nan() {
        out.push_str("NaN");
    } else if !finite {
        out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        push(out, debug);
        if out.ends_with(".0") {
            out.truncate(out.len() - 2);
        }
    }
}

/// Text is cut before it is copied: a value may be megabytes long.
fn write_text(out: &mut String, text: &str) {
    match text.char_indices().nth(CHARS_MAX + 1) {
        Some((end, _)) => out.push_str(text.get(..end).unwrap_or_default()),
        None => out.push_str(text),
    }
}

fn write_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes.iter().take(BYTES_MAX) {
        push(out, format_args!("{byte:02x}"));
    }
    if bytes.len() > BYTES_MAX {
        out.push('…');
    }
}

/// The value that a dictionary's key stands for.
fn write_entry(out: &mut String, array: &dyn Array, row: usize, key: &DataType) -> bool {
    let values = array.as_any_dictionary_opt().map(AnyDictionaryArray::values);
    match (values, entry_of(array, row, key)) {
        (Some(values), Some(entry)) => write_cell(out, values.as_ref(), entry),
        _ => false,
    }
}

fn entry_of(array: &dyn Array, row: usize, key: &DataType) -> Option<usize> {
    fn entry<K: ArrowDictionaryKeyType>(array: &dyn Array, row: usize) -> Option<usize> {
        array.as_dictionary_opt::<K>()?.key(row)
    }
    match key {
        DataType::Int8 => entry::<Int8Type>(array, row),
        DataType::Int16 => entry::<Int16Type>(array, row),
        DataType::Int32 => entry::<Int32Type>(array, row),
        DataType::Int64 => entry::<Int64Type>(array, row),
        DataType::UInt8 => entry::<UInt8Type>(array, row),
        DataType::UInt16 => entry::<UInt16Type>(array, row),
        DataType::UInt32 => entry::<UInt32Type>(array, row),
        DataType::UInt64 => entry::<UInt64Type>(array, row),
        _ => None,
    }
}

fn write_run(out: &mut String, array: &dyn Array, row: usize, ends: &DataType) -> bool {
    run_of(array, row, ends).is_some_and(|(values, at)| write_cell(out, values.as_ref(), at))
}

fn run_of(array: &dyn Array, row: usize, ends: &DataType) -> Option<(ArrayRef, usize)> {
    fn run<R: RunEndIndexType>(array: &dyn Array, row: usize) -> Option<(ArrayRef, usize)> {
        let runs = array.as_run_opt::<R>()?;
        Some((ArrayRef::clone(runs.values()), runs.get_physical_index(row)))
    }
    match ends {
        DataType::Int16 => run::<Int16Type>(array, row),
        DataType::Int32 => run::<Int32Type>(array, row),
        DataType::Int64 => run::<Int64Type>(array, row),
        _ => None,
    }
}

fn write_list(out: &mut String, items: &dyn Array) {
    out.push('[');
    write_items(out, items.len(), |out, index| write_item(out, items, index));
    out.push(']');
}

fn write_struct(out: &mut String, array: &StructArray, row: usize) {
    let names = array.column_names();
    out.push('{');
    write_items(out, names.len(), |out, index| {
        if let (Some(name), Some(column)) = (names.get(index), array.columns().get(index)) {
            push(out, format_args!("{name}: "));
            write_item(out, column.as_ref(), row);
        }
    });
    out.push('}');
}

fn write_map(out: &mut String, entries: &StructArray) {
    out.push('{');
    write_items(out, entries.len(), |out, index| {
        if let [keys, values] = entries.columns() {
            write_item(out, keys.as_ref(), index);
            out.push_str(": ");
            write_item(out, values.as_ref(), index);
        }
    });
    out.push('}');
}

fn write_item(out: &mut String, items: &dyn Array, index: usize) {
    if !write_cell(out, items, index) {
        out.push_str("null");
    }
}

fn write_items(out: &mut String, n_items: usize, mut write: impl FnMut(&mut String, usize)) {
    for index in 0..n_items {
        if index > 0 {
            out.push_str(", ");
        }
        if index == ELEMENTS_MAX || out.len() > 2 * CHARS_MAX {
            return out.push('…');
        }
        write(out, index);
    }
}

/// Writing to a string cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(text);
}

#[cfg(test)]
mod tests;
