//! Points of many dimensions, where no tree is better than all pairs: near ones come from
//! [`knn::exact`], and what those do not settle is looked for by products of blocks of rows in
//! 32 bits. Each product that could be the first edge, were it as wrong as rounding allows, is
//! worked out once more in 64 bits. Rows lie by components, so that blocks of one component
//! are left out.

use super::boruvka::{Found, Points, Round, Space};
use super::forest::Edge;
use crate::Error;
use crate::kernel::{Level, Panels, scores};
use crate::knn::{self, centred};
use crate::metrics::squared_distance;
use crate::rows::{Matrix, RowSource};
use crate::threads::for_each;
use crate::watch::Watch;

/// Rows of a tile of those that are looked through.
const TILE: usize = 512;
/// Rows that a thread looks for at once: their scores stay in the second cache.
const ROWS_AT_ONCE: usize = 48;
const PLACES: usize = 4 * ROWS_AT_ONCE;
/// By how much at most a neighbour that was left out may be nearer than the last that was not:
/// distances there are of 32 bits.
const SLACK: f64 = 1.0 - 1e-6;
/// Half of the place of the last bit, and a little for what errors do to each other.
const UNIT: f64 = 1.01 / (1 << 24) as f64;

/// All rows in memory.
pub(super) struct Pairs {
    values: Vec<f32>,
    dimensions: usize,
    centre: Vec<f32>,
    points: Points,
    level: Level,
}

/// Some rows that are looked through.
struct Tile<'a> {
    places: &'a [u32],
    components: Vec<u32>,
    /// Not more than half of the squares of core distances.
    half_cores: Vec<f32>,
    panels: Panels,
}

impl Tile<'_> {
    /// Whether there is nothing but one component.
    fn is_all(&self, component: u32) -> bool {
        // They lie in order.
        self.components.first() == Some(&component) && self.components.last() == Some(&component)
    }
}

impl Pairs {
    /// Reads rows, and finds the core distances for which the nearest `n_others` others count,
    /// and so many near points of each.
    pub(super) fn new(
        rows: &dyn RowSource,
        (n_others, n_near): (usize, usize),
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let d = rows.dimensions();
        let values = read(rows, watch)?;
        let matrix = Matrix::of_finite(&values, d);
        let n = matrix.rows();
        let mut points = Points::new((0..n as u32).collect(), n_near);
        if n_near > 0 {
            points.near = knn::exact(&matrix, n_near, Some(threads), watch)?.rows;
        }
        let centre = knn::centre(&matrix)?;
        let mut pairs = Self { dimensions: d, centre, level: Level::detect(), points, values };
        for place in 0..n {
            let near = |nth: usize| pairs.points.near.get(place * n_near + nth);
            let square = |nth: Option<usize>| {
                let other = nth.and_then(near).map(|other| *other as usize);
                other.map_or(0.0, |other| pairs.square(place, other))
            };
            let core = square(n_others.checked_sub(1));
            let beyond = square(n_near.checked_sub(1)) * SLACK;
            (pairs.points.cores[place], pairs.points.beyond[place]) = (core, beyond);
        }
        Ok(pairs)
    }

    fn row(&self, place: u32) -> &[f32] {
        let from = place as usize * self.dimensions;
        self.values.get(from..from + self.dimensions).unwrap_or_default()
    }

    /// Rows of some places, one after another, measured from the middle of all.
    fn gather(&self, places: &[u32]) -> Vec<f32> {
        let values: Vec<f32> = places.iter().flat_map(|place| self.row(*place)).copied().collect();
        centred(&values, &self.centre)
    }

