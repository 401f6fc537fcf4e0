//! The dialog of groups: what they are made of, and what sets them apart.

use crate::state::format;

pub const TITLE: &str = "Groups";
pub const SHORT: &str = "Groups";
pub const HINT: &str = "See what groups of rows are made of, and what sets them apart (S)";
pub const BY: &str = "Groups of";
pub const SUMMARY: &str = "Summary";
pub const AGAINST: &str = "Beside a column";
pub const TREE: &str = "Tree";
pub const GROUP: &str = "Group";
pub const ROWS: &str = "Rows";
pub const SHARE: &str = "Share";
pub const APART: &str = "What sets it apart";
pub const VARIANCE: &str = "Variance";
pub const VARIANCE_HINT: &str = "The mean of the squared distances from the middle of the cluster, of the vectors as they were clustered";
pub const EXAMPLES: &str = "Examples";
pub const TYPICAL: &str = "Typical";
pub const FAR_OUT: &str = "Far out";
pub const NOTHING_APART: &str = "nothing in particular";
pub const MISSING: &str = "missing";
pub const UNKNOWN: &str = "Unknown";
pub const NO_COLUMNS: &str =
    "No column of this table has groups: names, booleans or whole numbers.";
pub const NO_OTHERS: &str = "No other column of this table has groups.";
pub const NO_ROWS: &str = "No row passes the filters.";
pub const COUNTING: &str = "Counting …";
pub const COLUMN: &str = "Column";
pub const CHOOSE: &str = "Choose a column";
pub const RAND: &str = "Adjusted Rand index";
pub const RAND_HINT: &str =
    "1 where groups and values are the same, about 0 where one says nothing of the other";
pub const MUTUAL: &str = "Mutual information";
pub const MUTUAL_HINT: &str = "Normalised by the mean of both entropies: 0 where one says nothing of the other, 1 where each tells the other";
pub const ADJUSTED: &str = "Adjusted for chance";
pub const ADJUSTED_HINT: &str = "Mutual information beyond what chance gives, however many groups there are: about 0 for chance, 1 where each tells the other";
pub const BOTH: &str = "Rows with both";
pub const PURITY: &str = "Purity";
pub const PURITY_HINT: &str = "The share of its most frequent value";
pub const ENTROPY: &str = "Entropy";
pub const ENTROPY_HINT: &str = "In bits: 0 where all its rows have the same value";
pub const OTHERS: &str = "others";
pub const LEVELS: &str = "Levels";
pub const ADD_LEVEL: &str = "Add a level";
pub const TREE_WHAT: &str =
    "Choose columns that divide each other, such as family, genus, species.";
pub const DEPTH: &str = "Depth";
pub const LEAST: &str = "Rows at least";
pub const COPY_TREE: &str = "Copy as text";
pub const COPIED: &str = "Copied";
pub const ICICLE: &str = "Groups as wide as they have rows, one level under the other";
pub const EMPTY_TREE: &str = "No branch has as many rows.";

pub const SELECTION: &str = "Selection";
pub const SELECT_FIRST: &str = "Nothing is selected: filter rows, or draw a box or an outline on a scatter, to see what sets these rows apart and to give them a name.";
pub const SELECTED: &str = "Selected";
pub const ELSEWHERE: &str = "Others";
pub const APART_HERE: &str = "What sets them apart";
pub const NOTHING_APART_HERE: &str = "Nothing in particular sets these rows apart.";
pub const CALL_ROWS: &str = "Name of the selected rows";
pub const NAME_ROWS: &str = "Name these rows";
pub const NAMED_ROWS: &str = "Named rows";
pub const LAST_NAME_HOLDS: &str = "A row of several has the last of their names.";
pub const SHOW: &str = "Show";
pub const FORGET: &str = "Forget";
pub const SAVE_TITLE: &str = "Save the names";
pub const SAVE_COLUMN: &str = "Column of names";
pub const SAVE_OTHERWISE: &str = "All other rows";
pub const NAMELESS: &str = "have no name";
pub const SAVE_INTO: &str = "New table";
pub const SAVE: &str = "Save as a table";
pub const SAVED_BY_COMPANION: &str =
    "In the companion's lake, with all columns, and where it comes from";
