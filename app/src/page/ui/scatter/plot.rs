//! The canvas of a scatter and what lies over it: the box that is a filter, the box being
//! drawn, and the row under the pointer. The canvas is given to the worker whole; a new
//! worker gets a new canvas.

use std::fmt::Write;

use crate::page::lasting::{Derived, Lasting};
use crate::page::ui::each::Each;
use leptos::html;
use leptos::prelude::*;

use super::gestures::{self, Drawn, Pointers};
use super::{Scatter, relief};
use crate::page::browser;
use crate::page::signals::WorkerState;
use crate::page::ui::picture::RowPicture;
use crate::protocol::{HoveredRow, MarkResult, Request};
use crate::scale::Linear;
use crate::state::region::{self, Shape};
use crate::state::side::Side;
use crate::texts;

#[component]
pub(super) fn Plot(scatter: Scatter) -> impl IntoView {
    let page = scatter.page;
    let area = NodeRef::<html::Div>::new();
    let pointers = StoredValue::new_local(Pointers::default());
    browser::observe_size(area, move |width, height| {
        if width > 0.0 && height > 0.0 {
            scatter.size.try_set((width, height));
            page.forget_hovered(scatter.id);
        }
    });
    // Leaves Rust: the worker draws what the axes say.
    Effect::new(move |_| {
        page.worker.with(WorkerState::epoch);
        if let Some(viewport) = scatter.viewport.get() {
            page.link.send(&Request::SetViewport { view: scatter.id, viewport });
        }
    });
    on_cleanup(move || page.link.send(&Request::DetachCanvas { view: scatter.id }));
    // A canvas lives as long as the worker that draws on it, and what it draws with.
    let canvas = Derived::new(move |_| {
        let epoch = page.worker.with(WorkerState::running)?;
        let lost = page.canvases_lost.with(|lost| lost.get(&scatter.id).copied());
        Some((epoch, lost.unwrap_or_default()))
    });
    let drawn = Lasting::new(None::<Drawn>);
    let summary = move || summary(scatter);
    view! {
        <div
            class="plot"
            class:selecting=move || scatter.tool.get().is_some()
            node_ref=area
            tabindex="0"
            role="application"
            aria-roledescription=texts::scatter::KIND
            aria-label=summary
            on:wheel=move |event| gestures::wheel(scatter, &event, area)
            on:pointerdown=move |event| gestures::down(scatter, &event, area, pointers)
            on:pointermove=move |event| gestures::moved(scatter, &event, area, pointers, drawn)
            on:pointerup=move |event| gestures::up(scatter, &event, area, pointers, drawn)
            on:pointercancel=move |event| gestures::cancel(&event, pointers, drawn)
            on:pointerleave=move |_| gestures::leave(scatter, pointers)
            on:dblclick=move |_| gestures::fit(scatter)
            on:keydown=move |event| gestures::key(scatter, &event)
        >
            <Each each=move || canvas.get() key=|life| *life let:_life><Canvas scatter/></Each>
            <relief::ReliefOver scatter/>
            <Overlay scatter drawn/>
        </div>
        <Tooltip scatter/>
    }
}

#[component]
fn Canvas(scatter: Scatter) -> impl IntoView {
    let page = scatter.page;
    let canvas = NodeRef::<html::Canvas>::new();
    let attached = StoredValue::new(false);
    // The first size hands the canvas over; later ones tell the worker to follow.
    Effect::new(move |_| {
        let (width, height) = scatter.size.get();
        let Some(canvas) = canvas.get() else { return };
        if width <= 0.0 || height <= 0.0 {
            return;
        }
        let (view, pixel_ratio) = (scatter.id, window().device_pixel_ratio());
        if attached.get_value() {
            page.link.send(&Request::ResizeCanvas { view, width, height, pixel_ratio });
            return;
        }
        match canvas.transfer_control_to_offscreen() {
            Ok(offscreen) => {
                attached.set_value(true);
                let request = Request::AttachCanvas { view, width, height, pixel_ratio };
                page.link.send_transferred(&request, &offscreen);
                // Told before the canvas was there, it would be forgotten.
                if let Some(viewport) = scatter.viewport.get_untracked() {
                    page.link.send(&Request::SetViewport { view, viewport });
                }
            }
            Err(error) => web_sys::console::error_2(&"no canvas for the worker:".into(), &error),
        }
    });
    view! { <canvas node_ref=canvas aria-hidden="true"></canvas> }
}

