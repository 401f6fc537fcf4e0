//! Everything the page knows, as signals owned by its root: what was chosen, what the
//! worker last said, and what is open on screen. Components read; only [`super::act`]
//! and [`super::receive`] write.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::lasting::{Derived, Lasting};
use engine::predicate::Predicate;
use engine::query::Version;
use leptos::prelude::*;

use super::dropped::Dropped;
use super::groups::Letter;
use super::link::Link;
use super::receive::Lives;
use super::table::TableSignals;
use crate::protocol::relief::Relief;
use crate::protocol::{
    Cached, ClauseError, ColumnInfo, HoveredRow, LoadState, MarkResult, Origin, Profile, Progress,
    RendererInfo, Rows, STEPS, TableInfo, VersionInfo, ViewId, Viewport,
};
use crate::state::Model;
use crate::state::address::Options;
use crate::state::command::{Dialog, Part, PictureForm, Theme};
use crate::state::compare::ends;
use crate::state::embed::Job;
use crate::state::names::Names;
use crate::state::pace::Pace;
use crate::state::position::Scalar;
use crate::state::saved::SavedView;
use crate::state::viewport::fit;
use crate::texts;

/// Views of the filters in the side panel have ids from here on: this and the column's
/// place in the schema. They are no part of the address.
pub(super) const FILTER_VIEWS: u32 = 1 << 31;

#[derive(Clone, Copy)]
pub(super) struct Page {
    pub model: Lasting<Model>,
    pub options: StoredValue<Options>,
    pub tables: Lasting<Tables>,
    pub described: Lasting<Described>,
    /// Bytes that were looked at of a file that is being opened, and all of them.
    pub opening: Lasting<Option<(u64, u64)>>,
    pub progress: Lasting<Option<Progress>>,
    pub profiles: Lasting<Arc<HashMap<String, Profile>>>,
    pub shown: Lasting<Option<Shown>>,
    pub results: Lasting<HashMap<ViewId, Arc<MarkResult>>>,
    pub rows: Lasting<Option<Arc<Rows>>>,
    pub table: TableSignals,
    pub hovered: Lasting<Option<(ViewId, Arc<HoveredRow>)>>,
    /// What lies over the pictures that have come to rest.
    pub reliefs: Lasting<HashMap<ViewId, Arc<Relief>>>,
    /// The row that is marked, with its values.
    pub pinned: Lasting<Option<Pinned>>,
    pub cached: Lasting<Option<Arc<Cached>>>,
    pub renderer: Lasting<Option<RendererInfo>>,
    /// How often a view's canvas had to be replaced.
    pub canvases_lost: Lasting<BTreeMap<ViewId, u32>>,
    pub companion: Lasting<Companion>,
    pub worker: Lasting<WorkerState>,
    /// The newest version known, where it is newer than the one shown.
    pub newer: Lasting<Option<VersionInfo>>,
    pub notices: Lasting<Vec<ShownNotice>>,
    pub saved: Lasting<Vec<SavedView>>,
    /// Answers about groups of rows that the dialog has not read yet.
    pub letters: Lasting<Vec<Letter>>,
    /// The dialog of groups is opened for the rows that are selected.
    pub selection_asked: Lasting<bool>,
    /// Jobs of the companion, newest first, as far as they were asked for.
    pub jobs: Lasting<Vec<Job>>,

    pub theme: Lasting<Theme>,
    pub system_dark: Lasting<bool>,
    pub part: Lasting<Part>,
    pub dialog: Lasting<Option<Dialog>>,
    /// A popover's, which takes it as a plain signal.
    pub tables_open: Lasting<bool>,
    pub side_open: Lasting<bool>,
    /// The window of the player moves.
    pub is_playing: Lasting<bool>,
    /// Bars are as tall as the selection lets them be, rather than beside all rows.
    pub shapes: Lasting<bool>,
    /// Columns whose filter is open in the side panel, and what is searched for in each.
    pub open_filters: Lasting<BTreeMap<String, String>>,
    /// Rises when the search of the filters is to have the keyboard.
    pub search_asked: Lasting<u32>,
    /// The column whose filter is to have the keyboard.
    pub filter_asked: Lasting<Option<String>>,
    /// Rises when a file is to be chosen.
    pub file_asked: Lasting<u32>,
    pub folder_asked: Lasting<u32>,

