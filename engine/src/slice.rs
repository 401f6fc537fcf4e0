//! A slice: the immutable answer to a query on one version of a table, and the key that
//! names it. Equal keys mean equal rows, so a key's hash is a cache's file name and an
//! HTTP entity tag; nothing cached under one is ever out of date.

pub mod canonical;

use std::fmt;
use std::str::FromStr;

use arrow_array::{Array, RecordBatch};
use arrow_data::ArrayData;
use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::QueryError;
use crate::query::{Query, Sample};
use canonical::canonical_json;

/// Rows of a table that were fetched, or are being fetched.
#[derive(Debug, Clone)]
pub struct Slice {
    pub key: SliceKey,
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
    /// Whether these are all rows that the key names. What has arrived of an incomplete
    /// slice can be shown, but never stands for the whole.
    pub complete: bool,
}

impl Slice {
    pub fn n_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Bytes of the rows themselves. Arrow's own measure counts a whole chunk for every
    /// array that shares it, which is how batches are decoded.
    pub fn n_bytes(&self) -> usize {
        let columns = self.batches.iter().flat_map(RecordBatch::columns);
        columns.map(|column| bytes_of(&column.to_data())).sum()
    }
}

fn bytes_of(data: &ArrayData) -> usize {
    data.get_slice_memory_size().unwrap_or_else(|_| {
        let buffers = data.buffers().iter().map(|buffer| buffer.len());
        buffers.sum::<usize>() + data.child_data().iter().map(bytes_of).sum::<usize>()
    })
}

/// What determines a slice. Two queries that differ only in how they are spelled (order of
/// members, `1e2` for `100`) have one key; two that could differ in a row never do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceKey {
    pub table: String,
    /// What tells this table from another that once had its name.
    pub uid: String,
    pub version: String,
    /// In the order in which they are wanted; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// The filters as [`canonical_json`]; empty for all rows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub predicate: String,
    #[serde(default, skip_serializing_if = "Reduction::is_none")]
    pub reduction: Reduction,
}

/// What is left out or summed up: nothing, or a sample of the rows that pass the filters,
/// summed in bins, of which a page; in this order where there are several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduction {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bins: Option<Bins>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// Groups and aggregates of a query, each as [`canonical_json`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bins {
    pub group_by: String,
    pub aggregates: String,
}

/// A stretch of the rows in an order, which is [`canonical_json`] and empty for table order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub order_by: String,
    pub offset: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl Reduction {
    pub const NONE: Self = Self { sample: None, bins: None, page: None };

    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The word for it in `limn.reduction`: the one by which rows got fewer.
    pub fn name(&self) -> &'static str {
        match self {
            Self { bins: Some(_), .. } => "bins",
            Self { sample: Some(_), .. } => "sample",
            Self { page: Some(page), .. } if page.offset > 0 || page.limit.is_some() => "page",
            _ => "none",
        }
    }
}

impl SliceKey {
    /// The key of a query's answer. `version` is the one that the query was resolved to,
    /// which it may have left open.
    pub fn from_query(
        query: &Query,
        uid: impl Into<String>,
        version: impl fmt::Display,
    ) -> Result<Self, QueryError> {
        let predicate = if query.filters.is_all() {
            String::new()
        } else {
            canonical_part("filters", &query.filters)?
        };
        let bins = if query.is_grouped() {
            let group_by = canonical_part("group_by", &query.group_by)?;
            let aggregates = canonical_part("aggregates", &query.aggregates)?;
            Some(Bins { group_by, aggregates })
        } else {
            None
        };
        let order_by = if query.order_by.is_empty() {
            String::new()
        } else {
            canonical_part("order_by", &query.order_by)?
        };
        let page = Page { order_by, offset: query.offset, limit: query.limit };
        let is_whole = page.order_by.is_empty() && page.offset == 0 && page.limit.is_none();
        Ok(Self {
            table: query.table.clone(),
            uid: uid.into(),
            version: version.to_string(),
            columns: query.columns.clone(),
            predicate,
            reduction: Reduction { sample: query.sample, bins, page: (!is_whole).then_some(page) },
        })
    }

    /// The name of the slice: the first half of the SHA-256 of its fields, each written
    /// with its length, so that no two keys spell the same bytes. The same on every
    /// platform and in every build; a change of it orphans every cache there is.
    pub fn hash(&self) -> SliceHash {
        let mut fields = Fields(Sha256::new());
        fields.text("limn slice 1");
        fields.text(&self.table);
        fields.text(&self.uid);
        fields.text(&self.version);
        fields.option(self.columns.as_ref(), |fields, columns| {
            fields.number(columns.len() as u64);
            columns.iter().for_each(|column| fields.text(column));
        });
        fields.text(&self.predicate);
        fields.option(self.reduction.sample.as_ref(), |fields, sample| {
            fields.number(sample.rows);
            fields.number(sample.seed);
        });
        fields.option(self.reduction.bins.as_ref(), |fields, bins| {
            fields.text(&bins.group_by);
            fields.text(&bins.aggregates);
        });
        fields.option(self.reduction.page.as_ref(), |fields, page| {
            fields.text(&page.order_by);
            fields.number(page.offset);
            fields.option(page.limit.as_ref(), |fields, limit| fields.number(*limit));
        });
        let digest: [u8; 32] = fields.0.finalize().into();
        let mut hash = [0; 16];
        hash.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        SliceHash(hash)
    }
}

fn canonical_part(field: &str, part: &impl Serialize) -> Result<String, QueryError> {
    let bad = |error: serde_json::Error| QueryError::malformed(field, error.to_string());
    canonical_json(&serde_json::to_string(part).map_err(bad)?).map_err(bad)
}

/// Fields on their way into a hash.
struct Fields(Sha256);

impl Fields {
    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn option<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.0.update([u8::from(value.is_some())]);
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// The 128 bits that name a slice; written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SliceHash([u8; 16]);

/// A text that is not 32 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the hash of a slice: expected 32 hexadecimal digits")]
pub struct BadSliceHash;

impl fmt::Display for SliceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for SliceHash {
    type Err = BadSliceHash;

    fn from_str(text: &str) -> Result<Self, BadSliceHash> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(BadSliceHash);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| BadSliceHash)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl From<SliceHash> for String {
    fn from(hash: SliceHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for SliceHash {
    type Error = BadSliceHash;

    fn try_from(text: String) -> Result<Self, BadSliceHash> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;
