//! Where a layout begins: along the principal components of rows, or by the eigenvectors of their
//! graph ([`spectral`](super::spectral)), where what does not hang together is laid out part by
//! part, or where somebody says.

use super::graph::Graph;
use super::{Begun, Init, Options, Why, spectral};
use crate::Error;
use crate::pca::Pca;
use crate::random::Random;
use crate::rows::RowSource;
use crate::watch::Watch;

/// How far the beginning reaches, and how far it is shaken, so that no two points are one.
const REACH: f32 = 10.0;
const NOISE: f32 = 1e-4;
const NOISE_STREAM: u64 = 0x60;
const PART_STREAM: u64 = 0x63;
/// Parts of which each two are looked at.
const PARTS_MAX: usize = 2000;

/// Rows along their principal components.
pub(super) struct Along {
    /// n × components.
    projected: Vec<f32>,
    n_components: usize,
}

impl Along {
    pub(super) fn new(
        rows: &dyn RowSource,
        pca: &Pca,
        options: &Options,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let n_components = options.components_of(rows);
        if pca.n_components() != n_components {
            let (components, most) = (pca.n_components(), n_components);
            return Err(Error::BadComponents { components, most });
        }
        Ok(Self { projected: pca.project(rows, options.threads, watch)?, n_components })
    }

    /// None where there are fewer components.
    fn at(&self, row: usize, axis: usize) -> Option<f32> {
        self.projected
            .get(row * self.n_components + axis)
            .copied()
            .filter(|_| axis < self.n_components)
    }

    /// As far as they reach, or anywhere where there are too few of them.
    pub(super) fn points(&self, n: usize, m: usize, seed: u64) -> Vec<f32> {
        shaken(n, m, seed, |row, axis| self.at(row, axis))
    }
}

/// Points where the options have them begin, and how that came about.
pub(super) fn points(
    graph: &Graph,
    along: &Along,
    options: &Options,
    threads: usize,
    watch: &dyn Watch,
) -> Result<(Vec<f32>, Begun), Error> {
    let (n, m, seed) = (graph.rows(), options.dimensions, options.seed);
    let why = match &options.init {
        Init::Given(given) => return Ok((of_given(given, m, seed), Begun::Given)),
        Init::Pca => return Ok((along.points(n, m, seed), Begun::Pca(Why::Asked))),
        Init::Spectral => match parts(graph, along, m, seed, threads, watch)? {
            Ok((found, parts)) => {
                let points = shaken(n, m, seed, |row, axis| Some(found[row * m + axis]));
                return Ok((points, Begun::Spectral { parts }));
            }
            Err(why) => why,
        },
    };
    Ok((along.points(n, m, seed), Begun::Pca(why)))
}

