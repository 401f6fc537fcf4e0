//! Requests from front to back: what is told, in which order, of which rows; and that the same
//! comes of it as in a browser.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Mutex;

use app::mapping::{LeftOut, NO_VECTOR};
use embedding::random::Random;
use embedding::{tsne, umap};
use pollster::block_on;

use super::*;

/// What was told, and the arrays beside it.
type Told = (Tell, Vec<(Column, Array)>);

/// Remembers all that is told. Its clock goes on by so much whenever it is looked at.
struct Listener {
    tick: f64,
    now: Mutex<f64>,
    told: Mutex<Vec<Told>>,
}

impl Desk for Listener {
    fn now_millis(&self) -> f64 {
        let mut now = self.now.lock().unwrap();
        *now += self.tick;
        *now
    }

    fn tell(&self, tell: &Tell, arrays: &[(Column, Array)]) {
        self.told.lock().unwrap().push((tell.clone(), arrays.to_vec()));
    }
}

fn told(text: &str, values: Vec<f32>, tick: f64) -> Vec<Told> {
    let desk = Listener { tick, now: Mutex::default(), told: Mutex::default() };
    block_on(run(text, values, Choice::Never, &desk));
    desk.told.into_inner().unwrap()
}

fn request(rows: usize, dimensions: usize, steps: &str) -> String {
    format!(r#"{{"rows": {rows}, "dimensions": {dimensions}, "steps": {steps}}}"#)
}

/// Three heaps, which come in turns.
fn heaps(rows: usize, dimensions: usize) -> Vec<f32> {
    let random = Random::new(5, 1);
    let value = |at: usize| {
        let (row, column) = (at / dimensions, at % dimensions);
        let own = if column % 3 == row % 3 { 4.0 } else { 0.0 };
        (random.unit(at as u64) + own) as f32
    };
    (0..rows * dimensions).map(value).collect()
}

const SEVERAL: &str = r#"[
    {"kind": "project", "algorithm": "umap", "as": "map"},
    {"kind": "cluster", "k": 3, "distances": true},
    {"kind": "cluster", "algorithm": "hdbscan", "of": "map", "as": "dense"},
    {"kind": "project", "algorithm": "tsne", "as": "tsne"},
    {"kind": "project", "algorithm": "pca", "dimensions": 4}
]"#;

#[test]
fn steps_are_told_of_in_their_order() {
    let (n, d) = (240, 9);
    let told = told(&request(n, d, SEVERAL), heaps(n, d), 10.0);
    assert_eq!(told[0].0, Tell::Taken { rows: n, left_out: LeftOut::default() });
    assert!(matches!(told.last(), Some((Tell::Done { seconds }, _)) if *seconds > 0.0));
    let mut made = 0;
    let mut lengths = Vec::new();
    for (tell, arrays) in &told[1..told.len() - 1] {
        match tell {
            Tell::Progress { step, done, total, .. } => assert!(*step == made && done <= total),
            Tell::Layout { step, dimensions, .. } => {
                assert!(*step == made && [0, 3].contains(step) && *dimensions == 2);
                let (column, Array::Floats(points)) = &arrays[0] else { panic!("{arrays:?}") };
                assert_eq!((*column, points.len()), (Column::Points { dimensions: 2 }, 2 * n));
            }
            Tell::Made { step, columns, metrics } => {
                assert_eq!(*step, made);
                assert!(columns.iter().eq(arrays.iter().map(|(column, _)| column)));
                lengths.push(arrays.len());
                let is_projection = matches!(columns[0], Column::Points { .. });
                assert_eq!(metrics.trustworthiness.is_some(), is_projection);
                assert_eq!(metrics.silhouette.is_some(), !is_projection, "{metrics:?}");
                made += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lengths, [1, 2, 3, 1, 1]);
    let layouts = |told: &[(Tell, _)]| {
        told.iter().filter(|(tell, _)| matches!(tell, Tell::Layout { .. })).count()
    };
    // Of 500 epochs and 750 iterations, some in each hundred milliseconds.
    assert!((50..500).contains(&layouts(&told)), "{}", layouts(&told));
}

#[test]
fn what_comes_of_it_is_what_the_library_gives() {
    let (n, d) = (150, 7);
    let values = heaps(n, d);
    let steps = r#"[{"kind": "project", "algorithm": "umap"},
        {"kind": "project", "algorithm": "tsne", "as": "t"}], "normalize": "none", "seed": 3"#;
    let told = told(&request(n, d, steps), values.clone(), 1.0);
    let points = |nth: usize| {
        let mut made = told.iter().filter(|(tell, _)| matches!(tell, Tell::Made { .. }));
        match &made.nth(nth).unwrap().1[..] {
            [(_, Array::Floats(points))] => points.clone(),
            other => panic!("{other:?}"),
        }
    };
    let rows = Matrix::new(&values, d).unwrap();
    let unwatched = embedding::watch::Unwatched;
    let layout = umap::fit(&rows, &umap::Options::new(2, 3), &unwatched).unwrap();
    assert_eq!(points(0), layout.points);
    assert_eq!(points(1), tsne::fit(&rows, &tsne::Options::new(2, 3), &unwatched).unwrap().points);
}

/// What a browser is asked for too, by `tests/browser/mapper.scenario.mjs`, and what it must give.
const GOLDEN: &str = include_str!("golden.json");

#[derive(serde::Deserialize)]
struct Golden {
    request: serde_json::Value,
    hashes: Vec<Vec<String>>,
}

/// Four heaps of quarters, which scripts make as exactly.
fn quarters(rows: usize, dimensions: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        state >> 16
    };
    let mut values = Vec::with_capacity(rows * dimensions);
    for row in 0..rows {
        for column in 0..dimensions {
            let own = if column % 4 == row % 4 { 16 } else { 0 };
            values.push((own + next() % 64) as f32 / 4.0);
        }
    }
    values[5 * dimensions] = f32::NAN;
    values
}

