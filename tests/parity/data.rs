//! The data sets and cases of the parity table, as Arrow batches and JSON. Included by
//! the tests of every reading of a filter: the evaluator, and what is compiled from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Float32Builder, ListBuilder};
use arrow_array::types::{
    ArrowDictionaryKeyType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DurationMillisecondType, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, DictionaryArray, Float16Array, Int64Array,
    LargeStringArray, NullArray, PrimitiveArray, RecordBatch, RunArray, StringArray,
    StringViewArray,
};
use arrow_schema::{Field, Schema};
use serde_json::Value;

/// One row of the table: `filters` over `data` gives `rows`, or blames the field `error`.
#[allow(dead_code, reason = "not every test that takes the data runs the cases")]
pub struct Case {
    pub data: String,
    /// The text of the array, so that numbers keep theirs.
    pub filters: String,
    pub expected: Result<Vec<usize>, String>,
}

/// All cases, in the order of the file.
#[allow(dead_code, reason = "not every test that takes the data runs the cases")]
pub fn cases() -> Vec<Case> {
    type Raw = BTreeMap<String, Box<serde_json::value::RawValue>>;
    let cases: Vec<Raw> = serde_json::from_str(include_str!("cases.json")).unwrap();
    let case = |raw: Raw| {
        let text = |name: &str| raw.get(name).map(|raw| raw.get());
        let rows = text("rows").map(|rows| serde_json::from_str(rows).unwrap());
        let error = || serde_json::from_str(text("error").unwrap()).unwrap();
        Case {
            data: serde_json::from_str(text("data").unwrap()).unwrap(),
            filters: text("filters").unwrap().to_owned(),
            expected: rows.ok_or_else(error),
        }
    };
    cases.into_iter().map(case).collect()
}

