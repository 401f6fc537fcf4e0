//! The graph of neighbours: how strong the bond of each two is. The distances of each row are
//! measured by a length of its own, so that all rows have bonds of the same sum; of the two
//! strengths that a pair has, that it is bound from either side is what counts.

use std::f64::consts::LN_2;
use std::ops::Range;

use crate::exponential::{exp_of_negative, ln};
use crate::knn::Neighbours;

/// Bonds by row, both ways.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Graph {
    /// Where a row's bonds begin; one more than there are rows.
    pub(super) starts: Vec<usize>,
    others: Vec<u32>,
    /// Shares of the strongest.
    weights: Vec<f32>,
}

const STEPS: usize = 64;
const TOLERANCE: f64 = 1e-5;
/// The least length of a row, as a share of the mean distance of its neighbours.
const LENGTH_MIN: f64 = 1e-3;

impl Graph {
    /// Bonds too weak to act once in so many epochs are left out.
    pub(super) fn new(neighbours: &Neighbours, epochs: u32) -> Self {
        let k = neighbours.k;
        let n = neighbours.rows.len() / k;
        let all = &neighbours.distances;
        let mean = mean(all);
        // Both ways: a row's own strengths, and those that others have for it.
        let mut places = vec![0_usize; n + 1];
        for other in &neighbours.rows {
            places[*other as usize + 1] += 1;
        }
        for row in 0..n {
            places[row + 1] += places[row] + k;
        }
        let ends = places.clone();
        let mut bonds = vec![(0_u32, 0.0_f32); 2 * n * k];
        let lines = neighbours.rows.chunks_exact(k).zip(all.chunks_exact(k));
        for (row, (others, distances)) in lines.enumerate() {
            for (other, weight) in others.iter().zip(strengths(distances, mean)) {
                bonds[places[row]] = (*other, weight);
                places[row] += 1;
                bonds[places[*other as usize]] = (row as u32, weight);
                places[*other as usize] += 1;
            }
        }
        let mut graph = Self { starts: vec![0], others: Vec::new(), weights: Vec::new() };
        for row in 0..n {
            let own = &mut bonds[ends[row]..ends[row + 1]];
            own.sort_unstable_by_key(|(other, weight)| (*other, weight.to_bits()));
            for same in own.chunk_by(|a, b| a.0 == b.0) {
                let product: f32 = same.iter().map(|(_, weight)| weight).product();
                let sum: f32 = same.iter().map(|(_, weight)| weight).sum();
                graph.others.push(same[0].0);
                graph.weights.push(if same.len() > 1 { sum - product } else { sum });
            }
            graph.starts.push(graph.others.len());
        }
        graph.without_weak(epochs)
    }

    /// Of rows to others, who have none to them: no distance is too small to be one, and of each
    /// row the strongest is 1, whatever rows there are beside it.
    pub(super) fn to_others(neighbours: &Neighbours, epochs: u32) -> Self {
        let k = neighbours.k;
        let least = 1.0 / epochs.max(1) as f32;
        let mut graph = Self { starts: vec![0], others: Vec::new(), weights: Vec::new() };
        let lines = neighbours.rows.chunks_exact(k).zip(neighbours.distances.chunks_exact(k));
        for (others, distances) in lines {
            let strengths = strengths_beyond(0.0, distances, mean(distances));
            let most = strengths.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
            let each = others.iter().zip(strengths).map(|(other, weight)| (*other, weight / most));
            for (other, weight) in each.filter(|(_, weight)| *weight >= least) {
                graph.others.push(other);
                graph.weights.push(weight);
            }
            graph.starts.push(graph.others.len());
        }
        graph
    }

    /// Some bonds: to whom, and how strong.
    pub(super) fn bonds(&self, of: Range<usize>) -> (&[u32], &[f32]) {
        (&self.others[of.clone()], &self.weights[of])
    }

    /// All of them, by row.
    pub(super) fn all(&self) -> (&[u32], &[f32]) {
        (&self.others, &self.weights)
    }

    pub(super) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Rows that hang together by bonds, in their order; the part of the first row first.
    pub(super) fn parts(&self) -> Vec<Vec<u32>> {
        let mut parts = Vec::new();
        let mut is_seen = vec![false; self.rows()];
        for first in 0..self.rows() {
            if std::mem::replace(&mut is_seen[first], true) {
                continue;
            }
            let mut part = vec![first as u32];
            let mut next = 0;
            while let Some(row) = part.get(next).map(|row| *row as usize) {
                next += 1;
                let (others, _) = self.bonds(self.starts[row]..self.starts[row + 1]);
                for other in others {
                    if !std::mem::replace(&mut is_seen[*other as usize], true) {
                        part.push(*other);
                    }
                }
            }
            part.sort_unstable();
            parts.push(part);
        }
        parts
    }

