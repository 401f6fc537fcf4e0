//! The groups of a column: how large they are, and what sets each apart from all other rows.

use std::collections::HashMap;

use leptos::prelude::*;

use super::asking::{Counted, counted, counts};
use super::examples::{Examples, examples, examples_of};
use super::naming;
use super::{is_chosen, name_of, of_columns, toggle};
use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::{Page, use_page};
use crate::protocol::groups::{Group, Groups};
use crate::state::format;
use crate::state::groups::apart::{self, Term, Trait, Traits};
use crate::state::groups::{self, Contingency, GROUPS_MAX, PAIRS_MAX};
use crate::texts::groups as words;
use engine::literal::Literal;

/// What is said of a group at most.
const TRAITS: usize = 4;

/// A group, and what sets it apart.
#[derive(Clone, PartialEq)]
struct Line {
    value: Option<Literal>,
    rows: u64,
    /// The mean square of what is measured beside clusters.
    variance: Option<f64>,
    /// Of the largest group, and of all rows.
    length: f64,
    share: f64,
    /// Rows of all groups.
    total: u64,
    traits: Vec<Trait>,
    /// What it could be called.
    proposed: Option<String>,
}

#[component]
pub(super) fn Summary(by: Lasting<String>) -> impl IntoView {
    let page = use_page();
    let described =
        Derived::new(move |_| of_columns(page, |columns| groups::describing(columns, &by.get())));
    let beside =
        Derived::new(move |_| of_columns(page, |columns| groups::beside(columns, &by.get())));
    // The distance comes last: it is for the variance alone.
    let distance = Derived::new(move |_| {
        beside.get().filter(|beside| beside.is_distance).map(|beside| beside.measure)
    });
    let measures =
        move || -> Vec<String> { described.get().1.into_iter().chain(distance.get()).collect() };
    // Sizes by themselves: a number that is not here with no companion must not take them along.
    let grouped = counted(move || {
        let own = vec![by.get()];
        Some(counts(own.clone(), &own, Vec::new(), GROUPS_MAX))
    });
    let in_all = counted(move || Some(counts(Vec::new(), &[by.get()], Vec::new(), 1)));
    let measured = counted(move || {
        let own = vec![by.get()];
        let measures = measures();
        (!measures.is_empty()).then(|| counts(own.clone(), &own, measures, GROUPS_MAX))
    });
    let all = counted(move || Some(counts(Vec::new(), &[by.get()], measures(), 1)));
    // One question for each column, since all of them together would be as many as rows.
    let mixed: Vec<_> = (0..groups::COLUMNS_MAX)
        .map(|at| {
            counted(move || {
                let column = described.with(|(names, _)| names.get(at).cloned())?;
                Some(counts(vec![by.get(), column], &[by.get()], Vec::new(), PAIRS_MAX))
            })
        })
        .collect();
    let worded: Vec<_> = (0..groups::COLUMNS_MAX)
        .map(|at| {
            counted(move || {
                let column = described.with(|(names, _)| names.get(at).cloned())?;
                let is_text = of_columns(page, |columns| groups::is_text(columns, &column));
                let keys = vec![by.get(), column];
                is_text.then(|| counts(keys, &[by.get()], Vec::new(), PAIRS_MAX).of_terms())
            })
        })
        .collect();
    let lines = Derived::new(move |_| {
        let mixed: Vec<[Counted; 2]> =
            mixed.iter().zip(&worded).map(|(names, terms)| [names.get(), terms.get()]).collect();
        let has_distance = distance.with(Option::is_some);
        let of_measures = (&measured.get(), &all.get(), has_distance);
        described.with(|described| {
            lines((&grouped.get(), &in_all.get()), of_measures, described, &mixed)
        })
    });
    let values = Derived::new(move |_| {
        lines.with(|lines| lines.iter().filter_map(|line| line.value.clone()).collect::<Vec<_>>())
    });
    let examples = examples(by, beside, values);
    let instead = move || grouped.with(Counted::instead);
    let table = move || {
        let found = lines.get();
        let is_cut = grouped.with(|found| found.groups().is_some_and(|found| found.is_cut));
        let examples = beside.with(Option::is_some).then_some(examples);
        (!found.is_empty()).then(|| table(page, &by.get_untracked(), found, examples, is_cut))
    };
    view! { {instead} {table} }
}

