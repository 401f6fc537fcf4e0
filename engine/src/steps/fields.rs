//! The fields of a JSON object, taken one by one; what is left at the end is unknown. A field that
//! is null is as one that is not there.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::QueryError;

/// Fields by name, in their own text, so that numbers keep their digits.
#[derive(Debug, Default)]
pub struct Fields {
    left: BTreeMap<String, Option<Box<RawValue>>>,
    /// Where the object is, as far as faults are told: `steps[1].`
    place: String,
}

impl Fields {
    /// # Errors
    /// Where the text is no object, or names a field twice.
    pub fn read(text: &str) -> Result<Self, QueryError> {
        Self::read_at(text, "", "job")
    }

    /// To blame is `whole` where it is no object, or names a field twice.
    pub(crate) fn read_at(text: &str, place: &str, whole: &str) -> Result<Self, QueryError> {
        let Unique(left) = serde_json::from_str(text)
            .map_err(|error| QueryError::malformed(whole, error.to_string()))?;
        Ok(Self { left, place: place.to_owned() })
    }

    /// What faults call a field of this object.
    pub(crate) fn at(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    pub fn has(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(Option::is_some)
    }

    pub fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.left.remove(name).flatten()
    }

    /// # Errors
    /// Where it is there and no `T`.
    pub fn optional<T>(&mut self, name: &str) -> Result<Option<T>, QueryError>
    where
        T: for<'de> Deserialize<'de>,
    {
        let Some(raw) = self.take(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|error| {
            let text = error.to_string();
            // It counts lines and columns from the part, not the body.
            let detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
            QueryError::malformed(self.at(name), detail)
        })
    }

    /// # Errors
    /// Where it is missing, or no `T`.
    pub fn required<T>(&mut self, name: &str) -> Result<T, QueryError>
    where
        T: for<'de> Deserialize<'de>,
    {
        self.optional(name)?.ok_or_else(|| QueryError::malformed(self.at(name), "missing"))
    }

    /// A number of at least one.
    pub(super) fn counted(&mut self, name: &str, default: usize) -> Result<usize, QueryError> {
        match self.optional(name)?.unwrap_or(default) {
            0 => Err(QueryError::malformed(self.at(name), "it must be at least 1")),
            count => Ok(count),
        }
    }

    /// A field that is still here.
    pub fn first(&self) -> Option<&str> {
        self.left.keys().next().map(String::as_str)
    }
}

/// An object that names no field twice: which of the two would be meant?
struct Unique(BTreeMap<String, Option<Box<RawValue>>>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<_, Option<Box<RawValue>>>()? {
                    if fields.contains_key(&name) {
                        return Err(A::Error::custom(format!("duplicate field `{name}`")));
                    }
                    fields.insert(name, value);
                }
                Ok(Unique(fields))
            }
        }
        from.deserialize_map(Object)
    }
}
