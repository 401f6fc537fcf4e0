//! The field under a column's name: what is typed there is the same clause that the panel of
//! filters and the charts make, and it shows theirs. Values of a column of texts are suggested.

use crate::page::lasting::{Derived, Lasting};
use engine::kind::Kind;
use engine::predicate::Predicate;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::{Grid, body};
use crate::page::parts::{Fetched, made, wasm_split};
use crate::page::signals::Page;
use crate::protocol::MarkResult;
use crate::state::command::{Command, Gesture};
use crate::state::position::Scalar;
use crate::state::{column_clause, describe, typed};
use crate::texts;

/// What is being typed into a field, beside the clause that it is about.
#[derive(Clone, Copy)]
struct Typing {
    page: Page,
    name: StoredValue<String>,
    kind: Kind,
    scalar: Option<Scalar>,
    clause: Derived<Option<Predicate>>,
    /// Nothing while the field only shows.
    draft: Lasting<Option<String>>,
    error: Lasting<Option<String>>,
}

impl Typing {
    fn new(page: Page, name: StoredValue<String>) -> Self {
        let info = untrack(|| page.column(&name.get_value()));
        let kind = info.as_ref().map_or(Kind::Nested, |info| info.kind);
        let scalar = info.as_ref().and_then(|info| Scalar::from_type(&info.data_type, info.kind));
        let clause =
            Derived::new(move |_| name.with_value(|name| page.clause(&column_clause(name))));
        let (draft, error) = (Lasting::new(None), Lasting::new(None));
        Self { page, name, kind, scalar, clause, draft, error }
    }

    fn apply(self, text: &str, gesture: Gesture) {
        let column = self.name.get_value();
        let id = column_clause(&column);
        match (typed::Field { column, kind: self.kind, scalar: self.scalar }).read(text) {
            Ok(predicate) => {
                self.error.set(None);
                if predicate != self.clause.get_untracked() || gesture == Gesture::Done {
                    self.page.dispatch(Command::SetClause { id, predicate, gesture });
                }
            }
            Err(said) => self.error.set(Some(said)),
        }
    }

    fn suggest(self, text: &str) {
        if matches!(self.kind, Kind::Category | Kind::Text) {
            let last = text.trim_start_matches(['=', '!']).rsplit('|').next().unwrap_or_default();
            let suggesting = Some((self.name.get_value(), last.trim().to_owned()));
            self.page.table.suggesting.set(suggesting);
            self.page.ask_show();
        }
    }

    /// Texts are looked for while they are typed. Half a number is another number: those
    /// wait for the end.
    fn input(self, text: String) {
        let is_whole = !text.starts_with(['=', '!', '<', '>', '/']);
        match self.kind {
            Kind::Category | Kind::Text if is_whole => self.apply(&text, Gesture::Moving),
            _ => self.error.set(None),
        }
        self.suggest(&text);
        self.draft.set(Some(text));
    }

    fn leave(self) {
        self.finish();
        self.page.table.suggesting.set(None);
    }

    /// Typed to the end: what cannot be read stays, with the reason, until it is mended.
    fn finish(self) {
        let Some(text) = self.draft.get_untracked() else { return };
        self.apply(&text, Gesture::Done);
        if self.error.with_untracked(Option::is_none) {
            self.draft.set(None);
        }
    }

    fn give_up(self) {
        self.draft.set(None);
        self.error.set(None);
        body::focus();
    }

    fn shown(self) -> String {
        let written = self.clause.get().and_then(|clause| typed::written(&clause));
        self.draft.get().or(written).unwrap_or_default()
    }

    fn placeholder(self) -> String {
        match self.clause.get() {
            Some(clause) => describe::predicate(&clause),
            None => hint(self.kind).to_owned(),
        }
    }

    /// What is wrong with what is typed, or with the clause, as the worker says.
    fn complaint(self) -> Option<String> {
        self.error.get().or_else(|| {
            let id = column_clause(&self.name.get_value());
            self.page.shown.with(|shown| {
                let errors = shown.as_ref().map(|shown| shown.clause_errors.as_slice());
                let own = errors.unwrap_or_default().iter().find(|error| error.id == id);
                own.map(|error| error.detail.clone())
            })
        })
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
pub(super) fn field(grid: Grid, name: StoredValue<String>) -> Fetched {
    made(move || view! { <Field grid name/> })
}

#[component]
fn Field(grid: Grid, name: StoredValue<String>) -> impl IntoView {
    let page = grid.page;
    let typing = Typing::new(page, name);
    let on_key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => typing.finish(),
        "Escape" => typing.give_up(),
        _ => {}
    };
    let complaint = Derived::new(move |_| typing.complaint());
    let own = name.with_value(|name| name.replace(char::is_whitespace, "_"));
    let (list, error_id) = (format!("values-{own}"), format!("field-error-{own}"));
    let described = error_id.clone();
    let said = move || {
        complaint
            .get()
            .map(|text| view! { <p class="field-said" id=error_id.clone() role="alert">{text}</p> })
    };
    view! {
        <div class="field-cell">
            <input
                type="text"
                class:set=move || typing.clause.with(Option::is_some)
                list=list.clone()
                autocomplete="off"
                spellcheck="false"
                aria-label=move || texts::rows::filter_of(&name.get_value())
                aria-invalid=move || complaint.with(Option::is_some).to_string()
                aria-describedby=move || complaint.with(Option::is_some).then(|| described.clone())
                placeholder=move || typing.placeholder()
                prop:value=move || typing.shown()
                on:focus=move |_| typing.suggest(&untrack(|| typing.shown()))
                on:input=move |event| typing.input(event_target_value(&event))
                on:change=move |_| typing.finish()
                on:blur=move |_| typing.leave()
                on:keydown=on_key
            />
            <Suggestions page name list/>
            {said}
        </div>
    }
}

/// What can be typed, for those who look at an empty field.
fn hint(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => texts::rows::TYPE_NUMBERS,
        Kind::Time => texts::rows::TYPE_TIMES,
        Kind::Boolean => texts::rows::TYPE_BOOLEANS,
        Kind::Category | Kind::Text => texts::rows::TYPE_TEXTS,
        Kind::Vector | Kind::Nested => texts::rows::TYPE_OTHERS,
    }
}

/// The values of the column that has the field; each is exactly that value.
#[component]
fn Suggestions(page: Page, name: StoredValue<String>, list: String) -> impl IntoView {
    let values = move || {
        let suggesting = page.table.suggesting.get();
        let is_own = suggesting.is_some_and(|(column, _)| name.with_value(|name| *name == column));
        let view = page.schema().filter(|_| is_own);
        let view = view.and_then(|schema| Page::suggestion_view(&schema, &name.get_value()));
        let result = view.and_then(|view| page.result(view));
        let bars = match result.as_deref() {
            Some(MarkResult::Bars { bars, .. }) => bars.as_slice(),
            _ => &[],
        };
        let options = bars.iter().map(|bar| {
            let values = vec![bar.value.clone()];
            let column = name.get_value();
            let exact = Predicate::In { column, values, negated: false };
            let value = typed::written(&exact).unwrap_or_default();
            view! { <option value=value>{crate::state::format::count(bar.count)}</option> }
        });
        options.collect_view()
    };
    view! { <datalist id=list>{values}</datalist> }
}
