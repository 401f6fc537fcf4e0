//! Files that were dropped on the page. The page keeps hold of them, for a worker may start
//! after the drop, or in place of one that died.

use js_sys::Array;
use leptos::prelude::*;

use super::signals::Page;
use crate::protocol::Request;

/// A file, or the files of a folder: references, the bytes stay on the disk.
pub(super) struct Dropped {
    /// Of the file or the folder.
    pub name: String,
    /// One for each of `objects`, from the folder on.
    pub paths: Vec<String>,
    /// `File`s.
    pub objects: Array,
}

/// Has the worker open the file that is this table; false if the table is none of them.
pub(super) fn hand_over(page: Page, table: &str) -> bool {
    page.dropped.with_value(|files| {
        let Some(Dropped { name, paths, objects }) = files.get(table) else { return false };
        let request = Request::OpenFile { name: name.clone(), paths: paths.clone() };
        page.link.send_beside(&request, objects);
        true
    })
}
