//! Laws that hold for any rows and any predicate, tried on random ones and shrunk where
//! they fail: logic, slices, chunks, dictionaries, JSON, groups in parts, orders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type, UInt16Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array,
    Int32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray, StringViewArray,
    TimestampMillisecondArray,
};
use arrow_cast::display::array_value_to_string;
use engine::bind::Bound;
use engine::eval::{Evaluation, Evaluator, eval};
use engine::group::Grouper;
use engine::literal::Literal;
use engine::mask::Mask;
use engine::order::Sorter;
use engine::predicate::{Comparison, Predicate};
use engine::query::{Nulls, OrderKey, Query};
use proptest::prelude::*;

/// One row of every column.
#[derive(Debug, Clone)]
struct Row {
    i: Option<i32>,
    l: Option<i64>,
    f: Option<f64>,
    s: Option<String>,
    b: Option<bool>,
    t: Option<i64>,
}

fn row() -> impl Strategy<Value = Row> {
    let float = prop_oneof![
        Just(f64::NAN),
        Just(-0.0),
        Just(0.0),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        (-4..4).prop_map(f64::from),
        any::<f64>(),
    ];
    let long =
        prop_oneof![Just(i64::MIN), Just(i64::MAX), Just((1 << 53) + 1), -3..3_i64, any::<i64>(),];
    let text = prop_oneof![
        "[ab]{0,2}",
        Just("é".to_owned()),
        Just("ab".repeat(9)),
        Just("2024-01-31".to_owned()),
    ];
    let day = 86_400_000_i64;
    let time = prop_oneof![-2 * day..2 * day, (-3..3_i64).prop_map(move |days| days * day)];
    (
        prop::option::weighted(0.8, -3..4_i32),
        prop::option::weighted(0.8, long),
        prop::option::weighted(0.8, float),
        prop::option::weighted(0.8, text),
        prop::option::weighted(0.8, any::<bool>()),
        prop::option::weighted(0.8, time),
    )
        .prop_map(|(i, l, f, s, b, t)| Row { i, l, f, s, b, t })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop_oneof![prop::collection::vec(row(), 0..20), prop::collection::vec(row(), 60..200)]
}

