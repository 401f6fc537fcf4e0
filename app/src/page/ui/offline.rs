//! What is kept in this browser: each slice with its table, version, age and size, a way
//! to delete it, the budget, and whether the browser may throw it away.

use crate::page::lasting::Lasting;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{StorageEstimate, StorageManager};

use super::dialog::ModalDialog;
use super::icon::Icon;
use crate::page::browser;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::{Cached, CachedSlice, Level, Request};
use crate::state::command::{Command, Dialog};
use crate::state::format;
use crate::texts;

const GIGABYTE: u64 = 1_000_000_000;
const BUDGETS: [u64; 6] =
    [GIGABYTE / 4, GIGABYTE / 2, GIGABYTE, 2 * GIGABYTE, 5 * GIGABYTE, 10 * GIGABYTE];

#[component]
pub(super) fn OfflineDialog() -> impl IntoView {
    view! { <ModalDialog which=Dialog::Offline title=texts::offline::TITLE>{part(body)}</ModalDialog> }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn body() -> Fetched {
    made(|| view! { <Offline/> })
}

#[component]
fn Offline() -> impl IntoView {
    let page = use_page();
    page.link.send(&Request::ListCached);
    let content = move || match page.cached.get() {
        None => view! { <p class="quiet">{texts::offline::LOOKING}</p> }.into_any(),
        Some(cached) => view! { <Kept cached=(*cached).clone()/> }.into_any(),
    };
    view! {
        <p>{texts::offline::WHAT}</p>
        {content}
        <Persistence/>
    }
}

#[component]
fn Kept(cached: Cached) -> impl IntoView {
    let page = use_page();
    let hint = cached.unavailable.clone().map(|reason| {
        let text = texts::offline::unavailable(cached.slices.is_empty(), &reason);
        view! { <p class="hint">{Icon::Warning.view()} {text}</p> }
    });
    if hint.is_some() && cached.slices.is_empty() {
        return hint.into_any();
    }
    let Cached { slices, used_bytes, budget_bytes, .. } = cached;
    let is_empty = slices.is_empty();
    let share = (used_bytes as f64 / budget_bytes.max(1) as f64 * 100.0).min(100.0);
    let mut budgets = BUDGETS.to_vec();
    if !budgets.contains(&budget_bytes) {
        budgets.push(budget_bytes);
        budgets.sort_unstable();
    }
    let options = budgets.into_iter().map(|bytes| {
        view! { <option value=bytes.to_string() selected=bytes == budget_bytes>{format::bytes(bytes)}</option> }
    });
    let set_budget = move |event| {
        if let Ok(bytes) = event_target_value(&event).parse() {
            page.link.send(&Request::SetCacheBudget { bytes });
        }
    };
    let rows = slices.into_iter().map(|slice| view! { <SliceRow slice/> });
    view! {
        {hint}
        <div class="cache-use">
            <span class="meter wide"><i style:width=format!("{share}%")></i></span>
            <span>{texts::offline::used_of(used_bytes)}</span>
            <select aria-label=texts::offline::BUDGET on:change=set_budget>{options.collect_view()}</select>
            <div class="spacer"></div>
            <button
                type="button"
                class="button small danger"
                disabled=is_empty
                on:click=move |_| page.link.send(&Request::ClearCached)
            >
                {texts::offline::DELETE_ALL}
            </button>
        </div>
        {is_empty.then(|| view! { <p class="quiet">{texts::offline::NOTHING_KEPT}</p> })}
        <table class="slices" class:none=is_empty>
            <thead>
                <tr>
                    <th scope="col">{texts::offline::TABLE}</th>
                    <th scope="col">{texts::offline::VERSION}</th>
                    <th scope="col">{texts::offline::COLUMNS}</th>
                    <th scope="col" class="right">{texts::offline::ROWS}</th>
                    <th scope="col" class="right">{texts::offline::SIZE}</th>
                    <th scope="col">{texts::offline::LOADED}</th>
                    <th scope="col"><span class="unseen">{texts::offline::DELETE}</span></th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

#[component]
fn SliceRow(slice: CachedSlice) -> impl IntoView {
    let page = use_page();
    let CachedSlice { key, table, version, columns, rows, bytes, saved_at, .. } = slice;
    let open = {
        let (table, version) = (table.clone(), version.clone());
        move |_| {
            page.dispatch(Command::ShowDialog { dialog: None });
            page.dispatch(Command::OpenTable { table: table.clone() });
            page.dispatch(Command::OpenVersion { version: version.clone() });
        }
    };
    let delete_label = texts::offline::delete_of(&table);
    let names = columns.join(", ");
    let columns = match columns.len() {
        1..=3 => names.clone(),
        many => texts::offline::columns(many),
    };
    view! {
        <tr>
            <td><button type="button" class="text-button" on:click=open>{table.clone()}</button></td>
            <td>{Page::version_words(version.as_ref()).unwrap_or_else(|| "–".to_owned())}</td>
            <td title=names>{columns}</td>
            <td class="right">{format::count(rows)}</td>
            <td class="right">{format::bytes(bytes)}</td>
            <td>{format::age(browser::wall_clock() - saved_at)}</td>
            <td>
                <button
                    type="button"
                    class="icon-button"
                    aria-label=delete_label
                    on:click=move |_| page.link.send(&Request::DeleteCached { key: key.clone() })
                >
                    {Icon::Delete.view()}
                </button>
            </td>
        </tr>
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Promise {
    Unknown,
    Persistent,
    AtWill { quota_bytes: u64 },
}

/// Whether the browser has promised to keep what is here, and a way to ask for that.
#[component]
fn Persistence() -> impl IntoView {
    let page = use_page();
    let promise = Lasting::new(Promise::Unknown);
    let look = move || {
        spawn_local(async move {
            if let Some(found) = look_at_promise().await {
                promise.try_set(found);
            }
        });
    };
    look();
    let ask = move |_| {
        spawn_local(async move {
            let granted =
                match browser::storage_manager().and_then(|storage| storage.persist().ok()) {
                    Some(asked) => JsFuture::from(asked).await == Ok(JsValue::TRUE),
                    None => false,
                };
            match granted {
                true => page.notify(Level::Info, texts::offline::PROMISED),
                false => page.notify(Level::Warning, texts::offline::NOT_PROMISED),
            }
            look();
        });
    };
    move || {
        match promise.get() {
        Promise::Unknown => None,
        Promise::Persistent => Some(
            view! { <p class="quiet">{Icon::Check.view()} {texts::offline::IS_PROMISED}</p> }.into_any(),
        ),
        Promise::AtWill { quota_bytes } => Some(
            view! {
                <p class="quiet">
                    {texts::offline::offered(quota_bytes)}
                    <button type="button" class="button small" on:click=ask>{texts::offline::ASK}</button>
                </p>
            }
            .into_any(),
        ),
    }
    }
}

async fn look_at_promise() -> Option<Promise> {
    let storage: StorageManager = browser::storage_manager()?;
    if JsFuture::from(storage.persisted().ok()?).await.ok()? == JsValue::TRUE {
        return Some(Promise::Persistent);
    }
    let estimate = JsFuture::from(storage.estimate().ok()?).await.ok()?;
    let estimate = StorageEstimate::from(estimate);
    Some(Promise::AtWill { quota_bytes: estimate.get_quota().unwrap_or(0.0) as u64 })
}
