//! Parquet: one part of a file → wanted batches. Prunes row groups, leaves out deleted rows,
//! decodes the columns of filters first where that can save decoding the others.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use datafusion::error::{DataFusionError, Result};
use futures::stream::StreamExt;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, RowFilter,
};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask, RowNumber};
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::SchemaDescriptor;

use super::columns::{Assembly, Origin, Wanted};
use super::part::{Batches, Finish, corrupt, evaluate, external, origins};
use super::physical::decoded_schema;
use super::plan::{BATCH_ROWS, Part, PlannedFilter, ScanPlan};
use super::report::ScanReport;
use super::{row_groups, rows};
use crate::delta::deletion::{Deleted, DeletionError};
use crate::lake::footer::FileReader;
use crate::lake::snapshot::{DataFile, Reading};

/// The virtual column of positions, under a name that no file has.
const POSITION: &str = "limn.position";

/// A filter's failure while the decoder runs it, kept whole for whoever reads the stream.
type Failure = Arc<Mutex<Option<DataFusionError>>>;

/// One file of a plan, opened.
struct Opened {
    plan: Arc<ScanPlan>,
    file: DataFile,
    reader: FileReader,
    footer: Arc<ParquetMetaData>,
    /// The file's columns as they are decoded, without the virtual one.
    stored: Arc<Schema>,
    metadata: ArrowReaderMetadata,
}

/// Opens a part of a Parquet file.
pub(super) async fn open(plan: Arc<ScanPlan>, part: Part, file: DataFile) -> Result<Batches> {
    let nothing = || Ok(futures::stream::empty().boxed());
    let opened = Opened::open(Arc::clone(&plan), file).await?;
    let mut groups = row_groups::within(&opened.footer, &part.bytes);
    if groups.is_empty() && part.bytes.start > 0 {
        return nothing();
    }
    let all = groups.len();
    let Some(filters) = opened.filters_of_this_file()? else {
        ScanReport::add(&plan.report.row_groups, all as u64);
        ScanReport::add(&plan.report.row_groups_pruned, all as u64);
        return nothing();
    };
    for filter in &filters {
        let from = opened.origins(filter)?;
        let (footer, stored) = (&opened.footer, &opened.stored);
        groups = row_groups::prune(&plan.snapshot, footer, stored, groups, filter, &from)?;
    }
    ScanReport::add(&plan.report.row_groups, all as u64);
    ScanReport::add(&plan.report.row_groups_pruned, (all - groups.len()) as u64);
    if groups.is_empty() {
        return nothing();
    }
    if part.bytes.start == 0 {
        ScanReport::add(&plan.report.files_read, 1);
    }
    opened.read(part.file, groups, filters).await
}

/// Rows of a part by the footer alone; none for other formats.
pub(super) async fn count_rows(plan: &ScanPlan, part: &Part) -> Result<Option<u64>> {
    let file = plan.snapshot.files.get(part.file);
    let is_parquet = matches!(plan.snapshot.reading, Reading::Delta | Reading::Parquet);
    let Some(file) = file.filter(|_| is_parquet) else {
        return Ok(None);
    };
    let mut reader = FileReader::of(&plan.snapshot, file, Arc::clone(&plan.report));
    let access = &plan.snapshot.access;
    let footer = reader
        .footer(&access.footers)
        .await
        .map_err(|error| external(access.parquet_error(&plan.snapshot.table, &file.path, error)))?;
    let groups = row_groups::within(&footer, &part.bytes);
    let stored: u64 =
        row_groups::stretches(&footer, &groups).iter().map(|rows| rows.end - rows.start).sum();
    let deleted = file.deletion.as_ref().map_or(0, |deletion| deletion.cardinality);
    Ok(Some(stored.saturating_sub(deleted)))
}

impl Opened {
    async fn open(plan: Arc<ScanPlan>, file: DataFile) -> Result<Self> {
        let mut reader = FileReader::of(&plan.snapshot, &file, Arc::clone(&plan.report));
        let snapshot = &plan.snapshot;
        let fault =
            |error| external(snapshot.access.parquet_error(&snapshot.table, &file.path, error));
        reader.verify().await.map_err(fault)?;
        let footer = reader.footer(&snapshot.access.footers).await.map_err(fault)?;
        // A log says what its files hold; what their writers noted beside that has no say.
        let trusts_notes = snapshot.reading == Reading::Parquet;
        let (stored, metadata) = arrow_metadata(&footer, trusts_notes).map_err(fault)?;
        Ok(Self { plan, file, reader, footer, stored, metadata })
    }

    fn origins(&self, filter: &PlannedFilter) -> Result<Vec<Origin>> {
        origins(&self.plan, &self.file, self.stored.fields(), &filter.wanted)
    }