    /// All rows by components.
    fn tiles<'a>(
        &self,
        round: &Round,
        places: &'a [u32],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<Tile<'a>>, Error> {
        let mut tiles: Vec<(&[u32], Option<Tile<'a>>)> =
            places.chunks(TILE).map(|places| (places, None)).collect();
        for_each(&mut tiles, &mut vec![(); threads], watch, |(), _, (places, tile)| {
            let component = |place: &u32| round.components[*place as usize];
            let half_core = |place: &u32| (self.points.cores[*place as usize] / 2.0) as f32;
            *tile = Some(Tile {
                places,
                components: places.iter().map(component).collect(),
                half_cores: places.iter().map(|place| half_core(place).next_down()).collect(),
                panels: Panels::new(&self.gather(places), self.dimensions),
            });
            Ok(())
        })?;
        Ok(tiles.into_iter().filter_map(|(_, tile)| tile).collect())
    }

    /// Offers a place the points of a tile, whose scores are given.
    fn offer(
        &self,
        query: &Query,
        (scores, tile): (&[f32], &Tile<'_>),
        (component, norm_max): (u32, f64),
        found: &mut Found,
    ) {
        const AT_ONCE: usize = 32;
        let groups = scores.chunks(AT_ONCE).zip(tile.components.chunks(AT_ONCE));
        let groups = groups.zip(tile.half_cores.chunks(AT_ONCE)).zip(tile.places.chunks(AT_ONCE));
        let (mut score_max, mut core_max) = query.limits(&found.edge, norm_max);
        for (((scores, components), half_cores), places) in groups {
            let each = || scores.iter().zip(components).zip(half_cores);
            let can_be = |score: f32, other: u32, half_core: f32, most: (f32, f32)| {
                (score <= most.0) & (other != component) & (half_core <= most.1)
            };
            // Most groups have nothing to offer, which is seen without a branch a score.
            let most = (score_max, core_max);
            if !each().fold(false, |any, ((s, c), h)| any | can_be(*s, *c, *h, most)) {
                continue;
            }
            for (((score, other), half_core), place) in each().zip(places) {
                // Of rows that are all alike only the first come before others.
                let least = Edge::new(0.0, 0.0, query.place, *place);
                let most = (score_max, core_max);
                if can_be(*score, *other, *half_core, most) && least.is_before(&found.edge) {
                    let square = self.square(query.place as usize, *place as usize);
                    let edge = self.points.edge(query.place as usize, *place as usize, square);
                    if found.offer(edge, *place) {
                        (score_max, core_max) = query.limits(&found.edge, norm_max);
                    }
                }
            }
        }
    }
}

/// A row that is looked for.
struct Query {
    place: u32,
    /// The square of its norm.
    square: f64,
    dimensions: usize,
}

impl Query {
    fn new(place: u32, centred: &[f32]) -> Self {
        let square = centred.iter().map(|x| f64::from(*x).powi(2)).sum();
        Self { place, square, dimensions: centred.len() }
    }

    /// The greatest score, and half of the greatest core distance's square, of points whose
    /// edge may come before one that is known. Scores are wrong by (d + 3)·u·‖x‖·‖p‖ +
    /// 1.5·u·‖p‖² at most, as in [`crate::kmeans`], and halves of squared distances by
    /// u·(‖x‖ + ‖p‖)² from being measured from the middle.
    fn limits(&self, edge: &Edge, norm_max: f64) -> (f32, f32) {
        let (norm, half) = (self.square.sqrt(), edge.weight / 2.0);
        let of_score = (self.dimensions + 3) as f64 * norm * norm_max + 1.5 * norm_max * norm_max;
        let error = UNIT * (of_score + (norm + norm_max).powi(2));
        (((half - self.square / 2.0 + error) as f32).next_up(), (half as f32).next_up())
    }
}

impl Space for Pairs {
    fn points(&self) -> &Points {
        &self.points
    }

    fn square(&self, a: usize, b: usize) -> f64 {
        squared_distance(self.row(a as u32), self.row(b as u32))
    }

    fn search(
        &self,
        round: &Round,
        places: &[u32],
        found: &mut [Found],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        if places.is_empty() {
            return Ok(());
        }
        let component = |place: u32| round.components[place as usize];
        let mut all = self.points.rows.clone();
        all.sort_by_key(|place| component(*place));
        let tiles = self.tiles(round, &all, threads, watch)?;
        let norm_max = tiles.iter().map(|tile| tile.panels.norm_max).fold(0.0, f64::max);
        if (2.0 * norm_max).powi(2) >= f64::from(f32::MAX) {
            return Err(Error::TooFar { row: places.first().map_or(0, |place| *place as usize) });
        }
        let mut open: Vec<(u32, Found)> =
            places.iter().copied().zip(found.iter().copied()).collect();
        open.sort_by_key(|(place, _)| component(*place));
        let mut items: Vec<&mut [(u32, Found)]> = open.chunks_mut(PLACES).collect();
        for_each(&mut items, &mut vec![Vec::new(); threads], watch, |lines, _, open| {
            let numbers: Vec<u32> = open.iter().map(|(place, _)| *place).collect();
            let values = self.gather(&numbers);
            let rows = numbers.iter().zip(values.chunks_exact(self.dimensions));
            let queries: Vec<Query> = rows.map(|(place, row)| Query::new(*place, row)).collect();
            let ends = [numbers.first(), numbers.last()].map(|end| end.map(|end| component(*end)));
            for tile in &tiles {
                if watch.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                if ends[0] == ends[1] && ends[0].is_some_and(|own| tile.is_all(own)) {
                    continue;
                }
                let chunks = values.chunks(ROWS_AT_ONCE * self.dimensions);
                let chunks = chunks.zip(queries.chunks(ROWS_AT_ONCE));
                for ((values, queries), open) in chunks.zip(open.chunks_mut(ROWS_AT_ONCE)) {
                    scores(self.level, values, &tile.panels, lines);
                    let lines = lines.chunks_exact(tile.panels.width());
                    for ((line, query), (place, found)) in lines.zip(queries).zip(open) {
                        self.offer(query, (line, tile), (component(*place), norm_max), found);
                    }
                }
            }
            open.iter_mut().for_each(|(_, found)| found.is_searched(f64::INFINITY));
            Ok(())
        })?;
        open.sort_unstable_by_key(|(place, _)| *place);
        found.iter_mut().zip(open).for_each(|(slot, (_, found))| *slot = found);
        Ok(())
    }
}

fn read(rows: &dyn RowSource, watch: &dyn Watch) -> Result<Vec<f32>, Error> {
    let d = rows.dimensions();
    let mut values = Vec::with_capacity(rows.rows() * d);
    for index in 0..rows.n_blocks() {
        if watch.is_cancelled() {
            return Err(Error::Cancelled);
        }
        values.extend_from_slice(&rows.block(index)?);
    }
    if values.len() != rows.rows() * d {
        return Err(Error::Source("a block is too short".to_owned()));
    }
    let bad = values.iter().position(|x| !x.is_finite());
    bad.map_or(Ok(values), |at| Err(Error::NotFinite { row: at / d }))
}
