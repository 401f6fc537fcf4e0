//! Choosing values of a column one by one: what a click on a bar, or on a value of a
//! filter, makes of the clause that is there.

use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};

/// The values that a clause chooses; none if it is of another shape.
pub fn values(clause: Option<&Predicate>) -> &[Literal] {
    match clause {
        Some(Predicate::In { values, negated: false, .. }) => values,
        Some(Predicate::Compare { op: Comparison::Eq, value, .. }) => std::slice::from_ref(value),
        _ => &[],
    }
}

/// The clause with one value more, or less. No value left means no clause.
pub fn toggled(column: &str, clause: Option<&Predicate>, value: &Literal) -> Option<Predicate> {
    if let Literal::Bool(_) = value {
        // Both values chosen would say nothing: a boolean is one or the other.
        return only(column, clause, value);
    }
    let chosen = values(clause);
    let mut list: Vec<Literal> = chosen.iter().filter(|known| *known != value).cloned().collect();
    if list.len() == chosen.len() {
        list.push(value.clone());
    }
    (!list.is_empty()).then(|| Predicate::In {
        column: column.to_owned(),
        values: list,
        negated: false,
    })
}

/// Only this value; if it is that already, no clause.
pub fn only(column: &str, clause: Option<&Predicate>, value: &Literal) -> Option<Predicate> {
    if values(clause) == [value.clone()] {
        return None;
    }
    let column = column.to_owned();
    Some(match value {
        Literal::Bool(_) => Predicate::Compare { column, op: Comparison::Eq, value: value.clone() },
        _ => Predicate::In { column, values: vec![value.clone()], negated: false },
    })
}

/// The values that are missing: chosen alone, or no longer.
pub fn missing(column: &str, clause: Option<&Predicate>) -> Option<Predicate> {
    match clause {
        Some(Predicate::IsNull { .. }) => None,
        _ => Some(Predicate::IsNull { column: column.to_owned() }),
    }
}

/// How a text filter looks for its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextSearch {
    pub text: String,
    pub case_sensitive: bool,
    pub regex: bool,
}

impl TextSearch {
    pub fn from_clause(clause: Option<&Predicate>) -> Option<Self> {
        match clause? {
            Predicate::Contains { text, case_sensitive, .. } => {
                Some(Self { text: text.clone(), case_sensitive: *case_sensitive, regex: false })
            }
            Predicate::Matches { pattern, case_sensitive, .. } => {
                Some(Self { text: pattern.clone(), case_sensitive: *case_sensitive, regex: true })
            }
            _ => None,
        }
    }

    /// Nothing typed is no filter.
    pub fn clause(&self, column: &str) -> Option<Predicate> {
        let Self { text, case_sensitive, regex } = self.clone();
        let column = column.to_owned();
        match (text.is_empty(), regex) {
            (true, _) => None,
            (false, true) => Some(Predicate::Matches { column, pattern: text, case_sensitive }),
            (false, false) => Some(Predicate::Contains { column, text, case_sensitive }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_and_go() {
        let (a, b) = (Literal::from("a"), Literal::from("b"));
        let one = toggled("c", None, &a);
        assert_eq!(values(one.as_ref()), std::slice::from_ref(&a));
        let two = toggled("c", one.as_ref(), &b);
        assert_eq!(values(two.as_ref()), [a.clone(), b.clone()]);
        let one = toggled("c", two.as_ref(), &a);
        assert_eq!(values(one.as_ref()), std::slice::from_ref(&b));
        assert_eq!(toggled("c", one.as_ref(), &b), None);
        assert_eq!(values(only("c", two.as_ref(), &a).as_ref()), std::slice::from_ref(&a));
        assert_eq!(only("c", one.as_ref(), &b), None);
        // A filter of another kind is replaced.
        let text = TextSearch { text: "x".to_owned(), ..TextSearch::default() }.clause("c");
        assert_eq!(values(toggled("c", text.as_ref(), &a).as_ref()), [a]);
    }

    #[test]
    fn a_boolean_is_one_or_the_other() {
        let yes = toggled("c", None, &true.into());
        assert!(matches!(&yes, Some(Predicate::Compare { op: Comparison::Eq, .. })));
        let no = toggled("c", yes.as_ref(), &false.into());
        assert_eq!(values(no.as_ref()), [Literal::Bool(false)]);
        assert_eq!(toggled("c", no.as_ref(), &false.into()), None);
    }

    #[test]
    fn text_searches_survive_the_clause() {
        for (case_sensitive, regex) in [(false, false), (true, false), (false, true), (true, true)]
        {
            let search = TextSearch { text: "a.b".to_owned(), case_sensitive, regex };
            let clause = search.clause("c");
            assert_eq!(TextSearch::from_clause(clause.as_ref()), Some(search));
        }
        assert_eq!(TextSearch::default().clause("c"), None);
        let missing_only = missing("c", None);
        assert_eq!(TextSearch::from_clause(missing_only.as_ref()), None);
        assert_eq!(missing("c", missing_only.as_ref()), None);
    }
}
