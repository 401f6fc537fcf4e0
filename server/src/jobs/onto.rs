//! A map that new rows are placed on: its vectors, and where it has them.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_schema::DataType;
use engine::error::QueryError;
use engine::query::Query;
use engine::steps::Work;
use serde_json::{Value, json};

use super::failure::JobFailure;
use super::spec::JobSpec;
use super::vectors::{VectorReader, Vectors};
use crate::delta::write::last_commit;
use crate::lake::{Snapshot, VersionSpec};
use crate::query::vectors::vector_column;
use crate::query::{Queries, pin};

/// The map's rows, and their points: n × dimensions.
pub(super) struct Onto {
    pub(super) vectors: Vectors,
    pub(super) points: Vec<f32>,
}

/// The map as it was found: its rows are read later.
pub(super) struct Map {
    snapshot: Arc<Snapshot>,
    column: String,
    sides: Vec<String>,
}

/// Commits that are looked at for the one that made the map.
const COMMITS_LOOKED_AT: usize = 50;

/// Finds the map, where the job names one.
///
/// # Errors
/// Where it has no vectors, no such columns, or was made of vectors of another length.
pub(super) async fn open(queries: &Queries, spec: &JobSpec) -> Result<Option<Map>, JobFailure> {
    let Some(name) = &spec.onto else { return Ok(None) };
    let refused = |detail: String| QueryError::malformed("onto", detail);
    let snapshot = queries.lakes().snapshot(name, VersionSpec::Latest).await?;
    let schema = snapshot.schema();
    let column = vector_column(schema, name, None).map_err(|error| {
        refused(format!(
            "{error}; a map has its vectors where the job that made it keeps them (keep_vectors)"
        ))
    })?;
    let step = spec.steps.iter().find(|step| matches!(step.work, Work::Umap { .. }));
    let sides: Vec<String> =
        step.iter().flat_map(|step| step.columns()).map(|(name, _)| name).collect();
    if let Some(missing) = sides.iter().find(|side| schema.index_of(side).is_err()) {
        let detail = format!("table {name:?} has no column {missing:?}, where its points would be");
        return Err(refused(detail).into());
    }
    if let Ok(place) = queries.lakes().place(name, true).await
        && place.has_table
        && let Ok(Some((_, info))) =
            last_commit(&place, COMMITS_LOOKED_AT, |info| info.pointer("/limn/steps").is_some())
                .await
    {
        let theirs = info.pointer("/limn/normalize").cloned().unwrap_or_default();
        let ours = json!(spec.normalize);
        if theirs != ours {
            let detail =
                format!("the map was made with \"normalize\": {theirs}, and this job has {ours}");
            return Err(refused(detail).into());
        }
    }
    Ok(Some(Map { snapshot, column, sides }))
}

impl Map {
    /// What new rows' places follow from.
    pub(super) fn lineage(&self) -> Value {
        json!({
            "table": self.snapshot.table(),
            "version": self.snapshot.version(),
            "uid": self.snapshot.uid(),
            "column": self.column,
        })
    }

    pub(super) fn rows(&self) -> Option<u64> {
        self.snapshot.rows()
    }

    /// Reads its rows.
    pub(super) async fn read(&self, queries: &Queries, spec: &JobSpec) -> Result<Onto, JobFailure> {
        let limits = queries.limits();
        let columns = self.sides.iter().chain([&self.column]).cloned().collect();
        let query = Query { columns: Some(columns), ..Query::of_table(self.snapshot.table()) };
        let reader = VectorReader::new(
            &self.column,
            spec.normalize,
            limits.memory_bytes,
            limits.spill_dir.clone(),
        );
        let pinned = pin(query, Arc::clone(&self.snapshot))?;
        let take = |reader: &mut VectorReader, batch: &RecordBatch| reader.push(batch);
        let vectors = queries.fold(pinned, reader, take).await??.finish()?;
        let mut points = Vec::new();
        for batch in &vectors.beside {
            let sides = batch.columns().iter().map(|column| {
                let cast = arrow_cast::cast(column, &DataType::Float32);
                cast.map(|column| column.as_primitive::<Float32Type>().values().to_vec())
            });
            let sides = sides.collect::<Result<Vec<_>, _>>();
            let sides = sides.map_err(|error| JobFailure::Ended(error.to_string()))?;
            for row in 0..batch.num_rows() {
                points.extend(sides.iter().filter_map(|side| side.get(row)));
            }
        }
        Ok(Onto { vectors, points })
    }
}
