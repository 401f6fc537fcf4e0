//! Tables that are files: Parquet, CSV, Arrow IPC, and Hive partitions; good ones and bad ones.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, StringViewArray,
    TimestampNanosecondArray,
};
use arrow_schema::DataType;
use datafusion::functions_aggregate::count::count_all;
use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::prelude::{col, lit};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use server::lake::{BadTable, Format, LakeError, VersionSpec};

use super::rows::{
    any_order, ask, in_order, lake_error, lakes, newest, numbered, pick, scan, sums, texts,
};

/// A Parquet file of one column `x`, three values to a row group.
pub fn write_parquet(path: &Path, values: &[i64]) {
    let column: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    write_batch(path, &batch, 3);
}

pub fn write_batch(path: &Path, batch: &RecordBatch, row_group_rows: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(row_group_rows)).build();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

async fn open_error(folder: &Path, table: &str) -> LakeError {
    newest(folder, table).await.expect_err("should not open")
}

async fn scan_error(folder: &Path, table: &str) -> LakeError {
    let snapshot = newest(folder, table).await.unwrap();
    lake_error(&scan(&snapshot, in_order()).await.expect_err("should not scan"))
}

fn bad(error: LakeError) -> BadTable {
    match error {
        LakeError::Bad { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_parquet_file_is_a_table() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(&folder.path().join("x.parquet"), &[5, 4, 3, 2, 1, 0, 7]);
    let snapshot = newest(folder.path(), "x").await.unwrap();
    assert_eq!((snapshot.format(), snapshot.rows()), (Format::Parquet, Some(7)));
    assert_eq!(snapshot.uid(), snapshot.version().to_string());
    let rows = ["5|0", "4|1", "3|2", "2|3", "1|4", "0|5", "7|6"];
    assert_eq!(texts(&scan(&snapshot, numbered()).await.unwrap()), rows);
}

#[tokio::test]
async fn files_of_one_schema_are_one_table_in_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    for (name, values) in [("b", [3, 4]), ("a", [1, 2]), ("c", [5, 6])] {
        write_parquet(&folder.path().join(format!("t/{name}.parquet")), &values);
    }
    write(&folder.path().join("t/_SUCCESS"), "");
    write(&folder.path().join("t/.part.crc"), "x");
    let snapshot = newest(folder.path(), "t").await.unwrap();
    assert_eq!((snapshot.files().len(), snapshot.rows()), (3, Some(6)));
    let rows = ["1|0", "2|1", "3|2", "4|3", "5|4", "6|5"];
    assert_eq!(texts(&scan(&snapshot, numbered()).await.unwrap()), rows);
}

#[tokio::test]
async fn the_version_of_files_follows_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.parquet");
    write_parquet(&file, &[1]);
    let lakes = lakes(folder.path());
    let open = |version| {
        let lakes = lakes.clone();
        async move { lakes.table("x").await.unwrap().snapshot(version).await }
    };
    let first = open(VersionSpec::Latest).await.unwrap();
    assert!(Arc::ptr_eq(&first, &open(VersionSpec::Exact(first.version())).await.unwrap()));
    write_parquet(&file, &[1, 2]);
    let second = open(VersionSpec::Latest).await.unwrap();
    assert_ne!(first.version(), second.version());
    let gone = open(VersionSpec::Exact(first.version())).await.unwrap_err();
    assert!(matches!(gone, LakeError::Gone { .. }), "{gone}");
    // A snapshot of a file that was replaced does not show the other's rows as its own.
    let changed = lake_error(&scan(&first, in_order()).await.unwrap_err());
    assert!(matches!(changed, LakeError::Changed { .. }), "{changed}");
}

