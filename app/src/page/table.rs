//! What the page knows of the table of rows besides the rows themselves, and what commands
//! do to it: the selected cells and their copies, the record that is open, pictures in cells,
//! shapes under the names, fields for filters.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::lasting::Lasting;
use leptos::prelude::*;

use super::browser;
use super::pictures::Images;
use super::signals::{FILTER_VIEWS, Page, Schema};
use crate::protocol::table::{
    COPY_CELLS_MAX, CellForm, Copied, CopyAsked, Record, Shape, TableReply, TableRequest,
};
use crate::protocol::{Level, Mark, Request, View, ViewId};
use crate::state::command::Command;
use crate::state::layout;
use crate::state::select::Selected;
use crate::texts;

/// Values that a field suggests.
const SUGGESTED: u16 = 12;
#[derive(Clone, Copy)]
pub(super) struct TableSignals {
    /// The cells that are selected, by their place in the order of the rows.
    pub selected: Lasting<Option<Selected>>,
    pub filter_row: Kept,
    pub profiles: Kept,
    /// Pictures in place of the rows.
    pub gallery: Kept,
    /// The field that suggests values, and what stands in it.
    pub suggesting: Lasting<Option<(String, String)>>,
    pub shapes: Lasting<Arc<HashMap<String, Shape>>>,
    /// The row whose record is open, by its number in the table.
    pub record_of: Lasting<Option<u64>>,
    pub record: Lasting<Option<Arc<Record>>>,
    pub images: StoredValue<Images>,
    /// Columns in which a picture was seen.
    pub pictured: Lasting<BTreeSet<String>>,
    /// A picture that is shown large: its address and what it is.
    pub large: Lasting<Option<(String, String)>>,
    /// Rows copied so far, of how many.
    pub copying: Lasting<Option<(u64, u64)>>,
    /// Rises when the place of a row is to be typed.
    pub go_asked: Lasting<u32>,
    /// The row whose points are lit.
    pub lit: StoredValue<Option<u64>>,
    copy: StoredValue<(u64, String)>,
    record_request: StoredValue<u64>,
}

/// Yes or no, remembered by this browser.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    name: &'static str,
    value: Lasting<bool>,
}

impl Kept {
    fn new(name: &'static str, usual: bool) -> Self {
        let kept = browser::kept(name).map(|kept| kept == "yes");
        Self { name, value: Lasting::new(kept.unwrap_or(usual)) }
    }

    pub(super) fn get(self) -> bool {
        self.value.get()
    }

    pub(super) fn toggle(self) {
        self.value.update(|value| *value = !*value);
        browser::keep(self.name, if self.value.get_untracked() { "yes" } else { "no" });
    }
}

impl TableSignals {
    pub(super) fn new() -> Self {
        Self {
            selected: Lasting::new(None),
            filter_row: Kept::new("rows-filters", false),
            profiles: Kept::new("rows-profiles", true),
            gallery: Kept::new("rows-gallery", false),
            suggesting: Lasting::new(None),
            shapes: Lasting::default(),
            record_of: Lasting::new(None),
            record: Lasting::new(None),
            images: StoredValue::default(),
            pictured: Lasting::default(),
            large: Lasting::new(None),
            copying: Lasting::new(None),
            go_asked: Lasting::new(0),
            lit: StoredValue::new(None),
            copy: StoredValue::default(),
            record_request: StoredValue::new(0),
        }
    }

    /// Nothing of the table before may stay.
    pub(super) fn leave(self) {
        self.selected.set(None);
        self.suggesting.set(None);
        self.shapes.set(Arc::default());
        self.record_of.set(None);
        self.record.set(None);
        self.images.update_value(Images::clear);
        self.pictured.update(BTreeSet::clear);
        self.copying.set(None);
    }
}

impl Page {
    /// The columns of the rows from left to right.
    pub(super) fn row_columns(self) -> Vec<String> {
        let Some(schema) = self.schema() else { return Vec::new() };
        self.model.with(|model| {
            let chosen = &model.chosen;
            let loaded = chosen.columns.as_deref().unwrap_or_default();
            let shown = layout::shown(chosen.row_columns.as_deref(), loaded);
            let mut names = chosen.row_layout.arranged(shown);
            names.retain(|name| schema.column(name).is_some());
            names
        })
    }

