//! Nodes and buffers of one batch → arrays, along the tree of columns. Buffers are cut to
//! the length that an array needs before arrow validates what is in them, so that its
//! constructors meet nothing but what they check themselves. The walk is here; `layouts`
//! has one function for each layout, `checks` what is checked by hand.

mod checks;
mod layouts;

use std::sync::Arc;

use arrow_array::{ArrayRef, NullArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_ipc as fb;
use arrow_schema::{DataType, UnionMode};
use flatbuffers::VectorIter;

use checks::cut;

use super::body::Body;
use super::columns::{Column, is_backed};
use super::dictionary::Dictionaries;
use super::error::IpcError;
use super::limits::DecodeLimits;

/// Reads the arrays of one batch, in the order of its nodes and buffers.
pub(crate) struct ArrayReader<'a> {
    nodes: Option<VectorIter<'a, fb::FieldNode>>,
    buffers: Option<VectorIter<'a, fb::Buffer>>,
    variadic_counts: Option<VectorIter<'a, i64>>,
    body: Body<'a>,
    dictionaries: &'a Dictionaries,
    limits: &'a DecodeLimits,
    version: fb::MetadataVersion,
    /// The longest that an array without bytes of its own may be.
    rows_unbacked_max: usize,
}

/// Length of an array, and whether its validity counts.
struct Node {
    len: usize,
    /// `None` if the writer did not count.
    null_count: Option<usize>,
}

impl<'a> ArrayReader<'a> {
    pub(crate) fn new(
        batch: &fb::RecordBatch<'a>,
        body: &'a Buffer,
        version: fb::MetadataVersion,
        dictionaries: &'a Dictionaries,
        limits: &'a DecodeLimits,
    ) -> Result<Self, IpcError> {
        Ok(Self {
            nodes: batch.nodes().map(|nodes| nodes.iter()),
            buffers: batch.buffers().map(|buffers| buffers.iter()),
            variadic_counts: batch.variadicBufferCounts().map(|counts| counts.iter()),
            body: Body::new(body, batch.compression(), limits)?,
            dictionaries,
            limits,
            version,
            rows_unbacked_max: limits.rows_unbacked_max,
        })
    }

    /// The length that the batch states, unless it is more than it can have.
    pub(crate) fn n_rows(&mut self, stated: i64, has_backed: bool) -> Result<usize, IpcError> {
        let n_rows = usize::try_from(stated)
            .map_err(|_| IpcError::malformed("batch", format!("a length of {stated} rows")))?;
        IpcError::check_limit("the number of rows of a batch", n_rows, self.limits.rows_max)?;
        if has_backed {
            let plausible = n_rows.min(self.body.rows_plausible());
            self.rows_unbacked_max = self.rows_unbacked_max.max(plausible);
        } else {
            let what = "the number of rows without data";
            IpcError::check_limit(what, n_rows, self.rows_unbacked_max)?;
        }
        Ok(n_rows)
    }

    pub(crate) fn n_decoded_bytes(&self) -> usize {
        self.body.n_decoded()
    }

    /// Everything in the metadata must belong to some column.
    pub(crate) fn finish(mut self) -> Result<(), IpcError> {
        let has_nodes = self.nodes.as_mut().is_some_and(|nodes| nodes.next().is_some());
        let has_buffers = self.buffers.as_mut().is_some_and(|buffers| buffers.next().is_some());
        if has_nodes || has_buffers {
            return Err(IpcError::malformed("batch", "more arrays than the schema has"));
        }
        Ok(())
    }

    /// The next column's array: its keys, if it is of a dictionary type.
    pub(crate) fn column(&mut self, column: &Column) -> Result<ArrayRef, IpcError> {
        match column.dictionary {
            Some(id) => self.keys(column, id),
            None => self.values(column),
        }
    }

    /// An array of the column's value type: what a dictionary batch holds.
    pub(crate) fn values(&mut self, column: &Column) -> Result<ArrayRef, IpcError> {
        let data_type = column.value_type();
        match data_type {
            DataType::Null => {
                let node = self.node(column)?;
                Ok(Arc::new(NullArray::new(node.len)))
            }
            DataType::Boolean => self.booleans(column),
            DataType::Utf8 | DataType::Binary => self.strings(column, size_of::<i32>()),
            DataType::LargeUtf8 | DataType::LargeBinary => self.strings(column, size_of::<i64>()),
            DataType::Utf8View | DataType::BinaryView => self.views(column),
            DataType::List(_) | DataType::Map(..) => self.list(column, size_of::<i32>()),
            DataType::LargeList(_) => self.list(column, size_of::<i64>()),
            DataType::ListView(_) => self.list_view(column, size_of::<i32>()),
            DataType::LargeListView(_) => self.list_view(column, size_of::<i64>()),
            DataType::FixedSizeList(_, size) => self.fixed_size_list(column, *size),
            DataType::Struct(fields) => self.structs(column, fields),
            DataType::Union(fields, mode) => self.union(column, fields, *mode),
            DataType::RunEndEncoded(..) => self.runs(column),
            _ => self.fixed_width(column),
        }
    }

