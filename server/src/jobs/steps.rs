//! One step of a job: an algorithm on vectors, the columns that come of it, and what is measured.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float32Array, Int32Array, StringArray};
use embedding::rows::{Matrix, RowSource};
use embedding::watch::Watch;
use embedding::{hdbscan, kmeans, knn, metrics, pca, tsne, umap};
use engine::steps::{DISTANCE, Init, Labels, OUTLIER, PROBABILITY, Selection, Step, Work};
use serde_json::{Map, Value, json};

use super::device::{Chosen, Device};
use super::failure::JobFailure;
use super::load::Load;
use super::onto::Onto;
use super::spec::Backend;

/// What a step made of all rows.
#[derive(Default)]
pub(super) struct Made {
    pub(super) columns: Vec<(String, ArrayRef)>,
    pub(super) metrics: Map<String, Value>,
    /// Of a projection, n × dimensions: what a later step may cluster.
    points: Vec<f32>,
    /// Of k-means.
    pub(super) centroids: Option<Centroids>,
    /// Of a layout that began with them.
    pub(super) neighbours: Option<knn::Neighbours>,
    /// What computed it, where somebody asked for a device.
    pub(super) device: Device,
}

/// Means of clusters.
pub(super) struct Centroids {
    /// k × d.
    pub(super) rows: Vec<f32>,
    pub(super) sizes: Vec<u64>,
}

/// Clusters whose sizes are told one by one.
const SIZES_MAX: usize = 1000;

/// Neighbours that a projection should have kept.
const NEIGHBOURS: usize = 15;

/// A step, and what it works on.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) step: &'a Step,
    pub(super) vectors: &'a dyn RowSource,
    pub(super) seed: u64,
    pub(super) threads: usize,
    pub(super) backend: Backend,
    /// Whether neighbours are wanted that are found on the way.
    pub(super) has_neighbours: bool,
    /// The map that rows are placed on.
    pub(super) onto: Option<&'a Onto>,
}

