//! The frame of the page: its parts and its header, what dialogs and notices have in common,
//! and what is said about the page's own program.

pub const NAME: &str = "Limn";
pub const SKIP_TO_VIEWS: &str = "Skip to the views";

pub const PARTS: &str = "Parts of the page";
pub const VIEWS: &str = "Views";
pub const FILTERS: &str = "Filters";
pub const COLUMNS: &str = "Columns";
pub const ROWS: &str = "Rows";

pub const TO_TABLES: &str = "Limn, to the list of tables";
pub const FIND: &str = "Find a command, a table or a column (Ctrl-K)";
pub const COPY_LINK: &str = "Copy a link to this view";
pub const SAVED_VIEWS: &str = "Saved views (V)";
pub const KEPT_OFFLINE: &str = "What is kept offline";
pub const KEYS_AND_GESTURES: &str = "Keys and gestures";
pub const THEME_IS_SYSTEM: &str = "Colours: as the system. Change to light";
pub const THEME_IS_LIGHT: &str = "Colours: light. Change to dark";
pub const THEME_IS_DARK: &str = "Colours: dark. Change to the system's";

pub const CLOSE: &str = "Close";
pub const DISMISS: &str = "Dismiss";
pub const TRY_AGAIN: &str = "Try again";

/// The name of the browser's tab.
pub fn tab(table: Option<&str>) -> String {
    match table {
        Some(table) => format!("{table} · {NAME}"),
        None => NAME.to_owned(),
    }
}
