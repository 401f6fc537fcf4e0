//! A polygon that points are tested against. The box around it is cut into cells; those that
//! no edge runs through are inside or outside as a whole, and only points in the others are
//! held against the edges.

/// A closed outline: even-odd, edges and corners are inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    corners: Vec<[f64; 2]>,
    low: [f64; 2],
    high: [f64; 2],
    /// The box itself: a selection drawn as one.
    is_box: bool,
    cells: Option<Cells>,
}

#[derive(Debug, Clone, PartialEq)]
struct Cells {
    /// Cells to a unit of either axis.
    scale: [f64; 2],
    /// Row by row from the lowest.
    kinds: Vec<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Outside,
    Inside,
    /// An edge runs through it, or may.
    Edge,
}

/// Cells to a side. Their kinds take 64 kB, which the processor keeps at hand.
const SIDE: usize = 256;

impl Outline {
    pub fn new(corners: Vec<[f64; 2]>) -> Self {
        let axis =
            |place: usize| corners.iter().map(move |[x, y]| if place == 0 { *x } else { *y });
        let low = [0, 1].map(|place| axis(place).fold(f64::INFINITY, f64::min));
        let high = [0, 1].map(|place| axis(place).fold(f64::NEG_INFINITY, f64::max));
        let mut outline = Self { corners, low, high, is_box: false, cells: None };
        let edges: Vec<_> = outline.edges().collect();
        let turns = edges.windows(2).all(|pair| match pair {
            // Each edge leaves along the axis that the last did not run along.
            &[([ax, ay], [bx, by]), (_, [cx, cy])] => {
                (ax == bx && by == cy && ay != by) || (ay == by && bx == cx && ax != bx)
            }
            _ => true,
        });
        outline.is_box = turns && edges.len() == 4;
        outline.cells = outline.cut();
        outline
    }

    pub fn corners(&self) -> &[[f64; 2]] {
        &self.corners
    }

    /// Lowest and highest of either axis.
    pub fn bounds(&self) -> [[f64; 2]; 2] {
        let ([low_x, low_y], [high_x, high_y]) = (self.low, self.high);
        [[low_x, high_x], [low_y, high_y]]
    }

    /// Whether this is a box along the axes.
    pub fn is_box(&self) -> bool {
        self.is_box
    }

    #[inline]
    pub fn contains(&self, x: f64, y: f64) -> bool {
        let [low_x, low_y] = self.low;
        let [high_x, high_y] = self.high;
        if !(x >= low_x && x <= high_x && y >= low_y && y <= high_y) {
            return false;
        }
        let kind = self.cells.as_ref().map(|cells| {
            let place = cell(x, low_x, cells.scale[0]) + SIDE * cell(y, low_y, cells.scale[1]);
            cells.kinds.get(place).copied().unwrap_or(Kind::Edge)
        });
        match kind {
            Some(Kind::Outside) => false,
            Some(Kind::Inside) => true,
            Some(Kind::Edge) | None => self.is_within_edges(x, y),
        }
    }

    fn edges(&self) -> impl Iterator<Item = ([f64; 2], [f64; 2])> {
        let ends = self.corners.iter().skip(1).chain(self.corners.first());
        self.corners.iter().copied().zip(ends.copied())
    }

    fn is_within_edges(&self, x: f64, y: f64) -> bool {
        let mut is_inside = false;
        for ([ax, ay], [bx, by]) in self.edges() {
            // Positive where the point lies to the left of the edge.
            let side = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
            let is_beside =
                x >= ax.min(bx) && x <= ax.max(bx) && y >= ay.min(by) && y <= ay.max(by);
            if side == 0.0 && is_beside {
                return true;
            }
            if (ay > y) != (by > y) && (side > 0.0) == (by > ay) {
                is_inside = !is_inside;
            }
        }
        is_inside
    }

    /// Tells the cells apart; `None` where testing the edges costs no more.
    fn cut(&self) -> Option<Cells> {
        let scale = [0, 1].map(|axis| {
            let span = self.high.get(axis).zip(self.low.get(axis)).map_or(0.0, |(h, l)| h - l);
            SIDE as f64 / span
        });
        let is_worth_it = self.corners.len() > 4 && !self.is_box;
        if !is_worth_it || scale.iter().any(|scale| !scale.is_normal()) {
            return None;
        }
        let mut kinds = vec![Kind::Outside; SIDE * SIDE];
        for (from, to) in self.edges() {
            self.mark(from, to, scale, &mut kinds);
        }
        // Between two edges a row of cells is all inside or all outside: one point tells.
        for (row, kinds) in kinds.chunks_mut(SIDE).enumerate() {
            let y = self.low[1] + (row as f64 + 0.5) / scale[1];
            let mut before = Kind::Edge;
            for (column, kind) in kinds.iter_mut().enumerate() {
                if *kind != Kind::Edge {
                    *kind = match before {
                        Kind::Edge => {
                            let x = self.low[0] + (column as f64 + 0.5) / scale[0];
                            let inside = self.is_within_edges(x, y);
                            if inside { Kind::Inside } else { Kind::Outside }
                        }
                        same => same,
                    };
                }
                before = *kind;
            }
        }
        Some(Cells { scale, kinds })
    }

