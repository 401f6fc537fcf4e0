//! What the data worker and the reader of dropped files (package `reader`) say to each
//! other. Bytes of the stream travel
//! beside, as buffers; each is asked for, so that no more than one waits. Pure.

use serde::{Deserialize, Serialize};

/// The rows of the file, in the metadata of the stream's schema.
pub const TOTAL_ROWS: &str = "limn.total_rows";

/// Data worker → reader. The first carries the `File`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Columns in this order; all, if absent.
    Read { name: String, format: FileFormat, columns: Option<Vec<String>> },
    /// The next bytes.
    Next,
}

/// Reader → data worker, where it is not bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tell {
    Done,
    Failed {
        detail: String,
    },
    /// Its script did not start, or it is about to die.
    Panicked {
        text: String,
    },
}

/// How a file's content is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    Arrow,
    Parquet,
    Csv,
}

impl FileFormat {
    pub fn name(self) -> &'static str {
        match self {
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// Bytes at the start of a file that tell its format.
pub const HEAD_BYTES: usize = 4096;

/// The format of a file by its content, or what it is instead.
pub fn format_of(head: &[u8], name: &str) -> Result<FileFormat, String> {
    let refused = |what: &str| Err(format!("{name}: {what}"));
    match head {
        [] => refused("the file is empty"),
        [b'P', b'A', b'R', b'1', ..] => Ok(FileFormat::Parquet),
        [b'P', b'A', b'R', b'E', ..] => refused("the file is encrypted"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xFF, 0xFF, 0xFF, 0xFF, ..] => {
            Ok(FileFormat::Arrow)
        }
        [b'F', b'E', b'A', b'1', ..] => refused("feather of version 1 is not supported"),
        [0x1F, 0x8B, ..] => refused("the file is compressed by gzip: unpack it first"),
        [b'P', b'K', 3, 4, ..] => refused("the file is a zip archive: unpack it first"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => refused("the file is compressed by zstd: unpack it first"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => refused("the text is UTF-16: save it as UTF-8"),
        _ if head.contains(&0) => refused("neither Parquet nor Arrow nor text"),
        _ => Ok(FileFormat::Csv),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_the_format() {
        for (head, format) in [
            (&b"PAR1\x15"[..], FileFormat::Parquet),
            (b"ARROW1\0\0", FileFormat::Arrow),
            (b"\xff\xff\xff\xff\x10", FileFormat::Arrow),
            (b"a,b\n1,2\n", FileFormat::Csv),
            (b"\xef\xbb\xbfa;b\n", FileFormat::Csv),
        ] {
            assert_eq!(format_of(head, "x").unwrap(), format);
        }
        for (head, word) in [
            (&b""[..], "empty"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"PK\x03\x04", "zip"),
            (b"\xff\xfea\0", "UTF-16"),
            (b"GIF89a\0", "neither"),
        ] {
            let error = format_of(head, "my file").unwrap_err();
            assert!(error.starts_with("my file: ") && error.contains(word), "{error}");
        }
    }
}
