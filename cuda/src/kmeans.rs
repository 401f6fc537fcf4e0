//! K-means' rows dealt to centroids on a device. Rows are there as halves, with a bound for each
//! score; what it does not settle, and the means, are `embedding`'s ([`Driven`]). So labels,
//! centroids and inertia have the bits of the processor's, whoever dealt in which iteration.
pub(crate) mod several;

use std::rc::Rc;

use embedding::kmeans::{Clustering, Driven, Options, Prepared, UNSURE};
use embedding::rows::RowSource;
use embedding::watch::Watch;

use crate::bound::{self, Centroids};
use crate::card::{Blocks, Card, Held, Kernel};
use crate::check;
use crate::device::Gpu;
use crate::error::{CudaError, Failure};
use crate::mirror::Mirror;
use crate::plan::{Place, Shape};
use crate::tile::{COLUMNS, HOPPER_ROOM, HOPPER_ROWS_MAX, HOPPER_THREADS, ROWS, THREADS, padded};
use several::Several;

const ASSIGN: Kernel = Kernel("kmeans_assign");
/// Of `hopper.cu`, for so many centroids at a time.
const HOPPER: [(usize, Kernel); 2] =
    [(COLUMNS, Kernel("hopper_assign_128")), (usize::MAX, Kernel("hopper_assign_256"))];

/// What came of a fit, and who did it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    pub clustering: Clustering,
    /// Where the device had the rows, if there was one that took them.
    pub place: Option<Place>,
    /// Rows that the device was not sure of, in all iterations.
    pub unsure: u64,
    /// Why the processor's cores did what the device did not, for whoever asked for the device.
    pub fell_back: Option<String>,
}

