//! Trees beside Prim's algorithm, clusters beside a plain reading of the definition, and what
//! has no clusters at all.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::metrics::{agreement, squared_distance};
use crate::random::Random;
use crate::rows::Matrix;
use crate::watch::Unwatched;

/// Clouds of several densities, and rows that are anywhere.
fn clouds(n: usize, d: usize, seed: u64) -> Vec<f32> {
    let random = Random::new(seed, 0);
    let unit = |at: usize| random.unit(at as u64);
    let value = |row: usize, at: usize| {
        let cloud = row % 5;
        let place = row * d + at;
        let sum: f64 = (0..4).map(|nth| unit(4 * place + nth)).sum::<f64>() - 2.0;
        let middle = unit(1_000_000_000 + cloud * d + at) * 20.0;
        match cloud {
            4 => unit(4 * place) * 24.0 - 2.0,
            _ => middle + sum * (0.3 + 0.5 * cloud as f64),
        }
    };
    (0..n * d).map(|at| value(at / d, at % d) as f32).collect()
}

/// Whole numbers, so that many rows are alike and most distances are tied.
fn grid(n: usize, d: usize, side: u64) -> Vec<f32> {
    let random = Random::new(9, 0);
    (0..n * d).map(|at| random.below(at as u64, side) as f32).collect()
}

fn plain_cores(values: &[f32], d: usize, min_samples: usize) -> Vec<f64> {
    let core = |row: &[f32]| {
        let mut all: Vec<f64> =
            values.chunks(d).map(|other| squared_distance(row, other)).collect();
        all.sort_by(f64::total_cmp);
        all[min_samples - 1]
    };
    values.chunks(d).map(core).collect()
}

/// Prim's algorithm over all pairs.
fn plain_tree(values: &[f32], d: usize, min_samples: usize) -> Vec<Edge> {
    let rows: Vec<&[f32]> = values.chunks(d).collect();
    let cores = plain_cores(values, d, min_samples);
    let edge = |a: usize, b: usize| {
        let square = squared_distance(rows[a], rows[b]);
        Edge::new(square.max(cores[a]).max(cores[b]), square, a as u32, b as u32)
    };
    let mut out: BTreeMap<usize, Edge> = (1..rows.len()).map(|row| (row, edge(0, row))).collect();
    let mut tree = Vec::new();
    while let Some(row) = out.keys().copied().min_by(|a, b| out[a].order(&out[b])) {
        tree.extend(out.remove(&row));
        for (other, first) in &mut out {
            let edge = edge(row, *other);
            if edge.is_before(first) {
                *first = edge;
            }
        }
    }
    tree.sort_by(Edge::order);
    tree
}

fn sorted(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort_by(Edge::order);
    edges
}

#[test]
fn trees_are_those_of_prim() {
    let cases = [
        (clouds(2, 2, 1), 2, 1),
        (clouds(20, 3, 1), 3, 20),
        (clouds(700, 1, 2), 1, 3),
        (clouds(1100, 2, 3), 2, 15),
        (clouds(500, 2, 3), 2, 60),
        (clouds(600, 3, 4), 3, 1),
        (clouds(500, 4, 4), 4, 8),
        (clouds(500, 6, 5), 6, 5),
        (clouds(700, 12, 6), 12, 15),
        (clouds(600, 33, 7), 33, 2),
        (grid(900, 2, 12), 2, 4),
        (grid(700, 2, 40), 2, 6),
        (grid(500, 9, 3), 9, 5),
        (grid(500, 10, 2), 10, 1),
    ];
    for (values, d, min_samples) in cases {
        let rows = Matrix::new(&values, d).unwrap();
        let expected = plain_tree(&values, d, min_samples);
        let name = format!("{} {d} {min_samples}", rows.rows());
        let found = edges(&rows, min_samples, 2, &Unwatched).unwrap();
        assert_eq!(sorted(found), expected, "{name}");
        let found = by_pairs(&rows, min_samples - 1, 2, &Unwatched).unwrap();
        assert_eq!(sorted(found), expected, "{name}, by pairs");
    }
}

