//! What the page needs of the browser and Leptos does not have: the clock, kept settings,
//! the boot script's values, sizes of elements, downloads of nothing. Missing parts of an
//! old or private browser are `None`, never a panic.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise, Reflect};
use leptos::html::ElementType;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Clipboard, Element, HtmlElement, ResizeObserver, ResizeObserverEntry, Storage, StorageManager,
};

use super::signals::Page;
use crate::protocol::Level;
use crate::state::command::Command;
use crate::texts;

/// Milliseconds since the page began.
pub(super) fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Names a moment, for tools that measure the page.
pub(super) fn mark(name: &str) {
    if let Some(performance) = window().performance() {
        drop(performance.mark(name));
    }
}

/// Milliseconds since 1970.
pub(super) fn wall_clock() -> f64 {
    js_sys::Date::now()
}

/// Whether the system is set to keep still.
pub(super) fn wants_no_motion() -> bool {
    let list = window().match_media("(prefers-reduced-motion: reduce)");
    list.ok().flatten().is_some_and(|list| list.matches())
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// A setting of this browser. Refused in some private modes: then it holds for the visit.
pub(super) fn kept(name: &str) -> Option<String> {
    storage()?.get_item(&format!("limn.{name}")).ok().flatten()
}

pub(super) fn keep(name: &str, value: &str) {
    if let Some(storage) = storage() {
        drop(storage.set_item(&format!("limn.{name}"), value));
    }
}

/// A value that the boot script left for us.
pub(super) fn boot_value(name: &str) -> Option<JsValue> {
    let boot = Reflect::get(&js_sys::global(), &"limn".into()).ok()?;
    let value = Reflect::get(&boot, &name.into()).ok()?;
    (!value.is_null() && !value.is_undefined()).then_some(value)
}

pub(super) fn set_boot_value(name: &str, value: &JsValue) {
    if let Ok(boot) = Reflect::get(&js_sys::global(), &"limn".into()) {
        drop(Reflect::set(&boot, &name.into(), value));
    }
}

pub(super) fn boot_function(name: &str) -> Option<Function> {
    boot_value(name)?.dyn_into().ok()
}

/// Which language the page is in, and which way it is read.
pub(super) fn state_language() {
    if let Some(root) = document().document_element() {
        drop(root.set_attribute("lang", texts::LANGUAGE));
        drop(root.set_attribute("dir", texts::DIRECTION));
    }
}

pub(super) fn remove_boot_screen() {
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
}

/// The page's own program is lost: says so over everything, by hand, since the rest of
/// the page can no longer be trusted.
pub(super) fn show_fatal(text: &str) {
    let document = document();
    let (Some(body), Ok(screen), Ok(title), Ok(detail)) = (
        document.body(),
        document.create_element("div"),
        document.create_element("h1"),
        document.create_element("pre"),
    ) else {
        return;
    };
    screen.set_class_name("fatal");
    drop(screen.set_attribute("role", "alert"));
    title.set_text_content(Some(texts::notices::PAGE_STOPPED));
    detail.set_text_content(Some(text));
    drop(screen.append_child(&title));
    drop(screen.append_child(&detail));
    drop(body.append_child(&screen));
}

/// Follows the content size of an element for as long as it is there. Called at most once
/// a frame, by the browser.
pub(super) fn observe_size<E>(node: NodeRef<E>, on_size: impl Fn(f64, f64) + Copy + 'static)
where
    E: ElementType,
    E::Output: AsRef<Element> + JsCast + Clone + 'static,
{
    // An effect, so that there is an owner: what it cleans up lives as long as the element.
    Effect::new(move |_| {
        let Some(element) = node.get() else { return };
        let closure = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
            if let Ok(entry) = entries.at(-1).dyn_into::<ResizeObserverEntry>() {
                let size = entry.content_rect();
                on_size(size.width(), size.height());
            }
        });
        let Ok(observer) = ResizeObserver::new(closure.as_ref().unchecked_ref()) else { return };
        observer.observe(element.as_ref());
        let kept = StoredValue::new_local(Some((observer, closure)));
        on_cleanup(move || {
            if let Some(Some((observer, _closure))) = kept.try_update_value(Option::take) {
                observer.disconnect();
            }
        });
    });
}

/// A listener that lives as long as the page.
pub(super) fn listen_forever<E: JsCast + 'static>(
    target: &web_sys::EventTarget,
    event: &str,
    on_event: impl FnMut(E) + 'static,
) {
    let closure = listener(on_event);
    drop(target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref()));
    closure.forget();
}

