//! Charges on a grid to forces on a grid. Columns are transformed two by two, one as the real and
//! one as the imaginary part; then, of half the frequencies, as the rest is their mirror image,
//! rows; and back, the forces along both axes as the parts of one complex number. Sixteen columns
//! or rows go together, in a thread.

use crate::Error;
use crate::kernel::{LANES, Level};
use crate::threads::for_each;
use crate::watch::Watch;

use super::field::SUPPORT;
use super::fourier::{Columns, Fourier, Lane, length_for};

/// Nodes along the longer side that there are at least.
const NODES_MIN: f32 = 32.0;
/// Of a grid, unless it is long and thin.
const CELLS_MAX: usize = 1 << 22;
/// Nodes between what is meant and where a transform bites its tail: so far reaches what undoes
/// the smoothing by splines.
const MARGIN: usize = 16;
/// Columns that are transformed together, two in each lane.
const PAIRED: usize = 2 * LANES;

/// Nodes, and how far they are from each other along both axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    pub(super) spacing: f32,
    pub(super) nodes: [usize; 2],
}

impl Grid {
    /// For points within these sides. The spacing is one of few, so that kernels seldom change.
    pub(super) fn new(sides: [f32; 2], mut spacing: f32) -> Self {
        let side = sides[0].max(sides[1]);
        if side > 0.0 {
            while side < NODES_MIN * spacing && spacing > 1e-30 {
                spacing *= 0.5;
            }
        }
        loop {
            let nodes = sides.map(|side| ((side / spacing) as usize).saturating_add(SUPPORT));
            let grid = Self { spacing, nodes };
            if grid.cells() <= CELLS_MAX || spacing > 1e30 {
                return grid;
            }
            spacing *= 2.0;
        }
    }

    /// Numbers of a line of nodes along x, those that fill it up included.
    pub(super) fn width(&self) -> usize {
        self.nodes[0].next_multiple_of(PAIRED)
    }

    pub(super) fn cells(&self) -> usize {
        self.width().saturating_mul(self.nodes[1])
    }

    /// Lengths of transforms in which no node feels another from behind.
    fn lengths(&self) -> [usize; 2] {
        self.nodes.map(|nodes| length_for(2 * nodes + MARGIN))
    }
}

/// Room of a thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    x: Columns,
    y: Columns,
}

/// The kernels of a grid, and what goes from one pass to the next.
#[derive(Debug)]
pub(super) struct Convolution {
    grid: Grid,
    level: Level,
    /// Along x and along y.
    fouriers: [Fourier; 2],
    /// Of sixteen frequencies along y each, by place along x: what a charge's coefficient
    /// contributes to the sum of 1 / (1 + d²), to the force along x and to that along y.
    kernels: Vec<[Lane; 3]>,
    /// Of 32 columns each, by frequency along y: coefficients of either half of the columns.
    halfway: Columns,
    /// Of sixteen frequencies along y each, by column: real and imaginary parts of both forces.
    back: Vec<[Lane; 4]>,
    /// Of sixteen columns each, by node along y.
    forces: Vec<[[f32; 2]; LANES]>,
}

impl Convolution {
    pub(super) fn new(grid: Grid, level: Level, watch: &dyn Watch) -> Result<Self, Error> {
        let fouriers = grid.lengths().map(Fourier::new);
        let (kernels, halfway) = (Vec::new(), Columns::default());
        let (back, forces) = (Vec::new(), Vec::new());
        let mut own = Self { grid, level, fouriers, kernels, halfway, back, forces };
        own.make_kernels(watch)?;
        Ok(own)
    }

    pub(super) fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The sum of (y − y′) / (1 + d²)² at nodes: sixteen columns at once, node by node along y.
    pub(super) fn forces(&self) -> &[[f32; 2]] {
        self.forces.as_flattened()
    }

    /// Whether it does for another grid too, and is not far too large for it.
    pub(super) fn serves(&self, grid: &Grid) -> bool {
        let lengths = grid.lengths();
        let fits = |axis: usize| {
            let len = self.fouriers[axis].len();
            lengths[axis] <= len && 2 * lengths[axis] > len
        };
        self.grid.spacing == grid.spacing && fits(0) && fits(1)
    }

    /// For a grid that it [`Self::serves`].
    pub(super) fn with(self, grid: Grid) -> Self {
        Self { grid, ..self }
    }

    /// Charges to forces; `parts` are added up. Gives the sum of 1 / (1 + d²) over all pairs of
    /// charges, each with itself included.
    pub(super) fn run(
        &mut self,
        parts: &[Vec<f32>],
        rooms: &mut [Room],
        watch: &dyn Watch,
    ) -> Result<f64, Error> {
        self.along_y(parts, self.grid.width(), rooms, watch)?;
        let sum = self.along_x(rooms, watch)?;
        self.back_along_y(rooms, watch)?;
        Ok(sum)
    }

