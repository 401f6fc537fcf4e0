//! Bytes to pixels: the usual formats, turned as the camera was held, no larger than allowed.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageReader};

use crate::error::Failure;
use crate::resample::Pixels;

/// What a picture may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Width times height.
    pub pixels: u64,
    /// Of the file.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pixels: 100_000_000, bytes: 256 << 20 }
    }
}

/// Decodes PNG, JPEG, WebP, GIF (its first frame), BMP or TIFF, by what the bytes are and not by
/// a name. What is transparent has the colour that it would have if it were not, as in Pillow.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Pixels, Failure> {
    let not = |error: image::ImageError| Failure::NotAnImage(error.to_string());
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|error| Failure::NotAnImage(error.to_string()))?;
    let mut decoder = reader.into_decoder().map_err(not)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Failure::Empty);
    }
    // Before any memory is taken for them: a small file may claim a large picture.
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(Failure::TooLarge { width, height, most: limits.pixels });
    }
    let mut memory = image::Limits::default();
    // The widest pixel is four times 32 bits, and a decoder may keep a second copy.
    memory.max_alloc = Some(limits.pixels.saturating_mul(32));
    decoder.set_limits(memory).map_err(not)?;
    // A record that says nonsense is as good as none.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(not)?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let rgb = picture.into_rgb8();
    let (width, height) = (rgb.width() as usize, rgb.height() as usize);
    Ok(Pixels { width, height, values: rgb.into_raw() })
}
