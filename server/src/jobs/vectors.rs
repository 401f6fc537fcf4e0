//! A column of vectors, read from batches into rows of 32-bit floats: whatever kind of list it
//! is and whatever numbers it holds. Rows that have no vector are left out and counted, never
//! taken for zeros. Beyond a budget of memory they are kept in a file and read by blocks.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use embedding::rows::{BLOCK_ROWS, RowSource, are_finite, normalize};
use engine::steps::Normalize;

use super::failure::JobFailure;
use crate::query::vectors::Lists;

/// Vectors that were read.
#[derive(Debug)]
pub(super) struct Vectors {
    pub(super) left_out: LeftOut,
    /// The columns that are kept, of the rows that have a vector.
    pub(super) beside: Vec<RecordBatch>,
    rows: usize,
    dimensions: usize,
    blocks: Blocks,
}

/// Rows that have no vector, by reason, and vectors of no length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) null: u64,
    pub(super) not_finite: u64,
    /// Kept: they have no direction, so nothing is made of them by normalising.
    pub(super) zero: u64,
}

#[derive(Debug)]
enum Blocks {
    Memory(Vec<Box<[f32]>>),
    Disk(File),
}

/// Takes batches whose last column is the vectors.
#[derive(Debug)]
pub(super) struct VectorReader {
    column: String,
    normalize: Normalize,
    memory_bytes: usize,
    scratch: Option<PathBuf>,
    /// Whether the vectors as they came are among the columns that are kept.
    is_kept: bool,
    seen: u64,
    block: Vec<f32>,
    vectors: Vectors,
}

impl VectorReader {
    /// Beyond `memory_bytes` rows go to a file in `scratch`, or the system's temporary folder.
    pub(super) fn new(
        column: &str,
        normalize: Normalize,
        memory_bytes: usize,
        scratch: Option<PathBuf>,
    ) -> Self {
        let vectors = Vectors {
            left_out: LeftOut::default(),
            beside: Vec::new(),
            rows: 0,
            dimensions: 0,
            blocks: Blocks::Memory(Vec::new()),
        };
        let column = column.to_owned();
        let (is_kept, block) = (false, Vec::new());
        Self { column, normalize, memory_bytes, scratch, is_kept, seen: 0, block, vectors }
    }

    /// Keeps the vectors as they came, beside the other columns.
    pub(super) fn keeping(mut self, is_kept: bool) -> Self {
        self.is_kept = is_kept;
        self
    }

    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<(), JobFailure> {
        let Some(at) = batch.num_columns().checked_sub(1) else { return Ok(()) };
        let lists = Lists::new(batch.column(at)).map_err(|error| self.bad(error.to_string()))?;
        let mut keep = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let has_vector = self.take(lists.vector(row))?;
            keep.push(has_vector);
            self.seen += 1;
        }
        let others: Vec<usize> = (0..at + usize::from(self.is_kept)).collect();
        let beside = batch
            .project(&others)
            .and_then(|beside| filter_record_batch(&beside, &BooleanArray::from(keep)));
        let beside = beside.map_err(|error| self.bad(error.to_string()))?;
        if beside.num_rows() > 0 {
            self.vectors.beside.push(beside);
        }
        Ok(())
    }

    /// Whether there is a vector to take.
    fn take(&mut self, vector: Option<&[f32]>) -> Result<bool, JobFailure> {
        let Some(vector) = vector.filter(|vector| !vector.is_empty()) else {
            self.vectors.left_out.null += 1;
            return Ok(false);
        };
        let d = self.vectors.dimensions;
        if d == 0 {
            self.vectors.dimensions = vector.len();
        } else if vector.len() != d {
            let (has, row) = (vector.len(), self.seen);
            let reason = format!(
                "has vectors of different lengths: the first has {d} numbers, row {row} of those that are read has {has}"
            );
            return Err(self.bad_reason(reason));
        }
        if !are_finite(vector) {
            self.vectors.left_out.not_finite += 1;
            return Ok(false);
        }
        self.vectors.left_out.zero += u64::from(vector.iter().all(|x| *x == 0.0));
        let first = self.block.len();
        self.block.extend_from_slice(vector);
        if self.normalize == Normalize::L2 {
            normalize(&mut self.block[first..]);
        }
        self.vectors.rows += 1;
        if self.block.len() == BLOCK_ROWS * self.vectors.dimensions {
            self.put_away()?;
        }
        Ok(true)
    }

    /// The block is full, or the last.
    fn put_away(&mut self) -> Result<(), JobFailure> {
        if self.block.is_empty() {
            return Ok(());
        }
        let bytes = self.vectors.rows * self.vectors.dimensions * size_of::<f32>();
        if let Blocks::Memory(blocks) = &self.vectors.blocks
            && bytes > self.memory_bytes
        {
            let mut file = self.scratch_file().map_err(JobFailure::Scratch)?;
            for block in blocks {
                write_block(&mut file, block).map_err(JobFailure::Scratch)?;
            }
            self.vectors.blocks = Blocks::Disk(file);
        }
        match &mut self.vectors.blocks {
            Blocks::Memory(blocks) => blocks.push(self.block.as_slice().into()),
            Blocks::Disk(file) => {
                write_block(file, &self.block).map_err(JobFailure::Scratch)?;
            }
        }
        self.block.clear();
        Ok(())
    }

    /// Gone with the process, however it ends.
    fn scratch_file(&self) -> std::io::Result<File> {
        match &self.scratch {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        }
    }

    pub(super) fn finish(mut self) -> Result<Vectors, JobFailure> {
        self.put_away()?;
        if self.vectors.rows == 0 {
            let LeftOut { null, not_finite, .. } = self.vectors.left_out;
            let reason = match self.seen {
                0 => "has no rows: none pass the filters, or the table is empty".to_owned(),
                seen => format!(
                    "has no vectors: of {seen} rows {null} have none, and {not_finite} one that is not finite"
                ),
            };
            return Err(self.bad_reason(reason));
        }
        Ok(self.vectors)
    }

    fn bad(&self, reason: String) -> JobFailure {
        self.bad_reason(format!("cannot be read as vectors: {reason}"))
    }

    fn bad_reason(&self, reason: String) -> JobFailure {
        JobFailure::Vectors { column: self.column.clone(), reason }
    }
}

