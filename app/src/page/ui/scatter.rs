//! A scatter: its axes, colours and tools in the document, its points drawn by the worker
//! on a canvas of its own. Parts: [`plot`] is the canvas and what lies over it,
//! [`gestures`] what pointer and keys do there, [`axes`] the ticks, [`legend`] the colours.

mod atlas;
mod axes;
mod gestures;
mod legend;
mod look;
mod plot;
mod relief;

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use engine::kind::Kind;
use engine::predicate::Predicate;
use leptos::prelude::*;

use super::icon::Icon;
use super::view_frame::{ColumnSelect, ViewFrame};
use super::views::{mark_of, result_of};
use crate::look::{Look, is_named};
use crate::page::signals::{Page, use_page};
use crate::protocol::{Mark, MarkResult, Varied, ViewId, Viewport};
use crate::state::command::{Command, Gesture};
use crate::state::player::Player;
use crate::state::position::Scalar;
use crate::state::region;
use crate::state::side::{Scale, Side};
use crate::state::ticks::{X_APART, Y_APART};
use crate::state::{describe, figure};
use crate::texts;

/// What the parts of one scatter share: plain values as they are now.
#[derive(Clone, Copy)]
pub(super) struct Scatter {
    pub page: Page,
    pub id: ViewId,
    pub x: Derived<String>,
    pub y: Derived<String>,
    pub color: Derived<Option<String>>,
    pub look: Derived<Look>,
    pub varied: Derived<Varied>,
    pub result: Derived<Option<Arc<MarkResult>>>,
    /// What is shown, once it is known what there is.
    pub viewport: Derived<Option<Viewport>>,
    /// The plot's size in CSS pixels.
    pub size: Lasting<(f64, f64)>,
    /// What a drag selects by, where it does not move.
    pub tool: Lasting<Option<Tool>>,
}

/// How a drag selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Box,
    Lasso,
}

impl Scatter {
    fn new(page: Page, id: ViewId) -> Self {
        let mark = mark_of(page, id);
        let axis = move |pick: fn(&Mark) -> Option<&String>| {
            Derived::new(move |_| {
                mark.with(|mark| mark.as_ref().and_then(pick).cloned().unwrap_or_default())
            })
        };
        let x = axis(|mark| if let Mark::Scatter { x, .. } = mark { Some(x) } else { None });
        let y = axis(|mark| if let Mark::Scatter { y, .. } = mark { Some(y) } else { None });
        let color = Derived::new(move |_| match mark.get() {
            Some(Mark::Scatter { color, .. }) => color,
            _ => None,
        });
        let look = Derived::new(move |_| match mark.get() {
            Some(Mark::Scatter { look, .. }) => look,
            _ => Look::default(),
        });
        let varied = Derived::new(move |_| match mark.get() {
            Some(Mark::Scatter { varied, .. }) => varied,
            _ => Varied::default(),
        });
        Self {
            page,
            id,
            look,
            varied,
            x,
            y,
            color,
            result: result_of(page, id),
            viewport: Derived::new(move |_| page.viewport(id)),
            size: Lasting::new((0.0, 0.0)),
            tool: Lasting::new(None),
        }
    }

    fn clause_id(self) -> String {
        format!("view:{}", self.id.0)
    }

    fn set_viewport(self, viewport: Option<Viewport>, gesture: Gesture) {
        self.page.dispatch(Command::SetViewport { view: self.id, viewport, gesture });
    }

    /// Both axes, once it is known what they are of.
    fn sides(self) -> Option<[Side; 2]> {
        let look = self.look.get();
        self.result.with(|result| {
            let side = |name: &str, axis| side_of(self.page, name, (axis, look), result.as_deref());
            Some([side(&self.x.get(), 0)?, side(&self.y.get(), 1)?])
        })
    }

    /// The same columns, drawn otherwise.
    fn put(self, look: Look, varied: Varied) {
        let mark = Mark::Scatter {
            x: self.x.get_untracked(),
            y: self.y.get_untracked(),
            color: self.color.get_untracked(),
            look,
            varied,
        };
        self.page.dispatch(Command::SetMark { view: self.id, mark });
    }

