//! Every action of the user, by name, with its arguments. Buttons, keys, undo and the
//! address all go through this one list; [`SHORTCUTS`] says which keys give which.

use engine::predicate::Predicate;
use engine::query::{OrderKey, Version};

use super::copy_as::CopyForm;
use super::player::Player;
use crate::look::Look;
use crate::protocol::table::CellForm;
use crate::protocol::{Mark, ViewId, Viewport};
use crate::texts::commands;

/// Whether a value is still being dragged. Only what is done enters undo and address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    Moving,
    Done,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Opens a table at its newest version, with default columns and views.
    OpenTable {
        table: String,
    },
    /// `None` is the newest.
    OpenVersion {
        version: Option<Version>,
    },
    LoadColumns {
        columns: Vec<String>,
    },
    CancelLoad,
    /// Asks for tables and schema again.
    Refresh,
    /// `None` takes the clause away.
    SetClause {
        id: String,
        predicate: Option<Predicate>,
        gesture: Gesture,
    },
    ClearClauses,
    Undo,
    Redo,
    AddView {
        mark: Mark,
    },
    SetMark {
        view: ViewId,
        mark: Mark,
    },
    /// How a scatter is drawn.
    SetLook {
        view: ViewId,
        look: Look,
        gesture: Gesture,
    },
    /// Calls values of a column so; by nothing, as they are.
    Name {
        column: String,
        names: Vec<(String, String)>,
    },
    /// Calls the rows so that are selected.
    NameRows {
        name: String,
    },
    /// Calls rows otherwise that have a name; by nothing, they have none.
    CallRows {
        at: usize,
        name: String,
    },
    /// Selects rows that have a name.
    ShowRows {
        at: usize,
    },
    MoveView {
        view: ViewId,
        to: usize,
    },
    RemoveView {
        view: ViewId,
    },
    /// `None` shows everything.
    SetViewport {
        view: ViewId,
        viewport: Option<Viewport>,
        gesture: Gesture,
    },
    /// Has a window move along a column; `None` puts the player away. It starts by
    /// [`Self::TogglePlay`].
    Play {
        player: Option<Player>,
    },
    TogglePlay,
    /// Shows a row's record and marks it in every scatter; `None` lets it go.
    Pin {
        row: Option<u64>,
    },
    SortRows {
        order_by: Vec<OrderKey>,
    },
    /// `None` shows all columns that are loaded.
    ShowRowColumns {
        columns: Option<Vec<String>>,
    },
    /// Puts a column of the rows at a place among those shown.
    MoveRowColumn {
        column: String,
        to: usize,
    },
    /// Keeps a column of the rows at the left, whatever is scrolled.
    PinRowColumn {
        column: String,
        pinned: bool,
    },
    /// In pixels; `None` is the usual width.
    SizeRowColumn {
        column: String,
        width: Option<u16>,
    },
    /// Shows or hides the fields under the names of the rows' columns.
    ToggleFilterRow,
    /// Shows or hides the small distributions under the names of the rows' columns.
    ToggleProfiles,
    ToggleGallery,
    /// Copies the selected cells of the rows.
    CopyCells {
        form: CellForm,
    },
    /// Stops putting cells together for a copy.
    CancelCopy,
    /// Writes to the clipboard what was put together when the browser refused it.
    CopyAgain,
    /// Puts the keyboard where a row's place is typed.
    GoToRow,
    /// All values of a row, by its number in the table; `None` closes them.
    ShowRecord {
        row: Option<u64>,
    },
    SetTheme {
        theme: Theme,
    },
    /// Which part a narrow screen shows.
    ShowPart {
        part: Part,
    },
    /// Opens a dialog, or closes the one that is open.
    ShowDialog {
        dialog: Option<Dialog>,
    },
    /// Opens or closes the list of tables.
    ToggleTables,
    /// Shows or hides the panel of filters and columns.
    ToggleSide,
    /// Scales bars to the selection, so that its shape is seen however small it is; or
    /// back to all rows.
    CompareShapes,
    /// Puts the cursor into the search of the filters.
    SearchFilters,
    CopyLink,
    /// Copies the query for the selected rows, as it is or as a program.
    CopySelection {
        form: CopyForm,
    },
    /// Shows a view as a table of its numbers, or as the chart again.
    ToggleTwin {
        view: ViewId,
    },
    /// Copies the numbers of a view, tabs between them.
    CopyTwin {
        view: ViewId,
    },
    /// Saves a view as a file: axes, title and legend on white ground.
    SavePicture {
        view: ViewId,
        form: PictureForm,
    },
    /// Opens the filter of a column, loading the column first where it is not, and goes there.
    OpenFilter {
        column: String,
    },
    /// Keeps what is on screen under a name; with a query, that instead.
    SaveView {
        name: String,
        query: Option<String>,
    },
    /// Opens the query part of an address.
    OpenView {
        query: String,
    },
    ForgetView {
        name: String,
    },
    ChooseFile,
    /// A folder with a Delta log, on the user's own disk.
    ChooseFolder,
    DismissNotice {
        notice: u64,
    },
    Reload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn from_name(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    #[default]
    Views,
    Filters,
    Columns,
    Rows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureForm {
    Svg,
    Png,
}

impl PictureForm {
    /// The ending of the file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialog {
    /// Everything that can be done, found by typing.
    Palette,
    Help,
    Offline,
    Saved,
    /// A map of the table's vectors.
    Embed,
    /// What groups of rows are made of.
    Groups,
    /// Rows by words of their texts.
    Find,
}

/// A key, whether Ctrl (or Cmd) and Shift are held, what it says in the help, and what it does.
pub struct Shortcut {
    pub key: &'static str,
    pub command_key: bool,
    pub shift: bool,
    pub label: &'static str,
    pub command: fn() -> Command,
}

/// Keys that work anywhere but while text is being typed.
pub const SHORTCUTS: [Shortcut; 21] = [
    shortcut("k", true, false, commands::FIND, || Command::ShowDialog {
        dialog: Some(Dialog::Palette),
    }),
    shortcut("?", false, false, commands::SHOW_KEYS, || Command::ShowDialog {
        dialog: Some(Dialog::Help),
    }),
    shortcut("t", false, false, commands::CHOOSE_TABLE, || Command::ToggleTables),
    shortcut("/", false, false, commands::SEARCH_FILTERS, || Command::SearchFilters),
    shortcut("z", true, false, commands::UNDO, || Command::Undo),
    shortcut("z", true, true, commands::REDO, || Command::Redo),
    shortcut("x", false, false, commands::CLEAR_FILTERS, || Command::ClearClauses),
    shortcut("b", false, false, commands::TOGGLE_SIDE, || Command::ToggleSide),
    shortcut("c", false, false, commands::COMPARE_SHAPES, || Command::CompareShapes),
    shortcut("e", false, false, commands::FILTER_ROW, || Command::ToggleFilterRow),
    shortcut("d", false, false, commands::DISTRIBUTIONS, || Command::ToggleProfiles),
    shortcut("i", false, false, commands::GALLERY, || Command::ToggleGallery),
    shortcut("g", false, false, commands::GO_TO_ROW, || Command::GoToRow),
    shortcut("o", false, false, commands::KEPT_OFFLINE, || Command::ShowDialog {
        dialog: Some(Dialog::Offline),
    }),
    shortcut("l", false, false, commands::COPY_LINK, || Command::CopyLink),
    shortcut("v", false, false, commands::SAVED_VIEWS, || Command::ShowDialog {
        dialog: Some(Dialog::Saved),
    }),
    shortcut("m", false, false, commands::MAP_VECTORS, || Command::ShowDialog {
        dialog: Some(Dialog::Embed),
    }),
    shortcut("s", false, false, commands::SUMMARISE_GROUPS, || Command::ShowDialog {
        dialog: Some(Dialog::Groups),
    }),
    shortcut("w", false, false, commands::FIND_ROWS, || Command::ShowDialog {
        dialog: Some(Dialog::Find),
    }),
    shortcut("f", false, false, commands::OPEN_FILE, || Command::ChooseFile),
    shortcut("r", false, false, commands::REFRESH, || Command::Refresh),
];

const fn shortcut(
    key: &'static str,
    command_key: bool,
    shift: bool,
    label: &'static str,
    command: fn() -> Command,
) -> Shortcut {
    Shortcut { key, command_key, shift, label, command }
}

/// The command of a key press, if it has one. `key` is as the browser names it.
pub fn command_from_key(key: &str, command_key: bool, shift: bool, alt: bool) -> Option<Command> {
    if alt {
        return None;
    }
    let found = SHORTCUTS.iter().find(|shortcut| {
        shortcut.command_key == command_key
            // Signs such as "?" need Shift on some keyboards and not on others.
            && (shortcut.shift == shift || !shortcut.command_key && !key.chars().all(char::is_alphabetic))
            && shortcut.key == key.to_lowercase()
    });
    // The other habit for redo.
    let redo = command_key && !shift && key.eq_ignore_ascii_case("y");
    found.map(|shortcut| (shortcut.command)()).or(redo.then_some(Command::Redo))
}
