//! What is selected on a scatter: boxes and outlines drawn by hand, and what several of
//! them make together. Outlines are kept as the engine tests them, in stored numbers: times
//! in the unit of their column.

use engine::predicate::Predicate;

use super::position::{End, Scalar, decimal};

/// What a newly drawn shape does to the selection before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Combine {
    #[default]
    Replace,
    Add,
    Subtract,
    Intersect,
}

/// One axis of a scatter.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    pub column: String,
    pub scalar: Scalar,
    /// How many stored numbers make one of the axis.
    pub per_unit: f64,
}

/// A shape of a selection, in units of the axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub corners: Vec<[f64; 2]>,
    pub is_box: bool,
    /// Rows inside are left out.
    pub is_hole: bool,
}

/// The most corners of an outline that was drawn: a link has room for them.
const CORNERS_MAX: usize = 80;

/// The selection that was there and the one just drawn, together.
pub fn combined(before: Option<Predicate>, drawn: Predicate, how: Combine) -> Predicate {
    match (how, before) {
        (Combine::Replace, _) | (Combine::Add | Combine::Intersect, None) => drawn,
        (Combine::Subtract, None) => Predicate::Not(Box::new(drawn)),
        (Combine::Add, Some(Predicate::Or(mut parts))) => {
            parts.push(drawn);
            Predicate::Or(parts)
        }
        (Combine::Add, Some(before)) => Predicate::Or(vec![before, drawn]),
        (Combine::Subtract, Some(before)) => {
            Predicate::And(vec![before, Predicate::Not(Box::new(drawn))])
        }
        (Combine::Intersect, Some(before)) => Predicate::And(vec![before, drawn]),
    }
}

/// An outline as a predicate; `None` for fewer than three corners. `steps` is what a pixel
/// is worth on either axis.
pub fn outline(
    x: &Side,
    y: &Side,
    corners: &[[f64; 2]],
    [x_step, y_step]: [f64; 2],
) -> Option<Predicate> {
    let place = |[at_x, at_y]: &[f64; 2]| [x.stored(*at_x, x_step), y.stored(*at_y, y_step)];
    let mut polygon: Vec<[f64; 2]> = corners.iter().map(place).collect();
    polygon.dedup();
    (polygon.len() >= 3).then(|| Predicate::Within {
        x: x.column.clone(),
        y: y.column.clone(),
        polygon,
    })
}

impl Side {
    /// With no more digits than a pixel can tell, so that links stay short.
    fn stored(&self, position: f64, step: f64) -> f64 {
        decimal(position, step).parse().unwrap_or(position) * self.per_unit
    }
}

/// The shapes of a selection over these axes, to be drawn; those over others are left out.
pub fn shapes(predicate: &Predicate, x: &Side, y: &Side) -> Vec<Shape> {
    let mut found = Vec::new();
    collect(predicate, x, y, false, &mut found);
    found
}

fn collect(predicate: &Predicate, x: &Side, y: &Side, is_hole: bool, found: &mut Vec<Shape>) {
    if let Some(corners) = box_of(predicate, x, y) {
        found.push(Shape { corners, is_box: true, is_hole });
        return;
    }
    match predicate {
        Predicate::Within { x: across, y: up, polygon }
            if *across == x.column && *up == y.column =>
        {
            let place = |[at_x, at_y]: &[f64; 2]| [at_x / x.per_unit, at_y / y.per_unit];
            let corners = polygon.iter().map(place).collect();
            found.push(Shape { corners, is_box: false, is_hole });
        }
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().for_each(|part| collect(part, x, y, is_hole, found));
        }
        Predicate::Not(inner) => collect(inner, x, y, !is_hole, found),
        _ => {}
    }
}

/// The corners of an `and` of two intervals, one on either axis.
fn box_of(predicate: &Predicate, x: &Side, y: &Side) -> Option<Vec<[f64; 2]>> {
    let Predicate::And(parts) = predicate else { return None };
    let [first, second] = parts.as_slice() else { return None };
    let ends = |part: &Predicate, side: &Side| match part {
        Predicate::Between { column, low, high } if *column == side.column => {
            Some([side.scalar.position(low, End::Low)?, side.scalar.position(high, End::High)?])
        }
        _ => None,
    };
    let ([left, right], [bottom, top]) = (ends(first, x)?, ends(second, y)?);
    Some(vec![[left, bottom], [right, bottom], [right, top], [left, top]])
}

/// What the shapes are called together.
pub fn name(predicate: &Predicate) -> &'static str {
    match predicate {
        Predicate::Within { .. } => "lasso",
        Predicate::And(parts)
            if parts.iter().all(|part| matches!(part, Predicate::Between { .. })) =>
        {
            "box"
        }
        _ => "selection",
    }
}

