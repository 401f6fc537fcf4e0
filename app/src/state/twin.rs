//! A chart's numbers as a table: for those who would rather read them, or take them along.

use super::chart::words;
use super::format;
use super::position::Scalar;
use super::shape;
use crate::protocol::{Grid, Legend, Mark, MarkResult, Side};
use crate::texts::{charts, numbers};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Twin {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// What is said below: rows that no line of the table counts.
    pub note: Option<String>,
}

/// The table of an answer; `scalar` says how positions of a column are written.
pub fn twin(mark: &Mark, result: &MarkResult, scalar: impl Fn(&str) -> Option<Scalar>) -> Twin {
    match (mark, result) {
        (
            Mark::Histogram { column, form, .. },
            MarkResult::Histogram { domain, edges, counts, unfiltered, nulls, without_log, .. },
        ) => {
            let many = counts.len();
            let width = (domain[1] - domain[0]) / many.max(1) as f64;
            let edge = |at: usize| match edges.get(at) {
                Some(edge) => *edge,
                None => domain[0] + at as f64 * width,
            };
            let scalar = scalar(column).unwrap_or(Scalar::Float);
            let shares = form.cumulative.then(|| shape::shares(counts));
            let rows = counts.iter().zip(unfiltered).enumerate().map(|(at, (count, all))| {
                let [low, high] = [edge(at), edge(at + 1)];
                let step = (high - low) / 10.0;
                let ends = [low, high].map(|end| format::position(end, scalar, step));
                let counts = [count, all].map(|count| count.to_string());
                let share = shares.as_ref().and_then(|shares| shares.get(at + 1));
                let share = share.map(|share| format!("{share:.6}"));
                ends.into_iter().chain(counts).chain(share).collect()
            });
            let share = form.cumulative.then_some(numbers::SHARE_BELOW_END);
            let head = numbers::ENDS.into_iter().chain(numbers::COUNTS).chain(share);
            let mut note = note(*nulls);
            if *without_log > 0 {
                let without = numbers::not_above_zero(*without_log);
                note = Some(note.map_or(without.clone(), |note| format!("{note}, {without}")));
            }
            if form.cumulative {
                let last = numbers::LAST_SHARE.to_owned();
                note = Some(note.map_or(last.clone(), |note| format!("{note}, {last}")));
            }
            Twin { head: owned(head), rows: rows.collect(), note }
        }
        (Mark::Bars { column, .. }, MarkResult::Bars { bars, distinct, nulls }) => {
            let rows = bars.iter().map(|bar| {
                vec![bar.label.clone(), bar.count.to_string(), bar.unfiltered.to_string()]
            });
            let more = distinct.saturating_sub(bars.len() as u64);
            let more = (more > 0).then(|| charts::more_values(more));
            let parts: Vec<String> = more.into_iter().chain(note(*nulls)).collect();
            let note = (!parts.is_empty()).then(|| parts.join(", "));
            let head = std::iter::once(column.as_str()).chain(numbers::COUNTS);
            Twin { head: owned(head), rows: rows.collect(), note }
        }
        (
            Mark::Scatter { color, .. },
            MarkResult::Scatter { points, legend, without_log, names, .. },
        ) => {
            let mut rows: Vec<Vec<String>> = match legend {
                Legend::Categories { entries } => entries
                    .iter()
                    .map(|entry| vec![entry.label.clone(), entry.count.to_string()])
                    .collect(),
                _ => Vec::new(),
            };
            rows.push(vec![numbers::ALL.to_owned(), points.to_string()]);
            let left_out = super::region::left_out(*without_log, names);
            let note = Some(numbers::each_point_is_a_row(&left_out));
            let head = [color.as_deref().unwrap_or(numbers::COLOR), numbers::POINTS];
            Twin { head: owned(head), rows, note }
        }
        (mark, MarkResult::Grid(grid)) => of_grid(mark, grid, scalar),
        _ => Twin::default(),
    }
}

