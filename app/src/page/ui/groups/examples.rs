//! Rows of each cluster that are typical of it, and rows that are far out, where a job left
//! columns that tell.

use leptos::prelude::*;

use super::asking::{RowsFound, extremes};
use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::Page;
use crate::page::ui::picture::Picture;
use crate::protocol::groups::Extremes;
use crate::state::column_clause;
use crate::state::command::Command;
use crate::state::groups::Beside;
use crate::texts::groups as words;
use engine::literal::Literal;

/// Rows of a group, of each kind.
const EXAMPLES: u32 = 3;

/// Groups, and rows of each.
type Found = Derived<Option<(Vec<Literal>, RowsFound)>>;

/// Of rows that are typical, and of rows that are far out.
pub(super) type Examples = [Found; 2];

pub(super) fn examples(
    by: Lasting<String>,
    beside: Derived<Option<Beside>>,
    values: Derived<Vec<Literal>>,
) -> Examples {
    [false, true].map(|far_out| {
        extremes(move || {
            let (beside, values) = (beside.get()?, values.get());
            let (measure, is_most) = match far_out {
                true => (beside.far_out, true),
                false => (beside.measure, beside.is_more_typical),
            };
            let without = vec![column_clause(&by.get())];
            let by = by.get();
            let wanted = Extremes { by, values, without, measure, is_most, count: EXAMPLES };
            (!wanted.values.is_empty()).then_some(wanted)
        })
    })
}

/// A cell of links to a group's examples, each of which shows its row whole.
pub(super) fn examples_of(page: Page, examples: Examples, value: Option<Literal>) -> AnyView {
    let kinds = [words::TYPICAL, words::FAR_OUT].into_iter().zip(examples).map(|(word, found)| {
        let value = value.clone();
        move || {
            let (values, rows) = found.get()?;
            let place = values.iter().position(|other| Some(other) == value.as_ref())?;
            let rows = rows.get(place).filter(|rows| !rows.is_empty())?.clone();
            let links = rows.into_iter().map(|row| {
                let open = move |_| {
                    page.dispatch(Command::ShowDialog { dialog: None });
                    page.dispatch(Command::ShowRecord { row: Some(row) });
                };
                let face = move || match page.picture_column() {
                    Some(column) => {
                        view! { <Picture column=column.name row text=None/> }.into_any()
                    }
                    None => format!("#{row}").into_any(),
                };
                view! {
                    <button type="button" class="groups-example" title=words::example(row) aria-label=words::example(row) on:click=open>
                        {face}
                    </button>
                }
            });
            Some(view! {
                <div class="groups-examples">
                    <span>{word}</span>
                    {links.collect_view()}
                </div>
            })
        }
    });
    view! { <td>{kinds.collect_view()}</td> }.into_any()
}
