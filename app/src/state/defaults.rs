//! What a table is shown as before anybody chose: which columns are loaded and which
//! views are made of them, told by kinds, names and sizes alone, so that the same table
//! opens the same way everywhere.

use engine::kind::Kind;
use engine::query::AggregateOp;

use super::ShownView;
use crate::few::sort_few;
use crate::protocol::{ColumnInfo, Form, Mark, Measured, ViewId};
use crate::texts::views::{BOX_PLOT, HEAT_MAP, LINE, SCATTER, VIOLIN_PLOT};

/// Columns beyond this many bytes are left for the user to add.
pub const LOAD_BYTES_MAX: f64 = 256e6;
/// With so few rows, columns that can only be looked at are loaded too.
const SMALL_ROWS: u64 = 100_000;
/// Where the number of rows is unknown, so many columns are a fair start.
const COLUMNS_UNKNOWN_ROWS: usize = 40;

pub const HISTOGRAM_BINS: u16 = 40;
pub const BARS_SHOWN: u16 = 12;
/// Values listed in a filter; more are found by its search.
const FILTER_VALUES: u16 = 200;
const HISTOGRAMS: usize = 4;
const HEAT_BINS: u16 = 40;
const BAR_CHARTS: usize = 2;
/// As many colours as can be told apart.
const COLORS_MAX: u64 = 12;

/// The chart that one column is shown as; `None` for vectors and nested values.
pub fn mark_of(column: &ColumnInfo) -> Option<Mark> {
    let name = column.name.clone();
    match column.kind {
        Kind::Number | Kind::Time => Some(Mark::Histogram {
            column: name,
            bins: HISTOGRAM_BINS,
            domain: None,
            form: Form::default(),
        }),
        Kind::Category | Kind::Boolean | Kind::Text => Some(bars(name)),
        Kind::Vector | Kind::Nested => None,
    }
}

/// The values of a column by count.
pub fn bars(column: String) -> Mark {
    Mark::Bars { column, limit: BARS_SHOWN, search: String::new() }
}

/// The sorts of charts of more than one column that can be added, with what each is called.
pub const KINDS: [&str; 5] = [SCATTER, HEAT_MAP, LINE, BOX_PLOT, VIOLIN_PLOT];

/// A chart of one of the [`KINDS`], of the columns that suit it best; about this column, if
/// one is named. `None` where the table has none that suit.
pub fn guess(kind: &str, columns: &[ColumnInfo], about: Option<&ColumnInfo>) -> Option<Mark> {
    // What is about rows comes last, and what is asked for first.
    let mut known: Vec<&ColumnInfo> = columns.iter().collect();
    sort_few(&mut known, |column| {
        let is_about = about.is_some_and(|about| about.name == column.name);
        (!is_about, is_key(column), place_axis(&column.name).is_some() && kind != SCATTER)
    });
    let of = |kind: Kind| known.iter().copied().filter(move |column| column.kind == kind);
    let named = |most: u64| {
        known.iter().copied().find(|column| {
            let is_named = matches!(column.kind, Kind::Category | Kind::Boolean | Kind::Text);
            let is_about = about.is_some_and(|about| about.name == column.name);
            let few = |many: u64| (2..=most).contains(&many);
            let may_be = column.kind != Kind::Text || is_about;
            is_named && (is_about || column.distinct_count.map_or(may_be, few))
        })
    };
    let name = |column: &ColumnInfo| column.name.clone();
    match kind {
        SCATTER => match about {
            None => scatter(&known),
            Some(_) => None,
        },
        HEAT_MAP => {
            let mut sides = of(Kind::Number).chain(of(Kind::Time));
            let (x, y) = match about {
                Some(about) => (
                    about,
                    known.iter().copied().find(|column| {
                        column.name != about.name
                            && matches!(column.kind, Kind::Number | Kind::Time)
                    })?,
                ),
                None => (sides.next()?, sides.next().or_else(|| named(COLORS_MAX * 2))?),
            };
            Some(Mark::Heat { x: name(x), y: name(y), bins: HEAT_BINS, log: false })
        }
        LINE => {
            let time = name(of(Kind::Time).next()?);
            let measured = about.filter(|about| about.kind == Kind::Number);
            let of =
                measured.map(|column| Measured { op: AggregateOp::Mean, column: name(column) });
            let split = about.filter(|about| !matches!(about.kind, Kind::Number | Kind::Time));
            Some(Mark::Line { time, of, split: split.map(name), step: None })
        }
        BOX_PLOT | VIOLIN_PLOT => {
            let column = name(of(Kind::Number).next()?);
            let violin = kind == VIOLIN_PLOT;
            Some(Mark::Boxes { column, by: named(COLORS_MAX * 2).map(name), violin })
        }
        _ => None,
    }
}

/// What the filter of a column counts; more than its chart, as it is the place to search.
pub fn filter_mark(column: &ColumnInfo, search: &str) -> Option<Mark> {
    match mark_of(column)? {
        Mark::Bars { column, .. } => {
            Some(Mark::Bars { column, limit: FILTER_VALUES, search: search.to_owned() })
        }
        mark => Some(mark),
    }
}

