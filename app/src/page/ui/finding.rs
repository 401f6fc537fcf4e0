//! Rows found by words: listed as one types, lit where their points are, and gone to.

use std::rc::Rc;
use std::time::Duration;

use leptos::html;
use leptos::prelude::*;

use super::dialog::ModalDialog;
use crate::page::groups;
use crate::page::lasting::Lasting;
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::Request;
use crate::protocol::groups::{Find, Finds, FoundRow, GroupsAsked};
use crate::protocol::table::TableRequest;
use crate::state::command::{Command, Dialog, Gesture};
use crate::state::finding;
use crate::texts::finding as words;

#[component]
pub(super) fn FindDialog() -> impl IntoView {
    view! { <ModalDialog which=Dialog::Find title=words::TITLE>{part(body)}</ModalDialog> }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn body() -> Fetched {
    made(|| view! { <Body/> })
}

/// After the last letter, before anything is looked for.
const PAUSE: Duration = Duration::from_millis(120);

/// What was asked for, and the answer.
type Answer = (Find, Result<Finds, String>);

#[component]
fn Body() -> impl IntoView {
    let page = use_page();
    let typed = Lasting::new(String::new());
    let asked = Lasting::new(None::<(u64, Find)>);
    let answer = Lasting::new(None::<Answer>);
    listen(page, asked, answer);
    let ask = move || {
        let Some(question) = typed.with_untracked(|typed| question(page, typed)) else {
            asked.set(None);
            answer.set(None);
            return;
        };
        let request = groups::next(page);
        let text = serde_json::to_string(&GroupsAsked::Find(question.clone())).unwrap_or_default();
        asked.set(Some((request, question)));
        page.link.send(&Request::Groups { request, text });
    };
    let mut later = debounce(PAUSE, move |()| ask());
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            drop(input.focus());
        }
    });
    let first = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let found = answer.with_untracked(|answer| {
            let (asked, found) = answer.as_ref()?;
            Some((asked.clone(), found.as_ref().ok()?.rows.first()?.clone()))
        });
        if let Some((asked, row)) = found {
            go(page, &asked, &row);
        }
    };
    on_cleanup(move || light(page, None));
    let has_texts = untrack(|| page.schema()).is_some_and(|s| finding::has_texts(&s.columns));
    if !has_texts {
        return view! { <p class="quiet">{words::NO_TEXTS}</p> }.into_any();
    }
    view! {
        <form class="finding" role="search" on:submit=first>
            <input
                node_ref=input
                type="search"
                autocomplete="off"
                spellcheck="false"
                placeholder=words::LABEL
                aria-label=words::LABEL
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    later(());
                }
            />
        </form>
        {move || answer.get().map(|answer| shown(page, answer))}
        <p class="quiet">{words::HINT}</p>
    }
    .into_any()
}

/// Takes answers to the last question, of which there may be others on their way.
fn listen(page: Page, asked: Lasting<Option<(u64, Find)>>, answer: Lasting<Option<Answer>>) {
    page.letters.update(Vec::clear);
    Effect::new(move |_| {
        if page.letters.with(Vec::is_empty) {
            return;
        }
        let letters = page.letters.try_update(std::mem::take).unwrap_or_default();
        let Some((wanted, question)) = asked.get_untracked() else { return };
        if let Some((_, found)) = letters.into_iter().find(|(number, _)| *number == wanted) {
            let read = |text: String| serde_json::from_str(&text).map_err(|e| e.to_string());
            answer.set(Some((question, found.and_then(read))));
        }
    });
}

fn question(page: Page, typed: &str) -> Option<Find> {
    let schema = untrack(|| page.schema())?;
    page.model.with_untracked(|model| {
        let views = model.chosen.shown_views();
        let scatters: Vec<_> = views.iter().map(|view| (view.id, &view.mark)).collect();
        finding::question(typed, &schema.columns, &scatters)
    })
}

fn shown(page: Page, (asked, found): Answer) -> AnyView {
    let found = match found {
        Err(detail) => return view! { <p role="alert">{detail}</p> }.into_any(),
        Ok(found) if found.rows.is_empty() => {
            return view! { <p class="quiet" role="status">{words::NONE}</p> }.into_any();
        }
        Ok(found) => found,
    };
    let count = words::found(found.rows.len(), found.is_cut);
    let asked = Rc::new(asked);
    let rows = found.rows.into_iter().map(|row| line(page, Rc::clone(&asked), row));
    view! {
        <p class="quiet" role="status">{count}</p>
        <ol class="found" on:pointerleave=move |_| light(page, None)>{rows.collect_view()}</ol>
    }
    .into_any()
}

fn line(page: Page, asked: Rc<Find>, row: FoundRow) -> impl IntoView {
    let number = row.row;
    let texts = row.texts.iter().map(|(column, text)| {
        let parts =
            finding::parts(text, &asked.words).into_iter().map(|(part, is_word)| match is_word {
                true => view! { <mark>{part}</mark> }.into_any(),
                false => part.into_any(),
            });
        view! { <span><small>{column.clone()}</small> " " {parts.collect_view()}</span> }
    });
    let texts = texts.collect_view();
    view! {
        <li>
            <button
                type="button"
                on:click=move |_| go(page, &asked, &row)
                on:pointerenter=move |_| light(page, Some(number))
                on:focus=move |_| light(page, Some(number))
            >
                <small>{words::row(number)}</small>
                <span class="found-texts">{texts}</span>
            </button>
        </li>
    }
}

fn light(page: Page, row: Option<u64>) {
    page.send_table(TableRequest::Point { row });
}

/// Pins the row, and moves scatters to where its point is.
fn go(page: Page, asked: &Find, row: &FoundRow) {
    let views = page.model.with_untracked(|model| {
        let views = model.chosen.shown_views();
        let place = |mark| finding::point(mark, asked, row);
        let places = views.iter().filter_map(|view| Some((view.id, place(&view.mark)?)));
        places.collect::<Vec<_>>()
    });
    for (view, point) in views {
        let shown = untrack(|| page.viewport(view));
        if let Some(viewport) = shown.and_then(|shown| finding::centred(shown, point)) {
            let (viewport, gesture) = (Some(viewport), Gesture::Done);
            page.dispatch(Command::SetViewport { view, viewport, gesture });
        }
    }
    page.dispatch(Command::ShowDialog { dialog: None });
    page.dispatch(Command::Pin { row: Some(row.row) });
}
