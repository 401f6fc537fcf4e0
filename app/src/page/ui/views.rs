//! The grid of views, and histograms and bar charts among them. Scatters are in
//! [`super::scatter`], heat maps, lines and boxes in [`super::grid`].

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use crate::page::ui::each::Each;
use engine::kind::Kind;
use leptos::prelude::*;

use super::bars::BarsChart;
use super::grid::grid_chart;
use super::histogram::HistogramChart;
use super::icon::{Icon, kind_name};
use super::scatter::ScatterView;
use super::view_frame::{ColumnSelect, ViewFrame};
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::{Form, Mark, MarkResult, ViewId};
use crate::state::command::{Command, Gesture};
use crate::state::position::interval;
use crate::state::{column_clause, defaults, describe};
use crate::texts;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Drawn {
    Scatter,
    Histogram,
    Bars,
    Grid,
}

#[component]
pub(super) fn Views() -> impl IntoView {
    let page = use_page();
    let views = Derived::new(move |_| {
        page.model.with(|model| {
            let views = model.chosen.shown_views().iter();
            views.map(|view| (view.id, drawn(&view.mark))).collect::<Vec<_>>()
        })
    });
    let is_empty = move || page.schema().is_some() && views.with(Vec::is_empty);
    view! {
        <section class="views" aria-label=texts::views::VIEWS>
            <Each each=move || views.get() key=|view| *view let:view>
                {match view.1 {
                    Drawn::Scatter => view! { <ScatterView id=view.0/> }.into_any(),
                    Drawn::Histogram => view! { <HistogramView id=view.0/> }.into_any(),
                    Drawn::Grid => view! { {part(move || grid_chart(view.0))} }.into_any(),
                    Drawn::Bars => view! { <BarsView id=view.0/> }.into_any(),
                }}
            </Each>
            <Show when=is_empty>
                <p class="quiet">{texts::views::NONE}</p>
            </Show>
        </section>
    }
}

fn drawn(mark: &Mark) -> Drawn {
    match mark {
        Mark::Scatter { .. } => Drawn::Scatter,
        Mark::Histogram { .. } => Drawn::Histogram,
        Mark::Bars { .. } => Drawn::Bars,
        Mark::Heat { .. } | Mark::Line { .. } | Mark::Boxes { .. } => Drawn::Grid,
    }
}

/// The mark of a view as it is now; `None` while the view goes away.
pub(super) fn mark_of(page: Page, id: ViewId) -> Derived<Option<Mark>> {
    Derived::new(move |_| {
        page.model.with(|model| model.chosen.view(id).map(|view| view.mark.clone()))
    })
}

pub(super) fn result_of(page: Page, id: ViewId) -> Derived<Option<Arc<MarkResult>>> {
    Derived::new(move |_| page.result(id))
}

fn column_of(mark: Option<&Mark>) -> String {
    match mark {
        Some(Mark::Histogram { column, .. } | Mark::Bars { column, .. }) => column.clone(),
        _ => String::new(),
    }
}

/// The column in the title of a chart of one column: choosing another makes its chart.
#[component]
fn ColumnTitle(id: ViewId, column: Derived<String>) -> impl IntoView {
    let page = use_page();
    let names = Signal::derive(move || {
        let schema = page.schema();
        let columns = schema.iter().flat_map(|schema| &schema.columns);
        let charted = columns.filter(|column| defaults::mark_of(column).is_some());
        charted.map(|column| column.name.clone()).collect::<Vec<_>>()
    });
    let kind = Derived::new(move |_| page.column(&column.get()).map(|column| column.kind));
    let on_choose = Callback::new(move |name: String| {
        if let Some(mark) = page.column(&name).as_ref().and_then(defaults::mark_of) {
            page.dispatch(Command::SetMark { view: id, mark });
        }
    });
    let sign = move || {
        let kind = kind.get().unwrap_or(Kind::Nested);
        view! { <span class="kind" title=kind_name(kind)>{Icon::of_kind(kind).view()}</span> }
    };
    view! {
        {sign}
        <ColumnSelect label=texts::views::COLUMN names chosen=column on_choose/>
    }
}

