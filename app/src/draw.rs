//! Pictures of points: what is drawn, and by whom. The worker keeps [`points::Points`] (or
//! a [`density::Density`] that the companion counted) for each scatter and asks a
//! `canvas::Canvas` to draw it as a [`Frame`] says. Two renderers make the same picture:
//! WebGPU ([`gpu`]) and the CPU ([`raster`]). This module knows neither tables nor filters.
//!
//! How a picture comes about, in both renderers:
//! 1. [`plan`] turns points and frame into numbers: a projection, a stamp, a tone.
//! 2. Accumulate: each selected point adds its stamp, in whole numbers, to the pixels it
//!    covers: coverage, and coverage times colour. Sums of whole numbers do not depend on
//!    the order of rows, can be taken back when a row is no longer selected, and are the
//!    same on CPU and GPU to the last bit.
//! 3. Resolve: a pixel's colour is the mean of what lies on it, its opacity grows with the
//!    logarithm of how much lies on it, up to opaque where most does. So a few hundred
//!    points are discs, and a million are a density.

pub mod axis;
pub mod density;
pub mod lanes;
pub mod palette;
pub mod plan;
pub mod points;
pub mod projection;
pub mod raster;
pub mod relief;
pub mod stamp;
pub mod tone;

#[cfg(target_arch = "wasm32")]
pub mod canvas;
pub mod gpu;
#[cfg(target_arch = "wasm32")]
pub mod painter;

use crate::look::{Form, Look};
use crate::protocol::Viewport;
use palette::{Palette, Rgb};

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub enum Picture<'a> {
    Points(&'a points::Points),
    Density(&'a density::Density),
}

/// How it is shown. Equal frames of equal pictures are equal to the pixel, so drawing one
/// again costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Data units. Either axis may run backwards; an empty or infinite one shows nothing.
    pub viewport: Viewport,
    pub palette: &'a Palette,
    pub theme: Theme,
    pub style: Style,
    /// One bit a row, lowest first, rows beyond the end unselected; `None` selects all.
    pub selected: Option<&'a [u64]>,
    pub unselected: Unselected,
    /// The row under the pointer.
    pub highlight: Option<usize>,
    /// The row that is looked at.
    pub pinned: Option<usize>,
}

/// The pixels of a canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
    /// Device pixels per CSS pixel.
    pub pixel_ratio: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub fn of(dark: bool) -> Self {
        if dark { Self::Dark } else { Self::Light }
    }

    pub fn background(self) -> Rgb {
        match self {
            Self::Light => Rgb(255, 255, 255),
            Self::Dark => Rgb(17, 20, 24),
        }
    }

    /// Of rows that are not selected.
    pub fn faint(self) -> Rgb {
        match self {
            Self::Light => Rgb(150, 155, 162),
            Self::Dark => Rgb(112, 118, 128),
        }
    }

    /// Of the ring around the highlighted point.
    pub fn ink(self) -> Rgb {
        match self {
            Self::Light => Rgb(20, 24, 28),
            Self::Dark => Rgb(245, 247, 250),
        }
    }
}

/// What the user chose of how points look; else it follows from how many there are and how
/// far the view is zoomed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Style {
    /// CSS pixels.
    pub radius: Option<f32>,
    /// Of one point, 0 to 1.
    pub opacity: Option<f32>,
    /// Points, or how many there are in each cell of a grid.
    pub form: Form,
    /// The tone of a density follows the rank of a count among all cells.
    pub is_equalized: bool,
}

impl Style {
    pub fn of(look: Look) -> Self {
        let chosen = |number: u8, unit: f32| (number > 0).then(|| f32::from(number) / unit);
        Self {
            radius: chosen(look.size, 10.0),
            opacity: chosen(look.opacity, 100.0),
            form: look.form,
            is_equalized: look.is_equalized,
        }
    }
}

/// What becomes of rows that are not selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unselected {
    Hidden,
    /// Grey, beneath the others.
    #[default]
    Faint,
}

/// What came of a call that was given little time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The picture is on screen, as asked.
    Done,
    /// Call again; what is on screen may be part of it.
    More,
    /// The GPU is busy or being set up: call again at the next `painter::Event::Wake`.
    Waiting,
}

#[cfg(test)]
mod tests;
