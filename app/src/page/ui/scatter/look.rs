//! How a scatter is drawn, chosen in a panel: points or density, colours, size, what lies
//! over it. Only what has an effect now can be chosen.

use crate::page::lasting::{Derived, Lasting};
use engine::kind::Kind;
use leptos::prelude::*;

use super::Scatter;
use crate::draw::Theme;
use crate::draw::palette::Palette;
use crate::look::{Form, Look, Ramp, SIZE_MAX, Spread, is_named};
use crate::page::parts::{Fetched, made, part, wasm_split};
use crate::page::ui::icon::Icon;
use crate::page::ui::popover::Popover;
use crate::page::ui::view_frame::ColumnSelect;
use crate::protocol::{Legend, MarkResult, Varied};
use crate::state::command::{Command, Gesture};
use crate::texts;

/// Colours of a ramp's button.
const STOPS: usize = 7;

#[component]
pub(super) fn LookPanel(scatter: Scatter) -> impl IntoView {
    let open = Lasting::new(false);
    view! {
        <Popover
            label=texts::look::PANEL
            open=open
            button_class="icon-button"
            panel_class="look-panel"
            at_end=true
            button=|| Icon::Look.view()
        >
            {part(move || choices(scatter))}
        </Popover>
    }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn choices(scatter: Scatter) -> Fetched {
    made(move || view! { <Choices scatter/> })
}

#[component]
fn Choices(scatter: Scatter) -> impl IntoView {
    let look = scatter.look;
    let set = move |change: fn(&mut Look, u8), value: u8, gesture: Gesture| {
        let mut look = look.get_untracked();
        change(&mut look, value);
        scatter.page.dispatch(Command::SetLook { view: scatter.id, look, gesture });
    };
    let legend = Derived::new(move |_| {
        scatter.result.with(|result| match result.as_deref() {
            Some(MarkResult::Scatter { legend: Legend::Categories { .. }, .. }) => 1,
            Some(MarkResult::Scatter { legend: Legend::Ramp { .. }, .. }) => 2,
            Some(MarkResult::Scatter { density: true, .. }) => 3,
            _ => 0,
        })
    });
    // What the choices below are of: a tone of counts, a ramp, categories, or nothing of these.
    let has_ramp = move || legend.get() != 1;
    let is_ramp = move || legend.get() == 2;
    let is_here = move || legend.get() != 3;
    let segments = move |label: &'static str,
                         names: &'static [&'static str],
                         now: fn(Look) -> u8,
                         change: fn(&mut Look, u8)| {
        let buttons = names.iter().zip(0u8..).map(|(name, value)| {
            view! {
                <button
                    type="button"
                    aria-pressed=move || (now(look.get()) == value).to_string()
                    on:click=move |_| set(change, value, Gesture::Done)
                >
                    {*name}
                </button>
            }
        });
        view! {
            <div class="menu-row" role="group" aria-label=label>
                <span>{label}</span>
                <div class="segmented">{buttons.collect_view()}</div>
            </div>
        }
    };
    let slider = move |label: &'static str,
                       [least, most]: [u8; 2],
                       now: fn(Look) -> u8,
                       words: fn(Look) -> String,
                       change: fn(&mut Look, u8)| {
        let moved = move |event: web_sys::Event, gesture| {
            if let Ok(value) = event_target_value(&event).parse() {
                set(change, value, gesture);
            }
        };
        view! {
            <label class="menu-row slider">
                <span>{label}</span>
                <input
                    type="range"
                    min=least
                    max=most
                    prop:value=move || now(look.get()).to_string()
                    aria-valuetext=move || words(look.get())
                    on:input=move |event| moved(event, Gesture::Moving)
                    on:change=move |event| moved(event, Gesture::Done)
                />
                <span class="value">{move || words(look.get())}</span>
            </label>
        }
    };
    let switch = move |label: &'static str, now: fn(Look) -> bool, change: fn(&mut Look, u8)| {
        view! {
            <label class="menu-row">
                <span>{label}</span>
                <input
                    type="checkbox"
                    prop:checked=move || now(look.get())
                    on:change=move |event| set(change, event_target_checked(&event).into(), Gesture::Done)
                />
            </label>
        }
    };
    let ramps = move || {
        let theme = Theme::of(scatter.page.is_dark());
        let buttons = Ramp::ALL.map(|(ramp, name)| {
            let colors = move || {
                let is_reversed = look.get().is_reversed;
                let colors = Palette::ramp(theme, ramp, is_reversed).ramp_css(STOPS).join(",");
                ["linear-gradient(to right,", &colors, ")"].concat()
            };
            view! {
                <button
                    type="button"
                    title=name
                    aria-label=name
                    aria-pressed=move || (look.get().ramp == ramp).to_string()
                    style:background-image=colors
                    on:click=move |_| {
                        let look = Look { ramp, ..look.get_untracked() };
                        let gesture = Gesture::Done;
                        scatter.page.dispatch(Command::SetLook { view: scatter.id, look, gesture });
                    }
                ></button>
            }
        });
        view! {
            <div class="menu-row" role="group" aria-label=texts::look::RAMP>
                <span>{texts::look::RAMP}</span>
                <div class="ramps">{buttons.into_iter().collect_view()}</div>
            </div>
        }
    };
    let columns = move |fits: fn(Kind) -> bool| {
        Signal::derive(move || {
            let schema = scatter.page.schema();
            let columns = schema.iter().flat_map(|schema| &schema.columns);
            columns
                .filter(|column| fits(column.kind))
                .map(|column| column.name.clone())
                .collect::<Vec<_>>()
        })
    };
    let by = move |label: &'static str,
                   names: Signal<Vec<String>>,
                   of: fn(&mut Varied) -> &mut Option<String>| {
        let chosen =
            Signal::derive(move || of(&mut scatter.varied.get()).clone().unwrap_or_default());
        let choose = Callback::new(move |name: String| {
            let mut varied = scatter.varied.get_untracked();
            *of(&mut varied) = (!name.is_empty()).then_some(name);
            scatter.put(look.get_untracked(), varied);
        });
        view! {
            <div class="menu-row">
                <span>{label}</span>
                <ColumnSelect label=label names=names chosen=chosen none=texts::look::BY_NONE on_choose=choose/>
            </div>
        }
    };
    let is_plain =
        move || look.get() == Look::default() && scatter.varied.get() == Varied::default();
    view! {
        <div class="menu look">
            <Show when=is_here>
                {segments(texts::look::FORM, &texts::look::FORMS, |look| look.form as u8, |look, at| {
                    look.form = Form::ALL.get(usize::from(at)).map_or(Form::Auto, |form| form.0);
                })}
                {slider(texts::look::SIZE, [0, SIZE_MAX], |look| look.size, |look| match look.size {
                    0 => texts::look::AUTOMATIC.to_owned(),
                    tenths => [&(f64::from(tenths) / 10.0).to_string(), " px"].concat(),
                }, |look, tenths| look.size = tenths)}
                {slider(texts::look::OPACITY, [0, 100], |look| look.opacity, |look| match look.opacity {
                    0 => texts::look::AUTOMATIC.to_owned(),
                    share => percent(share),
                }, |look, share| look.opacity = share)}
                {by(texts::look::SIZE_BY, columns(|kind| kind == Kind::Number), |varied| &mut varied.size)}
                {by(texts::look::SHAPE_BY, columns(is_named), |varied| &mut varied.shape)}
            </Show>
            <Show when=is_ramp>
                {segments(texts::look::COLORS, &texts::look::SPREADS, |look| look.spread as u8, |look, at| {
                    look.spread = Spread::ALL.get(usize::from(at)).map_or(Spread::Linear, |spread| spread.0);
                })}
                {slider(texts::look::RAMP_FROM, [0, 49], |look| look.clip[0], |look| percent(look.clip[0]), |look, share| {
                    look.clip[0] = share;
                })}
                {slider(texts::look::RAMP_TO, [51, 100], |look| look.clip[1], |look| percent(look.clip[1]), |look, share| {
                    look.clip[1] = share;
                })}
            </Show>
            <Show when=has_ramp>
                {ramps}
                {switch(texts::look::REVERSED, |look| look.is_reversed, |look, on| look.is_reversed = on > 0)}
            </Show>
            {segments(texts::look::COUNTS, &texts::look::COUNT_SPREADS, |look| look.is_equalized.into(), |look, at| {
                look.is_equalized = at > 0;
            })}
            {switch(texts::look::CONTOURS, |look| look.has_contours, |look, on| look.has_contours = on > 0)}
            <Show when=move || legend.get() == 1>
                {switch(texts::look::NAMES, |look| look.has_labels, |look, on| look.has_labels = on > 0)}
            </Show>
            <Show when=move || is_here() && scatter.page.picture_column().is_some()>
                {switch(texts::look::PICTURES, |look| look.has_pictures, |look, on| look.has_pictures = on > 0)}
            </Show>
            <button
                type="button"
                disabled=is_plain
                on:click=move |_| scatter.put(Look::default(), Varied::default())
            >
                {Icon::Refresh.view()} {texts::look::AS_AT_FIRST}
            </button>
        </div>
    }
}

fn percent(share: u8) -> String {
    [&share.to_string(), " %"].concat()
}
