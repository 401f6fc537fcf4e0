//! Every message between page and worker: plain values, sent as JSON text. A request
//! that carries a browser object has it beside the text: the message is then the array
//! `[text, object]`, an `OffscreenCanvas` being transferred and a `File` cloned.
//! Enums are tagged from outside: serde's inner tags buffer their input, which would
//! lose the text of numbers in literals.
//!
//! The page owns what the user chose (table, columns, clauses, views, viewports); the
//! worker owns data and pictures. After a crash the page sends what it owns again and
//! the worker is where it was.

mod charts;
pub mod groups;
mod legend;
pub mod relief;
mod results;
pub mod table;

use engine::kind::Kind;
use engine::predicate::Predicate;
use engine::query::{OrderKey, Version};
use serde::{Deserialize, Serialize};

use crate::look::Look;
use crate::scale::step::TimeStep;
pub use charts::{Form, Grid, Measured, Side, Sizes, Spread, Varied, Viewport};
pub use legend::{Legend, LegendEntry};
pub use results::{Bar, ClauseError, MarkResult, STEPS, ViewResult, Views};

/// What tells the names of files of one's own from those of tables.
const FILE_PREFIX: &str = "file:";

/// The name under which a file is shown as a table.
pub fn name_of_file(file: &str) -> String {
    format!("{FILE_PREFIX}{file}")
}

/// The file that is shown as this table, if it is one.
pub fn file_of_name(table: &str) -> Option<&str> {
    table.strip_prefix(FILE_PREFIX)
}

/// Whether a table is the file or folder at an address.
pub fn is_address(table: &str) -> bool {
    table.starts_with("https://") || table.starts_with("http://")
}

/// What a table is called where there is little room: of an address the file or folder.
pub fn short_name(table: &str) -> &str {
    let last = table.trim_end_matches('/').rsplit('/').next();
    last.filter(|_| is_address(table)).unwrap_or(table)
}

/// Says of each row what became of it, where changes between two versions are shown.
pub const CHANGE_COLUMN: &str = "_change";

/// Counts the changes of selection and views. A reply of an older generation is dropped.
pub type Generation = u64;

/// Names a view on the page; stable while the view lives, part of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ViewId(pub u32);

/// Where a map is drawn while this browser makes it: no view of the model, which count from 1.
pub const MAP_VIEW: ViewId = ViewId(0);

