//! What every test here does: open a lake, scan a table, show its rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{DataFrame, Expr, SessionConfig, SessionContext};
use server::lake::{LakeError, LakeOptions, LakeSpec, Lakes, Snapshot, VersionSpec};
use server::scan::{ScanOptions, ScanOrder};

/// The folder of test data from elsewhere; none means that tests on it do not run.
pub fn test_data() -> Option<PathBuf> {
    let folder = std::env::var_os("LIMN_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("not run: LIMN_TEST_DATA is not set");
    }
    folder
}

pub fn lakes(folder: &Path) -> Lakes {
    let spec: LakeSpec = folder.to_str().unwrap().parse().unwrap();
    Lakes::open(&[spec], LakeOptions::default()).unwrap()
}

pub async fn newest(folder: &Path, table: &str) -> std::result::Result<Arc<Snapshot>, LakeError> {
    lakes(folder).table(table).await?.snapshot(VersionSpec::Latest).await
}

/// A session with this many partitions; several by default, so that order is put to the test.
pub fn session(partitions: usize) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(partitions)
        .set_bool("datafusion.optimizer.enable_round_robin_repartition", false);
    SessionContext::new_with_config(config)
}

pub async fn scan(snapshot: &Arc<Snapshot>, options: ScanOptions) -> Result<Vec<RecordBatch>> {
    let table = snapshot.provider(options);
    session(4).read_table(table)?.collect().await
}

/// The rows of a query over the snapshot.
pub async fn ask(
    snapshot: &Arc<Snapshot>,
    options: ScanOptions,
    query: impl FnOnce(DataFrame) -> Result<DataFrame>,
) -> Result<Vec<RecordBatch>> {
    query(session(4).read_table(snapshot.provider(options))?)?.collect().await
}

/// Some columns of the rows that pass.
pub fn pick(filter: Expr, columns: &[&str]) -> impl FnOnce(DataFrame) -> Result<DataFrame> {
    move |table| table.filter(filter)?.select_columns(columns)
}

/// One row of aggregates over all.
pub fn sums<const N: usize>(aggregates: [Expr; N]) -> impl FnOnce(DataFrame) -> Result<DataFrame> {
    move |table| table.aggregate(vec![], aggregates.to_vec())
}

pub fn in_order() -> ScanOptions {
    ScanOptions::default()
}

pub fn numbered() -> ScanOptions {
    ScanOptions { row_column: true, ..ScanOptions::default() }
}

pub fn any_order() -> ScanOptions {
    ScanOptions { order: ScanOrder::Any, ..ScanOptions::default() }
}

/// One text per row, the cells separated by `|`, null as `-`.
pub fn texts(batches: &[RecordBatch]) -> Vec<String> {
    batches.iter().flat_map(texts_of).collect()
}

pub fn sorted_texts(batches: &[RecordBatch]) -> Vec<String> {
    let mut texts = texts(batches);
    texts.sort_unstable();
    texts
}

fn texts_of(batch: &RecordBatch) -> Vec<String> {
    let columns: Vec<ArrayRef> = batch.columns().iter().map(comparable).collect();
    let options = FormatOptions::default().with_null("-");
    let formats: Vec<ArrayFormatter<'_>> = columns
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    let row = |row| formats.iter().map(|f| f.value(row).to_string()).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(row).collect()
}

/// Instants count from one moment whatever unit or zone they are kept in.
fn comparable(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(..) => {
            let plain = DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, None);
            arrow_cast::cast(column, &plain).unwrap()
        }
        _ => Arc::clone(column),
    }
}

/// The lake's own error in what a scan failed with.
pub fn lake_error(error: &DataFusionError) -> LakeError {
    LakeError::find(error).unwrap_or_else(|| panic!("not a lake's error: {error:?}")).clone()
}

pub fn count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}
