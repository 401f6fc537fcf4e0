//! The rows whose vectors are nearest to that of one row: all of them measured, none guessed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::ArrowError;
use engine::error::{QueryError, QueryErrorKind};
use engine::predicate::Predicate;
use engine::query::Query;

use super::failure::QueryFailure;
use super::vectors::{Lists, vector_column};
use super::{Queries, pin};
use crate::lake::Snapshot;
use crate::scan::ROW_COLUMN;

/// What is far from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// One less the cosine of the angle between two vectors: 0 to 2.
    Cosine,
    Euclidean,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct NeighboursRequest {
    /// Guessed where none is named.
    pub column: Option<String>,
    /// The number of the row whose neighbours are wanted.
    pub row: u64,
    pub count: usize,
    pub distance: Distance,
    /// Which rows may be neighbours.
    pub filters: Predicate,
}

/// A row and how far it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    pub row: u64,
    pub distance: f64,
}

/// The nearest first; of those as far the first row.
#[derive(Debug)]
pub struct Neighbours {
    pub column: String,
    pub neighbours: Vec<Neighbour>,
    /// Rows that have no vector, a number that is not finite, or with [`Distance::Cosine`] no
    /// direction.
    pub left_out: u64,
}

impl Queries {
    /// Reads the whole column once.
    pub async fn neighbours(
        &self,
        snapshot: Arc<Snapshot>,
        request: NeighboursRequest,
    ) -> Result<Neighbours, QueryFailure> {
        let table = snapshot.table().to_owned();
        let column = vector_column(snapshot.schema(), &table, request.column.as_deref())?;
        let one = Query {
            columns: Some(vec![column.clone()]),
            offset: request.row,
            limit: Some(1),
            ..Query::of_table(&table)
        };
        let one = self.collect(vec![pin(one, Arc::clone(&snapshot))?], None).await;
        let one = one.map_err(|(_, failure)| failure)?;
        let batches = one.iter().flat_map(|answer| &answer.batches);
        let from = vector_of(batches, &request, &column)?;
        let all = Query {
            columns: Some(vec![ROW_COLUMN.to_owned(), column.clone()]),
            filters: request.filters.clone(),
            ..Query::of_table(&table)
        };
        let nearest = Nearest::new(from, &request, column);
        let limit = self.limits.time;
        let turn = self.admission.turn().await?;
        let found = self.fold(pin(all, snapshot)?, nearest, Nearest::take);
        let found = tokio::time::timeout(limit, found).await;
        drop(turn);
        Ok(found.unwrap_or(Err(QueryFailure::TimedOut { limit }))??.finish())
    }
}

fn vector_of<'a>(
    mut batches: impl Iterator<Item = &'a RecordBatch>,
    request: &NeighboursRequest,
    column: &str,
) -> Result<Vec<f32>, QueryFailure> {
    let row = request.row;
    let refused = |detail: String| QueryError::new("row", QueryErrorKind::Unsupported { detail });
    let batch = batches
        .find(|batch| batch.num_rows() > 0)
        .ok_or_else(|| refused(format!("there is no row {row}")))?;
    let lists = Lists::new(batch.column(0))?;
    let vector = lists.vector(0).filter(|vector| !vector.is_empty());
    let vector = vector.ok_or_else(|| refused(format!("row {row} has no vector in {column:?}")))?;
    let is_finite = vector.iter().all(|x| x.is_finite());
    if !is_finite || request.distance == Distance::Cosine && squared(vector) == 0.0 {
        let what = if is_finite { "is zero, which has no direction" } else { "is not finite" };
        return Err(refused(format!("the vector of row {row} in {column:?} {what}")).into());
    }
    Ok(vector.to_vec())
}

/// The nearest rows so far.
struct Nearest {
    from: Vec<f32>,
    from_squared: f64,
    row: u64,
    count: usize,
    distance: Distance,
    column: String,
    /// The farthest of them first.
    found: BinaryHeap<Candidate>,
    left_out: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate(Neighbour);

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.0, other.0);
        a.distance.total_cmp(&b.distance).then(a.row.cmp(&b.row))
    }
}

impl Nearest {
    fn new(from: Vec<f32>, request: &NeighboursRequest, column: String) -> Self {
        let NeighboursRequest { row, count, distance, .. } = *request;
        let from_squared = squared(&from);
        let found = BinaryHeap::with_capacity(count + 1);
        Self { from, from_squared, row, count, distance, column, found, left_out: 0 }
    }

    /// A batch of row numbers and vectors.
    fn take(&mut self, batch: &RecordBatch) -> Result<(), QueryFailure> {
        let rows = batch.column(0).as_primitive_opt::<Int64Type>().ok_or_else(|| {
            ArrowError::CastError("the numbers of rows are no whole numbers".to_owned())
        })?;
        let lists = Lists::new(batch.column(1))?;
        for at in 0..batch.num_rows() {
            let row = rows.value(at).unsigned_abs();
            if row == self.row {
                continue;
            }
            let vector = lists.vector(at).filter(|vector| !vector.is_empty());
            if let Some(vector) = vector.filter(|vector| vector.len() != self.from.len()) {
                let (column, has, wanted) = (&self.column, vector.len(), self.from.len());
                let detail = format!(
                    "{column:?} has vectors of different lengths: that of row {row} has {has} numbers, that of row {} has {wanted}",
                    self.row
                );
                let kind = QueryErrorKind::Unsupported { detail };
                return Err(QueryError::new("column", kind).into());
            }
            match vector.and_then(|vector| self.distance_to(vector)) {
                Some(distance) => self.put(Candidate(Neighbour { row, distance })),
                None => self.left_out += 1,
            }
        }
        Ok(())
    }

    fn put(&mut self, candidate: Candidate) {
        if self.found.len() < self.count {
            self.found.push(candidate);
        } else if let Some(mut farthest) = self.found.peek_mut()
            && candidate < *farthest
        {
            *farthest = candidate;
        }
    }

    /// None where it is no number.
    fn distance_to(&self, vector: &[f32]) -> Option<f64> {
        let distance = match self.distance {
            Distance::Euclidean => squared_between(&self.from, vector).sqrt(),
            // No length, no direction: 0 / 0.
            Distance::Cosine => {
                1.0 - dot(&self.from, vector) / (self.from_squared * squared(vector)).sqrt()
            }
        };
        // Rounding may lead a little below zero.
        distance.is_finite().then(|| distance.max(0.0))
    }

    fn finish(self) -> Neighbours {
        let neighbours = self.found.into_sorted_vec().into_iter().map(|found| found.0);
        let neighbours = neighbours.collect();
        Neighbours { column: self.column, neighbours, left_out: self.left_out }
    }
}

/// Sums in so many lanes, in 64 bits.
const LANES: usize = 8;

fn sum(a: &[f32], b: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (chunks, others) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = std::iter::zip(chunks.remainder(), others.remainder())
        .map(|(x, y)| term(f64::from(*x), f64::from(*y)))
        .sum();
    for (xs, ys) in std::iter::zip(chunks, others) {
        for ((lane, x), y) in lanes.iter_mut().zip(xs).zip(ys) {
            *lane += term(f64::from(*x), f64::from(*y));
        }
    }
    lanes.iter().sum::<f64>() + rest
}

fn squared(a: &[f32]) -> f64 {
    sum(a, a, |x, y| x * y)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    sum(a, b, |x, y| x * y)
}

fn squared_between(a: &[f32], b: &[f32]) -> f64 {
    sum(a, b, |x, y| (x - y) * (x - y))
}
