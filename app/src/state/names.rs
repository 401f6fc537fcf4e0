//! What somebody calls the values of a column: clusters by what is in them, mostly. Values stay
//! what they are, in filters, rows and copies; names are what legends, labels, bars and chips
//! say. Part of the address, and undone as all that is shown.

use std::borrow::Cow;

use engine::literal::Literal;
use engine::predicate::Predicate;

use crate::protocol::Legend;
use crate::protocol::relief::Relief;

/// Names of one selection: more would not fit an address.
pub const NAMES_MAX: usize = 500;
/// Letters of a name.
pub const LETTERS_MAX: usize = 80;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub column: String,
    /// As text, whatever it is.
    pub value: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(Vec<Name>);

impl Names {
    pub fn all(&self) -> &[Name] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a value of a column is called, if it has a name.
    pub fn of(&self, column: &str, value: &str) -> Option<&str> {
        let found = self.0.iter().find(|name| name.column == column && name.value == value)?;
        Some(&found.name)
    }

    /// Calls a value so; by nothing, or by itself, it has no name any more. False where there are
    /// too many.
    pub fn set(&mut self, column: &str, value: &str, name: &str) -> bool {
        self.0.retain(|known| known.column != column || known.value != value);
        let name: String = name.trim().chars().take(LETTERS_MAX).collect();
        if name.is_empty() || name == value {
            return true;
        }
        if self.0.len() >= NAMES_MAX {
            return false;
        }
        self.0.push(Name { column: column.to_owned(), value: value.to_owned(), name });
        true
    }

    /// Values and their names, as far as there is room.
    pub fn set_all(&mut self, column: &str, names: &[(String, String)]) {
        for (value, name) in names {
            self.set(column, value, name);
        }
    }

    /// A legend of a column with names for values.
    pub fn legend(&self, column: &str, mut legend: Legend) -> Legend {
        if let Legend::Categories { entries } = &mut legend {
            for entry in entries {
                let value = entry.value.as_ref().map(Literal::as_text);
                if let Some(name) = value.and_then(|value| self.of(column, value)) {
                    name.clone_into(&mut entry.label);
                }
            }
        }
        legend
    }

    /// Labels over a picture coloured by a column, with names for values.
    pub fn relief(&self, column: &str, mut relief: Relief) -> Relief {
        for label in &mut relief.labels {
            if let Some(name) = self.of(column, &label.text) {
                name.clone_into(&mut label.text);
            }
        }
        relief
    }

    /// A predicate as it is said: with names for values.
    pub fn spoken<'a>(&self, predicate: &'a Predicate) -> Cow<'a, Predicate> {
        let said = |column: &str, value: &Literal| match self.of(column, value.as_text()) {
            Some(name) => Literal::Text(name.to_owned()),
            None => value.clone(),
        };
        match predicate {
            _ if self.is_empty() => Cow::Borrowed(predicate),
            Predicate::In { column, values, negated } => Cow::Owned(Predicate::In {
                column: column.clone(),
                values: values.iter().map(|value| said(column, value)).collect(),
                negated: *negated,
            }),
            Predicate::Compare { column, op, value } => Cow::Owned(Predicate::Compare {
                column: column.clone(),
                op: *op,
                value: said(column, value),
            }),
            other => Cow::Borrowed(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::LegendEntry;
    use crate::state::describe;

    #[test]
    fn a_name_is_given_changed_and_taken_back() {
        let mut names = Names::default();
        assert!(names.set("cluster", "3", "  warblers "));
        assert_eq!((names.of("cluster", "3"), names.of("other", "3")), (Some("warblers"), None));
        assert!(names.set("cluster", "3", &"x".repeat(200)));
        assert_eq!(names.of("cluster", "3").map(str::len), Some(LETTERS_MAX));
        assert!(names.set("cluster", "3", "3") && names.is_empty());
        for at in 0..NAMES_MAX {
            assert!(names.set("cluster", &at.to_string(), "one"));
        }
        assert!(!names.set("cluster", "more", "one"));
        // What has one may have another.
        assert!(names.set("cluster", "7", "other") && names.all().len() == NAMES_MAX);
    }

    #[test]
    fn what_is_shown_has_names_and_values_stay() {
        let mut names = Names::default();
        names.set("cluster", "3", "warblers");
        let entry = |label: &str, value: Option<Literal>| LegendEntry {
            label: label.to_owned(),
            color: String::new(),
            count: 1,
            value,
        };
        let three = || Some(Literal::Text("3".to_owned()));
        let entries = vec![entry("3", three()), entry("other", None)];
        let named = names.legend("cluster", Legend::Categories { entries: entries.clone() });
        let wanted = vec![entry("warblers", three()), entry("other", None)];
        assert_eq!(named, Legend::Categories { entries: wanted });
        let of_other = Legend::Categories { entries };
        assert_eq!(names.legend("other", of_other.clone()), of_other);
        let values = vec![Literal::Text("3".to_owned()), Literal::Text("4".to_owned())];
        let predicate = Predicate::In { column: "cluster".to_owned(), values, negated: false };
        assert_eq!(describe::predicate(&names.spoken(&predicate)), "warblers, 4");
    }
}