/// Far from each other, where products of 32 bits say little of what is near.
#[test]
fn trees_of_far_clouds_are_those_of_prim() {
    let mut values = clouds(600, 9, 8);
    for (row, values) in values.chunks_mut(9).enumerate() {
        values[row % 3] += 30_000.0;
    }
    let rows = Matrix::new(&values, 9).unwrap();
    let found = edges(&rows, 5, 2, &Unwatched).unwrap();
    assert_eq!(sorted(found), plain_tree(&values, 9, 5));
    let huge: Vec<f32> = (0..180).map(|at| at as f32 * 1e36).collect();
    let found = fit(&Matrix::new(&huge, 9).unwrap(), &Options::new(3), &Unwatched);
    assert!(matches!(found, Err(Error::TooFar { .. })), "{found:?}");
    // Few dimensions are in 64 bits throughout.
    fit(&Matrix::new(&huge, 2).unwrap(), &Options::new(3), &Unwatched).unwrap();
}

/// A cluster's rows with λ at which each leaves it, its birth and its parts.
type PlainCluster = (Vec<(u32, f64)>, f64, Vec<usize>);

/// The definition, read as it stands: edges are cut one by one, from the last on.
#[derive(Default)]
struct Plain {
    clusters: Vec<PlainCluster>,
}

impl Plain {
    fn cut(&mut self, cluster: usize, rows: &[u32], edges: &[Edge], min_cluster_size: usize) {
        let Some((last, rest)) = edges.split_last() else { return };
        let lambda = 1.0 / last.weight.sqrt();
        let mut side = vec![last.low];
        let mut at = 0;
        while at < side.len() {
            for edge in rest {
                for (a, b) in [(edge.low, edge.high), (edge.high, edge.low)] {
                    if a == side[at] && !side.contains(&b) {
                        side.push(b);
                    }
                }
            }
            at += 1;
        }
        let sides = [true, false].map(|is_in| -> (Vec<u32>, Vec<Edge>) {
            let is_on = |row: &u32| side.contains(row) == is_in;
            let rows = rows.iter().copied().filter(is_on).collect();
            (rows, rest.iter().copied().filter(|edge| is_on(&edge.low)).collect())
        });
        let is_parting = sides.iter().all(|(rows, _)| rows.len() >= min_cluster_size);
        for (rows, edges) in sides {
            let mut own = cluster;
            if is_parting || rows.len() < min_cluster_size {
                self.clusters[cluster].0.extend(rows.iter().map(|row| (*row, lambda)));
            }
            if is_parting {
                own = self.clusters.len();
                self.clusters.push((Vec::new(), lambda, Vec::new()));
                self.clusters[cluster].2.push(own);
            }
            if rows.len() >= min_cluster_size {
                self.cut(own, &rows, &edges, min_cluster_size);
            }
        }
    }

    fn stability(&self, cluster: usize) -> f64 {
        let (rows, birth, _) = &self.clusters[cluster];
        rows.iter().map(|(_, lambda)| lambda - birth).sum()
    }

    /// The best choice of clusters in one, itself perhaps, and what it comes to.
    fn best(&self, cluster: usize) -> (f64, Vec<usize>) {
        let parts: Vec<_> = self.clusters[cluster].2.iter().map(|part| self.best(*part)).collect();
        let inner: f64 = parts.iter().map(|(stability, _)| stability).sum();
        let own = self.stability(cluster);
        match cluster != 0 && own >= inner {
            true => (own, vec![cluster]),
            false => (inner, parts.into_iter().flat_map(|(_, chosen)| chosen).collect()),
        }
    }

    fn largest(&self, cluster: usize) -> f64 {
        let (rows, _, parts) = &self.clusters[cluster];
        let own = rows.iter().map(|(_, lambda)| *lambda);
        own.chain(parts.iter().map(|part| self.largest(*part))).fold(0.0, f64::max)
    }
}

