//! Edges in an order of their own, and the trees that they make of points.

use std::cmp::Ordering;

/// Two rows and what it takes to join them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    /// The square of their mutual reachability distance.
    pub(super) weight: f64,
    /// The square of their distance.
    pub(super) distance: f64,
    /// The rows' numbers, the lower first.
    pub(super) low: u32,
    pub(super) high: u32,
}

impl Edge {
    /// Comes after every other.
    pub(super) const NONE: Self =
        Self { weight: f64::INFINITY, distance: f64::INFINITY, low: u32::MAX, high: u32::MAX };

    pub(super) fn new(weight: f64, distance: f64, a: u32, b: u32) -> Self {
        Self { weight, distance, low: a.min(b), high: a.max(b) }
    }

    /// No two edges are alike, so that there is one minimum spanning tree alone. Many have the
    /// weight of one row's core distance: of these the nearer rows are first.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let weights = self.weight.total_cmp(&other.weight);
        let distances = || self.distance.total_cmp(&other.distance);
        let rows = || (self.low, self.high).cmp(&(other.low, other.high));
        weights.then_with(distances).then_with(rows)
    }

    pub(super) fn is_before(&self, other: &Self) -> bool {
        self.weight < other.weight
            || (self.weight == other.weight && self.order(other) == Ordering::Less)
    }

    pub(super) fn is_none(&self) -> bool {
        self.high == u32::MAX
    }

    pub(super) fn floor(&self) -> Floor {
        Floor { weight: self.weight, distance: self.distance }
    }
}

/// What edges that are not known yet have at least: a weight, and with just this weight a
/// distance. Both are squares.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Floor {
    pub(super) weight: f64,
    pub(super) distance: f64,
}

impl Floor {
    /// There are none that are not known.
    pub(super) const TOP: Self = Self { weight: f64::INFINITY, distance: f64::INFINITY };

    pub(super) fn max(self, other: Self) -> Self {
        if self < other { other } else { self }
    }
}

/// Which points are joined: union by size, with paths halved.
#[derive(Debug, Clone)]
pub(super) struct Forest {
    parents: Vec<u32>,
    sizes: Vec<u32>,
}

impl Forest {
    pub(super) fn new(n: usize) -> Self {
        Self { parents: (0..n as u32).collect(), sizes: vec![1; n] }
    }

    /// The point by which a point's tree is called.
    pub(super) fn root(&mut self, point: u32) -> u32 {
        let mut at = point;
        while self.parents[at as usize] != at {
            let above = self.parents[self.parents[at as usize] as usize];
            self.parents[at as usize] = above;
            at = above;
        }
        at
    }

    /// Points in the tree of this root.
    pub(super) fn size(&self, root: u32) -> u32 {
        self.sizes[root as usize]
    }

    /// Joins two trees; the root, or none where they are one already.
    pub(super) fn join(&mut self, a: u32, b: u32) -> Option<u32> {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return None;
        }
        let (under, root) = if self.size(a) < self.size(b) { (a, b) } else { (b, a) };
        self.parents[under as usize] = root;
        self.sizes[root as usize] += self.sizes[under as usize];
        Some(root)
    }
}
