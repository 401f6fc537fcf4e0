//! Taking and joining, held to what arrow's own kernels make of the same arrays.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::{Int32Type, UInt8Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Decimal256Array, DictionaryArray,
    FixedSizeBinaryArray, Float16Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, IntervalMonthDayNanoArray, LargeStringArray, NullArray, RunArray,
    StringArray, StringViewArray, StructArray, TimestampMicrosecondArray, UInt8Array, UInt16Array,
    UInt32Array, UInt64Array,
};
use arrow_buffer::{IntervalMonthDayNano, i256};
use half::f16;

use super::{NO_PLACE, concat, plain, take};

/// An array of each layout, five rows long, the third null where the type has nulls.
fn samples() -> Vec<ArrayRef> {
    macro_rules! numbers {
        ($array:ty, $native:ty) => {
            Arc::new(<$array>::from_iter(
                [1, 2, 0, 4, 5].map(|n| if n == 0 { None } else { Some(n as u8 as $native) }),
            )) as ArrayRef
        };
    }
    let texts = [Some("a"), Some(""), None, Some("déjà"), Some("a text of more than twelve")];
    let mut lists = ListBuilder::new(StringBuilder::new());
    for text in texts {
        match text {
            Some(text) => lists.append_value([Some(text), None]),
            None => lists.append_null(),
        }
    }
    let bytes = texts.map(|text| text.map(str::as_bytes));
    let halves = [1.5, 2.0, 0.0, -4.0, 5.0].map(|n| (n != 0.0).then(|| f16::from_f64(n)));
    let fixed = [Some(*b"ab"), Some(*b"cd"), None, Some(*b"ef"), Some(*b"gh")];
    let moments = [1, 2, 0, 4, 5].map(|n| (n != 0).then(|| IntervalMonthDayNano::new(n, n, 7)));
    let numbers = numbers!(Int32Array, i32);
    vec![
        numbers!(Int8Array, i8),
        numbers!(Int16Array, i16),
        numbers.clone(),
        numbers!(Int64Array, i64),
        numbers!(UInt8Array, u8),
        numbers!(UInt16Array, u16),
        numbers!(UInt32Array, u32),
        numbers!(UInt64Array, u64),
        numbers!(Float32Array, f32),
        numbers!(Float64Array, f64),
        Arc::new(Float16Array::from_iter(halves)),
        Arc::new(numbers_128().with_precision_and_scale(20, 2).unwrap()),
        Arc::new(Decimal256Array::from_iter(
            [1, 2, 0, 4, 5].map(|n| (n != 0).then(|| i256::from_i128(n))),
        )),
        Arc::new(
            TimestampMicrosecondArray::from(vec![Some(1), Some(2), None, Some(4), Some(5)])
                .with_timezone("+02:00"),
        ),
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true), Some(true)])),
        Arc::new(StringArray::from_iter(texts)),
        Arc::new(LargeStringArray::from_iter(texts)),
        Arc::new(StringViewArray::from_iter(texts)),
        Arc::new(BinaryArray::from_iter(bytes)),
        Arc::new(
            FixedSizeBinaryArray::try_from_sparse_iter_with_size(fixed.into_iter(), 2).unwrap(),
        ),
        Arc::new(IntervalMonthDayNanoArray::from_iter(moments)),
        Arc::new(texts.into_iter().collect::<DictionaryArray<UInt8Type>>()),
        Arc::new(lists.finish()),
        Arc::new(StructArray::try_from(vec![("n", numbers)]).unwrap()),
        Arc::new(NullArray::new(5)),
    ]
}

fn numbers_128() -> Decimal128Array {
    Decimal128Array::from_iter([1, 2, 0, 4, 5].map(|n| (n != 0).then_some(n)))
}

#[test]
fn taken_as_arrow_takes() {
    let places = [4_u32, 4, 0, 2, NO_PLACE, 1, 2, 3, NO_PLACE, NO_PLACE];
    let for_arrow =
        UInt32Array::from_iter(places.map(|place| (place != NO_PLACE).then_some(place)));
    for array in samples() {
        for array in [array.clone(), array.slice(0, 5)] {
            let ours = take(&array, &places).unwrap();
            let arrows = arrow_select::take::take(&array, &for_arrow, None).unwrap();
            assert_eq!(&ours, &arrows, "{}", array.data_type());
            ours.to_data().validate_full().unwrap();
        }
        assert_eq!(take(&array, &[]).unwrap().len(), 0);
    }
}

#[test]
fn a_slice_is_taken_from_by_its_own_places() {
    for array in samples() {
        let ours = take(&array.slice(1, 3), &[2, 0]).unwrap();
        let arrows =
            arrow_select::take::take(&array, &UInt32Array::from(vec![3, 1]), None).unwrap();
        assert_eq!(&ours, &arrows, "{}", array.data_type());
    }
}

#[test]
fn past_the_end_is_null() {
    let array: ArrayRef = Arc::new(Int32Array::from(vec![7]));
    let taken = take(&array, &[0, 1, u32::MAX - 1]).unwrap();
    assert_eq!(&taken, &(Arc::new(Int32Array::from(vec![Some(7), None, None])) as ArrayRef));
    let lists = samples().into_iter().find(|array| array.data_type().is_nested()).unwrap();
    assert!(take(&lists, &[9]).unwrap().is_null(0));
}

#[test]
fn put_end_to_end_as_arrow_does() {
    for array in samples() {
        let parts = [array.slice(1, 3), array.clone(), array.slice(5, 0), array.slice(4, 1)];
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        let ours = concat(&parts).unwrap();
        assert_eq!(&ours, &arrow_select::concat::concat(&parts).unwrap());
        ours.to_data().validate_full().unwrap();
    }
    assert!(concat(&[]).is_err());
    let samples = samples();
    let [a, b, ..] = samples.as_slice() else { return };
    assert!(concat(&[a, b]).unwrap_err().to_string().contains("cannot follow"));
}

#[test]
fn different_dictionaries_have_to_fit_their_keys() {
    let part = |first: u32| -> ArrayRef {
        let texts: Vec<String> = (first..first + 200).map(|n| n.to_string()).collect();
        Arc::new(
            texts.iter().map(|text| Some(text.as_str())).collect::<DictionaryArray<UInt8Type>>(),
        )
    };
    let (one, other) = (part(0), part(200));
    assert!(concat(&[&one, &other]).is_err());
    // One dictionary may be shared by any number of parts.
    assert_eq!(concat(&[&one, &one, &one.slice(3, 9)]).unwrap().len(), 409);
}

#[test]
fn run_ends_and_dictionaries_are_looked_up() {
    let ends = Int32Array::from(vec![2, 3, 5]);
    let values = StringArray::from(vec![Some("a"), None, Some("b")]);
    let runs: ArrayRef = Arc::new(RunArray::<Int32Type>::try_new(&ends, &values).unwrap());
    let expected = StringArray::from(vec![Some("a"), Some("a"), None, Some("b"), Some("b")]);
    assert_eq!(&plain(&runs).unwrap(), &(Arc::new(expected.clone()) as ArrayRef));
    let sliced = StringArray::from(vec![Some("a"), None, Some("b")]);
    assert_eq!(&plain(&runs.slice(1, 3)).unwrap(), &(Arc::new(sliced) as ArrayRef));
    let coded: ArrayRef = Arc::new(expected.iter().collect::<DictionaryArray<UInt8Type>>());
    assert_eq!(&plain(&coded).unwrap(), &(Arc::new(expected) as ArrayRef));
}
