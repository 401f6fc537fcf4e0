//! Chunks of bytes as they arrive → record batches, for the stream format and for the file
//! format read from its start. Says what is known so far and, at the end, whether that was
//! the whole: a stream that was cut never looks complete.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_schema::SchemaRef;

use super::batch::BatchDecoder;
use super::error::IpcError;
use super::file::{MAGIC, check_footer};
use super::gather::{Chunk, Gather};
use super::limits::DecodeLimits;
use super::message::{Header, message_from_bytes};

/// What everything in a stream came to.
#[derive(Debug, Clone)]
pub struct Decoded {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

/// Decodes a whole stream or file that is at hand.
pub fn decode_all(bytes: &Buffer, limits: DecodeLimits) -> Result<Decoded, IpcError> {
    let mut decoder = StreamDecoder::new(limits);
    let mut input = bytes.clone();
    let mut batches = Vec::new();
    while let Some(batch) = decoder.advance(&mut input)? {
        batches.push(batch);
    }
    let schema = decoder.finish()?;
    Ok(Decoded { schema, batches })
}

/// Decodes any bytes at all under default limits: what a fuzzer calls.
pub fn decode_anything(bytes: &[u8]) -> Result<Decoded, IpcError> {
    decode_all(&Buffer::from(bytes), DecodeLimits::default())
}

/// Decodes a stream or a file while it arrives.
pub struct StreamDecoder {
    state: State,
    gather: Gather,
    is_file: bool,
    names: Option<Vec<String>>,
    batches: Option<BatchDecoder>,
    held_back: HeldBack,
    n_batches: usize,
    n_rows: u64,
    limits: DecodeLimits,
}

/// What comes next.
enum State {
    /// The first four bytes tell a file from a stream.
    Start,
    /// The rest of a file's magic, with its padding.
    Magic,
    /// A continuation marker, or a length as it was before arrow 0.15.
    Prefix {
        n_padding: usize,
    },
    Length,
    /// A file's schema message without its length, as polars writes it: it ends where the
    /// next message begins.
    Unframed {
        bytes: Vec<u8>,
    },
    Metadata {
        n_bytes: usize,
    },
    Body {
        metadata: Buffer,
        n_bytes: usize,
    },
    /// After a file's last message: batches that waited for it.
    Late,
    /// A file's footer, whose length only its end tells.
    Footer {
        bytes: Vec<u8>,
    },
    Ended,
    Failed,
}

/// Batches of a file whose dictionaries come after them, and all batches after those. A
/// file never replaces a dictionary, so what comes late is what was meant.
#[derive(Default)]
struct HeldBack {
    messages: VecDeque<(Buffer, Buffer)>,
    n_bytes: usize,
}

const CONTINUATION: u32 = u32::MAX;
/// Files are padded after their magic, by at most the alignment of what follows.
const FILE_PADDING_MAX: usize = 64;
/// A message begins with the offset of its root, which is less than the length of any.
const ROOT_OFFSET_MAX: u32 = 32;

impl StreamDecoder {
    pub fn new(limits: DecodeLimits) -> Self {
        Self {
            state: State::Start,
            gather: Gather::default(),
            is_file: false,
            names: None,
            batches: None,
            held_back: HeldBack::default(),
            n_batches: 0,
            n_rows: 0,
            limits,
        }
    }

    /// Decodes these columns only, in this order.
    pub fn with_columns(mut self, names: Vec<String>) -> Self {
        self.names = Some(names);
        self
    }

    /// The schema, as soon as it has arrived.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.batches.as_ref().map(BatchDecoder::schema)
    }

