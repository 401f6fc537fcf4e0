//! Vectors of a table's pictures or texts, as they are asked for: by which of the companion's
//! models, of which column.

use engine::kind::Kind;
use engine::predicate::Predicate;
use serde::Deserialize;
use serde_json::json;

use super::Chosen;
use crate::protocol::ColumnInfo;

/// The companion's models.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Models {
    pub models: Vec<Model>,
    pub has_folder: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Model {
    pub name: String,
    pub takes: Option<Takes>,
    /// Why it cannot be used.
    pub error: Option<String>,
}

/// What a model makes vectors of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    Pictures,
    Texts,
}

/// What the companion says of its models; none where that cannot be read.
pub fn models(text: &str) -> Option<Models> {
    serde_json::from_str(text).ok()
}

impl Models {
    /// Those that can be used, and of which the table has something.
    pub fn usable(&self, of: &[ColumnInfo]) -> Vec<Model> {
        let fits = |model: &&Model| model.takes.is_some_and(|takes| !columns(of, takes).is_empty());
        self.models.iter().filter(fits).cloned().collect()
    }
}

/// Names of columns that say where a picture is, the likeliest first.
const PLACES: [&str; 10] = [
    "image",
    "image_url",
    "img_url",
    "picture",
    "photo",
    "image_path",
    "path",
    "file",
    "file_name",
    "url",
];

/// Names of columns that are read rather than counted.
const TEXTS: [&str; 9] = [
    "text",
    "caption",
    "title",
    "description",
    "abstract",
    "sentence",
    "comment",
    "review",
    "body",
];

/// The columns that such a model can be given, the likeliest first.
pub fn columns(columns: &[ColumnInfo], takes: Takes) -> Vec<String> {
    let is_text = |column: &ColumnInfo| matches!(column.kind, Kind::Text | Kind::Category);
    let rank = |column: &ColumnInfo| match takes {
        Takes::Texts if is_text(column) && TEXTS.contains(&column.name.to_lowercase().as_str()) => {
            Some(0)
        }
        Takes::Texts if column.kind == Kind::Text => Some(1),
        Takes::Texts if is_text(column) => Some(2),
        Takes::Texts => None,
        Takes::Pictures if column.data_type.contains("Binary") => Some(0),
        Takes::Pictures if is_text(column) => {
            let name = column.name.to_lowercase();
            Some(1 + PLACES.iter().position(|known| *known == name).unwrap_or(PLACES.len()))
        }
        Takes::Pictures => None,
    };
    let mut found: Vec<(usize, &ColumnInfo)> =
        columns.iter().filter_map(|column| Some((rank(column)?, column))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, column)| column.name.clone()).collect()
}

/// Whether a table is one of pictures, by types and names of its columns.
pub fn has_pictures(columns: &[ColumnInfo]) -> bool {
    let is_place = |name: &str| PLACES.contains(&name.to_lowercase().as_str());
    columns.iter().any(|column| column.data_type.contains("Binary") || is_place(&column.name))
}

/// What the form says.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub model: String,
    pub column: String,
    /// Whether vectors get length one.
    pub is_unit: bool,
    /// Rows that pass the filters alone, rather than all.
    pub only_selected: bool,
    pub into: String,
}

/// A name for the column of vectors that the table does not have.
fn free_column(columns: &[ColumnInfo]) -> String {
    let is_taken =
        |name: &String| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let names = std::iter::once("emb".to_owned()).chain((2..).map(|n| format!("emb_{n}")));
    names.into_iter().find(|name| !is_taken(name)).unwrap_or_default()
}

/// The job that the form asks for. `columns` are those of the table, which the result keeps.
pub fn request(chosen: &Chosen, columns: &[ColumnInfo], wanted: &Wanted) -> Option<String> {
    let mut job = json!({
        "kind": "encode",
        "table": chosen.table.clone()?,
        "column": wanted.column,
        "model": wanted.model,
        "normalize": if wanted.is_unit { "l2" } else { "none" },
        "as": free_column(columns),
        "into": wanted.into,
    });
    let fields = job.as_object_mut()?;
    if let Some(version) = &chosen.version {
        fields.insert("version".to_owned(), serde_json::to_value(version).ok()?);
    }
    if wanted.only_selected {
        let clauses: Vec<&Predicate> =
            chosen.clauses.iter().map(|clause| &clause.predicate).collect();
        fields.insert("filters".to_owned(), serde_json::to_value(clauses).ok()?);
    }
    Some(job.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Value;

    use super::*;

    fn column(name: &str, kind: Kind, data_type: &str) -> ColumnInfo {
        let (min, max, null_count, distinct_count) = (None, None, None, None);
        let (nullable, bytes_per_row) = (true, 4.0);
        let (name, data_type) = (name.to_owned(), data_type.to_owned());
        ColumnInfo {
            name,
            data_type,
            kind,
            nullable,
            min,
            max,
            null_count,
            distinct_count,
            bytes_per_row,
        }
    }

    fn table() -> [ColumnInfo; 5] {
        [
            column("id", Kind::Number, "Int64"),
            column("species", Kind::Category, "Utf8"),
            column("path", Kind::Text, "Utf8"),
            column("photo", Kind::Nested, "Binary"),
            column("Emb", Kind::Vector, "List(Float32)"),
        ]
    }

    #[test]
    fn a_model_is_offered_what_it_takes() {
        assert_eq!(columns(&table(), Takes::Pictures), ["photo", "path", "species"]);
        assert_eq!(columns(&table(), Takes::Texts), ["path", "species"]);
        assert!(has_pictures(&table()) && !has_pictures(&table()[..2]));
        let said = models(
            r#"{"has_folder": true, "models": [{"name": "a.onnx", "bytes": 3, "takes": "pictures"},
            {"name": "b.onnx", "bytes": 3, "takes": "texts"}, {"name": "c.onnx", "bytes": 1, "error": "is none"}]}"#,
        );
        let said = said.unwrap();
        let names = |columns: &[ColumnInfo]| -> Vec<String> {
            said.usable(columns).into_iter().map(|model| model.name).collect()
        };
        assert_eq!(names(&table()), ["a.onnx", "b.onnx"]);
        assert_eq!(names(&table()[..1]), [""; 0]);
        assert_eq!(names(&table()[3..]), ["a.onnx"]);
    }

    #[test]
    fn a_form_is_a_job() {
        let chosen = Chosen { table: Some("t".to_owned()), ..Chosen::default() };
        let wanted = Wanted {
            model: "clip/model.onnx".to_owned(),
            column: "path".to_owned(),
            is_unit: true,
            only_selected: false,
            into: "t-vectors".to_owned(),
        };
        let job: Value =
            serde_json::from_str(&request(&chosen, &table(), &wanted).unwrap()).unwrap();
        // The table has a column of that name already.
        assert_eq!((&job["as"], &job["kind"]), (&json!("emb_2"), &json!("encode")));
        assert_eq!((job.get("filters"), &job["normalize"]), (None, &json!("l2")));
    }
}
