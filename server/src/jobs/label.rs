//! A job that gives rows names: a table written anew, batch by batch, with a column of what each
//! row is called. Which group a row is in is the engine's word, as in the browser.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use engine::error::QueryError;
use engine::kind::{Kind as ColumnKind, kind_from_type};
use engine::label::{Labeller, Labels};
use engine::predicate::Predicate;
use engine::query::{Query, Version};
use engine::steps::Kind;
use engine::steps::fields::Fields;
use serde_json::{Map, Value, json};

use super::estimate::{self, Estimate};
use super::failure::JobFailure;
use super::lineage;
use super::results::delta_type;
use super::spec::{self, Keep};
use super::work::{JobResult, Outcome, Report, Teller};
use crate::delta::write::{CommitInfo, TableWriter, check_replaceable, check_schema};
use crate::lake::error::LakeError;
use crate::lake::{self, Place, Snapshot, VersionSpec};
use crate::pictures::is_bytes;
use crate::query::vectors::{known, with_ids};
use crate::query::{Pinned, Queries, pin, version_spec};

/// What such a job is told.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelSpec {
    pub table: String,
    pub version: Option<Version>,
    /// Rows that the result has.
    pub filters: Predicate,
    pub labels: Labels,
    pub keep: Keep,
    /// With `overwrite` it may be the table that is read: that gets a version more.
    pub into: String,
    pub overwrite: bool,
    pub priority: i32,
}

/// The share of the time until the last row is written.
const WRITTEN: f64 = 0.97;

impl LabelSpec {
    /// # Errors
    /// Where a field is missing, unknown, or not what it may be.
    pub fn from_fields(mut fields: Fields) -> Result<Self, QueryError> {
        let spec = Self {
            table: fields.required("table")?,
            version: fields.optional("version")?,
            filters: match fields.take("filters") {
                Some(filters) => Predicate::from_filters(&filters, "filters")?,
                None => Predicate::all(),
            },
            labels: Labels::take(&mut fields)?,
            keep: spec::keep(&mut fields)?.unwrap_or(Keep::All),
            into: fields.required("into")?,
            overwrite: spec::overwrites(&mut fields)?,
            priority: fields.optional("priority")?.unwrap_or_default(),
        };
        match fields.first() {
            None => Ok(spec),
            Some(stray) => Err(QueryError::malformed(stray, format!("unknown field `{stray}`"))),
        }
    }

    /// Whether it could be begun. Gives what came of it where it was done before.
    pub async fn check(&self, queries: &Queries) -> Result<Option<Outcome>, JobFailure> {
        let source = Source::open(queries, self).await?;
        if let Some(outcome) = lineage::made_before(queries, &self.into, &source.lineage).await? {
            return Ok(Some(outcome));
        }
        source.place(queries, self).await.map(|_| None)
    }

    /// What it is expected to take.
    pub(crate) async fn estimate(&self, queries: &Queries) -> Result<Estimate, JobFailure> {
        let source = Source::open(queries, self).await?;
        let rows = estimate::count(queries, &source.pinned).await?;
        let bytes = source.pinned.snapshot.bytes() as f64;
        let seconds = estimate::START + bytes / WRITE_BYTES;
        Ok(Estimate { rows, dimensions: 0, seconds, memory_bytes: MEMORY_BYTES })
    }

