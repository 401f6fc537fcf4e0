//! Points of few dimensions in a k-d tree (Bentley: Multidimensional binary search trees used
//! for associative searching. 1975): each node halves its points along the longest side of
//! their bounding box. Nodes lie as in a heap, and the points in the order of the leaves.

use std::ops::Range;

use super::boruvka::{Found, Points, Round, Space};
use super::forest::Edge;
use crate::Error;
use crate::rows::RowSource;
use crate::threads::for_each;
use crate::watch::{Phase, Watch};

/// Points of a leaf at most.
const LEAF: usize = 12;
/// Points that a thread takes at once.
const PLACES: usize = 1024;
/// Levels after which subtrees are made by one thread each.
const SHARED_LEVELS: u32 = 6;
/// A component that some of a node's points are not of.
const MIXED: u32 = u32::MAX;

type Point<const D: usize> = [f32; D];

/// Bounds of the points of a node.
#[derive(Debug, Clone, Copy)]
struct Node<const D: usize> {
    low: Point<D>,
    high: Point<D>,
    /// The least core distance, squared, and the first row.
    core: f64,
    row: u32,
}

impl<const D: usize> Node<D> {
    const EMPTY: Self = Self {
        low: [f32::INFINITY; D],
        high: [f32::NEG_INFINITY; D],
        core: f64::INFINITY,
        row: u32::MAX,
    };

    fn of<'a>(points: impl Iterator<Item = &'a Point<D>>) -> Self {
        points.fold(Self::EMPTY, |node, point| {
            node.with(&Self { low: *point, high: *point, ..Self::EMPTY })
        })
    }

    fn with(mut self, other: &Self) -> Self {
        for at in 0..D {
            self.low[at] = self.low[at].min(other.low[at]);
            self.high[at] = self.high[at].max(other.high[at]);
        }
        self.core = self.core.min(other.core);
        self.row = self.row.min(other.row);
        self
    }

    fn longest_side(&self) -> usize {
        let side = |at: &usize| f64::from(self.high[*at]) - f64::from(self.low[*at]);
        (0..D).max_by(|a, b| side(a).total_cmp(&side(b)).then(b.cmp(a))).unwrap_or(0)
    }

    /// The square of the distance to the box. Rounding keeps the order of numbers, so that no
    /// point in the box has less.
    fn square(&self, point: &Point<D>) -> f64 {
        let mut sum = 0.0;
        for (x, (low, high)) in point.iter().zip(self.low.iter().zip(&self.high)) {
            let x = f64::from(*x);
            let beyond = (f64::from(*low) - x).max(x - f64::from(*high)).max(0.0);
            sum += beyond * beyond;
        }
        sum
    }
}

fn square<const D: usize>(a: &Point<D>, b: &Point<D>) -> f64 {
    let mut sum = 0.0;
    for at in 0..D {
        let difference = f64::from(a[at]) - f64::from(b[at]);
        sum += difference * difference;
    }
    sum
}

/// A tree of all rows.
pub(super) struct Tree<const D: usize> {
    values: Vec<Point<D>>,
    points: Points,
    nodes: Vec<Node<D>>,
    /// Of the leaves; the root's is 0.
    depth: u32,
}

/// Which places the points of a node have.
fn range(n: usize, level: u32, nth: usize) -> Range<usize> {
    let place = |nth: usize| ((nth as u64 * n as u64) >> level) as usize;
    place(nth)..place(nth + 1)
}

impl<const D: usize> Tree<D> {
    /// Reads rows of at most D dimensions, and finds the core distances for which the nearest
    /// `n_others` others count, and so many near points of each.
    pub(super) fn new(
        rows: &dyn RowSource,
        (n_others, n_near): (usize, usize),
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let mut entries = read::<D>(rows, watch)?;
        let n = entries.len();
        let depth = n.div_ceil(LEAF).next_power_of_two().ilog2();
        arrange(&mut entries, depth, threads, watch)?;
        let points = Points::new(entries.iter().map(|(row, _)| *row).collect(), n_near);
        let values = entries.into_iter().map(|(_, point)| point).collect();
        let mut tree = Self { values, points, nodes: Vec::new(), depth };
        tree.bound();
        tree.find_near(n_others, threads, watch)?;
        tree.bound();
        Ok(tree)
    }

    fn n_leaves(&self) -> usize {
        1 << self.depth
    }

    /// The places of a leaf, which is called by its node.
    fn leaf(&self, node: usize) -> Range<usize> {
        range(self.values.len(), self.depth, node + 1 - self.n_leaves())
    }

    fn is_leaf(&self, node: usize) -> bool {
        node + 1 >= self.n_leaves()
    }