    pub(super) fn send_table(self, request: TableRequest) {
        self.link.send(&Request::Table(request));
    }

    pub(super) fn table_said(self, reply: TableReply) {
        match reply {
            TableReply::Record(record) => {
                if self.table.record_request.get_value() == record.request {
                    self.table.record.set(Some(Arc::new(record)));
                }
            }
            TableReply::Copied(copied) => self.copied(copied),
            TableReply::Image { row, column, image } => {
                self.table.images.update_value(|images| images.put(&(row, column), image));
            }
            TableReply::Shapes(shapes) => {
                let named = shapes.shapes.into_iter().map(|shape| (shape.column.clone(), shape));
                self.table.shapes.set(Arc::new(named.collect()));
            }
        }
    }

    /// The selected cells as text to the clipboard; the worker puts them together.
    pub(super) fn copy_cells(self, form: CellForm) {
        let Some(selected) = self.table.selected.get_untracked() else {
            return self.notify(Level::Warning, texts::notices::NO_CELL_SELECTED);
        };
        let columns = untrack(|| self.row_columns());
        let columns: Vec<String> = columns.get(selected.columns()).unwrap_or_default().to_vec();
        let rows = selected.rows();
        let n_cells = selected.n_cells();
        if n_cells > COPY_CELLS_MAX {
            return self
                .notify(Level::Warning, texts::notices::too_many_cells(n_cells, COPY_CELLS_MAX));
        }
        let order_by = self.model.with_untracked(|model| model.chosen.order_by.clone());
        let request = self.table.copy.try_update_value(|(request, text)| {
            *request += 1;
            text.clear();
            *request
        });
        let (request, count) = (request.unwrap_or_default(), rows.end - rows.start);
        self.table.copying.set(Some((0, count)));
        let asked = CopyAsked { request, order_by, columns, first: rows.start, count, form };
        self.send_table(TableRequest::Copy(asked));
    }

    pub(super) fn cancel_copy(self) {
        self.table.copying.set(None);
        self.table.copy.update_value(|(request, _)| *request += 1);
        self.send_table(TableRequest::CancelCopy);
    }

    fn copied(self, copied: Copied) {
        if self.table.copy.with_value(|(request, _)| *request != copied.request) {
            return;
        }
        let Some(text) = copied.text else {
            return self.table.copying.set(Some((copied.rows, copied.total)));
        };
        self.table.copying.set(None);
        match text {
            Ok(text) => {
                self.table.copy.update_value(|(_, kept)| *kept = text.clone());
                let done = texts::notices::rows_copied(copied.rows, text.len() as u64);
                // A browser that has waited too long wants another press of a button.
                let again = (texts::notices::COPY_NOW.to_owned(), Command::CopyAgain);
                browser::copy_or(self, &text, done, Some(again));
            }
            Err(detail) => self.notify(Level::Warning, texts::notices::nothing_copied(&detail)),
        }
    }

    pub(super) fn copy_again(self) {
        let text = self.table.copy.with_value(|(_, text)| text.clone());
        browser::copy(self, &text, texts::notices::COPIED);
    }

    /// Opens the values of a row, or closes them.
    pub(super) fn show_record(self, row: Option<u64>) {
        if self.table.record_of.get_untracked() == row {
            return;
        }
        self.table.record_of.set(row);
        let columns: Vec<String> = untrack(|| self.schema())
            .iter()
            .flat_map(|schema| &schema.columns)
            .map(|column| column.name.clone())
            .collect();
        let Some(row) = row else { return self.table.record.set(None) };
        let request = self.table.record_request.try_update_value(|request| {
            *request += 1;
            *request
        });
        let request = request.unwrap_or_default();
        self.send_table(TableRequest::Record { request, row, columns });
    }

    /// The view whose bars are the values that a field suggests.
    pub(super) fn suggestion_view(schema: &Schema, column: &str) -> Option<ViewId> {
        Some(ViewId(schema.filter_view(column)?.0 + FILTER_VIEWS / 2))
    }

    pub(super) fn suggestions(self, schema: &Schema) -> Option<View> {
        let (column, search) = self.table.suggesting.get_untracked()?;
        let id = Self::suggestion_view(schema, &column)?;
        Some(View { id, mark: Mark::Bars { column, limit: SUGGESTED, search } })
    }
}
