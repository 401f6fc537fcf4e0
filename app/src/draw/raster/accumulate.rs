//! The inner loops of the raster: a block of 64 points onto the cells. Pixels by four
//! lanes at once; discs one by one, their weights from the stamp's table.

use super::layer::{Cells, SPARE_CELLS};
use crate::draw::Size;
use crate::draw::axis::Split;
use crate::draw::lanes::{Counts, Lanes};
use crate::draw::palette::Palette;
use crate::draw::points::{BLOCK, Chunk};
use crate::draw::projection::{AxisLens, Lens};
use crate::draw::stamp::{SUBPIXELS, Stamp, Stamps};

const LANES: usize = 4;
const NOTHING: [f32; BLOCK] = [0.0; BLOCK];
const FIRST_COLOR: [u8; BLOCK] = [0; BLOCK];

/// 64 points that lie together.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    x: [&'a [f32; BLOCK]; 2],
    y: [&'a [f32; BLOCK]; 2],
    colors: &'a [u8; BLOCK],
    /// For those that have stamps of their own.
    chunk: &'a Chunk,
    block: usize,
}

impl<'a> Spot<'a> {
    pub fn new(chunk: &'a Chunk, block: usize, fine: bool) -> Option<Self> {
        let nth = |values: &'a [f32]| values.as_chunks::<BLOCK>().0.get(block);
        let low = |values: &'a [f32]| if fine { nth(values).unwrap_or(&NOTHING) } else { &NOTHING };
        Some(Self {
            x: [nth(&chunk.x.hi)?, low(&chunk.x.lo)],
            y: [nth(&chunk.y.hi)?, low(&chunk.y.lo)],
            colors: chunk.colors.as_chunks::<BLOCK>().0.get(block).unwrap_or(&FIRST_COLOR),
            chunk,
            block,
        })
    }
}

/// What is added where.
pub struct Brush<'a> {
    lens: Lens,
    /// Of all points that have no stamp of their own.
    stamp: Stamp,
    table: &'a [u32],
    is_varied: bool,
    stamps: &'a Stamps,
    width: usize,
    height: usize,
    /// Coverage, red, green and blue by palette index, to add and to take back.
    inks: Option<Box<[[Counts; 256]; 2]>>,
}

impl<'a> Brush<'a> {
    pub fn new(lens: Lens, stamps: &'a Stamps, size: Size, palette: Option<&Palette>) -> Self {
        let inks = palette.map(|palette| {
            let mut inks = Box::new([[Counts::default(); 256]; 2]);
            for (index, color) in palette.colors().iter().enumerate() {
                let ink = [1, u32::from(color.0), u32::from(color.1), u32::from(color.2)];
                inks[0][index] = Counts::of(ink);
                inks[1][index] = Counts::of(ink.map(u32::wrapping_neg));
            }
            inks
        });
        let stamp = stamps.all.first().map_or(Stamp::PIXEL, |(stamp, _)| *stamp);
        Self {
            lens,
            stamp,
            table: &stamps.weights,
            is_varied: stamps.all.len() > 1,
            stamps,
            width: size.width as usize,
            height: size.height as usize,
            inks,
        }
    }

    /// Of the widest stamp.
    pub fn reach(&self) -> u32 {
        self.stamps.all.iter().map(|(stamp, _)| stamp.reach).max().unwrap_or(0)
    }
}

/// Adds (`sign` 1) or takes back (-1) the points whose bits are set.
pub fn brush_block(
    cells: &mut Cells,
    brush: &mut Brush<'_>,
    spot: &Spot<'_>,
    bits: u64,
    sign: i32,
) {
    let back = usize::from(sign < 0);
    match (cells, &brush.inks) {
        (Cells::Plain(cells), _) => {
            let one = if back == 1 { u32::MAX } else { 1 };
            block(cells, brush, spot, bits, |_| one);
        }
        (Cells::Colored(cells), Some(inks)) => {
            let inks = &inks[back];
            block(cells, brush, spot, bits, |row| inks[usize::from(spot.colors[row])]);
        }
        (Cells::Colored(_), None) => {}
    }
}

/// A cell's arithmetic: sums of whole numbers, modulo 2³².
trait Cell: Copy {
    fn add(&mut self, ink: Self);
    fn add_weighted(&mut self, ink: Self, weight: u32);
}

impl Cell for u32 {
    #[inline(always)]
    fn add(&mut self, ink: Self) {
        *self = self.wrapping_add(ink);
    }

    #[inline(always)]
    fn add_weighted(&mut self, ink: Self, weight: u32) {
        *self = self.wrapping_add(ink.wrapping_mul(weight));
    }
}

impl Cell for Counts {
    #[inline(always)]
    fn add(&mut self, ink: Self) {
        *self = self.plus(ink);
    }

