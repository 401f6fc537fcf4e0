//! Values into columns of the types that were found. A value that does not fit its column is
//! an error that names both; text takes every value, as it is written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer};
use arrow_cast::parse::Parser;
use arrow_schema::{DataType, FieldRef, Fields, Schema, SchemaRef};

use super::parse::{Node, Value};
use crate::stream::ReadError;

/// The columns of a batch in the making.
pub struct Columns {
    columns: Vec<(String, Build)>,
    places: HashMap<String, usize>,
    /// The row in which each column was last given a value, counted from 1.
    given: Vec<usize>,
    rows: usize,
}

impl Columns {
    pub fn new(schema: &Schema) -> Result<Self, ReadError> {
        let one = |field: &FieldRef| Ok((field.name().clone(), Build::new(field.data_type())?));
        let columns: Vec<(String, Build)> =
            schema.fields().iter().map(one).collect::<Result<_, ReadError>>()?;
        let places = columns.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
        let given = vec![0; columns.len()];
        Ok(Self { columns, places, given, rows: 0 })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn push(
        &mut self,
        fields: &[(Cow<'_, str>, Node<'_>)],
        line: u64,
    ) -> Result<(), ReadError> {
        self.rows += 1;
        // The last of a key's values counts.
        for (key, node) in fields.iter().rev() {
            let Some(&place) = self.places.get(key.as_ref()) else { continue };
            let (Some(given), Some((name, build))) =
                (self.given.get_mut(place), self.columns.get_mut(place))
            else {
                continue;
            };
            if std::mem::replace(given, self.rows) == self.rows {
                continue;
            }
            build.push(node).map_err(|wanted| misfit(line, name, wanted, node))?;
        }
        for ((_, build), given) in self.columns.iter_mut().zip(&self.given) {
            if *given != self.rows {
                build.push_null();
            }
        }
        Ok(())
    }

    pub fn finish(&mut self, schema: &SchemaRef) -> Result<RecordBatch, ReadError> {
        self.rows = 0;
        self.given.fill(0);
        let arrays = self.columns.iter_mut().map(|(_, build)| build.finish());
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
    }
}

fn misfit(line: u64, name: &str, wanted: &str, node: &Node<'_>) -> ReadError {
    let short: String = node.raw.chars().take(60).collect();
    ReadError::Bad(format!("line {line}, column {name:?}: {wanted} was expected, here is {short}"))
}

enum Build {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Decimal(Decimal128Builder),
    Float(Float64Builder),
    Day(Date32Builder),
    Moment(TimestampMicrosecondBuilder, bool),
    Text(StringBuilder),
    List { item: FieldRef, items: Box<Build>, offsets: Vec<i32>, nulls: NullBufferBuilder },
    Object { fields: Fields, children: Vec<Build>, nulls: NullBufferBuilder },
}

/// What the value should have been.
type Misfit = &'static str;

impl Build {
    fn new(data_type: &DataType) -> Result<Self, ReadError> {
        Ok(match data_type {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int64 => Self::Int(Int64Builder::new()),
            DataType::Decimal128(..) => {
                Self::Decimal(Decimal128Builder::new().with_data_type(data_type.clone()))
            }
            DataType::Float64 => Self::Float(Float64Builder::new()),
            DataType::Date32 => Self::Day(Date32Builder::new()),
            DataType::Timestamp(_, zone) => {
                let builder = TimestampMicrosecondBuilder::new().with_data_type(data_type.clone());
                Self::Moment(builder, zone.is_some())
            }
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::List(item) => Self::List {
                item: Arc::clone(item),
                items: Box::new(Self::new(item.data_type())?),
                offsets: vec![0],
                nulls: NullBufferBuilder::new(0),
            },
            DataType::Struct(fields) => Self::Object {
                fields: fields.clone(),
                children: fields
                    .iter()
                    .map(|field| Self::new(field.data_type()))
                    .collect::<Result<_, _>>()?,
                nulls: NullBufferBuilder::new(0),
            },
            other => return Err(ReadError::Bad(format!("JSON has no {other}"))),
        })
    }

