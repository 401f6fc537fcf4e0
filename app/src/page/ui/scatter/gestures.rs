//! What pointer, wheel and keys do on a scatter: move, zoom, select a box, ask for the row
//! under the pointer. One finger or the mouse moves, two fingers pinch.

use std::collections::HashMap;
use std::time::Duration;

use crate::page::lasting::Lasting;
use engine::predicate::Predicate;
use leptos::html;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent, WheelEvent};

use super::{Scatter, Tool};
use crate::page::ui::brush::{capture, offset};
use crate::protocol::{Request, Viewport};
use crate::scale::Linear;
use crate::state::command::{Command, Gesture};
use crate::state::region::{Combine, combined, simplified};
use crate::state::viewport::{panned, zoomed};

/// The pointer rests so long before a first row is asked for: who only passes by needs no index
/// of the points.
const HOVER_MILLIS: u64 = 16;
const CLICK_PIXELS: f64 = 4.0;
const KEY_PAN: f64 = 0.1;
const KEY_ZOOM: f64 = 0.8;
/// How far a click or a tap reaches for a point, and a finger that stays.
const PICK_REACH: f64 = 12.0;
const TOUCH_REACH: f64 = 24.0;
const LONG_PRESS_MILLIS: u64 = 450;

pub(super) type Area = NodeRef<html::Div>;

/// The pointers that are down, and what they are doing.
#[derive(Default)]
pub(super) struct Pointers {
    down: HashMap<i32, (f64, f64)>,
    doing: Doing,
    hover: Option<TimeoutHandle>,
}

#[derive(Default)]
enum Doing {
    #[default]
    Nothing,
    /// From where, and what was shown then.
    Moving {
        from: (f64, f64),
        before: Viewport,
        moved: bool,
    },
    Boxing {
        from: (f64, f64),
        onto: Onto,
    },
    /// Where the pointer has been.
    Lassoing {
        path: Vec<[f64; 2]>,
        onto: Onto,
    },
    /// How far apart the fingers were, where their middle was, and what was shown then.
    Pinching {
        apart: f64,
        middle: (f64, f64),
        before: Viewport,
    },
}

/// The selection that a shape is drawn onto, and what it does to it.
#[derive(Clone)]
pub(super) struct Onto {
    before: Option<Predicate>,
    how: Combine,
}

/// What is being drawn, in pixels of the plot.
#[derive(Clone, PartialEq)]
pub(super) enum Drawn {
    /// Left, top, right and bottom.
    Box([f64; 4]),
    Lasso(Vec<[f64; 2]>),
}

/// What a drag with this tool, or these keys, selects by; `None` where it moves.
fn tool_of(scatter: Scatter, event: &PointerEvent) -> Option<Tool> {
    let chosen = scatter.tool.get_untracked();
    let by_keys = event.shift_key().then_some(match event.ctrl_key() || event.meta_key() {
        true => Tool::Lasso,
        false => Tool::Box,
    });
    chosen.or(by_keys)
}

/// With a tool chosen, Shift adds, Alt takes away and both keep what is common. Without one
/// Shift is what makes a drag select, so that it replaces.
fn combine_of(scatter: Scatter, event: &PointerEvent) -> Combine {
    let is_chosen = scatter.tool.get_untracked().is_some();
    match (event.shift_key() && is_chosen, event.alt_key()) {
        (false, false) => Combine::Replace,
        (true, false) => Combine::Add,
        (false, true) => Combine::Subtract,
        (true, true) => Combine::Intersect,
    }
}

type Shared = StoredValue<Pointers, LocalStorage>;

pub(super) fn wheel(scatter: Scatter, event: &WheelEvent, area: Area) {
    let (Some(shown), Some(whole), Some(element)) = (
        scatter.viewport.get_untracked(),
        untrack(|| scatter.page.whole_viewport(scatter.id)),
        area.get_untracked(),
    ) else {
        return;
    };
    event.prevent_default();
    let rect = element.get_bounding_client_rect();
    let x = (f64::from(event.client_x()) - rect.left()) / rect.width().max(1.0);
    let y = 1.0 - (f64::from(event.client_y()) - rect.top()) / rect.height().max(1.0);
    // Lines and pages of old mice, in pixels.
    let pixels = match event.delta_mode() {
        WheelEvent::DOM_DELTA_LINE => event.delta_y() * 16.0,
        WheelEvent::DOM_DELTA_PAGE => event.delta_y() * 400.0,
        _ => event.delta_y(),
    };
    // A pinch on a touchpad comes as a wheel with Ctrl, in small steps.
    let speed = if event.ctrl_key() { 0.01 } else { 0.002 };
    let factor = (pixels * speed).clamp(-1.0, 1.0).exp();
    scatter.set_viewport(Some(zoomed(shown, factor, [x, y], whole)), Gesture::Done);
}