/// The shapes of the view's own filter, and the one being drawn.
#[component]
fn Overlay(scatter: Scatter, drawn: Lasting<Option<Drawn>>) -> impl IntoView {
    let page = scatter.page;
    let own = move || {
        let clause = page.clause(&scatter.clause_id())?;
        let [x, y] = scatter.sides()?;
        let shown = scatter.viewport.get()?;
        let (width, height) = scatter.size.get();
        let steps = scatter.steps()?;
        let across = Linear::new(shown.x, [0.0, width]);
        let up = Linear::new(shown.y, [height, 0.0]);
        let shapes = region::shapes(&clause, &x, &y, steps).into_iter().map(move |mut shape| {
            for [x, y] in &mut shape.corners {
                // Far outside a browser's own numbers end.
                *x = across.position(*x).clamp(-1e5, 1e5);
                *y = up.position(*y).clamp(-1e5, 1e5);
            }
            shape_view(&shape)
        });
        Some(shapes.collect_view())
    };
    let hand = move || {
        drawn.get().map(|drawn| match drawn {
            Drawn::Box(corners) => rect("box drawn", corners).into_any(),
            Drawn::Lasso(path) => {
                view! { <path class="box drawn" d=path_of(&path)></path> }.into_any()
            }
        })
    };
    view! { <svg class="overlay" aria-hidden="true">{own} {hand}</svg> }
}

fn shape_view(shape: &Shape) -> AnyView {
    let class = if shape.is_hole { "box hole" } else { "box" };
    match shape.corners.as_slice() {
        [[left, bottom], _, [right, top], _] if shape.is_box => {
            rect(class, [*left, *top, *right, *bottom]).into_any()
        }
        corners => view! { <path class=class d=path_of(corners)></path> }.into_any(),
    }
}

fn rect(class: &'static str, [left, top, right, bottom]: [f64; 4]) -> impl IntoView {
    view! {
        <rect class=class x=left y=top width=(right - left).max(1.0) height=(bottom - top).max(1.0)></rect>
    }
}

fn path_of(corners: &[[f64; 2]]) -> String {
    let mut path = String::new();
    for (place, [x, y]) in corners.iter().enumerate() {
        let step = if place == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _written = write!(path, "{step}{x:.1} {y:.1}");
    }
    path.push('Z');
    path
}

/// The values of the row under the pointer, beside it.
#[component]
fn Tooltip(scatter: Scatter) -> impl IntoView {
    let page = scatter.page;
    let row =
        move || page.hovered.get().filter(|(view, _)| *view == scatter.id).map(|(_, row)| row);
    move || {
        row().map(|row| {
            let (width, height) = scatter.size.get_untracked();
            let (to_left, to_top) = (row.x > width * 0.55, row.y > height * 0.5);
            view! {
                <div
                    class="tooltip"
                    class:to-left=to_left
                    class:to-top=to_top
                    style:left=format!("{}px", row.x)
                    style:top=format!("{}px", row.y)
                >
                    <TooltipRows row=(*row).clone()/>
                </div>
            }
        })
    }
}

#[component]
fn TooltipRows(row: HoveredRow) -> impl IntoView {
    const SHOWN: usize = 12;
    let more = row.values.len().saturating_sub(SHOWN);
    let picture = view! { <RowPicture row=row.row_number values=row.values.clone()/> };
    let values = row.values.into_iter().take(SHOWN).map(|(name, value)| {
        let missing = value.is_none();
        view! {
            <dt>{name}</dt>
            <dd class:missing=missing>{value.unwrap_or_else(|| texts::values::MISSING.to_owned())}</dd>
        }
    });
    view! {
        {picture}
        <dl>{values.collect_view()}</dl>
        <p>
            {texts::scatter::row(row.row_number)}
            {(more > 0).then(|| texts::scatter::more_columns(more))}
        </p>
    }
}

fn summary(scatter: Scatter) -> String {
    let (x, y) = (scatter.x.get(), scatter.y.get());
    let facts = scatter.result.with(|result| match result.as_deref() {
        Some(MarkResult::Scatter { points, without_log, names, .. }) => {
            let mut facts = vec![texts::counts::points(*points)];
            facts.extend(region::left_out(*without_log, names));
            facts
        }
        _ => Vec::new(),
    });
    let shown = scatter.viewport.get().zip(scatter.sides()).map(|(shown, [across, up])| {
        let words = |[low, high]: [f64; 2], side: &Side| {
            let step = (high - low) / 100.0;
            texts::scatter::range(&side.words(low, step), &side.words(high, step))
        };
        // Names are read downwards.
        let up_ends = if up.is_named() { [shown.y[1], shown.y[0]] } else { shown.y };
        [words(shown.x, &across), words(up_ends, &up)]
    });
    texts::scatter::summary(&x, &y, &facts, shown)
}
