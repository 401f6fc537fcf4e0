//! Arrow IPC, file or stream: → wanted batches, decoded while it arrives.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::{Fields, SchemaRef};
use bytes::Bytes;
use datafusion::error::Result;
use engine::ipc::error::IpcError;
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::StreamDecoder;
use futures::stream::{self, BoxStream, StreamExt};

use super::chunks::chunks;
use super::columns::Wanted;
use super::part::{Batches, Finish, corrupt, external};
use super::plan::{BATCH_ROWS, PlannedFilter, ScanPlan};
use super::report::ScanReport;
use super::rows;
use crate::lake::footer::FileReader;
use crate::lake::snapshot::{DataFile, Snapshot};

/// Opens an IPC file or stream.
pub(super) async fn open(plan: Arc<ScanPlan>, position: usize, file: DataFile) -> Result<Batches> {
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
    let columns = columns_to_decode(&plan);
    let decoding = Decoding {
        decoder: Some(StreamDecoder::new(DecodeLimits::default()).with_columns(columns)),
        chunks: chunks(reader),
        input: Buffer::from(Vec::<u8>::new()),
        ready: None,
        plan: Arc::clone(&plan),
        file: file.clone(),
    };
    let mut next_row = first_row;
    let mut finish: Option<(SchemaRef, Finish)> = None;
    let batches = decoding.batches().map(move |batch| {
        let batch = batch?;
        ScanReport::add(&plan.report.rows_decoded, batch.num_rows() as u64);
        // Decoded columns come in the order of the schema that was asked for.
        let finish = match &finish {
            Some((schema, finish)) if *schema == batch.schema() => finish,
            _ => {
                let schema = batch.schema();
                let planned = planned(&plan, &file, schema.fields())?;
                &finish.insert((schema, planned)).1
            }
        };
        let numbers = wants_rows.then(|| rows::consecutive(next_row, batch.num_rows()));
        next_row += batch.num_rows() as u64;
        let decode = finish.assembly().decode();
        finish.finish(&batch.project(decode)?, numbers.as_ref())
    });
    Ok(batches.boxed())
}

fn planned(plan: &ScanPlan, file: &DataFile, stored: &Fields) -> Result<Finish> {
    Finish::new(plan, file, stored, plan.filters.clone())
}

/// Names of the stored columns that the scan or its filters read.
fn columns_to_decode(plan: &ScanPlan) -> Vec<String> {
    let snapshot: &Snapshot = &plan.snapshot;
    let wanted = plan.wanted.iter().chain(plan.filters.iter().flat_map(|filter| &filter.wanted));
    let mut names: Vec<String> = wanted
        .filter_map(|wanted| match wanted {
            Wanted::Column(position) => snapshot.schema.fields().get(*position),
            Wanted::Row => None,
        })
        .map(|field| field.name().clone())
        .filter(|name| !snapshot.partition_columns.contains(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

struct Decoding {
    decoder: Option<StreamDecoder>,
    chunks: BoxStream<'static, parquet::errors::Result<Bytes>>,
    input: Buffer,
    /// A batch that is handed out in slices, and the row of the next one.
    ready: Option<(RecordBatch, usize)>,
    plan: Arc<ScanPlan>,
    file: DataFile,
}

impl Decoding {
    fn batches(self) -> Batches {
        stream::try_unfold(self, |mut state| async move {
            let batch = state.next().await?;
            Ok(batch.map(|batch| (batch, state)))
        })
        .boxed()
    }

    /// The next rows, never more than a few batches' worth of them at once.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((batch, start)) = self.ready.take() {
                let rows = (batch.num_rows() - start).min(BATCH_ROWS * 4);
                let slice = batch.slice(start, rows);
                if start + rows < batch.num_rows() {
                    self.ready = Some((batch, start + rows));
                }
                if rows > 0 {
                    return Ok(Some(slice));
                }
            }
            let Some(decoder) = self.decoder.as_mut() else {
                return Ok(None);
            };
            let advanced = decoder.advance(&mut self.input);
            match advanced.map_err(|error| self.bad(&error))? {
                Some(batch) => self.ready = Some((batch, 0)),
                None => match self.chunks.next().await {
                    Some(chunk) => {
                        let chunk = chunk.map_err(|error| self.unread(error))?;
                        self.input = Buffer::from(chunk);
                    }
                    None => self.end()?,
                },
            }
        }
    }

    fn end(&mut self) -> Result<()> {
        match self.decoder.take().map(StreamDecoder::finish) {
            Some(Err(error)) => Err(self.bad(&error)),
            _ => Ok(()),
        }
    }

    fn bad(&self, error: &IpcError) -> datafusion::error::DataFusionError {
        corrupt(&self.plan.snapshot, &self.file, error)
    }

    fn unread(&self, error: parquet::errors::ParquetError) -> datafusion::error::DataFusionError {
        let snapshot = &self.plan.snapshot;
        external(snapshot.access.parquet_error(&snapshot.table, &self.file.path, error))
    }
}