/// Page → worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// First of all. `api` is the companion's origin, absent where there is none.
    /// `reader` is the address of the script that decodes files, dropped or at an address,
    /// in a worker of its own, fetched when the first one is opened. `budget_bytes` is
    /// how much of the columns to hold here (`?budget=` of the address); absent, the
    /// device's memory decides.
    Start {
        api: Option<String>,
        reader: Option<String>,
        budget_bytes: Option<u64>,
        renderer: RendererChoice,
        dark: bool,
        debug: bool,
    },
    SetTheme {
        dark: bool,
    },
    /// Answered by [`Reply::Tables`], from the companion or, offline, from the cache.
    ListTables,
    /// Answered by [`Reply::Described`].
    Describe {
        table: String,
        version: Option<Version>,
    },
    /// Makes these columns of the table available, from the cache or the companion.
    /// Cancels a load in progress. Answered by [`Reply::Progress`] until complete.
    Load {
        table: String,
        version: Option<Version>,
        columns: Vec<String>,
    },
    /// The pointer, or the focus, came to a control of a column: its clause may move next.
    Approach {
        column: String,
    },
    /// Stops the load; what has arrived stays usable and is marked incomplete.
    CancelLoad,
    /// A file dropped on the page, or the files of a folder; the `File`s travel beside, in
    /// an array. It becomes the table `file:NAME`, answered by [`Reply::Described`].
    OpenFile {
        name: String,
        paths: Vec<String>,
    },
    /// What to show under which selection. Answered by one [`Reply::Views`].
    Show {
        generation: Generation,
        clauses: Vec<Clause>,
        views: Vec<View>,
    },
    /// Rows of the selection for the table. Answered by [`Reply::Rows`].
    Rows {
        request: u64,
        order_by: Vec<OrderKey>,
        columns: Vec<String>,
        first: u64,
        count: u32,
    },
    Table(table::TableRequest),
    /// What groups of rows are made of. Answered by [`Reply::Groups`].
    Groups {
        request: u64,
        /// A [`groups::GroupsAsked`].
        text: String,
    },
    /// Maps vectors in this browser, with a job as the companion would be asked for it and
    /// the script that computes it. Answered by [`Reply::MappedHere`] until it is over.
    MapHere {
        id: String,
        text: String,
        script: String,
    },
    /// Makes clusters of the map that was made last otherwise, as this job has them, as long as it
    /// is looked at. `is_last` while nobody is still choosing: then what is made of it follows.
    MapAgain {
        text: String,
        is_last: bool,
    },
    /// Ends what maps vectors here.
    CancelMapHere,
    /// The canvas of a scatter travels beside. Sizes are CSS pixels.
    AttachCanvas {
        view: ViewId,
        width: f64,
        height: f64,
        pixel_ratio: f64,
    },
    ResizeCanvas {
        view: ViewId,
        width: f64,
        height: f64,
        pixel_ratio: f64,
    },
    DetachCanvas {
        view: ViewId,
    },
    /// Pan and zoom: what part of the data the canvas shows.
    SetViewport {
        view: ViewId,
        viewport: Viewport,
    },
    /// The scatter as a picture to keep, in light colours and twice as fine, whatever the
    /// screen shows. Answered by [`Reply::Picture`].
    Picture {
        view: ViewId,
        width: f64,
        height: f64,
    },
    /// The point under the pointer, in CSS pixels of the canvas. Answered by [`Reply::Hovered`].
    Hover {
        view: ViewId,
        x: f64,
        y: f64,
    },
    HoverEnd {
        view: ViewId,
    },
    /// The point nearest to a place, within reach. Answered by [`Reply::Picked`], as is the
    /// one that follows.
    Pick {
        view: ViewId,
        x: f64,
        y: f64,
        reach: f64,
    },
    /// The nearest point to the pinned one in a direction: right and down are positive.
    PickNext {
        view: ViewId,
        toward: [f64; 2],
    },
    /// Marks a row in every scatter, or none. Answered by [`Reply::Pinned`].
    Pin {
        row: Option<u64>,
    },
    /// Answered by [`Reply::Cached`], as are the three that follow.
    ListCached,
    DeleteCached {
        key: String,
    },
    ClearCached,
    SetCacheBudget {
        bytes: u64,
    },
    /// For tests of recovery; honoured only where `Start` said `debug`.
    Break {
        what: Breakage,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breakage {
    /// Panics in the worker.
    Panic,
    /// Destroys the GPU device.
    DeviceLoss,
}

/// `?renderer=` of the address: the best there is, or one of the two by force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RendererChoice {
    #[default]
    Auto,
    Webgpu,
    Raster,
}

/// A predicate and where it was made. Ids are `column:NAME` for what a column's filter
/// or chart says, and `view:N` for a box drawn in view N.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    pub id: String,
    pub predicate: Predicate,
}

/// One thing to show. It leaves out its own clause: `column:NAME` for histograms and
/// bars, `view:N` for a scatter or a heat map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub id: ViewId,
    pub mark: Mark,
}

/// The clause that a column's filter and charts make.
pub fn column_clause(column: &str) -> String {
    format!("column:{column}")
}

