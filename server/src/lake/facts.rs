//! What one file says of itself: its columns, and its rows where that is cheap to tell.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow_schema::Schema;
use futures::{FutureExt, StreamExt};
use object_store::{ObjectMeta, ObjectStoreExt};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use super::arrow_file;
use super::csv::{CsvDialect, CsvFacts, Inference};
use super::error::{BadTable, LakeError};
use super::footer::FileReader;
use super::format::Format;
use super::source::{FileStamp, Lake};
use crate::delta::kernel::panic_text;
use crate::scan::physical::decoded_schema;

/// What is known of a file without reading its data for an answer.
#[derive(Debug, Clone)]
pub(crate) enum FileFacts {
    Parquet { schema: Arc<Schema>, rows: u64 },
    Csv(Arc<CsvFacts>),
    Arrow { schema: Arc<Schema> },
}

impl FileFacts {
    /// The columns as a table shows them.
    pub(crate) fn schema(&self) -> Arc<Schema> {
        match self {
            Self::Parquet { schema, .. } | Self::Arrow { schema } => Arc::clone(schema),
            Self::Csv(facts) => Arc::new(facts.schema()),
        }
    }

    pub(crate) fn rows(&self) -> Option<u64> {
        match self {
            Self::Parquet { rows, .. } => Some(*rows),
            Self::Csv(facts) => facts.rows,
            Self::Arrow { .. } => None,
        }
    }
}

/// Reads what a file says of itself; remembered until the file changes.
pub(crate) async fn read(
    lake: &Lake,
    table: &str,
    format: Format,
    meta: &ObjectMeta,
) -> Result<FileFacts, LakeError> {
    let stamp = FileStamp::of(meta);
    if let Some(known) = lake.facts.get(&stamp) {
        return known.map_err(|error| error.for_table(table));
    }
    let looking = AssertUnwindSafe(look(lake, table, format, meta)).catch_unwind();
    let facts = looking.await.unwrap_or_else(|panic| {
        let (file, reason) = (meta.location.to_string(), panic_text(panic.as_ref()));
        Err(LakeError::bad(table, BadTable::DecoderPanic { file, reason }))
    });
    // A store that failed may answer next time; a file that is bad stays bad.
    let lasts = match &facts {
        Ok(_) => true,
        Err(LakeError::Bad { problem, .. }) => !matches!(problem, BadTable::MissingFile { .. }),
        Err(_) => false,
    };
    if lasts {
        lake.facts.insert(stamp, facts.clone(), 1);
    }
    facts
}

async fn look(
    lake: &Lake,
    table: &str,
    format: Format,
    meta: &ObjectMeta,
) -> Result<FileFacts, LakeError> {
    match format {
        Format::Parquet | Format::Delta => parquet_facts(lake, table, FileStamp::of(meta)).await,
        Format::Csv => csv_facts(lake, table, meta).await,
        Format::Arrow => {
            let schema = arrow_file::schema(lake, table, meta).await?;
            Ok(FileFacts::Arrow { schema })
        }
    }
}

async fn parquet_facts(lake: &Lake, table: &str, stamp: FileStamp) -> Result<FileFacts, LakeError> {
    let mut reader = FileReader { store: Arc::clone(lake.store()), stamp, report: Arc::default() };
    let footer = reader.footer(&lake.access.footers).await;
    let path = &reader.stamp.path;
    let footer = footer.map_err(|error| lake.access.parquet_error(table, path, error))?;
    let schema =
        shown_schema(&footer).map_err(|error| lake.access.parquet_error(table, path, error))?;
    let rows = u64::try_from(footer.file_metadata().num_rows()).map_err(|_| {
        let reason = "its footer gives a negative number of rows".to_owned();
        LakeError::bad(table, BadTable::CorruptFile { file: path.to_string(), reason })
    })?;
    Ok(FileFacts::Parquet { schema: Arc::new(schema), rows })
}

/// The columns of a Parquet file as a table shows them; the same types that it is decoded to.
fn shown_schema(footer: &ParquetMetaData) -> Result<Schema, ParquetError> {
    let file = footer.file_metadata();
    let key_values = file.key_value_metadata();
    let chosen = parquet_to_arrow_schema(file.schema_descr(), key_values)?;
    let from_arrow = key_values.is_some_and(|kv| kv.iter().any(|kv| kv.key == "ARROW:schema"));
    let decoded = decoded_schema(&chosen, file.schema_descr(), from_arrow);
    Ok(super::snapshot::bare_schema(&decoded))
}

async fn csv_facts(lake: &Lake, table: &str, meta: &ObjectMeta) -> Result<FileFacts, LakeError> {
    let path = &meta.location;
    let store_error = |error| lake.access.store_error(table, path, error);
    let bad = |error: super::csv::BadCsv| LakeError::bad(table, error.in_file(path.as_ref()));
    let mut body = lake.store().get(path).await.map_err(store_error)?.into_stream();
    let extension = path.extension().unwrap_or_default();
    let mut inference = None;
    let mut left = lake.options.csv_infer_bytes;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(store_error)?;
        let inference =
            inference.get_or_insert_with(|| Inference::new(CsvDialect::sniff(&chunk, extension)));
        let take = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        inference.push(chunk.get(..take).unwrap_or_default()).map_err(bad)?;
        left -= take as u64;
        if left == 0 {
            break;
        }
        // A chunk from a local disk is there at once: let others have their turn.
        tokio::task::yield_now().await;
    }
    let whole = meta.size <= lake.options.csv_infer_bytes;
    let inference = inference.unwrap_or_else(|| Inference::new(CsvDialect { delimiter: b',' }));
    let facts = inference.finish(whole).map_err(bad)?;
    Ok(FileFacts::Csv(Arc::new(facts)))
}