    #[inline(always)]
    fn add_weighted(&mut self, ink: Self, weight: u32) {
        *self = self.plus(ink.times(weight));
    }
}

#[inline(always)]
fn block<C: Cell>(
    cells: &mut [C],
    brush: &Brush<'_>,
    spot: &Spot<'_>,
    bits: u64,
    ink: impl Fn(usize) -> C,
) {
    if brush.is_varied {
        varied(cells, brush, spot, bits, ink);
    } else if brush.stamp.is_pixel() {
        pixels(cells, brush, spot, bits, ink);
    } else {
        discs(cells, brush, spot, bits, ink);
    }
}

#[inline(always)]
fn pixels<C: Cell>(
    cells: &mut [C],
    brush: &Brush<'_>,
    spot: &Spot<'_>,
    bits: u64,
    ink: impl Fn(usize) -> C,
) {
    let (x_lens, y_lens) = (LensLanes::new(brush.lens.x), LensLanes::new(brush.lens.y));
    let zero = Lanes::splat(0.0);
    let (right, bottom) = (Lanes::splat(brush.width as f32), Lanes::splat(brush.height as f32));
    let width = brush.width as i32;
    let spare = cells.len() - SPARE_CELLS;
    for quad in 0..BLOCK / LANES {
        let first = quad * LANES;
        let wanted = (bits >> first) as u32 & 0xf;
        if wanted == 0 {
            continue;
        }
        let (x, y) = (x_lens.pixels(spot.x, first), y_lens.pixels(spot.y, first));
        let inside = x.within(zero, right) & y.within(zero, bottom) & wanted;
        let [a, b, c, d] = Lanes::places(x, y, width);
        // What is not wanted goes to a spare cell: cheaper than a branch that nobody can
        // predict.
        let mut add = |lane: usize, place: i32| {
            let is_inside = inside >> lane & 1 == 1;
            let place = if is_inside { place as u32 as usize } else { spare + lane };
            if let Some(cell) = cells.get_mut(place) {
                cell.add(ink(first + lane));
            }
        };
        add(0, a);
        add(1, b);
        add(2, c);
        add(3, d);
    }
}

#[inline(always)]
fn discs<C: Cell>(
    cells: &mut [C],
    brush: &Brush<'_>,
    spot: &Spot<'_>,
    bits: u64,
    ink: impl Fn(usize) -> C,
) {
    let (x_lens, y_lens) = (LensLanes::new(brush.lens.x), LensLanes::new(brush.lens.y));
    let margin = brush.stamp.reach as f32 + 1.0;
    let low = Lanes::splat(-margin);
    let (right, bottom) =
        (Lanes::splat(brush.width as f32 + margin), Lanes::splat(brush.height as f32 + margin));
    let places = Lanes::splat(SUBPIXELS as f32);
    for quad in 0..BLOCK / LANES {
        let first = quad * LANES;
        let wanted = (bits >> first) as u32 & 0xf;
        if wanted == 0 {
            continue;
        }
        let (x, y) = (x_lens.pixels(spot.x, first), y_lens.pixels(spot.y, first));
        let inside = x.within(low, right) & y.within(low, bottom) & wanted;
        let (x, y) = (x.times(places).floor().truncated(), y.times(places).floor().truncated());
        for lane in 0..LANES {
            if inside >> lane & 1 == 1 {
                disc(cells, brush, x[lane], y[lane], ink(first + lane));
            }
        }
    }
}

/// Points that each have a size and a shape.
#[inline(never)]
fn varied<C: Cell>(
    cells: &mut [C],
    brush: &Brush<'_>,
    spot: &Spot<'_>,
    bits: u64,
    ink: impl Fn(usize) -> C,
) {
    let stamps = spot.chunk.stamps.as_chunks::<BLOCK>().0.get(spot.block);
    let Some(stamps) = stamps else { return };
    let margin = brush.reach() as f32 + 1.0;
    let (right, bottom) = (brush.width as f32 + margin, brush.height as f32 + margin);
    let mut bits = bits;
    while bits != 0 {
        let row = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        let at = |[hi, lo]: [&[f32; BLOCK]; 2]| Split { hi: hi[row], lo: lo[row] };
        let (x, y) = (brush.lens.x.pixel(at(spot.x)), brush.lens.y.pixel(at(spot.y)));
        // NaN is on no canvas.
        if !(x >= -margin && x < right && y >= -margin && y < bottom) {
            continue;
        }
        let eighth = |pixel: f32| (pixel * SUBPIXELS as f32).floor() as i32;
        if let Some((stamp, from)) = brush.stamps.all.get(usize::from(stamps[row])) {
            let weights = brush.stamps.weights.get(*from..).unwrap_or_default();
            clipped(cells, brush, (stamp, weights), [eighth(x), eighth(y)], ink(row));
        }
    }
}

