//! Rows that somebody gave a name: what was selected then, kept under it. Several make a column
//! of names, which is saved as a table. Part of the address, and undone as all that is shown.

use engine::kind::Kind;
use engine::label::RowGroup;
use engine::literal::Literal;
use engine::predicate::Predicate;
use serde_json::json;

use super::Chosen;
use super::address::{self, Options};
use super::embed::Asked;
use super::names::Names;
use crate::protocol::{Clause, ColumnInfo, Mark};

/// Groups of one table: more would not fit an address.
pub const GROUPS_MAX: usize = 100;
/// Letters of a name.
pub const LETTERS_MAX: usize = 80;

/// Rows with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedRows {
    pub name: String,
    /// All of which they pass.
    pub clauses: Vec<Clause>,
}

/// A row of several has the name of the last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowGroups(Vec<NamedRows>);

impl RowGroups {
    pub fn all(&self) -> &[NamedRows] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names rows by what they pass. False where there are too many groups, or no name.
    pub fn add(&mut self, name: &str, clauses: Vec<Clause>) -> bool {
        let name = tidy(name);
        if name.is_empty() || self.0.len() >= GROUPS_MAX {
            return false;
        }
        self.0.push(NamedRows { name, clauses });
        true
    }

    /// Calls a group otherwise; by nothing it is none any more.
    pub fn rename(&mut self, at: usize, name: &str) {
        let name = tidy(name);
        match self.0.get_mut(at) {
            Some(group) if !name.is_empty() => group.name = name,
            Some(_) => drop(self.0.remove(at)),
            None => {}
        }
    }

    /// Adds a clause to what was named last, as an address has it.
    pub fn narrow(&mut self, clause: Clause) -> bool {
        match self.0.last_mut() {
            Some(group) => {
                group.clauses.push(clause);
                true
            }
            None => false,
        }
    }

    /// Leaves out groups of columns that are not there. Gives the columns.
    pub fn forget_unknown(&mut self, is_known: impl Fn(&str) -> bool) -> Vec<String> {
        let mut missing = Vec::new();
        self.0.retain(|group| {
            let mut columns = group.clauses.iter().flat_map(|clause| clause.predicate.columns());
            let unknown = columns.find(|name| !is_known(name)).map(str::to_owned);
            let is_whole = unknown.is_none();
            missing.extend(unknown);
            is_whole
        });
        missing
    }

    /// As the engine labels by it; what values of `otherwise` are called comes first.
    fn labels(&self, otherwise: Option<&ColumnInfo>, names: &Names) -> Vec<RowGroup> {
        let of_values = otherwise.into_iter().flat_map(|column| {
            let own = names.all().iter().filter(|name| name.column == column.name);
            own.map(|name| RowGroup {
                name: name.name.clone(),
                filters: Predicate::And(vec![Predicate::In {
                    column: name.column.clone(),
                    values: vec![literal(column.kind, &name.value)],
                    negated: false,
                }]),
            })
        });
        let of_rows = self
            .0
            .iter()
            .map(|group| RowGroup { name: group.name.clone(), filters: predicate(&group.clauses) });
        of_values.chain(of_rows).collect()
    }
}

/// A value that is known as text.
fn literal(kind: Kind, value: &str) -> Literal {
    match kind {
        Kind::Number => Literal::Number(value.to_owned()),
        Kind::Boolean => Literal::Bool(value == "true"),
        _ => Literal::from(value),
    }
}

fn tidy(name: &str) -> String {
    name.trim().chars().take(LETTERS_MAX).collect()
}

/// What rows pass that pass all of these.
fn predicate(clauses: &[Clause]) -> Predicate {
    Predicate::And(clauses.iter().map(|clause| clause.predicate.clone()).collect())
}

/// Which clauses make a group of rows, by id: what is drawn, among the rows that pass the other
/// filters; where nothing is drawn, all of them, among all rows. None where nothing is selected.
pub fn making(clauses: &[Clause]) -> Option<Vec<String>> {
    let drawn = clauses.iter().filter(|clause| clause.id.starts_with("view:"));
    let drawn: Vec<String> = drawn.map(|clause| clause.id.clone()).collect();
    match (drawn.is_empty(), clauses.is_empty()) {
        (false, _) => Some(drawn),
        (true, false) => Some(clauses.iter().map(|clause| clause.id.clone()).collect()),
        (true, true) => None,
    }
}

/// What the form that saves names says.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The column of names.
    pub name: String,
    /// The column whose values are the names of all other rows.
    pub otherwise: Option<String>,
    pub into: String,
}

/// The job that saves names: a table with a column of them. `columns` are those of the table.
pub fn request(chosen: &Chosen, columns: &[ColumnInfo], wanted: &Wanted) -> Option<String> {
    let goes_on = |column: &&ColumnInfo| Some(&column.name) == wanted.otherwise.as_ref();
    let groups = chosen.row_groups.labels(columns.iter().find(goes_on), &chosen.names);
    let mut job = json!({
        "kind": "label",
        "table": chosen.table.clone()?,
        "groups": groups,
        "as": wanted.name,
        "otherwise": wanted.otherwise,
        "into": wanted.into,
    });
    if let (Some(version), Some(fields)) = (&chosen.version, job.as_object_mut()) {
        fields.insert("version".to_owned(), serde_json::to_value(version).ok()?);
    }
    Some(job.to_string())
}

