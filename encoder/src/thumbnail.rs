//! Small pictures of pictures: what a page shows of many at once.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::error::Failure;
use crate::picture::{Limits, decode_on_white};
use crate::resample::{Filter, Pixels, resized};

/// Of JPEG: what is lost is not seen at this size.
const QUALITY: u8 = 85;

/// Decodes a picture and gives it as JPEG, its longer side of `side` pixels at most. One that is
/// smaller keeps its size. JPEG knows nothing transparent: that is white.
///
/// # Errors
/// Where the bytes are no picture, or one beyond the limits.
pub fn thumbnail(bytes: &[u8], side: u32, limits: &Limits) -> Result<Vec<u8>, Failure> {
    of_pixels(&decode_on_white(bytes, limits)?, side)
}

pub(crate) fn of_pixels(pixels: &Pixels, side: u32) -> Result<Vec<u8>, Failure> {
    let longer = pixels.width.max(pixels.height);
    let side = side.max(1) as usize;
    let small;
    let shown = if longer <= side {
        pixels
    } else {
        let scaled = |of: usize| ((of * side + longer / 2) / longer).max(1);
        small = resized(pixels, scaled(pixels.width), scaled(pixels.height), Filter::Bicubic);
        &small
    };
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    let (width, height) = (shown.width as u32, shown.height as u32);
    let written = encoder.write_image(&shown.values, width, height, ExtendedColorType::Rgb8);
    written.map_err(|error| Failure::NotAnImage(error.to_string()))?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::picture::decode;

    #[test]
    fn what_is_transparent_is_white() {
        // Black, of which columns are ever less transparent.
        let pixels = |x: u32, _| image::Rgba([0, 0, 0, (x * 8) as u8]);
        let picture = image::RgbaImage::from_fn(32, 32, pixels);
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        let jpeg = thumbnail(png.get_ref(), 64, &Limits::default()).unwrap();
        let seen = decode(&jpeg, &Limits::default()).unwrap();
        for (at, value) in seen.values.iter().enumerate() {
            let expected = 255 - (at / 3 % 32) as i32 * 8;
            assert!((i32::from(*value) - expected).abs() < 12, "{at}: {value} {expected}");
        }
    }

    fn pixels(width: usize, height: usize) -> Pixels {
        Pixels { width, height, values: vec![200; width * height * 3] }
    }

    #[test]
    fn the_longer_side_is_made_shorter_and_never_longer() {
        for ((width, height), (wanted_width, wanted_height)) in
            [((400, 200), (64, 32)), ((10, 1000), (1, 64)), ((64, 64), (64, 64)), ((8, 5), (8, 5))]
        {
            let jpeg = of_pixels(&pixels(width, height), 64).unwrap();
            let small = decode(&jpeg, &Limits::default()).unwrap();
            assert_eq!((small.width, small.height), (wanted_width, wanted_height));
            assert!(small.values.iter().all(|value| value.abs_diff(200) < 3));
        }
    }
}