/// Clusters rows on a device, or on all there are where rows are many, to the same bits as [`embedding::kmeans::fit`]. Where it fails, the
/// cores go on from its last centroids.
///
/// # Errors
/// As [`embedding::kmeans::fit`]: what a device does is never an error.
pub fn fit(
    gpu: &Gpu,
    rows: &dyn RowSource,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Fitted, embedding::Error> {
    let open = |prepared: &Prepared| {
        let worth = rows.rows() * rows.dimensions() / several::EACH;
        let cards = gpu.cards(worth);
        cards.iter().try_for_each(check::clusters)?;
        Several::new(&cards, rows, prepared, options.k, watch)
    };
    fit_on(open, rows, options, watch)
}

/// Whoever says which centroid is the nearest to each row.
pub(crate) trait Deal {
    /// The label of each row, or [`UNSURE`].
    fn deal(&mut self, centroids: &[f32]) -> Result<Vec<u32>, CudaError>;

    fn place(&self) -> Place;
}

/// Clusters rows on a device that is opened once what it has to know of rows is known.
pub(crate) fn fit_on<D: Deal>(
    open: impl FnOnce(&Prepared) -> Result<D, Failure>,
    rows: &dyn RowSource,
    options: &Options,
    watch: &dyn Watch,
) -> Result<Fitted, embedding::Error> {
    let prepared = Prepared::new(rows, options.threads, watch)?;
    let mut driven = Driven::new(rows, &prepared, options, watch)?;
    let (mut place, mut unsure) = (None, 0);
    let dealt = (|| {
        let mut device = open(&prepared)?;
        place = Some(device.place());
        loop {
            let labels = device.deal(driven.centroids())?;
            unsure += labels.iter().filter(|label| **label == UNSURE).count() as u64;
            driven.take_all(&labels, watch)?;
            if !driven.advance(watch)? {
                return Ok(());
            }
        }
    })();
    let (clustering, fell_back) = match dealt {
        Ok(()) => (driven.end(watch)?, None),
        Err(Failure::Input(error)) => return Err(error),
        Err(Failure::Device(error)) => (driven.finish(watch)?, Some(error.to_string())),
    };
    Ok(Fitted { clustering, place, unsure, fell_back })
}

/// A device that has the rows.
pub(crate) struct Device {
    card: Rc<dyn Card>,
    shape: Shape,
    place: Place,
    centre: Vec<f32>,
    scale: f64,
    halves: Halves,
    row_terms: Held<[f32; 2]>,
    labels: Held<u32>,
    /// Centroids and their terms, while they are at work.
    asked: Option<(Held<u16>, Held<[f32; 4]>)>,
}

enum Halves {
    Here(Held<u16>),
    Sent { all: Vec<u16>, turns: [Held<u16>; 2], rows: usize },
}

impl Device {
    /// With rows taken in for `k` clusters; kept at `place`, where somebody says so.
    ///
    /// # Errors
    /// Where there is no room in it, rows cannot be read, or `watch` cancels.
    pub(crate) fn new(
        card: &Rc<dyn Card>,
        rows: &dyn RowSource,
        prepared: &Prepared,
        k: usize,
        place: Option<Place>,
        watch: &dyn Watch,
    ) -> Result<Self, Failure> {
        let shape = Shape { n: rows.rows(), d: rows.dimensions(), k };
        let place = match place {
            Some(place) => place,
            None => shape.plan(card.free()?)?,
        };
        let (many, depth) = (padded(shape.n, ROWS), shape.depth());
        let mut halves = match place {
            Place::Resident => Halves::Here(Held::zeros(card, many * depth)?),
            Place::Sent { rows } => {
                let turn = || Held::zeros(card, rows * depth);
                let (all, turns) = (vec![0; many * depth], [turn()?, turn()?]);
                Halves::Sent { all, turns, rows }
            }
        };
        let row_terms = Held::zeros(card, many)?;
        let labels = Held::zeros(card, shape.n)?;
        let (centre, scale) = (prepared.centre().to_vec(), bound::scale(prepared.reach()));
        let mirror = Mirror::new(card, &centre, scale, (depth, 1))?;
        let rows_max = match place {
            Place::Resident => shape.n,
            Place::Sent { rows } => rows,
        };
        mirror.take_in(rows, rows_max, watch, |first, many, made| match &mut halves {
            Halves::Here(all) => made((all, first), (&row_terms, first), None),
            Halves::Sent { all, turns: [turn, _], .. } => {
                made((turn, 0), (&row_terms, first), None)?;
                let to = all.get_mut(first * depth..(first + many) * depth);
                turn.read(0, 0, to.unwrap_or_default())
            }
        })?;
        let card = Rc::clone(card);
        Ok(Self { card, shape, place, centre, scale, halves, row_terms, labels, asked: None })
    }

    /// Begins to deal rows to these.
    fn start(&mut self, given: &Centroids) -> Result<(), CudaError> {
        let Self { card, shape, halves, .. } = self;
        let (n, depth) = (shape.n, shape.depth());
        let centroids = Held::of(card, &given.halves)?;
        let terms: Vec<[f32; 4]> = given.terms.iter().map(|terms| terms.words()).collect();
        let terms = Held::of(card, &terms)?;
        // Another queue does not know what is in the first.
        card.wait(0)?;
        let hoppers = card.hoppers().filter(|_| n <= HOPPER_ROWS_MAX);
        let deal = |queue: usize, rows: &Held<u16>, first: usize, many: usize| {
            let tiles = many.div_ceil(ROWS);
            let (kernel, blocks, maps) = match hoppers {
                None => (ASSIGN, Blocks::new(tiles, THREADS), [rows.at(0), centroids.at(0)]),
                Some(processors) => {
                    let fits = HOPPER.iter().find(|(most, _)| terms.len() <= *most);
                    let kernel = fits.map_or(ASSIGN, |(_, kernel)| *kernel);
                    let blocks = Blocks::new(tiles.min(processors), HOPPER_THREADS);
                    let maps = [rows.map(depth)?, centroids.map(depth)?];
                    (kernel, Blocks { room: HOPPER_ROOM, ..blocks }, maps)
                }
            };
            let [rows, centroids] = maps;
            let given = [
                rows,
                centroids,
                terms.at(0),
                self.row_terms.at(first),
                self.labels.at(first),
                (many as u32).into(),
                (depth as u32).into(),
                (terms.len() as u32).into(),
            ];
            card.start(queue, kernel, blocks, &given)
        };
        match halves {
            Halves::Here(all) => deal(0, all, 0, n)?,
            Halves::Sent { all, turns, rows } => {
                // While one turn is computed on, the next is on its way to the other place.
                for (nth, first) in (0..n).step_by(*rows).enumerate() {
                    let (queue, turn) = (nth % 2, &turns[nth % 2]);
                    let many = (*rows).min(n - first);
                    let range = first * depth..(first + padded(many, ROWS)) * depth;
                    turn.fill(queue, 0, all.get(range).unwrap_or_default())?;
                    deal(queue, turn, first, many)?;
                }
            }
        }
        self.asked = Some((centroids, terms));
        Ok(())
    }

    /// The labels, once they are there.
    fn finish(&mut self) -> Result<Vec<u32>, CudaError> {
        self.card.wait(1)?;
        let labels = self.labels.values(0, 0, self.shape.n);
        self.asked = None;
        labels
    }
}

impl Deal for Device {
    fn deal(&mut self, centroids: &[f32]) -> Result<Vec<u32>, CudaError> {
        let given = Centroids::new(centroids, &self.centre, self.scale);
        if given.beyond {
            return Ok(vec![UNSURE; self.shape.n]);
        }
        self.start(&given)?;
        self.finish()
    }

    fn place(&self) -> Place {
        self.place
    }
}
