//! Answers worked out in steps are what counting row by row finds, after any sequence of
//! selections, and while rows are still arriving.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, StringArray};
use arrow_schema::Field;
use engine::kind::kind_from_type;
use engine::literal::Literal;
use engine::predicate::Predicate;
use engine::sample::hash64;

use super::*;
use crate::protocol::{Form, Legend, Origin};
pub(super) use crate::worker::resident::BLOCK_ROWS;
use crate::worker::resident::column::Column;

pub(super) const ROWS: usize = BLOCK_ROWS + 1234;

fn random(row: usize, salt: u64) -> u64 {
    hash64(salt, row as u64)
}

pub(super) fn delay(row: usize) -> Option<i32> {
    (!random(row, 1).is_multiple_of(17)).then(|| (random(row, 2) % 200) as i32 - 50)
}

pub(super) fn distance(row: usize) -> f64 {
    match random(row, 3) % 50 {
        0 => f64::NAN,
        n => (n * (random(row, 4) % 100)) as f64 / 7.0,
    }
}

const CARRIERS: [&str; 4] = ["AA", "DL", "UA", "WN"];

pub(super) fn carrier(row: usize) -> Option<&'static str> {
    CARRIERS.get((random(row, 5) % 5) as usize).copied()
}

fn column(name: &str, array: ArrayRef, complete: bool) -> Column {
    let field = Arc::new(Field::new(name, array.data_type().clone(), true));
    let mut column = Column::new(field, kind_from_type(array.data_type()), 0);
    column.push(&array).unwrap();
    if complete {
        column.finish().unwrap();
    }
    column
}

pub(super) fn resident(complete: bool) -> Resident {
    let mut resident = Resident::new("t".into(), None, "u".into(), Origin::Browser);
    let rows = 0..ROWS;
    let ints: ArrayRef = Arc::new(Int32Array::from_iter(rows.clone().map(delay)));
    let floats: ArrayRef = Arc::new(Float64Array::from_iter_values(rows.clone().map(distance)));
    let texts: ArrayRef = Arc::new(StringArray::from_iter(rows.clone().map(carrier)));
    let flags: ArrayRef =
        Arc::new(BooleanArray::from_iter(rows.clone().map(|row| Some(row % 3 == 0))));
    let days: ArrayRef =
        Arc::new(Date32Array::from_iter_values(rows.clone().map(|row| (row % 10) as i32)));
    let ids: ArrayRef =
        Arc::new(StringArray::from_iter_values(rows.map(|row| format!("id{}", row / 2))));
    for (name, array) in [
        ("delay", ints),
        ("distance", floats),
        ("carrier", texts),
        ("late", flags),
        ("day", days),
        ("id", ids),
    ] {
        resident.insert(column(name, array, complete));
    }
    resident
}

pub(super) fn clause(id: &str, json: &str) -> Clause {
    Clause { id: id.to_owned(), predicate: serde_json::from_str(json).unwrap() }
}

fn view(id: u32, mark: Mark) -> View {
    View { id: ViewId(id), mark }
}

fn views() -> Vec<View> {
    let bars = |column: &str| Mark::Bars { column: column.into(), limit: 3, search: String::new() };
    let histogram = |column: &str| Mark::Histogram {
        column: column.into(),
        bins: 20,
        domain: None,
        form: Form::default(),
    };
    vec![
        view(1, histogram("delay")),
        view(2, histogram("distance")),
        view(3, bars("carrier")),
        view(4, bars("late")),
        view(5, histogram("day")),
        view(
            6,
            Mark::Scatter {
                varied: Default::default(),
                look: Default::default(),
                x: "distance".into(),
                y: "delay".into(),
                color: Some("carrier".into()),
            },
        ),
        view(7, bars("id")),
    ]
}

fn ask(answers: &mut Answers, resident: &Resident, clauses: Vec<Clause>) -> Answer {
    let question = Question { generation: 1, clauses, views: views() };
    answers.begin(question, resident);
    loop {
        if let Some(answer) = answers.step(resident) {
            return answer;
        }
    }
}