/// A scatter of the two most telling columns, then a few histograms and bar charts.
pub fn views(columns: &[ColumnInfo]) -> Vec<ShownView> {
    let telling: Vec<&ColumnInfo> = columns.iter().filter(|column| !is_key(column)).collect();
    let of_kind = |kind: Kind| telling.iter().copied().filter(move |column| column.kind == kind);
    let mut marks: Vec<Mark> = scatter(&telling).into_iter().collect();
    // Places on a map say little one at a time.
    let numbers = of_kind(Kind::Number).filter(|column| place_axis(&column.name).is_none());
    marks.extend(of_kind(Kind::Time).take(2).chain(numbers).take(HISTOGRAMS).filter_map(mark_of));
    let named = telling.iter().copied().filter(|column| {
        matches!(column.kind, Kind::Category | Kind::Boolean | Kind::Text)
            && column.distinct_count.is_none_or(|distinct| distinct > 1)
    });
    let mut named: Vec<&ColumnInfo> = named.collect();
    // Few values first: a column of names is the worst bar chart there is.
    sort_few(&mut named, |column| match (column.kind, column.distinct_count) {
        (_, Some(distinct)) if distinct <= 100 => 0,
        (Kind::Category | Kind::Boolean, _) => 1,
        (_, None) => 2,
        (_, Some(_)) => 3,
    });
    marks.extend(named.into_iter().take(BAR_CHARTS).filter_map(mark_of));
    let numbered = (1..).zip(marks);
    numbered.map(|(id, mark)| ShownView { id: ViewId(id), mark, viewport: None }).collect()
}

fn scatter(columns: &[&ColumnInfo]) -> Option<Mark> {
    let of_kind = |kind: Kind| columns.iter().copied().filter(move |column| column.kind == kind);
    let place = |axis: Axis| of_kind(Kind::Number).find(|c| place_axis(&c.name) == Some(axis));
    let mut numbers = of_kind(Kind::Number);
    let (x, y) = match (place(Axis::Longitude), place(Axis::Latitude)) {
        (Some(x), Some(y)) => (x, y),
        _ => {
            let first = numbers.next()?;
            match (numbers.next(), of_kind(Kind::Time).next()) {
                (Some(second), _) => (first, second),
                (None, Some(time)) => (time, first),
                (None, None) => return None,
            }
        }
    };
    let color = columns.iter().find(|column| {
        matches!(column.kind, Kind::Category | Kind::Boolean | Kind::Text)
            && column.distinct_count.is_some_and(|n| (2..=COLORS_MAX).contains(&n))
    });
    Some(Mark::Scatter {
        varied: Default::default(),
        look: Default::default(),
        x: x.name.clone(),
        y: y.name.clone(),
        color: color.map(|column| column.name.clone()),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Longitude,
    Latitude,
}

fn place_axis(name: &str) -> Option<Axis> {
    match name.to_lowercase().as_str() {
        "longitude" | "lon" | "lng" | "long" => Some(Axis::Longitude),
        "latitude" | "lat" => Some(Axis::Latitude),
        _ => None,
    }
}

/// Names of rows rather than facts about them.
fn is_key(column: &ColumnInfo) -> bool {
    let name = column.name.to_lowercase();
    matches!(name.as_str(), "id" | "uuid" | "key" | "index" | "rowid" | "url" | "zip" | "zip_code")
        || name.ends_with("_id")
        || name.ends_with("_uuid")
}

/// The columns to load: what views and clauses need, then the others in the table's order
/// while they stay within [`LOAD_BYTES_MAX`].
pub fn columns(schema: &[ColumnInfo], rows: Option<u64>, needed: &[String]) -> Vec<String> {
    let cost = |column: &ColumnInfo| rows.map_or(0.0, |rows| rows as f64 * column.bytes_per_row);
    let is_needed = |column: &&ColumnInfo| needed.contains(&column.name);
    let mut bytes: f64 = schema.iter().filter(is_needed).map(cost).sum();
    let mut left = match rows {
        Some(_) => usize::MAX,
        None => COLUMNS_UNKNOWN_ROWS,
    };
    let small = rows.is_some_and(|rows| rows <= SMALL_ROWS);
    let chosen = schema.iter().filter(|column| {
        if is_needed(column) {
            return true;
        }
        let useful = small || !matches!(column.kind, Kind::Vector | Kind::Nested);
        if !useful || left == 0 || bytes + cost(column) > LOAD_BYTES_MAX {
            return false;
        }
        bytes += cost(column);
        left -= 1;
        true
    });
    chosen.map(|column| column.name.clone()).collect()
}

/// The estimated bytes of columns, once loaded.
pub fn load_bytes(schema: &[ColumnInfo], rows: Option<u64>, columns: &[String]) -> Option<u64> {
    let rows = rows?;
    let chosen = schema.iter().filter(|column| columns.contains(&column.name));
    Some(chosen.map(|column| (rows as f64 * column.bytes_per_row) as u64).sum())
}
