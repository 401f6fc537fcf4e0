//! Points moved by their bonds, and away from others, in epochs. In an epoch each bond acts as often
//! as it is strong, on both of its points at once, as in umap-learn. There one acts after another;
//! here rows are dealt to blocks ([`Dealt`]), and those of a block move side by side, each through
//! its own bonds in order ([`Walker`]), with all others where they were when the block began. What
//! they pull others by is written down, and added in one order once all of them have moved: the
//! same layout with any number of threads.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::curve::Curve;
use super::dealt::Dealt;
use super::gate::Gate;
use super::prepared::Epoch;
use super::walk::{Bonds, Pull, Walker};
use crate::Error;
use crate::kernel::Level;
use crate::random::Random;
use crate::watch::{Phase, Watch};

const EPOCH_STREAM: u64 = 0x66;
/// Points that one thread adds pulls to at once, so that they stay in its cache; more of them where
/// there would be too many piles for the pulls of a team to lie together.
const PILE_MIN: usize = 4096;
const PILES_MAX: usize = 128;
/// Rows of a block that are worth a thread.
const ROWS_OF_THREAD: usize = 64;

/// What a layout is made by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) curve: Curve,
    pub(super) epochs: u32,
    pub(super) seed: u64,
}

/// Calls a function for so many dimensions, from 1 to [`super::DIMENSIONS_MAX`].
macro_rules! for_dimensions {
    ($m:expr, $self:ident.$name:ident($($of:expr),*)) => {
        match $m {
            1 => $self.$name::<1>($($of),*),
            2 => $self.$name::<2>($($of),*),
            3 => $self.$name::<3>($($of),*),
            4 => $self.$name::<4>($($of),*),
            5 => $self.$name::<5>($($of),*),
            6 => $self.$name::<6>($($of),*),
            7 => $self.$name::<7>($($of),*),
            _ => $self.$name::<8>($($of),*),
        }
    };
}
pub(super) use for_dimensions;

impl Run {
    /// Moves points of `m` dimensions.
    pub(super) fn layout(
        &self,
        dealt: &Dealt,
        points: Vec<f32>,
        m: usize,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<f32>, Error> {
        for_dimensions!(m, self.layout_in(dealt, points, threads, watch))
    }

    fn layout_in<const M: usize>(
        &self,
        dealt: &Dealt,
        mut points: Vec<f32>,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<f32>, Error> {
        let floor = Floor::<M>::new(self, dealt, points.as_chunks().0, Level::detect());
        let worth = dealt.rows.len() / (dealt.blocks.len() - 1) / ROWS_OF_THREAD;
        let threads = threads.min(worth).max(1);
        let gate = Gate::new(threads);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| floor.dance(&gate, None));
            }
            floor.dance(&gate, Some(watch));
        });
        if floor.is_cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        floor.by_row(points.as_chunks_mut().0);
        Ok(points)
    }

    pub(super) fn epoch(&self, number: u32) -> Epoch {
        let word = Random::new(self.seed, EPOCH_STREAM).words(u64::from(number))[0];
        let (Curve { a, b }, rate) = (self.curve, 1.0 - number as f32 / self.epochs as f32);
        Epoch { number, a, b, rate, word }
    }
}

/// All points, by the places that they are dealt to, and who moves them.
struct Floor<'a, const M: usize> {
    run: &'a Run,
    dealt: &'a Dealt,
    level: Level,
    points: Points<M>,
    /// Each is one thread's while its rows are moved, then everybody's who adds pulls.
    teams: Vec<RwLock<Team<M>>>,
    /// Points of a pile.
    pile: usize,
    /// How many teams of the block that moves, and piles of points, are given out.
    given: [AtomicUsize; 2],
    is_cancelled: AtomicBool,
}

/// Points that threads look at side by side, and move side by side, but never both at once: between
/// the two they pass a gate.
struct Points<const M: usize>(Vec<UnsafeCell<[f32; M]>>);

// SAFETY: all that is shared is what `at` and `put` say.
unsafe impl<const M: usize> Sync for Points<M> {}

impl<const M: usize> Points<M> {
    fn new(points: Vec<[f32; M]>) -> Self {
        Self(points.into_iter().map(UnsafeCell::new).collect())
    }

