//! A column of vectors as one array of numbers, and the table that comes of it.

use std::rc::Rc;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array as _, ArrayRef, Float32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use engine::gather::take;
use engine::ipc::encode::{Compression, Container, Encoder};
use engine::kind::Kind;
use serde_json::Value;

use super::Made;
use super::link::Array;
use crate::mapping::{Column as Of, NO_VECTOR};
use crate::texts;
use crate::worker::host::Host;
use crate::worker::resident::BLOCK_ROWS;
use crate::worker::turn::{Stride, now_millis};

/// More numbers than these are not mapped here: they are in memory several times.
const NUMBERS_MAX: usize = 256 << 20;
/// The cluster of rows that are in none, as the companion calls it.
const NOISE: &str = "noise";
/// Between two looks whether the question before is answered.
const PAUSE_MILLIS: u32 = 10;
/// A column of which nothing more comes for so long is not waited for.
const PATIENCE_MILLIS: f64 = 20_000.0;

/// Rows × dimensions numbers; a row without a vector is NaN.
pub struct Vectors {
    pub values: Vec<f32>,
    pub dimensions: usize,
    /// The rows that are meant, by number; all, if none.
    pub places: Option<Vec<u32>>,
}

impl Vectors {
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.dimensions).unwrap_or_default()
    }

    /// Of all rows, or of those that are selected.
    pub async fn read(host: &Rc<Host>, column: &str, is_selected: bool) -> Result<Self, String> {
        let blocks = blocks_of(host, column).await?;
        let places = match is_selected {
            true => Some(selected(host).await?),
            false => None,
        };
        let mut reading = Reading { column, values: Vec::new(), dimensions: 0, row: 0 };
        let mut stride = Stride::start();
        let mut wanted = places.as_deref();
        for (at, block) in blocks.iter().enumerate() {
            stride.breathe().await;
            let Some(left) = wanted else {
                reading.push(block)?;
                continue;
            };
            let end = (at + 1) * BLOCK_ROWS;
            let (own, rest) = left.split_at(left.partition_point(|&row| (row as usize) < end));
            let own: Vec<u32> = own.iter().map(|&row| row - (at * BLOCK_ROWS) as u32).collect();
            let block = take(block.as_ref(), &own).map_err(|error| error.to_string())?;
            reading.push(&block)?;
            wanted = Some(rest);
        }
        if reading.dimensions == 0 {
            return Err(texts::mapping::no_vectors(column));
        }
        Ok(Self { values: reading.values, dimensions: reading.dimensions, places })
    }
}

/// A column once it is here whole: it may be on its way.
pub async fn blocks_of(host: &Rc<Host>, column: &str) -> Result<Vec<ArrayRef>, String> {
    let missing = || texts::refusals::load_first(&[&column.to_owned()]);
    let (mut rows, mut since) = (0, now_millis());
    loop {
        {
            let data = host.data.borrow();
            let here = data.resident.as_ref().filter(|_| !data.is_remote()).ok_or_else(missing)?;
            let found = here.column(column);
            if let Some(found) = found.filter(|found| found.is_complete()) {
                return Ok(found.blocks().to_vec());
            }
            let so_far = found.map_or(0, |found| found.rows());
            if so_far != rows {
                (rows, since) = (so_far, now_millis());
            }
        }
        if now_millis() - since > PATIENCE_MILLIS {
            return Err(missing());
        }
        gloo_timers::future::TimeoutFuture::new(PAUSE_MILLIS).await;
    }
}

/// The numbers of the rows that pass all filters, once that is known.
async fn selected(host: &Rc<Host>) -> Result<Vec<u32>, String> {
    let epoch = host.data.borrow().epoch();
    let changed = || texts::refusals::SELECTION_CHANGED.to_owned();
    while !host.desk.borrow().is_answered() {
        gloo_timers::future::TimeoutFuture::new(PAUSE_MILLIS).await;
        if host.data.borrow().epoch() != epoch {
            return Err(changed());
        }
    }
    let data = host.data.borrow();
    let rows = data.resident.as_ref().ok_or_else(changed)?.rows();
    let (words, rows) = host.answers.borrow().selection_without(&[], rows);
    let is_set =
        |row: &u32| words.get(*row as usize / 64).is_some_and(|w| w >> (row % 64) & 1 == 1);
    Ok((0..rows as u32).filter(is_set).collect())
}