    /// Whether an axis can be one of logarithms.
    fn has_log(self, axis: usize) -> bool {
        let name = if axis == 0 { self.x.get() } else { self.y.get() };
        self.page.column(&name).is_some_and(|column| column.kind == Kind::Number)
    }

    /// What a pixel is worth on either axis.
    fn steps(self) -> Option<[f64; 2]> {
        let shown = self.viewport.get_untracked()?;
        let (width, height) = self.size.get_untracked();
        Some([
            (shown.x[1] - shown.x[0]) / width.max(1.0),
            (shown.y[1] - shown.y[0]) / height.max(1.0),
        ])
    }

    /// A box, in places of the axes, as a predicate.
    fn box_of(self, Viewport { x, y }: Viewport) -> Option<Predicate> {
        let ([across, up], [x_step, y_step]) = (untrack(|| self.sides())?, self.steps()?);
        let parts = vec![across.within(x[0], x[1], x_step), up.within(y[0], y[1], y_step)];
        Some(Predicate::And(parts))
    }

    /// An outline, in places of the axes, as a predicate.
    fn outline_of(self, corners: &[[f64; 2]]) -> Option<Predicate> {
        let ([across, up], steps) = (untrack(|| self.sides())?, self.steps()?);
        region::outline(&across, &up, corners, steps)
    }

    /// Makes this the view's filter.
    fn set_clause(self, predicate: Option<Predicate>, gesture: Gesture) {
        self.page.dispatch(Command::SetClause { id: self.clause_id(), predicate, gesture });
    }
}

/// The axis of this number of a scatter, once it is known what lies along it.
fn side_of(
    page: Page,
    name: &str,
    (axis, look): (usize, Look),
    result: Option<&MarkResult>,
) -> Option<Side> {
    let column = page.column(name)?;
    let scalar = Scalar::from_type(&column.data_type, column.kind);
    let scale = match result {
        _ if look.is_log(axis, column.kind) => Scale::Log,
        _ if !is_named(column.kind) => Scale::Linear,
        Some(MarkResult::Scatter { names, .. }) => {
            Scale::Names { names: names.get(axis)?.clone(), axis }
        }
        _ => return None,
    };
    Some(Side {
        column: name.to_owned(),
        scalar: scalar.unwrap_or(Scalar::Float),
        per_unit: Scalar::stored_per_unit(&column.data_type),
        scale,
    })
}

/// The axes of a scatter as they are drawn in a figure of this size.
pub(in crate::page) fn axes_of(
    page: Page,
    view: ViewId,
    [width, height]: [f64; 2],
) -> Option<[figure::Side; 2]> {
    untrack(|| {
        let (shown, result) = (page.viewport(view)?, page.result(view));
        let mark = page.model.with(|model| model.chosen.view(view).map(|view| view.mark.clone()));
        let Some(Mark::Scatter { x, y, look, .. }) = mark else { return None };
        let side = |name: String, axis: usize, (domain, range, apart): (_, _, f64)| {
            let side = side_of(page, &name, (axis, look), result.as_deref())?;
            Some(figure::Side { label: name, marks: axes::marks(&side, domain, range, apart) })
        };
        let across = side(x, 0, (shown.x, [0.0, width], X_APART))?;
        Some([across, side(y, 1, (shown.y, [height, 0.0], Y_APART))?])
    })
}

#[component]
pub(super) fn ScatterView(id: ViewId) -> impl IntoView {
    let page = use_page();
    let scatter = Scatter::new(page, id);
    let name = Signal::derive(move || texts::scatter::name(&scatter.x.get(), &scatter.y.get()));
    let is_named = move || {
        let named = page.column(&scatter.y.get()).map(|column| is_named(column.kind));
        named.unwrap_or_default()
    };
    view! {
        <ViewFrame
            id
            class="large"
            name=name
            result=scatter.result
            title=move || view! { <Pickers scatter/> }
            menu=move || view! { <ScatterMenu scatter/> }
            readout=move || view! { <Readout scatter/> }
        >
            <div class="scatter" class:named=is_named>
                <axes::Axes scatter/>
                <plot::Plot scatter/>
                <div class="legends">
                    <legend::LegendBox scatter/>
                    <legend::StampsLegend scatter/>
                    <relief::CountsLegend scatter/>
                </div>
            </div>
        </ViewFrame>
    }
}

