//! Carries out commands: what was chosen changes in the model, the rest on screen or in
//! the browser. Whatever changed what was chosen, the worker is asked for just what
//! follows from the difference.

use leptos::prelude::*;
use std::time::Duration;

use super::dropped::{self, Dropped};
use super::signals::{Described, Page, ShownNotice, WorkerState};
use super::ui::player;
use super::{address_bar, browser, companion, copied, figure, parts, receive, shell, theme};
use crate::protocol::{Level, Request, View, ViewId, name_of_file};
use crate::state::command::Command;
use crate::state::pace::Due;
use crate::state::steps::{Step, steps};
use crate::state::twin::{self, Twin};
use crate::state::{AddressChange, Chosen, defaults};
use crate::texts;

/// Notices that nobody has to act on leave by themselves.
const NOTICE_MILLIS: u64 = 9_000;
const NOTICES_MAX: usize = 5;

impl Page {
    pub(super) fn dispatch(self, command: Command) {
        match &command {
            Command::Refresh => self.refresh(),
            Command::CancelLoad => self.link.send(&Request::CancelLoad),
            Command::SetTheme { theme } => theme::set(self, *theme),
            Command::ShowPart { part } => self.part.set(*part),
            Command::ShowDialog { dialog } => {
                self.dialog.set(if self.dialog.get_untracked() == *dialog {
                    None
                } else {
                    *dialog
                });
            }
            Command::ToggleTables => self.tables_open.update(|open| *open = !*open),
            Command::ToggleSide => self.side_open.update(|open| *open = !*open),
            Command::CompareShapes => self.shapes.update(|shapes| *shapes = !*shapes),
            Command::SearchFilters => {
                self.side_open.set(true);
                self.part.set(crate::state::command::Part::Filters);
                self.search_asked.update(|asked| *asked += 1);
            }
            Command::TogglePlay => parts::run(self, player::toggle(self)),
            Command::CopyLink => address_bar::copy_link(self),
            Command::CopySelection { form } => parts::run(self, copied::copy(self, *form)),
            Command::SavePicture { view, form } => {
                parts::run(self, figure::save_picture(self, *view, *form))
            }
            Command::CopyTwin { view } => self.copy_twin(*view),
            Command::OpenFilter { column } => self.open_filter(column),
            Command::SaveView { name, query } => self.save_view(name, query.clone()),
            Command::OpenView { query } => self.open_query(query),
            Command::ForgetView { name } => self.forget_view(name),
            Command::ToggleFilterRow => self.table.filter_row.toggle(),
            Command::ToggleProfiles => self.table.profiles.toggle(),
            Command::ToggleGallery if untrack(|| self.picture_column()).is_none() => {
                self.notify(Level::Info, texts::notices::NO_PICTURES);
            }
            Command::ToggleGallery => self.table.gallery.toggle(),
            Command::CopyCells { form } => self.copy_cells(*form),
            Command::CancelCopy => self.cancel_copy(),
            Command::CopyAgain => self.copy_again(),
            Command::GoToRow => self.table.go_asked.update(|asked| *asked += 1),
            Command::ShowRecord { row } => self.show_record(*row),
            Command::ChooseFile => self.file_asked.update(|asked| *asked += 1),
            Command::ChooseFolder => self.folder_asked.update(|asked| *asked += 1),
            Command::DismissNotice { notice } => self.dismiss(*notice),
            Command::Reload => shell::reload(),
            _ => self.choose(&command),
        }
    }

    /// A command that changes what was chosen.
    fn choose(self, command: &Command) {
        let before = self.model.with_untracked(|model| model.chosen.clone());
        // Nothing that was only redrawn is announced as a change.
        let mut change = AddressChange::None;
        self.model.update(|model| change = model.apply(command));
        if let Command::SetMark { view, .. } | Command::SetViewport { view, .. } = command {
            self.forget_hovered(*view);
        }
        if matches!(command, Command::OpenTable { .. }) {
            self.tables_open.set(false);
            self.open_filters.update(std::collections::BTreeMap::clear);
        }
        self.follow(&before);
        address_bar::follow(self, change);
    }

    /// A choice from elsewhere: the address at the start, or going back.
    pub(super) fn adopt(self, chosen: Chosen) {
        let before = self.model.with_untracked(|model| model.chosen.clone());
        if before.table != chosen.table {
            self.open_filters.update(std::collections::BTreeMap::clear);
        }
        self.model.update(|model| {
            if model.chosen.table != chosen.table {
                model.history = Default::default();
            }
            model.chosen = chosen;
        });
        if self.model.with_untracked(|model| model.chosen.table.is_none()) {
            self.leave_table();
            self.described.set(Described::None);
        }
        self.follow(&before);
    }

