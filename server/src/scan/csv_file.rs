//! CSV: a file → wanted batches, decoded while it arrives.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_csv::reader::{Decoder, ReaderBuilder};
use arrow_schema::{ArrowError, SchemaRef};
use bytes::Bytes;
use datafusion::error::{DataFusionError, Result};
use futures::stream::{self, BoxStream, StreamExt};

use super::chunks::chunks;
use super::columns::Wanted;
use super::part::{Batches, Finish, corrupt, external};
use super::plan::{BATCH_ROWS, PlannedFilter, ScanPlan};
use super::report::ScanReport;
use super::rows;
use crate::lake::csv::CsvDialect;
use crate::lake::footer::FileReader;
use crate::lake::snapshot::DataFile;

/// Bytes of text after which a batch is closed, however few rows it has.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// A record longer than this is a quote that was never closed.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// Opens a CSV file.
pub(super) async fn open(
    plan: Arc<ScanPlan>,
    position: usize,
    file: DataFile,
    dialect: CsvDialect,
    columns: SchemaRef,
) -> Result<Batches> {
    let finish = Finish::new(&plan, &file, columns.fields(), plan.filters.clone())?;
    let wants_rows =
        plan.wanted.contains(&Wanted::Row) || plan.filters.iter().any(PlannedFilter::reads_rows);
    let first_row = match wants_rows {
        true => plan.row_starts.of(&plan, position).await?,
        false => 0,
    };
    let reader = FileReader::of(&plan.snapshot, &file, Arc::clone(&plan.report));
    let fault = |error| {
        external(plan.snapshot.access.parquet_error(&plan.snapshot.table, &file.path, error))
    };
    reader.verify().await.map_err(fault)?;
    ScanReport::add(&plan.report.files_read, 1);
    let decoder = ReaderBuilder::new(columns)
        .with_header(true)
        .with_delimiter(dialect.delimiter)
        .with_batch_size(BATCH_ROWS)
        .with_projection(finish.assembly().decode().to_vec())
        .build_decoder();
    let lines = Lines { decoder, fed: 0, ended: false };
    let chunks = chunks(reader);
    let access_plan = Arc::clone(&plan);
    let access_file = file.clone();
    let chunks = chunks.map(move |chunk| {
        chunk.map_err(|error| {
            let snapshot = &access_plan.snapshot;
            external(snapshot.access.parquet_error(&snapshot.table, &access_file.path, error))
        })
    });
    let mut next_row = first_row;
    let batches = decoded(lines, chunks.boxed()).map(move |batch| {
        let batch = batch.map_err(|error| match error {
            DataFusionError::ArrowError(error, _) => {
                corrupt(&plan.snapshot, &file, plain_reason(&error))
            }
            other => other,
        })?;
        ScanReport::add(&plan.report.rows_decoded, batch.num_rows() as u64);
        let numbers = wants_rows.then(|| rows::consecutive(next_row, batch.num_rows()));
        next_row += batch.num_rows() as u64;
        finish.finish(&batch, numbers.as_ref())
    });
    Ok(batches.boxed())
}

/// A decoder that closes batches by bytes as well as by rows.
struct Lines {
    decoder: Decoder,
    /// Bytes since the last batch was closed.
    fed: usize,
    ended: bool,
}

impl Lines {
    /// Takes bytes until a batch is complete, and tells how many it took.
    fn take(&mut self, bytes: &[u8]) -> Result<(usize, Option<RecordBatch>), ArrowError> {
        let before = self.decoder.capacity();
        let taken = self.decoder.decode(bytes)?;
        self.fed += taken;
        let full = taken == 0 || self.decoder.capacity() == 0 || self.fed >= BATCH_BYTES_MAX;
        if !full {
            return Ok((taken, None));
        }
        if self.fed > RECORD_BYTES_MAX && self.decoder.capacity() == before && before == BATCH_ROWS
        {
            let reason = format!("a record is longer than {} MiB", RECORD_BYTES_MAX >> 20);
            return Err(ArrowError::CsvError(reason));
        }
        if self.decoder.capacity() == BATCH_ROWS {
            return Ok((taken, None));
        }
        let batch = self.decoder.flush()?;
        self.fed = 0;
        Ok((taken, batch))
    }
}

/// State of the stream: the decoder, what is still to come, what has come and is not yet decoded.
struct Decoding {
    lines: Lines,
    chunks: BoxStream<'static, Result<Bytes>>,
    waiting: VecDeque<Bytes>,
}

fn decoded(
    lines: Lines,
    chunks: BoxStream<'static, Result<Bytes>>,
) -> BoxStream<'static, Result<RecordBatch>> {
    let state = Decoding { lines, chunks, waiting: VecDeque::new() };
    stream::try_unfold(state, |mut state| async move {
        loop {
            if state.lines.ended {
                return Ok(None);
            }
            let Some(chunk) = state.waiting.pop_front() else {
                match state.chunks.next().await {
                    Some(chunk) => state.waiting.push_back(chunk?),
                    None => {
                        state.lines.ended = true;
                        // No bytes at all means the end, also of a last line without a break.
                        state.lines.decoder.decode(&[])?;
                        if let Some(batch) = state.lines.decoder.flush()? {
                            return Ok(Some((batch, state)));
                        }
                    }
                }
                continue;
            };
            if chunk.is_empty() {
                continue;
            }
            let (taken, batch) = state.lines.take(&chunk)?;
            let mut rest = chunk;
            let _ = rest.split_to(taken.min(rest.len()));
            if !rest.is_empty() {
                state.waiting.push_front(rest);
            }
            if let Some(batch) = batch {
                return Ok(Some((batch, state)));
            }
        }
    })
    .boxed()
}

/// What is wrong with a line, without the whole line in it.
fn plain_reason(error: &ArrowError) -> String {
    let text = match error {
        ArrowError::ParseError(text) | ArrowError::CsvError(text) => text.clone(),
        other => other.to_string(),
    };
    let text = text.split(". Row data:").next().unwrap_or_default().to_owned();
    text.strip_prefix("Error while parsing")
        .map_or(text.clone(), |rest| format!("cannot parse{rest}"))
}