/// Of a graph that hangs together its eigenvectors, of one that does not those of its parts, each
/// about a middle of its own, and how many there are; or why there are none.
fn parts(
    graph: &Graph,
    along: &Along,
    m: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Result<(Vec<f32>, usize), Why>, Error> {
    let parts = graph.parts();
    if let [all] = &parts[..] {
        if all.len() < few(m) {
            return Ok(Err(Why::Few));
        }
        let found = spectral::vectors(graph, m, seed, threads, watch)?;
        let found = found.map(|found| (found.iter().map(|x| *x as f32).collect(), 1));
        return Ok(found.ok_or(Why::NotFound));
    }
    if parts.len() > PARTS_MAX {
        return Ok(Err(Why::Parts));
    }
    let middles = middles(&parts, along, m);
    let random = Random::new(seed, PART_STREAM);
    let mut points = vec![0.0; graph.rows() * m];
    for (nth, (rows, middle)) in parts.iter().zip(middles.chunks_exact(m)).enumerate() {
        let Some(nearest) = nearest(&middles, middle, m) else { return Ok(Err(Why::Parts)) };
        let room = nearest / 2.0;
        let own = match rows.len() < few(m) {
            // So few are anywhere within.
            true => (0..rows.len() * m)
                .map(|at| 2.0 * random.unit((rows[at / m] as usize * m + at % m) as u64) - 1.0)
                .collect(),
            false => {
                let part = graph.part(rows);
                match spectral::vectors(&part, m, seed ^ nth as u64, threads, watch)? {
                    Some(found) => found,
                    None => return Ok(Err(Why::NotFound)),
                }
            }
        };
        let most = own.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
        for (row, own) in rows.iter().zip(own.chunks_exact(m)) {
            let point = &mut points[*row as usize * m..][..m];
            for ((slot, x), middle) in point.iter_mut().zip(own).zip(middle) {
                *slot = (middle + x / most * room) as f32;
            }
        }
    }
    Ok(Ok((points, parts.len())))
}

/// Rows that are too few for eigenvectors.
fn few(m: usize) -> usize {
    (2 * m).max(m + 2)
}

/// Where parts are about: at the ends of the axes where there are no more than these, else where
/// the means of their rows are along the principal components.
fn middles(parts: &[Vec<u32>], along: &Along, m: usize) -> Vec<f64> {
    if parts.len() <= 2 * m {
        let half = parts.len().div_ceil(2);
        let end = |part: usize| match part < half {
            true => (part, 1.0),
            false => (part - half, -1.0),
        };
        let coordinate =
            |part: usize, axis: usize| if end(part).0 == axis { end(part).1 } else { 0.0 };
        return (0..parts.len() * m).map(|at| coordinate(at / m, at % m)).collect();
    }
    let mean = |(rows, axis): (&Vec<u32>, usize)| {
        let all = rows.iter().filter_map(|row| along.at(*row as usize, axis));
        all.map(f64::from).sum::<f64>() / rows.len() as f64
    };
    let each = |rows| (0..m).map(move |axis| (rows, axis));
    let mut middles: Vec<f64> = parts.iter().flat_map(each).map(mean).collect();
    let most = middles.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
    middles.iter_mut().for_each(|x| *x /= most);
    middles
}

/// How far it is to the nearest of the others that are elsewhere.
fn nearest(middles: &[f64], own: &[f64], m: usize) -> Option<f64> {
    let square =
        |other: &[f64]| -> f64 { other.iter().zip(own).map(|(a, b)| (a - b).powi(2)).sum() };
    let squares = middles.chunks_exact(m).map(square).filter(|square| *square > 0.0);
    squares.min_by(f64::total_cmp).map(f64::sqrt)
}

/// What somebody said, brought to where layouts begin. Rows that are one are shaken apart.
fn of_given(given: &[f32], m: usize, seed: u64) -> Vec<f32> {
    shaken(given.len() / m, m, seed, |row, axis| given.get(row * m + axis).copied())
}

/// Coordinates brought to [`REACH`], or noise where there are none.
fn shaken(
    n: usize,
    m: usize,
    seed: u64,
    coordinate: impl Fn(usize, usize) -> Option<f32>,
) -> Vec<f32> {
    let all = (0..n * m).filter_map(|at| coordinate(at / m, at % m));
    let most = all.fold(0.0_f32, |most, x| most.max(x.abs()));
    let scale = if most > 0.0 { REACH / most } else { 0.0 };
    let random = Random::new(seed, NOISE_STREAM);
    let mut points = vec![0.0; n * m];
    for (at, slot) in points.iter_mut().enumerate() {
        let noise = random.bell(at as u64) as f32;
        *slot = match coordinate(at / m, at % m) {
            Some(x) if scale > 0.0 => x * scale + noise * NOISE,
            _ => noise,
        };
    }
    spread(&mut points, m);
    points
}

/// Each dimension from 0 to [`REACH`].
fn spread(points: &mut [f32], m: usize) {
    for at in 0..m {
        let values = || points.iter().skip(at).step_by(m).copied();
        let least = values().fold(f32::INFINITY, f32::min);
        let most = values().fold(f32::NEG_INFINITY, f32::max);
        if most > least {
            let scale = REACH / (most - least);
            points.iter_mut().skip(at).step_by(m).for_each(|x| *x = (*x - least) * scale);
        }
    }
}
