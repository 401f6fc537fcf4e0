//! Versions of a table, and what changed between two of them.

pub const NO_HISTORY: &str = "This table has no history.";
pub const NONE_OF_THAT_TIME: &str = "The table has no version of that time.";
pub const SLIDER: &str = "Version, from the oldest to the newest";
/// Before a field for a time.
pub const AS_OF: &str = "As of ";
pub const CHANGES: &str = "Changes";
pub const NEWEST: &str = "newest";

pub fn version(number: u64) -> String {
    format!("version {number}")
}

pub fn changes(from: u64, to: u64) -> String {
    format!("changes {from} → {to}")
}

/// What has no number is called by the beginning of its fingerprint.
pub fn state(fingerprint: &str) -> String {
    format!("state {fingerprint}")
}

pub fn choose_another(shown: Option<&str>) -> String {
    format!("{}. Choose another version", shown.unwrap_or("version"))
}

pub fn newer(version: &str) -> String {
    format!("Newer: {version}")
}

pub fn show_changes(from: u64, to: u64) -> String {
    format!("Show what changed from version {from} to version {to}")
}
