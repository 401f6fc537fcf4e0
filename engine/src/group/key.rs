//! The group of each row: ids of the key columns, combined pair by pair.

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use hashbrown::HashTable;

use crate::column::answer_type;
use crate::error::QueryError;
use crate::intern::Interner;
use crate::sample::mix;

/// The keys met so far. Without key columns there is one group.
pub(super) struct Keys {
    columns: Vec<(Interner, DataType)>,
    /// The second column's ids joined to the first's, the third's to those, and so on.
    joints: Vec<Joint>,
}

/// Pairs of ids, numbered in order of first appearance.
#[derive(Default)]
struct Joint {
    table: HashTable<u32>,
    pairs: Vec<(u32, u32)>,
}

impl Keys {
    /// For key columns of plain types.
    pub(super) fn new(types: impl Iterator<Item = DataType>) -> Self {
        let columns: Vec<_> =
            types.map(|data_type| (Interner::new(&data_type), data_type)).collect();
        let joints = columns.iter().skip(1).map(|_| Joint::default()).collect();
        Self { columns, joints }
    }

    pub(super) fn group_count(&self) -> usize {
        match (self.joints.last(), self.columns.first()) {
            (Some(joint), _) => joint.pairs.len(),
            (None, Some((interner, _))) => interner.len(),
            (None, None) => 1,
        }
    }

    pub(super) fn byte_count(&self) -> usize {
        let columns = self.columns.iter().map(|(interner, _)| interner.byte_count());
        let joints = self.joints.iter().map(|joint| joint.pairs.len() * 3 * size_of::<u32>());
        columns.sum::<usize>() + joints.sum::<usize>()
    }

    /// The group of each row of a batch; `None` if there is only one.
    pub(super) fn groups(&mut self, arrays: &[ArrayRef]) -> Result<Option<Vec<u32>>, QueryError> {
        let mut groups: Option<Vec<u32>> = None;
        for (place, ((interner, _), array)) in self.columns.iter_mut().zip(arrays).enumerate() {
            let ids = interner.ids(array)?;
            let joint = place.checked_sub(1).and_then(|place| self.joints.get_mut(place));
            groups = Some(match (groups, joint) {
                (Some(groups), Some(joint)) => joint.join(groups, &ids),
                _ => ids,
            });
        }
        Ok(groups)
    }

    /// The group here of each group of `other`, whose keys are added.
    pub(super) fn merge(&mut self, other: &Self) -> Result<Vec<u32>, QueryError> {
        for ((interner, _), (others, _)) in self.columns.iter_mut().zip(&other.columns) {
            interner.reserve(others.len());
        }
        let Some(groups) = self.groups(&other.arrays(None)?)? else { return Ok(vec![0]) };
        Ok(groups)
    }

    /// The groups in the order of their keys, nulls last.
    pub(super) fn sorted(&self) -> Result<Vec<u32>, QueryError> {
        if let [(interner, data_type)] = self.columns.as_slice() {
            return crate::order::ascending(&interner.to_array(&answer_type(data_type))?);
        }
        let columns = self.columns.iter().zip(self.ids());
        let ranks = columns.map(|((interner, data_type), ids)| {
            let ranks = crate::order::ranks(&interner.to_array(&answer_type(data_type))?)?;
            let rank = |id: &u32| ranks.get(*id as usize).copied().unwrap_or_default();
            Ok(ids.iter().map(rank).collect())
        });
        let ranks = ranks.collect::<Result<Vec<_>, QueryError>>()?;
        Ok(crate::order::order_by_ranks(self.group_count(), &ranks))
    }

    /// The keys of the groups, in an order of groups or in their own.
    pub(super) fn arrays(&self, order: Option<&[u32]>) -> Result<Vec<ArrayRef>, QueryError> {
        let columns = self.columns.iter().zip(self.ids());
        let arrays = columns.map(|((interner, data_type), ids)| {
            let values = interner.to_array(&answer_type(data_type))?;
            let ids: Vec<u32> = match order {
                None => ids,
                Some(order) => {
                    let id = |group: &u32| ids.get(*group as usize).copied().unwrap_or_default();
                    order.iter().map(id).collect()
                }
            };
            crate::gather::take(&values, &ids).map_err(crate::column::arrow_failed)
        });
        arrays.collect()
    }

    /// Per column, the id of each group's key.
    fn ids(&self) -> Vec<Vec<u32>> {
        let mut groups: Vec<u32> = (0..self.group_count()).map(|group| group as u32).collect();
        let mut columns = Vec::with_capacity(self.columns.len());
        for joint in self.joints.iter().rev() {
            let pair = |group: &u32| joint.pairs.get(*group as usize).copied().unwrap_or_default();
            let (before, last) = groups.iter().map(pair).unzip();
            columns.push(last);
            groups = before;
        }
        if !self.columns.is_empty() {
            columns.push(groups);
        }
        columns.reverse();
        columns
    }
}

impl Joint {
    fn join(&mut self, mut groups: Vec<u32>, ids: &[u32]) -> Vec<u32> {
        let mut last = None;
        for (group, id) in groups.iter_mut().zip(ids) {
            let pair = (*group, *id);
            // Sorted and clustered tables repeat their keys.
            *group = match last {
                Some((met, joined)) if met == pair => joined,
                _ => self.id_of(pair),
            };
            last = Some((pair, *group));
        }
        groups
    }

    fn id_of(&mut self, pair: (u32, u32)) -> u32 {
        let hash = |(a, b): (u32, u32)| mix(u64::from(a) << 32 | u64::from(b));
        let pairs = &mut self.pairs;
        let same = |id: &u32| pairs.get(*id as usize) == Some(&pair);
        if let Some(id) = self.table.find(hash(pair), same) {
            return *id;
        }
        let id = pairs.len() as u32;
        pairs.push(pair);
        let hash_of = |id: &u32| hash(pairs.get(*id as usize).copied().unwrap_or_default());
        self.table.insert_unique(hash(pair), id, hash_of);
        id
    }
}
