//! What the user chose, as plain values: the table, its columns, the clauses, the views
//! and how the rows are sorted. [`command`] lists every action, [`Model::apply`] carries
//! out those that change what was chosen, [`address`] is the same as a link, [`settle`]
//! fills what was left open once a schema is known. No browser, no worker: all of it is
//! tested on the host.

pub mod address;
pub mod brush;
pub mod cells;
pub mod chart;
pub mod choice;
pub mod command;
pub mod compare;
pub mod copy_as;
pub mod defaults;
pub mod describe;
pub mod embed;
pub mod encode;
pub mod figure;
pub mod finding;
pub mod format;
pub mod groups;
pub mod history;
pub mod labels;
pub mod layout;
pub mod letters;
pub mod names;
pub mod pace;
pub mod palette;
pub mod pictures;
pub mod player;
pub mod position;
pub mod region;
pub mod row_groups;
pub mod saved;
pub mod select;
pub mod settle;
pub mod shape;
pub mod side;
pub mod similar;
pub mod steps;
pub mod ticks;
pub mod twin;
pub mod typed;
pub mod viewport;
pub mod window;

use engine::predicate::Predicate;
use engine::query::{OrderKey, Version};

use crate::look::Look;
pub use crate::protocol::column_clause;
use crate::protocol::{Clause, Mark, View, ViewId, Viewport};
use command::{Command, Gesture};
use history::{History, Undoable};
use layout::RowLayout;
use player::Player;

/// What a link says. `None` leaves a part to the defaults of the schema.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chosen {
    pub table: Option<String>,
    /// The newest, until the table has answered which that is.
    pub version: Option<Version>,
    pub columns: Option<Vec<String>>,
    pub views: Option<Vec<ShownView>>,
    pub clauses: Vec<Clause>,
    pub order_by: Vec<OrderKey>,
    /// The column that a window moves along.
    pub player: Option<Player>,
    /// The row whose record is shown, marked in every scatter.
    pub pinned: Option<u64>,
    /// The columns of the table of rows, in order; all that are loaded if absent.
    pub row_columns: Option<Vec<String>>,
    /// Which of them stay at the left, and how wide they are.
    pub row_layout: RowLayout,
    /// Views that are shown as tables of their numbers.
    pub twins: Vec<ViewId>,
    /// What values are called.
    pub names: names::Names,
    /// What rows are called that were selected.
    pub row_groups: row_groups::RowGroups,
}

/// A view and what part of the data it shows; everything, if no viewport is set.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownView {
    pub id: ViewId,
    pub mark: Mark,
    pub viewport: Option<Viewport>,
}

impl ShownView {
    pub fn view(&self) -> View {
        View { id: self.id, mark: self.mark.clone() }
    }
}

/// More views than this would be a page that nobody reads and a worker that is slow.
pub const VIEWS_MAX: usize = 24;
/// Clauses of one selection.
pub const CLAUSES_MAX: usize = 64;

impl Chosen {
    pub fn shown_views(&self) -> &[ShownView] {
        self.views.as_deref().unwrap_or_default()
    }

    pub fn view(&self, id: ViewId) -> Option<&ShownView> {
        self.shown_views().iter().find(|view| view.id == id)
    }

    pub fn clause(&self, id: &str) -> Option<&Predicate> {
        self.clauses.iter().find(|clause| clause.id == id).map(|clause| &clause.predicate)
    }

    /// The smallest id that no view has ever had on this page.
    fn fresh_view_id(&self) -> ViewId {
        ViewId(self.shown_views().iter().map(|view| view.id.0).max().unwrap_or(0).saturating_add(1))
    }

    fn set_clause(&mut self, id: &str, predicate: Option<Predicate>) {
        let at = self.clauses.iter().position(|clause| clause.id == id);
        match (at, predicate) {
            (Some(at), Some(predicate)) => {
                if let Some(clause) = self.clauses.get_mut(at) {
                    clause.predicate = predicate;
                }
            }
            (Some(at), None) => {
                self.clauses.remove(at);
            }
            (None, Some(predicate)) if self.clauses.len() < CLAUSES_MAX => {
                self.clauses.push(Clause { id: id.to_owned(), predicate });
            }
            (None, _) => {}
        }
    }

    fn show_rows(&mut self, at: usize) {
        if let Some(rows) = self.row_groups.all().get(at) {
            self.clauses.clone_from(&rows.clauses);
        }
    }