/// Whether a row passes the clauses that the tests use, but for the one left out.
pub(super) fn passes(row: usize, clauses: &[Clause], except: &str) -> bool {
    clauses.iter().filter(|clause| clause.id != except).all(|clause| match &clause.predicate {
        Predicate::Between { column, low, high } => {
            let value = match column.as_str() {
                "delay" => delay(row).map(f64::from),
                _ => Some(distance(row)),
            };
            let [low, high] = [low, high].map(|end| end.as_text().parse::<f64>().unwrap());
            value.is_some_and(|value| low <= value && value <= high)
        }
        Predicate::In { values, .. } => {
            carrier(row).is_some_and(|name| values.contains(&Literal::from(name)))
        }
        _ => true,
    })
}

fn check(answer: &Answer, clauses: &[Clause], rows: usize) {
    let selected = (0..rows).filter(|&row| passes(row, clauses, "")).count();
    assert_eq!((answer.selected, answer.total), (selected as u64, rows as u64));
    for result in &answer.results {
        match (&result.id, &result.result) {
            (ViewId(1), MarkResult::Histogram { domain, counts, unfiltered, nulls, .. }) => {
                assert_eq!(*domain, [-50.0, 150.0]);
                let mut expected = vec![0; 20];
                let mut expected_nulls = 0;
                for row in (0..rows).filter(|&row| passes(row, clauses, "column:delay")) {
                    match delay(row) {
                        Some(delay) => expected[((delay + 50) / 10) as usize] += 1,
                        None => expected_nulls += 1,
                    }
                }
                assert_eq!((counts, *nulls), (&expected, expected_nulls));
                let all = (0..rows).filter(|&row| delay(row).is_some()).count();
                assert_eq!(unfiltered.iter().sum::<u32>() as usize, all);
            }
            (ViewId(2), MarkResult::Histogram { counts, .. }) => {
                let finite = |row: &usize| !distance(*row).is_nan();
                let all = (0..rows).filter(|&row| passes(row, clauses, "column:distance"));
                assert_eq!(counts.iter().sum::<u32>() as usize, all.filter(finite).count());
            }
            (ViewId(3), MarkResult::Bars { bars, distinct, nulls }) => {
                assert_eq!(*distinct, 4);
                let count = |name: Option<&str>| {
                    (0..rows)
                        .filter(|&row| {
                            passes(row, clauses, "column:carrier") && carrier(row) == name
                        })
                        .count() as u64
                };
                assert_eq!(*nulls, count(None));
                assert!(
                    bars.len() >= 3 && bars.is_sorted_by_key(|bar| std::cmp::Reverse(bar.count))
                );
                for bar in bars {
                    assert_eq!(bar.count, count(Some(&bar.label)), "{}", bar.label);
                }
            }
            (ViewId(4), MarkResult::Bars { bars, .. }) => {
                let truths =
                    (0..rows).filter(|&row| passes(row, clauses, "") && row % 3 == 0).count();
                let bar = bars.iter().find(|bar| bar.value == Literal::Bool(true)).unwrap();
                assert_eq!(bar.count, truths as u64);
            }
            (ViewId(5), MarkResult::Histogram { domain, counts, .. }) => {
                assert_eq!((*domain, counts.len()), ([0.0, 864_000_000.0], 10));
            }
            (ViewId(6), MarkResult::Scatter { points, legend, .. }) => {
                let placed = (0..rows).filter(|&row| {
                    passes(row, clauses, "view:6")
                        && delay(row).is_some()
                        && !distance(row).is_nan()
                });
                assert_eq!(*points, placed.count() as u64);
                let Legend::Categories { entries } = legend else { panic!("{legend:?}") };
                assert_eq!(entries.iter().map(|entry| entry.count).sum::<u64>(), *points);
                assert_eq!(entries.len(), 5, "four carriers and none");
            }
            (ViewId(7), MarkResult::Bars { bars, distinct, .. }) => {
                assert_eq!(*distinct, rows.div_ceil(2) as u64);
                assert!(bars.iter().all(|bar| bar.count <= 2 && bar.unfiltered <= 2));
            }
            (id, other) => panic!("{id:?}: {other:?}"),
        }
    }
}

