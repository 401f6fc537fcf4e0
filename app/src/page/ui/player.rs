//! Plays a column: a window moves along it and is the column's filter, so that every view
//! follows. Where motion is not wanted it moves a step at a time, when it is asked.

use crate::page::lasting::Derived;
use leptos::prelude::*;

use super::icon::Icon;
use crate::page::browser;
use crate::page::parts::{Fetched, SplitLoaderError, made, part, wasm_split};
use crate::page::signals::{Page, use_page};
use crate::protocol::{MarkResult, Request};
use crate::state::command::{Command, Gesture};
use crate::state::player::{Player, SPEEDS, WIDTHS};
use crate::state::position::{Scalar, between, interval};
use crate::state::{column_clause, format};
use crate::texts;

/// A frame that took longer counts as this long: a page in the background stands still.
const FRAME_MILLIS_MAX: f64 = 250.0;

/// The column's whole extent, and the window's beginning.
fn place(page: Page, player: &Player) -> Option<(Scalar, [f64; 2], f64)> {
    let scalar = page.scalar(&player.column)?;
    let view = page.schema()?.filter_view(&player.column)?;
    let MarkResult::Histogram { extent, .. } = *page.result(view)? else { return None };
    let clause = page.clause(&column_clause(&player.column));
    let ends = clause.and_then(|clause| interval(&clause, scalar));
    let start = ends.and_then(|(low, _)| low).unwrap_or(extent[0]);
    Some((scalar, extent, start))
}

fn show(page: Page, player: &Player, scalar: Scalar, [low, high]: [f64; 2], gesture: Gesture) {
    let step = (high - low) / 1000.0;
    let predicate = Some(between(&player.column, scalar, low, high, step));
    page.dispatch(Command::SetClause { id: column_clause(&player.column), predicate, gesture });
}

/// Goes to the window that `to` makes of the one there is.
fn go(page: Page, gesture: Gesture, to: impl FnOnce(&Player, f64, [f64; 2]) -> [f64; 2]) {
    let player = page.model.with_untracked(|model| model.chosen.player.clone());
    let Some(player) = player else { return };
    if let Some((scalar, extent, start)) = untrack(|| place(page, &player)) {
        show(page, &player, scalar, to(&player, start, extent), gesture);
    }
}

fn step(page: Page, steps: f64) {
    go(page, Gesture::Done, |player, start, extent| player.stepped(start, extent, steps));
}

/// Starts, stops, or steps where motion is not wanted.
#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
pub(in crate::page) fn toggle(page: Page) -> Result<(), SplitLoaderError> {
    play_or_pause(page);
    Ok(())
}

fn play_or_pause(page: Page) {
    let Some(column) = page.model.with_untracked(|m| m.chosen.player.clone()).map(|p| p.column)
    else {
        return;
    };
    if page.is_playing.get_untracked() {
        page.is_playing.set(false);
        go(page, Gesture::Done, |player, start, extent| player.window(start, extent));
    } else if browser::wants_no_motion() {
        step(page, 1.0);
    } else {
        page.is_playing.set(true);
        page.link.send(&Request::Approach { column });
        next_frame(page, browser::now());
    }
}

fn next_frame(page: Page, before: f64) {
    request_animation_frame(move || {
        let is_there = page.model.with_untracked(|model| model.chosen.player.is_some());
        if !page.is_playing.get_untracked() || !is_there {
            page.is_playing.set(false);
            return;
        }
        let now = browser::now();
        let millis = (now - before).min(FRAME_MILLIS_MAX);
        go(page, Gesture::Moving, |player, start, extent| player.later(start, extent, millis));
        next_frame(page, now);
    });
}

#[component]
pub(super) fn PlayerBar() -> impl IntoView {
    let page = use_page();
    let player = Derived::new(move |_| page.model.with(|model| model.chosen.player.clone()));
    // The column's extent is asked with the views.
    Effect::new(move |_| {
        if player.with(Option::is_some) {
            page.ask_show();
        }
    });
    let is_open = move || player.with(Option::is_some);
    view! { <Show when=is_open>{part(move || bar(player))}</Show> }
}

#[wasm_split(panels, wasm_split_path = leptos::wasm_split, fallible)]
fn bar(player: Derived<Option<Player>>) -> Fetched {
    made(move || view! { <Bar player/> })
}

