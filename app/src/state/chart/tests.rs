//! What is drawn is in its place, and nothing of a table is markup.

use super::*;

fn chart<'a>(mark: &'a Mark, grid: &'a Grid, colors: &'a [String]) -> Chart<'a> {
    let x = Some(Scalar::Float);
    Chart { mark, grid, x, y: None, colors, ramp: colors, chosen: &[], shapes: false }
}

fn grid() -> Grid {
    Grid {
        x: Side::Bins { edges: vec![0.0, 1.0, 2.0, 3.0, 4.0] },
        y: Side::Names { values: vec!["<script>".into(), "b".into()], other: false },
        counts: vec![0, 1, 2, 4, 8, 0, 0, 0],
        unfiltered: vec![9; 8],
        missing: 3,
        values: vec![Some(1.0), None, Some(3.0), Some(4.0), None, None, None, None],
        boxes: vec![None, None],
    }
}

fn colors() -> Vec<String> {
    ["#111111", "#222222"].map(str::to_owned).into()
}

#[test]
fn cells_are_found_where_they_are_drawn() {
    let (grid, colors) = (grid(), colors());
    let mark = Mark::Heat { x: "x".to_owned(), y: "y".to_owned(), bins: 4, log: false };
    let chart = chart(&mark, &grid, &colors);
    let drawing = chart.draw((400.0, 200.0));
    assert!(!drawing.markup.contains("<script"), "{}", drawing.markup);
    assert!(drawing.markup.contains("&lt;script&gt;"));
    let at = |across: f64, down: f64| {
        let x = drawing.left + across * drawing.width;
        chart.cell_at(&drawing, x, drawing.top + down * drawing.height)
    };
    assert_eq!(at(0.1, 0.1), Some([0, 0]));
    assert_eq!(at(0.9, 0.9), Some([3, 1]));
    assert_eq!(at(1.1, 0.5), None);
    assert_eq!(chart.cell([0, 1]), "0 – 1 × b: 8 of 9 rows");
    assert!(chart.summary().contains("15 rows, 3 without a value, most in 0 – 1 × b"));
    // Numbers upwards have their least at the foot.
    let turned = Grid { x: grid.y.clone(), y: grid.x.clone(), ..grid.clone() };
    let upward = Chart { grid: &turned, ..chart };
    let drawing = upward.draw((400.0, 200.0));
    let foot = drawing.top + drawing.height - 1.0;
    assert_eq!(upward.cell_at(&drawing, drawing.left + 1.0, foot), Some([0, 0]));
}

#[test]
fn lines_break_where_nothing_is_measured() {
    let (grid, colors) = (grid(), colors());
    let of = Some(crate::protocol::Measured {
        op: engine::query::AggregateOp::Mean,
        column: "n".to_owned(),
    });
    let split = Some("c".to_owned());
    let line = |of| Mark::Line { time: "t".to_owned(), of, split: split.clone(), step: None };
    let measured = line(of);
    let text = chart(&measured, &grid, &colors).draw((400.0, 200.0)).markup;
    let d = text.split("class=\"line\"").nth(1).unwrap_or_default();
    let d = d.split('"').nth(3).unwrap_or_default();
    assert_eq!((d.matches('M').count(), d.matches('L').count()), (2, 1), "{d}");
    let counted = line(None);
    let text = chart(&counted, &grid, &colors).draw((400.0, 200.0)).markup;
    let d = text.split("class=\"line\"").nth(1).unwrap_or_default();
    assert_eq!(d.split('"').nth(3).unwrap_or_default().matches('M').count(), 1, "{text}");
}

#[test]
fn nothing_at_all_is_a_picture_too() {
    let empty = Grid {
        counts: vec![],
        unfiltered: vec![],
        values: vec![],
        boxes: vec![],
        x: Side::One,
        y: Side::One,
        missing: 0,
    };
    for mark in [
        Mark::Heat { x: "x".to_owned(), y: "y".to_owned(), bins: 4, log: true },
        Mark::Line { time: "t".to_owned(), of: None, split: None, step: None },
        Mark::Boxes { column: "n".to_owned(), by: None, violin: true },
    ] {
        let chart = chart(&mark, &empty, &[]);
        for size in [(0.0, 0.0), (300.0, 200.0)] {
            let drawing = chart.draw(size);
            assert!(!drawing.markup.contains("NaN"), "{}", drawing.markup);
            chart.cell_at(&drawing, 100.0, 100.0);
        }
        chart.summary();
    }
}