fn table(
    page: Page,
    by: &str,
    lines: Vec<Line>,
    examples: Option<Examples>,
    is_cut: bool,
) -> impl IntoView + use<> {
    let total = lines.first().map_or(0, |line| line.total);
    let count = words::total(lines.len(), total);
    let has_variance = lines.iter().any(|line| line.variance.is_some());
    let naming = naming::naming(page, by, proposed(&lines));
    let rows = lines.into_iter().map(|line| {
        let own = line.value.clone();
        let variance = has_variance.then(|| {
            let variance = line.variance.map(|variance| format::number(variance, 0.001));
            view! { <td class="number">{variance}</td> }
        });
        let examples = examples.map(|examples| examples_of(page, examples, own));
        row(page, by.to_owned(), line, variance, examples)
    });
    let variance = has_variance
        .then(|| view! { <th class="number" title=words::VARIANCE_HINT>{words::VARIANCE}</th> });
    let examples = examples.is_some().then(|| view! { <th>{words::EXAMPLES}</th> });
    view! {
        <div class="groups-scroll">
            <table class="groups-table">
                <thead>
                    <tr>
                        <th>{words::GROUP}</th>
                        <th title=words::NAME_HINT>{words::NAME}</th>
                        <th class="number">{words::ROWS}</th>
                        <th class="groups-share">{words::SHARE}</th>
                        {variance}
                        <th>{words::APART}</th>
                        {examples}
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        <p class="quiet groups-foot">
            {count}
            {is_cut.then(|| format!(". {}", words::cut(GROUPS_MAX)))}
            {naming}
        </p>
    }
}

/// Values, and what each could be called.
fn proposed(lines: &[Line]) -> Vec<(String, String)> {
    let each = lines.iter().filter_map(|line| {
        Some((line.value.as_ref()?.as_text().to_owned(), line.proposed.clone()?))
    });
    each.collect()
}

