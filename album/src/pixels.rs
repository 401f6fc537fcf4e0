//! Arrays of numbers that are pictures.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

/// How pixels lie in an array of 8-bit numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    height: u32,
    width: u32,
    channels: usize,
    /// A plane for each channel, rather than the channels of each pixel together.
    is_planar: bool,
}

/// What a shape is as a picture. Channels are the last of three numbers if they are 1 to 4,
/// else the first.
pub(crate) fn layout(shape: &[u64]) -> Option<Layout> {
    let (height, width, channels, is_planar) = match *shape {
        [height, width] => (height, width, 1, false),
        [height, width, channels @ 1..=4] => (height, width, channels, false),
        [channels @ 1..=4, height, width] => (height, width, channels, true),
        _ => return None,
    };
    let layout = Layout {
        height: u32::try_from(height).ok()?,
        width: u32::try_from(width).ok()?,
        channels: usize::try_from(channels).ok()?,
        is_planar,
    };
    (height > 0 && width > 0).then_some(layout)
}

/// Whether rows of this shape are pictures.
pub(crate) fn is_rows(shape: &[u64]) -> bool {
    shape.first().is_some_and(|rows| *rows > 0) && layout(&shape[1..]).is_some()
}

/// PNG of the pixels. Compressed little: it is made anew each time that it is asked for.
pub(crate) fn png(layout: &Layout, values: &[u8]) -> Result<Vec<u8>, String> {
    let color = match layout.channels {
        1 => ExtendedColorType::L8,
        2 => ExtendedColorType::La8,
        3 => ExtendedColorType::Rgb8,
        _ => ExtendedColorType::Rgba8,
    };
    let plane = layout.height as usize * layout.width as usize;
    if values.len() != plane * layout.channels {
        return Err("the dataset holds another number of values than its shape says".to_owned());
    }
    let together: Vec<u8>;
    let pixels = match layout.is_planar && layout.channels > 1 {
        false => values,
        true => {
            let of =
                |pixel: usize| (0..layout.channels).map(move |channel| channel * plane + pixel);
            together = (0..plane).flat_map(of).map(|place| values[place]).collect();
            &together
        }
    };
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
        .write_image(pixels, layout.width, layout.height, color)
        .map_err(|error| error.to_string())?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_pictures_or_not() {
        let of = |height, width, channels, is_planar| {
            Some(Layout { height, width, channels, is_planar })
        };
        for (shape, expected) in [
            (&[5u64, 7][..], of(5, 7, 1, false)),
            (&[5, 7, 3], of(5, 7, 3, false)),
            (&[3, 5, 7], of(5, 7, 3, true)),
            // Three pixels wide, rather than three planes.
            (&[3, 5, 4], of(3, 5, 4, false)),
            (&[10, 5, 7], None),
            (&[2, 5, 7, 3], None),
            (&[5, 0], None),
            (&[5], None),
            (&[], None),
            (&[1 << 40, 1], None),
        ] {
            assert_eq!(layout(shape), expected, "{shape:?}");
        }
        assert!(is_rows(&[10, 5, 7]) && is_rows(&[2, 5, 7, 3]));
        assert!(!is_rows(&[0, 5, 7]) && !is_rows(&[2, 3, 5, 7, 3]));
    }

    #[test]
    fn planes_and_pixels_are_the_same_picture() {
        let together: Vec<u8> = (0..24).collect();
        let planes: Vec<u8> =
            (0..3).flat_map(|channel| (0..8).map(move |pixel| pixel * 3 + channel)).collect();
        let png_of = |shape: &[u64], values: &[u8]| {
            layout(shape).ok_or_else(String::new).and_then(|layout| png(&layout, values))
        };
        // 4 × 8 could be pixels or planes of no shape here: 6 wide keeps the channels apart.
        let picture = png_of(&[1, 8, 3], &together);
        assert!(picture.is_ok());
        assert_eq!(picture, png_of(&[3, 1, 8], &planes));
        assert!(png_of(&[2, 2], &[0; 3]).is_err());
    }
}
