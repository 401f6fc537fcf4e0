//! A range chosen along a horizontal axis: drawn by dragging, its ends and its middle
//! dragged again, its ends moved by keys. Both ends are sliders to assistive technology.

use leptos::prelude::*;
use leptos::svg;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use crate::state::brush::{Grip, dragged, grip, is_everything};
use crate::state::command::Gesture;
use crate::state::format;
use crate::state::position::Scalar;
use crate::state::shape::Scale;
use crate::texts;

/// A press that moves less is a click.
const CLICK_PIXELS: f64 = 3.0;

/// Along which axis, and how large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub domain: [f64; 2],
    pub width: f64,
    pub height: f64,
    pub scalar: Scalar,
    /// What an arrow key moves an end by: one bin, of what the axis is straight in.
    pub bin: f64,
    pub log: bool,
}

impl Axis {
    pub(super) fn scale(self) -> Scale {
        Scale { domain: self.domain, width: self.width, log: self.log }
    }

    /// The range after a drag, reckoned in what the axis is straight in.
    fn dragged(self, grip: Grip, before: [f64; 2], from: f64, to: f64) -> [f64; 2] {
        let scale = self.scale();
        let straight = |ends: [f64; 2]| ends.map(|end| scale.straight(end));
        let [from, to] = straight([from, to]);
        dragged(grip, straight(before), from, to, straight(self.domain))
            .map(|end| scale.value_of(end))
    }

    /// What one pixel is worth.
    pub(super) fn step(self) -> f64 {
        (self.domain[1] - self.domain[0]) / self.width.max(1.0)
    }
}

struct Drag {
    grip: Grip,
    before: [f64; 2],
    from: f64,
    start_x: f64,
    moved: bool,
}

#[component]
pub(super) fn Brush(
    #[prop(into)] axis: Signal<Option<Axis>>,
    /// The range that is set; an open end is the domain's.
    #[prop(into)]
    interval: Signal<Option<[f64; 2]>>,
    #[prop(into)] label: Signal<String>,
    on_change: Callback<(Option<[f64; 2]>, Gesture)>,
) -> impl IntoView {
    let surface = NodeRef::<svg::Rect>::new();
    let drag = StoredValue::new(None::<Drag>);
    let ends = Signal::derive(move || {
        let (axis, [low, high]) = (axis.get()?, interval.get()?);
        let pixels = axis.scale();
        let within = |position: f64| pixels.position(position).clamp(0.0, axis.width);
        Some([within(low), within(high)])
    });
    let hand = Hand { axis, interval, ends, surface, drag, on_change };
    let cursor = move || if ends.get().is_some() { "brush-surface set" } else { "brush-surface" };
    let area = move || {
        let ([low, high], axis) = (ends.get()?, axis.get()?);
        Some(view! {
            <rect class="brush-area" x=low y=0 width=(high - low).max(1.0) height=axis.height></rect>
        })
    };
    let size = move |of: fn(Axis) -> f64| move || axis.get().map_or(0.0, of);
    view! {
        <g class="brush">
            {area}
            <rect
                node_ref=surface
                class=cursor
                width=size(|axis| axis.width)
                height=size(|axis| axis.height)
                on:pointerdown=move |event| hand.down(&event)
                on:pointermove=move |event| hand.moved(&event)
                on:pointerup=move |event| hand.up(&event)
                on:pointercancel=move |_| drag.set_value(None)
                on:dblclick=move |_| on_change.run((None, Gesture::Done))
            ></rect>
            <Handle end=Grip::Low axis interval ends label on_change/>
            <Handle end=Grip::High axis interval ends label on_change/>
        </g>
    }
}

/// What the pointer does on the surface.
#[derive(Clone, Copy)]
struct Hand {
    axis: Signal<Option<Axis>>,
    interval: Signal<Option<[f64; 2]>>,
    ends: Signal<Option<[f64; 2]>>,
    surface: NodeRef<svg::Rect>,
    drag: StoredValue<Option<Drag>>,
    on_change: Callback<(Option<[f64; 2]>, Gesture)>,
}

impl Hand {
    /// Where the pointer is, in pixels and in data units.
    fn place(self, event: &PointerEvent) -> Option<(f64, f64)> {
        let (axis, surface) = (self.axis.get_untracked()?, self.surface.get_untracked()?);
        let element: &Element = surface.unchecked_ref();
        let x = f64::from(event.client_x()) - element.get_bounding_client_rect().left();
        Some((x, axis.scale().value(x)))
    }

    fn down(self, event: &PointerEvent) {
        if event.button() != 0 || event.shift_key() {
            return;
        }
        let Some((x, from)) = self.place(event) else { return };
        capture(event);
        let before = self.interval.get_untracked().unwrap_or([from, from]);
        let grip = grip(x, self.ends.get_untracked());
        self.drag.set_value(Some(Drag { grip, before, from, start_x: x, moved: false }));
    }

    fn moved(self, event: &PointerEvent) {
        if self.drag.with_value(Option::is_some) {
            self.change(event, Gesture::Moving);
        }
    }

