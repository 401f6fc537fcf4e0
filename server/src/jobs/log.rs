//! What a job did and when: a line for each phase as it begins, and for how it ended. Kept with
//! the job's document, so that it outlives the server.

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::record::{JobRecord, State};
use super::work::Told;

/// Lines of one job: one that is begun anew again and again keeps the last.
const LINES_MAX: usize = 500;

/// Lines, oldest first: a time in UTC, a blank, what happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct JobLog {
    lines: Vec<String>,
    /// Of the last line that told of one.
    #[serde(skip)]
    phase: String,
}

impl JobLog {
    pub(super) fn add(&mut self, text: &str) {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        for line in text.lines() {
            self.lines.push(format!("{now} {line}"));
        }
        let many = self.lines.len().saturating_sub(LINES_MAX);
        self.lines.drain(..many);
    }

    /// A phase as it begins; what comes of it is in the next.
    pub(super) fn tell(&mut self, told: &Told) {
        // What an algorithm does has phases of its own, by the first word of its message.
        let own = told.message.split(' ').next().unwrap_or_default();
        let phase = format!("{} {own}", told.phase);
        if phase != self.phase {
            self.add(&format!("{}: {}", told.phase, told.message));
            self.phase = phase;
        }
    }

    pub(super) fn end(&mut self, record: &JobRecord) {
        let state = match record.state {
            State::Done => "done",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::Queued | State::Running => return,
        };
        self.add(&format!("{state}: {}", record.message.as_deref().unwrap_or_default()));
    }

    pub(super) fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_phase_and_the_oldest_go() {
        let mut log = JobLog::default();
        let told = |phase: &str, message: &str| Told {
            progress: 0.0,
            phase: phase.to_owned(),
            message: message.to_owned(),
        };
        for (phase, message) in [
            ("reading", "opening t"),
            ("kmeans", "iteration 1"),
            ("kmeans", "iteration 2"),
            ("writing", "writing o"),
        ] {
            log.tell(&told(phase, message));
        }
        let said: Vec<&str> = log.lines.iter().map(|line| &line[25..]).collect();
        assert_eq!(said, ["reading: opening t", "kmeans: iteration 1", "writing: writing o"]);
        log.add("one\ntwo");
        assert_eq!(log.text().lines().count(), 5);
        (0..LINES_MAX).for_each(|_| log.add("again"));
        assert!(log.lines.len() == LINES_MAX && log.lines[0].ends_with("again"));
    }
}
