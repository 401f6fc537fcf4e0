//! Columns that divide each other, such as the ranks of a taxonomy: as an icicle, and as text.

use leptos::prelude::*;

use super::asking::{Counted, counted, counts};
use super::{clause_of, is_chosen, set_clause};
use crate::page::browser;
use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::{Page, use_page};
use crate::page::ui::icon::Icon;
use crate::state::column_clause;
use crate::state::groups;
use crate::state::groups::tree::{self, DEPTH_MAX, Node, PATHS_MAX, Slab};
use crate::texts::groups as words;
use engine::literal::Literal;

/// Branches of fewer rows are left out, unless somebody asks for them.
const LEAST: u64 = 5;
/// A slab is seen from this share of the width on.
const NARROWEST: f64 = 0.0015;
/// And bears its name from this one on.
const NAMED: f64 = 0.04;

#[component]
pub(super) fn Tree() -> impl IntoView {
    let page = use_page();
    let schema = untrack(|| page.schema());
    let columns = schema.map(|schema| schema.columns.clone()).unwrap_or_default();
    let all = groups::groupings(&columns);
    let levels = Lasting::new(tree::guess(&columns));
    let least = Lasting::new(LEAST);
    let depth = Lasting::new(DEPTH_MAX);
    let found = counted(move || {
        let keys = levels.get();
        (!keys.is_empty()).then(|| counts(keys.clone(), &keys, Vec::new(), PATHS_MAX))
    });
    let nodes = Derived::new(move |_| {
        let counted = found.get();
        counted.groups().map(|found| tree::of(found, depth.get().max(1), least.get()))
    });
    let instead = move || match levels.with(Vec::is_empty) {
        true => Some(view! { <p class="quiet">{words::TREE_WHAT}</p> }.into_any()),
        false => found.with(Counted::instead),
    };
    let shown = move || {
        let nodes = nodes.get()?;
        let is_cut = found.with(|found| found.groups().is_some_and(|found| found.is_cut));
        Some(view! {
            {drawn(page, &levels.get(), nodes)}
            {is_cut.then(|| view! { <p class="quiet groups-foot">{words::cut(PATHS_MAX)}</p> })}
        })
    };
    view! {
        <Levels all levels/>
        <div class="groups-options" class:off=move || levels.with(Vec::is_empty)>
            <label>
                <span>{words::DEPTH}</span>
                <input
                    type="range"
                    min="1"
                    max=move || levels.with(|levels| levels.len().max(1)).to_string()
                    prop:value=move || depth.get().to_string()
                    on:input=move |event| {
                        if let Ok(typed) = event_target_value(&event).parse() {
                            depth.set(typed);
                        }
                    }
                />
                <output>{move || depth.get().min(levels.with(Vec::len))}</output>
            </label>
            <label>
                <span>{words::LEAST}</span>
                <input
                    type="number"
                    min="1"
                    prop:value=move || least.get().to_string()
                    on:change=move |event| {
                        least.set(event_target_value(&event).parse().unwrap_or(1).max(1));
                    }
                />
            </label>
        </div>
        {instead}
        {shown}
    }
}

/// The columns of the tree, one after another.
#[component]
fn Levels(all: Vec<String>, levels: Lasting<Vec<String>>) -> impl IntoView {
    let chips = move || {
        let chip = |name: String| {
            let label = words::remove_level(&name);
            let own = name.clone();
            let remove = move |_| levels.update(|levels| levels.retain(|level| *level != own));
            view! {
                <li class="groups-level">
                    <span>{name}</span>
                    <button type="button" class="icon-button" aria-label=label.clone() title=label on:click=remove>
                        {Icon::Cancel.view()}
                    </button>
                </li>
            }
        };
        levels.get().into_iter().map(chip).collect_view()
    };
    let add = move |event: web_sys::Event| {
        let name = event_target_value(&event);
        if !name.is_empty() {
            levels.update(|levels| levels.push(name));
        }
    };
    let rest = move || {
        let chosen = levels.get();
        if chosen.len() == DEPTH_MAX {
            return None;
        }
        let rest = all.iter().filter(|name| !chosen.contains(name)).cloned();
        let options = rest.map(|name| view! { <option value=name.clone()>{name.clone()}</option> });
        Some(view! {
            <select aria-label=words::ADD_LEVEL on:change=add>
                <option value="" selected>{words::ADD_LEVEL}</option>
                {options.collect_view()}
            </select>
        })
    };
    view! {
        <div class="groups-levels">
            <ul aria-label=words::LEVELS>{chips}</ul>
            {rest}
        </div>
    }
}