    fn up(self, event: &PointerEvent) {
        self.change(event, Gesture::Done);
        let ended = self.drag.try_update_value(Option::take).flatten();
        // A click beside the range takes it away.
        if ended.is_some_and(|drag| !drag.moved && drag.grip == Grip::Fresh)
            && self.interval.get_untracked().is_some()
        {
            self.on_change.run((None, Gesture::Done));
        }
    }

    fn change(self, event: &PointerEvent, gesture: Gesture) {
        let (Some((x, to)), Some(axis)) = (self.place(event), self.axis.get_untracked()) else {
            return;
        };
        let range = self.drag.try_update_value(|drag| {
            let drag = drag.as_mut()?;
            drag.moved |= (x - drag.start_x).abs() >= CLICK_PIXELS;
            drag.moved.then(|| axis.dragged(drag.grip, drag.before, drag.from, to))
        });
        if let Some(Some(range)) = range {
            let range = (!is_everything(range, axis.domain)).then_some(range);
            self.on_change.run((range, gesture));
        }
    }
}

/// One end: seen where a range is set or where the keyboard is, moved by keys. The
/// pointer goes through it to the surface.
#[component]
fn Handle(
    end: Grip,
    axis: Signal<Option<Axis>>,
    interval: Signal<Option<[f64; 2]>>,
    ends: Signal<Option<[f64; 2]>>,
    label: Signal<String>,
    on_change: Callback<(Option<[f64; 2]>, Gesture)>,
) -> impl IntoView {
    let at = usize::from(end == Grip::High);
    let pick = move |pair: [f64; 2]| if at == 0 { pair[0] } else { pair[1] };
    let domain = move || axis.get().map_or([0.0, 1.0], |axis| axis.domain);
    let value = move || pick(interval.get().unwrap_or(domain()));
    let x = move || match ends.get() {
        Some(ends) => pick(ends),
        None => pick([0.0, axis.get().map_or(0.0, |axis| axis.width)]),
    };
    let text = move || {
        axis.get()
            .map(|axis| format::position(value(), axis.scalar, axis.step()))
            .unwrap_or_default()
    };
    let name = move || match at {
        0 => texts::filters::lower_end(&label.get()),
        _ => texts::filters::upper_end(&label.get()),
    };
    let on_key = move |event: KeyboardEvent| {
        let Some(axis) = axis.get_untracked() else { return };
        let before = interval.get_untracked().unwrap_or(axis.domain);
        if let Some(range) = range_after_key(&event, end, before, axis) {
            event.prevent_default();
            event.stop_propagation();
            let range = range.filter(|range| !is_everything(*range, axis.domain));
            on_change.run((range, Gesture::Done));
        }
    };
    let height = move || axis.get().map_or(0.0, |axis| axis.height);
    view! {
        <g
            class="brush-handle"
            class:set=move || ends.get().is_some()
            transform=move || format!("translate({:.2} 0)", x())
            tabindex="0"
            role="slider"
            aria-orientation="horizontal"
            aria-label=name
            aria-valuemin=move || domain()[0].to_string()
            aria-valuemax=move || domain()[1].to_string()
            aria-valuenow=move || value().to_string()
            aria-valuetext=text
            on:keydown=on_key
        >
            <line y1="0" y2=height></line>
            <rect class="brush-grip" x="-2.5" width="5" rx="2.5" y=move || height() / 2.0 - 9.0 height="18"></rect>
        </g>
    }
}

/// The range after a key; `Some(None)` takes it away, `None` is not for us.
fn range_after_key(
    event: &KeyboardEvent,
    end: Grip,
    before: [f64; 2],
    axis: Axis,
) -> Option<Option<[f64; 2]>> {
    let scale = axis.scale();
    let before = before.map(|end| scale.straight(end));
    let [least, most] = axis.domain.map(|end| scale.straight(end));
    let held = if event.shift_key() { Grip::Middle } else { end };
    let by = match event.key().as_str() {
        "ArrowLeft" | "ArrowDown" => -axis.bin,
        "ArrowRight" | "ArrowUp" => axis.bin,
        "PageDown" => -axis.bin * 10.0,
        "PageUp" => axis.bin * 10.0,
        "Home" => least - most,
        "End" => most - least,
        "Escape" | "Delete" | "Backspace" => return Some(None),
        _ => return None,
    };
    // By keys an end stops at the other one: crossing over would hand the focus on.
    let range = match held {
        Grip::Low => [(before[0] + by).clamp(least, before[1]), before[1]],
        Grip::High => [before[0], (before[1] + by).clamp(before[0], most)],
        _ => dragged(held, before, 0.0, by, [least, most]),
    };
    Some(Some(range.map(|end| scale.value_of(end))))
}

/// The drag goes on where the pointer leaves the element.
pub(super) fn capture(event: &PointerEvent) {
    let target = event.current_target().or_else(|| event.target());
    if let Some(element) = target.and_then(|target| target.dyn_into::<Element>().ok()) {
        drop(element.set_pointer_capture(event.pointer_id()));
    }
}

/// The element of an event's listener, and where in it the pointer is.
pub(super) fn offset(event: &PointerEvent, element: &Element) -> (f64, f64) {
    let rect = element.get_bounding_client_rect();
    (f64::from(event.client_x()) - rect.left(), f64::from(event.client_y()) - rect.top())
}
