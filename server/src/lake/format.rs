//! The formats a table can be in, told by a file's extension.

use serde::Serialize;

/// What a table is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Delta,
    Parquet,
    Csv,
    Arrow,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Arrow => "arrow",
        }
    }

    /// The format of a loose file and its name without the extension, if the extension is known.
    pub fn of_file(file_name: &str) -> Option<(Self, &str)> {
        let (stem, extension) = file_name.rsplit_once('.')?;
        if stem.is_empty() {
            return None;
        }
        let format = match extension.to_ascii_lowercase().as_str() {
            "parquet" | "pq" => Self::Parquet,
            "csv" | "tsv" => Self::Csv,
            "arrow" | "arrows" | "feather" | "ipc" => Self::Arrow,
            _ => return None,
        };
        Some((format, stem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_tell_the_format() {
        for (name, expected) in [
            ("flights.parquet", Some((Format::Parquet, "flights"))),
            ("a.b.CSV", Some((Format::Csv, "a.b"))),
            ("x.tsv", Some((Format::Csv, "x"))),
            ("x.feather", Some((Format::Arrow, "x"))),
            ("x.arrows", Some((Format::Arrow, "x"))),
            ("README.md", None),
            ("parquet", None),
            (".parquet", None),
        ] {
            assert_eq!(Format::of_file(name), expected, "{name}");
        }
    }
}