fn write_block(file: &mut File, block: &[f32]) -> std::io::Result<()> {
    let bytes: Vec<u8> = block.iter().flat_map(|x| x.to_le_bytes()).collect();
    file.write_all(&bytes)
}

/// So many numbers of a file, from one on.
fn numbers_at(file: &File, first: usize, many: usize) -> Result<Vec<f32>, embedding::Error> {
    let mut bytes = vec![0; many * size_of::<f32>()];
    let read = file.read_exact_at(&mut bytes, (first * size_of::<f32>()) as u64);
    read.map_err(|error| embedding::Error::Source(error.to_string()))?;
    let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap_or_default());
    Ok(bytes.chunks_exact(size_of::<f32>()).map(number).collect())
}

impl RowSource for Vectors {
    fn rows(&self) -> usize {
        self.rows
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn row(&self, row: usize) -> Result<Vec<f32>, embedding::Error> {
        let d = self.dimensions;
        match &self.blocks {
            Blocks::Memory(blocks) => {
                let from = row % BLOCK_ROWS * d;
                let block = blocks.get(row / BLOCK_ROWS);
                let found = block.and_then(|block| block.get(from..from + d));
                let missing = || embedding::Error::Source(format!("there is no row {row}"));
                found.map(<[f32]>::to_vec).ok_or_else(missing)
            }
            // Its own bytes alone, not its block's.
            Blocks::Disk(file) => numbers_at(file, row * d, d),
        }
    }

    fn block(&self, index: usize) -> Result<Cow<'_, [f32]>, embedding::Error> {
        let missing = || embedding::Error::Source(format!("there is no block {index}"));
        match &self.blocks {
            Blocks::Memory(blocks) => {
                Ok(Cow::Borrowed(blocks.get(index).map(AsRef::as_ref).ok_or_else(missing)?))
            }
            Blocks::Disk(file) => {
                let rows = self.block_rows(index);
                let d = self.dimensions;
                Ok(Cow::Owned(numbers_at(file, rows.start * d, rows.len() * d)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow_array::builder::{
        FixedSizeListBuilder, Float16Builder, Float32Builder, Float64Builder, ListBuilder,
    };
    use std::sync::Arc;

    use arrow_array::types::Float16Type;
    use arrow_array::{Array, ArrayRef, Int64Array};
    use arrow_schema::{DataType, Field};

    use super::*;

    fn batch(vectors: ArrayRef) -> RecordBatch {
        let ids = Arc::new(Int64Array::from_iter_values(0..vectors.len() as i64));
        RecordBatch::try_from_iter([("id", ids as ArrayRef), ("emb", vectors)]).unwrap()
    }

    fn reader(normalize: Normalize, memory_bytes: usize) -> VectorReader {
        VectorReader::new("emb", normalize, memory_bytes, None)
    }

    #[test]
    fn any_kind_of_list_is_read() {
        let mut half = FixedSizeListBuilder::new(Float16Builder::new(), 2);
        let mut double = ListBuilder::new(Float64Builder::new());
        let mut views = ListBuilder::new(Float32Builder::new());
        for row in [[1.0, 2.0], [3.0, 4.0]] {
            for x in row {
                half.values().append_value(
                    <Float16Type as arrow_array::ArrowPrimitiveType>::Native::from_f64(x),
                );
                double.values().append_value(x);
                views.values().append_value(x as f32);
            }
            half.append(true);
            double.append(true);
            views.append(true);
        }
        let views = views.finish();
        let item = Arc::new(Field::new("item", DataType::Float32, true));
        let views = arrow_cast::cast(&views, &DataType::ListView(item)).unwrap();
        for lists in [Arc::new(half.finish()) as ArrayRef, Arc::new(double.finish()), views] {
            let kind = lists.data_type().to_string();
            // A slice begins in the middle of its values.
            for (lists, wanted) in
                [(lists.clone(), vec![1.0, 2.0, 3.0, 4.0]), (lists.slice(1, 1), vec![3.0, 4.0])]
            {
                let mut reader = reader(Normalize::None, usize::MAX);
                reader.push(&batch(lists)).unwrap();
                let vectors = reader.finish().unwrap();
                assert_eq!(vectors.block(0).unwrap().as_ref(), wanted, "{kind}");
            }
        }
    }

    fn lists(rows: &[Option<&[Option<f32>]>]) -> ArrayRef {
        let mut lists = ListBuilder::new(Float32Builder::new());
        for row in rows {
            lists.values().extend(row.unwrap_or_default().iter().copied());
            lists.append(row.is_some());
        }
        Arc::new(lists.finish())
    }

    #[test]
    fn what_is_no_vector_is_left_out_and_counted() {
        let mut reader = reader(Normalize::L2, usize::MAX);
        let nan = [Some(1.0), Some(f32::NAN)];
        let rows: [Option<&[Option<f32>]>; 7] = [
            Some(&[Some(3.0), Some(4.0)]),
            None,
            Some(&nan),
            Some(&[]),
            Some(&[Some(1.0), None]),
            Some(&[Some(0.0), Some(0.0)]),
            Some(&[Some(f32::INFINITY), Some(0.0)]),
        ];
        reader.push(&batch(lists(&rows))).unwrap();
        let vectors = reader.finish().unwrap();
        assert_eq!(vectors.left_out, LeftOut { null: 2, not_finite: 3, zero: 1 });
        assert_eq!(vectors.block(0).unwrap().as_ref(), [0.6, 0.8, 0.0, 0.0]);
        let ids = vectors.beside.first().unwrap().column(0);
        assert_eq!(ids.as_ref(), &Int64Array::from(vec![0, 5]));
    }

    #[test]
    fn lengths_that_differ_are_refused() {
        let mut reader = reader(Normalize::None, usize::MAX);
        let rows: [Option<&[Option<f32>]>; 2] = [Some(&[Some(1.0)]), Some(&[Some(1.0), Some(2.0)])];
        let error = reader.push(&batch(lists(&rows))).unwrap_err().to_string();
        assert!(error.contains("\"emb\"") && error.contains("row 1 "), "{error}");
    }

    #[test]
    fn more_than_fits_is_kept_in_a_file() {
        let n = 3 * BLOCK_ROWS + 7;
        let value = |row: usize, column: usize| (row * 3 + column) as f32;
        let rows: Vec<Vec<Option<f32>>> =
            (0..n).map(|row| (0..3).map(|column| Some(value(row, column))).collect()).collect();
        let rows: Vec<Option<&[Option<f32>]>> = rows.iter().map(|row| Some(&row[..])).collect();
        let mut reader = reader(Normalize::None, 2 * BLOCK_ROWS * 12);
        for part in rows.chunks(1000) {
            reader.push(&batch(lists(part))).unwrap();
        }
        let vectors = reader.finish().unwrap();
        assert!(matches!(vectors.blocks, Blocks::Disk(_)));
        assert_eq!((vectors.rows(), vectors.n_blocks()), (n, 4));
        let all: Vec<f32> =
            (0..4).flat_map(|index| vectors.block(index).unwrap().into_owned()).collect();
        assert!(all.iter().enumerate().all(|(at, x)| *x == at as f32));
        assert_eq!(vectors.row(2 * BLOCK_ROWS + 1).unwrap(), [6147.0, 6148.0, 6149.0]);
    }
}