fn lines(
    (grouped, in_all): (&Counted, &Counted),
    (measured, all, has_distance): (&Counted, &Counted, bool),
    (names, numbers): &(Vec<String>, Vec<String>),
    mixed: &[[Counted; 2]],
) -> Vec<Line> {
    let Some(found) = grouped.groups() else { return Vec::new() };
    let only = |of: &Counted| of.groups().and_then(|all| all.groups.first()).cloned();
    let all = only(all);
    let measured: HashMap<&[Option<Literal>], &Group> = measured
        .groups()
        .into_iter()
        .flat_map(|found| &found.groups)
        .map(|group| (group.key.as_slice(), group))
        .collect();
    // More than those that are shown, where there are many groups.
    let shown = found.groups.iter().map(|group| group.rows).sum();
    let total: u64 = only(in_all).map_or(shown, |all| all.rows);
    let longest = found.groups.iter().map(|group| group.rows).max().unwrap_or(1).max(1);
    let tables = tables(found, names, mixed);
    let numbers_of = numbers;
    let line = |group: &Group| {
        let value = group.key.first().cloned().flatten();
        let means = measured.get(group.key.as_slice());
        let numbers = means.zip(all.as_ref());
        let mut traits =
            numbers.map_or_else(Vec::new, |(means, all)| apart::numbers(numbers_of, means, all));
        for (table, of_each) in &tables {
            let place = value.as_ref().and_then(|value| table.place(value));
            traits
                .extend(place.and_then(|place| of_each.get(place)).into_iter().flatten().cloned());
        }
        let distance = means.and_then(|means| means.measures.last()).filter(|_| has_distance);
        let variance = distance.and_then(|[mean, deviation]| {
            Some(groups::mean_square((*mean)?, *deviation, group.rows))
        });
        Line {
            rows: group.rows,
            variance,
            length: group.rows as f64 / longest as f64,
            share: group.rows as f64 / total.max(1) as f64,
            total,
            traits: apart::clearest(traits, TRAITS),
            proposed: None,
            value,
        }
    };
    let mut lines: Vec<Line> = found.groups.iter().map(line).collect();
    lines.sort_by(|a, b| match (&a.value, &b.value) {
        (Some(a), Some(b)) => groups::compare(a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    let traits: Vec<Vec<Trait>> = lines.iter().map(|line| line.traits.clone()).collect();
    for (line, proposed) in lines.iter_mut().zip(apart::proposed(&traits)) {
        line.proposed = proposed.filter(|_| line.value.is_some());
    }
    lines
}

/// What values of each column, and words of texts, say of groups.
fn tables(
    found: &Groups,
    names: &[String],
    mixed: &[[Counted; 2]],
) -> Vec<(Contingency, Vec<Traits>)> {
    let rows_of = |value: &Literal| {
        let mut groups = found.groups.iter();
        let own = groups.find(|group| group.key.first() == Some(&Some(value.clone())));
        own.map_or(0, |group| group.rows)
    };
    let table =
        |counted: &Counted| Some(Contingency::new(counted.groups().filter(|found| !found.is_cut)?));
    let of_column = |(column, [by_names, by_terms]): (&String, &[Counted; 2])| {
        let names = table(by_names).map(|table| {
            let traits = apart::names(column, &table);
            (table, traits)
        });
        let terms = table(by_terms).map(|table| {
            let rows: Vec<u64> = table.groups.iter().map(rows_of).collect();
            let traits = apart::terms(column, &table, &rows);
            (table, traits)
        });
        [names, terms]
    };
    names.iter().zip(mixed).flat_map(of_column).flatten().collect()
}

fn row(
    page: Page,
    by: String,
    line: Line,
    variance: Option<impl IntoView + 'static>,
    examples: Option<AnyView>,
) -> impl IntoView {
    let name = name_of(line.value.as_ref());
    let label = words::filter(&name);
    let is_missing = line.value.is_none();
    let called = line.value.as_ref().map(|value| {
        naming::field(page, by.clone(), value.as_text().to_owned(), line.proposed.clone())
    });
    let (column, value) = (by.clone(), line.value.clone());
    let chosen = Derived::new(move |_| is_chosen(page, &column, value.as_ref()));
    let choose = move |_| toggle(page, &by, line.value.as_ref());
    let traits = match line.traits.is_empty() {
        true => view! { <span class="quiet">{words::NOTHING_APART}</span> }.into_any(),
        false => line.traits.into_iter().map(trait_of).collect_view().into_any(),
    };
    view! {
        <tr class:chosen=move || chosen.get()>
            <td>
                <button
                    type="button"
                    class="groups-name"
                    class:missing=is_missing
                    title=label.clone()
                    aria-pressed=move || chosen.get().to_string()
                    on:click=choose
                >
                    {name}
                </button>
            </td>
            <td>{called}</td>
            <td class="number">{format::count(line.rows)}</td>
            <td class="groups-share">
                <i style:width=format!("{:.1}%", line.length * 100.0)></i>
                <span>{words::percent(line.share)}</span>
            </td>
            {variance}
            <td><div class="groups-traits">{traits}</div></td>
            {examples}
        </tr>
    }
}

fn trait_of(one: Trait) -> impl IntoView {
    let (column, value, hint) = match one {
        Trait::Name { column, value, here, elsewhere } => {
            (column, value.as_text().to_owned(), words::shares(here, elsewhere))
        }
        Trait::Terms { column, terms } => {
            let said = |term: &Term| words::term(&term.word, term.here, term.elsewhere);
            let hint = terms.iter().map(said).collect::<Vec<_>>().join("\n");
            let quoted = terms.iter().map(|term| words::quoted(&term.word));
            (column, quoted.collect::<Vec<_>>().join(" "), hint)
        }
        Trait::Number { column, mean, distance } => {
            let mean = format::number(mean, mean.abs() / 1000.0);
            (column, words::is_far(distance).to_owned(), words::mean_here(&mean, distance))
        }
    };
    view! {
        <span class="groups-trait" title=hint>
            <span>{column}</span>
            " "
            <b>{value}</b>
        </span>
    }
}