fn of_grid(mark: &Mark, grid: &Grid, scalar: impl Fn(&str) -> Option<Scalar>) -> Twin {
    let note = note(grid.missing);
    let number = |value: f64| value.to_string();
    if let Mark::Boxes { column, by, .. } = mark {
        let group = by.as_ref().unwrap_or(column).as_str();
        let rows = grid.boxes.iter().enumerate().filter_map(|(line, spread)| {
            let spread = (*spread)?;
            let name = match grid.y {
                Side::One => column.clone(),
                _ => words::name(&grid.y, line),
            };
            let numbers = [
                spread.mean,
                spread.ends[0],
                spread.whiskers[0],
                spread.quartiles[0],
                spread.quartiles[1],
                spread.quartiles[2],
                spread.whiskers[1],
                spread.ends[1],
            ];
            let outliers = spread.outliers.map(|count| count.to_string());
            let cells = [name, spread.count.to_string()].into_iter();
            Some(cells.chain(numbers.map(number)).chain(outliers).collect())
        });
        let head = std::iter::once(group).chain(numbers::BOXES);
        return Twin { head: owned(head), rows: rows.collect(), note };
    }
    let (x, y, of) = match mark {
        Mark::Heat { x, y, .. } => (x.as_str(), Some(y.as_str()), None),
        Mark::Line { time, split, of, .. } => (time.as_str(), split.as_deref(), of.as_ref()),
        _ => return Twin::default(),
    };
    let width = grid.x.many().max(1);
    let y_scalar = y.and_then(&scalar);
    let x_scalar = scalar(x);
    let counts = grid.counts.iter().zip(&grid.unfiltered).enumerate();
    // Cells that no row is in are many, and say nothing.
    let counts = counts.filter(|(_, (_, all))| y.is_none() || **all > 0);
    let rows = counts.map(|(at, (count, all))| {
        let place = words::place(&grid.x, at % width, x_scalar);
        let line = y.map(|_| words::place(&grid.y, at / width, y_scalar));
        let value =
            of.map(|_| grid.values.get(at).copied().flatten().map_or(String::new(), number));
        let counts = [count, all].map(|count| count.to_string());
        std::iter::once(place).chain(line).chain(value).chain(counts).collect()
    });
    let value = of.map(|of| words::operation(Some(of)));
    let head = std::iter::once(x).chain(y).chain(value.as_deref()).chain(numbers::COUNTS);
    Twin { head: owned(head), rows: rows.collect(), note }
}

fn note(missing: u64) -> Option<String> {
    (missing > 0).then(|| numbers::without_value(missing))
}

fn owned<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

/// The table as text that spreadsheets take; no value of it breaks a line or a cell.
pub fn tsv(twin: &Twin) -> String {
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().map(|cell| cell.replace(['\t', '\n', '\r'], " "));
        cells.collect::<Vec<_>>().join("\t") + "\n"
    };
    std::iter::once(&twin.head).chain(&twin.rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Bar, Form, Spread};

    #[test]
    fn tables_say_the_numbers_that_charts_draw() {
        let form = Form { cumulative: true, ..Form::default() };
        let mark = Mark::Histogram { column: "a".to_owned(), bins: 2, domain: None, form };
        let result = MarkResult::Histogram {
            domain: [0.0, 10.0],
            extent: [0.0, 10.0],
            edges: vec![],
            counts: vec![1, 3],
            unfiltered: vec![4, 4],
            nulls: 2,
            without_log: 0,
        };
        let table = twin(&mark, &result, |_| Some(Scalar::Float));
        assert_eq!(table.rows[1], ["5", "10", "3", "4", "1.000000"]);
        assert_eq!(table.head[4], "share below its end");
        let note = "2 without a value, the last share is of rows up to and with its end";
        assert_eq!(table.note.as_deref(), Some(note));
        let bar = Bar { value: "x\ty".into(), label: "x\ty".to_owned(), count: 1, unfiltered: 2 };
        let mark = Mark::Bars { column: "c".to_owned(), limit: 1, search: String::new() };
        let bars = MarkResult::Bars { bars: vec![bar], distinct: 3, nulls: 0 };
        let table = twin(&mark, &bars, |_| None);
        assert_eq!(tsv(&table), "c\trows\tall rows\nx y\t1\t2\n");
        assert_eq!(table.note.as_deref(), Some("2 more values"));
    }

    #[test]
    fn cells_and_boxes_have_a_line_each() {
        let grid = Grid {
            x: Side::Bins { edges: vec![0.0, 1.0, 2.0] },
            y: Side::Names { values: vec!["a".into()], other: true },
            counts: vec![1, 0, 0, 2],
            unfiltered: vec![1, 3, 0, 2],
            missing: 0,
            values: vec![],
            boxes: vec![None],
        };
        let heat = Mark::Heat { x: "n".to_owned(), y: "c".to_owned(), bins: 2, log: false };
        let table = twin(&heat, &MarkResult::Grid(grid.clone()), |_| Some(Scalar::Integer));
        assert_eq!(
            table.rows,
            [["0", "a", "1", "1"], ["1", "a", "0", "3"], ["1", "other", "2", "2"]]
        );
        let spread = Spread {
            count: 3,
            mean: 2.5,
            ends: [0.0, 9.0],
            quartiles: [1.0, 2.0, 3.0],
            whiskers: [0.0, 5.0],
            outliers: [0, 1],
        };
        let grid = Grid { boxes: vec![Some(spread)], ..grid };
        let boxes = Mark::Boxes { column: "n".to_owned(), by: Some("c".to_owned()), violin: false };
        let table = twin(&boxes, &MarkResult::Grid(grid), |_| None);
        assert_eq!(table.rows[0].join(" "), "a 3 2.5 0 0 1 2 3 5 9 0 1");
        assert_eq!(table.head.len(), table.rows[0].len());
    }
}
