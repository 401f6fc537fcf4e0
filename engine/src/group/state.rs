//! What each group remembers of a column, fed batch by batch.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::extremes::Extremes;
use super::plan::StateKind;
use super::sums::Sums;
use crate::column::{answer_type, floats_of, scale_of, stored_floats_of};
use crate::error::QueryError;
use crate::intern::Interner;
use crate::sample::mix;

/// The rows of a batch and the group of each; one group where `groups` is `None`.
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    pub groups: Option<&'a [u32]>,
    pub len: usize,
}

impl Members<'_> {
    /// Calls `visit` with each row that is not null and its group.
    #[inline]
    pub(super) fn each_valid(&self, array: &dyn Array, mut visit: impl FnMut(usize, usize)) {
        let group = |row: usize| match self.groups {
            Some(groups) => groups.get(row).copied().unwrap_or_default() as usize,
            None => 0,
        };
        match array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
            None => (0..self.len).for_each(|row| visit(row, group(row))),
            Some(nulls) => {
                nulls.valid_indices().for_each(|row| visit(row, group(row)));
            }
        }
    }
}

/// The state of all groups for one need.
pub(super) enum State {
    Rows(Vec<i64>),
    Valid(Vec<i64>),
    Distinct {
        interner: Interner,
        data_type: DataType,
        seen: Pairs,
        counts: Vec<i64>,
    },
    Sums(Sums),
    Moments(Vec<Moments>),
    Extremes(Extremes),
    /// Every number and its group, for quantiles; decimals as they are stored.
    Numbers {
        groups: Vec<u32>,
        values: Vec<f64>,
        scale: i32,
    },
}

/// Pairs of a group and a value's id.
type Pairs = HashSet<(u32, u32), BuildHasherDefault<PairHasher>>;

/// Count, mean and sum of squared distances from it (Welford).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    #[inline]
    fn add(&mut self, value: f64) {
        self.count += 1;
        let above = value - self.mean;
        self.mean += above / self.count as f64;
        self.squares += above * (value - self.mean);
    }

    /// As if all values had been added to one (Chan, Golub & LeVeque).
    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (count, others) = (self.count as f64, other.count as f64);
        let apart = other.mean - self.mean;
        self.mean += apart * others / (count + others);
        self.squares += other.squares + apart * apart * count * others / (count + others);
        self.count += other.count;
    }

    /// The variance of a sample; `None` for fewer than two.
    pub(super) fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count - 1) as f64)
    }
}

impl State {
    /// `data_type` is the plain type of the column.
    pub(super) fn new(kind: StateKind, data_type: &DataType) -> Self {
        match kind {
            StateKind::Rows => Self::Rows(Vec::new()),
            StateKind::Valid => Self::Valid(Vec::new()),
            StateKind::Distinct => Self::Distinct {
                interner: Interner::new(data_type),
                data_type: data_type.clone(),
                seen: Pairs::default(),
                counts: Vec::new(),
            },
            StateKind::Sums => Self::Sums(Sums::new(data_type)),
            StateKind::Moments => Self::Moments(Vec::new()),
            StateKind::Extremes => Self::Extremes(Extremes::new(data_type)),
            StateKind::Numbers => {
                let scale = scale_of(data_type);
                Self::Numbers { groups: Vec::new(), values: Vec::new(), scale }
            }
        }
    }

    /// Makes room for groups that were not met before.
    pub(super) fn resize(&mut self, groups: usize) {
        match self {
            Self::Rows(counts) | Self::Valid(counts) | Self::Distinct { counts, .. } => {
                counts.resize(groups, 0);
            }
            Self::Sums(sums) => sums.resize(groups),
            Self::Moments(moments) => moments.resize(groups, Moments::default()),
            Self::Extremes(extremes) => extremes.resize(groups),
            Self::Numbers { .. } => {}
        }
    }

