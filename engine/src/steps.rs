//! What is to be made of vectors, step by step: which algorithm, with what, and what its columns
//! are called. Read from JSON, every fault with the field to blame. The companion's jobs and
//! what the browser computes itself are asked for in these words.

pub mod fields;

use arrow_schema::DataType;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::QueryError;
use fields::Fields;

/// What emb-explorer does where nobody says otherwise.
pub const SEED: u64 = 614;
/// What scikit-learn and umap-learn do where nobody says otherwise.
const ITERATIONS_MAX: u32 = 300;
const CLUSTERS: usize = 10;
const DIMENSIONS: usize = 2;
const NEIGHBOURS: usize = 15;
const NEIGHBOURS_MAX: usize = 500;
const MIN_DISTANCE: f64 = 0.1;
/// What crate `embedding` does: smaller clusters are mostly chance in what is looked at as a map.
const MIN_CLUSTER_SIZE: usize = 15;

/// More columns than anybody has looked at.
const COMPONENTS_MAX: usize = 4096;
/// Three times as many neighbours of each row are kept: as many as UMAP may have.
const PERPLEXITY_MAX: f64 = 166.0;
/// Most dimensions of a layout.
pub const UMAP_DIMENSIONS_MAX: usize = 8;
pub const TSNE_DIMENSIONS_MAX: usize = 3;
/// Steps of one job.
const STEPS_MAX: usize = 64;
/// Rows of a neighbourhood where nobody says: beyond, density is smoothed out at a high price.
const MIN_SAMPLES_UNASKED_MAX: usize = 100;
const MIN_SAMPLES_MAX: usize = 1000;

/// Every field of a step, whichever the algorithm.
const FIELDS: [&str; 18] = [
    "algorithm",
    "k",
    "max_iterations",
    "labels",
    "distances",
    "mini_batch",
    "min_cluster_size",
    "min_samples",
    "selection",
    "of",
    "graph",
    "dimensions",
    "neighbours",
    "min_dist",
    "init",
    "perplexity",
    "as",
    "kind",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Cluster,
    Project,
    /// Several steps on the same vectors, their columns side by side in one table.
    Embed,
    /// Vectors made of pictures or texts: no step of a job.
    Encode,
    /// Rows given names: no step of a job.
    Label,
}

/// What is done to vectors first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalize {
    /// Each is divided by its length.
    L2,
    None,
}

/// One computation, and what its columns are called.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    #[serde(flatten)]
    pub work: Work,
    /// The column of clusters, or what stands before `_1`, `_2` … of dimensions.
    #[serde(rename = "as")]
    pub name: String,
}

/// As lineage has it, by the names that a job is asked for by.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "algorithm", rename_all = "lowercase")]
pub enum Work {
    KMeans {
        k: usize,
        #[serde(rename = "max_iterations")]
        iterations_max: u32,
        labels: Labels,
        /// Whether how far rows are from their centroid is a column too.
        #[serde(rename = "distances")]
        has_distances: bool,
        /// Learnt from some rows at a time: sooner done, and not quite as good.
        #[serde(rename = "mini_batch", skip_serializing_if = "is_unasked")]
        has_batches: bool,
    },
    Hdbscan {
        min_cluster_size: usize,
        min_samples: usize,
        selection: Selection,
        labels: Labels,
        /// The projection before it whose points are clustered, rather than the vectors.
        of: Option<String>,
        /// By nearest neighbours alone, rather than by all pairs: sooner done of many vectors.
        #[serde(rename = "graph", skip_serializing_if = "is_unasked")]
        has_graph: bool,
    },
    Pca {
        dimensions: usize,
    },
    Umap {
        dimensions: usize,
        neighbours: usize,
        #[serde(rename = "min_dist")]
        min_distance: f64,
        #[serde(skip_serializing_if = "is_unasked")]
        init: Init,
    },
    Tsne {
        dimensions: usize,
        perplexity: Option<f64>,
    },
}

/// Where the points of a layout begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Init {
    /// Along principal components.
    #[default]
    Pca,
    /// By eigenvectors of the graph of neighbours.
    Spectral,
}

/// What was said of old is said in the same words.
fn is_unasked<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What the column of clusters is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    #[default]
    Number,
    /// The same numbers as names, all as long as the last: a category wherever it is shown.
    Text,
}

/// Which clusters of HDBSCAN's tree are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Selection {
    #[default]
    Eom,
    Leaf,
}

