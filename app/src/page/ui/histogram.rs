//! A histogram that brushes: what passes the other filters in front of what there is in
//! all, the chosen range in colour. Used as a view and as the filter of a column.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;

use super::brush::{Axis, Brush};
use crate::page::browser;
use crate::page::signals::{Page, use_page};
use crate::protocol::MarkResult;
use crate::protocol::Request;
use crate::scale::Linear;
use crate::state::command::{Command, Gesture};
use crate::state::figure::columns;
use crate::state::position::{Scalar, between, interval};
use crate::state::ticks::ticks;
use crate::state::{column_clause, format};

const AXIS_HEIGHT: f64 = 18.0;
/// Room for the label of the tallest bar.
const TOP: f64 = 12.0;
const PIXELS_PER_TICK: f64 = 66.0;

/// The numbers of a histogram's answer.
#[derive(Clone, PartialEq)]
struct Bars {
    domain: [f64; 2],
    counts: Vec<u32>,
    unfiltered: Vec<u32>,
    nulls: u64,
}

impl Bars {
    fn of(result: &MarkResult) -> Option<Self> {
        match result {
            MarkResult::Histogram { domain, counts, unfiltered, nulls, .. } => Some(Self {
                domain: *domain,
                counts: counts.clone(),
                unfiltered: unfiltered.clone(),
                nulls: *nulls,
            }),
            _ => None,
        }
    }

    /// The tallest bar of all rows, and of those that pass, each by its own scale if
    /// shapes are compared.
    fn tallest(&self, shapes: bool) -> (u32, u32) {
        let all = self.unfiltered.iter().chain(&self.counts).copied().max().unwrap_or(0);
        let front = self.counts.iter().copied().max().unwrap_or(0);
        if shapes && front > 0 { (all, front) } else { (all, all) }
    }

    fn bin_width(&self) -> f64 {
        (self.domain[1] - self.domain[0]) / self.counts.len().max(1) as f64
    }
}

#[component]
pub(super) fn HistogramChart(
    #[prop(into)] column: Signal<String>,
    #[prop(into)] result: Signal<Option<Arc<MarkResult>>>,
    /// What is under the pointer, for the title to show.
    readout: RwSignal<Option<String>>,
) -> impl IntoView {
    let page = use_page();
    let size = RwSignal::new((0.0, 0.0));
    let container = NodeRef::<html::Div>::new();
    browser::observe_size(container, move |width, height| {
        size.try_set((width, height));
    });
    let scalar = Memo::new(move |_| page.scalar(&column.get()));
    let bars = Memo::new(move |_| result.with(|result| Bars::of(result.as_deref()?)));
    let axis =
        Memo::new(move |_| bars.with(|bars| axis_of(bars.as_ref()?, size.get(), scalar.get()?)));
    let range = Memo::new(move |_| {
        let (clause, scalar) = (page.clause(&column_clause(&column.get()))?, scalar.get()?);
        let (low, high) = interval(&clause, scalar)?;
        let domain = bars.get().map_or([0.0, 0.0], |bars| bars.domain);
        Some([low.unwrap_or(domain[0]), high.unwrap_or(domain[1])])
    });
    let on_change = Callback::new(move |(range, gesture): (Option<[f64; 2]>, Gesture)| {
        if let Some(axis) = axis.get_untracked() {
            choose(page, &column.get_untracked(), axis, range, gesture);
        }
    });
    let on_hover = move |event: web_sys::PointerEvent| {
        let (Some(axis), Some(element)) = (axis.get_untracked(), container.get_untracked()) else {
            return;
        };
        let (x, _) = super::brush::offset(&event, &element);
        readout.set(bars.with_untracked(|bars| words_at(bars.as_ref()?, axis, x)));
    };
    let summary = move || {
        bars.with(|bars| Some(summary(&column.get(), bars.as_ref()?, axis.get()?, range.get())))
    };
    let instead = move || bars.with(|bars| words_instead(bars.as_ref()?, scalar.get()?));
    // The first step of a brush is as quick as the others if the worker knows it is coming.
    let approach = move || {
        let column = column.get_untracked();
        page.link.send(&Request::Approach { column });
    };
    view! {
        <div
            class="histogram"
            node_ref=container
            on:pointerenter=move |_| approach()
            on:focusin=move |_| approach()
            on:pointermove=on_hover
            on:pointerleave=move |_| readout.set(None)
        >
            {move || instead().map(|words| view! { <p class="instead">{words}</p> })}
            <svg
                width=move || size.get().0
                height=move || size.get().1
                role="group"
                aria-label=summary
            >
                <BarPaths bars axis range/>
                <AxisBelow axis/>
                <g transform=format!("translate(0 {TOP})")>
                    <Brush
                        axis=Signal::derive(move || axis.get().map(|axis| Axis { height: axis.height - TOP, ..axis }))
                        interval=range
                        label=column
                        on_change
                    />
                </g>
            </svg>
        </div>
    }
}

fn axis_of(bars: &Bars, (width, height): (f64, f64), scalar: Scalar) -> Option<Axis> {
    let height = (height - AXIS_HEIGHT).max(0.0);
    let bin = bars.bin_width();
    let is_wide = width > 0.0 && bars.domain[0] < bars.domain[1];
    is_wide.then_some(Axis { domain: bars.domain, width, height, scalar, bin })
}

fn choose(page: Page, column: &str, axis: Axis, range: Option<[f64; 2]>, gesture: Gesture) {
    let predicate = range.map(|[low, high]| between(column, axis.scalar, low, high, axis.step()));
    page.dispatch(Command::SetClause { id: column_clause(column), predicate, gesture });
}

