//! Rows dealt to lists: each to that of its nearest centroid.

use crate::Error;
use crate::kernel::{Level, Panels, scores};
use crate::kmeans;
use crate::knn::candidates::{Candidates, error_of, sort, squared_norm};
use crate::knn::exact::ROWS_AT_ONCE;
use crate::knn::{centre, centred};
use crate::metrics::squared_distance;
use crate::rows::{BLOCK_ROWS, Matrix, RowSource};
use crate::sample;
use crate::threads::for_each;
use crate::watch::{Phase, Watch};

/// Rows that centroids are found of, for each list.
const ROWS_A_LIST: usize = 48;
const ITERATIONS: u32 = 5;
const SAMPLE_STREAM: u64 = 0x71;
/// Lists that are so many times as long as they are in the mean, as where many rows are alike,
/// are cut.
const LONGEST: usize = 8;

/// Lists of rows. Those of one list lie together: a row's place is where.
pub(super) struct Lists {
    /// The middle of all rows, from which the kernels measure.
    pub centre: Vec<f32>,
    /// lists × d; lists that were cut have the same.
    centroids: Vec<f32>,
    panels: Panels,
    /// The place where each list begins, and where the last ends.
    pub starts: Vec<usize>,
    /// The row at each place.
    pub numbers: Vec<u32>,
    /// The list of each row.
    pub of: Vec<u32>,
}

/// The watch of k-means, of whose phases nobody is told: they are a part of ours.
struct Quiet<'a>(&'a dyn Watch);

