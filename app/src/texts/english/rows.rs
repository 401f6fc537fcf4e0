//! The table of rows: its head, its header, its cells.

use crate::state::format::{count, short_count};

pub const PANEL: &str = "Rows";
pub const HEIGHT: &str = "Height of the rows";
pub const GRID: &str = "Rows that pass the filters";
pub const SHOW: &str = "Show the rows";
pub const FILTER_ROW: &str = "Filter under the names (e)";
pub const DISTRIBUTIONS: &str = "Distributions under the names (d)";
pub const OWN_ORDER: &str = "Back to the table's own order";
pub const GO_TO: &str = "Go to row";
pub const CANCEL_COPY: &str = "Cancel";
pub const COPY: &str = "Copy";
pub const COPY_SELECTED: &str = "Copy the selected cells, or save rows";
pub const SAVING: &str = "The rows are being written …";
pub const NOT_SAVED: &str = "The browser saved no file. Does it allow downloads?";
pub const CHOOSE_COLUMNS: &str = "Columns of the rows";
pub const COLUMNS: &str = "Columns";

pub const NUMBER_HINT: &str = "The row's place in the table";
pub const NAME_HINT: &str = "Click: sort, with Shift by one more. Drag: move. Right click: menu";
pub const WIDTH_HINT: &str =
    "Drag, or arrows: the width. Double click, or Enter: as wide as its content";

pub const SORT_LOWEST: &str = "Sort, lowest first";
pub const SORT_HIGHEST: &str = "Sort, highest first";
pub const THEN_LOWEST: &str = "Then by this, lowest first";
pub const THEN_HIGHEST: &str = "Then by this, highest first";
pub const UNSORT: &str = "Do not sort by this";
pub const FILTER: &str = "Filter …";
pub const ADD_CHART: &str = "Add its chart";
pub const UNPIN: &str = "Let it scroll";
pub const PIN: &str = "Keep it at the left";
pub const MOVE_LEFT: &str = "Move to the left";
pub const MOVE_RIGHT: &str = "Move to the right";
pub const FIT_WIDTH: &str = "As wide as its content";
pub const USUAL_WIDTH: &str = "Usual width";
pub const HIDE: &str = "Hide";

/// What can be typed under a name, by the column's kind.
pub const TYPE_NUMBERS: &str = ">5, 1..4";
pub const TYPE_TIMES: &str = "2024-03";
pub const TYPE_BOOLEANS: &str = "yes, no";
pub const TYPE_TEXTS: &str = "text, =is";
pub const TYPE_OTHERS: &str = "null, !null";

pub const NONE_MISSING: &str = "0 % null";
pub const OPEN_FILTER: &str = "Open its filter";

pub const PICTURE: &str = "Picture";
pub const GALLERY: &str = "Pictures in place of rows (i)";
pub const WITHOUT_PICTURE: &str = "none";
pub const PICTURES: &str = "Pictures of the selected rows";
pub const PICTURE_NOT_LOADED: &str = "not loaded";
pub const PICTURE_NOT_SECURE: &str = "without a companion only pictures from https are shown";
pub const NO_COMPANION_FOR_PICTURE: &str = "no companion has the folder of this table";

pub fn cells(rows: u64, columns: usize) -> String {
    format!("{} × {columns} cells", count(rows))
}

pub fn copying(rows: u64, total: u64) -> String {
    format!("Copying {} of {} …", count(rows), count(total))
}

/// All rows that are selected, as a file.
pub fn save_as(form: &str) -> String {
    format!("Save rows as {form}")
}

pub fn not_saved(why: &str) -> String {
    format!("The rows could not be saved: {why}")
}

pub fn copy_as(form: &str) -> String {
    format!("Copy as {form}")
}

pub fn menu_of(column: &str) -> String {
    format!("Menu of {column}")
}

pub fn width_of(column: &str) -> String {
    format!("Width of {column}")
}

pub fn filter_of(column: &str) -> String {
    format!("Filter of {column}")
}

pub fn nulls(share: &str) -> String {
    format!("{share} null")
}

/// How many values differ, without and with the word for them. More than could be counted
/// are marked.
pub fn distinct_short(many: u64, is_more: bool) -> String {
    format!("{}{}", short_count(many), if is_more { "+" } else { "" })
}

pub fn distinct(many: u64, is_more: bool) -> String {
    let noun = if many == 1 { "value" } else { "values" };
    format!("{} {noun}", distinct_short(many, is_more))
}

/// How a column is distributed, and what a press does.
pub fn shape(facts: &str, does: &str) -> String {
    format!("{facts}. {does}")
}

pub fn distribution_of(column: &str, shape: &str) -> String {
    format!("Distribution of {column}: {shape}")
}

pub fn picture_of(column: &str, row: u64) -> String {
    format!("{column} of row {}", count(row))
}

pub fn enlarge(picture: &str) -> String {
    format!("{picture}, larger")
}

pub fn no_picture(reason: &str, address: &str) -> String {
    format!("{reason}: {address}")
}