/// The rows as a batch; coded, every column that can be is a dictionary or a view.
fn batch(rows: &[Row], coded: bool) -> RecordBatch {
    let ints: Int32Array = rows.iter().map(|row| row.i).collect();
    let longs: Int64Array = rows.iter().map(|row| row.l).collect();
    let floats: Float64Array = rows.iter().map(|row| row.f).collect();
    let singles: Float32Array = rows.iter().map(|row| row.f.map(|value| value as f32)).collect();
    let texts: StringArray = rows.iter().map(|row| row.s.as_deref()).collect();
    let views: StringViewArray = rows.iter().map(|row| row.s.as_deref()).collect();
    let bools: BooleanArray = rows.iter().map(|row| row.b).collect();
    let dates: Date32Array =
        rows.iter().map(|row| row.t.map(|time| time.div_euclid(86_400_000) as i32)).collect();
    let times: TimestampMillisecondArray = rows.iter().map(|row| row.t).collect();
    let times = times.with_timezone("+00:00");
    let columns: [(&str, ArrayRef); 8] = match coded {
        false => [
            ("i", Arc::new(ints)),
            ("l", Arc::new(longs)),
            ("f", Arc::new(floats)),
            ("g", Arc::new(singles)),
            ("s", Arc::new(texts)),
            ("b", Arc::new(bools)),
            ("d", Arc::new(dates)),
            ("t", Arc::new(times)),
        ],
        true => [
            ("i", coded_array::<UInt16Type>(Arc::new(ints))),
            ("l", coded_array::<Int32Type>(Arc::new(longs))),
            ("f", coded_array::<Int32Type>(Arc::new(floats))),
            ("g", Arc::new(singles)),
            (
                "s",
                match rows.len() % 2 {
                    0 => Arc::new(views),
                    _ => Arc::new(
                        rows.iter()
                            .map(|row| row.s.as_deref())
                            .collect::<DictionaryArray<Int32Type>>(),
                    ),
                },
            ),
            ("b", coded_array::<UInt16Type>(Arc::new(bools))),
            ("d", coded_array::<Int32Type>(Arc::new(dates))),
            ("t", Arc::new(times)),
        ],
    };
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// A dictionary whose values are the array turned round, some of them never used.
fn coded_array<K: arrow_array::types::ArrowDictionaryKeyType>(array: ArrayRef) -> ArrayRef
where
    K::Native: TryFrom<usize>,
{
    let len = array.len();
    let keys: PrimitiveArray<K> =
        (0..len).map(|row| K::Native::try_from(len - 1 - row).ok()).collect();
    let turned: Vec<u32> = (0..len as u32).rev().collect();
    let values =
        arrow_select::take::take(&array, &arrow_array::UInt32Array::from(turned), None).unwrap();
    Arc::new(DictionaryArray::try_new(keys, values).unwrap())
}

fn number() -> impl Strategy<Value = Literal> {
    prop_oneof![
        (-4..5_i64).prop_map(Literal::from),
        any::<i64>().prop_map(Literal::from),
        (-9..9_i32).prop_map(|tenths| Literal::from(f64::from(tenths) / 2.0)),
        any::<f64>()
            .prop_filter("JSON has no such number", |x| x.is_finite())
            .prop_map(Literal::from),
        Just(Literal::from("9007199254740993")),
    ]
}

fn text() -> impl Strategy<Value = Literal> {
    prop_oneof!["[ab]{0,2}", Just("é".to_owned())].prop_map(|text| Literal::from(text.as_str()))
}

fn time() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just("1970-01-01"),
        Just("1969-12-31"),
        Just("1970-01-02T00:00:00.0005"),
        Just("1970-01-01 12:00:00+02:00"),
    ]
    .prop_map(Literal::from)
}

/// A column and literals that suit it.
fn column_and_values() -> impl Strategy<Value = (String, [Literal; 3])> {
    let three = |literal: BoxedStrategy<Literal>| [literal.clone(), literal.clone(), literal];
    prop_oneof![
        (prop::sample::select(vec!["i", "l", "f", "g"]), three(number().boxed())),
        (Just("s"), three(text().boxed())),
        (Just("b"), three(any::<bool>().prop_map(Literal::from).boxed())),
        (prop::sample::select(vec!["d", "t"]), three(time().boxed())),
    ]
    .prop_map(|(column, values)| (column.to_owned(), values))
}

fn leaf() -> impl Strategy<Value = Predicate> {
    let ops = prop::sample::select(vec![
        Comparison::Eq,
        Comparison::Ne,
        Comparison::Lt,
        Comparison::Le,
        Comparison::Gt,
        Comparison::Ge,
    ]);
    let any_column = prop::sample::select(vec!["i", "l", "f", "g", "s", "b", "d", "t"]);
    prop_oneof![
        4 => (column_and_values(), ops).prop_map(|((column, [value, ..]), op)| {
            Predicate::Compare { column, op, value }
        }),
        2 => column_and_values().prop_map(|(column, [low, high, _])| Predicate::Between { column, low, high }),
        2 => (column_and_values(), any::<bool>(), 0..4_usize).prop_map(|((column, values), negated, len)| {
            Predicate::In { column, values: values.into_iter().take(len).collect(), negated }
        }),
        1 => ("[ab]{0,2}", any::<bool>()).prop_map(|(text, case_sensitive)| {
            Predicate::Contains { column: "s".to_owned(), text, case_sensitive }
        }),
        1 => Just(Predicate::Matches { column: "s".to_owned(), pattern: "^a.?$".to_owned(), case_sensitive: true }),
        1 => any_column.clone().prop_map(|column| Predicate::IsNull { column: column.to_owned() }),
        1 => any_column.prop_map(|column| Predicate::NotNull { column: column.to_owned() }),
        1 => Just(Predicate::Within {
            x: "i".to_owned(), y: "f".to_owned(), polygon: vec![[-2.0, -2.0], [2.0, -2.0], [0.0, 3.0]],
        }),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Or),
            inner.prop_map(not),
        ]
    })
}

