//! What groups are called: typed beside each, or taken from what sets them apart.

use leptos::prelude::*;

use crate::page::lasting::Derived;
use crate::page::signals::Page;
use crate::state::command::Command;
use crate::state::names::LETTERS_MAX;
use crate::texts::groups as words;

/// Where a value's name is typed; what could be its name stands there faintly.
pub(super) fn field(
    page: Page,
    column: String,
    value: String,
    proposed: Option<String>,
) -> impl IntoView + use<> {
    let own = (column.clone(), value.clone());
    let name = Derived::new(move |_| {
        page.model.with(|model| model.chosen.names.of(&own.0, &own.1).map(str::to_owned))
    });
    let label = words::name_of(&value);
    let set = move |event| {
        let names = vec![(value.clone(), event_target_value(&event))];
        page.dispatch(Command::Name { column: column.clone(), names });
    };
    view! {
        <input
            type="text"
            class="groups-called"
            maxlength=LETTERS_MAX.to_string()
            aria-label=label
            placeholder=proposed
            prop:value=move || name.get().unwrap_or_default()
            on:change=set
        />
    }
}

/// Gives each group that has none the name it could have, and takes all names away again.
pub(super) fn naming(
    page: Page,
    column: &str,
    proposed: Vec<(String, String)>,
) -> impl IntoView + use<> {
    let own = column.to_owned();
    let unnamed = Derived::new(move |_| {
        page.model.with(|model| {
            let names = &model.chosen.names;
            let free = proposed.iter().filter(|(value, _)| names.of(&own, value).is_none());
            free.cloned().collect::<Vec<_>>()
        })
    });
    let own = column.to_owned();
    let named = Derived::new(move |_| {
        page.model.with(|model| {
            let all = model.chosen.names.all().iter().filter(|name| name.column == own);
            all.map(|name| (name.value.clone(), String::new())).collect::<Vec<_>>()
        })
    });
    let column = column.to_owned();
    let button = move |names: Derived<Vec<(String, String)>>, label: &'static str| {
        let column = column.clone();
        let set = move |_| {
            let names = names.get_untracked();
            page.dispatch(Command::Name { column: column.clone(), names });
        };
        view! {
            <Show when=move || names.with(|names| !names.is_empty())>
                <button type="button" class="button small" on:click=set.clone()>{label}</button>
            </Show>
        }
    };
    view! { {button(unnamed, words::NAME_ALL)} {button(named, words::UNNAME_ALL)} }
}
