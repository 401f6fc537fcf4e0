//! One column of every type, with nulls, and the ways to write it.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryViewBuilder, FixedSizeBinaryBuilder, Int32Builder, ListBuilder, MapBuilder,
    StringBuilder, StringDictionaryBuilder, StringViewBuilder,
};
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{
    ArrowNativeType, IntervalDayTime, IntervalMonthDayNano, NullBuffer, OffsetBuffer, ScalarBuffer,
    i256,
};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_ipc::{CompressionType, MetadataVersion};
use arrow_schema::{DataType, Field, Fields, Schema, UnionFields, UnionMode};
use half::f16;

pub const N_ROWS: usize = 100;

/// Rows by number, every seventh null.
fn rows<T>(value: impl Fn(i64) -> T) -> impl Iterator<Item = Option<T>> {
    (0..N_ROWS as i64).map(move |row| (row % 7 != 3).then(|| value(row)))
}

fn primitive<T: ArrowPrimitiveType>(value: impl Fn(i64) -> T::Native) -> PrimitiveArray<T> {
    rows(value).collect()
}

fn numbers() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("int8", Arc::new(primitive::<Int8Type>(|row| row as i8 - 50))),
        ("int16", Arc::new(primitive::<Int16Type>(|row| row as i16 * -300))),
        ("int32", Arc::new(primitive::<Int32Type>(|row| row as i32 * 70_000))),
        ("int64", Arc::new(primitive::<Int64Type>(|row| i64::MAX - row))),
        ("uint8", Arc::new(primitive::<UInt8Type>(|row| row as u8 * 2))),
        ("uint16", Arc::new(primitive::<UInt16Type>(|row| row as u16 * 600))),
        ("uint32", Arc::new(primitive::<UInt32Type>(|row| u32::MAX - row as u32))),
        ("uint64", Arc::new(primitive::<UInt64Type>(|row| u64::MAX - row as u64))),
        ("float16", Arc::new(primitive::<Float16Type>(|row| f16::from_f32(row as f32 / 3.0)))),
        ("float32", Arc::new(primitive::<Float32Type>(|row| row as f32 / 7.0))),
        ("float64", Arc::new(primitive::<Float64Type>(|row| -row as f64 / 11.0))),
        ("no_nulls", Arc::new(Int32Array::from_iter_values(0..N_ROWS as i32))),
        ("all_null", Arc::new(Int64Array::new_null(N_ROWS))),
        (
            "decimal32",
            Arc::new(
                primitive::<Decimal32Type>(|row| row as i32)
                    .with_precision_and_scale(9, 2)
                    .unwrap(),
            ),
        ),
        (
            "decimal64",
            Arc::new(
                primitive::<Decimal64Type>(|row| -row).with_precision_and_scale(18, 0).unwrap(),
            ),
        ),
        (
            "decimal128",
            Arc::new(
                primitive::<Decimal128Type>(|row| i128::from(row) << 60)
                    .with_precision_and_scale(38, 10)
                    .unwrap(),
            ),
        ),
        (
            "decimal256",
            Arc::new(
                primitive::<Decimal256Type>(|row| i256::from_i128(i128::from(row) << 90))
                    .with_precision_and_scale(76, -3)
                    .unwrap(),
            ),
        ),
    ]
}

