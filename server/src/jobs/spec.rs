//! What a job is told: read from JSON, every fault with the field to blame.

use engine::error::QueryError;
use engine::predicate::Predicate;
use engine::query::Version;
use engine::steps::fields::Fields;
use engine::steps::{self, Kind, Normalize, SEED, Step, Work};
use serde::{Deserialize, Serialize};

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
    /// Whether the result has the vectors too: so it can be searched, and mapped again.
    pub keep_vectors: bool,
    /// The map that rows are placed on, rather than laid out by themselves.
    pub onto: Option<String>,
    pub normalize: Normalize,
    pub backend: Backend,
    pub seed: u64,
    /// What is done, in this order, on rows that are read once.
    pub steps: Vec<Step>,
    /// The table that is written.
    pub into: String,
    /// The table that the centroids of k-means go to.
    pub centroids_into: Option<String>,
    /// The table that the nearest neighbours of each row go to.
    pub neighbours_into: Option<String>,
    pub overwrite: bool,
    /// Jobs of a higher one are begun first.
    pub priority: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    Columns(Vec<String>),
    /// All but the vectors.
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    Auto,
    Cpu,
    Cuda,
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
        let mut fields = Fields::read(text)?;
        let kind: Kind = fields.required("kind")?;
        let filters = match fields.take("filters") {
            Some(filters) => Predicate::from_filters(&filters, "filters")?,
            None => Predicate::all(),
        };
        let overwrite = overwrites(&mut fields)?;
        let table = fields.required("table")?;
        let version = fields.optional("version")?;
        let column = fields.optional("column")?;
        let id = fields.optional("id")?;
        let keep = keep(&mut fields)?.unwrap_or(Keep::Columns(Vec::new()));
        let keep_vectors = fields.optional("keep_vectors")?.unwrap_or_default();
        let onto = fields.optional("onto")?;
        let normalize = fields.optional("normalize")?.unwrap_or(Normalize::L2);
        let backend = fields.optional("backend")?.unwrap_or(Backend::Auto);
        let seed = fields.optional("seed")?.unwrap_or(SEED);
        let into = fields.required("into")?;
        let centroids_into = fields.optional("centroids_into")?;
        let neighbours_into = fields.optional("neighbours_into")?;
        let priority = fields.optional("priority")?.unwrap_or_default();
        // What is left says what is to be done.
        let steps = match kind {
            Kind::Embed => steps::several(fields)?,
            _ if fields.has("steps") => {
                let detail = "only a job of kind \"embed\" has steps";
                return Err(QueryError::malformed("steps", detail));
            }
            _ => vec![steps::read(kind, fields, &[])?],
        };
        let job = Self {
            kind,
            table,
            version,
            column,
            filters,
            id,
            keep,
            keep_vectors,
            onto,
            normalize,
            backend,
            seed,
            steps,
            into,
            centroids_into,
            neighbours_into,
            overwrite,
            priority,
        };
        job.check()?;
        Ok(job)
    }

    /// The tables that are written, by their fields.
    pub fn written(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let further = [
            ("centroids_into", self.centroids_into.as_ref()),
            ("neighbours_into", self.neighbours_into.as_ref()),
        ];
        let further = further.into_iter().filter_map(|(field, name)| Some((field, name?)));
        std::iter::once(("into", &self.into)).chain(further)
    }

    fn check(&self) -> Result<(), QueryError> {
        if self.id.as_ref().is_some_and(Vec::is_empty) {
            return Err(QueryError::malformed("id", "it names no column"));
        }
        let mut tables = vec![("table", &self.table)];
        for (field, name) in self.written() {
            match tables.iter().find(|(_, other)| *other == name) {
                None => tables.push((field, name)),
                Some(("table", _)) => {
                    return Err(QueryError::malformed(field, "it is the table that is read"));
                }
                Some((other, _)) => {
                    return Err(QueryError::malformed(field, format!("it is that of {other}")));
                }
            }
        }
        let maps = self.steps.iter().filter(|step| matches!(step.work, Work::Umap { .. }));
        if self.onto.is_some() && maps.count() != 1 {
            let detail = "rows are placed on a map by umap, in one step";
            return Err(QueryError::malformed("onto", detail));
        }
        if self.onto.as_ref() == Some(&self.into) {
            return Err(QueryError::malformed("into", "it is the map that rows are placed on"));
        }
        let means = self.steps.iter().filter(|step| matches!(step.work, Work::KMeans { .. }));
        if self.centroids_into.is_some() && means.count() != 1 {
            let detail = "centroids are of k-means, and of one step";
            return Err(QueryError::malformed("centroids_into", detail));
        }
        Ok(())
    }
}