#[test]
fn clusters_are_those_of_the_definition() {
    for (seed, n, d, min_cluster_size) in
        [(1, 60, 2, 3), (2, 200, 2, 5), (3, 250, 3, 8), (4, 200, 10, 5), (5, 150, 1, 4)]
    {
        let values = clouds(n, d, seed);
        let rows = Matrix::new(&values, d).unwrap();
        let found = fit(&rows, &Options::new(min_cluster_size), &Unwatched).unwrap();
        let mut plain = Plain { clusters: vec![(Vec::new(), 0.0, Vec::new())] };
        let all: Vec<u32> = (0..n as u32).collect();
        plain.cut(0, &all, &plain_tree(&values, d, min_cluster_size), min_cluster_size);
        let (_, chosen) = plain.best(0);
        assert!(chosen.len() > 1 && found.clusters.len() == chosen.len(), "{seed}");
        let mut labels = vec![NOISE; n];
        for cluster in chosen {
            let members = &plain.clusters[cluster].0;
            let first = members.iter().map(|(row, _)| *row).min().unwrap();
            let number = found.labels[first as usize];
            let death = members.iter().map(|(_, lambda)| *lambda).fold(0.0, f64::max);
            for (row, lambda) in members {
                labels[*row as usize] = number;
                let probability = found.probabilities[*row as usize];
                assert!((f64::from(probability) - lambda / death).abs() < 1e-6, "{seed} {row}");
            }
            let stability = plain.stability(cluster);
            let about = &found.clusters[number as usize];
            assert_eq!(about.size, members.len() as u64);
            assert!((about.stability / stability - 1.0).abs() < 1e-9, "{seed} {number}");
            let persistence = stability / (members.len() as f64 * death);
            assert!((about.persistence - persistence).abs() < 1e-9, "{seed} {number}");
        }
        assert_eq!(found.labels, labels, "{seed}");
        for cluster in 0..plain.clusters.len() {
            let largest = plain.largest(cluster);
            let parts = &plain.clusters[cluster].2;
            let is_in_part = |row: u32| {
                parts.iter().any(|part| plain.clusters[*part].0.iter().any(|(own, _)| *own == row))
            };
            for (row, lambda) in
                plain.clusters[cluster].0.iter().filter(|(row, _)| !is_in_part(*row))
            {
                let score = f64::from(found.outlier_scores[*row as usize]);
                assert!((score - (1.0 - lambda / largest)).abs() < 1e-6, "{seed} {row}");
            }
        }
    }
}

#[test]
fn rows_by_pairs_or_by_a_tree_have_the_same_labels() {
    for (n, d) in [(5000, 2), (900, 5)] {
        let narrow = clouds(n, d, 11);
        // Columns of nothing make a tree impossible, and no distance longer.
        let wide: Vec<f32> = narrow
            .chunks(d)
            .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0.25, 9)))
            .collect();
        let options = Options::new(12);
        let a = fit(&Matrix::new(&narrow, d).unwrap(), &options, &Unwatched).unwrap();
        let b = fit(&Matrix::new(&wide, d + 9).unwrap(), &options, &Unwatched).unwrap();
        assert_eq!(a, b);
        let label = |labels: &[i32]| labels.iter().map(|label| *label as u32).collect::<Vec<_>>();
        assert_eq!(agreement(&label(&a.labels), &label(&b.labels)).adjusted_rand, 1.0);
        assert!(a.clusters.len() >= 3, "{:?}", a.clusters);
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    for d in [2, 16] {
        let values = clouds(6000, d, 12);
        let rows = Matrix::new(&values, d).unwrap();
        let with = |threads| {
            let options = Options { threads: Some(threads), ..Options::new(10) };
            fit(&rows, &options, &Unwatched).unwrap()
        };
        let one = with(1);
        assert_eq!(one, with(2));
        assert_eq!(one, with(7));
    }
}

