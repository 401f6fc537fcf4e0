//! Heat maps, lines and boxes count and measure what going over the rows one by one finds,
//! under any sequence of selections; and what the companion is asked for them gives the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use engine::predicate::Predicate;
use engine::query::{AggregateOp, Query};

use super::tests::*;
use super::*;
use crate::plan::Asked;
use crate::plan::read::Answer as Told;
use crate::plan::sides::{GridPlan, SidePlan, fence, spread_of};
use crate::protocol::{Grid, Measured, Side};
use crate::scale::step::TimeStep;
use crate::worker::spec::{Measure, SideSpec, Spec};

fn marks() -> Vec<Mark> {
    let line = |of: Option<AggregateOp>, split: Option<&str>, step| Mark::Line {
        time: "day".into(),
        of: of.map(|op| Measured { op, column: "distance".into() }),
        split: split.map(str::to_owned),
        step,
    };
    let heat = |x: &str, y: &str| Mark::Heat { x: x.into(), y: y.into(), bins: 20, log: false };
    let boxes = |by: Option<&str>| Mark::Boxes {
        column: "distance".into(),
        by: by.map(str::to_owned),
        violin: false,
    };
    vec![
        heat("delay", "distance"),
        heat("carrier", "late"),
        heat("id", "day"),
        line(None, None, None),
        line(None, Some("carrier"), Some(TimeStep::Week)),
        line(Some(AggregateOp::Mean), Some("late"), None),
        line(Some(AggregateOp::Sum), None, None),
        line(Some(AggregateOp::Median), Some("carrier"), Some(TimeStep::Day)),
        line(Some(AggregateOp::Max), None, Some(TimeStep::Month)),
        boxes(Some("carrier")),
        boxes(Some("id")),
        boxes(None),
    ]
}

fn shown() -> Vec<View> {
    let numbered = (1..).zip(marks());
    numbered.map(|(id, mark)| View { id: ViewId(id), mark }).collect()
}

fn ask_grids(answers: &mut Answers, resident: &Resident, clauses: Vec<Clause>) -> Vec<Grid> {
    answers.begin(Question { generation: 1, clauses, views: shown() }, resident);
    let answer = loop {
        if let Some(answer) = answers.step(resident) {
            break answer;
        }
    };
    let grids = answer.results.into_iter().map(|result| match result.result {
        MarkResult::Grid(grid) => grid,
        other => panic!("{other:?}"),
    });
    grids.collect()
}

/// The companion's part, played by the engine over the same columns.
fn told(queries: &[Query], resident: &Resident) -> Vec<Told> {
    let names: Vec<&str> = resident.columns().iter().map(|column| column.name()).collect();
    let schema = resident.schema_of(&names);
    let batches: Vec<_> = (0..).map_while(|block| resident.block(&names, block)).collect();
    crate::plan::told::told(queries, &schema, &batches)
}