impl Watch for Quiet<'_> {
    fn progress(&self, _: Phase, _: u64, _: u64) {}

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Lists {
    pub(super) fn new(
        rows: &dyn RowSource,
        many: usize,
        seed: u64,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Self, Error> {
        let (n, d) = (rows.rows(), rows.dimensions());
        let many = many.clamp(1, n);
        let centroids = centroids(rows, many, seed, threads, watch)?;
        // Labels of given centroids, which stay where they are.
        let options = kmeans::Options {
            max_iterations: 0,
            init: kmeans::Init::Given(centroids),
            threads: Some(threads),
            ..kmeans::Options::new(many, seed)
        };
        let dealt = kmeans::fit(rows, &options, &Quiet(watch))?;
        let longest = LONGEST * n.div_ceil(many);
        let parts: Vec<usize> =
            dealt.sizes.iter().map(|size| (*size as usize).div_ceil(longest)).collect();
        let mut first = Vec::with_capacity(many);
        let mut centroids = Vec::with_capacity(dealt.centroids.len());
        for (centroid, parts) in dealt.centroids.chunks_exact(d).zip(&parts) {
            first.push((centroids.len() / d) as u32);
            (0..*parts).for_each(|_| centroids.extend_from_slice(centroid));
        }
        let mut seen = vec![0; many];
        let mut of = dealt.labels;
        for label in &mut of {
            let at = *label as usize;
            let (Some(seen), Some(first)) = (seen.get_mut(at), first.get(at)) else { continue };
            *label = first + (*seen / longest) as u32;
            *seen += 1;
        }
        let centre = centre(rows)?;
        let panels = Panels::new(&centred(&centroids, &centre), d);
        let (starts, numbers) = by_list(&of, centroids.len() / d);
        Ok(Self { centre, centroids, panels, starts, numbers, of })
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn dimensions(&self) -> usize {
        self.centre.len()
    }

    /// The list of a row.
    pub(super) fn list(&self, row: usize) -> u32 {
        self.of.get(row).copied().unwrap_or_default()
    }

    /// The places of a list.
    pub(super) fn places(&self, list: usize) -> std::ops::Range<usize> {
        let end = |at: usize| self.starts.get(at).copied().unwrap_or_default();
        end(list)..end(list + 1)
    }

    /// All lists in the order in which a row would look at them: its own, then the nearest.
    pub(super) fn in_order(&self, row: &[f32], own: u32) -> Vec<u32> {
        let each = self.centroids.chunks_exact(row.len()).zip(0..);
        let mut order: Vec<(f64, u32)> =
            each.map(|(centroid, list)| (squared_distance(row, centroid), list)).collect();
        if let Some(own) = order.get_mut(own as usize) {
            own.0 = -1.0;
        }
        sort(&mut order);
        order.into_iter().map(|(_, list)| list).collect()
    }

    /// The lists that each row looks at, `many` of each, by number: its own and those of the
    /// nearest centroids, without doubt, as rounding in 32 bits is not the same everywhere.
    /// `own` has the list of each row.
    pub(super) fn probes(
        &self,
        rows: &dyn RowSource,
        own: &(dyn Fn(usize) -> u32 + Sync),
        many: usize,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<u32>, Error> {
        let (d, level) = (rows.dimensions(), Level::detect());
        let mut probes = vec![0; rows.rows() * many];
        let mut blocks: Vec<&mut [u32]> = probes.chunks_mut(BLOCK_ROWS * many).collect();
        let worker = (Vec::new(), Candidates::new(many + 1));
        let mut workers = vec![worker; threads];
        for_each(&mut blocks, &mut workers, watch, |(line, nearest), index, probes| {
            let block = rows.block(index)?;
            let centred = centred(&block, &self.centre);
            let first = rows.block_rows(index).start;
            let mut each = block.chunks_exact(d).zip(probes.chunks_mut(many)).zip(first..);
            for tile in centred.chunks(ROWS_AT_ONCE * d) {
                scores(level, tile, &self.panels, line);
                let lines = tile.chunks_exact(d).zip(line.chunks_exact(self.panels.width()));
                for ((centred, scores), ((row, probes), number)) in lines.zip(each.by_ref()) {
                    nearest.clear();
                    nearest.take(level, scores, 0);
                    let error = error_of(d, squared_norm(centred).sqrt(), self.panels.norm_max);
                    let own = own(number);
                    if !sure_probes(nearest, error, own, probes) {
                        let order = self.in_order(row, own);
                        probes.iter_mut().zip(order).for_each(|(slot, list)| *slot = list);
                    }
                    probes.sort_unstable();
                }
            }
            Ok(())
        })?;
        Ok(probes)
    }
}

/// Fills `probes` with the nearest of the candidates, one more than those, if there is no doubt
/// which they are.
fn sure_probes(nearest: &mut Candidates, error: f64, own: u32, probes: &mut [u32]) -> bool {
    let mut found = nearest.in_order();
    let mut last = f64::NEG_INFINITY;
    for slot in probes.iter_mut() {
        // Scores may be beyond 32 bits.
        let Some((score, list)) = found.next() else { return false };
        (*slot, last) = (list, f64::from(score));
    }
    // Where there are no more, all are meant.
    let is_sure = found.next().is_none_or(|(score, _)| f64::from(score) - last > 2.0 * error);
    is_sure && probes.contains(&own)
}

/// K-means of some rows, begun at some of those.
fn centroids(
    rows: &dyn RowSource,
    many: usize,
    seed: u64,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<f32>, Error> {
    let d = rows.dimensions();
    let drawn = sample::draw(rows, many * ROWS_A_LIST, seed, SAMPLE_STREAM)?;
    let n = drawn.numbers.len();
    let start = |list: usize| {
        let from = list * n / many * d;
        drawn.values.get(from..from + d).unwrap_or_default()
    };
    let init: Vec<f32> = (0..many).flat_map(start).copied().collect();
    let options = kmeans::Options {
        max_iterations: ITERATIONS,
        init: kmeans::Init::Given(init),
        threads: Some(threads),
        ..kmeans::Options::new(many, seed)
    };
    let sample = Matrix::of_finite(&drawn.values, d);
    Ok(kmeans::fit(&sample, &options, &Quiet(watch))?.centroids)
}

/// Where each list begins, and the rows of all lists, in order.
fn by_list(of: &[u32], many: usize) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0; many + 1];
    for list in of {
        if let Some(end) = starts.get_mut(*list as usize + 1) {
            *end += 1;
        }
    }
    let mut sum = 0;
    for end in &mut starts {
        sum += *end;
        *end = sum;
    }
    let (mut next, mut numbers) = (starts.clone(), vec![0; of.len()]);
    for (row, list) in of.iter().enumerate() {
        let Some(next) = next.get_mut(*list as usize) else { continue };
        if let Some(slot) = numbers.get_mut(*next) {
            *slot = row as u32;
        }
        *next += 1;
    }
    (starts, numbers)
}
