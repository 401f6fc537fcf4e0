//! A job that makes vectors: of the pictures or texts of a table, or of a folder of pictures in a
//! lake, by one of the server's models. What it has made is kept as it goes, so that a job that
//! was ended, and is asked for again, goes on.

pub(crate) mod progress;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use encoder::{Backend, Pooling, Takes};
use engine::error::QueryError;
use engine::predicate::Predicate;
use engine::query::{Query, Version};
use engine::steps::Normalize;
use engine::steps::fields::Fields;
use serde_json::{Map, json};

use super::estimate::{self, Estimate};
use super::failure::JobFailure;
use super::spec::{self, Keep};
use super::work::{JobResult, Outcome};
use crate::encode::measure::Measured;
use crate::encode::model::{self, Opened, Wanted};
use crate::encode::models::{self, Models};
use crate::encode::{self, EncodeFailure, From, Place, Report, Spec, keeper, measure, table};
use crate::lake::error::LakeError;
use crate::lake::{LakeRoot, LakeSpec};
use crate::query::{Queries, pin, version_spec};

/// What such a job is told.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeSpec {
    pub source: Source,
    /// The name of one of the server's models.
    pub model: String,
    /// The model's output; the likeliest where none is named.
    pub output: Option<String>,
    pub pooling: Option<Pooling>,
    pub tokens: Option<u32>,
    /// The longer side of small pictures that are kept; none for 0.
    pub thumbnails: Option<u32>,
    pub normalize: Normalize,
    /// What the column of vectors is called.
    pub name: String,
    pub backend: spec::Backend,
    pub into: String,
    pub overwrite: bool,
    pub priority: i32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Table {
        table: String,
        version: Option<Version>,
        column: Option<String>,
        filters: Predicate,
        keep: Keep,
    },
    /// A folder of a lake, named as tables are.
    Folder { folder: String, is_recursive: bool },
}

/// Rows after which what was made is committed; half a minute is mostly sooner.
const COMMIT_ROWS: u64 = 16_384;
const TOKENS_MAX: u32 = 1 << 20;
const THUMBNAIL_MAX: u32 = 4096;
/// Small pictures that a folder's table has unasked.
const THUMBNAIL: u32 = 128;

impl EncodeSpec {
    /// # Errors
    /// Where a field is missing, unknown, or not what it may be.
    pub fn from_fields(mut fields: Fields) -> Result<Self, QueryError> {
        let folder: Option<String> = fields.optional("folder")?;
        let source = match folder {
            Some(folder) => {
                for field in ["table", "version", "column", "filters", "keep"] {
                    if fields.take(field).is_some() {
                        return Err(QueryError::malformed(field, "a folder does not take it"));
                    }
                }
                let is_recursive = fields.optional("recursive")?.unwrap_or_default();
                Source::Folder { folder, is_recursive }
            }
            None if fields.take("recursive").is_some() => {
                return Err(QueryError::malformed("recursive", "a table does not take it"));
            }
            None => Source::Table {
                table: fields.required("table")?,
                version: fields.optional("version")?,
                column: fields.optional("column")?,
                filters: match fields.take("filters") {
                    Some(filters) => Predicate::from_filters(&filters, "filters")?,
                    None => Predicate::all(),
                },
                keep: spec::keep(&mut fields)?.unwrap_or(Keep::All),
            },
        };
        let spec = Self {
            source,
            model: fields.required("model")?,
            output: fields.optional("output")?,
            pooling: pooling(&mut fields)?,
            tokens: within(&mut fields, "max_tokens", 1, TOKENS_MAX)?,
            thumbnails: within(&mut fields, "thumbnails", 0, THUMBNAIL_MAX)?,
            normalize: fields.optional("normalize")?.unwrap_or(Normalize::L2),
            name: fields.optional("as")?.unwrap_or_else(|| "emb".to_owned()),
            // Until a device has been measured, nobody has it unasked.
            backend: fields.optional("backend")?.unwrap_or(spec::Backend::Cpu),
            into: fields.required("into")?,
            overwrite: spec::overwrites(&mut fields)?,
            priority: fields.optional("priority")?.unwrap_or_default(),
        };
        if let Some(stray) = fields.first() {
            return Err(QueryError::malformed(stray, format!("unknown field `{stray}`")));
        }
        match &spec.source {
            Source::Table { table, .. } if *table == spec.into => {
                Err(QueryError::malformed("into", "it is the table that is read"))
            }
            _ => Ok(spec),
        }
    }