    /// Takes the rows of a batch. `array` is plain, but for counts.
    pub(super) fn push(
        &mut self,
        array: &ArrayRef,
        members: Members<'_>,
    ) -> Result<(), QueryError> {
        match self {
            Self::Rows(counts) => match members.groups {
                None => add_to(counts, 0, members.len as i64),
                Some(groups) => groups.iter().for_each(|group| add_to(counts, *group as usize, 1)),
            },
            Self::Valid(counts) => match members.groups {
                None => add_to(counts, 0, (array.len() - array.logical_null_count()) as i64),
                Some(_) => members.each_valid(array, |_, group| add_to(counts, group, 1)),
            },
            Self::Distinct { interner, seen, counts, .. } => {
                let ids = interner.ids(array)?;
                members.each_valid(array, |row, group| {
                    let id = ids.get(row).copied().unwrap_or_default();
                    if seen.insert((group as u32, id)) {
                        add_to(counts, group, 1);
                    }
                });
            }
            Self::Sums(sums) => sums.push(array, members)?,
            Self::Extremes(extremes) => extremes.push(array, members),
            Self::Moments(moments) => {
                let Some((floats, _)) = floats_of(array) else { return Ok(()) };
                members.each_valid(array, |row, group| {
                    if let (Some(moments), Some(value)) = (moments.get_mut(group), floats.get(row))
                    {
                        moments.add(*value);
                    }
                });
            }
            Self::Numbers { groups, values, .. } => {
                let Some(floats) = stored_floats_of(array) else { return Ok(()) };
                members.each_valid(array, |row, group| {
                    if let Some(value) = floats.get(row).filter(|value| !value.is_nan()) {
                        groups.push(group as u32);
                        values.push(*value);
                    }
                });
            }
        }
        Ok(())
    }

    /// Adds what another state of the same kind saw; `groups` tells its groups here.
    pub(super) fn merge(&mut self, other: Self, groups: &[u32]) -> Result<(), QueryError> {
        let here = |group: usize| groups.get(group).copied().unwrap_or_default() as usize;
        match (self, other) {
            (Self::Rows(counts), Self::Rows(others))
            | (Self::Valid(counts), Self::Valid(others)) => {
                for (group, count) in others.into_iter().enumerate() {
                    add_to(counts, here(group), count);
                }
            }
            (
                Self::Distinct { interner, seen, counts, .. },
                Self::Distinct { interner: others, data_type, seen: other_seen, .. },
            ) => {
                let ids = interner.ids(&others.to_array(&answer_type(&data_type))?)?;
                for (group, id) in other_seen {
                    let group = here(group as usize);
                    let id = ids.get(id as usize).copied().unwrap_or_default();
                    if seen.insert((group as u32, id)) {
                        add_to(counts, group, 1);
                    }
                }
            }
            (Self::Sums(sums), Self::Sums(others)) => sums.merge(&others, here)?,
            (Self::Extremes(extremes), Self::Extremes(others)) => extremes.merge(others, here),
            (Self::Moments(moments), Self::Moments(others)) => {
                for (group, other) in others.iter().enumerate() {
                    if let Some(moments) = moments.get_mut(here(group)) {
                        moments.merge(other);
                    }
                }
            }
            (
                Self::Numbers { groups, values, .. },
                Self::Numbers { groups: other_groups, values: others, .. },
            ) => {
                groups.extend(other_groups.into_iter().map(|group| here(group as usize) as u32));
                values.extend(others);
            }
            _ => {}
        }
        Ok(())
    }

    /// The memory held, roughly.
    pub(super) fn byte_count(&self) -> usize {
        match self {
            Self::Rows(counts) | Self::Valid(counts) => counts.len() * size_of::<i64>(),
            Self::Distinct { interner, seen, counts, .. } => {
                interner.byte_count() + (seen.capacity() + counts.len()) * 2 * size_of::<u32>()
            }
            Self::Sums(sums) => sums.byte_count(),
            Self::Moments(moments) => moments.len() * size_of::<Moments>(),
            Self::Extremes(extremes) => extremes.byte_count(),
            Self::Numbers { values, .. } => values.len() * (size_of::<f64>() + size_of::<u32>()),
        }
    }
}

#[inline]
fn add_to(counts: &mut [i64], group: usize, count: i64) {
    if let Some(total) = counts.get_mut(group) {
        *total += count;
    }
}

/// Mixes the two ids of a pair.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        mix(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = self.0 << 32 | u64::from(number);
    }
}
