//! What a grouped query asks, checked against a schema: keys, states and output columns.

use arrow_schema::{DataType, Field, Schema};

use super::bin::BinPlan;
use crate::bind::BoundColumn;
use crate::column::answer_type;
use crate::error::{QueryError, QueryErrorKind};
use crate::intern::has_values;
use crate::query::{Aggregate, AggregateOp, GroupKey};

/// One key of the groups.
pub(super) struct KeyPlan {
    pub column: BoundColumn,
    pub bin: Option<BinPlan>,
    pub name: String,
}

/// One state per column and need; several aggregates may read one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StatePlan {
    pub column: Option<BoundColumn>,
    pub kind: StateKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateKind {
    Rows,
    Valid,
    Distinct,
    Sums,
    Moments,
    Extremes,
    Numbers,
}

/// One aggregate of the answer.
pub(super) struct AggregatePlan {
    pub op: AggregateOp,
    /// The quantile of `quantile`, and of `median`.
    pub q: f64,
    /// The place of its state.
    pub state: usize,
    pub field: Field,
}

pub(super) struct GroupPlan {
    pub keys: Vec<KeyPlan>,
    pub states: Vec<StatePlan>,
    pub aggregates: Vec<AggregatePlan>,
}

impl GroupPlan {
    pub(super) fn new(
        group_by: &[GroupKey],
        aggregates: &[Aggregate],
        schema: &Schema,
    ) -> Result<Self, QueryError> {
        let mut plan = Self { keys: Vec::new(), states: Vec::new(), aggregates: Vec::new() };
        for (index, key) in group_by.iter().enumerate() {
            let path = format!("group_by[{index}]");
            let key = key_plan(key, schema, &path)?;
            plan.check_name(&key.name, &path)?;
            plan.keys.push(key);
        }
        for (index, aggregate) in aggregates.iter().enumerate() {
            let path = format!("aggregates[{index}]");
            plan.check_name(&aggregate.output_name(), &path)?;
            plan.add(aggregate, schema, &path)?;
        }
        Ok(plan)
    }

    /// Two columns of one answer need two names.
    fn check_name(&self, name: &str, path: &str) -> Result<(), QueryError> {
        let is_taken = self.keys.iter().any(|key| key.name == name)
            || self.aggregates.iter().any(|aggregate| aggregate.field.name() == name);
        if is_taken {
            let detail = format!("a second column named {name:?}; give one a name by \"as\"");
            return Err(QueryError::malformed(path, detail));
        }
        Ok(())
    }

    fn add(
        &mut self,
        aggregate: &Aggregate,
        schema: &Schema,
        path: &str,
    ) -> Result<(), QueryError> {
        let op = aggregate.op;
        let column_path = format!("{path}.column");
        let column = aggregate.column.as_deref();
        let column =
            column.map(|name| BoundColumn::find(name, schema, &column_path)).transpose()?;
        if column.is_none() && op != AggregateOp::Count {
            return Err(QueryError::malformed(column_path, "missing"));
        }
        let q = quantile(aggregate, path)?;
        let input = column.as_ref().map_or(DataType::Null, |column| answer_type(&column.data_type));
        let data_type = output_type(op, &input).ok_or_else(|| {
            let kind = QueryErrorKind::OperatorForType {
                op: op.name().to_owned(),
                column: column.as_ref().map(|column| column.name.clone()).unwrap_or_default(),
                data_type: input.to_string(),
            };
            QueryError::new(format!("{path}.op"), kind)
        })?;
        let kind = match op {
            AggregateOp::Count if column.is_none() => StateKind::Rows,
            AggregateOp::Count => StateKind::Valid,
            AggregateOp::CountDistinct => StateKind::Distinct,
            AggregateOp::Sum | AggregateOp::Mean => StateKind::Sums,
            AggregateOp::Min | AggregateOp::Max => StateKind::Extremes,
            AggregateOp::Median | AggregateOp::Quantile => StateKind::Numbers,
            AggregateOp::Stddev | AggregateOp::Variance => StateKind::Moments,
        };
        let wanted = StatePlan { column, kind };
        let state = self.states.iter().position(|state| *state == wanted).unwrap_or_else(|| {
            self.states.push(wanted);
            self.states.len() - 1
        });
        let is_count = matches!(op, AggregateOp::Count | AggregateOp::CountDistinct);
        let field = Field::new(aggregate.output_name(), data_type, !is_count);
        self.aggregates.push(AggregatePlan { op, q, state, field });
        Ok(())
    }

