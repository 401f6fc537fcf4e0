//! Centroids in the order in which the kernels read them.

use super::coarse::Coarse;
use super::{LANES, Level};

/// Vectors of lanes that a panel is at most, and so centroids that are scored together.
pub(super) const PANEL_VECTORS: usize = 4;
const PANEL_WIDTH: usize = PANEL_VECTORS * LANES;

/// k centroids in panels of at most [`PANEL_WIDTH`]: in a panel, for each dimension the values
/// of all its centroids. The last panel is of as few vectors as do; centroids that are only
/// there to fill it have an infinite norm, and are nobody's nearest.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    pub dimensions: usize,
    values: Vec<f32>,
    /// Half of the square of each centroid's norm.
    half_norms: Vec<f32>,
    /// The largest norm.
    pub norm_max: f64,
    /// The same in 16 bits, where that is quicker.
    pub coarse: Option<Coarse>,
}

/// Some of the centroids.
pub(super) struct Panel<'a> {
    /// `dimensions` × `vectors` × [`LANES`].
    pub values: &'a [f32],
    pub half_norms: &'a [f32],
    pub vectors: usize,
    /// How many vectors of lanes come before.
    pub first_vector: usize,
}

impl Panels {
    /// Of centroids in rows.
    pub(crate) fn new(centroids: &[f32], dimensions: usize) -> Self {
        let rows: Vec<&[f32]> = centroids.chunks_exact(dimensions).collect();
        let k = rows.len();
        let n_vectors = k.div_ceil(LANES);
        let squares = |row: &&[f32]| row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        let squares: Vec<f64> = rows.iter().map(squares).collect();
        let mut half_norms: Vec<f32> = squares.iter().map(|square| (square / 2.0) as f32).collect();
        half_norms.resize(n_vectors * LANES, f32::INFINITY);
        let mut values = vec![0.0; n_vectors * LANES * dimensions];
        let panels = values.chunks_mut(PANEL_WIDTH * dimensions).zip(rows.chunks(PANEL_WIDTH));
        for (panel, rows) in panels {
            let width = rows.len().next_multiple_of(LANES);
            // A line of a cache of each row at a time.
            for (nth, part) in panel.chunks_mut(width * LANES).enumerate() {
                for (place, row) in rows.iter().enumerate() {
                    let values = row.chunks(LANES).nth(nth).unwrap_or_default();
                    let slots = part.iter_mut().skip(place).step_by(width);
                    slots.zip(values).for_each(|(slot, value)| *slot = *value);
                }
            }
        }
        let norm_max = squares.iter().copied().fold(0.0, f64::max).sqrt();
        Self { dimensions, values, half_norms, norm_max, coarse: None }
    }

    /// For rows that are to find the nearest of them.
    pub(crate) fn to_assign(level: Level, centroids: &[f32], dimensions: usize) -> Self {
        let coarse = Coarse::new(level, centroids, dimensions);
        Self { coarse, ..Self::new(centroids, dimensions) }
    }

    /// Lanes of all vectors: how many centroids there are, and those that only fill the last.
    pub(crate) fn width(&self) -> usize {
        self.half_norms.len()
    }

    /// Half of the square of a centroid's norm; infinite past the last.
    pub(crate) fn half_norm(&self, centroid: usize) -> f32 {
        self.half_norms.get(centroid).copied().unwrap_or(f32::INFINITY)
    }

    pub(super) fn panels(&self) -> impl Iterator<Item = Panel<'_>> {
        let values = self.values.chunks(PANEL_WIDTH * self.dimensions);
        let half_norms = self.half_norms.chunks(PANEL_WIDTH);
        values.zip(half_norms).enumerate().map(|(nth, (values, half_norms))| Panel {
            values,
            half_norms,
            vectors: half_norms.len() / LANES,
            first_vector: nth * PANEL_VECTORS,
        })
    }
}