impl Work {
    pub fn kind(&self) -> Kind {
        match self.dimensions() {
            None => Kind::Cluster,
            Some(_) => Kind::Project,
        }
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::KMeans { .. } => "kmeans",
            Self::Hdbscan { .. } => "hdbscan",
            Self::Pca { .. } => "pca",
            Self::Umap { .. } => "umap",
            Self::Tsne { .. } => "tsne",
        }
    }

    /// Of a projection.
    pub fn dimensions(&self) -> Option<usize> {
        match self {
            Self::KMeans { .. } | Self::Hdbscan { .. } => None,
            Self::Pca { dimensions }
            | Self::Umap { dimensions, .. }
            | Self::Tsne { dimensions, .. } => Some(*dimensions),
        }
    }
}

impl Step {
    /// The columns that it makes.
    pub fn columns(&self) -> Vec<(String, DataType)> {
        if let Some(dimensions) = self.work.dimensions() {
            let name = |at: usize| (self.beside(&at.to_string()), DataType::Float32);
            return (1..=dimensions).map(name).collect();
        }
        let labels = match self.work {
            Work::KMeans { labels, .. } | Work::Hdbscan { labels, .. } => labels,
            _ => Labels::Number,
        };
        let own = match labels {
            Labels::Number => DataType::Int32,
            Labels::Text => DataType::Utf8,
        };
        let more: &[&str] = match self.work {
            Work::KMeans { has_distances: true, .. } => &[DISTANCE],
            Work::Hdbscan { .. } => &[PROBABILITY, OUTLIER],
            _ => &[],
        };
        let more = more.iter().map(|name| (self.beside(name), DataType::Float32));
        std::iter::once((self.name.clone(), own)).chain(more).collect()
    }

    /// A column beside its own.
    pub fn beside(&self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }
}

/// How far a row is from its centroid.
pub const DISTANCE: &str = "distance";
/// How much a row is of its cluster, and how far out it is.
pub const PROBABILITY: &str = "probability";
pub const OUTLIER: &str = "outlier";

/// The steps of a job that has several: its field `steps`, which must be all that is left.
///
/// # Errors
/// Where a field is missing, unknown, or not what it may be.
pub fn several(mut own: Fields) -> Result<Vec<Step>, QueryError> {
    let raw: Vec<Box<RawValue>> = own.required("steps")?;
    if let Some(stray) = own.first() {
        let detail = match FIELDS.contains(&stray) {
            true => "it belongs to one of the steps".to_owned(),
            false => format!("unknown field `{stray}`"),
        };
        return Err(QueryError::malformed(stray, detail));
    }
    if raw.is_empty() {
        return Err(QueryError::malformed("steps", "there are none"));
    }
    if raw.len() > STEPS_MAX {
        let detail = format!("there are {}, and may be {STEPS_MAX}", raw.len());
        return Err(QueryError::malformed("steps", detail));
    }
    let mut steps: Vec<Step> = Vec::with_capacity(raw.len());
    for (at, raw) in raw.iter().enumerate() {
        let place = format!("steps[{at}]");
        let mut fields = Fields::read_at(raw.get(), &format!("{place}."), &place)?;
        let kind: Kind = fields.required("kind")?;
        let step = read(kind, fields, &steps)?;
        if steps.iter().any(|earlier| earlier.name == step.name) {
            let detail = format!("two steps write {:?}; name one of them by \"as\"", step.name);
            return Err(QueryError::malformed(format!("{place}.as"), detail));
        }
        steps.push(step);
    }
    Ok(steps)
}

/// One step, after some others.
///
/// # Errors
/// Where a field is missing, unknown, or not what it may be.
pub fn read(kind: Kind, mut fields: Fields, before: &[Step]) -> Result<Step, QueryError> {
    let algorithm: Option<String> = fields.optional("algorithm")?;
    let unknown = |algorithm: &str, known: &str| {
        let detail = format!("{algorithm:?} is not one of {known}");
        Err(QueryError::malformed(fields.at("algorithm"), detail))
    };
    let (work, name) = match (kind, algorithm.as_deref()) {
        (Kind::Cluster, None | Some("kmeans")) => (kmeans(&mut fields)?, "cluster"),
        (Kind::Cluster, Some("hdbscan")) => (hdbscan(&mut fields, before)?, "cluster"),
        (Kind::Cluster, Some(other)) => return unknown(other, "kmeans, hdbscan"),
        (Kind::Project, None | Some("pca")) => {
            (Work::Pca { dimensions: dimensions(&mut fields, COMPONENTS_MAX, "pca")? }, "dim")
        }
        (Kind::Project, Some("umap")) => (umap(&mut fields)?, "dim"),
        (Kind::Project, Some("tsne")) => (tsne(&mut fields)?, "dim"),
        (Kind::Project, Some(other)) => return unknown(other, "pca, umap, tsne"),
        (Kind::Embed | Kind::Encode | Kind::Label, _) => {
            let detail = "a step is cluster or project";
            return Err(QueryError::malformed(fields.at("kind"), detail));
        }
    };
    let name = fields.optional("as")?.unwrap_or_else(|| name.to_owned());
    match fields.first() {
        None => Ok(Step { work, name }),
        Some(stray) => {
            let detail = match FIELDS.contains(&stray) {
                true => format!("{} does not take it", work.algorithm()),
                false => format!("unknown field `{stray}`"),
            };
            Err(QueryError::malformed(fields.at(stray), detail))
        }
    }
}

