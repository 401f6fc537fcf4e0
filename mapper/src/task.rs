//! One step of a request: an algorithm on vectors, the columns that come of it, and what is
//! measured; by the same names and measures as the companion's jobs.

use app::mapping::{Column, Metrics};
use embedding::rows::{Matrix, RowSource};
use embedding::watch::{Phase, Watch};
use embedding::{Error, hdbscan, kmeans, knn, metrics, tsne, umap};
use engine::steps::{Init, Selection, Step, Work};

use crate::device::{Backend, Device};
use crate::run::{Array, Desk};
use crate::take::Taken;

/// What a step made.
#[derive(Debug, Default)]
pub struct Made {
    pub arrays: Vec<(Column, Array)>,
    pub metrics: Metrics,
    /// Of a projection, of the rows that have vectors: what a later step may cluster.
    points: Vec<f32>,
    pub backend: Backend,
}

/// The browser gives a worker one.
pub(crate) const THREADS: usize = 1;
/// Clusters whose sizes are told one by one.
const SIZES_MAX: usize = 1000;
/// Neighbours that a projection should have kept.
const NEIGHBOURS: usize = 15;

/// A step, and what it works on.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    pub step: &'a Step,
    pub rows: &'a Matrix<'a>,
    pub taken: &'a Taken,
    pub seed: u64,
    /// Labels and points alone: nothing is measured.
    pub is_rough: bool,
    pub device: &'a Device,
    pub desk: &'a dyn Desk,
}

