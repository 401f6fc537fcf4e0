//! The least and the greatest value of each group. NaN is neither.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::DataType;

use super::state::Members;
use crate::column::{Values, array_from_natives, bytes_array};
use crate::error::QueryError;
use crate::order::key::{NAN_WORD, array_from_words, words_of_values};

/// Least and greatest value of each group, `None` where it has none.
pub(super) enum Extremes {
    /// By words that compare as the values do.
    Words(Vec<Option<(u64, u64)>>),
    Wide(Vec<Option<(i256, i256)>>),
    Bytes(Vec<Option<ByteEnds>>),
}

/// Least and greatest.
type ByteEnds = (Box<[u8]>, Box<[u8]>);

impl Extremes {
    pub(super) fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => Self::Wide(Vec::new()),
            bytes if bytes.is_string() || bytes.is_binary() => Self::Bytes(Vec::new()),
            _ => Self::Words(Vec::new()),
        }
    }

    pub(super) fn resize(&mut self, groups: usize) {
        match self {
            Self::Words(ends) => ends.resize(groups, None),
            Self::Wide(ends) => ends.resize(groups, None),
            Self::Bytes(ends) => ends.resize(groups, None),
        }
    }

    pub(super) fn push(&mut self, array: &ArrayRef, members: Members<'_>) {
        match self {
            Self::Words(ends) => {
                let is_float = array.data_type().is_floating();
                let words = words_of_values(array);
                members.each_valid(array, |row, group| {
                    let Some(word) = words.get(row).filter(|word| !is_float || **word != NAN_WORD)
                    else {
                        return;
                    };
                    widen(ends, group, *word, *word);
                });
            }
            Self::Wide(ends) => match Values::of(array) {
                Some(Values::Int128(values)) => members.each_valid(array, |row, group| {
                    let value = values.get(row).copied().map(i256::from_i128).unwrap_or_default();
                    widen(ends, group, value, value);
                }),
                Some(Values::Int256(values)) => members.each_valid(array, |row, group| {
                    let value = values.get(row).copied().unwrap_or_default();
                    widen(ends, group, value, value);
                }),
                _ => {}
            },
            Self::Bytes(ends) => {
                let Some(Values::Text(values) | Values::Bytes(values)) = Values::of(array) else {
                    return;
                };
                members.each_valid(array, |row, group| widen_bytes(ends, group, values.get(row)));
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self, here: impl Fn(usize) -> usize) {
        match (self, other) {
            (Self::Words(ends), Self::Words(others)) => {
                for (group, other) in others.into_iter().enumerate() {
                    if let Some((low, high)) = other {
                        widen(ends, here(group), low, high);
                    }
                }
            }
            (Self::Wide(ends), Self::Wide(others)) => {
                for (group, other) in others.into_iter().enumerate() {
                    if let Some((low, high)) = other {
                        widen(ends, here(group), low, high);
                    }
                }
            }
            (Self::Bytes(ends), Self::Bytes(others)) => {
                for (group, other) in others.into_iter().enumerate() {
                    if let Some((low, high)) = other {
                        widen_bytes(ends, here(group), &low);
                        widen_bytes(ends, here(group), &high);
                    }
                }
            }
            _ => {}
        }
    }

    /// The least or greatest values of the groups, in an order of groups.
    pub(super) fn to_array(
        &self,
        is_max: bool,
        order: &[u32],
        data_type: &DataType,
    ) -> Result<ArrayRef, QueryError> {
        match self {
            Self::Words(ends) => {
                let words = picked(ends, is_max, order);
                let nulls = nulls_of(&words);
                let words: Vec<u64> = words.into_iter().map(Option::unwrap_or_default).collect();
                array_from_words(&words, nulls, data_type)
            }
            Self::Wide(ends) => {
                let values = picked(ends, is_max, order);
                let nulls = nulls_of(&values);
                let values = values.into_iter().map(Option::unwrap_or_default);
                match data_type {
                    DataType::Decimal128(_, _) => {
                        let narrow = values.map(i256::as_i128).collect();
                        array_from_natives::<i128>(narrow, nulls, data_type)
                    }
                    _ => array_from_natives::<i256>(values.collect(), nulls, data_type),
                }
            }
            Self::Bytes(ends) => {
                let pick = |group: &u32| {
                    let ends = ends.get(*group as usize)?.as_ref()?;
                    Some(if is_max { &*ends.1 } else { &*ends.0 })
                };
                let parts: Vec<Option<&[u8]>> = order.iter().map(pick).collect();
                let nulls = nulls_of(&parts);
                bytes_array(parts.into_iter().map(Option::unwrap_or_default), nulls, data_type)
            }
        }
    }

    pub(super) fn byte_count(&self) -> usize {
        match self {
            Self::Words(ends) => ends.len() * 3 * size_of::<u64>(),
            Self::Wide(ends) => ends.len() * 3 * size_of::<i256>(),
            Self::Bytes(ends) => {
                let bytes = ends.iter().flatten().map(|(low, high)| low.len() + high.len());
                ends.len() * 4 * size_of::<usize>() + bytes.sum::<usize>()
            }
        }
    }
}

fn picked<T: Copy>(ends: &[Option<(T, T)>], is_max: bool, order: &[u32]) -> Vec<Option<T>> {
    let pick = |group: &u32| {
        let (low, high) = ends.get(*group as usize).copied().flatten()?;
        Some(if is_max { high } else { low })
    };
    order.iter().map(pick).collect()
}

fn nulls_of<T>(values: &[Option<T>]) -> Option<NullBuffer> {
    Some(NullBuffer::from_iter(values.iter().map(Option::is_some)))
}

#[inline]
fn widen<T: Copy + Ord>(ends: &mut [Option<(T, T)>], group: usize, low: T, high: T) {
    if let Some(ends) = ends.get_mut(group) {
        *ends = Some(match *ends {
            None => (low, high),
            Some((least, greatest)) => (least.min(low), greatest.max(high)),
        });
    }
}

fn widen_bytes(ends: &mut [Option<ByteEnds>], group: usize, value: &[u8]) {
    match ends.get_mut(group) {
        None => {}
        Some(None) => ends[group] = Some((value.into(), value.into())),
        Some(Some((least, _))) if value < &**least => *least = value.into(),
        Some(Some((_, greatest))) if value > &**greatest => *greatest = value.into(),
        Some(Some(_)) => {}
    }
}
