//! How all points push a point away in space, by a tree of boxes: what is far for how wide it is
//! pushes as one, from its middle (Barnes, Hut: A hierarchical O(N log N) force-calculation
//! algorithm. Nature 1986). Points that are beside each other go through the tree together (Barnes:
//! A modified tree code. 1990) and write down what pushes them, which is then worked out in lanes.
//! A grid, as on a plane, would have the third power of its length of nodes.
#![allow(unsafe_code)]

use super::exact::square;
use crate::Error;
use crate::kernel::{LANES, Level};
use crate::threads::for_each;
use crate::watch::Watch;

/// How wide a box may be, in shares of how far its middle is from the points that it pushes.
const WIDE: f32 = 0.5;
/// Points that are worth being taken as one.
const WORTH: u32 = 4;
/// Points that are not divided any more, and those that go through the tree together.
const FEW: usize = 16;
/// Halvings of each axis.
const DEPTH: u32 = 20;
/// So far off that nothing is felt of it.
const FAR: f32 = 1e15;
/// Leaves that are worth another thread.
const LEAVES_A_THREAD: usize = 16;

type Point = [f32; 3];

/// All points, and what they feel.
#[derive(Debug)]
pub(super) struct Tree {
    level: Level,
    /// Where each row is in the order of boxes.
    places: Vec<u32>,
    /// In that order.
    points: Vec<Point>,
    forces: Vec<Point>,
    /// Each before those it is made of.
    boxes: Vec<Cube>,
    /// Boxes that are not divided, in the order of points.
    leaves: Vec<u32>,
}

/// Some points that follow one another in the order of boxes.
#[derive(Debug, Clone, Copy)]
struct Cube {
    middle: Point,
    least: Point,
    most: Point,
    first: u32,
    many: u32,
    /// The first box that is none of those it is made of.
    next: u32,
}

/// What pushes some points: places by axis, and how many are there.
#[derive(Debug, Clone, Default)]
struct Pushers {
    axes: [Vec<f32>; 3],
    many: Vec<f32>,
}

impl Default for Tree {
    fn default() -> Self {
        Self::at(Level::detect())
    }
}

impl Tree {
    pub(super) fn at(level: Level) -> Self {
        let (places, boxes, leaves) = (Vec::new(), Vec::new(), Vec::new());
        Self { level, places, points: Vec::new(), forces: Vec::new(), boxes, leaves }
    }