    /// Does it to its end. `id` names it: where an attempt of the same id came to its commit,
    /// that is what came of it; what another left is taken away.
    pub async fn perform(
        &self,
        queries: &Queries,
        id: &str,
        report: Arc<dyn Report>,
    ) -> Result<Outcome, JobFailure> {
        let began = Instant::now();
        let teller = Teller::new(report);
        teller.tell(0.0, "reading", format!("opening {}", self.table));
        if let Some(outcome) = lineage::done_before(queries, &self.into, id).await? {
            return Ok(outcome);
        }
        let source = Source::open(queries, self).await?;
        if let Some(outcome) = lineage::made_before(queries, &self.into, &source.lineage).await? {
            return Ok(outcome);
        }
        let place = source.place(queries, self).await?;
        let table = place.name().to_owned();
        let mut writer = TableWriter::begin(place, Arc::clone(&source.schema), id).await?;
        if let (true, lake::Version::Delta(version)) =
            (source.is_in_place, source.pinned.snapshot.version())
        {
            // What another adds meanwhile must not be lost.
            writer = writer.after(version);
        }
        let mut labelling = Labelling::new(self, &source)?;
        let mut failed = None;
        let (mut batches, reading) = queries.batches(source.pinned.clone());
        let total = source.pinned.snapshot.rows();
        while let Some(batch) = batches.recv().await {
            let labelled = labelling.label(&batch);
            let written = match &labelled {
                Ok(batch) => writer.write(batch).await.map_err(JobFailure::Into),
                Err(_) => Ok(()),
            };
            if let Err(error) = labelled.map(drop).and(written) {
                failed = Some(error);
                break;
            }
            let rows = labelling.rows;
            let share = total.map_or(0.5, |total| rows as f64 / total.max(1) as f64);
            teller.tell(WRITTEN * share.min(1.0), "writing", format!("{rows} rows written"));
        }
        drop(batches);
        let nothing = || {
            let reason = "there are no rows: none pass the filters, or the table is empty";
            let (table, reason) = (self.table.clone(), reason.to_owned());
            JobFailure::Into(LakeError::Unwritable { table, reason })
        };
        let ended = match failed {
            Some(error) => Err(error),
            None => match reading.await {
                Err(failure) => Err(failure.into()),
                Ok(()) if labelling.rows == 0 => Err(nothing()),
                Ok(()) => Ok(()),
            },
        };
        if let Err(failure) = ended {
            writer.abandon().await;
            return Err(failure);
        }
        teller.tell(WRITTEN, "writing", format!("writing {}", self.into));
        let mut metrics = labelling.metrics();
        let info = self.commit_info(&source, &metrics);
        let version = writer.commit(info).await.map_err(JobFailure::Into)?;
        metrics.insert("seconds".into(), began.elapsed().as_secs_f64().into());
        let message = labelling.message(&source.left_out);
        teller.tell(1.0, "done", message.clone());
        let result = JobResult { table, version, rows: labelling.rows };
        Ok(Outcome { result, metrics, backend: "cpu".to_owned(), message })
    }

    fn commit_info(&self, source: &Source, metrics: &Map<String, Value>) -> CommitInfo {
        let operation = if self.overwrite { "WRITE" } else { "CREATE TABLE AS SELECT" };
        let mut parameters = Map::new();
        if self.overwrite {
            parameters.insert("mode".into(), "Overwrite".into());
        }
        parameters.insert("job".into(), serde_json::to_value(Kind::Label).unwrap_or_default());
        let mut limn = source.lineage.clone();
        limn.insert("backend".into(), "cpu".into());
        limn.insert("metrics".into(), Value::Object(metrics.clone()));
        CommitInfo { operation, parameters, limn: Value::Object(limn) }
    }
}

/// Bytes of a table that are read, labelled and written in a second, and what that takes in
/// memory: row groups on their way.
const WRITE_BYTES: f64 = 40e6;
const MEMORY_BYTES: u64 = 300 << 20;

/// The table, and which of its columns are what.
struct Source {
    pinned: Pinned,
    /// Columns that the result has, of those that are read the first.
    kept: Vec<String>,
    /// Those that it cannot have.
    left_out: Vec<String>,
    /// The result's.
    schema: SchemaRef,
    lineage: Map<String, Value>,
    /// Whether the table is written that is read.
    is_in_place: bool,
}

impl Source {
    async fn open(queries: &Queries, spec: &LabelSpec) -> Result<Self, JobFailure> {
        let version = version_spec(spec.version.as_ref())?;
        let snapshot = queries.lakes().snapshot(&spec.table, version).await?;
        let (table, labels) = (snapshot.schema(), &spec.labels);
        let place = queries.lakes().place(&spec.into, true).await.map_err(JobFailure::Into)?;
        let is_in_place = place.has_table && place.name() == snapshot.table();
        if is_in_place {
            check_newest(queries, spec, &snapshot).await?;
        }
        if let Some(name) = &labels.otherwise {
            known(table, "otherwise", name)?;
            check_names(table, name)?;
        }
        // Found out before anything is read: which group is at fault.
        Labeller::new(&labels.groups, table)?;
        let (kept, left_out) = kept(&place, table, &spec.keep)?;
        let schema = schema(table, &kept, labels)?;
        let mut columns = kept.clone();
        let of_labels = labels.columns().into_iter().map(str::to_owned);
        columns.extend(of_labels.filter(|name| !kept.contains(name)));
        let query = Query {
            columns: Some(columns),
            filters: spec.filters.clone(),
            ..Query::of_table(&spec.table)
        };
        let lineage = lineage_of(spec, &snapshot, &kept);
        let pinned = pin(query, snapshot)?;
        Ok(Self { pinned, kept, left_out, schema, lineage, is_in_place })
    }

    /// Where the result goes, if it can be written there.
    async fn place(&self, queries: &Queries, spec: &LabelSpec) -> Result<Place, JobFailure> {
        let place = queries.lakes().place(&spec.into, spec.overwrite).await;
        let place = place.map_err(JobFailure::Into)?;
        check_replaceable(&place).await.map_err(JobFailure::Into)?;
        check_schema(&place, &self.schema).map_err(JobFailure::Into)?;
        Ok(place)
    }
}