impl Task<'_> {
    /// `made` are what the first of all steps made, which come before this one.
    pub(super) fn run(
        self,
        all: &[Step],
        made: &[Made],
        watch: &dyn Watch,
    ) -> Result<Made, JobFailure> {
        let Self { step, vectors, .. } = self;
        match &step.work {
            Work::KMeans { .. } => self.cluster(watch),
            Work::Hdbscan { of: None, .. } => self.density(vectors, watch),
            Work::Hdbscan { of: Some(of), .. } => {
                let mut before = all.iter().zip(made).filter(|(step, _)| step.name == *of);
                let missing = || JobFailure::Ended(format!("no step before made {of:?}"));
                let (_, before) = before.next().ok_or_else(missing)?;
                let dimensions = before.columns.len();
                self.density(&Matrix::new(&before.points, dimensions)?, watch)
            }
            Work::Pca { .. } | Work::Umap { .. } | Work::Tsne { .. } => self.project(watch),
        }
    }

    fn project(self, watch: &dyn Watch) -> Result<Made, JobFailure> {
        let Self { step, vectors, seed, threads, .. } = self;
        let began = Instant::now();
        let mut own = Map::new();
        let mut found = None;
        let mut chosen = self.device();
        let points = match step.work {
            Work::Umap { dimensions, neighbours, min_distance, init } => {
                let mut options = umap::Options::new(dimensions, seed);
                (options.neighbours, options.min_distance) = (neighbours, min_distance);
                options.threads = Some(threads);
                if init == Init::Spectral {
                    options.init = umap::Init::Spectral;
                }
                if let Some(onto) = self.onto {
                    return self.place(onto, options, watch);
                }
                let laid_out = self.lay_out(&options, &mut chosen, &mut own, watch)?;
                found = laid_out.1;
                laid_out.0
            }
            Work::Tsne { dimensions, perplexity } => {
                let mut options = tsne::Options::new(dimensions, seed);
                (options.perplexity, options.threads) = (perplexity, Some(threads));
                let find = |k: usize| {
                    let began = Instant::now();
                    let near = self.nearest(k, &mut chosen, watch);
                    own.insert("neighbours_seconds".into(), began.elapsed().as_secs_f64().into());
                    near
                };
                let layout = tsne::fit_by(vectors, &options, find, watch)?;
                own.insert("kl_divergence".into(), layout.kl.into());
                own.insert("perplexity".into(), layout.perplexity.into());
                own.insert("neighbour_recall".into(), layout.neighbour_recall.into());
                layout.points
            }
            _ => {
                let dimensions = step.columns().len();
                let pca = match &chosen.gpu {
                    Some(gpu) => {
                        let made = cuda::pca::fit(gpu, vectors, dimensions, Some(threads), watch)?;
                        chosen.take(made)
                    }
                    None => pca::fit(vectors, dimensions, Some(threads), watch)?,
                };
                own.insert("explained_variance".into(), json!(pca.explained_variance));
                let ratio = json!(pca.explained_variance_ratio);
                own.insert("explained_variance_ratio".into(), ratio);
                pca.project(vectors, Some(threads), watch)?
            }
        };
        own.insert("fit_seconds".into(), began.elapsed().as_secs_f64().into());
        let mut made = self.projection(points, watch)?;
        made.metrics.append(&mut own);
        made.neighbours = found;
        made.device = chosen.device;
        Ok(made)
    }

    /// Who computes what a device could.
    fn device(&self) -> Chosen {
        let (n, d) = (self.vectors.rows() as f64, self.vectors.dimensions() as f64);
        let map_rows = self.onto.map(|onto| onto.vectors.rows() as f64);
        let load = Load { n, d, threads: self.threads as f64, map_rows };
        Chosen::new(self.backend, self.step, load)
    }

    /// Points, and their neighbours where these are wanted.
    fn lay_out(
        &self,
        options: &umap::Options,
        chosen: &mut Chosen,
        own: &mut Map<String, Value>,
        watch: &dyn Watch,
    ) -> Result<(Vec<f32>, Option<knn::Neighbours>), JobFailure> {
        let Self { vectors, .. } = *self;
        let (wanted, mut found) = (options.found_of(vectors.rows()), None);
        let layout = if wanted == 0 {
            umap::fit(vectors, options, watch)?
        } else {
            let began = Instant::now();
            let near = self.nearest(wanted, chosen, watch)?;
            own.insert("neighbours_seconds".into(), began.elapsed().as_secs_f64().into());
            found = self.has_neighbours.then(|| near.neighbours.clone());
            match &chosen.gpu {
                Some(gpu) => {
                    let made = cuda::umap::fit_among(gpu, vectors, options, near, watch)?;
                    chosen.take(made)
                }
                None => umap::fit_among(vectors, options, near, watch)?,
            }
        };
        own.insert("neighbour_recall".into(), layout.neighbour_recall.into());
        own.insert("begun".into(), begun(layout.begun));
        Ok((layout.points, found))
    }

    /// The k nearest others of each row.
    fn nearest(
        &self,
        k: usize,
        chosen: &mut Chosen,
        watch: &dyn Watch,
    ) -> Result<knn::Found, embedding::Error> {
        let Self { vectors, seed, threads, .. } = *self;
        match &chosen.gpu {
            Some(gpu) => {
                let made = cuda::neighbours::nearest(gpu, vectors, k, Some(threads), seed, watch)?;
                Ok(chosen.take(made))
            }
            None => knn::nearest(vectors, k, Some(threads), seed, watch),
        }
    }

    /// Rows placed on a map that there is.
    fn place(
        self,
        onto: &Onto,
        options: umap::Options,
        watch: &dyn Watch,
    ) -> Result<Made, JobFailure> {
        let began = Instant::now();
        let map = umap::Model::new(&onto.vectors, &onto.points, options)?;
        let points = map.place(self.vectors, watch)?;
        let fit_seconds = began.elapsed().as_secs_f64();
        let mut made = self.projection(points, watch)?;
        made.metrics.insert("fit_seconds".into(), fit_seconds.into());
        made.metrics.insert("placed_among".into(), onto.vectors.rows().into());
        Ok(made)
    }

    fn cluster(self, watch: &dyn Watch) -> Result<Made, JobFailure> {
        let Self { step, vectors, seed, threads, .. } = self;
        let began = Instant::now();
        let (found, device) = self.means(watch)?;
        let k = found.sizes.len();
        let fit_seconds = began.elapsed().as_secs_f64();
        let silhouettes = metrics::silhouettes(vectors, &found.labels, seed, threads, watch)?;
        let mut measured = Map::new();
        measured.insert("fit_seconds".into(), fit_seconds.into());
        measured.insert("k".into(), k.into());
        measured.insert("inertia".into(), found.inertia.into());
        measured.insert("iterations".into(), found.iterations.into());
        measured.insert("converged".into(), found.has_converged.into());
        tell_silhouette(&mut measured, silhouettes.as_ref().map(|found| found.all));
        let apart = metrics::dispersion(vectors, &found.centroids, &found.labels, threads, watch)?;
        measured.insert("calinski_harabasz".into(), json!(apart.calinski_harabasz));
        measured.insert("davies_bouldin".into(), json!(apart.davies_bouldin));
        if found.sizes.len() <= SIZES_MAX {
            measured.insert("sizes".into(), json!(found.sizes));
            let each = silhouettes.map(|found| found.clusters);
            let each = each.map(|each| each.iter().map(|one| one.map(|one| one.mean)).collect());
            let each: Option<Vec<Option<f64>>> = each;
            measured.insert("silhouettes".into(), json!(each));
        }
        let labels = found.labels.iter().map(|label| *label as i32);
        let mut columns = vec![(step.name.clone(), self.labels(labels, k))];
        if let Work::KMeans { has_distances: true, .. } = step.work {
            let distances =
                metrics::distances(vectors, &found.centroids, &found.labels, threads, watch)?;
            columns.push((step.beside(DISTANCE), floats(distances)));
        }
        let centroids = Some(Centroids { rows: found.centroids, sizes: found.sizes });
        Ok(Made { columns, metrics: measured, centroids, device, ..Made::default() })
    }

    /// The same to the bit by either.
    fn means(self, watch: &dyn Watch) -> Result<(kmeans::Clustering, Device), JobFailure> {
        let Self { step, vectors, seed, threads, .. } = self;
        let Work::KMeans { k, iterations_max, has_batches, .. } = step.work else {
            return Err(JobFailure::Ended("the step is no k-means".to_owned()));
        };
        if has_batches {
            let mut options = kmeans::Batches::new(k, seed);
            options.threads = Some(threads);
            return Ok((kmeans::fit_batches(vectors, &options, watch)?, Device::Unasked));
        }
        let mut options = kmeans::Options::new(k, seed);
        (options.max_iterations, options.threads) = (iterations_max, Some(threads));
        let mut chosen = self.device();
        let found = match &chosen.gpu {
            Some(gpu) => {
                let found = cuda::kmeans::fit(gpu, vectors, &options, watch)?;
                chosen.note(found.fell_back);
                found.clustering
            }
            None => kmeans::fit(vectors, &options, watch)?,
        };
        Ok((found, chosen.device))
    }

    /// HDBSCAN, of the vectors or of a projection of them.
    fn density(self, rows: &dyn RowSource, watch: &dyn Watch) -> Result<Made, JobFailure> {
        let Self { step, seed, threads, .. } = self;
        let Work::Hdbscan { min_cluster_size, min_samples, selection, has_graph, .. } = step.work
        else {
            return Err(JobFailure::Ended("the step is no HDBSCAN".to_owned()));
        };
        let mut options = hdbscan::Options::new(min_cluster_size);
        (options.min_samples, options.threads) = (Some(min_samples), Some(threads));
        options.selection = match selection {
            Selection::Eom => hdbscan::Selection::ExcessOfMass,
            Selection::Leaf => hdbscan::Selection::Leaf,
        };
        let began = Instant::now();
        let (mut chosen, mut measured) = (self.device(), Map::new());
        let found = if has_graph && rows.rows() > 1 {
            let k = hdbscan::graph_neighbours(min_samples, rows.rows());
            let near = self.nearest(k, &mut chosen, watch)?;
            measured.insert("neighbour_recall".into(), near.recall.into());
            hdbscan::fit_graph(&near.neighbours, &options, watch)?
        } else {
            hdbscan::fit(rows, &options, watch)?
        };
        let fit_seconds = began.elapsed().as_secs_f64();
        let noise = found.labels.iter().filter(|label| **label == hdbscan::NOISE).count();
        measured.insert("fit_seconds".into(), fit_seconds.into());
        measured.insert("clusters".into(), found.clusters.len().into());
        measured.insert("noise".into(), noise.into());
        let of_clusters = silhouette_of_clusters(rows, &found.labels, seed, threads, watch)?;
        tell_silhouette(&mut measured, of_clusters);
        if found.clusters.len() <= SIZES_MAX {
            let sizes: Vec<u64> = found.clusters.iter().map(|cluster| cluster.size).collect();
            measured.insert("sizes".into(), json!(sizes));
            let lasting = found.clusters.iter().map(|cluster| cluster.persistence);
            measured.insert("persistence".into(), lasting.collect());
        }
        let labels = self.labels(found.labels.iter().copied(), found.clusters.len());
        let columns = vec![
            (step.name.clone(), labels),
            (step.beside(PROBABILITY), floats(found.probabilities)),
            (step.beside(OUTLIER), floats(found.outlier_scores)),
        ];
        Ok(Made { columns, metrics: measured, device: chosen.device, ..Made::default() })
    }

    /// Clusters by number or by name; what is below 0 is in none.
    fn labels(self, found: impl Iterator<Item = i32>, k: usize) -> ArrayRef {
        let labels = match self.step.work {
            Work::KMeans { labels, .. } | Work::Hdbscan { labels, .. } => labels,
            _ => Labels::Number,
        };
        match labels {
            Labels::Number => Arc::new(Int32Array::from_iter_values(found)),
            Labels::Text => {
                let width = k.saturating_sub(1).max(1).ilog10() as usize + 1;
                let names: Vec<String> = (0..k).map(|k| format!("{k:0width$}")).collect();
                let name = |label: i32| {
                    usize::try_from(label)
                        .ok()
                        .and_then(|label| names.get(label))
                        .map_or(NOISE, |n| n)
                };
                Arc::new(StringArray::from_iter_values(found.map(name)))
            }
        }
    }

    fn projection(self, points: Vec<f32>, watch: &dyn Watch) -> Result<Made, JobFailure> {
        let Self { step, vectors, seed, threads, .. } = self;
        let names = step.columns();
        let dimensions = names.len().max(1);
        let column = |(at, (name, _)): (usize, (String, _))| {
            let values = points.iter().skip(at).step_by(dimensions).copied();
            (name, floats(values.collect()))
        };
        let columns = names.into_iter().enumerate().map(column).collect();
        let kept = metrics::neighbourhoods(vectors, &points, NEIGHBOURS, seed, threads, watch)?;
        let mut measured = Map::new();
        let mut tell = |name: &str, value: Value| drop(measured.insert(name.to_owned(), value));
        tell("trustworthiness", json!(kept.map(|kept| kept.trustworthiness)));
        if let Some(kept) = kept {
            tell("continuity", kept.continuity.into());
            tell("neighbours_kept", kept.preservation.into());
            tell("trustworthiness_neighbours", kept.neighbours.into());
            tell("trustworthiness_rows", kept.rows.into());
        }
        let far = metrics::correlation(vectors, &points, seed, threads, watch)?;
        tell("distance_correlation", json!(far.map(|far| far.value)));
        Ok(Made { columns, metrics: measured, points, ..Made::default() })
    }
}