    /// Works out what these points feel, and gives the sum of 1 / (1 + d²) over all ordered pairs
    /// of them.
    pub(super) fn update(
        &mut self,
        points: &[Point],
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<f64, Error> {
        let codes = self.set_in_order(points);
        (self.boxes, self.leaves) = (Vec::new(), Vec::new());
        self.divide(&codes, 0, 3 * DEPTH);
        let mut forces = std::mem::take(&mut self.forces);
        forces.resize(points.len(), [0.0; 3]);
        let mut sums = vec![0.0; self.leaves.len()];
        let mut rest = &mut forces[..];
        let mut items = Vec::with_capacity(self.leaves.len());
        for (leaf, sum) in self.leaves.iter().zip(&mut sums) {
            let cube = &self.boxes[*leaf as usize];
            let (own, others) = rest.split_at_mut(cube.many as usize);
            rest = others;
            items.push((cube, own, sum));
        }
        let threads = threads.min(self.leaves.len() / LEAVES_A_THREAD).max(1);
        for_each(&mut items, &mut vec![Pushers::default(); threads], watch, |pushers, _, item| {
            let (cube, forces, sum) = item;
            self.gather(cube, pushers);
            let own = &self.points[cube.first as usize..][..forces.len()];
            **sum = push(self.level, pushers, own, forces);
            Ok(())
        })?;
        self.forces = forces;
        Ok(sums.iter().sum::<f64>() - points.len() as f64)
    }

    /// The sum of (y − y′) / (1 + d²)² of a row.
    #[inline(always)]
    pub(super) fn force(&self, row: usize) -> Point {
        self.forces[self.places[row] as usize]
    }

    /// Points in the order of the boxes that they are in, of one box before those of the next;
    /// gives in which.
    fn set_in_order(&mut self, points: &[Point]) -> Vec<u64> {
        let (least, most) = ends(points);
        let side = (0..3).map(|axis| most[axis] - least[axis]).fold(f32::MIN_POSITIVE, f32::max);
        let scale = (1_u64 << DEPTH) as f32 / side;
        let code = |point: &Point| {
            let cells = std::array::from_fn(|axis| {
                let cell = (point[axis] - least[axis]) * scale;
                (cell as u64).min((1 << DEPTH) - 1)
            });
            woven(cells)
        };
        let mut order: Vec<(u64, u32)> = points.iter().map(code).zip(0..).collect();
        order.sort_unstable();
        self.points.clear();
        self.points.extend(order.iter().map(|(_, row)| points[*row as usize]));
        self.places.resize(points.len(), 0);
        for (place, (_, row)) in order.iter().enumerate() {
            self.places[*row as usize] = place as u32;
        }
        order.into_iter().map(|(code, _)| code).collect()
    }

    /// Makes a box of the points of some codes, which differ in `bits` at most, and of what it is
    /// made of.
    fn divide(&mut self, codes: &[u64], first: usize, bits: u32) {
        let points = &self.points[first..][..codes.len()];
        let (least, most) = ends(points);
        let mut sums = [0.0_f64; 3];
        for point in points {
            sums.iter_mut().zip(point).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let middle = sums.map(|sum| (sum / points.len() as f64) as f32);
        let own = self.boxes.len();
        let (first, many) = (first as u32, points.len() as u32);
        self.boxes.push(Cube { middle, least, most, first, many, next: 0 });
        if codes.len() <= FEW || bits == 0 {
            // Points of one place are not divided, however many they are.
            self.leaves.push(own as u32);
        } else {
            let part = |code: &u64| code >> (bits - 3) & 7;
            let mut from = first as usize;
            for codes in codes.chunk_by(|a, b| part(a) == part(b)) {
                self.divide(codes, from, bits - 3);
                from += codes.len();
            }
        }
        self.boxes[own].next = self.boxes.len() as u32;
    }

    /// Writes down what pushes the points of a leaf, themselves included.
    fn gather(&self, leaf: &Cube, to: &mut Pushers) {
        to.clear();
        let mut at = 0;
        while let Some(cube) = self.boxes.get(at) {
            let points = &self.points[cube.first as usize..][..cube.many as usize];
            if cube.many >= WORTH && cube.is_far_from(leaf) {
                to.add(&cube.middle, cube.many as f32);
                at = cube.next as usize;
            } else if cube.next as usize == at + 1 {
                points.iter().for_each(|point| to.add(point, 1.0));
                at += 1;
            } else {
                at += 1;
            }
        }
        to.fill_up();
    }
}

impl Cube {
    /// Whether it may push all points of another as one.
    fn is_far_from(&self, other: &Self) -> bool {
        let (mut apart, mut wide) = (0.0_f32, 0.0_f32);
        for axis in 0..3 {
            let x = self.middle[axis];
            let beyond = (other.least[axis] - x).max(x - other.most[axis]).max(0.0);
            apart += beyond * beyond;
            wide = wide.max(self.most[axis] - self.least[axis]);
        }
        wide * wide < WIDE * WIDE * apart
    }
}

impl Pushers {
    fn clear(&mut self) {
        self.axes.iter_mut().for_each(Vec::clear);
        self.many.clear();
    }

    fn add(&mut self, place: &Point, many: f32) {
        self.axes.iter_mut().zip(place).for_each(|(axis, x)| axis.push(*x));
        self.many.push(many);
    }

    /// To whole lanes.
    fn fill_up(&mut self) {
        let len = self.many.len().next_multiple_of(LANES);
        self.axes.iter_mut().for_each(|axis| axis.resize(len, FAR));
        self.many.resize(len, 0.0);
    }
}

/// The bits of three numbers in turns.
fn woven(cells: [u64; 3]) -> u64 {
    let mut code = 0;
    for bit in (0..DEPTH).rev() {
        for cell in cells {
            code = code << 1 | (cell >> bit & 1);
        }
    }
    code
}

/// The least and the largest along each axis.
fn ends(points: &[Point]) -> (Point, Point) {
    let (mut least, mut most) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
    for point in points {
        for axis in 0..3 {
            least[axis] = least[axis].min(point[axis]);
            most[axis] = most[axis].max(point[axis]);
        }
    }
    (least, most)
}

fn push(level: Level, pushers: &Pushers, points: &[Point], forces: &mut [Point]) -> f64 {
    match level {
        // The same sums and products on every processor, so the same bits.
        // SAFETY: the level was found by asking the processor.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { push_avx512(pushers, points, forces) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { push_avx2(pushers, points, forces) },
        _ => push_all(pushers, points, forces),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn push_avx512(pushers: &Pushers, points: &[Point], forces: &mut [Point]) -> f64 {
    push_all(pushers, points, forces)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn push_avx2(pushers: &Pushers, points: &[Point], forces: &mut [Point]) -> f64 {
    push_all(pushers, points, forces)
}

#[inline(always)]
fn push_all(pushers: &Pushers, points: &[Point], forces: &mut [Point]) -> f64 {
    let axes = pushers.axes.each_ref().map(|axis| axis.as_chunks::<LANES>().0);
    let many = pushers.many.as_chunks::<LANES>().0;
    let mut all = 0.0;
    for (point, force) in points.iter().zip(forces) {
        let (mut sums, mut by_axis) = ([0.0; LANES], [[0.0; LANES]; 3]);
        for (group, many) in many.iter().enumerate() {
            let others = axes.map(|axis| &axis[group]);
            for lane in 0..LANES {
                let way: Point = std::array::from_fn(|axis| point[axis] - others[axis][lane]);
                let near = 1.0 / (1.0 + square(&way));
                let share = many[lane] * near;
                sums[lane] += share;
                let square = share * near;
                for (sums, way) in by_axis.iter_mut().zip(way) {
                    sums[lane] += square * way;
                }
            }
        }
        *force = by_axis.map(|sums| sums.iter().sum());
        all += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
    }
    all
}
