//! How all points push a point away, by a grid: each point's charge is given to the nodes about it
//! by cubic splines, nodes push each other by a convolution, and points read off, by splines again,
//! what they feel. That takes as long as the grid is large, and hardly longer for more points
//! (Linderman, Rachh, Hoskins, Steinerberger, Kluger: Fast interpolation-based t-SNE. 2019,
//! <https://arxiv.org/abs/1712.09005>). What differs from the paper: splines, which need fewer
//! nodes than polynomials do, and kernels of the forces themselves, for which charges of 1 are
//! all that is to be transformed.

use crate::Error;
use crate::kernel::{LANES, Level};
use crate::threads::for_each;
use crate::watch::Watch;

use super::convolution::{Convolution, Grid, Room};

/// The widest that nodes are apart, as long as the grid is not too large then.
const SPACING: f32 = 0.375;
/// Nodes that a point has to do with along each axis.
pub(super) const SUPPORT: usize = 4;
/// Points whose charges are given to one grid, and the most such grids, which are added up: both
/// have nothing to do with how many threads there are.
const POINTS_AT_ONCE: usize = 1 << 15;
const PARTS_MAX: usize = 16;
/// Cells that are worth another thread.
const CELLS_A_THREAD: usize = 1 << 14;

/// The field of all points, of which single points read the forces.
#[derive(Debug)]
pub(super) struct Field {
    level: Level,
    spacing: f32,
    convolution: Option<Convolution>,
    origin: [f32; 2],
    /// Charges of some of the points each.
    parts: Vec<Vec<f32>>,
    rooms: Vec<Room>,
}

/// Where a point is among nodes, and its shares of them.
struct Place {
    nodes: [usize; 2],
    shares: [[f32; SUPPORT]; 2],
}

impl Field {
    /// `finer` is how many times nodes are nearer to each other than is enough as a rule.
    pub(super) fn new(finer: f32) -> Self {
        Self::at(Level::detect(), finer)
    }

    pub(super) fn at(level: Level, finer: f32) -> Self {
        let spacing = SPACING / finer;
        let (parts, rooms) = (Vec::new(), Vec::new());
        Self { level, spacing, convolution: None, origin: [0.0; 2], parts, rooms }
    }

    /// Works the field of these points out, and gives the sum of 1 / (1 + d²) over all ordered
    /// pairs of them.
    pub(super) fn update(
        &mut self,
        points: &[[f32; 2]],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<f64, Error> {
        let (least, most) = ends(points);
        self.origin = least;
        let grid = Grid::new([most[0] - least[0], most[1] - least[1]], self.spacing);
        let mut convolution = match self.convolution.take() {
            Some(convolution) if convolution.serves(&grid) => convolution.with(grid),
            _ => Convolution::new(grid, self.level, watch)?,
        };
        let threads = threads.min(grid.cells() / CELLS_A_THREAD).max(1);
        self.rooms.resize_with(threads, Room::default);
        self.spread(&grid, points, watch)?;
        let sum = convolution.run(&self.parts, &mut self.rooms, watch)?;
        self.convolution = Some(convolution);
        Ok(sum - points.len() as f64)
    }

    /// Gives charges of 1 to nodes.
    fn spread(&mut self, grid: &Grid, points: &[[f32; 2]], watch: &dyn Watch) -> Result<(), Error> {
        let (width, cells) = (grid.width(), grid.cells());
        let n_parts = points.len().div_ceil(POINTS_AT_ONCE).clamp(1, PARTS_MAX);
        let at_once = points.len().div_ceil(n_parts).max(1);
        self.parts.resize_with(n_parts, Vec::new);
        let origin = self.origin;
        for_each(&mut self.parts, &mut self.rooms, watch, |_, index, part| {
            part.clear();
            part.resize(cells, 0.0);
            for point in points.chunks(at_once).nth(index).unwrap_or_default() {
                let Place { nodes, shares } = Place::of(point, origin, grid);
                let from = nodes[1] * width + nodes[0];
                for (nth, share) in shares[1].iter().enumerate() {
                    let line = &mut part[from + nth * width..][..SUPPORT];
                    line.iter_mut().zip(&shares[0]).for_each(|(node, own)| *node += own * share);
                }
            }
            Ok(())
        })
    }

    /// What the others do to one of the points that the field was worked out of: the sum of
    /// (y − y′) / (1 + d²)².
    #[inline(always)]
    pub(super) fn force(&self, point: &[f32; 2]) -> [f32; 2] {
        let Some(convolution) = &self.convolution else { return [0.0; 2] };
        let (grid, forces) = (convolution.grid(), convolution.forces());
        let Place { nodes, shares } = Place::of(point, self.origin, grid);
        let mut sum = [0.0_f32; 2];
        for (column, share) in (nodes[0]..).zip(shares[0]) {
            let from = (column / LANES * grid.nodes[1] + nodes[1]) * LANES + column % LANES;
            let mut own = [0.0_f32; 2];
            for (nth, share) in shares[1].iter().enumerate() {
                let force = forces[from + nth * LANES];
                own[0] += share * force[0];
                own[1] += share * force[1];
            }
            sum[0] += share * own[0];
            sum[1] += share * own[1];
        }
        sum
    }
}

impl Place {
    #[inline(always)]
    fn of(point: &[f32; 2], origin: [f32; 2], grid: &Grid) -> Self {
        let (mut nodes, mut shares) = ([0; 2], [[0.0; SUPPORT]; 2]);
        for axis in 0..2 {
            let at = (point[axis] - origin[axis]) / grid.spacing;
            let node = (at as usize).min(grid.nodes[axis] - SUPPORT);
            nodes[axis] = node;
            shares[axis] = spline(at - node as f32);
        }
        Self { nodes, shares }
    }
}

/// The cubic spline's values for four nodes, of which the second is `t` behind.
#[inline(always)]
fn spline(t: f32) -> [f32; SUPPORT] {
    const SIXTH: f32 = 1.0 / 6.0;
    let (u, square) = (1.0 - t, t * t);
    let first = u * u * u * SIXTH;
    let second = (3.0 * t * square - 6.0 * square + 4.0) * SIXTH;
    let last = t * square * SIXTH;
    [first, second, 1.0 - first - second - last, last]
}

/// The least and the largest along each axis.
fn ends(points: &[[f32; 2]]) -> ([f32; 2], [f32; 2]) {
    let (mut least, mut most) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for point in points {
        for axis in 0..2 {
            least[axis] = least[axis].min(point[axis]);
            most[axis] = most[axis].max(point[axis]);
        }
    }
    (least, most)
}