impl View {
    /// The clause that this view makes, and therefore ignores.
    pub fn own_clause(&self) -> String {
        match &self.mark {
            Mark::Histogram { column, .. } | Mark::Bars { column, .. } => column_clause(column),
            Mark::Line { time, .. } => column_clause(time),
            Mark::Boxes { by: Some(by), .. } => column_clause(by),
            Mark::Scatter { .. } | Mark::Heat { .. } | Mark::Boxes { by: None, .. } => {
                format!("view:{}", self.id.0)
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Two columns of numbers, times or names; colour by any number, time or names.
    Scatter {
        x: String,
        y: String,
        color: Option<String>,
        look: Look,
        #[serde(default)]
        varied: Varied,
    },
    /// A number or time column in bins. `domain` zooms; absent, the column's extent.
    Histogram {
        column: String,
        bins: u16,
        domain: Option<[f64; 2]>,
        #[serde(default)]
        form: Form,
    },
    /// Rows by two columns: numbers and times in bins, others by their most frequent values.
    /// `log` is how they are coloured.
    Heat { x: String, y: String, bins: u16, log: bool },
    /// Rows by steps of time, or a number of them; one line for each of the most frequent
    /// values of `split`. Without a step the extent decides on it.
    Line { time: String, of: Option<Measured>, split: Option<String>, step: Option<TimeStep> },
    /// How a number is spread, for each of the most frequent values of another column.
    Boxes { column: String, by: Option<String>, violin: bool },
    /// The values of a category, boolean or text column by count, those containing
    /// `search` (case ignored) only; at most `limit`.
    Bars { column: String, limit: u16, search: String },
}

impl Mark {
    /// The columns that a mark reads.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Scatter { x, y, color, varied, .. } => {
                let names =
                    [Some(x), Some(y), color.as_ref(), varied.size.as_ref(), varied.shape.as_ref()];
                names.into_iter().flatten().map(String::as_str).collect()
            }
            Self::Histogram { column, .. } | Self::Bars { column, .. } => vec![column],
            Self::Heat { x, y, .. } => vec![x, y],
            Self::Line { time, of, split, .. } => {
                let of = of.as_ref().map(|of| &of.column);
                [Some(time), of, split.as_ref()].into_iter().flatten().map(String::as_str).collect()
            }
            Self::Boxes { column, by, .. } => {
                [Some(column), by.as_ref()].into_iter().flatten().map(String::as_str).collect()
            }
        }
    }
}

