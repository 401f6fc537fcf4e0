//! The nearest neighbours of all rows, on a device: scores of all pairs in halves, with a bound for
//! each, the least of each row kept with how near those can be that were left out; `embedding`
//! puts them in order in 64 bits and goes through the rows that are not sure ([`Driven`]). So
//! neighbours are those of [`embedding::knn::exact`].
//!
//! Rows are dealt to places at random, so that whatever their order was, one run of points is like
//! another: of those that a run brings, few are nearer than what is kept.

use std::rc::Rc;

use embedding::knn::{Driven, Found, Line, Neighbours};
use embedding::random::Random;
use embedding::rows::RowSource;
use embedding::watch::{Phase, Watch};

use crate::bound::{self, DIMENSIONS_MAX, Halved, Terms};
use crate::card::{Blocks, Card, Given, Held, Kernel};
use crate::check;
use crate::device::Gpu;
use crate::error::{CudaError, Failure, Made};
use crate::mirror::{Mirror, Places};
use crate::plan::{SHARE_PERCENT, STAGING};
use crate::tile::{
    COLUMNS, DEPTH, HOPPER_ROOM, HOPPER_ROWS_MAX, HOPPER_THREADS, ROWS, THREADS, padded,
};

const FIND: Kernel = Kernel("neighbours_find");
const FIND_FINE: Kernel = Kernel("neighbours_find_fine");
const FIND_HOPPER: Kernel = Kernel("hopper_find");
const SELECT: Kernel = Kernel("neighbours_select");
/// Of `neighbours.cu`: points of a row that there is room for before they are sorted.
const ROOM: usize = 1024;
/// Candidates beside the neighbours, the row itself among them: at least, and as a share.
const SPARE: usize = 16;
const SPARE_SHARE: usize = 4;
const KEPT_MIN: usize = 48;
/// Most neighbours of a row.
pub const NEIGHBOURS_MAX: usize = 128;
/// Rows that are looked for at once: what came for them is half a gibibyte.
const LOT: usize = 1 << 16;
/// Blocks that keep a device busy.
const BLOCKS: usize = 1024;
/// Where more than this share of the first rows is not sure, values are sums of two halves; where
/// that is so then, the processor is quicker.
const UNSURE_PERCENT: usize = 5;
const UNSURE_PERCENT_MAX: usize = 25;
const STREAM: u64 = 0x90;

/// Finds the k nearest others of each row on a device. Where it fails, or k is more than
/// [`NEIGHBOURS_MAX`], the cores do as [`embedding::knn::nearest`].
///
/// # Errors
/// As [`embedding::knn::nearest`]: what a device does is never an error.
pub fn nearest(
    gpu: &Gpu,
    rows: &dyn RowSource,
    k: usize,
    threads: Option<usize>,
    seed: u64,
    watch: &dyn Watch,
) -> Result<Made<Found>, embedding::Error> {
    let by_device = check::neighbours(&gpu.card);
    match by_device.and_then(|()| nearest_on(&gpu.card, rows, k, threads, watch)) {
        Ok(neighbours) => Ok(Made { made: Found { neighbours, recall: 1.0 }, fell_back: None }),
        Err(Failure::Input(error)) => Err(error),
        Err(Failure::Device(error)) => Ok(Made {
            made: embedding::knn::nearest(rows, k, threads, seed, watch)?,
            fell_back: Some(error.to_string()),
        }),
    }
}

/// The same, on this device or not at all.
pub(crate) fn nearest_on(
    card: &Rc<dyn Card>,
    rows: &dyn RowSource,
    k: usize,
    threads: Option<usize>,
    watch: &dyn Watch,
) -> Result<Neighbours, Failure> {
    // Says first what nobody could do.
    Driven::new(rows, k)?;
    if k > NEIGHBOURS_MAX {
        let why = format!("it looks for {NEIGHBOURS_MAX} neighbours at most");
        return Err(CudaError::Unfit(why).into());
    }
    let prepared = embedding::kmeans::Prepared::new(rows, threads, watch)?;
    for parts in [1, 2] {
        let search = Search::new(card, (rows, k), &prepared, parts, watch)?;
        let most = if parts == 1 { UNSURE_PERCENT } else { UNSURE_PERCENT_MAX };
        if let Some(found) = search.all(rows, (threads, most), watch)? {
            return Ok(found);
        }
    }
    let why = "rows are nearer to each other than halves can tell".to_owned();
    Err(CudaError::Unfit(why).into())
}

/// Rows on a device, at their places.
pub(crate) struct Search {
    card: Rc<dyn Card>,
    k: usize,
    n: usize,
    d: usize,
    /// Of all parts of a row.
    depth: usize,
    parts: u32,
    scale: f64,
    halves: Held<u16>,
    row_terms: Held<[f32; 2]>,
    terms: Held<[f32; 4]>,
    /// Of each place.
    squares: Vec<f64>,
    rows: Vec<u32>,
    lot: usize,
}

/// Candidates that are kept of a row.
fn kept(k: usize) -> usize {
    (k + SPARE + k / SPARE_SHARE).max(KEPT_MIN)
}

