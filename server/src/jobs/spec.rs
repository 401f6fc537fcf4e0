//! What a job is told: read from JSON, every fault with the field to blame.

use engine::error::QueryError;
use engine::predicate::Predicate;
use engine::query::Version;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What scikit-learn and emb-explorer do where nobody says otherwise.
const SEED: u64 = 614;
const ITERATIONS_MAX: u32 = 300;
const CLUSTERS: usize = 10;
const DIMENSIONS: usize = 2;
const NEIGHBOURS: usize = 15;
const NEIGHBOURS_MAX: usize = 500;
const MIN_DISTANCE: f64 = 0.1;

/// A job on the vectors of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSpec {
    pub kind: Kind,
    pub table: String,
    pub version: Option<Version>,
    /// The column of vectors; guessed where none is named.
    pub column: Option<String>,
    pub filters: Predicate,
    /// Columns that say which row is which; guessed where none are named.
    pub id: Option<Vec<String>>,
    /// Further columns that the result has too.
    pub keep: Keep,
    pub normalize: Normalize,
    pub backend: Backend,
    pub seed: u64,
    /// What is done, in this order, on rows that are read once.
    pub steps: Vec<Step>,
    /// The table that is written.
    pub into: String,
    pub overwrite: bool,
    /// Jobs of a higher one are begun first.
    pub priority: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Cluster,
    Project,
    /// Several steps on the same vectors, their columns side by side in one table.
    Embed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    Columns(Vec<String>),
    /// All but the vectors.
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalize {
    L2,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    Auto,
    Cpu,
    Cuda,
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
    },
    Pca {
        dimensions: usize,
    },
    Umap {
        dimensions: usize,
        neighbours: usize,
        #[serde(rename = "min_dist")]
        min_distance: f64,
    },
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

impl Work {
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::KMeans { .. } => "kmeans",
            Self::Pca { .. } => "pca",
            Self::Umap { .. } => "umap",
        }
    }

    /// Of a projection.
    pub fn dimensions(&self) -> Option<usize> {
        match self {
            Self::KMeans { .. } => None,
            Self::Pca { dimensions } | Self::Umap { dimensions, .. } => Some(*dimensions),
        }
    }
}

type Part = Option<Box<RawValue>>;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawJob {
    kind: Part,
    table: Part,
    version: Part,
    column: Part,
    filters: Part,
    id: Part,
    keep: Part,
    normalize: Part,
    backend: Part,
    seed: Part,
    into: Part,
    mode: Part,
    priority: Part,
    steps: Part,
    algorithm: Part,
    k: Part,
    max_iterations: Part,
    labels: Part,
    dimensions: Part,
    neighbours: Part,
    min_dist: Part,
    r#as: Part,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawStep {
    kind: Part,
    algorithm: Part,
    k: Part,
    max_iterations: Part,
    labels: Part,
    dimensions: Part,
    neighbours: Part,
    min_dist: Part,
    r#as: Part,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Create,
    Overwrite,
}

impl JobSpec {
    /// # Errors
    /// Where a field is missing, unknown, or not what it may be. Whether tables and columns
    /// exist is found out when the job begins.
    pub fn from_json(text: &str) -> Result<Self, QueryError> {
        let raw: RawJob = serde_json::from_str(text)
            .map_err(|error| QueryError::malformed(unknown_field(&error), error.to_string()))?;
        let kind: Kind = required("kind", &raw.kind)?;
        let filters = match &raw.filters {
            Some(filters) => Predicate::from_filters(filters, "filters")?,
            None => Predicate::all(),
        };
        let own = RawStep {
            kind: None,
            algorithm: raw.algorithm,
            k: raw.k,
            max_iterations: raw.max_iterations,
            labels: raw.labels,
            dimensions: raw.dimensions,
            neighbours: raw.neighbours,
            min_dist: raw.min_dist,
            r#as: raw.r#as,
        };
        let steps = match kind {
            Kind::Embed => several(&raw.steps, own)?,
            _ if raw.steps.is_some() => {
                let detail = "only a job of kind \"embed\" has steps";
                return Err(QueryError::malformed("steps", detail));
            }
            _ => vec![step(kind, own, "")?],
        };
        let mode: Option<Mode> = part("mode", &raw.mode)?;
        let job = Self {
            kind,
            table: required("table", &raw.table)?,
            version: part("version", &raw.version)?,
            column: part("column", &raw.column)?,
            filters,
            id: part("id", &raw.id)?,
            keep: keep(&raw.keep)?,
            normalize: part("normalize", &raw.normalize)?.unwrap_or(Normalize::L2),
            backend: part("backend", &raw.backend)?.unwrap_or(Backend::Auto),
            seed: part("seed", &raw.seed)?.unwrap_or(SEED),
            steps,
            into: required("into", &raw.into)?,
            overwrite: matches!(mode, Some(Mode::Overwrite)),
            priority: part("priority", &raw.priority)?.unwrap_or_default(),
        };
        job.check()?;
        Ok(job)
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.id.as_ref().is_some_and(Vec::is_empty) {
            return Err(QueryError::malformed("id", "it names no column"));
        }
        if self.into == self.table {
            return Err(QueryError::malformed("into", "it is the table that is read"));
        }
        Ok(())
    }
}

