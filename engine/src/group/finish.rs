//! From the states of the groups to a column of the answer.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::DataType;

use super::plan::AggregatePlan;
use super::state::State;
use super::sums::{Sums, overflow};
use crate::column::{array_from_natives, unscaled};
use crate::error::QueryError;
use crate::query::AggregateOp;

/// One aggregate of the groups, in an order of groups.
pub(super) fn column(
    aggregate: &AggregatePlan,
    state: &State,
    order: &[u32],
) -> Result<ArrayRef, QueryError> {
    let data_type = aggregate.field.data_type();
    let each = |value: &dyn Fn(usize) -> Option<f64>| -> ArrayRef {
        Arc::new(order.iter().map(|group| value(*group as usize)).collect::<Float64Array>())
    };
    match (state, aggregate.op) {
        (State::Rows(counts) | State::Valid(counts) | State::Distinct { counts, .. }, _) => {
            let count = |group: &u32| counts.get(*group as usize).copied().unwrap_or_default();
            Ok(Arc::new(Int64Array::from_iter_values(order.iter().map(count))))
        }
        (State::Sums(sums), AggregateOp::Mean) => Ok(each(&|group| sums.mean(group))),
        (State::Sums(sums), _) if data_type.is_floating() => Ok(each(&|group| sums.float(group))),
        (State::Sums(sums), _) => integer_sums(sums, order, data_type),
        (State::Moments(moments), op) => {
            let variance = |group: usize| moments.get(group).and_then(|moments| moments.variance());
            Ok(each(&|group| match op {
                AggregateOp::Stddev => variance(group).map(f64::sqrt),
                _ => variance(group),
            }))
        }
        (State::Extremes(extremes), op) => {
            extremes.to_array(op == AggregateOp::Max, order, data_type)
        }
        (State::Numbers { groups, values, scale }, _) => {
            let quantiles = quantiles(groups, values, order.len(), aggregate.q);
            let quantile = |group: usize| quantiles.get(group).copied().flatten();
            Ok(each(&|group| quantile(group).map(|value| unscaled(value, *scale))))
        }
    }
}

/// Sums that must fit the type of the answer.
fn integer_sums(sums: &Sums, order: &[u32], data_type: &DataType) -> Result<ArrayRef, QueryError> {
    let totals: Vec<Option<i256>> =
        order.iter().map(|group| sums.integer(*group as usize)).collect();
    let nulls = Some(NullBuffer::from_iter(totals.iter().map(Option::is_some)));
    let totals = totals.into_iter().map(Option::unwrap_or_default);
    let (low, high) = match data_type {
        DataType::Decimal128(precision, _) | DataType::Decimal256(precision, _) => {
            let power = i256::from_i128(10).checked_pow(u32::from(*precision));
            let high = power.map_or(i256::MAX, |power| power.wrapping_sub(i256::ONE));
            (high.wrapping_neg(), high)
        }
        _ => (i256::from_i128(i64::MIN.into()), i256::from_i128(i64::MAX.into())),
    };
    let totals = totals
        .map(|total| (low <= total && total <= high).then_some(total))
        .collect::<Option<Vec<i256>>>()
        .ok_or_else(|| overflow("", "aggregates"))?;
    match data_type {
        DataType::Decimal256(_, _) => array_from_natives(totals, nulls, data_type),
        DataType::Decimal128(_, _) => {
            let narrow: Vec<i128> = totals.into_iter().map(i256::as_i128).collect();
            array_from_natives(narrow, nulls, data_type)
        }
        _ => {
            let narrow: Vec<i64> = totals.into_iter().map(|total| total.as_i128() as i64).collect();
            array_from_natives(narrow, nulls, data_type)
        }
    }
}

/// The quantile of each group's numbers.
fn quantiles(groups: &[u32], values: &[f64], count: usize, q: f64) -> Vec<Option<f64>> {
    // Laid out group by group, each part can be selected in for itself.
    let mut starts = vec![0_usize; count + 1];
    for group in groups {
        if let Some(start) = starts.get_mut(*group as usize + 1) {
            *start += 1;
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut places = starts.clone();
    let mut sorted = vec![0.0; values.len()];
    for (group, value) in groups.iter().zip(values) {
        let Some(place) = places.get_mut(*group as usize) else { continue };
        if let Some(slot) = sorted.get_mut(*place) {
            *slot = *value;
        }
        *place += 1;
    }
    let parts = starts.windows(2).map(|ends| match ends {
        &[start, end] => sorted.get_mut(start..end).and_then(|part| quantile(part, q)),
        _ => None,
    });
    parts.collect()
}

/// The quantile of some numbers by linear interpolation; puts them in another order.
fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = last as f64 * q;
    let below = (place.floor() as usize).min(last);
    let (_, low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let share = place - place.floor();
    let high = above.iter().copied().min_by(f64::total_cmp);
    Some(match high {
        // No step between equals, infinities among them, nor where none is asked for.
        Some(high) if share > 0.0 && high != low => low + (high - low) * share,
        _ => low,
    })
}