/// All that is said of rows is a number, and fits together.
#[track_caller]
fn assert_sound(found: &Clustering, n: usize) {
    assert_eq!([found.labels.len(), found.probabilities.len(), found.outlier_scores.len()], [n; 3]);
    let is_share = |x: &f32| (0.0..=1.0).contains(x);
    assert!(found.probabilities.iter().all(is_share) && found.outlier_scores.iter().all(is_share));
    for (number, cluster) in found.clusters.iter().enumerate() {
        let rows = found.labels.iter().filter(|label| **label == number as i32).count();
        assert_eq!(cluster.size, rows as u64);
        assert!(cluster.stability >= 0.0 && (0.0..=1.0).contains(&cluster.persistence));
    }
    assert!(found.labels.iter().all(|label| *label < found.clusters.len() as i32));
}

#[test]
fn rows_without_clusters_are_noise() {
    for d in [1, 2, 3, 7, 9] {
        for n in [1, 2, 4, 30] {
            for allow_single_cluster in [false, true] {
                let options = Options { allow_single_cluster, ..Options::new(5) };
                let same = vec![3.5; n * d];
                let found = fit(&Matrix::new(&same, d).unwrap(), &options, &Unwatched).unwrap();
                assert_sound(&found, n);
                let label = if n >= 5 && allow_single_cluster { 0 } else { NOISE };
                assert!(found.labels.iter().all(|own| *own == label), "{d} {n}");
                assert!(found.outlier_scores.iter().all(|score| *score == 0.0));
                if label == 0 {
                    assert!(found.probabilities.iter().all(|share| *share == 1.0));
                }
            }
        }
    }
    let empty = Matrix::new(&[], 2).unwrap();
    assert_eq!(fit(&empty, &Options::default(), &Unwatched).unwrap_err(), Error::NoRows);
}

#[test]
fn rows_that_are_alike_are_clusters_where_they_are_enough() {
    for d in [2, 10] {
        // Two places with many rows each, one with few, and some rows between.
        let place = |row: usize| match row {
            0..40 => 0.0,
            40..70 => 10.0,
            70..73 => 3.0,
            _ => 4.0 + row as f32 / 100.0,
        };
        let values: Vec<f32> = (0..77).flat_map(|row| std::iter::repeat_n(place(row), d)).collect();
        let rows = Matrix::new(&values, d).unwrap();
        for selection in [Selection::ExcessOfMass, Selection::Leaf] {
            let options = Options { selection, ..Options::new(10) };
            let found = fit(&rows, &options, &Unwatched).unwrap();
            assert_sound(&found, 77);
            assert_eq!(found.clusters.len(), 2);
            assert!(found.labels[..40].iter().all(|label| *label == 0));
            assert!(found.labels[40..70].iter().all(|label| *label == 1));
            assert!(found.probabilities[..70].iter().all(|share| *share == 1.0));
            assert!(found.clusters.iter().all(|cluster| cluster.stability == f64::INFINITY));
        }
    }
}

#[test]
fn a_long_chain_is_no_deep_call() {
    let n = 200_000;
    let line: Vec<f32> = (0..n).map(|at| at as f32).collect();
    let found = fit(&Matrix::new(&line, 1).unwrap(), &Options::new(5), &Unwatched).unwrap();
    assert_sound(&found, n);
    // Distances that grow: each row comes to the cluster of all before it.
    let curve: Vec<f32> = (0..n).map(|at| (at as f32 / 30_000.0).exp()).collect();
    let options = Options { allow_single_cluster: true, ..Options::new(5) };
    let found = fit(&Matrix::new(&curve, 1).unwrap(), &options, &Unwatched).unwrap();
    assert_sound(&found, n);
}

