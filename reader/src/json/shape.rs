//! What values of a column have in common, and the type that holds them all exactly.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, TimeUnit};

use super::build::{day_of, digits_of, moment_of};
use super::field;
use super::parse::{Node, Value};

/// Columns of a table, and fields of an object; objects with more are texts.
const COLUMNS_MAX: usize = 4096;
const FIELDS_MAX: usize = 500;
/// What nests deeper is shown as text.
const DEPTH_MAX: usize = 10;
/// Digits that a decimal of 128 bits holds.
const DIGITS_MAX: usize = 38;
/// Integers beyond are not exact as floating point.
const EXACT_MAX: u64 = 1 << 53;

#[derive(Debug, Clone, Default)]
pub enum Shape {
    /// Nothing but nulls so far.
    #[default]
    Unknown,
    Bool,
    Number(Numbers),
    Text(Texts),
    List(Box<Shape>),
    Object(Objects),
    /// Of no one type.
    Mixed,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Numbers {
    has_fraction: bool,
    /// Integers that are not exact in floating point.
    is_wide: bool,
    /// Integers beyond 64 bits.
    is_big: bool,
    /// More digits than any number type holds.
    is_huge: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Texts {
    is_days: bool,
    is_moments: bool,
    has_zone: bool,
    lacks_zone: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Objects {
    fields: Vec<(String, Shape)>,
    places: HashMap<String, usize>,
}

impl Shape {
    /// Of rows before any has come.
    pub fn record() -> Self {
        Self::Object(Objects::default())
    }

    pub fn observe_record(&mut self, fields: &[(Cow<'_, str>, Node<'_>)]) -> Result<(), String> {
        let Self::Object(objects) = self else { return Ok(()) };
        match objects.observe(fields, 0, COLUMNS_MAX) {
            true => Ok(()),
            false => Err(format!("more than {COLUMNS_MAX} columns")),
        }
    }

    fn observe(&mut self, node: &Node<'_>, depth: usize) {
        let value = &node.value;
        if matches!(self, Self::Mixed) || matches!(value, Value::Null) {
            return;
        }
        if matches!(self, Self::Unknown) {
            *self = Self::fresh(value);
        }
        let fits = match (&mut *self, value) {
            (Self::Bool, Value::Bool(_)) => true,
            (Self::Number(numbers), Value::Number(text)) => {
                numbers.observe(text);
                true
            }
            (Self::Text(texts), Value::Text(text)) => {
                texts.observe(text);
                true
            }
            (Self::List(shape), Value::List(items)) => {
                items.iter().for_each(|item| shape.observe(item, depth + 1));
                depth < DEPTH_MAX
            }
            (Self::Object(objects), Value::Object(fields)) => {
                depth < DEPTH_MAX && objects.observe(fields, depth + 1, FIELDS_MAX)
            }
            _ => false,
        };
        if !fits {
            *self = Self::Mixed;
        }
    }

    fn fresh(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Unknown,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number(Numbers::default()),
            Value::Text(_) => Self::Text(Texts {
                is_days: true,
                is_moments: true,
                has_zone: false,
                lacks_zone: false,
            }),
            Value::List(_) => Self::List(Box::default()),
            Value::Object(_) => Self::Object(Objects::default()),
        }
    }

    /// The type; paths of what became text because nothing else holds it go to `mixed`.
    pub fn data_type(&self, mixed: &mut Vec<String>, path: &str) -> DataType {
        let is_text = match self {
            Self::Mixed => true,
            Self::Number(numbers) => numbers.data_type().is_none(),
            _ => false,
        };
        if is_text {
            mixed.push(path.to_owned());
        }
        match self {
            Self::Unknown | Self::Mixed => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Number(numbers) => numbers.data_type().unwrap_or(DataType::Utf8),
            Self::Text(texts) => texts.data_type(),
            Self::List(item) => DataType::List(Arc::new(field("item", item, mixed, path))),
            Self::Object(objects) if objects.fields.is_empty() => DataType::Utf8,
            Self::Object(_) => DataType::Struct(Fields::from(self.fields_at(mixed, path))),
        }
    }

    /// The columns of rows.
    pub fn fields(&self, mixed: &mut Vec<String>) -> Vec<Field> {
        self.fields_at(mixed, "")
    }

    fn fields_at(&self, mixed: &mut Vec<String>, path: &str) -> Vec<Field> {
        let Self::Object(objects) = self else { return Vec::new() };
        let one = |(name, shape): &(String, Self)| {
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            field(name, shape, mixed, &below)
        };
        objects.fields.iter().map(one).collect()
    }
}

impl Objects {
    /// False if there are too many fields.
    fn observe(&mut self, fields: &[(Cow<'_, str>, Node<'_>)], depth: usize, max: usize) -> bool {
        for (at, (key, node)) in fields.iter().enumerate() {
            // Rows mostly have the same fields in the same order.
            let here = self.fields.get(at).is_some_and(|(name, _)| name == key);
            let known = if here { Some(at) } else { self.places.get(key.as_ref()).copied() };
            let place = known.unwrap_or_else(|| {
                self.places.insert(key.to_string(), self.fields.len());
                self.fields.push((key.to_string(), Shape::Unknown));
                self.fields.len() - 1
            });
            if place >= max {
                return false;
            }
            if let Some((_, shape)) = self.fields.get_mut(place) {
                shape.observe(node, depth);
            }
        }
        true
    }
}

impl Numbers {
    fn observe(&mut self, text: &str) {
        if text.contains(['.', 'e', 'E']) {
            self.has_fraction = true;
            self.is_huge |= !text.parse::<f64>().is_ok_and(f64::is_finite);
            return;
        }
        match text.parse::<i64>() {
            Ok(number) => self.is_wide |= number.unsigned_abs() > EXACT_MAX,
            Err(_) => {
                self.is_wide = true;
                self.is_big = true;
                self.is_huge |= digits_of(text) > DIGITS_MAX;
            }
        }
    }

    /// `None` where only text is exact.
    fn data_type(self) -> Option<DataType> {
        match self {
            Self { is_huge: true, .. } => None,
            Self { has_fraction: true, is_wide: true, .. } => None,
            Self { has_fraction: true, .. } => Some(DataType::Float64),
            Self { is_big: true, .. } => Some(DataType::Decimal128(DIGITS_MAX as u8, 0)),
            _ => Some(DataType::Int64),
        }
    }
}

impl Texts {
    fn observe(&mut self, text: &str) {
        if !self.is_days && !self.is_moments {
            return;
        }
        self.is_days &= day_of(text).is_some();
        if self.is_moments {
            match moment_of(text) {
                Some((_, true)) => self.has_zone = true,
                Some((_, false)) => self.lacks_zone = true,
                None => self.is_moments = false,
            }
        }
    }

    fn data_type(self) -> DataType {
        let zone = self.has_zone.then(|| Arc::from("UTC"));
        match self {
            Self { is_days: true, .. } => DataType::Date32,
            Self { is_moments: true, has_zone, lacks_zone, .. } if has_zone != lacks_zone => {
                DataType::Timestamp(TimeUnit::Microsecond, zone)
            }
            _ => DataType::Utf8,
        }
    }
}
