//! What is asked of the companion is what the contract says, and what it answers is put
//! where the browser's own counts are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::sides::{GridPlan, SidePlan};
use super::*;
use crate::plan::read::Answers;

const DAY: DataType = DataType::Date32;

fn asked() -> Asked {
    Asked { table: "flights".to_owned(), version: Some(Version::Number(3)) }
}

fn json(query: &Query) -> String {
    let text = serde_json::to_string(query).unwrap();
    assert_eq!(&Query::from_json(&text).unwrap(), query, "{text}");
    text
}

fn answer(rows: &str) -> Answers {
    serde_json::from_str(&format!(
        r#"{{"answers":[{{"table":"t","version":3,"total_rows":9,"reduction":"bins","rows":{rows}}}]}}"#
    ))
    .unwrap()
}

fn clause() -> Predicate {
    serde_json::from_str(r#"{"column":"carrier","op":"in","value":["AA"]}"#).unwrap()
}

#[test]
fn a_histogram_of_days_asks_for_steps_of_days() {
    let measure = Measure::of(&DAY).unwrap();
    let bins = Bins::new(measure, Extent::Wholes { low: 0, high: 99 }, None, 10);
    let text = json(&asked().histogram("day", &DAY, &Cut::Equal(bins), false, &[clause()]));
    let wanted = concat!(
        r#"{"table":"flights","version":3,"#,
        r#""filters":[{"column":"carrier","op":"in","value":["AA"]}],"#,
        r#""group_by":[{"column":"day","bin":{"step":"P10D","origin":"1970-01-01"},"as":"x"}],"#,
        r#""aggregates":[{"op":"count","as":"n"}]}"#
    );
    assert_eq!(text, wanted);
    let rows = r#"[{"x":"1970-01-01","n":5},{"x":"1970-04-01","n":"7"},{"x":null,"n":2}]"#;
    let read = answer(rows).answers[0].histogram(&DAY, &Cut::Equal(bins));
    assert_eq!(read.nulls, 2);
    assert_eq!(read.counts, [5, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
}

#[test]
fn a_log_axis_asks_for_its_edges_and_for_what_has_no_logarithm() {
    let cut = Cut::Powers { edges: vec![1.0, 10.0, 100.0], closed: true };
    let text = json(&asked().histogram("a", &DataType::Float64, &cut, false, &[]));
    assert!(text.contains(r#""bin":{"edges":[1.0,10.0,100.0]}"#), "{text}");
    assert!(text.contains(r#"{"or":[{"column":"a","op":"between","value":[1.0,100.0]}"#), "{text}");
    assert!(text.contains(r#""op":"le","value":0}"#), "{text}");
    let rows = r#"[{"x":"-Infinity","n":3},{"x":1,"n":1},{"x":10.0,"n":2},{"x":100,"n":4},{"x":null,"n":9}]"#;
    let read = answer(rows).answers[0].histogram(&DataType::Float64, &cut);
    assert_eq!((read.counts, read.nulls), (vec![1, 6, 3], 9));
    let text = json(&asked().extent("a", &DataType::Float64, true));
    assert!(text.contains(r#""op":"gt","value":0"#), "{text}");
}

#[test]
fn the_greatest_float_is_in_the_last_bin() {
    let bins = Bins::new(Measure::Float, Extent::Floats { low: 0.0, high: 1.0 }, None, 4);
    let rows =
        r#"[{"x":0.0,"n":1},{"x":0.75,"n":2},{"x":1.0,"n":3},{"x":"NaN","n":4},{"x":1.25,"n":9}]"#;
    let read = answer(rows).answers[0].histogram(&DataType::Float64, &Cut::Equal(bins));
    assert_eq!((read.counts, read.nulls), (vec![1, 0, 0, 5], 0));
}

#[test]
fn zooming_asks_for_what_is_seen_and_for_nulls() {
    let extent = Extent::Floats { low: 0.0, high: 100.0 };
    let bins = Bins::new(Measure::Float, extent, Some([10.0, 20.0]), 5);
    let text = json(&asked().histogram("a", &DataType::Float64, &Cut::Equal(bins), true, &[]));
    assert!(text.contains(r#""value":[10.0,20.0]"#) && text.contains("is_null"), "{text}");
    assert!(text.contains(r#""step":2.0"#), "{text}");
}

#[test]
fn bars_are_the_most_frequent_that_match() {
    let text = json(&asked().bars("carrier", 20, "a", &[clause()]));
    assert!(
        text.contains(r#""order_by":[{"column":"n","descending":true},{"column":"x"}]"#),
        "{text}"
    );
    assert!(text.contains(r#""op":"contains","value":"a","case_sensitive":false"#), "{text}");
    let rows = r#"[{"x":"AA","n":5},{"x":true,"n":1},{"x":null,"n":3}]"#;
    let bars = answer(rows).answers[0].bars();
    assert_eq!(bars, [(Literal::from("AA"), 5), (Literal::Bool(true), 1)]);
    assert_eq!(answer(r#"[{"n":"123"}]"#).answers[0].number(), Some(123));
    json(&asked().distinct("carrier", ""));
    json(&asked().nulls("carrier", &[]));
    json(&asked().counts_of("carrier", vec![Literal::from("AA")]));
}

#[test]
fn panning_asks_for_the_same_bins() {
    let extent = Extent::Floats { low: 0.0, high: 1000.0 };
    let step = |bins: &Bins| match bins.steps {
        Steps::Floats { step, origin, .. } => (step, origin),
        Steps::Wholes { .. } => panic!(),
    };
    let near = axis_bins(Measure::Float, extent, [100.0, 200.0], 600.0);
    let moved = axis_bins(Measure::Float, extent, [103.0, 203.0], 600.0);
    assert_eq!(step(&near).0, step(&moved).0);
    assert_eq!((step(&moved).1 / step(&moved).0).fract(), 0.0);
    let all = axis_bins(Measure::Float, extent, [-50.0, 1050.0], 600.0);
    assert_eq!(step(&all).1, 0.0);
    assert!((100..=256).contains(&all.count), "{}", all.count);
    let [low, high] = all.domain();
    assert_eq!((low, high), (0.0, 1000.0));
}

#[test]
fn whole_numbers_are_never_split() {
    let measure = Measure::of(&DataType::Int32).unwrap();
    let bins = axis_bins(measure, Extent::Wholes { low: 3, high: 9 }, [0.0, 20.0], 900.0);
    assert_eq!(bins.steps, Steps::Wholes { origin: 3, step: 1, last: 9 });
    assert_eq!(bins.count, 7);
    let side = |name: &str| SidePlan::bins(name, DataType::Int32, Cut::Equal(bins));
    let plan = GridPlan::new([side("a"), side("b")]);
    let text = json(&asked().cells(&plan.parts[0], &[]));
    assert!(text.contains(r#""bin":{"step":1,"origin":3},"as":"y""#), "{text}");
    let found = answer(r#"[{"x":3,"y":9,"n":4},{"x":9,"y":3,"n":1},{"x":10,"y":3,"n":1}]"#);
    let counts = plan.counts([found.answers.first()].into_iter());
    assert_eq!((counts[42], counts[6], counts.iter().sum::<u64>()), (4, 1, 5));
}

#[test]
fn extents_leave_what_is_not_finite_out() {
    assert!(json(&asked().extent("a", &DataType::Float32, false)).contains("between"));
    assert!(!json(&asked().extent("a", &DAY, false)).contains("filters"));
    let read = answer(r#"[{"low":"1970-01-02","high":null}]"#);
    assert_eq!(read.answers[0].units(LOW, &DAY), Some(86_400_000.0));
    assert_eq!(read.answers[0].units(HIGH, &DAY), None);
    let axes = [("a", &DataType::Float64, false), ("d", &DAY, false)];
    let text = json(&asked().points(&axes, &[]));
    assert!(text.contains("between") && text.contains("not_null"), "{text}");
    let text = json(&asked().rows(&["a".to_owned()], &[], 40, 20, &[]));
    assert!(
        text.contains(r#""columns":["a","_row"]"#) && text.contains(r#""offset":40"#),
        "{text}"
    );
}
