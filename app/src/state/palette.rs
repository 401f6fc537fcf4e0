//! The list of everything that can be done, to be found by typing: commands, tables, and
//! what can be made of each column.

use engine::kind::Kind;
use engine::query::OrderKey;

use super::command::{Command, Dialog, Gesture, Part, PictureForm, SHORTCUTS, Shortcut, Theme};
use super::copy_as::CopyForm;
use super::player::Player;
use super::saved::SavedView;
use super::{Chosen, ShownView, VIEWS_MAX, defaults, describe};
use crate::look::{self, Look};
use crate::protocol::table::CellForm;
use crate::protocol::{ColumnInfo, Form, Mark, is_address};
use crate::texts::{commands, filters, player};

/// More than anybody reads; typing finds the rest.
pub const ENTRIES_SHOWN: usize = 60;

/// One line of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub group: Group,
    pub label: String,
    /// Its place in [`SHORTCUTS`], if a key does the same.
    pub shortcut: Option<usize>,
    pub command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Command,
    Table,
    View,
    Column(Kind),
}

impl Group {
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => commands::COMMAND,
            Self::Table => commands::TABLE,
            Self::View => commands::VIEW,
            Self::Column(_) => commands::COLUMN,
        }
    }
}

/// Everything that can be done now: commands first, then tables, then columns.
pub fn entries(chosen: &Chosen, tables: &[String], schema: &[ColumnInfo]) -> Vec<Entry> {
    let has_table = chosen.table.is_some();
    let mut entries: Vec<Entry> = SHORTCUTS
        .iter()
        .enumerate()
        .filter(|(_, shortcut)| has_table || !needs_table(&(shortcut.command)()))
        .filter(|(_, shortcut)| {
            !matches!((shortcut.command)(), Command::ShowDialog { dialog: Some(Dialog::Palette) })
        })
        .map(|(at, Shortcut { label, command, .. })| Entry {
            group: Group::Command,
            label: (*label).to_owned(),
            shortcut: Some(at),
            command: command(),
        })
        .collect();
    let mut push = |group, label: String, command| {
        entries.push(Entry { group, label, shortcut: None, command });
    };
    if has_table {
        for form in CopyForm::ALL {
            let label = commands::copy_selection_as(form.name());
            push(Group::Command, label, Command::CopySelection { form });
        }
        of_cells(&mut push);
        push(
            Group::Command,
            commands::LOAD_EVERY_COLUMN.to_owned(),
            Command::LoadColumns {
                columns: schema.iter().map(|column| column.name.clone()).collect(),
            },
        );
        push(
            Group::Command,
            commands::CHOOSE_COLUMNS.to_owned(),
            Command::ShowPart { part: Part::Columns },
        );
    }
    for (label, theme) in [
        (commands::THEME_SYSTEM, Theme::System),
        (commands::THEME_LIGHT, Theme::Light),
        (commands::THEME_DARK, Theme::Dark),
    ] {
        push(Group::Command, label.to_owned(), Command::SetTheme { theme });
    }
    for kind in defaults::KINDS {
        let mark = defaults::guess(kind, schema, None);
        if let Some(mark) = mark.filter(|_| chosen.shown_views().len() < VIEWS_MAX) {
            push(Group::Command, commands::add_view(kind), Command::AddView { mark });
        }
    }
    of_looks(chosen, &mut |label, command| push(Group::Command, label, command));
    of_views(chosen, &mut |label, command| push(Group::Command, label, command));
    push(Group::Command, commands::OPEN_FOLDER.to_owned(), Command::ChooseFolder);
    for table in tables.iter().filter(|table| chosen.table.as_ref() != Some(*table)) {
        push(
            Group::Table,
            commands::open_table(table),
            Command::OpenTable { table: table.clone() },
        );
    }
    for column in schema {
        of_column(chosen, schema, column, &mut |label, command| {
            push(Group::Column(column.kind), label, command)
        });
    }
    entries
}

