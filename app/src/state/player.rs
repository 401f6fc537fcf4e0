//! A window that moves along a column: what is played, how wide the window is and how fast
//! it goes. Where it is now is the column's own clause, so that all views follow as they
//! follow a brush. Pure.

/// The whole column at the plain speed, in seconds.
const WHOLE_SECONDS: f64 = 20.0;
/// Shares of the column in percent, and speeds in quarters of the plain one, to choose from.
pub const WIDTHS: [u8; 6] = [1, 2, 5, 10, 20, 50];
pub const SPEEDS: [u8; 5] = [1, 2, 4, 8, 16];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    pub column: String,
    /// Of the window, in percent of the column's extent.
    pub width: u8,
    /// In quarters of the plain speed.
    pub speed: u8,
}

impl Player {
    pub fn of(column: String) -> Self {
        Self { column, width: 10, speed: 4 }
    }

    /// The window that begins there, within the extent as far as it goes.
    pub fn window(&self, start: f64, [low, high]: [f64; 2]) -> [f64; 2] {
        let start = start.clamp(low, high);
        [start, (start + (high - low) * f64::from(self.width) / 100.0).min(high)]
    }

    /// The window some time later. From the end it goes on at the beginning.
    pub fn later(&self, start: f64, extent: [f64; 2], millis: f64) -> [f64; 2] {
        let share = millis / 1000.0 / WHOLE_SECONDS * f64::from(self.speed) / 4.0;
        self.moved(start, extent, share)
    }

    /// The window a whole one further on, or back.
    pub fn stepped(&self, start: f64, extent: [f64; 2], steps: f64) -> [f64; 2] {
        self.moved(start, extent, steps * f64::from(self.width) / 100.0)
    }

    fn moved(&self, start: f64, [low, high]: [f64; 2], share: f64) -> [f64; 2] {
        let next = start + (high - low) * share;
        let next = match (next >= high, next < low) {
            (true, _) => low,
            // One step back from the beginning is the last window.
            (_, true) if start <= low => high - (high - low) * f64::from(self.width) / 100.0,
            (_, true) => low,
            _ => next,
        };
        self.window(next, [low, high])
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn windows_go_round() {
        let player = Player { column: "t".to_owned(), width: 20, speed: 4 };
        let extent = [100.0, 200.0];
        assert_eq!(player.window(50.0, extent), [100.0, 120.0]);
        assert_eq!(player.window(190.0, extent), [190.0, 200.0]);
        assert_eq!(player.stepped(100.0, extent, 1.0), [120.0, 140.0]);
        assert_eq!(player.stepped(180.0, extent, 1.0), [100.0, 120.0]);
        assert_eq!(player.stepped(100.0, extent, -1.0), [180.0, 200.0]);
        assert_eq!(player.stepped(110.0, extent, -1.0), [100.0, 120.0]);
        assert_eq!(player.later(100.0, extent, 1000.0), [105.0, 125.0]);
        let faster = Player { speed: 8, ..player };
        assert_eq!(faster.later(100.0, extent, 1000.0), [110.0, 130.0]);
    }
}
