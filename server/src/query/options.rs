//! What a filter on a column can choose from: its distinct values with their counts, under the
//! other filters. A query for groups like any other.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use engine::kind::{Kind, kind_from_type};
use engine::predicate::Predicate;
use engine::query::{Aggregate, AggregateOp, GroupKey, Query};
use serde_json::value::RawValue;

use super::failure::QueryFailure;
use super::{Queries, encode, pin};
use crate::lake::Snapshot;

/// What is asked.
#[derive(Debug, Clone)]
pub struct OptionsRequest {
    pub column: String,
    /// Clauses on the column itself are left out.
    pub filters: Predicate,
    /// Only values whose text contains this, whatever its case.
    pub search: Option<String>,
    pub limit: usize,
}

/// The values, in their order.
#[derive(Debug, Default)]
pub struct Options {
    /// Each as JSON, with its rows.
    pub values: Vec<(Box<RawValue>, u64)>,
    /// How many values there are, those past the limit counted; null is not one.
    pub distinct: u64,
    /// Rows without a value.
    pub nulls: u64,
}

impl Queries {
    /// The options of a column of a snapshot.
    pub async fn options(
        &self,
        snapshot: Arc<Snapshot>,
        request: OptionsRequest,
    ) -> Result<Options, QueryFailure> {
        let field = snapshot.schema().field_with_name(&request.column);
        let is_text = field.is_ok_and(|field| {
            matches!(kind_from_type(field.data_type()), Kind::Text | Kind::Category)
        });
        let search = request.search.as_deref().filter(|text| !text.is_empty());
        // Text is searched by a filter, so that fewer groups are made; the rest as it is shown.
        let (filtered, shown) = if is_text { (search, None) } else { (None, search) };
        let query = counts_by_value(snapshot.table(), &request, filtered);
        let collected = self.collect(vec![pin(query, snapshot)?], None).await;
        let collected = collected.map_err(|(_, failure)| blame_column(failure))?;
        let shown = shown.map(str::to_lowercase);
        let mut options = Options::default();
        for batch in collected.iter().flat_map(|answer| &answer.batches) {
            let (values, counts) = (batch.column(0), batch.column(1).as_primitive::<Int64Type>());
            for row in 0..batch.num_rows() {
                let count = counts.value(row).unsigned_abs();
                if values.is_null(row) {
                    options.nulls += count;
                    continue;
                }
                let is_full = options.values.len() >= request.limit;
                if is_full && shown.is_none() {
                    options.distinct += 1;
                    continue;
                }
                let value = encode::json_value(values.as_ref(), row)?;
                let text = value.get().to_lowercase();
                if shown.as_ref().is_some_and(|wanted| !text.contains(wanted)) {
                    continue;
                }
                options.distinct += 1;
                if !is_full {
                    options.values.push((value, count));
                }
            }
        }
        Ok(options)
    }
}

fn counts_by_value(table: &str, request: &OptionsRequest, search: Option<&str>) -> Query {
    let own = [request.column.as_str()];
    let clauses = match request.filters.clone() {
        Predicate::And(clauses) => clauses,
        clause => vec![clause],
    };
    let others = clauses.into_iter().filter(|clause| clause.columns() != own);
    let searched = search.map(|text| Predicate::Contains {
        column: request.column.clone(),
        text: text.to_owned(),
        case_sensitive: false,
    });
    // A name that the column does not have.
    let name = format!("{} rows", request.column);
    let count = Aggregate { op: AggregateOp::Count, column: None, q: None, name: Some(name) };
    Query {
        filters: Predicate::And(others.chain(searched).collect()),
        group_by: vec![GroupKey::Column(request.column.clone())],
        aggregates: vec![count],
        ..Query::of_table(table)
    }
}

/// The caller knows of a column, not of groups.
fn blame_column(failure: QueryFailure) -> QueryFailure {
    match failure {
        QueryFailure::Query(mut error) if error.field.starts_with("group_by") => {
            error.field = "column".to_owned();
            QueryFailure::Query(error)
        }
        other => other,
    }
}
