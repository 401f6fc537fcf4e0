//! The schema: every column with its kind, type and shape, and which of them to load,
//! with what that costs.

use std::collections::BTreeSet;

use crate::page::lasting::{Derived, Lasting};
use crate::page::ui::each::Each;
use engine::literal::Literal;
use leptos::prelude::*;

use super::icon::{Icon, kind_name};
use super::sparkline::sparkline;
use crate::page::parts::{Fetched, made, wasm_split};
use crate::page::signals::use_page;
use crate::protocol::{ColumnInfo, Profile};
use crate::state::command::Command;
use crate::state::position::{End, Scalar};
use crate::state::{defaults, format, settle};
use crate::texts;

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn list() -> Fetched {
    made(|| view! { <Columns/> })
}

#[component]
fn Columns() -> impl IntoView {
    let page = use_page();
    let search = Lasting::new(String::new());
    let loaded = Derived::new(move |_| {
        let columns = page.model.with(|model| model.chosen.columns.clone());
        columns.unwrap_or_default().into_iter().collect::<BTreeSet<String>>()
    });
    // What is ticked but not yet asked for; none, as long as that is what is loaded.
    let ticked = Lasting::new(None::<BTreeSet<String>>);
    let chosen = Derived::new(move |_| ticked.get().unwrap_or_else(|| loaded.get()));
    // Views and filters cannot be shown without theirs.
    let needed = Derived::new(move |_| {
        page.model.with(|model| {
            let chosen = &model.chosen;
            let of_clauses = chosen.clauses.iter().flat_map(|clause| clause.predicate.columns());
            settle::needed(chosen.shown_views(), of_clauses)
                .into_iter()
                .collect::<BTreeSet<String>>()
        })
    });
    let found = Derived::new(move |_| {
        let Some(schema) = page.schema() else { return Vec::new() };
        let wanted = search.get().trim().to_lowercase();
        let columns = schema.columns.iter().filter(|c| c.name.to_lowercase().contains(&wanted));
        columns.cloned().collect::<Vec<ColumnInfo>>()
    });
    let tick_all = move |all: bool| {
        let names = found.with_untracked(|found| {
            found.iter().map(|column| column.name.clone()).collect::<BTreeSet<_>>()
        });
        let now = chosen.get_untracked();
        let needed = needed.get_untracked();
        ticked.set(Some(match all {
            true => &now | &names,
            false => &(&now - &names) | &needed,
        }));
    };
    view! {
        <div class="search side-search">
            {Icon::Search.view()}
            <input
                type="search"
                placeholder=texts::columns::SEARCH
                aria-label=texts::columns::SEARCH
                prop:value=move || search.get()
                on:input=move |event| search.set(event_target_value(&event))
            />
        </div>
        <div class="columns-head">
            <span>{move || {
                let all = page.schema().map_or(0, |schema| schema.columns.len());
                texts::columns::loaded(loaded.with(BTreeSet::len), all)
            }}</span>
            <button type="button" class="text-button" on:click=move |_| tick_all(true)>{texts::columns::TICK_ALL}</button>
            <button type="button" class="text-button" on:click=move |_| tick_all(false)>{texts::columns::TICK_FEWEST}</button>
        </div>
        <ul class="column-list">
            <Each each=move || found.get() key=|column| column.name.clone() let:column>
                <ColumnRow column chosen needed ticked/>
            </Each>
        </ul>
        <LoadFoot loaded chosen ticked/>
    }
}

/// What the ticked columns cost, and the button that loads them.
#[component]
fn LoadFoot(
    loaded: Derived<BTreeSet<String>>,
    chosen: Derived<BTreeSet<String>>,
    ticked: Lasting<Option<BTreeSet<String>>>,
) -> impl IntoView {
    let page = use_page();
    let cost = move || {
        let schema = page.schema()?;
        let names: Vec<String> = chosen.get().into_iter().collect();
        defaults::load_bytes(&schema.columns, schema.table.rows, &names)
    };
    let is_changed = move || chosen.with(|chosen| loaded.with(|loaded| chosen != loaded));
    let load = move |_| {
        let names = chosen.get_untracked();
        let schema = page.schema();
        let ordered =
            schema.iter().flat_map(|schema| &schema.columns).map(|column| column.name.clone());
        let columns = ordered.filter(|name| names.contains(name)).collect();
        ticked.set(None);
        page.dispatch(Command::LoadColumns { columns });
    };
    view! {
        <div class="columns-foot">
            <span>{move || cost().map(texts::columns::cost)}</span>
            <button type="button" class="button primary" disabled=move || !is_changed() on:click=load>
                {texts::columns::LOAD}
            </button>
        </div>
    }
}

