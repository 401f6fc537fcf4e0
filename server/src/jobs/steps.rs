//! One step of a job: an algorithm on vectors, the columns that come of it, and what is measured.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float32Array, Int32Array, StringArray};
use embedding::rows::RowSource;
use embedding::watch::Watch;
use embedding::{kmeans, metrics, pca, umap};
use serde_json::{Map, Value, json};

use super::failure::JobFailure;
use super::spec::{Labels, Step, Work};

/// What a step made of all rows.
pub(super) struct Made {
    pub(super) columns: Vec<(String, ArrayRef)>,
    pub(super) metrics: Map<String, Value>,
}

/// Clusters whose sizes are told one by one.
const SIZES_MAX: usize = 1000;

/// Neighbours that a projection should have kept.
const NEIGHBOURS: usize = 15;

pub(super) fn run(
    step: &Step,
    vectors: &dyn RowSource,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Made, JobFailure> {
    let began = Instant::now();
    let fitted = || Value::from(began.elapsed().as_secs_f64());
    let made = match step.work {
        Work::KMeans { k, iterations_max, labels } => {
            let mut options = kmeans::Options::new(k, seed);
            options.max_iterations = iterations_max;
            options.threads = Some(threads);
            cluster(&step.name, vectors, &options, labels, watch)?
        }
        Work::Pca { dimensions } => {
            let pca = pca::fit(vectors, dimensions, Some(threads), watch)?;
            let projected = pca.project(vectors, Some(threads), watch)?;
            let fit_seconds = fitted();
            let mut made = projection(&step.name, vectors, &projected, seed, threads, watch)?;
            made.metrics.insert("fit_seconds".into(), fit_seconds);
            made.metrics.insert("explained_variance".into(), json!(pca.explained_variance));
            let ratio = json!(pca.explained_variance_ratio);
            made.metrics.insert("explained_variance_ratio".into(), ratio);
            made
        }
        Work::Umap { dimensions, neighbours, min_distance } => {
            let mut options = umap::Options::new(dimensions, seed);
            (options.neighbours, options.min_distance) = (neighbours, min_distance);
            options.threads = Some(threads);
            let points = umap::fit(vectors, &options, watch)?;
            let fit_seconds = fitted();
            let mut made = projection(&step.name, vectors, &points, seed, threads, watch)?;
            made.metrics.insert("fit_seconds".into(), fit_seconds);
            // Exact, as crate embedding has them.
            made.metrics.insert("neighbour_recall".into(), 1.0.into());
            made
        }
    };
    Ok(made)
}

fn cluster(
    name: &str,
    vectors: &dyn RowSource,
    options: &kmeans::Options,
    labels: Labels,
    watch: &dyn Watch,
) -> Result<Made, JobFailure> {
    let began = Instant::now();
    let found = kmeans::fit(vectors, options, watch)?;
    let fit_seconds = began.elapsed().as_secs_f64();
    let threads = options.threads.unwrap_or(1);
    let silhouette = metrics::silhouette(vectors, &found.labels, options.seed, threads, watch)?;
    let mut measured = Map::new();
    measured.insert("fit_seconds".into(), fit_seconds.into());
    measured.insert("k".into(), options.k.into());
    measured.insert("inertia".into(), found.inertia.into());
    measured.insert("iterations".into(), found.iterations.into());
    measured.insert("converged".into(), found.has_converged.into());
    measured.insert("silhouette".into(), silhouette.map_or(Value::Null, |s| s.mean.into()));
    let sample = silhouette.map_or(Value::Null, |s| s.rows.into());
    measured.insert("silhouette_rows".into(), sample);
    if found.sizes.len() <= SIZES_MAX {
        measured.insert("sizes".into(), json!(found.sizes));
    }
    let column: ArrayRef = match labels {
        Labels::Number => {
            let labels = found.labels.iter().map(|label| *label as i32);
            Arc::new(Int32Array::from_iter_values(labels))
        }
        Labels::Text => {
            let width = options.k.saturating_sub(1).max(1).ilog10() as usize + 1;
            let names: Vec<String> = (0..options.k).map(|k| format!("{k:0width$}")).collect();
            let names = found.labels.iter().map(|label| names.get(*label as usize));
            Arc::new(StringArray::from_iter(names))
        }
    };
    Ok(Made { columns: vec![(name.to_owned(), column)], metrics: measured })
}

fn projection(
    name: &str,
    vectors: &dyn RowSource,
    projected: &[f32],
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Made, JobFailure> {
    let dimensions = projected.len() / vectors.rows().max(1);
    let column = |at: usize| {
        let values = projected.iter().skip(at).step_by(dimensions.max(1)).copied();
        let values = Arc::new(Float32Array::from_iter_values(values)) as ArrayRef;
        (format!("{name}_{}", at + 1), values)
    };
    let trust = metrics::trustworthiness(vectors, projected, NEIGHBOURS, seed, threads, watch)?;
    let mut measured = Map::new();
    let known = trust.map_or(Value::Null, |trust| trust.value.into());
    measured.insert("trustworthiness".into(), known);
    if let Some(trust) = trust {
        measured.insert("trustworthiness_neighbours".into(), trust.neighbours.into());
        measured.insert("trustworthiness_rows".into(), trust.rows.into());
    }
    Ok(Made { columns: (0..dimensions).map(column).collect(), metrics: measured })
}
