//! Why a view, a filter, a record or a copy has no answer.

pub const NO_TABLE: &str = "no table is loaded";
pub const NO_SUCH_CHART: &str = "no such chart";
pub const NO_PICTURE: &str = "this view has no picture yet";
pub const COLUMN_GONE: &str = "the column is gone";
pub const PART_NOT_FETCHED: &str = "a part of the page could not be fetched";
pub const NOT_COUNTED: &str = "the rows were not counted";

pub const NO_SUCH_ROW: &str = "there is no such row";
pub const NO_SUCH_VALUE: &str = "there is no such value";
pub const NO_PICTURE_IN_BYTES: &str = "these bytes are no picture";
pub const ROWS_CHANGED: &str = "the rows changed while they were copied";

pub fn not_loaded(column: &str) -> String {
    format!("column {column:?} is not loaded")
}

pub fn no_column(column: &str) -> String {
    format!("no column {column:?}")
}

/// Of a type that is not known here.
pub fn of_type(column: &str, data_type: &str) -> String {
    format!("column {column:?} is of type {data_type}")
}

pub fn no_number(column: &str) -> String {
    format!("column {column:?} is not a number")
}

pub fn no_number_or_time(column: &str) -> String {
    format!("column {column:?} is not a number or a time")
}

pub fn no_categories(column: &str) -> String {
    format!("column {column:?} has no categories")
}

pub fn no_names(column: &str) -> String {
    format!("column {column:?} has no names")
}

pub fn no_axis(column: &str) -> String {
    format!("column {column:?} has neither numbers, times nor names")
}

pub fn no_color(column: &str) -> String {
    format!("column {column:?} cannot be a colour")
}

pub const SELECTION_CHANGED: &str = "other rows were selected while these were counted";

pub fn load_first(columns: &[&String]) -> String {
    let names: Vec<&str> = columns.iter().map(|name| name.as_str()).collect();
    format!("load these columns first: {}", names.join(", "))
}

pub fn too_many_groups(most: usize) -> String {
    format!("there are more than {most} different values")
}

pub fn columns_not_loaded(many: usize, detail: &str) -> String {
    format!("{many} columns are not loaded: {detail}")
}

pub fn picture_too_large(megabytes: usize) -> String {
    format!("the picture is larger than {megabytes} MB")
}

pub fn text_too_large(megabytes: usize) -> String {
    format!("these cells are more than {megabytes} MB of text")
}

pub fn too_many_cells(cells: u64, most: u64) -> String {
    format!("{cells} cells are more than {most} that are copied at once")
}

pub fn answers_missing(answers: usize, queries: usize) -> String {
    format!("{answers} answers have come to {queries} queries")
}

pub fn no_matcher(reason: &str) -> String {
    format!("the part of Limn that matches regular expressions did not load: {reason}")
}