#[component]
fn ColumnRow(
    column: ColumnInfo,
    chosen: Derived<BTreeSet<String>>,
    needed: Derived<BTreeSet<String>>,
    ticked: Lasting<Option<BTreeSet<String>>>,
) -> impl IntoView {
    let page = use_page();
    let name = StoredValue::new(column.name.clone());
    let is_ticked = move || name.with_value(|name| chosen.with(|chosen| chosen.contains(name)));
    let is_needed = move || name.with_value(|name| needed.with(|needed| needed.contains(name)));
    let profile = Derived::new(move |_| {
        name.with_value(|name| page.profiles.with(|profiles| profiles.get(name).cloned()))
    });
    let toggle = move |_| {
        let mut names = chosen.get_untracked();
        let name = name.get_value();
        if !names.remove(&name) {
            names.insert(name);
        }
        ticked.set(Some(names));
    };
    let keep_needed = move |event: web_sys::MouseEvent| {
        if untrack(|| is_needed() && is_ticked()) {
            event.prevent_default();
        }
    };
    let rows = move || page.schema().and_then(|schema| schema.table.rows);
    let facts = {
        let column = column.clone();
        move || facts(&column, profile.get().as_ref(), rows())
    };
    let cost = rows().map(|rows| format::bytes((rows as f64 * column.bytes_per_row) as u64));
    let kind = column.kind;
    view! {
        <li class="column">
            <label>
                <input
                    type="checkbox"
                    prop:checked=is_ticked
                    aria-disabled=move || (is_needed() && is_ticked()).to_string()
                    on:click=keep_needed
                    title=move || if is_needed() { texts::columns::NEEDED } else { "" }
                    on:change=toggle
                />
                <span class="kind" title=kind_name(kind)>{Icon::of_kind(kind).view()}</span>
                <span class="column-name">{column.name.clone()}</span>
                {move || profile.get().map(|profile| sparkline(&profile))}
            </label>
            <p class="column-facts">
                <span class="column-type">{column.data_type.clone()}</span>
                {move || facts().into_iter().map(|fact| view! { <span>{fact}</span> }).collect_view()}
                {cost.map(|cost| view! { <span class="column-cost">{cost}</span> })}
            </p>
        </li>
    }
}

/// The smallest and largest value, how many differ, how many are missing: as counted on
/// the rows that are here, else as the lake's files say.
fn facts(column: &ColumnInfo, profile: Option<&Profile>, rows: Option<u64>) -> Vec<String> {
    let mut facts = Vec::new();
    let min = profile.and_then(|p| p.min.clone()).or_else(|| column.min.clone());
    let max = profile.and_then(|p| p.max.clone()).or_else(|| column.max.clone());
    if let (Some(min), Some(max)) = (min, max) {
        let (min, max) = short_ends(column, min, max);
        facts.push(format!("{min} – {max}"));
    }
    let distinct = profile.and_then(|profile| profile.distinct).or(column.distinct_count);
    facts.extend(distinct.map(texts::counts::values));
    let nulls = profile.map(|profile| profile.nulls).or(column.null_count);
    if let (Some(nulls), Some(rows)) = (nulls, rows)
        && nulls > 0
    {
        facts.push(texts::columns::missing(&format::share(nulls.min(rows), rows)));
    }
    facts
}

/// Moments to the minute, or to the day where they span weeks.
fn short_ends(column: &ColumnInfo, min: String, max: String) -> (String, String) {
    let scalar = Scalar::from_type(&column.data_type, column.kind);
    let ends = scalar.filter(|scalar| *scalar == Scalar::Moment).and_then(|scalar| {
        let low = scalar.position(&Literal::Text(min.clone()), End::Low)?;
        let high = scalar.position(&Literal::Text(max.clone()), End::High)?;
        let step = ((high - low) / 30.0).max(60_000.0);
        Some((format::position(low, scalar, step), format::position(high, scalar, step)))
    });
    ends.unwrap_or((min, max))
}