    pub link: Link,
    /// The view whose row under the pointer is wanted.
    pub hover_wanted: StoredValue<Option<ViewId>>,
    /// The picture that the worker is asked for, and what it is for.
    pub picture_wanted: StoredValue<Option<(ViewId, PictureForm)>>,
    pub pace: StoredValue<Pace>,
    pub lives: StoredValue<Lives>,
    pub api: StoredValue<Option<String>>,
    /// The files that were dropped here, by the names of their tables: a worker that is
    /// started later has to be given them too.
    pub dropped: StoredValue<BTreeMap<String, Dropped>, LocalStorage>,
    /// Questions about groups that were ever asked.
    pub letters_sent: StoredValue<u64>,
    /// Jobs that are being asked after.
    pub followed: StoredValue<BTreeSet<String>>,
}

/// A row, and name and value of each column that is here.
pub(super) type Pinned = (Option<u64>, Vec<(String, Option<String>)>);

/// The list of tables, as far as known.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Tables {
    #[default]
    Asked,
    Known {
        tables: Arc<Vec<TableInfo>>,
        origin: Origin,
    },
}

/// The table that is open.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Described {
    #[default]
    None,
    Asked,
    Known(Arc<Schema>),
    Failed(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schema {
    pub table: TableInfo,
    pub columns: Vec<ColumnInfo>,
    pub versions: Vec<VersionInfo>,
    pub origin: Origin,
}

impl Schema {
    pub(super) fn column(&self, name: &str) -> Option<&ColumnInfo> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub(super) fn filter_view(&self, name: &str) -> Option<ViewId> {
        let at = self.columns.iter().position(|column| column.name == name)?;
        u32::try_from(at).ok()?.checked_add(FILTER_VIEWS).map(ViewId)
    }
}

/// What the last answer to `Show` said besides the views themselves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    /// How many answers came before: the same question has more than one while columns
    /// and rows arrive.
    pub answer: u64,
    pub selected: u64,
    pub total: u64,
    pub complete: bool,
    pub origin: Origin,
    pub elapsed_millis: f64,
    pub reduction: String,
    pub files: Option<[u64; 2]>,
    /// Views that still show what was asked before.
    pub behind: Vec<ViewId>,
    pub clause_errors: Vec<ClauseError>,
}