/// Points after which they are sorted, as so many times those before. A run brings each row some
/// `kept` · (growth − 1) nearer ones, a third of the room.
fn growth(kept: usize) -> usize {
    (ROOM / 3 / kept + 1).max(2)
}

impl Search {
    pub(crate) fn prepared(
        card: &Rc<dyn Card>,
        (rows, k): (&dyn RowSource, usize),
        threads: Option<usize>,
        parts: u32,
        watch: &dyn Watch,
    ) -> Result<Self, Failure> {
        let prepared = embedding::kmeans::Prepared::new(rows, threads, watch)?;
        Self::new(card, (rows, k), &prepared, parts, watch)
    }

    fn new(
        card: &Rc<dyn Card>,
        (rows, k): (&dyn RowSource, usize),
        prepared: &embedding::kmeans::Prepared,
        parts: u32,
        watch: &dyn Watch,
    ) -> Result<Self, Failure> {
        let (n, d) = (rows.rows(), rows.dimensions());
        let depth = padded(d, DEPTH) * parts as usize;
        let lot = lot(card.free()?, n, (d, depth), kept(k))?;
        let (many, scale) = (padded(n, ROWS), bound::scale(prepared.reach()));
        let (numbers, places) = dealt(n);
        let halves = Held::zeros(card, many * depth)?;
        let row_terms = Held::zeros(card, many)?;
        let squares = {
            let (places, squares) = (Held::of(card, &places)?, Held::zeros(card, n)?);
            let to = Places { places, squares };
            let mirror = Mirror::new(card, prepared.centre(), scale, (depth, parts))?;
            mirror.take_in(rows, n, watch, |_, _, made| {
                made((&halves, 0), (&row_terms, 0), Some(&to))
            })?;
            to.squares.values(0, 0, n)?
        };
        let lost: Vec<[f32; 2]> = row_terms.values(0, 0, n)?;
        let mut terms = vec![Terms::NOBODY.words(); many];
        for ((terms, square), [lost, half_norm]) in terms.iter_mut().zip(&squares).zip(&lost) {
            let [lost, half_norm] = [*lost, *half_norm].map(f64::from);
            let of = Halved { norm: square.sqrt(), half_norm, lost };
            if of.is_beyond() || d > DIMENSIONS_MAX {
                let why = "rows are farther from their middle than it has room for".to_owned();
                return Err(CudaError::Unfit(why).into());
            }
            *terms = of.terms(d, parts).words();
        }
        let terms = Held::of(card, &terms)?;
        let card = Rc::clone(card);
        let rows = numbers;
        Ok(Self {
            card,
            k,
            n,
            d,
            depth,
            parts,
            scale,
            halves,
            row_terms,
            terms,
            squares,
            rows,
            lot,
        })
    }

    /// Of all rows; none where more than `most` of a hundred of the first lot are not sure.
    pub(crate) fn all(
        &self,
        rows: &dyn RowSource,
        (threads, most): (Option<usize>, usize),
        watch: &dyn Watch,
    ) -> Result<Option<Neighbours>, Failure> {
        let mut driven = Driven::new(rows, self.k)?;
        let room = || Lot::new(&self.card, self.lot, kept(self.k));
        let places = [room()?, room()?];
        let firsts: Vec<usize> = (0..self.n).step_by(self.lot).collect();
        // While one lot is put in order, the device is at the next.
        for nth in 0..=firsts.len() {
            if watch.is_cancelled() {
                return Err(embedding::Error::Cancelled.into());
            }
            watch.progress(Phase::Neighbours, nth as u64, firsts.len() as u64 + 1);
            // The first lot tells whether it is worth while.
            let is_next = nth < firsts.len() && nth != 1;
            if let (Some(first), true) = (firsts.get(nth), is_next) {
                self.start(&places[nth % 2], nth % 2, *first)?;
            }
            let Some(before) = nth.checked_sub(1) else { continue };
            let first = firsts[before];
            self.finish(&places[before % 2], before % 2, first, (&mut driven, threads))?;
            let seen = self.lot.min(self.n - first);
            if nth == 1 && driven.unsure() * 100 > seen * most {
                return Ok(None);
            }
            if nth == 1 && nth < firsts.len() {
                self.start(&places[1], 1, firsts[1])?;
            }
        }
        let (found, _) = driven.end(threads, watch)?;
        Ok(Some(found))
    }