impl Task<'_> {
    /// `made` are what the first of all steps made, which come before this one.
    ///
    /// # Errors
    /// What the algorithm says.
    pub async fn run(self, all: &[Step], made: &[Made], watch: &dyn Watch) -> Result<Made, Error> {
        match &self.step.work {
            Work::KMeans { has_distances, .. } => self.cluster(*has_distances, watch).await,
            Work::Hdbscan { min_cluster_size, min_samples, selection, of, has_graph, .. } => {
                let mut options = hdbscan::Options::new(*min_cluster_size);
                (options.min_samples, options.threads) = (Some(*min_samples), Some(THREADS));
                options.selection = match selection {
                    Selection::Eom => hdbscan::Selection::ExcessOfMass,
                    Selection::Leaf => hdbscan::Selection::Leaf,
                };
                let rows = self.rows;
                let Some(of) = of else {
                    return self.density(rows, watch, || match *has_graph && rows.rows() > 1 {
                        false => hdbscan::fit(rows, &options, watch),
                        true => self.by_graph(*min_samples, &options, watch),
                    });
                };
                let before = all.iter().zip(made).find(|(step, _)| step.name == *of);
                let (step, before) = before.ok_or_else(|| missing(of))?;
                let dimensions = step.work.dimensions().ok_or_else(|| missing(of))?;
                let points = Matrix::new(&before.points, dimensions)?;
                self.density(&points, watch, || hdbscan::fit(&points, &options, watch))
            }
            Work::Pca { dimensions } => self.components(*dimensions, watch).await,
            Work::Umap { dimensions, neighbours, min_distance, init } => {
                let mut options = umap::Options::new(*dimensions, self.seed);
                (options.neighbours, options.min_distance) = (*neighbours, *min_distance);
                options.threads = Some(THREADS);
                if *init == Init::Spectral {
                    options.init = umap::Init::Spectral;
                }
                let began = self.desk.now_millis();
                let (layout, backend) = self.device.umap(self.rows, &options, watch).await?;
                let fit_seconds = (self.desk.now_millis() - began) / 1000.0;
                let neighbour_recall = Some(layout.neighbour_recall);
                let metrics = Metrics { fit_seconds, neighbour_recall, ..Metrics::default() };
                let made = self.projection(layout.points, *dimensions, metrics, watch)?;
                Ok(Made { backend, ..made })
            }
            Work::Tsne { dimensions, perplexity } => {
                let mut options = tsne::Options::new(*dimensions, self.seed);
                (options.perplexity, options.threads) = (*perplexity, Some(THREADS));
                let fit = || tsne::fit(self.rows, &options, watch);
                let (layout, fit_seconds) = self.timed(fit)?;
                let metrics = Metrics {
                    fit_seconds,
                    kl_divergence: Some(layout.kl),
                    perplexity: Some(layout.perplexity),
                    neighbour_recall: Some(layout.neighbour_recall),
                    ..Metrics::default()
                };
                self.projection(layout.points, *dimensions, metrics, watch)
            }
        }
    }

    fn timed<T>(&self, fit: impl FnOnce() -> Result<T, Error>) -> Result<(T, f64), Error> {
        let began = self.desk.now_millis();
        let found = fit()?;
        Ok((found, (self.desk.now_millis() - began) / 1000.0))
    }

    async fn components(self, dimensions: usize, watch: &dyn Watch) -> Result<Made, Error> {
        let began = self.desk.now_millis();
        let (pca, backend) = self.device.pca(self.rows, dimensions, watch).await?;
        let points = pca.project(self.rows, Some(THREADS), watch)?;
        let fit_seconds = (self.desk.now_millis() - began) / 1000.0;
        let metrics = Metrics {
            fit_seconds,
            explained_variance: Some(pca.explained_variance),
            explained_variance_ratio: Some(pca.explained_variance_ratio),
            ..Metrics::default()
        };
        let made = self.projection(points, dimensions, metrics, watch)?;
        Ok(Made { backend, ..made })
    }

    fn projection(
        self,
        points: Vec<f32>,
        dimensions: usize,
        metrics: Metrics,
        watch: &dyn Watch,
    ) -> Result<Made, Error> {
        let column = Array::Floats(self.taken.floats(&points, dimensions));
        let arrays = vec![(Column::Points { dimensions }, column)];
        if self.is_rough {
            return Ok(Made { arrays, metrics, points, ..Made::default() });
        }
        watch.progress(Phase::Measures, 0, 1);
        let (rows, seed) = (self.rows, self.seed);
        let trust = metrics::trustworthiness(rows, &points, NEIGHBOURS, seed, THREADS, watch)?;
        let metrics = Metrics {
            trustworthiness: trust.map(|trust| trust.value),
            trustworthiness_neighbours: trust.map(|trust| trust.neighbours),
            trustworthiness_rows: trust.map(|trust| trust.rows),
            ..metrics
        };
        Ok(Made { arrays, metrics, points, ..Made::default() })
    }

    /// K-means as the step says.
    async fn means(self, watch: &dyn Watch) -> Result<(kmeans::Clustering, Backend), Error> {
        let Work::KMeans { k, iterations_max, has_batches, .. } = self.step.work else {
            return Err(Error::Source("the step is no k-means".to_owned()));
        };
        if has_batches {
            let mut options = kmeans::Batches::new(k, self.seed);
            options.threads = Some(THREADS);
            return Ok((kmeans::fit_batches(self.rows, &options, watch)?, Backend::default()));
        }
        let mut options = kmeans::Options::new(k, self.seed);
        (options.max_iterations, options.threads) = (iterations_max, Some(THREADS));
        self.device.kmeans(self.rows, &options, watch).await
    }

    async fn cluster(self, has_distances: bool, watch: &dyn Watch) -> Result<Made, Error> {
        let (rows, taken) = (self.rows, self.taken);
        let began = self.desk.now_millis();
        let (found, backend) = self.means(watch).await?;
        let k = found.sizes.len();
        let fit_seconds = (self.desk.now_millis() - began) / 1000.0;
        let labels = found.labels.iter().map(|label| *label as i32);
        let mut arrays = vec![(Column::Labels, Array::Labels(taken.labels(labels)))];
        let metrics = Metrics {
            fit_seconds,
            k: Some(k),
            inertia: Some(found.inertia),
            iterations: Some(found.iterations),
            converged: Some(found.has_converged),
            sizes: few(found.sizes),
            ..Metrics::default()
        };
        if self.is_rough {
            return Ok(Made { arrays, metrics, backend, ..Made::default() });
        }
        let (centroids, labels) = (&found.centroids, &found.labels);
        if has_distances {
            let distances = metrics::distances(rows, centroids, labels, THREADS, watch)?;
            arrays.push((Column::Distances, Array::Floats(taken.floats(&distances, 1))));
        }
        let silhouette = metrics::silhouette(rows, labels, self.seed, THREADS, watch)?;
        let apart = metrics::dispersion(rows, centroids, labels, THREADS, watch)?;
        let metrics = Metrics {
            silhouette: silhouette.map(|found| found.mean),
            silhouette_rows: silhouette.map(|found| found.rows),
            calinski_harabasz: apart.calinski_harabasz,
            davies_bouldin: apart.davies_bouldin,
            ..metrics
        };
        Ok(Made { arrays, metrics, backend, ..Made::default() })
    }

    /// HDBSCAN by the nearest neighbours of each row.
    fn by_graph(
        self,
        min_samples: usize,
        options: &hdbscan::Options,
        watch: &dyn Watch,
    ) -> Result<hdbscan::Clustering, Error> {
        let k = hdbscan::graph_neighbours(min_samples, self.rows.rows());
        let near = knn::nearest(self.rows, k, Some(THREADS), self.seed, watch)?;
        hdbscan::fit_graph(&near.neighbours, options, watch)
    }

    /// HDBSCAN, of the vectors or of a projection of them.
    fn density(
        self,
        rows: &Matrix<'_>,
        watch: &dyn Watch,
        fit: impl FnOnce() -> Result<hdbscan::Clustering, Error>,
    ) -> Result<Made, Error> {
        let taken = self.taken;
        let (found, fit_seconds) = self.timed(fit)?;
        watch.progress(Phase::Measures, 0, 1);
        let noise = found.labels.iter().filter(|label| **label == hdbscan::NOISE).count();
        let silhouette = match self.is_rough {
            true => None,
            false => silhouette_of_clusters(rows, &found.labels, self.seed, watch)?,
        };
        let sizes = found.clusters.iter().map(|cluster| cluster.size).collect();
        let lasting = found.clusters.iter().map(|cluster| cluster.persistence).collect();
        let metrics = Metrics {
            fit_seconds,
            clusters: Some(found.clusters.len()),
            noise: Some(noise),
            silhouette: silhouette.map(|found| found.mean),
            silhouette_rows: silhouette.map(|found| found.rows),
            sizes: few(sizes),
            persistence: few(lasting),
            ..Metrics::default()
        };
        let floats = |own: &[f32]| Array::Floats(taken.floats(own, 1));
        let arrays = vec![
            (Column::Labels, Array::Labels(taken.labels(found.labels.iter().copied()))),
            (Column::Probabilities, floats(&found.probabilities)),
            (Column::OutlierScores, floats(&found.outlier_scores)),
        ];
        Ok(Made { arrays, metrics, ..Made::default() })
    }
}

