//! The pictures of the table that is open: which column holds them, and why one is not shown.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response};

use super::signals::Page;
use crate::protocol::ColumnInfo;
use crate::state::{embed, pictures};
use crate::texts;

const ANSWER_MILLIS: u32 = 8_000;

impl Page {
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
