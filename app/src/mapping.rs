//! What the data worker and the program that maps vectors (package `mapper`) say to each other.
//! One request is a message `[text, Float32Array]`: a [`MapRequest`] as JSON, and its vectors, row
//! after row, transferred. What comes back is `[text, …]`: a [`Tell`] as JSON, and the arrays that
//! it names, transferred; where there are none the text alone. First [`Tell::Taken`], then for each
//! step progress and layouts on their way and at last [`Tell::Made`]; [`Tell::Done`] ends it, or
//! [`Tell::Failed`]. It is cancelled by ending the worker. Once a request is done, one of its steps
//! may be asked for otherwise, as often as somebody likes: an [`Again`] as JSON, alone. To that the
//! answer is [`Tell::Made`] of that step, or [`Tell::Failed`]. Pure.
//!
//! Arrays are of all rows that were given: rows that are left out have NaN there, and for a label
//! [`NO_VECTOR`].

use engine::error::QueryError;
use engine::steps::fields::Fields;
use engine::steps::{self, Kind, Normalize, SEED, Step};
use serde::{Deserialize, Serialize};

/// The label of a row that has no vector. Below 0 as noise is, which is −1.
pub const NO_VECTOR: i32 = i32::MIN;

/// What is to be made of rows × dimensions numbers. Null vectors are rows of NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct MapRequest {
    pub rows: usize,
    pub dimensions: usize,
    pub normalize: Normalize,
    pub seed: u64,
    pub backend: Backend,
    /// In this order, as a job of kind `embed` has them.
    pub steps: Vec<Step>,
}

/// What computes. The result is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// A graphics device where that takes clearly less time, else the processor.
    #[default]
    Auto,
    Cpu,
    /// A graphics device for whatever it can do, though it be played by the processor.
    Webgpu,
}

/// A step of a request that is done, otherwise: of the same vectors, which the mapper still has.
#[derive(Debug, Clone, PartialEq)]
pub struct Again {
    /// Which of the steps.
    pub step: usize,
    /// Labels and points alone, as soon as can be: somebody is still choosing. Nothing is measured.
    pub is_rough: bool,
    /// All steps of the request, of which that one is another.
    pub request: MapRequest,
}

impl Again {
    /// # Errors
    /// Where a field is missing, unknown, or not what it may be.
    pub fn from_json(text: &str) -> Result<Self, QueryError> {
        let mut fields = Fields::read(text)?;
        let step = fields.required("again")?;
        let is_rough = fields.optional("rough")?.unwrap_or_default();
        Ok(Self { step, is_rough, request: MapRequest::from_fields(fields)? })
    }
}

/// A step as it is asked for.
#[derive(Serialize)]
struct Asked<'a> {
    kind: Kind,
    #[serde(flatten)]
    step: &'a Step,
}

impl MapRequest {
    /// # Errors
    /// Where a field is missing, unknown, or not what it may be.
    pub fn from_json(text: &str) -> Result<Self, QueryError> {
        Self::from_fields(Fields::read(text)?)
    }

    fn from_fields(mut fields: Fields) -> Result<Self, QueryError> {
        let rows = fields.required("rows")?;
        let dimensions = fields.required("dimensions")?;
        let normalize = fields.optional("normalize")?.unwrap_or(Normalize::L2);
        let seed = fields.optional("seed")?.unwrap_or(SEED);
        let backend = fields.optional("backend")?.unwrap_or_default();
        Ok(Self { rows, dimensions, normalize, seed, backend, steps: steps::several(fields)? })
    }

    pub fn to_json(&self) -> String {
        let Self { rows, dimensions, normalize, seed, backend, steps } = self;
        let asked = steps.iter().map(|step| Asked { kind: step.work.kind(), step });
        let steps: Vec<Asked<'_>> = asked.collect();
        serde_json::json!({
            "rows": rows, "dimensions": dimensions, "normalize": normalize, "seed": seed,
            "backend": backend, "steps": steps,
        })
        .to_string()
    }
}

/// Mapper → data worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tell {
    /// The request is in order, and this many rows have vectors.
    Taken { rows: usize, left_out: LeftOut },
    /// `done` of `total` of what the phase counts.
    Progress { step: usize, phase: Phase, done: u64, total: u64 },
    /// Where points are after so many epochs; beside it [`Column::Points`].
    Layout { step: usize, epoch: u32, dimensions: usize },
    /// What came of a step; beside it its columns.
    Made { step: usize, columns: Vec<Column>, metrics: Box<Metrics> },
    /// All steps are made.
    Done { seconds: f64 },
    /// There is no more to come. `field` is the part of the request to blame, if it is one.
    Failed { field: Option<String>, detail: String },
    /// Its script did not start, or broke.
    Panicked { text: String },
}

/// Rows that nothing is made of, by reason, and vectors of no length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Nothing but NaN.
    pub without_vector: usize,
    /// Some value is NaN or infinite.
    pub not_finite: usize,
    /// Not left out: they have no direction, so nothing is made of them by normalising.
    pub zero: usize,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Choosing where clusters begin.
    Init,
    /// Moving them; mostly it ends long before the most iterations that there may be.
    Iterations,
    /// Going through all rows once.
    Pass,
    /// Looking for the nearest of each row.
    Neighbours,
    /// Moving points.
    Epochs,
    /// Measuring what came of it.
    Measures,
}

