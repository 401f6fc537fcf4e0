//! What lies over a scatter's points and beside them, of the part that is seen: how many
//! there are, what a density's colours mean, lines of equal density, names of categories.

use serde::{Deserialize, Serialize};

use super::Viewport;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relief {
    /// What the canvas showed when this was made, and its size in CSS pixels.
    pub viewport: Viewport,
    pub size: [f64; 2],
    /// Points within.
    pub points: u64,
    pub density: Option<Counts>,
    /// The lowest first.
    pub contours: Vec<Contour>,
    pub labels: Vec<Label>,
    /// None over another.
    pub pictures: Vec<Tile>,
}

/// The picture of a row, at its point: CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tile {
    pub row: u64,
    pub x: f64,
    pub y: f64,
}

/// CSS pixels on a side of a [`Tile`].
pub const TILE: f64 = 52.0;

/// A density's legend: colours from one point in a cell to the most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    pub most: u32,
    /// In the middle of the colours.
    pub middle: u32,
    /// CSS pixels on a side of a cell; absent where the companion chose its bins.
    pub cell: Option<f64>,
    /// Evenly spaced; none where cells have the colours of their points, paler where few.
    pub colors: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contour {
    /// Points per cell.
    pub level: f64,
    /// Of an SVG, in CSS pixels.
    pub path: String,
}

/// The name of a category at its densest place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    pub text: String,
    pub color: String,
    /// Points within.
    pub count: u64,
    /// In CSS pixels.
    pub x: f64,
    pub y: f64,
}
