//! What steps of a job take, from rates that were measured: seconds of the cores, bytes, and what a
//! device would have to do instead.

use cuda::cost::{self, Work as DeviceWork};
use engine::steps::{Init, Step, Work};

/// Multiplications and additions in a second by one thread with AVX-512: where many rows are
/// multiplied with many, and where each is with a few.
const PRODUCTS: f64 = 90e9;
const DISTANCES: f64 = 20e9;
/// Iterations of k-means that most data take.
const ITERATIONS: f64 = 25.0;
/// Rows that begin k-means, and that are measured afterwards.
const INIT_ROWS: f64 = 65_536.0;
const MEASURED_ROWS: f64 = 10_000.0;
/// Clusters from which on they begin by rounds.
const ROUNDS_FROM: usize = 256;
/// Seconds for one row and epoch of UMAP, iteration of t-SNE, and tree of HDBSCAN.
const UMAP_ROW: f64 = 0.16e-6;
/// Rows of UMAP that are worth a thread.
const UMAP_THREAD_ROWS: f64 = 2048.0;
const TSNE_ROW: f64 = 0.35e-6;
/// The same in space, for each level of its tree.
const TSNE_LEVEL: f64 = 0.13e-6;
const DENSE_ROW: f64 = 4e-6;
const TREE_DIMENSIONS: f64 = 8.0;
/// Rows of a neighbourhood that double the time for a tree.
const NEAR_FREE: f64 = 40.0;
/// Neighbours of a row in a graph at least, and seconds for one of its edges.
const NEAR_LEAST: f64 = 16.0;
const GRAPH_EDGE: f64 = 2e-7;
/// Batches that k-means learns from mostly, where it learns from batches, and their rows.
const BATCHES: f64 = 60.0;
const BATCH_ROWS: f64 = 4096.0;
/// Seconds for one row of eigenvectors of a graph, and epochs of a row that is placed.
const SPECTRAL_ROW: f64 = 1e-4;
const PLACING_EPOCHS: f64 = 100.0;
/// Rows among which neighbours of a map are measured, and of how many: as `embedding` has it. Then
/// seconds for each number that a distance takes.
const TRUST_CROWD: f64 = 50_000.0;
const TRUST_ROWS_MIN: f64 = 500.0;
const TRUST_RANKED: f64 = 100.0;
const TRUST_WORK: f64 = 6e9;
const TRUST_NUMBER: f64 = 4.1e-11;
/// Bytes that rows are copied to for their neighbours, at most: as they are, and as lists.
const NEIGHBOUR_BYTES: f64 = 2.1e9;
/// What a pair of rows takes beside its products; how many are all looked at, and of more how
/// many in lists nearby.
const PAIR: f64 = 60.0;
const FEW_PAIRS: f64 = 1e11;
const LISTS_SHARE: f64 = 0.1;

/// n rows of d dimensions.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) n: f64,
    pub(super) d: f64,
    pub(super) threads: f64,
    /// Of the map that rows are placed on.
    pub(super) map_rows: Option<f64>,
}