/// What a view shows of a table elsewhere.
fn from_elsewhere(mark: &Mark, found: &Grid, filters: &[Predicate], resident: &Resident) -> Grid {
    let asked = Asked { table: "t".into(), version: None };
    let spec = Spec::of(mark, |name| resident.column(name).map(|c| c.kind())).unwrap();
    let data_type = |name: &str| resident.column(name).unwrap().field().data_type().clone();
    let side = |spec: &SideSpec| match spec {
        SideSpec::One => SidePlan::One,
        SideSpec::Bins { column, cutting } => {
            let data_type = data_type(column);
            let asked = asked.extent(column, &data_type, false);
            let ends = told(&[asked], resident);
            let end = |name| ends[0].units(name, &data_type).unwrap();
            let (low, high) = (end(crate::plan::LOW), end(crate::plan::HIGH));
            let extent = Extent::of_units(&data_type, low, high).unwrap();
            let measure = crate::worker::numbers::Measure::of(&data_type).unwrap();
            let cut = cutting.cut(&data_type, measure, extent);
            SidePlan::bins(column, data_type, cut)
        }
        SideSpec::Names { column, most } => {
            let asked = asked.bars(column, *most as u16 + 1, "", &[]);
            let mut values: Vec<_> =
                told(&[asked], resident)[0].bars().into_iter().map(|(value, _)| value).collect();
            let other = values.len() > *most;
            values.truncate(*most);
            SidePlan::Names { column: column.clone(), values, other }
        }
    };
    let plan = GridPlan::new([side(&spec.x), side(&spec.y)]);
    let all = |filters: &[Predicate]| {
        let queries: Vec<_> = plan.parts.iter().map(|part| asked.cells(part, filters)).collect();
        let told = told(&queries, resident);
        let counts = plan.counts(told.iter().map(Some));
        counts.into_iter().map(|count| count as u32).collect::<Vec<_>>()
    };
    let counts = all(filters);
    let passing = told(&[asked.count(filters)], resident)[0].number().unwrap();
    let (mut values, mut boxes) = (Vec::new(), Vec::new());
    match &spec.measure {
        Measure::Nothing => {}
        Measure::Cells(of) => {
            let what = (of.op, of.column.as_str(), &data_type(&of.column));
            let queries: Vec<_> =
                plan.parts.iter().map(|part| asked.measured(part, filters, what)).collect();
            values = plan.values(told(&queries, resident).iter().map(Some));
        }
        Measure::Spread { column } => {
            let of = data_type(column);
            for line in 0..plan.sides[1].side().many() {
                let line = (&plan.sides[1], line);
                let query = asked.spread(line, (column, &of), filters);
                boxes.push(spread_of(&told(&[query], resident)[0]).map(|mut spread| {
                    let quartiles = spread.quartiles;
                    let queries = asked.fenced(line, (column, &of), filters, quartiles);
                    let told = told(&queries, resident);
                    fence(&mut spread, &told[0], &told[1]);
                    spread
                }));
            }
        }
    }
    Grid {
        x: plan.sides[0].side(),
        y: plan.sides[1].side(),
        missing: passing - counts.iter().map(|count| u64::from(*count)).sum::<u64>(),
        unfiltered: found.unfiltered.clone(),
        counts,
        values,
        boxes,
    }
}

fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn check_same(mark: &Mark, here: &Grid, there: &Grid) {
    assert_eq!((&here.x, &here.y), (&there.x, &there.y), "{mark:?}");
    assert_eq!(here.counts, there.counts, "{mark:?}");
    assert_eq!(here.missing, there.missing, "{mark:?}");
    assert_eq!(here.values.len(), there.values.len(), "{mark:?}");
    for (a, b) in here.values.iter().zip(&there.values) {
        assert!(a.is_some() == b.is_some(), "{mark:?}: {a:?} {b:?}");
        assert!(a.zip(*b).is_none_or(|(a, b)| is_near(a, b)), "{mark:?}: {a:?} {b:?}");
    }
    assert_eq!(here.boxes.len(), there.boxes.len(), "{mark:?}");
    for (a, b) in here.boxes.iter().zip(&there.boxes) {
        let (Some(a), Some(b)) = (a, b) else {
            assert_eq!(a, b, "{mark:?}");
            continue;
        };
        assert_eq!((a.count, a.outliers, a.ends), (b.count, b.outliers, b.ends), "{mark:?}");
        assert_eq!(a.whiskers, b.whiskers, "{mark:?}");
        assert!(is_near(a.mean, b.mean), "{mark:?}");
        let quartiles = a.quartiles.iter().zip(b.quartiles);
        assert!(quartiles.into_iter().all(|(a, b)| is_near(*a, b)), "{mark:?}");
    }
}

#[test]
fn both_sides_count_and_measure_alike() {
    let resident = resident(true);
    let mut answers = Answers::default();
    for clauses in selections().into_iter().take(5).chain([vec![]]) {
        let grids = ask_grids(&mut answers, &resident, clauses.clone());
        for (view, here) in shown().iter().zip(&grids) {
            let own = view.own_clause();
            let others = clauses.iter().filter(|clause| clause.id != own);
            let filters: Vec<_> = others.map(|clause| clause.predicate.clone()).collect();
            let there = from_elsewhere(&view.mark, here, &filters, &resident);
            check_same(&view.mark, here, &there);
            let total: u64 = here.counts.iter().map(|count| u64::from(*count)).sum();
            let passing = (0..ROWS).filter(|&row| passes(row, &clauses, &own)).count() as u64;
            assert_eq!(total + here.missing, passing, "{:?}", view.mark);
        }
    }
}

