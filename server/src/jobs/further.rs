//! Tables that a job leaves beside its result: centroids, and the nearest neighbours of each row.
//! They are written first, so that whoever sees the result finds them too.

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, Int32Builder, ListBuilder};
use arrow_array::{ArrayRef, Float32Array, Int32Array, Int64Array, ListArray, RecordBatch};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field};
use embedding::knn::Neighbours;
use serde_json::{Map, Value, json};

use super::failure::JobFailure;
use super::results;
use super::spec::JobSpec;
use super::steps::{Centroids, Made};
use crate::delta::write::{CommitInfo, check_replaceable, committed_by};
use crate::lake::Place;
use crate::query::Queries;

/// How many neighbours of a row there are where no layout says how many it looks at.
pub(super) const NEIGHBOURS: usize = 15;

/// Whether those tables could be written; `id` is the job's, whose own earlier attempt may have
/// left them.
pub(super) async fn check(
    queries: &Queries,
    spec: &JobSpec,
    id: Option<&str>,
) -> Result<(), JobFailure> {
    for (_, name) in spec.written().skip(1) {
        place(queries, name, spec.overwrite, id).await?;
    }
    Ok(())
}

/// Whether all of them are there.
pub(super) async fn are_there(queries: &Queries, spec: &JobSpec) -> bool {
    for (_, name) in spec.written().skip(1) {
        let place = queries.lakes().place(name, true).await;
        if !place.is_ok_and(|place| place.has_table) {
            return false;
        }
    }
    true
}

async fn place(
    queries: &Queries,
    name: &str,
    overwrite: bool,
    id: Option<&str>,
) -> Result<Place, JobFailure> {
    let at =
        async |overwrite| queries.lakes().place(name, overwrite).await.map_err(JobFailure::Into);
    let there = at(true).await?;
    let is_own = match id {
        Some(id) if there.has_table => committed_by(&there, id).await?.is_some(),
        _ => false,
    };
    let place = if is_own { there } else { at(overwrite).await? };
    check_replaceable(&place).await.map_err(JobFailure::Into)?;
    Ok(place)
}

/// Writes them, and says which they are. `beside` are the rows of the result, of which the first
/// `n_ids` columns say which row is which; `column` is that of the vectors.
pub(super) async fn write(
    queries: &Queries,
    spec: &JobSpec,
    id: &str,
    made: &[Made],
    beside: (&[RecordBatch], usize),
    column: &str,
    info: &CommitInfo,
) -> Result<Map<String, Value>, JobFailure> {
    let mut written = Map::new();
    if let Some(name) = &spec.centroids_into
        && let Some((at, centroids)) =
            made.iter().enumerate().find_map(|(at, made)| Some((at, made.centroids.as_ref()?)))
    {
        let step = spec.steps.get(at).map_or("cluster", |step| step.name.as_str());
        let (batch, vectors) = of_centroids(centroids, step).map_err(unexpected)?;
        let rows = batch.num_rows();
        let place = place(queries, name, spec.overwrite, Some(id)).await?;
        let columns = [(column.to_owned(), vectors)];
        let version = results::write(place, id, &[batch], &columns, info.clone()).await?;
        written
            .insert("centroids".into(), json!({"table": name, "version": version, "rows": rows}));
    }
    if let Some(name) = &spec.neighbours_into
        && let Some(found) = made.iter().find_map(|made| made.neighbours.as_ref())
    {
        let ids: Vec<usize> = (0..beside.1).collect();
        let ids = beside.0.iter().map(|batch| batch.project(&ids)).collect::<Result<Vec<_>, _>>();
        let place = place(queries, name, spec.overwrite, Some(id)).await?;
        let columns = of_neighbours(found);
        let ids = ids.map_err(unexpected)?;
        let version = results::write(place, id, &ids, &columns, info.clone()).await?;
        let rows = found.rows.len() / found.k.max(1);
        let told = json!({"table": name, "version": version, "rows": rows, "k": found.k});
        written.insert("neighbours".into(), told);
    }
    Ok(written)
}

fn unexpected(error: ArrowError) -> JobFailure {
    JobFailure::Ended(error.to_string())
}

/// Each cluster with how many rows it has; and the means of their vectors, as these were clustered.
fn of_centroids(centroids: &Centroids, name: &str) -> Result<(RecordBatch, ArrayRef), ArrowError> {
    let k = centroids.sizes.len();
    let clusters: ArrayRef = Arc::new(Int32Array::from_iter_values(0..k as i32));
    let sizes = centroids.sizes.iter().map(|size| size.cast_signed());
    let sizes: ArrayRef = Arc::new(Int64Array::from_iter_values(sizes));
    let d = centroids.rows.len() / k.max(1);
    let vectors = ListArray::try_new(
        Arc::new(Field::new("element", DataType::Float32, true)),
        OffsetBuffer::from_lengths(std::iter::repeat_n(d, k)),
        Arc::new(Float32Array::from(centroids.rows.clone())),
        None,
    )?;
    let batch = RecordBatch::try_from_iter([(name, clusters), ("size", sizes)])?;
    Ok((batch, Arc::new(vectors)))
}

/// Of each row the nearest others, by their places among the rows of the result, and how far they
/// are; the nearest first.
fn of_neighbours(found: &Neighbours) -> [(String, ArrayRef); 2] {
    let item = |data_type| Field::new("element", data_type, true);
    let mut rows = ListBuilder::new(Int32Builder::new()).with_field(item(DataType::Int32));
    let mut distances = ListBuilder::new(Float32Builder::new()).with_field(item(DataType::Float32));
    let k = found.k.max(1);
    for (near, far) in found.rows.chunks(k).zip(found.distances.chunks(k)) {
        near.iter().for_each(|row| rows.values().append_value(row.cast_signed()));
        rows.append(true);
        distances.values().append_slice(far);
        distances.append(true);
    }
    [
        ("neighbours".to_owned(), Arc::new(rows.finish())),
        ("distances".to_owned(), Arc::new(distances.finish())),
    ]
}
