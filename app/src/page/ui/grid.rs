//! Heat maps, lines and boxes: their markup is the state's, what pointer and keys do is
//! here. Cells of a heat map are chosen by a click or a drag, steps of a line by a brush,
//! groups of boxes by a click; arrows walk over all of them.

mod title;

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use engine::predicate::Predicate;
use leptos::html;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

use super::brush::{Axis, Brush, capture, offset};
use super::icon::Icon;
use super::view_frame::ViewFrame;
use super::views::{mark_of, result_of};
use crate::draw::Theme;
use crate::draw::palette::{OTHER, Palette};
use crate::page::browser;
use crate::page::parts::{Fetched, made, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::{Grid, Mark, MarkResult, Request, Side, ViewId};
use crate::state::chart::{Chart, Drawing};
use crate::state::command::{Command, Gesture};
use crate::state::position::{between, interval};
use crate::state::{cells, choice, column_clause, describe};
use crate::texts;

/// Steps of the ramp.
const RAMP: usize = 12;

/// What the parts of one chart share.
#[derive(Clone, Copy)]
pub(super) struct GridView {
    page: Page,
    id: ViewId,
    mark: Derived<Option<Mark>>,
    result: Derived<Option<Arc<MarkResult>>>,
    size: Lasting<(f64, f64)>,
    /// The cell under the pointer, or where the arrows are.
    cursor: Lasting<Option<[usize; 2]>>,
    /// The cells that a drag is over: from, and to.
    drag: Lasting<Option<[[usize; 2]; 2]>>,
}

/// The colours of series, then of all others; and the ramp.
pub(in crate::page) fn colors(
    many: usize,
    other: bool,
    theme: Theme,
) -> (Vec<String>, Vec<String>) {
    let palette = Palette::categorical(theme);
    let index = |at: usize| if other && at + 1 == many { OTHER } else { at as u8 };
    let series = (0..many).map(|at| palette.color(index(at)).css()).collect();
    (series, Palette::ramp(theme, Default::default(), false).ramp_css(RAMP))
}

/// What is drawn of a mark's answer, handed to `use_it`.
pub(in crate::page) fn with_chart<T>(
    page: Page,
    mark: &Mark,
    grid: &Grid,
    theme: Theme,
    use_it: impl FnOnce(&Chart<'_>) -> T,
) -> T {
    let column = |mark: &Mark, at: usize| mark.columns().get(at).and_then(|name| page.scalar(name));
    let y = if let Mark::Heat { .. } = mark { column(mark, 1) } else { None };
    let other = matches!(grid.y, Side::Names { other: true, .. });
    let (colors, ramp) = colors(grid.y.many(), other, theme);
    let clause = match mark {
        Mark::Boxes { by: Some(by), .. } => page.clause(&column_clause(by)),
        _ => None,
    };
    let chosen: Vec<bool> = match (&clause, &grid.y) {
        (Some(clause), Side::Names { values, .. }) => {
            let chosen = choice::values(Some(clause));
            values.iter().map(|value| chosen.contains(value)).chain([false]).collect()
        }
        _ => Vec::new(),
    };
    let (colors, ramp, x) = (&colors, &ramp, column(mark, 0));
    use_it(&Chart { mark, grid, x, y, colors, ramp, chosen: &chosen, shapes: page.shapes.get() })
}

impl GridView {
    fn with<T>(self, use_it: impl FnOnce(&Chart<'_>) -> Option<T>) -> Option<T> {
        let (mark, result) = (self.mark.get()?, self.result.get()?);
        let MarkResult::Grid(grid) = result.as_ref() else { return None };
        let theme = Theme::of(self.page.is_dark());
        with_chart(self.page, &mark, grid, theme, use_it)
    }

    /// The clause that this view makes.
    fn clause_id(self) -> String {
        let mark = self.mark.get();
        mark.map(|mark| crate::protocol::View { id: self.id, mark }.own_clause())
            .unwrap_or_default()
    }

    fn set_clause(self, predicate: Option<Predicate>, gesture: Gesture) {
        let id = untrack(|| self.clause_id());
        self.page.dispatch(Command::SetClause { id, predicate, gesture });
    }

    /// Chooses the cells of a box, or takes them away where they are chosen.
    fn choose(self, from: [usize; 2], to: [usize; 2], gesture: Gesture) {
        let chosen = untrack(|| {
            self.with(|chart| {
                let Mark::Heat { x, y, .. } = chart.mark else { return None };
                let run = |side: usize| [from[side].min(to[side]), from[side].max(to[side])];
                Some(cells::cells([
                    cells::along(x, &chart.grid.x, chart.x, run(0)),
                    cells::along(y, &chart.grid.y, chart.y, run(1)),
                ]))
            })
        });
        let is_same = from == to
            && chosen.is_some()
            && untrack(|| self.page.clause(&self.clause_id())) == chosen;
        self.set_clause(chosen.filter(|_| !is_same), gesture);
    }

    /// Chooses a group, or no longer.
    fn toggle(self, line: usize, only: bool) {
        let next = untrack(|| {
            self.with(|chart| {
                let Mark::Boxes { by: Some(by), .. } = chart.mark else { return None };
                let Side::Names { values, .. } = &chart.grid.y else { return None };
                let clause = self.page.clause(&column_clause(by));
                let value = values.get(line)?;
                Some(match only {
                    true => choice::only(by, clause.as_ref(), value),
                    false => choice::toggled(by, clause.as_ref(), value),
                })
            })
        });
        if let Some(predicate) = next {
            self.set_clause(predicate, Gesture::Done);
        }
    }

    fn cell_at(
        self,
        event: &PointerEvent,
        drawing: &Drawing,
        area: NodeRef<html::Div>,
    ) -> Option<[usize; 2]> {
        let (x, y) = offset(event, &*area.get_untracked()?);
        untrack(|| self.with(|chart| chart.cell_at(drawing, x, y)))
    }

    /// Where a key moves the cursor to.
    fn moved(self, key: &str) -> Option<[usize; 2]> {
        // Every other key is somebody else's, wherever the cursor is.
        let keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
        if !keys.contains(&key) {
            return None;
        }
        untrack(|| {
            self.with(|chart| {
                let (width, height) = (chart.grid.x.many(), chart.grid.y.many());
                let (right, last) = (width.checked_sub(1)?, height.checked_sub(1)?);
                let Some([x, y]) = self.cursor.get() else { return Some([0, 0]) };
                let upward = matches!(chart.grid.y, Side::Bins { .. });
                let (above, below) = ((y + 1).min(last), y.saturating_sub(1));
                let (up, down) = if upward { (above, below) } else { (below, above) };
                Some(match key {
                    "ArrowLeft" => [x.saturating_sub(1), y],
                    "ArrowRight" => [(x + 1).min(right), y],
                    "ArrowUp" => [x, up],
                    "ArrowDown" => [x, down],
                    "Home" => [0, y],
                    _ => [right, y],
                })
            })
        })
    }

    fn key(self, event: &KeyboardEvent) {
        match event.key().as_str() {
            "Escape" => {
                self.cursor.set(None);
                self.set_clause(None, Gesture::Done);
            }
            " " | "Enter" => {
                let Some(at) = self.cursor.get_untracked() else { return };
                match self.mark.get_untracked() {
                    Some(Mark::Heat { .. }) => self.choose(at, at, Gesture::Done),
                    Some(Mark::Boxes { .. }) => self.toggle(at[1], event.alt_key()),
                    _ => return,
                }
            }
            key => {
                let Some(to) = self.moved(key) else { return };
                let is_heat = matches!(self.mark.get_untracked(), Some(Mark::Heat { .. }));
                if event.shift_key() && is_heat {
                    // With Shift the box grows from where it began.
                    let began = self.drag.get_untracked().map(|[from, _]| from);
                    let from = began.or(self.cursor.get_untracked()).unwrap_or(to);
                    self.drag.set(Some([from, to]));
                    self.choose(from, to, Gesture::Done);
                } else {
                    self.drag.set(None);
                }
                self.cursor.set(Some(to));
            }
        }
        event.prevent_default();
        event.stop_propagation();
    }
}

#[wasm_split(charts, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn grid_chart(id: ViewId) -> Fetched {
    made(move || view! { <GridChart id/> })
}

#[component]
fn GridChart(id: ViewId) -> impl IntoView {
    let page = use_page();
    let view = GridView {
        page,
        id,
        mark: mark_of(page, id),
        result: result_of(page, id),
        size: Lasting::new((0.0, 0.0)),
        cursor: Lasting::new(None),
        drag: Lasting::new(None),
    };
    let name = Signal::derive(move || {
        view.mark.with(|mark| mark.as_ref().map(describe::mark).unwrap_or_default())
    });
    let clear = move |_| view.set_clause(None, Gesture::Done);
    let words = move || view.cursor.get().and_then(|at| view.with(|chart| Some(chart.cell(at))));
    let said = move || {
        match words() {
        Some(text) => Some(view! { <span>{text}</span> }.into_any()),
        None => page.clause(&view.clause_id()).map(|clause| {
            view! {
                <button type="button" class="own-clause" title=texts::filters::CLEAR_THIS on:click=clear>
                    {describe::predicate(&clause)} {Icon::Cancel.view()}
                </button>
            }
            .into_any()
        }),
    }
    };
    view! {
        <ViewFrame
            id
            class="large chart"
            name=name
            result=view.result
            title=move || view! { <title::Title view/> }
            menu=move || view! { <title::GridMenu view/> }
            readout=said
        >
            <Plot view/>
        </ViewFrame>
    }
}

#[component]
fn Plot(view: GridView) -> impl IntoView {
    let area = NodeRef::<html::Div>::new();
    browser::observe_size(area, move |width, height| {
        view.size.try_set((width, height));
    });
    let drawing = Derived::new(move |_| {
        view.with(|chart| Some(chart.draw(view.size.get()))).unwrap_or_default()
    });
    let is_heat = move || matches!(view.mark.get(), Some(Mark::Heat { .. }));
    let at = move |event: &PointerEvent| drawing.with_untracked(|d| view.cell_at(event, d, area));
    let on_down = move |event: PointerEvent| {
        if event.button() == 0
            && untrack(is_heat)
            && let Some(cell) = at(&event)
        {
            capture(&event);
            view.drag.set(Some([cell, cell]));
        }
    };
    let on_move = move |event: PointerEvent| {
        let cell = at(&event);
        view.cursor.set(cell);
        if let (Some(cell), Some([from, to])) = (cell, view.drag.get_untracked())
            && event.buttons() & 1 == 1
            && cell != to
        {
            view.drag.set(Some([from, cell]));
            view.choose(from, cell, Gesture::Moving);
        }
    };
    let on_up = move |event: PointerEvent| match view.drag.get_untracked() {
        Some([from, to]) => {
            view.drag.set(None);
            view.choose(from, to, Gesture::Done);
        }
        None => {
            let is_boxes = matches!(view.mark.get_untracked(), Some(Mark::Boxes { .. }));
            if let (true, Some([_, line])) = (is_boxes, at(&event)) {
                view.toggle(line, event.alt_key());
            }
        }
    };
    let summary = move || view.with(|chart| Some(chart.summary())).unwrap_or_default();
    // The time of a line may be brushed. Not heard by the picture itself: one that listens for
    // the focus is a stop of the keyboard in some browsers.
    let approach = move || {
        if let Some(Mark::Line { time, .. }) = view.mark.get_untracked() {
            view.page.link.send(&Request::Approach { column: time });
        }
    };
    let nothing = move || {
        let is_empty =
            view.with(|chart| Some(chart.grid.unfiltered.iter().all(|count| *count == 0)));
        let words = || view! { <p class="instead">{texts::charts::NO_VALUES}</p> };
        (is_empty == Some(true)).then(words)
    };
    let kind = move || match view.mark.get() {
        Some(Mark::Line { .. }) => texts::grid::LINE_CHART,
        Some(Mark::Boxes { .. }) => texts::grid::BOX_PLOT,
        _ => texts::grid::HEAT_MAP,
    };
    view! {
        <div
            class="grid-chart"
            class:choosable=is_heat
            node_ref=area
            tabindex="0"
            role="application"
            aria-roledescription=kind
            aria-label=summary
            on:pointerenter=move |_| approach()
            on:focusin=move |_| approach()
            on:pointerdown=on_down
            on:pointermove=on_move
            on:pointerup=on_up
            on:pointercancel=move |_| view.drag.set(None)
            on:pointerleave=move |_| view.cursor.set(None)
            on:keydown=move |event| view.key(&event)
            on:blur=move |_| view.cursor.set(None)
        >
            {nothing}
            <svg
                class="grid-marks"
                aria-hidden="true"
                width=move || view.size.get().0
                height=move || view.size.get().1
                inner_html=move || drawing.with(|drawing| drawing.markup.clone())
            ></svg>
            <Overlay view drawing/>
            <TimeBrush view drawing/>
            <p class="sr-only" aria-live="polite">
                {move || view.cursor.get().and_then(|at| view.with(|chart| Some(chart.cell(at))))}
            </p>
        </div>
    }
}

/// What is chosen, and where the cursor is.
#[component]
fn Overlay(view: GridView, drawing: Derived<Drawing>) -> impl IntoView {
    let rect = move |class: &'static str, [x, y]: [[usize; 2]; 2]| {
        view.with(|chart| {
            let Drawing { left, top, width, height, .. } = drawing.get();
            let (across, down) = (chart.grid.x.many() as f64, chart.grid.y.many() as f64);
            let lines = match chart.grid.y {
                Side::Bins { .. } => [down - y[1] as f64 - 1.0, down - y[0] as f64],
                _ => [y[0] as f64, y[1] as f64 + 1.0],
            };
            let (x, y) = (left + x[0] as f64 / across * width, top + lines[0] / down * height);
            let cell = width / across;
            let wide = view.with(|chart| match chart.mark {
                Mark::Heat { .. } => Some(cell),
                _ => None,
            });
            Some((class, x, y, wide, (lines[1] - lines[0]) / down * height))
        })
    };
    let chosen = move || {
        let runs = view.with(|chart| {
            let Mark::Heat { x, y, .. } = chart.mark else { return None };
            let clause = view.page.clause(&view.clause_id())?;
            let sides =
                [(x.as_str(), &chart.grid.x, chart.x), (y.as_str(), &chart.grid.y, chart.y)];
            cells::chosen(&clause, sides)
        })?;
        let (class, x, y, cell, tall) = rect("box", runs)?;
        let wide = cell? * (runs[0][1] - runs[0][0] + 1) as f64;
        Some(view! { <rect class=class x=x y=y width=wide height=tall></rect> })
    };
    let cursor = move || {
        let [x, y] = view.cursor.get()?;
        let (class, left, y, cell, tall) = rect("cell-cursor", [[x, x], [y, y]])?;
        match cell {
            Some(wide) => Some(view! { <rect class=class x=left y=y width=wide height=tall></rect> }.into_any()),
            // Of a line, the step; of boxes, the group.
            None => view.with(|chart| {
                let Drawing { left, top, width, height, .. } = drawing.get();
                match (chart.mark, &chart.grid.x) {
                    (Mark::Line { .. }, Side::Bins { edges }) => {
                        let scale = crate::scale::Linear::new([*edges.first()?, *edges.last()?], [left, left + width]);
                        let middle = (edges.get(x)? + edges.get(x + 1)?) / 2.0;
                        let at = scale.position(middle);
                        Some(view! { <line class="step-cursor" x1=at x2=at y1=top y2=top + height></line> }.into_any())
                    }
                    _ => Some(view! { <rect class=class x=left y=y width=width height=tall></rect> }.into_any()),
                }
            }),
        }
    };
    view! { <svg class="overlay" aria-hidden="true">{chosen} {cursor}</svg> }
}

/// The range of time that is the column's filter, over a line.
#[component]
fn TimeBrush(view: GridView, drawing: Derived<Drawing>) -> impl IntoView {
    let page = view.page;
    let time = Derived::new(move |_| match view.mark.get() {
        Some(Mark::Line { time, .. }) => Some(time),
        _ => None,
    });
    let scalar = Derived::new(move |_| page.scalar(&time.get()?));
    let axis = Derived::new(move |_| {
        let drawing = drawing.get();
        let scalar = scalar.get()?;
        view.with(|chart| match (&chart.grid.x, chart.mark) {
            (Side::Bins { edges }, Mark::Line { .. }) => {
                let domain = [*edges.first()?, *edges.last()?];
                let bin = (domain[1] - domain[0]) / (edges.len() - 1).max(1) as f64;
                let (width, height) = (drawing.width, drawing.height);
                Some(Axis { domain, width, height, scalar, bin, log: false })
            }
            _ => None,
        })
    });
    let range = Signal::derive(move || {
        let (clause, axis) = (page.clause(&column_clause(&time.get()?))?, axis.get()?);
        let (low, high) = interval(&clause, axis.scalar)?;
        Some([low.unwrap_or(axis.domain[0]), high.unwrap_or(axis.domain[1])])
    });
    let label = Signal::derive(move || time.get().unwrap_or_default());
    let on_change = Callback::new(move |(range, gesture): (Option<[f64; 2]>, Gesture)| {
        let (Some(time), Some(axis)) = (time.get_untracked(), axis.get_untracked()) else { return };
        let predicate =
            range.map(|[low, high]: [f64; 2]| between(&time, axis.scalar, low, high, axis.step()));
        view.set_clause(predicate, gesture);
    });
    let place = move || drawing.with(|d| format!("translate({:.1} {:.1})", d.left, d.top));
    view! {
        <Show when=move || axis.with(Option::is_some)>
            <svg
                class="time-brush"
                width=move || view.size.get().0
                height=move || view.size.get().1
            >
                <g transform=place><Brush axis interval=range label on_change/></g>
            </svg>
        </Show>
    }
}
