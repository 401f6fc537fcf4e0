//! The colours of a scatter: categories that are chosen by clicking, or a ramp.

use crate::page::lasting::Derived;
use engine::literal::Literal;
use leptos::prelude::*;

use super::Scatter;
use crate::page::signals::Page;
use crate::protocol::{Legend, LegendEntry, MarkResult};
use crate::state::command::{Command, Gesture};
use crate::state::position::Scalar;
use crate::state::{choice, column_clause, figure, format};
use crate::texts;

#[component]
pub(super) fn LegendBox(scatter: Scatter) -> impl IntoView {
    let legend = Derived::new(move |_| {
        scatter.result.with(|result| match result.as_deref() {
            Some(MarkResult::Scatter { legend, .. }) => legend.clone(),
            _ => Legend::None,
        })
    });
    let names = scatter.page.names();
    move || {
        let column = scatter.color.get()?;
        match legend.get() {
            Legend::None => None,
            legend @ Legend::Categories { .. } => {
                let named = names.with(|names| names.legend(&column, legend));
                let Legend::Categories { entries } = named else { return None };
                Some(categories(scatter.page, column, entries).into_any())
            }
            Legend::Ramp { domain, middle, time, colors, beyond, missing } => {
                let scalar = scatter.page.scalar(&column).unwrap_or(Scalar::Float);
                let scalar = if time { scalar } else { Scalar::Float };
                let words = ramp_words(domain, middle, scalar);
                Some(ramp(&column, words, &colors, beyond, missing).into_any())
            }
        }
    }
}

/// What sizes and shapes mean.
#[component]
pub(super) fn StampsLegend(scatter: Scatter) -> impl IntoView {
    let keys = Derived::new(move |_| {
        scatter.result.with(|result| figure::keys_of(result.as_deref(), &scatter.varied.get()))
    });
    move || {
        let lists = keys.get().into_iter();
        let lists = lists.map(|(label, keys)| {
            let keys = keys.into_iter().map(|figure::Key { path, is_hollow, words }| {
                view! {
                    <li>
                        <svg viewBox="-9 -9 18 18" aria-hidden="true">
                            <path d=path class:hollow=is_hollow></path>
                        </svg>
                        {words}
                    </li>
                }
            });
            view! { <ul class="stamps" aria-label=label.clone()><li>{label.clone()}</li>{keys.collect_view()}</ul> }
        });
        lists.collect_view()
    }
}

/// Made anew with every answer, so that nothing in it waits for the filter by itself.
fn categories(page: Page, column: String, entries: Vec<LegendEntry>) -> impl IntoView + use<> {
    let clause = page.clause(&column_clause(&column));
    let label = texts::scatter::colors_of(&column);
    let column = StoredValue::new(column);
    let id = move || column.with_value(|column| column_clause(column));
    let entries = entries.into_iter().map(|entry| {
        let LegendEntry { label, color, count, value } = entry;
        let chosen = choice::values(clause.as_ref());
        let is_chosen = value.as_ref().is_some_and(|value| chosen.contains(value));
        let shown_label = if label.is_empty() { "“”".to_owned() } else { label.clone() };
        let fixed = value.is_none();
        let own = value.as_ref().map(Literal::as_text).filter(|own| *own != label);
        let title = texts::scatter::entry(&label, own, count);
        let on_click = move |event: web_sys::MouseEvent| {
            let Some(value) = &value else { return };
            let clause = untrack(|| page.clause(&id()));
            let predicate = column.with_value(|column| {
                next(column, clause.as_ref(), value, event.detail() >= 2 || event.alt_key())
            });
            page.dispatch(Command::SetClause { id: id(), predicate, gesture: Gesture::Done });
        };
        view! {
            <li>
                <button
                    type="button"
                    disabled=fixed
                    aria-pressed=is_chosen.to_string()
                    title=title
                    on:click=on_click
                >
                    <i style:background=color></i>
                    <span>{shown_label}</span>
                    <small>{format::short_count(count)}</small>
                </button>
            </li>
        }
    });
    view! { <ul class="legend" aria-label=label>{entries.collect_view()}</ul> }
}

fn next(
    column: &str,
    clause: Option<&engine::predicate::Predicate>,
    value: &Literal,
    only: bool,
) -> Option<engine::predicate::Predicate> {
    if only { choice::only(column, None, value) } else { choice::toggled(column, clause, value) }
}

/// Both ends of a ramp and what is in its middle.
fn ramp_words(domain: [f64; 2], middle: Option<f64>, scalar: Scalar) -> [String; 3] {
    let step = (domain[1] - domain[0]) / 100.0;
    let word = |value: f64| format::position(value, scalar, step);
    [word(domain[0]), middle.map(word).unwrap_or_default(), word(domain[1])]
}

fn ramp(
    column: &str,
    [low, middle, high]: [String; 3],
    colors: &[String],
    beyond: [u64; 2],
    missing: Vec<LegendEntry>,
) -> impl IntoView + use<> {
    let label = texts::scatter::ramp_of(column, &low, &high);
    // Values beyond the ends have the ends' colours: how many there are is said.
    let end =
        |count: u64, words: fn(u64) -> String, title: fn(u64, &str) -> String, value: &str| {
            (count > 0).then(|| {
                view! { <small class="beyond" title=title(count, value)>{words(count)}</small> }
            })
        };
    let others = missing.into_iter().filter(|entry| entry.count > 0).map(|entry| {
        view! {
            <small class="entry" title=format!("{}: {}", entry.label, format::count(entry.count))>
                <i style:background=entry.color></i>
                {format!("{} {}", entry.label, format::short_count(entry.count))}
            </small>
        }
    });
    let below = end(beyond[0], texts::scatter::below, texts::scatter::below_end, &low);
    let above = end(beyond[1], texts::scatter::above, texts::scatter::above_end, &high);
    let gradient = ["linear-gradient(to right, ", &colors.join(", "), ")"].concat();
    view! {
        <div class="ramp" role="group" aria-label=label>
            {below}
            <span>{low}</span>
            <i class="colors" style:background-image=gradient><span>{middle}</span></i>
            <span>{high}</span>
            {above}
            {others.collect_view()}
        </div>
    }
}