    /// One of the [`Self::parts`], its rows numbered by their place there.
    pub(super) fn part(&self, rows: &[u32]) -> Self {
        let mut part = Self { starts: vec![0], others: Vec::new(), weights: Vec::new() };
        for row in rows {
            let row = *row as usize;
            let (others, weights) = self.bonds(self.starts[row]..self.starts[row + 1]);
            // All that a row is bound to is in its part.
            let place = |other: &u32| rows.binary_search(other).unwrap_or_default() as u32;
            part.others.extend(others.iter().map(place));
            part.weights.extend_from_slice(weights);
            part.starts.push(part.others.len());
        }
        part
    }

    fn without_weak(self, epochs: u32) -> Self {
        let most = self.weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let least = most / epochs.max(1) as f32;
        let mut kept = Self { starts: vec![0], others: Vec::new(), weights: Vec::new() };
        for row in self.starts.windows(2) {
            for at in row[0]..row[1] {
                if self.weights[at] >= least {
                    kept.others.push(self.others[at]);
                    kept.weights.push(self.weights[at] / most);
                }
            }
            kept.starts.push(kept.others.len());
        }
        kept
    }
}

fn mean(distances: &[f32]) -> f64 {
    distances.iter().map(|x| f64::from(*x)).sum::<f64>() / distances.len().max(1) as f64
}

/// How strong a row's bonds to its neighbours are: 1 to the nearest, and in all log₂ of how many
/// there are, the row itself counted among them.
fn strengths(distances: &[f32], mean_of_all: f64) -> Vec<f32> {
    let nearest = distances.iter().copied().find(|x| *x > 0.0).unwrap_or(0.0);
    strengths_beyond(f64::from(nearest), distances, mean_of_all)
}

/// The same, where bonds up to a distance are 1.
fn strengths_beyond(nearest: f64, distances: &[f32], mean_of_all: f64) -> Vec<f32> {
    let distances: Vec<f64> = distances.iter().map(|x| f64::from(*x)).collect();
    let wanted = ln((distances.len() + 1) as f64) / LN_2;
    let strength = |x: f64, length: f64| match x - nearest {
        beyond if beyond <= 0.0 || length == 0.0 => 1.0,
        beyond => exp_of_negative(-beyond / length),
    };
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..STEPS {
        let sum: f64 = distances.iter().map(|x| strength(*x, length)).sum();
        if (sum - wanted).abs() < TOLERANCE {
            break;
        }
        if sum > wanted {
            high = length;
            length = (low + high) / 2.0;
        } else {
            low = length;
            length = if high.is_infinite() { length * 2.0 } else { (low + high) / 2.0 };
        }
    }
    let own_mean = distances.iter().sum::<f64>() / (distances.len() + 1) as f64;
    let least = LENGTH_MIN * if nearest > 0.0 { own_mean } else { mean_of_all };
    let length = length.max(least);
    distances.iter().map(|x| strength(*x, length) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_sum_up_to_the_logarithm_of_how_many() {
        let found = strengths(&[1.0, 1.5, 2.0, 2.5, 4.0, 8.0, 9.0], 1.0);
        assert_eq!(found[0], 1.0);
        let sum: f32 = found.iter().sum();
        assert!((sum - 3.0).abs() < 1e-4, "{sum}");
        // Rows that are alike have no distances to measure by.
        assert_eq!(strengths(&[0.0; 3], 0.0), [1.0; 3]);
    }

    #[test]
    fn a_bond_counts_from_either_side() {
        // Row 2 has row 1 for its nearest, of which row 0 is the nearest.
        let neighbours = Neighbours { k: 1, rows: vec![1, 0, 1], distances: vec![1.0, 1.0, 5.0] };
        let graph = Graph::new(&neighbours, 10);
        assert_eq!(graph.starts, [0, 1, 3, 4]);
        assert_eq!(graph.others, [1, 0, 2, 1]);
        assert_eq!(graph.weights, [1.0; 4]);
        assert_eq!(graph.parts(), [[0, 1, 2]]);
    }

    #[test]
    fn parts_are_graphs_of_their_own() {
        // 0 and 2, 1 and 3 and 4.
        let rows = vec![2, 3, 0, 4, 3];
        let neighbours = Neighbours { k: 1, rows, distances: vec![1.0; 5] };
        let graph = Graph::new(&neighbours, 10);
        assert_eq!(graph.parts(), [vec![0, 2], vec![1, 3, 4]]);
        let part = graph.part(&[1, 3, 4]);
        assert_eq!((part.rows(), &part.starts[..]), (3, &[0, 1, 3, 4][..]));
        assert_eq!(part.others, [1, 0, 2, 1]);
    }
}