fn several(steps: &Part, own: RawStep) -> Result<Vec<Step>, QueryError> {
    let strays = [
        ("algorithm", own.algorithm),
        ("k", own.k),
        ("max_iterations", own.max_iterations),
        ("labels", own.labels),
        ("dimensions", own.dimensions),
        ("neighbours", own.neighbours),
        ("min_dist", own.min_dist),
        ("as", own.r#as),
    ];
    if let Some((name, _)) = strays.into_iter().find(|(_, part)| part.is_some()) {
        return Err(QueryError::malformed(name, "it belongs to one of the steps"));
    }
    let raw: Vec<Box<RawValue>> = required("steps", steps)?;
    if raw.is_empty() {
        return Err(QueryError::malformed("steps", "there are none"));
    }
    let mut steps: Vec<Step> = Vec::with_capacity(raw.len());
    for (at, raw) in raw.iter().enumerate() {
        let place = format!("steps[{at}].");
        let raw: RawStep = serde_json::from_str(raw.get()).map_err(|error| {
            let field = format!("{place}{}", unknown_field(&error));
            QueryError::malformed(field, error.to_string())
        })?;
        let kind: Kind = required(&format!("{place}kind"), &raw.kind)?;
        let step = step(kind, raw, &place)?;
        if steps.iter().any(|earlier| earlier.name == step.name) {
            let detail = format!("two steps write {:?}; name one of them by \"as\"", step.name);
            return Err(QueryError::malformed(format!("{place}as"), detail));
        }
        steps.push(step);
    }
    Ok(steps)
}

fn step(kind: Kind, raw: RawStep, place: &str) -> Result<Step, QueryError> {
    let at = |name: &str| format!("{place}{name}");
    let algorithm: Option<String> = part(&at("algorithm"), &raw.algorithm)?;
    let unused = |names: &[(&str, &Part)]| match names.iter().find(|(_, part)| part.is_some()) {
        Some((name, _)) => Err(QueryError::malformed(
            at(name),
            format!("{kind:?} does not take it").to_lowercase(),
        )),
        None => Ok(()),
    };
    let unknown = |algorithm: &str, known: &str| {
        Err(QueryError::malformed(at("algorithm"), format!("{algorithm:?} is not one of {known}")))
    };
    let (work, name) = match kind {
        Kind::Cluster => {
            unused(&[
                ("dimensions", &raw.dimensions),
                ("neighbours", &raw.neighbours),
                ("min_dist", &raw.min_dist),
            ])?;
            if let Some(other) = algorithm.as_deref().filter(|name| *name != "kmeans") {
                return unknown(other, "kmeans");
            }
            let k = counted(&at("k"), &raw.k, CLUSTERS)?;
            let iterations_max: u32 =
                part(&at("max_iterations"), &raw.max_iterations)?.unwrap_or(ITERATIONS_MAX);
            let labels = part(&at("labels"), &raw.labels)?.unwrap_or_default();
            (Work::KMeans { k, iterations_max, labels }, "cluster")
        }
        Kind::Project => {
            let of_clusters =
                [("k", &raw.k), ("max_iterations", &raw.max_iterations), ("labels", &raw.labels)];
            unused(&of_clusters)?;
            let dimensions = counted(&at("dimensions"), &raw.dimensions, DIMENSIONS)?;
            let work = match algorithm.as_deref() {
                None | Some("pca") => {
                    unused(&[("neighbours", &raw.neighbours), ("min_dist", &raw.min_dist)])?;
                    Work::Pca { dimensions }
                }
                Some("umap") => {
                    let neighbours = counted(&at("neighbours"), &raw.neighbours, NEIGHBOURS)?;
                    let min_distance =
                        part(&at("min_dist"), &raw.min_dist)?.unwrap_or(MIN_DISTANCE);
                    if !(0.0..=1.0).contains(&min_distance) {
                        let detail = "it must be from 0 to 1";
                        return Err(QueryError::malformed(at("min_dist"), detail));
                    }
                    if dimensions > embedding::umap::DIMENSIONS_MAX {
                        let most = embedding::umap::DIMENSIONS_MAX;
                        let detail = format!("umap gives at most {most}");
                        return Err(QueryError::malformed(at("dimensions"), detail));
                    }
                    if !(2..=NEIGHBOURS_MAX).contains(&neighbours) {
                        let detail = "it must be from 2, as a row counts itself, to 500";
                        return Err(QueryError::malformed(at("neighbours"), detail));
                    }
                    Work::Umap { dimensions, neighbours, min_distance }
                }
                Some(other) => return unknown(other, "pca, umap"),
            };
            (work, "dim")
        }
        Kind::Embed => {
            return Err(QueryError::malformed(at("kind"), "a step is cluster or project"));
        }
    };
    let name = part(&at("as"), &raw.r#as)?.unwrap_or_else(|| name.to_owned());
    Ok(Step { work, name })
}

/// A number of at least one.
fn counted(field: &str, raw: &Part, default: usize) -> Result<usize, QueryError> {
    match part(field, raw)?.unwrap_or(default) {
        0 => Err(QueryError::malformed(field, "it must be at least 1")),
        count => Ok(count),
    }
}

fn keep(raw: &Part) -> Result<Keep, QueryError> {
    let Some(raw) = raw else { return Ok(Keep::Columns(Vec::new())) };
    if raw.get() == "\"all\"" {
        return Ok(Keep::All);
    }
    let columns = serde_json::from_str(raw.get());
    columns
        .map(Keep::Columns)
        .map_err(|_| QueryError::malformed("keep", "expected a list of columns, or \"all\""))
}

fn part<T: for<'de> Deserialize<'de>>(field: &str, raw: &Part) -> Result<Option<T>, QueryError> {
    match raw {
        None => Ok(None),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| {
            let text = error.to_string();
            // It counts lines and columns from the part, not the body.
            let detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
            QueryError::malformed(field, detail)
        }),
    }
}

fn required<T: for<'de> Deserialize<'de>>(field: &str, raw: &Part) -> Result<T, QueryError> {
    part(field, raw)?.ok_or_else(|| QueryError::malformed(field, "missing"))
}

/// The name in serde's ``unknown field `x` ``; `job` where the fault is another.
fn unknown_field(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let named = text.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    named.unwrap_or("job").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_job_has_the_contract_s_defaults() {
        let job = JobSpec::from_json(r#"{"kind": "cluster", "table": "t", "into": "o"}"#).unwrap();
        assert_eq!((job.normalize, job.seed, job.overwrite), (Normalize::L2, 614, false));
        let work = Work::KMeans { k: 10, iterations_max: 300, labels: Labels::Number };
        assert_eq!(job.steps, [Step { work, name: "cluster".to_owned() }]);
        let job = r#"{"kind": "project", "algorithm": "pca", "table": "t", "into": "o"}"#;
        let step = Step { work: Work::Pca { dimensions: 2 }, name: "dim".to_owned() };
        assert_eq!(JobSpec::from_json(job).unwrap().steps, [step]);
    }

    #[test]
    fn a_bad_field_is_named() {
        for (more, field) in [
            (r#""k": 0"#, "k"),
            (r#""k": "ten""#, "k"),
            (r#""dimensions": 2"#, "dimensions"),
            (r#""algorithm": "dbscan""#, "algorithm"),
            (r#""normalize": "l1""#, "normalize"),
            (r#""id": []"#, "id"),
            (r#""keep": 1"#, "keep"),
            (r#""filters": [{"column": "a", "op": "eq"}]"#, "filters[0].value"),
            (r#""colour": 1"#, "colour"),
            (r#""steps": []"#, "steps"),
            (r#""mode": "append""#, "mode"),
        ] {
            let text = format!(r#"{{"kind": "cluster", "table": "t", "into": "o", {more}}}"#);
            assert_eq!(JobSpec::from_json(&text).unwrap_err().field, field, "{more}");
        }
        for (text, field) in [
            (r#"{"kind": "cluster", "table": "t"}"#, "into"),
            (r#"{"kind": "cluster", "into": "t"}"#, "table"),
            (r#"{"kind": "cluster", "table": "t", "into": "t"}"#, "into"),
            (r#"{"kind": "brew", "table": "t", "into": "o"}"#, "kind"),
            (
                r#"{"kind": "embed", "table": "t", "into": "o", "steps": [{"kind": "project", "k": 3}]}"#,
                "steps[0].k",
            ),
        ] {
            assert_eq!(JobSpec::from_json(text).unwrap_err().field, field, "{text}");
        }
    }

    #[test]
    fn several_steps_write_several_columns() {
        let steps = |second: &str| {
            JobSpec::from_json(&format!(
                r#"{{"kind": "embed", "table": "t", "into": "o", "steps":
                [{{"kind": "cluster", "k": 3}}, {{"kind": "cluster", "k": 5{second}}}, {{"kind": "project"}}]}}"#
            ))
        };
        assert_eq!(steps("").unwrap_err().field, "steps[1].as");
        let names: Vec<_> =
            steps(r#", "as": "five""#).unwrap().steps.into_iter().map(|step| step.name).collect();
        assert_eq!(names, ["cluster", "five", "dim"]);
    }
}