fn kmeans(fields: &mut Fields) -> Result<Work, QueryError> {
    Ok(Work::KMeans {
        k: fields.counted("k", CLUSTERS)?,
        iterations_max: fields.optional("max_iterations")?.unwrap_or(ITERATIONS_MAX),
        labels: fields.optional("labels")?.unwrap_or_default(),
        has_distances: fields.optional("distances")?.unwrap_or_default(),
        has_batches: fields.optional("mini_batch")?.unwrap_or_default(),
    })
}

fn hdbscan(fields: &mut Fields, before: &[Step]) -> Result<Work, QueryError> {
    let min_cluster_size = fields.counted("min_cluster_size", MIN_CLUSTER_SIZE)?;
    if min_cluster_size < 2 {
        let detail = "it must be at least 2";
        return Err(QueryError::malformed(fields.at("min_cluster_size"), detail));
    }
    let most = min_cluster_size.min(MIN_SAMPLES_UNASKED_MAX);
    let min_samples = fields.counted("min_samples", most)?;
    if min_samples > MIN_SAMPLES_MAX {
        let detail = format!("it must be at most {MIN_SAMPLES_MAX}");
        return Err(QueryError::malformed(fields.at("min_samples"), detail));
    }
    let of: Option<String> = fields.optional("of")?;
    if let Some(of) = &of {
        let mut projections = before.iter().filter(|step| step.work.dimensions().is_some());
        if !projections.any(|step| step.name == *of) {
            let detail = format!("no projection before this step is called {of:?}");
            return Err(QueryError::malformed(fields.at("of"), detail));
        }
    }
    let selection = fields.optional("selection")?.unwrap_or_default();
    let labels = fields.optional("labels")?.unwrap_or_default();
    let has_graph = fields.optional("graph")?.unwrap_or_default();
    if has_graph && of.is_some() {
        let detail = "it is of the vectors, and points of a projection need none: leave one out";
        return Err(QueryError::malformed(fields.at("graph"), detail));
    }
    Ok(Work::Hdbscan { min_cluster_size, min_samples, selection, labels, of, has_graph })
}

fn umap(fields: &mut Fields) -> Result<Work, QueryError> {
    let dimensions = dimensions(fields, UMAP_DIMENSIONS_MAX, "umap")?;
    let neighbours = fields.counted("neighbours", NEIGHBOURS)?;
    if !(2..=NEIGHBOURS_MAX).contains(&neighbours) {
        let detail = "it must be from 2, as a row counts itself, to 500";
        return Err(QueryError::malformed(fields.at("neighbours"), detail));
    }
    let min_distance = fields.optional("min_dist")?.unwrap_or(MIN_DISTANCE);
    if !(0.0..=1.0).contains(&min_distance) {
        return Err(QueryError::malformed(fields.at("min_dist"), "it must be from 0 to 1"));
    }
    let init = fields.optional("init")?.unwrap_or_default();
    Ok(Work::Umap { dimensions, neighbours, min_distance, init })
}

fn tsne(fields: &mut Fields) -> Result<Work, QueryError> {
    let dimensions = dimensions(fields, TSNE_DIMENSIONS_MAX, "tsne")?;
    let perplexity: Option<f64> = fields.optional("perplexity")?;
    if perplexity.is_some_and(|perplexity| !(1.0..=PERPLEXITY_MAX).contains(&perplexity)) {
        let detail = format!("it must be from 1 to {PERPLEXITY_MAX}");
        return Err(QueryError::malformed(fields.at("perplexity"), detail));
    }
    Ok(Work::Tsne { dimensions, perplexity })
}

fn dimensions(fields: &mut Fields, most: usize, algorithm: &str) -> Result<usize, QueryError> {
    let dimensions = fields.counted("dimensions", DIMENSIONS)?;
    if dimensions > most {
        let detail = format!("{algorithm} gives at most {most}");
        return Err(QueryError::malformed(fields.at("dimensions"), detail));
    }
    Ok(dimensions)
}
