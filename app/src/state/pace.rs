//! How often the worker is asked to show: at most once a frame, and not before it has
//! answered, unless the answer takes so long that a newer question should replace it.
//! Answers older than what is on screen, or of a table that was left, are refused.

use crate::protocol::Generation;

/// An answer that takes longer is not waited for: the companion may be at it.
const PATIENCE_MILLIS: f64 = 120.0;

#[derive(Debug, Clone, Default)]
pub struct Pace {
    wanted: bool,
    sent: Generation,
    waiting_since: Option<f64>,
    /// The newest generation on screen, or the last one of the table before.
    shown: Generation,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Due {
    Nothing,
    Send(Generation),
    /// Look again after so many milliseconds.
    Wait(f64),
}

impl Pace {
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// What to do in this frame.
    pub fn due(&mut self, now: f64) -> Due {
        if !self.wanted {
            return Due::Nothing;
        }
        if let Some(since) = self.waiting_since
            && now - since < PATIENCE_MILLIS
        {
            return Due::Wait(PATIENCE_MILLIS - (now - since));
        }
        self.wanted = false;
        self.sent += 1;
        self.waiting_since = Some(now);
        Due::Send(self.sent)
    }

    /// Whether an answer is to be shown. The same generation may come again while rows
    /// stream in.
    pub fn accepts(&mut self, generation: Generation) -> bool {
        if generation >= self.sent {
            self.waiting_since = None;
        }
        let fresh = generation >= self.shown && generation <= self.sent;
        if fresh {
            self.shown = generation;
        }
        fresh
    }

    /// Another table, or a new worker: nothing asked before is wanted any more.
    pub fn leave(&mut self) {
        self.waiting_since = None;
        self.wanted = false;
        self.sent += 1;
        self.shown = self.sent;
    }

    /// Whether the screen is behind what was asked.
    pub fn is_behind(&self) -> bool {
        self.wanted || self.waiting_since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_at_a_time_until_patience_ends() {
        let mut pace = Pace::default();
        assert_eq!(pace.due(0.0), Due::Nothing);
        pace.want();
        assert_eq!(pace.due(0.0), Due::Send(1));
        pace.want();
        assert_eq!(pace.due(20.0), Due::Wait(100.0));
        assert!(pace.accepts(1));
        assert_eq!(pace.due(21.0), Due::Send(2));
        pace.want();
        assert_eq!(pace.due(141.0), Due::Send(3));
        assert!(pace.accepts(2), "a slow answer still moves the screen on");
        assert!(pace.is_behind());
        assert!(pace.accepts(3));
        assert!(pace.accepts(3), "more rows of the same");
        assert!(!pace.is_behind());
        assert!(!pace.accepts(2), "late");
    }

    #[test]
    fn answers_of_a_table_that_was_left_are_refused() {
        let mut pace = Pace::default();
        pace.want();
        assert_eq!(pace.due(0.0), Due::Send(1));
        pace.leave();
        assert!(!pace.accepts(1));
        pace.want();
        assert_eq!(pace.due(1.0), Due::Send(3));
        assert!(!pace.accepts(1));
        assert!(!pace.accepts(9), "never asked");
        assert!(pace.accepts(3));
    }
}
