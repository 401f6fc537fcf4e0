//! One clause of an address: `delay:between:0:60`, `origin:in:ATL:ORD`,
//! `name:contains:x` (case ignored), `name:matches_case:^X`, `flag:eq:true`,
//! `note:is_null`, `@3:box:distance:0:900:delay:-5:60` for a box drawn in view 3,
//! `@3:lasso:distance:delay:0:0:900:0:900:60` for an outline, and `ID:json:…` for any other
//! shape.

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

use super::atoms::{decoded, encoded, read_literal, shortened, written_literal};
use crate::protocol::Clause;
use crate::state::column_clause;
use crate::texts;

const VALUES_MAX: usize = 10_000;

const COMPARISONS: [Comparison; 6] = [
    Comparison::Eq,
    Comparison::Ne,
    Comparison::Lt,
    Comparison::Le,
    Comparison::Gt,
    Comparison::Ge,
];

pub(super) fn write(clause: &Clause) -> String {
    let whole = || {
        let json = serde_json::to_string(&clause.predicate).unwrap_or_default();
        format!("{}:json:{}", encoded(&clause.id), encoded(&json))
    };
    if let Some(column) = clause.id.strip_prefix("column:") {
        // A column's name that begins with @ would read as a view's number.
        let plain = clause.predicate.columns() == [column] && !column.starts_with('@');
        return match of_column(&clause.predicate) {
            Some(rest) if plain => format!("{}:{rest}", encoded(column)),
            _ => whole(),
        };
    }
    match (clause.id.strip_prefix("view:"), box_sides(&clause.predicate)) {
        (Some(view), Some(sides)) if view.parse::<u32>().is_ok() => {
            let sides = sides.iter().map(|(column, low, high)| {
                format!("{}:{}:{}", encoded(column), written_literal(low), written_literal(high))
            });
            format!("@{view}:box:{}", sides.collect::<Vec<_>>().join(":"))
        }
        (Some(view), None) if view.parse::<u32>().is_ok() => match &clause.predicate {
            Predicate::Within { x, y, polygon } => {
                let corners = polygon.iter().flatten().map(|place| format!(":{place}"));
                let corners = corners.collect::<String>();
                format!("@{view}:lasso:{}:{}{corners}", encoded(x), encoded(y))
            }
            _ => whole(),
        },
        _ => whole(),
    }
}

/// Operator and values of a predicate on one column; `None` if it has no short form.
fn of_column(predicate: &Predicate) -> Option<String> {
    let values = |values: &[Literal]| {
        values.iter().map(|value| format!(":{}", written_literal(value))).collect::<String>()
    };
    let case =
        |name: &str, sensitive: bool| format!("{name}{}", if sensitive { "_case" } else { "" });
    Some(match predicate {
        Predicate::Between { low, high, .. } => {
            format!("between:{}:{}", written_literal(low), written_literal(high))
        }
        Predicate::In { values: list, negated, .. } => {
            format!("{}{}", if *negated { "not_in" } else { "in" }, values(list))
        }
        Predicate::Compare { op, value, .. } => format!("{}:{}", op.name(), written_literal(value)),
        Predicate::Contains { text, case_sensitive, .. } => {
            format!("{}:{}", case("contains", *case_sensitive), encoded(text))
        }
        Predicate::Matches { pattern, case_sensitive, .. } => {
            format!("{}:{}", case("matches", *case_sensitive), encoded(pattern))
        }
        Predicate::IsNull { .. } => "is_null".to_owned(),
        Predicate::NotNull { .. } => "not_null".to_owned(),
        _ => return None,
    })
}

/// The sides of a box: an `and` of two intervals.
fn box_sides(predicate: &Predicate) -> Option<[(&str, &Literal, &Literal); 2]> {
    let Predicate::And(parts) = predicate else { return None };
    let [
        Predicate::Between { column: x, low: x_low, high: x_high },
        Predicate::Between { column: y, low: y_low, high: y_high },
    ] = parts.as_slice()
    else {
        return None;
    };
    Some([(x, x_low, x_high), (y, y_low, y_high)])
}

