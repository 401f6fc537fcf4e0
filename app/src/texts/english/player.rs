//! The player of a column.

pub const PLAY: &str = "Play";
pub const PAUSE: &str = "Pause";
pub const STEP_BACK: &str = "Step back";
pub const STEP_FORWARD: &str = "Step forward";
pub const BEGINNING: &str = "Beginning of the window";
pub const WIDTH: &str = "Width of the window";
pub const SPEED: &str = "Speed";
pub const CLOSE: &str = "Close the player";

pub fn play_over(column: &str) -> String {
    format!("Play over {column}")
}

/// What the button does, and which key does the same.
pub fn with_key(does: &str) -> String {
    format!("{does} (Space on a scatter)")
}

pub fn wide(percent: u8) -> String {
    format!("{percent} % wide")
}

pub fn times(speed: f64) -> String {
    format!("{speed} ×")
}