fn times() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("date32", Arc::new(primitive::<Date32Type>(|row| row as i32 * 100))),
        ("date64", Arc::new(primitive::<Date64Type>(|row| row * 86_400_000))),
        ("time32_s", Arc::new(primitive::<Time32SecondType>(|row| row as i32))),
        ("time32_ms", Arc::new(primitive::<Time32MillisecondType>(|row| row as i32))),
        ("time64_us", Arc::new(primitive::<Time64MicrosecondType>(|row| row))),
        ("time64_ns", Arc::new(primitive::<Time64NanosecondType>(|row| row))),
        ("timestamp_s", Arc::new(primitive::<TimestampSecondType>(|row| row * 1000))),
        (
            "timestamp_ms_zoned",
            Arc::new(
                primitive::<TimestampMillisecondType>(|row| row).with_timezone("Europe/Zurich"),
            ),
        ),
        (
            "timestamp_us_utc",
            Arc::new(primitive::<TimestampMicrosecondType>(|row| -row).with_timezone("UTC")),
        ),
        (
            "timestamp_ns_offset",
            Arc::new(primitive::<TimestampNanosecondType>(|row| row).with_timezone("+05:30")),
        ),
        ("duration_s", Arc::new(primitive::<DurationSecondType>(|row| row))),
        ("duration_ms", Arc::new(primitive::<DurationMillisecondType>(|row| row))),
        ("duration_us", Arc::new(primitive::<DurationMicrosecondType>(|row| row))),
        ("duration_ns", Arc::new(primitive::<DurationNanosecondType>(|row| row))),
        ("interval_months", Arc::new(primitive::<IntervalYearMonthType>(|row| row as i32))),
        (
            "interval_days",
            Arc::new(primitive::<IntervalDayTimeType>(|row| IntervalDayTime::new(row as i32, 5))),
        ),
        (
            "interval_nanos",
            Arc::new(primitive::<IntervalMonthDayNanoType>(|row| {
                IntervalMonthDayNano::new(row as i32, 2, -row)
            })),
        ),
    ]
}

fn text(row: i64) -> String {
    match row % 4 {
        0 => String::new(),
        1 => format!("é{row}"),
        2 => format!("a string of row {row} that no view holds inline"),
        _ => "same".to_owned(),
    }
}

fn texts() -> Vec<(&'static str, ArrayRef)> {
    let mut fixed = FixedSizeBinaryBuilder::new(5);
    let mut string_views = StringViewBuilder::new().with_fixed_block_size(64);
    let mut binary_views = BinaryViewBuilder::new().with_fixed_block_size(64);
    for row in rows(text) {
        match row.as_ref().map(|row| format!("{row:>5.5}")).filter(|text| text.len() == 5) {
            Some(text) => fixed.append_value(text).unwrap(),
            None => fixed.append_null(),
        }
        string_views.append_option(row.as_ref());
        binary_views.append_option(row.as_ref());
    }
    let nothing = FixedSizeBinaryArray::try_new_with_len(0, Vec::<u8>::new().into(), None, N_ROWS);
    vec![
        ("null", Arc::new(NullArray::new(N_ROWS))),
        ("boolean", Arc::new(rows(|row| row % 3 == 0).collect::<BooleanArray>())),
        ("utf8", Arc::new(rows(text).collect::<StringArray>())),
        ("large_utf8", Arc::new(rows(text).collect::<LargeStringArray>())),
        ("binary", Arc::new(rows(|row| text(row).into_bytes()).collect::<BinaryArray>())),
        (
            "large_binary",
            Arc::new(rows(|row| text(row).into_bytes()).collect::<LargeBinaryArray>()),
        ),
        ("fixed_binary", Arc::new(fixed.finish())),
        ("fixed_binary_of_none", Arc::new(nothing.unwrap())),
        ("utf8_view", Arc::new(string_views.finish())),
        ("binary_view", Arc::new(binary_views.finish())),
        ("utf8_all_empty", Arc::new(StringArray::from(vec![""; N_ROWS]))),
    ]
}

fn list_of_ints() -> ListArray {
    let mut list = ListBuilder::new(Int32Builder::new());
    for row in 0..N_ROWS as i32 {
        for item in 0..row % 5 {
            list.values().append_option((item != 2).then_some(row * item));
        }
        list.append(row % 6 != 1);
    }
    list.finish()
}

