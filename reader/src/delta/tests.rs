//! Tables of a small writer of the test's own: replay, checkpoints, time travel, mapping,
//! evolution, and words for what is not read.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;

use super::log;
use super::rows::Rows;
use crate::source::Folder;
use crate::stream::ReadError;
use crate::trial::{Memory, now};
use app::cell::cell_text;

#[derive(Clone, Default)]
struct Files(BTreeMap<String, Bytes>);

impl Folder for Files {
    type File = Memory;

    async fn whole(&self, path: &str) -> Result<Option<Bytes>, ReadError> {
        Ok(self.0.get(path).cloned())
    }

    async fn open(&self, path: &str, _size: Option<u64>) -> Result<Memory, ReadError> {
        let found = self.0.get(path).cloned().map(Memory);
        found.ok_or_else(|| ReadError::Bad(format!("{path} is missing")))
    }
}

impl Files {
    fn commit(&mut self, version: u64, lines: &[&str]) {
        let path = format!("_delta_log/{version:020}.json");
        self.0.insert(path, lines.join("\n").into_bytes().into());
    }

    fn data(&mut self, path: &str, columns: Vec<(&str, ArrayRef)>) -> usize {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let size = bytes.len();
        self.0.insert(path.to_owned(), bytes.into());
        size
    }
}

const PROTOCOL: &str = r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#;

