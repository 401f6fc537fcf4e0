//! Text compressed by gzip, uncompressed as it passes: little at a time, so that what a few
//! bytes become does not fill the memory, and no more than a text can honestly be. Pure.

use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use super::stream::ReadError;

/// Bytes uncompressed at a time: they become a thousand times as many at most.
const STEP_BYTES: usize = 16 << 10;
/// What all of it may become.
const TEXT_BYTES_MAX: u64 = 64 << 30;

const MAGIC: [u8; 2] = [0x1F, 0x8B];

pub fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

pub struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    rest: Bytes,
    n_made: u64,
    bytes_max: u64,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self::within(TEXT_BYTES_MAX)
    }
}

impl Gunzip {
    fn within(bytes_max: u64) -> Self {
        let decoder = MultiGzDecoder::new(Vec::new());
        Self { decoder, rest: Bytes::new(), n_made: 0, bytes_max }
    }

    /// Takes the bytes that follow, once [`Self::pull`] has nothing left.
    pub fn push(&mut self, bytes: Bytes) {
        self.rest = bytes;
    }

    /// What the next few of them become; `None` where there are none left.
    pub fn pull(&mut self) -> Result<Option<Bytes>, ReadError> {
        while !self.rest.is_empty() {
            let step = self.rest.split_to(STEP_BYTES.min(self.rest.len()));
            self.decoder.write_all(&step).map_err(|error| bad(&error))?;
            if let Some(text) = self.made()? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn made(&mut self) -> Result<Option<Bytes>, ReadError> {
        let text = std::mem::take(self.decoder.get_mut());
        self.n_made += text.len() as u64;
        if self.n_made > self.bytes_max {
            let gib = self.bytes_max >> 30;
            return Err(ReadError::Bad(format!("unpacked, it is more than {gib} GiB of text")));
        }
        Ok((!text.is_empty()).then(|| text.into()))
    }

    /// The compressed bytes are over: the last text, if they are whole.
    pub fn finish(&mut self) -> Result<Option<Bytes>, ReadError> {
        // The library has no word of its own for what is missing.
        let cut = |_| ReadError::Bad("the gzip file is cut short or damaged".to_owned());
        self.decoder.try_finish().map_err(cut)?;
        self.made()
    }
}

fn bad(error: &std::io::Error) -> ReadError {
    ReadError::Bad(format!("the gzip file is damaged: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(packed: &[u8], size: usize, bytes_max: u64) -> Result<Vec<u8>, String> {
        let mut gunzip = Gunzip::within(bytes_max);
        let mut out = Vec::new();
        for piece in packed.chunks(size) {
            gunzip.push(Bytes::copy_from_slice(piece));
            while let Some(text) = gunzip.pull().map_err(|error| error.to_string())? {
                out.extend_from_slice(&text);
            }
        }
        out.extend(gunzip.finish().map_err(|error| error.to_string())?.unwrap_or_default());
        Ok(out)
    }

    #[test]
    fn text_comes_out_as_it_went_in() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let mut two = packed(&text);
        two.extend(packed(b"and more"));
        for size in [7, 1000, usize::MAX] {
            let out = unpacked(&two, size, u64::MAX).unwrap();
            assert_eq!(out.len(), text.len() + 8);
            assert!(out.starts_with(&text) && out.ends_with(b"and more"));
        }
        assert!(is_gzip(&two) && !is_gzip(&text));
    }

    #[test]
    fn what_is_cut_damaged_or_a_bomb_is_refused() {
        let text = packed(&vec![b'a'; 100_000]);
        for cut in [1, 5, 11, text.len() / 2, text.len() - 1] {
            let error = unpacked(&text[..cut], 10, u64::MAX).unwrap_err();
            assert!(error.contains("cut short"), "{cut}: {error}");
        }
        let mut damaged = text.clone();
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        assert!(unpacked(&damaged, 1000, u64::MAX).unwrap_err().contains("damaged"));
        let bomb = packed(&vec![0; 10 << 20]);
        assert!(unpacked(&bomb, 1000, 1 << 20).unwrap_err().contains("more than"));
    }
}
