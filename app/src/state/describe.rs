//! Clauses in words, for the list of active filters, for names of controls, and for the
//! advice when no row is left.

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

use super::chart::words::operation;
use crate::protocol::{Clause, Mark};
use crate::texts;

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
            Literal::Bool(true) if *op == Comparison::Eq => texts::values::YES.to_owned(),
            Literal::Bool(false) if *op == Comparison::Eq => texts::values::NO.to_owned(),
            _ => format!("{} {}", sign(*op), value(literal)),
        },
        Predicate::In { values, negated, .. } => {
            let list = match values.len() {
                0 => texts::clauses::NOTHING.to_owned(),
                1..=3 => values.iter().map(value).collect::<Vec<_>>().join(", "),
                n => texts::clauses::values(n),
            };
            if *negated { texts::clauses::none_of(&list) } else { list }
        }
        Predicate::Contains { text, case_sensitive, .. } => {
            texts::clauses::contains(&clipped(text), *case_sensitive)
        }
        Predicate::Matches { pattern, case_sensitive, .. } => {
            texts::clauses::matches(&clipped(pattern), *case_sensitive)
        }
        Predicate::IsNull { .. } => texts::clauses::IS_MISSING.to_owned(),
        Predicate::NotNull { .. } => texts::clauses::IS_NOT_MISSING.to_owned(),
        Predicate::Within { polygon, .. } => texts::clauses::in_outline(polygon.len()),
        Predicate::Not(inner) => texts::clauses::not(&self::predicate(inner)),
        // A record of another system's control, from a link: its meaning depends on the column.
        Predicate::Interaction(_) => texts::clauses::AS_ITS_CONTROL.to_owned(),
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
        Predicate::Or(parts) => joined(parts, texts::clauses::OR),
    }
}

fn joined(parts: &[Predicate], between: &str) -> String {
    match parts {
        [] => texts::clauses::EVERYTHING.to_owned(),
        _ => parts.iter().map(predicate).collect::<Vec<_>>().join(between),
    }
}

/// A literal as people write it.
pub fn value(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) if text.is_empty() => "“”".to_owned(),
        Literal::Text(text) => clipped(text),
        Literal::Bool(true) => texts::values::YES.to_owned(),
        Literal::Bool(false) => texts::values::NO.to_owned(),
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
        Mark::Scatter { x, y, .. } => texts::views::scatter_name(x, y),
        Mark::Histogram { column, .. } | Mark::Bars { column, .. } => column.clone(),
        Mark::Heat { x, y, .. } => texts::views::heat_name(x, y),
        Mark::Line { time, of, split, .. } => {
            texts::views::line_name(&operation(of.as_ref()), time, split.as_deref())
        }
        Mark::Boxes { column, by, .. } => texts::views::boxes_name(column, by.as_deref()),
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
