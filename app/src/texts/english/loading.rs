//! What is said while tables, columns and files come, and where they do not.

pub const NO_COMPANION: &str = "this page has none";
pub const NO_NETWORK: &str = "there is no network";
pub const CANCELLED: &str = "cancelled";
pub const TABLE_UNREADABLE: &str = "the table cannot be read";
pub const EMPTY_BLOCK: &str = "a block of nothing";

pub const READER_NOT_STARTED: &str = "it did not start";
pub const READER_SILENT: &str = "the reader said nothing";

pub fn unreachable(detail: &str) -> String {
    format!("the companion cannot be reached: {detail}")
}

pub fn broken_off(detail: &str) -> String {
    format!("the answer broke off: {detail}")
}

pub fn no_answer_within(seconds: i32) -> String {
    format!("no answer within {seconds} s")
}

pub fn companion_answers(status: u16, text: &str) -> String {
    format!("the companion answers {status} {text}")
}

pub fn tables_not_listed(error: &str) -> String {
    format!("cannot list the tables: {error}")
}

pub fn nothing_kept(error: &str, table: &str) -> String {
    format!("{error}; nothing of {table} is kept in this browser")
}

/// A column that a table lacks, and the one with the nearest name.
pub fn no_column(column: &str, table: &str, nearest: Option<&str>) -> String {
    let hint = nearest.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    format!("no column {column:?} in {table}{hint}")
}

pub fn rows_missing(rows: u64, expected: u64) -> String {
    format!("{rows} rows have come of {expected}")
}

pub fn rows_differ(here: u64, others: u64) -> String {
    format!("the columns that are here have {here} rows, the others {others}")
}

pub fn column_missing(column: &str) -> String {
    format!("column {column:?} is missing")
}

pub fn column_has_not_come(column: &str) -> String {
    format!("column {column:?} has not come")
}

pub fn other_type(column: &str, found: &str, expected: &str) -> String {
    format!("column {column:?} is of type {found}, not {expected}")
}

/// A table that is shown without the companion, and since when it is kept.
pub fn offline(table: &str, version: Option<&str>, since: Option<&str>) -> String {
    let since = since.map(|since| format!(", kept here since {since}")).unwrap_or_default();
    format!("without the companion: {}{since}", at_version(table, version))
}

pub fn not_kept(table: &str, version: Option<&str>, columns: &str) -> String {
    let shown = at_version(table, version);
    format!("the companion cannot be reached, and of {shown} this browser does not keep {columns}")
}

fn at_version(table: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{table} version {version}"),
        None => table.to_owned(),
    }
}

pub fn no_reader(file: &str) -> String {
    format!("{file}: the reader of such files is not part of this page")
}

pub fn file_gone(file: &str) -> String {
    format!("{file} is no longer open here: open it again")
}

pub fn file_not_arrived(file: &str) -> String {
    format!("the file {file:?} did not arrive")
}

pub fn reader_broke(why: &str) -> String {
    format!("the reader of the file broke: {why}")
}

pub fn columns_left_out(mebibytes: u64, columns: &str) -> String {
    format!(
        "not loaded, because there are {mebibytes} MiB for columns here: {columns}. Load fewer \
         others to see them"
    )
}

/// Only the first rows are shown, as a browser holds no more.
pub fn rows_at_most(table: &str, rows: u64, all: Option<u64>, most: u64) -> String {
    partial(table, rows, all, &format!("a browser holds {most} rows"))
}

/// Only the first rows are shown, as these columns take too much room.
pub fn rows_that_fit(table: &str, rows: u64, all: Option<u64>, mebibytes: u64) -> String {
    let why = format!("there are {mebibytes} MiB for columns here: load fewer to see more rows");
    partial(table, rows, all, &why)
}

fn partial(table: &str, rows: u64, all: Option<u64>, why: &str) -> String {
    let of = all.map(|all| format!(" of {all}")).unwrap_or_default();
    format!("{table}: only the first {rows} rows{of} are shown, because {why}")
}

pub fn unreadable_request(error: &str) -> String {
    format!("the page's message cannot be read: {error}")
}
