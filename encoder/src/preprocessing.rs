//! How a picture becomes what a model was trained on: its size, and what its numbers are taken
//! relative to; as `preprocessor_config.json` says it beside models of Hugging Face.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::graph::Layout;
use crate::resample::{Filter, Pixels, resize};

/// What is subtracted from a channel, and what it is divided by after that.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scaling {
    pub mean: [f32; 3],
    pub deviation: [f32; 3],
}

/// Of CLIP and what descends from it.
pub const CLIP: Scaling = Scaling {
    mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
    deviation: [0.268_629_54, 0.261_302_6, 0.275_777_1],
};
/// Of models trained on ImageNet.
pub const IMAGENET: Scaling =
    Scaling { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
/// From -1 to 1, as the first ViT and SigLIP have it.
pub const HALF: Scaling = Scaling { mean: [0.5; 3], deviation: [0.5; 3] };

/// How a picture of any shape becomes one of the model's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Its shorter side has so many pixels, and the middle is cut out.
    Crop { shortest: usize },
    /// Both sides are stretched to the model's.
    Stretch,
    /// Both sides are stretched to these, and the middle is cut out.
    StretchThenCrop { width: usize, height: usize },
    /// The middle is cut out as it is.
    CropOnly,
}

/// All of it. The model's own size wins over this one where the model has one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Preprocessing {
    pub width: usize,
    pub height: usize,
    pub fit: Fit,
    pub filter: Filter,
    /// What a byte is multiplied by first.
    pub factor: f32,
    pub scaling: Scaling,
}

/// No side is longer than this, whatever a record says.
const SIDE_MAX: u64 = 4096;

impl Default for Preprocessing {
    /// CLIP's, of 224 pixels.
    fn default() -> Self {
        Self::square(224, CLIP)
    }
}

impl Preprocessing {
    /// Of `side` pixels, and its middle, as CLIP does it.
    pub fn square(side: usize, scaling: Scaling) -> Self {
        let fit = Fit::Crop { shortest: side };
        Self {
            width: side,
            height: side,
            fit,
            filter: Filter::Bicubic,
            factor: 1.0 / 255.0,
            scaling,
        }
    }

    /// What a `preprocessor_config.json` says; what it leaves out is as in [`Self::default`].
    pub fn from_json(text: &str, path: &Path) -> Result<Self, Error> {
        let bad = |reason: String| Error::BadPreprocessing { path: path.into(), reason };
        let record: Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        if !record.is_object() {
            return Err(bad("it is no object".to_owned()));
        }
        from_record(&record).map_err(bad)
    }

    /// The same for a model that has sides of its own.
    pub(crate) fn with_sides(mut self, height: Option<usize>, width: Option<usize>) -> Self {
        let (old_height, old_width) = (self.height, self.width);
        self.height = height.unwrap_or(self.height);
        self.width = width.unwrap_or(self.width);
        if let Fit::Crop { shortest } = &mut self.fit {
            // As much larger than what is cut out of it as it was.
            let (old, new) = (old_height.min(old_width), self.height.min(self.width));
            *shortest = if *shortest == old { new } else { *shortest * new / old.max(1) };
            *shortest = (*shortest).clamp(new, (SIDE_MAX as usize).max(new));
        }
        self
    }

    /// What the model is given: 3 × height × width numbers, or height × width × 3.
    pub(crate) fn apply(&self, pixels: Pixels, layout: Layout) -> Vec<f32> {
        let pixels = self.sized(pixels);
        let area = self.width * self.height;
        let mut values = vec![0.0; 3 * area];
        let Scaling { mean, deviation } = self.scaling;
        for (at, pixel) in pixels.values.chunks_exact(3).enumerate() {
            for (channel, byte) in pixel.iter().enumerate() {
                let value = f32::from(*byte) * self.factor;
                let place = match layout {
                    Layout::Nchw => channel * area + at,
                    Layout::Nhwc => at * 3 + channel,
                };
                values[place] = (value - mean[channel]) / deviation[channel];
            }
        }
        values
    }

    fn sized(&self, pixels: Pixels) -> Pixels {
        let (width, height) = match self.fit {
            Fit::Crop { shortest } => {
                let (short, long) =
                    (pixels.width.min(pixels.height), pixels.width.max(pixels.height));
                // Rounded down, as torchvision and Hugging Face do. Of a very long picture only
                // the middle is wanted: what is beyond is cut off before it takes memory.
                let stretched = shortest * long / short.max(1);
                if stretched > 4 * SIDE_MAX as usize {
                    return self.sized(middle(
                        &pixels,
                        pixels.width.min(short * 2),
                        pixels.height.min(short * 2),
                    ));
                }
                if pixels.width < pixels.height {
                    (shortest, stretched)
                } else {
                    (stretched, shortest)
                }
            }
            Fit::Stretch => (self.width, self.height),
            Fit::StretchThenCrop { width, height } => (width, height),
            Fit::CropOnly => (pixels.width, pixels.height),
        };
        middle(&resize(pixels, width, height, self.filter), self.width, self.height)
    }
}