/// Where a layout began, in words.
fn begun(begun: umap::Begun) -> Value {
    let text = match begun {
        umap::Begun::Spectral { .. } => "spectral",
        umap::Begun::Pca(umap::Why::Asked) => "pca",
        umap::Begun::Pca(umap::Why::Few) => "pca: too few rows for eigenvectors",
        umap::Begun::Pca(umap::Why::Parts) => "pca: the graph of neighbours has too many parts",
        umap::Begun::Pca(umap::Why::NotFound) => "pca: eigenvectors were not found in time",
        umap::Begun::Given => "given",
    };
    text.into()
}

/// What rows in no cluster are called.
const NOISE: &str = "noise";

fn floats(values: Vec<f32>) -> ArrayRef {
    Arc::new(Float32Array::from(values))
}

fn tell_silhouette(measured: &mut Map<String, Value>, found: Option<metrics::Silhouette>) {
    let mean = found.as_ref().map_or(Value::Null, |found| found.mean.into());
    measured.insert("silhouette".into(), mean);
    let rows = found.map_or(Value::Null, |found| found.rows.into());
    measured.insert("silhouette_rows".into(), rows);
}

/// Rows in clusters that are looked at for a silhouette, of which it draws its own.
const SILHOUETTE_ROWS: usize = 50_000;

/// Of the rows that are in a cluster: noise is none. Of many, each so many is looked at.
fn silhouette_of_clusters(
    rows: &dyn RowSource,
    labels: &[i32],
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<metrics::Silhouette>, JobFailure> {
    let mut values = Vec::new();
    let mut own = Vec::new();
    let clustered = labels.iter().filter(|label| **label >= 0).count();
    let step = clustered.div_ceil(SILHOUETTE_ROWS).max(1);
    let mut nth = 0;
    for block in 0..rows.n_blocks() {
        if watch.is_cancelled() {
            return Err(embedding::Error::Cancelled.into());
        }
        let read = rows.block(block)?;
        let labels = labels.get(rows.block_rows(block)).unwrap_or_default();
        for (row, label) in read.chunks_exact(rows.dimensions()).zip(labels) {
            if let Ok(label) = u32::try_from(*label) {
                if nth % step == 0 {
                    values.extend_from_slice(row);
                    own.push(label);
                }
                nth += 1;
            }
        }
    }
    if own.is_empty() {
        return Ok(None);
    }
    let rows = Matrix::new(&values, rows.dimensions())?;
    Ok(metrics::silhouette(&rows, &own, seed, threads, watch)?)
}
