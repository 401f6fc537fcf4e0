//! The filter of a number or time: a histogram to drag on, and both ends to type.

use std::sync::Arc;

use crate::page::lasting::{Derived, Lasting};
use engine::literal::Literal;
use engine::predicate::{Comparison, Predicate};
use leptos::prelude::*;

use super::set_clause;
use crate::page::signals::use_page;
use crate::page::ui::histogram::HistogramChart;
use crate::protocol::MarkResult;
use crate::state::column_clause;
use crate::state::command::Gesture;
use crate::state::position::{End, Scalar};
use crate::texts;

#[component]
pub(super) fn RangeFilter(
    column: Signal<String>,
    result: Derived<Option<Arc<MarkResult>>>,
) -> impl IntoView {
    let readout = Lasting::new(None::<String>);
    view! {
        <div class="filter-chart"><HistogramChart column result readout/></div>
        <p class="filter-readout">{move || readout.get()}</p>
        <div class="range-ends">
            <EndField column result end=End::Low/>
            <span aria-hidden="true">"–"</span>
            <EndField column result end=End::High/>
        </div>
    }
}

/// One end as text: what is typed keeps its digits, and takes effect on Enter or when the
/// field is left. Empty is an open end.
#[component]
fn EndField(
    column: Signal<String>,
    result: Derived<Option<Arc<MarkResult>>>,
    end: End,
) -> impl IntoView {
    let page = use_page();
    let error = Lasting::new(None::<String>);
    let scalar = Derived::new(move |_| page.scalar(&column.get()).unwrap_or(Scalar::Float));
    let clause = Derived::new(move |_| page.clause(&column_clause(&column.get())));
    let shown = move || {
        clause.with(|clause| literal_of(clause.as_ref(), end).map(|l| l.as_text().to_owned()))
    };
    let hint = move || {
        let extent = result.with(|result| match result.as_deref() {
            Some(MarkResult::Histogram { extent, .. }) => Some(*extent),
            _ => None,
        });
        extent.map(|[low, high]| {
            let position = if end == End::Low { low } else { high };
            scalar.get().literal(position, (high - low) / 100.0, end).as_text().to_owned()
        })
    };
    let commit = move |event: web_sys::Event| {
        let typed = event_target_value(&event);
        let own = match typed.trim() {
            "" => Ok(None),
            text => scalar.get_untracked().literal_from_typed(text, end).map(Some),
        };
        match own {
            Err(text) => error.set(Some(text)),
            Ok(own) => {
                error.set(None);
                let other = clause.with_untracked(|clause| {
                    let other = if end == End::Low { End::High } else { End::Low };
                    literal_of(clause.as_ref(), other).cloned()
                });
                let predicate =
                    joined(&column.get_untracked(), scalar.get_untracked(), end, own, other);
                set_clause(page, column, predicate, Gesture::Done);
            }
        }
    };
    let label = move || match end {
        End::Low => texts::filters::lower_end(&column.get()),
        End::High => texts::filters::upper_end(&column.get()),
    };
    view! {
        <div class="field">
            <input
                type="text"
                inputmode="text"
                spellcheck="false"
                autocomplete="off"
                aria-label=label
                aria-invalid=move || error.with(Option::is_some).to_string()
                placeholder=hint
                prop:value=shown
                on:change=commit
            />
            {move || error.get().map(|text| view! { <p class="field-error" role="alert">{text}</p> })}
        </div>
    }
}

/// What a clause says about one end.
fn literal_of(clause: Option<&Predicate>, end: End) -> Option<&Literal> {
    match (clause?, end) {
        (Predicate::Between { low, .. }, End::Low) => Some(low),
        (Predicate::Between { high, .. }, End::High) => Some(high),
        (Predicate::Compare { op: Comparison::Ge | Comparison::Gt, value, .. }, End::Low)
        | (Predicate::Compare { op: Comparison::Le | Comparison::Lt, value, .. }, End::High)
        | (Predicate::Compare { op: Comparison::Eq, value, .. }, _) => Some(value),
        _ => None,
    }
}

/// The clause of both ends; they change places where they are the wrong way round.
fn joined(
    column: &str,
    scalar: Scalar,
    end: End,
    own: Option<Literal>,
    other: Option<Literal>,
) -> Option<Predicate> {
    let (low, high) = if end == End::Low { (own, other) } else { (other, own) };
    let column = column.to_owned();
    match (low, high) {
        (None, None) => None,
        (Some(value), None) => Some(Predicate::Compare { column, op: Comparison::Ge, value }),
        (None, Some(value)) => Some(Predicate::Compare { column, op: Comparison::Le, value }),
        (Some(low), Some(high)) => {
            let places = scalar.position(&low, End::Low).zip(scalar.position(&high, End::High));
            let crossed = places.is_some_and(|(low, high)| low > high);
            let (low, high) = if crossed { (high, low) } else { (low, high) };
            Some(Predicate::Between { column, low, high })
        }
    }
}
