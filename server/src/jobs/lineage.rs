//! What a result says of where it comes from, in the commit that wrote it; and results that are
//! there already: of an earlier attempt of a job, or of the same job on the same version.

use engine::predicate::Predicate;
use serde_json::{Map, Value, json};

use super::failure::JobFailure;
use super::spec::JobSpec;
use super::work::{JobResult, Outcome, Source};
use crate::delta::write::{committed_by, last_commit};
use crate::lake::{Place, Snapshot, Version, VersionSpec};
use crate::query::Queries;

/// All that a result follows from: the same again gives the same again, on whichever backend.
pub(super) fn of(spec: &JobSpec, source: &Source) -> Map<String, Value> {
    let (snapshot, filters) = (&source.pinned.snapshot, &source.pinned.query.filters);
    let kept: Vec<&String> = source.kept.iter().map(|field| field.name()).collect();
    let fields = [
        ("source", self::source(snapshot, Some(&source.column), filters)),
        ("id", json!(source.ids)),
        ("keep", json!(kept)),
        ("normalize", json!(spec.normalize)),
        ("seed", json!(spec.seed)),
        ("steps", json!(spec.steps)),
        ("limn", json!(env!("CARGO_PKG_VERSION"))),
    ];
    // Of old nobody was asked for them.
    let further = spec.written().skip(1).map(|(field, name)| (field, json!(name)));
    let onto = source.onto.as_ref().map(|map| ("onto", map.lineage()));
    fields
        .into_iter()
        .chain(onto)
        .chain(further)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The rows of a version of a table that a result is made of, and the column that it is about, if
/// that is one.
pub(crate) fn source(snapshot: &Snapshot, column: Option<&str>, filters: &Predicate) -> Value {
    let mut source = json!({
        "table": snapshot.table(),
        "version": snapshot.version(),
        "uid": snapshot.uid(),
        "filters": filters,
        // Every digit of numbers that no float holds.
        "filters_text": serde_json::to_string(filters).unwrap_or_default(),
    });
    if let (Some(column), Some(fields)) = (column, source.as_object_mut()) {
        fields.insert("column".to_owned(), column.into());
    }
    source
}

/// What an earlier attempt of the same id had written when it, or its server, was ended.
pub(super) async fn done_before(
    queries: &Queries,
    into: &str,
    id: &str,
) -> Result<Option<Outcome>, JobFailure> {
    let Some(place) = written(queries, into).await else { return Ok(None) };
    let Some(commit) = committed_by(&place, id).await? else { return Ok(None) };
    outcome(queries, &place, commit).await.map(Some)
}

/// The result of the same job on the same version, where nobody has written to it since.
/// `lineage` is all that it follows from.
pub(super) async fn made_before(
    queries: &Queries,
    into: &str,
    lineage: &Map<String, Value>,
) -> Result<Option<Outcome>, JobFailure> {
    let Some(place) = written(queries, into).await else { return Ok(None) };
    let Ok(Some(commit)) = last_commit(&place, 1, |_| true).await else { return Ok(None) };
    if !lineage.iter().all(|(name, value)| said(&commit.1, name) == Some(value)) {
        return Ok(None);
    }
    let mut outcome = outcome(queries, &place, commit).await?;
    outcome.message = format!("{}, made before by the same job", outcome.message);
    Ok(Some(outcome))
}

/// Where the result would be, if it were there.
async fn written(queries: &Queries, into: &str) -> Option<Place> {
    let place = queries.lakes().place(into, true).await;
    place.ok().filter(|place| place.has_table)
}

fn said<'a>(info: &'a Value, name: &str) -> Option<&'a Value> {
    info.get("limn").and_then(|limn| limn.get(name))
}

async fn outcome(
    queries: &Queries,
    place: &Place,
    (version, info): (u64, Value),
) -> Result<Outcome, JobFailure> {
    let exact = VersionSpec::Exact(Version::Delta(version));
    let rows = queries.lakes().snapshot(place.name(), exact).await?.rows().unwrap_or_default();
    let metrics = said(&info, "metrics").and_then(Value::as_object).cloned().unwrap_or_default();
    let backend = said(&info, "backend").and_then(Value::as_str).unwrap_or("cpu").to_owned();
    let result = JobResult { table: place.name().to_owned(), version, rows };
    Ok(Outcome { result, metrics, backend, message: format!("{rows} rows") })
}