/// The data sets by name, each one batch.
pub fn batches() -> BTreeMap<String, RecordBatch> {
    let sets: Vec<Value> = serde_json::from_str(include_str!("data.json")).unwrap();
    let batch = |set: &Value| {
        let columns = set["columns"].as_array().unwrap().iter().map(|column| {
            let array = array(text(&column["type"]), column["values"].as_array().unwrap());
            (Field::new(text(&column["name"]), array.data_type().clone(), true), array)
        });
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    };
    sets.iter().map(|set| (text(&set["name"]).to_owned(), batch(set))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The head of a type and what stands in its brackets.
fn parts(data_type: &str) -> (&str, Vec<&str>) {
    let (head, rest) = data_type.split_once('(').unwrap_or((data_type, ")"));
    let rest = rest.strip_suffix(')').unwrap();
    (head, rest.split(", ").filter(|part| !part.is_empty()).collect())
}

fn array(data_type: &str, values: &[Value]) -> ArrayRef {
    let (head, arguments) = parts(data_type);
    match (head, arguments.as_slice()) {
        ("null", _) => Arc::new(NullArray::new(values.len())),
        ("boolean", _) => Arc::new(values.iter().map(Value::as_bool).collect::<BooleanArray>()),
        ("utf8", _) => Arc::new(StringArray::from(texts(values))),
        ("large_utf8", _) => Arc::new(LargeStringArray::from(texts(values))),
        ("utf8_view", _) => Arc::new(StringViewArray::from(texts(values))),
        ("binary", _) => {
            let mut builder = BinaryBuilder::new();
            texts(values).into_iter().for_each(|text| builder.append_option(text));
            Arc::new(builder.finish())
        }
        ("list", _) => {
            let mut builder = ListBuilder::new(Float32Builder::new());
            for value in values {
                let list = value.as_array();
                for item in list.into_iter().flatten() {
                    builder.values().append_value(item.as_f64().unwrap() as f32);
                }
                builder.append(list.is_some());
            }
            Arc::new(builder.finish())
        }
        ("dictionary", ["int8", inner]) => dictionary::<Int8Type>(inner, values),
        ("dictionary", ["int16", inner]) => dictionary::<Int16Type>(inner, values),
        ("dictionary", ["uint32", inner]) => dictionary::<UInt32Type>(inner, values),
        ("dictionary_with_null_value", ["int8", inner]) => {
            // The nulls are in the dictionary: every key is there.
            let keys = (0..values.len()).map(|row| row as i8).collect::<PrimitiveArray<Int8Type>>();
            Arc::new(DictionaryArray::try_new(keys, array(inner, values)).unwrap())
        }
        ("run_end", ["int32", inner]) => {
            let mut starts: Vec<usize> = vec![0];
            starts.extend((1..values.len()).filter(|row| values[*row] != values[*row - 1]));
            let firsts: Vec<Value> = starts.iter().map(|row| values[*row].clone()).collect();
            let ends = starts.iter().skip(1).copied().chain([values.len()]);
            let ends: PrimitiveArray<Int32Type> = ends.map(|end| end as i32).collect();
            Arc::new(RunArray::try_new(&ends, &array(inner, &firsts)).unwrap())
        }
        (decimal, [precision, scale]) if decimal.starts_with("decimal") => {
            let (precision, scale) = (precision.parse().unwrap(), scale.parse().unwrap());
            decimals(decimal, precision, scale, values)
        }
        _ => primitive(head, &arguments, values),
    }
}

fn primitive(head: &str, arguments: &[&str], values: &[Value]) -> ArrayRef {
    match (head, arguments) {
        ("int8", _) => numbers::<Int8Type>(values),
        ("int16", _) => numbers::<Int16Type>(values),
        ("int32", _) => numbers::<Int32Type>(values),
        ("int64", _) => numbers::<Int64Type>(values),
        ("uint8", _) => numbers::<UInt8Type>(values),
        ("uint16", _) => numbers::<UInt16Type>(values),
        ("uint32", _) => numbers::<UInt32Type>(values),
        ("uint64", _) => numbers::<UInt64Type>(values),
        ("float16", _) => {
            let halves = written(values).into_iter().map(|text| {
                text.map(|text| {
                    <Float16Type as ArrowPrimitiveType>::Native::from_f64(text.parse().unwrap())
                })
            });
            Arc::new(halves.collect::<Float16Array>().reinterpret_cast::<Float16Type>())
        }
        ("float32", _) => numbers::<Float32Type>(values),
        ("float64", _) => numbers::<Float64Type>(values),
        ("date32", _) => numbers::<Date32Type>(values),
        ("date64", _) => numbers::<Date64Type>(values),
        ("time32", ["s"]) => numbers::<Time32SecondType>(values),
        ("time32", ["ms"]) => numbers::<Time32MillisecondType>(values),
        ("time64", ["us"]) => numbers::<Time64MicrosecondType>(values),
        ("time64", ["ns"]) => numbers::<Time64NanosecondType>(values),
        ("duration", ["ms"]) => numbers::<DurationMillisecondType>(values),
        ("timestamp", [unit, zone @ ..]) => {
            let zone = zone.first().map(|zone| Arc::from(*zone));
            let stored: Int64Array = integers(values).collect();
            match *unit {
                "s" => Arc::new(
                    stored.reinterpret_cast::<TimestampSecondType>().with_timezone_opt(zone),
                ),
                "ms" => Arc::new(
                    stored.reinterpret_cast::<TimestampMillisecondType>().with_timezone_opt(zone),
                ),
                "us" => Arc::new(
                    stored.reinterpret_cast::<TimestampMicrosecondType>().with_timezone_opt(zone),
                ),
                _ => Arc::new(
                    stored.reinterpret_cast::<TimestampNanosecondType>().with_timezone_opt(zone),
                ),
            }
        }
        other => panic!("no type {other:?}"),
    }
}

fn dictionary<K: ArrowDictionaryKeyType>(inner: &str, values: &[Value]) -> ArrayRef
where
    K::Native: TryFrom<usize>,
{
    let mut distinct: Vec<Value> = Vec::new();
    let mut place = |value: &Value| {
        let found = distinct.iter().position(|known| known == value);
        found.unwrap_or_else(|| {
            distinct.push(value.clone());
            distinct.len() - 1
        })
    };
    let keys: PrimitiveArray<K> = values
        .iter()
        .map(|value| (!value.is_null()).then(|| K::Native::try_from(place(value)).ok().unwrap()))
        .collect();
    Arc::new(DictionaryArray::try_new(keys, array(inner, &distinct)).unwrap())
}

/// Values as they are written: numbers and texts alike.
fn written(values: &[Value]) -> Vec<Option<String>> {
    let written = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    values.iter().map(written).collect()
}

fn texts(values: &[Value]) -> Vec<Option<&str>> {
    values.iter().map(Value::as_str).collect()
}

fn integers(values: &[Value]) -> impl Iterator<Item = Option<i64>> {
    written(values).into_iter().map(|text| text.map(|text| text.parse().unwrap()))
}

fn numbers<T: ArrowPrimitiveType>(values: &[Value]) -> ArrayRef
where
    T::Native: std::str::FromStr<Err: std::fmt::Debug>,
{
    let numbers = written(values).into_iter().map(|text| text.map(|text| text.parse().unwrap()));
    Arc::new(numbers.collect::<PrimitiveArray<T>>())
}

/// Decimals by moving the point in their text.
fn decimals(head: &str, precision: u8, scale: i8, values: &[Value]) -> ArrayRef {
    let unscaled = |text: String| {
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let zeros = (scale as isize - fraction.len() as isize).max(0) as usize;
        let digits = format!("{whole}{fraction}{}", "0".repeat(zeros));
        match digits.len().checked_sub((-scale).max(0) as usize) {
            Some(kept) if kept > 0 => digits[..kept].to_owned(),
            _ => "0".to_owned(),
        }
    };
    let unscaled: Vec<Option<String>> =
        written(values).into_iter().map(|text| text.map(unscaled)).collect();
    macro_rules! of {
        ($native:ty, $parse:expr) => {{
            let array: PrimitiveArray<$native> =
                unscaled.iter().map(|text| text.as_ref().map($parse)).collect();
            Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
        }};
    }
    match head {
        "decimal32" => of!(Decimal32Type, |text| text.parse::<i32>().unwrap()),
        "decimal64" => of!(Decimal64Type, |text| text.parse::<i64>().unwrap()),
        "decimal128" => of!(Decimal128Type, |text| text.parse::<i128>().unwrap()),
        _ => {
            of!(Decimal256Type, |text| <Decimal256Type as ArrowPrimitiveType>::Native::from_string(
                text
            )
            .unwrap())
        }
    }
}