fn not(predicate: Predicate) -> Predicate {
    Predicate::Not(Box::new(predicate))
}

fn mask(predicate: &Predicate, batch: &RecordBatch) -> Mask {
    let bound = Bound::new(predicate, batch.schema_ref(), "filters").unwrap();
    eval(&bound, batch).unwrap()
}

/// A comparison and the orders that it holds for.
type Op = (Comparison, fn(Ordering) -> bool);

/// The cells of a batch as text, floats rounded as far as sums in another order differ.
fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let cell = |array: &ArrayRef, row: usize| match array.is_null(row) {
        true => "null".to_owned(),
        false => {
            let text = array_value_to_string(array, row).unwrap();
            match (array.data_type().is_floating(), text.parse::<f64>()) {
                (true, Ok(number)) if number.is_finite() => format!("{number:.9e}"),
                _ => text,
            }
        }
    };
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|array| cell(array, row)).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn de_morgan_and_double_negation(rows in rows(), a in predicate(), b in predicate()) {
        let batch = batch(&rows, false);
        let both = not(Predicate::And(vec![a.clone(), b.clone()]));
        let either = Predicate::Or(vec![not(a.clone()), not(b.clone())]);
        prop_assert_eq!(mask(&both, &batch), mask(&either, &batch));
        let neither = not(Predicate::Or(vec![a.clone(), b.clone()]));
        let none = Predicate::And(vec![not(a.clone()), not(b.clone())]);
        prop_assert_eq!(mask(&neither, &batch), mask(&none, &batch));
        prop_assert_eq!(mask(&not(not(a.clone())), &batch), mask(&a, &batch));
        // A row passes at most one of a predicate and its negation.
        prop_assert_eq!(mask(&a, &batch).count_and(&mask(&not(a), &batch)), 0);
    }

    #[test]
    fn and_or_are_those_of_masks(rows in rows(), a in predicate(), b in predicate()) {
        let batch = batch(&rows, false);
        let (left, right) = (mask(&a, &batch), mask(&b, &batch));
        let (mut both, mut either) = (left.clone(), left);
        both.and(&right);
        either.or(&right);
        prop_assert_eq!(mask(&Predicate::And(vec![a.clone(), b.clone()]), &batch), both);
        prop_assert_eq!(mask(&Predicate::Or(vec![a, b]), &batch), either);
    }

    #[test]
    fn slices_chunks_and_codes_agree(
        rows in rows(), predicate in predicate(), start in 0..200_usize, len in 0..200_usize, step in 1..80_usize,
    ) {
        let batch = batch(&rows, false);
        let whole = mask(&predicate, &batch);
        let start = start.min(rows.len());
        let len = len.min(rows.len() - start);
        prop_assert_eq!(mask(&predicate, &batch.slice(start, len)), whole.slice(start, len));
        let coded = self::batch(&rows, true);
        prop_assert_eq!(&mask(&predicate, &coded), &whole);
        prop_assert_eq!(mask(&predicate, &coded.slice(start, len)), whole.slice(start, len));
        for batch in [&batch, &coded] {
            let bound = Bound::new(&predicate, batch.schema_ref(), "filters").unwrap();
            let parts = [batch.slice(0, start), batch.slice(start, rows.len() - start)];
            let mut evaluation = Evaluation::new(bound.clone());
            while !evaluation.step(&parts, 0, step).unwrap() {}
            prop_assert_eq!(evaluation.mask(), &whole);
            let mut evaluator = Evaluator::new(bound);
            let again = evaluator.eval(batch, 0).unwrap();
            prop_assert_eq!(&again, &whole);
            prop_assert_eq!(evaluator.eval(batch, 0).unwrap(), again);
        }
    }

    #[test]
    fn predicates_survive_json(rows in rows(), predicate in predicate()) {
        let text = format!("[{}]", serde_json::to_string(&predicate).unwrap());
        let read = Predicate::from_filters_text(&text).unwrap();
        prop_assert_eq!(&read, &Predicate::And(vec![predicate.clone()]));
        let batch = batch(&rows, false);
        prop_assert_eq!(mask(&read, &batch), mask(&predicate, &batch));
    }

    #[test]
    fn comparisons_are_those_of_the_values(rows in rows(), bound in any::<i64>(), float in any::<f64>()) {
        let batch = batch(&rows, false);
        let ops: [Op; 6] = [
            (Comparison::Eq, Ordering::is_eq), (Comparison::Ne, Ordering::is_ne), (Comparison::Lt, Ordering::is_lt),
            (Comparison::Le, Ordering::is_le), (Comparison::Gt, Ordering::is_gt), (Comparison::Ge, Ordering::is_ge),
        ];
        for (op, holds) in ops {
            let compare = |column: &str, value: Literal| {
                mask(&Predicate::Compare { column: column.to_owned(), op, value }, &batch)
            };
            let longs = Mask::from_fn(rows.len(), |row| rows[row].l.is_some_and(|l| holds(l.cmp(&bound))));
            prop_assert_eq!(compare("l", Literal::from(bound)), longs);
            if float.is_finite() {
                let passes = |value: f64| match value.partial_cmp(&float) {
                    Some(order) => holds(order),
                    None => op == Comparison::Ne,
                };
                let floats = Mask::from_fn(rows.len(), |row| rows[row].f.is_some_and(passes));
                prop_assert_eq!(compare("f", Literal::from(float)), floats);
            }
            let texts = Mask::from_fn(rows.len(), |row| {
                rows[row].s.as_ref().is_some_and(|text| holds(text.as_bytes().cmp(b"ab")))
            });
            prop_assert_eq!(compare("s", Literal::from("ab")), texts);
        }
    }

    #[test]
    fn groups_in_parts_are_those_of_the_whole(
        rows in rows(), filter in predicate(), cut in 0..200_usize,
        keys in prop::sample::subsequence(vec!["i", "l", "f", "s", "b", "d"], 0..3),
    ) {
        let query = format!(
            r#"{{"table":"t","group_by":{},"aggregates":[{{"op":"count"}},{{"op":"count","column":"f"}},
               {{"op":"count_distinct","column":"s"}},{{"op":"count_distinct","column":"f"}},{{"op":"sum","column":"i"}},
               {{"op":"mean","column":"i"}},{{"op":"min","column":"f"}},{{"op":"max","column":"s"}},{{"op":"min","column":"l"}},
               {{"op":"max","column":"t"}},{{"op":"median","column":"i"}},{{"op":"quantile","column":"f","q":0.3}},
               {{"op":"variance","column":"i"}},{{"op":"max","column":"b"}}]}}"#,
            serde_json::to_string(&keys).unwrap()
        );
        let query = Query::from_json(&query).unwrap();
        let cut = cut.min(rows.len());
        let mut answers = Vec::new();
        for coded in [false, true] {
            let batch = batch(&rows, coded);
            let schema = batch.schema();
            let passing = mask(&filter, &batch);
            let grouper = || Grouper::new(&query.group_by, &query.aggregates, &schema).unwrap();
            let mut whole = grouper();
            whole.push(&batch, Some(&passing), 0).unwrap();
            let (mut first, mut second) = (grouper(), grouper());
            first.push(&batch.slice(0, cut), Some(&passing.slice(0, cut)), 0).unwrap();
            let rest = rows.len() - cut;
            second.push(&batch.slice(cut, rest), Some(&passing.slice(cut, rest)), cut as u64).unwrap();
            second.merge(first).unwrap();
            let whole = whole.finish().unwrap();
            let total: i64 = match whole.column_by_name("count") {
                Some(counts) => counts.as_any().downcast_ref::<Int64Array>().unwrap().values().iter().sum(),
                None => 0,
            };
            prop_assert_eq!(total, passing.count() as i64);
            answers.push(cells(&whole));
            answers.push(cells(&second.finish().unwrap()));
        }
        prop_assert_eq!(&answers[0], &answers[1]);
        prop_assert_eq!(&answers[0], &answers[2]);
        prop_assert_eq!(&answers[0], &answers[3]);
    }

    #[test]
    fn orders_are_those_of_the_values(
        rows in rows(), repeat in prop::sample::select(vec![1_usize, 6]), cut in 0..200_usize, limit in prop::option::of(0..300_usize),
        keys in prop::collection::vec((prop::sample::select(vec!["i", "l", "f", "s", "b"]), any::<bool>(), any::<bool>()), 1..3),
    ) {
        let rows: Vec<Row> = (0..repeat).flat_map(|_| rows.clone()).collect();
        let order_by: Vec<OrderKey> = keys
            .iter()
            .map(|(column, descending, first)| OrderKey {
                column: (*column).to_owned(),
                descending: *descending,
                nulls: if *first { Nulls::First } else { Nulls::Last },
            })
            .collect();
        let mut expected: Vec<u32> = (0..rows.len() as u32).collect();
        expected.sort_by(|a, b| {
            let (a, b) = (&rows[*a as usize], &rows[*b as usize]);
            order_by.iter().map(|key| compare_rows(a, b, key)).fold(Ordering::Equal, Ordering::then)
        });
        expected.truncate(limit.unwrap_or(usize::MAX));
        for coded in [false, true] {
            let batch = batch(&rows, coded);
            let cut = cut.min(rows.len());
            let mut sorter = Sorter::new(&order_by, batch.schema_ref()).unwrap();
            sorter.push(&batch.slice(0, cut), 0).unwrap();
            sorter.push(&batch.slice(cut, rows.len() - cut), cut as u64).unwrap();
            prop_assert_eq!(&sorter.finish(limit).unwrap(), &expected);
        }
    }
}

