//! What stands where views would: before a table is chosen, where it cannot be opened, where
//! no row is left, where the worker was given up.

use crate::state::format;

pub const EXPLORE: &str = "Explore a table";
pub const WHAT_IT_DOES: &str = "Filters, charts, points and rows move together. What you have \
     loaded stays in this browser and works without a network.";
pub const COMPANION_AWAY: &str =
    "The companion does not answer. Tables marked offline are kept here.";
pub const OR_DROP: &str =
    "Or drop a Parquet, Arrow, CSV or JSON file anywhere on this page: it stays on your machine.";

pub const OPENING: &str = "Opening the table …";
pub const LOOKING: &str = "Finding the columns and their types …";
pub const OPEN_NEWEST: &str = "Open the newest version";
pub const CHOOSE_ANOTHER: &str = "Choose another table";

pub const NO_ROW_PASSES: &str = "No row passes all filters.";
pub const LOOSEN_ONE: &str = " Loosen one:";

pub const KEEPS_STOPPING: &str = "The part that holds the data keeps stopping";
pub const STOPPED_OFTEN: &str =
    "It was started again three times within a minute. This is what it said last:";
pub const TRY_WITHOUT_FILTERS: &str = "Try again without filters";
pub const BACK_TO_TABLES: &str = "Back to the tables";

pub fn cannot_open(table: &str) -> String {
    format!("{table} cannot be opened")
}

/// Clears the filter that is about and says this.
pub fn clear(about: &str, says: &str) -> String {
    format!("Clear {about}: {says}")
}

pub fn looked_at(bytes: u64, total: u64) -> String {
    format!("{} of {}", format::bytes(bytes), format::bytes(total))
}
