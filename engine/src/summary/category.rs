//! Counts of categories: a column is coded once, and counted under each mask.

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::tally::{count_bytes, count_codes};
use crate::bind::value_type;
use crate::column::answer_type;
use crate::error::QueryError;
use crate::intern::{Interner, has_values};
use crate::mask::Mask;
use crate::order::ranks;

/// The values of a column as codes, in order of first appearance. Values beyond a number
/// of distinct ones share a last code.
pub struct CategoryColumn {
    interner: Interner,
    data_type: DataType,
    codes: Vec<u16>,
    /// The code of values for which there was no room.
    other: u16,
}

/// How many rows have each value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryCounts {
    /// By code; null has one too.
    pub counts: Vec<u32>,
    /// Rows whose value has no code of its own.
    pub other: u32,
}

/// One value and its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryCount {
    pub code: u16,
    pub count: u32,
}

impl CategoryColumn {
    /// For a column of a type, with room for `cap` distinct values. `None` for types whose
    /// values cannot be told apart.
    pub fn new(data_type: &DataType, cap: u16) -> Option<Self> {
        let value_type = value_type(data_type);
        has_values(value_type).then(|| Self {
            interner: Interner::new(value_type),
            data_type: answer_type(value_type),
            codes: Vec::new(),
            other: cap.min(u16::MAX - 1),
        })
    }

    /// Codes the rows of the batch that follows.
    pub fn push(&mut self, array: &ArrayRef) -> Result<(), QueryError> {
        let ids = self.interner.ids(array)?;
        let other = self.other;
        self.codes.extend(ids.into_iter().map(|id| u16::try_from(id).unwrap_or(other).min(other)));
        Ok(())
    }

    /// How many rows were coded.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    pub fn codes(&self) -> &[u16] {
        &self.codes
    }

    /// The distinct values met, null among them and those without a code too.
    pub fn distinct(&self) -> usize {
        self.interner.len()
    }

    /// The values of the codes, in their order.
    pub fn values(&self) -> Result<ArrayRef, QueryError> {
        let values = self.interner.to_array(&self.data_type)?;
        Ok(values.slice(0, values.len().min(usize::from(self.other))))
    }

    /// The code of null, if there was one and it has one of its own.
    pub fn null_code(&self) -> Option<u16> {
        self.interner.null_id().and_then(|id| u16::try_from(id).ok()).filter(|id| *id < self.other)
    }

    /// The counts of the rows in a mask.
    pub fn counts(&self, mask: &Mask) -> CategoryCounts {
        let used = self.interner.len().min(usize::from(self.other));
        let mut counts = match used {
            // Few codes fit bytes, whose counting is quicker; they are made on the way.
            0..=255 => {
                let bytes: Vec<u8> = self.codes.iter().map(|code| (*code).min(255) as u8).collect();
                count_bytes(&bytes, mask).to_vec()
            }
            _ => {
                let code =
                    |row: usize| self.codes.get(row).copied().map_or(usize::MAX, usize::from);
                count_codes(code, self.codes.len(), mask, usize::from(self.other) + 1)
            }
        };
        let other = counts.get(used..).into_iter().flatten().sum();
        counts.truncate(used);
        CategoryCounts { counts, other }
    }

    /// The `limit` most frequent values in a mask, null aside, equal counts by value; and
    /// how many rows have others.
    pub fn top(&self, mask: &Mask, limit: usize) -> Result<(Vec<CategoryCount>, u32), QueryError> {
        let CategoryCounts { counts, mut other } = self.counts(mask);
        let ranks = ranks(&self.values()?)?;
        let rank = |code: u16| ranks.get(usize::from(code)).copied().unwrap_or_default();
        let null = self.null_code();
        let coded = counts.into_iter().enumerate();
        let mut top: Vec<CategoryCount> = coded
            .map(|(code, count)| CategoryCount { code: code as u16, count })
            .filter(|entry| entry.count > 0 && Some(entry.code) != null)
            .collect();
        top.sort_unstable_by(|a, b| b.count.cmp(&a.count).then(rank(a.code).cmp(&rank(b.code))));
        other += top.iter().skip(limit).map(|entry| entry.count).sum::<u32>();
        top.truncate(limit);
        Ok((top, other))
    }
}
