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
    /// Row by row from the lowest; one more stands for all that is outside of the box.
    kinds: Vec<Kind>,
    /// The edges that come into each row of cells: no others tell of a point there.
    row_edges: Vec<Vec<Edge>>,
}

type Edge = ([f64; 2], [f64; 2]);

/// One bit says that all of it is inside, another that points have to be tested.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(u8)]
enum Kind {
    Outside = 0,
    Inside = 1,
    /// An edge runs through it, or may.
    Edge = 2,
}

/// Cells to a side. Their kinds take 64 kB, which the processor keeps at hand.
const SIDE: usize = 256;

/// The place of points that are in no cell.
const OUTSIDE: u32 = (SIDE * SIDE) as u32;
/// Points that are tested together.
const WORD: usize = crate::mask::WORD_BITS;

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

    pub fn contains(&self, x: f64, y: f64) -> bool {
        self.word(&[x], &[y]) == 1
    }

    /// A bit for each of up to 64 points: whether it is inside. NaN is nowhere.
    #[inline(always)]
    pub fn word<T: Copy + Into<f64>>(&self, xs: &[T], ys: &[T]) -> u64 {
        let [low_x, low_y] = self.low;
        let [high_x, high_y] = self.high;
        let in_box = |x: f64, y: f64| (x >= low_x) & (x <= high_x) & (y >= low_y) & (y <= high_y);
        let Some(cells) = &self.cells else {
            let points = xs.iter().zip(ys).enumerate().take(WORD);
            return points.fold(0, |word, (bit, (x, y))| {
                let (x, y) = ((*x).into(), (*y).into());
                let is_inside = in_box(x, y) && is_within(self.edges(), x, y);
                word | u64::from(is_inside) << bit
            });
        };
        // Places first, all alike; then what their cells say; then the few that need edges.
        let mut places = [OUTSIDE; WORD];
        for (place, (x, y)) in places.iter_mut().zip(xs.iter().zip(ys)) {
            let (x, y) = ((*x).into(), (*y).into());
            let there =
                cell(x, low_x, cells.scale[0]) + SIDE as u32 * cell(y, low_y, cells.scale[1]);
            *place = if in_box(x, y) { there } else { OUTSIDE };
        }
        let (mut inside, mut near_edges) = (0_u64, 0_u64);
        for (bit, place) in places.iter().enumerate() {
            let kind = cells.kinds.get(*place as usize).map_or(0, |kind| *kind as u64);
            inside |= (kind & 1) << bit;
            near_edges |= (kind >> 1) << bit;
        }
        while near_edges != 0 {
            let bit = near_edges.trailing_zeros() as usize;
            near_edges &= near_edges - 1;
            let (Some(x), Some(y), Some(place)) = (xs.get(bit), ys.get(bit), places.get(bit))
            else {
                continue;
            };
            let edges = cells.row_edges.get(*place as usize / SIDE).map_or(&[][..], |row| row);
            let is_inside = is_within(edges.iter().copied(), (*x).into(), (*y).into());
            inside |= u64::from(is_inside) << bit;
        }
        inside
    }

    fn edges(&self) -> impl Iterator<Item = Edge> {
        let ends = self.corners.iter().skip(1).chain(self.corners.first());
        self.corners.iter().copied().zip(ends.copied())
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
        let mut kinds = vec![Kind::Outside; SIDE * SIDE + 1];
        let mut row_edges = vec![Vec::new(); SIDE];
        for (from, to) in self.edges() {
            self.mark((from, to), scale, &mut kinds, &mut row_edges);
        }
        // Between two edges a row of cells is all inside or all outside: one point tells.
        for ((row, kinds), edges) in kinds.chunks_exact_mut(SIDE).enumerate().zip(&row_edges) {
            let y = self.low[1] + (row as f64 + 0.5) / scale[1];
            let mut before = Kind::Edge;
            for (column, kind) in kinds.iter_mut().enumerate() {
                if *kind != Kind::Edge {
                    *kind = match before {
                        Kind::Edge => {
                            let x = self.low[0] + (column as f64 + 0.5) / scale[0];
                            let inside = is_within(edges.iter().copied(), x, y);
                            if inside { Kind::Inside } else { Kind::Outside }
                        }
                        same => same,
                    };
                }
                before = *kind;
            }
        }
        Some(Cells { scale, kinds, row_edges })
    }

    /// Marks the cells that an edge runs through and their neighbours, which a point beside
    /// the edge may be counted to by rounding.
    fn mark(
        &self,
        (from, to): Edge,
        scale: [f64; 2],
        kinds: &mut [Kind],
        row_edges: &mut [Vec<Edge>],
    ) {
        let ([ax, ay], [bx, by]) = if from[1] <= to[1] { (from, to) } else { (to, from) };
        let first = place(ay, self.low[1], scale[1]).saturating_sub(1);
        let last = (place(by, self.low[1], scale[1]) + 1).min(SIDE - 1);
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
            let left = place(ends[0].min(ends[1]), self.low[0], scale[0]).saturating_sub(1);
            let right = (place(ends[0].max(ends[1]), self.low[0], scale[0]) + 1).min(SIDE - 1);
            let cells = kinds.get_mut(row * SIDE + left..=row * SIDE + right);
            cells.into_iter().flatten().for_each(|kind| *kind = Kind::Edge);
            if let Some(edges) = row_edges.get_mut(row) {
                edges.push((from, to));
            }
        }
    }
}

/// Even-odd: a ray to the right crosses an odd number of edges; those that the point lies on
/// hold it in any case.
fn is_within(edges: impl Iterator<Item = Edge>, x: f64, y: f64) -> bool {
    let mut is_inside = false;
    for ([ax, ay], [bx, by]) in edges {
        // Positive where the point lies to the left of the edge.
        let side = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        let is_beside = x >= ax.min(bx) && x <= ax.max(bx) && y >= ay.min(by) && y <= ay.max(by);
        if side == 0.0 && is_beside {
            return true;
        }
        if (ay > y) != (by > y) && (side > 0.0) == (by > ay) {
            is_inside = !is_inside;
        }
    }
    is_inside
}

/// The cell of a place along one axis.
#[inline(always)]
fn cell(at: f64, low: f64, scale: f64) -> u32 {
    // A cast from a float keeps within the type's ends.
    (((at - low) * scale) as u32).min(SIDE as u32 - 1)
}

fn place(at: f64, low: f64, scale: f64) -> usize {
    cell(at, low, scale) as usize
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
                let expected = in_bounds && is_within(outline.edges(), x, y);
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