    fn set_mark(&mut self, id: ViewId, mark: Mark) {
        let Some(view) = self.views.iter_mut().flatten().find(|view| view.id == id) else {
            return;
        };
        // A viewport and a box belong to the axes they were made on.
        let same_axes = match (&view.mark, &mark) {
            (Mark::Scatter { x, y, .. }, Mark::Scatter { x: new_x, y: new_y, .. }) => {
                x == new_x && y == new_y
            }
            (Mark::Heat { x, y, .. }, Mark::Heat { x: new_x, y: new_y, .. }) => {
                x == new_x && y == new_y
            }
            _ => false,
        };
        let log =
            |mark: &Mark| if let Mark::Scatter { look, .. } = mark { look.log } else { [false; 2] };
        // The same places are others where logarithms come or go.
        if log(&view.mark) != log(&mark) {
            view.viewport = None;
        }
        view.mark = mark;
        if !same_axes {
            view.viewport = None;
            self.set_clause(&format!("view:{}", id.0), None);
        }
    }

    fn set_look(&mut self, id: ViewId, look: Look) {
        let views = self.views.iter_mut().flatten();
        for view in views.filter(|view| view.id == id) {
            if let Mark::Scatter { look: shown, .. } = &mut view.mark {
                // The same places are others then.
                if shown.log != look.log {
                    view.viewport = None;
                }
                *shown = look;
            }
        }
    }

    /// How the table of rows is sorted and laid out. Going back is for filters and sorts.
    fn lay_rows(&mut self, command: &Command) -> AddressChange {
        match command {
            Command::SortRows { order_by } => {
                self.order_by = order_by.clone();
                return AddressChange::Push;
            }
            Command::ShowRowColumns { columns } => self.row_columns = columns.clone(),
            Command::MoveRowColumn { column, to } => {
                let loaded = self.columns.as_deref().unwrap_or_default();
                let shown = layout::shown(self.row_columns.as_deref(), loaded);
                self.row_columns = Some(self.row_layout.moved(shown, column, *to));
            }
            Command::PinRowColumn { column, pinned } => self.row_layout.pin(column, *pinned),
            Command::SizeRowColumn { column, width } => self.row_layout.size(column, *width),
            _ => {}
        }
        AddressChange::Replace
    }

    fn toggle_twin(&mut self, view: ViewId) {
        match self.twins.iter().position(|twin| *twin == view) {
            Some(at) => {
                self.twins.remove(at);
            }
            None => self.twins.push(view),
        }
    }

    fn move_view(&mut self, id: ViewId, to: usize) {
        let Some(views) = &mut self.views else { return };
        if let Some(from) = views.iter().position(|view| view.id == id) {
            let view = views.remove(from);
            views.insert(to.min(views.len()), view);
        }
    }
}

/// Whether a command is a step that is undone by itself: gestures keep their own beginning.
fn is_step(command: &Command) -> bool {
    matches!(
        command,
        Command::ClearClauses
            | Command::AddView { .. }
            | Command::SetMark { .. }
            | Command::Name { .. }
            | Command::NameRows { .. }
            | Command::CallRows { .. }
            | Command::ShowRows { .. }
            | Command::MoveView { .. }
            | Command::RemoveView { .. }
            | Command::SortRows { .. }
            | Command::ShowRowColumns { .. }
            | Command::MoveRowColumn { .. }
            | Command::PinRowColumn { .. }
            | Command::SizeRowColumn { .. }
    )
}

/// How the address bar follows a change: a new entry to go back to, or the same entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressChange {
    None,
    Replace,
    Push,
}

/// What was chosen, and what may be undone.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub chosen: Chosen,
    pub history: History,
    /// What scatters were coloured by before changes were looked at.
    pub(crate) colors: compare::Colors,
}