impl Shown {
    /// Whether this was worked out ahead, and the companion's own answer follows.
    pub(super) fn is_step(&self) -> bool {
        self.reduction == STEPS
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Companion {
    /// Not yet known.
    Unknown,
    /// These files are served without one.
    Absent,
    Online,
    Offline,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum WorkerState {
    /// It is not listening yet.
    Coming,
    /// `epoch` counts the workers: canvases of an earlier one are lost with it.
    Running { epoch: u32 },
    /// It died too often to be started again unasked.
    Stopped { epoch: u32, reason: String },
}

impl WorkerState {
    pub(super) fn epoch(&self) -> u32 {
        match self {
            Self::Coming => 0,
            Self::Running { epoch } | Self::Stopped { epoch, .. } => *epoch,
        }
    }

    /// The worker that canvases may be given to.
    pub(super) fn running(&self) -> Option<u32> {
        match self {
            Self::Running { epoch } => Some(*epoch),
            Self::Coming | Self::Stopped { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShownNotice {
    pub id: u64,
    pub level: crate::protocol::Level,
    pub text: String,
    pub action: Option<(String, crate::state::command::Command)>,
}

impl Page {
    /// What values are called.
    pub(super) fn names(self) -> Derived<Names> {
        Derived::new(move |_| self.model.with(|model| model.chosen.names.clone()))
    }

    pub(super) fn new(options: Options) -> Self {
        Self {
            model: Lasting::default(),
            options: StoredValue::new(options),
            tables: Lasting::default(),
            described: Lasting::default(),
            opening: Lasting::default(),
            progress: Lasting::new(None),
            profiles: Lasting::default(),
            shown: Lasting::new(None),
            results: Lasting::default(),
            rows: Lasting::new(None),
            table: TableSignals::new(),
            hovered: Lasting::new(None),
            reliefs: Lasting::default(),
            pinned: Lasting::new(None),
            cached: Lasting::new(None),
            renderer: Lasting::new(None),
            canvases_lost: Lasting::default(),
            companion: Lasting::new(Companion::Unknown),
            worker: Lasting::new(WorkerState::Coming),
            newer: Lasting::new(None),
            notices: Lasting::default(),
            saved: Lasting::default(),
            letters: Lasting::default(),
            selection_asked: Lasting::new(false),
            jobs: Lasting::default(),
            theme: Lasting::default(),
            system_dark: Lasting::new(false),
            part: Lasting::default(),
            dialog: Lasting::new(None),
            tables_open: Lasting::new(false),
            side_open: Lasting::new(true),
            is_playing: Lasting::new(false),
            shapes: Lasting::new(false),
            open_filters: Lasting::default(),
            search_asked: Lasting::new(0),
            filter_asked: Lasting::new(None),
            file_asked: Lasting::new(0),
            folder_asked: Lasting::new(0),
            link: Link::new(),
            hover_wanted: StoredValue::default(),
            picture_wanted: StoredValue::default(),
            pace: StoredValue::default(),
            lives: StoredValue::default(),
            api: StoredValue::new(None),
            dropped: StoredValue::new_local(BTreeMap::new()),
            letters_sent: StoredValue::new(0),
            followed: StoredValue::new(BTreeSet::new()),
        }
    }

    pub(super) fn schema(self) -> Option<Arc<Schema>> {
        self.described.with(|described| match described {
            Described::Known(schema) => Some(Arc::clone(schema)),
            _ => None,
        })
    }

    pub(super) fn column(self, name: &str) -> Option<ColumnInfo> {
        self.schema()?.column(name).cloned()
    }

    /// How positions of a column are written; `None` for what has no axis.
    pub(super) fn scalar(self, name: &str) -> Option<Scalar> {
        let schema = self.schema()?;
        let column = schema.column(name)?;
        Scalar::from_type(&column.data_type, column.kind)
    }

    pub(super) fn clause(self, id: &str) -> Option<Predicate> {
        self.model.with(|model| model.chosen.clause(id).cloned())
    }

    pub(super) fn result(self, view: ViewId) -> Option<Arc<MarkResult>> {
        self.results.with(|results| results.get(&view).cloned())
    }

    /// What a scatter shows: what was chosen, or everything, once that is known.
    pub(super) fn viewport(self, view: ViewId) -> Option<Viewport> {
        let chosen = self.model.with(|model| model.chosen.view(view).and_then(|v| v.viewport));
        chosen.or_else(|| self.whole_viewport(view))
    }

    pub(super) fn whole_viewport(self, view: ViewId) -> Option<Viewport> {
        match self.result(view)?.as_ref() {
            MarkResult::Scatter { x_extent, y_extent, .. } => Some(fit(*x_extent, *y_extent)),
            _ => None,
        }
    }

    pub(super) fn is_dark(self) -> bool {
        match self.theme.get() {
            Theme::System => self.system_dark.get(),
            Theme::Dark => true,
            Theme::Light => false,
        }
    }

    /// The version on screen, in words: "version 4", or "as found" for files without one.
    pub(super) fn version_words(version: Option<&Version>) -> Option<String> {
        match version? {
            Version::Number(number) => Some(texts::versions::version(*number)),
            Version::Fingerprint(text) => Some(match ends(version?) {
                Some([from, to]) => texts::versions::changes(from, to),
                None => texts::versions::state(text.get(2..10).unwrap_or(text)),
            }),
        }
    }

    pub(super) fn is_loading(self) -> bool {
        self.progress.with(|progress| {
            progress.as_ref().is_some_and(|progress| progress.state == LoadState::Loading)
        })
    }
}

pub(super) fn use_page() -> Page {
    expect_context()
}
