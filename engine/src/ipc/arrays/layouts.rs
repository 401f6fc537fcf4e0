//! One function for each layout of an array: which nodes, buffers and children make it up.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, StructArray, UnionArray, make_array, new_empty_array,
};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_data::{ArrayData, ArrayDataBuilder};
use arrow_schema::{ArrowError, DataType, Fields, UnionFields, UnionMode};

use super::checks::{aligned_i32, check_ranges, check_views, shorten};
use super::{ArrayReader, Node};
use crate::ipc::columns::Column;
use crate::ipc::error::IpcError;

impl ArrayReader<'_> {
    pub(super) fn booleans(&mut self, column: &Column) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let bits = self.buffer_of(column, node.len.div_ceil(8), 1)?;
        build(column, builder(column, &node, nulls).add_buffer(bits))
    }

    pub(super) fn fixed_width(&mut self, column: &Column) -> Result<ArrayRef, IpcError> {
        let width = match column.value_type() {
            DataType::FixedSizeBinary(width) => usize::try_from(*width).ok(),
            data_type => data_type.primitive_width(),
        };
        let unknown =
            || IpcError::unsupported(column.place(), format!("type {}", column.value_type()));
        let width = width.ok_or_else(unknown)?;
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let items = self.buffer_of(column, node.len, width)?;
        build(column, builder(column, &node, nulls).add_buffer(items))
    }

    pub(super) fn strings(&mut self, column: &Column, width: usize) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let offsets = self.offsets(column, node.len, width)?;
        let bytes = self.buffer(column)?;
        build(column, builder(column, &node, nulls).add_buffer(offsets).add_buffer(bytes))
    }

    pub(super) fn views(&mut self, column: &Column) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let views = self.buffer_of(column, node.len, size_of::<u128>())?;
        check_views(column, &views)?;
        let mut array = builder(column, &node, nulls).add_buffer(views);
        for _ in 0..self.variadic_count(column)? {
            array = array.add_buffer(self.buffer(column)?);
        }
        build(column, array)
    }

    pub(super) fn list(&mut self, column: &Column, width: usize) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let offsets = self.offsets(column, node.len, width)?;
        let items = self.child(column, 0)?;
        let array = builder(column, &node, nulls).add_buffer(offsets);
        build(column, array.add_child_data(items.to_data()))
    }

    pub(super) fn list_view(
        &mut self,
        column: &Column,
        width: usize,
    ) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let offsets = self.buffer_of(column, node.len, width)?;
        let sizes = self.buffer_of(column, node.len, width)?;
        let items = self.child(column, 0)?;
        check_ranges(column, (&offsets, &sizes), width, items.len())?;
        let array = builder(column, &node, nulls).add_buffer(offsets).add_buffer(sizes);
        build(column, array.add_child_data(items.to_data()))
    }

    pub(super) fn fixed_size_list(
        &mut self,
        column: &Column,
        size: i32,
    ) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let items = self.child(column, 0)?;
        let n_items = usize::try_from(size).ok().and_then(|size| size.checked_mul(node.len));
        let items = shorten(column, items, n_items)?;
        let DataType::FixedSizeList(field, _) = column.value_type() else {
            return Err(column.bad("not a list of fixed size"));
        };
        let field = Arc::clone(field);
        FixedSizeListArray::try_new_with_length(field, size, items, nulls, node.len)
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|source| bad_array(column, source))
    }

    pub(super) fn structs(
        &mut self,
        column: &Column,
        fields: &Fields,
    ) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let children = self.children(column, Some(node.len))?;
        StructArray::try_new_with_length(fields.clone(), children, nulls, node.len)
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|source| bad_array(column, source))
    }

    pub(super) fn union(
        &mut self,
        column: &Column,
        fields: &UnionFields,
        mode: UnionMode,
    ) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        if self.has_union_validity() && self.validity(column, &node)?.is_some() {
            return Err(IpcError::unsupported(column.place(), "a union with nulls of its own"));
        }
        let type_ids = self.buffer_of(column, node.len, 1)?;
        let offsets = match mode {
            UnionMode::Sparse => None,
            UnionMode::Dense => {
                let offsets = self.buffer_of(column, node.len, size_of::<i32>())?;
                Some(ScalarBuffer::<i32>::new(aligned_i32(offsets), 0, node.len))
            }
        };
        let n_items = (mode == UnionMode::Sparse).then_some(node.len);
        let children = self.children(column, n_items)?;
        let type_ids = ScalarBuffer::<i8>::new(type_ids, 0, node.len);
        UnionArray::try_new(fields.clone(), type_ids, offsets, children)
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|source| bad_array(column, source))
    }

    pub(super) fn runs(&mut self, column: &Column) -> Result<ArrayRef, IpcError> {
        let node = self.node(column)?;
        let ends = self.child(column, 0)?;
        let values = self.child(column, 1)?;
        if node.len == 0 {
            // Some writers leave a run of nothing, which no array may have.
            return Ok(new_empty_array(column.value_type()));
        }
        let array = builder(column, &node, None).add_child_data(ends.to_data());
        build(column, array.add_child_data(values.to_data()))
    }

    pub(super) fn keys(&mut self, column: &Column, id: i64) -> Result<ArrayRef, IpcError> {
        let DataType::Dictionary(keys, value_type) = column.field.data_type() else {
            return Err(column.bad("not of a dictionary type"));
        };
        let width = keys.primitive_width().ok_or_else(|| column.bad("keys are not integers"))?;
        let node = self.node(column)?;
        let nulls = self.validity(column, &node)?;
        let keys = self.buffer_of(column, node.len, width)?;
        // A dictionary may be left out where every value is null.
        let values = match self.dictionaries.values(id) {
            Some(values) => Arc::clone(values),
            None => new_empty_array(value_type),
        };
        let array = ArrayData::builder(column.field.data_type().clone())
            .len(node.len)
            .nulls(nulls)
            .add_buffer(keys)
            .add_child_data(values.to_data());
        build(column, array)
    }

    fn child(&mut self, column: &Column, idx: usize) -> Result<ArrayRef, IpcError> {
        let child = column.children.get(idx).ok_or_else(|| column.bad("a child is missing"))?;
        self.column(child).map_err(|error| error.within(column.field.name()))
    }

    /// All children, each cut to `len` if there is one.
    fn children(&mut self, column: &Column, len: Option<usize>) -> Result<Vec<ArrayRef>, IpcError> {
        (0..column.children.len())
            .map(|idx| {
                let child = self.child(column, idx)?;
                if len.is_some() { shorten(column, child, len) } else { Ok(child) }
            })
            .collect()
    }
}

fn builder(column: &Column, node: &Node, nulls: Option<NullBuffer>) -> ArrayDataBuilder {
    ArrayData::builder(column.value_type().clone()).len(node.len).nulls(nulls)
}

/// Validates and builds; buffers that the body did not align are copied.
fn build(column: &Column, builder: ArrayDataBuilder) -> Result<ArrayRef, IpcError> {
    let data = builder.align_buffers(true).build();
    data.map(make_array).map_err(|source| bad_array(column, source))
}

fn bad_array(column: &Column, source: ArrowError) -> IpcError {
    IpcError::Array { at: column.place(), source }
}