    /// Whether it could be begun: what it reads and its model are there and fit each other, and
    /// what it writes can be written.
    pub async fn check(&self, queries: &Queries, models: &Arc<Models>) -> Result<(), JobFailure> {
        let takes_texts = self.takes(models).await? == Takes::Texts;
        if let Source::Table { table, version, column, keep, .. } = &self.source {
            let version = version_spec(version.as_ref())?;
            let snapshot = queries.lakes().snapshot(table, version).await?;
            table::check(snapshot.schema(), table, column.as_deref(), keep, takes_texts)?;
        } else if takes_texts {
            let detail = format!("{:?} takes texts: name a table that has them", self.model);
            return Err(QueryError::malformed("model", detail).into());
        }
        let place = queries.lakes().place(&self.into, true).await.map_err(JobFailure::Into)?;
        if !self.overwrite && !keeper::may_go_on(&place).await.map_err(JobFailure::Into)? {
            let reason = "a table of this name exists: give another, or replace it".to_owned();
            let taken = LakeError::Taken { name: self.into.clone(), reason };
            return Err(JobFailure::Into(taken));
        }
        Ok(())
    }

    async fn takes(&self, models: &Arc<Models>) -> Result<Takes, JobFailure> {
        let (name, models) = (self.model.clone(), Arc::clone(models));
        let looked = tokio::task::spawn_blocking(move || {
            let (_, listed, _) = models.get(&name)?;
            listed.takes
        });
        let looked = looked.await.map_err(|error| JobFailure::Ended(error.to_string()))?;
        looked.map_err(|detail| QueryError::malformed("model", detail).into())
    }

    /// What it is expected to take, as far as rows of its model were measured.
    pub(crate) async fn estimate(
        &self,
        queries: &Queries,
        measured: &Measured,
    ) -> Result<Estimate, JobFailure> {
        let rows = match &self.source {
            Source::Table { table, version, filters, .. } => {
                let version = version_spec(version.as_ref())?;
                let snapshot = queries.lakes().snapshot(table, version).await?;
                let query = Query { filters: filters.clone(), ..Query::of_table(table) };
                estimate::count(queries, &pin(query, snapshot)?).await?
            }
            // Files are counted when it begins.
            Source::Folder { .. } => 0,
        };
        Ok(Estimate {
            rows,
            dimensions: measured.dimensions as u64,
            seconds: estimate::START + measured.open_seconds + rows as f64 * measured.row_seconds,
            memory_bytes: measured.memory_bytes,
        })
    }

    /// Opens its model. Blocks: not to be called by what a runtime runs.
    pub(crate) fn open(&self, place: &Place<'_>, models: &Models) -> Result<Opened, JobFailure> {
        let (path, _, _) =
            models.get(&self.model).map_err(|detail| QueryError::malformed("model", detail))?;
        let usual = match self.source {
            Source::Folder { .. } => THUMBNAIL,
            Source::Table { .. } => 0,
        };
        let wanted = Wanted {
            model: path.to_string_lossy().into_owned(),
            tokenizer: None,
            tokens: self.tokens.map(|most| most as usize),
            output: self.output.clone(),
            pooling: self.pooling,
            is_unit: self.normalize == Normalize::L2,
            thumbnail: Some(self.thumbnails.unwrap_or(usual)).filter(|side| *side > 0),
            backend: match self.backend {
                spec::Backend::Cpu => Backend::Cpu,
                spec::Backend::Cuda => Backend::Cuda,
                spec::Backend::Auto => Backend::Auto,
            },
            // Nothing is fetched: it is a file.
            cache: PathBuf::new(),
        };
        let opened = model::open(place.handle, &wanted, &|_| {});
        opened.map_err(|failure| match failure {
            EncodeFailure::Model(error) => {
                JobFailure::Model(models::told(&error, &path, &self.model))
            }
            other => other.into(),
        })
    }