impl Model {
    /// Carries out a command. Those that change nothing that was chosen (opening help,
    /// the theme) leave the model alone.
    pub fn apply(&mut self, command: &Command) -> AddressChange {
        let before = self.chosen.clone();
        let mut change = AddressChange::Push;
        match command {
            Command::OpenTable { table } => self.open_table(table.clone()),
            Command::OpenVersion { version } => {
                if self.chosen.open_version(version.clone(), &mut self.colors) {
                    // What is undone there is of columns that are not here.
                    self.history = History::default();
                }
                // Another version has other rows.
                self.chosen.pinned = None;
            }
            Command::Play { player } => self.chosen.player = player.clone(),
            Command::Pin { row } => {
                self.chosen.pinned = *row;
                change = AddressChange::Replace;
            }
            Command::LoadColumns { columns } => self.chosen.columns = Some(columns.clone()),
            Command::SetClause { id, predicate, gesture } => {
                change = self.set_clause(id, predicate.clone(), *gesture);
            }
            Command::ClearClauses => self.chosen.clauses.clear(),
            Command::Undo => self.history.undo(&mut self.chosen),
            Command::Redo => self.history.redo(&mut self.chosen),
            Command::AddView { mark } => self.add_view(mark.clone()),
            Command::SetMark { view, mark } => self.chosen.set_mark(*view, mark.clone()),
            Command::SetLook { view, look, gesture } => {
                self.history.during(*gesture, &self.chosen);
                self.chosen.set_look(*view, *look);
                return self.after(*gesture);
            }
            Command::Name { column, names } => self.chosen.names.set_all(column, names),
            Command::NameRows { name } => {
                self.chosen.row_groups.add(name, self.chosen.clauses.clone());
            }
            Command::CallRows { at, name } => self.chosen.row_groups.rename(*at, name),
            Command::ShowRows { at } => self.chosen.show_rows(*at),
            Command::MoveView { view, to } => self.chosen.move_view(*view, *to),
            Command::RemoveView { view } => self.remove_view(*view),
            Command::ToggleTwin { view } => self.chosen.toggle_twin(*view),
            Command::SetViewport { view, viewport, gesture } => {
                let views = self.chosen.views.iter_mut().flatten();
                if let Some(shown) = views.into_iter().find(|shown| shown.id == *view) {
                    shown.viewport = *viewport;
                }
                // Going back is for filters; a pan is not worth an entry.
                return match gesture {
                    Gesture::Moving => AddressChange::None,
                    Gesture::Done => AddressChange::Replace,
                };
            }
            Command::SortRows { .. }
            | Command::ShowRowColumns { .. }
            | Command::MoveRowColumn { .. }
            | Command::PinRowColumn { .. }
            | Command::SizeRowColumn { .. } => change = self.chosen.lay_rows(command),
            _ => return AddressChange::None,
        }
        if is_step(command) {
            self.history.changed(Undoable::of(&before), &self.chosen);
        }
        self.load_what_views_need();
        match self.chosen == before && !matches!(command, Command::SetClause { .. }) {
            true => AddressChange::None,
            false => change,
        }
    }

    fn open_table(&mut self, table: String) {
        if self.chosen.table.as_ref() != Some(&table) {
            self.chosen = Chosen { table: Some(table), ..Chosen::default() };
            self.history = History::default();
        }
    }

    fn set_clause(
        &mut self,
        id: &str,
        predicate: Option<Predicate>,
        gesture: Gesture,
    ) -> AddressChange {
        self.history.during(gesture, &self.chosen);
        self.chosen.set_clause(id, predicate);
        self.after(gesture)
    }

    fn after(&mut self, gesture: Gesture) -> AddressChange {
        match gesture {
            Gesture::Moving => AddressChange::None,
            Gesture::Done if self.history.unchanged_by_last(&self.chosen) => {
                self.history.forget_last();
                AddressChange::Replace
            }
            Gesture::Done => AddressChange::Push,
        }
    }

    fn add_view(&mut self, mark: Mark) {
        let id = self.chosen.fresh_view_id();
        let views = self.chosen.views.get_or_insert_default();
        if views.len() < VIEWS_MAX {
            views.push(ShownView { id, mark, viewport: None });
        }
    }

    /// A view or a filter of a column that is not loaded has it loaded.
    fn load_what_views_need(&mut self) {
        let Chosen { columns: Some(columns), views: Some(views), clauses, player, .. } =
            &mut self.chosen
        else {
            return;
        };
        let played = player.iter().map(|player| player.column.as_str());
        let of_clauses = clauses.iter().flat_map(|clause| clause.predicate.columns());
        for name in settle::needed(views, of_clauses.chain(played)) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }

    fn remove_view(&mut self, id: ViewId) {
        if let Some(views) = &mut self.chosen.views {
            views.retain(|view| view.id != id);
        }
        self.chosen.twins.retain(|twin| *twin != id);
        // A box nobody can see any more would be a riddle; a column's clause still shows
        // in its filter.
        self.chosen.set_clause(&format!("view:{}", id.0), None);
    }
}

#[cfg(test)]
mod tests;
