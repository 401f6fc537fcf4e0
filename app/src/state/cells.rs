//! Cells of a heat map as conditions, and back: what a click or a drag over cells chooses
//! are just the rows that the cells count.

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

use super::position::{End, MILLIS_PER_DAY, Scalar};
use crate::protocol::Side;

/// The rows from one place of a side to another, both included.
pub fn along(
    column: &str,
    side: &Side,
    scalar: Option<Scalar>,
    [from, to]: [usize; 2],
) -> Predicate {
    let column = column.to_owned();
    match side {
        Side::One => Predicate::all(),
        Side::Names { values, other } => {
            let is_in = |place: usize| (from..=to).contains(&place);
            let has_other = *other && is_in(values.len());
            // All others are those that are not named elsewhere.
            let chosen = values.iter().enumerate().filter(|(at, _)| is_in(*at) != has_other);
            let chosen: Vec<Literal> = chosen.map(|(_, value)| value.clone()).collect();
            match (chosen.as_slice(), has_other) {
                ([], true) => Predicate::NotNull { column },
                ([value @ Literal::Bool(_)], false) => {
                    Predicate::Compare { column, op: Comparison::Eq, value: value.clone() }
                }
                ([Literal::Bool(_), ..], false) => Predicate::NotNull { column },
                _ => Predicate::In { column, values: chosen, negated: has_other },
            }
        }
        Side::Bins { edges } => {
            let (low, high) = (edges.get(from).copied(), edges.get(to + 1).copied());
            let (Some(low), Some(high)) = (low, high) else { return Predicate::all() };
            let is_last = to + 2 == edges.len();
            between(column, scalar.unwrap_or(Scalar::Float), low, high, is_last)
        }
    }
}

fn between(column: String, scalar: Scalar, low: f64, high: f64, is_last: bool) -> Predicate {
    let whole = |number: f64| Literal::Number(format!("{number:.0}"));
    let (low, high, op) = match scalar {
        Scalar::Integer => {
            return Predicate::Between { column, low: whole(low), high: whole(high - 1.0) };
        }
        Scalar::Date => {
            let [low, high] =
                [low, high - MILLIS_PER_DAY].map(|day| scalar.literal(day, 1.0, End::Low));
            return Predicate::Between { column, low, high };
        }
        // The very end of floats is in the last bin.
        Scalar::Float => {
            let [low, high] = [low, high].map(|end| Literal::Number(format!("{end:?}")));
            (low, high, if is_last { Comparison::Le } else { Comparison::Lt })
        }
        Scalar::Moment | Scalar::TimeOfDay => {
            let is_midnight = scalar == Scalar::TimeOfDay && high >= MILLIS_PER_DAY;
            let high = if is_midnight { MILLIS_PER_DAY - 1e-3 } else { high };
            let [low, high] = [low, high].map(|end| match scalar {
                // A bare date would mean the end of its day.
                Scalar::Moment => Literal::Text(super::position::moment_text(end, 1.0)),
                _ => scalar.literal(end, 1.0, End::Low),
            });
            (low, high, if is_midnight { Comparison::Le } else { Comparison::Lt })
        }
    };
    let compare = |op, value| Predicate::Compare { column: column.clone(), op, value };
    Predicate::And(vec![compare(Comparison::Ge, low), compare(op, high)])
}

/// The cells of two sides as one condition.
pub fn cells(parts: [Predicate; 2]) -> Predicate {
    Predicate::And(parts.into())
}

/// The places along both sides that a condition made by [`cells`] chooses.
pub fn chosen(
    predicate: &Predicate,
    sides: [(&str, &Side, Option<Scalar>); 2],
) -> Option<[[usize; 2]; 2]> {
    let Predicate::And(parts) = predicate else { return None };
    let [x, y] = parts.as_slice() else { return None };
    let find = |part: &Predicate, (column, side, scalar): (&str, &Side, Option<Scalar>)| {
        let many = side.many();
        let runs = (0..many).flat_map(|from| (from..many).map(move |to| [from, to]));
        runs.into_iter().find(|run| along(column, side, scalar, *run) == *part)
    };
    let [across, up] = sides;
    Some([find(x, across)?, find(y, up)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(predicate: &Predicate) -> String {
        serde_json::to_string(predicate).unwrap_or_default()
    }

    #[test]
    fn cells_choose_what_they_count() {
        let bins = Side::Bins { edges: vec![0.0, 2.5, 5.0] };
        let names = Side::Names { values: vec!["a".into(), "b".into()], other: true };
        let float = |run| json(&along("f", &bins, Some(Scalar::Float), run));
        let ends = r#"{"and":[{"column":"f","op":"ge","value":2.5},{"column":"f","op":"le","value":5.0}]}"#;
        assert_eq!(float([1, 1]), ends);
        assert!(float([0, 0]).contains(r#""op":"lt","value":2.5"#));
        let whole = Side::Bins { edges: vec![0.0, 10.0, 20.0] };
        let text = json(&along("i", &whole, Some(Scalar::Integer), [0, 0]));
        assert_eq!(text, r#"{"column":"i","op":"between","value":[0,9]}"#);
        let named = |run| json(&along("c", &names, None, run));
        assert_eq!(named([0, 0]), r#"{"column":"c","op":"in","value":["a"]}"#);
        assert_eq!(named([1, 2]), r#"{"column":"c","op":"not_in","value":["a"]}"#);
        assert_eq!(named([0, 2]), r#"{"column":"c","op":"not_null"}"#);
        let day = Side::Bins { edges: vec![0.0, MILLIS_PER_DAY, 2.0 * MILLIS_PER_DAY] };
        let moment = json(&along("t", &day, Some(Scalar::Moment), [0, 0]));
        assert!(moment.contains(r#""op":"lt","value":"1970-01-02T00:00:00""#), "{moment}");
        let sides = [("f", &bins, Some(Scalar::Float)), ("c", &names, None)];
        let both = cells([
            along("f", &bins, Some(Scalar::Float), [0, 1]),
            along("c", &names, None, [2, 2]),
        ]);
        assert_eq!(chosen(&both, sides), Some([[0, 1], [2, 2]]));
        assert_eq!(chosen(&Predicate::all(), sides), None);
    }
}
