//! The line above the views: counts, undo and redo, how far the load is.

use super::counts;
use crate::state::format::{bytes, count};

pub const SIDE_PANEL: &str = "Side panel";
pub const SIDE_PANEL_HINT: &str = "Show or hide the side panel (B)";
pub const COMPARE_SHAPES: &str = "Compare shapes";
pub const COMPARE_SHAPES_HINT: &str = "Compare shapes: scale bars to the selection (C)";
pub const UNDO: &str = "Undo";
pub const UNDO_HINT: &str = "Undo the last change (Ctrl-Z)";
pub const REDO: &str = "Redo";
pub const REDO_HINT: &str = "Redo (Ctrl-Shift-Z)";

pub const SO_FAR: &str = "so far";
pub const LEFT_OUT: &str = "What the views leave out, and why";

pub const LOADING: &str = "Loading";
pub const STOP: &str = "Stop";
pub const LOAD_REST: &str = "Load the rest";

pub fn rows_pass(selected: u64, total: u64) -> String {
    format!("{} of {} rows pass the filters", count(selected), count(total))
}

/// Read out once the counts rest.
pub fn rows_selected(selected: u64, total: u64) -> String {
    format!("{} of {} rows selected", count(selected), count(total))
}

pub fn loading(rows: u64, total: Option<u64>, n_bytes: u64, bytes_a_second: u64) -> String {
    let rows = match total {
        Some(total) => counts::rows_of(rows, total),
        None => counts::rows(rows),
    };
    format!("Loading {rows} · {} · {}/s", bytes(n_bytes), bytes(bytes_a_second))
}

pub fn load_stopped(rows: u64) -> String {
    format!("Loading was stopped: {} are here.", counts::rows(rows))
}

pub fn load_failed(detail: &str) -> String {
    format!("Loading failed: {detail}")
}
