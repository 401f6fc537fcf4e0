//! The filter of a text: what it contains, literally or as a regular expression. It
//! follows the typing after a short rest; what is typed in one go is one step of undo.

use std::time::Duration;

use crate::page::lasting::{Derived, Lasting};
use leptos::html;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use super::set_clause;
use crate::page::signals::use_page;
use crate::state::choice::TextSearch;
use crate::state::column_clause;
use crate::state::command::Gesture;
use crate::texts;

const TYPING_REST_MILLIS: u64 = 250;
/// After this the typing is done, as if the field had been left.
const TYPING_DONE_MILLIS: u64 = 1500;

#[component]
pub(super) fn TextFilter(column: Signal<String>) -> impl IntoView {
    let page = use_page();
    let input = NodeRef::<html::Input>::new();
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let search = Derived::new(move |_| {
        TextSearch::from_clause(page.clause(&column_clause(&column.get())).as_ref())
    });
    // How to look is remembered while nothing is typed.
    let modes = Lasting::new(untrack(|| search.get()).unwrap_or_default());
    let stop_waiting = move || {
        if let Some(Some(handle)) = waiting.try_update_value(Option::take) {
            handle.clear();
        }
    };
    let commit = move |gesture: Gesture| {
        stop_waiting();
        let Some(input) = input.get_untracked() else { return };
        let search = TextSearch { text: input.value(), ..modes.get_untracked() };
        set_clause(page, column, search.clause(&column.get_untracked()), gesture);
    };
    let on_input = move |_| {
        stop_waiting();
        let rest = Duration::from_millis(TYPING_REST_MILLIS);
        let moving = move || {
            commit(Gesture::Moving);
            let rest = Duration::from_millis(TYPING_DONE_MILLIS);
            waiting.set_value(set_timeout_with_handle(move || commit(Gesture::Done), rest).ok());
        };
        waiting.set_value(set_timeout_with_handle(moving, rest).ok());
    };
    let mode = move |label: &'static str,
                     title: &'static str,
                     of: fn(&mut TextSearch) -> &mut bool| {
        let is_on = move || {
            let mut now = modes.get();
            *of(&mut now)
        };
        let toggle = move |_| {
            modes.update(|modes| {
                let on = of(modes);
                *on = !*on;
            });
            commit(Gesture::Done);
        };
        view! {
            <button type="button" class="mode" title=title aria-label=title aria-pressed=move || is_on().to_string() on:click=toggle>
                {label}
            </button>
        }
    };
    on_cleanup(stop_waiting);
    view! {
        <div class="text-filter">
            <input
                node_ref=input
                type="text"
                spellcheck="false"
                autocomplete="off"
                placeholder=move || match modes.with(|m| m.regex) {
                    true => texts::filters::REGULAR_EXPRESSION,
                    false => texts::filters::CONTAINS,
                }
                aria-label=move || texts::filters::text_in(&column.get())
                prop:value=move || search.get().map(|search| search.text).unwrap_or_default()
                on:input=on_input
                on:change=move |_| commit(Gesture::Done)
            />
            {mode(texts::filters::CASE_SIGN, texts::filters::CASE_MATTERS, |search| &mut search.case_sensitive)}
            {mode(".*", texts::filters::REGULAR_EXPRESSION, |search| &mut search.regex)}
        </div>
    }
}