    /// Marks the cells that an edge runs through and their neighbours, which a point beside
    /// the edge may be counted to by rounding.
    fn mark(&self, from: [f64; 2], to: [f64; 2], scale: [f64; 2], kinds: &mut [Kind]) {
        let ([ax, ay], [bx, by]) = if from[1] <= to[1] { (from, to) } else { (to, from) };
        let first = cell(ay, self.low[1], scale[1]).saturating_sub(1);
        let last = (cell(by, self.low[1], scale[1]) + 1).min(SIDE - 1);
        for row in first..=last {
            let band = [row as f64 - 1.0, row as f64 + 2.0].map(|at| self.low[1] + at / scale[1]);
            // Where the edge is while it is in the row or beside it.
            let along = |y: f64| {
                let share = if by > ay { ((y - ay) / (by - ay)).clamp(0.0, 1.0) } else { 0.0 };
                ax + share * (bx - ax)
            };
            let ends = match by > ay {
                true => band.map(along),
                false => [ax, bx],
            };
            let left = cell(ends[0].min(ends[1]), self.low[0], scale[0]).saturating_sub(1);
            let right = (cell(ends[0].max(ends[1]), self.low[0], scale[0]) + 1).min(SIDE - 1);
            let cells = kinds.get_mut(row * SIDE + left..=row * SIDE + right);
            cells.into_iter().flatten().for_each(|kind| *kind = Kind::Edge);
        }
    }
}

/// The cell of a place along one axis.
#[inline]
fn cell(place: f64, low: f64, scale: f64) -> usize {
    // A cast from a float keeps within the type's ends.
    (((place - low) * scale) as usize).min(SIDE - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cells_say_what_the_edges_do(
            corners in prop::collection::vec(prop::array::uniform2(-8_i32..8), 5..40),
            points in prop::collection::vec(prop::array::uniform2(-700_i32..700), 200),
            scale in prop::sample::select(vec![1e-9, 0.37, 1.0, 1e12]),
        ) {
            let corners: Vec<_> =
                corners.into_iter().map(|corner| corner.map(|at| f64::from(at) * scale)).collect();
            let outline = Outline::new(corners.clone());
            let fine = points.into_iter().map(|point| point.map(|at| f64::from(at) / 80.0 * scale));
            // Corners and places on edges as well.
            let middles = outline.edges().map(|(a, b)| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]);
            for [x, y] in fine.chain(corners).chain(middles) {
                let [[low_x, high_x], [low_y, high_y]] = outline.bounds();
                let in_bounds = x >= low_x && x <= high_x && y >= low_y && y <= high_y;
                let expected = in_bounds && outline.is_within_edges(x, y);
                prop_assert_eq!(outline.contains(x, y), expected, "{} {}", x, y);
            }
        }
    }

    #[test]
    fn few_cells_of_a_lasso_need_its_edges() {
        let star: Vec<_> = (0..30)
            .map(|corner| {
                let angle = f64::from(corner) / 30.0 * std::f64::consts::TAU;
                let reach = if corner % 2 == 0 { 1.0 } else { 0.5 };
                [reach * angle.cos(), reach * angle.sin()]
            })
            .collect();
        let cells = Outline::new(star).cells;
        let kinds = cells.map(|cells| cells.kinds).unwrap_or_default();
        let share = |wanted: Kind| {
            kinds.iter().filter(|kind| **kind == wanted).count() as f64 / kinds.len() as f64
        };
        assert!(share(Kind::Edge) < 0.25, "{}", share(Kind::Edge));
        assert!(share(Kind::Inside) > 0.2 && share(Kind::Outside) > 0.3);
    }

    #[test]
    fn edges_are_in_and_crossings_count_twice() {
        let square = Outline::new(vec![[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]);
        for (x, y) in [(0.0, 0.0), (4.0, 4.0), (2.0, 0.0), (4.0, 1.0), (0.0, 3.5), (2.0, 2.0)] {
            assert!(square.contains(x, y), "{x} {y}");
        }
        for (x, y) in
            [(-0.1, 2.0), (4.1, 4.0), (2.0, 4.000_001), (f64::NAN, 2.0), (2.0, f64::INFINITY)]
        {
            assert!(!square.contains(x, y), "{x} {y}");
        }
        let turned = Outline::new(vec![[0.0, 4.0], [0.0, 0.0], [4.0, 0.0], [4.0, 4.0]]);
        assert!(square.is_box && turned.is_box && turned.contains(4.0, 0.0));
        for corners in [
            [[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 4.0]],
            [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [1.0, 4.0]],
            [[0.0, 0.0], [4.0, 0.0], [0.0, 0.0], [4.0, 0.0]],
        ] {
            assert!(!Outline::new(corners.to_vec()).is_box, "{corners:?}");
        }
        // A pentagram leaves its middle out under the even-odd rule.
        let star: Vec<[f64; 2]> = (0..5)
            .map(|corner| {
                let angle = f64::from(corner) * 4.0 * std::f64::consts::PI / 5.0;
                [angle.sin(), angle.cos()]
            })
            .collect();
        let star = Outline::new(star);
        assert!(!star.contains(0.0, 0.0));
        assert!(star.contains(0.0, 0.9));
        let spike = Outline::new(vec![[0.0, 0.0], [2.0, 2.0], [4.0, 0.0], [2.0, 1.0]]);
        assert!(spike.contains(2.0, 1.5) && !spike.contains(2.0, 0.5));
        assert!(spike.contains(1.0, 1.0) && spike.contains(3.0, 0.5));
    }
}
