//! Just enough PNG for goldens: 8-bit RGB without filters, deflated.

use std::io::{Read, Write};
use std::path::Path;

use flate2::Crc;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// 8 bits a channel, RGB, deflate, filters per line, not interlaced.
const FORMAT: [u8; 5] = [8, 2, 0, 0, 0];

pub fn write(path: &Path, rgba: &[u8], width: u32, height: u32) {
    let mut lines = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for line in rgba.chunks(width as usize * 4) {
        lines.write_all(&[0]).unwrap();
        line.chunks(4).for_each(|pixel| lines.write_all(&pixel[..3]).unwrap());
    }
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &FORMAT].concat();
    let mut file = SIGNATURE.to_vec();
    for (kind, data) in
        [(b"IHDR", header), (b"IDAT", lines.finish().unwrap()), (b"IEND", Vec::new())]
    {
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(&data);
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(kind);
        file.extend(&data);
        file.extend(crc.sum().to_be_bytes());
    }
    std::fs::write(path, file).unwrap();
}

/// RGBA, width and height of a file that [`write`] wrote.
#[expect(clippy::disallowed_methods, reason = "tests of the host have files")]
pub fn read(path: &Path) -> (Vec<u8>, u32, u32) {
    let file = std::fs::read(path).unwrap_or_else(|error| panic!("{error}: {}", path.display()));
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(file[24..29], FORMAT, "another kind of PNG: {}", path.display());
    let (width, height, length) = (number(16), number(20), number(33) as usize);
    let mut lines = Vec::new();
    ZlibDecoder::new(&file[41..41 + length]).read_to_end(&mut lines).unwrap();
    let mut rgba = Vec::new();
    for line in lines.chunks(width as usize * 3 + 1) {
        line[1..].chunks(3).for_each(|pixel| rgba.extend([pixel[0], pixel[1], pixel[2], 255]));
    }
    (rgba, width, height)
}
