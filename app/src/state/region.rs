//! What is selected on a scatter: boxes and outlines drawn by hand, and what several of
//! them make together. They are drawn in places of the axes ([`Side`]); outlines are kept as
//! the engine tests them, in stored numbers: times in the unit of their column.

use engine::predicate::Predicate;

use super::side::Side;
use crate::protocol;
use crate::texts;

/// What a newly drawn shape does to the selection before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Combine {
    #[default]
    Replace,
    Add,
    Subtract,
    Intersect,
}

/// A shape of a selection, in places of the axes.
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
/// is worth on either axis. Over names it is what it covers of the stretch of each.
pub fn outline(x: &Side, y: &Side, corners: &[[f64; 2]], steps: [f64; 2]) -> Option<Predicate> {
    if x.is_named() || y.is_named() {
        return (corners.len() >= 3).then(|| covered(x, y, corners, steps));
    }
    let corners = straightened([x, y], corners, steps);
    let place = |[at_x, at_y]: &[f64; 2]| [x.stored(*at_x, steps[0]), y.stored(*at_y, steps[1])];
    let mut polygon: Vec<[f64; 2]> = corners.iter().map(place).collect();
    polygon.dedup();
    (polygon.len() >= 3).then(|| Predicate::Within {
        x: x.column.clone(),
        y: y.column.clone(),
        polygon,
    })
}

/// Of each name what an outline covers along the other axis.
fn covered(x: &Side, y: &Side, corners: &[[f64; 2]], steps: [f64; 2]) -> Predicate {
    let is_across = x.is_named();
    let (named, other, other_step) = if is_across { (x, y, steps[1]) } else { (y, x, steps[0]) };
    let turned = |[x, y]: &[f64; 2]| if is_across { [*x, *y] } else { [*y, *x] };
    let corners: Vec<[f64; 2]> = corners.iter().map(turned).collect();
    let mut parts = Vec::new();
    for (name, stretch) in named.stretches() {
        for [low, high] in crossings(&corners, stretch) {
            let (one, two) = (named.of_names(&[name]), other.within(low, high, other_step));
            let (one, two) = if is_across { (one, two) } else { (two, one) };
            parts.push(Predicate::And(vec![one, two]));
        }
    }
    match parts.pop() {
        None => named.of_names(&[]),
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            Predicate::Or(parts)
        }
    }
}

/// Each corner with the next one, the last with the first.
fn edges(corners: &[[f64; 2]]) -> impl Iterator<Item = (&[f64; 2], &[f64; 2])> {
    corners.iter().zip(corners.iter().cycle().skip(1))
}

/// Where an outline lies along the second axis, of a stretch of the first.
fn crossings(corners: &[[f64; 2]], [from, to]: [f64; 2]) -> Vec<[f64; 2]> {
    const LINES: u32 = 16;
    let mut found: Vec<[f64; 2]> = Vec::new();
    for line in 0..=LINES {
        let at = from + (to - from) * f64::from(line) / f64::from(LINES);
        let mut ends: Vec<f64> = edges(corners)
            .filter(|(a, b)| (a[0] <= at) != (b[0] <= at))
            .map(|(a, b)| a[1] + (b[1] - a[1]) * (at - a[0]) / (b[0] - a[0]))
            .collect();
        ends.sort_by(f64::total_cmp);
        found.extend(ends.as_chunks::<2>().0);
    }
    found.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut joined: Vec<[f64; 2]> = Vec::new();
    for [low, high] in found {
        match joined.last_mut() {
            Some(last) if low <= last[1] => last[1] = last[1].max(high),
            _ => joined.push([low, high]),
        }
    }
    joined
}

/// How far a straight line of values may lie from one on screen, in pixels.
const BENT_MAX: f64 = 0.5;

/// An outline with so many more corners that it is straight between them in values, too.
fn straightened(sides: [&Side; 2], corners: &[[f64; 2]], steps: [f64; 2]) -> Vec<[f64; 2]> {
    let mut most = BENT_MAX;
    loop {
        let found = bent(sides, corners, steps, most, false);
        if found.len() <= 2 * CORNERS_MAX.max(corners.len()) {
            return found;
        }
        most *= 1.5;
    }
}