fn missing(of: &str) -> Error {
    Error::Source(format!("no step before made {of:?}"))
}

fn few<T>(of_clusters: Vec<T>) -> Option<Vec<T>> {
    (of_clusters.len() <= SIZES_MAX).then_some(of_clusters)
}

/// Rows in clusters that are looked at for a silhouette, of which it draws its own.
const SILHOUETTE_ROWS: usize = 50_000;

/// Of the rows that are in a cluster: noise is none. Of many, each so many is looked at.
fn silhouette_of_clusters(
    rows: &Matrix<'_>,
    labels: &[i32],
    seed: u64,
    watch: &dyn Watch,
) -> Result<Option<metrics::Silhouette>, Error> {
    let clustered = labels.iter().filter(|label| **label >= 0).count();
    let step = clustered.div_ceil(SILHOUETTE_ROWS).max(1);
    let numbered = labels.iter().enumerate();
    let own = numbered.filter_map(|(row, label)| Some((row, u32::try_from(*label).ok()?)));
    let (numbers, own): (Vec<usize>, Vec<u32>) = own.step_by(step).unzip();
    if own.is_empty() {
        return Ok(None);
    }
    let mut values = Vec::with_capacity(own.len() * rows.dimensions());
    for row in numbers {
        values.extend(rows.row(row)?);
    }
    let rows = Matrix::new(&values, rows.dimensions())?;
    metrics::silhouette(&rows, &own, seed, THREADS, watch)
}