pub(super) fn down(scatter: Scatter, event: &PointerEvent, area: Area, pointers: Shared) {
    let (Some(shown), Some(element)) = (scatter.viewport.get_untracked(), area.get_untracked())
    else {
        return;
    };
    if event.button() != 0 {
        return;
    }
    capture(event);
    hide_hovered(scatter, pointers);
    let at = offset(event, &element);
    if event.pointer_type() == "touch" {
        long_press(scatter, at, pointers);
    }
    let tool = tool_of(scatter, event);
    let before = untrack(|| scatter.page.clause(&scatter.clause_id()));
    let onto = Onto { before, how: combine_of(scatter, event) };
    pointers.update_value(|pointers| {
        pointers.down.insert(event.pointer_id(), at);
        pointers.doing = match pointers.two() {
            Some((first, second)) => Doing::Pinching {
                apart: distance(first, second),
                middle: middle(first, second),
                before: shown,
            },
            None if tool == Some(Tool::Box) => Doing::Boxing { from: at, onto },
            None if tool == Some(Tool::Lasso) => Doing::Lassoing { path: vec![[at.0, at.1]], onto },
            None => Doing::Moving { from: at, before: shown, moved: false },
        };
    });
}

pub(super) fn moved(
    scatter: Scatter,
    event: &PointerEvent,
    area: Area,
    pointers: Shared,
    drawn: Lasting<Option<Drawn>>,
) {
    let Some(element) = area.get_untracked() else { return };
    let at = offset(event, &element);
    let is_down = pointers.try_update_value(|pointers| {
        let known = pointers.down.get_mut(&event.pointer_id());
        known.map(|place| *place = at).is_some()
    });
    if is_down == Some(true) {
        drag(scatter, at, pointers, drawn);
    } else if event.pointer_type() != "touch" {
        ask_hovered(scatter, at, pointers);
    }
}

fn drag(scatter: Scatter, at: (f64, f64), pointers: Shared, drawn: Lasting<Option<Drawn>>) {
    let (width, height) = scatter.size.get_untracked();
    let whole = untrack(|| scatter.page.whole_viewport(scatter.id));
    let (mut viewport, mut selected) = (None, None);
    pointers.update_value(|pointers| {
        let two = pointers.two();
        match &mut pointers.doing {
            Doing::Nothing => {}
            Doing::Moving { from, before, moved } => {
                *moved |= distance(*from, at) >= CLICK_PIXELS;
                if *moved {
                    // A finger that moves does not rest.
                    if let Some(press) = pointers.hover.take() {
                        press.clear();
                    }
                    let right = (from.0 - at.0) / width.max(1.0);
                    viewport = Some(panned(*before, right, (at.1 - from.1) / height.max(1.0)));
                }
            }
            Doing::Boxing { from, onto } => {
                let corners = corners(*from, at, width, height);
                selected = Some((Drawn::Box(corners), onto.clone()));
            }
            Doing::Lassoing { path, onto } => {
                let at = [at.0.clamp(0.0, width), at.1.clamp(0.0, height)];
                let is_far = path.last().is_none_or(|[x, y]| (x - at[0]).hypot(y - at[1]) >= 2.0);
                if is_far {
                    path.push(at);
                }
                selected = Some((Drawn::Lasso(path.clone()), onto.clone()));
            }
            Doing::Pinching { apart, middle: was, before } => {
                let Some(((first, second), whole)) = two.zip(whole) else { return };
                let now = middle(first, second);
                let factor = *apart / distance(first, second).max(1.0);
                let place = [was.0 / width.max(1.0), 1.0 - was.1 / height.max(1.0)];
                let closer = zoomed(*before, factor, place, whole);
                let right = (was.0 - now.0) / width.max(1.0);
                viewport = Some(panned(closer, right, (now.1 - was.1) / height.max(1.0)));
            }
        }
    });
    if viewport.is_some() {
        scatter.set_viewport(viewport, Gesture::Moving);
    }
    if let Some((shape, onto)) = selected {
        select(scatter, &shape, onto, Gesture::Moving);
        drawn.set(Some(shape));
    }
}

