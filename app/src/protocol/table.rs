//! What page and worker say to each other about the table of rows besides its windows: whole
//! records, cells to copy, pictures in cells, the row under the pointer, small distributions.

use engine::query::OrderKey;
use serde::{Deserialize, Serialize};

use super::Generation;
use crate::texts;

/// Page → worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableRequest {
    /// All values of a row by its number in the table. Answered by [`TableReply::Record`].
    Record {
        request: u64,
        row: u64,
        columns: Vec<String>,
    },
    /// Cells of the selection as text. Replaces a copy under way. Answered by
    /// [`TableReply::Copied`], more than once while it takes long.
    Copy(CopyAsked),
    CancelCopy,
    /// The picture in a cell. Answered by [`TableReply::Image`].
    Image {
        row: u64,
        column: String,
    },
    /// The row under the pointer: its points are lit in the scatters.
    Point {
        row: Option<u64>,
    },
    /// The columns whose distributions are wanted from now on, in place of those before.
    /// Answered by [`TableReply::Shapes`], now and whenever the selection has changed.
    Shapes {
        columns: Vec<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CopyAsked {
    pub request: u64,
    pub order_by: Vec<OrderKey>,
    pub columns: Vec<String>,
    pub first: u64,
    pub count: u64,
    pub form: CellForm,
}

/// How cells are written for the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellForm {
    Tsv,
    /// With the names of the columns first.
    TsvNamed,
    Csv,
    Json,
    /// `INSERT INTO … VALUES …`.
    Sql,
}

impl CellForm {
    pub const ALL: [Self; 5] = [Self::Tsv, Self::TsvNamed, Self::Csv, Self::Json, Self::Sql];

    /// As in "Copy as …".
    pub fn name(self) -> &'static str {
        match self {
            Self::Tsv => texts::copies::TSV,
            Self::TsvNamed => texts::copies::TSV_NAMED,
            Self::Csv => texts::copies::CSV,
            Self::Json => texts::copies::JSON,
            Self::Sql => texts::copies::SQL,
        }
    }
}

/// Cells of one copy at most: what a clipboard takes, and somebody can paste.
pub const COPY_CELLS_MAX: u64 = 2_000_000;

/// Worker → page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableReply {
    Record(Record),
    Copied(Copied),
    Image {
        row: u64,
        column: String,
        /// A `data:` address, or the text of a cell that says where its picture is; or why not.
        image: Result<String, String>,
    },
    Shapes(Shapes),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub request: u64,
    pub row: u64,
    pub values: Vec<RecordValue>,
    /// Why values of some columns are not here.
    pub missing: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordValue {
    pub column: String,
    /// The value as text, whole as far as a page can show it; `None` is null.
    pub text: Option<String>,
    /// The same as JSON, as the contract writes it.
    pub json: String,
    /// Whether text or JSON was cut.
    pub is_cut: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copied {
    pub request: u64,
    /// Rows that are written.
    pub rows: u64,
    pub total: u64,
    /// The whole text, at the end, or why there is none.
    pub text: Option<Result<String, String>>,
}

/// How columns are distributed, of all rows and of those that pass all filters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Shapes {
    /// The selection that this is of.
    pub generation: Generation,
    pub shapes: Vec<Shape>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    pub column: String,
    /// By bin, or by value, the most frequent first.
    pub unfiltered: Vec<u64>,
    pub filtered: Vec<u64>,
    /// Rows without a value among those that pass, and how many pass.
    pub nulls: u64,
    pub selected: u64,
    /// Different values of all rows, and whether there are more than were counted.
    pub distinct: Option<(u64, bool)>,
}