#[test]
fn options_out_of_range_are_refused() {
    let values = clouds(20, 2, 1);
    let rows = Matrix::new(&values, 2).unwrap();
    let error = |options: Options| fit(&rows, &options, &Unwatched).unwrap_err();
    assert_eq!(error(Options::new(1)), Error::BadClusterSize(1));
    let options = Options { min_samples: Some(0), ..Options::new(5) };
    assert_eq!(error(options), Error::BadMinSamples(0));
    let options = Options { epsilon: -1.0, ..Options::new(5) };
    assert_eq!(error(options), Error::BadEpsilon(-1.0));
    for d in [1, 20] {
        let rows = [0.0, 1.0, f32::NAN, 2.0].repeat(5);
        let rows = Matrix::of_finite(&rows, d);
        let found = fit(&rows, &Options::new(5), &Unwatched).unwrap_err();
        assert!(matches!(found, Error::NotFinite { .. }));
    }
}

/// Cancels after so many questions, and counts them.
struct Ending {
    after: u32,
    asked: AtomicU32,
}

impl Watch for Ending {
    fn progress(&self, _: Phase, done: u64, of: u64) {
        assert!(done <= of);
    }

    fn is_cancelled(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) >= self.after
    }
}

#[test]
fn it_ends_when_it_is_cancelled() {
    for d in [2, 12] {
        let values = clouds(3000, d, 13);
        let rows = Matrix::new(&values, d).unwrap();
        let options = Options { threads: Some(2), ..Options::new(10) };
        let run = |after| {
            let watch = Ending { after, asked: AtomicU32::new(0) };
            (fit(&rows, &options, &watch), watch.asked.into_inner())
        };
        let (found, asked) = run(u32::MAX);
        assert!(found.is_ok() && asked > 10, "{asked}");
        for after in 0..asked.min(50) {
            assert_eq!(run(after * asked / asked.min(50)).0.unwrap_err(), Error::Cancelled);
        }
    }
}

/// Figures of scikit-learn 1.9.1 for the same rows. With neighbourhoods of one row there are no
/// ties, with which it depends on the order of the rows there.
#[test]
fn clusters_are_those_of_scikit_learn() {
    let plain = Options { min_samples: Some(1), ..Options::new(10) };
    let leaf = Options { selection: Selection::Leaf, ..plain.clone() };
    let small = Options { max_cluster_size: Some(60), ..plain.clone() };
    let values = clouds(500, 2, 21);
    let rows = Matrix::new(&values, 2).unwrap();
    for (options, sizes, noise, certain) in [
        (plain, vec![103, 104, 104, 105, 13], 71, 367.390_976),
        (leaf, vec![19, 15, 22, 13, 28, 13, 27, 11, 13, 18, 12, 15, 13, 10], 271, 211.413_61),
        (small, vec![19, 15, 42, 13, 28, 13, 27, 11, 13, 18, 12, 13, 10], 266, 218.196_164),
    ] {
        let found = fit(&rows, &options, &Unwatched).unwrap();
        assert_sound(&found, 500);
        let found_sizes: Vec<u64> = found.clusters.iter().map(|cluster| cluster.size).collect();
        assert_eq!(found_sizes, sizes);
        assert_eq!(found.labels.iter().filter(|label| **label == NOISE).count(), noise);
        let sum: f64 = found.probabilities.iter().map(|share| f64::from(*share)).sum();
        assert!((sum - certain).abs() < 1e-4, "{sum} {certain}");
    }
    for (cloud, min_cluster_size, noise) in [(0, 10, 23), (0, 25, 73), (2, 10, 38), (3, 25, 63)] {
        let own: Vec<f32> = values.chunks(2).skip(cloud).step_by(5).flatten().copied().collect();
        let rows = Matrix::new(&own, 2).unwrap();
        let mut options = Options { min_samples: Some(1), ..Options::new(min_cluster_size) };
        options.allow_single_cluster = true;
        let found = fit(&rows, &options, &Unwatched).unwrap();
        assert_eq!(found.clusters.len(), 1);
        assert_eq!(found.labels.iter().filter(|label| **label == NOISE).count(), noise);
    }
}

