//! The pictures of the table that is open: which column holds them, and why one is not shown.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response};

use super::lasting::Counted;
use super::signals::Page;
use crate::protocol::ColumnInfo;
use crate::protocol::table::TableRequest;
use crate::state::{embed, pictures};
use crate::texts;

const ANSWER_MILLIS: u32 = 8_000;

/// Pictures that are kept for scrolling back: so many, of so many bytes together.
const IMAGES_MAX: usize = 1_000;
const IMAGES_BYTES_MAX: usize = 128 << 20;

/// A row and a column.
type Key = (u64, String);
/// A `data:` address, or the text of a cell that says where its picture is; or why not.
type Image = Result<Arc<str>, String>;

/// Pictures in cells, each with a signal of its own: that one came is nothing to the others.
#[derive(Default)]
pub(super) struct Images {
    known: HashMap<Key, Counted<Option<Image>>>,
    /// From the one that was wanted first.
    order: VecDeque<Key>,
    bytes: usize,
}

impl Images {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn put(&mut self, key: &Key, image: Result<String, String>) {
        let Some(signal) = self.known.get(key) else { return };
        self.bytes += image.as_ref().map_or(0, String::len);
        signal.set(Some(image.map(Arc::from)));
        while self.known.len() > IMAGES_MAX || self.bytes > IMAGES_BYTES_MAX {
            let Some(oldest) = self.order.pop_front().filter(|oldest| oldest != key) else { break };
            if let Some(gone) = self.known.remove(&oldest)
                && let Some(Ok(image)) = gone.get_untracked()
            {
                self.bytes -= image.len();
            }
        }
    }
}

impl Page {
    /// The picture in a cell, asked for when it is first wanted.
    pub(super) fn cell_image(self, row: u64, column: &str) -> Option<Image> {
        let key = (row, column.to_owned());
        let known = self.table.images.with_value(|images| images.known.get(&key).cloned());
        if let Some(known) = known {
            return known.get();
        }
        let signal = Counted::new(None);
        self.table.images.update_value(|images| {
            images.order.push_back(key.clone());
            images.known.insert(key, signal.clone());
        });
        self.send_table(TableRequest::Image { row, column: column.to_owned() });
        signal.get()
    }

    /// The column whose values are the table's pictures, as far as is known by now.
    pub(super) fn picture_column(self) -> Option<ColumnInfo> {
        let schema = self.schema()?;
        self.table.pictured.with(|pictured| {
            pictures::column_of(&schema.columns, |name| pictured.contains(name)).cloned()
        })
    }

    /// Remembers that a picture was seen in a column.
    pub(super) fn picture_seen(self, column: &str) {
        if !self.table.pictured.with_untracked(|pictured| pictured.contains(column)) {
            self.table.pictured.update(|pictured| {
                pictured.insert(column.to_owned());
            });
        }
    }
}

/// The companion's words for why there is no picture at an address of its own.
pub(super) async fn why_not(address: String) -> String {
    let words = async {
        let options = RequestInit::new();
        options.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_MILLIS)));
        let answer = window().fetch_with_str_and_init(&address, &options);
        let answer: Response = JsFuture::from(answer).await.ok()?.dyn_into().ok()?;
        let text = JsFuture::from(answer.text().ok()?).await.ok()?.as_string()?;
        embed::problem(&text).map(|(detail, _)| detail)
    };
    words.await.unwrap_or_else(|| texts::rows::PICTURE_NOT_LOADED.to_owned())
}
