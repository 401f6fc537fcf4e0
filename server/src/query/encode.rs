//! Batches to bytes: the formats that an answer can have, for HTTP and the command alike.
//!
//! An [`Encoder`] takes batches of one schema in order and gives chunks of bytes back, so an
//! answer leaves while it is still being computed. Knows Arrow; nothing of HTTP or of plans.

use std::fmt;
use std::str::FromStr;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, SchemaRef};
use bytes::Bytes;
use serde_json::value::RawValue;

use super::failure::QueryFailure;
use compress::ContentEncoding;

mod arrow;
mod cell;
pub mod compress;
mod csv;
mod json;
mod parquet;
pub mod plain;
mod text;
mod time;

/// The formats of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerFormat {
    ArrowStream,
    ArrowFile,
    Parquet,
    Csv,
    Json,
    Ndjson,
}

impl AnswerFormat {
    pub const ALL: [Self; 6] =
        [Self::ArrowStream, Self::ArrowFile, Self::Parquet, Self::Csv, Self::Json, Self::Ndjson];

    /// The name in `?format=` and `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ArrowStream => "arrow-stream",
            Self::ArrowFile => "arrow-file",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::ArrowStream => "application/vnd.apache.arrow.stream",
            Self::ArrowFile => "application/vnd.apache.arrow.file",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// Of a downloaded file.
    pub fn extension(self) -> &'static str {
        match self {
            Self::ArrowStream => "arrows",
            Self::ArrowFile => "arrow",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }

    /// Text compresses well under HTTP; the others carry their own compression.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Json | Self::Ndjson)
    }
}

impl fmt::Display for AnswerFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AnswerFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no format {text:?}; expected one of {names}")
        })
    }
}

/// Compression inside Arrow and Parquet answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BodyCompression {
    /// None in Arrow, ZSTD in Parquet.
    #[default]
    Default,
    None,
    Lz4,
    Zstd,
}

impl BodyCompression {
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::None => "none",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl FromStr for BodyCompression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "lz4" => Ok(Self::Lz4),
            "zstd" => Ok(Self::Zstd),
            other => Err(format!("no compression {other:?}; expected none, lz4 or zstd")),
        }
    }
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Representation {
    pub format: AnswerFormat,
    pub compression: BodyCompression,
    pub encoding: ContentEncoding,
}

impl From<AnswerFormat> for Representation {
    fn from(format: AnswerFormat) -> Self {
        Self { format, compression: BodyCompression::Default, encoding: ContentEncoding::Identity }
    }
}

/// A batch that a format cannot hold, or a writer that failed.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    #[error("cannot write {format}: {source}")]
    Arrow { format: AnswerFormat, source: ArrowError },
    #[error("cannot write parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    #[error("cannot compress the answer: {0}")]
    Compress(#[from] std::io::Error),
}

/// Writes the batches of one answer. All batches have the schema that the encoder was made for.
pub trait Encoder: Send {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<Bytes>) -> Result<(), EncodeError>;

    /// What comes after the last batch; alone, it is a whole answer of no rows.
    fn finish(self: Box<Self>, out: &mut Vec<Bytes>) -> Result<(), EncodeError>;
}

/// The encoder of a format for batches of a schema, which [`plain::schema`] has made plain. It
/// holds back about `bytes_max` at most.
pub fn encoder(
    format: AnswerFormat,
    compression: BodyCompression,
    schema: &SchemaRef,
    bytes_max: usize,
) -> Result<Box<dyn Encoder>, EncodeError> {
    Ok(match format {
        AnswerFormat::ArrowStream => Box::new(arrow::StreamBody::new(schema, compression)?),
        AnswerFormat::ArrowFile => Box::new(arrow::FileBody::new(schema, compression)?),
        AnswerFormat::Parquet => {
            Box::new(parquet::ParquetBody::new(schema, compression, bytes_max)?)
        }
        AnswerFormat::Csv => Box::new(csv::CsvBody::new(schema)),
        AnswerFormat::Json => Box::new(json::JsonBody::array(schema)),
        AnswerFormat::Ndjson => Box::new(json::JsonBody::lines(schema)),
    })
}

/// One value as JSON, by the rules of JSON answers.
pub fn json_value(array: &dyn Array, row: usize) -> Result<Box<RawValue>, QueryFailure> {
    let mut text = Vec::new();
    cell::Column::new(array)?.write_json(row, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    RawValue::from_string(text)
        .map_err(|error| QueryFailure::Arrow(ArrowError::JsonError(error.to_string())))
}
