//! Types, exact numbers, nesting, and words for what is no JSON.

#![allow(clippy::unwrap_used)]

use super::*;
use app::cell::cell_text;

type Rows = Vec<Vec<String>>;

fn read(text: &[u8], size: usize) -> Result<(Rows, Vec<String>), String> {
    let mut inferring = Inferring::default();
    let told = |error: ReadError| error.to_string();
    for piece in text.chunks(size) {
        inferring.push(piece).map_err(told)?;
    }
    let found = inferring.finish(true).map_err(told)?;
    let types = found.schema.fields().iter().map(|f| format!("{}:{}", f.name(), f.data_type()));
    let mut rows = vec![types.collect::<Vec<_>>()];
    let mut json = JsonBatches::new(&found.schema, None).map_err(told)?;
    let mut batches = Vec::new();
    for piece in text.chunks(size) {
        batches.extend(json.push(piece).map_err(told)?);
    }
    batches.extend(json.finish().map_err(told)?);
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter();
            rows.push(cells.map(|c| cell_text(c, row).unwrap_or("∅".into())).collect());
        }
    }
    assert_eq!(rows.len() as u64, found.rows + 1);
    Ok((rows, found.notices))
}

fn column(values: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
    let lines: Vec<String> = values.iter().map(|value| format!("{{\"a\":{value}}}\n")).collect();
    let (rows, notices) = read(lines.concat().as_bytes(), 13)?;
    Ok((rows.into_iter().flatten().collect(), notices))
}

#[test]
fn columns_have_the_type_that_holds_every_value() {
    for (values, data_type, cells) in [
        (&["1", "-7", "null"][..], "Int64", &["1", "-7", "∅"][..]),
        (&["1", "2.5e3"], "Float64", &["1", "2500"]),
        (&["9223372036854775807"], "Int64", &["9223372036854775807"]),
        (&["9223372036854775808", "1"], "Decimal128(38, 0)", &["9223372036854775808", "1"]),
        (&["true", "false"], "Boolean", &["true", "false"]),
        (&["\"a\\u00e9\\n\\ud83d\\ude00\""], "Utf8", &["aé\n😀"]),
        (&["\"2024-02-29\""], "Date32", &["2024-02-29"]),
        (&["\"2024-02-30\""], "Utf8", &["2024-02-30"]),
        (&["\"\"", "\"2024-02-29\""], "Utf8", &["", "2024-02-29"]),
        (
            &["\"2024-02-29T10:00:00Z\"", "\"2024-02-29T12:00:00.5+02:00\""],
            "Timestamp(µs, \"UTC\")",
            &["2024-02-29T10:00:00Z", "2024-02-29T10:00:00.500Z"],
        ),
        (&["[1,2]", "[]", "null"], "List(Int64)", &["[1, 2]", "[]", "∅"]),
        (&["{}"], "Utf8", &["{}"]),
        (&["null"], "Utf8", &["∅"]),
    ] {
        let (found, notices) = column(values).unwrap();
        assert_eq!(found[0], format!("a:{data_type}"), "{values:?}");
        assert_eq!(found[1..], *cells, "{values:?}");
        assert!(notices.is_empty(), "{notices:?}");
    }
}

#[test]
fn what_no_type_holds_is_text_and_is_said() {
    let digits = "1".repeat(39);
    for (values, cells) in [
        (vec!["1", "\"x\""], vec!["1", "x"]),
        (vec!["1", "true"], vec!["1", "true"]),
        (vec!["{\"b\": 1}", "[1]"], vec!["{\"b\": 1}", "[1]"]),
        (vec!["9007199254740993", "0.5"], vec!["9007199254740993", "0.5"]),
        (vec![&*digits, "1"], vec![&*digits, "1"]),
        (vec!["1e999"], vec!["1e999"]),
    ] {
        let (found, notices) = column(&values).unwrap();
        assert_eq!(found[0], "a:Utf8", "{values:?}");
        assert_eq!(found[1..], *cells, "{values:?}");
        assert!(notices[0].contains("shown as text: \"a\""), "{notices:?}");
    }
    let (_, notices) = read(b"{\"a\":1,\"a\":2}\n{\"b\":{\"c\":[1,\"x\"]}}", 100).unwrap();
    assert!(notices[0].contains("\"b.c\"") && notices[1].contains("\"a\" is there twice"));
}

