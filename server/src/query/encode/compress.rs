//! Content encodings of text answers: what a stream of chunks becomes under gzip or brotli.

use std::io::{self, Write};

use bytes::Bytes;

/// The content encodings that answers are offered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentEncoding {
    Identity,
    Gzip,
    Brotli,
}

impl ContentEncoding {
    /// The name in `Accept-Encoding` and `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }
}

/// Fast levels: an answer is compressed while somebody waits, once.
const GZIP_LEVEL: u32 = 5;
const BROTLI_LEVEL: u32 = 4;
const BROTLI_WINDOW: u32 = 20;

/// Compresses chunks as they come; what is put in comes out at once, so that nothing waits in
/// a compressor's window while the next batch is computed.
pub enum Compressor {
    Identity,
    Gzip(Box<flate2::write::GzEncoder<Vec<u8>>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
}

impl Compressor {
    pub fn new(encoding: ContentEncoding) -> Self {
        match encoding {
            ContentEncoding::Identity => Self::Identity,
            ContentEncoding::Gzip => Self::Gzip(Box::new(flate2::write::GzEncoder::new(
                Vec::new(),
                flate2::Compression::new(GZIP_LEVEL),
            ))),
            ContentEncoding::Brotli => Self::Brotli(Box::new(brotli::CompressorWriter::new(
                Vec::new(),
                64 * 1024,
                BROTLI_LEVEL,
                BROTLI_WINDOW,
            ))),
        }
    }

    /// The compressed form of `chunks`, complete up to their last byte.
    pub fn push(&mut self, chunks: Vec<Bytes>) -> io::Result<Vec<Bytes>> {
        if chunks.is_empty() {
            return Ok(chunks);
        }
        let out = match self {
            Self::Identity => return Ok(chunks),
            Self::Gzip(writer) => {
                chunks.iter().try_for_each(|chunk| writer.write_all(chunk))?;
                writer.flush()?;
                std::mem::take(writer.get_mut())
            }
            Self::Brotli(writer) => {
                chunks.iter().try_for_each(|chunk| writer.write_all(chunk))?;
                writer.flush()?;
                std::mem::take(writer.get_mut())
            }
        };
        Ok(vec![out.into()])
    }

    /// What ends the compressed form.
    pub fn finish(self) -> io::Result<Vec<Bytes>> {
        Ok(match self {
            Self::Identity => Vec::new(),
            Self::Gzip(writer) => vec![writer.finish()?.into()],
            Self::Brotli(writer) => vec![writer.into_inner().into()],
        })
    }
}
