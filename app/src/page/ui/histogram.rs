//! A histogram that brushes: what passes the other filters in front of what there is in
//! all, the chosen range in colour. Used as a view and as the filter of a column.

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use leptos::html;
use leptos::prelude::*;

use super::brush::{Axis, Brush};
use crate::page::browser;
use crate::page::signals::{Page, use_page};
use crate::protocol::{Form, MarkResult, Request};
use crate::state::command::{Command, Gesture};
use crate::state::position::{Scalar, between, interval};
use crate::state::ticks::{log_ticks, ticks};
use crate::state::{column_clause, format, shape};
use crate::texts;

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
    edges: Vec<f64>,
    nulls: u64,
    without_log: u64,
}

impl Bars {
    fn of(result: &MarkResult) -> Option<Self> {
        match result {
            MarkResult::Histogram {
                domain, edges, counts, unfiltered, nulls, without_log, ..
            } => Some(Self {
                domain: *domain,
                counts: counts.clone(),
                unfiltered: unfiltered.clone(),
                edges: edges.clone(),
                nulls: *nulls,
                without_log: *without_log,
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

    /// The ends of a bin.
    fn ends(&self, at: usize) -> [f64; 2] {
        match self.edges.get(at..at + 2) {
            Some(&[low, high]) => [low, high],
            _ => {
                let low = self.domain[0] + at as f64 * self.bin_width();
                [low, low + self.bin_width()]
            }
        }
    }

    fn places(&self, axis: Axis) -> Vec<f64> {
        shape::places(&self.edges, self.domain, self.counts.len(), axis.width, axis.log)
    }
}

#[component]
pub(super) fn HistogramChart(
    #[prop(into)] column: Signal<String>,
    #[prop(into)] result: Signal<Option<Arc<MarkResult>>>,
    /// What is under the pointer, for the title to show.
    readout: Lasting<Option<String>>,
    #[prop(optional, into)] form: Signal<Form>,
) -> impl IntoView {
    let page = use_page();
    let size = Lasting::new((0.0, 0.0));
    let container = NodeRef::<html::Div>::new();
    browser::observe_size(container, move |width, height| {
        size.try_set((width, height));
    });
    let scalar = Derived::new(move |_| page.scalar(&column.get()));
    let bars = Derived::new(move |_| result.with(|result| Bars::of(result.as_deref()?)));
    let axis = Derived::new(move |_| {
        bars.with(|bars| axis_of(bars.as_ref()?, size.get(), scalar.get()?, form.get()))
    });
    let range = Derived::new(move |_| {
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
        readout.set(
            bars.with_untracked(|bars| words_at(bars.as_ref()?, axis, x, form.get_untracked())),
        );
    };
    let summary = move || {
        bars.with(|bars| {
            Some(summary(&column.get(), bars.as_ref()?, axis.get()?, range.get(), form.get()))
        })
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
                <BarPaths bars axis range form/>
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

fn axis_of(bars: &Bars, (width, height): (f64, f64), scalar: Scalar, form: Form) -> Option<Axis> {
    let height = (height - AXIS_HEIGHT).max(0.0);
    let log = form.log_axis && !bars.edges.is_empty();
    let axis = Axis { domain: bars.domain, width, height, scalar, bin: 0.0, log };
    let [low, high] = bars.domain.map(|end| axis.scale().straight(end));
    let bin = (high - low) / bars.counts.len().max(1) as f64;
    (width > 0.0 && low < high).then_some(Axis { bin, ..axis })
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
        0 => Some(texts::charts::NO_VALUES.to_owned()),
        _ if low >= high => {
            Some(texts::charts::every_value_is(&format::position(low, scalar, 1e-6)))
        }
        _ => None,
    }
}

/// Three layers: all rows, rows that pass the other filters, and those in the range.
#[component]
fn BarPaths(
    bars: Derived<Option<Bars>>,
    axis: Derived<Option<Axis>>,
    range: Derived<Option<[f64; 2]>>,
    form: Signal<Form>,
) -> impl IntoView {
    let page = use_page();
    let paths = move || {
        bars.with(|bars| {
            let (bars, axis, form) = (bars.as_ref()?, axis.get()?, form.get());
            let (all, front) = bars.tallest(page.shapes.get());
            let places = bars.places(axis);
            let path = |counts: &[u32], tallest| {
                let heights = shape::heights(counts, tallest, form);
                shape::path(&heights, &places, axis.height - TOP, axis.height)
            };
            Some((path(&bars.unfiltered, all), path(&bars.counts, front)))
        })
    };
    let chosen = move || {
        let (axis, [low, high]) = (axis.get()?, range.get()?);
        let within = |position: f64| axis.scale().position(position).clamp(0.0, axis.width);
        Some((within(low), (within(high) - within(low)).max(1.0), axis.height))
    };
    // All of them are part of the one effect below: what is made anew with every answer may
    // hold none of its own, because a signal never forgets those who listened to it.
    let tallest = move || {
        bars.with(|bars| {
            let (count, form) = (bars.as_ref()?.tallest(page.shapes.get()).1, form.get());
            let count = format::short_count(u64::from(count));
            Some(match form {
                Form { cumulative: true, .. } => texts::charts::ALL_BELOW.to_owned(),
                Form { log_counts: true, .. } => texts::charts::tallest_log(&count),
                _ => count,
            })
        })
    };
    // What a log axis cannot show is not passed over.
    let left_out = move || {
        let (without, width) =
            (bars.with(|bars| bars.as_ref().map_or(0, |b| b.without_log)), axis.get()?.width);
        (without > 0).then(|| {
            let words = texts::charts::not_above_zero_short(without);
            view! { <text class="tallest" x=width - 2.0 y="9" text-anchor="end">{words}</text> }
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
            <text class="tallest" x="2" y="9">{tallest()}</text>
            {left_out()}
        })
    }
}

#[component]
fn AxisBelow(axis: Derived<Option<Axis>>) -> impl IntoView {
    move || {
        let axis = axis.get()?;
        let marks = match axis.log {
            true => log_ticks(axis.domain, axis.width, PIXELS_PER_TICK),
            false => ticks(axis.domain, axis.scalar, axis.width, PIXELS_PER_TICK),
        };
        let pixels = axis.scale();
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
fn words_at(bars: &Bars, axis: Axis, x: f64, form: Form) -> Option<String> {
    let places = bars.places(axis);
    let at = places.partition_point(|place| *place <= x).checked_sub(1)?;
    let (count, all) = (*bars.counts.get(at)?, *bars.unfiltered.get(at)?);
    let [low, high] = bars.ends(at);
    let step = (high - low) / 10.0;
    let [from, to] = [low, high].map(|end| format::position(end, axis.scalar, step));
    if form.cumulative {
        let share = |counts: &[u32]| {
            let before: u64 = counts.iter().take(at + 1).map(|count| u64::from(*count)).sum();
            let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
            format::share(before, total)
        };
        let (here, whole) = (share(&bars.counts), share(&bars.unfiltered));
        // Bins hold where they begin; the last one where it ends, too.
        let is_last = at + 1 == bars.counts.len();
        return Some(texts::charts::share_up_to(is_last, &to, &here, &whole));
    }
    Some(texts::charts::bin(&from, &to, u64::from(count), u64::from(all)))
}

fn summary(column: &str, bars: &Bars, axis: Axis, range: Option<[f64; 2]>, form: Form) -> String {
    let words = |ends: [f64; 2]| ends.map(|end| format::position(end, axis.scalar, axis.step()));
    let peak = bars.counts.iter().enumerate().max_by_key(|(_, count)| **count).map(|(at, _)| {
        let [low, high] = bars.ends(at);
        let middle = low / 2.0 + high / 2.0;
        format::position(middle, axis.scalar, high - low)
    });
    let said = texts::charts::Histogram {
        column,
        is_cumulative: form.cumulative,
        rows: bars.counts.iter().map(|count| u64::from(*count)).sum(),
        ends: words(bars.domain),
        peak,
        nulls: bars.nulls,
        without_log: bars.without_log,
        selected: range.map(words),
    };
    said.summary()
}