fn points() -> StructArray {
    let fields = Fields::from(vec![
        Field::new("x", DataType::Float64, true),
        Field::new("label", DataType::Utf8, true),
        Field::new("tags", DataType::new_list(DataType::Int32, true), true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(primitive::<Float64Type>(|row| row as f64)),
        Arc::new(rows(text).collect::<StringArray>()),
        Arc::new(list_of_ints()),
    ];
    let nulls = NullBuffer::from_iter((0..N_ROWS).map(|row| row % 9 != 4));
    StructArray::new(fields, columns, Some(nulls))
}

fn map_of_words() -> MapArray {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for row in 0..N_ROWS as i32 {
        for item in 0..row % 3 {
            map.keys().append_value(format!("key {item}"));
            map.values().append_option((row % 2 == 0).then_some(item));
        }
        map.append(row % 8 != 5).unwrap();
    }
    map.finish()
}

fn list_view<O: OffsetSizeTrait>() -> GenericListViewArray<O> {
    // Ranges overlap and go backwards.
    let offsets: Vec<O> = (0..N_ROWS).map(|row| O::usize_as((row * 7) % 90)).collect();
    let sizes: Vec<O> = (0..N_ROWS).map(|row| O::usize_as(row % 4)).collect();
    let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
    let nulls = NullBuffer::from_iter((0..N_ROWS).map(|row| row % 5 != 2));
    let items: ArrayRef = Arc::new(rows(text).collect::<StringArray>());
    GenericListViewArray::new(field, offsets.into(), sizes.into(), items, Some(nulls))
}

fn runs<R: RunEndIndexType>() -> RunArray<R> {
    let ends: PrimitiveArray<R> =
        [3, 10, 11, 64, N_ROWS].map(R::Native::usize_as).into_iter().map(Some).collect();
    let values = StringArray::from(vec![Some("a"), None, Some("ccc"), Some(""), Some("é")]);
    RunArray::try_new(&ends, &values).unwrap()
}

fn union(mode: UnionMode) -> UnionArray {
    let fields = [
        (2_i8, Arc::new(Field::new("number", DataType::Int32, true))),
        (5_i8, Arc::new(Field::new("word", DataType::Utf8, true))),
    ];
    let type_ids: Vec<i8> = (0..N_ROWS).map(|row| if row % 3 == 0 { 5 } else { 2 }).collect();
    let numbers: ArrayRef = Arc::new(primitive::<Int32Type>(|row| row as i32));
    let words: ArrayRef = Arc::new(rows(text).collect::<StringArray>());
    let offsets: ScalarBuffer<i32> = (0..N_ROWS as i32).rev().collect();
    let offsets = (mode == UnionMode::Dense).then_some(offsets);
    let fields: UnionFields = fields.into_iter().collect();
    UnionArray::try_new(fields, type_ids.into(), offsets, vec![numbers, words]).unwrap()
}

pub fn dictionary<K: ArrowDictionaryKeyType>(words: &[&str]) -> DictionaryArray<K> {
    let mut builder = StringDictionaryBuilder::<K>::new();
    for row in 0..N_ROWS {
        builder.append_option((row % 7 != 3).then(|| words[row % words.len()]));
    }
    builder.finish()
}

fn nested() -> Vec<(&'static str, ArrayRef)> {
    let embeddings = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
        rows(|row| (0..8).map(move |i| Some((row * i) as f32)).collect::<Vec<_>>()),
        8,
    );
    let categories: ArrayRef = Arc::new(dictionary::<Int16Type>(&["red", "green"]));
    let item = Arc::new(Field::new_list_field(categories.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths((0..N_ROWS).map(|row| usize::from(row % 2 == 0)));
    let list_of_categories = ListArray::new(item, offsets, categories, None);
    let item = Arc::new(Field::new_list_field(points().data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths((0..N_ROWS).map(|row| usize::from(row < 60)));
    let list_of_points = LargeListArray::new(item, offsets, Arc::new(points()), None);
    vec![
        ("list", Arc::new(list_of_ints())),
        ("large_list_of_structs", Arc::new(list_of_points)),
        ("list_of_dictionaries", Arc::new(list_of_categories)),
        ("fixed_list", Arc::new(embeddings)),
        ("list_view", Arc::new(list_view::<i32>())),
        ("large_list_view", Arc::new(list_view::<i64>())),
        ("struct", Arc::new(points())),
        ("empty_struct", Arc::new(StructArray::new_empty_fields(N_ROWS, None))),
        ("map", Arc::new(map_of_words())),
        ("union_sparse", Arc::new(union(UnionMode::Sparse))),
        ("union_dense", Arc::new(union(UnionMode::Dense))),
        ("runs16", Arc::new(runs::<Int16Type>())),
        ("runs32", Arc::new(runs::<Int32Type>())),
        ("runs64", Arc::new(runs::<Int64Type>())),
    ]
}

fn dictionaries() -> Vec<(&'static str, ArrayRef)> {
    let words = ["red", "", "ünïcödé", "a rather longer word"];
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), None, Some(-7)]));
    let keys: UInt8Array = rows(|row| (row % 3) as u8).collect();
    let views: ArrayRef = Arc::new(StringViewArray::from_iter_values(words));
    let view_keys: Int32Array = rows(|row| (row % 4) as i32).collect();
    vec![
        ("dictionary_i8", Arc::new(dictionary::<Int8Type>(&words))),
        ("dictionary_i64", Arc::new(dictionary::<Int64Type>(&words))),
        ("dictionary_u16", Arc::new(dictionary::<UInt16Type>(&words))),
        ("dictionary_u64", Arc::new(dictionary::<UInt64Type>(&words))),
        ("dictionary_of_numbers", Arc::new(DictionaryArray::new(keys, numbers))),
        ("dictionary_of_views", Arc::new(DictionaryArray::new(view_keys, views))),
    ]
}

/// Every column by name.
pub fn columns() -> Vec<(&'static str, ArrayRef)> {
    [numbers(), times(), texts(), nested(), dictionaries()].concat()
}

pub fn batch_of(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| {
            Field::new(*name, array.data_type().clone(), true)
                .with_metadata([("unit".to_owned(), format!("of {name}"))].into())
        })
        .collect();
    let metadata = [("limn.table".to_owned(), "flights".to_owned())].into();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    let arrays = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
    RecordBatch::try_new(schema, arrays).unwrap()
}