fn drawn(page: Page, levels: &[String], nodes: Vec<Node>) -> impl IntoView + use<> {
    if nodes.is_empty() {
        return view! { <p class="quiet">{words::EMPTY_TREE}</p> }.into_any();
    }
    let rows: u64 = nodes.iter().map(|node| node.rows).sum();
    let slabs = tree::slabs(&nodes, NARROWEST);
    let n_levels = slabs.iter().map(|slab| slab.level + 1).max().unwrap_or(1);
    let text = tree::text(&nodes, words::UNKNOWN);
    let counts =
        words::widths(levels.get(..n_levels).unwrap_or_default(), &tree::widths(&nodes, n_levels));
    let summary = words::in_all(rows);
    let copied = text.clone();
    let slabs = slabs.into_iter().map(|slab| slab_of(page, levels, slab, rows));
    view! {
        <div
            class="groups-icicle"
            role="group"
            aria-label=words::ICICLE
            style=format!("--levels: {n_levels}")
        >
            {slabs.collect_view()}
        </div>
        <div class="groups-tree-head">
            <p class="quiet">{summary} ": " {counts}</p>
            <button
                type="button"
                class="button small"
                on:click=move |_| browser::copy(page, &copied, words::COPIED)
            >
                {words::COPY_TREE}
            </button>
        </div>
        <pre class="groups-tree" tabindex="0">{text}</pre>
    }
    .into_any()
}

/// A click shows what lies under it alone, or all again.
fn slab_of(page: Page, levels: &[String], slab: Slab, total: u64) -> impl IntoView + use<> {
    let Slab { path, level, from, to, rows } = slab;
    let name = match path.last() {
        Some(Some(value)) => value.as_text().to_owned(),
        _ => words::UNKNOWN.to_owned(),
    };
    let path: Vec<(String, Option<Literal>)> = levels.iter().cloned().zip(path).collect();
    let all = path.clone();
    let chosen = Derived::new(move |_| {
        all.iter().all(|(column, value)| is_chosen(page, column, value.as_ref()))
    });
    let below: Vec<String> = levels.get(level + 1..).unwrap_or_default().to_vec();
    let choose = move |_| {
        let was_chosen = chosen.get_untracked();
        for (column, value) in &path {
            let predicate = if was_chosen { None } else { clause_of(column, None, value.as_ref()) };
            set_clause(page, column, predicate);
        }
        // What was chosen under another branch has nothing to do with this one.
        for column in &below {
            if untrack(|| page.clause(&column_clause(column))).is_some() {
                set_clause(page, column, None);
            }
        }
    };
    let hint = words::slab(&name, rows, rows as f64 / total.max(1) as f64);
    let place = format!(
        "left: {:.3}%; width: {:.3}%; top: calc({level} * var(--slab)); --level: {level}",
        from * 100.0,
        (to - from) * 100.0,
    );
    let text = (to - from >= NAMED).then_some(name);
    view! {
        <button
            type="button"
            class="groups-slab"
            class:chosen=move || chosen.get()
            aria-pressed=move || chosen.get().to_string()
            aria-label=hint.clone()
            title=hint
            style=place
            on:click=choose
        >
            {text}
        </button>
    }
}
