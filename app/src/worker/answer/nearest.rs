//! Which point is under the pointer: points sorted into the cells of a grid, by counting,
//! once; then a look at the cells around the pointer. Exact, whatever is zoomed.

use crate::draw::points::Points;
use crate::protocol::Viewport;

/// Rows sorted by cell.
#[derive(Debug, Default)]
pub struct Nearest {
    /// Points that were there, and as they were placed.
    of: Option<(usize, u64)>,
    grid: Grid,
    /// Where each cell's rows start, and one past the last.
    starts: Vec<u32>,
    rows: Vec<u32>,
    phase: Phase,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Phase {
    #[default]
    Count,
    Place,
    Done,
}

/// Cells over the part of the data where nearly all of it is; what lies outside is in the
/// cells of the rim.
#[derive(Debug, Default, Clone, Copy)]
struct Grid {
    side: usize,
    x: [f64; 2],
    y: [f64; 2],
    /// The next row to look at.
    row: usize,
}

/// Where the pointer is and how far it reaches.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    pub viewport: Viewport,
    /// CSS pixels of the canvas.
    pub size: [f64; 2],
    pub pointer: [f64; 2],
    pub reach: f64,
}

const ROWS_A_STEP: usize = 1 << 16;
const SAMPLE: usize = 2000;

impl Nearest {
    /// Sorts a share of the rows in; false when all are.
    pub fn step(&mut self, points: &Points, placed: &[u64], extent: ([f64; 2], [f64; 2])) -> bool {
        let of = Some((points.rows(), points.geometry()));
        if self.of != of {
            *self = Self { of, ..Self::default() };
            self.grid = Grid::over(points, extent);
            self.starts = vec![0; self.grid.side * self.grid.side + 1];
        }
        if self.phase == Phase::Done {
            return false;
        }
        let end = (self.grid.row + ROWS_A_STEP).min(points.rows());
        for row in self.grid.row..end {
            if !is_set(placed, row) {
                continue;
            }
            let Some(cell) = points.position(row).map(|(x, y)| self.grid.cell(x, y)) else {
                continue;
            };
            match self.phase {
                // One further on: the sums then are where each cell starts.
                Phase::Count => {
                    add(&mut self.starts, cell + 1);
                }
                _ => {
                    let place = add(&mut self.starts, cell);
                    if let Some(slot) = self.rows.get_mut(place) {
                        *slot = row as u32;
                    }
                }
            }
        }
        self.grid.row = end;
        if end == points.rows() {
            self.next_phase();
        }
        true
    }

    fn next_phase(&mut self) {
        self.grid.row = 0;
        if self.phase == Phase::Count {
            let mut sum = 0;
            for start in &mut self.starts {
                sum += *start;
                *start = sum;
            }
            self.rows = vec![0; sum as usize];
            self.phase = Phase::Place;
            return;
        }
        // Placing moved each start to its end, which is where the next one starts.
        self.starts.rotate_right(1);
        if let Some(first) = self.starts.first_mut() {
            *first = 0;
        }
        self.phase = Phase::Done;
    }

    /// The row of the nearest point within reach among `shown`, and where it is drawn. Of
    /// points at one place, the last row, which is drawn on top.
    pub fn find(&self, points: &Points, shown: &[u64], look: &Reach) -> Option<(usize, [f64; 2])> {
        let mut best: Option<(f64, usize, [f64; 2])> = None;
        self.each(points, shown, look, &mut |row, at| {
            let distance = (at[0] - look.pointer[0]).hypot(at[1] - look.pointer[1]);
            let is_nearer = best.is_none_or(|(nearest, other, _)| {
                distance < nearest || (distance == nearest && row > other)
            });
            if distance <= look.reach && is_nearer {
                best = Some((distance, row, at));
            }
        });
        best.map(|(_, row, at)| (row, at))
    }

