//! The rows that are selected: what sets them apart from all others, what they are called, and
//! the names of rows on their way to a table.

use leptos::prelude::*;

use super::asking::{Counted, counted, counts};
use super::of_columns;
use super::saving::Saving;
use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::{Page, use_page};
use crate::page::ui::each::Each;
use crate::protocol::Clause;
use crate::protocol::groups::{Counts, Group};
use crate::state::command::Command;
use crate::state::groups::apart::{self, Term, Trait, Traits};
use crate::state::groups::{self, PAIRS_MAX, selected};
use crate::state::row_groups::{self, LETTERS_MAX, NamedRows};
use crate::state::{describe, format};
use crate::texts::groups as words;

/// What is said of the selection at most.
const TRAITS: usize = 12;

/// The selected rows, and all of which they are: how many, and what is measured of both.
type Both<T> = Option<[T; 2]>;

/// The questions about the selection.
#[derive(Clone, Copy)]
struct Selection {
    page: Page,
    /// The clauses that make the group; none where nothing is selected.
    making: Derived<Option<Vec<String>>>,
    /// Columns of names, and of numbers, to tell it by.
    described: Derived<(Vec<String>, Vec<String>)>,
}

impl Selection {
    fn new(page: Page) -> Self {
        let making = Derived::new(move |_| {
            page.model.with(|model| row_groups::making(&model.chosen.clauses))
        });
        let described =
            Derived::new(move |_| of_columns(page, |columns| groups::describing(columns, "")));
        Self { page, making, described }
    }

    /// The question about the selected rows, or all of which they are.
    fn of(self, is_selected: bool, keys: Vec<String>, measures: Vec<String>) -> Option<Counts> {
        let making = self.making.get()?;
        let most = if keys.is_empty() { 1 } else { PAIRS_MAX };
        let without = if is_selected { Vec::new() } else { making };
        Some(Counts { without, ..counts(keys, &[], measures, most) })
    }

    /// Both as one group each.
    fn whole(self, has_measures: bool) -> Derived<Both<Group>> {
        let [own, all] = [true, false].map(|is_selected| {
            counted(move || {
                let (_, numbers) = self.described.get();
                let measures = if has_measures { numbers } else { Vec::new() };
                self.of(is_selected, Vec::new(), measures)
            })
        });
        let first =
            |counted: &Counted| counted.groups().and_then(|all| all.groups.first().cloned());
        Derived::new(move |_| Some([own.with(first)?, all.with(first)?]))
    }

    /// By one of the columns of names, or the words of its texts.
    fn by(self, at: usize, has_terms: bool) -> [Derived<Counted>; 2] {
        [true, false].map(|is_selected| {
            counted(move || {
                let name = self.column(at)?;
                let is_text = of_columns(self.page, |columns| groups::is_text(columns, &name));
                let asked = self.of(is_selected, vec![name], Vec::new())?;
                match has_terms {
                    false => Some(asked),
                    true => is_text.then(|| asked.of_terms()),
                }
            })
        })
    }

    fn column(self, at: usize) -> Option<String> {
        self.described.with(|(names, _)| names.get(at).cloned())
    }

    /// What sets the selected rows apart, the clearest first.
    fn traits(self, whole: Derived<Both<Group>>, measured: Derived<Both<Group>>) -> Found {
        // One question for each column, since all of them together would be as many as rows.
        let each = (0..groups::COLUMNS_MAX).flat_map(|at| [(at, false), (at, true)]);
        let mixed: Vec<_> =
            each.map(|(at, has_terms)| (at, has_terms, self.by(at, has_terms))).collect();
        Derived::new(move |_| {
            let [own, all] = whole.get()?.map(|group| group.rows);
            let rows = [own, all.saturating_sub(own)];
            let mut traits = Traits::new();
            for (at, has_terms, [selected, all]) in &mixed {
                let (selected, all) = (selected.get(), all.get());
                if let (Some(name), Some(selected), Some(all)) =
                    (self.column(*at), selected.groups(), all.groups())
                {
                    traits.extend(selected::traits(&name, selected, all, *has_terms, rows));
                }
            }
            if let Some([own, all]) = measured.get() {
                let of_numbers =
                    self.described.with(|(_, numbers)| apart::numbers(numbers, &own, &all));
                traits.extend(of_numbers);
            }
            Some(apart::clearest(traits, TRAITS))
        })
    }
}

