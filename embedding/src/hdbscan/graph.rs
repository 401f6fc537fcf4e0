//! Edges of a graph of nearest neighbours, and what joins the parts of it that nothing joins.

use super::forest::Edge;
use crate::knn::Neighbours;

/// The core distance of a row is how far its `n_others`-th neighbour is. Parts of the graph are
/// joined at an infinite distance: they part before anything else does.
pub(super) fn edges(neighbours: &Neighbours, n_others: usize) -> Vec<Edge> {
    let k = neighbours.k;
    let n = neighbours.rows.len() / k.max(1);
    let near = |row: usize| neighbours.rows.get(row * k..(row + 1) * k).unwrap_or_default();
    let square = |at: usize| neighbours.distances.get(at).map_or(0.0, |d| f64::from(*d).powi(2));
    let core = |row: usize| n_others.checked_sub(1).map_or(0.0, |nth| square(row * k + nth));
    let cores: Vec<f64> = (0..n).map(core).collect();
    let mut edges = Vec::with_capacity(n * (k / 2 + 2));
    for row in 0..n {
        for (nth, other) in near(row).iter().enumerate() {
            // Of two rows that are each other's neighbours there is one edge.
            if (*other as usize) < row && near(*other as usize).contains(&(row as u32)) {
                continue;
            }
            let distance = square(row * k + nth);
            let weight = distance.max(cores[row]).max(cores[*other as usize]);
            edges.push(Edge::new(weight, distance, row as u32, *other));
        }
    }
    let apart = |row: usize| Edge::new(f64::INFINITY, f64::INFINITY, 0, row as u32);
    edges.extend((1..n).map(apart));
    edges
}