#[test]
fn cells_are_counted_row_by_row() {
    let resident = resident(true);
    let clauses = selections().swap_remove(3);
    let grids = ask_grids(&mut Answers::default(), &resident, clauses.clone());
    let by_carrier = &grids[1];
    let Side::Names { values, other: false } = &by_carrier.x else { panic!("{by_carrier:?}") };
    assert_eq!(values.len(), 4);
    for (x, carrier_name) in values.iter().enumerate() {
        let Side::Names { values: lates, .. } = &by_carrier.y else { panic!() };
        for (y, late) in lates.iter().enumerate() {
            let rows = (0..ROWS).filter(|&row| {
                passes(row, &clauses, "view:2")
                    && carrier(row) == Some(carrier_name.as_text())
                    && engine::literal::Literal::Bool(row % 3 == 0) == *late
            });
            assert_eq!(by_carrier.counts[y * 4 + x] as usize, rows.count());
        }
    }
    let ids = &grids[2];
    assert!(matches!(&ids.x, Side::Names { values, other: true } if values.len() == 20));
    // A median by day and carrier, worked out from the rows.
    let medians = &grids[7];
    let Side::Names { values, .. } = &medians.y else { panic!() };
    for (line, name) in values.iter().enumerate() {
        for day in 0..10 {
            let mut numbers: Vec<f64> = (0..ROWS)
                .filter(|&row| passes(row, &clauses, "column:day") && row % 10 == day)
                .filter(|&row| carrier(row) == Some(name.as_text()))
                .map(distance)
                .filter(|number| number.is_finite())
                .collect();
            numbers.sort_by(f64::total_cmp);
            let middle = match numbers.len() {
                0 => None,
                n if n % 2 == 1 => Some(numbers[n / 2]),
                n => Some((numbers[n / 2 - 1] + numbers[n / 2]) / 2.0),
            };
            let found = medians.values[line * 10 + day];
            assert!(found.is_some() == middle.is_some());
            assert!(found.zip(middle).is_none_or(|(a, b)| is_near(a, b)), "{found:?} {middle:?}");
        }
    }
}

#[test]
fn steps_of_a_brush_are_a_fresh_start() {
    let resident = resident(true);
    let mut answers = Answers::default();
    answers.approach("delay");
    for step in 0..12_i64 {
        let json = format!(
            r#"{{"column":"delay","op":"between","value":[{},{}]}}"#,
            step * 7 - 50,
            step * 9
        );
        let clauses = vec![clause("column:delay", &json)];
        let found = ask_grids(&mut answers, &resident, clauses.clone());
        let fresh = ask_grids(&mut Answers::default(), &resident, clauses);
        assert_eq!(found, fresh, "step {step}");
        while answers.prepare_next(&resident, 0) {}
    }
    assert_eq!(answers.prepared(), Some("delay"));
}

#[test]
fn rows_that_arrive_later_have_their_cells_then() {
    let mut resident = resident(false);
    let mut answers = Answers::default();
    answers.renew(1);
    let first = ask_grids(&mut answers, &resident, vec![]);
    let total =
        |grid: &Grid| grid.missing + grid.counts.iter().map(|count| u64::from(*count)).sum::<u64>();
    assert!(first.iter().all(|grid| total(grid) == BLOCK_ROWS as u64));
    let names: Vec<String> = resident.columns().iter().map(|c| c.name().to_owned()).collect();
    for name in names {
        resident.column_mut(&name).unwrap().finish().unwrap();
    }
    let second = ask_grids(&mut answers, &resident, vec![]);
    assert_eq!(second, ask_grids(&mut Answers::default(), &resident, vec![]));
    assert!(second.iter().all(|grid| total(grid) == ROWS as u64));
}
