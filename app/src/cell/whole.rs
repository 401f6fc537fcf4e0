//! One value whole: as exact text, as JSON as the contract writes it (integers beyond 2^53
//! and decimals as strings, NaN and infinities too, binary as base64), and what picture it is.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{AnyDictionaryArray, Array, ArrayRef, StructArray};
use arrow_schema::DataType;

use super::{entry_of, run_of, write_cell};

/// The largest integer that a reader of JSON with doubles keeps.
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

/// The text of one value, not cut: nested values as JSON, binary in hexadecimal. `None` for
/// null.
pub fn exact_text(array: &dyn Array, row: usize) -> Option<String> {
    let (array, row) = resolved(array, row)?;
    let array = array.as_ref();
    if let Some(text) = text_at(array, row) {
        return Some(text.to_owned());
    }
    let mut out = String::new();
    if let Some(bytes) = bytes_at(array, row) {
        for byte in bytes {
            let _infallible = write!(out, "{byte:02x}");
        }
        return Some(out);
    }
    match array.data_type().is_nested() {
        true => write_json(&mut out, array, row),
        false => drop(write_cell(&mut out, array, row)),
    }
    Some(out)
}

/// Appends one value as JSON; `null` for null.
pub fn write_json(out: &mut String, array: &dyn Array, row: usize) {
    let Some((array, row)) = resolved(array, row) else { return out.push_str("null") };
    let array = array.as_ref();
    if let Some(text) = text_at(array, row) {
        return write_quoted(out, text);
    }
    if let Some(bytes) = bytes_at(array, row) {
        out.push('"');
        write_base64(out, bytes);
        return out.push('"');
    }
    match array.data_type() {
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
        data_type => {
            let mut text = String::new();
            write_cell(&mut text, array, row);
            match is_bare(data_type, &text) {
                true => out.push_str(&text),
                false => write_quoted(out, &text),
            }
        }
    }
}

/// The bytes of a binary value.
pub fn bytes_at(array: &dyn Array, row: usize) -> Option<&[u8]> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Binary => array.as_binary::<i32>().value(row),
        DataType::LargeBinary => array.as_binary::<i64>().value(row),
        DataType::BinaryView => array.as_binary_view().value(row),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row),
        _ => return None,
    })
}

/// Which picture bytes are, by how they begin: of those kinds that a page may show.
pub fn image_type(bytes: &[u8]) -> Option<&'static str> {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    match bytes {
        _ if bytes.starts_with(b"\x89PNG\r\n\x1a\n") => Some("png"),
        _ if bytes.starts_with(b"\xff\xd8\xff") => Some("jpeg"),
        _ if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") => Some("gif"),
        _ if is_webp => Some("webp"),
        _ => None,
    }
}

/// A picture as an address that a page can show; `None` for what is none.
pub fn image_address(array: &dyn Array, row: usize) -> Option<String> {
    let (array, row) = resolved(array, row)?;
    if let Some(text) = text_at(array.as_ref(), row) {
        let kinds = ["png", "jpeg", "gif", "webp"];
        let is_image =
            kinds.iter().any(|kind| text.starts_with(&format!("data:image/{kind};base64,")));
        return is_image.then(|| text.to_owned());
    }
    let bytes = bytes_at(array.as_ref(), row)?;
    let mut address = format!("data:image/{};base64,", image_type(bytes)?);
    write_base64(&mut address, bytes);
    Some(address)
}

pub fn write_quoted(out: &mut String, text: &str) {
    // Texts always have a JSON form.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Whether a number stands in JSON as it is.
fn is_bare(data_type: &DataType, text: &str) -> bool {
    match data_type {
        DataType::Boolean => true,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            !text.ends_with(|last: char| last.is_alphabetic())
        }
        other if other.is_integer() => {
            let size = text.trim_start_matches('-').parse::<u64>();
            size.is_ok_and(|size| size <= SAFE_INTEGER_MAX)
        }
        _ => false,
    }
}

/// The array that holds a value, and where: behind dictionaries, runs and unions. `None` for
/// null.
fn resolved(array: &dyn Array, row: usize) -> Option<(ArrayRef, usize)> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    let (inner, at) = match array.data_type() {
        DataType::Null => return None,
        DataType::Dictionary(key, _) => {
            let values = array.as_any_dictionary_opt().map(AnyDictionaryArray::values)?;
            (Arc::clone(values), entry_of(array, row, key)?)
        }
        DataType::RunEndEncoded(ends, _) => run_of(array, row, ends.data_type())?,
        DataType::Union(_, _) => {
            let union = array.as_union();
            (Arc::clone(union.child(union.type_id(row))), union.value_offset(row))
        }
        _ => return Some((array.slice(row, 1), 0)),
    };
    resolved(inner.as_ref(), at)
}

fn text_at(array: &dyn Array, row: usize) -> Option<&str> {
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row),
        DataType::Utf8View => array.as_string_view().value(row),
        _ => return None,
    })
}

fn write_list(out: &mut String, items: &dyn Array) {
    out.push('[');
    for index in 0..items.len() {
        if index > 0 {
            out.push(',');
        }
        write_json(out, items, index);
    }
    out.push(']');
}

fn write_struct(out: &mut String, array: &StructArray, row: usize) {
    out.push('{');
    for (index, (name, column)) in array.column_names().iter().zip(array.columns()).enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_quoted(out, name);
        out.push(':');
        write_json(out, column.as_ref(), row);
    }
    out.push('}');
}

