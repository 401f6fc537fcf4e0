//! The Delta protocol's golden tables: every table gives exactly its expected rows, and those
//! that must be refused are, by name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use datafusion::functions_aggregate::count::count_all;
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::prelude::{array_length, col};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use server::lake::{BadTable, LakeError, Version, VersionSpec};

use super::rows::{
    any_order, ask, in_order, lakes, newest, scan, sorted_texts, sums, test_data, texts,
};

#[tokio::test(flavor = "multi_thread")]
async fn tables_give_their_expected_rows() {
    let Some(data) = test_data() else { return };
    let mut checked = 0;
    for entry in fs::read_dir(data.join("delta")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("expected").is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let snapshot = newest(&folder, "delta").await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let expected = read_expected(&folder.join("expected"));
        for options in [in_order(), any_order()] {
            let found = scan(&snapshot, options).await.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(sorted_texts(&found), sorted_texts(&expected), "{name}");
        }
        check_types(&name, snapshot.schema(), expected.first());
        if let Some(rows) = snapshot.rows() {
            assert_eq!(rows, sorted_texts(&expected).len() as u64, "{name}");
        }
        checked += 1;
    }
    assert!(checked >= 21, "only {checked} tables were found");
}

/// Rows of Parquet files as Spark wrote them, its 96-bit timestamps as microseconds.
fn read_expected(folder: &Path) -> Vec<RecordBatch> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    let mut batches = Vec::new();
    for file in files {
        let open = || fs::File::open(&file).unwrap();
        let chosen = ArrowReaderMetadata::load(&open(), ArrowReaderOptions::default()).unwrap();
        let fields: Vec<Field> =
            chosen.schema().fields().iter().map(|field| microseconds(field)).collect();
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
        let reader =
            ParquetRecordBatchReaderBuilder::try_new_with_options(open(), options).unwrap();
        batches.extend(reader.build().unwrap().map(Result::unwrap));
    }
    batches
}

fn microseconds(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|f| microseconds(f)).collect())
        }
        DataType::List(element) => DataType::List(Arc::new(microseconds(element))),
        DataType::Map(entries, sorted) => DataType::Map(Arc::new(microseconds(entries)), *sorted),
        other => other.clone(),
    };
    Field::new(field.name(), data_type, field.is_nullable())
}

fn check_types(name: &str, found: &Schema, expected: Option<&RecordBatch>) {
    let Some(expected) = expected else { return };
    let names =
        |schema: &Schema| schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    assert_eq!(names(found), names(&expected.schema()), "{name}");
    for (found, expected) in found.fields().iter().zip(expected.schema().fields()) {
        let same = match (found.data_type(), expected.data_type()) {
            // Spark writes instants without saying that they are.
            (DataType::Timestamp(..), DataType::Timestamp(..)) => true,
            (DataType::List(_), DataType::List(_)) | (DataType::Map(..), DataType::Map(..)) => true,
            (DataType::Struct(found), DataType::Struct(expected)) => found.len() == expected.len(),
            (found, expected) => found == expected,
        };
        assert!(same, "{name}: {found:?} is not {expected:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_be_read_are_refused_by_name() {
    let Some(data) = test_data() else { return };
    let refused = |name: &str| {
        let folder = data.join("delta").join(name);
        async move {
            match newest(&folder, "delta").await {
                Err(LakeError::Bad { problem, .. }) => problem,
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(refused("versions-not-contiguous").await, BadTable::MissingCommit { version: 1 });
    assert_eq!(
        refused("deltalog-state-reconstruction-without-metadata").await,
        BadTable::NoMetadata
    );
    let BadTable::Protocol { reason } = refused("deltalog-invalid-protocol-version").await else {
        panic!("not the protocol");
    };
    assert_eq!(reason, "reader features must not be present when minimum reader version != 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn widened_columns_have_their_new_type_in_old_files() {
    let Some(data) = test_data() else { return };
    let snapshot = newest(&data.join("delta"), "type-widening").await.unwrap();
    let found = scan(&snapshot, in_order()).await.unwrap();
    let wide = "9223372036854775807|9223372036854775807|1.234567890123|1.234567890123|1.234567890123|\
                1.234567890123|12345678901234.56|12345678901.23456|123.4|12345.6|1234567890.1|\
                123456789012345678.9|2024-09-09T12:34:56.123456";
    let widened =
        "1|2|3.4000000953674316|5.0|6.0|7.0|123.45|67.89000|1.0|2.0|3.0|4.0|2024-09-09T00:00:00";
    assert_eq!(texts(&found), [wide, widened]);
    let before = lakes(&data.join("delta")).table("type-widening").await.unwrap();
    let before = before.snapshot(VersionSpec::Exact(Version::Delta(0))).await.unwrap();
    let found = scan(&before, in_order()).await.unwrap();
    assert_eq!(texts(&found), ["1|2|3.4|5|6|7|123.45|67.89|1|2|3|4|2024-09-09"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_every_layout_are_replayed() {
    let Some(data) = test_data() else { return };
    let delta = data.join("delta");
    let small = newest(&delta, "table-with-dv-small").await.unwrap();
    assert_eq!(
        texts(&scan(&small, in_order()).await.unwrap()),
        ["1", "2", "3", "4", "5", "6", "7", "8"]
    );
    assert_eq!(small.rows(), Some(8));

    let compacted = newest(&delta, "compacted-log-files-table").await.unwrap();
    let rows = ["0|new", "10|merge1-insert", "12|merge2-insert", "1|after-large-delete", "2|"];
    assert_eq!(sorted_texts(&scan(&compacted, in_order()).await.unwrap()), rows);
    assert_eq!(compacted.version(), Version::Delta(25));

    // Sums over the rows of the log's plain commits, worked out by another reader.
    let sidecars = newest(&delta, "v2-checkpoints-json-with-sidecars").await.unwrap();
    let query = sums([count_all(), sum(col("id")), sum(col("id") * col("id"))]);
    let found = ask(&sidecars, any_order(), query).await.unwrap();
    assert_eq!(texts(&found), ["1233|509835|333498755"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_table_of_embeddings_is_read() {
    let Some(data) = test_data() else { return };
    let snapshot = newest(&data, "bioclip2_1k").await.unwrap();
    assert_eq!(snapshot.rows(), Some(1030));
    let length = || array_length(col("emb"));
    let query = sums([count_all(), count(col("kingdom")), min(length()), max(length())]);
    let found = texts(&ask(&snapshot, in_order(), query).await.unwrap());
    let [row] = found.as_slice() else { panic!("{found:?}") };
    assert!(row.starts_with("1030|") && row.ends_with("|768|768"), "{row}");
}