#[test]
fn clusters_do_not_part_at_distances_below_epsilon() {
    // Three short rows of dots: two that are near each other, and one a long way off.
    let starts = [0.0, 2.0, 100.0];
    let line: Vec<f32> =
        starts.iter().flat_map(|start| (0..20).map(move |at| start + at as f32 / 64.0)).collect();
    let rows = Matrix::new(&line, 1).unwrap();
    for selection in [Selection::ExcessOfMass, Selection::Leaf] {
        for (epsilon, allow_single_cluster, sizes) in [
            (0.0, false, vec![20, 20, 20]),
            (1.0, false, vec![20, 20, 20]),
            (5.0, false, vec![40, 20]),
            (500.0, false, vec![40, 20]),
            (5.0, true, vec![40, 20]),
            (500.0, true, vec![60]),
        ] {
            let options = Options { selection, epsilon, allow_single_cluster, ..Options::new(5) };
            let found = fit(&rows, &options, &Unwatched).unwrap();
            assert_sound(&found, 60);
            let found: Vec<u64> = found.clusters.iter().map(|cluster| cluster.size).collect();
            assert_eq!(found, sizes, "{selection:?} {epsilon} {allow_single_cluster}");
        }
    }
}

#[test]
fn a_graph_of_all_neighbours_has_the_clusters_of_all_pairs() {
    for (n, d, seed) in [(300, 9, 1), (250, 2, 2), (400, 20, 3)] {
        let values = clouds(n, d, seed);
        let rows = Matrix::new(&values, d).unwrap();
        let options = Options { min_samples: Some(6), ..Options::new(12) };
        let wanted = fit(&rows, &options, &Unwatched).unwrap();
        assert!(wanted.clusters.len() > 1, "{n} {d}");
        let all = crate::knn::exact(&rows, n - 1, None, &Unwatched).unwrap();
        let found = fit_graph(&all, &options, &Unwatched).unwrap();
        assert_sound(&found, n);
        // Distances of a graph are of 32 bits.
        assert_eq!(found.labels, wanted.labels);
        for (a, b) in found.probabilities.iter().zip(&wanted.probabilities) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        // A few are enough to tell clouds apart.
        let k = graph_neighbours(6, n);
        let few = crate::knn::exact(&rows, k, None, &Unwatched).unwrap();
        let found = fit_graph(&few, &options, &Unwatched).unwrap();
        assert_sound(&found, n);
        let label = |labels: &[i32]| labels.iter().map(|own| (own + 1) as u32).collect::<Vec<_>>();
        let same = agreement(&label(&found.labels), &label(&wanted.labels)).adjusted_rand;
        assert!(same > 0.9, "{n} {d}: {same}");
    }
}

#[test]
fn parts_of_a_graph_are_apart() {
    // Rows on a line, in three runs far from each other.
    let values: Vec<f32> = (0..60).map(|at| (at / 20 * 1000 + at % 20) as f32).collect();
    let rows = Matrix::new(&values, 1).unwrap();
    let near = crate::knn::exact(&rows, 4, None, &Unwatched).unwrap();
    let options = Options { min_samples: Some(3), ..Options::new(5) };
    let found = fit_graph(&near, &options, &Unwatched).unwrap();
    assert_sound(&found, 60);
    assert_eq!(found.clusters.len(), 3);
    assert!((0..60).all(|row| found.labels[row] == (row / 20) as i32));
    // Neighbourhoods that are larger than what is known of them, and rows that are all alike.
    let options = Options { min_samples: Some(9), ..Options::new(5) };
    let told = fit_graph(&near, &options, &Unwatched).unwrap_err();
    assert_eq!(told, Error::BadNeighbours { neighbours: 8, most: 4 });
    let alike = Matrix::new(&[2.0; 30], 1).unwrap();
    let near = crate::knn::exact(&alike, 7, None, &Unwatched).unwrap();
    let found = fit_graph(&near, &Options::new(5), &Unwatched).unwrap();
    assert_sound(&found, 30);
    let none = crate::knn::Neighbours { k: 3, rows: Vec::new(), distances: Vec::new() };
    assert_eq!(fit_graph(&none, &Options::new(5), &Unwatched), Err(Error::NoRows));
}
