//! Where answers come from, whether the companion is there, what draws.

use crate::state::format::bytes;

pub const BROWSER: &str = "browser";
pub const SERVER: &str = "server";
pub const CACHE: &str = "cache";
pub const FILE: &str = "file";
pub const ADDRESS: &str = "address";

pub const FROM_BROWSER: &str = "Computed in this browser on columns of the companion";
pub const FROM_SERVER: &str = "Answered by the companion: this is larger than the browser holds";
pub const FROM_CACHE: &str = "Computed in this browser on columns kept here";
pub const FROM_FILE: &str = "Computed in this browser on the file you opened";
pub const FROM_ADDRESS: &str = "Computed in this browser on columns read at the address";

pub const ONLINE: &str = "online";
pub const ONLINE_HINT: &str = "The companion answers";
pub const NO_COMPANION: &str = "no companion";
pub const NO_COMPANION_HINT: &str =
    "These files are served without a companion: files of yours and what is kept here work";
pub const OFFLINE_HINT: &str =
    "The companion does not answer: what is kept in this browser works on";

/// Said after how long an answer took.
pub fn files_read([read, all]: [u64; 2]) -> String {
    format!(" · read {read} of {all} files")
}

pub fn offline(as_of: Option<&str>) -> String {
    let as_of = as_of.map(|version| format!(" · as of {version}")).unwrap_or_default();
    format!("offline{as_of}")
}

pub fn drawn_by(renderer: &str, adapter: Option<&str>, reason: Option<&str>) -> String {
    let mut text = format!("Pictures are drawn by {renderer}");
    if let Some(adapter) = adapter {
        text.push_str(&format!(" on {adapter}"));
    }
    if let Some(reason) = reason {
        text.push_str(&format!(": {reason}"));
    }
    text
}

/// Why the companion answers in place of the browser.
pub fn too_large(needed_bytes: u64, budget_bytes: u64) -> String {
    format!("needs {}, this browser holds {}", bytes(needed_bytes), bytes(budget_bytes))
}

pub fn aggregated(why: &str) -> String {
    format!("aggregated by the companion: {why}")
}

pub fn reduced(reduction: &str, why: &str) -> String {
    format!("{reduction} by the companion: {why}")
}

/// Of counts that are worked out ahead by the bins of a filter's column.
pub const IN_STEPS: &str = "in steps while the filter moves, then exact";
