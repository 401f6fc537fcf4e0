//! From the edges of the tree to clusters within clusters: the single linkage tree, in which
//! each edge joins what shorter ones have made, and from it the condensed tree (Campello,
//! Moulavi, Sander: Density-based clustering based on hierarchical density estimates. 2013).
//! Seen from the root, of which λ = 1/distance is 0, a cluster either loses fewer rows than
//! make a cluster, and goes on, or parts into two. A row may come last of a million, so nothing
//! here calls itself: nodes are gone through in the order of their numbers.

use super::forest::{Edge, Forest};
use crate::Error;
use crate::watch::Watch;

/// Steps after which somebody may end it.
const STEPS: usize = 1 << 16;

/// Two nodes made one. The first n nodes are rows, and those after them merges in their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Merge {
    nodes: [u32; 2],
    distance: f64,
    size: u32,
}

/// Merges in the order of the edges, which are put in theirs.
pub(super) fn single_linkage(
    edges: &mut [Edge],
    n: usize,
    watch: &dyn Watch,
) -> Result<Vec<Merge>, Error> {
    edges.sort_unstable_by(Edge::order);
    let mut forest = Forest::new(n);
    let mut nodes: Vec<u32> = (0..n as u32).collect();
    let mut merges = Vec::with_capacity(edges.len());
    for (nth, edge) in edges.iter().enumerate() {
        if nth % STEPS == 0 && watch.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let of = [edge.low, edge.high].map(|row| nodes[forest.root(row) as usize]);
        if let Some(root) = forest.join(edge.low, edge.high) {
            nodes[root as usize] = (n + merges.len()) as u32;
            let size = forest.size(root);
            merges.push(Merge { nodes: of, distance: edge.weight.sqrt(), size });
        }
    }
    Ok(merges)
}

/// A cluster of the condensed tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The number of the cluster that it is a part of, which is lower; of the root its own.
    pub(super) parent: u32,
    /// λ at which it begins, and that of the last of its own rows to leave it or of its parting.
    pub(super) birth: f64,
    pub(super) death: f64,
    /// Rows at its beginning.
    pub(super) size: u32,
    /// The excess of mass: how much λ all its rows have in it beyond its beginning.
    pub(super) stability: f64,
    pub(super) is_leaf: bool,
}

impl Node {
    fn new(parent: u32, birth: f64, size: u32) -> Self {
        Self { parent, birth, death: birth, size, stability: 0.0, is_leaf: true }
    }

    fn lose(&mut self, size: u32, lambda: f64) {
        self.stability += (lambda - self.birth) * f64::from(size);
        self.death = self.death.max(lambda);
    }
}

/// The condensed tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condensed {
    /// The root, and then each cluster after the one that it is a part of.
    pub(super) nodes: Vec<Node>,
    /// Of each row the last cluster that it is in, and λ at which it leaves that.
    pub(super) rows: Vec<(u32, f64)>,
}

/// Where a node of the single linkage tree is in the condensed one.
#[derive(Debug, Clone, Copy)]
struct Seat {
    cluster: u32,
    /// λ at which all its rows have left that cluster; none where they are in it still.
    left: Option<f64>,
}

impl Condensed {
    /// Rows whose distance is 0 are never parted, so that no cluster begins at an infinite λ.
    pub(super) fn new(
        merges: &[Merge],
        n: usize,
        min_cluster_size: usize,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let root = Seat { cluster: 0, left: None };
        let mut tree = Self { nodes: vec![Node::new(0, 0.0, n as u32)], rows: vec![(0, 0.0); n] };
        let mut seats = vec![root; merges.len()];
        for (nth, merge) in merges.iter().enumerate().rev() {
            if nth % STEPS == 0 && watch.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let lambda = if merge.distance > 0.0 { 1.0 / merge.distance } else { f64::INFINITY };
            let size =
                |node: u32| (node as usize).checked_sub(n).map_or(1, |merge| merges[merge].size);
            let sizes = merge.nodes.map(size);
            let large = sizes.map(|size| size as usize >= min_cluster_size);
            let seat = seats[nth];
            let under = match (seat.left, large) {
                (Some(_), _) => [seat; 2],
                (None, [true, true]) if lambda < f64::INFINITY => {
                    sizes.map(|size| tree.part(seat.cluster, lambda, size))
                }
                _ => [0, 1].map(|side| match large[side] && !large[1 - side] {
                    true => seat,
                    false => tree.lose(seat.cluster, lambda, sizes[side]),
                }),
            };
            for (node, seat) in merge.nodes.into_iter().zip(under) {
                match (node as usize).checked_sub(n) {
                    Some(merge) => seats[merge] = seat,
                    None => {
                        tree.rows[node as usize] = (seat.cluster, seat.left.unwrap_or_default());
                    }
                }
            }
        }
        Ok(tree)
    }

    /// A new part of a cluster.
    fn part(&mut self, parent: u32, birth: f64, size: u32) -> Seat {
        let cluster = self.nodes.len() as u32;
        let above = &mut self.nodes[parent as usize];
        above.lose(size, birth);
        above.is_leaf = false;
        self.nodes.push(Node::new(parent, birth, size));
        Seat { cluster, left: None }
    }

    fn lose(&mut self, cluster: u32, lambda: f64, size: u32) -> Seat {
        self.nodes[cluster as usize].lose(size, lambda);
        Seat { cluster, left: Some(lambda) }
    }
}
