//! How far a step is, and layouts on their way: told not more often than somebody can look.

use std::sync::{Mutex, MutexGuard, PoisonError};

use app::mapping::{Column, Phase, Tell};
use embedding::watch::{self, Watch};

use crate::run::{Array, Desk};
use crate::take::Taken;

/// Between two reports of a phase, and between two layouts.
const PAUSE_MILLIS: f64 = 100.0;
/// A layout that takes long to hand over waits for so many times as long before the next.
const PAUSE_TIMES: f64 = 20.0;

/// Watches one step.
pub struct Pace<'a> {
    desk: &'a dyn Desk,
    taken: &'a Taken,
    step: usize,
    /// Of a projection.
    dimensions: usize,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    told: Option<(Phase, f64)>,
    /// When the next layout may be looked at.
    layout_from: f64,
}

impl<'a> Pace<'a> {
    pub fn new(desk: &'a dyn Desk, taken: &'a Taken, step: usize, dimensions: usize) -> Self {
        Self { desk, taken, step, dimensions, last: Mutex::default() }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Pace<'_> {
    fn progress(&self, phase: watch::Phase, done: u64, total: u64) {
        let (phase, now) = (phase_of(phase), self.desk.now_millis());
        let mut last = self.last();
        let is_soon = |(told, at): (Phase, f64)| told == phase && now - at < PAUSE_MILLIS;
        if done < total && last.told.is_some_and(is_soon) {
            return;
        }
        last.told = Some((phase, now));
        drop(last);
        self.desk.tell(&Tell::Progress { step: self.step, phase, done, total }, &[]);
    }

    fn wants_layout(&self) -> bool {
        self.desk.now_millis() >= self.last().layout_from
    }

    fn layout(&self, epoch: u32, points: &[f32]) {
        let (step, dimensions) = (self.step, self.dimensions);
        let began = self.desk.now_millis();
        let points = self.taken.floats(points, dimensions);
        let tell = Tell::Layout { step, epoch, dimensions };
        self.desk.tell(&tell, &[(Column::Points { dimensions }, Array::Floats(points))]);
        let now = self.desk.now_millis();
        self.last().layout_from = now + PAUSE_MILLIS.max(PAUSE_TIMES * (now - began));
    }
}

fn phase_of(phase: watch::Phase) -> Phase {
    match phase {
        watch::Phase::Init => Phase::Init,
        watch::Phase::Iterations => Phase::Iterations,
        watch::Phase::Pass => Phase::Pass,
        watch::Phase::Neighbours => Phase::Neighbours,
        watch::Phase::Epochs => Phase::Epochs,
        watch::Phase::Measures => Phase::Measures,
    }
}