    /// Rows decoded so far.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Whether the end marker has arrived.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended | State::Footer { .. })
    }

    /// Takes bytes from the front of `input` until a batch is complete or nothing is left.
    /// Batches share the memory of `input` where it holds them whole.
    pub fn advance(&mut self, input: &mut Buffer) -> Result<Option<RecordBatch>, IpcError> {
        let (result, n_taken) = {
            let mut chunk = Chunk::from_buffer(input);
            (self.run(&mut chunk), chunk.n_taken())
        };
        input.advance(n_taken);
        result
    }

    /// Takes a chunk and answers the batches that it completes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<RecordBatch>, IpcError> {
        let mut chunk = Chunk::from_bytes(bytes);
        let mut batches = Vec::new();
        while let Some(batch) = self.run(&mut chunk)? {
            batches.push(batch);
        }
        Ok(batches)
    }

    /// Ends the input. Without the end marker, or with a message half there, the data is
    /// [`IpcError::Truncated`].
    pub fn finish(self) -> Result<SchemaRef, IpcError> {
        let missing = match &self.state {
            State::Ended => None,
            State::Footer { bytes } => {
                check_footer(bytes, self.n_batches, &self.limits)?;
                None
            }
            State::Failed => return Err(IpcError::AlreadyFailed),
            State::Start if self.gather.is_empty() => Some("there are no bytes at all"),
            State::Prefix { .. } if self.gather.is_empty() => Some("the end marker is missing"),
            _ => Some("a message is incomplete"),
        };
        match (missing, self.batches) {
            (Some(missing), _) => Err(IpcError::Truncated { missing }),
            (None, Some(batches)) => Ok(Arc::clone(batches.schema())),
            (None, None) => Err(IpcError::Truncated { missing: "there is no schema" }),
        }
    }

    fn run(&mut self, chunk: &mut Chunk<'_>) -> Result<Option<RecordBatch>, IpcError> {
        loop {
            // An error leaves the state as failed.
            let state = std::mem::replace(&mut self.state, State::Failed);
            let (state, outcome) = self.step(state, chunk)?;
            self.state = state;
            match outcome {
                Outcome::Continue => {}
                Outcome::Starved => return Ok(None),
                Outcome::Batch(batch) => return Ok(Some(batch)),
            }
        }
    }

    fn step(&mut self, state: State, chunk: &mut Chunk<'_>) -> Result<(State, Outcome), IpcError> {
        let n_wanted = match &state {
            State::Start | State::Magic | State::Prefix { .. } | State::Length => 4,
            State::Unframed { .. } => 4,
            State::Metadata { n_bytes } | State::Body { n_bytes, .. } => *n_bytes,
            State::Late => return self.late(),
            State::Footer { .. } | State::Ended => return self.after_end(state, chunk),
            State::Failed => return Err(IpcError::AlreadyFailed),
        };
        let Some(piece) = self.gather.piece(n_wanted, chunk) else {
            return Ok((state, Outcome::Starved));
        };
        let next = match state {
            State::Start => self.start(&piece)?,
            State::Magic => self.magic(&piece)?,
            State::Prefix { n_padding } => self.prefix(&piece, n_padding)?,
            State::Length => self.length(word(&piece))?,
            State::Unframed { bytes } => self.unframed(bytes, &piece)?,
            State::Metadata { .. } => self.metadata(piece)?,
            State::Body { metadata, .. } => return self.body(metadata, piece),
            State::Late | State::Footer { .. } | State::Ended | State::Failed => State::Failed,
        };
        Ok((next, Outcome::Continue))
    }

    fn start(&mut self, piece: &[u8]) -> Result<State, IpcError> {
        if MAGIC.starts_with(piece) {
            self.is_file = true;
            return Ok(State::Magic);
        }
        let is_plausible =
            word(piece) == CONTINUATION || word(piece) as usize <= self.limits.metadata_bytes_max;
        let found = match piece {
            b"PAR1" => "a parquet file".to_owned(),
            b"FEA1" => "a feather file of version 1".to_owned(),
            [0x1F, 0x8B, 8, _] => "a gzip file".to_owned(),
            _ if is_plausible => return self.prefix(piece, 0),
            other => format!("it starts with the bytes {other:02x?}"),
        };
        Err(IpcError::NotIpc { found })
    }

    fn magic(&self, piece: &[u8]) -> Result<State, IpcError> {
        match piece {
            [b'W', b'1', 0, 0] => Ok(State::Prefix { n_padding: 0 }),
            other => Err(IpcError::NotIpc { found: format!("after ARRO come {other:02x?}") }),
        }
    }

    fn prefix(&self, piece: &[u8], n_padding: usize) -> Result<State, IpcError> {
        match word(piece) {
            CONTINUATION => Ok(State::Length),
            0 if self.is_file && self.batches.is_none() && n_padding < FILE_PADDING_MAX => {
                Ok(State::Prefix { n_padding: n_padding + piece.len() })
            }
            1..=ROOT_OFFSET_MAX if self.is_file && self.batches.is_none() => {
                Ok(State::Unframed { bytes: piece.to_vec() })
            }
            length => self.length(length),
        }
    }

    /// Collects the message up to the marker of the next one.
    fn unframed(&mut self, mut bytes: Vec<u8>, piece: &[u8]) -> Result<State, IpcError> {
        if word(piece) == CONTINUATION && bytes.len().is_multiple_of(8) {
            self.metadata(Buffer::from_vec(bytes))?;
            return Ok(State::Length);
        }
        bytes.extend_from_slice(piece);
        let what = "the metadata of a message in bytes";
        IpcError::check_limit(what, bytes.len(), self.limits.metadata_bytes_max)?;
        Ok(State::Unframed { bytes })
    }

    fn length(&self, length: u32) -> Result<State, IpcError> {
        if length > 0 {
            let n_bytes = length as usize;
            let what = "the metadata of a message in bytes";
            IpcError::check_limit(what, n_bytes, self.limits.metadata_bytes_max)?;
            return Ok(State::Metadata { n_bytes });
        }
        match (&self.batches, self.is_file) {
            (None, _) => Err(IpcError::malformed("stream", "it ends before its schema")),
            (Some(_), true) => Ok(State::Late),
            (Some(_), false) => Ok(State::Ended),
        }
    }

    /// The first message is the schema; the others have bodies.
    fn metadata(&mut self, metadata: Buffer) -> Result<State, IpcError> {
        let message = message_from_bytes(&metadata, &self.limits)?;
        let n_bytes = message.body_len;
        if self.batches.is_some() {
            return Ok(State::Body { metadata, n_bytes });
        }
        let Header::Schema(schema) = message.header else {
            return Err(IpcError::malformed("stream", "it does not begin with a schema"));
        };
        if n_bytes != 0 {
            return Err(IpcError::malformed("schema", "a body where none can be"));
        }
        self.batches = Some(BatchDecoder::new(schema, self.names.as_deref(), self.limits)?);
        Ok(State::Prefix { n_padding: 0 })
    }

    fn body(&mut self, metadata: Buffer, body: Buffer) -> Result<(State, Outcome), IpcError> {
        let next = State::Prefix { n_padding: 0 };
        let Some(batches) = &self.batches else { return Err(IpcError::AlreadyFailed) };
        let has_waiting = !self.held_back.messages.is_empty();
        let lacks = if self.is_file { batches.batch_lacks_dictionary(&metadata)? } else { None };
        if lacks.is_some_and(|lacks| lacks || has_waiting) {
            self.held_back.n_bytes = self.held_back.n_bytes.saturating_add(body.len());
            let what = "the size of batches before their dictionaries in bytes";
            IpcError::check_limit(what, self.held_back.n_bytes, self.limits.body_bytes_max)?;
            self.held_back.messages.push_back((metadata, body));
            return Ok((next, Outcome::Continue));
        }
        Ok((next, self.message(&metadata, &body)?))
    }

    fn message(&mut self, metadata: &[u8], body: &Buffer) -> Result<Outcome, IpcError> {
        let Some(batches) = &mut self.batches else { return Err(IpcError::AlreadyFailed) };
        let Some(batch) = batches.message(metadata, body)? else { return Ok(Outcome::Continue) };
        self.n_batches += 1;
        self.n_rows += batch.num_rows() as u64;
        Ok(Outcome::Batch(batch))
    }

    fn late(&mut self) -> Result<(State, Outcome), IpcError> {
        match self.held_back.messages.pop_front() {
            Some((metadata, body)) => Ok((State::Late, self.message(&metadata, &body)?)),
            None => Ok((State::Footer { bytes: Vec::new() }, Outcome::Continue)),
        }
    }

    fn after_end(
        &mut self,
        state: State,
        chunk: &mut Chunk<'_>,
    ) -> Result<(State, Outcome), IpcError> {
        let rest = chunk.take(usize::MAX);
        if rest.is_empty() {
            return Ok((state, Outcome::Starved));
        }
        let State::Footer { mut bytes } = state else {
            let reason = format!("{} bytes follow its end marker", rest.len());
            return Err(IpcError::malformed("stream", reason));
        };
        let n_bytes = bytes.len().saturating_add(rest.len());
        let what = "the footer of a file in bytes";
        IpcError::check_limit(what, n_bytes, self.limits.metadata_bytes_max)?;
        bytes.extend_from_slice(rest);
        Ok((State::Footer { bytes }, Outcome::Starved))
    }
}

enum Outcome {
    Continue,
    /// The chunk is used up.
    Starved,
    Batch(RecordBatch),
}

fn word(piece: &[u8]) -> u32 {
    piece.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