    /// Looks for the points nearest to rows from place `first` on.
    fn start(&self, lot: &Lot, queue: usize, first: usize) -> Result<(), CudaError> {
        let (many, all) = (self.lot.min(self.n - first), padded(self.n, COLUMNS));
        lot.many.clear(queue, 0, self.lot)?;
        lot.limits.fill(queue, 0, &vec![f32::INFINITY; self.lot])?;
        let hoppers = self.card.hoppers().filter(|_| self.parts == 1 && self.n <= HOPPER_ROWS_MAX);
        let mut from = 0;
        while from < all {
            let until = (from * growth(kept(self.k))).max(ROOM).min(all);
            let tiles = (until - from) / COLUMNS;
            let down = many.div_ceil(ROWS);
            let across = (BLOCKS / down).clamp(1, tiles);
            let each = tiles.div_ceil(across);
            let place = [first, from].map(|at| Given::from(at as u32));
            let known = [
                self.terms.at(0),
                self.row_terms.at(first),
                lot.limits.at(0),
                lot.many.at(0),
                lot.found.at(0),
                (many as u32).into(),
                (self.depth as u32).into(),
            ];
            let rest = [((until - from) as u32).into(), ((each * COLUMNS) as u32).into()];
            let across = tiles.div_ceil(each);
            let (kernel, blocks, rows, place) = match hoppers {
                Some(processors) => {
                    let blocks = Blocks::new((down * across).min(processors), HOPPER_THREADS);
                    let map = self.halves.map(self.depth)?;
                    (FIND_HOPPER, Blocks { room: HOPPER_ROOM, ..blocks }, [map; 2], &place[..])
                }
                None => {
                    let kernel = if self.parts == 1 { FIND } else { FIND_FINE };
                    let blocks = Blocks { blocks: [down, across], ..Blocks::new(0, THREADS) };
                    let rows = [self.halves.at(first * self.depth), self.halves.at(0)];
                    (kernel, blocks, rows, &place[1..])
                }
            };
            let given = [&rows[..], &known, place, &rest].concat();
            self.card.start(queue, kernel, blocks, &given)?;
            let given = [
                lot.found.at(0),
                lot.many.at(0),
                lot.limits.at(0),
                lot.numbers.at(0),
                (kept(self.k) as u32).into(),
            ];
            self.card.start(queue, SELECT, Blocks::new(many, THREADS), &given)?;
            from = until;
        }
        Ok(())
    }

    /// Puts in order what was found.
    fn finish(
        &self,
        lot: &Lot,
        queue: usize,
        first: usize,
        (driven, threads): (&mut Driven<'_>, Option<usize>),
    ) -> Result<(), Failure> {
        let many = self.lot.min(self.n - first);
        let mut numbers = lot.numbers.values(queue, 0, many * kept(self.k))?;
        let limits = lot.limits.values(queue, 0, many)?;
        for place in &mut numbers {
            // Where there are fewer, what stands there is the number of no row.
            *place = self.rows.get(*place as usize).copied().unwrap_or(u32::MAX);
        }
        let squares = self.squares.iter().skip(first).zip(self.rows.iter().skip(first));
        let of = numbers.chunks_exact(kept(self.k)).zip(&limits).zip(squares);
        let lines: Vec<Line<'_>> = of
            .map(|((candidates, limit), (square, row))| Line {
                row: *row,
                candidates,
                beyond: self.beyond(*square, *limit),
            })
            .collect();
        Ok(driven.take_all(&lines, threads)?)
    }

    /// As far as a point may be, squared, that was left out of a row of this square at this limit.
    fn beyond(&self, square: f64, limit: f32) -> f64 {
        let twice = 2.0 * f64::from(limit);
        if !twice.is_finite() {
            return twice;
        }
        let rounding = (self.d + 16) as f64 * 4.0 * f64::EPSILON;
        (square + twice - rounding * (square + twice.abs())) / (self.scale * self.scale)
    }
}

/// What comes for some rows.
struct Lot {
    found: Held<u64>,
    many: Held<u32>,
    limits: Held<f32>,
    numbers: Held<u32>,
}

impl Lot {
    fn new(card: &Rc<dyn Card>, rows: usize, kept: usize) -> Result<Self, CudaError> {
        Ok(Self {
            found: Held::zeros(card, rows * ROOM)?,
            many: Held::zeros(card, rows)?,
            limits: Held::zeros(card, rows)?,
            numbers: Held::zeros(card, rows * kept)?,
        })
    }
}

/// Rows at their places, and the places of rows.
fn dealt(n: usize) -> (Vec<u32>, Vec<u32>) {
    let random = Random::new(0, STREAM);
    let mut rows: Vec<u32> = (0..n as u32).collect();
    for last in (1..n).rev() {
        rows.swap(last, random.below(last as u64, last as u64 + 1) as usize);
    }
    let mut places = vec![0; n];
    for (place, row) in rows.iter().enumerate() {
        if let Some(slot) = places.get_mut(*row as usize) {
            *slot = place as u32;
        }
    }
    (rows, places)
}

/// Rows that are looked for at once, where so many bytes are free.
fn lot(free: u64, n: usize, (d, depth): (usize, usize), kept: usize) -> Result<usize, CudaError> {
    let many = padded(n, ROWS);
    let staging = STAGING.min((many * d * 4) as u64) as usize;
    let always = many * (2 * depth + 16 + 8) + n * 12 + staging + d * 4;
    let each = 2 * (ROOM * 8 + 8 + kept * 4);
    let left = (free / 100 * SHARE_PERCENT).saturating_sub(always as u64);
    let rows = (left as usize / each).min(LOT.min(many)) / ROWS * ROWS;
    if rows == 0 || u32::try_from(many).is_err() {
        let needed = ((always + each * ROWS) as u64).div_ceil(SHARE_PERCENT) * 100;
        return Err(CudaError::NoRoom { needed, free });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