    /// A dropped file, or folder, is the table now; the worker describes it when it has its
    /// schema.
    pub(super) fn open_file(self, dropped: Dropped) {
        let table = name_of_file(&dropped.name);
        self.dropped.update_value(|files| drop(files.insert(table.clone(), dropped)));
        self.leave_table();
        self.described.set(Described::Asked);
        self.tables_open.set(false);
        self.open_filters.update(std::collections::BTreeMap::clear);
        self.pace.update_value(|pace| pace.leave());
        self.lives.update_value(|lives| lives.forget_load());
        let command = Command::OpenTable { table: table.clone() };
        self.model.update(|model| {
            model.chosen = Chosen::default();
            model.apply(&command);
        });
        address_bar::follow(self, AddressChange::Push);
        dropped::hand_over(self, &table);
    }

    /// Asks the worker for what follows from the difference to `before`.
    pub(super) fn follow(self, before: &Chosen) {
        self.keep_reliefs(before);
        let todo = self.model.with_untracked(|model| steps(before, &model.chosen));
        for step in todo {
            match step {
                Step::Describe => self.ask_describe(before),
                Step::Load => self.ask_load(),
                Step::Show => self.ask_show(),
            }
        }
    }

    /// What lay over other points, or over a view that is gone, is of no use.
    fn keep_reliefs(self, before: &Chosen) {
        let stays = |view: ViewId| {
            let mark = |chosen: &Chosen| chosen.view(view).map(|shown| shown.mark.clone());
            let was = mark(before);
            was.is_some() && self.model.with_untracked(|model| mark(&model.chosen) == was)
        };
        if self.reliefs.with_untracked(|reliefs| reliefs.keys().any(|&view| !stays(view))) {
            self.reliefs.update(|reliefs| reliefs.retain(|&view, _| stays(view)));
        }
    }

    fn ask_describe(self, before: &Chosen) {
        let chosen = self.model.with_untracked(|model| model.chosen.clone());
        let Some(table) = chosen.table else { return };
        if before.table.as_ref() != Some(&table) {
            self.leave_table();
            self.described.set(Described::Asked);
        }
        self.newer.set(None);
        self.pace.update_value(|pace| pace.leave());
        self.lives.update_value(|lives| lives.forget_load());
        self.link.send(&Request::Describe { table, version: chosen.version });
    }

    /// Nothing of the table before may stay on screen.
    fn leave_table(self) {
        self.progress.set(None);
        self.opening.set(None);
        self.profiles.set(Default::default());
        self.shown.set(None);
        self.results.set(Default::default());
        self.rows.set(None);
        self.hovered.set(None);
        self.is_playing.set(false);
        self.reliefs.set(Default::default());
        self.pinned.set(None);
        self.table.leave();
    }

    pub(super) fn ask_load(self) {
        let request = self.model.with_untracked(|model| {
            let chosen = &model.chosen;
            Some(Request::Load {
                table: chosen.table.clone()?,
                version: chosen.version.clone(),
                columns: chosen.columns.clone()?,
            })
        });
        if let Some(request) = request {
            self.link.send(&request);
        }
    }

    /// Asks for all views in the next frame, once, however often it is called before.
    pub(super) fn ask_show(self) {
        self.pace.update_value(|pace| pace.want());
        request_animation_frame(move || self.show_if_due());
    }

    pub(super) fn show_if_due(self) {
        let due =
            self.pace.try_update_value(|pace| pace.due(browser::now())).unwrap_or(Due::Nothing);
        match due {
            Due::Nothing => {}
            Due::Wait(millis) => {
                set_timeout(
                    move || self.show_if_due(),
                    Duration::from_millis(millis.ceil() as u64),
                );
            }
            Due::Send(generation) => {
                let clauses = self.model.with_untracked(|model| model.chosen.clauses.clone());
                let views = self.asked_views();
                self.link.send(&Request::Show { generation, clauses, views });
            }
        }
    }

    /// The views on screen, and those of the filters that are open.
    fn asked_views(self) -> Vec<View> {
        let mut views: Vec<View> = self.model.with_untracked(|model| {
            model.chosen.shown_views().iter().map(|view| view.view()).collect()
        });
        if let Described::Known(schema) = self.described.get_untracked() {
            // The player asks for the extent of its column as a filter does.
            let mut open = self.open_filters.get_untracked();
            let played = self.model.with_untracked(|model| model.chosen.player.clone());
            open.extend(played.map(|player| (player.column, String::new())));
            for (name, search) in open {
                let mark = schema.column(&name).and_then(|c| defaults::filter_mark(c, &search));
                if let (Some(id), Some(mark)) = (schema.filter_view(&name), mark) {
                    views.push(View { id, mark });
                }
            }
            views.extend(self.suggestions(&schema));
        }
        views
    }