    /// The columns of the answer: keys, then aggregates.
    pub(super) fn fields(&self) -> Vec<Field> {
        let keys = self.keys.iter().map(|key| Field::new(&key.name, key.data_type(), true));
        keys.chain(self.aggregates.iter().map(|aggregate| aggregate.field.clone())).collect()
    }
}

impl KeyPlan {
    /// The type of the key in the answer.
    pub(super) fn data_type(&self) -> DataType {
        let binned = self.bin.as_ref().map(|bin| bin.data_type.clone());
        binned.unwrap_or_else(|| answer_type(&self.column.data_type))
    }
}

fn key_plan(key: &GroupKey, schema: &Schema, path: &str) -> Result<KeyPlan, QueryError> {
    let name = key.name().to_owned();
    let (column_path, bin) = match key {
        GroupKey::Column(_) => (path.to_owned(), None),
        GroupKey::Binned(key) => (format!("{path}.column"), key.bin.as_ref()),
    };
    let column = BoundColumn::find(key.column(), schema, &column_path)?;
    if !has_values(&column.data_type) {
        let kind = QueryErrorKind::OperatorForType {
            op: "group_by".to_owned(),
            column: column.name,
            data_type: column.data_type.to_string(),
        };
        return Err(QueryError::new(column_path, kind));
    }
    let bin =
        bin.map(|bin| BinPlan::new(bin, &column.data_type, &column.name, &format!("{path}.bin")));
    Ok(KeyPlan { bin: bin.transpose()?, column, name })
}

fn quantile(aggregate: &Aggregate, path: &str) -> Result<f64, QueryError> {
    let field = format!("{path}.q");
    match (aggregate.op, aggregate.q) {
        (AggregateOp::Quantile, Some(q)) if (0.0..=1.0).contains(&q) => Ok(q),
        (AggregateOp::Quantile, Some(_)) => {
            Err(QueryError::malformed(field, "expected a number from 0 to 1"))
        }
        (AggregateOp::Quantile, None) => Err(QueryError::malformed(field, "missing")),
        (_, Some(_)) => Err(QueryError::malformed(field, "only quantile takes q")),
        (_, None) => Ok(0.5),
    }
}

/// The type of an aggregate of a plain type; `None` where there is no such aggregate.
/// Columns of type null aggregate as integers of which none is there.
fn output_type(op: AggregateOp, input: &DataType) -> Option<DataType> {
    let is_number = input.is_numeric() || matches!(input, DataType::Duration(_) | DataType::Null);
    match op {
        AggregateOp::Count => Some(DataType::Int64),
        AggregateOp::CountDistinct => has_values(input).then_some(DataType::Int64),
        AggregateOp::Min | AggregateOp::Max if *input == DataType::Null => Some(DataType::Int64),
        AggregateOp::Min | AggregateOp::Max => has_values(input).then(|| input.clone()),
        _ if !is_number => None,
        AggregateOp::Sum => Some(match input {
            DataType::Decimal256(precision, scale) => {
                DataType::Decimal256((*precision).saturating_add(10).min(76), *scale)
            }
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale) => {
                DataType::Decimal128((*precision).saturating_add(10).min(38), *scale)
            }
            DataType::Duration(unit) => DataType::Duration(*unit),
            float if float.is_floating() => DataType::Float64,
            _ => DataType::Int64,
        }),
        _ => Some(DataType::Float64),
    }
}
