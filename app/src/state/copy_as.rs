//! What is selected, as a text to take elsewhere: the query itself, a command line, a
//! program. All of them ask the companion for the rows that the page shows, in its order.

mod sql;

use engine::predicate::Predicate;
use engine::query::Query;

use super::Chosen;
use crate::protocol::{file_of_name, is_address};
use crate::texts;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyForm {
    Query,
    Sql,
    Python,
    Curl,
}

impl CopyForm {
    pub const ALL: [Self; 4] = [Self::Query, Self::Sql, Self::Python, Self::Curl];

    /// As in "Copy the selection as …".
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => texts::copies::QUERY,
            Self::Sql => texts::copies::SQL_QUERY,
            Self::Python => texts::copies::PYTHON,
            Self::Curl => texts::copies::CURL,
        }
    }
}

/// A file that rows are saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    Csv,
    Parquet,
    Arrow,
}

impl FileForm {
    pub const ALL: [Self; 3] = [Self::Csv, Self::Parquet, Self::Arrow];

    /// As in "Save as …", and after the name of the file.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => (texts::copies::CSV, "csv"),
            Self::Parquet => (texts::copies::PARQUET, "parquet"),
            Self::Arrow => (texts::copies::ARROW, "arrow"),
        }
    }
}

/// The columns of the rows that are shown.
pub fn columns(chosen: &Chosen) -> Vec<String> {
    chosen.row_columns.clone().or_else(|| chosen.columns.clone()).unwrap_or_default()
}

/// Where the companion has the rows as a file; `encoded` makes a text part of an address.
pub fn file_address(
    query: &Query,
    form: FileForm,
    api: &str,
    encoded: impl Fn(&str) -> String,
) -> String {
    let format = match form {
        FileForm::Csv => "csv",
        FileForm::Parquet => "parquet",
        FileForm::Arrow => "arrow-file",
    };
    let query = serde_json::to_string(query).unwrap_or_default();
    format!("{}/api/query?format={format}&q={}", api.trim_end_matches('/'), encoded(&query))
}

/// What the browser is asked for, to write the file itself.
pub fn file_request(chosen: &Chosen, form: FileForm) -> Option<String> {
    let table = chosen.table.as_ref()?;
    let (_, ending) = form.names();
    let short = file_of_name(table).unwrap_or(table).rsplit('/').next().unwrap_or(table);
    let stem = short.rsplit_once('.').map_or(short, |(stem, _)| stem);
    let job = serde_json::json!({
        "kind": "save", "table": table, "columns": columns(chosen), "order_by": chosen.order_by,
        "format": ending, "into": format!("{stem}.{ending}"),
    });
    Some(job.to_string())
}

/// The query for the selected rows; `None` where no table of the companion is open.
pub fn query(chosen: &Chosen) -> Option<Query> {
    let table =
        chosen.table.clone().filter(|table| file_of_name(table).is_none() && !is_address(table))?;
    let clauses = chosen.clauses.iter().map(|clause| clause.predicate.clone());
    Some(Query {
        table,
        version: chosen.version.clone(),
        columns: chosen.row_columns.clone().or_else(|| chosen.columns.clone()),
        filters: Predicate::And(clauses.collect()),
        group_by: Vec::new(),
        aggregates: Vec::new(),
        order_by: chosen.order_by.clone(),
        limit: None,
        offset: 0,
        sample: None,
    })
}

/// The text of a query in one of the forms. `api` is the companion's origin; `is_float` says
/// of which columns some values may be NaN. `None` where the form has no words for it.
pub fn text(
    query: &Query,
    form: CopyForm,
    api: &str,
    is_float: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let json = serde_json::to_string_pretty(query).ok()?;
    let url = format!("{api}/api/query");
    Some(match form {
        CopyForm::Sql => return sql::text(query, is_float),
        CopyForm::Query => json,
        CopyForm::Python => python(&json, &url),
        CopyForm::Curl => curl(&json, &url),
    })
}

/// Three quotes in a row are in no JSON text: within its strings they are escaped.
fn python(json: &str, url: &str) -> String {
    format!(
        "import urllib.request\n\n\
         import pyarrow as pa  # pip install pyarrow\n\n\
         query = r\"\"\"{json}\"\"\"\n\
         request = urllib.request.Request(\n    \
             \"{url}\",\n    \
             data=query.encode(),\n    \
             headers={{\"Content-Type\": \"application/json\"}},\n\
         )\n\
         with urllib.request.urlopen(request) as answer:\n    \
             table = pa.ipc.open_stream(answer).read_all()\n\
         print(table)\n"
    )
}

fn curl(json: &str, url: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let url = quoted(&format!("{url}?format=csv"));
    let body = quoted(json);
    format!(
        "curl --fail-with-body {url} \\\n  --header 'Content-Type: application/json' \\\n  --data {body}\n"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::protocol::Clause;

    fn chosen() -> Chosen {
        Chosen {
            table: Some("it's".to_owned()),
            columns: Some(vec!["a".to_owned()]),
            clauses: vec![Clause {
                id: "column:a".to_owned(),
                predicate: Predicate::Contains {
                    column: "a".to_owned(),
                    text: r#"'"""\"#.to_owned(),
                    case_sensitive: false,
                },
            }],
            ..Chosen::default()
        }
    }

    #[test]
    fn a_query_says_what_the_page_shows() {
        let query = query(&chosen()).unwrap();
        let read: Query =
            serde_json::from_str(&text(&query, CopyForm::Query, "", &|_| false).unwrap()).unwrap();
        assert_eq!(read, query);
        assert_eq!(query.columns, Some(vec!["a".to_owned()]));
    }

    #[test]
    fn rows_as_shown_go_before_all_that_is_loaded() {
        let chosen = Chosen { row_columns: Some(vec!["b".to_owned()]), ..chosen() };
        assert_eq!(query(&chosen).unwrap().columns, Some(vec!["b".to_owned()]));
    }

    #[test]
    fn hostile_text_stays_within_its_quotes() {
        let query = query(&chosen()).unwrap();
        let python = text(&query, CopyForm::Python, "http://here", &|_| false).unwrap();
        assert_eq!(python.matches("\"\"\"").count(), 2, "{python}");
        let curl = text(&query, CopyForm::Curl, "http://here", &|_| false).unwrap();
        assert!(curl.contains(r"it'\''s"), "{curl}");
    }

    #[test]
    fn a_file_of_ones_own_is_nowhere_else() {
        let chosen = Chosen { table: Some("file:a.csv".to_owned()), ..chosen() };
        assert_eq!(query(&chosen), None);
        assert_eq!(query(&Chosen::default()), None);
    }
}
