//! How far the neighbours of rows stay their neighbours in a projection, on a sample where all
//! rows would take too long. What was sampled is told with the value.

use super::pairs::{Crowd, GROUP, WORK};
use super::ranks::{Least, Ranks, excess_ranks, nearest};
use crate::Error;
use crate::rows::RowSource;
use crate::sample;
use crate::threads::for_each;
use crate::watch::Watch;

/// What is done with a distance beside working it out, in numbers: compared with those to some
/// neighbours.
const RANKED: usize = 100;
const SAMPLE_MIN: usize = 500;
/// Rows among which neighbours are looked for.
const CROWD_MAX: usize = 50_000;

/// Rows of those that distances are worked out to at a time, while they are in a cache.
const PART: usize = 512;

const CROWD_STREAM: u64 = 0x52;
const ASKED_STREAM: u64 = 0x53;

/// Whether neighbours in a projection were neighbours before: 1 if all were, about 0.5 by
/// chance (Venna and Kaski 2001).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trustworthiness {
    pub value: f64,
    pub neighbours: usize,
    /// Rows whose neighbours were looked at.
    pub rows: usize,
    /// Rows among which they were looked for.
    pub among: usize,
}

/// What a projection keeps of the neighbourhoods of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbourhoods {
    /// As [`Trustworthiness`].
    pub trustworthiness: f64,
    /// Whether those that were neighbours before still are: 1 if all are, about 0.5 by chance
    /// (Venna and Kaski 2001).
    pub continuity: f64,
    /// The share of the neighbours before that are neighbours in the projection.
    pub preservation: f64,
    pub neighbours: usize,
    /// Rows whose neighbours were looked at.
    pub rows: usize,
    /// Rows among which they were looked for.
    pub among: usize,
}

/// `projected` has as many rows, of any number of dimensions. None where there are too few rows
/// for so many neighbours.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn trustworthiness(
    rows: &dyn RowSource,
    projected: &[f32],
    neighbours: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Trustworthiness>, Error> {
    let Some(view) = View::new(rows, projected, neighbours, seed)? else { return Ok(None) };
    let is = view.near(threads, watch)?;
    let (_, new) = view.before(&is, threads, watch)?;
    let (rows, among) = (view.asked.len(), view.crowd.len());
    Ok(Some(Trustworthiness { value: view.kept(new), neighbours, rows, among }))
}

/// All that there is to say of neighbours, in twice the time that [`trustworthiness`] takes at most.
/// `projected` has as many rows, of any number of dimensions. None where there are too few
/// rows for so many neighbours.
///
/// # Errors
/// Where rows cannot be read, or `watch` cancels.
pub fn neighbourhoods(
    rows: &dyn RowSource,
    projected: &[f32],
    neighbours: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Option<Neighbourhoods>, Error> {
    let Some(view) = View::new(rows, projected, neighbours, seed)? else { return Ok(None) };
    let is = view.near(threads, watch)?;
    let (was, new) = view.before(&is, threads, watch)?;
    let gone = view.after(threads, watch, |nth, after, row| {
        excess_ranks(was.get(nth).map_or(&[], Vec::as_slice), after, row, neighbours)
    })?;
    let gone = gone.into_iter().sum();
    let both = was.iter().zip(&is).flat_map(|(was, is)| was.iter().filter(|row| is.contains(row)));
    let both = both.count() as u64;
    let (rows, among) = (view.asked.len(), view.crowd.len());
    Ok(Some(Neighbourhoods {
        trustworthiness: view.kept(new),
        continuity: view.kept(gone),
        preservation: both as f64 / (rows * neighbours) as f64,
        neighbours,
        rows,
        among,
    }))
}

/// Rows whose neighbours are looked at, those among which they are looked for, and both of these
/// in the projection.
struct View<'a> {
    rows: &'a dyn RowSource,
    /// The numbers of rows among which neighbours are looked for, and where the projection has them.
    crowd: Vec<usize>,
    projected: Vec<f32>,
    low: Crowd,
    /// By their place in the crowd.
    asked: Vec<usize>,
    neighbours: usize,
}