/// Adds the views that are kept under a name.
pub fn add_saved(entries: &mut Vec<Entry>, saved: &[SavedView]) {
    entries.extend(saved.iter().map(|view| Entry {
        group: Group::View,
        label: commands::open_view(&view.name),
        shortcut: None,
        command: Command::OpenView { query: view.query.clone() },
    }));
}

/// What can be done with the views that are there.
fn of_views(chosen: &Chosen, push: &mut impl FnMut(String, Command)) {
    for view in chosen.shown_views() {
        let mark = describe::mark(&view.mark);
        let twin = Command::ToggleTwin { view: view.id };
        push(commands::toggle_twin(&mark), twin);
        let copy = Command::CopyTwin { view: view.id };
        push(commands::copy_numbers(&mark), copy);
        if let Mark::Histogram { column, bins, domain, form } = &view.mark {
            let turned = [
                (commands::LOG_AXIS, Form { log_axis: !form.log_axis, ..*form }),
                (
                    commands::LOG_COUNTS,
                    Form { log_counts: !form.log_counts, cumulative: false, ..*form },
                ),
                (
                    commands::CUMULATIVE,
                    Form { cumulative: !form.cumulative, log_counts: false, ..*form },
                ),
            ];
            for (name, form) in turned {
                let mark =
                    Mark::Histogram { column: column.clone(), bins: *bins, domain: *domain, form };
                let command = Command::SetMark { view: view.id, mark };
                push(commands::toggle_form(column, name), command);
            }
        }
        for (form, name) in [(PictureForm::Png, "PNG"), (PictureForm::Svg, "SVG")] {
            let label = commands::save_as(&describe::mark(&view.mark), name);
            push(label, Command::SavePicture { view: view.id, form });
        }
    }
}

/// What can be done with the cells that are selected in the table of rows.
fn of_cells(push: &mut impl FnMut(Group, String, Command)) {
    for form in CellForm::ALL {
        let label = commands::copy_cells_as(form.name());
        push(Group::Command, label, Command::CopyCells { form });
    }
}

fn needs_table(command: &Command) -> bool {
    !matches!(
        command,
        Command::ShowDialog { .. } | Command::ToggleTables | Command::ChooseFile | Command::Refresh
    )
}

/// How scatters are drawn.
fn of_looks(chosen: &Chosen, push: &mut impl FnMut(String, Command)) {
    for view in chosen.shown_views() {
        let Mark::Scatter { look, .. } = view.mark else { continue };
        let log = |axis: usize, words: fn(bool) -> &'static str| {
            let mut log = look.log;
            let is_on = std::mem::take(&mut log[axis]);
            log[axis] = !is_on;
            (words(is_on), Look { log, ..look })
        };
        for (what, look) in [
            log(0, commands::toggle_log_across),
            log(1, commands::toggle_log_up),
            (commands::DRAW_AUTOMATIC, Look { form: look::Form::Auto, ..look }),
            (commands::DRAW_POINTS, Look { form: look::Form::Points, ..look }),
            (commands::DRAW_DENSITY, Look { form: look::Form::Density, ..look }),
            (
                commands::toggle_contours(look.has_contours),
                Look { has_contours: !look.has_contours, ..look },
            ),
            (
                commands::toggle_names(look.has_labels),
                Look { has_labels: !look.has_labels, ..look },
            ),
        ] {
            let label = commands::of_scatter(what, &describe::mark(&view.mark));
            let command = Command::SetLook { view: view.id, look, gesture: Gesture::Done };
            push(label, command);
        }
    }
}