struct Reading<'a> {
    column: &'a str,
    values: Vec<f32>,
    dimensions: usize,
    row: usize,
}

impl Reading<'_> {
    fn push(&mut self, block: &ArrayRef) -> Result<(), String> {
        let not_vectors = || texts::mapping::not_vectors(self.column);
        let numbers = match block.data_type() {
            DataType::List(_) => numbers(block.as_list::<i32>().values()),
            DataType::LargeList(_) => numbers(block.as_list::<i64>().values()),
            DataType::FixedSizeList(_, _) => numbers(block.as_fixed_size_list().values()),
            _ => None,
        };
        let numbers = numbers.ok_or_else(not_vectors)?;
        for at in 0..block.len() {
            let range = match block.data_type() {
                _ if block.is_null(at) => 0..0,
                DataType::List(_) => range(block.as_list::<i32>().value_offsets(), at),
                DataType::LargeList(_) => range(block.as_list::<i64>().value_offsets(), at),
                _ => {
                    let lists = block.as_fixed_size_list();
                    let start = lists.value_offset(at) as usize;
                    start..start + lists.value_length() as usize
                }
            };
            self.take(numbers.get(range).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Rows before the first vector have none either: they are made when its length is known.
    fn take(&mut self, vector: &[f32]) -> Result<(), String> {
        if self.dimensions == 0 && !vector.is_empty() {
            self.dimensions = vector.len();
            self.values = vec![f32::NAN; self.row * vector.len()];
        }
        match vector.len() {
            0 => self.values.extend(std::iter::repeat_n(f32::NAN, self.dimensions)),
            same if same == self.dimensions => self.values.extend_from_slice(vector),
            other => {
                let (column, d) = (self.column, self.dimensions);
                return Err(texts::mapping::other_length(column, self.row, other, d));
            }
        }
        self.row += 1;
        match self.values.len() <= NUMBERS_MAX {
            true => Ok(()),
            false => Err(texts::mapping::too_many(NUMBERS_MAX as u64)),
        }
    }
}

fn range<T: TryInto<usize> + Copy>(offsets: &[T], at: usize) -> std::ops::Range<usize> {
    let offset = |at: usize| offsets.get(at).and_then(|&o| o.try_into().ok()).unwrap_or_default();
    offset(at)..offset(at + 1)
}

/// Nulls are NaN. None where they are no numbers.
fn numbers(values: &ArrayRef) -> Option<Vec<f32>> {
    fn of<T: ArrowPrimitiveType>(values: &ArrayRef, to: impl Fn(T::Native) -> f32) -> Vec<f32> {
        values.as_primitive::<T>().iter().map(|x| x.map_or(f32::NAN, &to)).collect()
    }
    Some(match values.data_type() {
        DataType::Float16 => of::<Float16Type>(values, f32::from),
        DataType::Float32 => of::<Float32Type>(values, |x| x),
        DataType::Float64 => of::<Float64Type>(values, |x| x as f32),
        DataType::Int8 => of::<Int8Type>(values, f32::from),
        DataType::Int16 => of::<Int16Type>(values, f32::from),
        DataType::Int32 => of::<Int32Type>(values, |x| x as f32),
        DataType::Int64 => of::<Int64Type>(values, |x| x as f32),
        DataType::UInt8 => of::<UInt8Type>(values, f32::from),
        DataType::UInt16 => of::<UInt16Type>(values, f32::from),
        DataType::UInt32 => of::<UInt32Type>(values, |x| x as f32),
        DataType::UInt64 => of::<UInt64Type>(values, |x| x as f32),
        _ => return None,
    })
}

/// What a table has beside the columns that are here.
pub(super) struct Extra {
    /// Of the columns that are here.
    pub(super) rows: usize,
    pub(super) has_vectors: bool,
    /// New columns, of the rows that are meant; one of a name that is there takes its place.
    pub(super) columns: Vec<(String, ArrayRef)>,
}

/// The columns that are here, of the rows that are meant, and beside them new ones: as an Arrow
/// stream.
pub(super) fn encoded(
    host: &Host,
    places: &Option<Vec<u32>>,
    extra: &Extra,
) -> Result<Vec<u8>, String> {
    let changed = || texts::refusals::SELECTION_CHANGED.to_owned();
    let data = host.data.borrow();
    let here = data.resident.as_ref().ok_or_else(changed)?;
    let Extra { rows: n_rows, has_vectors, columns: new } = extra;
    let n_rows = *n_rows;
    let kept = here.columns().iter().filter(|column| {
        let is_new = new.iter().any(|(name, _)| name == column.name());
        let is_vector = column.kind() == Kind::Vector && !has_vectors;
        column.is_complete() && column.rows() == n_rows && !is_vector && !is_new
    });
    let kept: Vec<&str> = kept.map(|column| column.name()).collect();
    let mut fields: Vec<Field> = here
        .schema_of(&kept)
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    fields
        .extend(new.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)));
    let schema = Arc::new(Schema::new(fields));
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let mut encoder = Encoder::new(&schema, Container::Stream, Compression::None)
        .map_err(|error| failed(&error))?;
    let mut from = 0;
    for block in 0..n_rows.div_ceil(BLOCK_ROWS) {
        let own = here.block(&kept, block).ok_or_else(changed)?;
        let columns: Vec<ArrayRef> = match places {
            None => own.columns().to_vec(),
            Some(places) => {
                let first = block * BLOCK_ROWS;
                let in_block = places.iter().filter(|&&row| (row as usize) / BLOCK_ROWS == block);
                let in_block: Vec<u32> = in_block.map(|row| row - first as u32).collect();
                let taken = own.columns().iter().map(|column| take(column.as_ref(), &in_block));
                taken.collect::<Result<_, _>>().map_err(|error| failed(&error))?
            }
        };
        let rows = match places {
            None => own.num_rows(),
            Some(places) => {
                places.iter().filter(|&&row| row as usize / BLOCK_ROWS == block).count()
            }
        };
        let beside = new.iter().map(|(_, array)| array.slice(from, rows));
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().chain(beside).collect());
        encoder.write(&batch.map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
        from += rows;
    }
    encoder.finish().map_err(|error| failed(&error))
}