    /// Measures its model. Blocks.
    pub(crate) fn measure(
        &self,
        place: &Place<'_>,
        models: &Models,
    ) -> Result<Measured, JobFailure> {
        let began = Instant::now();
        let opened = self.open(place, models)?;
        let threads = place.queries.limits().threads;
        Ok(measure::measure(&opened, threads, began.elapsed().as_secs_f64())?)
    }

    /// Does it to its end, or until `report` says that it is cancelled. `id` names it. Blocks.
    pub(crate) fn perform(
        &self,
        place: &Place<'_>,
        models: &Models,
        id: &str,
        report: &dyn Report,
    ) -> Result<Outcome, JobFailure> {
        let opened = self.open(place, models)?;
        let from = match &self.source {
            Source::Table { table, version, column, filters, keep } => From::Table {
                table: table.clone(),
                version: version.clone(),
                column: column.clone(),
                filters: filters.clone(),
                keep: keep.clone(),
            },
            Source::Folder { folder, is_recursive } => {
                From::Folder { folder: in_lake(place.lakes, folder)?, is_recursive: *is_recursive }
            }
        };
        let made = encode::perform(
            place,
            &opened,
            &Spec {
                from,
                into: self.into.clone(),
                name: self.name.clone(),
                overwrite: self.overwrite,
                commit_rows: COMMIT_ROWS,
                job: Some(id.to_owned()),
            },
            report,
        )?;
        Ok(outcome(made))
    }
}

fn outcome(made: encode::Outcome) -> Outcome {
    let encode::Outcome { rows, rows_before, failed, changed, cut, dimensions, seconds, .. } = made;
    let metrics = json!({
        "rows_added": rows, "rows_before": rows_before, "rows_without_vector": failed,
        "files_changed": changed, "texts_cut": cut, "dimensions": dimensions, "seconds": seconds,
    });
    let message = made.message();
    Outcome {
        result: JobResult { table: made.table, version: made.version, rows: rows + rows_before },
        metrics: metrics.as_object().cloned().unwrap_or_else(Map::new),
        backend: made.backend.to_owned(),
        message,
    }
}

/// Where a folder of a lake is: of the lake that its name begins with, else of the first that has
/// none. What leads out of a lake is none of its folders.
fn in_lake(lakes: &[LakeSpec], name: &str) -> Result<PathBuf, JobFailure> {
    let refused = |reason: &str| {
        let reason = reason.to_owned();
        JobFailure::from(EncodeFailure::Folder { folder: name.into(), reason })
    };
    let parts: Option<Vec<&str>> = Path::new(name)
        .components()
        .map(|part| match part {
            Component::Normal(part) => part.to_str().filter(|part| !part.starts_with('.')),
            _ => None,
        })
        .collect();
    let parts = parts.ok_or_else(|| refused("name a folder of a lake, as photos/2026"))?;
    let named = lakes.iter().find(|lake| lake.name.as_deref() == parts.first().copied());
    let (lake, inside) = match (named, lakes.iter().find(|lake| lake.name.is_none())) {
        (Some(lake), _) => (lake, parts.get(1..).unwrap_or_default()),
        (None, Some(lake)) => (lake, parts.as_slice()),
        (None, None) => return Err(refused("its name has to begin with that of a lake")),
    };
    let inside = inside.join("/");
    match &lake.root {
        LakeRoot::S3 { .. } if inside.is_empty() => Ok(lake.root.uri().into()),
        LakeRoot::S3 { .. } => Ok(format!("{}/{inside}", lake.root.uri()).into()),
        LakeRoot::Folder(root) => {
            let unusable = |error: std::io::Error| refused(&error.to_string());
            let root = std::fs::canonicalize(root).map_err(unusable)?;
            // A link in the lake may lead anywhere.
            let folder = std::fs::canonicalize(root.join(inside)).map_err(unusable)?;
            match folder.starts_with(&root) {
                true => Ok(folder),
                false => Err(refused("it lies outside of its lake")),
            }
        }
    }
}

