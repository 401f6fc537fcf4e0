//! Spells out one array after another: views into strings and lists, runs into values.

use std::sync::Arc;

use arrow_array::builder::GenericByteBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, ByteViewType, Int16Type, Int32Type, Int64Type,
    RunEndIndexType, StringViewType, Utf8Type,
};
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, GenericByteViewArray, GenericListArray,
    GenericListViewArray, MapArray, OffsetSizeTrait, RunArray, StructArray, UnionArray, make_array,
};
use arrow_buffer::{ArrowNativeType, OffsetBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, DataType, FieldRef, Fields, UnionFields};

use super::{is_plain, plain_field, plain_fields, plain_union_fields};
use crate::ipc::error::{IpcError, column_place};

/// Why an array cannot be spelled out; the caller knows the column.
pub(super) enum Problem {
    Arrow(ArrowError),
    TooLarge { value: usize, max: usize },
    Offsets,
}

impl From<ArrowError> for Problem {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(error)
    }
}

impl Problem {
    pub(super) fn at(self, column: &str) -> IpcError {
        let at = column_place(column);
        match self {
            Self::Arrow(source) => IpcError::Array { at, source },
            Self::TooLarge { value, max } => IpcError::TooLarge {
                what: "the size of a batch without views and runs in bytes",
                value: value as u64,
                max: max as u64,
            },
            Self::Offsets => IpcError::unsupported(at, "more than 2 GiB of values in one batch"),
        }
    }
}

/// Rebuilds arrays, and counts what that costs.
pub(super) struct Speller {
    n_bytes: usize,
    bytes_max: usize,
}

