//! Scatters over logarithms and names are what looking at all rows finds: who has a place and
//! where, who has none, and who is picked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use engine::literal::Literal;

use super::nearest::Reach;
use super::tests::{ROWS, carrier, clause, delay, distance, passes, resident};
use super::*;
use crate::draw::stamp::SIZES;
use crate::look::{BAND, Look};
use crate::protocol::{Clause, Side, Varied, Viewport};

const VIEW: ViewId = ViewId(1);

fn shown(
    answers: &mut Answers,
    (x, y, look): (&str, &str, &str),
    clauses: &[Clause],
    complete: bool,
) -> MarkResult {
    shown_varied(answers, (x, y, look), clauses, complete, Varied::default())
}

fn shown_varied(
    answers: &mut Answers,
    (x, y, look): (&str, &str, &str),
    clauses: &[Clause],
    complete: bool,
    varied: Varied,
) -> MarkResult {
    let resident = resident(complete);
    let look = Look::read(look).unwrap();
    let color = Some("late".to_owned());
    let mark = Mark::Scatter { x: x.to_owned(), y: y.to_owned(), color, look, varied };
    let views = vec![View { id: VIEW, mark }];
    answers.begin(Question { generation: 1, clauses: clauses.to_vec(), views }, &resident);
    loop {
        if let Some(answer) = answers.step(&resident) {
            return answer.results.into_iter().next().unwrap().result;
        }
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(1.0)
}

#[test]
fn logarithms_leave_out_what_is_not_above_zero_and_count_it() {
    let json = r#"{"column":"carrier","op":"in","value":["AA","UA"]}"#;
    let clauses = vec![clause("column:carrier", json)];
    for (look, log) in
        [("log-x", [true, false]), ("log-y", [false, true]), ("log-x;log-y", [true; 2])]
    {
        let mut answers = Answers::default();
        let result = shown(&mut answers, ("distance", "delay", look), &clauses, true);
        let MarkResult::Scatter { x_extent, y_extent, points, without_log, names, .. } = result
        else {
            panic!("{result:?}")
        };
        let both = |row: usize| {
            Some((distance(row), f64::from(delay(row)?))).filter(|(x, _)| x.is_finite())
        };
        let is_placed = |(x, y): (f64, f64)| !(log[0] && x <= 0.0 || log[1] && y <= 0.0);
        let passing = (0..ROWS).filter(|row| passes(*row, &clauses, "")).filter_map(both);
        let (placed, without): (Vec<_>, Vec<_>) = passing.partition(|at| is_placed(*at));
        assert!(!without.is_empty());
        assert_eq!((points, without_log), (placed.len() as u64, without.len() as u64), "{look}");
        assert_eq!(*names, [Side::One, Side::One]);
        let place = |(x, y): (f64, f64)| {
            (if log[0] { x.log10() } else { x }, if log[1] { y.log10() } else { y })
        };
        let all: Vec<_> =
            (0..ROWS).filter_map(both).filter(|at| is_placed(*at)).map(place).collect();
        let low = |of: fn(&(f64, f64)) -> f64| all.iter().map(of).fold(f64::INFINITY, f64::min);
        assert!(near(x_extent[0], low(|at| at.0)) && near(y_extent[0], low(|at| at.1)), "{look}");
        let scatter = answers.scatter(VIEW).unwrap();
        for row in (0..ROWS).step_by(97) {
            let expected = both(row).filter(|at| is_placed(*at)).map(place);
            match (expected, scatter.points().position(row)) {
                (Some((x, y)), Some((at_x, at_y))) => {
                    assert!(near(x, at_x) && near(y, at_y), "{row}")
                }
                (expected, found) => assert_eq!(expected, found, "{row}"),
            }
        }
    }
}

#[test]
fn names_have_places_by_their_rows_and_points_stay_in_them() {
    let mut answers = Answers::default();
    // While rows arrive the first places are others.
    shown(&mut answers, ("carrier", "delay", ""), &[], false);
    let json = r#"{"column":"delay","op":"between","value":[0,40]}"#;
    let clauses = vec![clause("column:delay", json)];
    let result = shown(&mut answers, ("carrier", "delay", ""), &clauses, true);
    let MarkResult::Scatter { x_extent, points, names, without_log, .. } = result else {
        panic!("{result:?}")
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    (0..ROWS).filter_map(carrier).for_each(|name| *counts.entry(name).or_default() += 1);
    let mut order: Vec<&str> = counts.keys().copied().collect();
    order.sort_by_key(|name| (std::cmp::Reverse(counts[name]), *name));
    let values = order.iter().map(|name| Literal::from(*name)).collect();
    assert_eq!(names[0], Side::Names { values, other: false });
    let placed = |row: &usize| carrier(*row).is_some() && delay(*row).is_some();
    let expected = (0..ROWS).filter(|row| passes(*row, &clauses, "")).filter(placed);
    assert_eq!((points, without_log, x_extent), (expected.count() as u64, 0, [-0.5, 3.5]));

    let scatter = answers.scatter_mut(VIEW).unwrap();
    while scatter.step_nearest() {}
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for row in 0..ROWS {
        let Some((x, _)) = scatter.points().position(row) else {
            assert!(!placed(&row));
            continue;
        };
        let place = order.iter().position(|name| carrier(row) == Some(name)).unwrap();
        let aside = x - place as f64;
        assert!(aside.abs() <= BAND + 1e-6, "{row} lies {aside} aside");
        (least, most) = (least.min(aside), most.max(aside));
    }
    assert!(least < -0.35 && most > 0.35, "they are spread: {least} to {most}");
    // Who is under the pointer is found where the point is drawn.
    let row = (0..ROWS).find(|row| placed(row) && passes(*row, &clauses, "")).unwrap();
    let (x, y) = scatter.points().position(row).unwrap();
    let viewport = Viewport { x: [x - 0.01, x + 0.01], y: [y - 1.0, y + 1.0] };
    let look = Reach { viewport, size: [200.0, 200.0], pointer: [100.0, 100.0], reach: 1.0 };
    assert_eq!(scatter.find(&look).map(|(row, _)| row), Some(row));
}

#[test]
fn names_beyond_the_limit_share_the_last_place_and_y_is_read_downwards() {
    let mut answers = Answers::default();
    let result = shown(&mut answers, ("late", "id", ""), &[], true);
    let MarkResult::Scatter { x_extent, y_extent, points, names, .. } = result else {
        panic!("{result:?}")
    };
    let Side::Names { values, other: true } = &names[1] else { panic!("{names:?}") };
    assert_eq!((values.len(), x_extent, y_extent), (60, [-0.5, 1.5], [-60.5, 0.5]));
    assert_eq!(points, ROWS as u64);
    // Two rows share each of these names, but for the last: by value then.
    assert_eq!(values[0], Literal::from("id0"));
    let scatter = answers.scatter(VIEW).unwrap();
    let place = |row: usize| scatter.points().position(row).unwrap().1.round();
    assert_eq!((place(0), place(1)), (0.0, 0.0));
    let others = (0..ROWS).filter(|row| place(*row) == -60.0).count();
    assert_eq!(others, ROWS - 120);
    // True is rarer.
    assert_eq!(
        names[0],
        Side::Names { values: vec![Literal::Bool(false), Literal::Bool(true)], other: false }
    );
}

#[test]
fn sizes_run_between_percentiles_and_shapes_are_of_the_most_frequent() {
    let mut answers = Answers::default();
    let varied = Varied { size: Some("delay".into()), shape: Some("carrier".into()) };
    let axes = ("distance", "delay", "");
    // Before the rows are whole sizes and shapes may be others.
    shown_varied(&mut answers, axes, &[], false, varied.clone());
    let result = shown_varied(&mut answers, axes, &[], true, varied);
    let MarkResult::Scatter { sizes: Some(sizes), shapes, .. } = result else {
        panic!("{result:?}")
    };
    let mut all: Vec<i32> = (0..ROWS).filter_map(delay).collect();
    all.sort_unstable();
    let at = |share: f64| f64::from(all[(share * (all.len() - 1) as f64) as usize]);
    let [low, high] = sizes.domain;
    assert!((low - at(0.02)).abs() <= 1.0 && (high - at(0.98)).abs() <= 1.0, "{low} to {high}");
    assert!(sizes.has_missing);
    let Side::Names { values, other: false } = *shapes else { panic!("{shapes:?}") };
    let scatter = answers.scatter(VIEW).unwrap();
    let mut seen = [0_usize; SIZES];
    for row in 0..ROWS {
        let stamp = usize::from(scatter.points().stamp(row));
        let (size, shape) = (stamp % SIZES, stamp / SIZES);
        let expected = carrier(row).and_then(|name| values.iter().position(|v| *v == name.into()));
        assert_eq!(shape, expected.unwrap_or(6), "row {row}");
        // Areas grow evenly; nothing is as small as nothing can be.
        let share =
            delay(row).map_or(0.0, |d| ((f64::from(d) - low) / (high - low)).clamp(0.0, 1.0));
        assert!(
            (size as f64 - share * (SIZES - 1) as f64).abs() <= 1.0,
            "row {row} has size {size}, not {share}: {:?} of {:?}",
            delay(row),
            sizes.domain
        );
        seen[size] += 1;
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    // Without columns all are alike again.
    shown(&mut answers, axes, &[], true);
    assert!(!answers.scatter(VIEW).unwrap().points().is_stamped());
}
