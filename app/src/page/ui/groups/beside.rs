//! The groups of a column beside the values of another: how alike the two are, and how the
//! values are mixed in each group.

use leptos::prelude::*;

use super::asking::{Counted, counted, counts};
use super::{ColumnSelect, is_chosen, name_of, of_columns, toggle};
use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::{Page, use_page};
use crate::state::format;
use crate::state::groups::{self, Contingency, GROUPS_MAX, Mixture, PAIRS_MAX};
use crate::texts::groups as words;
use engine::literal::Literal;

/// From this share on a cell is dark, and its text light.
const STRONG: f64 = 0.8;
/// Columns of the heat map: what there is beyond is added up.
const VALUES_MAX: usize = 14;

#[component]
pub(super) fn Beside(by: Lasting<String>) -> impl IntoView {
    let page = use_page();
    let others = Derived::new(move |_| {
        let mut all = of_columns(page, groups::groupings);
        all.retain(|name| by.with(|by| by != name));
        all
    });
    let picked = Lasting::new(None::<String>);
    let against = Derived::new(move |_| {
        let picked = picked.get();
        others.with(|others| {
            picked.filter(|name| others.contains(name)).or_else(|| others.first().cloned())
        })
    });
    let found = counted(move || {
        let columns = vec![by.get(), against.get()?];
        Some(counts(columns.clone(), &columns, Vec::new(), PAIRS_MAX))
    });
    let select = move || match others.with(Vec::is_empty) {
        true => view! { <p class="quiet">{words::NO_OTHERS}</p> }.into_any(),
        false => view! {
            <label class="groups-by">
                <span>{words::COLUMN}</span>
                <ColumnSelect
                    all=others.get()
                    chosen=move || against.get().unwrap_or_default()
                    choose=move |name| picked.set(Some(name))
                />
            </label>
        }
        .into_any(),
    };
    let instead = move || against.with(Option::is_some).then(|| found.with(Counted::instead));
    let shown = move || {
        let counted = found.get();
        let (found, against) = counted.groups().zip(against.get())?;
        let table = Contingency::new(found);
        let cut = found.is_cut.then(|| {
            view! { <p class="quiet groups-foot">{words::more(&against)}</p> }
        });
        Some(view! { {figures(&table)} {heat(page, by.get_untracked(), against, &table)} {cut} })
    };
    view! { {select} {instead} {shown} }
}

fn figures(table: &Contingency) -> impl IntoView + use<> {
    let agreement = table.agreement();
    let figure = |name: &'static str, hint: &'static str, value: String| {
        view! {
            <div title=hint>
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let index = |value: f64| format::number(value, 0.001);
    view! {
        <dl class="groups-figures">
            {figure(words::RAND, words::RAND_HINT, index(agreement.adjusted_rand))}
            {figure(words::MUTUAL, words::MUTUAL_HINT, index(agreement.normalized_mutual))}
            {agreement
                .adjusted_mutual
                .map(|share| figure(words::ADJUSTED, words::ADJUSTED_HINT, index(share)))}
            {figure(words::BOTH, "", format::count(agreement.rows))}
        </dl>
    }
}

/// The values that have a column of their own.
struct Heads {
    places: Vec<usize>,
    values: Vec<Literal>,
    has_others: bool,
}

fn heat(page: Page, by: String, against: String, table: &Contingency) -> impl IntoView + use<> {
    let mut places = table.most_frequent();
    let has_others = places.len() > VALUES_MAX;
    places.truncate(VALUES_MAX);
    places.sort_unstable();
    let values = places.iter().filter_map(|at| table.values.get(*at).cloned()).collect();
    let heads = Heads { places, values, has_others };
    let head = heads.values.iter().map(|value| {
        let name = value.as_text().to_owned();
        let hint = words::filter(&name);
        let (column, value) = (against.clone(), value.clone());
        view! {
            <th class="groups-value">
                <button
                    type="button"
                    title=hint
                    on:click=move |_| toggle(page, &column, Some(&value))
                >
                    <span>{name}</span>
                </button>
            </th>
        }
    });
    let head = head.collect_view();
    let others =
        has_others.then(|| view! { <th class="groups-value"><span>{words::OTHERS}</span></th> });
    let shown = table.largest(GROUPS_MAX as usize);
    let is_cut = shown.len() < table.groups.len();
    let lines = shown.into_iter().filter_map(|at| {
        let value = table.groups.get(at)?.clone();
        Some(line(page, by.clone(), value, table.row(at), &heads, table.mixture(at)))
    });
    view! {
        <div class="groups-scroll">
            <table class="groups-table groups-heat">
                <thead>
                    <tr>
                        <th>{words::GROUP}</th>
                        {head}
                        {others}
                        <th class="number" title=words::PURITY_HINT>{words::PURITY}</th>
                        <th class="number" title=words::ENTROPY_HINT>{words::ENTROPY}</th>
                    </tr>
                </thead>
                <tbody>{lines.collect_view()}</tbody>
            </table>
        </div>
        {is_cut.then(|| view! { <p class="quiet groups-foot">{words::cut(GROUPS_MAX)}</p> })}
    }
}

fn line(
    page: Page,
    by: String,
    value: Literal,
    counts: &[(usize, u64)],
    heads: &Heads,
    mixture: Mixture,
) -> impl IntoView + use<> {
    let name = name_of(Some(&value));
    let share = |rows: u64| rows as f64 / mixture.rows.max(1) as f64;
    let cell = |of: &str, rows: u64| {
        let share = share(rows);
        let strength = format!("{:.3}", share);
        let hint = words::cell(&name, of, rows, share);
        let text = if rows > 0 { words::percent(share) } else { String::new() };
        view! {
            <td class="groups-cell" class:strong={share > STRONG} style=format!("--share: {strength}") title=hint>
                {text}
            </td>
        }
    };
    let at = |place: &usize| {
        counts.iter().find(|(other, _)| other == place).map_or(0, |(_, rows)| *rows)
    };
    let own: u64 = heads.places.iter().map(at).sum();
    let cells =
        heads.places.iter().zip(&heads.values).map(|(place, of)| cell(of.as_text(), at(place)));
    let cells = cells.collect_view();
    let others = heads.has_others.then(|| cell(words::OTHERS, mixture.rows - own));
    let (column, chosen_value) = (by.clone(), value.clone());
    let chosen = Derived::new(move |_| is_chosen(page, &column, Some(&chosen_value)));
    let hint = words::filter(&name);
    view! {
        <tr class:chosen=move || chosen.get()>
            <td>
                <button
                    type="button"
                    class="groups-name"
                    title=hint
                    aria-pressed=move || chosen.get().to_string()
                    on:click=move |_| toggle(page, &by, Some(&value))
                >
                    {name.clone()}
                </button>
            </td>
            {cells}
            {others}
            <td class="number">{format::number(mixture.purity, 0.01)}</td>
            <td class="number">{format::number(mixture.entropy, 0.01)}</td>
        </tr>
    }
}
