//! A query as SQL that DuckDB takes as it stands, once it knows the table by its name. The
//! answers are those of the companion: what SQL holds of NaN is written out where it is
//! another thing, and an outline becomes the even-odd rule over its edges.

use std::fmt::Write;

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};
use engine::query::{Nulls, OrderKey, Query};

use crate::texts;

/// `is_float` says of which columns some values may be NaN; `None` where a filter is a control
/// of a dashboard, whose meaning depends on the column's type. The page makes none.
pub fn text(query: &Query, is_float: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut sql = String::new();
    for line in texts::copies::sql_head(&query.table, query.version.as_ref()).lines() {
        push(&mut sql, format_args!("-- {line}\n"));
    }
    let columns = query.columns.as_ref().map(|names| names.iter().map(|name| quoted(name)));
    let columns =
        columns.map_or_else(|| "*".to_owned(), |names| names.collect::<Vec<_>>().join(", "));
    push(&mut sql, format_args!("SELECT {columns}\nFROM {}", quoted(&query.table)));
    let writer = Writer { is_float };
    if !query.filters.is_all() {
        let parts = match &query.filters {
            Predicate::And(parts) => parts.iter().filter(|part| !part.is_all()).collect(),
            other => vec![other],
        };
        for (nth, part) in parts.into_iter().enumerate() {
            let word = if nth == 0 { "WHERE" } else { "  AND" };
            push(&mut sql, format_args!("\n{word} {}", writer.predicate(part)?));
        }
    }
    let order: Vec<String> = query.order_by.iter().map(key).collect();
    if !order.is_empty() {
        push(&mut sql, format_args!("\nORDER BY {}", order.join(", ")));
    }
    sql.push_str(";\n");
    Some(sql)
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _written = text.write_fmt(what);
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn key(key: &OrderKey) -> String {
    let direction = if key.descending { "DESC" } else { "ASC" };
    let nulls = match key.nulls {
        Nulls::First => "FIRST",
        Nulls::Last => "LAST",
    };
    format!("{} {direction} NULLS {nulls}", quoted(&key.column))
}

fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Bool(true) => "TRUE".to_owned(),
        Literal::Bool(false) => "FALSE".to_owned(),
        Literal::Number(text) => text.clone(),
        Literal::Text(text) => string(text),
    }
}

/// A text as it stands within `LIKE`, `\` before what means something there.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    string(&pattern)
}

struct Writer<'a> {
    is_float: &'a dyn Fn(&str) -> bool,
}

impl Writer<'_> {
    fn all(&self, parts: &[Predicate], word: &str, none: &str) -> Option<String> {
        let parts: Option<Vec<_>> = parts.iter().map(|part| self.predicate(part)).collect();
        let parts = parts?;
        Some(match parts.as_slice() {
            [] => none.to_owned(),
            [only] => only.clone(),
            _ => format!("({})", parts.join(word)),
        })
    }

    fn predicate(&self, predicate: &Predicate) -> Option<String> {
        Some(match predicate {
            Predicate::And(parts) => self.all(parts, " AND ", "TRUE")?,
            Predicate::Or(parts) => self.all(parts, " OR ", "FALSE")?,
            Predicate::Not(part) => format!("(NOT {})", self.predicate(part)?),
            Predicate::Compare { column, op, value } => self.compare(column, *op, value),
            Predicate::Between { column, low, high } => {
                format!("{} BETWEEN {} AND {}", quoted(column), literal(low), literal(high))
            }
            Predicate::In { column, values, negated } => {
                let (column, values) = (quoted(column), values.iter().map(literal));
                let values = values.collect::<Vec<_>>().join(", ");
                match (values.is_empty(), negated) {
                    (true, true) => format!("{column} IS NOT NULL"),
                    (true, false) => "FALSE".to_owned(),
                    (false, true) => format!("{column} NOT IN ({values})"),
                    (false, false) => format!("{column} IN ({values})"),
                }
            }
            Predicate::Contains { column, text, case_sensitive } => {
                let word = if *case_sensitive { "LIKE" } else { "ILIKE" };
                format!(r"{} {word} {} ESCAPE '\'", quoted(column), like(text))
            }
            Predicate::Matches { column, pattern, case_sensitive } => {
                let options = if *case_sensitive { "" } else { ", 'i'" };
                format!("regexp_matches({}, {}{options})", quoted(column), string(pattern))
            }
            Predicate::IsNull { column } => format!("{} IS NULL", quoted(column)),
            Predicate::NotNull { column } => format!("{} IS NOT NULL", quoted(column)),
            Predicate::Within { x, y, polygon } => within(&quoted(x), &quoted(y), polygon),
            Predicate::Interaction(interaction) if interaction.is_unset() => "TRUE".to_owned(),
            Predicate::Interaction(_) => return None,
        })
    }

    /// Nothing is greater than NaN there, and nothing compares with it here.
    fn compare(&self, column: &str, op: Comparison, value: &Literal) -> String {
        let sign = match op {
            Comparison::Eq => "=",
            Comparison::Ne => "<>",
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            Comparison::Ge => ">=",
        };
        let compared = format!("{} {sign} {}", quoted(column), literal(value));
        match op {
            Comparison::Gt | Comparison::Ge if (self.is_float)(column) => {
                format!("({compared} AND NOT isnan({}))", quoted(column))
            }
            _ => compared,
        }
    }
}

