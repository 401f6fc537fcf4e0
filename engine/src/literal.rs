//! Values as a query writes them. A number keeps its text, so that integers beyond
//! 2^53 and decimals never pass through f64.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A scalar of a query: what `value` holds, or one element of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Literal {
    Bool(bool),
    /// A JSON number, as written.
    Number(String),
    Text(String),
}

impl Literal {
    /// The literal in a JSON text; `None` for null, arrays and objects.
    pub fn from_json(raw: &RawValue) -> Option<Self> {
        let text = raw.get().trim();
        match text.as_bytes().first()? {
            b't' => Some(Self::Bool(true)),
            b'f' => Some(Self::Bool(false)),
            b'"' => serde_json::from_str(text).ok().map(Self::Text),
            b'-' | b'0'..=b'9' => Some(Self::Number(text.to_owned())),
            _ => None,
        }
    }

    /// The text of the literal without JSON quoting.
    pub fn as_text(&self) -> &str {
        match self {
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Number(text) | Self::Text(text) => text,
        }
    }
}

impl fmt::Display for Literal {
    /// As JSON, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            other => f.write_str(other.as_text()),
        }
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<f64> for Literal {
    /// Finite numbers only make sense here; NaN and infinities become text.
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::Number(format!("{number:?}"))
        } else {
            Self::Text(number.to_string())
        }
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => value.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Number(text) => RawValue::from_string(text.clone())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(&raw)
            .ok_or_else(|| D::Error::custom("expected a number, a string, true or false"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text_both_ways() {
        for text in ["9007199254740993", "-0.10", "123456789012345678901234567890", "1e3"] {
            let literal: Literal = serde_json::from_str(text).unwrap();
            assert_eq!(literal, Literal::Number(text.to_owned()));
            assert_eq!(serde_json::to_string(&literal).unwrap(), text);
        }
        let text: Literal = serde_json::from_str("\"a\\u00e9\"").unwrap();
        assert_eq!(text, Literal::from("aé"));
        assert!(serde_json::from_str::<Literal>("null").is_err());
        assert!(serde_json::from_str::<Literal>("[1]").is_err());
    }
}