/// Which columns are on the axes and in the colours.
#[component]
fn Pickers(scatter: Scatter) -> impl IntoView {
    let page = scatter.page;
    let columns = move |fits: fn(&crate::protocol::ColumnInfo) -> bool| {
        Signal::derive(move || {
            let schema = page.schema();
            let columns = schema.iter().flat_map(|schema| &schema.columns);
            columns
                .filter(|column| fits(column))
                .map(|column| column.name.clone())
                .collect::<Vec<_>>()
        })
    };
    let columns = columns(|column| !matches!(column.kind, Kind::Vector | Kind::Nested));
    let set = move |change: &dyn Fn(&mut String, &mut String, &mut Option<String>)| {
        let mut x = scatter.x.get_untracked();
        let mut y = scatter.y.get_untracked();
        let mut color = scatter.color.get_untracked();
        change(&mut x, &mut y, &mut color);
        let look = scatter.look.get_untracked();
        // Logarithms were of the column that was there.
        let is_same = [x == scatter.x.get_untracked(), y == scatter.y.get_untracked()];
        let log = [look.log[0] && is_same[0], look.log[1] && is_same[1]];
        let look = Look { log, ..look };
        let varied = scatter.varied.get_untracked();
        let mark = Mark::Scatter { x, y, color, look, varied };
        page.dispatch(Command::SetMark { view: scatter.id, mark });
    };
    let set_x = Callback::new(move |name: String| set(&|x, _, _| x.clone_from(&name)));
    let set_y = Callback::new(move |name: String| set(&|_, y, _| y.clone_from(&name)));
    let set_color = Callback::new(move |name: String| {
        set(&|_, _, color| *color = (!name.is_empty()).then(|| name.clone()));
    });
    view! {
        <ColumnSelect label=texts::scatter::VERTICAL_AXIS names=columns chosen=scatter.y on_choose=set_y/>
        <span class="by">{texts::scatter::BY}</span>
        <ColumnSelect label=texts::scatter::HORIZONTAL_AXIS names=columns chosen=scatter.x on_choose=set_x/>
        <span class="by">{texts::scatter::COLORED_BY}</span>
        <ColumnSelect
            label=texts::scatter::COLOR
            names=columns
            chosen=Signal::derive(move || scatter.color.get().unwrap_or_default())
            none=texts::scatter::NO_COLOR
            on_choose=set_color
        />
    }
}

/// How many points there are, what is selected, and the tools of this view.
#[component]
fn Readout(scatter: Scatter) -> impl IntoView {
    let page = scatter.page;
    let counts = move || {
        scatter.result.with(|result| match result.as_deref() {
            Some(MarkResult::Scatter { points, density, without_log, names, .. }) => {
                let points = texts::counts::points(*points);
                let left_out = region::left_out(*without_log, names);
                let density = density.then_some(texts::scatter::COUNTED_IN_BINS);
                let all = std::iter::once(points.as_str());
                let all = all.chain(left_out.iter().map(String::as_str)).chain(density);
                let title = all.collect::<Vec<_>>().join(", ");
                // Where there is little room, what is missing is said first.
                let points = if left_out.is_empty() { points } else { points + ", " };
                let left_out = left_out.join(", ");
                let density = density.map(|density| [", ", density].concat());
                Some(view! {
                    <span title=title>
                        <span class="all">{points}</span>
                        {left_out}
                        <span class="all">{density}</span>
                    </span>
                })
            }
            _ => None,
        })
    };
    let clause = move || page.clause(&scatter.clause_id());
    let own = move || {
        clause().map(|clause| {
        let clear = move |_| scatter.set_clause(None, Gesture::Done);
        view! {
            <button type="button" class="own-clause" title=describe::predicate(&clause) on:click=clear>
                {region::name(&clause)} {Icon::Cancel.view()}
            </button>
        }
    })
    };
    let is_zoomed = move || {
        page.model.with(|m| m.chosen.view(scatter.id).is_some_and(|v| v.viewport.is_some()))
    };
    let fit = move |_| scatter.set_viewport(None, Gesture::Done);
    let toggle = move |tool: Tool| {
        scatter
            .tool
            .update(|chosen| *chosen = if *chosen == Some(tool) { None } else { Some(tool) });
    };
    let pressed = move |tool: Tool| move || (scatter.tool.get() == Some(tool)).to_string();
    view! {
        <span class="points">{counts}</span>
        {own}
        <button
            type="button"
            class="icon-button"
            title=texts::scatter::SELECT_BOX_HINT
            aria-label=texts::scatter::SELECT_BOX
            aria-pressed=pressed(Tool::Box)
            on:click=move |_| toggle(Tool::Box)
        >
            {Icon::Select.view()}
        </button>
        <button
            type="button"
            class="icon-button"
            title=texts::scatter::SELECT_LASSO_HINT
            aria-label=texts::scatter::SELECT_LASSO
            aria-pressed=pressed(Tool::Lasso)
            on:click=move |_| toggle(Tool::Lasso)
        >
            {Icon::Lasso.view()}
        </button>
        <look::LookPanel scatter/>
        <button
            type="button"
            class="icon-button"
            title=texts::scatter::SHOW_EVERYTHING_HINT
            aria-label=texts::scatter::SHOW_EVERYTHING
            disabled=move || !is_zoomed()
            on:click=fit
        >
            {Icon::Fit.view()}
        </button>
    }
}