    /// The filters that rows of this file have to be asked about. Those that read only what is
    /// the same in the whole file are answered at once: none if one of them says no.
    fn filters_of_this_file(&self) -> Result<Option<Vec<PlannedFilter>>> {
        let mut open = Vec::new();
        for filter in &self.plan.filters {
            let constants = self.origins(filter)?;
            if constants.iter().any(|origin| origin.constant().is_none()) {
                open.push(filter.clone());
                continue;
            }
            let options = RecordBatchOptions::new().with_row_count(Some(1));
            let one =
                RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
            let row = Assembly::new(Arc::clone(&filter.schema), constants).assemble(&one, None)?;
            let mask = evaluate(filter, &row)?;
            if mask.true_count() == 0 {
                return Ok(None);
            }
        }
        Ok(Some(open))
    }

    async fn deleted(&self) -> Result<Option<Deleted>> {
        let Some(vector) = &self.file.deletion else {
            return Ok(None);
        };
        let access = &self.plan.snapshot.access;
        if let Some(known) = access.deletions.get(&vector.place) {
            return Ok(Some(known));
        }
        let read = vector.read(access.store.as_ref()).await;
        let deleted = read.map_err(|error| match error {
            DeletionError::Store(error) => {
                external(access.store_error(&self.plan.snapshot.table, &self.file.path, error))
            }
            error => corrupt(&self.plan.snapshot, &self.file, error),
        })?;
        let rows = u64::try_from(self.footer.file_metadata().num_rows()).unwrap_or_default();
        if deleted.last().is_some_and(|last| last >= rows) {
            let reason = "deletion vector: it deletes rows that the file does not have";
            return Err(corrupt(&self.plan.snapshot, &self.file, reason));
        }
        access.deletions.insert(vector.place.clone(), deleted.clone(), vector.bytes as usize);
        Ok(Some(deleted))
    }

    async fn read(
        self,
        position: usize,
        groups: Vec<usize>,
        filters: Vec<PlannedFilter>,
    ) -> Result<Batches> {
        let deleted = self.deleted().await?;
        let wants_rows = self.plan.wanted.contains(&Wanted::Row)
            || filters.iter().any(PlannedFilter::reads_rows);
        let start = match wants_rows {
            true => Some(self.plan.row_starts.of(&self.plan, position).await?),
            false => None,
        };
        let numbering = start.map(|start| Numbering { start, deleted: deleted.clone() });
        let failure = Failure::default();
        let (early, late) = self.split_filters(filters)?;
        let finish = Finish::new(&self.plan, &self.file, self.stored.fields(), late)?;
        let descriptor = self.footer.file_metadata().schema_descr();
        let mask = mask_of(descriptor, &self.stored, finish.assembly().decode());
        let mut predicates: Vec<Box<dyn ArrowPredicate>> = Vec::new();
        for (filter, assembly) in early {
            let mask = mask_of(descriptor, &self.stored, assembly.decode());
            predicates.push(self.predicate(filter, assembly, mask, numbering.clone(), &failure));
        }
        let metadata = match numbering {
            Some(_) => with_positions(&self.footer, &self.stored)
                .map_err(|error| {
                    self.plan.snapshot.access.parquet_error(
                        &self.plan.snapshot.table,
                        &self.file.path,
                        error,
                    )
                })
                .map_err(external)?,
            None => self.metadata,
        };
        let batch_rows = self.plan.limit.map_or(BATCH_ROWS, |limit| limit.clamp(1, BATCH_ROWS));
        let has_early = !predicates.is_empty();
        let mut builder = ParquetRecordBatchStreamBuilder::new_with_metadata(self.reader, metadata)
            .with_batch_size(batch_rows)
            .with_projection(mask);
        if let Some(deleted) = &deleted {
            let stretches = row_groups::stretches(&self.footer, &groups);
            builder = builder.with_row_selection(deleted.selection(&stretches));
        }
        builder = builder.with_row_groups(groups);
        if has_early {
            builder = builder.with_row_filter(RowFilter::new(predicates));
        }
        if let (Some(limit), true) = (self.plan.limit, finish.is_exact()) {
            builder = builder.with_limit(limit);
        }
        let (plan, file) = (self.plan, self.file);
        let stream = builder.build().map_err(|error| {
            external(plan.snapshot.access.parquet_error(&plan.snapshot.table, &file.path, error))
        })?;
        let batches = stream.map(move |decoded| {
            let decoded = decoded.map_err(|error| {
                let failed = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
                let access = &plan.snapshot.access;
                failed.unwrap_or_else(|| {
                    external(access.parquet_error(&plan.snapshot.table, &file.path, error))
                })
            })?;
            if !has_early {
                ScanReport::add(&plan.report.rows_decoded, decoded.num_rows() as u64);
            }
            let (decoded, rows) = Numbering::apply(numbering.as_ref(), decoded)?;
            finish.finish(&decoded, rows.as_ref()).map_err(|error| match error {
                DataFusionError::ArrowError(error, _) => corrupt(&plan.snapshot, &file, error),
                other => other,
            })
        });
        Ok(batches.boxed())
    }