    /// Groups of sixteen frequencies along y, from 0 to half the length.
    fn groups(&self) -> usize {
        (self.fouriers[1].len() / 2 + 1).div_ceil(LANES)
    }

    /// Lines of nodes to coefficients along y, all of them twice as large as they are.
    fn along_y(
        &mut self,
        parts: &[Vec<f32>],
        width: usize,
        rooms: &mut [Room],
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        let (fourier, level, lines) = (&self.fouriers[1], self.level, self.groups() * LANES);
        self.halfway.clear(width / LANES * lines);
        let re = self.halfway.re.chunks_mut(2 * lines);
        let mut items: Vec<_> = re.zip(self.halfway.im.chunks_mut(2 * lines)).collect();
        for_each(&mut items, rooms, watch, |room, index, (re, im)| {
            let columns = &mut room.x;
            columns.clear(fourier.len());
            for part in parts {
                let lines = part.chunks_exact(width);
                for (line, (re, im)) in lines.zip(columns.re.iter_mut().zip(columns.im.iter_mut()))
                {
                    let (first, second) = line[index * PAIRED..][..PAIRED].split_at(LANES);
                    re.iter_mut().zip(first).for_each(|(sum, charge)| *sum += charge);
                    im.iter_mut().zip(second).for_each(|(sum, charge)| *sum += charge);
                }
            }
            fourier.forward(level, columns);
            let each = re.chunks_exact_mut(2).zip(im.chunks_exact_mut(2));
            for (frequency, (re, im)) in each.take(fourier.len() / 2 + 1).enumerate() {
                let mirrored = (fourier.len() - frequency) % fourier.len();
                let [a, b] = [frequency, mirrored].map(|at| fourier.place(at));
                for lane in 0..LANES {
                    let [x, y] = [a, b].map(|at| [columns.re[at][lane], columns.im[at][lane]]);
                    (re[0][lane], im[0][lane]) = (x[0] + y[0], x[1] - y[1]);
                    (re[1][lane], im[1][lane]) = (x[1] + y[1], y[0] - x[0]);
                }
            }
            Ok(())
        })
    }

    /// Coefficients of sixteen frequencies along y to those along x too.
    fn coefficients(&self, group: usize, width: usize, columns: &mut Columns) {
        let lines = self.groups() * LANES;
        columns.clear(self.fouriers[0].len());
        let parts = [(&self.halfway.re, &mut columns.re), (&self.halfway.im, &mut columns.im)];
        for (from, to) in parts {
            for (at, to) in to.chunks_exact_mut(LANES).take(width / LANES).enumerate() {
                let first = (at / 2 * lines + group * LANES) * 2 + at % 2;
                let from = &from[first..];
                for lane in 0..LANES {
                    let line = &from[2 * lane];
                    to.iter_mut().zip(line).for_each(|(to, x)| to[lane] = *x);
                }
            }
        }
        self.fouriers[0].forward(self.level, columns);
    }

    /// Multiplies by the kernels, and goes back along x.
    fn along_x(&mut self, rooms: &mut [Room], watch: &dyn Watch) -> Result<f64, Error> {
        let mut back = std::mem::take(&mut self.back);
        let (width, len, groups) = (self.grid.width(), self.fouriers[0].len(), self.groups());
        back.resize(groups * width, [[0.0; LANES]; 4]);
        let mut sums = vec![0.0_f64; groups];
        let mut items: Vec<_> = back.chunks_mut(width).zip(&mut sums).collect();
        for_each(&mut items, rooms, watch, |room, group, (back, sum)| {
            self.coefficients(group, width, &mut room.x);
            room.y.clear(len);
            let kernels = &self.kernels[group * len..][..len];
            **sum = multiply(kernels, room);
            self.fouriers[0].backward(self.level, &mut room.x);
            self.fouriers[0].backward(self.level, &mut room.y);
            let x = room.x.re.iter().zip(&room.x.im);
            let y = room.y.re.iter().zip(&room.y.im);
            for (to, (x, y)) in back.iter_mut().zip(x.zip(y)) {
                *to = [*x.0, *x.1, *y.0, *y.1];
            }
            Ok(())
        })?;
        self.back = back;
        Ok(sums.iter().sum())
    }

