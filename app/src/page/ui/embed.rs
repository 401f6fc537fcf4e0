//! The dialog of maps: what is to be done with a table's vectors, and how the companion's
//! jobs go.

mod clusters;
mod further;
mod live;
mod making;
mod offer;

use leptos::prelude::*;
use leptos::task::spawn_local;

use clusters::{ClusterFields, Kind};
pub(super) use offer::EmbedButton;
use offer::{by_companion, has_vectors, here, mapper};

use super::dialog::ModalDialog;
use super::each::Each;
use crate::page::jobs;
use crate::page::lasting::{Derived, Lasting};
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Companion, Page, Schema, Tables, use_page};
use crate::state::command::{Command, Dialog};
use crate::state::embed::{
    self, CLUSTERS, Clusters, DENSE_ROWS, Estimate, Job, JobState, More, Wanted,
};
use crate::texts::embed as words;

/// What can be asked for: as the API and as the user calls it.
const LAYOUTS: [(&str, &str); 3] =
    [("umap", words::UMAP), ("tsne", words::TSNE), ("pca", words::PCA)];

#[component]
pub(super) fn EmbedDialog() -> impl IntoView {
    view! { <ModalDialog which=Dialog::Embed title=words::TITLE>{part(body)}</ModalDialog> }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn body() -> Fetched {
    made(|| view! { <Embed/> })
}

pub(super) fn is_online(page: Page) -> bool {
    page.companion.get() == Companion::Online
}

#[component]
fn Embed() -> impl IntoView {
    let page = use_page();
    if untrack(|| is_online(page)) {
        jobs::list(page);
    }
    let started = Lasting::new(None::<String>);
    let shown = live::shown(page, started);
    // What is asked for the same table again leaves the form as it is being filled in.
    let state = Derived::new(move |_| {
        let table = page.model.with(|model| model.chosen.table.clone());
        let known = page.schema().map(|_| has_vectors(page));
        (by_companion(page), here(page), known, table)
    });
    // The companion makes vectors too, of its own tables.
    let is_making = Lasting::new(false);
    let making = move || {
        let is_own = page.model.with_untracked(|m| embed::is_own(m.chosen.table.as_deref()));
        (is_own && untrack(|| is_online(page))).then(|| view! { <making::Making/> })
    };
    let form = move || match state.with(|(companion, here, known, _)| (*companion, *here, *known)) {
        (false, false, Some(false)) => {
            view! { <p class="quiet">{words::NO_VECTORS}</p> {making()} }.into_any()
        }
        (true, ..) if is_making.get() => view! {
            {making()}
            <button type="button" class="button small" on:click=move |_| is_making.set(false)>
                {crate::texts::encode::BACK}
            </button>
        }
        .into_any(),
        (false, false, Some(true)) => {
            view! { <p class="quiet">{words::NO_COMPANION}</p> }.into_any()
        }
        (false, false, None) => ().into_any(),
        (companion, here, _) => view! {
            <Form companion here started shown/>
            {companion.then(|| view! {
                <button type="button" class="button small" on:click=move |_| is_making.set(true)>
                    {crate::texts::encode::OTHERS}
                </button>
            })}
        }
        .into_any(),
    };
    view! {
        <div class="embed">
            <div>{form}</div>
            <live::Live shown/>
        </div>
        <JobList/>
    }
}

/// The names that no new table can have: those of the companion's tables, and of what jobs make.
pub(super) fn taken(page: Page) -> Vec<String> {
    let mut taken = page.tables.with_untracked(names);
    page.jobs.with_untracked(|jobs| {
        let are_made = jobs.iter().filter(|job| job.state != JobState::Failed);
        taken.extend(are_made.map(|job| job.job.into.clone()));
    });
    taken
}

fn names(tables: &Tables) -> Vec<String> {
    match tables {
        Tables::Known { tables, .. } => tables.iter().map(|table| table.name.clone()).collect(),
        Tables::Asked => Vec::new(),
    }
}

/// `companion` and `here` say who could map the table: one of them at least.
#[component]
fn Form(
    companion: bool,
    here: bool,
    started: Lasting<Option<String>>,
    shown: Derived<Option<live::Shown>>,
) -> impl IntoView {
    let page = use_page();
    let is_here = Lasting::new(!companion);
    let schema = untrack(|| page.schema());
    let columns = schema.as_ref().map(|schema| embed::vector_columns(&schema.columns));
    let columns = columns.unwrap_or_default();
    let table = page.model.with_untracked(|model| model.chosen.table.clone()).unwrap_or_default();
    let has_clauses = page.model.with_untracked(|model| !model.chosen.clauses.is_empty());
    let column = Lasting::new(columns.first().cloned().unwrap_or_default());
    let layout = Lasting::new(LAYOUTS[0].0);
    let beside = Lasting::new(None::<&'static str>);
    let kind = Lasting::new(Kind::Means);
    let clusters = Lasting::new(CLUSTERS);
    let dense_rows = Lasting::new(DENSE_ROWS);
    let is_normalized = Lasting::new(true);
    let are_few =
        schema.as_ref().is_some_and(|schema| embed::are_few(&schema.columns, schema.table.rows));
    let keeps_vectors = Lasting::new(are_few);
    let only_selected = Lasting::new(has_clauses);
    let more = Lasting::new(More::default());
    let into = Lasting::new(embed::free_name(&table, "map", &taken(page)));
    let refused = Lasting::new(None::<(String, Option<String>)>);
    let is_starting = Lasting::new(false);
    let wanted = move || Wanted {
        column: column.get(),
        algorithm: layout.get(),
        beside: beside.get(),
        clusters: match kind.get() {
            Kind::None => Clusters::None,
            Kind::Means => Clusters::Means(clusters.get()),
            Kind::Dense => Clusters::Dense(dense_rows.get()),
        },
        is_normalized: is_normalized.get(),
        keeps_vectors: keeps_vectors.get(),
        only_selected: only_selected.get(),
        into: into.get().trim().to_owned(),
        more: more.get().of(is_here.get()),
    };
    let request = move |wanted: &Wanted| {
        let columns = untrack(|| page.schema()).map(|schema| schema.columns.clone());
        page.model.with_untracked(|model| {
            embed::request(&model.chosen, &columns.unwrap_or_default(), wanted)
        })
    };
    let estimate = estimated(page, move || {
        if is_here.get() {
            return None;
        }
        // What the table is called does not matter to how long it takes.
        request(&Wanted { into: format!("{} estimate", table_of(page)), ..wanted() })
    });
    live::follow(page, shown, move || request(&wanted()).filter(|_| is_here.get()));
    let start = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let wanted = untrack(wanted);
        let text = request(&wanted);
        let Some(text) = text else { return };
        refused.set(None);
        if let Some(script) = mapper().filter(|_| is_here.get_untracked()) {
            page.load_too(&wanted.column);
            return started.set(Some(jobs::begin_here(page, text, script)));
        }
        is_starting.set(true);
        spawn_local(async move {
            match jobs::begin(page, text).await {
                Ok(_) => {
                    into.try_set(embed::free_name(&table_of(page), "map", &taken(page)));
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
        field.is_some_and(|field| field == "into" || field == "table")
    };
    let n_columns = columns.len();
    view! {
        <p class="embed-what">{words::WHAT}</p>
        <form class="embed-form" on:submit=start>
            <label for="embed-column">{words::COLUMN}</label>
            <select
                id="embed-column"
                disabled=n_columns < 2
                prop:value=move || column.get()
                on:change=move |event| column.set(event_target_value(&event))
            >
                {columns
                    .into_iter()
                    .map(|name| view! { <option value=name.clone()>{name.clone()}</option> })
                    .collect_view()}
            </select>
            <label for="embed-layout">{words::PROJECTION}</label>
            <LayoutSelect id="embed-layout" chosen=move || Some(layout.get()) none=None choose=move |name| {
                layout.set(name.unwrap_or(LAYOUTS[0].0));
            }/>
            <label for="embed-beside">{words::BESIDE}</label>
            <LayoutSelect id="embed-beside" chosen=move || beside.get() none=Some(words::NO_CLUSTERS) choose=move |name| beside.set(name)/>
            <label for="embed-clusters">{words::CLUSTERS}</label>
            <ClusterFields kind clusters dense_rows/>
            {here.then(|| {
                let place = match companion {
                    true => view! { <Where is_here/> }.into_any(),
                    false => view! { <span>{words::HERE}</span> }.into_any(),
                };
                view! { <span>{words::PLACE}</span> {place} }
            })}
            <span>{words::ROWS}</span>
            <Rows only_selected has_clauses/>
            <span></span>
            <div class="embed-rows">
                <Check value=is_normalized label=words::NORMALIZE/>
                // What is made here is searched by nobody.
                <Show when=move || !is_here.get()>
                    <Check value=keeps_vectors label=words::KEEP_VECTORS/>
                </Show>
            </div>
            <further::Further more is_here layouts=move || [Some(layout.get()), beside.get()] has_means=move || kind.get() == Kind::Means/>
            <label for="embed-into">{words::INTO}</label>
            <input
                id="embed-into"
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
                    {move || match is_here.get() {
                        true => None,
                        false => estimate.get().map(|estimate| words::estimate(&estimate)),
                    }}
                </output>
            </div>
        </form>
    }
}

#[component]
fn Check(value: Lasting<bool>, label: &'static str) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || value.get()
                on:change=move |event| value.set(event_target_checked(&event))
            />
            <span>{label}</span>
        </label>
    }
}

/// One of the layouts; none of them, where that has words.
#[component]
fn LayoutSelect(
    id: &'static str,
    chosen: impl Fn() -> Option<&'static str> + Send + Sync + 'static,
    none: Option<&'static str>,
    choose: impl Fn(Option<&'static str>) + 'static,
) -> impl IntoView {
    let options = LAYOUTS.map(|(name, label)| view! { <option value=name>{label}</option> });
    let choose = move |event| {
        let name = event_target_value(&event);
        choose(LAYOUTS.iter().map(|(name, _)| *name).find(|known| *known == name));
    };
    view! {
        <select id=id prop:value=move || chosen().unwrap_or_default() on:change=choose>
            {none.map(|none| view! { <option value="">{none}</option> })}
            {options}
        </select>
    }
}

/// By whom it is computed.
#[component]
fn Where(is_here: Lasting<bool>) -> impl IntoView {
    let option = move |of_here: bool, words: &'static str| {
        view! {
            <label class="check">
                <input
                    type="radio"
                    name="embed-where"
                    prop:checked=move || is_here.get() == of_here
                    on:change=move |_| is_here.set(of_here)
                />
                <span>{words}</span>
            </label>
        }
    };
    view! {
        <div class="embed-rows">
            {option(false, words::BY_COMPANION)} {option(true, words::HERE)}
        </div>
    }
}

/// How long somebody has to rest before it is asked what a job will take.
const REST_MILLIS: u32 = 250;

/// What a job is expected to take, as the companion says, whenever the form has changed.
fn estimated(
    page: Page,
    request: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> Lasting<Option<Estimate>> {
    let found = Lasting::new(None);
    let asked = Lasting::new(0_u64);
    Effect::new(move |_| {
        let Some(text) = request() else { return };
        asked.update_untracked(|asked| *asked += 1);
        let own = asked.get_untracked();
        spawn_local(async move {
            gloo_timers::future::TimeoutFuture::new(REST_MILLIS).await;
            if asked.try_get_untracked() != Some(own) {
                return;
            }
            let estimate = jobs::estimate(page, text).await;
            // An answer that was overtaken says nothing of what is in the form now.
            if asked.try_get_untracked() == Some(own) {
                found.try_set(estimate);
            }
        });
    });
    found
}

pub(super) fn table_of(page: Page) -> String {
    page.model.with_untracked(|model| model.chosen.table.clone()).unwrap_or_default()
}

/// All rows, or those that pass the filters: with their counts, which follow them.
#[component]
fn Rows(only_selected: Lasting<bool>, has_clauses: bool) -> impl IntoView {
    let page = use_page();
    let all = move || page.schema().and_then(|schema: std::sync::Arc<Schema>| schema.table.rows);
    let selected = move || page.shown.with(|shown| shown.as_ref().map(|shown| shown.selected));
    let option = move |of_selected: bool| {
        let text = move || match of_selected {
            true => words::selected_rows(selected()),
            false => words::all_rows(all()),
        };
        view! {
            <label class="check">
                <input
                    type="radio"
                    name="embed-rows"
                    prop:checked=move || only_selected.get() == of_selected
                    on:change=move |_| only_selected.set(of_selected)
                />
                <span>{text}</span>
            </label>
        }
    };
    view! {
        <div class="embed-rows">
            {match has_clauses {
                true => view! { {option(false)} {option(true)} }.into_any(),
                false => view! { <span>{move || words::all_rows(all())}</span> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn JobList() -> impl IntoView {
    let page = use_page();
    let ids = Derived::new(move |_| {
        page.jobs.with(|jobs| jobs.iter().map(|job| job.id.clone()).collect::<Vec<_>>())
    });
    view! {
        <Show when=move || ids.with(|ids| !ids.is_empty())>
            <h3 class="embed-jobs-title">{words::JOBS}</h3>
            <ul class="embed-jobs">
                <Each each=move || ids.get() key=String::clone let:id>
                    <JobLine id/>
                </Each>
            </ul>
        </Show>
    }
}

#[component]
pub(super) fn JobLine(id: String) -> impl IntoView {
    let page = use_page();
    let job =
        Derived::new(move |_| page.jobs.with(|jobs| jobs.iter().find(|job| job.id == id).cloned()));
    move || job.get().map(|job| line(page, job))
}

fn line(page: Page, job: Job) -> impl IntoView + use<> {
    let percent = format!("{:.0}", job.progress * 100.0);
    let (into, id) = (job.job.into.clone(), job.id.clone());
    let state = match job.state {
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
        JobState::Done => "done",
        JobState::Queued | JobState::Running => "running",
    };
    let open = page.model.with_untracked(|model| embed::address_of(&job, &model.chosen));
    let open = open.map(|query| {
        let open = move |_| {
            page.dispatch(Command::ShowDialog { dialog: None });
            page.dispatch(Command::OpenView { query: query.clone() });
        };
        view! { <button type="button" class="button small" on:click=open>{words::OPEN}</button> }
    });
    // The companion knows what it did, and when.
    let log = jobs::log_address(page, &job).map(|address| {
        let label = words::log(&into);
        view! {
            <a class="button small" href=address target="_blank" rel="noopener" aria-label=label>
                {words::LOG}
            </a>
        }
    });
    let cancel = (!job.state.is_over()).then(|| {
        let label = words::cancel(&into);
        view! {
            <button type="button" class="button small" aria-label=label on:click=move |_| jobs::cancel(page, &id)>
                {words::CANCEL}
            </button>
        }
    });
    let bar = (!job.state.is_over()).then(|| {
        view! {
            <div
                class="load-bar"
                role="progressbar"
                aria-label=words::progress_of(&into)
                aria-valuenow=percent.clone()
                aria-valuemin="0"
                aria-valuemax="100"
            >
                <i style:width=format!("{percent}%")></i>
            </div>
        }
    });
    let text = words::line(&job);
    view! {
        <li class=format!("embed-job {state}")>
            <div class="embed-job-text">
                <b>{into.clone()}</b>
                <span title=text.clone()>{text.clone()}</span>
                {bar}
            </div>
            {log}
            {open}
            {cancel}
        </li>
    }
}