    /// Works out the nodes from the leaves up.
    fn bound(&mut self) {
        let n_nodes = 2 * self.n_leaves() - 1;
        let mut nodes = vec![Node::EMPTY; n_nodes];
        for node in (0..n_nodes).rev() {
            nodes[node] = if self.is_leaf(node) {
                let places = self.leaf(node);
                let mut bounds = Node::of(self.values[places.clone()].iter());
                for place in places {
                    bounds.core = bounds.core.min(self.points.cores[place]);
                    bounds.row = bounds.row.min(self.points.rows[place]);
                }
                bounds
            } else {
                nodes[2 * node + 1].with(&nodes[2 * node + 2])
            };
        }
        self.nodes = nodes;
    }

    fn find_near(
        &mut self,
        n_others: usize,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        let mut points = std::mem::take(&mut self.points);
        let (n, n_near) = (points.rows.len(), points.n_near);
        if n_near == 0 {
            // There is but one row.
            self.points = points;
            return Ok(());
        }
        let most = n_others.max(n_near);
        let near = points.near.chunks_mut(PLACES * n_near);
        let slots = points.cores.chunks_mut(PLACES).zip(points.beyond.chunks_mut(PLACES));
        let mut items: Vec<_> = slots.zip(near).collect();
        let done = std::sync::atomic::AtomicU64::new(0);
        let mut workers = vec![Vec::with_capacity(most + 1); threads];
        for_each(&mut items, &mut workers, watch, |found, index, ((cores, beyond), near)| {
            let slots = cores.iter_mut().zip(beyond.iter_mut()).zip(near.chunks_mut(n_near));
            for (nth, ((core, beyond), near)) in slots.enumerate() {
                self.nearest(index * PLACES + nth, most, found);
                let square = |nth: usize| found.get(nth).map_or(0.0, |(square, _)| *square);
                *core = n_others.checked_sub(1).map_or(0.0, square);
                *beyond = square(n_near - 1);
                for (slot, (_, place)) in near.iter_mut().zip(found.iter()) {
                    *slot = *place;
                }
            }
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            watch.progress(Phase::Neighbours, done, n.div_ceil(PLACES) as u64);
            Ok(())
        })?;
        drop(items);
        self.points = points;
        Ok(())
    }

    /// The nearest others of a point: squares of distances, and places.
    fn nearest(&self, place: usize, most: usize, found: &mut Vec<(f64, u32)>) {
        found.clear();
        let point = &self.values[place];
        let mut worst = f64::INFINITY;
        let mut stack = Stack::new();
        while let Some((bound, node)) = stack.pop() {
            if bound >= worst {
                continue;
            }
            if !self.is_leaf(node) {
                let [a, b] = self.children(node, point);
                stack.push_nearer_last(a, b);
                continue;
            }
            for other in self.leaf(node) {
                let square = square(point, &self.values[other]);
                if square < worst && other != place {
                    let at = found.partition_point(|(nearer, _)| *nearer <= square);
                    found.insert(at, (square, other as u32));
                    found.truncate(most);
                    if found.len() == most {
                        worst = found.last().map_or(worst, |(square, _)| *square);
                    }
                }
            }
        }
    }

    fn children(&self, node: usize, point: &Point<D>) -> [(f64, usize); 2] {
        [2 * node + 1, 2 * node + 2].map(|child| (self.nodes[child].square(point), child))
    }

    /// Of each node the component of all its points, or [`MIXED`].
    fn components(&self, of: &[u32]) -> Vec<u32> {
        let n_nodes = self.nodes.len();
        let mut all = vec![MIXED; n_nodes];
        for node in (0..n_nodes).rev() {
            all[node] = if self.is_leaf(node) {
                let own = of.get(self.leaf(node)).unwrap_or_default();
                let first = own.first().copied().unwrap_or(MIXED);
                if own.iter().all(|other| *other == first) { first } else { MIXED }
            } else {
                let (a, b) = (all[2 * node + 1], all[2 * node + 2]);
                if a == b { a } else { MIXED }
            };
        }
        all
    }

    /// The first edge from a place to another component.
    fn search_one(&self, round: &Round, of_nodes: &[u32], place: usize, found: &mut Found) {
        let (points, point) = (&self.points, &self.values[place]);
        let (own, row, core) = (round.components[place], points.rows[place], points.cores[place]);
        let mut stack = Stack::new();
        while let Some((bound, node)) = stack.pop() {
            let limits = &self.nodes[node];
            let weight = bound.max(core).max(limits.core);
            let least = Edge {
                weight,
                distance: bound,
                low: row.min(limits.row),
                high: row.max(limits.row),
            };
            if weight > round.bound(own) || found.edge.is_before(&least) {
                continue;
            }
            if !self.is_leaf(node) {
                let [a, b] = self.children(node, point).map(|(square, child)| {
                    (if of_nodes[child] == own { f64::INFINITY } else { square }, child)
                });
                stack.push_nearer_last(a, b);
                continue;
            }
            for other in self.leaf(node).filter(|other| round.components[*other] != own) {
                let edge = points.edge(place, other, square(point, &self.values[other]));
                if found.offer(edge, other as u32) {
                    round.lower(own, edge.weight);
                }
            }
        }
        found.is_searched(round.bound(own));
    }
}

