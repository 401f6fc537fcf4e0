//! Dictionaries over several batches: resent, replaced, extended, shared, nested, missing.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::*;
use arrow_buffer::Buffer;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{DictionaryHandling, IpcWriteOptions};
use arrow_schema::{DataType, Field, Fields, Schema};
use engine::ipc::encode::{Compression, Container, encode_all};
use engine::ipc::error::IpcError;
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::{Decoded, decode_all};
use engine::ipc::unify::DictionaryUnifier;

use crate::samples::*;

fn decoded(bytes: Vec<u8>) -> Result<Decoded, IpcError> {
    decode_all(&Buffer::from_vec(bytes), DecodeLimits::default())
}

fn words_batch(values: &[&str], keys: &[Option<i8>]) -> RecordBatch {
    let values: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    let array = DictionaryArray::<Int8Type>::new(Int8Array::from(keys.to_vec()), values);
    RecordBatch::try_from_iter([("word", Arc::new(array) as ArrayRef)]).unwrap()
}

fn words(batch: &RecordBatch) -> Vec<Option<String>> {
    let array = batch.column(0).as_dictionary::<Int8Type>();
    let array = array.downcast_dict::<StringArray>().unwrap();
    array.into_iter().map(|word| word.map(str::to_owned)).collect()
}

/// Growing, shrinking and different dictionaries, one after the other.
fn changing() -> Vec<RecordBatch> {
    vec![
        words_batch(&["a", "b"], &[Some(0), Some(1), None]),
        words_batch(&["a", "b", "c"], &[Some(2), Some(0)]),
        words_batch(&["a", "b", "c"], &[Some(1)]),
        words_batch(&["a", "b", "c", "d", "e"], &[Some(4), Some(3), None, Some(0)]),
        words_batch(&["e", "a"], &[Some(0), Some(1), Some(1)]),
        words_batch(&[], &[None, None]),
    ]
}

#[test]
fn replacements_hold_for_the_batches_after_them() {
    for handling in [DictionaryHandling::Resend, DictionaryHandling::Delta] {
        let options = IpcWriteOptions::default().with_dictionary_handling(handling);
        let batches = changing();
        let read = decoded(foreign_stream(&batches, &options)).unwrap().batches;
        let read: Vec<_> = read.iter().map(words).collect();
        assert_eq!(read, batches.iter().map(words).collect::<Vec<_>>());
    }
}

#[test]
fn deltas_extend_every_type_of_values() {
    for (name, column) in columns() {
        let data_type = column.data_type();
        let is_dictionary = matches!(data_type, DataType::Dictionary(..));
        if data_type.is_nested() || is_dictionary || *data_type == DataType::Null {
            continue;
        }
        let keys = |n: i32| Int32Array::from_iter_values((0..n).rev());
        let batches: Vec<RecordBatch> = [10, 40, 41, N_ROWS as i32]
            .map(|n| {
                let values = column.slice(0, n as usize);
                let array: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::new(keys(n), values));
                RecordBatch::try_from_iter([(name, array)]).unwrap()
            })
            .to_vec();
        let options =
            IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta);
        let stream = foreign_stream(&batches, &options);
        assert_eq!(decoded(stream).unwrap().batches, batches, "{name}");
    }
}

/// A file cannot replace a dictionary, and yet batches come with different ones.
#[test]
fn files_of_changing_dictionaries_are_written() {
    let batches = changing();
    for compression in [Compression::None, Compression::Lz4] {
        let schema = batches[0].schema();
        let file = encode_all(&schema, &batches, Container::File, compression).unwrap();
        let expected: Vec<_> = batches.iter().map(words).collect();
        let ours = decoded(file.clone()).unwrap().batches;
        assert_eq!(ours.iter().map(words).collect::<Vec<_>>(), expected);
        let reader = FileReader::try_new(std::io::Cursor::new(file), None).unwrap();
        let theirs: Vec<_> = reader.map(|batch| words(&batch.unwrap())).collect();
        assert_eq!(theirs, expected);
    }
}

