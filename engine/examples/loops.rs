//! How long the evaluator's loops take over a million rows, best and median of nine:
//! `cargo run -p engine --example loops [PART OF A NAME]`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use engine::bind::Bound;
use engine::eval::Evaluator;
use engine::execute::execute;
use engine::mask::Mask;
use engine::predicate::Predicate;
use engine::query::Query;
use engine::summary::{BinnedColumn, Bins, CategoryColumn, Overview, density};

const ROWS: usize = 1_000_000;

/// Uniform numbers from 0 to 1.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}

fn table() -> RecordBatch {
    let mut uniform = Uniform(12_345);
    let mut next = || uniform.next();
    let names: Vec<String> = (0..50).map(|number| format!("category number {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns: [(&str, ArrayRef); 10] = [
        ("f32", Arc::new((0..ROWS).map(|_| next() as f32).collect::<Float32Array>())),
        (
            "f32_nulls",
            Arc::new(
                (0..ROWS)
                    .map(|_| Some(next() as f32).filter(|x| *x > 0.1))
                    .collect::<Float32Array>(),
            ),
        ),
        ("f64", Arc::new((0..ROWS).map(|_| next() * 1e3).collect::<Float64Array>())),
        ("i64", Arc::new((0..ROWS).map(|_| (next() * 1e12) as i64).collect::<Int64Array>())),
        ("i32", Arc::new((0..ROWS).map(|_| (next() * 1e2) as i32).collect::<Int32Array>())),
        (
            "coded",
            Arc::new(
                (0..ROWS)
                    .map(|_| Some(names[(next() * 50.0) as usize]))
                    .collect::<DictionaryArray<Int32Type>>(),
            ),
        ),
        (
            "text",
            Arc::new(
                (0..ROWS).map(|_| Some(names[(next() * 50.0) as usize])).collect::<StringArray>(),
            ),
        ),
        (
            "unique",
            Arc::new(
                (0..ROWS)
                    .map(|_| Some(format!("row {}", (next() * 1e9) as u64)))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "at",
            Arc::new(
                (0..ROWS)
                    .map(|_| Some(1_700_000_000_000_000 + (next() * 1e14) as i64))
                    .collect::<TimestampMicrosecondArray>(),
            ),
        ),
        (
            "decimal",
            Arc::new((0..ROWS).map(|_| (next() * 1e6) as i128).collect::<Decimal128Array>()),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// Times what a name stands for, unless another was asked for.
fn time<T>(name: &str, mut run: impl FnMut() -> T) {
    if std::env::args().nth(1).is_some_and(|wanted| !name.contains(&wanted)) {
        return;
    }
    let mut millis: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    millis.sort_by(f64::total_cmp);
    println!("{name:44} {:9.3} ms {:9.3} ms", millis[0], millis[4]);
}

fn filter(name: &str, batch: &RecordBatch, filters: &str) -> Mask {
    let predicate = Predicate::from_filters_text(filters).unwrap();
    let bound = Bound::new(&predicate, batch.schema_ref(), "filters").unwrap();
    let mut evaluator = Evaluator::new(bound);
    time(name, || evaluator.eval(batch, 0).unwrap());
    evaluator.eval(batch, 0).unwrap()
}

fn filters(batch: &RecordBatch) {
    let odd: Vec<String> = (0..20).map(|number| (number * 2 + 1).to_string()).collect();
    let odd = odd.join(",");
    for (name, filters) in [
        ("filter f32 between", r#"[{"column":"f32","op":"between","value":[0.2,0.7]}]"#),
        (
            "filter f32 with nulls between",
            r#"[{"column":"f32_nulls","op":"between","value":[0.2,0.7]}]"#,
        ),
        ("filter f64 between", r#"[{"column":"f64","op":"between","value":[200,700]}]"#),
        (
            "filter i64 between",
            r#"[{"column":"i64","op":"between","value":[100000000000,700000000000]}]"#,
        ),
        ("filter i32 in 3", r#"[{"column":"i32","op":"in","value":[3,50,77]}]"#),
        ("filter i32 in 20", &format!(r#"[{{"column":"i32","op":"in","value":[{odd}]}}]"#)),
        ("filter f64 in 20", &format!(r#"[{{"column":"f64","op":"in","value":[{odd}]}}]"#)),
        (
            "filter timestamp between dates",
            r#"[{"column":"at","op":"between","value":["2023-12-01","2024-12-31"]}]"#,
        ),
        ("filter decimal between", r#"[{"column":"decimal","op":"between","value":[0,0.00005]}]"#),
        (
            "filter dictionary in 3",
            r#"[{"column":"coded","op":"in","value":["category number 3","category number 33","x"]}]"#,
        ),
        (
            "filter dictionary matches",
            r#"[{"column":"coded","op":"matches","value":"number [34]$"}]"#,
        ),
        (
            "filter text in 3",
            r#"[{"column":"text","op":"in","value":["category number 3","category number 33","x"]}]"#,
        ),
        ("filter text contains", r#"[{"column":"text","op":"contains","value":"number 3"}]"#),
        (
            "filter text contains, any case",
            r#"[{"column":"text","op":"contains","value":"NUMBER 3","case_sensitive":false}]"#,
        ),
        ("filter text matches", r#"[{"column":"text","op":"matches","value":"number [34]$"}]"#),
        (
            "filter within a box",
            r#"[{"columns":["f32","f64"],"op":"within","value":[[0.2,200],[0.7,200],[0.7,700],[0.2,700]]}]"#,
        ),
        (
            "filter within a triangle",
            r#"[{"columns":["f32","f64"],"op":"within","value":[[0.2,200],[0.7,200],[0.7,700]]}]"#,
        ),
    ] {
        filter(name, batch, filters);
    }
}

fn summaries(batch: &RecordBatch) {
    let all = Mask::all(ROWS);
    let most = r#"[{"column":"f32","op":"lt","value":0.9},{"column":"i32","op":"ge","value":10},
        {"column":"f64","op":"lt","value":900},{"column":"coded","op":"ne","value":"x"}]"#;
    let most = filter("filter by four clauses", batch, most);
    let few = filter("filter to a fiftieth", batch, r#"[{"column":"f32","op":"lt","value":0.02}]"#);
    let binned = |column: usize, high: f64, count: u16| {
        let mut binned = BinnedColumn::new(Bins { low: 0.0, high, count });
        binned.push(batch.column(column)).unwrap();
        binned
    };
    let coded = |column: usize| {
        let mut coded = CategoryColumn::new(batch.column(column).data_type(), 1_000).unwrap();
        coded.push(batch.column(column)).unwrap();
        coded
    };
    let (narrow, wide, categories) = (binned(0, 1.0, 25), binned(2, 1e3, 256), coded(5));
    time("bin f32 into 25", || binned(0, 1.0, 25));
    time("histogram of 25, all rows", || narrow.counts(&all));
    time("histogram of 25, three quarters", || narrow.counts(&most));
    time("histogram of 25, a fiftieth", || narrow.counts(&few));
    time("histogram of 256, three quarters", || wide.counts(&most));
    time("density of 25 × 256, three quarters", || density(&narrow, &wide, &most));
    time("code a dictionary", || coded(5).len());
    time("code text", || coded(6).len());
    time("category counts, three quarters", || categories.counts(&most));
    time("overview f32", || {
        let mut overview = Overview::default();
        overview.push(batch.column(0), Some(&most)).unwrap();
        overview
    });
}

fn queries(batch: &RecordBatch) {
    for (name, query) in [
        (
            "query count, sum, mean of f64",
            r#""aggregates":[{"op":"count"},{"op":"sum","column":"f64"},{"op":"mean","column":"f64"}]"#,
        ),
        ("query sum of i64", r#""aggregates":[{"op":"sum","column":"i64"}]"#),
        (
            "query min and max of f64",
            r#""aggregates":[{"op":"min","column":"f64"},{"op":"max","column":"f64"}]"#,
        ),
        ("query median of f64", r#""aggregates":[{"op":"median","column":"f64"}]"#),
        ("query stddev of f64", r#""aggregates":[{"op":"stddev","column":"f64"}]"#),
        (
            "query mean by dictionary",
            r#""group_by":["coded"],"aggregates":[{"op":"count"},{"op":"mean","column":"f64"}]"#,
        ),
        (
            "query mean by text",
            r#""group_by":["text"],"aggregates":[{"op":"count"},{"op":"mean","column":"f64"}]"#,
        ),
        (
            "query sum by i32",
            r#""group_by":["i32"],"aggregates":[{"op":"count"},{"op":"sum","column":"i64"}]"#,
        ),
        (
            "query count by dictionary and i32",
            r#""group_by":["coded","i32"],"aggregates":[{"op":"count"}]"#,
        ),
        (
            "query count by i64, a million groups",
            r#""group_by":["i64"],"aggregates":[{"op":"count"}]"#,
        ),
        (
            "query count by bins of f64",
            r#""group_by":[{"column":"f64","bin":{"step":10}}],"aggregates":[{"op":"count"}]"#,
        ),
        (
            "query count by month",
            r#""group_by":[{"column":"at","bin":{"step":"P1M"}}],"aggregates":[{"op":"count"}]"#,
        ),
        (
            "query count by hour",
            r#""group_by":[{"column":"at","bin":{"step":"PT1H"}}],"aggregates":[{"op":"count"}]"#,
        ),
        (
            "query distinct unique texts",
            r#""aggregates":[{"op":"count_distinct","column":"unique"}]"#,
        ),
        (
            "query order by f64, first 100",
            r#""columns":["_row"],"order_by":[{"column":"f64"}],"limit":100"#,
        ),
        ("query order by f64", r#""columns":["_row"],"order_by":[{"column":"f64"}]"#),
        (
            "query order by i32 and f64",
            r#""columns":["_row"],"order_by":[{"column":"i32","descending":true},{"column":"f64"}]"#,
        ),
        ("query order by unique texts", r#""columns":["_row"],"order_by":[{"column":"unique"}]"#),
        ("query order by dictionary", r#""columns":["_row"],"order_by":[{"column":"coded"}]"#),
        ("query sample of 10,000", r#""columns":["_row"],"sample":{"rows":10000,"seed":7}"#),
        ("query half of all columns", r#""filters":[{"column":"f32","op":"lt","value":0.5}]"#),
    ] {
        let query = Query::from_json(&format!(r#"{{"table":"t",{query}}}"#)).unwrap();
        time(name, || execute(&query, &batch.schema(), std::slice::from_ref(batch), 0).unwrap());
    }
}

fn main() {
    let batch = table();
    println!("{:44} {:>12} {:>12}", "a million rows", "best", "median");
    filters(&batch);
    summaries(&batch);
    queries(&batch);
}