/// A thread's own, for a part of the crowd after another: what it has found out of all that are
/// asked for.
#[derive(Clone)]
struct Worker {
    values: Vec<f32>,
    distances: Vec<f32>,
    of: Vec<(Least, Ranks)>,
}

impl<'a> View<'a> {
    fn new(
        rows: &'a dyn RowSource,
        projected: &[f32],
        neighbours: usize,
        seed: u64,
    ) -> Result<Option<Self>, Error> {
        let (n, d) = (rows.rows(), rows.dimensions());
        let m = projected.len() / n.max(1);
        let crowd = sample::numbers(n, CROWD_MAX, seed, CROWD_STREAM);
        let among = crowd.len();
        if m == 0 || neighbours == 0 || 2 * neighbours >= among {
            return Ok(None);
        }
        let projected = gather(projected, &crowd, m);
        let many = ((WORK / (among * (d + RANKED)) as f64) as usize).max(SAMPLE_MIN);
        let asked = sample::numbers(among, many, seed, ASKED_STREAM);
        let low = Crowd::new(&projected, m);
        Ok(Some(Self { rows, crowd, projected, low, asked, neighbours }))
    }

    /// What `of` makes of each row that is asked for: which one it is, its squared distances in the
    /// projection to all of the crowd, and its place there.
    fn after<T: Send + Default>(
        &self,
        threads: usize,
        watch: &dyn Watch,
        of: impl Fn(usize, &[f32], usize) -> T + Sync,
    ) -> Result<Vec<T>, Error> {
        let m = self.projected.len() / self.crowd.len();
        let mut found = Vec::new();
        found.resize_with(self.asked.len().div_ceil(GROUP), Vec::new);
        let mut workers = vec![Vec::new(); threads.max(1)];
        for_each(&mut found, &mut workers, watch, |distances, group, found| {
            let places = self.asked.chunks(GROUP).nth(group).unwrap_or_default();
            let low = gather(&self.projected, places, m);
            let lines = self.low.distances(&low, distances).zip(places).zip(group * GROUP..);
            found.extend(lines.map(|((after, place), nth)| of(nth, after, *place)));
            Ok(())
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The neighbours in the projection of each row that is asked for.
    fn near(&self, threads: usize, watch: &dyn Watch) -> Result<Vec<Vec<usize>>, Error> {
        self.after(threads, watch, |_, after, place| nearest(after, place, self.neighbours))
    }

    /// The rows at some places of the crowd, which are in order.
    fn fetch(&self, places: &[usize], values: &mut Vec<f32>) -> Result<(), Error> {
        let number = |place: &usize| self.crowd.get(*place).copied().unwrap_or_default();
        let numbers: Vec<usize> = places.iter().map(number).collect();
        values.clear();
        sample::fetch(self.rows, &numbers, values)
    }

    /// The neighbours before of each row that is asked for, and the ranks in excess that those in the
    /// projection had then. Distances to a part of the crowd at a time: there is no room for all.
    fn before(
        &self,
        is: &[Vec<usize>],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<(Vec<Vec<usize>>, u64), Error> {
        let (d, k) = (self.rows.dimensions(), self.neighbours);
        let mut high = Vec::new();
        self.fetch(&self.asked, &mut high)?;
        let of: Vec<(Least, Ranks)> = self
            .fars(is, &high)?
            .into_iter()
            .map(|fars| (Least::new(k), Ranks::new(fars)))
            .collect();
        let worker = Worker { values: Vec::new(), distances: Vec::new(), of };
        let mut workers = vec![worker; threads.max(1)];
        let mut parts = vec![(); self.crowd.len().div_ceil(PART)];
        for_each(&mut parts, &mut workers, watch, |worker, part, ()| {
            let Worker { values, distances, of } = worker;
            let first = part * PART;
            let places: Vec<usize> = (first..(first + PART).min(self.crowd.len())).collect();
            self.fetch(&places, values)?;
            let crowd = Crowd::new(values, d);
            let groups = high.chunks(GROUP * d).zip(of.chunks_mut(GROUP));
            for ((asked, of), own) in groups.zip(self.asked.chunks(GROUP)) {
                let lines = crowd.distances(asked, distances).zip(of).zip(own);
                for ((line, (least, ranks)), own) in lines {
                    least.take(line, first, *own);
                    ranks.take(line, first, *own);
                }
            }
            Ok(())
        })?;
        let mut workers = workers.into_iter().map(|worker| worker.of);
        let mut all = workers.next().unwrap_or_default();
        for other in workers {
            for ((least, ranks), (other_least, other_ranks)) in all.iter_mut().zip(&other) {
                least.merge(other_least);
                ranks.add(other_ranks);
            }
        }
        let excess = all.iter().map(|(_, ranks)| ranks.excess(k)).sum();
        Ok((all.iter().map(|(least, _)| least.rows()).collect(), excess))
    }

    /// How far the neighbours in the projection were before, and which they are.
    fn fars(&self, is: &[Vec<usize>], high: &[f32]) -> Result<Vec<Vec<(f32, usize)>>, Error> {
        let d = self.rows.dimensions();
        let mut places: Vec<usize> = is.iter().flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        let mut values = Vec::new();
        self.fetch(&places, &mut values)?;
        let mut distances = Vec::new();
        let fars = is.iter().zip(high.chunks(d)).map(|(is, asked)| {
            let at = |place: &usize| places.binary_search(place).unwrap_or_default();
            let near = gather(&values, &is.iter().map(at).collect::<Vec<_>>(), d);
            let line = Crowd::new(&near, d).distances(asked, &mut distances).next();
            let line = line.unwrap_or_default().iter().copied();
            line.zip(is.iter().copied()).collect()
        });
        Ok(fars.collect())
    }

    /// 1 less the ranks in excess, by the most that there could be.
    fn kept(&self, excess: u64) -> f64 {
        let (of, all) = (self.asked.len() as f64, self.crowd.len() as f64);
        let k = self.neighbours as f64;
        1.0 - 2.0 / (of * k * (2.0 * all - 3.0 * k - 1.0)) * excess as f64
    }
}

/// Some rows, one after another.
fn gather(rows: &[f32], numbers: &[usize], d: usize) -> Vec<f32> {
    let row = |row: &usize| rows.get(row * d..(row + 1) * d).unwrap_or_default();
    numbers.iter().flat_map(row).copied().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::pairs::{distorted, scattered};
    use super::*;
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    #[test]
    fn a_projection_that_keeps_the_order_is_trusted() {
        let values: Vec<f32> = (0..40).map(|at| (at * at) as f32).collect();
        let rows = Matrix::new(&values, 1).unwrap();
        let trust = |projected: &[f32]| {
            trustworthiness(&rows, projected, 3, 1, 2, &Unwatched).unwrap().unwrap().value
        };
        assert_eq!(trust(&values), 1.0);
        let shuffled: Vec<f32> = (0..40).map(|at| (at * 17 % 40) as f32).collect();
        assert!(trust(&shuffled) < 0.7);
    }

    /// Figures of scikit-learn 1.9.1: trustworthiness both ways, and neighbours that are kept.
    #[test]
    fn neighbourhoods_are_as_scikit_learn_has_them() {
        let values = scattered(60, 4);
        let rows = Matrix::new(&values, 4).unwrap();
        let projected = distorted(&values, 4);
        for threads in [1, 3] {
            let found = neighbourhoods(&rows, &projected, 5, 1, threads, &Unwatched);
            let found = found.unwrap().unwrap();
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
            close(found.trustworthiness, 0.790_576_923_076_923_1);
            close(found.continuity, 0.870_961_538_461_538_5);
            close(found.preservation, 0.346_666_666_666_666_6);
            let trust = trustworthiness(&rows, &projected, 5, 1, threads, &Unwatched);
            assert_eq!(trust.unwrap().unwrap().value, found.trustworthiness);
        }
        let same = neighbourhoods(&rows, &values, 5, 1, 1, &Unwatched).unwrap().unwrap();
        assert_eq!((same.trustworthiness, same.continuity, same.preservation), (1.0, 1.0, 1.0));
        assert_eq!(neighbourhoods(&rows, &values, 30, 1, 1, &Unwatched).unwrap(), None);
    }
}
