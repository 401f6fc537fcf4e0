//! How much a decoder may be made to hold: every limit that bytes from outside meet.

/// Limits on what one stream or file may ask of memory. The defaults suit a server with
/// some gigabytes; a browser passes smaller ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The metadata of one message, or a file's footer.
    pub metadata_bytes_max: usize,
    /// The body of one message, as it arrives.
    pub body_bytes_max: usize,
    /// The buffers of one batch after decompression; also all dictionaries together.
    pub decoded_bytes_max: usize,
    /// Fields of a schema, nested ones counted.
    pub columns_max: usize,
    /// How deep fields nest.
    pub depth_max: usize,
    /// Rows of one batch, or of one nested array.
    pub rows_max: usize,
    /// Rows that no bytes stand behind: null columns, or no columns at all.
    pub rows_unbacked_max: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            metadata_bytes_max: 16 << 20,
            body_bytes_max: 1 << 30,
            decoded_bytes_max: 1 << 30,
            columns_max: 100_000,
            depth_max: 32,
            rows_max: i32::MAX as usize,
            rows_unbacked_max: 16 << 20,
        }
    }
}