/// A stamp whose centre is given in eighths of pixels; as much of it as lies on the canvas.
fn clipped<C: Cell>(
    cells: &mut [C],
    brush: &Brush<'_>,
    (stamp, weights): (&Stamp, &[u32]),
    [x, y]: [i32; 2],
    ink: C,
) {
    let (left, top, place) = corner(stamp, x, y);
    let many = stamp.side() * stamp.side();
    if let Some(weights) = weights.get(place * many..(place + 1) * many) {
        clipped_disc(cells, (brush, stamp.side()), left, top, weights, ink);
    }
}

/// The pixel of a stamp's corner, and which of its squares it is.
#[inline(always)]
fn corner(stamp: &Stamp, x: i32, y: i32) -> (i32, i32, usize) {
    let places = SUBPIXELS as i32;
    let place = ((y & (places - 1)) * places + (x & (places - 1))) as usize;
    let reach = stamp.reach as i32;
    let shift = SUBPIXELS.ilog2();
    ((x >> shift) - reach, (y >> shift) - reach, place)
}

/// A disc whose centre is given in eighths of pixels.
#[inline(always)]
fn disc<C: Cell>(cells: &mut [C], brush: &Brush<'_>, x: i32, y: i32, ink: C) {
    let side = brush.stamp.side();
    let (left, top, place) = corner(&brush.stamp, x, y);
    let Some(weights) = brush.table.get(place * side * side..(place + 1) * side * side) else {
        return;
    };
    let fits = |start: i32, length: usize| start >= 0 && start as usize + side <= length;
    if !(fits(left, brush.width) && fits(top, brush.height)) {
        return clipped_disc(cells, (brush, side), left, top, weights, ink);
    }
    let first = top as usize * brush.width + left as usize;
    // By far the most discs are of crowds, which have the smallest sizes.
    match side {
        3 => whole_disc::<3, C>(cells, brush.width, first, weights, ink),
        5 => whole_disc::<5, C>(cells, brush.width, first, weights, ink),
        7 => whole_disc::<7, C>(cells, brush.width, first, weights, ink),
        _ => clipped_disc(cells, (brush, side), left, top, weights, ink),
    }
}

#[inline(always)]
fn whole_disc<const SIDE: usize, C: Cell>(
    cells: &mut [C],
    width: usize,
    first: usize,
    weights: &[u32],
    ink: C,
) {
    let (rows, _) = weights.as_chunks::<SIDE>();
    for (row, weights) in rows.iter().enumerate() {
        let line =
            cells.get_mut(first + row * width..).and_then(|cells| cells.first_chunk_mut::<SIDE>());
        let Some(line) = line else { return };
        for column in 0..SIDE {
            line[column].add_weighted(ink, weights[column]);
        }
    }
}

/// Of a disc's square, what lies on the canvas.
fn clipped_disc<C: Cell>(
    cells: &mut [C],
    (brush, side): (&Brush<'_>, usize),
    left: i32,
    top: i32,
    weights: &[u32],
    ink: C,
) {
    let columns = overlap(left, side, brush.width);
    let rows = overlap(top, side, brush.height);
    let (Some(columns), Some(rows)) = (columns, rows) else { return };
    for row in rows {
        let weights = weights.get(row * side + columns.start..row * side + columns.end);
        let line_at = (top + row as i32) as usize * brush.width;
        let first = line_at + (left + columns.start as i32) as usize;
        let line = cells.get_mut(first..first + columns.len());
        let (Some(weights), Some(line)) = (weights, line) else { return };
        for (cell, weight) in line.iter_mut().zip(weights) {
            cell.add_weighted(ink, *weight);
        }
    }
}

/// Which of `side` pixels from `start` on lie within 0 to `length`.
#[inline(always)]
fn overlap(start: i32, side: usize, length: usize) -> Option<std::ops::Range<usize>> {
    let first = (-start).max(0) as usize;
    let last = (length as i32 - start).clamp(0, side as i32) as usize;
    (first < last).then_some(first..last)
}

struct LensLanes {
    edge_hi: Lanes,
    edge_lo: Lanes,
    scale: Lanes,
}

impl LensLanes {
    #[inline(always)]
    fn new(lens: AxisLens) -> Self {
        Self {
            edge_hi: Lanes::splat(lens.edge.hi),
            edge_lo: Lanes::splat(lens.edge.lo),
            scale: Lanes::splat(lens.scale),
        }
    }

    #[inline(always)]
    fn pixels(&self, [hi, lo]: [&[f32; BLOCK]; 2], first: usize) -> Lanes {
        let four = |values: &[f32; BLOCK]| Lanes::load(values, first);
        four(hi).minus(self.edge_hi).plus(four(lo).minus(self.edge_lo)).times(self.scale)
    }
}