/// What comes after a version that is not the newest would be gone.
async fn check_newest(
    queries: &Queries,
    spec: &LabelSpec,
    snapshot: &Snapshot,
) -> Result<(), JobFailure> {
    let newest = queries.lakes().snapshot(&spec.table, VersionSpec::Latest).await?;
    match newest.version() == snapshot.version() {
        true => Ok(()),
        false => {
            let detail = "a table that is read and written is read at its newest version";
            Err(QueryError::malformed("version", detail).into())
        }
    }
}

/// Names are what can be read as one text.
fn check_names(schema: &Schema, name: &str) -> Result<(), QueryError> {
    let data_type = schema.field_with_name(name).map_or(&DataType::Int64, Field::data_type);
    let kind = kind_from_type(data_type);
    match matches!(kind, ColumnKind::Vector | ColumnKind::Nested) || is_bytes(data_type) {
        false => Ok(()),
        true => {
            let detail = format!("column {name:?} has no names, its type is {data_type}");
            Err(QueryError::malformed("otherwise", detail))
        }
    }
}

/// The columns that the result has, and those that it cannot have.
fn kept(
    place: &Place,
    schema: &Schema,
    keep: &Keep,
) -> Result<(Vec<String>, Vec<String>), QueryError> {
    match keep {
        Keep::Columns(wanted) => Ok((with_ids(schema, wanted)?, Vec::new())),
        Keep::All => {
            let fields = schema.fields().iter();
            let (can, cannot): (Vec<_>, Vec<_>) = fields.partition(|field| {
                let own = Field::new(field.name(), delta_type(field.data_type()), true);
                check_schema(place, &Arc::new(Schema::new(vec![own]))).is_ok()
            });
            let names =
                |fields: Vec<&Arc<Field>>| fields.iter().map(|f| f.name().clone()).collect();
            Ok((names(can), names(cannot)))
        }
    }
}

