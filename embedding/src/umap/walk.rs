//! Rows moved by their bonds, as many side by side as there are lanes. A row goes through its bonds
//! in order: each pulls it to the other, random ones push it away, and it has moved before the next
//! one acts. A lane that is done with its row takes the next. Nothing is summed across lanes, so
//! a row's way is the same bits in registers of any width.

use super::power::power;
use super::prepared::Epoch;

/// Random others that a point is pushed away from, for each bond that acts.
const PUSHES: usize = 5;
/// The farthest that one push or pull moves a point, along each axis and at first.
const CLIP: f32 = 4.0;
/// Keeps a push of points that are one from being infinite.
const SOFT: f32 = 1e-3;
const LANES: usize = 16;
/// A pull and its pushes, in every lane.
const FORCES: usize = (1 + PUSHES) * LANES;

/// Rows to be moved: theirs are `starts[row]..starts[row + 1]` of `others` and `paces`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bonds<'a> {
    /// One more than there are rows.
    pub(super) starts: &'a [usize],
    pub(super) others: &'a [u32],
    /// How often each acts ([`paces`]).
    pub(super) paces: &'a [u32],
    /// What each row's random numbers begin with.
    pub(super) keys: &'a [u32],
}

/// What a bond moved its other end by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pull<const M: usize> {
    pub(super) on: u32,
    pub(super) shift: [f32; M],
}

/// Memory to walk with.
#[derive(Debug, Default)]
pub(super) struct Walker {
    /// The others of bonds that act, and where each row's begin.
    acting: Vec<u32>,
    starts: Vec<usize>,
}

impl Walker {
    /// Moves rows by their bonds to others, which `at` tells the places of, and who stay where
    /// they are. What acted on them is added to `pulls`.
    #[inline(always)]
    pub(super) fn walk<const M: usize>(
        &mut self,
        epoch: &Epoch,
        bonds: Bonds<'_>,
        points: &mut [[f32; M]],
        at: (u32, impl Fn(u32) -> [f32; M]),
        pulls: &mut Vec<Pull<M>>,
    ) {
        self.find_acting(epoch.number, bonds);
        pulls.reserve(self.acting.len());
        let (among, at) = at;
        let mut lanes = Lanes::<M>::new();
        while lanes.take_rows(self, epoch, bonds.keys, points) {
            let others = lanes.next_others(&self.acting);
            let mut ends = [[0.0; M]; FORCES];
            for (lane, end) in ends[..LANES].iter_mut().enumerate() {
                // Nobody is pulled to where it is.
                *end = if others[lane] == NOBODY { lanes.point(lane) } else { at(others[lane]) };
            }
            let pushing = lanes.random(among);
            ends[LANES..].iter_mut().zip(pushing).for_each(|(end, other)| *end = at(other));
            let mut ways = lanes.ways(&ends);
            ways.turn_to_shifts(epoch);
            lanes.shift_by(&ways);
            for (lane, on) in others.into_iter().enumerate().filter(|(_, on)| *on != NOBODY) {
                pulls.push(Pull { on, shift: std::array::from_fn(|axis| -ways.0[axis][lane]) });
            }
        }
    }

    #[inline(always)]
    fn find_acting(&mut self, epoch: u32, bonds: Bonds<'_>) {
        let first = bonds.starts[0];
        let all = first..bonds.starts[bonds.starts.len() - 1];
        let (others, paces) = (&bonds.others[all.clone()], &bonds.paces[all]);
        self.acting.resize(others.len(), 0);
        self.starts.clear();
        self.starts.push(0);
        let (acting, mut many) = (&mut self.acting[..], 0);
        for row in bonds.starts.windows(2) {
            let row = row[0] - first..row[1] - first;
            for (other, pace) in others[row.clone()].iter().zip(&paces[row]) {
                // No more act than were looked at.
                if let Some(slot) = acting.get_mut(many) {
                    *slot = *other;
                }
                many += usize::from(epoch.wrapping_mul(*pace) < *pace);
            }
            self.starts.push(many);
        }
    }
}

/// How often bonds act by their weights, from 0 to 1: in the epochs in which the weight, summed up,
/// passes a whole number, which is where the sum of its bits runs over.
pub(super) fn paces(weights: &[f32]) -> Vec<u32> {
    weights.iter().map(|weight| (f64::from(*weight) * (1_u64 << 32) as f64) as u32).collect()
}

const NOBODY: u32 = u32::MAX;

/// Rows on their way.
struct Lanes<const M: usize> {
    /// By axis.
    points: [[f32; LANES]; M],
    /// What random numbers are made of.
    dice: [u32; LANES],
    /// The row of each, and its bonds that are still to act.
    rows: [usize; LANES],
    nexts: [usize; LANES],
    ends: [usize; LANES],
    next_row: usize,
}

impl<const M: usize> Lanes<M> {
    #[inline(always)]
    fn new() -> Self {
        let (points, nothing) = ([[0.0; LANES]; M], [0; LANES]);
        Self {
            points,
            dice: [0; LANES],
            rows: [usize::MAX; LANES],
            nexts: nothing,
            ends: nothing,
            next_row: 0,
        }
    }