/// What a column can be in a scatter that is shown.
fn of_scatter(view: &ShownView, column: &ColumnInfo, push: &mut impl FnMut(String, Command)) {
    let (name, kind) = (&column.name, column.kind);
    let Mark::Scatter { x, y, color, varied, .. } = &view.mark else { return };
    let is_plain = !matches!(kind, Kind::Vector | Kind::Nested);
    let is = |other: &Option<String>| other.as_ref() == Some(name);
    for (at, (is_offered, label)) in [
        (is_plain && !is(color), commands::color_by(name)),
        (is_plain && x != name, commands::put_across(name)),
        (is_plain && y != name, commands::put_up(name)),
        (kind == Kind::Number && !is(&varied.size), commands::size_by(name)),
        (look::is_named(kind) && !is(&varied.shape), commands::shape_by(name)),
    ]
    .into_iter()
    .enumerate()
    {
        let mut mark = view.mark.clone();
        let Mark::Scatter { x, y, color, look, varied } = &mut mark else { return };
        match at {
            0 => *color = Some(name.clone()),
            // Logarithms were of the column that was there.
            1 => (*x, look.log[0]) = (name.clone(), false),
            2 => (*y, look.log[1]) = (name.clone(), false),
            3 => varied.size = Some(name.clone()),
            _ => varied.shape = Some(name.clone()),
        }
        if is_offered {
            push(label, Command::SetMark { view: view.id, mark });
        }
    }
}

/// What can be made of one column.
fn of_column(
    chosen: &Chosen,
    schema: &[ColumnInfo],
    column: &ColumnInfo,
    push: &mut impl FnMut(String, Command),
) {
    let name = &column.name;
    if let Some(mark) = defaults::mark_of(column) {
        push(commands::filter(name), Command::OpenFilter { column: name.clone() });
        if chosen.clauses.iter().any(|clause| clause.id == super::column_clause(name)) {
            push(filters::clear_of(name), clear(name));
        }
        if chosen.shown_views().len() < VIEWS_MAX {
            push(commands::chart_of(name), Command::AddView { mark });
            for kind in defaults::KINDS {
                if let Some(mark) = defaults::guess(kind, schema, Some(column)) {
                    push(commands::kind_of(kind, name), Command::AddView { mark });
                }
            }
        }
    }
    if matches!(column.kind, Kind::Number | Kind::Time) {
        let player = Some(Player::of(name.clone()));
        push(player::play_over(name), Command::Play { player });
    }
    let is_scatter = |view: &&ShownView| matches!(view.mark, Mark::Scatter { .. });
    if let Some(view) = chosen.shown_views().iter().find(is_scatter) {
        of_scatter(view, column, push);
    }
    let is_pinned = chosen.row_layout.is_pinned(name);
    push(
        match is_pinned {
            true => commands::unpin(name),
            false => commands::pin(name),
        },
        Command::PinRowColumn { column: name.clone(), pinned: !is_pinned },
    );
    if !matches!(column.kind, Kind::Vector | Kind::Nested) {
        for (label, descending) in
            [(commands::sort_lowest(name), false), (commands::sort_highest(name), true)]
        {
            let key = OrderKey { column: name.clone(), descending, nulls: Default::default() };
            push(label, Command::SortRows { order_by: vec![key] });
        }
    }
}

fn clear(column: &str) -> Command {
    Command::SetClause { id: super::column_clause(column), predicate: None, gesture: Gesture::Done }
}