    /// The nearest point in view that lies from a row's in the direction that `look` points
    /// to, within a right angle about it.
    pub fn next(
        &self,
        points: &Points,
        shown: &[u64],
        look: &Reach,
        from: usize,
    ) -> Option<(usize, [f64; 2])> {
        let [width, height] = look.size;
        let start = look.pixel(points.position(from)?);
        let toward = look.pointer;
        let mut look = Reach { pointer: start, ..*look };
        while look.reach < 2.0 * width.hypot(height) {
            let mut best: Option<(f64, usize, [f64; 2])> = None;
            self.each(points, shown, &look, &mut |row, at| {
                let by = [at[0] - start[0], at[1] - start[1]];
                let along = by[0] * toward[0] + by[1] * toward[1];
                let aside = (by[0] * toward[1] - by[1] * toward[0]).abs();
                let is_seen = (0.0..=width).contains(&at[0]) && (0.0..=height).contains(&at[1]);
                let distance = by[0].hypot(by[1]);
                let is_nearer = best.is_none_or(|(nearest, ..)| distance < nearest);
                // Not the point itself, nor what lies on it.
                if row != from && along > 1e-6 && aside <= along && is_seen && is_nearer {
                    best = Some((distance, row, at));
                }
            });
            // What is farther than this was not all looked at.
            if let Some((distance, row, at)) = best
                && distance <= look.reach
            {
                return Some((row, at));
            }
            look.reach *= 2.0;
        }
        None
    }

    /// Calls with each shown row in the cells within reach, and where it is drawn.
    fn each(
        &self,
        points: &Points,
        shown: &[u64],
        look: &Reach,
        f: &mut dyn FnMut(usize, [f64; 2]),
    ) {
        if self.phase != Phase::Done {
            return;
        }
        let per_pixel = look.per_pixel();
        let Viewport { x, y } = look.viewport;
        let center = [x[0] + look.pointer[0] * per_pixel[0], y[1] - look.pointer[1] * per_pixel[1]];
        let reach = per_pixel.map(|length| look.reach * length.abs());
        let (low, high) = (
            self.grid.place(center[0] - reach[0], center[1] - reach[1]),
            self.grid.place(center[0] + reach[0], center[1] + reach[1]),
        );
        for row_of_cells in low[1]..=high[1] {
            let first = row_of_cells * self.grid.side;
            let ends = self.starts.get(first + low[0]).zip(self.starts.get(first + high[0] + 1));
            let rows = ends.and_then(|(start, end)| self.rows.get(*start as usize..*end as usize));
            for row in rows.unwrap_or_default().iter().map(|row| *row as usize) {
                if is_set(shown, row)
                    && let Some(place) = points.position(row)
                {
                    f(row, look.pixel(place));
                }
            }
        }
    }
}

impl Reach {
    /// Data units to a pixel.
    fn per_pixel(&self) -> [f64; 2] {
        let Viewport { x, y } = self.viewport;
        [(x[1] - x[0]) / self.size[0], (y[1] - y[0]) / self.size[1]]
    }

    fn pixel(&self, (x, y): (f64, f64)) -> [f64; 2] {
        let per_pixel = self.per_pixel();
        [(x - self.viewport.x[0]) / per_pixel[0], (self.viewport.y[1] - y) / per_pixel[1]]
    }
}

impl Grid {
    fn over(points: &Points, extent: ([f64; 2], [f64; 2])) -> Self {
        let stride = (points.rows() / SAMPLE).max(1);
        let sample: Vec<(f64, f64)> =
            (0..points.rows()).step_by(stride).filter_map(|row| points.position(row)).collect();
        let middle = |mut values: Vec<f64>, extent: [f64; 2]| {
            values.sort_by(f64::total_cmp);
            let at = |share: f64| values.get((values.len() as f64 * share) as usize).copied();
            let ends = at(0.005).zip(at(0.995)).filter(|(low, high)| low < high);
            ends.map_or(extent, |(low, high)| [low, high])
        };
        let x = middle(sample.iter().map(|(x, _)| *x).collect(), extent.0);
        let y = middle(sample.iter().map(|(_, y)| *y).collect(), extent.1);
        let side = ((points.rows() as f64 / 4.0).sqrt() as usize).clamp(4, 1024);
        Self { side, x, y, row: 0 }
    }