    fn back_along_y(&mut self, rooms: &mut [Room], watch: &dyn Watch) -> Result<(), Error> {
        let (fourier, level, back) = (&self.fouriers[1], self.level, &self.back);
        let (width, nodes) = (self.grid.width(), self.grid.nodes[1]);
        self.forces.resize(width / LANES * nodes, [[0.0; 2]; LANES]);
        let mut items: Vec<_> = self.forces.chunks_mut(nodes).collect();
        for_each(&mut items, rooms, watch, |room, index, forces| {
            let columns = &mut room.x;
            columns.clear(fourier.len());
            for frequency in 0..=fourier.len() / 2 {
                let (group, lane) = (frequency / LANES, frequency % LANES);
                let from = &back[group * width + index * LANES..][..LANES];
                let mirrored = (fourier.len() - frequency) % fourier.len();
                let [a, b] = [frequency, mirrored].map(|at| fourier.place(at));
                // The first where both are one: its imaginary parts are rounding.
                for (at, from) in from.iter().enumerate() {
                    let [x_re, x_im, y_re, y_im] = from.each_ref().map(|part| part[lane]);
                    (columns.re[b][at], columns.im[b][at]) = (x_re + y_im, y_re - x_im);
                    (columns.re[a][at], columns.im[a][at]) = (x_re - y_im, y_re + x_im);
                }
            }
            fourier.backward(level, columns);
            for (to, (re, im)) in forces.iter_mut().zip(columns.re.iter().zip(&columns.im)) {
                for (to, (x, y)) in to.iter_mut().zip(re.iter().zip(im)) {
                    *to = [*x, *y];
                }
            }
            Ok(())
        })
    }

    /// Transforms the kernels, and takes in what undoes splines and scales.
    fn make_kernels(&mut self, watch: &dyn Watch) -> Result<(), Error> {
        let [along_x, along_y] = [self.fouriers[0].len(), self.fouriers[1].len()];
        let groups = self.groups();
        let spacing = f64::from(self.grid.spacing);
        let mut kernels = vec![[[0.0; LANES]; 3]; groups * along_x];
        let mut room = Room::default();
        for which in 0..3 {
            let values = kernel_values(which, spacing, along_x, along_y);
            self.along_y(&[values], along_x, std::slice::from_mut(&mut room), watch)?;
            for (group, kernels) in kernels.chunks_exact_mut(along_x).enumerate() {
                self.coefficients(group, along_x, &mut room.x);
                for frequency in 0..along_x {
                    let place = self.fouriers[0].place(frequency);
                    for lane in 0..LANES {
                        let factor = self.factor([frequency, group * LANES + lane], which);
                        // The first is even, so that its transform is real; others are odd.
                        let from = if which == 0 { &room.x.re } else { &room.x.im };
                        kernels[place][which][lane] =
                            (factor * f64::from(from[place][lane])) as f32;
                    }
                }
            }
        }
        self.kernels = kernels;
        Ok(())
    }

    /// What a kernel's coefficient is multiplied by.
    fn factor(&self, frequencies: [usize; 2], which: usize) -> f64 {
        let half = self.fouriers[1].len() / 2;
        if frequencies[1] > half {
            return 0.0;
        }
        // Kernels and charges come out of the transform along y twice as large as they are. In the
        // sum there are two such charges, and what has a mirror image counts for both.
        let alone = frequencies[1] == 0 || frequencies[1] == half;
        let mut factor = if which == 0 && alone { 1.0 / 8.0 } else { 1.0 / 4.0 };
        for (fourier, frequency) in self.fouriers.iter().zip(frequencies) {
            // Once for charges that were given away, once for forces that are read.
            let spline = (4.0 + 2.0 * fourier.cosines[frequency]) / 6.0;
            factor /= spline * spline * fourier.len() as f64;
        }
        factor
    }
}

/// 1 / (1 + d²) or the force along x or y, by how many nodes both are apart, from behind too.
fn kernel_values(which: usize, spacing: f64, along_x: usize, along_y: usize) -> Vec<f32> {
    let apart = |at: usize, len: usize| match at {
        at if 2 * at == len && which > 0 => 0.0,
        at if 2 * at > len => (at as f64 - len as f64) * spacing,
        at => at as f64 * spacing,
    };
    let mut values = Vec::with_capacity(along_x * along_y);
    for line in 0..along_y {
        let y = apart(line, along_y);
        for column in 0..along_x {
            let x = apart(column, along_x);
            let near = 1.0 / (1.0 + x * x + y * y);
            values.push(match which {
                0 => near,
                1 => near * near * x,
                _ => near * near * y,
            } as f32);
        }
    }
    values
}

/// Coefficients of charges, in the room for x, to those of forces along x and y. Gives the sum of
/// 1 / (1 + d²) that these coefficients contribute.
fn multiply(kernels: &[[Lane; 3]], room: &mut Room) -> f64 {
    let mut sums = [0.0_f64; LANES];
    let x = room.x.re.iter_mut().zip(&mut room.x.im);
    let y = room.y.re.iter_mut().zip(&mut room.y.im);
    for (kernels, (x, y)) in kernels.iter().zip(x.zip(y)) {
        for lane in 0..LANES {
            let (re, im) = (x.0[lane], x.1[lane]);
            sums[lane] += f64::from((re * re + im * im) * kernels[0][lane]);
            (x.0[lane], x.1[lane]) = (-im * kernels[1][lane], re * kernels[1][lane]);
            (y.0[lane], y.1[lane]) = (-im * kernels[2][lane], re * kernels[2][lane]);
        }
    }
    sums.iter().sum()
}
