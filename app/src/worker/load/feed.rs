//! Where the bytes of a load come from, and columns from bytes: the companion's stream, a
//! kept column, a file. Decoding is the engine's, which trusts no length.

use std::cell::Cell;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::StreamDecoder;

use crate::worker::cache::column::ColumnReader;
use crate::worker::files::ReaderLink;
use crate::worker::net::{Answer, Cancel, NetError};
use crate::worker::turn::Stride;

/// Why a load ends without all of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    Cancelled,
    Failed(String),
    /// There is nobody to ask.
    Unreachable(String),
    /// What has arrived is over the budget.
    TooLarge {
        needed_bytes: u64,
    },
}

impl Trouble {
    pub fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<NetError> for Trouble {
    fn from(error: NetError) -> Self {
        match &error {
            NetError::Cancelled => Self::Cancelled,
            NetError::Unreachable { .. } => Self::Unreachable(error.to_string()),
            other => Self::failed(other),
        }
    }
}

/// Bytes of an Arrow stream or file, piece by piece.
pub enum Feed {
    Companion(Answer),
    Kept(Box<ColumnReader>),
    Reader(Box<ReaderLink>),
}

impl Feed {
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        match self {
            Self::Companion(answer) => Ok(answer.chunk().await?),
            Self::Kept(reader) => reader.chunk().await.map_err(Trouble::failed),
            Self::Reader(link) => link.chunk().await.map_err(Trouble::Failed),
        }
    }
}

/// What a browser can be made to hold by one stream.
pub fn browser_limits() -> DecodeLimits {
    DecodeLimits {
        body_bytes_max: 512 << 20,
        decoded_bytes_max: 512 << 20,
        ..DecodeLimits::default()
    }
}

/// Decodes a feed to its end, handing on the schema and then each batch, counting bytes,
/// and letting messages in between. An end that the stream does not mark is a failure: a
/// part must never pass for the whole.
pub async fn decode(
    feed: &mut Feed,
    cancel: &Cancel,
    n_bytes: &Cell<u64>,
    mut take: impl AsyncFnMut(&SchemaRef, Option<RecordBatch>) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut decoder = StreamDecoder::new(browser_limits());
    let mut stride = Stride::start();
    let mut is_schema_taken = false;
    while let Some(chunk) = feed.chunk().await? {
        if cancel.is_cancelled() {
            return Err(Trouble::Cancelled);
        }
        n_bytes.set(n_bytes.get() + chunk.len() as u64);
        let batches = decoder.push(&chunk).map_err(Trouble::failed)?;
        let Some(schema) = decoder.schema().cloned() else { continue };
        if !is_schema_taken {
            is_schema_taken = true;
            take(&schema, None).await?;
        }
        for batch in batches {
            take(&schema, Some(batch)).await?;
            stride.breathe().await;
            if cancel.is_cancelled() {
                return Err(Trouble::Cancelled);
            }
        }
    }
    decoder.finish().map_err(Trouble::failed)?;
    Ok(())
}
