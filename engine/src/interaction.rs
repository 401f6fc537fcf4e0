//! Depictio interaction records, read as predicates (seeds D-01, D-03 … D-09, D-14, D-16).
//! A record says which control stands on which column and what it holds; what that means
//! for the rows is decided at [`crate::bind`], where the column's type is known.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{QueryError, QueryErrorKind, nearest_name};
use crate::literal::Literal;

/// A control on a column. Where a table lacks the column, it filters nothing there.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    pub column: String,
    pub control: Control,
}

/// What a control holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// Nothing yet: an empty list, an empty string or null. Filters nothing.
    Unset,
    /// Select, MultiSelect, SegmentedControl and selections in views. Values that are not
    /// of the column's type match nothing.
    OneOf(Vec<Literal>),
    /// TextInput: a pattern, or a substring.
    Text { text: String, is_pattern: bool, case_sensitive: bool },
    /// RangeSlider: both ends included, an open one being `None`.
    Range { low: Option<Literal>, high: Option<Literal> },
    /// DateRangePicker and Timeline: as `Range`, and text is read as dates.
    Dates { low: Option<Literal>, high: Option<Literal> },
    /// Slider.
    Point(Literal),
    /// Checkbox and Switch.
    Switch(bool),
}

type Fields = BTreeMap<String, Box<RawValue>>;

/// Whether a filter node is an interaction record rather than a clause of our own.
pub(crate) fn is_record(fields: &Fields) -> bool {
    let has = |name| fields.contains_key(name);
    has("interactive_component_type")
        || has("metadata")
        || (has("type") && has("column"))
        || (has("source") && has("column_name"))
}

impl Interaction {
    /// Reads a record: flat, nested under `metadata`, or `{component_id, column, type, value}`.
    pub(crate) fn from_record(fields: &Fields, path: &str) -> Result<Self, QueryError> {
        let mut record: Fields = match fields.get("metadata") {
            None => Fields::new(),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| {
                QueryError::malformed(format!("{path}.metadata"), "expected an object")
            })?,
        };
        record.extend(fields.iter().map(|(name, raw)| (name.clone(), raw.clone())));
        let record = Record { fields: record, path };
        if record.raw("filter_expr").is_some() {
            let detail = "expressions of controls are not evaluated".to_owned();
            return Err(record.error("filter_expr", QueryErrorKind::Unsupported { detail }));
        }
        let column = record.text("column_name")?.or(record.text("column")?);
        let column = column.ok_or_else(|| record.malformed("column_name", "missing"))?;
        Ok(Self { column, control: record.control()? })
    }

    /// Whether the control filters nothing, whatever the table.
    pub fn is_unset(&self) -> bool {
        self.control == Control::Unset
    }
}

struct Record<'a> {
    fields: Fields,
    path: &'a str,
}

/// The `value` of a record; empty strings count as null.
enum Value {
    Null,
    Scalar(Literal),
    List(Vec<Option<Literal>>),
}

const COMPONENTS: [&str; 10] = [
    "Select",
    "MultiSelect",
    "SegmentedControl",
    "TextInput",
    "RangeSlider",
    "Slider",
    "DateRangePicker",
    "Timeline",
    "Checkbox",
    "Switch",
];