/// The result's columns: names come last, but where they take the place of a column.
fn schema(table: &Schema, kept: &[String], labels: &Labels) -> Result<SchemaRef, QueryError> {
    let own = Field::new(&labels.name, DataType::Utf8, true);
    let field = |name: &String| match table.field_with_name(name) {
        _ if is_replaced(labels, name) => own.clone(),
        Ok(field) => Field::new(name, delta_type(field.data_type()), true),
        // The number of the row.
        Err(_) => Field::new(name, DataType::Int64, true),
    };
    let mut fields: Vec<Field> = kept.iter().map(field).collect();
    if !kept.iter().any(|name| is_replaced(labels, name)) {
        // Whatever the case: to Delta they are the same.
        let taken = kept.iter().find(|name| name.to_lowercase() == labels.name.to_lowercase());
        if let Some(taken) = taken {
            let detail = format!(
                "there would be two columns {taken:?}; give it another name, or \"otherwise\": {taken:?} to change that one"
            );
            return Err(QueryError::malformed("as", detail));
        }
        fields.push(own);
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// Names that are there and go on, where no group has another.
fn is_replaced(labels: &Labels, column: &str) -> bool {
    labels.name == column && labels.otherwise.as_deref() == Some(column)
}

/// All that the result follows from: the same again gives the same again.
fn lineage_of(spec: &LabelSpec, snapshot: &Snapshot, kept: &[String]) -> Map<String, Value> {
    let labels = &spec.labels;
    let fields = [
        ("source", lineage::source(snapshot, None, &spec.filters)),
        ("keep", json!(kept)),
        ("groups", json!(labels.groups)),
        // Every digit of numbers that no float holds.
        ("groups_text", json!(serde_json::to_string(&labels.groups).unwrap_or_default())),
        ("as", json!(labels.name)),
        ("otherwise", json!(labels.otherwise)),
        ("limn", json!(env!("CARGO_PKG_VERSION"))),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Rows on their way.
struct Labelling<'a> {
    labels: &'a Labels,
    labeller: Labeller,
    kept: &'a [String],
    schema: &'a SchemaRef,
    rows: u64,
    /// How many rows each group gave its name, by name.
    named: BTreeMap<Arc<str>, u64>,
    /// Rows that have none.
    nameless: u64,
}

impl<'a> Labelling<'a> {
    fn new(spec: &'a LabelSpec, source: &'a Source) -> Result<Self, QueryError> {
        let labels = &spec.labels;
        let labeller = Labeller::new(&labels.groups, source.pinned.snapshot.schema())?;
        let groups = labels.groups.iter();
        Ok(Self {
            labels,
            labeller,
            kept: &source.kept,
            schema: &source.schema,
            rows: 0,
            named: groups.map(|group| (Arc::from(group.name.as_str()), 0)).collect(),
            nameless: 0,
        })
    }

    fn label(&mut self, batch: &RecordBatch) -> Result<RecordBatch, JobFailure> {
        let names = self.labeller.names(batch, 0)?;
        for name in names.iter().flatten() {
            if let Some(rows) = self.named.get_mut(name) {
                *rows += 1;
            }
        }
        let bad =
            |error: ArrowError| JobFailure::Ended(format!("rows cannot be labelled: {error}"));
        let otherwise = match &self.labels.otherwise {
            None => None,
            Some(column) => {
                let there = batch.column_by_name(column);
                let there = there.ok_or_else(|| JobFailure::Ended(format!("no {column:?}")))?;
                Some(arrow_cast::cast(there, &DataType::Utf8).map_err(bad)?)
            }
        };
        let otherwise = otherwise.as_deref().map(arrow_array::cast::AsArray::as_string::<i32>);
        let given = names.iter().enumerate().map(|(row, name)| match (name, otherwise) {
            (Some(name), _) => Some(name.as_ref()),
            (None, Some(otherwise)) => {
                arrow_array::Array::is_valid(otherwise, row).then(|| otherwise.value(row))
            }
            (None, None) => None,
        });
        let given: StringArray = given.collect();
        self.rows += batch.num_rows() as u64;
        self.nameless += arrow_array::Array::null_count(&given) as u64;
        let given = Arc::new(given) as ArrayRef;
        let own = self.kept.iter().zip(self.schema.fields()).map(|(name, field)| {
            match batch.column_by_name(name) {
                _ if is_replaced(self.labels, name) => Ok(Arc::clone(&given)),
                Some(column) => arrow_cast::cast(column, field.data_type()),
                None => Err(ArrowError::SchemaError(format!("no {name:?}"))),
            }
        });
        let mut columns = own.collect::<Result<Vec<_>, _>>().map_err(bad)?;
        if columns.len() < self.schema.fields().len() {
            columns.push(given);
        }
        RecordBatch::try_new(Arc::clone(self.schema), columns).map_err(bad)
    }

    fn metrics(&self) -> Map<String, Value> {
        let named: Vec<Value> =
            self.named.iter().map(|(name, rows)| json!({"name": name, "rows": rows})).collect();
        let fields = [("groups", Value::Array(named)), ("rows_without_name", json!(self.nameless))];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn message(&self, left_out: &[String]) -> String {
        let mut parts = vec![format!("{} rows", self.rows)];
        if self.nameless > 0 {
            parts.push(format!("{} without a name", self.nameless));
        }
        let empty: Vec<&str> =
            self.named.iter().filter(|(_, rows)| **rows == 0).map(|(name, _)| &**name).collect();
        if !empty.is_empty() {
            parts.push(format!("no row is called {}", empty.join(", ")));
        }
        if !left_out.is_empty() {
            let names = left_out.join(", ");
            parts.push(format!("left out, as Delta has no such types: {names}"));
        }
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spec(text: &str) -> Result<LabelSpec, QueryError> {
        let mut fields = Fields::read(text)?;
        fields.take("kind");
        LabelSpec::from_fields(fields)
    }

    #[test]
    fn a_bad_field_is_named() {
        let groups = r#""groups": [{"name": "a", "filters": []}]"#;
        for (text, field) in [
            (format!(r#"{{{groups}, "into": "o"}}"#), "table"),
            (format!(r#"{{"table": "t", {groups}}}"#), "into"),
            (r#"{"table": "t", "into": "o"}"#.to_owned(), "groups"),
            (format!(r#"{{"table": "t", "into": "o", {groups}, "k": 3}}"#), "k"),
            (format!(r#"{{"table": "t", "into": "o", {groups}, "keep": 3}}"#), "keep"),
            (format!(r#"{{"table": "t", "into": "o", {groups}, "mode": "append"}}"#), "mode"),
        ] {
            assert_eq!(spec(&text).unwrap_err().field, field, "{text}");
        }
        let whole = spec(&format!(r#"{{"table": "t", "into": "t", {groups}}}"#)).unwrap();
        assert_eq!((whole.keep, whole.labels.name.as_str()), (Keep::All, "label"));
    }

    #[test]
    fn names_take_the_place_of_those_that_go_on() {
        let table = Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("kind", DataType::LargeUtf8, true),
        ]);
        let kept = ["id".to_owned(), "kind".to_owned()];
        let named = |name: &str, otherwise: Option<&str>| {
            let labels = Labels {
                groups: Vec::new(),
                name: name.to_owned(),
                otherwise: otherwise.map(str::to_owned),
            };
            let schema = schema(&table, &kept, &labels);
            schema.map(|schema| {
                schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()
            })
        };
        assert_eq!(named("label", Some("kind")).unwrap(), ["id", "kind", "label"]);
        assert_eq!(named("kind", Some("kind")).unwrap(), ["id", "kind"]);
        assert_eq!(named("Kind", Some("kind")).unwrap_err().field, "as");
        assert_eq!(named("kind", None).unwrap_err().field, "as");
    }
}
