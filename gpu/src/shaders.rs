//! The passes' texts, and what Rust says of them too.

/// A file of `shaders/compute`.
#[derive(Debug, Clone, Copy)]
pub struct Shader {
    pub name: &'static str,
    pub source: &'static str,
    pub entry_point: &'static str,
}

macro_rules! shader {
    ($name:literal) => {
        Shader {
            name: $name,
            source: include_str!(concat!("../../shaders/compute/", $name, ".wgsl")),
            entry_point: $name,
        }
    };
}

pub const ASSIGN: Shader = shader!("assign");

pub const ALL: [Shader; 1] = [ASSIGN];

/// Rows that a group works on, and points that it has at hand.
pub const TILE: usize = 64;
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

#[cfg(test)]
mod tests;