#[component]
fn Bar(player: Derived<Option<Player>>) -> impl IntoView {
    let page = use_page();
    let now = Derived::new(move |_| player.get().and_then(|player| place(page, &player)));
    let column = move || player.with(|p| p.as_ref().map(|p| p.column.clone())).unwrap_or_default();
    let set = move |change: fn(&mut Player, u8), value: u8| {
        let mut player = player.get_untracked();
        if let Some(player) = &mut player {
            change(player, value);
        }
        page.dispatch(Command::Play { player });
        if !page.is_playing.get_untracked() {
            go(page, Gesture::Done, |player, start, extent| player.window(start, extent));
        }
    };
    let words = move || {
        let (scalar, extent, start) = now.get()?;
        let [low, high] = player.get()?.window(start, extent);
        let step = (extent[1] - extent[0]) / 1000.0;
        let word = |value| format::position(value, scalar, step);
        Some([word(low), word(high)].join(" – "))
    };
    let share = move || {
        let (_, [low, high], start) = now.get()?;
        Some(((start - low) / (high - low).max(f64::MIN_POSITIVE) * 1000.0).round().to_string())
    };
    let slide = move |event: web_sys::Event, gesture: Gesture| {
        let Ok(share) = event_target_value(&event).parse::<f64>() else { return };
        page.is_playing.set(false);
        go(page, gesture, |player, _, [low, high]| {
            player.window(low + (high - low) * share / 1000.0, [low, high])
        });
    };
    let choice = move |label: &'static str,
                       values: &'static [u8],
                       words: fn(u8) -> String,
                       now: fn(&Player) -> u8,
                       change: fn(&mut Player, u8)| {
        let options = values.iter().map(move |value| {
            let selected = move || player.with(|p| p.as_ref().map(now)) == Some(*value);
            view! { <option value=*value selected=selected>{words(*value)}</option> }
        });
        view! {
            <select
                class="column-select"
                aria-label=label
                title=label
                on:change=move |event| {
                    if let Ok(value) = event_target_value(&event).parse() {
                        set(change, value);
                    }
                }
            >
                {options.collect_view()}
            </select>
        }
    };
    let name =
        move || if page.is_playing.get() { texts::player::PAUSE } else { texts::player::PLAY };
    let icon = move || if page.is_playing.get() { Icon::Pause.view() } else { Icon::Play.view() };
    let on_key = move |event: web_sys::KeyboardEvent| {
        // On a button the space presses it.
        let is_button = event.target() != event.current_target();
        if event.key() == " " && !is_button {
            event.prevent_default();
            play_or_pause(page);
        }
    };
    let close = move |_| {
        page.is_playing.set(false);
        page.dispatch(Command::Play { player: None });
    };
    view! {
        <div class="player" role="group" tabindex="-1" aria-label=move || texts::player::play_over(&column()) on:keydown=on_key>
            <button type="button" class="icon-button" aria-label=texts::player::STEP_BACK title=texts::player::STEP_BACK on:click=move |_| step(page, -1.0)>
                {Icon::StepBack.view()}
            </button>
            <button type="button" class="icon-button" aria-label=name title=move || texts::player::with_key(name()) on:click=move |_| play_or_pause(page)>
                {icon}
            </button>
            <button type="button" class="icon-button" aria-label=texts::player::STEP_FORWARD title=texts::player::STEP_FORWARD on:click=move |_| step(page, 1.0)>
                {Icon::StepForward.view()}
            </button>
            <strong>{column}</strong>
            <input
                type="range"
                min="0"
                max="1000"
                aria-label=texts::player::BEGINNING
                aria-valuetext=words
                prop:value=share
                on:input=move |event| slide(event, Gesture::Moving)
                on:change=move |event| slide(event, Gesture::Done)
            />
            <span class="value">{words}</span>
            {choice(texts::player::WIDTH, &WIDTHS, texts::player::wide, |p| p.width, |p, width| p.width = width)}
            {choice(texts::player::SPEED, &SPEEDS, |speed| texts::player::times(f64::from(speed) / 4.0), |p| p.speed, |p, speed| p.speed = speed)}
            <button type="button" class="icon-button" aria-label=texts::player::CLOSE title=texts::frame::CLOSE on:click=close>
                {Icon::Cancel.view()}
            </button>
        </div>
    }
}
