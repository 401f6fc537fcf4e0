//! A file from the user's own disk: dropped anywhere on the page, or chosen. It becomes a
//! table of its own and never leaves the browser.

use crate::page::lasting::Lasting;
use leptos::prelude::*;
use leptos::{ev, html};
use web_sys::{DragEvent, File, FileList};

use crate::page::dropped::Dropped;
use crate::page::signals::{Page, use_page};
use crate::protocol::Level;
use crate::texts;

const ENDINGS: [&str; 13] = [
    ".parquet", ".pq", ".arrow", ".arrows", ".feather", ".ipc", ".csv", ".tsv", ".txt", ".json",
    ".jsonl", ".ndjson", ".gz",
];

#[component]
pub(super) fn FileDrop() -> impl IntoView {
    let page = use_page();
    let over = Lasting::new(false);
    let input = NodeRef::<html::Input>::new();
    let handles = [
        window_event_listener(ev::dragover, move |event: DragEvent| {
            if has_file(&event) {
                // Without this the browser would leave the page for the file.
                event.prevent_default();
                over.set(true);
            }
        }),
        window_event_listener(ev::dragleave, move |event: DragEvent| {
            if event.related_target().is_none() {
                over.set(false);
            }
        }),
        window_event_listener(ev::drop, move |event: DragEvent| {
            if !has_file(&event) {
                return;
            }
            event.prevent_default();
            over.set(false);
            let files = event.data_transfer().and_then(|data| data.files());
            if let Some(file) = files.and_then(|files| files.get(0)) {
                open(page, &file);
            }
        }),
    ];
    on_cleanup(move || handles.into_iter().for_each(WindowListenerHandle::remove));
    let folder = NodeRef::<html::Input>::new();
    click_when_asked(page.file_asked, input);
    click_when_asked(page.folder_asked, folder);
    let folder_chosen = move |_| take_files(folder, |files| open_folder(page, files));
    let chosen = move |_| {
        take_files(input, |files| {
            if let Some(file) = files.get(0) {
                open(page, &file);
            }
        });
    };
    view! {
        <input
            node_ref=input
            type="file"
            class="hidden-input"
            tabindex="-1"
            aria-hidden="true"
            accept=ENDINGS.join(",")
            on:change=chosen
        />
        <input
            node_ref=folder
            type="file"
            class="hidden-input"
            tabindex="-1"
            aria-hidden="true"
            prop:webkitdirectory=true
            on:change=folder_chosen
        />
        <Show when=move || over.get()>
            <div class="drop-target"><p>{texts::tables::DROP_HERE}</p></div>
        </Show>
    }
}

/// Opens the browser's own dialog each time that `asked` rises.
fn click_when_asked(asked: Lasting<u32>, input: NodeRef<html::Input>) {
    Effect::new(move |_| {
        if asked.get() > 0
            && let Some(input) = input.get()
        {
            input.click();
        }
    });
}

fn take_files(input: NodeRef<html::Input>, take: impl FnOnce(&FileList)) {
    let Some(input) = input.get_untracked() else { return };
    if let Some(files) = input.files() {
        take(&files);
    }
    // The same may be chosen again.
    input.set_value("");
}

fn has_file(event: &DragEvent) -> bool {
    let types = event.data_transfer().map(|data| data.types());
    types.is_some_and(|types| types.includes(&"Files".into(), 0))
}

/// The files of a folder, by their paths within it.
fn open_folder(page: Page, files: &FileList) {
    let (mut paths, objects) = (Vec::new(), js_sys::Array::new());
    for at in 0..files.length() {
        let Some(file) = files.get(at) else { continue };
        let path = js_sys::Reflect::get(&file, &"webkitRelativePath".into());
        paths.extend(path.ok().and_then(|path| path.as_string()));
        objects.push(&file);
    }
    let first = paths.first().and_then(|path| path.split('/').next()).map(str::to_owned);
    let Some(name) = first.filter(|_| paths.len() == objects.length() as usize) else { return };
    page.open_file(Dropped { name, paths, objects });
}

fn open(page: Page, file: &File) {
    let name = file.name();
    let lower = name.to_lowercase();
    if !ENDINGS.iter().any(|ending| lower.ends_with(ending)) {
        page.notify(Level::Warning, texts::tables::not_readable(&name));
        return;
    }
    let objects = js_sys::Array::of1(file);
    page.open_file(Dropped { paths: vec![name.clone()], name, objects });
}
