//! Depictio interaction records, read as predicates (seeds D-01, D-03 … D-09).

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::error::QueryError;
use crate::predicate::Predicate;

/// Whether a filter node is an interaction record rather than a clause of our own.
pub(crate) fn is_record(fields: &BTreeMap<String, Box<RawValue>>) -> bool {
    fields.contains_key("interactive_component_type")
        || fields.contains_key("metadata")
        || (fields.contains_key("type") && fields.contains_key("column"))
}

/// The predicate of a record; `None` where the record means no filter.
pub(crate) fn predicate_from_record(
    _fields: &BTreeMap<String, Box<RawValue>>,
    path: &str,
) -> Result<Option<Predicate>, QueryError> {
    Err(QueryError::malformed(path, "interaction records are not read yet"))
}
