//! The command palette, and what keys are called.

pub const TITLE: &str = "Find a command";
pub const FIND: &str = "Find a command, a table or a column";
pub const COMMANDS: &str = "Commands";
pub const NONE_NAMED_SO: &str = "Nothing is called that.";

pub const CTRL: &str = "Ctrl";
pub const SHIFT: &str = "Shift";
pub const ESCAPE: &str = "Esc";
pub const CTRL_C: &str = "Ctrl C";
pub const CTRL_SHIFT_C: &str = "Ctrl Shift C";

/// What a key does.
pub const SHOW_KEYS: &str = "Show all keys and gestures";
pub const CHOOSE_TABLE: &str = "Choose a table";
pub const SEARCH_FILTERS: &str = "Search the filters";
pub const UNDO: &str = "Undo the last change of filters, views or rows";
pub const REDO: &str = "Redo the change";
pub const CLEAR_FILTERS: &str = "Clear all filters";
pub const TOGGLE_SIDE: &str = "Show or hide the side panel";
pub const COMPARE_SHAPES: &str = "Compare shapes: scale bars to the selection";
pub const FILTER_ROW: &str = "Filter by typing under the names of the rows' columns";
pub const GALLERY: &str = "Show the pictures of the rows, or the rows";
pub const DISTRIBUTIONS: &str = "Show or hide the distribution of each column of the rows";
pub const GO_TO_ROW: &str = "Go to a row by its place";
pub const KEPT_OFFLINE: &str = "What is kept offline";
pub const COPY_LINK: &str = "Copy a link to this view";
pub const SAVED_VIEWS: &str = "Save this view, or open a saved one";
pub const SUMMARISE_GROUPS: &str = "Groups: what they are made of, and what sets them apart";
pub const FIND_ROWS: &str = "Find rows by words, and go to their points";
pub const MAP_VECTORS: &str = "Map vectors: lay rows out by likeness, find clusters";
pub const OPEN_FILE: &str = "Open a file";
pub const REFRESH: &str = "Ask for tables and versions again";

/// What an entry of the palette is.
pub const COMMAND: &str = "command";
pub const TABLE: &str = "table";
pub const VIEW: &str = "view";
pub const COLUMN: &str = "column";

pub const LOAD_EVERY_COLUMN: &str = "Load every column";
pub const CHOOSE_COLUMNS: &str = "Choose the columns to load";
pub const THEME_SYSTEM: &str = "Colours: as the system";
pub const THEME_LIGHT: &str = "Colours: light";
pub const THEME_DARK: &str = "Colours: dark";
pub const OPEN_FOLDER: &str = "Open a folder: a Delta table";
pub const LOG_AXIS: &str = "log axis";
pub const LOG_COUNTS: &str = "log counts";
pub const CUMULATIVE: &str = "cumulative share";
pub const DRAW_AUTOMATIC: &str = "Draw points, and a density where crowded";
pub const DRAW_POINTS: &str = "Draw points";
pub const DRAW_DENSITY: &str = "Draw a density";

pub fn copy_selection_as(form: &str) -> String {
    format!("Copy the selection as {form}")
}

pub fn copy_cells_as(form: &str) -> String {
    format!("Copy the selected cells as {form}")
}

pub fn add_view(kind: &str) -> String {
    format!("Add a view: {kind}")
}

pub fn open_table(table: &str) -> String {
    format!("Open {table}")
}

pub fn open_view(name: &str) -> String {
    format!("Open view {name}")
}

pub fn open_address(address: &str) -> String {
    format!("Open the address {address}")
}

pub fn toggle_twin(view: &str) -> String {
    format!("Show {view} as a table, or as a chart")
}

pub fn copy_numbers(view: &str) -> String {
    format!("Copy the numbers of {view} as TSV")
}

pub fn save_as(view: &str, form: &str) -> String {
    format!("Save {view} as {form}")
}

pub fn toggle_form(column: &str, form: &str) -> String {
    format!("Histogram of {column}: {form} on or off")
}

pub fn toggle_log_across(is_on: bool) -> &'static str {
    if is_on { "Hide the log axis to the right" } else { "Show log axis to the right" }
}

pub fn toggle_log_up(is_on: bool) -> &'static str {
    if is_on { "Hide the log axis upwards" } else { "Show log axis upwards" }
}

pub fn toggle_contours(is_on: bool) -> &'static str {
    if is_on { "Hide the contours" } else { "Show contours" }
}

pub fn toggle_names(is_on: bool) -> &'static str {
    if is_on { "Hide the names of categories" } else { "Show names of categories" }
}

/// What is done with which scatter.
pub fn of_scatter(does: &str, view: &str) -> String {
    format!("{does}: {view}")
}

pub fn color_by(column: &str) -> String {
    format!("Colour by {column}")
}

pub fn put_across(column: &str) -> String {
    format!("Scatter: {column} to the right")
}

pub fn put_up(column: &str) -> String {
    format!("Scatter: {column} upwards")
}

pub fn size_by(column: &str) -> String {
    format!("Size by {column}")
}

pub fn shape_by(column: &str) -> String {
    format!("Shape by {column}")
}

pub fn filter(column: &str) -> String {
    format!("Filter {column}")
}

pub fn chart_of(column: &str) -> String {
    format!("Chart of {column}")
}

pub fn kind_of(kind: &str, column: &str) -> String {
    format!("{kind} of {column}")
}

pub fn pin(column: &str) -> String {
    format!("Rows: keep {column} at the left")
}

pub fn unpin(column: &str) -> String {
    format!("Rows: let {column} scroll")
}

pub fn sort_lowest(column: &str) -> String {
    format!("Sort rows by {column}, lowest first")
}

pub fn sort_highest(column: &str) -> String {
    format!("Sort rows by {column}, highest first")
}