#[test]
fn columns_come_and_go_and_nest() {
    let text = br#"{"a":1,"p":{"x":1,"y":[{"z":"q"}]}}
        {"p":{"y":[]},"b":"t"} {"a":1,"a":2,"p":null}"#;
    let (rows, _) = read(text, 3).unwrap();
    assert_eq!(rows[0].len(), 3);
    assert!(rows[0][1].starts_with("p:Struct("), "{}", rows[0][1]);
    assert_eq!([&rows[1][0], &rows[1][2]], ["1", "∅"]);
    assert_eq!([&rows[2][0], &rows[2][2]], ["∅", "t"]);
    assert_eq!([&rows[3][0], &rows[3][1]], ["2", "∅"]);
    assert!(rows[1][1].contains("z: q") && rows[2][1].contains("[]"), "{rows:?}");
}

#[test]
fn errors_name_the_line() {
    let deep = format!("{{\"a\":1}}\n{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500));
    for (text, words) in [
        (&b"{\"a\":1}\n{\"a\":}\n"[..], "line 2: a value was expected, here is '}'"),
        (b"{\"a\":1}\n{\"a\":1\n{\"a\":2}\n", "line 3: a comma"),
        (b"{\"a\":1}\n\n[1]\n", "line 3: an object was expected, here is '['"),
        (b"{\"a\":\"\xff\"}", "line 1: the text is not UTF-8"),
        (b"{\"a\":01}", "line 1"),
        (b"{\"a\":1.}", "a digit"),
        (b"{\"a\":\"\\ud800\"}", "surrogate"),
        (b"{\"a\":\"\\q\"}", "an escape"),
        (b"{\"a\":\"x\ny\"}", "line break"),
        (b"{\"a\":1}\n{\"a\":\"", "line 2: the text breaks off"),
        (b"[{\"a\":1}\n,{\"a\":2}", "line 2: the text breaks off before the list ends"),
        (b"[{\"a\":1}{\"a\":2}]", "a comma or the end of the list"),
        (b"[{\"a\":1}] {}", "nothing after the list"),
        (b"{\"a\":NaN}", "a value was expected, here is 'N'"),
        (b"{a:1}", "a name in quotes"),
        (deep.as_bytes(), "line 2: the values nest deeper"),
    ] {
        for size in [1, 1000] {
            let error = read(text, size).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}

#[test]
fn a_later_value_that_does_not_fit_is_named() {
    let mut inferring = Inferring::default();
    inferring.push(b"{\"a\":1}\n").unwrap();
    let found = inferring.finish(false).unwrap();
    let mut json = JsonBatches::new(&found.schema, None).unwrap();
    let error = json.push(b"{\"a\":1}\n{\"a\":\"x\"}\n").unwrap_err().to_string();
    assert_eq!(error, "line 2, column \"a\": a number was expected, here is \"x\"");
}

#[test]
fn damaged_texts_never_break_it() {
    let text = br#"[{"a":1.5,"b":[{"c":"\u00e9x"},null]},{"a":-2e3,"b":[]}]"#;
    for at in 0..text.len() {
        for byte in [0, b'"', b'{', b']', b'\\', 0xFF, b'9', b','] {
            let mut damaged = text.to_vec();
            damaged[at] = byte;
            // Whatever comes of it, it comes in words.
            drop(read(&damaged, 7));
        }
        drop(read(&text[..at], 5));
    }
}

#[test]
fn json_is_told_by_its_start() {
    for (head, is) in [
        (&b" {\"a\":1}"[..], true),
        (b"[{\"a\"", true),
        (b"[\n]", true),
        (b"{a},b\n", false),
        (b"[a],b\n", false),
        (b"a,b\n", false),
    ] {
        assert_eq!(is_json(head), is);
    }
}