pub(super) fn selections() -> Vec<Vec<Clause>> {
    let delay = |low: i32, high: i32| {
        let json = format!(r#"{{"column":"delay","op":"between","value":[{low},{high}]}}"#);
        clause("column:delay", &json)
    };
    let distance =
        clause("column:distance", r#"{"column":"distance","op":"between","value":[10.5,200]}"#);
    let carriers =
        clause("column:carrier", r#"{"column":"carrier","op":"in","value":["AA","WN"]}"#);
    vec![
        vec![],
        vec![delay(0, 60)],
        vec![delay(1, 61), distance.clone()],
        vec![delay(1, 61), distance.clone(), carriers.clone()],
        vec![delay(-100, 500), carriers.clone()],
        vec![carriers],
        vec![delay(999, 1000)],
        vec![distance],
        vec![],
    ]
}

#[test]
fn any_sequence_of_selections_counts_what_is_there() {
    let resident = resident(true);
    let mut answers = Answers::default();
    for clauses in selections() {
        let answer = ask(&mut answers, &resident, clauses.clone());
        assert!(answer.complete && answer.clause_errors.is_empty());
        check(&answer, &clauses, ROWS);
    }
}

/// A brush at random over one column, others set between: what cubes and runs of ranks
/// give is what a fresh start counts.
#[test]
fn prepared_steps_of_a_brush_count_what_a_fresh_start_does() {
    let resident = resident(true);
    let mut answers = Answers::default();
    let prepare = |answers: &mut Answers| while answers.prepare_next(&resident, 0) {};
    let carriers =
        clause("column:carrier", r#"{"column":"carrier","op":"in","value":["AA","WN"]}"#);
    let late = clause("column:late", r#"{"column":"late","op":"eq","value":true}"#);
    let boxed = clause(
        "view:6",
        r#"{"and":[{"column":"distance","op":"between","value":[10,300]},{"column":"delay","op":"ge","value":-20}]}"#,
    );
    let others: [Vec<Clause>; 4] =
        [vec![], vec![carriers.clone()], vec![carriers, late], vec![boxed]];
    let brushes = [("delay", 200, -50), ("distance", 1400, -5), ("day", 12, -1)];
    let mut cubed = 0;
    for step in 0..40_usize {
        let (column, span, least) = brushes[step / 5 % 3];
        let at = (random(step, 7) % span) as i64 + least;
        let end = at + (random(step, 8) % span) as i64;
        let value = match column {
            "day" => {
                let day = |day: i64| {
                    if day < 0 {
                        "1969-12-31".to_owned()
                    } else {
                        format!("1970-01-{:02}", day + 1)
                    }
                };
                format!(r#"["{}","{}"]"#, day(at), day(end))
            }
            _ => format!("[{at},{end}]"),
        };
        let json = format!(r#"{{"column":"{column}","op":"between","value":{value}}}"#);
        let mut clauses = others[step / 4 % 4].clone();
        if step % 7 != 6 {
            clauses.push(clause(&format!("column:{column}"), &json));
        }
        if step % 11 == 3 {
            answers.approach(column);
        }
        let answer = ask(&mut answers, &resident, clauses.clone());
        let fresh = ask(&mut Answers::default(), &resident, clauses.clone());
        assert_eq!(answer.selected, fresh.selected, "step {step}: {clauses:?}");
        assert_eq!(answer.results, fresh.results, "step {step}: {clauses:?}");
        prepare(&mut answers);
        // Places in ranks that are made anew are others than before.
        if step % 4 == 3 {
            answers.brush.forget_ranks(0);
        }
        let histogram = view(2, views().swap_remove(1).mark);
        let (question, masks) = (&answers.question, &answers.masks);
        let shown = &answers.views[&ViewId(2)];
        let counts = answers.brush.counts(&histogram, shown, question, masks, &resident);
        cubed += usize::from(counts.is_some());
    }
    assert!(cubed > 20, "{cubed} of 40 steps were prepared for");
}

#[test]
fn an_answer_given_up_half_way_spoils_nothing() {
    let resident = resident(true);
    let mut answers = Answers::default();
    for (n, clauses) in selections().into_iter().enumerate() {
        for steps in 0..n * 3 {
            let question =
                Question { generation: 0, clauses: selections()[n / 2].clone(), views: views() };
            answers.begin(question, &resident);
            for _ in 0..steps {
                answers.step(&resident);
            }
        }
        check(&ask(&mut answers, &resident, clauses.clone()), &clauses, ROWS);
    }
}

#[test]
fn rows_that_arrive_later_are_counted_then() {
    let mut resident = resident(false);
    let mut answers = Answers::default();
    answers.renew(1);
    let clauses = selections().swap_remove(3);
    let first = ask(&mut answers, &resident, clauses.clone());
    assert!(!first.complete);
    check(&first, &clauses, BLOCK_ROWS);
    let names: Vec<String> = resident.columns().iter().map(|c| c.name().to_owned()).collect();
    for name in names {
        resident.column_mut(&name).unwrap().finish().unwrap();
    }
    let second = ask(&mut answers, &resident, clauses.clone());
    assert!(second.complete);
    check(&second, &clauses, ROWS);
}

#[test]
fn what_waits_for_a_column_on_its_way_is_neither_answered_nor_refused() {
    let mut part = resident(true);
    part.remove("distance");
    let clauses = vec![clause("a", r#"{"column":"distance","op":"gt","value":1}"#)];
    let mut answers = Answers::default();
    answers.renew(1);
    let read: Vec<ViewId> = views().iter().map(|view| view.id).collect();
    let others = |answer: &Answer| answer.results.iter().map(|r| r.id).collect::<Vec<_>>();

    part.set_coming(vec!["distance".to_owned()]);
    let waiting = ask(&mut answers, &part, clauses.clone());
    assert!(!waiting.complete);
    assert_eq!(waiting.clause_errors, []);
    let kept = views().into_iter().filter(|view| !view.mark.columns().contains(&"distance"));
    assert_eq!(others(&waiting), kept.map(|view| view.id).collect::<Vec<_>>());

    // It did not come.
    part.set_coming(Vec::new());
    let refused = ask(&mut answers, &part, clauses.clone());
    assert_eq!(refused.clause_errors[0].id, "a");
    assert_eq!(others(&refused), read);

    // It came after all.
    let all = resident(true);
    answers.renew(2);
    let whole = ask(&mut answers, &all, clauses.clone());
    assert!(whole.complete);
    assert_eq!(whole.clause_errors, []);
}

#[test]
fn a_clause_that_cannot_be_evaluated_is_named_and_left_out() {
    let resident = resident(true);
    let mut answers = Answers::default();
    let bad = vec![
        clause("a", r#"{"column":"nothing","op":"is_null"}"#),
        clause("b", r#"{"column":"carrier","op":"matches","value":"("}"#),
        clause("c", r#"{"column":"delay","op":"eq","value":"x"}"#),
    ];
    let answer = ask(&mut answers, &resident, bad);
    let ids: Vec<_> = answer.clause_errors.iter().map(|error| error.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(answer.clause_errors[0].detail.contains("not loaded"));
    check(&Answer { clause_errors: vec![], ..answer }, &[], ROWS);
}

#[test]
fn searching_bars_keeps_what_is_chosen() {
    let resident = resident(true);
    let mut answers = Answers::default();
    let mark = Mark::Bars { column: "id".into(), limit: 2, search: "ID12".into() };
    let clauses = vec![clause("column:id", r#"{"column":"id","op":"in","value":["id12777"]}"#)];
    answers.begin(Question { generation: 1, clauses, views: vec![view(1, mark)] }, &resident);
    let answer = loop {
        if let Some(answer) = answers.step(&resident) {
            break answer;
        }
    };
    let MarkResult::Bars { bars, distinct, .. } = &answer.results[0].result else { panic!() };
    assert_eq!(*distinct, 1 + 10 + 100 + 1000);
    assert!(bars.iter().any(|bar| bar.label == "id12777") && bars.len() == 3);
    assert_eq!(answer.selected, 2);
}

#[test]
fn views_of_columns_that_do_not_suit_fail_alone() {
    let resident = resident(true);
    let mut answers = Answers::default();
    let views = vec![
        view(
            1,
            Mark::Histogram {
                column: "carrier".into(),
                bins: 5,
                domain: None,
                form: Form::default(),
            },
        ),
        view(2, Mark::Bars { column: "delay".into(), limit: 5, search: String::new() }),
        view(
            3,
            Mark::Scatter {
                varied: Default::default(),
                x: "delay".into(),
                y: "gone".into(),
                color: None,
                look: Default::default(),
            },
        ),
        view(
            4,
            Mark::Histogram { column: "gone".into(), bins: 5, domain: None, form: Form::default() },
        ),
        view(
            5,
            Mark::Histogram {
                column: "delay".into(),
                bins: 5,
                domain: None,
                form: Form::default(),
            },
        ),
    ];
    answers.begin(Question { generation: 1, clauses: vec![], views }, &resident);
    let answer = loop {
        if let Some(answer) = answers.step(&resident) {
            break answer;
        }
    };
    let failed: Vec<bool> = answer
        .results
        .iter()
        .map(|result| matches!(result.result, MarkResult::Failed { .. }))
        .collect();
    assert_eq!(failed, [true, true, true, true, false]);
}