type Found = Derived<Option<Vec<Trait>>>;

#[component]
pub(super) fn Selected() -> impl IntoView {
    let page = use_page();
    let selection = Selection::new(page);
    // Sizes by themselves: a number that is not here with no companion must not take them along.
    let (whole, measured) = (selection.whole(false), selection.whole(true));
    let traits = selection.traits(whole, measured);
    let sizes = Derived::new(move |_| whole.get().map(|both| both.map(|group| group.rows)));
    let own = counted(move || selection.of(true, Vec::new(), Vec::new()));
    let head = move || {
        let making = selection.making.get()?;
        let clauses = page.model.with(|model| model.chosen.clauses.clone());
        Some(head(page, &clauses, &making, sizes.get()))
    };
    let instead = move || match selection.making.with(Option::is_some) {
        false => Some(view! { <p class="quiet">{words::SELECT_FIRST}</p> }.into_any()),
        true => own.with(Counted::instead),
    };
    let can_name = Derived::new(move |_| sizes.get().is_some_and(|[own, _]| own > 0));
    let table = move || {
        let traits = traits.get().filter(|_| can_name.get())?;
        let (_, numbers) = selection.described.get();
        Some(table(traits, measured.get().map(|both| (numbers, both))))
    };
    let proposed = Derived::new(move |_| {
        let traits = traits.get().unwrap_or_default();
        apart::proposed(&[traits]).pop().flatten()
    });
    view! {
        {head}
        {instead}
        <Show when=move || can_name.get()>
            <NameForm proposed/>
        </Show>
        {table}
        <NamedList/>
        <Saving/>
    }
}

/// Which rows are meant, and beside which.
fn head(
    page: Page,
    clauses: &[Clause],
    making: &[String],
    sizes: Option<[u64; 2]>,
) -> impl IntoView + use<> {
    let names = page.model.with_untracked(|model| model.chosen.names.clone());
    let said = |is_making: bool| {
        let own = clauses.iter().filter(|clause| making.contains(&clause.id) == is_making);
        let said = own.map(|clause| {
            let words = describe::predicate(&names.spoken(&clause.predicate));
            format!("{} {words}", describe::subject(clause))
        });
        said.collect::<Vec<_>>().join("; ")
    };
    let (own, others) = (said(true), said(false));
    let sizes = sizes.map(|[rows, all]| words::selected(rows, all.saturating_sub(rows)));
    view! {
        <p class="groups-selected">
            <b>{sizes}</b>
            <span>{own}</span>
            {(!others.is_empty()).then(|| view! { <span class="quiet">{words::among(&others)}</span> })}
        </p>
    }
}

/// Where the selected rows are called something; nothing typed is what they could be called.
#[component]
fn NameForm(proposed: Derived<Option<String>>) -> impl IntoView {
    let page = use_page();
    let typed = Lasting::new(String::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed_now = typed.get_untracked();
        let name = match typed_now.trim() {
            "" => proposed.get_untracked(),
            name => Some(name.to_owned()),
        };
        if let Some(name) = name {
            page.dispatch(Command::NameRows { name });
            typed.set(String::new());
        }
    };
    let is_nothing =
        move || typed.with(|typed| typed.trim().is_empty()) && proposed.get().is_none();
    view! {
        <form class="groups-name-rows" on:submit=submit>
            <input
                type="text"
                maxlength=LETTERS_MAX.to_string()
                aria-label=words::CALL_ROWS
                placeholder=move || proposed.get().unwrap_or_else(|| words::CALL_ROWS.to_owned())
                prop:value=move || typed.get()
                on:input=move |event| typed.set(event_target_value(&event))
            />
            <button type="submit" class="button" disabled=is_nothing>{words::NAME_ROWS}</button>
        </form>
    }
}

