//! What lies over the points: lines of equal density and names of categories. They are of
//! the picture when it last came to rest, and move with it until then.

use std::sync::Arc;

use crate::page::lasting::Derived;
use leptos::prelude::*;

use super::Scatter;
use super::atlas;
use crate::page::parts::part;
use crate::protocol::relief::Relief;
use crate::state::format;
use crate::state::labels::{moved, placed};
use crate::texts;

/// With so few points in view the points say it all; with twice as many lines are whole.
const POINTS_MIN: f64 = 500.0;

pub(super) fn relief_of(scatter: Scatter) -> Derived<Option<Arc<Relief>>> {
    Derived::new(move |_| scatter.page.reliefs.with(|all| all.get(&scatter.id).cloned()))
}

#[component]
pub(super) fn ReliefOver(scatter: Scatter) -> impl IntoView {
    let relief = relief_of(scatter);
    let place = move || {
        let (relief, shown) = (relief.get()?, scatter.viewport.get()?);
        let (width, height) = scatter.size.get();
        let to = moved(&relief, shown, [width, height]);
        Some((relief, to, [width, height]))
    };
    let transform = move || {
        place().map(|(_, [x, y], _)| format!("matrix({} 0 0 {} {} {})", x[0], y[0], x[1], y[1]))
    };
    let strength = move || {
        let points = relief.with(|relief| relief.as_ref().map_or(0, |relief| relief.points));
        let is_counted = points > 0;
        if is_counted { (points as f64 / POINTS_MIN - 1.0).clamp(0.0, 1.0) } else { 1.0 }
    };
    let lines = move || {
        let relief = relief.get()?;
        let lines = relief.contours.iter().map(|contour| {
            let title = texts::scatter::contour(contour.level);
            view! { <path d=contour.path.clone()><title>{title}</title></path> }
        });
        Some(lines.collect_view())
    };
    let has_pictures =
        move || scatter.look.get().has_pictures && scatter.page.picture_column().is_some();
    let called = scatter.page.names();
    let names = move || {
        let (relief, [x, y], size) = place()?;
        let (color, called) = (scatter.color.get(), called.get());
        let own = |text: &str| {
            color.as_deref().and_then(|column| called.of(column, text)).map(str::to_owned)
        };
        let texts: Vec<String> = relief
            .labels
            .iter()
            .map(|label| own(&label.text).unwrap_or_else(|| label.text.clone()))
            .collect();
        let names = relief
            .labels
            .iter()
            .zip(&texts)
            .map(|(label, text)| (text.as_str(), label.x * x[0] + x[1], label.y * y[0] + y[1]));
        let names = placed(names, size).into_iter().map(|name| {
            view! { <text x=name.x y=name.y>{name.text}</text> }
        });
        Some(names.collect_view())
    };
    view! {
        <Show when=has_pictures>{part(move || atlas::atlas(scatter, relief))}</Show>
        <svg class="overlay" aria-hidden="true">
            <g class="contours" transform=transform style:opacity=move || strength().to_string()>{lines}</g>
            <g class="names">{names}</g>
        </svg>
    }
}

/// What the colours of a density mean.
#[component]
pub(super) fn CountsLegend(scatter: Scatter) -> impl IntoView {
    let relief = relief_of(scatter);
    let points = move || {
        relief.with(|relief| {
            let relief = relief.as_ref().filter(|relief| relief.points > 0)?;
            Some(texts::scatter::in_view(relief.points))
        })
    };
    move || {
        let density = relief.with(|relief| relief.as_ref()?.density.clone())?;
        let gradient = match density.colors.is_empty() {
            true => "linear-gradient(to right, transparent, var(--text-2))".to_owned(),
            false => ["linear-gradient(to right, ", &density.colors.join(", "), ")"].concat(),
        };
        let unit = match density.cell {
            Some(cell) => texts::scatter::points_per_cell(cell),
            None => texts::scatter::POINTS_PER_BIN.to_owned(),
        };
        let label = texts::scatter::density_ramp(density.most.into(), &unit);
        Some(view! {
            <div class="ramp cells" role="group" aria-label=label>
                <span>"1"</span>
                <i class="colors" style:background-image=gradient>
                    <span>{format::short_count(density.middle.into())}</span>
                </i>
                <span>{format::count(density.most.into())}</span>
                <small>{unit}</small>
                <small>{points}</small>
            </div>
        })
    }
}