fn metadata(fields: &str, partitions: &str, configuration: &str) -> String {
    let schema = format!(r#"{{"type":"struct","fields":[{fields}]}}"#);
    let schema = serde_json::to_string(&schema).unwrap();
    format!(
        r#"{{"metaData":{{"id":"u","schemaString":{schema},"partitionColumns":[{partitions}],"configuration":{{{configuration}}}}}}}"#
    )
}

fn field(name: &str, data_type: &str, metadata: &str) -> String {
    format!(r#"{{"name":"{name}","type":"{data_type}","nullable":true,"metadata":{{{metadata}}}}}"#)
}

fn add(path: &str, size: usize, rest: &str) -> String {
    format!(
        r#"{{"add":{{"path":"{path}","size":{size},"modificationTime":0,"dataChange":true,{rest}}}}}"#
    )
}

fn ints(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn read(files: &Files, version: Option<u64>, columns: &[&str]) -> Result<Vec<String>, String> {
    let read = async {
        let snapshot = log::open(files, version).await?;
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        let mut rows = Rows::new(files.clone(), &snapshot, &columns)?;
        let mut out = Vec::new();
        while let Some(batch) = rows.next_batch().await? {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter();
                let cells = cells.map(|array| cell_text(array, row).unwrap_or("∅".into()));
                out.push(cells.collect::<Vec<_>>().join(" "));
            }
        }
        Ok(out)
    };
    now(read).map_err(|error: ReadError| error.to_string())
}

/// Two files of two partitions; one is replaced; a column is added and another widened.
fn evolving() -> Files {
    let mut files = Files::default();
    let first = [field("p", "date", ""), field("n", "integer", "")].join(",");
    let size = files.data("p=2024-01-02/b.parquet", vec![("n", ints(&[3, 4]))]);
    let other = files.data("a%b.parquet", vec![("n", ints(&[1, 2]))]);
    let stats = r#""partitionValues":{"p":"2024-01-02"},"stats":"{\"numRecords\":2}""#;
    files.commit(
        0,
        &[
            r#"{"commitInfo":{"timestamp":1709542800000,"operation":"WRITE"}}"#,
            PROTOCOL,
            &metadata(&first, "\"p\"", ""),
            &add("p=2024-01-02/b.parquet", size, stats),
            &add("a%25b.parquet", other, r#""partitionValues":{"p":null}"#),
        ],
    );
    let wider =
        [field("p", "date", ""), field("n", "long", ""), field("s", "string", "")].join(",");
    let third = files.data(
        "c.parquet",
        vec![
            ("n", Arc::new(Int64Array::from(vec![1 << 40]))),
            ("s", Arc::new(StringArray::from(vec!["x"]))),
        ],
    );
    files.commit(
        1,
        &[
            &metadata(&wider, "\"p\"", ""),
            r#"{"remove":{"path":"p=2024-01-02/b.parquet","dataChange":true}}"#,
            &add("c.parquet", third, r#""partitionValues":{"p":""}"#),
        ],
    );
    files
}

#[test]
fn versions_partitions_and_evolution() {
    let files = evolving();
    let first = ["1 ∅", "2 ∅", "3 2024-01-02", "4 2024-01-02"];
    assert_eq!(read(&files, Some(0), &["n", "p"]).unwrap(), first);
    let second = ["∅ 1", "∅ 2", "x 1099511627776"];
    assert_eq!(read(&files, None, &["s", "n"]).unwrap(), second);
    assert_eq!(read(&files, None, &["p"]).unwrap(), ["∅"; 3]);
    let snapshot = now(log::open(&files, Some(0))).unwrap();
    let versions: Vec<u64> = snapshot.history.iter().map(|commit| commit.version).collect();
    assert_eq!((snapshot.version, versions), (0, vec![1, 0]));
    assert_eq!(snapshot.history[1].timestamp, Some(1_709_542_800_000));
    assert!(
        read(&files, Some(7), &["n"]).unwrap_err().contains("the newest that can be read is 1")
    );
    assert!(read(&Files::default(), None, &["n"]).unwrap_err().contains("no Delta log"));
}

#[test]
fn a_checkpoint_stands_for_the_commits_before_it() {
    let mut files = evolving();
    let body = files.0.get("_delta_log/00000000000000000000.json").unwrap().clone();
    let name = "00000000000000000000.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";
    files.0.insert(format!("_delta_log/{name}"), body);
    files.0.remove("_delta_log/00000000000000000000.json");
    assert!(read(&files, None, &["n"]).is_err());
    let last = format!(r#"{{"version":0,"size":4,"v2Checkpoint":{{"path":"{name}"}}}}"#);
    files.0.insert("_delta_log/_last_checkpoint".to_owned(), last.into_bytes().into());
    assert_eq!(read(&files, None, &["n"]).unwrap().len(), 3);
    // A commit that the checkpoint promises is missing.
    let last = format!(r#"{{"version":5,"size":4,"v2Checkpoint":{{"path":"{name}"}}}}"#);
    files.0.insert("_delta_log/_last_checkpoint".to_owned(), last.into_bytes().into());
    files.0.remove("_delta_log/00000000000000000001.json");
    assert_eq!(now(log::open(&files, None)).unwrap().version, 5);
}

#[test]
fn columns_are_found_by_their_physical_names() {
    let mut files = Files::default();
    let mapped = |name: &str, physical: &str, id: u32| {
        let metadata = format!(
            r#""delta.columnMapping.id":{id},"delta.columnMapping.physicalName":"{physical}""#
        );
        field(name, "integer", &metadata)
    };
    let size =
        files.data("a.parquet", vec![("c1", ints(&[1])), ("c2", ints(&[2])), ("new", ints(&[9]))]);
    files.commit(
        0,
        &[
            r#"{"protocol":{"minReaderVersion":2,"minWriterVersion":5}}"#,
            &metadata(
                &[mapped("new", "c1", 1), mapped("p", "c9", 3)].join(","),
                "\"p\"",
                r#""delta.columnMapping.mode":"name""#,
            ),
            &add("a.parquet", size, r#""partitionValues":{"c9":"7"}"#),
        ],
    );
    assert_eq!(read(&files, None, &["p", "new"]).unwrap(), ["7 1"]);
}

#[test]
fn what_is_not_read_is_named() {
    let fields = field("n", "integer", "");
    for (protocol, file, words) in [
        (r#""minReaderVersion":3,"readerFeatures":["flyingCars"]"#, "a.parquet", "\"flyingCars\""),
        (r#""minReaderVersion":4"#, "a.parquet", "reader version 4"),
        (r#""minReaderVersion":1"#, "../a.parquet", "outside of its folder"),
        (r#""minReaderVersion":1"#, "s3://b/a.parquet", "outside of its folder"),
        (r#""minReaderVersion":1"#, "gone.parquet", "gone.parquet is missing"),
    ] {
        let mut files = Files::default();
        let protocol = format!(r#"{{"protocol":{{{protocol},"minWriterVersion":7}}}}"#);
        let added = add(file, 10, r#""partitionValues":{}"#);
        files.commit(0, &[&protocol, &metadata(&fields, "", ""), &added]);
        let error = read(&files, None, &["n"]).unwrap_err();
        assert!(error.contains(words), "{words}: {error}");
    }
    let mut files = Files::default();
    files.commit(0, &[PROTOCOL, &metadata(&field("v", "variant", ""), "", "")]);
    assert!(read(&files, None, &["v"]).unwrap_err().contains("\"variant\""));
    files.commit(0, &["{\"protocol\":"]);
    let error = read(&files, None, &["v"]).unwrap_err();
    assert!(error.contains("00000000000000000000.json, line 1"), "{error}");
}