fn table(traits: Vec<Trait>, means: Option<(Vec<String>, [Group; 2])>) -> impl IntoView + use<> {
    if traits.is_empty() {
        return view! { <p class="quiet">{words::NOTHING_APART_HERE}</p> }.into_any();
    }
    let rows = traits.into_iter().map(|one| row(one, means.as_ref())).collect_view();
    view! {
        <div class="groups-scroll">
            <table class="groups-table groups-traits-table">
                <thead>
                    <tr>
                        <th>{words::COLUMN}</th>
                        <th>{words::APART_HERE}</th>
                        <th>{words::SELECTED}</th>
                        <th>{words::ELSEWHERE}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(one: Trait, means: Option<&(Vec<String>, [Group; 2])>) -> impl IntoView + use<> {
    let share = |share: f64| {
        view! {
            <td class="groups-share">
                <i style:width=format!("{:.1}%", share * 100.0)></i>
                <span>{words::percent(share)}</span>
            </td>
        }
        .into_any()
    };
    let number = |mean: Option<f64>, step: f64| {
        let text = mean.map(|mean| words::mean(&format::number(mean, step)));
        view! { <td class="number">{text}</td> }.into_any()
    };
    let (column, what, cells) = match one {
        Trait::Name { column, value, here, elsewhere } => {
            (column, value.as_text().to_owned(), [share(here), share(elsewhere)])
        }
        Trait::Terms { column, terms } => {
            let quoted = |term: &Term| words::quoted(&term.word);
            let what = terms.iter().map(quoted).collect::<Vec<_>>().join(" ");
            let first = terms.first().map_or([0.0; 2], |term| [term.here, term.elsewhere]);
            (column, what, first.map(share))
        }
        Trait::Number { column, mean, distance } => {
            let others = means.and_then(|(names, [own, all])| {
                let at = names.iter().position(|name| *name == column)?;
                let [of_all, _] = all.measures.get(at)?;
                selected::mean_of_others([own.rows, all.rows], mean, (*of_all)?)
            });
            let step = mean.abs().max(others.unwrap_or_default().abs()) / 1000.0;
            let cells = [number(Some(mean), step), number(others, step)];
            (column, words::is_far(distance).to_owned(), cells)
        }
    };
    view! {
        <tr>
            <td>{column}</td>
            <td><b>{what}</b></td>
            {cells}
        </tr>
    }
}

/// Rows that have names, each to be shown, called otherwise, or let go of.
#[component]
fn NamedList() -> impl IntoView {
    let page = use_page();
    let named = Derived::new(move |_| {
        let all = page.model.with(|model| model.chosen.row_groups.all().to_vec());
        all.into_iter().enumerate().collect::<Vec<_>>()
    });
    view! {
        <Show when=move || named.with(|named| !named.is_empty())>
            <h3 class="groups-named-title">{words::NAMED_ROWS}</h3>
            <ul class="groups-named">
                <Each each=move || named.get() key=|(at, rows): &(usize, NamedRows)| (*at, rows.name.clone()) let:one>
                    {
                        let (at, rows) = one;
                        line(page, at, rows)
                    }
                </Each>
            </ul>
            <p class="quiet groups-foot">{words::LAST_NAME_HOLDS}</p>
        </Show>
    }
}

fn line(page: Page, at: usize, rows: NamedRows) -> impl IntoView {
    let said = |clause: &Clause| {
        format!("{} {}", describe::subject(clause), describe::predicate(&clause.predicate))
    };
    let said = rows.clauses.iter().map(said).collect::<Vec<_>>().join("; ");
    let call = move |event| {
        page.dispatch(Command::CallRows { at, name: event_target_value(&event) });
    };
    let label = words::name_of(&rows.name);
    let (show, forget) = (words::show_rows(&rows.name), words::forget_rows(&rows.name));
    let (name, hint) = (rows.name, said.clone());
    view! {
        <li>
            <input
                type="text"
                class="groups-called"
                maxlength=LETTERS_MAX.to_string()
                aria-label=label
                prop:value=name
                on:change=call
            />
            <span class="quiet" title=hint>{said}</span>
            <button
                type="button"
                class="button small"
                aria-label=show
                on:click=move |_| page.dispatch(Command::ShowRows { at })
            >
                {words::SHOW}
            </button>
            <button
                type="button"
                class="button small"
                aria-label=forget
                on:click=move |_| page.dispatch(Command::CallRows { at, name: String::new() })
            >
                {words::FORGET}
            </button>
        </li>
    }
}