pub(super) fn up(
    scatter: Scatter,
    event: &PointerEvent,
    area: Area,
    pointers: Shared,
    drawn: Lasting<Option<Drawn>>,
) {
    let Some(element) = area.get_untracked() else { return };
    let at = offset(event, &element);
    let done = pointers.try_update_value(|pointers| {
        pointers.down.remove(&event.pointer_id());
        // The finger that is still down moves on from where it is with its next press.
        std::mem::take(&mut pointers.doing)
    });
    drawn.set(None);
    match done.unwrap_or_default() {
        Doing::Boxing { from, onto } => {
            let (width, height) = scatter.size.get_untracked();
            match distance(from, at) >= CLICK_PIXELS {
                true => {
                    let shape = Drawn::Box(corners(from, at, width, height));
                    select(scatter, &shape, onto, Gesture::Done);
                }
                false => put_back(scatter, onto),
            }
        }
        Doing::Lassoing { path, onto } => match path.len() > 2 {
            true => select(scatter, &Drawn::Lasso(path), onto, Gesture::Done),
            false => put_back(scatter, onto),
        },
        Doing::Moving { moved: true, .. } | Doing::Pinching { .. } => {
            let shown = scatter.viewport.get_untracked();
            scatter.set_viewport(shown, Gesture::Done);
        }
        Doing::Moving { .. } => {
            let reach = if event.pointer_type() == "touch" { TOUCH_REACH } else { PICK_REACH };
            pick(scatter, at, reach);
        }
        Doing::Nothing => {}
    }
}

/// Makes a drawn shape the view's filter, or part of it.
fn select(scatter: Scatter, drawn: &Drawn, onto: Onto, gesture: Gesture) {
    let shape = match drawn {
        Drawn::Box(corners) => data_box(scatter, *corners).and_then(|of| scatter.box_of(of)),
        Drawn::Lasso(path) => scatter.outline_of(&data_path(scatter, &simplified(path, 1.0))),
    };
    if let Some(shape) = shape {
        scatter.set_clause(Some(combined(onto.before, shape, onto.how)), gesture);
    }
    // A tool serves once, unless keys say that there is more to come.
    if gesture == Gesture::Done && onto.how == Combine::Replace {
        scatter.tool.set(None);
    }
}

/// A press that drew nothing clears the selection, or leaves it as it was.
fn put_back(scatter: Scatter, onto: Onto) {
    let before = onto.before.filter(|_| onto.how != Combine::Replace);
    scatter.set_clause(before, Gesture::Done);
    scatter.tool.set(None);
}

pub(super) fn cancel(event: &PointerEvent, pointers: Shared, drawn: Lasting<Option<Drawn>>) {
    pointers.update_value(|pointers| {
        pointers.down.remove(&event.pointer_id());
        pointers.doing = Doing::Nothing;
    });
    drawn.set(None);
}

pub(super) fn leave(scatter: Scatter, pointers: Shared) {
    let idle = pointers.with_value(|pointers| pointers.down.is_empty());
    if idle {
        hide_hovered(scatter, pointers);
    }
}

pub(super) fn fit(scatter: Scatter) {
    scatter.set_viewport(None, Gesture::Done);
}

pub(super) fn key(scatter: Scatter, event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let (Some(shown), Some(whole)) =
        (scatter.viewport.get_untracked(), untrack(|| scatter.page.whole_viewport(scatter.id)))
    else {
        return;
    };
    let page = scatter.page;
    let is_pinned = page.model.with_untracked(|model| model.chosen.pinned.is_some());
    let toward = match event.key().as_str() {
        "ArrowLeft" => Some([-1.0, 0.0]),
        "ArrowRight" => Some([1.0, 0.0]),
        "ArrowUp" => Some([0.0, -1.0]),
        "ArrowDown" => Some([0.0, 1.0]),
        _ => None,
    };
    if let Some(toward) = toward.filter(|_| is_pinned && !event.shift_key()) {
        event.prevent_default();
        return page.link.send(&Request::PickNext { view: scatter.id, toward });
    }
    let far = if event.shift_key() { KEY_PAN * 5.0 } else { KEY_PAN };
    let viewport = match event.key().as_str() {
        "ArrowLeft" => panned(shown, -far, 0.0),
        "ArrowRight" => panned(shown, far, 0.0),
        "ArrowUp" => panned(shown, 0.0, far),
        "ArrowDown" => panned(shown, 0.0, -far),
        "+" | "=" => zoomed(shown, KEY_ZOOM, [0.5, 0.5], whole),
        "-" | "_" => zoomed(shown, 1.0 / KEY_ZOOM, [0.5, 0.5], whole),
        "0" => {
            event.prevent_default();
            return fit(scatter);
        }
        // Without Shift it asks what the selection is made of, wherever the focus is.
        "S" if event.shift_key() => {
            event.prevent_default();
            return scatter.set_clause(scatter.box_of(shown), Gesture::Done);
        }
        " " if page.model.with_untracked(|model| model.chosen.player.is_some()) => {
            event.prevent_default();
            return page.dispatch(Command::TogglePlay);
        }
        // The point nearest to the middle: from there arrows go on.
        "Enter" => {
            event.prevent_default();
            let (width, height) = scatter.size.get_untracked();
            return pick(scatter, (width / 2.0, height / 2.0), width.max(height));
        }
        "Escape" if is_pinned => {
            event.prevent_default();
            return page.dispatch(Command::Pin { row: None });
        }
        "Escape" => {
            event.prevent_default();
            scatter.tool.set(None);
            return scatter.set_clause(None, Gesture::Done);
        }
        _ => return,
    };
    event.prevent_default();
    scatter.set_viewport(Some(viewport), Gesture::Done);
}