    /// Column and row of the cell of a place.
    fn place(&self, x: f64, y: f64) -> [usize; 2] {
        let along = |value: f64, [low, high]: [f64; 2]| {
            // Casts end at the type's ends, and NaN becomes 0.
            let cell = ((value - low) / (high - low) * self.side as f64).floor() as isize;
            cell.clamp(0, self.side as isize - 1).cast_unsigned()
        };
        [along(x, self.x), along(y, self.y)]
    }

    fn cell(&self, x: f64, y: f64) -> usize {
        let [column, row] = self.place(x, y);
        row * self.side + column
    }
}

fn is_set(words: &[u64], row: usize) -> bool {
    words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
}

/// Counts one up; answers what it was.
fn add(counts: &mut [u32], index: usize) -> usize {
    match counts.get_mut(index) {
        Some(count) => {
            *count += 1;
            *count as usize - 1
        }
        None => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A number between 0 and 1 that looks random.
    fn noise(n: u64) -> f64 {
        (engine::sample::hash64(1, n) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn the_nearest_is_what_looking_at_all_finds() {
        let n = 5000;
        let mut xs: Vec<f64> = (0..n).map(|i| noise(i) * 100.0).collect();
        let ys: Vec<f64> = (0..n).map(|i| 1e9 + noise(i + n)).collect();
        xs[7] = f64::NAN;
        xs[8] = 1e6;
        let mut points = Points::new();
        points.append(&xs, &ys, &[]);
        let all: Vec<u64> = vec![u64::MAX; 79];
        let extent = ([0.0, 1e6], [1e9, 1e9 + 1.0]);
        let mut nearest = Nearest::default();
        while nearest.step(&points, &all, extent) {}
        let odd = vec![0xAAAA_AAAA_AAAA_AAAA; 79];
        for (shown, zoom) in [(&all, 1.0), (&odd, 1.0), (&all, 0.01)] {
            for i in 0..200 {
                let viewport = Viewport { x: [0.0, 100.0 * zoom], y: [1e9, 1e9 + zoom] };
                let pointer = [noise(i + 50_000) * 400.0, noise(i + 60_000) * 300.0];
                let look = Reach { viewport, size: [400.0, 300.0], pointer, reach: 12.0 };
                let slow = (0..n as usize)
                    .filter(|&row| is_set(shown, row))
                    .filter_map(|row| {
                        let (x, y) = points.position(row)?;
                        let at = [x / (100.0 * zoom) * 400.0, 300.0 - (y - 1e9) / zoom * 300.0];
                        let distance = (at[0] - pointer[0]).hypot(at[1] - pointer[1]);
                        (distance <= 12.0).then_some((distance, row))
                    })
                    .min_by(|a, b| a.0.total_cmp(&b.0));
                let found = nearest.find(&points, shown, &look);
                assert_eq!(found.map(|(row, _)| row), slow.map(|(_, row)| row));
                // From there to the right.
                let Some((from, start)) = found else { continue };
                let right = Reach { pointer: [1.0, 0.0], ..look };
                let slow = (0..n as usize)
                    .filter(|&row| is_set(shown, row))
                    .filter_map(|row| Some((row, look.pixel(points.position(row)?))))
                    .filter(|(_, [x, y])| (0.0..=400.0).contains(x) && (0.0..=300.0).contains(y))
                    .map(|(row, [x, y])| (row, x - start[0], y - start[1]))
                    .filter(|(row, x, y)| *row != from && *x > 1e-6 && y.abs() <= *x)
                    .min_by(|a, b| a.1.hypot(a.2).total_cmp(&b.1.hypot(b.2)));
                let next = nearest.next(&points, shown, &right, from);
                assert_eq!(next.map(|(row, _)| row), slow.map(|(row, ..)| row));
            }
        }
    }
}