/// The entries that a text finds, best first: every word of it must be in the label, at
/// the start of a word, within one, or as letters in order. At most [`ENTRIES_SHOWN`].
pub fn found(entries: &[Entry], text: &str) -> Vec<Entry> {
    if is_address(text.trim()) {
        let table = text.trim().to_owned();
        let (group, label) = (Group::Command, commands::open_address(&table));
        return vec![Entry { group, label, shortcut: None, command: Command::OpenTable { table } }];
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let mut ranked: Vec<(usize, usize, &Entry)> = entries
        .iter()
        .filter_map(|entry| {
            let label = entry.label.to_lowercase();
            let misses = words.iter().map(|word| miss(&label, word)).sum::<Option<usize>>()?;
            // Between equals the shorter label is the nearer one; nothing typed keeps the order.
            let length = if words.is_empty() { 0 } else { label.len() };
            Some((misses, length, entry))
        })
        .collect();
    ranked.sort_by_key(|(misses, length, _)| (*misses, *length));
    ranked.into_iter().take(ENTRIES_SHOWN).map(|(_, _, entry)| entry.clone()).collect()
}

/// How far a word is from being the start of one of the label's; `None` if it is not there.
fn miss(label: &str, word: &str) -> Option<usize> {
    let starts = |at: usize| {
        label
            .get(..at)
            .and_then(|before| before.chars().next_back())
            .is_none_or(|c| !c.is_alphanumeric())
    };
    let mut within = None;
    for (at, _) in label.match_indices(word) {
        if starts(at) {
            return Some(0);
        }
        within = Some(1);
    }
    let mut letters = label.chars();
    within.or_else(|| word.chars().all(|wanted| letters.any(|c| c == wanted)).then_some(4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ViewId;
    use crate::state::tests::info;

    fn column(name: &str, kind: Kind) -> ColumnInfo {
        let data_type = if kind == Kind::Number { "Float64" } else { "Utf8" };
        ColumnInfo { data_type: data_type.to_owned(), ..info(name, kind) }
    }

    fn labels(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.label.as_str()).collect()
    }

    fn open() -> (Chosen, Vec<ColumnInfo>) {
        let mark = Mark::Scatter {
            varied: Default::default(),
            x: "delay".to_owned(),
            y: "distance".to_owned(),
            color: None,
            look: Default::default(),
        };
        let chosen = Chosen {
            table: Some("flights".to_owned()),
            views: Some(vec![ShownView { id: ViewId(1), mark, viewport: None }]),
            ..Chosen::default()
        };
        let names =
            [("delay", Kind::Number), ("distance", Kind::Number), ("origin", Kind::Category)];
        (chosen, names.map(|(name, kind)| column(name, kind)).into())
    }

    #[test]
    fn what_is_typed_finds_the_nearest() {
        let (chosen, schema) = open();
        let all = entries(&chosen, &["flights".to_owned(), "movies".to_owned()], &schema);
        let first = |text: &str| found(&all, text).first().map(|entry| entry.label.clone());
        assert_eq!(first("colour orig").as_deref(), Some("Colour by origin"));
        assert_eq!(first("mov").as_deref(), Some("Open movies"));
        assert_eq!(first("curl").as_deref(), Some("Copy the selection as a curl command"));
        assert_eq!(
            first("sort dist high").as_deref(),
            Some("Sort rows by distance, highest first")
        );
        assert_eq!(first("DARK").as_deref(), Some("Colours: dark"));
        // Letters in order are enough, whole words go first.
        assert_eq!(first("fltr dly").as_deref(), Some("Filter delay"));
        assert_eq!(found(&all, "nothing like it"), []);
        let address = "https://example.org/a.parquet";
        let open = Command::OpenTable { table: address.to_owned() };
        assert_eq!(found(&all, address).first().map(|entry| &entry.command), Some(&open));
        assert_eq!(labels(&found(&all, "")), labels(&all)[..all.len().min(ENTRIES_SHOWN)]);
    }

    #[test]
    fn only_what_can_be_done_is_offered() {
        let (chosen, schema) = open();
        let all = entries(&chosen, &["flights".to_owned()], &schema);
        let has = |label: &str| labels(&all).contains(&label);
        assert!(!has("Open flights"));
        assert!(!has("Scatter: delay to the right") && has("Scatter: delay upwards"));
        assert!(has("Scatter: origin upwards") && !has("Clear the filter of delay"));
        assert!(labels(&all).iter().any(|label| label.starts_with("Show log axis upwards")));
        let none = entries(&Chosen::default(), &["flights".to_owned()], &[]);
        assert!(labels(&none).contains(&"Open flights"));
        assert!(!labels(&none).contains(&"Clear all filters"));
    }
}