    fn push(&mut self, node: &Node<'_>) -> Result<(), Misfit> {
        match (self, &node.value) {
            (this, Value::Null) => this.push_null(),
            (Self::Bool(builder), Value::Bool(value)) => builder.append_value(*value),
            (Self::Int(builder), Value::Number(text)) => {
                builder.append_value(text.parse().map_err(|_| "an integer of 64 bits")?);
            }
            (Self::Decimal(builder), Value::Number(text)) => {
                let fits = !text.contains(['.', 'e', 'E']) && digits_of(text) <= 38;
                let number = text.parse().ok().filter(|_| fits);
                builder.append_value(number.ok_or("an integer of at most 38 digits")?);
            }
            (Self::Float(builder), Value::Number(text)) => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                builder.append_value(number.ok_or("a number within the range of floating point")?);
            }
            (Self::Day(builder), Value::Text(text)) => {
                builder.append_value(day_of(text).ok_or("a date")?);
            }
            (Self::Moment(builder, zoned), Value::Text(text)) => match moment_of(text) {
                Some((micros, zone)) if zone == *zoned => builder.append_value(micros),
                _ if *zoned => return Err("a time with its zone"),
                _ => return Err("a time without zone"),
            },
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_value(node.raw),
            (Self::List { items, offsets, nulls, .. }, Value::List(values)) => {
                for value in values {
                    items.push(value)?;
                }
                let end = offsets.last().copied().unwrap_or_default();
                let n_items = i32::try_from(values.len()).ok().and_then(|n| end.checked_add(n));
                offsets.push(n_items.ok_or("a shorter list")?);
                nulls.append_non_null();
            }
            (Self::Object { fields, children, nulls }, Value::Object(values)) => {
                for (at, (field, child)) in fields.iter().zip(children).enumerate() {
                    let same = |(key, _): &&(Cow<'_, str>, Node<'_>)| key == field.name();
                    // Objects mostly have the same fields in the same order.
                    let found =
                        values.get(at).filter(same).filter(|_| values.len() == fields.len());
                    match found.or_else(|| values.iter().rev().find(same)) {
                        Some((_, node)) => child.push(node)?,
                        None => child.push_null(),
                    }
                }
                nulls.append_non_null();
            }
            (this, _) => return Err(this.wanted()),
        }
        Ok(())
    }

    fn wanted(&self) -> Misfit {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Decimal(_) | Self::Float(_) => "a number",
            Self::Day(_) => "a date",
            Self::Moment(..) => "a time",
            Self::Text(_) => "a text",
            Self::List { .. } => "a list",
            Self::Object { .. } => "an object",
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Bool(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Decimal(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Day(builder) => builder.append_null(),
            Self::Moment(builder, _) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::List { offsets, nulls, .. } => {
                offsets.push(offsets.last().copied().unwrap_or_default());
                nulls.append_null();
            }
            Self::Object { children, nulls, .. } => {
                children.iter_mut().for_each(Self::push_null);
                nulls.append_null();
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ReadError> {
        Ok(match self {
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Day(builder) => Arc::new(builder.finish()),
            Self::Moment(builder, _) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::List { item, items, offsets, nulls } => {
                let offsets = std::mem::replace(offsets, vec![0]);
                let offsets = OffsetBuffer::new(offsets.into());
                let items = items.finish()?;
                Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, nulls.finish())?)
            }
            Self::Object { fields, children, nulls } => {
                let children: Vec<ArrayRef> =
                    children.iter_mut().map(Self::finish).collect::<Result<_, _>>()?;
                let rows = children.first().map_or(0, |child| child.len());
                let nulls = nulls.finish();
                Arc::new(StructArray::try_new_with_length(fields.clone(), children, nulls, rows)?)
            }
        })
    }
}

/// Digits of an integer, leading zeros being none.
pub fn digits_of(text: &str) -> usize {
    text.trim_start_matches('-').len()
}

/// `YYYY-MM-DD` as days since 1970.
pub fn day_of(text: &str) -> Option<i32> {
    (text.len() == 10 && looks(text, "0000-00-00")).then(|| Date32Type::parse(text)).flatten()
}

/// A time of ISO 8601 as microseconds since 1970 UTC, and whether it has a zone. More digits
/// than microseconds are refused: nothing is rounded.
pub fn moment_of(text: &str) -> Option<(i64, bool)> {
    let (day, rest) = text.split_at_checked(10)?;
    let time = rest.strip_prefix(['T', ' '])?;
    if !looks(day, "0000-00-00") || !looks(time.get(..5)?, "00:00") {
        return None;
    }
    let zone = time.find(['Z', 'z', '+', '-']);
    let clock = time.get(..zone.unwrap_or(time.len()))?;
    let fraction = clock.split_once('.').map_or("", |(_, fraction)| fraction);
    if fraction.len() > 6 {
        return None;
    }
    TimestampMicrosecondType::parse(text).map(|micros| (micros, zone.is_some()))
}

/// Whether a text has digits where the pattern has zeros, and its signs elsewhere.
fn looks(text: &str, pattern: &str) -> bool {
    let same = |(byte, wanted): (u8, u8)| match wanted {
        b'0' => byte.is_ascii_digit(),
        sign => byte == sign,
    };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(same)
}
