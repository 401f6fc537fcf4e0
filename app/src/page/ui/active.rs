//! The filters that are set, as one row of words: what each says, a button to clear it,
//! and one for all of them.

use crate::page::lasting::Derived;
use crate::page::ui::each::Each;
use leptos::prelude::*;

use super::icon::Icon;
use crate::page::signals::use_page;
use crate::protocol::Clause;
use crate::state::command::{Command, Dialog, Gesture};
use crate::state::describe;
use crate::texts;

#[component]
pub(super) fn ActiveFilters() -> impl IntoView {
    let page = use_page();
    let clauses = Derived::new(move |_| page.model.with(|model| model.chosen.clauses.clone()));
    let many = move || clauses.with(Vec::len);
    view! {
        <Show when=move || { many() > 0 }>
            <div class="active-filters" role="group" aria-label=move || texts::filters::active(many())>
                <ul class="chips">
                    <Each each=move || clauses.get() key=|clause| clause.id.clone() let:clause>
                        <Chip id=clause.id clauses/>
                    </Each>
                </ul>
                <button
                    type="button"
                    class="button small"
                    title=texts::filters::WHAT_HINT
                    on:click=move |_| {
                        page.selection_asked.set(true);
                        page.dispatch(Command::ShowDialog { dialog: Some(Dialog::Groups) });
                    }
                >
                    {texts::filters::WHAT}
                </button>
                <button
                    type="button"
                    class="button small clear-all"
                    title=texts::filters::CLEAR_ALL_HINT
                    on:click=move |_| page.dispatch(Command::ClearClauses)
                >
                    {move || texts::filters::clear_all(many())}
                </button>
            </div>
        </Show>
    }
}

#[component]
fn Chip(id: String, clauses: Derived<Vec<Clause>>) -> impl IntoView {
    let page = use_page();
    let clause = {
        let id = id.clone();
        Derived::new(move |_| {
            clauses.with(|all| all.iter().find(|clause| clause.id == id).cloned())
        })
    };
    let error = {
        let id = id.clone();
        move || {
            page.shown.with(|shown| {
                let errors = shown.as_ref().map(|shown| shown.clause_errors.as_slice());
                let own = errors.unwrap_or_default().iter().find(|error| error.id == id);
                own.map(|error| error.detail.clone())
            })
        }
    };
    let subject = move || clause.with(|clause| clause.as_ref().map(describe::subject));
    let names = page.names();
    let words = move || {
        let said = |clause: &Clause| {
            names.with(|names| describe::predicate(&names.spoken(&clause.predicate)))
        };
        clause.with(|clause| clause.as_ref().map(said))
    };
    let has_error = error.clone();
    let clear = move |_| {
        let gesture = Gesture::Done;
        page.dispatch(Command::SetClause { id: id.clone(), predicate: None, gesture });
    };
    view! {
        <li class="chip" class:broken=move || has_error().is_some() title=error>
            <span class="chip-subject">{subject}</span>
            <span class="chip-words">{words}</span>
            <button
                type="button"
                class="chip-clear"
                aria-label=move || texts::filters::clear_of(&subject().unwrap_or_default())
                on:click=clear
            >
                {Icon::Cancel.view()}
            </button>
        </li>
    }
}