/// A path of the pointer with the corners that matter (Douglas and Peucker 1973): none of
/// those left out lies further from what is drawn than `tolerance`, which grows until few
/// enough are left.
pub fn simplified(path: &[[f64; 2]], tolerance: f64) -> Vec<[f64; 2]> {
    let mut tolerance = tolerance;
    loop {
        let mut kept = vec![false; path.len()];
        if let Some(last) = path.len().checked_sub(1) {
            keep(path, last, tolerance, &mut kept);
        }
        let corners: Vec<[f64; 2]> =
            path.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(corner, _)| *corner).collect();
        if corners.len() <= CORNERS_MAX {
            return corners;
        }
        tolerance *= 1.5;
    }
}

fn keep(path: &[[f64; 2]], last: usize, tolerance: f64, kept: &mut [bool]) {
    // Without recursion: a path may be long.
    let mut open = vec![(0, last)];
    while let Some((first, last)) = open.pop() {
        for end in [first, last] {
            if let Some(kept) = kept.get_mut(end) {
                *kept = true;
            }
        }
        let (Some(from), Some(to)) = (path.get(first), path.get(last)) else { continue };
        let between = path.iter().enumerate().take(last).skip(first + 1);
        let far = between.map(|(place, point)| (distance(*point, *from, *to), place));
        if let Some((far, place)) = far.max_by(|(a, _), (b, _)| a.total_cmp(b))
            && far > tolerance
        {
            open.extend([(first, place), (place, last)]);
        }
    }
}

/// From a point to the line between two others, ends included.
fn distance([x, y]: [f64; 2], [ax, ay]: [f64; 2], [bx, by]: [f64; 2]) -> f64 {
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx * dx + dy * dy;
    let share = if length > 0.0 { ((x - ax) * dx + (y - ay) * dy) / length } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (x - ax - share * dx).hypot(y - ay - share * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(column: &str, per_unit: f64) -> Side {
        Side { column: column.to_owned(), scalar: Scalar::Float, per_unit }
    }

    fn drawn() -> Predicate {
        let corners = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]];
        outline(&side("x", 1.0), &side("y", 1000.0), &corners, [1e-3, 1e-3]).expect("three corners")
    }

    #[test]
    fn outlines_are_kept_as_stored_and_drawn_in_units() {
        let Predicate::Within { polygon, .. } = drawn() else { panic!("no outline") };
        assert_eq!(polygon, [[0.0, 0.0], [2.0, 0.0], [2.0, 2000.0]]);
        let (x, y) = (side("x", 1.0), side("y", 1000.0));
        let found = shapes(&drawn(), &x, &y);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found.first().map(|shape| shape.corners.clone()),
            Some(vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]])
        );
        assert_eq!(shapes(&drawn(), &y, &x), []);
        let two = [[0.0, 0.0], [2.0, 0.0], [2.0, 0.0]];
        assert_eq!(outline(&x, &y, &two, [1.0, 1.0]), None);
    }

    #[test]
    fn shapes_add_up_are_taken_away_and_meet() {
        let (x, y) = (side("x", 1.0), side("y", 1000.0));
        let (one, two) = (drawn(), drawn());
        let holes = |predicate: &Predicate| -> Vec<bool> {
            shapes(predicate, &x, &y).iter().map(|shape| shape.is_hole).collect()
        };
        let added = combined(Some(one.clone()), two.clone(), Combine::Add);
        let thrice = combined(Some(added), two.clone(), Combine::Add);
        assert!(matches!(&thrice, Predicate::Or(parts) if parts.len() == 3));
        let less = combined(Some(thrice), two.clone(), Combine::Subtract);
        assert_eq!(holes(&less), [false, false, false, true]);
        assert_eq!(holes(&combined(None, two.clone(), Combine::Subtract)), [true]);
        assert_eq!(combined(None, two.clone(), Combine::Intersect), two);
        assert_eq!(combined(Some(one), two.clone(), Combine::Replace), two);
        assert_eq!((name(&two), name(&less)), ("lasso", "selection"));
    }

    #[test]
    fn a_path_keeps_its_corners() {
        let edge = |from: [f64; 2], to: [f64; 2]| {
            (0..50).map(move |step| {
                let share = f64::from(step) / 50.0;
                [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]
            })
        };
        let corners = [[0.0, 0.0], [100.0, 0.0], [100.0, 80.0], [0.0, 80.0]];
        let path: Vec<[f64; 2]> = edge(corners[0], corners[1])
            .chain(edge(corners[1], corners[2]))
            .chain(edge(corners[2], corners[3]))
            .collect();
        let found = simplified(&path, 1.0);
        assert_eq!(found.get(..3), corners.get(..3));
        assert_eq!(found.len(), 4);
        let wild: Vec<[f64; 2]> =
            (0..2000).map(|step| [f64::from(step), f64::from(step % 2) * 50.0]).collect();
        assert!(simplified(&wild, 1.0).len() <= CORNERS_MAX);
        assert_eq!(simplified(&[], 1.0), Vec::<[f64; 2]>::new());
    }
}