/// The columns that have to be here for the browser to label rows by itself.
pub fn columns(chosen: &Chosen, otherwise: Option<&str>) -> Vec<String> {
    let of_groups = chosen.row_groups.all().iter().flat_map(|group| &group.clauses);
    let of_groups = of_groups.flat_map(|clause| clause.predicate.columns());
    let mut columns: Vec<String> = Vec::new();
    for name in of_groups.chain(otherwise) {
        if !columns.iter().any(|known| known == name) {
            columns.push(name.to_owned());
        }
    }
    columns
}

/// A name for the column: the usual one, or that of the column it goes on; else one that is free.
pub fn free_column(columns: &[ColumnInfo]) -> String {
    let is_taken = |name: &str| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let numbered = (2..).map(|n| format!("{}_{n}", engine::label::NAME));
    let mut names = std::iter::once(engine::label::NAME.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or_default()
}

/// The address of a table that a job wrote from the one that is shown: its views as they are,
/// scatters coloured by the names, and no filters.
pub fn address_of(shown: &Chosen, table: &str, job: &Asked) -> Option<String> {
    let name = job.r#as.as_deref()?;
    let is_shown = shown.table == job.table;
    let views = shown.views.clone().filter(|_| is_shown).map(|mut views| {
        for view in &mut views {
            view.viewport = None;
            if let Mark::Scatter { color, .. } = &mut view.mark {
                *color = Some(name.to_owned());
            }
        }
        views
    });
    let table = Some(table.to_owned());
    Some(address::write(&Chosen { table, views, ..Chosen::default() }, &Options::default()))
}

#[cfg(test)]
mod tests {
    use engine::predicate::Comparison;

    use super::*;
    use crate::protocol::column_clause;

    fn clause(id: &str, column: &str) -> Clause {
        let (column, value) = (column.to_owned(), 3_i64.into());
        let predicate = Predicate::Compare { column, op: Comparison::Lt, value };
        Clause { id: id.to_owned(), predicate }
    }

    #[test]
    fn groups_are_named_renamed_and_forgotten() {
        let mut groups = RowGroups::default();
        assert!(!groups.add("  ", Vec::new()));
        assert!(groups.add("  warblers ", vec![clause("view:1", "x")]));
        assert!(groups.add("finches", vec![clause("view:1", "y")]));
        groups.rename(0, "tits");
        groups.rename(1, " ");
        let names: Vec<&str> = groups.all().iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["tits"]);
        assert_eq!(groups.forget_unknown(|name| name != "x"), ["x"]);
        assert!(groups.is_empty());
        for _ in 0..GROUPS_MAX {
            assert!(groups.add("one", Vec::new()));
        }
        assert!(!groups.add("more", Vec::new()));
    }

    #[test]
    fn what_is_drawn_is_the_group_among_what_passes_the_filters() {
        let filter = clause(&column_clause("x"), "x");
        let drawn = clause("view:3", "y");
        assert_eq!(making(&[]), None);
        assert_eq!(making(&[filter.clone()]), Some(vec![column_clause("x")]));
        assert_eq!(making(&[filter, drawn]), Some(vec!["view:3".to_owned()]));
    }

    #[test]
    fn the_job_is_what_the_companion_reads() {
        let mut chosen = Chosen { table: Some("birds".to_owned()), ..Chosen::default() };
        chosen.names.set("cluster", "3", "warblers");
        chosen.names.set("other", "3", "not meant");
        chosen.row_groups.add("far out", vec![clause("view:1", "x"), clause("column:y", "y")]);
        let wanted = Wanted {
            name: "label".to_owned(),
            otherwise: Some("cluster".to_owned()),
            into: "birds-named".to_owned(),
        };
        let number = ColumnInfo {
            name: "cluster".to_owned(),
            data_type: "Int32".to_owned(),
            kind: Kind::Number,
            nullable: true,
            bytes_per_row: 4.0,
            min: None,
            max: None,
            null_count: None,
            distinct_count: None,
        };
        let text = request(&chosen, &[number], &wanted).unwrap_or_default();
        // A number is asked for as one.
        assert!(text.contains(r#""value":[3]"#), "{text}");
        let mut fields = engine::steps::fields::Fields::read(&text).expect("a job");
        let labels = engine::label::Labels::take(&mut fields).expect("labels");
        let names: Vec<&str> = labels.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["warblers", "far out"]);
        assert_eq!(labels.columns(), ["cluster", "x", "y"]);
        assert_eq!(columns(&chosen, Some("cluster")), ["x", "y", "cluster"]);
        // Without a column that goes on, values' names are nobody's.
        let alone =
            request(&chosen, &[], &Wanted { otherwise: None, ..wanted }).unwrap_or_default();
        assert!(!alone.contains("warblers"), "{alone}");
    }

    #[test]
    fn the_table_that_is_made_is_shown_as_the_one_it_is_of() {
        let mut shown = Chosen { table: Some("birds".to_owned()), ..Chosen::default() };
        let mark = Mark::Scatter {
            x: "x".to_owned(),
            y: "y".to_owned(),
            color: None,
            look: Default::default(),
            varied: Default::default(),
        };
        let id = crate::protocol::ViewId(1);
        shown.views = Some(vec![super::super::ShownView { id, mark, viewport: None }]);
        shown.clauses.push(clause("view:1", "x"));
        let asked = |table: &str| -> Asked {
            let job = json!({"table": table, "as": "kind", "into": "o"});
            serde_json::from_value(job).expect("a job")
        };
        let job = asked("birds");
        let address = address_of(&shown, "birds-named", &job).unwrap_or_default();
        assert!(
            address.contains("table=birds-named") && address.contains(":x:y:kind"),
            "{address}"
        );
        assert!(!address.contains("filter="), "{address}");
        assert!(
            !address_of(&shown, "fish-named", &asked("fish")).unwrap_or_default().contains("view=")
        );
    }
}