#[tokio::test]
async fn hive_folders_give_typed_columns() {
    let folder = tempfile::tempdir().unwrap();
    for (path, value) in [
        ("t/year=2023/day=2023-12-31/a.parquet", 1),
        ("t/year=2024/day=2024-01-01/a.parquet", 2),
        ("t/year=2024/day=__HIVE_DEFAULT_PARTITION__/a.parquet", 3),
    ] {
        write_parquet(&folder.path().join(path), &[value]);
    }
    let snapshot = newest(folder.path(), "t").await.unwrap();
    assert_eq!(snapshot.partition_columns(), ["year", "day"]);
    let rows = ["1|2023|2023-12-31", "2|2024|2024-01-01", "3|2024|-"];
    assert_eq!(texts(&scan(&snapshot, in_order()).await.unwrap()), rows);

    let options = any_order();
    let report = Arc::clone(&options.report);
    let found = ask(&snapshot, options, pick(col("year").eq(lit(2023)), &["x"])).await.unwrap();
    assert_eq!(texts(&found), ["1"]);
    let counts = report.counts();
    assert_eq!((counts.files, counts.files_pruned, counts.files_read), (3, 2, 1));
    let none = ask(&snapshot, any_order(), pick(col("day").is_null(), &["x"])).await.unwrap();
    assert_eq!(texts(&none), ["3"]);
}

#[tokio::test]
async fn csv_types_are_those_of_all_values() {
    let folder = tempfile::tempdir().unwrap();
    let text = "id,name,score,when,zip\n1,\"a,\"\"b\"\"\",1,2024-01-01T10:00:00Z,00501\n\n2,,2.5,2024-01-02T00:00:00+02:00,10001\n";
    write(&folder.path().join("t.csv"), text);
    let snapshot = newest(folder.path(), "t").await.unwrap();
    assert_eq!((snapshot.format(), snapshot.rows()), (Format::Csv, Some(2)));
    let types: Vec<String> =
        snapshot.schema().fields().iter().map(|f| f.data_type().to_string()).collect();
    assert_eq!(types, ["Int64", "Utf8", "Float64", "Timestamp(µs, \"UTC\")", "Utf8"]);
    let rows = ["1|a,\"b\"|1.0|2024-01-01T10:00:00|00501|0", "2|-|2.5|2024-01-01T22:00:00|10001|1"];
    assert_eq!(texts(&scan(&snapshot, numbered()).await.unwrap()), rows);
    let found = ask(&snapshot, in_order(), pick(col("id").eq(lit(1)), &["name"])).await.unwrap();
    assert_eq!(texts(&found), ["a,\"b\""]);
    let counted = ask(&snapshot, in_order(), pick(col("score").gt(lit(1)), &["id"])).await.unwrap();
    assert_eq!(texts(&counted), ["2"]);
}

#[tokio::test]
async fn csv_files_of_a_folder_share_their_types() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("t/a.csv"), "x;y\n1;2\n");
    write(&folder.path().join("t/b.csv"), "x;y\n1.5;z\n");
    write(&folder.path().join("u/a.tsv"), "x\n1\n");
    write(&folder.path().join("u/b.tsv"), "y\n1\n");
    let snapshot = newest(folder.path(), "t").await.unwrap();
    assert_eq!(texts(&scan(&snapshot, numbered()).await.unwrap()), ["1.0|2|0", "1.5|z|1"]);
    assert!(matches!(open_error(folder.path(), "u").await, LakeError::NoTable { .. }));
    assert!(newest(folder.path(), "u/a").await.is_ok());
}

#[tokio::test]
async fn large_csv_files_stream() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..300_000).map(|i| format!("{i},text {i}\n")).collect();
    write(&folder.path().join("t.csv"), &format!("i,s\n{lines}"));
    let snapshot = newest(folder.path(), "t").await.unwrap();
    let found = ask(
        &snapshot,
        numbered(),
        sums([count_all(), sum(col("i")), sum(col("_row")), max(col("s"))]),
    )
    .await
    .unwrap();
    assert_eq!(texts(&found), ["300000|44999850000|44999850000|text 99999"]);
}

