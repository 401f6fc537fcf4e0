//! Batches of a file as bytes of an Arrow stream, whose schema also says how many rows
//! there will be, where the file tells. Pure.

use std::collections::HashMap;

use app::reading::TOTAL_ROWS;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use engine::ipc::encode::{Compression, Container, Encoder};
use engine::ipc::error::IpcError;

/// Why a file cannot be read: said with its name, row and column, as far as they are known.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{0}")]
    Bad(String),
    #[error("{0}")]
    Arrow(#[from] ArrowError),
    #[error("{0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("{0}")]
    Stream(#[from] IpcError),
    /// Nobody answers at the address, or not to this page.
    #[error("{0}")]
    Unreachable(String),
}

impl ReadError {
    /// The same, saying in which file.
    pub fn within(self, file: &str) -> Self {
        match self {
            Self::Unreachable(detail) => Self::Unreachable(detail),
            other => Self::Bad(format!("{file}: {other}")),
        }
    }
}

pub struct Stream {
    encoder: Encoder,
}

impl Stream {
    pub fn new(schema: &SchemaRef, rows: Option<u64>) -> Result<Self, ReadError> {
        let total = rows.map(|rows| (TOTAL_ROWS.to_owned(), rows.to_string()));
        let metadata: HashMap<String, String> = total.into_iter().collect();
        let schema = Schema::new_with_metadata(schema.fields().clone(), metadata);
        Ok(Self { encoder: Encoder::new(&schema, Container::Stream, Compression::None)? })
    }

    /// The bytes that are ready: at first those of the schema.
    pub fn take(&mut self) -> Vec<u8> {
        self.encoder.take()
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ReadError> {
        self.encoder.write(batch)?;
        Ok(self.encoder.take())
    }

    pub fn finish(self) -> Result<Vec<u8>, ReadError> {
        Ok(self.encoder.finish()?)
    }
}

/// The columns by name, in the order wanted; all if none are.
pub fn places(schema: &Schema, columns: Option<&[String]>) -> Result<Vec<usize>, ReadError> {
    let Some(columns) = columns else { return Ok((0..schema.fields().len()).collect()) };
    let place = |name: &String| {
        let missing = || ReadError::Bad(format!("the file has no column {name:?}"));
        schema.index_of(name).map_err(|_| missing())
    };
    columns.iter().map(place).collect()
}