#[component]
fn ScatterMenu(scatter: Scatter) -> impl IntoView {
    let page = scatter.page;
    let swap = move |_| {
        let look = scatter.look.get_untracked();
        let look = Look { log: [look.log[1], look.log[0]], ..look };
        let mark = Mark::Scatter {
            x: scatter.y.get_untracked(),
            y: scatter.x.get_untracked(),
            color: scatter.color.get_untracked(),
            look,
            varied: scatter.varied.get_untracked(),
        };
        page.dispatch(Command::SetMark { view: scatter.id, mark });
    };
    let select_shown = move |_| {
        let shown = scatter.viewport.get_untracked().and_then(|shown| scatter.box_of(shown));
        scatter.set_clause(shown, Gesture::Done);
    };
    let times = Signal::derive(move || {
        let schema = page.schema();
        let columns = schema.iter().flat_map(|schema| &schema.columns);
        let played = columns.filter(|c| Scalar::from_type(&c.data_type, c.kind).is_some());
        played.map(|column| column.name.clone()).collect::<Vec<_>>()
    });
    let played = Signal::derive(move || {
        let player = page.model.with(|model| model.chosen.player.clone());
        player.map(|player| player.column).unwrap_or_default()
    });
    let play = Callback::new(move |name: String| {
        let player = (!name.is_empty()).then(|| Player::of(name));
        page.dispatch(Command::Play { player });
    });
    let toggles = [1, 0].map(|axis| {
        let name = move || if axis == 0 { scatter.x.get() } else { scatter.y.get() };
        let is_log = move || scatter.look.with(|look| look.log.get(axis) == Some(&true));
        let turn = move |_| {
            let mut look = scatter.look.get_untracked();
            if let Some(log) = look.log.get_mut(axis) {
                *log = !*log;
            }
            page.dispatch(Command::SetLook { view: scatter.id, look, gesture: Gesture::Done });
        };
        view! {
            <button
                type="button"
                class="toggle"
                aria-pressed=move || is_log().to_string()
                disabled=move || !scatter.has_log(axis)
                on:click=turn
            >
                {Icon::Check.view()} {move || texts::scatter::log_axis_of(&name())}
            </button>
        }
    });
    view! {
        {toggles}
        <div class="menu-row">
            <span>{texts::scatter::PLAY_OVER}</span>
            <ColumnSelect label=texts::scatter::PLAY_OVER names=times chosen=played none=texts::scatter::PLAY_NOTHING on_choose=play/>
        </div>
        <button type="button" on:click=swap>{Icon::Refresh.view()} {texts::scatter::SWAP_AXES}</button>
        <button type="button" on:click=select_shown>{Icon::Select.view()} {texts::scatter::SELECT_SHOWN}</button>
    }
}