    #[inline(always)]
    fn at(&self, place: usize) -> [f32; M] {
        // SAFETY: rows are moved, and shown, while nobody puts any; and where a thread adds pulls,
        // it looks at none but those of its pile.
        unsafe { *self.0[place].get() }
    }

    #[inline(always)]
    fn put(&self, place: usize, point: [f32; M]) {
        // SAFETY: done by one thread for the pile that it was given, when all have passed the gate
        // behind which rows are moved.
        unsafe { *self.0[place].get() = point };
    }
}

/// Rows of a block that are moved by one thread.
struct Team<const M: usize> {
    rows: Range<usize>,
    moved: Vec<[f32; M]>,
    pulls: Vec<Pull<M>>,
    /// The same by the pile that they go to, and where those of each begin.
    piled: Vec<Pull<M>>,
    piles: Vec<usize>,
    walker: Walker,
}

impl<const M: usize> Team<M> {
    fn new() -> Self {
        Self {
            rows: 0..0,
            moved: Vec::new(),
            pulls: Vec::new(),
            piled: Vec::new(),
            piles: Vec::new(),
            walker: Walker::default(),
        }
    }

    /// Pulls by the pile that they go to, in their order.
    fn pile(&mut self, piles: usize, pile: usize) {
        self.piles.clear();
        self.piles.resize(piles + 1, 0);
        for pull in &self.pulls {
            self.piles[pull.on as usize / pile + 1] += 1;
        }
        for pile in 0..piles {
            self.piles[pile + 1] += self.piles[pile];
        }
        self.piled.clear();
        self.piled.resize(self.pulls.len(), Pull { on: 0, shift: [0.0; M] });
        for pull in &self.pulls {
            let next = &mut self.piles[pull.on as usize / pile];
            self.piled[*next] = *pull;
            *next += 1;
        }
        // Each now ends where the next began.
        self.piles.rotate_right(1);
        self.piles[0] = 0;
    }
}

fn read<T>(of: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    of.read().unwrap_or_else(PoisonError::into_inner)
}

impl<'a, const M: usize> Floor<'a, M> {
    fn new(run: &'a Run, dealt: &'a Dealt, points: &[[f32; M]], level: Level) -> Self {
        let most = dealt.blocks.windows(2).map(|block| block[1] - block[0]).max().unwrap_or(0);
        let teams = most.div_ceil(dealt.team_rows);
        Self {
            run,
            dealt,
            level,
            points: Points::new(dealt.by_place(points)),
            teams: (0..teams).map(|_| RwLock::new(Team::new())).collect(),
            pile: dealt.rows.len().div_ceil(PILES_MAX).max(PILE_MIN),
            given: [const { AtomicUsize::new(0) }; 2],
            is_cancelled: AtomicBool::new(false),
        }
    }

    fn by_row(&self, points: &mut [[f32; M]]) {
        for (place, row) in self.dealt.rows.iter().enumerate() {
            points[*row as usize] = self.points.at(place);
        }
    }

    /// All epochs, as one of the threads that pass the gate together; one of them is watched.
    fn dance(&self, gate: &Gate, watch: Option<&dyn Watch>) {
        let leaving = gate.entered();
        for number in 0..self.run.epochs {
            if let Some(watch) = watch {
                self.show(number, watch);
            }
            if !gate.pass() || self.is_cancelled.load(Ordering::Relaxed) {
                break;
            }
            // Before the first whole number is passed nothing acts.
            if number == 0 {
                continue;
            }
            let epoch = self.run.epoch(number);
            for block in self.dealt.blocks.windows(2) {
                self.move_rows(&epoch, block[0]..block[1]);
                if !gate.pass_and(|| self.given[0].store(0, Ordering::Relaxed)) {
                    break;
                }
                self.add_pulls(block[0]..block[1]);
                if !gate.pass_and(|| self.given[1].store(0, Ordering::Relaxed)) {
                    break;
                }
            }
        }
        drop(leaving);
    }

    fn show(&self, epoch: u32, watch: &dyn Watch) {
        watch.progress(Phase::Epochs, u64::from(epoch), u64::from(self.run.epochs));
        if watch.is_cancelled() {
            self.is_cancelled.store(true, Ordering::Relaxed);
        } else if watch.wants_layout() {
            let mut points = vec![0.0; self.dealt.rows.len() * M];
            self.by_row(points.as_chunks_mut().0);
            watch.layout(epoch, &points);
        }
    }