/// Every column in one batch.
pub fn batch_of_everything() -> RecordBatch {
    batch_of(&columns())
}

/// A small batch, of the types that most tables are made of.
pub fn small_batch() -> RecordBatch {
    let names = ["int32", "utf8", "boolean", "dictionary_i8", "list", "float64"];
    let columns = columns();
    let column = |name| columns.iter().find(|(other, _)| *other == name).cloned().unwrap();
    batch_of(&names.map(column)).slice(0, 10)
}

/// The ways in which foreign writers write, each by name.
pub fn write_options() -> Vec<(&'static str, IpcWriteOptions)> {
    let compressed = |codec| IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
    vec![
        ("default", IpcWriteOptions::default()),
        ("aligned to 8", IpcWriteOptions::try_new(8, false, MetadataVersion::V5).unwrap()),
        ("version 4", IpcWriteOptions::try_new(64, false, MetadataVersion::V4).unwrap()),
        ("before 0.15", IpcWriteOptions::try_new(8, true, MetadataVersion::V4).unwrap()),
        ("lz4", compressed(CompressionType::LZ4_FRAME)),
        ("zstd", compressed(CompressionType::ZSTD)),
    ]
}

pub fn foreign_stream(batches: &[RecordBatch], options: &IpcWriteOptions) -> Vec<u8> {
    let schema = batches[0].schema();
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), &schema, options.clone()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

pub fn foreign_file(batches: &[RecordBatch], options: &IpcWriteOptions) -> Vec<u8> {
    let schema = batches[0].schema();
    let mut writer =
        FileWriter::try_new_with_options(Vec::new(), &schema, options.clone()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}