impl<const D: usize> Space for Tree<D> {
    fn points(&self) -> &Points {
        &self.points
    }

    fn square(&self, a: usize, b: usize) -> f64 {
        square(&self.values[a], &self.values[b])
    }

    fn search(
        &self,
        round: &Round,
        places: &[u32],
        found: &mut [Found],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        let of_nodes = self.components(&round.components);
        let mut items: Vec<(&[u32], &mut [Found])> =
            places.chunks(PLACES).zip(found.chunks_mut(PLACES)).collect();
        for_each(&mut items, &mut vec![(); threads], watch, |(), _, (places, found)| {
            for (place, found) in places.iter().zip(found.iter_mut()) {
                self.search_one(round, &of_nodes, *place as usize, found);
            }
            Ok(())
        })
    }
}

/// Nodes to be looked at, each with the square of a distance that its points have at least.
struct Stack {
    nodes: [(f64, usize); 64],
    len: usize,
}

impl Stack {
    /// With the root.
    fn new() -> Self {
        Self { nodes: [(0.0, 0); 64], len: 1 }
    }

    fn pop(&mut self) -> Option<(f64, usize)> {
        self.len = self.len.checked_sub(1)?;
        self.nodes.get(self.len).copied()
    }

    /// Nodes that are infinitely far are left out. There is room for two of each level.
    fn push_nearer_last(&mut self, a: (f64, usize), b: (f64, usize)) {
        let (near, far) = if b.0 < a.0 { (b, a) } else { (a, b) };
        for node in [far, near] {
            if node.0 < f64::INFINITY {
                self.nodes[self.len] = node;
                self.len += 1;
            }
        }
    }
}

/// All rows with their numbers, filled up with zeros to D dimensions.
fn read<const D: usize>(
    rows: &dyn RowSource,
    watch: &dyn Watch,
) -> Result<Vec<(u32, Point<D>)>, Error> {
    let d = rows.dimensions();
    let mut entries = Vec::with_capacity(rows.rows());
    for index in 0..rows.n_blocks() {
        if watch.is_cancelled() {
            return Err(Error::Cancelled);
        }
        for row in rows.block(index)?.chunks_exact(d) {
            let mut point = [0.0; D];
            point.iter_mut().zip(row).for_each(|(slot, x)| *slot = *x);
            if point.iter().any(|x| !x.is_finite()) {
                return Err(Error::NotFinite { row: entries.len() });
            }
            entries.push((entries.len() as u32, point));
        }
    }
    if entries.len() != rows.rows() {
        return Err(Error::Source("a block is too short".to_owned()));
    }
    Ok(entries)
}

/// Puts entries in the order of the leaves.
fn arrange<const D: usize>(
    entries: &mut [(u32, Point<D>)],
    depth: u32,
    threads: usize,
    watch: &dyn Watch,
) -> Result<(), Error> {
    let n = entries.len();
    let shared = SHARED_LEVELS.min(depth);
    for level in 0..=shared {
        let mut rest = &mut *entries;
        let mut parts = Vec::new();
        for nth in 0..1_usize << level {
            let (part, after) = rest.split_at_mut(range(n, level, nth).len());
            parts.push(part);
            rest = after;
        }
        // The last of the shared levels goes on to the leaves.
        let below = if level < shared { level + 1 } else { depth };
        for_each(&mut parts, &mut vec![(); threads], watch, |(), nth, part| {
            let first = range(n, level, nth).start;
            for under in level..below {
                for node in nth << (under - level)..(nth + 1) << (under - level) {
                    let places = range(n, under, node);
                    let middle = range(n, under + 1, 2 * node).len();
                    halve(&mut part[places.start - first..places.end - first], middle);
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn halve<const D: usize>(entries: &mut [(u32, Point<D>)], middle: usize) {
    let side = Node::of(entries.iter().map(|(_, point)| point)).longest_side();
    if middle < entries.len() {
        let order = |a: &(u32, Point<D>), b: &(u32, Point<D>)| {
            a.1[side].total_cmp(&b.1[side]).then(a.0.cmp(&b.0))
        };
        entries.select_nth_unstable_by(middle, order);
    }
}
