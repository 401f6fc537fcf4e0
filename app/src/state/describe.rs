//! Clauses in words, for the list of active filters, for names of controls, and for the
//! advice when no row is left.

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

use crate::protocol::{Clause, Mark, Measured};

/// What a clause is about: the column's name, or the columns of a box.
pub fn subject(clause: &Clause) -> String {
    match clause.id.strip_prefix("column:") {
        Some(column) => column.to_owned(),
        None => clause.predicate.columns().join(" × "),
    }
}

/// What a clause says: "0 – 60", "AA, DL", "contains “xyz”".
pub fn predicate(predicate: &Predicate) -> String {
    match predicate {
        Predicate::Between { low, high, .. } if low == high => format!("= {}", value(low)),
        Predicate::Between { low, high, .. } => format!("{} – {}", value(low), value(high)),
        Predicate::Compare { op, value: literal, .. } => match literal {
            Literal::Bool(true) if *op == Comparison::Eq => "yes".to_owned(),
            Literal::Bool(false) if *op == Comparison::Eq => "no".to_owned(),
            _ => format!("{} {}", sign(*op), value(literal)),
        },
        Predicate::In { values, negated, .. } => {
            let list = match values.len() {
                0 => "nothing".to_owned(),
                1..=3 => values.iter().map(value).collect::<Vec<_>>().join(", "),
                n => format!("{n} values"),
            };
            if *negated { format!("not {list}") } else { list }
        }
        Predicate::Contains { text, case_sensitive, .. } => {
            format!("contains “{}”{}", clipped(text), case_note(*case_sensitive))
        }
        Predicate::Matches { pattern, case_sensitive, .. } => {
            format!("matches /{}/{}", clipped(pattern), if *case_sensitive { "" } else { "i" })
        }
        Predicate::IsNull { .. } => "is missing".to_owned(),
        Predicate::NotNull { .. } => "is not missing".to_owned(),
        Predicate::Within { polygon, .. } => format!("in an outline of {} corners", polygon.len()),
        Predicate::Not(inner) => format!("not ({})", self::predicate(inner)),
        // A record of another system's control, from a link: its meaning depends on the column.
        Predicate::Interaction(_) => "as its control says".to_owned(),
        Predicate::And(parts) => match parts.as_slice() {
            // From one end to before the other, as cells have it.
            [
                Predicate::Compare { column: one, op: Comparison::Ge, value: low },
                Predicate::Compare {
                    column: other,
                    op: Comparison::Lt | Comparison::Le,
                    value: high,
                },
            ] if one == other => format!("{} – {}", value(low), value(high)),
            parts => joined(parts, ", "),
        },
        Predicate::Or(parts) => joined(parts, " or "),
    }
}

fn joined(parts: &[Predicate], between: &str) -> String {
    match parts {
        [] => "everything".to_owned(),
        _ => parts.iter().map(predicate).collect::<Vec<_>>().join(between),
    }
}

fn case_note(case_sensitive: bool) -> &'static str {
    if case_sensitive { " (case counts)" } else { "" }
}

/// A literal as people write it.
pub fn value(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) if text.is_empty() => "“”".to_owned(),
        Literal::Text(text) => clipped(text),
        Literal::Bool(true) => "yes".to_owned(),
        Literal::Bool(false) => "no".to_owned(),
        Literal::Number(text) => text.replace('-', "−"),
    }
}

fn sign(op: Comparison) -> &'static str {
    match op {
        Comparison::Eq => "=",
        Comparison::Ne => "≠",
        Comparison::Lt => "<",
        Comparison::Le => "≤",
        Comparison::Gt => ">",
        Comparison::Ge => "≥",
    }
}

fn clipped(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A view's name: what its marks show.
pub fn mark(mark: &Mark) -> String {
    match mark {
        Mark::Scatter { x, y, .. } => format!("{y} by {x}"),
        Mark::Histogram { column, .. } | Mark::Bars { column, .. } => column.clone(),
        Mark::Heat { x, y, .. } => format!("{y} by {x}, counted"),
        Mark::Line { time, of, split, .. } => {
            let what = match of {
                Some(Measured { op, column }) => format!("{} of {column}", op.name()),
                None => "rows".to_owned(),
            };
            let split = split.as_ref().map(|split| format!(" and {split}")).unwrap_or_default();
            format!("{what} by {time}{split}")
        }
        Mark::Boxes { column, by, .. } => match by {
            Some(by) => format!("{column} by {by}"),
            None => format!("spread of {column}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_read_like_speech() {
        let column = || "c".to_owned();
        let number = |text: &str| Literal::Number(text.to_owned());
        let cases = [
            (
                Predicate::Between { column: column(), low: number("-5"), high: number("60") },
                "−5 – 60",
            ),
            (Predicate::Between { column: column(), low: number("5"), high: number("5") }, "= 5"),
            (
                Predicate::In {
                    column: column(),
                    values: vec!["AA".into(), "DL".into()],
                    negated: false,
                },
                "AA, DL",
            ),
            (Predicate::In { column: column(), values: vec![], negated: false }, "nothing"),
            (
                Predicate::Compare { column: column(), op: Comparison::Eq, value: true.into() },
                "yes",
            ),
            (
                Predicate::Matches {
                    column: column(),
                    pattern: "^a".into(),
                    case_sensitive: false,
                },
                "matches /^a/i",
            ),
            (Predicate::Not(Box::new(Predicate::IsNull { column: column() })), "not (is missing)"),
            (Predicate::all(), "everything"),
        ];
        for (given, text) in cases {
            assert_eq!(predicate(&given), text);
        }
        let long = Literal::Text("é".repeat(100));
        assert_eq!(value(&long).chars().count(), 41);
    }
}