/// The corners in places of the axes of an outline that is straight between them in values,
/// and as many more as it takes to draw it; or the other way round.
fn bent(
    [x, y]: [&Side; 2],
    corners: &[[f64; 2]],
    steps: [f64; 2],
    most: f64,
    by_values: bool,
) -> Vec<[f64; 2]> {
    const HALVINGS: u32 = 7;
    if !(x.is_log() || y.is_log()) {
        return corners.to_vec();
    }
    let mut found = Vec::new();
    for (from, to) in edges(corners) {
        let mut open = vec![(*from, *to, HALVINGS)];
        while let Some((from, to, left)) = open.pop() {
            let half =
                |side: &Side, a: f64, b: f64| side.place(side.value(a) / 2.0 + side.value(b) / 2.0);
            let of_values = [half(x, from[0], to[0]), half(y, from[1], to[1])];
            let pixels = |[x, y]: [f64; 2]| [x / steps[0], y / steps[1]];
            let far = distance(pixels(of_values), pixels(from), pixels(to));
            if left == 0 || far <= most {
                found.push(from);
                continue;
            }
            let on_screen = [(from[0] + to[0]) / 2.0, (from[1] + to[1]) / 2.0];
            let middle = if by_values { of_values } else { on_screen };
            open.extend([(middle, to, left - 1), (from, middle, left - 1)]);
        }
    }
    found
}

/// The shapes of a selection over these axes, in their places, to be drawn; those over others
/// are left out.
pub fn shapes(predicate: &Predicate, x: &Side, y: &Side, steps: [f64; 2]) -> Vec<Shape> {
    let mut found = Vec::new();
    collect(predicate, (x, y, steps), false, &mut found);
    found
}

fn collect(
    predicate: &Predicate,
    axes: (&Side, &Side, [f64; 2]),
    is_hole: bool,
    found: &mut Vec<Shape>,
) {
    let (x, y, steps) = axes;
    let boxes = boxes_of(predicate, x, y);
    if !boxes.is_empty() {
        found.extend(boxes.into_iter().map(|corners| Shape { corners, is_box: true, is_hole }));
        return;
    }
    match predicate {
        Predicate::Within { x: across, y: up, polygon }
            if *across == x.column && *up == y.column =>
        {
            let place =
                |[at_x, at_y]: &[f64; 2]| [x.place(at_x / x.per_unit), y.place(at_y / y.per_unit)];
            let corners: Vec<[f64; 2]> = polygon.iter().map(place).collect();
            let corners = bent([x, y], &corners, steps, BENT_MAX, true);
            found.push(Shape { corners, is_box: false, is_hole });
        }
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().for_each(|part| collect(part, axes, is_hole, found));
        }
        Predicate::Not(inner) => collect(inner, axes, !is_hole, found),
        _ => {}
    }
}

/// The corners of an `and` of two intervals, one on either axis; of names there may be
/// several.
fn boxes_of(predicate: &Predicate, x: &Side, y: &Side) -> Vec<Vec<[f64; 2]>> {
    let Predicate::And(parts) = predicate else { return Vec::new() };
    let [first, second] = parts.as_slice() else { return Vec::new() };
    let (across, up) = (x.intervals(first), y.intervals(second));
    let boxes = across.iter().flat_map(|[left, right]| {
        up.iter().map(|[bottom, top]| {
            vec![[*left, *bottom], [*right, *bottom], [*right, *top], [*left, *top]]
        })
    });
    boxes.collect()
}

/// What a scatter cannot show, or not by itself, in words.
pub fn left_out(without_log: u64, names: &[protocol::Side; 2]) -> Vec<String> {
    let mut words = Vec::new();
    if without_log > 0 {
        words.push(texts::scatter::not_above_zero(without_log));
    }
    for side in names {
        if let protocol::Side::Names { values, other: true } = side {
            words.push(texts::scatter::names_and_others(values.len()));
        }
    }
    words
}