    /// Asks for tables, for the open one's versions, and again for its views: they may have
    /// failed.
    fn refresh(self) {
        companion::look(self);
        self.ask_show();
        self.link.send(&Request::ListTables);
        let chosen = self.model.with_untracked(|model| model.chosen.clone());
        if let Some(table) = chosen.table {
            self.link.send(&Request::Describe { table, version: chosen.version });
        }
    }

    pub(super) fn notify(self, level: Level, text: impl Into<String>) {
        self.notify_with(level, text, None);
    }

    pub(super) fn notify_with(
        self,
        level: Level,
        text: impl Into<String>,
        action: Option<(String, Command)>,
    ) {
        let text = text.into();
        let id =
            self.notices.with_untracked(|notices| notices.last().map_or(1, |last| last.id + 1));
        // Errors and offers stay until somebody has read them.
        let stays = level == Level::Error || action.is_some();
        // What is said already stays where it is: somebody may be about to press its button.
        let is_said = |notice: &ShownNotice| notice.text == text && notice.action == action;
        if stays && self.notices.with_untracked(|notices| notices.iter().any(is_said)) {
            return;
        }
        self.notices.update(|notices| {
            notices.retain(|notice| notice.text != text);
            notices.push(ShownNotice { id, level, text, action });
            if notices.len() > NOTICES_MAX {
                notices.remove(0);
            }
        });
        if !stays {
            set_timeout(move || self.dismiss(id), Duration::from_millis(NOTICE_MILLIS));
        }
    }

    fn dismiss(self, id: u64) {
        self.notices.try_update(|notices| notices.retain(|notice| notice.id != id));
    }

    /// Opens or closes the filter of a column; open ones are counted with the views.
    pub(super) fn toggle_filter(self, column: &str) {
        self.open_filters.update(|open| {
            if open.remove(column).is_none() {
                open.insert(column.to_owned(), String::new());
            }
        });
        self.ask_show();
    }

    /// Loads a column too, if it is not here.
    pub(super) fn load_too(self, column: &str) {
        let loaded = self.model.with_untracked(|model| model.chosen.columns.clone());
        let mut columns = loaded.unwrap_or_default();
        if !columns.iter().any(|loaded| loaded == column) {
            columns.push(column.to_owned());
            self.choose(&Command::LoadColumns { columns });
        }
    }

    /// Opens a column's filter and puts the keyboard there.
    fn open_filter(self, column: &str) {
        self.load_too(column);
        self.side_open.set(true);
        self.part.set(crate::state::command::Part::Filters);
        if self.open_filters.with_untracked(|open| !open.contains_key(column)) {
            self.toggle_filter(column);
        }
        self.filter_asked.set(Some(column.to_owned()));
    }

    /// The numbers that a view draws.
    pub(super) fn twin(self, view: ViewId) -> Option<Twin> {
        let mark = self.model.with(|model| Some(model.chosen.view(view)?.mark.clone()))?;
        let result = self.result(view)?;
        Some(twin::twin(&mark, &result, |name| self.scalar(name)))
    }

    fn copy_twin(self, view: ViewId) {
        if let Some(twin) = untrack(|| self.twin(view)) {
            let done = texts::notices::numbers_copied(twin.rows.len() as u64);
            browser::copy(self, &twin::tsv(&twin), done);
        }
    }

    /// Narrows the values listed in a column's filter.
    pub(super) fn search_values(self, column: &str, text: String) {
        self.open_filters.update(|open| {
            if let Some(search) = open.get_mut(column) {
                *search = text;
            }
        });
        self.ask_show();
    }

    pub(super) fn clear_column(self, column: &str) {
        let id = crate::state::column_clause(column);
        let gesture = crate::state::command::Gesture::Done;
        self.dispatch(Command::SetClause { id, predicate: None, gesture });
    }

    /// The pointer rests on a view: which row is under it?
    pub(super) fn ask_hovered(self, view: ViewId, x: f64, y: f64) {
        self.hover_wanted.set_value(Some(view));
        self.link.send(&Request::Hover { view, x, y });
    }

    /// The pointer has left a view, or does something else there.
    pub(super) fn forget_hovered(self, view: ViewId) {
        self.hover_wanted.set_value(None);
        if self
            .hovered
            .with_untracked(|hovered| hovered.as_ref().is_some_and(|(own, _)| *own == view))
        {
            self.hovered.set(None);
        }
        self.link.send(&Request::HoverEnd { view });
    }

    /// Starts the worker again after it was given up.
    pub(super) fn start_again(self) {
        let epoch = self.worker.with_untracked(WorkerState::epoch);
        receive::start_worker(self, epoch + 1);
    }
}