impl Speller {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { n_bytes: 0, bytes_max }
    }

    /// The array in its plain type.
    pub(super) fn array(&mut self, array: &ArrayRef) -> Result<ArrayRef, Problem> {
        if is_plain(array.data_type()) {
            return Ok(Arc::clone(array));
        }
        match array.data_type() {
            DataType::Utf8View => {
                self.strings::<_, Utf8Type>(array.as_byte_view::<StringViewType>())
            }
            DataType::BinaryView => {
                self.strings::<_, BinaryType>(array.as_byte_view::<BinaryViewType>())
            }
            DataType::ListView(field) => self.list_view(field, array.as_list_view::<i32>()),
            DataType::LargeListView(field) => self.list_view(field, array.as_list_view::<i64>()),
            DataType::List(field) => self.list(field, array.as_list::<i32>()),
            DataType::LargeList(field) => self.list(field, array.as_list::<i64>()),
            DataType::FixedSizeList(field, size) => {
                self.fixed_size_list(field, *size, array.as_fixed_size_list())
            }
            DataType::Struct(fields) => Ok(Arc::new(self.structs(fields, array.as_struct())?)),
            DataType::Map(field, is_sorted) => self.map(field, *is_sorted, array.as_map()),
            DataType::Union(fields, _) => self.union(fields, array.as_union()),
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                Ok(dictionary.with_values(self.array(dictionary.values())?))
            }
            DataType::RunEndEncoded(ends, _) => match ends.data_type() {
                DataType::Int16 => self.runs(array.as_run::<Int16Type>()),
                DataType::Int32 => self.runs(array.as_run::<Int32Type>()),
                _ => self.runs(array.as_run::<Int64Type>()),
            },
            _ => Ok(Arc::clone(array)),
        }
    }

    fn spend(&mut self, n_bytes: usize) -> Result<(), Problem> {
        self.n_bytes = self.n_bytes.saturating_add(n_bytes);
        if self.n_bytes <= self.bytes_max {
            return Ok(());
        }
        Err(Problem::TooLarge { value: self.n_bytes, max: self.bytes_max })
    }

    fn strings<V, T>(&mut self, array: &GenericByteViewArray<V>) -> Result<ArrayRef, Problem>
    where
        V: ByteViewType,
        T: ByteArrayType<Native = V::Native>,
    {
        // Views may share bytes, so the sum can exceed any buffer there is.
        let n_bytes = array.iter().flatten().fold(0, |sum: usize, value| {
            let bytes: &[u8] = value.as_ref();
            sum.saturating_add(bytes.len())
        });
        self.spend(n_bytes.saturating_add(size_of::<T::Offset>() * (array.len() + 1)))?;
        if T::Offset::from_usize(n_bytes).is_none() {
            return Err(Problem::Offsets);
        }
        let mut strings = GenericByteBuilder::<T>::with_capacity(array.len(), n_bytes);
        array.iter().for_each(|value| strings.append_option(value));
        Ok(Arc::new(strings.finish()))
    }

    fn list_view<O: OffsetSizeTrait>(
        &mut self,
        field: &FieldRef,
        list: &GenericListViewArray<O>,
    ) -> Result<ArrayRef, Problem> {
        let items = self.array(list.values())?;
        let ranges: Vec<(usize, usize)> = (0..list.len())
            .map(|row| {
                if list.is_valid(row) {
                    (list.value_offset(row).as_usize(), list.value_size(row).as_usize())
                } else {
                    (0, 0)
                }
            })
            .collect();
        let lengths = || ranges.iter().map(|(_, size)| *size);
        let start = contiguous_start(&ranges);
        let n_items = lengths().fold(start.unwrap_or(0), usize::saturating_add);
        if O::from_usize(n_items).is_none() {
            return Err(Problem::Offsets);
        }
        self.spend(size_of::<O>() * (list.len() + 1))?;
        let items = if start.is_some() { items } else { self.gather(&items, &ranges)? };
        let mut end = start.unwrap_or(0);
        let mut offsets = Vec::with_capacity(list.len() + 1);
        offsets.push(O::usize_as(end));
        offsets.extend(lengths().map(|length| {
            end += length;
            O::usize_as(end)
        }));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let nulls = list.nulls().cloned();
        Ok(Arc::new(GenericListArray::<O>::try_new(plain_field(field), offsets, items, nulls)?))
    }

    fn list<O: OffsetSizeTrait>(
        &mut self,
        field: &FieldRef,
        list: &GenericListArray<O>,
    ) -> Result<ArrayRef, Problem> {
        let items = self.array(list.values())?;
        let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
        Ok(Arc::new(GenericListArray::<O>::try_new(plain_field(field), offsets, items, nulls)?))
    }

    fn fixed_size_list(
        &mut self,
        field: &FieldRef,
        size: i32,
        list: &FixedSizeListArray,
    ) -> Result<ArrayRef, Problem> {
        let items = self.array(list.values())?;
        let (field, nulls) = (plain_field(field), list.nulls().cloned());
        let list = FixedSizeListArray::try_new_with_length(field, size, items, nulls, list.len())?;
        Ok(Arc::new(list))
    }

    fn structs(&mut self, fields: &Fields, array: &StructArray) -> Result<StructArray, Problem> {
        let columns =
            array.columns().iter().map(|child| self.array(child)).collect::<Result<_, _>>()?;
        let (fields, nulls) = (plain_fields(fields), array.nulls().cloned());
        Ok(StructArray::try_new_with_length(fields, columns, nulls, array.len())?)
    }

    fn map(
        &mut self,
        field: &FieldRef,
        is_sorted: bool,
        map: &MapArray,
    ) -> Result<ArrayRef, Problem> {
        let entries = self.structs(map.entries().fields(), map.entries())?;
        let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
        Ok(Arc::new(MapArray::try_new(plain_field(field), offsets, entries, nulls, is_sorted)?))
    }

    fn union(&mut self, fields: &UnionFields, union: &UnionArray) -> Result<ArrayRef, Problem> {
        let children =
            fields.iter().map(|(id, _)| self.array(union.child(id))).collect::<Result<_, _>>()?;
        let (type_ids, offsets) = (union.type_ids().clone(), union.offsets().cloned());
        Ok(Arc::new(UnionArray::try_new(plain_union_fields(fields), type_ids, offsets, children)?))
    }

    fn runs<R: RunEndIndexType>(&mut self, array: &RunArray<R>) -> Result<ArrayRef, Problem> {
        let values = self.array(array.values())?;
        let ends = array.run_ends();
        if ends.is_empty() {
            return Ok(values.slice(0, 0));
        }
        let first = ends.get_start_physical_index();
        let mut start = 0;
        let mut runs = Vec::new();
        for (idx, end) in ends.values().iter().enumerate().skip(first) {
            let end = end.as_usize().saturating_sub(ends.offset()).min(ends.len());
            runs.push((idx, end.saturating_sub(start)));
            start = end;
            if end == ends.len() {
                break;
            }
        }
        let data = values.to_data();
        for (idx, n_rows) in &runs {
            self.spend(bytes_of(&data.slice(*idx, 1)).saturating_mul(*n_rows))?;
        }
        let mut spelled = MutableArrayData::new(vec![&data], false, ends.len());
        for (idx, n_rows) in runs {
            for _ in 0..n_rows {
                spelled.try_extend(0, idx, idx + 1)?;
            }
        }
        Ok(make_array(spelled.freeze()))
    }

    /// Copies ranges of items, one after the other.
    fn gather(&mut self, items: &ArrayRef, ranges: &[(usize, usize)]) -> Result<ArrayRef, Problem> {
        let data = items.to_data();
        let ranges = ranges.iter().filter(|(_, size)| *size > 0);
        let mut n_items = 0;
        for (offset, size) in ranges.clone() {
            self.spend(bytes_of(&data.slice(*offset, *size)))?;
            n_items += size;
        }
        let mut gathered = MutableArrayData::new(vec![&data], false, n_items);
        for (offset, size) in ranges {
            gathered.try_extend(0, *offset, offset + size)?;
        }
        Ok(make_array(gathered.freeze()))
    }
}

/// Where the first range starts, if each begins where the one before it ends.
fn contiguous_start(ranges: &[(usize, usize)]) -> Option<usize> {
    let mut ranges = ranges.iter().filter(|(_, size)| *size > 0);
    let Some((start, size)) = ranges.next() else { return Some(0) };
    let mut end = start + size;
    ranges
        .all(|(offset, size)| {
            let is_next = *offset == end;
            end += size;
            is_next
        })
        .then_some(*start)
}

/// What a copy of the array takes. A dictionary is shared by the copy, so only keys count.
fn bytes_of(data: &ArrayData) -> usize {
    match data.data_type() {
        DataType::Dictionary(keys, _) => keys.primitive_width().unwrap_or(8) * data.len(),
        _ => data.get_slice_memory_size().unwrap_or(usize::MAX),
    }
}