    /// Puts rows that are done where they are, and takes others: whether there are any.
    #[inline(always)]
    fn take_rows(
        &mut self,
        walker: &Walker,
        epoch: &Epoch,
        keys: &[u32],
        points: &mut [[f32; M]],
    ) -> bool {
        let mut is_any = false;
        for lane in 0..LANES {
            if self.nexts[lane] == self.ends[lane] {
                if let Some(slot) = points.get_mut(self.rows[lane]) {
                    *slot = self.point(lane);
                }
                self.rows[lane] = usize::MAX;
                while self.next_row < points.len() {
                    let row = self.next_row;
                    self.next_row += 1;
                    let (next, end) = (walker.starts[row], walker.starts[row + 1]);
                    if next < end {
                        (self.rows[lane], self.nexts[lane], self.ends[lane]) = (row, next, end);
                        self.dice[lane] = mixed(keys[row] ^ epoch.word);
                        for (axis, x) in self.points.iter_mut().zip(points[row]) {
                            axis[lane] = x;
                        }
                        break;
                    }
                }
            }
            is_any |= self.nexts[lane] < self.ends[lane];
        }
        is_any
    }

    #[inline(always)]
    fn point(&self, lane: usize) -> [f32; M] {
        std::array::from_fn(|axis| self.points[axis][lane])
    }

    /// Who pulls next, of lanes that have a row.
    #[inline(always)]
    fn next_others(&mut self, acting: &[u32]) -> [u32; LANES] {
        let mut others = [NOBODY; LANES];
        for (lane, other) in others.iter_mut().enumerate() {
            if self.nexts[lane] < self.ends[lane] {
                *other = acting[self.nexts[lane]];
                self.nexts[lane] += 1;
            }
        }
        others
    }

    /// Who pushes, for each lane.
    #[inline(always)]
    fn random(&mut self, among: u32) -> [u32; PUSHES * LANES] {
        const GOLDEN: u32 = 0x9e37_79b9;
        let mut others = [0; PUSHES * LANES];
        for others in others.as_chunks_mut::<LANES>().0 {
            for (other, dice) in others.iter_mut().zip(&mut self.dice) {
                *dice = dice.wrapping_add(GOLDEN);
                *other = ((u64::from(mixed(*dice)) * u64::from(among)) >> 32) as u32;
            }
        }
        // Else each is worked out, on its own, where it is looked up.
        std::hint::black_box(&others);
        others
    }

    #[inline(always)]
    fn ways(&self, ends: &[[f32; M]; FORCES]) -> Ways<M> {
        let mut ways = [[0.0; FORCES]; M];
        for (axis, ways) in ways.iter_mut().enumerate() {
            let ends = ends.as_chunks::<LANES>().0;
            for (ways, ends) in ways.as_chunks_mut::<LANES>().0.iter_mut().zip(ends) {
                for lane in 0..LANES {
                    ways[lane] = self.points[axis][lane] - ends[lane][axis];
                }
            }
        }
        Ways(ways)
    }

    #[inline(always)]
    fn shift_by(&mut self, shifts: &Ways<M>) {
        for (axis, shifts) in self.points.iter_mut().zip(&shifts.0) {
            let mut sums = [0.0; LANES];
            for of_force in shifts.as_chunks::<LANES>().0 {
                sums.iter_mut().zip(of_force).for_each(|(sum, shift)| *sum += shift);
            }
            axis.iter_mut().zip(sums).for_each(|(x, sum)| *x += sum);
        }
    }
}

/// Each bit of a word on all others: the last step of MurmurHash3 (Appleby), as random numbers from
/// a counter (Steele, Lea, Flood: Fast splittable pseudorandom number generators. 2014).
#[inline(always)]
fn mixed(mut word: u32) -> u32 {
    word = (word ^ (word >> 16)).wrapping_mul(0x85eb_ca6b);
    word = (word ^ (word >> 13)).wrapping_mul(0xc2b2_ae35);
    word ^ (word >> 16)
}

/// By axis, from others to points: pulls first. Then how far each moves its point.
struct Ways<const M: usize>([[f32; FORCES]; M]);

impl<const M: usize> Ways<M> {
    #[inline(always)]
    fn turn_to_shifts(&mut self, epoch: &Epoch) {
        let Epoch { a, b, .. } = *epoch;
        // Loops that do one thing each: the compiler makes vectors of them.
        let mut forces = [f32::MIN_POSITIVE; FORCES];
        for way in &self.0 {
            forces.iter_mut().zip(way).for_each(|(square, x)| *square += x * x);
        }
        let (pulls, pushes) = forces.split_at_mut(LANES);
        for force in pulls {
            let near = power(*force, b);
            *force = (-2.0 * a * b) * near / (*force * (1.0 + a * near));
        }
        for force in pushes {
            let near = power(*force, b);
            *force = (2.0 * b) / ((SOFT + *force) * (1.0 + a * near));
        }
        for way in &mut self.0 {
            for (way, force) in way.iter_mut().zip(&forces) {
                *way = (*way * force).clamp(-CLIP, CLIP) * epoch.rate;
            }
        }
    }
}
