//! What is pasted elsewhere is what was in the table.

use std::sync::Arc;

use arrow_array::{
    BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};

use super::*;

fn columns() -> Vec<(String, ArrayRef)> {
    let arrays: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), None]))),
        ("x", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
        ("a \"b\"", Arc::new(StringArray::from(vec!["it's, \"so\"\tand\nso", ""]))),
        ("day", Arc::new(Date32Array::from(vec![0, 1]))),
        ("yes", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from(vec![0, 1]).with_timezone("UTC")) as ArrayRef,
        ),
        ("raw", Arc::new(BinaryArray::from(vec![&[0_u8, 255][..], &[]]))),
    ];
    arrays.into_iter().map(|(name, array)| (name.to_owned(), array)).collect()
}

fn text(form: CellForm, rows: usize) -> String {
    let columns = columns();
    let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    let mut clip = Clip::new(form, "my \"t\"", &names);
    for row in 0..rows {
        let cells: Vec<_> = columns.iter().map(|(_, array)| Some((array, row))).collect();
        clip.push(&cells).unwrap();
    }
    assert_eq!(clip.rows(), rows as u64);
    clip.finish()
}

#[test]
fn fields_are_exact_and_quoted_where_they_must_be() {
    assert_eq!(
        text(CellForm::Tsv, 2),
        "9007199254740993\t0.1\t\"it's, \"\"so\"\"\tand\nso\"\t1970-01-01\ttrue\t\
         1970-01-01T00:00:00Z\t00ff\n\tNaN\t\t1970-01-02\t\t1970-01-01T00:00:00.000001Z\t"
    );
    let named = text(CellForm::TsvNamed, 0);
    assert_eq!(named, "n\tx\t\"a \"\"b\"\"\"\tday\tyes\tat\traw");
    let csv = text(CellForm::Csv, 2);
    // Null is nothing, the empty text is two quotes.
    assert!(csv.ends_with("\n,NaN,\"\",1970-01-02,,1970-01-01T00:00:00.000001Z,\"\"\n"), "{csv}");
}

#[test]
fn json_is_an_array_of_objects() {
    let read: Vec<serde_json::Value> = serde_json::from_str(&text(CellForm::Json, 2)).unwrap();
    assert_eq!(read[0]["n"], "9007199254740993");
    assert_eq!(read[0]["a \"b\""], "it's, \"so\"\tand\nso");
    assert_eq!((&read[1]["n"], &read[1]["x"]), (&serde_json::Value::Null, &"NaN".into()));
    assert_eq!(read[0]["raw"], "AP8=");
    let none: Vec<serde_json::Value> = serde_json::from_str(&text(CellForm::Json, 0)).unwrap();
    assert_eq!(none.len(), 0);
}

#[test]
fn sql_says_its_types() {
    assert_eq!(
        text(CellForm::Sql, 2),
        "INSERT INTO \"my \"\"t\"\"\" (\"n\", \"x\", \"a \"\"b\"\"\", \"day\", \"yes\", \"at\", \"raw\") VALUES\n\
         (9007199254740993, 0.1, 'it''s, \"so\"\tand\nso', DATE '1970-01-01', TRUE, \
         TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00Z', X'00ff'),\n\
         (NULL, CAST('NaN' AS DOUBLE PRECISION), '', DATE '1970-01-02', NULL, \
         TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00.000001Z', X'');\n"
    );
}

#[test]
fn long_inserts_are_split_and_endless_ones_refused() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let mut clip = Clip::new(CellForm::Sql, "t", &["n".to_owned()]);
    for _ in 0..=INSERT_ROWS {
        clip.push(&[Some((&column, 0))]).unwrap();
    }
    assert_eq!(clip.finish().matches("INSERT INTO").count(), 2);
    let long: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(40 << 20)]));
    let mut clip = Clip::new(CellForm::Tsv, "t", &["n".to_owned()]);
    clip.push(&[Some((&long, 0))]).unwrap();
    assert!(clip.push(&[Some((&long, 0))]).unwrap_err().contains("64 MB"));
}
