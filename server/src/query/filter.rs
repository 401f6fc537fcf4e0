//! A query's filters as the scan's filter.

use std::sync::Arc;

use arrow_schema::Schema;
use engine::bind::Bound;
use engine::error::QueryError;
use engine::predicate::Predicate;

use crate::scan::{PredicateFilter, ScanFilter};

/// The filter of a predicate; none where every row passes. `schema` has the table's columns and
/// the virtual one.
pub(super) fn filter(
    predicate: &Predicate,
    schema: &Schema,
) -> Result<Option<Arc<dyn ScanFilter>>, QueryError> {
    let bound = Bound::new(predicate, schema, "filters")?;
    Ok((!bound.is_all()).then(|| Arc::new(PredicateFilter::new(bound)) as Arc<dyn ScanFilter>))
}
