//! Sums and counts: of integers in 128 bits, of decimals in 256, of floats in f64.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::i256;
use arrow_schema::DataType;

use super::state::Members;
use crate::column::{Values, float_from_wide, floats_of, unscaled};
use crate::error::{QueryError, QueryErrorKind};

/// Sum and count of each group.
pub(super) struct Sums {
    totals: Totals,
    pub counts: Vec<u64>,
}

enum Totals {
    Integers(Vec<i128>),
    Floats(Vec<f64>),
    Decimals { totals: Vec<i256>, scale: i32 },
}

impl Sums {
    pub(super) fn new(data_type: &DataType) -> Self {
        let totals = match data_type {
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale) => {
                Totals::Decimals { totals: Vec::new(), scale: i32::from(*scale) }
            }
            float if float.is_floating() => Totals::Floats(Vec::new()),
            _ => Totals::Integers(Vec::new()),
        };
        Self { totals, counts: Vec::new() }
    }

    pub(super) fn resize(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
        match &mut self.totals {
            Totals::Integers(totals) => totals.resize(groups, 0),
            Totals::Floats(totals) => totals.resize(groups, 0.0),
            Totals::Decimals { totals, .. } => totals.resize(groups, i256::ZERO),
        }
    }

    pub(super) fn push(
        &mut self,
        array: &ArrayRef,
        members: Members<'_>,
    ) -> Result<(), QueryError> {
        let counts = &mut self.counts;
        match &mut self.totals {
            Totals::Floats(totals) => {
                add_floats(totals, counts, array, members);
                Ok(())
            }
            Totals::Integers(totals) => {
                add_integers(totals, counts, array, members);
                Ok(())
            }
            Totals::Decimals { totals, .. } => add_decimals(totals, counts, array, members),
        }
    }

    pub(super) fn merge(
        &mut self,
        other: &Self,
        here: impl Fn(usize) -> usize,
    ) -> Result<(), QueryError> {
        for (group, count) in other.counts.iter().enumerate() {
            if let Some(total) = self.counts.get_mut(here(group)) {
                *total += count;
            }
        }
        match (&mut self.totals, &other.totals) {
            (Totals::Integers(totals), Totals::Integers(others)) => {
                for (group, other) in others.iter().enumerate() {
                    if let Some(total) = totals.get_mut(here(group)) {
                        *total += other;
                    }
                }
            }
            (Totals::Floats(totals), Totals::Floats(others)) => {
                for (group, other) in others.iter().enumerate() {
                    if let Some(total) = totals.get_mut(here(group)) {
                        *total += other;
                    }
                }
            }
            (Totals::Decimals { totals, .. }, Totals::Decimals { totals: others, .. }) => {
                for (group, other) in others.iter().enumerate() {
                    if let Some(total) = totals.get_mut(here(group)) {
                        let sum = total.checked_add(*other);
                        *total = sum.ok_or_else(|| overflow("", "aggregates"))?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The mean of a group; `None` where it has no values.
    pub(super) fn mean(&self, group: usize) -> Option<f64> {
        let count = self.counts.get(group).copied().filter(|count| *count > 0)?;
        let count = count as f64;
        Some(match &self.totals {
            Totals::Integers(totals) => totals.get(group).copied()? as f64 / count,
            Totals::Floats(totals) => totals.get(group).copied()? / count,
            Totals::Decimals { totals, scale } => {
                unscaled(float_from_wide(totals.get(group).copied()?) / count, *scale)
            }
        })
    }

    /// The sum of a group of floats.
    pub(super) fn float(&self, group: usize) -> Option<f64> {
        self.counts.get(group).filter(|count| **count > 0)?;
        match &self.totals {
            Totals::Floats(totals) => totals.get(group).copied(),
            _ => None,
        }
    }

    /// The sum of a group of integers or decimals, unscaled.
    pub(super) fn integer(&self, group: usize) -> Option<i256> {
        self.counts.get(group).filter(|count| **count > 0)?;
        match &self.totals {
            Totals::Integers(totals) => totals.get(group).copied().map(i256::from_i128),
            Totals::Decimals { totals, .. } => totals.get(group).copied(),
            Totals::Floats(_) => None,
        }
    }

    pub(super) fn byte_count(&self) -> usize {
        self.counts.len() * (size_of::<u64>() + size_of::<i256>())
    }
}

fn add_floats(totals: &mut [f64], counts: &mut [u64], array: &ArrayRef, members: Members<'_>) {
    let Some((floats, _)) = floats_of(array) else { return };
    if members.groups.is_none()
        && array.null_count() == 0
        && let (Some(total), Some(count)) = (totals.first_mut(), counts.first_mut())
    {
        *total += sum_in_lanes(&floats);
        *count += floats.len() as u64;
        return;
    }
    members.each_valid(array, |row, group| {
        if let (Some(total), Some(count), Some(value)) =
            (totals.get_mut(group), counts.get_mut(group), floats.get(row))
        {
            *total += value;
            *count += 1;
        }
    });
}

fn add_integers(totals: &mut [i128], counts: &mut [u64], array: &ArrayRef, members: Members<'_>) {
    macro_rules! add {
        ($values:expr) => {
            members.each_valid(array, |row, group| {
                if let (Some(total), Some(count), Some(value)) =
                    (totals.get_mut(group), counts.get_mut(group), $values.get(row))
                {
                    *total += i128::from(*value);
                    *count += 1;
                }
            })
        };
    }
    match Values::of(array) {
        Some(Values::Int8(values)) => add!(values),
        Some(Values::Int16(values)) => add!(values),
        Some(Values::Int32(values)) => add!(values),
        Some(Values::Int64(values)) => add!(values),
        Some(Values::UInt8(values)) => add!(values),
        Some(Values::UInt16(values)) => add!(values),
        Some(Values::UInt32(values)) => add!(values),
        Some(Values::UInt64(values)) => add!(values),
        // Columns of type null add nothing.
        _ => {}
    }
}

fn add_decimals(
    totals: &mut [i256],
    counts: &mut [u64],
    array: &ArrayRef,
    members: Members<'_>,
) -> Result<(), QueryError> {
    let mut fits = true;
    macro_rules! add {
        ($values:expr, $wide:expr) => {
            members.each_valid(array, |row, group| {
                if let (Some(total), Some(count), Some(value)) =
                    (totals.get_mut(group), counts.get_mut(group), $values.get(row))
                {
                    let sum = total.checked_add($wide(*value));
                    fits &= sum.is_some();
                    *total = sum.unwrap_or_default();
                    *count += 1;
                }
            })
        };
    }
    match Values::of(array) {
        Some(Values::Int32(values)) => add!(values, |value: i32| i256::from_i128(value.into())),
        Some(Values::Int64(values)) => add!(values, |value: i64| i256::from_i128(value.into())),
        Some(Values::Int128(values)) => add!(values, i256::from_i128),
        Some(Values::Int256(values)) => add!(values, |value| value),
        _ => {}
    }
    if fits { Ok(()) } else { Err(overflow("", "aggregates")) }
}

/// The sum in eight parts, so that additions need not wait for each other.
fn sum_in_lanes(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, value)| *lane += value);
    }
    lanes.iter().chain(rest).sum()
}

/// The sum of a column that does not fit.
pub(super) fn overflow(column: &str, field: &str) -> QueryError {
    QueryError::new(field, QueryErrorKind::Overflow { column: column.to_owned() })
}