fn pooling(fields: &mut Fields) -> Result<Option<Pooling>, QueryError> {
    let named: Option<String> = fields.optional("pooling")?;
    match named.as_deref() {
        None => Ok(None),
        Some("mean") => Ok(Some(Pooling::Mean)),
        Some("first") => Ok(Some(Pooling::First)),
        Some(_) => Err(QueryError::malformed("pooling", "expected mean or first")),
    }
}

fn within(
    fields: &mut Fields,
    name: &str,
    least: u32,
    most: u32,
) -> Result<Option<u32>, QueryError> {
    let number: Option<u32> = fields.optional(name)?;
    match number.filter(|number| !(least..=most).contains(number)) {
        None => Ok(number),
        Some(_) => Err(QueryError::malformed(name, format!("it must be from {least} to {most}"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spec(text: &str) -> Result<EncodeSpec, QueryError> {
        let mut fields = Fields::read(text)?;
        fields.take("kind");
        EncodeSpec::from_fields(fields)
    }

    #[test]
    fn a_bad_field_is_named() {
        for (more, field) in [
            (r#""k": 3"#, "k"),
            (r#""model": 3"#, "model"),
            (r#""pooling": "max""#, "pooling"),
            (r#""max_tokens": 0"#, "max_tokens"),
            (r#""thumbnails": 100000"#, "thumbnails"),
            (r#""normalize": "l1""#, "normalize"),
            (r#""mode": "append""#, "mode"),
            (r#""recursive": true"#, "recursive"),
            (r#""filters": [{"column": "a", "op": "eq"}]"#, "filters[0].value"),
        ] {
            let rest = if more.contains("model") { "" } else { r#""model": "m.onnx","# };
            let text = format!(r#"{{"table": "t", {rest} "into": "o", {more}}}"#);
            assert_eq!(spec(&text).unwrap_err().field, field, "{more}");
        }
        for (text, field) in [
            (r#"{"model": "m", "into": "o"}"#, "table"),
            (r#"{"table": "t", "into": "o"}"#, "model"),
            (r#"{"table": "t", "model": "m"}"#, "into"),
            (r#"{"table": "t", "model": "m", "into": "t"}"#, "into"),
            (r#"{"folder": "f", "table": "t", "model": "m", "into": "o"}"#, "table"),
        ] {
            assert_eq!(spec(text).unwrap_err().field, field, "{text}");
        }
        let whole = spec(r#"{"table": "t", "model": "m", "into": "o"}"#).unwrap();
        assert_eq!((whole.name.as_str(), whole.normalize), ("emb", Normalize::L2));
        assert!(matches!(whole.source, Source::Table { keep: Keep::All, .. }));
    }

    #[test]
    fn a_folder_is_one_of_a_lake() {
        let root = tempfile::tempdir().unwrap();
        let lake = root.path().join("lake");
        std::fs::create_dir_all(lake.join("photos/new")).unwrap();
        std::fs::create_dir_all(root.path().join("secret")).unwrap();
        std::os::unix::fs::symlink(root.path().join("secret"), lake.join("out")).unwrap();
        let own: LakeSpec = lake.display().to_string().parse().unwrap();
        let named: LakeSpec = format!("own={}", lake.display()).parse().unwrap();
        let far: LakeSpec = "far=s3://bucket/prefix".parse().unwrap();
        let lakes = [own, far.clone()];
        let found = in_lake(&lakes, "photos/new").unwrap();
        assert_eq!(found, std::fs::canonicalize(lake.join("photos/new")).unwrap());
        assert_eq!(in_lake(&[named.clone()], "own/photos").unwrap().file_name().unwrap(), "photos");
        assert_eq!(in_lake(&lakes, "far/a/b").unwrap(), Path::new("s3://bucket/prefix/a/b"));
        for name in ["../secret", "/etc", "photos/../../secret", "out", ".hidden", "none"] {
            assert!(in_lake(&lakes, name).is_err(), "{name}");
        }
        assert!(in_lake(&[named], "photos").is_err());
    }
}