#[component]
fn HistogramView(id: ViewId) -> impl IntoView {
    let page = use_page();
    let (mark, result) = (mark_of(page, id), result_of(page, id));
    let column = Derived::new(move |_| mark.with(|mark| column_of(mark.as_ref())));
    let form = Signal::derive(move || match mark.get() {
        Some(Mark::Histogram { form, .. }) => form,
        _ => Form::default(),
    });
    let readout = Lasting::new(None::<String>);
    let name = Signal::derive(move || texts::charts::histogram_of(&column.get()));
    let idle = move || {
        let id = column_clause(&column.get());
        page.clause(&id).map(|clause| describe::predicate(&clause))
    };
    let clear = move |_| {
        let (id, gesture) = (column_clause(&column.get_untracked()), Gesture::Done);
        page.dispatch(Command::SetClause { id, predicate: None, gesture });
    };
    let said = move || {
        match readout.get() {
        Some(text) => Some(view! { <span>{text}</span> }.into_any()),
        None => idle().map(|words| {
            view! {
                <button type="button" class="own-clause" title=texts::filters::CLEAR_THIS on:click=clear>
                    {words} {Icon::Cancel.view()}
                </button>
            }
            .into_any()
        }),
    }
    };
    view! {
        <ViewFrame
            id
            class="small"
            name=name
            result=result
            title=move || view! { <ColumnTitle id column/> }
            menu=move || part(move || histogram_menu(id, mark))
            readout=said
        >
            <HistogramChart column result readout form/>
        </ViewFrame>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn histogram_menu(id: ViewId, mark: Derived<Option<Mark>>) -> Fetched {
    made(move || view! { <HistogramMenu id mark/> })
}

/// How many bins, and which part of the axis.
#[component]
fn HistogramMenu(id: ViewId, mark: Derived<Option<Mark>>) -> impl IntoView {
    let page = use_page();
    let put = move |bins: u16, domain: Option<[f64; 2]>, form: Form| {
        let column = mark.with_untracked(|mark| column_of(mark.as_ref()));
        let mark = Mark::Histogram { column, bins, domain, form };
        page.dispatch(Command::SetMark { view: id, mark });
    };
    let shown = move || match mark.get() {
        Some(Mark::Histogram { bins, domain, form, .. }) => (bins, domain, form),
        _ => (defaults::HISTOGRAM_BINS, None, Form::default()),
    };
    let now = move || (shown().0, shown().1);
    let set = move |bins, domain| put(bins, domain, untrack(shown).2);
    let is_number = move || {
        let column = mark.with(|mark| column_of(mark.as_ref()));
        page.scalar(&column).is_some_and(|scalar| !scalar.is_time())
    };
    // What it is called, how it is read, and what a press makes of it.
    let toggle = move |label: &'static str, is: fn(Form) -> bool, turned: fn(Form) -> Form| {
        view! {
            <button
                type="button"
                class="toggle"
                aria-pressed=move || is(shown().2).to_string()
                disabled=move || label == texts::charts::LOG_AXIS && !is_number()
                on:click=move |_| {
                    let (bins, domain, form) = untrack(shown);
                    put(bins, domain, turned(form));
                }
            >
                {Icon::Check.view()} {label}
            </button>
        }
    };
    let range = move || {
        let column = mark.with(|mark| column_of(mark.as_ref()));
        let (clause, scalar) = (page.clause(&column_clause(&column))?, page.scalar(&column)?);
        let (low, high) = interval(&clause, scalar)?;
        let (low, high) = (low?, high?);
        (low < high).then_some([low, high])
    };
    let bins = [10u16, 20, 40, 80, 160].map(|many| {
        view! {
            <button
                type="button"
                aria-pressed=move || (now().0 == many).to_string()
                on:click=move |_| set(many, now().1)
            >
                {many}
            </button>
        }
    });
    view! {
        <div class="menu-row" role="group" aria-label=texts::charts::BIN_COUNT>
            <span>{texts::charts::BINS}</span>
            <div class="segmented">{bins.into_iter().collect_view()}</div>
        </div>
        {toggle(texts::charts::LOG_AXIS, |f| f.log_axis, |f| Form { log_axis: !f.log_axis, ..f })}
        {toggle(texts::charts::LOG_COUNTS, |f| f.log_counts, |f| Form { log_counts: !f.log_counts, cumulative: false, ..f })}
        {toggle(texts::charts::CUMULATIVE, |f| f.cumulative, |f| Form { cumulative: !f.cumulative, log_counts: false, ..f })}
        <button type="button" disabled=move || range().is_none() on:click=move |_| set(now().0, range())>
            {Icon::Search.view()} {texts::charts::ZOOM_TO_RANGE}
        </button>
        <button type="button" disabled=move || now().1.is_none() on:click=move |_| set(now().0, None)>
            {Icon::Fit.view()} {texts::charts::SHOW_EVERYTHING}
        </button>
    }
}

#[component]
fn BarsView(id: ViewId) -> impl IntoView {
    let page = use_page();
    let (mark, result) = (mark_of(page, id), result_of(page, id));
    let column = Derived::new(move |_| mark.with(|mark| column_of(mark.as_ref())));
    let name = Signal::derive(move || texts::charts::values_of(&column.get()));
    let clear = move |_| {
        let (id, gesture) = (column_clause(&column.get_untracked()), Gesture::Done);
        page.dispatch(Command::SetClause { id, predicate: None, gesture });
    };
    let said = move || {
        page.clause(&column_clause(&column.get())).map(|clause| view! {
            <button type="button" class="own-clause" title=texts::filters::CLEAR_THIS on:click=clear>
                {describe::predicate(&clause)} {Icon::Cancel.view()}
            </button>
        })
    };
    let search = move || match mark.get() {
        Some(Mark::Bars { search, .. }) => search,
        _ => String::new(),
    };
    let on_search = move |event| {
        let (column, search) = (column.get_untracked(), event_target_value(&event));
        let mark = Mark::Bars { column, limit: defaults::BARS_SHOWN, search };
        page.dispatch(Command::SetMark { view: id, mark });
    };
    let menu = move || {
        view! {
            <div class="search">
                {Icon::Search.view()}
                <input
                    type="search"
                    placeholder=texts::charts::SEARCH_VALUES_HINT
                    aria-label=texts::charts::SEARCH_VALUES
                    prop:value=search
                    on:change=on_search
                />
            </div>
        }
    };
    view! {
        <ViewFrame
            id
            class="small"
            name=name
            result=result
            title=move || view! { <ColumnTitle id column/> }
            menu=menu
            readout=said
        >
            <BarsChart column result/>
        </ViewFrame>
    }
}