/// What is said where there is nothing to draw.
fn words_instead(bars: &Bars, scalar: Scalar) -> Option<String> {
    let [low, high] = bars.domain;
    let total: u64 = bars.unfiltered.iter().map(|count| u64::from(*count)).sum();
    match total {
        0 => Some("No values to draw".to_owned()),
        _ if low >= high => Some(format!("Every value is {}", format::position(low, scalar, 1e-6))),
        _ => None,
    }
}

/// Three layers: all rows, rows that pass the other filters, and those in the range.
#[component]
fn BarPaths(
    bars: Memo<Option<Bars>>,
    axis: Memo<Option<Axis>>,
    range: Memo<Option<[f64; 2]>>,
) -> impl IntoView {
    let page = use_page();
    let paths = move || {
        bars.with(|bars| {
            let (bars, axis) = (bars.as_ref()?, axis.get()?);
            let (all, front) = bars.tallest(page.shapes.get());
            Some((bar_path(&bars.unfiltered, all, axis), bar_path(&bars.counts, front, axis)))
        })
    };
    let chosen = move || {
        let (axis, [low, high]) = (axis.get()?, range.get()?);
        let pixels = Linear::new(axis.domain, [0.0, axis.width]);
        let within = |position: f64| pixels.position(position).clamp(0.0, axis.width);
        Some((within(low), (within(high) - within(low)).max(1.0), axis.height))
    };
    let tallest = move || {
        bars.with(|bars| {
            bars.as_ref()
                .map(|bars| format::short_count(u64::from(bars.tallest(page.shapes.get()).1)))
        })
    };
    move || {
        let (ghost, front) = paths()?;
        let chosen = chosen();
        let muted = chosen.is_some();
        Some(view! {
            <path class="bars-ghost" d=ghost></path>
            <path class="bars-front" class:muted=muted d=front.clone()></path>
            // A picture within the picture cuts what lies outside of the range.
            {chosen.map(|(x, width, height)| view! {
                <svg x=x width=width height=height viewBox=format!("{x} 0 {width} {height}")>
                    <path class="bars-front" d=front></path>
                </svg>
            })}
            <text class="tallest" x="2" y="9">{tallest}</text>
        })
    }
}

fn bar_path(counts: &[u32], tallest: u32, axis: Axis) -> String {
    columns(counts, tallest, axis.width, axis.height - TOP, axis.height)
}

#[component]
fn AxisBelow(axis: Memo<Option<Axis>>) -> impl IntoView {
    move || {
        let axis = axis.get()?;
        let marks = ticks(axis.domain, axis.scalar, axis.width, PIXELS_PER_TICK);
        let pixels = Linear::new(axis.domain, [0.0, axis.width]);
        let marks = marks.into_iter().map(|(value, label)| {
            let x = pixels.position(value);
            let anchor = anchor(x, axis.width, label.chars().count());
            view! {
                <g transform=format!("translate({x:.1} {:.1})", axis.height)>
                    <line y2="4"></line>
                    <text y="14" text-anchor=anchor>{label}</text>
                </g>
            }
        });
        Some(view! {
            <g class="axis" aria-hidden="true">
                <line x2=axis.width transform=format!("translate(0 {})", axis.height)></line>
                {marks.collect_view()}
            </g>
        })
    }
}

/// Labels at the ends stay inside.
pub(super) fn anchor(x: f64, width: f64, n_chars: usize) -> &'static str {
    let half = n_chars as f64 * 3.2;
    match x {
        x if x < half => "start",
        x if x > width - half => "end",
        _ => "middle",
    }
}

/// The bin under the pointer, in words.
fn words_at(bars: &Bars, axis: Axis, x: f64) -> Option<String> {
    let many = bars.counts.len();
    let at = (x / axis.width * many as f64).floor();
    if !(0.0..many as f64).contains(&at) {
        return None;
    }
    let width = bars.bin_width();
    let low = bars.domain[0] + at * width;
    let step = width / 10.0;
    let (count, all) = (*bars.counts.get(at as usize)?, *bars.unfiltered.get(at as usize)?);
    let counts = match count == all {
        true => format::count(u64::from(all)),
        false => {
            format!("{} of {}", format::count(u64::from(count)), format::count(u64::from(all)))
        }
    };
    Some(format!(
        "{} – {}: {counts}",
        format::position(low, axis.scalar, step),
        format::position(low + width, axis.scalar, step)
    ))
}

fn summary(column: &str, bars: &Bars, axis: Axis, range: Option<[f64; 2]>) -> String {
    let [low, high] = bars.domain.map(|end| format::position(end, axis.scalar, axis.step()));
    let total: u64 = bars.counts.iter().map(|count| u64::from(*count)).sum();
    let peak = bars.counts.iter().enumerate().max_by_key(|(_, count)| **count).map(|(at, _)| {
        let middle = bars.domain[0] + (at as f64 + 0.5) * bars.bin_width();
        format!(", most around {}", format::position(middle, axis.scalar, bars.bin_width()))
    });
    let range = range.map(|range| {
        let [low, high] = range.map(|end| format::position(end, axis.scalar, axis.step()));
        format!(". Selected {low} to {high}")
    });
    let nulls = match bars.nulls {
        0 => String::new(),
        nulls => format!(", {} missing", format::count(nulls)),
    };
    format!(
        "Histogram of {column}: {} from {low} to {high}{}{nulls}{}",
        format::counted(total, "row"),
        peak.unwrap_or_default(),
        range.unwrap_or_default()
    )
}
