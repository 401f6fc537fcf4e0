//! A polygon that points are tested against. The box around it is cut into cells; those that
//! no edge runs through are inside or outside as a whole, and only points in the others are
//! held against the edges.

mod cells;

use self::cells::Cells;
pub use self::cells::Coordinate;
use crate::mask::WORD_BITS;

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

type Edge = ([f64; 2], [f64; 2]);

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
        // Testing few edges costs no more than finding cells.
        if outline.corners.len() > 4 && !outline.is_box {
            outline.cells = Cells::new(outline.low, outline.high, &edges);
        }
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
        let ([low_x, low_y], [high_x, high_y]) = (self.low, self.high);
        let is_in_box = x >= low_x && x <= high_x && y >= low_y && y <= high_y;
        is_in_box && is_within(self.edges(), x, y)
    }

    /// A bit for each of up to 64 points: whether it is inside. NaN is nowhere.
    #[inline(always)]
    pub fn word<T: Coordinate>(&self, xs: &[T], ys: &[T]) -> u64 {
        let Some(cells) = &self.cells else {
            let points = xs.iter().zip(ys).enumerate().take(WORD_BITS);
            return points.fold(0, |word, (bit, (x, y))| {
                word | u64::from(self.contains((*x).into(), (*y).into())) << bit
            });
        };
        match (xs.first_chunk(), ys.first_chunk()) {
            (Some(xs), Some(ys)) => cells.word(xs, ys),
            _ => {
                let filled = |values: &[T]| {
                    std::array::from_fn(|at| values.get(at).copied().unwrap_or(T::NOWHERE))
                };
                cells.word(&filled(xs), &filled(ys))
            }
        }
    }

    fn edges(&self) -> impl Iterator<Item = Edge> {
        let ends = self.corners.iter().skip(1).chain(self.corners.first());
        self.corners.iter().copied().zip(ends.copied())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check<T: Coordinate>(outline: &Outline, points: &[[T; 2]]) -> Result<(), TestCaseError> {
        for points in points.chunks(WORD_BITS) {
            let xs: Vec<T> = points.iter().map(|[x, _]| *x).collect();
            let ys: Vec<T> = points.iter().map(|[_, y]| *y).collect();
            let word = outline.word(&xs, &ys);
            for (bit, (x, y)) in xs.iter().zip(&ys).enumerate() {
                let (x, y) = ((*x).into(), (*y).into());
                prop_assert_eq!(word >> bit & 1 == 1, outline.contains(x, y), "{} {}", x, y);
            }
            prop_assert_eq!(word.checked_shr(points.len() as u32).unwrap_or(0), 0);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn cells_say_what_the_edges_do(
            corners in prop::collection::vec(prop::array::uniform2(-8_i32..8), 5..40),
            points in prop::collection::vec(prop::array::uniform2(-700_i32..700), 200),
            scale in prop::sample::select(vec![1e-40, 1e-9, 0.37, 1.0, 1e12, 1e35]),
            offset in prop::sample::select(vec![0.0, 1.0, -300.0, 1e5, 1e11, 1e15]),
        ) {
            let at = |at: f64| at * scale + offset * scale;
            let corners: Vec<_> =
                corners.into_iter().map(|corner| corner.map(|place| at(f64::from(place)))).collect();
            let outline = Outline::new(corners.clone());
            let fine = points.into_iter().map(|point| point.map(|place| at(f64::from(place) / 80.0)));
            // Corners and places on edges as well.
            let middles = outline.edges().map(|(a, b)| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]);
            let far = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300];
            let far = far.into_iter().flat_map(|x| far.map(|y| [x, y]));
            let all: Vec<[f64; 2]> = fine.chain(corners).chain(middles).chain(far).collect();
            check(&outline, &all)?;
            let single: Vec<[f32; 2]> = all.iter().map(|point| point.map(|at| at as f32)).collect();
            check(&outline, &single)?;
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
        let [outside, inside, edge] = Outline::new(star).cells.unwrap().shares();
        assert!(edge < 0.06, "{edge}");
        assert!(inside > 0.25 && outside > 0.5, "{inside} {outside}");
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
