//! Views: adding one, its title and its menu.

pub const VIEWS: &str = "Views";
pub const NONE: &str = "No views. Add one with the button above; the rows are below.";

pub const ADD: &str = "Add a view";
pub const ADD_SHORT: &str = "View";
pub const SCATTER_HINT: &str = "two columns, point by point";
pub const HEAT_HINT: &str = "two columns, counted by cell";
pub const LINE_HINT: &str = "rows or a number, by steps of time";
pub const BOXES_HINT: &str = "quartiles of a number, by group";
pub const VIOLINS_HINT: &str = "densities of a number, by group";
pub const CHART_OF_COLUMN: &str = "Chart of a column";
pub const ALREADY_SHOWN: &str = "already shown";

pub const COLUMN: &str = "Column of this view";
pub const NOT_LOADED: &str = "Not loaded";
pub const SHOW_AS_TABLE: &str = "Show as a table";
pub const COPY_NUMBERS: &str = "Copy the numbers";
pub const MOVE_FORWARD: &str = "Move forward";
pub const MOVE_BACK: &str = "Move back";
pub const SAVE_AS_PNG: &str = "Save as PNG";
pub const SAVE_AS_SVG: &str = "Save as SVG";
pub const REMOVE: &str = "Remove";

pub fn room_for(many: usize) -> String {
    format!("There is room for {many} views.")
}

pub fn counted_elsewhere(reduction: &str) -> String {
    format!("Counted by the companion. Left out: {reduction}")
}

/// Of a view that shows what was asked before.
pub const BEHIND: &str = "behind";
pub const BEHIND_TITLE: &str = "This follows once the filter rests";

pub fn numbers_of(view: &str) -> String {
    format!("Numbers of {view}")
}

pub fn menu_of(view: &str) -> String {
    format!("Menu of {view}")
}

/// What is drawn of several columns.
pub const SCATTER: &str = "Scatter";
pub const HEAT_MAP: &str = "Heat map";
pub const LINE: &str = "Line by time";
pub const BOX_PLOT: &str = "Box plot";
pub const VIOLIN_PLOT: &str = "Violin plot";

pub fn scatter_name(x: &str, y: &str) -> String {
    format!("{y} by {x}")
}

pub fn heat_name(x: &str, y: &str) -> String {
    format!("{y} by {x}, counted")
}

pub fn line_name(what: &str, time: &str, split: Option<&str>) -> String {
    let split = split.map(|split| format!(" and {split}")).unwrap_or_default();
    format!("{what} by {time}{split}")
}

pub fn boxes_name(column: &str, by: Option<&str>) -> String {
    match by {
        Some(by) => format!("{column} by {by}"),
        None => format!("spread of {column}"),
    }
}
