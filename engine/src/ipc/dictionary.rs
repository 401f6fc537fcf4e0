//! Dictionaries by id, as batches of them arrive: first ones, replacements, and deltas that
//! extend what there is.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_schema::DataType;

use super::columns::Column;
use super::error::IpcError;
use super::limits::DecodeLimits;
use crate::gather::concat;

/// Each delta copies what came before it. This many times the limit on decoded bytes may
/// be copied in all, so that a stream of many small deltas cannot cost its square in time.
const COPIED_BYTES_FACTOR: u64 = 16;

#[derive(Debug, Default)]
pub(crate) struct Dictionaries {
    entries: BTreeMap<i64, Entry>,
    n_copied_bytes: u64,
}

#[derive(Debug)]
struct Entry {
    /// Values in order; more than one part until someone asks.
    parts: Vec<ArrayRef>,
    n_bytes: usize,
}

impl Dictionaries {
    /// Takes the values of a dictionary batch, which cost `n_bytes` to hold.
    pub(crate) fn insert(
        &mut self,
        id: i64,
        column: &Column,
        values: ArrayRef,
        n_bytes: usize,
        is_delta: bool,
        limits: &DecodeLimits,
    ) -> Result<(), IpcError> {
        match self.entries.get_mut(&id).filter(|_| is_delta) {
            Some(entry) => {
                check_extensible(column)?;
                entry.parts.push(values);
                entry.n_bytes = entry.n_bytes.saturating_add(n_bytes);
            }
            None => {
                self.entries.insert(id, Entry { parts: vec![values], n_bytes });
            }
        }
        let n_all = self.entries.values().fold(0, |sum: usize, e| sum.saturating_add(e.n_bytes));
        IpcError::check_limit(
            "the size of all dictionaries in bytes",
            n_all,
            limits.decoded_bytes_max,
        )
    }

    /// Joins the parts of the dictionaries that `columns` read.
    pub(crate) fn settle<'c>(
        &mut self,
        columns: impl IntoIterator<Item = &'c Column>,
        limits: &DecodeLimits,
    ) -> Result<(), IpcError> {
        for column in columns {
            if let Some(id) = column.dictionary {
                self.join(id, column, limits)?;
            } else {
                self.settle(&column.children, limits)?;
            }
        }
        Ok(())
    }

    /// Whether a dictionary that the column reads was never sent.
    pub(crate) fn is_lacking(&self, column: &Column) -> bool {
        match column.dictionary {
            Some(id) => !self.entries.contains_key(&id),
            None => column.children.iter().any(|child| self.is_lacking(child)),
        }
    }

    /// The values of a dictionary, if any were sent; call [`Self::settle`] before.
    pub(crate) fn values(&self, id: i64) -> Option<&ArrayRef> {
        self.entries.get(&id).and_then(|entry| entry.parts.first())
    }

    fn join(&mut self, id: i64, column: &Column, limits: &DecodeLimits) -> Result<(), IpcError> {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.parts.len() > 1) else {
            return Ok(());
        };
        self.n_copied_bytes = self.n_copied_bytes.saturating_add(entry.n_bytes as u64);
        let copied_max = (limits.decoded_bytes_max as u64).saturating_mul(COPIED_BYTES_FACTOR);
        if self.n_copied_bytes > copied_max {
            return Err(IpcError::TooLarge {
                what: "the cost of dictionary deltas in bytes",
                value: self.n_copied_bytes,
                max: copied_max,
            });
        }
        check_joinable(&entry.parts, column, limits)?;
        let parts: Vec<&dyn Array> = entry.parts.iter().map(AsRef::as_ref).collect();
        let joined =
            concat(&parts).map_err(|source| IpcError::Array { at: column.place(), source })?;
        entry.parts = vec![joined];
        Ok(())
    }
}

/// Deltas of nested values would need checks of their own on every level, and no writer
/// known to us makes them.
fn check_extensible(column: &Column) -> Result<(), IpcError> {
    let values = column.value_type();
    if values.is_nested() || matches!(values, DataType::Dictionary(..)) {
        return Err(IpcError::unsupported(column.place(), "a dictionary delta of nested values"));
    }
    Ok(())
}

/// Joining must neither overflow the offsets nor exceed the limit on rows.
fn check_joinable(
    parts: &[ArrayRef],
    column: &Column,
    limits: &DecodeLimits,
) -> Result<(), IpcError> {
    let n_rows = parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len()));
    IpcError::check_limit("the length of a dictionary", n_rows, limits.rows_max)?;
    let n_bytes = match column.value_type() {
        DataType::Utf8 => {
            sum_of_ends::<i32>(parts.iter().map(|p| p.as_string::<i32>().offsets().last()))
        }
        DataType::Binary => {
            sum_of_ends::<i32>(parts.iter().map(|p| p.as_binary::<i32>().offsets().last()))
        }
        _ => 0,
    };
    if n_bytes > i32::MAX as usize {
        return Err(column.bad("a dictionary of more than 2 GiB needs a large type"));
    }
    Ok(())
}

fn sum_of_ends<'a, O: OffsetSizeTrait>(ends: impl Iterator<Item = Option<&'a O>>) -> usize {
    ends.flatten().fold(0, |sum: usize, end| sum.saturating_add(end.as_usize()))
}