    /// Passes over a column that is not wanted, checking only that it is there.
    pub(crate) fn skip(&mut self, column: &Column) -> Result<(), IpcError> {
        self.node(column)?;
        for _ in 0..self.n_buffers(column)? {
            self.buffer_spec(column)?;
        }
        if column.dictionary.is_none() {
            column.children.iter().try_for_each(|child| self.skip(child))?;
        }
        Ok(())
    }

    fn n_buffers(&mut self, column: &Column) -> Result<usize, IpcError> {
        Ok(match column.field.data_type() {
            DataType::Null | DataType::RunEndEncoded(..) => 0,
            DataType::Struct(_) | DataType::FixedSizeList(..) => 1,
            DataType::Union(_, mode) => {
                usize::from(self.has_union_validity()) + 1 + usize::from(*mode == UnionMode::Dense)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => 3,
            DataType::ListView(_) | DataType::LargeListView(_) => 3,
            DataType::Utf8View | DataType::BinaryView => 2 + self.variadic_count(column)?,
            _ => 2,
        })
    }

    /// Unions had a validity of their own before version 5.
    fn has_union_validity(&self) -> bool {
        self.version < fb::MetadataVersion::V5
    }

    fn node(&mut self, column: &Column) -> Result<Node, IpcError> {
        let node = self
            .nodes
            .as_mut()
            .and_then(|nodes| nodes.next())
            .ok_or_else(|| column.bad("the batch has no node for it"))?;
        let len = usize::try_from(node.length())
            .map_err(|_| column.bad(format!("a length of {}", node.length())))?;
        IpcError::check_limit("the length of an array", len, self.limits.rows_max)?;
        if column.dictionary.is_none() && !is_backed(column.value_type()) {
            let what = "the length of an array without data";
            IpcError::check_limit(what, len, self.rows_unbacked_max)?;
        }
        Ok(Node { len, null_count: usize::try_from(node.null_count()).ok() })
    }

    fn buffer_spec(&mut self, column: &Column) -> Result<&'a fb::Buffer, IpcError> {
        self.buffers
            .as_mut()
            .and_then(|buffers| buffers.next())
            .ok_or_else(|| column.bad("the batch has no buffer for it"))
    }

    fn variadic_count(&mut self, column: &Column) -> Result<usize, IpcError> {
        let count = self.variadic_counts.as_mut().and_then(|counts| counts.next());
        count
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| column.bad("the batch does not count its view buffers"))
    }

    fn buffer(&mut self, column: &Column) -> Result<Buffer, IpcError> {
        let spec = self.buffer_spec(column)?;
        self.body.take(spec, column)
    }

    /// The next buffer, cut to `n_items` of `n_bytes_each`.
    fn buffer_of(
        &mut self,
        column: &Column,
        n_items: usize,
        n_bytes_each: usize,
    ) -> Result<Buffer, IpcError> {
        let buffer = self.buffer(column)?;
        cut(column, &buffer, n_items.checked_mul(n_bytes_each))
    }

    fn validity(&mut self, column: &Column, node: &Node) -> Result<Option<NullBuffer>, IpcError> {
        let spec = self.buffer_spec(column)?;
        // A count of nothing makes the bits needless, whatever they are.
        if node.null_count == Some(0) || (node.null_count.is_none() && spec.length() == 0) {
            return Ok(None);
        }
        let buffer = self.body.take(spec, column)?;
        let bits = cut(column, &buffer, Some(node.len.div_ceil(8)))?;
        let nulls = NullBuffer::new(BooleanBuffer::new(bits, 0, node.len));
        match node.null_count {
            Some(stated) if stated != nulls.null_count() => Err(column
                .bad(format!("{} values are null where {stated} should be", nulls.null_count()))),
            _ => Ok(Some(nulls).filter(|nulls| nulls.null_count() > 0)),
        }
    }

    /// Offsets of `len` items: none at all where there are no items.
    fn offsets(&mut self, column: &Column, len: usize, width: usize) -> Result<Buffer, IpcError> {
        let buffer = self.buffer(column)?;
        if len == 0 && buffer.is_empty() {
            return Ok(buffer);
        }
        let n_bytes = len.checked_add(1).and_then(|n_offsets| n_offsets.checked_mul(width));
        cut(column, &buffer, n_bytes)
    }
}
