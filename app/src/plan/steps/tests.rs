//! A step says what the companion would, for filters that end where bins do.

#![allow(clippy::unwrap_used, clippy::panic)]

use arrow_array::{Date32Array, Int16Array, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow_schema::SchemaRef;
use engine::predicate::Comparison;
use engine::query::Aggregate;

use super::*;
use crate::plan::Asked;
use crate::plan::read::Answer;
use crate::plan::told::{told, told_text};
use crate::plan::units::{float_literal, stored_literal};
use crate::worker::bins::Bins;

const ROWS: usize = 3000;

/// Numbers by chance, the same each time.
fn chance(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    }
}

fn table() -> RecordBatch {
    let mut next = chance(7);
    let mut some = |many: u64| (0..ROWS).map(|_| next(many)).collect::<Vec<_>>();
    let (a, b, c, d, e, f) =
        (some(1_000_003), some(900), some(40), some(800), some(1 << 32), some(5000));
    let float = |value: &u64| match value % 50 {
        0 => None,
        1 => Some(f64::NAN),
        2 => Some(f64::INFINITY),
        3 => Some(f64::NEG_INFINITY),
        _ => Some(*value as f64 / 7.0 - 30_000.0),
    };
    let name = |value: &u64| (value % 9 != 0).then(|| format!("it\"s {}", value % 13));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("float", Arc::new(a.iter().map(float).collect::<Float64Array>())),
        (
            "narrow",
            Arc::new(a.iter().map(|v| float(v).map(|v| v as f32)).collect::<Float32Array>()),
        ),
        (
            "small",
            Arc::new(
                b.iter().map(|v| (v % 17 != 0).then_some(*v as i16 - 450)).collect::<Int16Array>(),
            ),
        ),
        ("name", Arc::new(c.iter().map(name).collect::<StringArray>())),
        ("day", Arc::new(d.iter().map(|v| Some(*v as i32 + 16_000)).collect::<Date32Array>())),
        (
            "moment",
            Arc::new(
                e.iter()
                    .map(|v| (v % 31 != 0).then_some((v << 20).cast_signed()))
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
        ("huge", Arc::new(f.iter().map(|v| Some((1 << 52) - v)).collect::<UInt64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .unwrap()
}

fn asked() -> Asked {
    Asked { table: "t".into(), version: None }
}

fn extent_in(column: &str, table: &RecordBatch, above_zero: bool) -> Extent {
    let schema = table.schema();
    let data_type = schema.field_with_name(column).unwrap().data_type();
    let query = asked().extent(column, data_type, above_zero);
    let answer = told(&[query], &schema, std::slice::from_ref(table)).remove(0);
    let end = |name| answer.units(name, data_type).unwrap();
    Extent::of_units(data_type, end(crate::plan::LOW), end(crate::plan::HIGH)).unwrap()
}

fn steps_of(column: &str, table: &RecordBatch, is_log: bool) -> StepBins {
    let data_type = table.schema().field_with_name(column).unwrap().data_type().clone();
    StepBins::new(column, &data_type, extent_in(column, table, is_log), is_log).unwrap()
}

/// Counts of every form: all, of bins, of the most frequent names, of cells.
fn counted(schema: &SchemaRef, other: Vec<Predicate>) -> Vec<Query> {
    let day = DataType::Date32;
    let cut = |low, high| {
        let measure = Measure::of(&day).unwrap();
        Cut::Equal(Bins::new(measure, Extent::Wholes { low, high }, None, 12))
    };
    let bars = asked().bars("name", 4, "", &other);
    assert_eq!(schema.field_with_name("day").unwrap().data_type(), &day);
    let cells = {
        use crate::plan::sides::{GridPlan, SidePlan};
        let x = SidePlan::bins("day", day.clone(), cut(16_000, 16_799));
        let names = SidePlan::Names { column: "name".into(), values: Vec::new(), other: false };
        let plan = GridPlan::new([x, names]);
        asked().cells(&plan.parts[0], &other)
    };
    vec![
        asked().count(&other),
        asked().histogram("day", &day, &cut(16_000, 16_799), false, &other),
        asked().histogram("day", &day, &cut(16_100, 16_300), true, &other),
        asked().nulls("name", &other),
        bars,
        cells,
    ]
}

fn said(answer: &Answer) -> Vec<String> {
    let text = |row: crate::plan::read::Row<'_>| {
        let cell = |name: &str| row.text(name);
        format!("{:?} {:?} {}", cell(BIN_X), cell(BIN_Y), row.count())
    };
    answer.each_row().map(text).collect()
}

/// Every query by a filter, from its slices and from the companion.
fn check(table: &RecordBatch, steps: &StepBins, filters: &[Predicate]) {
    let schema = table.schema();
    let batches = std::slice::from_ref(table);
    let other = serde_json::from_str(r#"{"column":"small","op":"gt","value":-300}"#).unwrap();
    let moving = Predicate::NotNull { column: steps.column.clone() };
    for query in counted(&schema, vec![other, moving.clone()]) {
        let base = without(&query, &moving).unwrap();
        let sliced = steps.of(&base, 400).unwrap();
        let text = told_text(&[sliced], &schema, batches);
        let answers: SlicedAnswers<'_> = serde_json::from_str(&text).unwrap();
        let slice = Slice::of(&base, steps, &answers.answers[0]).unwrap();
        for filter in filters {
            let runs = steps.passing(filter).unwrap();
            let with = |query: &Query| {
                let Predicate::And(mut all) = query.filters.clone() else { panic!() };
                all.push(filter.clone());
                Query { filters: Predicate::And(all), ..query.clone() }
            };
            let expected = told(&[with(&base)], &schema, batches).remove(0);
            assert_eq!(
                said(&slice.answer(&runs)),
                said(&expected),
                "{} {filter:?} {}",
                steps.column,
                name_of(&base)
            );
        }
        let expected = told(std::slice::from_ref(&base), &schema, batches).remove(0);
        assert_eq!(said(&slice.answer(&steps.all())), said(&expected));
    }
}

/// From one edge to before another; and nulls, and all but them.
fn filters(steps: &StepBins) -> Vec<Predicate> {
    let edges = steps.cut.edges();
    let measure = Measure::of(&steps.data_type).unwrap();
    let literal = |at: usize| match (&steps.cut, measure) {
        (_, Measure::Float) => float_literal(edges[at]),
        (Cut::Equal(Bins { steps: Steps::Wholes { origin, step, .. }, .. }), _) => {
            stored_literal(&steps.data_type, origin.saturating_add_unsigned(step * at as u64))
        }
        _ => stored_literal(&steps.data_type, edges[at] as i64),
    };
    let column = || steps.column.clone();
    let mut next = chance(23);
    let many = steps.cut.count() as u64;
    let mut ranges: Vec<Predicate> = (0..12)
        .map(|_| {
            let (a, b) = (next(many) as usize, next(many) as usize);
            let from = Predicate::Compare {
                column: column(),
                op: Comparison::Ge,
                value: literal(a.min(b)),
            };
            let to = Predicate::Compare {
                column: column(),
                op: Comparison::Lt,
                value: literal(a.max(b)),
            };
            Predicate::And(vec![from, to])
        })
        .collect();
    let null = Predicate::IsNull { column: column() };
    ranges.push(Predicate::Or(vec![null.clone(), ranges[0].clone(), ranges[1].clone()]));
    ranges.push(Predicate::Not(Box::new(ranges[2].clone())));
    ranges.push(null);
    ranges.push(Predicate::NotNull { column: column() });
    ranges
}

#[test]
fn a_step_says_what_the_companion_would() {
    let table = table();
    for column in ["float", "narrow", "small", "day", "moment", "huge"] {
        let steps = steps_of(column, &table, false);
        check(&table, &steps, &filters(&steps));
    }
}

#[test]
fn on_a_log_axis_too() {
    let table = table();
    for column in ["float", "small"] {
        let steps = steps_of(column, &table, true);
        assert!(matches!(steps.cut, Cut::Powers { .. }));
        // Of what is not above zero there is one place: filters from zero on.
        let mut filters = filters(&steps);
        filters.truncate(13);
        check(&table, &steps, &filters);
    }
}

#[test]
fn what_is_not_counted_or_too_much_is_left_to_the_companion() {
    let table = table();
    let steps = steps_of("float", &table, false);
    let count = asked().count(&[]);
    assert!(steps.of(&count, 1).is_some());
    assert!(steps.of(&count, GROUPS_MAX).is_none());
    let mut mean = count.clone();
    let of = Some("small".to_owned());
    mean.aggregates = vec![Aggregate { op: AggregateOp::Mean, column: of, q: None, name: None }];
    assert!(steps.of(&mean, 1).is_none());
    assert!(
        StepBins::new("name", &DataType::Utf8, Extent::Floats { low: 0.0, high: 1.0 }, false)
            .is_none()
    );
    // A filter of another column passes none of these bins.
    let other = Predicate::NotNull { column: "small".into() };
    assert!(steps.passing(&other).is_none());
    assert!(without(&count, &other).is_none());
    // Neither does a bin that was not asked for.
    let text = r#"{"answers":[{"rows":[{"b":12345678.5,"n":1}]}]}"#;
    let answers: SlicedAnswers<'_> = serde_json::from_str(text).unwrap();
    assert!(Slice::of(&count, &steps, &answers.answers[0]).is_none());
}