impl Load {
    /// Seconds, and bytes beside the vectors.
    pub(super) fn of(self, step: &Step, all: &[Step]) -> (f64, f64) {
        let Self { n, d, threads, map_rows } = self;
        let products = |count: f64| 2.0 * count / PRODUCTS / threads;
        let measured = MEASURED_ROWS.min(n);
        match &step.work {
            Work::KMeans { k, iterations_max, has_batches, .. } => {
                let k_rows = *k as f64;
                let tries = 2.0 + k_rows.ln().floor();
                let sampled = n.min(INIT_ROWS.max(64.0 * k_rows));
                let init = match *k < ROUNDS_FROM {
                    true => 3.0 * k_rows * tries * sampled * d / DISTANCES / threads,
                    false => {
                        products(2.5 * k_rows * sampled * d)
                            + 3.0 * k_rows * tries * 2.5 * k_rows * d / DISTANCES
                    }
                };
                let iterations = ITERATIONS.min(f64::from(*iterations_max));
                let fit = match has_batches {
                    false => products(n * k_rows * d) * (iterations + 1.0),
                    true => products(k_rows * d * (n + BATCHES * BATCH_ROWS)),
                };
                let silhouette = products(measured * measured * d);
                (init + fit + silhouette, k_rows * d * 16.0 * threads + n * 12.0)
            }
            Work::Hdbscan { has_graph: true, min_samples, .. } => {
                let edges = n * (*min_samples as f64).max(NEAR_LEAST);
                let seconds = self.neighbours() + edges * GRAPH_EDGE + self.trust();
                (seconds, edges * 32.0 + n * 200.0 + self.copies())
            }
            Work::Hdbscan { of, min_samples, .. } => {
                let on = of.as_ref().and_then(|of| all.iter().find(|step| step.name == *of));
                let d = on.map_or(d, |step| step.columns().len() as f64);
                let near = *min_samples as f64;
                let took = match d <= TREE_DIMENSIONS {
                    true => n * DENSE_ROW * (1.0 + near / NEAR_FREE),
                    false => 2.5 * products(n * n * d),
                };
                let pairs = if d <= TREE_DIMENSIONS { 4.0 * d } else { 12.0 * d + 8.0 * near };
                (took + products(measured * measured * d), n * (200.0 + pairs))
            }
            Work::Pca { .. } => (self.components() + self.trust(), d * d * 8.0 * (threads + 2.0)),
            Work::Umap { .. } if map_rows.is_some() => {
                let m = map_rows.unwrap_or_default();
                let near = products(n * m * (d + PAIR));
                (near + n * PLACING_EPOCHS * UMAP_ROW / threads + self.trust(), m * d * 4.0)
            }
            Work::Umap { neighbours, init, .. } => {
                let (layout, _) = self.layout();
                let begin = match init {
                    Init::Pca => self.components(),
                    Init::Spectral => n * SPECTRAL_ROW,
                };
                let seconds = begin + self.neighbours() + layout + self.trust();
                (seconds, n * *neighbours as f64 * 60.0 + self.copies())
            }
            Work::Tsne { perplexity, dimensions } => {
                let perplexity = perplexity.unwrap_or(30.0).min(n / 3.0);
                let row = if *dimensions > 2 { TSNE_LEVEL * n.max(2.0).log2() } else { TSNE_ROW };
                let layout = 1.0 + 750.0 * n * row / threads;
                let seconds = self.components() + self.neighbours() + layout + self.trust();
                (seconds, n * perplexity * 3.0 * 30.0 + self.copies())
            }
        }
    }

    /// Of what a step does that a device could do, the cores' seconds and the device's work; none
    /// where it could do nothing.
    pub(super) fn for_device(self, step: &Step) -> Option<(f64, DeviceWork)> {
        let Self { n, d, threads, map_rows } = self;
        match &step.work {
            Work::KMeans { k, iterations_max, has_batches: false, .. } => {
                let (k, iterations) = (*k as f64, ITERATIONS.min(f64::from(*iterations_max)));
                let seconds = 2.0 * n * k * d * (iterations + 1.0) / PRODUCTS / threads;
                Some((seconds, cost::kmeans(n, d, k, iterations + 1.0)))
            }
            Work::Pca { .. } => Some((n * d * d / PRODUCTS / threads, cost::components(n, d))),
            Work::Umap { neighbours, .. } if map_rows.is_none() => {
                let (layout, epochs) = self.layout();
                let work =
                    cost::neighbours(n, d) + cost::layout(n, 1.4 * *neighbours as f64, epochs);
                Some((self.neighbours() + layout, work))
            }
            // Of which the device finds the neighbours.
            Work::Tsne { .. } | Work::Hdbscan { has_graph: true, .. } => {
                Some((self.neighbours(), cost::neighbours(n, d)))
            }
            _ => None,
        }
    }

    fn components(self) -> f64 {
        let Self { n, d, threads, .. } = self;
        n * d * d / PRODUCTS / threads + 0.8e-10 * d * d * d
    }

    /// Seconds of UMAP's epochs, and how many those are.
    fn layout(self) -> (f64, f64) {
        let epochs = if self.n <= 10_000.0 { 500.0 } else { 200.0 };
        let threads = self.threads.min(self.n / UMAP_THREAD_ROWS).max(1.0);
        (self.n * epochs * UMAP_ROW / threads, epochs)
    }

    /// Of all pairs where these are few, else mostly of some share of them.
    fn neighbours(self) -> f64 {
        let pairs = self.n * self.n * (self.d + PAIR);
        let looked_at = pairs.min(FEW_PAIRS + LISTS_SHARE * pairs);
        2.0 * looked_at / PRODUCTS / self.threads
    }

    /// Bytes of rows while their neighbours are looked for.
    fn copies(self) -> f64 {
        (8.0 * self.n * self.d).min(NEIGHBOUR_BYTES)
    }

    /// How well a projection keeps neighbours, of a sample.
    fn trust(self) -> f64 {
        let (n, numbers) = (self.n.min(TRUST_CROWD), self.d + TRUST_RANKED);
        let rows = (TRUST_WORK / (n * numbers).max(1.0)).max(TRUST_ROWS_MIN).min(n);
        rows * n * numbers * TRUST_NUMBER / self.threads
    }
}