impl Record<'_> {
    fn control(&self) -> Result<Control, QueryError> {
        let (type_field, component) = match self.text("interactive_component_type")? {
            Some(component) => ("interactive_component_type", Some(component)),
            None => ("type", self.text("type")?),
        };
        let is_selection =
            self.text("source")?.is_some_and(|source| source.ends_with("_selection"));
        match component.as_deref() {
            Some("Select" | "MultiSelect" | "SegmentedControl") => self.one_of(),
            Some("TextInput") => self.text_input(),
            Some("RangeSlider") => {
                let ends = self.ends()?;
                Ok(ends.map_or(Control::Unset, |(low, high)| Control::Range { low, high }))
            }
            Some("DateRangePicker" | "Timeline") => {
                let ends = self.ends()?;
                Ok(ends.map_or(Control::Unset, |(low, high)| Control::Dates { low, high }))
            }
            Some("Slider") => Ok(self.single()?.map_or(Control::Unset, Control::Point)),
            Some("Checkbox" | "Switch") => self.switch(),
            None if is_selection => self.one_of(),
            None => Err(self.malformed("interactive_component_type", "missing")),
            Some(other) => {
                let near = nearest_name(other, COMPONENTS);
                let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                Err(self.malformed(type_field, format!("no control {other:?}{near}")))
            }
        }
    }

    fn one_of(&self) -> Result<Control, QueryError> {
        Ok(match self.value()? {
            Value::Null => Control::Unset,
            Value::Scalar(value) => Control::OneOf(vec![value]),
            Value::List(values) if values.is_empty() => Control::Unset,
            Value::List(values) => Control::OneOf(values.into_iter().flatten().collect()),
        })
    }

    fn text_input(&self) -> Result<Control, QueryError> {
        let is_pattern = match self.text("mode")?.as_deref() {
            None | Some("regex") => true,
            Some("literal") => false,
            Some(_) => return Err(self.malformed("mode", "expected \"regex\" or \"literal\"")),
        };
        let case_sensitive = match self.raw("case_sensitive") {
            None => true,
            Some(raw) => serde_json::from_str(raw.get())
                .map_err(|_| self.malformed("case_sensitive", "expected true or false"))?,
        };
        match self.value()? {
            Value::Null => Ok(Control::Unset),
            Value::List(values) if values.is_empty() => Ok(Control::Unset),
            Value::Scalar(Literal::Text(text)) => {
                Ok(Control::Text { text, is_pattern, case_sensitive })
            }
            _ => Err(self.malformed("value", "expected a string")),
        }
    }

    /// The two ends of a range; `None` if both are open.
    #[expect(clippy::type_complexity, reason = "a pair that is taken apart at once")]
    fn ends(&self) -> Result<Option<(Option<Literal>, Option<Literal>)>, QueryError> {
        let open = |end: Option<Literal>| end.filter(|end| *end != Literal::from(""));
        match self.value()? {
            Value::Null => Ok(None),
            Value::List(values) if values.is_empty() => Ok(None),
            Value::List(values) => {
                let [low, high] = <[_; 2]>::try_from(values)
                    .map_err(|_| self.malformed("value", "expected [low, high]"))?;
                let ends = (open(low), open(high));
                Ok((ends != (None, None)).then_some(ends))
            }
            Value::Scalar(_) => Err(self.malformed("value", "expected [low, high]")),
        }
    }

    /// One value, alone or in a list.
    fn single(&self) -> Result<Option<Literal>, QueryError> {
        match self.value()? {
            Value::Null => Ok(None),
            Value::Scalar(value) => Ok(Some(value)),
            Value::List(mut values) if values.len() <= 1 => Ok(values.pop().flatten()),
            Value::List(_) => Err(self.malformed("value", "expected one value")),
        }
    }

    fn switch(&self) -> Result<Control, QueryError> {
        let Some(value) = self.single()? else { return Ok(Control::Unset) };
        match value.as_text().trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Control::Switch(true)),
            "false" | "0" | "no" | "off" => Ok(Control::Switch(false)),
            _ => Err(self.malformed("value", "expected true or false")),
        }
    }

    /// A field that is there and not null.
    fn raw(&self, name: &str) -> Option<&RawValue> {
        self.fields.get(name).map(Box::as_ref).filter(|raw| raw.get().trim() != "null")
    }

    fn text(&self, name: &str) -> Result<Option<String>, QueryError> {
        self.raw(name)
            .map(|raw| serde_json::from_str(raw.get()))
            .transpose()
            .map_err(|_| self.malformed(name, "expected a string"))
    }

    fn value(&self) -> Result<Value, QueryError> {
        let Some(raw) = self.raw("value") else { return Ok(Value::Null) };
        if let Some(scalar) = Literal::from_json(raw) {
            let is_empty = scalar == Literal::from("");
            return Ok(if is_empty { Value::Null } else { Value::Scalar(scalar) });
        }
        serde_json::from_str(raw.get())
            .map(Value::List)
            .map_err(|_| self.malformed("value", "expected a value or a list of values"))
    }

    fn malformed(&self, name: &str, detail: impl Into<String>) -> QueryError {
        self.error(name, QueryErrorKind::Malformed { detail: detail.into() })
    }

    fn error(&self, name: &str, kind: QueryErrorKind) -> QueryError {
        QueryError::new(format!("{}.{name}", self.path), kind)
    }
}

/// As a flat record, which reads back as the same interaction.
impl Serialize for Interaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const VALUE: &str = "value";
        let component = match &self.control {
            Control::Unset | Control::OneOf(_) => "MultiSelect",
            Control::Text { .. } => "TextInput",
            Control::Range { .. } => "RangeSlider",
            Control::Dates { .. } => "DateRangePicker",
            Control::Point(_) => "Slider",
            Control::Switch(_) => "Switch",
        };
        let mut record = serializer.serialize_map(None)?;
        record.serialize_entry("interactive_component_type", component)?;
        record.serialize_entry("column_name", &self.column)?;
        match &self.control {
            Control::Unset => record.serialize_entry(VALUE, &None::<bool>)?,
            // A list of nothing would mean no filter; this one means no rows.
            Control::OneOf(values) if values.is_empty() => {
                record.serialize_entry(VALUE, &[None::<bool>])?;
            }
            Control::OneOf(values) => record.serialize_entry(VALUE, values)?,
            Control::Text { text, is_pattern, case_sensitive } => {
                record.serialize_entry(VALUE, text)?;
                record.serialize_entry("mode", if *is_pattern { "regex" } else { "literal" })?;
                record.serialize_entry("case_sensitive", case_sensitive)?;
            }
            Control::Range { low, high } | Control::Dates { low, high } => {
                record.serialize_entry(VALUE, &[low, high])?;
            }
            Control::Point(value) => record.serialize_entry(VALUE, value)?,
            Control::Switch(value) => record.serialize_entry(VALUE, value)?,
        }
        record.end()
    }
}

#[cfg(test)]
mod tests;