/// Nulls at the end that was asked for, then NaN after every number, then by value.
fn compare_rows(a: &Row, b: &Row, key: &OrderKey) -> Ordering {
    fn ends<T>(
        a: Option<T>,
        b: Option<T>,
        key: &OrderKey,
        values: impl Fn(T, T) -> Ordering,
    ) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => values(a, b),
            (a, b) if key.nulls == Nulls::First => a.is_some().cmp(&b.is_some()),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
    let turned = |order: Ordering| if key.descending { order.reverse() } else { order };
    match key.column.as_str() {
        "i" => ends(a.i, b.i, key, |a, b| turned(a.cmp(&b))),
        "l" => ends(a.l, b.l, key, |a, b| turned(a.cmp(&b))),
        "f" => ends(a.f, b.f, key, |a, b| {
            let numbers = || turned(a.partial_cmp(&b).unwrap_or(Ordering::Equal));
            a.is_nan().cmp(&b.is_nan()).then_with(numbers)
        }),
        "s" => ends(a.s.as_ref(), b.s.as_ref(), key, |a, b| turned(a.as_bytes().cmp(b.as_bytes()))),
        _ => ends(a.b, b.b, key, |a, b| turned(a.cmp(&b))),
    }
}

#[test]
fn a_dictionary_of_128_values_fits_bytes() {
    // The widest dictionary of the narrowest keys.
    let keys: PrimitiveArray<Int8Type> = (0..=127_i8).collect();
    let values = StringArray::from_iter_values((0..128).map(|value| format!("{value:03}")));
    let array: ArrayRef = Arc::new(DictionaryArray::try_new(keys, Arc::new(values)).unwrap());
    let batch = RecordBatch::try_from_iter([("s", array)]).unwrap();
    let last = Predicate::from_filters_text(r#"[{"column":"s","op":"ge","value":"126"}]"#).unwrap();
    assert_eq!(mask(&last, &batch).iter_ones().collect::<Vec<_>>(), [126, 127]);
}