#[tokio::test]
async fn bad_csv_is_told_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("ragged.csv"), "a,b\n1,2\n3\n");
    write(&folder.path().join("empty.csv"), "");
    fs::write(folder.path().join("latin.csv"), b"a\n\xe9\n").unwrap();
    for (table, reason) in [
        ("ragged", "line 3 has 1 fields, the header has 2"),
        ("empty", "it is empty: the first line should name the columns"),
        ("latin", "line 2 is not UTF-8"),
    ] {
        let file = format!("{table}.csv");
        let reason = reason.to_owned();
        assert_eq!(
            bad(open_error(folder.path(), table).await),
            BadTable::CorruptFile { file, reason }
        );
    }
}

fn some_batch() -> RecordBatch {
    let text = StringViewArray::from(vec![Some("a"), None, Some("a long text, out of line")]);
    let category: DictionaryArray<arrow_array::types::Int8Type> =
        vec!["x", "y", "x"].into_iter().collect();
    let time = TimestampNanosecondArray::from(vec![1, 2, 3]).with_timezone("Europe/Berlin");
    RecordBatch::try_from_iter([
        ("text", Arc::new(text) as ArrayRef),
        ("category", Arc::new(category) as ArrayRef),
        ("time", Arc::new(time) as ArrayRef),
        ("number", Arc::new(Float64Array::from(vec![1.0, f64::NAN, -0.0])) as ArrayRef),
    ])
    .unwrap()
}

#[tokio::test]
async fn arrow_files_and_streams_are_told_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let batch = some_batch();
    let open = |name: &str| fs::File::create(folder.path().join(name)).unwrap();
    let mut file =
        arrow_ipc::writer::FileWriter::try_new(open("file.arrow"), &batch.schema()).unwrap();
    let mut stream =
        arrow_ipc::writer::StreamWriter::try_new(open("stream.arrow"), &batch.schema()).unwrap();
    for _ in 0..3 {
        file.write(&batch).unwrap();
        stream.write(&batch).unwrap();
    }
    file.finish().unwrap();
    stream.finish().unwrap();
    for table in ["file", "stream"] {
        let snapshot = newest(folder.path(), table).await.unwrap();
        assert_eq!((snapshot.format(), snapshot.rows()), (Format::Arrow, None));
        let types: Vec<String> =
            snapshot.schema().fields().iter().map(|f| f.data_type().to_string()).collect();
        assert_eq!(
            types,
            ["Utf8", "Dictionary(Int32, Utf8)", "Timestamp(ns, \"Europe/Berlin\")", "Float64"]
        );
        let query = pick(col("category").eq(lit("x")), &["text", "category", "_row"]);
        let found = ask(&snapshot, numbered(), query).await.unwrap();
        let long = "a long text, out of line";
        let rows: Vec<String> = (0..3)
            .flat_map(|i| [format!("a|x|{}", i * 3), format!("{long}|x|{}", i * 3 + 2)])
            .collect();
        assert_eq!(texts(&found), rows, "{table}");
        let counted = ask(&snapshot, in_order(), sums([count_all()])).await.unwrap();
        assert_eq!(texts(&counted), ["9"]);
    }
}

#[tokio::test]
async fn parquet_shows_views_as_text_and_keeps_categories() {
    let folder = tempfile::tempdir().unwrap();
    write_batch(&folder.path().join("t.parquet"), &some_batch(), 2);
    let snapshot = newest(folder.path(), "t").await.unwrap();
    let types: Vec<DataType> =
        snapshot.schema().fields().iter().map(|f| f.data_type().clone()).collect();
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    assert_eq!((types.first(), types.get(1)), (Some(&DataType::Utf8), Some(&dictionary)));
    let found = ask(&snapshot, numbered(), pick(col("category").eq(lit("x")), &["text", "_row"]))
        .await
        .unwrap();
    assert_eq!(texts(&found), ["a|0", "a long text, out of line|2"]);
}

