//! What a job that makes vectors tells of itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use encoder::Failure;

use crate::encode;
use crate::jobs::work::{Report, Told};

/// Rows that have no vector, of which each is told.
const TOLD_FAILURES: u64 = 20;
/// Between two reports of progress.
const PAUSE: Duration = Duration::from_millis(200);
/// Of the whole, until the first row.
const OPENED: f64 = 0.02;

/// Tells a report of rows as they are done.
pub(crate) struct Progress<R> {
    pub(crate) report: R,
    pub(crate) is_cancelled: AtomicBool,
    failures: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    began: Option<Instant>,
    last: Option<Instant>,
    progress: f64,
}

impl<R: Report> Progress<R> {
    pub(crate) fn new(report: R) -> Self {
        let (is_cancelled, failures, state) = Default::default();
        Self { report, is_cancelled, failures, state }
    }

    pub(crate) fn opening(&self, model: &str) {
        self.tell("opening", format!("opening {model}"), None);
    }

    fn tell(&self, phase: &str, message: String, progress: Option<f64>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.progress = state.progress.max(progress.unwrap_or_default());
        self.report.tell(Told { progress: state.progress, phase: phase.to_owned(), message });
    }

    /// How long rows have been computed, where it is time to tell of it.
    fn is_due(&self) -> Option<Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let began = *state.began.get_or_insert_with(Instant::now);
        if state.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return None;
        }
        state.last = Some(Instant::now());
        Some(began.elapsed())
    }
}

impl<R: Report> encode::Report for Progress<R> {
    fn progress(&self, done: u64, of: Option<u64>) {
        let Some(took) = self.is_due() else { return };
        let rate = done as f64 / took.as_secs_f64().max(0.001);
        let (share, message) = match of {
            None => (0.5, format!("rows: {done}, {rate:.1} a second")),
            Some(of) => {
                let left = of.saturating_sub(done) as f64 / rate.max(0.001);
                let text = format!("rows: {done} of {of}, {rate:.1} a second, {left:.0} s left");
                (done as f64 / of.max(1) as f64, text)
            }
        };
        self.tell("encoding", message, Some(OPENED + (1.0 - OPENED) * share.min(0.999)));
    }

    fn failed(&self, row: &str, why: &Failure) {
        if self.failures.fetch_add(1, Ordering::Relaxed) < TOLD_FAILURES {
            self.tell("without a vector", format!("{row}: {why}"), None);
        }
    }

    fn committed(&self, rows: u64, version: u64) {
        self.tell("keeping", format!("{rows} rows are kept, in version {version}"), None);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encode::Report as _;

    #[derive(Default)]
    struct Heard(Mutex<Vec<Told>>);

    impl Report for Heard {
        fn tell(&self, told: Told) {
            self.0.lock().unwrap().push(told);
        }
    }

    #[test]
    fn progress_never_goes_back_and_failures_are_told_up_to_a_point() {
        let progress = Progress::new(Heard::default());
        progress.opening("clip.onnx");
        progress.progress(10, Some(20));
        // Too soon after.
        progress.progress(11, Some(20));
        for row in 0..50 {
            progress.failed(&format!("row {row}"), &Failure::Zero);
        }
        progress.committed(10, 3);
        let heard = progress.report.0.lock().unwrap();
        let phases: Vec<&str> = heard.iter().map(|told| told.phase.as_str()).collect();
        assert_eq!(phases[..3], ["opening", "encoding", "without a vector"]);
        assert_eq!((heard.len(), phases[22]), (23, "keeping"));
        assert!(heard.windows(2).all(|pair| pair[0].progress <= pair[1].progress));
        assert!(heard[1].progress > 0.5 && heard[1].message.starts_with("rows: 10 of 20"));
    }
}