/// FNV-1a of the bytes of an array.
fn hash(array: &Array) -> String {
    let bytes: Vec<[u8; 4]> = match array {
        Array::Floats(floats) => floats.iter().map(|x| x.to_le_bytes()).collect(),
        Array::Labels(labels) => labels.iter().map(|x| x.to_le_bytes()).collect(),
    };
    let mixed = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, mixed))
}

#[test]
fn a_browser_gives_the_same_bits() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let number = |name: &str| golden.request[name].as_u64().unwrap() as usize;
    let values = quarters(number("rows"), number("dimensions"));
    let told = told(&golden.request.to_string(), values, 1.0);
    let made = told.iter().filter(|(tell, _)| matches!(tell, Tell::Made { .. }));
    let hash_all =
        |arrays: &[(Column, Array)]| arrays.iter().map(|(_, array)| hash(array)).collect();
    let found: Vec<Vec<String>> = made.map(|(_, arrays)| hash_all(arrays)).collect();
    assert_eq!(found, golden.hashes);
}

#[test]
fn rows_without_a_vector_have_nothing() {
    let (n, d) = (120, 5);
    let mut values = heaps(n, d);
    values[..d].fill(f32::NAN);
    values[7 * d] = f32::INFINITY;
    let steps = r#"[{"kind": "project", "dimensions": 2},
        {"kind": "cluster", "algorithm": "hdbscan", "of": "dim"}]"#;
    let told = told(&request(n, d, steps), values, 1.0);
    let left_out = LeftOut { without_vector: 1, not_finite: 1, zero: 0 };
    assert_eq!(told[0].0, Tell::Taken { rows: n - 2, left_out });
    let arrays = told.iter().flat_map(|(_, arrays)| arrays);
    for (column, array) in arrays {
        match array {
            Array::Floats(floats) => {
                let width = floats.len() / n;
                for (row, line) in floats.chunks(width).enumerate() {
                    let is_none = line.iter().all(|x| x.is_nan());
                    assert_eq!(is_none, [0, 7].contains(&row), "{column:?} {row}");
                }
            }
            Array::Labels(labels) => {
                let none = labels.iter().enumerate().filter(|(_, label)| **label == NO_VECTOR);
                assert!(none.map(|(row, _)| row).eq([0, 7]));
            }
        }
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let failed = |text: &str, values: Vec<f32>| match told(text, values, 1.0).pop() {
        Some((Tell::Failed { field, detail }, _)) => (field.unwrap_or_default(), detail),
        other => panic!("{other:?}"),
    };
    let values = heaps(4, 3);
    let ask = |steps: &str| failed(&request(4, 3, steps), values.clone());
    let (field, detail) = ask(r#"[{"kind": "cluster", "k": 0}]"#);
    assert_eq!((field.as_str(), detail.as_str()), ("steps[0].k", "it must be at least 1"));
    let (field, detail) = ask(r#"[{"kind": "cluster", "k": 9}]"#);
    assert_eq!((field.as_str(), detail.contains("k is 9")), ("", true));
    assert_eq!(failed("?", values.clone()).0, "job");
    let (_, detail) = failed(&request(5, 3, r#"[{"kind": "project"}]"#), values.clone());
    assert_eq!(detail, "12 numbers are not 5 rows of 3");
    // The second of those that have vectors, the third of all.
    let far = vec![0.0, f32::NAN, 3e38, -3e38, 1.0];
    let steps = r#"[{"kind": "project", "algorithm": "umap"}], "normalize": "none""#;
    let (_, detail) = failed(&request(5, 1, steps), far);
    assert!(detail.contains("row"), "{detail}");
}

#[test]
fn limits_of_steps_are_those_of_the_library() {
    assert_eq!(engine::steps::UMAP_DIMENSIONS_MAX, umap::DIMENSIONS_MAX);
    assert_eq!(engine::steps::TSNE_DIMENSIONS_MAX, tsne::DIMENSIONS_MAX);
}

/// Clusters are asked for otherwise: as a request of its own would make them, and a layout that was
/// made before is what they are in.
#[test]
fn a_step_is_done_otherwise() {
    let (n, d) = (240, 9);
    let desk = Listener { tick: 10.0, now: Mutex::default(), told: Mutex::default() };
    let steps = |k: usize, rows: usize| {
        format!(
            r#"[{{"kind": "project", "as": "map"}}, {{"kind": "cluster", "k": {k}, "distances": true}},
            {{"kind": "cluster", "algorithm": "hdbscan", "of": "map", "as": "dense",
            "min_cluster_size": {rows}}}]"#
        )
    };
    let text = request(n, d, &steps(3, 15));
    let begun = run(&text, heaps(n, d), Choice::Never, &desk);
    let mut session = block_on(begun).unwrap();
    let mut again = |step: usize, rest: &str, text: String| -> Vec<Told> {
        desk.told.lock().unwrap().clear();
        let text = text.replacen('{', &format!(r#"{{"again": {step}, {rest}"#), 1);
        block_on(session.again(&text, &desk));
        desk.told.lock().unwrap().clone()
    };
    let wanted = told(&request(n, d, &steps(5, 30)), heaps(n, d), 10.0);
    let wanted: Vec<&Told> =
        wanted.iter().filter(|(tell, _)| matches!(tell, Tell::Made { .. })).collect();
    for step in [1, 2] {
        let found = again(step, "", request(n, d, &steps(5, 30)));
        let (Some((Tell::Made { columns, metrics, .. }, arrays)), (Tell::Made { .. }, own)) =
            (found.last(), wanted[step])
        else {
            panic!("{found:?}")
        };
        assert_eq!((arrays, columns.len()), (own, own.len()));
        assert!(metrics.silhouette.is_some());
    }
    let found = again(1, r#""rough": true, "#, request(n, d, &steps(4, 30)));
    let Some((Tell::Made { columns, metrics, .. }, _)) = found.last() else { panic!("{found:?}") };
    assert_eq!((columns.as_slice(), metrics.k), ([Column::Labels].as_slice(), Some(4)));
    assert!(metrics.silhouette.is_none());
    let found = again(7, "", request(n, d, &steps(4, 30)));
    assert!(matches!(&found[0].0, Tell::Failed { field: Some(field), .. } if field == "again"));
    // What failed leaves what was made.
    let found = again(1, r#""rough": true, "#, request(n, d, &steps(3, 30)));
    assert!(matches!(found.last(), Some((Tell::Made { .. }, _))), "{found:?}");
}