/// Whether a table that is there is replaced.
pub(super) fn overwrites(fields: &mut Fields) -> Result<bool, QueryError> {
    let mode: Option<Mode> = fields.optional("mode")?;
    Ok(matches!(mode, Some(Mode::Overwrite)))
}

/// Columns that the result has too, where any are named.
pub(super) fn keep(fields: &mut Fields) -> Result<Option<Keep>, QueryError> {
    let Some(raw) = fields.take("keep") else { return Ok(None) };
    if raw.get() == "\"all\"" {
        return Ok(Some(Keep::All));
    }
    let columns = serde_json::from_str(raw.get());
    columns
        .map(|columns| Some(Keep::Columns(columns)))
        .map_err(|_| QueryError::malformed("keep", "expected a list of columns, or \"all\""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use engine::steps::Labels;

    use super::*;

    #[test]
    fn a_job_has_the_contract_s_defaults() {
        let job = JobSpec::from_json(r#"{"kind": "cluster", "table": "t", "into": "o"}"#).unwrap();
        assert_eq!((job.normalize, job.seed, job.overwrite), (Normalize::L2, 614, false));
        let (k, iterations_max, labels) = (10, 300, Labels::Number);
        let work =
            Work::KMeans { k, iterations_max, labels, has_distances: false, has_batches: false };
        assert_eq!(job.steps, [Step { work, name: "cluster".to_owned() }]);
        let nulls = r#"{"kind": "cluster", "table": "t", "into": "o", "k": null, "version": null}"#;
        assert_eq!(JobSpec::from_json(nulls).unwrap(), job);
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
            (r#""k": 3, "k": 4"#, "job"),
            (r#""colour": null"#, "colour"),
            (r#""algorithm": "hdbscan", "min_samples": 5000"#, "min_samples"),
            (r#""algorithm": "hdbscan", "k": 4"#, "k"),
            (r#""algorithm": "hdbscan", "min_cluster_size": 1"#, "min_cluster_size"),
            (r#""algorithm": "hdbscan", "of": "dim""#, "of"),
            (r#""algorithm": "hdbscan", "graph": 3"#, "graph"),
            (r#""perplexity": 3"#, "perplexity"),
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
            (
                r#"{"kind": "project", "table": "t", "into": "o", "algorithm": "tsne", "dimensions": 4}"#,
                "dimensions",
            ),
            (
                r#"{"kind": "project", "table": "t", "into": "o", "dimensions": 10000000000}"#,
                "dimensions",
            ),
            (
                r#"{"kind": "project", "table": "t", "into": "o", "algorithm": "tsne", "perplexity": 1e9}"#,
                "perplexity",
            ),
            (
                r#"{"kind": "embed", "table": "t", "into": "o", "perplexity": 3, "steps": [{"kind": "project"}]}"#,
                "perplexity",
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
        let density = |of: &str| {
            let text = format!(
                r#"{{"kind": "embed", "table": "t", "into": "o", "steps": [{{"kind": "project"}},
                {{"kind": "cluster", "algorithm": "hdbscan", "of": "{of}"}}]}}"#
            );
            JobSpec::from_json(&text)
        };
        assert_eq!(density("cluster").unwrap_err().field, "steps[1].of");
        let columns: Vec<_> =
            density("dim").unwrap().steps.iter().flat_map(Step::columns).collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let expected = ["dim_1", "dim_2", "cluster", "cluster_probability", "cluster_outlier"];
        assert_eq!(names, expected);
    }
}
