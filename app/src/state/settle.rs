//! What was chosen meets a schema: what was left open is filled, what the table does not
//! have is left out and said. After this every part of the choice is explicit, so that
//! the address opens the same elsewhere.

use engine::kind::Kind;
use engine::query::Version;

use super::{Chosen, ShownView, defaults, describe};
use crate::protocol::{ColumnInfo, Mark};
use crate::texts;

/// Fills and cleans `chosen`. Returns what was left out, in words.
pub fn settle(
    chosen: &mut Chosen,
    schema: &[ColumnInfo],
    rows: Option<u64>,
    version: Option<Version>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    if version.is_some() {
        chosen.version = version;
    }
    let known = |name: &str| schema.iter().any(|column| column.name == name);
    let mut missing: Vec<String> = Vec::new();
    let mut miss = |name: &str| add_once(&mut missing, name);

    chosen.clauses.retain(|clause| {
        let unknown = clause.predicate.columns().into_iter().find(|name| !known(name));
        unknown.is_none_or(|name| {
            miss(name);
            false
        })
    });
    chosen.row_groups.forget_unknown(known).iter().for_each(|name| miss(name));
    if let Some(views) = &mut chosen.views {
        views.retain(|view| match unfit(&view.mark, schema) {
            None => true,
            Some(Unfit::Missing(name)) => {
                miss(&name);
                false
            }
            Some(Unfit::Kind(name)) => {
                let view = describe::mark(&view.mark);
                complaints.push(texts::address::no_such_axis(&view, &name));
                false
            }
        });
    }
    let layout = &mut chosen.row_layout;
    layout.widths.retain(|name, _| known(name));
    let lists = [&mut chosen.columns, &mut chosen.row_columns].into_iter().flatten();
    for list in lists.chain([&mut layout.pins]) {
        list.retain(|name| {
            let there = known(name);
            if !there {
                miss(name);
            }
            there
        });
    }
    chosen.order_by.retain(|key| {
        let there = known(&key.column);
        if !there {
            miss(&key.column);
        }
        there
    });

    let views = chosen.views.get_or_insert_with(|| defaults::views(schema));
    // What is not there cannot be played.
    if let Some(player) = chosen.player.take_if(|player| !known(&player.column)) {
        miss(&player.column);
    }
    let of_clauses = chosen.clauses.iter().flat_map(|clause| clause.predicate.columns());
    let played = chosen.player.iter().map(|player| player.column.as_str());
    let needed = needed(views, of_clauses.chain(played));
    match &mut chosen.columns {
        None => chosen.columns = Some(defaults::columns(schema, rows, &needed)),
        // A view or a filter of a link works even where its list of columns was cut.
        Some(columns) => needed.iter().for_each(|name| add_once(columns, name)),
    }
    if !missing.is_empty() {
        let version = chosen.version.as_ref().map(|version| version.to_string());
        complaints.push(texts::address::columns_missing(&missing, version.as_deref()));
    }
    complaints
}

fn add_once(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|seen| seen == name) {
        names.push(name.to_owned());
    }
}

/// The columns that views and clauses read, each once.
pub fn needed<'a>(
    views: &'a [ShownView],
    of_clauses: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let of_views = views.iter().flat_map(|view| view.mark.columns());
    for name in of_views.chain(of_clauses) {
        if !names.iter().any(|seen| seen == name) {
            names.push(name.to_owned());
        }
    }
    names
}

enum Unfit {
    Missing(String),
    Kind(String),
}

fn unfit(mark: &Mark, schema: &[ColumnInfo]) -> Option<Unfit> {
    let kind_of = |name: &str| schema.iter().find(|column| column.name == name).map(|c| c.kind);
    let check = |name: &str, fits: fn(Kind) -> bool| match kind_of(name) {
        None => Some(Unfit::Missing(name.to_owned())),
        Some(kind) if fits(kind) => None,
        Some(_) => Some(Unfit::Kind(name.to_owned())),
    };
    let axis = |kind| matches!(kind, Kind::Number | Kind::Time);
    let named = |kind| matches!(kind, Kind::Category | Kind::Boolean | Kind::Text);
    let number = |kind| kind == Kind::Number;
    let colorful = |kind| !matches!(kind, Kind::Vector | Kind::Nested);
    match mark {
        Mark::Scatter { x, y, color, varied, .. } => check(x, colorful)
            .or_else(|| check(y, colorful))
            .or_else(|| color.as_deref().and_then(|color| check(color, colorful)))
            .or_else(|| varied.size.as_deref().and_then(|size| check(size, number)))
            .or_else(|| varied.shape.as_deref().and_then(|shape| check(shape, named))),
        Mark::Histogram { column, .. } => check(column, axis),
        Mark::Bars { column, .. } => check(column, named),
        Mark::Heat { x, y, .. } => check(x, colorful).or_else(|| check(y, colorful)),
        Mark::Line { time, of, split, .. } => check(time, |kind| kind == Kind::Time)
            .or_else(|| of.as_ref().and_then(|of| check(&of.column, number)))
            .or_else(|| split.as_deref().and_then(|split| check(split, named))),
        Mark::Boxes { column, by, .. } => {
            check(column, number).or_else(|| by.as_deref().and_then(|by| check(by, named)))
        }
    }
}
