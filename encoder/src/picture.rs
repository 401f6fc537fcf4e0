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
    Ok(pixels(picture(bytes, limits)?.into_rgb8()))
}

/// The same to be looked at: what is transparent lets white paper show through.
pub(crate) fn decode_on_white(bytes: &[u8], limits: &Limits) -> Result<Pixels, Failure> {
    let picture = picture(bytes, limits)?;
    if !picture.color().has_alpha() {
        return Ok(pixels(picture.into_rgb8()));
    }
    let rgba = picture.into_rgba8();
    let (width, height) = (rgba.width() as usize, rgba.height() as usize);
    let blend = |[r, g, b, alpha]: &[u8; 4]| {
        let alpha = u32::from(*alpha);
        let on_white = |c: &u8| (u32::from(*c) * alpha + 255 * (255 - alpha) + 127) / 255;
        [r, g, b].map(|c| on_white(c) as u8)
    };
    let (together, _) = rgba.as_raw().as_chunks();
    Ok(Pixels { width, height, values: together.iter().flat_map(blend).collect() })
}

fn pixels(rgb: image::RgbImage) -> Pixels {
    let (width, height) = (rgb.width() as usize, rgb.height() as usize);
    Pixels { width, height, values: rgb.into_raw() }
}

fn picture(bytes: &[u8], limits: &Limits) -> Result<DynamicImage, Failure> {
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
    Ok(picture)
}
