//! Pages of a Parquet column chunk compressed by ZSTD → the same pages uncompressed, so that
//! the Parquet library reads them without a C library, which browsers do not have. Page
//! headers are Thrift in its compact form: copied as they are, but for the size. Pure.

use engine::ipc::zstd::buffer_from_zstd;

use super::stream::ReadError;

/// No honest page of a Parquet file is larger.
const PAGE_BYTES_MAX: usize = 256 << 20;
/// How deep the structures of a header nest.
const DEPTH_MAX: usize = 8;

/// A page header, as far as it matters here.
#[derive(Debug, Default)]
struct Header {
    uncompressed: usize,
    compressed: usize,
    /// Bytes of levels at the start of a page of version 2, which are never compressed.
    levels: usize,
    is_compressed: bool,
    is_v2: bool,
    /// Where the compressed size is written, and where the header ends.
    size_at: (usize, usize),
    end: usize,
}

/// Column chunk → column chunk, and where its first data page would begin if the first page
/// is a dictionary of this many bytes.
pub fn uncompressed_chunk(chunk: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut out = Vec::with_capacity(chunk.len().saturating_mul(3));
    let mut at = 0;
    while at < chunk.len() {
        let rest = chunk.get(at..).unwrap_or_default();
        let header = read_header(rest)?;
        let body = rest.get(header.end..).and_then(|body| body.get(..header.compressed));
        let body = body.ok_or_else(|| bad("a page reaches past its column"))?;
        write_page(&mut out, rest, &header, body)?;
        at += header.end + header.compressed;
    }
    Ok(out)
}

/// Bytes of the first page, its header included.
pub fn first_page_bytes(chunk: &[u8]) -> Result<usize, ReadError> {
    let header = read_header(chunk)?;
    Ok(header.end + header.compressed)
}

fn write_page(
    out: &mut Vec<u8>,
    from: &[u8],
    header: &Header,
    body: &[u8],
) -> Result<(), ReadError> {
    let n_levels = if header.is_v2 { header.levels } else { 0 };
    let (levels, values) = body
        .split_at_checked(n_levels)
        .ok_or_else(|| bad("the levels of a page are longer than the page"))?;
    let n_bytes = header.uncompressed.checked_sub(n_levels);
    let n_bytes = n_bytes.ok_or_else(|| bad("the levels of a page are longer than the page"))?;
    if header.uncompressed > PAGE_BYTES_MAX {
        return Err(bad("a page is larger than 256 MiB"));
    }
    let (before, after) = header.size_at;
    out.extend_from_slice(from.get(..before).unwrap_or_default());
    write_varint(out, zigzag(header.uncompressed));
    out.extend_from_slice(from.get(after..header.end).unwrap_or_default());
    out.extend_from_slice(levels);
    let is_raw = (header.is_v2 && !header.is_compressed) || (values.is_empty() && n_bytes == 0);
    if is_raw {
        if values.len() != n_bytes {
            return Err(bad("a page is not as long as it says"));
        }
        out.extend_from_slice(values);
        return Ok(());
    }
    let plain = buffer_from_zstd(values, n_bytes).map_err(bad)?;
    out.extend_from_slice(&plain);
    Ok(())
}

fn bad(reason: impl Into<String>) -> ReadError {
    ReadError::Bad(format!("corrupt parquet: {}", reason.into()))
}

/// Reads Thrift's compact form, keeping to the bytes there are.
struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;

fn read_header(bytes: &[u8]) -> Result<Header, ReadError> {
    let mut thrift = Thrift { bytes, at: 0 };
    let mut header = Header { is_compressed: true, ..Header::default() };
    let mut sizes = (None, None);
    let mut id = 0;
    while let Some((field, kind)) = thrift.field(&mut id)? {
        match (field, kind) {
            (2, 5) => sizes.0 = Some(thrift.size()?),
            (3, 5) => {
                let before = thrift.at;
                sizes.1 = Some(thrift.size()?);
                header.size_at = (before, thrift.at);
            }
            (8, 12) => {
                header.is_v2 = true;
                read_v2(&mut thrift, &mut header)?;
            }
            _ => thrift.skip(kind, 0)?,
        }
    }
    let (Some(uncompressed), Some(compressed)) = sizes else {
        return Err(bad("a page header lacks its sizes"));
    };
    Ok(Header { uncompressed, compressed, end: thrift.at, ..header })
}

fn read_v2(thrift: &mut Thrift<'_>, header: &mut Header) -> Result<(), ReadError> {
    let mut id = 0;
    while let Some((field, kind)) = thrift.field(&mut id)? {
        match (field, kind) {
            (5 | 6, 5) => header.levels = header.levels.saturating_add(thrift.size()?),
            (7, TRUE | FALSE) => header.is_compressed = kind == TRUE,
            _ => thrift.skip(kind, 0)?,
        }
    }
    Ok(())
}

impl Thrift<'_> {
    fn byte(&mut self) -> Result<u8, ReadError> {
        let byte = self.bytes.get(self.at).ok_or_else(|| bad("a page header is cut short"))?;
        self.at += 1;
        Ok(*byte)
    }

    /// The next field of a structure: its number and kind. `None` at its end.
    fn field(&mut self, id: &mut i64) -> Result<Option<(i64, u8)>, ReadError> {
        let byte = self.byte()?;
        let (delta, kind) = (byte >> 4, byte & 0x0F);
        if kind == STOP {
            return Ok(None);
        }
        *id = if delta == 0 { self.zigzag()? } else { id.saturating_add(delta.into()) };
        Ok(Some((*id, kind)))
    }

    fn varint(&mut self) -> Result<u64, ReadError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(bad("a number of a page header does not end"))
    }

    fn zigzag(&mut self) -> Result<i64, ReadError> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn size(&mut self) -> Result<usize, ReadError> {
        usize::try_from(self.zigzag()?).map_err(|_| bad("a page has a negative size"))
    }

    fn pass(&mut self, n_bytes: u64) -> Result<(), ReadError> {
        let end = usize::try_from(n_bytes).ok().and_then(|n| self.at.checked_add(n));
        let end = end.filter(|end| *end <= self.bytes.len());
        self.at = end.ok_or_else(|| bad("a page header is cut short"))?;
        Ok(())
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Result<(), ReadError> {
        if depth > DEPTH_MAX {
            return Err(bad("a page header nests too deep"));
        }
        match kind {
            TRUE | FALSE => Ok(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(drop),
            7 => self.pass(8),
            8 => {
                let n_bytes = self.varint()?;
                self.pass(n_bytes)
            }
            9 | 10 => {
                let byte = self.byte()?;
                let n_items = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
                for _ in 0..n_items {
                    // In lists a boolean is a byte.
                    match byte & 0x0F {
                        TRUE | FALSE => self.pass(1)?,
                        item => self.skip(item, depth + 1)?,
                    }
                }
                Ok(())
            }
            12 => {
                let mut id = 0;
                while let Some((_, kind)) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(bad("a page header holds what none does")),
        }
    }
}

fn zigzag(size: usize) -> u64 {
    (size as u64) << 1
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_pages_are_refused() {
        for bytes in [
            &b"\x15"[..],
            b"\xff\xff\xff\xff",
            b"\x00",
            b"\x15\x00\x15\x04\x15\x02\x00",
            b"\x4c\x4c",
        ] {
            assert!(uncompressed_chunk(bytes).is_err(), "{bytes:02x?}");
        }
        assert!(matches!(uncompressed_chunk(b""), Ok(out) if out.is_empty()));
    }
}