/// What the shapes are called together.
pub fn name(predicate: &Predicate) -> &'static str {
    match predicate {
        Predicate::Within { .. } => texts::scatter::LASSO,
        Predicate::And(parts)
            if parts.iter().all(|part| {
                use Predicate::{Between, Compare, In, NotNull};
                matches!(part, Between { .. } | In { .. } | Compare { .. } | NotNull { .. })
            }) =>
        {
            texts::scatter::BOX
        }
        _ => texts::scatter::SELECTION,
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
    use engine::literal::Literal;

    use super::*;
    use crate::state::side::Scale;

    const STEPS: [f64; 2] = [1e-3, 1e-3];

    fn side(column: &str, per_unit: f64) -> Side {
        Side { per_unit, ..Side::of(column) }
    }

    fn named(column: &str, axis: usize) -> Side {
        let values = ["a", "b", "c"].map(Literal::from).to_vec();
        let names = protocol::Side::Names { values, other: true };
        Side { scale: Scale::Names { names, axis }, ..Side::of(column) }
    }

    fn drawn() -> Predicate {
        let corners = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]];
        outline(&side("x", 1.0), &side("y", 1000.0), &corners, STEPS).expect("three corners")
    }

    #[test]
    fn outlines_are_kept_as_stored_and_drawn_in_units() {
        let Predicate::Within { polygon, .. } = drawn() else { panic!("no outline") };
        assert_eq!(polygon, [[0.0, 0.0], [2.0, 0.0], [2.0, 2000.0]]);
        let (x, y) = (side("x", 1.0), side("y", 1000.0));
        let found = shapes(&drawn(), &x, &y, STEPS);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found.first().map(|shape| shape.corners.clone()),
            Some(vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]])
        );
        assert_eq!(shapes(&drawn(), &y, &x, STEPS), []);
        let two = [[0.0, 0.0], [2.0, 0.0], [2.0, 0.0]];
        assert_eq!(outline(&x, &y, &two, [1.0, 1.0]), None);
    }

    #[test]
    fn an_outline_over_logarithms_is_what_was_drawn() {
        let log = |column: &str| Side { scale: Scale::Log, ..Side::of(column) };
        let (x, y) = (log("x"), Side::of("y"));
        // A triangle over three decades, 600 pixels wide.
        let corners = [[0.0, 0.0], [3.0, 0.0], [3.0, 300.0]];
        let steps = [3.0 / 600.0, 1.0];
        let Some(Predicate::Within { polygon, .. }) = outline(&x, &y, &corners, steps) else {
            panic!("no outline")
        };
        assert!((10..=160).contains(&polygon.len()), "{}", polygon.len());
        // Its long side is straight on screen: at each place it is as high as there.
        for at in 1..60 {
            let place = f64::from(at) / 20.0;
            let value = 10_f64.powf(place);
            let above = polygon.windows(2).filter(|pair| pair[0][1] > 0.0 || pair[1][1] > 0.0);
            let edge = above.clone().find(|pair| {
                (pair[0][0] - value) * (pair[1][0] - value) <= 0.0 && pair[0][0] != pair[1][0]
            });
            let last = [polygon[polygon.len() - 1], polygon[0]];
            let [a, b] = edge.map_or(last, |pair| [pair[0], pair[1]]);
            let height = a[1] + (b[1] - a[1]) * (value - a[0]) / (b[0] - a[0]);
            assert!((height - place * 100.0).abs() < 1.5, "{height} at {place}");
        }
        // And drawn again it is the same, with more corners.
        let shape = &shapes(&outline(&x, &y, &corners, steps).expect("drawn"), &x, &y, steps)[0];
        assert!(shape.corners.len() >= polygon.len());
        assert!(shape.corners.iter().all(|[x, y]| *y <= x * 100.0 + 1.5 && *x <= 3.0 + 1e-9));
    }

    #[test]
    fn an_outline_over_names_takes_what_it_covers_of_each() {
        let (x, y) = (named("x", 0), Side::of("y"));
        // Over all of "b" and a corner of "a", not over the others.
        let corners = [[0.3, 0.0], [1.5, 0.0], [1.5, 10.0]];
        let text = serde_json::to_string(&outline(&x, &y, &corners, STEPS)).expect("JSON");
        let part = |name: &str, ends: &str| {
            let name = format!(r#"{{"column":"x","op":"in","value":["{name}"]}}"#);
            format!(r#"{{"and":[{name},{{"column":"y","op":"between","value":[{ends}]}}]}}"#)
        };
        let expected = format!(r#"{{"or":[{},{}]}}"#, part("a", "0,0.833"), part("b", "0,9.167"));
        assert_eq!(text, expected);
        let found = shapes(&outline(&x, &y, &corners, STEPS).expect("drawn"), &x, &y, STEPS);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].corners[0], [0.5, 0.0]);
        // The other way round, and of nothing.
        let turned: Vec<[f64; 2]> = corners.iter().map(|[x, y]| [*y, -x]).collect();
        let text =
            serde_json::to_string(&outline(&y, &named("x", 1), &turned, STEPS)).expect("JSON");
        assert!(text.contains(r#"{"and":[{"column":"y","op":"between","value":[0,0.833]},{"column":"x","op":"in","value":["a"]}]}"#), "{text}");
        let far = [[8.0, 0.0], [9.0, 0.0], [9.0, 9.0]];
        let nothing = outline(&x, &y, &far, STEPS);
        assert_eq!(nothing, Some(x.of_names(&[])));
    }

    #[test]
    fn shapes_add_up_are_taken_away_and_meet() {
        let (x, y) = (side("x", 1.0), side("y", 1000.0));
        let (one, two) = (drawn(), drawn());
        let holes = |predicate: &Predicate| -> Vec<bool> {
            shapes(predicate, &x, &y, STEPS).iter().map(|shape| shape.is_hole).collect()
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
