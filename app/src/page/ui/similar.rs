//! The rows whose vectors are nearest to that of the row that is pinned.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::picture::Picture;
use crate::page::api;
use crate::page::lasting::Lasting;
use crate::page::parts::{Fetched, made, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::table::TableRequest;
use crate::state::command::Command;
use crate::state::similar::{self, Near, Similar};
use crate::state::{embed, format};
use crate::texts::similar as words;

/// The row that was asked about; nothing yet, the answer, or why there is none.
pub(super) type Asked = Lasting<Option<(u64, Option<Result<Similar, String>>)>>;

/// Whether there is anybody to ask.
pub(super) fn can_be_asked(page: Page) -> bool {
    let table = page.model.with(|model| model.chosen.table.clone());
    page.api.with_value(Option::is_some)
        && table
            .zip(page.schema())
            .is_some_and(|(table, schema)| similar::can_be_asked(&table, &schema.columns))
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn similar_rows(asked: Asked) -> Fetched {
    made(move || view! { <SimilarRows asked/> })
}

#[component]
fn SimilarRows(asked: Asked) -> impl IntoView {
    let page = use_page();
    let pinned = move || page.model.with(|model| model.chosen.pinned);
    let ask = move |_| {
        let Some(row) = untrack(pinned) else { return };
        asked.set(Some((row, None)));
        spawn_local(async move {
            let answer = answer(page, row).await;
            // Another may have been asked for meanwhile.
            asked.try_update(|asked| match asked {
                Some((of, known)) if *of == row => *known = Some(answer),
                _ => {}
            });
        });
    };
    // What was found is below the record's values.
    let title = NodeRef::<html::H3>::new();
    Effect::new(move |_| {
        let is_found = asked.with(|asked| asked.as_ref().is_some_and(|(_, found)| found.is_some()));
        if let Some(title) = title.get().filter(|_| is_found) {
            request_animation_frame(move || title.scroll_into_view());
        }
    });
    let is_shown = move || asked.with(|asked| asked.as_ref().map(|(row, _)| *row)) == pinned();
    let content = move || {
        let (row, answer) = asked.get()?;
        let content = match answer {
            None => view! { <p class="quiet" role="status">{words::LOOKING}</p> }.into_any(),
            Some(Err(detail)) => view! { <p role="alert">{detail}</p> }.into_any(),
            Some(Ok(found)) if found.neighbours.is_empty() => {
                view! { <p class="quiet">{words::NONE}</p> }.into_any()
            }
            Some(Ok(found)) => list(page, found),
        };
        Some(view! { <h3 node_ref=title>{words::like(row)}</h3> {content} })
    };
    view! {
        <div class="similar">
            <Show when=move || !is_shown()>
                <button type="button" class="button small" title=words::HINT on:click=ask>{words::SIMILAR}</button>
            </Show>
            {content}
        </div>
    }
}

fn list(page: Page, found: Similar) -> AnyView {
    let light = move |row: Option<u64>| page.send_table(TableRequest::Point { row });
    let items = found.neighbours.into_iter().map(|Near { row, distance }| {
        let face = move || {
            page.picture_column().map(|column| {
                view! { <Picture column=column.name row text=None/> }
            })
        };
        view! {
            <li>
                <button
                    type="button"
                    title=words::neighbour(row, distance)
                    aria-label=words::neighbour(row, distance)
                    on:click=move |_| page.dispatch(Command::Pin { row: Some(row) })
                    on:pointerenter=move |_| light(Some(row))
                    on:pointerleave=move |_| light(None)
                    on:focus=move |_| light(Some(row))
                    on:blur=move |_| light(None)
                >
                    {face}
                    <span>{format!("#{}", format::count(row))}</span>
                    <small>{words::distance(distance)}</small>
                </button>
            </li>
        }
    });
    view! {
        <ol on:pointerleave=move |_| light(None)>{items.collect_view()}</ol>
        <p class="quiet">{words::by(&found.column)}</p>
    }
    .into_any()
}

async fn answer(page: Page, row: u64) -> Result<Similar, String> {
    let silent = || words::SILENT.to_owned();
    let shown = untrack(|| page.schema()).ok_or_else(silent)?;
    let table = page.model.with_untracked(|model| model.chosen.table.clone()).ok_or_else(silent)?;
    let encode = |text: &str| String::from(js_sys::encode_uri_component(text));
    let path = similar::path(&table, row, shown.table.version.as_ref(), encode);
    let (status, text) = api::ask(page, &path, "GET", None).await.ok_or_else(silent)?;
    match similar::similar(&text).filter(|_| status == api::OK) {
        Some(found) => Ok(found),
        None => Err(embed::problem(&text).map_or_else(silent, |(detail, _)| detail)),
    }
}
