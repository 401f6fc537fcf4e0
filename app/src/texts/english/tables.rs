//! The list of tables, and the way to files and addresses.

pub const CHOOSE: &str = "Choose a table";
pub const SEARCH: &str = "Search tables";
pub const TABLES: &str = "Tables";

pub const OPEN_FILE: &str = "Open a file …";
pub const OPEN_FOLDER: &str = "Open a folder …";
pub const ADDRESS: &str = "Address of a file or Delta table";
pub const ADDRESS_HINT: &str = "https://… a file or a Delta table";
pub const OPEN_ADDRESS: &str = "Open address";
pub const DROP_HERE: &str = "Drop a Parquet, Arrow, CSV or JSON file to explore it here";

pub const OFFLINE: &str = "offline";
pub const OFFLINE_HINT: &str = "A complete copy is kept in this browser";
pub const AWAY: &str = "Not kept in this browser: opens when the companion answers";

pub const LOOKING: &str = "Looking for tables …";
pub const NONE_NAMED_SO: &str = "No table has that name.";
pub const NONE_WITHOUT_COMPANION: &str =
    "There is no companion here, and nothing is kept in this browser yet. Open a file to begin.";
pub const NONE_OFFLINE: &str =
    "The companion does not answer, and nothing is kept in this browser yet.";
pub const NONE_IN_LAKE: &str = "The lake holds no tables yet.";

pub fn choose_another(table: &str) -> String {
    format!("Table {table}. Choose another")
}

pub fn not_readable(file: &str) -> String {
    format!("{file} is none of Parquet, Arrow (feather), CSV and JSON.")
}