/// Named as the companion names them.
pub(super) fn made_columns(steps: &[Value], made: &[Made]) -> Vec<(String, ArrayRef)> {
    let mut columns = Vec::new();
    for (step, made) in steps.iter().zip(made) {
        let name = step.get("as").and_then(Value::as_str).unwrap_or("made");
        for (column, array) in &made.columns {
            match (column, array) {
                (Of::Points { dimensions }, Array::Floats(points)) => {
                    for axis in 0..*dimensions {
                        let own = points.iter().skip(axis).step_by((*dimensions).max(1));
                        columns.push((format!("{name}_{}", axis + 1), floats(own)));
                    }
                }
                (_, Array::Labels(labels)) => {
                    let most = labels.iter().copied().max().unwrap_or_default().max(1);
                    let width = most.ilog10() as usize + 1;
                    let text = |label: &i32| match *label {
                        NO_VECTOR => None,
                        noise if noise < 0 => Some(NOISE.to_owned()),
                        label => Some(format!("{label:0width$}")),
                    };
                    let labels: StringArray = labels.iter().map(text).collect();
                    columns.push((name.to_owned(), Arc::new(labels) as ArrayRef));
                }
                (of, Array::Floats(values)) => {
                    let end = match of {
                        Of::Distances => "distance",
                        Of::Probabilities => "probability",
                        _ => "outlier",
                    };
                    columns.push((format!("{name}_{end}"), floats(values.iter())));
                }
            }
        }
    }
    columns
}

/// A row that was left out has no value.
fn floats<'a>(values: impl Iterator<Item = &'a f32>) -> ArrayRef {
    Arc::new(values.map(|x| (!x.is_nan()).then_some(*x)).collect::<Float32Array>())
}