pub const SAVED_HERE: &str =
    "In this browser, with the columns that are loaded, for as long as the page is open";
pub const SAVED_BY_NOBODY: &str = "This table is not in the browser, and the companion, which could save it, cannot be reached now.";

pub fn selected(rows: u64, others: u64) -> String {
    format!("{} rows beside {} others", format::count(rows), format::count(others))
}

/// The filters that both pass.
pub fn among(filters: &str) -> String {
    format!("among {filters}")
}

pub fn mean(mean: &str) -> String {
    format!("mean {mean}")
}

pub fn show_rows(name: &str) -> String {
    format!("Select {name}")
}

pub fn forget_rows(name: &str) -> String {
    format!("Forget the name {name}")
}

/// Of a column whose values are the names of all other rows.
pub fn go_on(column: &str) -> String {
    format!("keep their {column}")
}

pub const NAME: &str = "Called";
pub const NAME_HINT: &str = "What legends, labels and filters say instead of the value";
pub const NAME_ALL: &str = "Name all by what sets them apart";
pub const UNNAME_ALL: &str = "Take names away";

pub fn name_of(group: &str) -> String {
    format!("Name of {group}")
}

/// A group that a number is large in, or small.
pub fn far_in(column: &str, is_large: bool) -> String {
    let size = if is_large { "high" } else { "low" };
    format!("{size} {column}")
}

pub fn cut(most: u32) -> String {
    format!("Only the {} largest are shown.", format::count(u64::from(most)))
}

pub fn more(column: &str) -> String {
    format!("{column} has too many values to be compared whole: the most frequent are.")
}

pub fn total(groups: usize, rows: u64) -> String {
    let groups = format::count(groups as u64);
    let s = if groups == "1" { "" } else { "s" };
    format!("{groups} group{s}, {} rows", format::count(rows))
}

pub fn in_all(rows: u64) -> String {
    format!("{} rows", format::count(rows))
}

/// A share, as short as it says what is meant.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "< 0.1 %".to_owned(),
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

pub fn shares(here: f64, elsewhere: f64) -> String {
    format!("{} here, {} elsewhere", percent(here), percent(elsewhere))
}

/// A word of texts.
pub fn quoted(word: &str) -> String {
    format!("“{word}”")
}

pub fn term(word: &str, here: f64, elsewhere: f64) -> String {
    format!("{}: in the texts of {}", quoted(word), shares(here, elsewhere))
}

/// Of a number whose mean is far from that of all rows.
pub fn is_far(distance: f64) -> &'static str {
    match distance {
        far if far >= 1.5 => "much larger",
        far if far > 0.0 => "larger",
        far if far <= -1.5 => "much smaller",
        _ => "smaller",
    }
}

pub fn mean_here(mean: &str, distance: f64) -> String {
    format!("mean {mean}, {:+.1} standard deviations from that of all rows", distance)
}

pub fn example(row: u64) -> String {
    format!("Show row {}", format::count(row))
}

pub fn filter(group: &str) -> String {
    format!("Show only {group}, or no longer")
}

pub fn cell(group: &str, value: &str, rows: u64, share: f64) -> String {
    format!("{group} × {value}: {} rows, {} of {group}", format::count(rows), percent(share))
}

pub fn remove_level(column: &str) -> String {
    format!("Leave out {column}")
}

pub fn slab(name: &str, rows: u64, share: f64) -> String {
    format!("{name}: {} rows, {}", format::count(rows), percent(share))
}

pub fn widths(columns: &[String], widths: &[usize]) -> String {
    let each = columns.iter().zip(widths).map(|(column, width)| format!("{width} {column}"));
    each.collect::<Vec<_>>().join(" · ")
}