/// Whether an odd number of edges lies to the right of the point.
fn within(x: &str, y: &str, polygon: &[[f64; 2]]) -> String {
    let next = polygon.iter().cycle().skip(1);
    let edges = polygon.iter().zip(next).filter(|(from, to)| from[1] != to[1]);
    let crossed = edges.map(|([ax, ay], [bx, by])| {
        format!(
            "CASE WHEN ({ay:?} <= {y}) <> ({by:?} <= {y}) AND {x} < {ax:?} + ({y} - {ay:?}) * {:?} THEN 1 ELSE 0 END",
            (bx - ax) / (by - ay)
        )
    });
    let crossed = crossed.collect::<Vec<_>>().join("\n      + ");
    match crossed.is_empty() {
        true => "FALSE".to_owned(),
        false => {
            format!("({x} IS NOT NULL AND {y} IS NOT NULL AND (\n        {crossed}\n    ) % 2 = 1)")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(filters: &str) -> String {
        let filters = Predicate::from_filters_text(filters).unwrap();
        let query = Query { filters, ..Query::of_table("a \"b\"") };
        let sql = text(&query, &|column| column == "f").unwrap();
        sql.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn filters_are_written_as_they_mean() {
        assert_eq!(said("[]"), "SELECT *\nFROM \"a \"\"b\"\"\";");
        let where_is = |filters: &str| said(filters).lines().skip(2).collect::<Vec<_>>().join(" ");
        assert_eq!(
            where_is(
                r#"[{"column":"f","op":"gt","value":1.50},{"column":"n","op":"ge","value":2}]"#
            ),
            r#"WHERE ("f" > 1.50 AND NOT isnan("f"))   AND "n" >= 2;"#
        );
        assert_eq!(
            where_is(
                r#"[{"or":[{"column":"t","op":"in","value":["it's",true]},{"not":{"column":"t","op":"is_null"}}]}]"#
            ),
            r#"WHERE ("t" IN ('it''s', TRUE) OR (NOT "t" IS NULL));"#
        );
        assert_eq!(
            where_is(r#"[{"column":"t","op":"contains","value":"5%_\\","case_sensitive":false}]"#),
            r"WHERE `t` ILIKE '%5\%\_\\%' ESCAPE '\';".replace('`', "\"")
        );
        assert_eq!(where_is(r#"[{"column":"t","op":"in","value":[]}]"#), "WHERE FALSE;");
        let outline =
            where_is(r#"[{"columns":["x","y"],"op":"within","value":[[0,0],[2,0],[2,1]]}]"#);
        assert_eq!(outline.matches("CASE WHEN").count(), 2, "{outline}");
    }

    #[test]
    fn what_is_shown_and_in_which_order_is_said() {
        let query = Query {
            columns: Some(vec!["b".into(), "a".into()]),
            order_by: vec![OrderKey { column: "a".into(), descending: true, nulls: Nulls::Last }],
            version: Some(engine::query::Version::Number(4)),
            ..Query::of_table("t")
        };
        let sql = text(&query, &|_| false).unwrap();
        assert!(sql.starts_with("-- ") && sql.contains("version 4"), "{sql}");
        assert!(
            sql.ends_with("SELECT \"b\", \"a\"\nFROM \"t\"\nORDER BY \"a\" DESC NULLS LAST;\n")
        );
    }
}