    /// Which filters run while decoding, before the other columns are looked at. That pays only
    /// where there are other columns.
    #[expect(clippy::type_complexity, reason = "two lists that belong together")]
    fn split_filters(
        &self,
        filters: Vec<PlannedFilter>,
    ) -> Result<(Vec<(PlannedFilter, Assembly)>, Vec<PlannedFilter>)> {
        let stored = |wanted: &[Wanted]| -> Result<Vec<usize>> {
            let origins = origins(&self.plan, &self.file, self.stored.fields(), wanted)?;
            Ok(origins.iter().filter_map(Origin::stored).collect())
        };
        let output = stored(&self.plan.wanted)?;
        let (mut early, mut late) = (Vec::new(), Vec::new());
        for filter in filters {
            let reads = stored(&filter.wanted)?;
            let saves = output.iter().any(|column| !reads.contains(column));
            if saves && !reads.is_empty() {
                let origins = self.origins(&filter)?;
                let assembly = Assembly::new(Arc::clone(&filter.schema), origins);
                early.push((filter, assembly));
            } else {
                late.push(filter);
            }
        }
        Ok((early, late))
    }

    fn predicate(
        &self,
        filter: PlannedFilter,
        assembly: Assembly,
        mask: ProjectionMask,
        numbering: Option<Numbering>,
        failure: &Failure,
    ) -> Box<dyn ArrowPredicate> {
        let failure = Arc::clone(failure);
        let report = Arc::clone(&self.plan.report);
        Box::new(ArrowPredicateFn::new(mask, move |decoded: RecordBatch| {
            ScanReport::add(&report.rows_decoded, decoded.num_rows() as u64);
            let (decoded, rows) = Numbering::apply(numbering.as_ref(), decoded)?;
            let batch = assembly.assemble(&decoded, rows.as_ref())?;
            evaluate(&filter, &batch).map_err(|error| {
                let text = error.to_string();
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                ArrowError::ComputeError(text)
            })
        }))
    }
}

/// How positions in the file become row numbers of the table.
#[derive(Debug, Clone)]
struct Numbering {
    start: u64,
    deleted: Option<Deleted>,
}

impl Numbering {
    /// Takes the virtual column of positions off a batch, and makes numbers of it.
    fn apply(
        numbering: Option<&Self>,
        decoded: RecordBatch,
    ) -> Result<(RecordBatch, Option<Int64Array>), ArrowError> {
        let Some(numbering) = numbering else {
            return Ok((decoded, None));
        };
        let last = decoded.num_columns().saturating_sub(1);
        let positions =
            decoded.columns().get(last).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let positions = positions
            .ok_or_else(|| ArrowError::SchemaError("rows were not numbered".to_owned()))?;
        let numbers = rows::numbers(numbering.start, positions, numbering.deleted.as_ref());
        let columns: Vec<usize> = (0..last).collect();
        Ok((decoded.project(&columns)?, Some(numbers)))
    }
}

/// The decoder's view of a file, and its columns as they will be decoded.
pub(super) fn arrow_metadata(
    footer: &Arc<ParquetMetaData>,
    trusts_notes: bool,
) -> parquet::errors::Result<(Arc<Schema>, ArrowReaderMetadata)> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(!trusts_notes);
    let chosen = ArrowReaderMetadata::try_new(Arc::clone(footer), options)?;
    let file = footer.file_metadata();
    let noted =
        file.key_value_metadata().is_some_and(|kv| kv.iter().any(|kv| kv.key == "ARROW:schema"));
    let decoded = decoded_schema(chosen.schema(), file.schema_descr(), trusts_notes && noted);
    if decoded.fields() == chosen.schema().fields() {
        return Ok((Arc::clone(chosen.schema()), chosen));
    }
    let options = ArrowReaderOptions::new().with_schema(Arc::new(decoded));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(footer), options)?;
    Ok((Arc::clone(metadata.schema()), metadata))
}

fn with_positions(
    footer: &Arc<ParquetMetaData>,
    stored: &Arc<Schema>,
) -> parquet::errors::Result<ArrowReaderMetadata> {
    let position = Field::new(POSITION, DataType::Int64, false).with_extension_type(RowNumber);
    let options = ArrowReaderOptions::new()
        .with_schema(Arc::clone(stored))
        .with_virtual_columns(vec![Arc::new(position)])?;
    ArrowReaderMetadata::try_new(Arc::clone(footer), options)
}

/// The leaves below some of the file's columns.
fn mask_of(descriptor: &SchemaDescriptor, stored: &Schema, columns: &[usize]) -> ProjectionMask {
    let roots = descriptor.root_schema().get_fields();
    let name = |column: &usize| stored.fields().get(*column).map(|field| field.name().as_str());
    let names = columns.iter().filter_map(name);
    let root = |name: &str| roots.iter().position(|root| root.name() == name);
    ProjectionMask::roots(descriptor, names.filter_map(root))
}