/// Worker → page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// After `Start`, and again when the renderer changes (device lost).
    Ready {
        renderer: RendererInfo,
    },
    /// What was asked of this view's canvas is on it, whole. For measurements; sent only
    /// where `Start` said `debug`.
    Drawn {
        view: ViewId,
    },
    Picture {
        view: ViewId,
        /// A PNG as a `data:` address, or why there is none.
        picture: Result<String, String>,
        legend: Legend,
        relief: Option<Box<relief::Relief>>,
    },
    /// What drew this view's canvas is gone, and the canvas will show nothing again: a
    /// fresh one is wanted.
    CanvasLost {
        view: ViewId,
    },
    Tables {
        tables: Vec<TableInfo>,
        origin: Origin,
    },
    /// How much of a file was looked at for the types of its columns, before it is described.
    Opening {
        table: String,
        bytes: u64,
        total: u64,
    },
    Described {
        table: TableInfo,
        columns: Vec<ColumnInfo>,
        versions: Vec<VersionInfo>,
        origin: Origin,
    },
    Progress(Progress),
    Views(Views),
    Rows(Rows),
    Table(table::TableReply),
    Groups {
        request: u64,
        /// What was asked for, as JSON, or why it is not here.
        answer: Result<String, String>,
    },
    /// A job that is done here, as the companion would tell of it.
    MappedHere {
        job: String,
    },
    Hovered {
        view: ViewId,
        row: Option<HoveredRow>,
    },
    Picked {
        row: Option<u64>,
    },
    /// All that is here of the row that is marked; no values where there is no such row.
    Pinned {
        row: Option<u64>,
        values: Vec<(String, Option<String>)>,
    },
    /// Of a picture that has come to rest; nothing where nothing of it is wanted.
    Relief {
        view: ViewId,
        relief: Option<Box<relief::Relief>>,
    },
    Cached(Cached),
    /// Steps of this column's clause are as quick as they get from now on. For measurements;
    /// sent only where `Start` said `debug`.
    Prepared {
        column: String,
    },
    Notice(Notice),
    /// The worker is about to die; `text` is the panic's message.
    Panicked {
        text: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RendererInfo {
    /// `webgpu` or `raster`.
    pub name: String,
    /// The adapter's name, if there is one.
    pub adapter: Option<String>,
    /// Why it is the raster, where it is.
    pub reason: Option<String>,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Computed here, on a slice from the companion.
    Browser,
    /// Computed by the companion.
    Server,
    /// From slices kept in this browser.
    Cache,
    /// From a file dropped on the page.
    File,
    /// Computed here, on columns read at an address.
    Address,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableInfo {
    pub name: String,
    pub format: String,
    pub version: Option<Version>,
    pub rows: Option<u64>,
    pub bytes: Option<u64>,
    pub column_count: u32,
    /// Why the table cannot be read, if it cannot.
    pub error: Option<String>,
    /// Whether a complete slice of it is cached.
    pub cached: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: String,
    pub kind: Kind,
    pub nullable: bool,
    /// Estimated bytes per row once loaded.
    pub bytes_per_row: f64,
    pub min: Option<String>,
    pub max: Option<String>,
    pub null_count: Option<u64>,
    pub distinct_count: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionInfo {
    pub version: Version,
    /// RFC 3339.
    pub timestamp: Option<String>,
    pub operation: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub table: String,
    pub version: Option<Version>,
    pub columns: Vec<String>,
    pub rows: u64,
    pub rows_total: Option<u64>,
    pub bytes: u64,
    pub elapsed_millis: f64,
    pub origin: Origin,
    pub state: LoadState,
    /// With `Complete`, and now and then before: what each loaded column holds.
    pub profiles: Vec<Profile>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadState {
    Loading,
    Complete,
    Cancelled,
    Failed {
        detail: String,
    },
    /// The columns do not fit the browser's budget: the companion answers each view.
    OnServer {
        budget_bytes: u64,
        needed_bytes: u64,
    },
}

/// A small distribution of a column, for the schema list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub column: String,
    pub kind: Kind,
    pub nulls: u64,
    /// Up to 24 bins, or the most frequent values.
    pub counts: Vec<u32>,
    /// Distinct values, where few enough to count.
    pub distinct: Option<u64>,
    pub min: Option<String>,
    pub max: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    pub request: u64,
    pub first: u64,
    /// Rows of the selection, for the scroll bar.
    pub selected: u64,
    /// Row numbers in table order, then the cells of each row in the order of the columns;
    /// `None` is null.
    pub columns: Vec<String>,
    pub row_numbers: Vec<u64>,
    pub cells: Vec<Vec<Option<String>>>,
    pub origin: Origin,
    pub elapsed_millis: f64,
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoveredRow {
    pub row_number: u64,
    /// Where the point is drawn, CSS pixels of the canvas.
    pub x: f64,
    pub y: f64,
    /// Column and formatted value; `None` is null.
    pub values: Vec<(String, Option<String>)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cached {
    pub slices: Vec<CachedSlice>,
    pub used_bytes: u64,
    pub budget_bytes: u64,
    /// Why nothing can be kept (private mode, quota), if so.
    pub unavailable: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CachedSlice {
    pub key: String,
    pub table: String,
    pub version: Option<Version>,
    pub columns: Vec<String>,
    pub rows: u64,
    pub bytes: u64,
    /// Milliseconds since 1970.
    pub saved_at: f64,
    pub used_at: f64,
}

/// A message shown to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub level: Level,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Info,
    Warning,
    Error,
}

#[cfg(test)]
mod tests;