#[test]
fn unified_codes_mean_the_same_in_every_batch() {
    let mut unifier = DictionaryUnifier::default();
    let unified: Vec<RecordBatch> =
        changing().iter().map(|batch| unifier.unify(batch).unwrap()).collect();
    let last = unified.last().unwrap().column(0).as_dictionary::<Int8Type>().values().clone();
    for (batch, original) in unified.iter().zip(changing()) {
        assert_eq!(words(batch), words(&original));
        let values = batch.column(0).as_dictionary::<Int8Type>().values();
        assert_eq!(values, &last.slice(0, values.len()), "each extends the one before it");
    }
}

#[test]
fn more_words_than_keys_can_count_are_refused() {
    let names: Vec<String> = (0..200).map(|i| format!("word {i}")).collect();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    let batches = [words_batch(&refs[..100], &[Some(99)]), words_batch(&refs[100..], &[Some(99)])];
    let schema = batches[0].schema();
    let error = encode_all(&schema, &batches, Container::File, Compression::None).unwrap_err();
    assert!(error.to_string().starts_with("column \"word\": "), "{error}");
    encode_all(&schema, &batches, Container::Stream, Compression::None).unwrap();
}

/// Every type of values can be told apart and put together again.
#[test]
fn unifying_works_for_every_type_of_values() {
    for (name, column) in columns() {
        if column.data_type().is_nested() || *column.data_type() == DataType::Null {
            continue;
        }
        let batches: Vec<RecordBatch> = [(0, 30), (20, 30), (0, 100)]
            .map(|(at, n)| {
                let keys = Int32Array::from_iter_values((0..n as i32).rev());
                let values = column.slice(at, n);
                let array: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::new(keys, values));
                RecordBatch::try_from_iter([(name, array)]).unwrap()
            })
            .to_vec();
        let mut unifier = DictionaryUnifier::default();
        for batch in &batches {
            let unified = unifier.unify(batch).unwrap();
            assert_eq!(&spelled(&unified), &spelled(batch), "{name}");
        }
    }
}

/// The values behind the keys, by arrow's own kernel.
fn spelled(batch: &RecordBatch) -> ArrayRef {
    let array = batch.column(0).as_dictionary::<Int32Type>();
    arrow_select::take::take(array.values(), array.keys(), None).unwrap()
}

#[test]
fn dictionaries_inside_dictionaries_read_back() {
    let inner: ArrayRef = Arc::new(dictionary::<Int8Type>(&["x", "yy"]));
    let fields = Fields::from(vec![Field::new("inner", inner.data_type().clone(), true)]);
    let values: ArrayRef = Arc::new(StructArray::new(fields, vec![inner], None));
    let keys = Int32Array::from_iter((0..50).map(|row| (row % 3 != 0).then_some(row * 2)));
    let outer: ArrayRef = Arc::new(DictionaryArray::<Int32Type>::new(keys, values));
    let batch = RecordBatch::try_from_iter([("outer", outer)]).unwrap();
    let stream = foreign_stream(&[batch.clone(), batch.clone()], &IpcWriteOptions::default());
    assert_eq!(decoded(stream).unwrap().batches, [batch.clone(), batch]);
}

/// Where all values are null a writer may send no dictionary; elsewhere it may not.
#[test]
fn a_dictionary_may_be_missing_only_for_nulls() {
    let empty = words_batch(&[], &[None, None]);
    let full = words_batch(&["a"], &[Some(0), None]);
    for (batch, is_fine) in [(empty, true), (full, false)] {
        let stream = foreign_stream(std::slice::from_ref(&batch), &IpcWriteOptions::default());
        // The second message, after the schema, is the dictionary.
        let messages = crate::stream::message_ranges(&stream);
        let without = [&stream[messages[0].clone()], &stream[messages[2].start..]].concat();
        match decoded(without) {
            Ok(read) => {
                assert!(is_fine);
                assert_eq!(words(&read.batches[0]), [None, None]);
            }
            Err(error) => {
                assert!(!is_fine && error.to_string().contains("column \"word\""), "{error}");
            }
        }
    }
}

/// Two fields may name one dictionary only if its values suit both.
#[test]
fn dictionary_fields_keep_their_order_flag() {
    let data_type = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let field = Field::new("word", data_type, true).with_dict_is_ordered(true);
    let schema = Schema::new(vec![field]);
    let stream = encode_all(&schema, &[], Container::Stream, Compression::None).unwrap();
    assert_eq!(decoded(stream).unwrap().schema.field(0).dict_is_ordered(), Some(true));
}