#[tokio::test]
async fn damaged_files_are_refused_with_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.parquet");
    write_parquet(&good, &(0..1000).collect::<Vec<_>>());
    let bytes = fs::read(&good).unwrap();
    fs::write(folder.path().join("cut.parquet"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(folder.path().join("short.parquet"), &bytes[..7]).unwrap();
    fs::write(folder.path().join("text.parquet"), "not Parquet at all, and long enough").unwrap();
    fs::write(folder.path().join("text.arrow"), "not Arrow at all, and long enough").unwrap();
    for file in ["cut.parquet", "short.parquet", "text.parquet", "text.arrow"] {
        let problem = bad(open_error(folder.path(), file).await);
        assert!(
            matches!(&problem, BadTable::CorruptFile { file: named, .. } if named == file),
            "{problem}"
        );
    }
    // Damage in the data is found by the scan, which names the file too.
    let mut damaged = bytes;
    for byte in damaged.iter_mut().skip(4).take(40) {
        *byte ^= 0x5A;
    }
    fs::write(folder.path().join("data.parquet"), damaged).unwrap();
    let problem = bad(scan_error(folder.path(), "data").await);
    let named = match &problem {
        BadTable::CorruptFile { file, .. } | BadTable::DecoderPanic { file, .. } => file,
        other => panic!("{other}"),
    };
    assert_eq!(named, "data.parquet");
}

#[tokio::test]
async fn any_damage_is_an_error_or_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let strings =
        StringArray::from((0..500).map(|i| format!("value {}", i % 7)).collect::<Vec<_>>());
    let batch = RecordBatch::try_from_iter([
        ("s", Arc::new(strings) as ArrayRef),
        ("x", Arc::new(Int64Array::from_iter_values(0..500)) as ArrayRef),
    ])
    .unwrap();
    let good = folder.path().join("good.parquet");
    write_batch(&good, &batch, 200);
    let bytes = fs::read(&good).unwrap();
    let mut seed = 1_u64;
    for round in 0..150 {
        let mut damaged = bytes.clone();
        for _ in 0..3 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % damaged.len();
            damaged[at] = (seed >> 20) as u8;
        }
        fs::write(folder.path().join("t.parquet"), damaged).unwrap();
        let Ok(snapshot) = newest(folder.path(), "t").await else { continue };
        if let Err(error) = scan(&snapshot, numbered()).await {
            let error = lake_error(&error);
            assert!(matches!(error, LakeError::Bad { .. }), "round {round}: {error}");
        }
    }
}

#[tokio::test]
async fn statistics_come_from_footers_where_they_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let long = "a text longer than what writers keep of it";
    let columns = |texts: [&str; 2], numbers: [Option<f64>; 2]| {
        RecordBatch::try_from_iter([
            ("text", Arc::new(StringArray::from(texts.to_vec())) as ArrayRef),
            ("number", Arc::new(Float64Array::from(numbers.to_vec())) as ArrayRef),
        ])
        .unwrap()
    };
    let first = columns(["b", "c"], [Some(0.0), Some(2.5)]);
    write_batch(&folder.path().join("t/a.parquet"), &first, 1);
    write_batch(&folder.path().join("t/b.parquet"), &columns(["a", "d"], [None, Some(-1.0)]), 1);
    write_batch(&folder.path().join("long.parquet"), &columns(["a", long], [None, None]), 2);
    let told = |table: &'static str| {
        let folder = folder.path().to_owned();
        async move {
            let snapshot = newest(&folder, table).await.unwrap();
            let end = |end: &Option<datafusion::scalar::ScalarValue>| {
                end.as_ref().map_or("-".to_owned(), ToString::to_string)
            };
            let statistics = snapshot.statistics().await.unwrap();
            let told = statistics.iter().map(|c| (end(&c.min), end(&c.max), c.null_count));
            told.collect::<Vec<_>>()
        }
    };
    let text = |text: &str| text.to_owned();
    let expected = [(text("a"), text("d"), Some(0)), (text("-1"), text("2.5"), Some(1))];
    assert_eq!(told("t").await, expected);
    let expected = [(text("a"), text("-"), Some(0)), (text("-"), text("-"), Some(2))];
    assert_eq!(told("long").await, expected);
}
