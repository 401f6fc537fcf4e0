//! Which clusters are looked for, and how many.

use leptos::prelude::*;

use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::use_page;
use crate::state::embed::{self, CLUSTERS_MAX, CLUSTERS_TYPED_MAX, DENSE_ROWS_MAX};
use crate::texts::embed as words;

/// Which clusters, before how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    None,
    Means,
    Dense,
}

const KINDS: [(Kind, &str, &str); 3] = [
    (Kind::Means, "means", words::MEANS),
    (Kind::Dense, "dense", words::DENSE),
    (Kind::None, "none", words::NO_CLUSTERS),
];

/// Which clusters are looked for, and how many.
#[component]
pub(super) fn ClusterFields(
    kind: Lasting<Kind>,
    clusters: Lasting<u32>,
    dense_rows: Lasting<u32>,
) -> impl IntoView {
    let name = move || {
        KINDS.iter().find(|(this, _, _)| *this == kind.get()).map_or("none", |(_, name, _)| name)
    };
    let choose = move |event| {
        let name = event_target_value(&event);
        if let Some((this, _, _)) = KINDS.iter().find(|(_, known, _)| *known == name) {
            kind.set(*this);
        }
    };
    let options = KINDS.map(|(_, name, label)| view! { <option value=name>{label}</option> });
    let means = move || view! { <Means clusters/> };
    let dense = move || {
        view! {
            <label class="check">
                <span>{words::DENSE_ROWS}</span>
                <input
                    type="number"
                    min="2"
                    max=DENSE_ROWS_MAX.to_string()
                    prop:value=move || dense_rows.get().to_string()
                    on:change=move |event| {
                        if let Some(rows) = embed::dense_rows(&event_target_value(&event)) {
                            dense_rows.set(rows);
                        }
                    }
                />
            </label>
        }
    };
    let many = move || match kind.get() {
        Kind::None => ().into_any(),
        Kind::Means => means().into_any(),
        Kind::Dense => dense().into_any(),
    };
    view! {
        <div class="embed-clusters">
            <select id="embed-clusters" prop:value=name on:change=choose>{options}</select>
            {many}
        </div>
    }
}

/// So many clusters: dragged, typed, or as many as a column has values.
#[component]
fn Means(clusters: Lasting<u32>) -> impl IntoView {
    let page = use_page();
    let set = move |event| {
        if let Some(k) = embed::clusters(&event_target_value(&event)) {
            clusters.set(k);
        }
    };
    let columns = Derived::new(move |_| {
        let columns = page.schema().map(|schema| schema.columns.clone()).unwrap_or_default();
        page.profiles.with(|profiles| {
            embed::columns_of_values(&columns, |name| profiles.get(name).and_then(|p| p.distinct))
        })
    });
    let options = move || {
        let option = |(name, many): (String, u32)| {
            view! { <option value=many.to_string()>{words::values_of(&name, many)}</option> }
        };
        columns.get().into_iter().map(option).collect_view()
    };
    view! {
        <input
            type="range"
            min="2"
            max=CLUSTERS_MAX.to_string()
            aria-label=words::MANY
            prop:value=move || clusters.get().to_string()
            on:input=set
        />
        <input
            type="number"
            min="1"
            max=CLUSTERS_TYPED_MAX.to_string()
            aria-label=words::NUMBER
            prop:value=move || clusters.get().to_string()
            on:change=set
        />
        <Show when=move || columns.with(|columns| !columns.is_empty())>
            <select aria-label=words::AS_MANY prop:value=move || clusters.get().to_string() on:change=set>
                <option value="">{words::AS_MANY}</option>
                {options}
            </select>
        </Show>
    }
}
