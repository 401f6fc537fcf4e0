//! The passes' texts, and what Rust says of them too.

/// A file of `shaders/compute`.
#[derive(Debug, Clone, Copy)]
pub struct Shader {
    pub name: &'static str,
    pub source: &'static str,
    pub entry_point: &'static str,
}

macro_rules! shader {
    ($name:literal, $entry_point:literal) => {
        Shader {
            name: $name,
            source: include_str!(concat!("../../shaders/compute/", $name, ".wgsl")),
            entry_point: $entry_point,
        }
    };
}

pub const ASSIGN: Shader = shader!("assign", "assign");
pub const SCORES: Shader = shader!("scores", "scores_of_pairs");
pub const SELECT: Shader = shader!("select", "select_least");

pub const WALK: Shader = shader!("walk", "walk");
pub const SETTLE: Shader = shader!("settle", "settle");

pub const GRAM: Shader = shader!("gram", "products_of_columns");

pub const ALL: [Shader; 6] = [ASSIGN, SCORES, SELECT, WALK, SETTLE, GRAM];

/// Rows that a group works on, and points that it has at hand.
pub const TILE: usize = 64;
/// Candidates that are kept of each row.
pub const KEPT: usize = 48;
/// Rows of a group that walk, and of one that settle.
pub const WALK_GROUP: usize = 64;
pub const SETTLE_GROUP: usize = 256;
/// Labels of rows that are to be decided elsewhere.
pub const UNSURE: u32 = embedding::kmeans::UNSURE;

/// What [`ASSIGN`] is told, as it lies in memory.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Asked {
    /// Rows that are there, of which the first of all groups is `first`.
    pub rows: u32,
    pub first: u32,
    pub points: u32,
    /// Vectors of four values that a row has.
    pub quads: u32,
    /// A row of norm x is sure of a label where the next is farther by this, of which
    /// the parts are by x, by its square, and always.
    pub by_norm: f32,
    pub by_square: f32,
    pub always: f32,
    pub padding: u32,
}

impl Asked {
    pub(crate) fn words(self) -> [u32; 8] {
        let Self { rows, first, points, quads, by_norm, by_square, always, padding } = self;
        let floats = [by_norm, by_square, always].map(f32::to_bits);
        [rows, first, points, quads, floats[0], floats[1], floats[2], padding]
    }
}

/// What [`SCORES`] is told.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct PairsAsked {
    pub rows: u32,
    pub first_row: u32,
    pub points: u32,
    pub first_point: u32,
    pub quads: u32,
    /// Scores from one row to the next.
    pub width: u32,
    pub padding_1: u32,
    pub padding_2: u32,
}

impl PairsAsked {
    pub(crate) fn words(self) -> [u32; 8] {
        let Self { rows, first_row, points, first_point, quads, width, .. } = self;
        [rows, first_row, points, first_point, quads, width, 0, 0]
    }
}

/// What [`SELECT`] is told.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct SelectAsked {
    pub points: u32,
    pub width: u32,
    /// The number of the first point among all.
    pub first: u32,
    /// Whether nothing was kept yet.
    pub is_first: u32,
}

impl SelectAsked {
    pub(crate) fn words(self) -> [u32; 4] {
        [self.points, self.width, self.first, self.is_first]
    }
}

/// What [`WALK`] and [`SETTLE`] are told.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct EpochAsked {
    pub rows: u32,
    pub number: u32,
    pub word: u32,
    pub dimensions: u32,
    pub a: f32,
    pub b: f32,
    pub rate: f32,
    pub padding: u32,
}

impl EpochAsked {
    pub(crate) fn words(self) -> [u32; 8] {
        let Self { rows, number, word, dimensions, a, b, rate, padding } = self;
        let floats = [a, b, rate].map(f32::to_bits);
        [rows, number, word, dimensions, floats[0], floats[1], floats[2], padding]
    }
}

/// What [`GRAM`] is told.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct GramAsked {
    pub rows: u32,
    pub first: u32,
    /// Rows that are added together.
    pub run: u32,
    pub quads: u32,
    /// Of 64 columns along a side, and pairs of them.
    pub squares: u32,
    pub pairs: u32,
    pub padding_1: u32,
    pub padding_2: u32,
}

impl GramAsked {
    pub(crate) fn words(self) -> [u32; 8] {
        let Self { rows, first, run, quads, squares, pairs, .. } = self;
        [rows, first, run, quads, squares, pairs, 0, 0]
    }
}

#[cfg(test)]
mod tests;
