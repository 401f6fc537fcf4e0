//! Names of rows, saved: a new table with a column of them, by the companion in its lake, or by
//! this browser.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::of_columns;
use crate::page::jobs;
use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::{Page, use_page};
use crate::page::ui::embed::{JobLine, is_online, table_of, taken};
use crate::protocol::Origin;
use crate::state::row_groups::{self, Wanted};
use crate::state::{embed, groups};
use crate::texts::groups as words;

/// Who saves names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saver {
    Companion,
    Browser,
    Nobody,
}

fn saver(page: Page) -> Saver {
    let is_own = page.model.with(|model| embed::is_own(model.chosen.table.as_deref()));
    let is_here =
        page.shown.with(|shown| shown.as_ref().is_some_and(|s| s.origin != Origin::Server));
    match (is_own && is_online(page), is_here) {
        (true, _) => Saver::Companion,
        (false, true) => Saver::Browser,
        (false, false) => Saver::Nobody,
    }
}

/// Where there are names to be saved: of rows, or of values of a column.
#[component]
pub(super) fn Saving() -> impl IntoView {
    let page = use_page();
    let has_names = Derived::new(move |_| {
        page.model.with(|m| !m.chosen.row_groups.is_empty() || !m.chosen.names.is_empty())
    });
    view! {
        <Show when=move || has_names.get()>
            <Form/>
        </Show>
    }
}

#[component]
fn Form() -> impl IntoView {
    let page = use_page();
    let saver = Derived::new(move |_| saver(page));
    let columns = untrack(|| of_columns(page, <[_]>::to_vec));
    let offered = groups::groupings(&columns);
    let name = Lasting::new(row_groups::free_column(&columns));
    // Names of values are saved with the column that they are of.
    let of_names = page.model.with_untracked(|model| {
        let mut named = model.chosen.names.all().iter().map(|name| name.column.clone());
        named.find(|column| offered.contains(column))
    });
    let otherwise = Lasting::new(of_names.unwrap_or_default());
    let into = Lasting::new(embed::free_name(&table_of(page), "named", &taken(page)));
    let refused = Lasting::new(None::<(String, Option<String>)>);
    let is_starting = Lasting::new(false);
    let started = Lasting::new(None::<String>);
    let start = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let wanted = Wanted {
            name: name.get_untracked().trim().to_owned(),
            otherwise: Some(otherwise.get_untracked()).filter(|column| !column.is_empty()),
            into: into.get_untracked().trim().to_owned(),
        };
        let asked = page.model.with_untracked(|model| {
            let needed = row_groups::columns(&model.chosen, wanted.otherwise.as_deref());
            Some((row_groups::request(&model.chosen, &columns, &wanted)?, needed))
        });
        let Some((text, needed)) = asked else { return };
        refused.set(None);
        if untrack(|| saver.get()) == Saver::Browser {
            needed.iter().for_each(|column| page.load_too(column));
            return started.set(Some(jobs::begin_here(page, text, String::new())));
        }
        is_starting.set(true);
        spawn_local(async move {
            match jobs::begin(page, text).await {
                Ok(id) => {
                    started.try_set(Some(id));
                    into.try_set(embed::free_name(&table_of(page), "named", &taken(page)));
                }
                Err(why) => {
                    refused.try_set(Some(why));
                }
            }
            is_starting.try_set(false);
        });
    };
    let is_blamed = move |field: &str| {
        refused.with(|refused| {
            refused.as_ref().is_some_and(|(_, blamed)| blamed.as_deref() == Some(field)).to_string()
        })
    };
    let note = move || match saver.get() {
        Saver::Companion => words::SAVED_BY_COMPANION,
        Saver::Browser => words::SAVED_HERE,
        Saver::Nobody => words::SAVED_BY_NOBODY,
    };
    let options = offered.into_iter().map(|column| {
        let label = words::go_on(&column);
        view! { <option value=column>{label}</option> }
    });
    view! {
        <h3 class="groups-named-title">{words::SAVE_TITLE}</h3>
        <form class="embed-form groups-save" on:submit=start>
            <label for="groups-save-as">{words::SAVE_COLUMN}</label>
            <input
                id="groups-save-as"
                type="text"
                maxlength="200"
                required
                aria-invalid=move || is_blamed("as")
                prop:value=move || name.get()
                on:input=move |event| name.set(event_target_value(&event))
            />
            <label for="groups-save-otherwise">{words::SAVE_OTHERWISE}</label>
            <select
                id="groups-save-otherwise"
                prop:value=move || otherwise.get()
                on:change=move |event| otherwise.set(event_target_value(&event))
            >
                <option value="">{words::NAMELESS}</option>
                {options.collect_view()}
            </select>
            <label for="groups-save-into">{words::SAVE_INTO}</label>
            <input
                id="groups-save-into"
                type="text"
                maxlength="200"
                required
                aria-invalid=move || is_blamed("into")
                prop:value=move || into.get()
                on:input=move |event| into.set(event_target_value(&event))
            />
            {move || {
                refused.get().map(|(why, _)| view! { <p class="field-error" role="alert">{why}</p> })
            }}
            <div class="embed-start">
                <button
                    type="submit"
                    class="button primary"
                    disabled=move || is_starting.get() || saver.get() == Saver::Nobody
                >
                    {words::SAVE}
                </button>
                <output class="quiet">{note}</output>
            </div>
        </form>
        {move || started.get().map(|id| view! { <ul class="embed-jobs"><JobLine id/></ul> })}
    }
}