pub(super) fn read(value: &str) -> Result<Clause, String> {
    let mut atoms = value.split(':');
    let subject = atoms.next().unwrap_or_default();
    let op = decoded(atoms.next().unwrap_or_default())?;
    let rest: Vec<&str> = atoms.collect();
    if rest.len() > VALUES_MAX {
        return Err(texts::address::too_many_values(VALUES_MAX));
    }
    let broken = || texts::address::no_filter(&shortened(value));
    if op == "json" {
        let [json] = rest.as_slice() else { return Err(broken()) };
        let predicate = serde_json::from_str(&decoded(json)?)
            .map_err(|error| texts::address::no_json_filter(&error.to_string()))?;
        let id = decoded(subject)?;
        let known = id.starts_with("column:") || id.starts_with("view:");
        return if known { Ok(Clause { id, predicate }) } else { Err(broken()) };
    }
    if let Some(view) = subject.strip_prefix('@') {
        let view: u32 = view.parse().map_err(|_| broken())?;
        let predicate = match (op.as_str(), rest.as_slice()) {
            ("box", [x, x_low, x_high, y, y_low, y_high]) => {
                Predicate::And(vec![side(x, x_low, x_high)?, side(y, y_low, y_high)?])
            }
            ("lasso", [x, y, corners @ ..]) => Predicate::Within {
                x: decoded(x)?,
                y: decoded(y)?,
                polygon: read_corners(corners).ok_or_else(broken)?,
            },
            _ => return Err(broken()),
        };
        return Ok(Clause { id: format!("view:{view}"), predicate });
    }
    let column = decoded(subject)?;
    if column.is_empty() {
        return Err(broken());
    }
    let predicate = read_predicate(&column, &op, &rest)?.ok_or_else(broken)?;
    Ok(Clause { id: column_clause(&column), predicate })
}

/// Three corners or more, two finite numbers each.
fn read_corners(atoms: &[&str]) -> Option<Vec<[f64; 2]>> {
    let numbers = atoms.iter().map(|atom| atom.parse::<f64>().ok().filter(|n| n.is_finite()));
    let numbers = numbers.collect::<Option<Vec<f64>>>()?;
    let (corners, rest) = numbers.as_chunks::<2>();
    (rest.is_empty() && corners.len() >= 3).then(|| corners.to_vec())
}

fn side(column: &str, low: &str, high: &str) -> Result<Predicate, String> {
    let (low, high) = (read_literal(low)?, read_literal(high)?);
    Ok(Predicate::Between { column: decoded(column)?, low, high })
}

fn read_predicate(column: &str, op: &str, atoms: &[&str]) -> Result<Option<Predicate>, String> {
    let column = column.to_owned();
    let (bare, case_sensitive) = match op.strip_suffix("_case") {
        Some(bare) => (bare, true),
        None => (op, false),
    };
    let predicate = match (bare, atoms) {
        ("between", [low, high]) => {
            Predicate::Between { column, low: read_literal(low)?, high: read_literal(high)? }
        }
        ("in" | "not_in", values) => {
            let values =
                values.iter().map(|value| read_literal(value)).collect::<Result<_, _>>()?;
            Predicate::In { column, values, negated: op == "not_in" }
        }
        ("contains", [text]) => {
            Predicate::Contains { column, text: decoded(text)?, case_sensitive }
        }
        ("matches", [pattern]) => {
            Predicate::Matches { column, pattern: decoded(pattern)?, case_sensitive }
        }
        ("is_null", []) => Predicate::IsNull { column },
        ("not_null", []) => Predicate::NotNull { column },
        (name, [value]) => {
            let Some(op) = COMPARISONS.into_iter().find(|op| op.name() == name) else {
                return Ok(None);
            };
            Predicate::Compare { column, op, value: read_literal(value)? }
        }
        _ => return Ok(None),
    };
    Ok(Some(predicate))
}
