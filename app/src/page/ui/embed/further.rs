//! What few change of a map: folded away, with defaults that are good for most.

use leptos::prelude::*;

use crate::page::lasting::{Derived, Lasting};
use crate::page::signals::use_page;
use crate::state::embed::{self, More};
use crate::texts::embed as words;

/// `layouts` are those that are made, by the names of the API.
#[component]
pub(super) fn Further(
    more: Lasting<More>,
    is_here: Lasting<bool>,
    layouts: impl Fn() -> [Option<&'static str>; 2] + Send + Sync + 'static,
    has_means: impl Fn() -> bool + Send + Sync + 'static,
) -> impl IntoView {
    let layouts = Derived::new(move |_| layouts());
    let has = move |name: &str| layouts.get().contains(&Some(name));
    let (has_umap, has_tsne) = (move || has("umap"), move || has("tsne"));
    let has_means = Derived::new(move |_| has_means());
    let is_far = move || !is_here.get();
    let is_open = Lasting::new(false);
    view! {
        <details class="embed-more" prop:open=move || is_open.get()>
            <summary on:click=move |event| {
                event.prevent_default();
                is_open.update(|is_open| *is_open = !*is_open);
            }>{words::MORE}</summary>
            <div class="embed-more-fields">
                <Show when=has_umap>
                    <OfUmap more is_open/>
                </Show>
                <Show when=has_tsne>
                    <Number
                        label=words::PERPLEXITY
                        hint=words::PERPLEXITY_HINT
                        unasked=words::UNASKED
                        bounds=["1", "166", "any"]
                        is_open
                        set=move |typed| change(more, |more| more.perplexity = embed::perplexity(typed))
                    />
                </Show>
                <Number
                        label=words::SEED
                        hint=words::SEED_HINT
                        unasked="614"
                        bounds=["0", "", "1"]
                        is_open
                        set=move |typed| change(more, |more| more.seed = embed::seed(typed))
                    />
                <Show when=move || is_far() && has_umap()>
                    <Onto more/>
                </Show>
                <Show when=has_umap>
                    <Tick
                        label=words::SPECTRAL
                        hint=words::SPECTRAL_HINT
                        chosen=move || more.with(|more| more.is_spectral)
                        set=move |is| change(more, |more| more.is_spectral = is)
                    />
                </Show>
                <Show when=move || has_means.get()>
                    <OfMeans more is_here/>
                </Show>
                <Show when=is_far>
                    <Tick
                        label=words::NEAREST
                        hint=""
                        chosen=move || more.with(|more| more.has_neighbours)
                        set=move |is| change(more, |more| more.has_neighbours = is)
                    />
                </Show>
            </div>
        </details>
    }
}

/// What UMAP asks.
#[component]
fn OfUmap(more: Lasting<More>, is_open: Lasting<bool>) -> impl IntoView {
    view! {
        <Number
            label=words::NEIGHBOURS
            hint=words::NEIGHBOURS_HINT
            unasked="15"
            bounds=["2", "500", "1"]
            is_open
            set=move |typed| change(more, |more| more.neighbours = embed::neighbours(typed))
        />
        <Number
            label=words::MIN_DISTANCE
            hint=words::MIN_DISTANCE_HINT
            unasked="0.1"
            bounds=["0", "1", "any"]
            is_open
            set=move |typed| change(more, |more| more.min_distance = embed::min_distance(typed))
        />
    }
}

/// What k-means asks; a table of centroids is the companion's.
#[component]
fn OfMeans(more: Lasting<More>, is_here: Lasting<bool>) -> impl IntoView {
    view! {
        <Tick
            label=words::BATCHES
            hint=words::BATCHES_HINT
            chosen=move || more.with(|more| more.has_batches)
            set=move |is| change(more, |more| more.has_batches = is)
        />
        <Show when=move || !is_here.get()>
            <Tick
                label=words::CENTROIDS
                hint=""
                chosen=move || more.with(|more| more.has_centroids)
                set=move |is| change(more, |more| more.has_centroids = is)
            />
        </Show>
    }
}

fn change(more: Lasting<More>, change: impl FnOnce(&mut More)) {
    more.update(change);
}

/// What a field takes, as the browser checks it: least, most and step.
type Bounds = [&'static str; 3];

/// A number, or the default that is shown where there is none.
#[component]
fn Number(
    label: &'static str,
    hint: &'static str,
    unasked: &'static str,
    bounds: Bounds,
    is_open: Lasting<bool>,
    set: impl Fn(&str) + 'static,
) -> impl IntoView {
    let [min, max, step] = bounds;
    view! {
        <label class="embed-more-field" title=hint>
            <span>{label}</span>
            <input
                type="number"
                min=min
                max=max
                step=step
                placeholder=unasked
                on:input=move |event| set(&event_target_value(&event))
                // The browser can say what is wrong with what is seen, and with nothing else.
                on:invalid=move |_| is_open.set(true)
            />
        </label>
    }
}

#[component]
fn Tick(
    label: &'static str,
    hint: &'static str,
    chosen: impl Fn() -> bool + Send + Sync + 'static,
    set: impl Fn(bool) + 'static,
) -> impl IntoView {
    view! {
        <label class="check" title=hint>
            <input
                type="checkbox"
                prop:checked=chosen
                on:change=move |event| set(event_target_checked(&event))
            />
            <span>{label}</span>
        </label>
    }
}

/// The map that rows are placed on: any of the companion's tables, of which it knows whether it
/// is one.
#[component]
fn Onto(more: Lasting<More>) -> impl IntoView {
    let page = use_page();
    let names = Derived::new(move |_| page.tables.with(super::names));
    let options = move || {
        let option = |name: String| view! { <option value=name.clone()>{name.clone()}</option> };
        names.get().into_iter().map(option).collect_view()
    };
    view! {
        <label class="embed-more-field" title=words::ONTO_HINT>
            <span>{words::ONTO}</span>
            <select
                prop:value=move || more.with(|more| more.onto.clone().unwrap_or_default())
                on:change=move |event| {
                    let name = event_target_value(&event);
                    change(more, |more| more.onto = Some(name).filter(|name| !name.is_empty()));
                }
            >
                <option value="">{words::ONTO_NONE}</option>
                {options}
            </select>
        </label>
    }
}
