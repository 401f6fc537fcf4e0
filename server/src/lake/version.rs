//! Versions of tables: a Delta integer, two of them for what changed between, or a fingerprint of the files where there is no log.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::error::LakeError;

/// The version that an answer is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// A version of a Delta log.
    Delta(u64),
    /// What changed from one version of a Delta log to another.
    Between { from: u64, to: u64 },
    /// A hash over names, sizes and ETags (or modification times) of the files.
    Files(u64),
}

/// The version that a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionSpec {
    /// Whatever is newest when the table is opened.
    #[default]
    Latest,
    /// Exactly this version.
    Exact(Version),
    /// The newest version that is not younger than this.
    AsOf(DateTime<Utc>),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delta(number) => write!(f, "{number}"),
            Self::Between { from, to } => write!(f, "{from}..{to}"),
            Self::Files(hash) => write!(f, "f-{hash:016x}"),
        }
    }
}

impl Serialize for Version {
    /// An integer for Delta, a string for two of them or a fingerprint, as the HTTP contract has it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Delta(number) => serializer.serialize_u64(*number),
            Self::Between { .. } | Self::Files(_) => serializer.collect_str(self),
        }
    }
}

impl FromStr for Version {
    type Err = LakeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || LakeError::VersionSyntax { text: text.chars().take(100).collect() };
        if let Some(hex) = text.strip_prefix("f-") {
            if hex.len() != 16 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(invalid());
            }
            return u64::from_str_radix(hex, 16).map(Self::Files).or(Err(invalid()));
        }
        if let Some((from, to)) = text.split_once("..") {
            let number = |text: &str| match text.parse() {
                Ok(Self::Delta(number)) => Ok(number),
                _ => Err(invalid()),
            };
            return Ok(Self::Between { from: number(from)?, to: number(to)? });
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        text.parse().map(Self::Delta).or(Err(invalid()))
    }
}

impl FromStr for VersionSpec {
    type Err = LakeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text == "latest" {
            return Ok(Self::Latest);
        }
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Self::AsOf(time.with_timezone(&Utc))),
            Err(_) => text.parse().map(Self::Exact),
        }
    }
}

impl fmt::Display for VersionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Exact(version) => version.fmt(f),
            Self::AsOf(time) => f.write_str(&time.to_rfc3339()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_read_back_as_they_print() {
        for text in ["0", "17", "18446744073709551615", "f-00ff00ff00ff00ff", "3..17"] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), text);
        }
        assert_eq!(serde_json::to_string(&Version::Delta(3)).unwrap(), "3");
        assert_eq!(serde_json::to_string(&Version::Files(10)).unwrap(), "\"f-000000000000000a\"");
    }

    #[test]
    fn timestamps_ask_for_the_version_of_that_time() {
        let spec: VersionSpec = "2024-05-01T10:00:00+02:00".parse().unwrap();
        assert_eq!(spec.to_string(), "2024-05-01T08:00:00+00:00");
        assert_eq!("latest".parse::<VersionSpec>().unwrap(), VersionSpec::Latest);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "-1",
            "1.0",
            "f-12",
            "f-00ff00ff00ff00fg",
            "yesterday",
            "+3",
            "18446744073709551616",
            "0x10",
            "3..",
            "..3",
            "1..2..3",
            "1..f-00ff00ff00ff00ff",
        ] {
            assert!(text.parse::<VersionSpec>().is_err(), "{text}");
        }
    }
}
