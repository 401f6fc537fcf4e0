//! The kernels' arithmetic on the processor, tile by tile in the kernels' order, for tests: what
//! tensor cores do to sums is done to them here, by the worst that was seen of any of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use embedding::kmeans::{Prepared, UNSURE};
use embedding::rows::RowSource;

use crate::bound::{Centroids, ROW_SPARE, Terms, halved, scale};
use crate::error::CudaError;
use crate::half::to_single;
use crate::kmeans::Deal;
use crate::plan::Place;
use crate::tile::{COLUMNS, DEPTH, padded};

/// How eight products are added to a sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Adding {
    /// All at once, cut off below 24 bits of the largest.
    Cut,
    /// One by one, each sum to the nearest float.
    Rounded,
}

/// Rows as `kmeans_mirror` leaves them.
pub(crate) struct Mirror {
    pub halves: Vec<f32>,
    /// e and the norm of each row.
    pub terms: Vec<(f32, f32)>,
    pub depth: usize,
}

impl Mirror {
    pub(crate) fn new(rows: &[f32], centre: &[f32], scale: f64) -> Self {
        let (d, depth) = (centre.len(), padded(centre.len(), DEPTH));
        let (mut halves, mut terms) = (Vec::new(), Vec::new());
        for row in rows.chunks(d) {
            let mut bits = vec![0; depth];
            let found = halved(row, centre, scale, &mut bits);
            let up = |value: f64| {
                let single = value as f32;
                let up = if f64::from(single) < value { single.next_up() } else { single };
                up * ROW_SPARE
            };
            terms.push((up(found.lost), up(found.half_norm)));
            halves.extend(bits.iter().map(|bits| to_single(*bits)));
        }
        Self { halves, terms, depth }
    }
}

/// The least of scores less errors, whose that is, and the next.
#[derive(Debug, Clone, Copy)]
struct Nearest {
    low: f32,
    next: f32,
    label: u32,
}

impl Nearest {
    const NONE: Self = Self { low: f32::INFINITY, next: f32::INFINITY, label: u32::MAX };

    fn see(&mut self, other: Self) {
        let is_less = other.low < self.low;
        let rival = if is_less { self.low } else { other.low };
        let behind = if is_less { other.next.min(self.next) } else { self.next };
        self.next = rival.min(behind);
        if is_less {
            (self.low, self.label) = (other.low, other.label);
        }
    }
}

/// The product of a row and a centroid as tensor cores have it, added to a sum.
pub(crate) fn product(a: &[f32], b: &[f32], mut sum: f32, adding: Adding) -> f32 {
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        let products: Vec<f64> =
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).collect();
        sum = match adding {
            Adding::Cut => cut(&products, f64::from(sum)),
            Adding::Rounded => products.iter().fold(sum, |sum, product| sum + *product as f32),
        };
    }
    sum
}

fn cut(products: &[f64], sum: f64) -> f32 {
    let largest = products.iter().fold(sum.abs(), |largest, value| largest.max(value.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    let unit = 2_f64.powi((largest.to_bits() >> 52) as i32 - 1023 - 23);
    let units = |value: &f64| (value / unit).trunc();
    let whole = (products.iter().map(units).sum::<f64>() + units(&sum)) * unit;
    let single = whole as f32;
    match f64::from(single.abs()) > whole.abs() {
        true if single > 0.0 => single.next_down(),
        true => single.next_up(),
        false => single,
    }
}

pub(crate) fn error(row: (f32, f32), of: &Terms) -> f32 {
    row.0.mul_add(of.norm, row.1.mul_add(of.share, of.rest))
}

/// `kmeans_assign` of one row: its label, and whether it is sure of it.
pub(crate) fn assign(
    row: &[f32],
    terms: (f32, f32),
    (halves, of): (&[f32], &[Terms]),
    adding: Adding,
) -> (u32, bool) {
    // Two warps of four lanes each see their columns, tile after tile.
    let mut parts = [[Nearest::NONE; 4]; 2];
    for first in (0..of.len()).step_by(COLUMNS) {
        for (warp, parts) in parts.iter_mut().enumerate() {
            for (lane, part) in parts.iter_mut().enumerate() {
                for c in 0..16 {
                    let j = first + warp * 64 + (c >> 1) * 8 + lane * 2 + (c & 1);
                    let centroid = &halves[j * row.len()..(j + 1) * row.len()];
                    let product = product(row, centroid, 0.0, adding);
                    let low = of[j].half_square - product - error(terms, &of[j]);
                    part.see(Nearest { low, next: f32::INFINITY, label: j as u32 });
                }
            }
        }
    }
    let [mut all, other] = parts.map(|lanes| {
        let [mut a, b, mut c, d] = lanes;
        a.see(b);
        c.see(d);
        a.see(c);
        a
    });
    all.see(other);
    let is_sure = all.label != u32::MAX
        && all.next > 2.0_f32.mul_add(error(terms, &of[all.label as usize]), all.low);
    (all.label, is_sure)
}

/// The whole of the device: what `kmeans.rs` does with the kernels. Lost after so many dealings,
/// where somebody says so.
pub(crate) struct Emulator {
    adding: Adding,
    mirror: Mirror,
    centre: Vec<f32>,
    scale: f64,
    pub left: Option<u32>,
}

impl Emulator {
    pub(crate) fn new(rows: &dyn RowSource, prepared: &Prepared, adding: Adding) -> Self {
        let blocks = (0..rows.n_blocks()).map(|index| rows.block(index).unwrap());
        let values: Vec<f32> = blocks.flat_map(|block| block.into_owned()).collect();
        let (centre, scale) = (prepared.centre().to_vec(), scale(prepared.reach()));
        let mirror = Mirror::new(&values, &centre, scale);
        Self { adding, mirror, centre, scale, left: None }
    }
}

impl Deal for Emulator {
    fn deal(&mut self, centroids: &[f32]) -> Result<Vec<u32>, CudaError> {
        if self.left == Some(0) {
            let reason = "an illegal memory access was encountered".to_owned();
            return Err(CudaError::Driver { doing: "deal rows to centroids", reason });
        }
        self.left = self.left.map(|left| left - 1);
        let given = Centroids::new(centroids, &self.centre, self.scale);
        let halves: Vec<f32> = given.halves.iter().map(|bits| to_single(*bits)).collect();
        let rows = self.mirror.halves.chunks(self.mirror.depth).zip(&self.mirror.terms);
        let label = |(row, terms): (&[f32], &(f32, f32))| {
            let (label, is_sure) = assign(row, *terms, (&halves, &given.terms), self.adding);
            if is_sure && !given.beyond { label } else { UNSURE }
        };
        Ok(rows.map(label).collect())
    }

    fn place(&self) -> Place {
        Place::Resident
    }
}

/// The terms of a bound that claims that nothing is ever wrong.
pub(crate) fn without_error(terms: &[Terms]) -> Vec<Terms> {
    terms.iter().map(|of| Terms { norm: 0.0, share: 0.0, rest: 0.0, ..*of }).collect()
}
