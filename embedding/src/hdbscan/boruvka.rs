//! The minimum spanning tree of mutual reachability distances, by Borůvka's rounds: each
//! component takes the first of the edges that leave it. In a round, points look at the few
//! near ones that are known of them; only those of which a nearer edge could still be unknown
//! are looked for in the whole [`Space`]. The largest component is never looked for, since the
//! others find it: what it costs is in proportion to what is not joined yet.

use std::sync::atomic::{AtomicU64, Ordering};

use super::forest::{Edge, Floor, Forest};
use crate::Error;
use crate::threads::for_each;
use crate::watch::{Phase, Watch};

/// Points, in an order that suits their [`Space`]; a point is called by its place in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Points {
    /// The row of each.
    pub(super) rows: Vec<u32>,
    /// Squares of core distances.
    pub(super) cores: Vec<f64>,
    /// So many places of others near each.
    pub(super) near: Vec<u32>,
    pub(super) n_near: usize,
    /// The square of a distance below which a point has no others than those.
    pub(super) beyond: Vec<f64>,
}

impl Points {
    pub(super) fn new(rows: Vec<u32>, n_near: usize) -> Self {
        let n = rows.len();
        let (cores, near, beyond) = (vec![0.0; n], vec![0; n * n_near], vec![0.0; n]);
        Self { rows, cores, near, n_near, beyond }
    }

    /// The edge of two points of a distance, whose square is given.
    pub(super) fn edge(&self, a: usize, b: usize, square: f64) -> Edge {
        let weight = square.max(self.cores[a]).max(self.cores[b]);
        Edge::new(weight, square, self.rows[a], self.rows[b])
    }

    fn near(&self, place: usize) -> &[u32] {
        &self.near[place * self.n_near..(place + 1) * self.n_near]
    }

    /// Of the edges to others than the near ones.
    fn floor(&self, place: usize) -> Floor {
        let distance = self.beyond[place];
        Floor { weight: distance.max(self.cores[place]), distance }
    }
}

/// Where points lie, and how the nearest in another component is found.
pub(super) trait Space: Sync {
    fn points(&self) -> &Points;

    /// The square of a distance, the same to the bit from either side.
    fn square(&self, a: usize, b: usize) -> f64;

    /// Looks through all points for the first edge from each of some places to another
    /// component, or proves that it is no better than what its component has.
    fn search(
        &self,
        round: &Round,
        places: &[u32],
        found: &mut [Found],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<(), Error>;
}

/// What is known of a point's edges to other components.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The first of them that is known.
    pub(super) edge: Edge,
    /// Where it leads.
    pub(super) to: u32,
    /// Whether some near one may be in another component.
    has_near: bool,
    /// Of all that were not known when it was looked for.
    floor: Floor,
}

impl Found {
    const NOTHING: Self = Self {
        edge: Edge::NONE,
        to: u32::MAX,
        has_near: true,
        floor: Floor { weight: 0.0, distance: 0.0 },
    };

    /// Takes an edge where it is before the one that is known.
    pub(super) fn offer(&mut self, edge: Edge, to: u32) -> bool {
        let is_before = edge.is_before(&self.edge);
        if is_before {
            (self.edge, self.to) = (edge, to);
        }
        is_before
    }

    /// All edges whose weight is a bound at most are known now.
    pub(super) fn is_searched(&mut self, bound: f64) {
        let known = Floor { weight: bound, distance: f64::INFINITY };
        let is_first = self.edge.weight <= bound && !self.edge.is_none();
        self.floor = if is_first { Floor::TOP } else { self.floor.max(known) };
    }

    /// Forgets what has become a way into the own component, and looks at the near ones.
    fn refresh<S: Space>(&mut self, space: &S, components: &[u32], place: usize) {
        let own = components[place];
        let is_foreign = |to: u32| components[to as usize] != own;
        if !self.edge.is_none() && !is_foreign(self.to) {
            if self.floor == Floor::TOP {
                self.floor = self.edge.floor();
            }
            (self.edge, self.to) = (Edge::NONE, u32::MAX);
        } else if !self.edge.is_none() {
            return;
        }
        if self.has_near {
            let points = space.points();
            for to in points.near(place).iter().filter(|to| is_foreign(**to)) {
                let square = space.square(place, *to as usize);
                self.offer(points.edge(place, *to as usize, square), *to);
            }
            self.has_near = !self.edge.is_none();
        }
    }

    /// Whether an edge that is not known could be before the one of the component.
    fn is_open(&self, listed: Floor, component: &Edge) -> bool {
        let unknown = self.floor.max(listed);
        self.edge.floor() >= unknown && unknown <= component.floor()
    }
}

