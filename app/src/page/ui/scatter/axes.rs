//! The axes of a scatter: ticks and labels in the document, over and beside the worker's
//! canvas, by the viewport that the canvas is drawn with.

use crate::page::lasting::Derived;
use leptos::prelude::*;

use super::Scatter;
use crate::page::ui::histogram::anchor;
use crate::scale::Linear;
use crate::state::side::Side;
use crate::state::ticks::{X_APART, Y_APART};

#[component]
pub(super) fn Axes(scatter: Scatter) -> impl IntoView {
    let x_marks = Derived::new(move |_| {
        let (viewport, [x, _]) = (scatter.viewport.get()?, scatter.sides()?);
        Some(marks(&x, viewport.x, [0.0, scatter.size.get().0], X_APART))
    });
    let y_marks = Derived::new(move |_| {
        let (viewport, [_, y]) = (scatter.viewport.get()?, scatter.sides()?);
        Some(marks(&y, viewport.y, [scatter.size.get().1, 0.0], Y_APART))
    });
    let below = move || {
        let width = scatter.size.get().0;
        x_marks
            .get()
            .unwrap_or_default()
            .into_iter()
            .map(move |(x, label)| {
                let anchor = anchor(x, width, label.chars().count());
                view! {
                    <g transform=format!("translate({x:.1} 0)")>
                        <line y2="4"></line>
                        <text y="15" text-anchor=anchor>{label}</text>
                    </g>
                }
            })
            .collect_view()
    };
    let beside = move || {
        let height = scatter.size.get().1;
        y_marks.get().unwrap_or_default().into_iter().map(move |(y, label)| {
            // The labels at both ends stay inside.
            let text_y = y.clamp(5.0, (height - 3.0).max(5.0));
            view! {
                <g>
                    <line x1="-4" x2="0" y1=y y2=y></line>
                    <text x="-7" y=text_y dominant-baseline="central" text-anchor="end">{label}</text>
                </g>
            }
        }).collect_view()
    };
    view! {
        // Lengths are from its right end.
        <svg class="axis axis-y" aria-hidden="true"><svg x="100%" overflow="visible">{beside}</svg></svg>
        <svg class="axis axis-x" aria-hidden="true">{below}</svg>
    }
}

pub(super) fn marks(
    side: &Side,
    domain: [f64; 2],
    range: [f64; 2],
    apart: f64,
) -> Vec<(f64, String)> {
    let length = (range[1] - range[0]).abs();
    if length <= 0.0 {
        return Vec::new();
    }
    let pixels = Linear::new(domain, range);
    side.ticks(domain, length, apart)
        .into_iter()
        .map(|(value, label)| (pixels.position(value), label))
        .collect()
}
