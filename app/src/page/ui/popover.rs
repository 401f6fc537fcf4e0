//! A button with a panel that opens beside it, in the browser's top layer: nothing clips
//! it, Escape and a click elsewhere close it, and the focus goes back to the button.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::page::lasting::Lasting;
use js_sys::Reflect;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

use crate::page::browser;
use crate::page::parts::OnArrival;

/// Space kept to the edges of the window.
const EDGE: f64 = 8.0;

static NEXT: AtomicU32 = AtomicU32::new(1);

#[component]
pub(super) fn Popover(
    /// What the button says to those who do not see it.
    #[prop(into)]
    label: Signal<String>,
    /// Followed both ways: setting it opens and closes the panel.
    open: Lasting<bool>,
    #[prop(into)] button_class: String,
    #[prop(optional, into)] panel_class: String,
    /// Button and panel meet where lines end, rather than where they begin.
    #[prop(optional)]
    at_end: bool,
    /// The button is no stop of the Tab key: something else opens the panel by keys.
    #[prop(optional)]
    untabbed: bool,
    #[prop(into)] button: ViewFn,
    children: ChildrenFn,
) -> impl IntoView {
    let id = format!("popover-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let button_ref = NodeRef::<html::Button>::new();
    let panel_ref = NodeRef::<html::Div>::new();
    // Leaves Rust: the browser is told what the signal says.
    Effect::new(move |_| {
        let wanted = open.get();
        let Some(panel) = panel_ref.get() else { return };
        if wanted != panel.matches(":popover-open").unwrap_or(false) {
            call(&panel, if wanted { "showPopover" } else { "hidePopover" });
        }
    });
    let settle = move || {
        if let (Some(button), Some(panel)) = (button_ref.get_untracked(), panel_ref.get_untracked())
        {
            place(&panel, &button, at_end);
            if !panel.matches(":focus-within").unwrap_or(false) {
                browser::focus_first(&panel);
            }
        }
    };
    // What had to be fetched has a size, and something to focus, only now.
    let on_arrival = OnArrival(Callback::new(move |()| settle()));
    let inner = move || {
        provide_context(on_arrival);
        children()
    };
    let on_toggle = move |event: web_sys::Event| {
        let state = Reflect::get(event.as_ref(), &"newState".into()).ok();
        let opened = state.and_then(|state| state.as_string()).as_deref() == Some("open");
        open.set(opened);
        if opened {
            // Its size is known once its content is there.
            request_animation_frame(settle);
        }
    };
    view! {
        <button
            type="button"
            node_ref=button_ref
            class=button_class
            tabindex=untabbed.then_some("-1")
            popovertarget=id.clone()
            aria-haspopup="dialog"
            aria-expanded=move || open.get().to_string()
            aria-label=move || label.get()
        >
            {button.run()}
        </button>
        <div
            id=id
            node_ref=panel_ref
            class=format!("popover {panel_class}")
            popover="auto"
            role="dialog"
            aria-label=move || label.get()
            on:toggle=on_toggle
        >
            <Show when=move || open.get()>{inner()}</Show>
        </div>
    }
}

fn call(element: &HtmlElement, method: &str) {
    if let Ok(function) = Reflect::get(element, &method.into())
        && let Ok(function) = function.dyn_into::<js_sys::Function>()
    {
        drop(function.call0(&JsValue::from(element)));
    }
}

/// Under the button, or over it where there is more room; never beyond the window.
fn place(panel: &HtmlElement, button: &HtmlElement, at_end: bool) {
    let size = |value: Result<JsValue, JsValue>| value.ok().and_then(|v| v.as_f64()).unwrap_or(0.0);
    let (window_width, window_height) =
        (size(window().inner_width()), size(window().inner_height()));
    let anchor = button.get_bounding_client_rect();
    let own = panel.get_bounding_client_rect();
    let is_mirrored =
        document().document_element().is_some_and(|root| root.matches(":dir(rtl)") == Ok(true));
    let left = if at_end != is_mirrored { anchor.right() - own.width() } else { anchor.left() };
    let left = left.min(window_width - own.width() - EDGE).max(EDGE);
    let below = window_height - anchor.bottom() - EDGE * 1.5;
    let above = anchor.top() - EDGE * 1.5;
    let over = own.height() > below && above > below;
    let room = if over { above } else { below };
    let style = HtmlElement::style(panel);
    let height = own.height().min(room);
    let top = if over { anchor.top() - height - EDGE / 2.0 } else { anchor.bottom() + EDGE / 2.0 };
    for (name, value) in [("left", left), ("top", top), ("max-height", room)] {
        drop(style.set_property(name, &format!("{value}px")));
    }
}
