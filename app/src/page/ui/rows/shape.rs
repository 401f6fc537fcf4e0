//! How a column is distributed, under its name: all rows behind, those that pass in front;
//! what share is missing, how many values there are. Pressed, it opens the column's filter, or
//! adds its chart where there is none.

use crate::page::lasting::Derived;
use leptos::prelude::*;

use super::Grid;
use crate::protocol::Mark;
use crate::protocol::table::Shape;
use crate::state::command::Command;
use crate::state::{defaults, format};
use crate::texts;

const WIDTH: f64 = 100.0;
const HEIGHT: f64 = 18.0;

#[component]
pub(super) fn ShapeButton(grid: Grid, name: StoredValue<String>) -> impl IntoView {
    let page = grid.page;
    let shape = Derived::new(move |_| {
        page.table.shapes.with(|shapes| name.with_value(|name| shapes.get(name).cloned()))
    });
    let has_chart = move || {
        page.model.with(|model| {
            model.chosen.shown_views().iter().any(|view| match &view.mark {
                Mark::Scatter { .. } => false,
                mark => name.with_value(|name| mark.columns().contains(&name.as_str())),
            })
        })
    };
    let press = move |_| {
        let column = untrack(|| page.column(&name.get_value()));
        let Some(mark) = column.as_ref().and_then(defaults::mark_of) else { return };
        page.dispatch(match untrack(has_chart) {
            true => Command::OpenFilter { column: name.get_value() },
            false => Command::AddView { mark },
        });
    };
    let words = move |distinct: fn(u64, bool) -> String| {
        let facts = |shape: &Shape| facts(shape, distinct);
        shape.with(|shape| shape.as_ref().map(facts)).unwrap_or_default()
    };
    let title = move || {
        let does = if has_chart() { texts::rows::OPEN_FILTER } else { texts::rows::ADD_CHART };
        let words: Vec<String> = words(texts::rows::distinct).into_iter().flatten().collect();
        match words.is_empty() {
            true => texts::rows::shape(texts::rows::NONE_MISSING, does),
            false => texts::rows::shape(&words.join(", "), does),
        }
    };
    // Where there is room for one fact only, that something is missing is the one.
    let caption = move || match words(texts::rows::distinct_short) {
        [Some(nulls), Some(distinct)] => format!("{nulls} · {distinct}"),
        _ => words(texts::rows::distinct).into_iter().flatten().next().unwrap_or_default(),
    };
    let drawn = move || {
        shape.with(|shape| {
            shape.as_ref().map(|shape| {
                let most = shape.unfiltered.iter().copied().max().unwrap_or(0);
                let (behind, front) = (path(&shape.unfiltered, most), path(&shape.filtered, most));
                view! {
                    <svg class="shape" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                        <path class="behind" d=behind></path>
                        <path d=front></path>
                    </svg>
                }
            })
        })
    };
    view! {
        <button
            type="button"
            class="shape-button"
            tabindex="-1"
            title=title
            aria-label=move || texts::rows::distribution_of(&name.get_value(), &title())
            on:click=press
        >
            {drawn}
            <span>{caption}</span>
        </button>
    }
}

/// "2.1 % null", "340 values".
fn facts(shape: &Shape, distinct: fn(u64, bool) -> String) -> [Option<String>; 2] {
    let nulls = match shape.nulls {
        0 => None,
        nulls => Some(texts::rows::nulls(&format::share(nulls, shape.selected))),
    };
    [nulls, shape.distinct.map(|(many, is_more)| distinct(many, is_more))]
}

fn path(counts: &[u64], most: u64) -> String {
    let mut d = String::new();
    if most == 0 || counts.is_empty() {
        return d;
    }
    let step = (WIDTH / counts.len() as f64).min(16.0);
    let width = if step > 2.5 { step - 0.8 } else { step };
    for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        // What is there is seen, however little it is.
        let height = (*count as f64 / most as f64 * HEIGHT).clamp(1.0, HEIGHT);
        let (x, y) = (at as f64 * step, HEIGHT - height);
        d.push_str(&format!("M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z"));
    }
    d
}
