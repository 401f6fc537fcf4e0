//! Views that are kept under a name.

pub const TITLE: &str = "Saved views";
pub const WHAT: &str = "A view is a table at its version with its filters, charts and sorting. It \
     is kept in this browser; to give it to somebody, copy its link.";
pub const NONE: &str = "None yet.";
pub const NAME: &str = "Name of what is on screen";
pub const SAVE: &str = "Save";

pub fn delete(name: &str) -> String {
    format!("Delete {name}")
}