/// The components that there are.
#[derive(Debug)]
pub(super) struct Round {
    /// That of each place, counted from 0.
    pub(super) components: Vec<u32>,
    /// Bits of the least weight that is known of each: of numbers that are not negative, bits
    /// have their order.
    bounds: Vec<AtomicU64>,
}

impl Round {
    pub(super) fn bound(&self, component: u32) -> f64 {
        f64::from_bits(self.bounds[component as usize].load(Ordering::Relaxed))
    }

    pub(super) fn lower(&self, component: u32, weight: f64) {
        self.bounds[component as usize].fetch_min(weight.to_bits(), Ordering::Relaxed);
    }
}

/// Points that a thread takes at once.
const PLACES: usize = 4096;

/// The n − 1 edges of the tree, in no order that means anything.
pub(super) fn spanning_tree<S: Space>(
    space: &S,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<Edge>, Error> {
    let points = space.points();
    let n = points.rows.len();
    let mut forest = Forest::new(n);
    let mut found = vec![Found::NOTHING; n];
    let mut tree = Vec::with_capacity(n.saturating_sub(1));
    while tree.len() + 1 < n {
        watch.progress(Phase::Pass, tree.len() as u64, n as u64 - 1);
        let (components, sizes) = components(&mut forest, n);
        let mut chunks: Vec<&mut [Found]> = found.chunks_mut(PLACES).collect();
        for_each(&mut chunks, &mut vec![(); threads], watch, |(), index, chunk| {
            for (nth, found) in chunk.iter_mut().enumerate() {
                found.refresh(space, &components, index * PLACES + nth);
            }
            Ok(())
        })?;
        let mut firsts = vec![(Edge::NONE, 0); sizes.len()];
        take_firsts(&mut firsts, &components, &found, 0..n as u32);
        let bounds = firsts.iter().map(|(edge, _)| AtomicU64::new(edge.weight.to_bits()));
        let round = Round { bounds: bounds.collect(), components };
        let largest = (0..sizes.len()).max_by_key(|at| sizes[*at]).unwrap_or_default();
        let (open, is_largest_open) = open(points, &found, &round, &firsts, largest as u32);
        let mut searched: Vec<Found> = open.iter().map(|place| found[*place as usize]).collect();
        space.search(&round, &open, &mut searched, threads, watch)?;
        for (place, searched) in open.iter().zip(&searched) {
            found[*place as usize] = *searched;
        }
        take_firsts(&mut firsts, &round.components, &found, open.iter().copied());
        let before = tree.len();
        for (component, (edge, from)) in firsts.iter().enumerate() {
            let is_sure = component != largest || !is_largest_open;
            if is_sure && !edge.is_none() {
                let to = found[*from as usize].to;
                tree.extend(forest.join(*from, to).map(|_| *edge));
            }
        }
        if tree.len() == before {
            return Err(Error::TooFar { row: points.rows[0] as usize });
        }
    }
    watch.progress(Phase::Pass, tree.len() as u64, tree.len() as u64);
    Ok(tree)
}

/// The component of each place, by their first places, and how large each is.
fn components(forest: &mut Forest, n: usize) -> (Vec<u32>, Vec<u32>) {
    let mut numbers = vec![u32::MAX; n];
    let mut sizes = Vec::new();
    let mut of = |place: u32| {
        let root = forest.root(place);
        let number = &mut numbers[root as usize];
        if *number == u32::MAX {
            *number = sizes.len() as u32;
            sizes.push(forest.size(root));
        }
        *number
    };
    let components = (0..n as u32).map(&mut of).collect();
    (components, sizes)
}

/// The first edge of each component, and from which place it leads.
fn take_firsts(
    firsts: &mut [(Edge, u32)],
    components: &[u32],
    found: &[Found],
    places: impl Iterator<Item = u32>,
) {
    for place in places {
        let first = &mut firsts[components[place as usize] as usize];
        let edge = found[place as usize].edge;
        if edge.is_before(&first.0) {
            *first = (edge, place);
        }
    }
}

/// Places that have to be looked for, and whether there would be some in the largest component.
fn open(
    points: &Points,
    found: &[Found],
    round: &Round,
    firsts: &[(Edge, u32)],
    largest: u32,
) -> (Vec<u32>, bool) {
    let mut is_largest_open = false;
    let mut open = Vec::new();
    for ((place, found), component) in (0..).zip(found).zip(&round.components) {
        let first = &firsts[*component as usize].0;
        if found.is_open(points.floor(place as usize), first) {
            is_largest_open |= *component == largest;
            if *component != largest {
                open.push(place);
            }
        }
    }
    (open, is_largest_open)
}