fn write_map(out: &mut String, entries: &StructArray) {
    out.push('{');
    if let [keys, values] = entries.columns() {
        for index in 0..entries.len() {
            if index > 0 {
                out.push(',');
            }
            write_quoted(out, &exact_text(keys.as_ref(), index).unwrap_or_default());
            out.push(':');
            write_json(out, values.as_ref(), index);
        }
    }
    out.push('}');
}

fn write_base64(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.reserve(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place) & 63) as usize).copied();
            let is_there = place <= three.len();
            out.push(if is_there { char::from(digit.unwrap_or(b'=')) } else { '=' });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow_array::types::{Int8Type, Int32Type};
    use arrow_array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
        Int64Array, ListArray, StringArray, UInt64Array,
    };
    use arrow_schema::Field;

    use super::*;

    fn jsons(array: ArrayRef) -> Vec<String> {
        let rows = 0..array.len();
        let json = |row| {
            let mut out = String::new();
            write_json(&mut out, array.as_ref(), row);
            // Whatever it is, it is JSON.
            serde_json::from_str::<serde_json::Value>(&out).unwrap();
            out
        };
        rows.map(json).collect()
    }

    #[test]
    fn json_is_as_the_contract_writes_it() {
        let integers =
            Int64Array::from(vec![Some((1 << 53) - 1), Some(1 << 53), Some(i64::MIN), None]);
        let wanted =
            ["9007199254740991", "\"9007199254740992\"", "\"-9223372036854775808\"", "null"];
        assert_eq!(jsons(Arc::new(integers)), wanted);
        let unsigned = UInt64Array::from(vec![7, u64::MAX]);
        assert_eq!(jsons(Arc::new(unsigned)), ["7", "\"18446744073709551615\""]);
        let floats = Float64Array::from(vec![0.5, 1e300, f64::NAN, f64::NEG_INFINITY]);
        assert_eq!(jsons(Arc::new(floats)), ["0.5", "1e300", "\"NaN\"", "\"-Infinity\""]);
        let decimals = Decimal128Array::from(vec![150]).with_precision_and_scale(10, 2).unwrap();
        assert_eq!(jsons(Arc::new(decimals)), ["\"1.50\""]);
        assert_eq!(jsons(Arc::new(BooleanArray::from(vec![true]))), ["true"]);
        assert_eq!(jsons(Arc::new(Date32Array::from(vec![0]))), ["\"1970-01-01\""]);
        let words: DictionaryArray<Int8Type> = vec![Some("a\"\n"), None].into_iter().collect();
        assert_eq!(jsons(Arc::new(words)), [r#""a\"\n""#, "null"]);
        let lengths: Vec<&[u8]> = vec![b"", b"f", b"fo", b"foo", b"\xff\xfe\xfd\xfc"];
        let base64 = [r#""""#, r#""Zg==""#, r#""Zm8=""#, r#""Zm9v""#, r#""//79/A==""#];
        assert_eq!(jsons(Arc::new(BinaryArray::from(lengths))), base64);
    }

    #[test]
    fn nested_values_are_whole() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some((0..100).map(Some).collect::<Vec<_>>()),
            Some(vec![None]),
            None,
        ]);
        let found = jsons(Arc::new(list.clone()));
        assert_eq!(found[0].matches(',').count(), 99);
        assert_eq!(found[1..], ["[null]", "null"]);
        assert_eq!(exact_text(&list, 1).as_deref(), Some("[null]"));
        let record = StructArray::from(vec![(
            Arc::new(Field::new("a b", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("x"), None])) as ArrayRef,
        )]);
        assert_eq!(jsons(Arc::new(record)), [r#"{"a b":"x"}"#, r#"{"a b":null}"#]);
    }

    #[test]
    fn text_is_not_cut() {
        let long = "é".repeat(5000);
        let texts = StringArray::from(vec![Some(long.as_str()), None, Some("")]);
        assert_eq!(exact_text(&texts, 0), Some(long));
        assert_eq!((exact_text(&texts, 1), exact_text(&texts, 2)), (None, Some(String::new())));
        let bytes = BinaryArray::from(vec![&[171_u8; 300][..]]);
        assert_eq!(exact_text(&bytes, 0), Some("ab".repeat(300)));
        assert_eq!(exact_text(&texts, 9), None);
    }

    #[test]
    fn pictures_are_known_by_how_they_begin() {
        let cases: [(&[u8], Option<&str>); 7] = [
            (b"\x89PNG\r\n\x1a\n1", Some("png")),
            (b"\xff\xd8\xff\xe0", Some("jpeg")),
            (b"GIF89a", Some("gif")),
            (b"RIFF\0\0\0\0WEBP", Some("webp")),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"<svg onload=alert(1)>", None),
            (b"", None),
        ];
        for (bytes, kind) in cases {
            assert_eq!(image_type(bytes), kind);
        }
        let gif = BinaryArray::from(vec![&b"GIF89a"[..], b"none"]);
        assert_eq!(image_address(&gif, 0).as_deref(), Some("data:image/gif;base64,R0lGODlh"));
        assert_eq!(image_address(&gif, 1), None);
        let texts =
            StringArray::from(vec!["data:image/png;base64,AA", "data:image/svg+xml;base64,AA"]);
        assert!(image_address(&texts, 0).is_some() && image_address(&texts, 1).is_none());
    }
}