fn listener<E: JsCast + 'static>(
    mut on_event: impl FnMut(E) + 'static,
) -> Closure<dyn FnMut(JsValue)> {
    Closure::new(move |event: JsValue| {
        if let Ok(event) = event.dyn_into() {
            on_event(event);
        }
    })
}

/// Absent without https, but on localhost.
pub(super) fn storage_manager() -> Option<StorageManager> {
    Reflect::get(&window().navigator(), &"storage".into()).ok()?.dyn_into().ok()
}

/// Absent without https, but on localhost.
fn write_clipboard(text: &str) -> Option<Promise> {
    let clipboard = Reflect::get(&window().navigator(), &"clipboard".into()).ok()?;
    let clipboard: Clipboard = clipboard.dyn_into().ok()?;
    Some(clipboard.write_text(text))
}

/// A text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Copies a text, and says `done`, or why it could not.
pub(super) fn copy(page: Page, text: &str, done: impl Into<String>) {
    copy_or(page, text, done.into(), None);
}

/// As [`copy`]; where it is refused, something to do instead is offered.
pub(super) fn copy_or(page: Page, text: &str, done: String, instead: Option<(String, Command)>) {
    let refuse = move || {
        page.notify_with(Level::Warning, texts::notices::NO_CLIPBOARD, instead.clone());
    };
    let Some(written) = write_clipboard(text) else { return refuse() };
    spawn_local(async move {
        match JsFuture::from(written).await {
            Ok(_) => page.notify(Level::Info, done),
            Err(_) => refuse(),
        }
    });
}

/// Whether the element that has the keyboard is one of these.
pub(super) fn is_focus_on(selector: &str) -> bool {
    document().active_element().is_some_and(|element| element.matches(selector).unwrap_or(false))
}

/// How wide the widest content of some elements is, whatever of it is seen.
pub(super) fn widest_content(selector: &str) -> Option<f64> {
    let found = document().query_selector_all(selector).ok()?;
    let width = |at: u32| {
        // A range has the size of what is in it, not of the box around it.
        let range = call(document().as_ref(), "createRange", None)?;
        call(&range, "selectNodeContents", Some(found.get(at)?.as_ref()))?;
        let rect = call(&range, "getBoundingClientRect", None)?;
        Reflect::get(&rect, &"width".into()).ok()?.as_f64()
    };
    (0..found.length()).filter_map(width).reduce(f64::max)
}

fn call(object: &JsValue, method: &str, argument: Option<&JsValue>) -> Option<JsValue> {
    let function: Function = Reflect::get(object, &method.into()).ok()?.dyn_into().ok()?;
    match argument {
        Some(argument) => function.call1(object, argument).ok(),
        None => function.call0(object).ok(),
    }
}

/// Puts the keyboard on an element, once it is in the document.
pub(super) fn focus_soon(element: HtmlElement) {
    request_animation_frame(move || drop(element.focus()));
}

/// Frames that [`focus_first`] waits for a panel's content, which may need an answer first.
const FRAMES_TO_COME: u32 = 60;

/// Puts the keyboard on the first thing in a panel that takes it, once there is one.
pub(super) fn focus_first(panel: &HtmlElement) {
    focus_first_within(panel.clone(), FRAMES_TO_COME);
}

fn focus_first_within(panel: HtmlElement, frames: u32) {
    let wanted =
        panel.query_selector("[autofocus], input, button, [tabindex=\"0\"]").ok().flatten();
    match wanted {
        // A handle of a chart is an SVG element, which takes the focus in the same way.
        Some(element) => focus_soon(element.unchecked_into()),
        None if frames == 0 => {}
        None => request_animation_frame(move || focus_first_within(panel, frames - 1)),
    }
}

/// Runs `action` at most once a frame, however often it is asked for.
#[derive(Clone)]
pub(super) struct OnceAFrame {
    asked: Rc<RefCell<bool>>,
    action: Rc<dyn Fn()>,
}

impl OnceAFrame {
    pub(super) fn new(action: impl Fn() + 'static) -> Self {
        Self { asked: Rc::default(), action: Rc::new(action) }
    }

    pub(super) fn ask(&self) {
        if self.asked.replace(true) {
            return;
        }
        let this = self.clone();
        request_animation_frame(move || {
            this.asked.replace(false);
            (this.action)();
        });
    }
}