    /// The rows of a block, team by team.
    fn move_rows(&self, epoch: &Epoch, block: Range<usize>) {
        let teams = block.len().div_ceil(self.dealt.team_rows);
        loop {
            let number = self.given[0].fetch_add(1, Ordering::Relaxed);
            if number >= teams {
                break;
            }
            let mut team = self.teams[number].write().unwrap_or_else(PoisonError::into_inner);
            let first = block.start + number * self.dealt.team_rows;
            team.rows = first..(first + self.dealt.team_rows).min(block.end);
            match self.level {
                // SAFETY: the level was found by asking the processor.
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { self.walk_avx512(epoch, &mut team) },
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { self.walk_avx2(epoch, &mut team) },
                _ => self.walk(epoch, &mut team),
            }
            team.pile(self.dealt.rows.len().div_ceil(self.pile), self.pile);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn walk_avx512(&self, epoch: &Epoch, team: &mut Team<M>) {
        self.walk(epoch, team);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn walk_avx2(&self, epoch: &Epoch, team: &mut Team<M>) {
        self.walk(epoch, team);
    }

    #[inline(always)]
    fn walk(&self, epoch: &Epoch, team: &mut Team<M>) {
        let Team { rows, moved, pulls, walker, .. } = team;
        moved.clear();
        moved.extend(rows.clone().map(|place| self.points.at(place)));
        pulls.clear();
        let bonds = Bonds {
            starts: &self.dealt.starts[rows.start..=rows.end],
            others: &self.dealt.others,
            paces: &self.dealt.paces,
            keys: &self.dealt.keys[rows.clone()],
        };
        let others = (self.dealt.rows.len() as u32, |place| self.points.at(place as usize));
        walker.walk(epoch, bonds, moved, others, pulls);
    }

    /// To each point where it moved and all that it was pulled by, pile by pile.
    fn add_pulls(&self, block: Range<usize>) {
        let teams = &self.teams[..block.len().div_ceil(self.dealt.team_rows)];
        let teams: Vec<_> = teams.iter().map(read).collect();
        let piles = self.dealt.rows.len().div_ceil(self.pile);
        loop {
            let pile = self.given[1].fetch_add(1, Ordering::Relaxed);
            if pile >= piles {
                break;
            }
            let own = pile * self.pile..(pile + 1) * self.pile;
            for team in &teams {
                let from = own.start.clamp(team.rows.start, team.rows.end);
                let to = own.end.clamp(team.rows.start, team.rows.end);
                for place in from..to {
                    self.points.put(place, team.moved[place - team.rows.start]);
                }
            }
            for team in &teams {
                for Pull { on, shift } in &team.piled[team.piles[pile]..team.piles[pile + 1]] {
                    let mut point = self.points.at(*on as usize);
                    point.iter_mut().zip(shift).for_each(|(x, shift)| *x += shift);
                    self.points.put(*on as usize, point);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::graph::Graph;
    use super::*;
    use crate::clouds::clouds;
    use crate::knn;
    use crate::rows::Matrix;
    use crate::watch::Unwatched;

    #[test]
    fn the_width_of_registers_makes_no_difference() {
        let (values, n) = (clouds(3000, 4, 3), 3000);
        let near = knn::exact(&Matrix::new(&values, 4).unwrap(), 9, Some(1), &Unwatched).unwrap();
        let graph = Graph::new(&near, 8);
        let run = Run { curve: Curve::fit(0.1), epochs: 8, seed: 3 };
        let dealt = Dealt::new(&graph, run.seed);
        let begin: Vec<[f32; 3]> = values.chunks(4).map(|row| [row[0], row[1], row[2]]).collect();
        let layouts = Level::all().into_iter().map(|level| {
            let floor = Floor::new(&run, &dealt, &begin, level);
            floor.dance(&Gate::new(1), None);
            let mut points = vec![[0.0; 3]; n];
            floor.by_row(&mut points);
            points
        });
        let layouts: Vec<_> = layouts.collect();
        assert_ne!(layouts[0], begin);
        assert!(layouts.iter().all(|layout| *layout == layouts[0]));
    }
}
