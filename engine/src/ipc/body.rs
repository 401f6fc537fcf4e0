//! The body of a message: which bytes a buffer's metadata names, decompressed if need be,
//! all within the body and within a budget.

use arrow_buffer::Buffer;
use arrow_ipc as fb;

use super::columns::Column;
use super::error::IpcError;
use super::limits::DecodeLimits;
use super::lz4::buffer_from_lz4;
use super::zstd::buffer_from_zstd;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Lz4Frame,
    Zstd,
}

pub(crate) struct Body<'a> {
    bytes: &'a Buffer,
    codec: Option<Codec>,
    n_decoded: usize,
    decoded_bytes_max: usize,
}

impl<'a> Body<'a> {
    pub(crate) fn new(
        bytes: &'a Buffer,
        compression: Option<fb::BodyCompression<'_>>,
        limits: &DecodeLimits,
    ) -> Result<Self, IpcError> {
        let codec = compression.map(|compression| codec_of(&compression)).transpose()?;
        Ok(Self { bytes, codec, n_decoded: 0, decoded_bytes_max: limits.decoded_bytes_max })
    }

    /// Bytes of all buffers taken so far, as decompressed.
    pub(crate) fn n_decoded(&self) -> usize {
        self.n_decoded
    }

    /// Rows that have at least a bit each in this body, if it holds what it should.
    pub(crate) fn rows_plausible(&self) -> usize {
        let expansion = if self.codec.is_some() { 255 } else { 1 };
        self.bytes.len().saturating_mul(8 * expansion)
    }

    /// The buffer that `spec` names.
    pub(crate) fn take(&mut self, spec: &fb::Buffer, column: &Column) -> Result<Buffer, IpcError> {
        let stored = self.stored(spec, column)?;
        let Some(codec) = self.codec.filter(|_| !stored.is_empty()) else {
            self.spend(stored.len())?;
            return Ok(stored);
        };
        const NOT_COMPRESSED: i64 = -1;
        const PREFIX_BYTES: usize = 8;
        let Some((prefix, compressed)) = stored.split_first_chunk::<PREFIX_BYTES>() else {
            return Err(column.bad("a compressed buffer is too short for its length"));
        };
        let n_stated = i64::from_le_bytes(*prefix);
        if n_stated == NOT_COMPRESSED {
            self.spend(compressed.len())?;
            return Ok(stored.slice_with_length(PREFIX_BYTES, compressed.len()));
        }
        let n_bytes = usize::try_from(n_stated)
            .map_err(|_| column.bad(format!("a compressed buffer of length {n_stated}")))?;
        self.spend(n_bytes)?;
        if n_bytes == 0 {
            return Ok(Buffer::default());
        }
        match codec {
            Codec::Lz4Frame => buffer_from_lz4(compressed, n_bytes),
            Codec::Zstd => buffer_from_zstd(compressed, n_bytes),
        }
        .map_err(|reason| column.bad(reason))
    }

    /// The bytes as they stand in the body.
    fn stored(&self, spec: &fb::Buffer, column: &Column) -> Result<Buffer, IpcError> {
        let place = usize::try_from(spec.offset()).ok().zip(usize::try_from(spec.length()).ok());
        let inside = place.filter(|(offset, length)| {
            offset.checked_add(*length).is_some_and(|end| end <= self.bytes.len())
        });
        match inside {
            Some((offset, length)) => Ok(self.bytes.slice_with_length(offset, length)),
            // Some writers leave any offset at all where nothing is stored.
            None if spec.length() == 0 => Ok(Buffer::default()),
            None => Err(column.bad(format!(
                "a buffer of {} bytes at {} does not fit a body of {} bytes",
                spec.length(),
                spec.offset(),
                self.bytes.len()
            ))),
        }
    }

    fn spend(&mut self, n_bytes: usize) -> Result<(), IpcError> {
        self.n_decoded = self.n_decoded.saturating_add(n_bytes);
        IpcError::check_limit(
            "the decoded size of a batch in bytes",
            self.n_decoded,
            self.decoded_bytes_max,
        )
    }
}

fn codec_of(compression: &fb::BodyCompression<'_>) -> Result<Codec, IpcError> {
    if compression.method() != fb::BodyCompressionMethod::BUFFER {
        return Err(IpcError::unsupported("batch", "this method of compression"));
    }
    match compression.codec() {
        fb::CompressionType::LZ4_FRAME => Ok(Codec::Lz4Frame),
        fb::CompressionType::ZSTD => Ok(Codec::Zstd),
        other => Err(IpcError::unsupported("batch", format!("compression {}", other.0))),
    }
}