/// The point there is looked at; where there is none, none is any more.
fn pick(scatter: Scatter, (x, y): (f64, f64), reach: f64) {
    scatter.page.link.send(&Request::Pick { view: scatter.id, x, y, reach });
}

/// A finger that stays in its place asks what is under it.
fn long_press(scatter: Scatter, (x, y): (f64, f64), pointers: Shared) {
    let ask = move || scatter.page.ask_hovered(scatter.id, x, y);
    let handle = set_timeout_with_handle(ask, Duration::from_millis(LONG_PRESS_MILLIS)).ok();
    pointers.update_value(|pointers| pointers.hover = handle);
}

/// Asks for the row under the pointer: once it rests, and from row to row at once.
fn ask_hovered(scatter: Scatter, (x, y): (f64, f64), pointers: Shared) {
    let ask = move || {
        scatter.page.ask_hovered(scatter.id, x, y);
    };
    let hovered = scatter.page.hovered;
    if hovered.with_untracked(|now| now.as_ref().is_some_and(|(view, _)| *view == scatter.id)) {
        return ask();
    }
    let handle = set_timeout_with_handle(ask, Duration::from_millis(HOVER_MILLIS)).ok();
    let before =
        pointers.try_update_value(|pointers| std::mem::replace(&mut pointers.hover, handle));
    if let Some(Some(before)) = before {
        before.clear();
    }
}

fn hide_hovered(scatter: Scatter, pointers: Shared) {
    let waiting = pointers.try_update_value(|pointers| pointers.hover.take());
    if let Some(Some(waiting)) = waiting {
        waiting.clear();
    }
    scatter.page.forget_hovered(scatter.id);
}

impl Pointers {
    fn two(&self) -> Option<((f64, f64), (f64, f64))> {
        let mut places = self.down.values();
        match (places.next(), places.next(), places.next()) {
            (Some(first), Some(second), None) => Some((*first, *second)),
            _ => None,
        }
    }
}

fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

fn middle(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)
}

/// Left, top, right and bottom of a box in pixels, within the plot.
fn corners(from: (f64, f64), to: (f64, f64), width: f64, height: f64) -> [f64; 4] {
    let x = [from.0, to.0].map(|x| x.clamp(0.0, width));
    let y = [from.1, to.1].map(|y| y.clamp(0.0, height));
    [x[0].min(x[1]), y[0].min(y[1]), x[0].max(x[1]), y[0].max(y[1])]
}

/// A path of pixels in data units.
fn data_path(scatter: Scatter, path: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let Some(shown) = scatter.viewport.get_untracked() else { return Vec::new() };
    let (width, height) = scatter.size.get_untracked();
    let across = Linear::new(shown.x, [0.0, width]);
    let up = Linear::new(shown.y, [height, 0.0]);
    path.iter().map(|[x, y]| [across.value(*x), up.value(*y)]).collect()
}

fn data_box(scatter: Scatter, [left, top, right, bottom]: [f64; 4]) -> Option<Viewport> {
    let shown = scatter.viewport.get_untracked()?;
    let (width, height) = scatter.size.get_untracked();
    let across = Linear::new(shown.x, [0.0, width]);
    let up = Linear::new(shown.y, [height, 0.0]);
    Some(Viewport {
        x: [across.value(left), across.value(right)],
        y: [up.value(bottom), up.value(top)],
    })
}