/// The middle of a picture; black around it where the picture is smaller.
fn middle(pixels: &Pixels, width: usize, height: usize) -> Pixels {
    if (pixels.width, pixels.height) == (width, height) {
        return pixels.clone();
    }
    // Of a pixel too many, the right or the lower one goes, and also of one too few.
    let offset = |has: usize, wants: usize| (has as isize - wants as isize).div_euclid(2);
    let (left, top) = (offset(pixels.width, width), offset(pixels.height, height));
    let mut values = vec![0; width * height * 3];
    for (y, row) in values.chunks_exact_mut(width * 3).enumerate() {
        let old_y = usize::try_from(y as isize + top).ok().filter(|y| *y < pixels.height);
        let Some(old_y) = old_y else { continue };
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let old_x = usize::try_from(x as isize + left).ok().filter(|x| *x < pixels.width);
            if let Some(old_x) = old_x {
                let at = (old_y * pixels.width + old_x) * 3;
                pixel.copy_from_slice(&pixels.values[at..at + 3]);
            }
        }
    }
    Pixels { width, height, values }
}

/// A size as records have it.
enum Size {
    Shortest(usize),
    Both { width: usize, height: usize },
}

fn from_record(record: &Value) -> Result<Preprocessing, String> {
    let says = |name: &str, default: bool| record[name].as_bool().unwrap_or(default);
    let size = size(record, "size")?;
    let crop = size_of_crop(record)?;
    let is_resized = says("do_resize", true);
    let is_cropped = says("do_center_crop", crop.is_some());
    let mut preprocessing = Preprocessing::default();
    let (width, height) = match (&crop, &size) {
        (Some(crop), _) if is_cropped => *crop,
        (_, Some(Size::Both { width, height })) => (*width, *height),
        (_, Some(Size::Shortest(side))) => (*side, *side),
        (_, None) => (preprocessing.width, preprocessing.height),
    };
    (preprocessing.width, preprocessing.height) = (width, height);
    preprocessing.fit = match size {
        _ if !is_resized => Fit::CropOnly,
        Some(Size::Shortest(shortest)) if is_cropped => Fit::Crop { shortest },
        // What is not cut out of a picture is all of it.
        Some(Size::Both { width, height }) if is_cropped => Fit::StretchThenCrop { width, height },
        Some(_) => Fit::Stretch,
        None => Fit::Crop { shortest: width.min(height) },
    };
    preprocessing.filter = match record["resample"].as_u64() {
        None => preprocessing.filter,
        Some(0) => Filter::Nearest,
        Some(1) => Filter::Lanczos,
        Some(2) => Filter::Bilinear,
        Some(3) => Filter::Bicubic,
        Some(other) => return Err(format!("resample is {other}, and must be from 0 to 3")),
    };
    preprocessing.factor = match (says("do_rescale", true), record["rescale_factor"].as_f64()) {
        (true, factor) => factor.map_or(preprocessing.factor, |factor| factor as f32),
        (false, _) => 1.0,
    };
    preprocessing.scaling = match says("do_normalize", true) {
        true => Scaling {
            mean: three(record, "image_mean")?.unwrap_or(CLIP.mean),
            deviation: three(record, "image_std")?.unwrap_or(CLIP.deviation),
        },
        false => Scaling { mean: [0.0; 3], deviation: [1.0; 3] },
    };
    if preprocessing.scaling.deviation.contains(&0.0) {
        return Err("image_std has a zero".to_owned());
    }
    Ok(preprocessing)
}

fn size(record: &Value, name: &str) -> Result<Option<Size>, String> {
    let side = |value: &Value| {
        let side = value.as_u64().filter(|side| (1..=SIDE_MAX).contains(side));
        let reason = || format!("{name} is {value}, and must be from 1 to {SIDE_MAX}");
        side.map(|side| side as usize).ok_or_else(reason)
    };
    Ok(Some(match &record[name] {
        Value::Null => return Ok(None),
        Value::Object(sides) => match (sides.get("height"), sides.get("width")) {
            (Some(height), Some(width)) => {
                Size::Both { height: side(height)?, width: side(width)? }
            }
            _ => Size::Shortest(side(sides.get("shortest_edge").unwrap_or(&Value::Null))?),
        },
        // Older records say one number: of the shorter side where a middle is cut out.
        number if record["do_center_crop"].as_bool() == Some(true) => Size::Shortest(side(number)?),
        number => Size::Both { height: side(number)?, width: side(number)? },
    }))
}

/// Width and height of what is cut out.
fn size_of_crop(record: &Value) -> Result<Option<(usize, usize)>, String> {
    Ok(size(record, "crop_size")?.map(|size| match size {
        Size::Shortest(side) => (side, side),
        Size::Both { width, height } => (width, height),
    }))
}

fn three(record: &Value, name: &str) -> Result<Option<[f32; 3]>, String> {
    let value = &record[name];
    if value.is_null() {
        return Ok(None);
    }
    let numbers: Option<Vec<f32>> = value.as_array().and_then(|values| {
        values.iter().map(|value| value.as_f64().map(|value| value as f32)).collect()
    });
    let three = numbers.and_then(|numbers| <[f32; 3]>::try_from(numbers).ok());
    three.map(Some).ok_or_else(|| format!("{name} is {value}, and must be three numbers"))
}
