//! Making vectors of a table that has none: of its pictures or texts, by one of the companion's
//! models.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Check, Rows, estimated, table_of, taken};
use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::{Page, use_page};
use crate::page::{api, jobs};
use crate::protocol::ColumnInfo;
use crate::state::embed;
use crate::state::encode::{self, Model, Models, Wanted};
use crate::texts::encode as words;

/// What is known of the companion's models.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Asked,
    No,
    Models(Models),
}

#[component]
pub(super) fn Making() -> impl IntoView {
    let page = use_page();
    let known = Lasting::new(Known::Asked);
    spawn_local(async move {
        let answer = api::ask(page, "/api/models", "GET", None).await;
        let models = answer.filter(|(status, _)| *status == api::OK);
        let models = models.and_then(|(_, text)| encode::models(&text));
        known.try_set(models.map_or(Known::No, Known::Models));
    });
    // What is asked for the same table again leaves the form as it is being filled in.
    let columns = Derived::new(move |_| columns(page));
    move || {
        let columns = columns.get();
        match known.get() {
            Known::Asked => ().into_any(),
            Known::No => view! { <p class="quiet">{words::NOT_ASKED}</p> }.into_any(),
            Known::Models(models) => match models.usable(&columns) {
                usable if usable.is_empty() => view! { <Nothing models/> }.into_any(),
                models => view! { <Form models columns/> }.into_any(),
            },
        }
    }
}

fn columns(page: Page) -> Vec<ColumnInfo> {
    page.schema().map(|schema| schema.columns.clone()).unwrap_or_default()
}

/// Why none of the companion's models can be used, and what to do.
#[component]
fn Nothing(models: Models) -> impl IntoView {
    let broken = models.models.iter().filter_map(|model| {
        let why = model.error.clone()?;
        Some(view! { <li><b>{model.name.clone()}</b> " " {why}</li> })
    });
    let broken = broken.collect_view();
    let advice = match (models.has_folder, models.models.iter().any(|m| m.takes.is_some())) {
        (_, true) => words::NOTHING_TO_TAKE,
        (true, false) => words::NO_MODELS,
        (false, false) => words::NO_FOLDER,
    };
    view! {
        <p class="quiet">{advice}</p>
        <ul class="quiet">{broken}</ul>
    }
}

#[component]
fn Form(models: Vec<Model>, columns: Vec<ColumnInfo>) -> impl IntoView {
    let page = use_page();
    let has_clauses = page.model.with_untracked(|model| !model.chosen.clauses.is_empty());
    let model = Lasting::new(models.first().map(|model| model.name.clone()).unwrap_or_default());
    let offered = {
        let (models, columns) = (models.clone(), columns.clone());
        Derived::new(move |_| {
            let name = model.get();
            let takes = models.iter().find(|known| known.name == name).and_then(|m| m.takes);
            takes.map(|takes| encode::columns(&columns, takes)).unwrap_or_default()
        })
    };
    let chosen = Lasting::new(None::<String>);
    // What was chosen of one model's columns may be none of another's.
    let column = Derived::new(move |_| {
        let offered = offered.get();
        chosen.get().filter(|name| offered.contains(name)).or_else(|| offered.first().cloned())
    });
    let is_unit = Lasting::new(true);
    let only_selected = Lasting::new(has_clauses);
    let free = move || embed::free_name(&table_of(page), "vectors", &taken(page));
    let into = Lasting::new(free());
    let refused = Lasting::new(None::<(String, Option<String>)>);
    let is_starting = Lasting::new(false);
    let wanted = move || Wanted {
        model: model.get(),
        column: column.get().unwrap_or_default(),
        is_unit: is_unit.get(),
        only_selected: only_selected.get(),
        into: into.get().trim().to_owned(),
    };
    let request = {
        move |wanted: &Wanted| {
            page.model.with_untracked(|model| encode::request(&model.chosen, &columns, wanted))
        }
    };
    let estimate = estimated(page, {
        let request = request.clone();
        move || request(&Wanted { into: format!("{} estimate", table_of(page)), ..wanted() })
    });
    let start = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let wanted = untrack(wanted);
        let Some(text) = request(&wanted) else { return };
        refused.set(None);
        is_starting.set(true);
        spawn_local(async move {
            match jobs::begin(page, text).await {
                Ok(_) => {
                    into.try_set(free());
                }
                Err(why) => {
                    refused.try_set(Some(why));
                }
            }
            is_starting.try_set(false);
        });
    };
    let is_blamed = move || {
        let field = refused.get().and_then(|(_, field)| field);
        field.is_some_and(|field| field == "into")
    };
    let option = |name: String| view! { <option value=name.clone()>{name.clone()}</option> };
    view! {
        <p class="embed-what">{words::WHAT}</p>
        <form class="embed-form" on:submit=start>
            <label for="encode-model">{words::MODEL}</label>
            <select
                id="encode-model"
                prop:value=move || model.get()
                on:change=move |event| model.set(event_target_value(&event))
            >
                {models.into_iter().map(|model| option(model.name)).collect_view()}
            </select>
            <label for="encode-column">{words::COLUMN}</label>
            <select
                id="encode-column"
                prop:value=move || column.get().unwrap_or_default()
                on:change=move |event| chosen.set(Some(event_target_value(&event)))
            >
                {move || offered.get().into_iter().map(option).collect_view()}
            </select>
            <span>{words::ROWS}</span>
            <Rows only_selected has_clauses/>
            <span></span>
            <div class="embed-rows"><Check value=is_unit label=words::UNIT/></div>
            <label for="encode-into">{words::INTO}</label>
            <input
                id="encode-into"
                type="text"
                maxlength="200"
                required
                aria-invalid=move || is_blamed().to_string()
                prop:value=move || into.get()
                on:input=move |event| into.set(event_target_value(&event))
            />
            {move || {
                refused.get().map(|(why, _)| view! { <p class="field-error" role="alert">{why}</p> })
            }}
            <div class="embed-start">
                <button type="submit" class="button primary" disabled=move || is_starting.get()>
                    {move || if is_starting.get() { words::STARTING } else { words::START }}
                </button>
                <output class="quiet">
                    {move || estimate.get().map(|estimate| crate::texts::embed::estimate(&estimate))}
                </output>
            </div>
        </form>
    }
}