/// An array that travels beside, and what it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// `Float32Array`, rows × dimensions.
    Points { dimensions: usize },
    /// `Int32Array`: clusters from 0 on, −1 for noise, [`NO_VECTOR`].
    Labels,
    /// `Float32Array`: how far rows are from their centroid.
    Distances,
    /// `Float32Array`: how much rows are of their cluster.
    Probabilities,
    /// `Float32Array`: how far out rows are.
    OutlierScores,
}

/// What is measured of a step, by the names that the companion's jobs have for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    pub fit_seconds: f64,
    /// What computed it, where that was not the processor: webgpu.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Why it was the processor, where a device was asked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inertia: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub converged: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<usize>,
    /// Of clusters where there are not too many to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silhouette: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silhouette_rows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calinski_harabasz: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub davies_bouldin: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explained_variance: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explained_variance_ratio: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kl_divergence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub perplexity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbour_recall: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trustworthiness: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trustworthiness_neighbours: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trustworthiness_rows: Option<usize>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use engine::steps::{Init, Labels, Selection, Work};

    use super::*;

    fn request(steps: &str) -> Result<MapRequest, QueryError> {
        MapRequest::from_json(&format!(r#"{{"rows": 3, "dimensions": 2, "steps": {steps}}}"#))
    }

    #[test]
    fn a_request_has_the_defaults_of_a_job() {
        let found = request(r#"[{"kind": "cluster"}, {"kind": "project"}]"#).unwrap();
        let (k, iterations_max, labels) = (10, 300, Labels::Number);
        let clusters =
            Work::KMeans { k, iterations_max, labels, has_distances: false, has_batches: false };
        let steps = vec![
            Step { work: clusters, name: "cluster".to_owned() },
            Step { work: Work::Pca { dimensions: 2 }, name: "dim".to_owned() },
        ];
        let (normalize, seed) = (Normalize::L2, 614);
        let backend = Backend::Auto;
        assert_eq!(found, MapRequest { rows: 3, dimensions: 2, normalize, seed, backend, steps });
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let labels = Labels::Text;
        let step = |work, name: &str| Step { work, name: name.to_owned() };
        let of = |of: Option<&str>| Work::Hdbscan {
            min_cluster_size: 9,
            min_samples: 4,
            selection: Selection::Leaf,
            labels,
            of: of.map(str::to_owned),
            has_graph: of.is_none(),
        };
        let kmeans = Work::KMeans {
            k: 3,
            iterations_max: 7,
            labels,
            has_distances: true,
            has_batches: true,
        };
        let init = Init::Spectral;
        let steps = vec![
            step(Work::Umap { dimensions: 3, neighbours: 7, min_distance: 0.25, init }, "u"),
            step(Work::Tsne { dimensions: 1, perplexity: Some(12.5) }, "t"),
            step(Work::Tsne { dimensions: 2, perplexity: None }, "dim"),
            step(of(Some("u")), "of u"),
            step(of(None), "of all"),
            step(kmeans, "k"),
        ];
        let normalize = Normalize::None;
        let (seed, backend) = (u64::MAX, Backend::Webgpu);
        let wanted = MapRequest { rows: 8, dimensions: 5, normalize, seed, backend, steps };
        assert_eq!(MapRequest::from_json(&wanted.to_json()).unwrap(), wanted);
    }

    #[test]
    fn a_step_is_asked_for_otherwise() {
        let steps = r#"[{"kind": "project"}, {"kind": "cluster", "k": 4}]"#;
        let text = format!(r#"{{"again": 1, "rows": 3, "dimensions": 2, "steps": {steps}}}"#);
        let again = Again::from_json(&text).unwrap();
        assert_eq!(
            (again.step, again.is_rough, again.request),
            (1, false, request(steps).unwrap())
        );
        let text = text.replace("1,", "-1,");
        assert_eq!(Again::from_json(&text).unwrap_err().field, "again");
    }

    #[test]
    fn a_bad_field_is_named() {
        for (steps, field) in [
            ("[]", "steps"),
            (r#"[{"kind": "cluster", "k": 0}]"#, "steps[0].k"),
            (r#"[{"kind": "embed"}]"#, "steps[0].kind"),
            (r#"[{"kind": "cluster", "algorithm": "hdbscan", "of": "dim"}]"#, "steps[0].of"),
            (r#"[{"kind": "project"}], "table": "t""#, "table"),
            (r#"[{"kind": "project"}], "normalize": "l1""#, "normalize"),
        ] {
            assert_eq!(request(steps).unwrap_err().field, field, "{steps}");
        }
        let text = r#"{"rows": 3, "steps": [{"kind": "project"}]}"#;
        assert_eq!(MapRequest::from_json(text).unwrap_err().field, "dimensions");
    }

    #[test]
    fn what_is_told_is_read_as_it_was_written() {
        let inertia = Some(0.1 + 0.2);
        let metrics =
            Metrics { k: Some(3), inertia, sizes: Some(vec![1, 2]), ..Metrics::default() };
        let columns = vec![Column::Labels, Column::Points { dimensions: 3 }];
        for tell in [
            Tell::Taken { rows: 2, left_out: LeftOut { zero: 1, ..LeftOut::default() } },
            Tell::Progress { step: 1, phase: Phase::Neighbours, done: 3, total: 9 },
            Tell::Made { step: 0, columns, metrics: Box::new(metrics) },
            Tell::Failed { field: None, detail: "no".to_owned() },
        ] {
            let text = serde_json::to_string(&tell).unwrap();
            assert_eq!(serde_json::from_str::<Tell>(&text).unwrap(), tell, "{text}");
        }
    }
}
