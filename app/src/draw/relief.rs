//! Counts per cell as a landscape: smoothed, and its lines of equal height, by marching
//! squares. Pure.

use std::fmt::Write;

/// Heights are halved from line to line, so many times.
const LINES: usize = 6;
/// Lower lines would be around single points.
const HEIGHT_MIN: f32 = 0.25;

/// Heights in lines, from the top, at the corners of squares.
#[derive(Debug, Clone, PartialEq)]
pub struct Relief {
    pub width: usize,
    pub height: usize,
    pub heights: Vec<f32>,
}

impl Relief {
    /// Of counts in lines of `across`; each height is the mean of the counts around it,
    /// those next to it most, `reach` cells far. Of `fold` × `fold` cells each.
    pub fn of(counts: &[u32], across: usize, fold: usize, reach: usize) -> Self {
        let (across, fold) = (across.max(1), fold.max(1));
        let (width, height) = (across.div_ceil(fold), (counts.len() / across).div_ceil(fold));
        let mut heights = vec![0.0; width * height];
        let share = 1.0 / (fold * fold) as f32;
        for (line, cells) in counts.chunks_exact(across).enumerate() {
            for (column, count) in cells.iter().enumerate() {
                if let Some(sum) = heights.get_mut(line / fold * width + column / fold) {
                    *sum += *count as f32 * share;
                }
            }
        }
        // Thrice the mean of a square is nearly a bell.
        for _ in 0..3 {
            heights = smoothed(&heights, width, reach);
            heights = smoothed(&heights, height, reach);
        }
        Self { width, height, heights }
    }

    /// Heights of lines, the lowest first: halves of the top, of its half, and so on.
    pub fn levels(&self) -> Vec<f32> {
        let top = self.heights.iter().copied().fold(0.0, f32::max);
        let halves = (1..=LINES).map(|line| top / (1u32 << line) as f32);
        let mut levels: Vec<f32> = halves.filter(|level| *level >= HEIGHT_MIN).collect();
        levels.reverse();
        levels
    }

    /// The line of a height as a path of SVG; a step between two heights is `unit` long.
    pub fn line(&self, level: f32, unit: f32) -> String {
        let mut path = String::new();
        for row in 0..self.height.saturating_sub(1) {
            for column in 0..self.width.saturating_sub(1) {
                self.square(&mut path, (column, row), level, unit);
            }
        }
        path
    }

    fn at(&self, column: usize, row: usize) -> f32 {
        self.heights.get(row * self.width + column).copied().unwrap_or(0.0)
    }

    /// Heights are those of the middles of their cells.
    fn square(&self, path: &mut String, (column, row): (usize, usize), level: f32, unit: f32) {
        // Clockwise from the top left.
        const CORNERS: [(usize, usize); 4] = [(0, 0), (1, 0), (1, 1), (0, 1)];
        let corners = CORNERS.map(|(right, down)| self.at(column + right, row + down));
        let is_in = corners.map(|height| height >= level);
        if is_in == [true; 4] || is_in == [false; 4] {
            return;
        }
        let crossing = |side: usize| {
            let (from, to) = (side, (side + 1) % 4);
            let (low, high) = (corners[from], corners[to]);
            let share = (level - low) / (high - low);
            let along = |from: usize, to: usize| from as f32 + (to as f32 - from as f32) * share;
            let (a, b) = (CORNERS[from], CORNERS[to]);
            let place = |cell: usize, offset: f32| (cell as f32 + 0.5 + offset) * unit;
            (place(column, along(a.0, b.0)), place(row, along(a.1, b.1)))
        };
        let sides: Vec<usize> =
            (0..4).filter(|side| is_in[*side] != is_in[(side + 1) % 4]).collect();
        // Of a saddle the middle says which corners belong together.
        let is_high = corners.iter().sum::<f32>() >= 4.0 * level;
        let turned = sides.len() == 4 && is_in[0] == is_high;
        for pair in 0..sides.len() / 2 {
            let ends = match (turned, pair) {
                (true, 0) => [0, 1],
                (true, _) => [2, 3],
                (false, 0) if sides.len() == 4 => [3, 0],
                (false, _) if sides.len() == 4 => [1, 2],
                _ => [sides[0], sides[1]],
            };
            let [(x0, y0), (x1, y1)] = ends.map(crossing);
            // Writing to a string cannot fail.
            let _written = write!(path, "M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}");
        }
    }
}

/// The mean of the `reach` values on either side of each, along lines of `width`; the result
/// lies across, so that twice is the same way round again.
fn smoothed(values: &[f32], width: usize, reach: usize) -> Vec<f32> {
    let height = values.len() / width.max(1);
    let mut out = vec![0.0; values.len()];
    let share = 1.0 / (2 * reach + 1) as f32;
    for (row, line) in values.chunks_exact(width.max(1)).enumerate() {
        let mut sum: f32 = line.iter().take(reach).sum();
        for column in 0..width {
            sum += line.get(column + reach).copied().unwrap_or(0.0);
            if column > reach {
                sum -= line.get(column - reach - 1).copied().unwrap_or(0.0);
            }
            if let Some(place) = out.get_mut(column * height + row) {
                // Sums of floats may end just below nothing.
                *place = (sum * share).max(0.0);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_around_what_is_high() {
        // A cone in the middle of 41 × 31 cells.
        let height = |column: i32, row: i32| {
            (100.0 - f64::from(column - 20).hypot(f64::from(row - 15)) * 8.0).max(0.0) as u32
        };
        let counts: Vec<u32> =
            (0..31).flat_map(|row| (0..41).map(move |column| height(column, row))).collect();
        let relief = Relief::of(&counts, 41, 1, 0);
        assert_eq!(relief.heights.iter().map(|h| *h as u32).collect::<Vec<_>>(), counts);
        assert_eq!(relief.levels(), [1.5625, 3.125, 6.25, 12.5, 25.0, 50.0]);
        for level in [25.0f32, 50.0] {
            let path = relief.line(level, 2.0);
            let numbers: Vec<f32> = path
                .split(['M', 'L', ' '])
                .filter(|part| !part.is_empty())
                .map(|part| part.parse().unwrap_or(f32::NAN))
                .collect();
            assert!(numbers.len() > 60 && numbers.len().is_multiple_of(4), "{path}");
            let radius = (100.0 - level) / 8.0;
            for place in numbers.chunks(2) {
                let (x, y) = (place[0] / 2.0 - 20.5, place[1] / 2.0 - 15.5);
                assert!((x.hypot(y) - radius).abs() < 0.4, "{level}: {place:?}");
            }
        }
    }

    #[test]
    fn smoothing_and_folding_lose_nothing_inside() {
        let mut counts = vec![0u32; 60 * 40];
        counts[20 * 60 + 30] = 4000;
        let relief = Relief::of(&counts, 60, 2, 2);
        assert_eq!((relief.width, relief.height), (30, 20));
        let sum: f32 = relief.heights.iter().sum();
        assert!((sum - 1000.0).abs() < 0.1, "{sum}");
        let top = relief.heights.iter().copied().fold(0.0, f32::max);
        assert_eq!(relief.heights[10 * 30 + 15], top);
        assert!(Relief::of(&[], 0, 2, 2).levels().is_empty());
    }
}
