//! One message's metadata: verified flatbuffer bytes → what kind of message it is and
//! how many body bytes follow. Knows nothing of arrays.

use arrow_ipc as fb;
use flatbuffers::{InvalidFlatbuffer, VerifierOptions};

use super::error::IpcError;
use super::limits::DecodeLimits;

/// What a message says.
pub(crate) enum Header<'a> {
    Schema(fb::Schema<'a>),
    Batch(fb::RecordBatch<'a>),
    Dictionary { id: i64, is_delta: bool, values: fb::RecordBatch<'a> },
}

pub(crate) struct Message<'a> {
    pub(crate) header: Header<'a>,
    pub(crate) version: fb::MetadataVersion,
    pub(crate) body_len: usize,
}

/// Reads the metadata of a message, without its framing.
pub(crate) fn message_from_bytes<'a>(
    bytes: &'a [u8],
    limits: &DecodeLimits,
) -> Result<Message<'a>, IpcError> {
    let message = fb::root_as_message_with_opts(&verifier_options(bytes.len(), limits), bytes)
        .map_err(|error| bad_flatbuffer("message", error))?;
    let body_len = usize::try_from(message.bodyLength()).map_err(|_| {
        let reason = format!("body length {}", message.bodyLength());
        IpcError::malformed("message", reason)
    })?;
    IpcError::check_limit("the body of a message in bytes", body_len, limits.body_bytes_max)?;
    check_version(message.version())?;
    refuse_experimental_compression(&message)?;
    Ok(Message { header: header_of(&message)?, version: message.version(), body_len })
}

/// Limits for the flatbuffer verifier. The tables of an honest message are distinct, so
/// their number and their size follow from the bytes there are; a message whose offsets
/// share tables to look a thousand times its size does not get through.
pub(crate) fn verifier_options(n_bytes: usize, limits: &DecodeLimits) -> VerifierOptions {
    VerifierOptions {
        // A nested field costs one table, and around it are message, schema and type.
        max_depth: limits.depth_max.saturating_add(8),
        max_tables: n_bytes / 4 + 16,
        max_apparent_size: n_bytes.saturating_mul(16).saturating_add(1 << 16),
        ignore_missing_null_terminator: true,
    }
}

/// The verifier's finding without its trace, which can be as long as the message.
pub(crate) fn bad_flatbuffer(at: &str, error: InvalidFlatbuffer) -> IpcError {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or("unreadable");
    IpcError::malformed(at, format!("bad metadata: {}", first.trim_end_matches('.')))
}

fn check_version(version: fb::MetadataVersion) -> Result<(), IpcError> {
    match version {
        fb::MetadataVersion::V4 | fb::MetadataVersion::V5 => Ok(()),
        other => {
            let name = other.variant_name().unwrap_or("unknown");
            Err(IpcError::unsupported("message", format!("metadata version {name}")))
        }
    }
}

fn header_of<'a>(message: &fb::Message<'a>) -> Result<Header<'a>, IpcError> {
    let missing = || IpcError::malformed("message", "no header");
    match message.header_type() {
        fb::MessageHeader::Schema => {
            message.header_as_schema().map(Header::Schema).ok_or_else(missing)
        }
        fb::MessageHeader::RecordBatch => {
            message.header_as_record_batch().map(Header::Batch).ok_or_else(missing)
        }
        fb::MessageHeader::DictionaryBatch => {
            let dictionary = message.header_as_dictionary_batch().ok_or_else(missing)?;
            let values = dictionary
                .data()
                .ok_or_else(|| IpcError::malformed("dictionary message", "no values"))?;
            Ok(Header::Dictionary { id: dictionary.id(), is_delta: dictionary.isDelta(), values })
        }
        fb::MessageHeader::NONE => Err(missing()),
        other => {
            let name = other.variant_name().unwrap_or("unknown");
            Err(IpcError::unsupported("message", format!("a message of kind {name}")))
        }
    }
}

/// Arrow 0.17 compressed bodies under a key of the message; unread, such a body would be
/// taken for plain numbers.
fn refuse_experimental_compression(message: &fb::Message<'_>) -> Result<(), IpcError> {
    let Some(pairs) = message.custom_metadata() else { return Ok(()) };
    if pairs.iter().any(|pair| pair.key() == Some("ARROW:experimental_compression")) {
        return Err(IpcError::unsupported("message", "the compression of arrow 0.17"));
    }
    Ok(())
}
